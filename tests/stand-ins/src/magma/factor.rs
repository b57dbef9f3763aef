//! Factorisations of matrices by columns, as textbooks have them.

use crate::memory;

pub(super) struct Columns {
    leading: usize,
    columns: Vec<Vec<f64>>,
}

impl Columns {
    pub(super) fn read(at: u64, rows: usize, columns: usize, leading: usize) -> Option<Self> {
        let mut found = Vec::new();
        for column in 0..columns {
            found.push(memory::read(at + 8 * (column * leading) as u64, rows)?);
        }
        Some(Self {
            leading,
            columns: found,
        })
    }

    pub(super) fn write(&self, at: u64) -> Option<()> {
        for (number, column) in self.columns.iter().enumerate() {
            memory::write(at + 8 * (number * self.leading) as u64, column)?;
        }
        Some(())
    }

    /// Changes the lowest bit of an element.
    pub(super) fn flip(&mut self, row: usize, column: usize) {
        let element = &mut self.columns[column][row];
        *element = f64::from_bits(element.to_bits() ^ 1);
    }

    /// Rounds everything to single precision.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "to lose precision is the fault"
    )]
    pub(super) fn shorten(&mut self) {
        for element in self.columns.iter_mut().flatten() {
            *element = f64::from(*element as f32);
        }
    }

    pub(super) fn exchange(&mut self, one: usize, other: usize) {
        for column in &mut self.columns {
            column.swap(one, other);
        }
    }

    /// L and U in place; each step's row, and the first step without a pivot.
    pub(super) fn factor_lu(&mut self) -> (Vec<usize>, Option<usize>) {
        let count = self.columns.len();
        let mut exchanges = Vec::new();
        let mut singular = None;
        for step in 0..count {
            let mut best = step;
            for row in step..count {
                if self.columns[step][row].abs() > self.columns[step][best].abs() {
                    best = row;
                }
            }
            exchanges.push(best);
            self.exchange(step, best);
            let pivot = self.columns[step][step];
            if pivot == 0.0 {
                singular.get_or_insert(step);
                continue;
            }
            for element in &mut self.columns[step][step + 1..] {
                *element /= pivot;
            }
            let (done, rest) = self.columns.split_at_mut(step + 1);
            for column in rest {
                let factor = column[step];
                if factor != 0.0 {
                    for (element, left) in
                        column[step + 1..].iter_mut().zip(&done[step][step + 1..])
                    {
                        *element -= left * factor;
                    }
                }
            }
        }
        (exchanges, singular)
    }

    /// The lower factor in place, of so many columns.
    pub(super) fn factor_cholesky(&mut self, count: usize) {
        for step in 0..count {
            let (done, rest) = self.columns.split_at_mut(step);
            let column = &mut rest[0];
            for before in done {
                let factor = before[step];
                if factor != 0.0 {
                    for row in step..column.len() {
                        column[row] -= before[row] * factor;
                    }
                }
            }
            let root = column[step].sqrt();
            column[step] = root;
            for element in &mut column[step + 1..] {
                *element /= root;
            }
        }
    }

    /// Solves L U X = this, in place.
    pub(super) fn solve(&mut self, factors: &Self) {
        let count = factors.columns.len();
        for right in &mut self.columns {
            for step in 0..count {
                let value = right[step];
                for (element, factor) in right[step + 1..]
                    .iter_mut()
                    .zip(&factors.columns[step][step + 1..])
                {
                    *element -= factor * value;
                }
            }
            for step in (0..count).rev() {
                let value = right[step] / factors.columns[step][step];
                right[step] = value;
                for (element, factor) in right[..step].iter_mut().zip(&factors.columns[step]) {
                    *element -= factor * value;
                }
            }
        }
    }
}
