//! Triangular systems whose solution is known to the last bit, whatever way they are solved.
//!
//! Libraries solve with inverses of blocks on the diagonal, which are not exact for a general matrix of integers: they
//! grow without bound. Here A = D (1 + N) or (1 + N) D with powers of two on the diagonal of D, where N has entries only
//! in odd rows of even columns. Then N N = 0 and the inverse of 1 + N is 1 - N, for A and for every block of it.

use super::super::exact::{self, integers};
use super::super::{Bench, Opened, Verdict};
use super::Session;
use super::comparison::judge;
use super::ffi::{Diagonal, Fill, Operation, Side};
use super::product::{Exact, Layout, number, poison};

/// Rows and columns of B.
const ROWS: usize = 97;
const COLUMNS: usize = 43;

/// One system: A X = alpha B or X A = alpha B, solved for X.
#[derive(Clone, Copy)]
struct System {
    side: Side,
    fill: Fill,
    operation: Operation,
    diagonal: Diagonal,
}

const SYSTEMS: [System; 4] = [
    System {
        side: Side::LEFT,
        fill: Fill::LOWER,
        operation: Operation::PLAIN,
        diagonal: Diagonal::UNIT,
    },
    System {
        side: Side::LEFT,
        fill: Fill::UPPER,
        operation: Operation::PLAIN,
        diagonal: Diagonal::STORED,
    },
    System {
        side: Side::RIGHT,
        fill: Fill::LOWER,
        operation: Operation::TRANSPOSED,
        diagonal: Diagonal::UNIT,
    },
    System {
        side: Side::RIGHT,
        fill: Fill::UPPER,
        operation: Operation::TRANSPOSED,
        diagonal: Diagonal::STORED,
    },
];

pub(super) fn trsm(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let session = Session::begin(opened, bench)?;
    for system in SYSTEMS {
        solve(&session, bench, system)?;
    }
    session.end()
}

fn solve(session: &Session<'_>, bench: &Bench<'_>, system: System) -> Verdict {
    let System {
        side,
        fill,
        operation,
        diagonal,
    } = system;
    let order = if side == Side::LEFT { ROWS } else { COLUMNS };
    let triangle = triangle(bench.seed, order, system);
    let solution = integers(bench.seed, 1, 100, ROWS * COLUMNS);
    // Twice B is what is solved for, so B is half of what the solution gives. The solution is even, so B is whole.
    let solution: Vec<i64> = solution.into_iter().map(|value| value * 2).collect();
    let right = applied(&triangle, order, &solution, system);
    let layout_a = Layout {
        rows: order,
        columns: order,
        apart: order + 3,
    };
    let layout_b = Layout {
        rows: ROWS,
        columns: COLUMNS,
        apart: ROWS + 5,
    };
    let a = in_memory(&triangle, order, layout_a, system);
    let dense = |values: &[i64], divisor: i64| {
        let mut memory = vec![poison::<f64>(); layout_b.length()];
        for (index, value) in values.iter().enumerate() {
            memory[index % ROWS + index / ROWS * layout_b.apart] = (value / divisor) as f64;
        }
        memory
    };
    let before = dense(&right, 2);
    let expected = dense(&solution, 1);
    let on_device_a = bench.upload(&a)?;
    let on_device_b = bench.upload(&before)?;
    bench.computes();
    session.opened.ok(session.api.dtrsm(
        session.handle,
        side,
        fill,
        operation,
        diagonal,
        number(ROWS),
        number(COLUMNS),
        &2.0,
        on_device_a.at,
        layout_a.leading(),
        on_device_b.at,
        layout_b.leading(),
    ))?;
    let found: Vec<f64> = bench.download(&on_device_b)?;
    bench.compares();
    let title = format!("cublasDtrsm with {side:?} {fill:?} {operation:?} {diagonal:?}");
    judge(&title, layout_b, &before, &expected, &found, || None)?;
    bench.unchanged("A", &on_device_a, &a)
}

/// The triangular matrix, dense and column by column.
fn triangle(seed: u64, order: usize, system: System) -> Vec<i64> {
    let entries = exact::integers(seed, 0, 3, order * order);
    let mut matrix = vec![0; order * order];
    for (index, entry) in entries.into_iter().enumerate() {
        let (row, column) = (index % order, index / order);
        let inside = if system.fill == Fill::LOWER {
            row > column
        } else {
            row < column
        };
        matrix[index] = if row == column {
            1
        } else if inside && row % 2 == 1 && column % 2 == 0 {
            entry
        } else {
            0
        };
    }
    if system.diagonal == Diagonal::STORED {
        for (row, scale) in (0..order).zip([2, 1, 4, 8].into_iter().cycle()) {
            for column in 0..order {
                matrix[row + column * order] *= scale;
            }
        }
    }
    matrix
}

/// op(A) X or X op(A).
fn applied(triangle: &[i64], order: usize, x: &[i64], system: System) -> Vec<i64> {
    let element = |row: usize, column: usize| {
        if system.operation == Operation::PLAIN {
            triangle[row + column * order]
        } else {
            triangle[column + row * order]
        }
    };
    let mut product = vec![0; ROWS * COLUMNS];
    for (index, sum) in product.iter_mut().enumerate() {
        let (row, column) = (index % ROWS, index / ROWS);
        *sum = if system.side == Side::LEFT {
            (0..ROWS)
                .map(|inner| element(row, inner) * x[inner + column * ROWS])
                .sum()
        } else {
            (0..COLUMNS)
                .map(|inner| x[row + inner * ROWS] * element(inner, column))
                .sum()
        };
    }
    product
}

/// What does not count is so large that it would spoil everything: the other triangle, the space between columns, and
/// a diagonal that is taken as ones.
fn in_memory(triangle: &[i64], order: usize, layout: Layout, system: System) -> Vec<f64> {
    let mut memory = vec![f64::OUTSIDE; layout.length()];
    for (index, value) in triangle.iter().enumerate() {
        let (row, column) = (index % order, index / order);
        let read = if row == column {
            system.diagonal == Diagonal::STORED
        } else if system.fill == Fill::LOWER {
            row > column
        } else {
            row < column
        };
        if read {
            memory[row + column * layout.apart] = *value as f64;
        }
    }
    memory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nilpotent_part_squares_to_nothing() {
        let order = 9;
        for system in SYSTEMS {
            let unit = System {
                diagonal: Diagonal::UNIT,
                ..system
            };
            let matrix = triangle(1, order, unit);
            let nilpotent =
                |row: usize, column: usize| matrix[row + column * order] - i64::from(row == column);
            assert!((0..order * order).any(|it| nilpotent(it % order, it / order) != 0));
            for row in 0..order {
                for column in 0..order {
                    let square: i64 = (0..order)
                        .map(|inner| nilpotent(row, inner) * nilpotent(inner, column))
                        .sum();
                    assert_eq!(square, 0);
                }
            }
        }
    }

    #[test]
    fn only_what_counts_is_small() {
        let layout = Layout {
            rows: 2,
            columns: 2,
            apart: 3,
        };
        let lower = in_memory(&[1, 5, 0, 1], 2, layout, SYSTEMS[0]);
        assert_eq!(lower.iter().filter(|it| **it == f64::OUTSIDE).count(), 5);
        assert_eq!(lower[1], 5.0);
    }
}
