//! What matrices and vectors are described with.

use std::ffi::c_void;

use super::{INVALID_VALUE, NOT_SUPPORTED, SUCCESS};
use crate::{fault, memory};

const INDEX_32I: u32 = 2;

/// What a `cusparseSpMatDescr_t` points to.
pub(super) struct Sparse {
    pub(super) rows: usize,
    pub(super) columns: usize,
    count: usize,
    /// Where rows begin, or the row of each element.
    first: u64,
    indices: u64,
    values: u64,
    base: i32,
    pub(super) is_csr: bool,
    pub(super) kind: u32,
}

/// What a `cusparseDnVecDescr_t` or a `cusparseDnMatDescr_t` points to; a vector has one column.
pub(super) struct Dense {
    pub(super) rows: usize,
    pub(super) columns: usize,
    leading: usize,
    pub(super) values: u64,
    pub(super) kind: u32,
    pub(super) in_rows: bool,
}

impl Sparse {
    /// Row, column, and value of every element.
    pub(super) fn elements(&self) -> Option<Vec<(usize, usize, f64)>> {
        let one_ignored = self.base == 1 && fault::on("cusparse-base-ignored");
        let base = if one_ignored { 0 } else { self.base };
        let place = |number: i32| usize::try_from(number - base).ok();
        let columns: Vec<i32> = memory::read(self.indices, self.count)?;
        let values: Vec<f64> = match self.kind {
            0 => memory::read::<f32>(self.values, self.count)?
                .into_iter()
                .map(f64::from)
                .collect(),
            _ => memory::read(self.values, self.count)?,
        };
        let mut elements = Vec::new();
        if self.is_csr {
            let begins: Vec<i32> = memory::read(self.first, self.rows + 1)?;
            for row in 0..self.rows {
                let (from, to) = (place(begins[row])?, place(begins[row + 1])?);
                for at in from..to.min(self.count) {
                    let column = place(columns[at])?.min(self.columns - 1);
                    elements.push((row, column, values[at]));
                }
            }
        } else {
            let rows: Vec<i32> = memory::read(self.first, self.count)?;
            for at in 0..self.count {
                elements.push((place(rows[at])?, place(columns[at])?, values[at]));
            }
        }
        Some(elements)
    }
}

impl Dense {
    /// Where an element is, among the elements from the first on.
    pub(super) fn place(&self, row: usize, column: usize) -> usize {
        if self.in_rows {
            row * self.leading + column
        } else {
            row + column * self.leading
        }
    }

    /// All elements, and those between them.
    pub(super) fn length(&self) -> usize {
        let lines = if self.in_rows {
            self.rows
        } else {
            self.columns
        };
        lines * self.leading
    }
}

/// # Safety
///
/// `into` is a place for a pointer.
unsafe fn hand_out<T>(into: *mut *mut c_void, made: T) -> i32 {
    // SAFETY: the caller promises the place.
    unsafe { *into = Box::into_raw(Box::new(made)).cast() };
    SUCCESS
}

/// # Safety
///
/// `given` was handed out for this type, and is not used again.
unsafe fn take_back<T>(given: *mut c_void) -> i32 {
    if given.is_null() {
        return INVALID_VALUE;
    }
    // SAFETY: the caller promises where it comes from.
    drop(unsafe { Box::from_raw(given.cast::<T>()) });
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseCreateCsr(
    matrix: *mut *mut c_void,
    rows: i64,
    columns: i64,
    count: i64,
    offsets: u64,
    indices: u64,
    values: u64,
    offset_type: u32,
    index_type: u32,
    base: u32,
    kind: u32,
) -> i32 {
    if offset_type != INDEX_32I || index_type != INDEX_32I || kind > 1 {
        return NOT_SUPPORTED;
    }
    let made = Sparse {
        rows: rows as usize,
        columns: columns as usize,
        count: count as usize,
        first: offsets,
        indices,
        values,
        base: base as i32,
        is_csr: true,
        kind,
    };
    // SAFETY: the caller passes a place for a descriptor.
    unsafe { hand_out(matrix, made) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseCreateCoo(
    matrix: *mut *mut c_void,
    rows: i64,
    columns: i64,
    count: i64,
    row_indices: u64,
    column_indices: u64,
    values: u64,
    index_type: u32,
    base: u32,
    kind: u32,
) -> i32 {
    if index_type != INDEX_32I || kind > 1 {
        return NOT_SUPPORTED;
    }
    let made = Sparse {
        rows: rows as usize,
        columns: columns as usize,
        count: count as usize,
        first: row_indices,
        indices: column_indices,
        values,
        base: base as i32,
        is_csr: false,
        kind,
    };
    // SAFETY: the caller passes a place for a descriptor.
    unsafe { hand_out(matrix, made) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseDestroySpMat(matrix: *mut c_void) -> i32 {
    // SAFETY: the caller passes what was handed out for it.
    unsafe { take_back::<Sparse>(matrix) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseCreateDnVec(
    vector: *mut *mut c_void,
    size: i64,
    values: u64,
    kind: u32,
) -> i32 {
    let made = Dense {
        rows: size as usize,
        columns: 1,
        leading: size as usize,
        values,
        kind,
        in_rows: false,
    };
    // SAFETY: the caller passes a place for a descriptor.
    unsafe { hand_out(vector, made) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseDestroyDnVec(vector: *mut c_void) -> i32 {
    // SAFETY: the caller passes what was handed out for it.
    unsafe { take_back::<Dense>(vector) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseCreateDnMat(
    matrix: *mut *mut c_void,
    rows: i64,
    columns: i64,
    leading: i64,
    values: u64,
    kind: u32,
    order: u32,
) -> i32 {
    let in_rows = order == 2;
    let least = if in_rows { columns } else { rows };
    if leading < least {
        return INVALID_VALUE;
    }
    // Rows are taken to lie close together, though there are gaps.
    let close = in_rows && fault::on("cusparse-row-gaps-ignored");
    let made = Dense {
        rows: rows as usize,
        columns: columns as usize,
        leading: if close { least } else { leading } as usize,
        values,
        kind,
        in_rows,
    };
    // SAFETY: the caller passes a place for a descriptor.
    unsafe { hand_out(matrix, made) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cusparseDestroyDnMat(matrix: *mut c_void) -> i32 {
    // SAFETY: the caller passes what was handed out for it.
    unsafe { take_back::<Dense>(matrix) }
}
