//! Injected faults of execution: what a broken device does, repeatable by seed.

/// What is broken in a device. Everything is off by default, and then costs next to nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExecFaults {
    /// Every choice (which bit, which store, which lane) is a function of it.
    pub seed: u64,
    /// One bit of each 4 KiB page of global memory always reads as 1.
    pub stuck_bit: bool,
    /// In each 64 KiB of an allocation in global memory, the fourth page of 4 KiB is the second one.
    pub alias_page: bool,
    /// About one store in 64 to global memory is dropped.
    pub lost_write: bool,
    /// Barriers of a block let one warp through early.
    pub skip_barrier: bool,
    /// About one atomic update in 64 is dropped.
    pub lose_atomic: bool,
    /// `shfl` takes the value of the neighbouring lane.
    pub shuffle_lane: bool,
    /// One element of each matrix product is off.
    pub matrix_element: bool,
    /// About one `fma` in 64 has its lowest mantissa bit flipped.
    pub flip_fma: bool,
    /// Approximated functions are beyond their documented bound.
    pub special_ulp: bool,
    /// Stores become visible to other blocks out of order, even with a fence between them.
    pub fence_lost: bool,
    /// Votes miss one lane.
    pub vote_lane: bool,
    /// Integer dot products miss one of their products.
    pub dot_product: bool,
    /// `cp.async` copies are not complete when they are waited for.
    pub async_copy_early: bool,
    /// Reads of constant memory come from the neighbouring word.
    pub constant_word: bool,
    /// Directed rounding modes round to nearest.
    pub ignore_rounding: bool,
    /// Subnormal results of 32-bit arithmetic become zero.
    pub flush_subnormals: bool,
}
