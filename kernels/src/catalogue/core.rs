//! What every device must do: indices and plain stores.

use crate::{
    Argument, Buffer, DeviceLimits, Expected, Initial, Kernel, Launch, LaunchKind, Program, Rerun,
    Step,
};

pub(super) const KERNELS: &[Kernel] = &[Kernel {
    name: "launch-canary",
    summary: "indices of three-dimensional grids and blocks with odd sizes; a failure means that nothing else can be trusted",
    ptx: include_str!("../../ptx/launch-canary.ptx"),
    needs: &[],
    program: launch_canary,
}];

fn launch_canary(_: &DeviceLimits, seed: u64) -> Program {
    let (grid, block) = ([7u32, 3, 5], [11u32, 3, 2]);
    let threads: u32 = grid.iter().chain(&block).product();
    // The last 13 threads must not write: the count is no multiple of the block.
    let count = threads - 13;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the kernel takes the low half of the seed"
    )]
    let low = seed as u32;
    let expected = (0..count)
        .flat_map(|index| (index.wrapping_mul(0x9E37_79B1) ^ low).to_le_bytes())
        .collect();
    Program {
        buffers: vec![Buffer {
            name: "out",
            initial: Initial::Poison(count as usize * 4),
            expected: Expected::Exact {
                bytes: expected,
                element: 4,
            },
        }],
        steps: vec![Step::Launch(Launch {
            entry: "launch_canary",
            grid,
            block,
            dynamic_shared: 0,
            kind: LaunchKind::Plain,
            arguments: vec![
                Argument::Buffer(0),
                Argument::u32(count),
                Argument::u32(low),
            ],
        })],
        rerun: Rerun::BitIdentical,
    }
}
