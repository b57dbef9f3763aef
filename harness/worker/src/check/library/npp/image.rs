//! Images as the operations want them: rows of more bytes than pixels, and what each operation makes of them, on the CPU.

use super::super::exact;

/// A picture of one byte a pixel, in rows of `step` bytes.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) step: usize,
}

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

/// The sum over all pixels.
pub(super) fn total(shape: Shape, image: &[u8]) -> u64 {
    let rows = image.chunks(shape.step);
    let pixels = rows.flat_map(|row| &row[..shape.width]);
    pixels.map(|pixel| u64::from(*pixel)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape {
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
        let image = SHAPE.filled(100, |row, column| u8::from(row == column));
        assert_eq!(total(SHAPE, &image), 3);
        assert_eq!(image.len(), 15);
        assert_eq!(image[3], 100);
    }

    #[test]
    fn a_filter_weighs_its_neighbours() {
        // The only pixel that is set is the one at the right above the middle, with the weight 2.
        let image = SHAPE.filled(9, |row, column| u8::from((row, column) == (0, 2)) * 20);
        assert_eq!(filtered(SHAPE, &image, 1, 1), 40);
        let bright = SHAPE.filled(9, |_, _| 16);
        assert_eq!(filtered(SHAPE, &bright, 1, 1), 255);
        let dark = SHAPE.filled(9, |_, _| 15);
        assert_eq!(filtered(SHAPE, &dark, 1, 1), 240);
    }
}
