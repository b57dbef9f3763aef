//! Elements of every type as double-precision numbers, and what rounding to fewer bits makes of them.

use half::{bf16, f16};

use crate::memory;

/// `cudaDataType`.
pub(crate) const R_32F: i32 = 0;
pub(crate) const R_64F: i32 = 1;
pub(crate) const R_16F: i32 = 2;
pub(crate) const R_8I: i32 = 3;
pub(crate) const R_32I: i32 = 10;
pub(crate) const R_16BF: i32 = 14;

/// Bytes of an element.
pub(crate) fn size(data: i32) -> Option<u64> {
    match data {
        R_8I => Some(1),
        R_16F | R_16BF => Some(2),
        R_32F | R_32I => Some(4),
        R_64F => Some(8),
        _ => None,
    }
}

/// So many elements from the device.
pub(crate) fn load(data: i32, at: u64, count: usize) -> Option<Vec<f64>> {
    fn through<T: memory::Plain>(at: u64, count: usize, to: fn(T) -> f64) -> Option<Vec<f64>> {
        let elements = memory::read::<T>(at, count)?;
        Some(elements.into_iter().map(to).collect())
    }
    match data {
        R_8I => through::<i8>(at, count, f64::from),
        R_16F => through::<f16>(at, count, f64::from),
        R_16BF => through::<bf16>(at, count, f64::from),
        R_32F => through::<f32>(at, count, f64::from),
        R_32I => through::<i32>(at, count, f64::from),
        R_64F => memory::read::<f64>(at, count),
        _ => None,
    }
}

/// Elements to the device, each rounded to the nearest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "results of products of bytes are whole and fit"
)]
pub(crate) fn store(data: i32, at: u64, values: &[f64]) -> Option<()> {
    fn through<T: memory::Plain>(at: u64, values: &[f64], to: fn(f64) -> T) -> Option<()> {
        let elements: Vec<T> = values.iter().map(|value| to(*value)).collect();
        memory::write(at, &elements)
    }
    match data {
        R_16F => through(at, values, f16::from_f64),
        R_16BF => through(at, values, bf16::from_f64),
        R_32F => through(at, values, |value| value as f32),
        R_32I => through(at, values, |value| value as i32),
        R_64F => memory::write(at, values),
        _ => None,
    }
}

/// A number with so many significant bits, rounded to the nearest and, of two, to the even one.
pub(crate) fn keep(value: f64, bits: u32) -> f64 {
    let below = 53 - bits;
    let pattern = value.to_bits();
    let half = 1u64 << (below - 1);
    let odd = (pattern >> below) & 1;
    let rounded = (pattern + half - 1 + odd) >> below << below;
    f64::from_bits(rounded)
}

/// A number without the bits after so many.
pub(crate) fn chop(value: f64, bits: u32) -> f64 {
    let below = 53 - bits;
    f64::from_bits(value.to_bits() >> below << below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_kept() {
        assert_eq!(keep(2049.0, 11), 2048.0);
        assert_eq!(keep(2051.0, 11), 2052.0);
        assert_eq!(keep(-4099.0, 11), -4100.0);
        assert_eq!(keep(0.0, 11), 0.0);
        assert_eq!(chop(-4099.0, 11), -4096.0);
    }
}
