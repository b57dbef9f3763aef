//! Images as the operations want them: rows of more bytes than pixels, and what each operation makes of them, on the CPU.

use super::super::exact;

/// A picture of one byte a pixel, in rows of `step` bytes.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) step: usize,
}

/// An odd size, so that the last vector of a row is not whole.
pub(super) const SHAPE: Shape = Shape {
    width: 301,
    height: 37,
    step: 320,
};

impl Shape {
    /// Bytes of all rows.
    pub(super) fn bytes(self) -> usize {
        self.step * self.height
    }

    /// Where an index of an array lies: `[row, column]`.
    pub(super) fn place(self, index: usize) -> String {
        format!("pixel [{}, {}]", index / self.step, index % self.step)
    }

    /// An array in which each pixel has its value, and the rest of each row the filling.
    pub(super) fn filled(self, filling: u8, pixel: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        let mut bytes = vec![filling; self.bytes()];
        for row in 0..self.height {
            for column in 0..self.width {
                bytes[row * self.step + column] = pixel(row, column);
            }
        }
        bytes
    }

    /// An array of random bytes up to `most`, also between the rows.
    pub(super) fn random(self, seed: u64, array: u64, most: u8) -> Vec<u8> {
        let half = u32::from(most / 2);
        let integers = exact::integers(seed, array, half, self.bytes());
        let shifted = integers.into_iter().map(|value| value + i64::from(half));
        shifted.map(|value| value.to_le_bytes()[0]).collect()
    }
}

/// The sum, cut at 255. It is asked for with a scale of 2⁰, so that nothing is rounded.
pub(super) fn added(one: u8, two: u8) -> u8 {
    one.saturating_add(two)
}

/// Weights in rows, point-symmetric so that it does not matter whether a filter correlates or convolves, and different
/// from their transpose.
pub(super) const WEIGHTS: [[i32; 3]; 3] = [[0, 1, 2], [3, 4, 3], [2, 1, 0]];

/// The weighted sum of the nine pixels around one, cut at 255.
pub(super) fn filtered(shape: Shape, image: &[u8], row: usize, column: usize) -> u8 {
    let mut sum = 0;
    for (down, weights) in WEIGHTS.iter().enumerate() {
        for (right, weight) in weights.iter().enumerate() {
            let index = (row + down - 1) * shape.step + column + right - 1;
            sum += weight * i32::from(image[index]);
        }
    }
    u8::try_from(sum).unwrap_or(u8::MAX)
}

/// The largest of the nine pixels around one.
pub(super) fn dilated(shape: Shape, image: &[u8], row: usize, column: usize) -> u8 {
    let rows = row - 1..row + 2;
    let pixels = rows.flat_map(|row| &image[row * shape.step + column - 1..][..3]);
    pixels.copied().max().unwrap_or_default()
}

/// Red, green, and blue as one brightness, by the formula of CCIR 601.
pub(super) fn gray([red, green, blue]: [u8; 3]) -> f64 {
    0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue)
}

/// What is within one of a value; the nearest byte if this one is not.
pub(in crate::check::library) fn accepted(value: f64, found: u8) -> u8 {
    if (value - f64::from(found)).abs() <= 1.0 {
        return found;
    }
    let nearest = (0..=u8::MAX).find(|byte| (value - f64::from(*byte)).abs() <= 0.5);
    nearest.unwrap_or_default()
}

/// The sum over all pixels.
pub(super) fn total(shape: Shape, image: &[u8]) -> u64 {
    let rows = image.chunks(shape.step);
    let pixels = rows.flat_map(|row| &row[..shape.width]);
    pixels.map(|pixel| u64::from(*pixel)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Shape = Shape {
        width: 3,
        height: 3,
        step: 5,
    };

    #[test]
    fn sums_are_cut_at_255() {
        assert_eq!(added(200, 55), 255);
        assert_eq!(added(200, 56), 255);
        assert_eq!(added(3, 4), 7);
    }

    #[test]
    fn only_pixels_count() {
        let image = SMALL.filled(100, |row, column| u8::from(row == column));
        assert_eq!(total(SMALL, &image), 3);
        assert_eq!(image.len(), 15);
        assert_eq!(image[3], 100);
    }

    #[test]
    fn the_brightest_neighbour_counts() {
        let image = SMALL.filled(99, |row, column| u8::from((row, column) == (2, 0)) * 7);
        assert_eq!(dilated(SMALL, &image, 1, 1), 7);
    }

    #[test]
    fn a_byte_may_be_off_by_one() {
        assert_eq!(accepted(100.4, 101), 101);
        assert_eq!(accepted(100.4, 100), 100);
        assert_eq!(accepted(100.4, 99), 100);
        assert_eq!(accepted(255.0, 253), 255);
        assert_eq!(accepted(0.0, 1), 1);
    }

    #[test]
    fn gray_is_a_mean() {
        assert!((gray([100, 100, 100]) - 100.0).abs() < 1e-9);
        assert!((gray([255, 0, 0]) - 76.245).abs() < 1e-9);
    }

    #[test]
    fn a_filter_weighs_its_neighbours() {
        // The only pixel that is set is the one at the right above the middle, with the weight 2.
        let image = SMALL.filled(9, |row, column| u8::from((row, column) == (0, 2)) * 20);
        assert_eq!(filtered(SMALL, &image, 1, 1), 40);
        let bright = SMALL.filled(9, |_, _| 16);
        assert_eq!(filtered(SMALL, &bright, 1, 1), 255);
        let dark = SMALL.filled(9, |_, _| 15);
        assert_eq!(filtered(SMALL, &dark, 1, 1), 240);
    }
}
