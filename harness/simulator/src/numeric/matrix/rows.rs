//! Moves 8 by 8 matrices of 16-bit elements between rows in memory and one register of each lane.

use super::{Lanes, Order};

/// `ldmatrix` of one matrix: lane l gets the elements 2(l % 4) and the next of row l / 4, or with
/// [`Order::Column`], which is `.trans`, of column l / 4.
///
/// Row r of matrix i starts at the address that lane 8i + r gives.
#[inline]
#[must_use]
pub fn ldmatrix(rows: &[[u8; 16]; 8], order: Order) -> Lanes {
    let element = |row: usize, column: usize| {
        u32::from(u16::from_le_bytes([
            rows[row][2 * column],
            rows[row][2 * column + 1],
        ]))
    };
    std::array::from_fn(|lane| {
        let (line, first) = (lane / 4, 2 * (lane % 4));
        match order {
            Order::Row => element(line, first + 1) << 16 | element(line, first),
            Order::Column => element(first + 1, line) << 16 | element(first, line),
        }
    })
}

/// `stmatrix` of one matrix: the inverse of [`ldmatrix`].
#[inline]
#[must_use]
pub fn stmatrix(values: &Lanes, order: Order) -> [[u8; 16]; 8] {
    std::array::from_fn(|row| {
        let mut bytes = [0; 16];
        for (column, pair) in bytes.chunks_exact_mut(2).enumerate() {
            let (line, place) = match order {
                Order::Row => (row, column),
                Order::Column => (column, row),
            };
            let value = values[4 * line + place / 2] >> (16 * (place % 2));
            pair.copy_from_slice(&(value as u16).to_le_bytes());
        }
        bytes
    })
}
