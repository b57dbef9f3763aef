//! The list of faults, for `--help`, for error messages, and for the table of what is detected.

use crate::exec::ExecFaults;

/// A kind of fault.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// How it is written; words in capitals stand for a choice.
    pub pattern: &'static str,
    /// What it simulates.
    pub simulates: &'static str,
}

const fn fault(pattern: &'static str, simulates: &'static str) -> Fault {
    Fault { pattern, simulates }
}

/// Every kind of fault that can be injected.
pub fn catalogue() -> &'static [Fault] {
    FAULTS
}

const FAULTS: &[Fault] = &[
    fault(
        "FUNCTION:CODE",
        "a function of the driver or of NVML answers this code",
    ),
    fault("FUNCTION:hang", "a function never returns"),
    fault(
        "FUNCTION:segv",
        "a function ends the process by an invalid access",
    ),
    fault("FUNCTION:abort", "a function aborts the process"),
    fault("launch:hang", "a kernel never ends"),
    fault(
        "launch:silent",
        "a kernel is not executed, and nothing says so",
    ),
    fault(
        "launch:CODE",
        "a kernel dies with this code, or is refused with it",
    ),
    fault("sync:CODE", "synchronising answers this code"),
    fault(
        "memory:stuck-bit",
        "a bit of device memory always reads as 1",
    ),
    fault("memory:alias-page", "two pages of device memory are one"),
    fault(
        "memory:lost-write",
        "now and then a store to device memory is lost",
    ),
    fault("barrier:skip", "a warp passes a barrier early"),
    fault("atomic:lost", "now and then an atomic update is lost"),
    fault("shuffle:lane", "shuffles read the neighbouring lane"),
    fault("vote:lane", "votes miss a lane"),
    fault(
        "mma:wrong-element",
        "an element of each matrix product is wrong",
    ),
    fault("dot:product", "integer dot products miss one product"),
    fault(
        "fma:flip-bit",
        "now and then the last bit of an fma is flipped",
    ),
    fault(
        "special:inaccurate",
        "approximated functions leave their bound",
    ),
    fault("rounding:ignored", "directed rounding rounds to nearest"),
    fault("subnormal:flushed", "subnormal results become zero"),
    fault(
        "fence:lost",
        "stores become visible out of order despite fences",
    ),
    fault(
        "async-copy:early",
        "asynchronous copies are waited for in vain",
    ),
    fault(
        "constant:word",
        "constant memory answers the neighbouring word",
    ),
    fault("segv", "the tested code dies of an invalid access"),
    fault("abort", "the tested code aborts"),
    fault("exit", "the tested code ends the process with status 0"),
    fault("panic", "the tested code panics"),
    fault(
        "print:NMB",
        "the tested code writes N megabytes to standard output",
    ),
    fault(
        "print:forged-result",
        "the tested code prints what looks like a passing result",
    ),
    fault(
        "child:escape",
        "the tested code leaves a child in a session of its own",
    ),
    fault("gpu:lost", "the device falls off the bus: 719, NVML 15"),
    fault(
        "ecc:uncorrected",
        "an uncorrectable memory error: 214, and NVML counts it",
    ),
    fault(
        "xid:NUMBER",
        "the kernel driver reports this Xid, for example 79",
    ),
];

/// The execution fault of a name.
pub(super) fn execution_fault(name: &str) -> Option<&'static str> {
    let known = FAULTS.iter().find(|fault| fault.pattern == name)?;
    set_execution_fault(&mut ExecFaults::default(), known.pattern).then_some(known.pattern)
}

/// Switches the fault of a name on; false when it is not one of execution.
pub(super) fn set_execution_fault(faults: &mut ExecFaults, name: &str) -> bool {
    let field = match name {
        "memory:stuck-bit" => &mut faults.stuck_bit,
        "memory:alias-page" => &mut faults.alias_page,
        "memory:lost-write" => &mut faults.lost_write,
        "barrier:skip" => &mut faults.skip_barrier,
        "atomic:lost" => &mut faults.lose_atomic,
        "shuffle:lane" => &mut faults.shuffle_lane,
        "vote:lane" => &mut faults.vote_lane,
        "mma:wrong-element" => &mut faults.matrix_element,
        "dot:product" => &mut faults.dot_product,
        "fma:flip-bit" => &mut faults.flip_fma,
        "special:inaccurate" => &mut faults.special_ulp,
        "rounding:ignored" => &mut faults.ignore_rounding,
        "subnormal:flushed" => &mut faults.flush_subnormals,
        "fence:lost" => &mut faults.fence_lost,
        "async-copy:early" => &mut faults.async_copy_early,
        "constant:word" => &mut faults.constant_word,
        _ => return false,
    };
    *field = true;
    true
}
