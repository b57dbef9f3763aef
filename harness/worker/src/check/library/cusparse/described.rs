//! Matrices and vectors on the device with the descriptions that cuSPARSE is given of them.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::ffi::{Base, Cusparse, DataType, IndexType, Order, Scalar};
use super::sparse::Sparse;
use super::{Opened, Stop, Verdict};
use crate::check::library::bench::{Bench, Buffer};
use crate::check::library::exact::{self, POISON, Real};
use crate::library::{DevicePointer, Handle};

/// A type of elements that cuSPARSE computes in.
pub(super) trait Value: Real {
    const TYPE: DataType;
    /// Integers up to this, whose products are summed exactly, and more exactly than a narrower type could.
    const MOST: u32;
    /// A factor for the host's memory.
    fn factor(value: f64) -> Scalar;
}

impl Value for f32 {
    const TYPE: DataType = DataType::R_32F;
    const MOST: u32 = 8;
    fn factor(value: f64) -> Scalar {
        Self::of(value).into()
    }
}

impl Value for f64 {
    const TYPE: DataType = DataType::R_64F;
    const MOST: u32 = 1 << 13;
    fn factor(value: f64) -> Scalar {
        value.into()
    }
}

/// How the elements of a sparse matrix are told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    /// Rows are compressed to where they begin.
    Csr,
    /// Every element has its row.
    Coo,
}

/// A sparse matrix on the device.
pub(super) struct Matrix<T> {
    pub(super) handle: Handle,
    arrays: [(&'static str, Buffer, Vec<i32>); 2],
    values: (Buffer, Vec<T>),
}

impl<T: Value> Matrix<T> {
    pub(super) fn place(
        opened: &Opened<'_>,
        bench: &Bench<'_>,
        matrix: &Sparse,
        format: Format,
        base: Base,
    ) -> Result<Self, Stop> {
        let api = Cusparse::new(&opened.library);
        let values: Vec<T> = matrix.elements.iter().map(|it| T::of(it.value)).collect();
        let (name, rows) = match format {
            Format::Csr => ("the offsets of A", matrix.offsets(base.0)),
            Format::Coo => ("the rows of A", matrix.row_indices(base.0)),
        };
        let columns = matrix.column_indices(base.0);
        let at_rows = bench.upload(&rows)?;
        let at_columns = bench.upload(&columns)?;
        let at_values = bench.upload(&values)?;
        let (m, n, count) = (
            wide(matrix.rows),
            wide(matrix.columns),
            wide(matrix.elements.len()),
        );
        let mut handle = Handle::NULL;
        let index = IndexType::INDEX_32I;
        opened.ok(match format {
            Format::Csr => api.create_csr(
                &mut handle,
                m,
                n,
                count,
                at_rows.at,
                at_columns.at,
                at_values.at,
                index,
                index,
                base,
                T::TYPE,
            ),
            Format::Coo => api.create_coo(
                &mut handle,
                m,
                n,
                count,
                at_rows.at,
                at_columns.at,
                at_values.at,
                index,
                base,
                T::TYPE,
            ),
        })?;
        Ok(Self {
            handle,
            arrays: [
                (name, at_rows, rows),
                ("the columns of A", at_columns, columns),
            ],
            values: (at_values, values),
        })
    }

    /// Ends the description of a matrix that is still what it was.
    pub(super) fn end(self, opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
        for (name, buffer, indices) in &self.arrays {
            bench.unchanged(name, buffer, indices)?;
        }
        bench.unchanged("A", &self.values.0, &self.values.1)?;
        opened.ok(Cusparse::new(&opened.library).destroy_matrix(self.handle))
    }
}

/// A vector on the device.
pub(super) struct Vector {
    pub(super) handle: Handle,
    pub(super) buffer: Buffer,
}

impl Vector {
    pub(super) fn place<T: Value>(
        opened: &Opened<'_>,
        bench: &Bench<'_>,
        elements: &[f64],
    ) -> Result<Self, Stop> {
        let elements: Vec<T> = elements.iter().copied().map(T::of).collect();
        let buffer = bench.upload(&elements)?;
        let mut handle = Handle::NULL;
        let api = Cusparse::new(&opened.library);
        opened.ok(api.create_vector(&mut handle, wide(elements.len()), buffer.at, T::TYPE))?;
        Ok(Self { handle, buffer })
    }

    pub(super) fn end(self, opened: &Opened<'_>) -> Verdict {
        opened.ok(Cusparse::new(&opened.library).destroy_vector(self.handle))
    }
}

/// A dense matrix on the device, with a gap of poison after each of its columns, or rows.
pub(super) struct Dense {
    pub(super) handle: Handle,
    pub(super) buffer: Buffer,
}

impl Dense {
    /// From lines of `length` elements, which are columns or rows as the order says.
    pub(super) fn place<T: Value>(
        opened: &Opened<'_>,
        bench: &Bench<'_>,
        lines: &[f64],
        (length, gap): (usize, usize),
        order: Order,
    ) -> Result<Self, Stop> {
        let buffer = bench.upload(&padded::<T>(lines, length, gap))?;
        let count = lines.len() / length;
        let (rows, columns) = if order == Order::COL {
            (length, count)
        } else {
            (count, length)
        };
        let mut handle = Handle::NULL;
        let api = Cusparse::new(&opened.library);
        opened.ok(api.create_dense(
            &mut handle,
            wide(rows),
            wide(columns),
            wide(length + gap),
            buffer.at,
            T::TYPE,
            order,
        ))?;
        Ok(Self { handle, buffer })
    }

    pub(super) fn end(self, opened: &Opened<'_>) -> Verdict {
        opened.ok(Cusparse::new(&opened.library).destroy_dense(self.handle))
    }
}

/// Lines of elements with a gap of poison after each.
pub(super) fn padded<T: Real>(lines: &[f64], length: usize, gap: usize) -> Vec<T> {
    let poison: Vec<T> = exact::elements(&vec![POISON; gap * T::SIZE]);
    lines
        .chunks_exact(length)
        .flat_map(|line| line.iter().copied().map(T::of).chain(poison.clone()))
        .collect()
}

/// Goes on if a product has changed what was there before, which no product of the tests leaves as it is.
pub(super) fn written<T: Real>(what: &str, before: &[T], found: &[T]) -> Verdict {
    if exact::bytes(before) != exact::bytes(found) {
        return Ok(());
    }
    Err(Box::new(CheckResult::Mismatch {
        kind: MismatchKind::NeverWritten,
        expected: format!("{what} is the product and what was there before"),
        found: format!("{what} is what it was before the call, although the call succeeded"),
    }))
}

/// Memory to work with, where some is wanted.
pub(super) fn work(bench: &Bench<'_>, size: usize) -> Result<DevicePointer, Stop> {
    if size == 0 {
        Ok(DevicePointer::NULL)
    } else {
        Ok(bench.poisoned::<u8>(size)?.at)
    }
}

/// A size as cuSPARSE takes it.
fn wide(size: usize) -> i64 {
    i64::try_from(size).expect("the matrices of the tests are small")
}
