//! Launching kernels, and how many of them fit.
#![expect(
    unsafe_code,
    reason = "the functions of a C library are exported under their C names"
)]

use super::value::{Bytes, In, Out};
use super::{call, effects, in_context, initialised, with_machine};
use crate::driver::Status;
use crate::driver::launch::Launch;
use crate::driver::machine::Handle;
use crate::exec::Cooperation;

/// Of the array that stands in for kernel parameters: pairs of these and a pointer.
const PARAM_END: u64 = 0;
const PARAM_BUFFER: u64 = 1;
const PARAM_BUFFER_BYTES: u64 = 2;

/// Both ways in which a caller hands over parameters.
#[derive(Clone, Copy)]
struct Parameters {
    /// Pointers to the values, one for each parameter.
    pointers: In<u64>,
    /// Or one buffer for all of them.
    extra: In<u64>,
}

impl Parameters {
    fn read(self, function: Handle) -> Result<Vec<u8>, Status> {
        let (parameters, bytes) = initialised(|machine| machine.parameters(function))?;
        if !self.extra.is_null() {
            if !self.pointers.is_null() {
                return Err(Status::INVALID_VALUE);
            }
            let mut buffer = self.read_buffer()?;
            if buffer.len() < bytes {
                return Err(Status::INVALID_VALUE);
            }
            buffer.truncate(bytes);
            return Ok(buffer);
        }
        let mut block = vec![0; bytes];
        for (index, parameter) in parameters.iter().enumerate() {
            let value = Bytes::at(self.pointers.at(index)?).slice(parameter.size)?;
            block[parameter.offset..parameter.offset + parameter.size].copy_from_slice(value);
        }
        Ok(block)
    }

    fn read_buffer(self) -> Result<Vec<u8>, Status> {
        let (mut buffer, mut length) = (None, None);
        for pair in 0..8 {
            match self.extra.at(2 * pair)? {
                PARAM_END => break,
                PARAM_BUFFER => buffer = Some(Bytes::at(self.extra.at(2 * pair + 1)?)),
                PARAM_BUFFER_BYTES => {
                    let size = Bytes::at(self.extra.at(2 * pair + 1)?).slice(size_of::<usize>())?;
                    let size = size.try_into().map_err(|_| Status::INVALID_VALUE)?;
                    length = Some(usize::from_ne_bytes(size));
                }
                _ => return Err(Status::INVALID_VALUE),
            }
        }
        let (buffer, length) = buffer.zip(length).ok_or(Status::INVALID_VALUE)?;
        Ok(buffer.slice(length)?.to_vec())
    }
}

/// `CUlaunchConfig`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Config {
    grid: [u32; 3],
    block: [u32; 3],
    dynamic_shared: u32,
    stream: Handle,
    attributes: In<Attribute>,
    attribute_count: u32,
}

/// `CUlaunchAttribute`: a number, padding, and a value of 64 bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Attribute {
    number: u32,
    padding: u32,
    value: [u32; 16],
}

impl Config {
    /// Whether the attributes ask for a cooperative launch; those that change what a kernel may do are refused.
    fn cooperation(&self) -> Result<Cooperation, Status> {
        let mut cooperation = Cooperation::Plain;
        let count = usize::try_from(self.attribute_count).map_err(|_| Status::INVALID_VALUE)?;
        for index in 0..count {
            let attribute = self.attributes.at(index)?;
            match attribute.number {
                2 if attribute.value[0] != 0 => cooperation = Cooperation::Cooperative,
                // Clusters of one block are no clusters.
                4 if attribute.value[..3] != [1, 1, 1] => return Err(Status::NOT_SUPPORTED),
                // Hints: access policy, synchronisation policy, scheduling of clusters, serialisation, priority,
                // memory domains, and carveout.
                0..=6 | 8..=10 | 14 => {}
                _ => return Err(Status::NOT_SUPPORTED),
            }
        }
        Ok(cooperation)
    }
}

/// What every launch begins with. An injected panic is not caught here: it belongs to the tested code.
fn launch_call(function: &str, body: impl FnOnce() -> Result<(), Status>) -> Status {
    let ready = with_machine(|machine| machine.require_initialised()).is_ok();
    if ready {
        for effect in with_machine(|machine| machine.first_launch()) {
            effects::strike(effect);
        }
    }
    call(function, body)
}

fn launch(function: Handle, launch: Launch, parameters: Parameters) -> Result<(), Status> {
    let parameters = parameters.read(function)?;
    let launch = Launch {
        parameters,
        ..launch
    };
    in_context(|machine, current| machine.launch(current, function, &launch))
}

exported! { launch_call => Status;
    fn cuLaunchKernel(
        function: Handle,
        grid_x: u32, grid_y: u32, grid_z: u32,
        block_x: u32, block_y: u32, block_z: u32,
        dynamic_shared: u32, stream: Handle, pointers: In<u64>, extra: In<u64>,
    ) {
        let shape = Launch {
            grid: [grid_x, grid_y, grid_z],
            block: [block_x, block_y, block_z],
            dynamic_shared,
            stream,
            cooperation: Cooperation::Plain,
            parameters: Vec::new(),
        };
        launch(function, shape, Parameters { pointers, extra })
    }

    fn cuLaunchCooperativeKernel(
        function: Handle,
        grid_x: u32, grid_y: u32, grid_z: u32,
        block_x: u32, block_y: u32, block_z: u32,
        dynamic_shared: u32, stream: Handle, pointers: In<u64>,
    ) {
        let shape = Launch {
            grid: [grid_x, grid_y, grid_z],
            block: [block_x, block_y, block_z],
            dynamic_shared,
            stream,
            cooperation: Cooperation::Cooperative,
            parameters: Vec::new(),
        };
        let parameters = pointers_only(pointers);
        launch(function, shape, parameters)
    }

    fn cuLaunchKernelEx(config: In<Config>, function: Handle, pointers: In<u64>, extra: In<u64>) {
        let config = config.at(0)?;
        let shape = Launch {
            grid: config.grid,
            block: config.block,
            dynamic_shared: config.dynamic_shared,
            stream: config.stream,
            cooperation: config.cooperation()?,
            parameters: Vec::new(),
        };
        launch(function, shape, Parameters { pointers, extra })
    }
}

fn pointers_only(pointers: In<u64>) -> Parameters {
    Parameters {
        pointers,
        extra: In::null(),
    }
}

/// How many of them fit: apart from the launches, because these have no effects on the process.
mod occupancy {
    use super::{Handle, Out, Status, call, initialised};

    /// Gives the dynamic shared memory of a block for its threads.
    type BlockToShared = Option<extern "C" fn(i32) -> usize>;

    fn blocks(
        count: Out<i32>,
        function: Handle,
        threads: i32,
        shared: usize,
    ) -> Result<(), Status> {
        let threads = u32::try_from(threads).map_err(|_| Status::INVALID_VALUE)?;
        let shared = u32::try_from(shared).unwrap_or(u32::MAX);
        let fit =
            initialised(|machine| machine.blocks_per_multiprocessor(function, threads, shared))?;
        Ok(count.set(i32::try_from(fit).unwrap_or(i32::MAX))?)
    }

    fn best(
        grid: Out<i32>,
        block: Out<i32>,
        function: Handle,
        by_block: BlockToShared,
        shared: usize,
        limit: i32,
    ) -> Result<(), Status> {
        let limit = u32::try_from(limit).map_err(|_| Status::INVALID_VALUE)?;
        let bytes = |threads: u32| {
            let threads = i32::try_from(threads).unwrap_or(i32::MAX);
            let bytes = by_block.map_or(shared, |by_block| by_block(threads));
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let (blocks, threads) = initialised(|machine| machine.best_block(function, limit, &bytes))?;
        grid.set(i32::try_from(blocks).unwrap_or(i32::MAX))?;
        Ok(block.set(i32::try_from(threads).unwrap_or(i32::MAX))?)
    }

    exported! { call => Status;
        fn cuOccupancyMaxActiveBlocksPerMultiprocessor(count: Out<i32>, function: Handle, threads: i32, shared: usize) {
            blocks(count, function, threads, shared)
        }

        fn cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
            count: Out<i32>, function: Handle, threads: i32, shared: usize, _flags: u32,
        ) {
            blocks(count, function, threads, shared)
        }

        fn cuOccupancyMaxPotentialBlockSize(
            grid: Out<i32>, block: Out<i32>, function: Handle, by_block: BlockToShared, shared: usize, limit: i32,
        ) {
            best(grid, block, function, by_block, shared, limit)
        }

        fn cuOccupancyMaxPotentialBlockSizeWithFlags(
            grid: Out<i32>, block: Out<i32>, function: Handle, by_block: BlockToShared, shared: usize, limit: i32,
            _flags: u32,
        ) {
            best(grid, block, function, by_block, shared, limit)
        }

        fn cuOccupancyAvailableDynamicSMemPerBlock(bytes: Out<usize>, function: Handle, blocks: i32, threads: i32) {
            let blocks = u32::try_from(blocks).map_err(|_| Status::INVALID_VALUE)?;
            let threads = u32::try_from(threads).map_err(|_| Status::INVALID_VALUE)?;
            let left = initialised(|machine| machine.available_shared(function, blocks, threads))?;
            Ok(bytes.set(usize::try_from(left).unwrap_or(usize::MAX))?)
        }
    }
}

/// Launches and occupancy together.
pub(super) fn all_symbols() -> impl Iterator<Item = (&'static str, usize)> {
    symbols().chain(occupancy::symbols())
}
