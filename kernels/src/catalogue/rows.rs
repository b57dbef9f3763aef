//! The shape that most kernels of the catalogue share: one thread reads a row of inputs and stores a row of
//! a table.

use crate::table::{Operation, Table};
use crate::{Argument, Buffer, Launch, Program, Rerun, Step};

/// A program that computes one row of `operations` from one row of `inputs` in each thread. The number of
/// rows should be no multiple of the block's 96 threads, so that some threads have nothing to do.
pub(super) fn program<Row>(
    entry: &'static str,
    inputs: Vec<u8>,
    rows: &[Row],
    operations: &[Operation<Row>],
) -> Program {
    let count = u32::try_from(rows.len()).expect("tables are small");
    Program {
        buffers: vec![
            Buffer::input("in", inputs),
            Buffer::table("out", Table::new(operations, rows)),
        ],
        steps: vec![Step::Launch(Launch::linear(
            entry,
            count,
            96,
            vec![
                Argument::Buffer(0),
                Argument::Buffer(1),
                Argument::u32(count),
            ],
        ))],
        rerun: Rerun::BitIdentical,
    }
}

/// Words as the device reads them.
pub(super) fn words(values: impl IntoIterator<Item = u32>) -> Vec<u8> {
    values.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// Double words as the device reads them.
pub(super) fn longs(values: impl IntoIterator<Item = u64>) -> Vec<u8> {
    values.into_iter().flat_map(u64::to_le_bytes).collect()
}
