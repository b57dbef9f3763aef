//! Results as a table: a row for each thread, a column for each operation, so that a report names the
//! operation that is wrong and not only an index.
//!
//! A kernel stores a row without gaps, in the order of the columns.

use half::{bf16, f16};

use crate::execute::{Mismatch, MismatchKind};

/// What a buffer of rows must hold.
pub struct Table {
    columns: Vec<(&'static str, Format)>,
    /// Row after row.
    cells: Vec<Cell>,
}

/// One column: the operation's name as PTX writes it, and its reference.
pub(crate) type Operation<Row> = (&'static str, Reference<Row>);

/// Computes a cell from the row's inputs, in the format of the column.
pub(crate) enum Reference<Row> {
    /// 16 bits, exact.
    Short(fn(&Row) -> u16),
    /// 32 bits, exact.
    Word(fn(&Row) -> u32),
    /// 64 bits, exact.
    Long(fn(&Row) -> u64),
    /// An integer, exact; `None` where anything is right.
    Integer(Format, fn(&Row) -> Option<u64>),
    /// A 32-bit float, exact; a NaN stands for any NaN.
    Single(fn(&Row) -> f32),
    /// A 64-bit float, exact; a NaN stands for any NaN.
    Double(fn(&Row) -> f64),
    /// A 32-bit float within an absolute bound; a NaN stands for any NaN, and a zero for either zero.
    Near(fn(&Row) -> (f64, f64)),
    /// The same for a float of another format.
    Within(Format, fn(&Row) -> (f64, f64)),
    /// A 16-bit float, exact; a NaN stands for any NaN.
    Half(fn(&Row) -> f16),
    /// The same in the format with eight bits of exponent.
    Bfloat(fn(&Row) -> bf16),
}

/// How a column's cells are stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Format {
    /// 16 bits without a further meaning.
    Short,
    /// 32 bits without a further meaning.
    Word,
    /// 64 bits without a further meaning.
    Long,
    /// `.f16`
    Half,
    /// `.bf16`
    Bfloat,
    /// `.f32`
    Single,
    /// `.f64`
    Double,
}

impl Format {
    fn size(self) -> usize {
        match self {
            Self::Short | Self::Half | Self::Bfloat => 2,
            Self::Word | Self::Single => 4,
            Self::Long | Self::Double => 8,
        }
    }
}

#[derive(Clone, Copy)]
enum Cell {
    Exact(u64),
    Anything,
    AnyNan,
    Near { value: f64, bound: f64 },
}

impl Table {
    /// The reference of every operation for every row.
    pub(crate) fn new<Row>(operations: &[Operation<Row>], rows: &[Row]) -> Self {
        let columns = operations
            .iter()
            .map(|(name, reference)| (*name, reference.format()))
            .collect();
        let cells = rows
            .iter()
            .flat_map(|row| {
                operations
                    .iter()
                    .map(move |(_, reference)| reference.cell(row))
            })
            .collect();
        Self { columns, cells }
    }

    /// How many bytes all rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.row_bytes() * self.cells.len() / self.columns.len()
    }

    fn row_bytes(&self) -> usize {
        self.columns.iter().map(|(_, format)| format.size()).sum()
    }

    /// The first wrong cell in the order of rows, and how many are wrong in its column.
    pub(crate) fn compare(&self, got: &[u8], poison: u8) -> Result<(), Mismatch> {
        let width = self.columns.len();
        let first = self
            .pairs(got)
            .find(|(index, cell, bytes)| !cell.accepts(self.columns[index % width].1, bytes));
        let Some((index, cell, bytes)) = first else {
            return Ok(());
        };
        let column = index % width;
        let (name, format) = self.columns[column];
        let wrong = self
            .pairs(got)
            .filter(|(index, cell, bytes)| index % width == column && !cell.accepts(format, bytes))
            .count();
        Err(Mismatch {
            buffer: name,
            kind: if bytes.iter().all(|byte| *byte == poison) {
                MismatchKind::NeverWritten
            } else {
                MismatchKind::Wrong
            },
            index: index / width,
            expected: cell.describe(format),
            got: describe(format, number(bytes)),
            wrong: (wrong, self.cells.len() / width),
        })
    }

    fn pairs<'a>(&'a self, got: &'a [u8]) -> impl Iterator<Item = (usize, Cell, &'a [u8])> {
        let mut rest = got;
        self.cells.iter().enumerate().map(move |(index, cell)| {
            let size = self.columns[index % self.columns.len()].1.size();
            let (bytes, tail) = rest.split_at(size.min(rest.len()));
            rest = tail;
            (index, *cell, bytes)
        })
    }
}

impl<Row> Reference<Row> {
    fn format(&self) -> Format {
        match self {
            Self::Short(_) => Format::Short,
            Self::Word(_) => Format::Word,
            Self::Long(_) => Format::Long,
            Self::Single(_) | Self::Near(_) => Format::Single,
            Self::Double(_) => Format::Double,
            Self::Half(_) => Format::Half,
            Self::Bfloat(_) => Format::Bfloat,
            Self::Within(format, _) | Self::Integer(format, _) => *format,
        }
    }

    fn cell(&self, row: &Row) -> Cell {
        match self {
            Self::Short(reference) => Cell::Exact(u64::from(reference(row))),
            Self::Word(reference) => Cell::Exact(u64::from(reference(row))),
            Self::Long(reference) => Cell::Exact(reference(row)),
            Self::Integer(_, reference) => reference(row).map_or(Cell::Anything, Cell::Exact),
            Self::Single(reference) => match reference(row) {
                value if value.is_nan() => Cell::AnyNan,
                value => Cell::Exact(u64::from(value.to_bits())),
            },
            Self::Double(reference) => match reference(row) {
                value if value.is_nan() => Cell::AnyNan,
                value => Cell::Exact(value.to_bits()),
            },
            Self::Half(reference) => match reference(row) {
                value if value.is_nan() => Cell::AnyNan,
                value => Cell::Exact(u64::from(value.to_bits())),
            },
            Self::Bfloat(reference) => match reference(row) {
                value if value.is_nan() => Cell::AnyNan,
                value => Cell::Exact(u64::from(value.to_bits())),
            },
            Self::Near(reference) | Self::Within(_, reference) => match reference(row) {
                (value, _) if value.is_nan() => Cell::AnyNan,
                (value, bound) => Cell::Near { value, bound },
            },
        }
    }
}

impl Cell {
    fn accepts(self, format: Format, bytes: &[u8]) -> bool {
        let got = number(bytes);
        match self {
            Self::Exact(expected) => got == expected && bytes.len() == format.size(),
            Self::Anything => bytes.len() == format.size(),
            Self::AnyNan => float(format, got).is_nan(),
            Self::Near { value, bound } => {
                let got = float(format, got);
                if value.is_infinite() || got.is_infinite() {
                    got == value
                } else {
                    (got - value).abs() <= bound
                }
            }
        }
    }

    fn describe(self, format: Format) -> String {
        match self {
            Self::Exact(expected) => describe(format, expected),
            Self::Anything => "anything".to_owned(),
            Self::AnyNan => "any NaN".to_owned(),
            Self::Near { value, bound } => format!("{value:e} within {bound:e}"),
        }
    }
}

/// The bytes as a little-endian number.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The value of a cell; only columns of floats ask for it.
fn float(format: Format, bits: u64) -> f64 {
    let short = u16::try_from(bits).unwrap_or(u16::MAX);
    match format {
        Format::Double => f64::from_bits(bits),
        Format::Half => f16::from_bits(short).to_f64(),
        Format::Bfloat => bf16::from_bits(short).to_f64(),
        Format::Short | Format::Word | Format::Long | Format::Single => {
            u32::try_from(bits).map_or(f64::NAN, |bits| f64::from(f32::from_bits(bits)))
        }
    }
}

/// A value as its bits, and as a number where it is one.
fn describe(format: Format, bits: u64) -> String {
    match format {
        Format::Short => format!("{bits:#06x}"),
        Format::Word => format!("{bits:#010x}"),
        Format::Long => format!("{bits:#018x}"),
        Format::Half | Format::Bfloat => format!("{:e} ({bits:#06x})", float(format, bits)),
        Format::Single => format!("{:e} ({bits:#010x})", float(format, bits)),
        Format::Double => format!("{:e} ({bits:#018x})", float(format, bits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATIONS: &[Operation<f32>] = &[
        ("bits", Reference::Word(|value| value.to_bits())),
        ("root", Reference::Single(|value| value.sqrt())),
        (
            "near",
            Reference::Near(|value| (f64::from(*value) * 3.0, 0.5)),
        ),
    ];
    const ROWS: &[f32] = &[4.0, -1.0];

    #[track_caller]
    fn check(words: [u32; 6], expected: Option<(&str, usize, MismatchKind)>) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let found = Table::new(OPERATIONS, ROWS)
            .compare(&bytes, 0xA5)
            .err()
            .map(|mismatch| (mismatch.buffer, mismatch.index, mismatch.kind));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_table_accepts_its_reference_and_names_the_operation_that_is_wrong() {
        let nan = 0x7FC0_0001;
        let good = [
            4f32.to_bits(),
            2f32.to_bits(),
            12.4f32.to_bits(),
            (-1f32).to_bits(),
            nan,
            (-3.5f32).to_bits(),
        ];
        check(good, None);
        let wrong = |index: usize, word: u32| {
            let mut words = good;
            words[index] = word;
            words
        };
        check(wrong(0, 0), Some(("bits", 0, MismatchKind::Wrong)));
        check(wrong(1, nan), Some(("root", 0, MismatchKind::Wrong)));
        check(wrong(4, 0), Some(("root", 1, MismatchKind::Wrong)));
        check(
            wrong(5, (-3.6f32).to_bits()),
            Some(("near", 1, MismatchKind::Wrong)),
        );
        check(
            wrong(3, 0xA5A5_A5A5),
            Some(("bits", 1, MismatchKind::NeverWritten)),
        );
    }

    #[test]
    fn what_nothing_defines_may_be_anything() {
        let operations: &[Operation<f32>] = &[(
            "whole",
            Reference::Integer(Format::Word, |value| {
                (!value.is_nan()).then(|| u64::from(value.to_bits()))
            }),
        )];
        let table = Table::new(operations, &[2.0, f32::NAN]);
        let holds = |words: [u32; 2]| {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            table.compare(&bytes, 0xA5).is_ok()
        };
        assert!(holds([2f32.to_bits(), 7]));
        assert!(!holds([3f32.to_bits(), 7]));
    }
}
