//! Writes JPEG files whose pixels are known exactly: each block of 8x8 has one value.
//!
//! A baseline file whose blocks have no coefficient but the first. That one is 8 times the block's mean above 128, so
//! with a quantization step of 8 the number in the file is the mean itself, and every inverse transform gives it without
//! rounding. The format is that of ITU-T T.81; the Huffman tables are those of its Annex K, which every decoder knows.

/// A picture as a mean for each block, in rows of blocks.
pub(super) struct Picture {
    /// Pixels; the last blocks of a row and of a column may be cut.
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) sampling: Sampling,
    /// Luma of each block of 8x8 pixels.
    pub(super) luma: Vec<u8>,
    /// Blue and red difference of each block of a component; none if it has no colour.
    pub(super) chroma: Vec<[u8; 2]>,
}

/// How fine the colour is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sampling {
    /// No colour.
    Gray,
    /// As fine as the luma: 4:4:4.
    Full,
    /// One sample for two by two pixels: 4:2:0.
    Half,
}

impl Picture {
    /// Blocks in a row and in a column of the luma. With half the colour they are whole units of two by two.
    pub(super) fn blocks(width: usize, height: usize, sampling: Sampling) -> (usize, usize) {
        let unit = sampling.unit();
        let whole = |pixels: usize| pixels.div_ceil(8 * unit) * unit;
        (whole(width), whole(height))
    }

    /// The file.
    pub(super) fn file(&self) -> Vec<u8> {
        // Start of image, then the JFIF header: version 1.1, no density, no thumbnail.
        let mut file = vec![0xFF, 0xD8];
        segment(&mut file, 0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        // Quantization table 0, in bytes: all steps are 8.
        let mut steps = vec![0];
        steps.extend([8; 64]);
        segment(&mut file, 0xDB, &steps);
        // The frame: 8 bits a sample, the size, and for each component its number, its sampling factors, its table.
        let unit = self.sampling.unit();
        let mut frame = vec![8];
        frame.extend(short(self.height));
        frame.extend(short(self.width));
        let factors = [unit * 0x11, 0x11, 0x11];
        let components = &factors[..self.sampling.components()];
        frame.push(byte(components.len()));
        for (index, factor) in components.iter().enumerate() {
            frame.extend([byte(index + 1), byte(*factor), 0]);
        }
        segment(&mut file, 0xC0, &frame);
        // Huffman tables: class 0 for first coefficients, class 1 for the others, both with the number 0.
        for (class, table) in [(0x00, &FIRST), (0x10, &OTHERS)] {
            let mut content = vec![class];
            content.extend(table.counts);
            content.extend(table.symbols);
            segment(&mut file, 0xC4, &content);
        }
        // The scan: each component with both tables 0; all coefficients, in full precision.
        let mut scan = vec![byte(components.len())];
        for index in 0..components.len() {
            scan.extend([byte(index + 1), 0]);
        }
        scan.extend([0, 63, 0]);
        segment(&mut file, 0xDA, &scan);
        file.extend(self.coefficients());
        file.extend([0xFF, 0xD9]);
        file
    }

    /// The coded blocks: units from left to right and from top to bottom, in each the blocks of luma, then those of
    /// the colours.
    fn coefficients(&self) -> Vec<u8> {
        let unit = self.sampling.unit();
        let (across, down) = Self::blocks(self.width, self.height, self.sampling);
        let mut bits = Bits::default();
        let mut last = [0; 3];
        for top in (0..down).step_by(unit) {
            for left in (0..across).step_by(unit) {
                for row in top..top + unit {
                    for column in left..left + unit {
                        bits.block(self.luma[row * across + column], &mut last[0]);
                    }
                }
                if self.sampling != Sampling::Gray {
                    let at = top / unit * (across / unit) + left / unit;
                    let [blue, red] = self.chroma[at];
                    bits.block(blue, &mut last[1]);
                    bits.block(red, &mut last[2]);
                }
            }
        }
        bits.end()
    }
}

impl Sampling {
    /// Blocks of luma in a row of a unit, and in a column.
    fn unit(self) -> usize {
        match self {
            Self::Gray | Self::Full => 1,
            Self::Half => 2,
        }
    }

    pub(super) fn components(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Full | Self::Half => 3,
        }
    }
}

/// A Huffman table as files have it: how many codes there are of each length from 1 to 16, and what they mean.
struct Table {
    counts: [u8; 16],
    symbols: &'static [u8],
}

/// Table K.3: the sizes of first coefficients of luma.
const FIRST: Table = Table {
    counts: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
    symbols: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
};

/// Table K.5: runs and sizes of the other coefficients of luma.
const OTHERS: Table = Table {
    counts: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D],
    symbols: &[
        0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61,
        0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52,
        0xD1, 0xF0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25,
        0x26, 0x27, 0x28, 0x29, 0x2A, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45,
        0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64,
        0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83,
        0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
        0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6,
        0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3,
        0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8,
        0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA,
    ],
};

impl Table {
    /// The code of a symbol and its length in bits: codes of one length count up, and the next length begins with the
    /// double of where the last has ended.
    fn code(&self, symbol: u8) -> (u32, u32) {
        let mut symbols = self.symbols.iter();
        let mut code = 0;
        for (length, count) in (1..).zip(self.counts) {
            for _ in 0..count {
                if symbols.next() == Some(&symbol) {
                    return (code, length);
                }
                code += 1;
            }
            code <<= 1;
        }
        unreachable!("both tables have all symbols that a block without other coefficients needs")
    }
}

/// Bits as the coded part of a file has them, the highest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    /// A block of one value: its difference from the last block of its component, and that nothing follows.
    fn block(&mut self, mean: u8, last: &mut i32) {
        let level = i32::from(mean) - 128;
        let difference = level - *last;
        *last = level;
        let size = 32 - difference.unsigned_abs().leading_zeros();
        let symbol = u8::try_from(size).expect("a difference of levels has 9 bits at most");
        let (code, length) = FIRST.code(symbol);
        self.put(code, length);
        // A negative number of so many bits is put as what must be added to the lowest such number.
        let least = (1_i32 << size) - 1;
        let bits = if difference < 0 {
            difference + least
        } else {
            difference
        };
        self.put(bits.unsigned_abs(), size);
        let (code, length) = OTHERS.code(0);
        self.put(code, length);
    }

    fn put(&mut self, bits: u32, count: u32) {
        for index in (0..count).rev() {
            self.pending = self.pending << 1 | bits >> index & 1;
            self.count += 1;
            if self.count == 8 {
                let full = self.pending.to_le_bytes()[0];
                self.bytes.push(full);
                // What looks like a marker is followed by a zero.
                if full == 0xFF {
                    self.bytes.push(0);
                }
                (self.pending, self.count) = (0, 0);
            }
        }
    }

    /// Fills the last byte with ones.
    fn end(mut self) -> Vec<u8> {
        while self.count > 0 {
            self.put(1, 1);
        }
        self.bytes
    }
}

/// A marker with its content, before which its length is, with the two bytes of the length itself.
fn segment(file: &mut Vec<u8>, marker: u8, content: &[u8]) {
    file.extend([0xFF, marker]);
    file.extend(short(content.len() + 2));
    file.extend(content);
}

fn short(value: usize) -> [u8; 2] {
    u16::try_from(value)
        .expect("segments and sides of these pictures are short")
        .to_be_bytes()
}

fn byte(value: usize) -> u8 {
    u8::try_from(value).expect("a picture has three components at most")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // Table K.3 and the end of block of table K.5, as the standard prints them.
        assert_eq!(FIRST.code(0), (0b00, 2));
        assert_eq!(FIRST.code(1), (0b010, 3));
        assert_eq!(FIRST.code(6), (0b1110, 4));
        assert_eq!(FIRST.code(11), (0b1_1111_1110, 9));
        assert_eq!(OTHERS.code(0x00), (0b1010, 4));
        assert_eq!(OTHERS.code(0xF0), (0b111_1111_1001, 11));
        assert_eq!(OTHERS.symbols.len(), 162);
    }

    #[test]
    fn a_gray_block_is_written_bit_by_bit() {
        let picture = Picture {
            width: 8,
            height: 8,
            sampling: Sampling::Gray,
            luma: vec![123],
            chroma: Vec::new(),
        };
        // The difference -5 has three bits, coded 100, and is put as 010; then the end 1010, and ones to the end.
        assert_eq!(picture.coefficients(), [0b1000_1010, 0b1011_1111]);
        let file = picture.file();
        assert!(file.starts_with(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 16]));
        assert!(file.ends_with(&[0b1011_1111, 0xFF, 0xD9]));
    }

    #[test]
    fn a_byte_of_ones_is_stuffed() {
        let mut bits = Bits::default();
        bits.put(0xFFF, 12);
        assert_eq!(bits.end(), [0xFF, 0, 0xFF, 0]);
    }
}
