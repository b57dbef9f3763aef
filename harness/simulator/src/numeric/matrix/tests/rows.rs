//! `ldmatrix` and `stmatrix`.

use super::super::{Element, Operand, Order, ldmatrix, stmatrix};
use super::mma;

#[test]
fn ldmatrix_gives_rows_or_columns_to_groups() {
    let rows: [[u8; 16]; 8] =
        std::array::from_fn(|row| std::array::from_fn(|i| (16 * row + i) as u8));
    let at = |row: usize, column: usize| {
        u32::from(rows[row][2 * column]) | u32::from(rows[row][2 * column + 1]) << 8
    };
    let plain = ldmatrix(&rows, Order::Row);
    let transposed = ldmatrix(&rows, Order::Column);
    for lane in 0..32 {
        let (line, first) = (lane / 4, 2 * (lane % 4));
        assert_eq!(plain[lane], at(line, first) | at(line, first + 1) << 16);
        assert_eq!(
            transposed[lane],
            at(first, line) | at(first + 1, line) << 16
        );
    }
    for order in [Order::Row, Order::Column] {
        assert_eq!(stmatrix(&ldmatrix(&rows, order), order), rows);
    }
    // A matrix loaded plainly is register 0 of A, and loaded transposed register 0 of B, of `m16n8k8`.
    let mma = mma(
        (16, 8, 8),
        Element::F16,
        Element::F16,
        Element::F32,
        Element::F32,
    );
    for lane in 0..32 {
        for index in 0..2 {
            let (row, column) = mma.position(Operand::A, lane, index);
            assert_eq!(
                plain[lane] >> (16 * index) & 0xffff,
                at(row as usize, column as usize)
            );
            let (row, column) = mma.position(Operand::B, lane, index);
            assert_eq!(
                transposed[lane] >> (16 * index) & 0xffff,
                at(row as usize, column as usize)
            );
        }
    }
}
