//! How many blocks of a kernel fit a multiprocessor, by the rules of NVIDIA's occupancy calculator.

use super::machine::{Handle, Machine};
use super::module::registers;
use super::status::Status;

/// Registers are given to warps in portions of this size.
const REGISTER_PORTION: u32 = 256;
/// Shared memory is given to blocks in portions of this size.
const SHARED_PORTION: u32 = 128;

impl Machine {
    /// `cuOccupancyMaxActiveBlocksPerMultiprocessor`.
    pub(crate) fn blocks_per_multiprocessor(
        &self,
        function: Handle,
        threads: u32,
        dynamic_shared: u32,
    ) -> Result<u32, Status> {
        let (_, entry, module) = self.function(function)?;
        let number = |attribute| self.profile_number(module.context, attribute);
        if threads == 0 || threads > number(1)? {
            return Err(Status::INVALID_VALUE);
        }
        if threads > self.block_limit(module.context, entry)? {
            return Ok(0);
        }
        let warps = threads.div_ceil(32);
        let by_warps = number(39)? / 32 / warps;
        let each_warp = (registers(entry) * 32).next_multiple_of(REGISTER_PORTION);
        let by_registers = number(82)? / each_warp / warps;
        let asked = entry.static_shared.saturating_add(dynamic_shared);
        if asked > number(97)? {
            return Ok(0);
        }
        // Since compute capability 8.0 the system keeps some shared memory of each block for itself.
        let shared = asked.saturating_add(number(111)?);
        let by_shared = match shared {
            0 => u32::MAX,
            bytes => number(81)? / bytes.next_multiple_of(SHARED_PORTION),
        };
        Ok(by_warps.min(by_registers).min(by_shared).min(number(106)?))
    }

    /// `cuOccupancyMaxPotentialBlockSize`: the blocks that fill the device, and the threads of each.
    ///
    /// `shared` gives the dynamic shared memory for a number of threads.
    pub(crate) fn best_block(
        &self,
        function: Handle,
        limit: u32,
        shared: &dyn Fn(u32) -> u32,
    ) -> Result<(u32, u32), Status> {
        let (_, entry, module) = self.function(function)?;
        let most = self.block_limit(module.context, entry)?;
        let most = if limit == 0 { most } else { most.min(limit) };
        let mut best = (0, 0, 0);
        // The largest block wins among equals, hence from the largest down.
        for threads in (1..=most / 32).rev().map(|warps| warps * 32) {
            let blocks = self.blocks_per_multiprocessor(function, threads, shared(threads))?;
            if blocks * threads > best.0 {
                best = (blocks * threads, blocks, threads);
            }
        }
        let multiprocessors = self.profile_number(module.context, 16)?;
        Ok((best.1 * multiprocessors, best.2))
    }

    /// `cuOccupancyAvailableDynamicSMemPerBlock`.
    pub(crate) fn available_shared(
        &self,
        function: Handle,
        blocks: u32,
        threads: u32,
    ) -> Result<u32, Status> {
        let (_, entry, module) = self.function(function)?;
        let number = |attribute| self.profile_number(module.context, attribute);
        if blocks == 0 || threads == 0 {
            return Err(Status::INVALID_VALUE);
        }
        let share = number(81)? / blocks / SHARED_PORTION * SHARED_PORTION;
        let left = share
            .saturating_sub(number(111)?)
            .saturating_sub(entry.static_shared);
        Ok(left.min(number(97)?.saturating_sub(entry.static_shared)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::jit::{Image, JitLog, JitRequest};
    use super::super::machine::tests::machine;
    use super::*;

    fn ready(profile: &str) -> (Machine, Handle) {
        let mut machine = machine(&[("CUDACHECK_SIMULATE", profile)]);
        machine.initialise(0).unwrap();
        let context = machine.retain_primary(0).unwrap();
        let text = b".version 6.0\n.target sm_50\n.address_size 64\n.visible .entry nothing()\n{\nret;\n}\n";
        let module = machine
            .load_module(
                context,
                Image::Text(text),
                JitRequest::default(),
                &mut JitLog::default(),
            )
            .unwrap();
        let function = machine.find_function(module, "nothing").unwrap();
        (machine, function)
    }

    #[track_caller]
    fn check(profile: &str, threads: u32, shared: u32, expected: Result<u32, Status>) {
        let (machine, function) = ready(profile);
        let answer = machine.blocks_per_multiprocessor(function, threads, shared);
        assert_eq!(answer, expected);
    }

    #[test]
    fn blocks_are_limited_by_what_runs_out_first() {
        check("h100", 32, 0, Ok(32));
        check("h100", 1024, 0, Ok(2));
        check("h100", 33, 0, Ok(32));
        check("h100", 256, 100 << 10, Ok(2));
        check("h100", 256, 232_448, Ok(1));
        check("h100", 256, 232_449, Ok(0));
        check("rtx-4090", 1024, 0, Ok(1));
        check("rtx-4090", 512, 0, Ok(3));
        check("h100", 0, 0, Err(Status::INVALID_VALUE));
        check("h100", 1025, 0, Err(Status::INVALID_VALUE));
    }

    #[test]
    fn the_best_block_fills_the_device() {
        let (machine, function) = ready("rtx-4090");
        assert_eq!(machine.best_block(function, 0, &|_| 0), Ok((256, 768)));
        assert_eq!(machine.best_block(function, 512, &|_| 0), Ok((384, 512)));
    }
}
