//! Gauss's and Cholesky's eliminations, one element at a time.

use super::give;
use crate::{fault, memory};

/// A precision.
pub(super) trait Float: memory::Plain {
    fn wide(self) -> f64;
    fn from_wide(value: f64) -> Self;
    /// `self - a * b`, in this precision.
    fn less(self, a: Self, b: Self) -> Self;
    fn over(self, divisor: Self) -> Self;
    fn root(self) -> Self;
    /// With the given bit of its pattern turned.
    fn turned(self, bit: u32) -> Self;
}

impl Float for f64 {
    fn wide(self) -> f64 {
        self
    }
    fn from_wide(value: f64) -> Self {
        value
    }
    fn less(self, a: Self, b: Self) -> Self {
        self - a * b
    }
    fn over(self, divisor: Self) -> Self {
        self / divisor
    }
    fn root(self) -> Self {
        self.sqrt()
    }
    fn turned(self, bit: u32) -> Self {
        Self::from_bits(self.to_bits() ^ (1 << bit))
    }
}

impl Float for f32 {
    fn wide(self) -> f64 {
        f64::from(self)
    }
    fn from_wide(value: f64) -> Self {
        value as Self
    }
    fn less(self, a: Self, b: Self) -> Self {
        if fault::on("cusolver-tf32") {
            self - short(a) * short(b)
        } else {
            self - a * b
        }
    }
    fn over(self, divisor: Self) -> Self {
        self / divisor
    }
    fn root(self) -> Self {
        self.sqrt()
    }
    fn turned(self, bit: u32) -> Self {
        Self::from_bits(self.to_bits() ^ (1 << bit))
    }
}

/// What TF32 keeps of a number: 13 bits less.
fn short(value: f32) -> f32 {
    f32::from_bits((value.to_bits() + 0x1000) & 0xFFFF_E000)
}

/// Columns with everything that lies between them.
pub(super) struct Columns<T> {
    elements: Vec<T>,
    leading: usize,
}

impl<T: Float> Columns<T> {
    pub(super) fn read(at: u64, columns: usize, leading: usize) -> Option<Self> {
        Some(Self {
            elements: memory::read(at, columns * leading)?,
            leading,
        })
    }

    pub(super) fn write(&self, at: u64) -> Option<()> {
        give(at, &self.elements)
    }

    pub(super) fn at(&self, row: usize, column: usize) -> T {
        self.elements[row + column * self.leading]
    }

    pub(super) fn set(&mut self, row: usize, column: usize, value: T) {
        self.elements[row + column * self.leading] = value;
    }

    pub(super) fn map<U: Float>(&self, change: impl Fn(f64) -> U) -> Columns<U> {
        Columns {
            elements: self.elements.iter().map(|it| change(it.wide())).collect(),
            leading: self.leading,
        }
    }

    /// Exchanges rows and columns of the first n.
    pub(super) fn flip(&mut self, n: usize) {
        for row in 0..n {
            for column in 0..row {
                let (below, above) = (self.at(row, column), self.at(column, row));
                self.set(row, column, above);
                self.set(column, row, below);
            }
        }
    }

    /// Eliminates with row exchanges. Returns the row that each was exchanged with, and the first column whose pivot
    /// is zero.
    pub(super) fn eliminate(&mut self, n: usize) -> (Vec<usize>, Option<usize>) {
        let mut exchanged = Vec::new();
        let mut zero = None;
        let stays = fault::on("cusolver-no-exchanges");
        for step in 0..n {
            let mut largest = step;
            for row in step + 1..n {
                if self.at(row, step).wide().abs() > self.at(largest, step).wide().abs() {
                    largest = row;
                }
            }
            if stays && self.at(step, step).wide() != 0.0 {
                largest = step;
            }
            exchanged.push(largest);
            for column in 0..n {
                let (upper, lower) = (self.at(step, column), self.at(largest, column));
                self.set(step, column, lower);
                self.set(largest, column, upper);
            }
            let pivot = self.at(step, step);
            if pivot.wide() == 0.0 {
                zero = zero.or(Some(step));
                continue;
            }
            for row in step + 1..n {
                let multiplier = self.at(row, step).over(pivot);
                self.set(row, step, multiplier);
            }
            for column in step + 1..n {
                let top = self.at(step, column);
                for row in step + 1..n {
                    let rest = self.at(row, column).less(self.at(row, step), top);
                    self.set(row, column, rest);
                }
            }
        }
        (exchanged, zero)
    }

    /// Solves for one column with the factors that `eliminate` left.
    pub(super) fn solve(&self, exchanged: &[usize], transposed: bool, b: &mut Self, column: usize) {
        let n = exchanged.len();
        let exchange = |b: &mut Self, row: usize| {
            let other = exchanged[row].min(n - 1);
            let (first, second) = (b.at(row, column), b.at(other, column));
            b.set(row, column, second);
            b.set(other, column, first);
        };
        if transposed {
            for row in 0..n {
                for before in 0..row {
                    let less = b
                        .at(row, column)
                        .less(self.at(before, row), b.at(before, column));
                    b.set(row, column, less);
                }
                b.set(row, column, b.at(row, column).over(self.at(row, row)));
            }
            for row in (0..n).rev() {
                for after in row + 1..n {
                    let less = b
                        .at(row, column)
                        .less(self.at(after, row), b.at(after, column));
                    b.set(row, column, less);
                }
            }
            (0..n).rev().for_each(|row| exchange(b, row));
            return;
        }
        (0..n).for_each(|row| exchange(b, row));
        for row in 0..n {
            for before in 0..row {
                let less = b
                    .at(row, column)
                    .less(self.at(row, before), b.at(before, column));
                b.set(row, column, less);
            }
        }
        for row in (0..n).rev() {
            for after in row + 1..n {
                let less = b
                    .at(row, column)
                    .less(self.at(row, after), b.at(after, column));
                b.set(row, column, less);
            }
            b.set(row, column, b.at(row, column).over(self.at(row, row)));
        }
    }

    /// Replaces the lower triangle by its root. Returns the first column that has none.
    pub(super) fn root(&mut self, n: usize) -> Option<usize> {
        for column in 0..n {
            let mut corner = self.at(column, column);
            for before in 0..column {
                corner = corner.less(self.at(column, before), self.at(column, before));
            }
            if corner.wide() <= 0.0 {
                return Some(column);
            }
            let corner = corner.root();
            self.set(column, column, corner);
            for row in column + 1..n {
                let mut rest = self.at(row, column);
                for before in 0..column {
                    rest = rest.less(self.at(row, before), self.at(column, before));
                }
                self.set(row, column, rest.over(corner));
            }
        }
        None
    }

    /// Solves for one column with the root in the lower triangle.
    pub(super) fn solve_with_root(&self, n: usize, b: &mut Self, column: usize) {
        for row in 0..n {
            let mut rest = b.at(row, column);
            for before in 0..row {
                rest = rest.less(self.at(row, before), b.at(before, column));
            }
            b.set(row, column, rest.over(self.at(row, row)));
        }
        for row in (0..n).rev() {
            let mut rest = b.at(row, column);
            for after in row + 1..n {
                rest = rest.less(self.at(after, row), b.at(after, column));
            }
            b.set(row, column, rest.over(self.at(row, row)));
        }
    }
}
