//! Reads baseline JPEG files in which each block has its first coefficient only.

use std::collections::BTreeMap;

pub(super) struct Component {
    number: u8,
    /// Horizontal and vertical.
    pub(super) factors: (usize, usize),
    quantization: u8,
    /// The Huffman tables of first coefficients and of the others.
    tables: (u8, u8),
}

/// A file's header, and the bytes of its scan.
pub(super) struct File<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) components: Vec<Component>,
    /// The step of the first coefficient.
    steps: BTreeMap<u8, i32>,
    /// By class and number: what each code of so many bits means.
    codes: BTreeMap<u8, BTreeMap<(u32, u32), u8>>,
    scan: &'a [u8],
}

/// A plane of block values for each component.
pub(super) struct Decoded {
    pub(super) width: usize,
    pub(super) height: usize,
    planes: Vec<Plane>,
}

struct Plane {
    /// Pixels of the image for one of a block, across and down.
    scale: (usize, usize),
    blocks_across: usize,
    values: Vec<u8>,
}

impl Decoded {
    pub(super) fn is_subsampled(&self) -> bool {
        self.planes.iter().any(|plane| plane.scale != (1, 1))
    }

    pub(super) fn at(&self, plane: usize, row: usize, column: usize) -> u8 {
        let Plane {
            scale,
            blocks_across,
            values,
        } = &self.planes[plane];
        values[row / scale.1 / 8 * blocks_across + column / scale.0 / 8]
    }
}

impl<'a> File<'a> {
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        let mut rest = data.strip_prefix(&[0xFF, 0xD8])?;
        let mut file = Self {
            width: 0,
            height: 0,
            components: Vec::new(),
            steps: BTreeMap::new(),
            codes: BTreeMap::new(),
            scan: &[],
        };
        loop {
            let [0xFF, marker, high, low, ..] = *rest else {
                return None;
            };
            let length = usize::from(high) * 256 + usize::from(low);
            let content = rest.get(4..length + 2)?;
            rest = &rest[length + 2..];
            match marker {
                0xDB => file.quantization(content)?,
                0xC0 => file.frame(content)?,
                0xC4 => file.huffman(content)?,
                0xDA => {
                    file.start(content)?;
                    file.scan = rest.strip_suffix(&[0xFF, 0xD9])?;
                    return Some(file);
                }
                0xE0..=0xEF => {}
                _ => return None,
            }
        }
    }

    fn quantization(&mut self, content: &[u8]) -> Option<()> {
        for table in content.chunks(65) {
            let [number, first, ..] = *table else {
                return None;
            };
            self.steps.insert(number, i32::from(first));
        }
        Some(())
    }

    fn frame(&mut self, content: &[u8]) -> Option<()> {
        let [8, h1, h0, w1, w0, count, ref components @ ..] = *content else {
            return None;
        };
        self.height = usize::from(h1) << 8 | usize::from(h0);
        self.width = usize::from(w1) << 8 | usize::from(w0);
        for component in components.chunks_exact(3) {
            self.components.push(Component {
                number: component[0],
                factors: (
                    usize::from(component[1] >> 4),
                    usize::from(component[1] & 15),
                ),
                quantization: component[2],
                tables: (0, 0),
            });
        }
        (self.components.len() == usize::from(count)).then_some(())
    }

    fn huffman(&mut self, content: &[u8]) -> Option<()> {
        let (number, counts, symbols) = (*content.first()?, content.get(1..17)?, &content[17..]);
        let mut symbols = symbols.iter();
        let mut codes = BTreeMap::new();
        let mut next = 0;
        for (length, count) in (1..).zip(counts) {
            for _ in 0..*count {
                codes.insert((length, next), *symbols.next()?);
                next += 1;
            }
            next *= 2;
        }
        self.codes.insert(number, codes);
        Some(())
    }

    fn start(&mut self, content: &[u8]) -> Option<()> {
        for pair in content.get(1..content.len() - 3)?.chunks_exact(2) {
            let mut components = self.components.iter_mut();
            let component = components.find(|component| component.number == pair[0])?;
            component.tables = (pair[1] >> 4, pair[1] & 15 | 0x10);
        }
        Some(())
    }

    pub(super) fn decode(&self) -> Option<Decoded> {
        let largest = self.components.first()?.factors;
        let units = (
            self.width.div_ceil(8 * largest.0),
            self.height.div_ceil(8 * largest.1),
        );
        let mut planes: Vec<Plane> = Vec::new();
        for component in &self.components {
            let across = units.0 * component.factors.0;
            planes.push(Plane {
                scale: (
                    largest.0 / component.factors.0,
                    largest.1 / component.factors.1,
                ),
                blocks_across: across,
                values: vec![0; across * units.1 * component.factors.1],
            });
        }
        let mut reader = Reader::new(self.scan);
        let mut predictions = vec![0; self.components.len()];
        for unit in 0..units.0 * units.1 {
            let (top, left) = (unit / units.0, unit % units.0);
            for (index, component) in self.components.iter().enumerate() {
                let (across, down) = component.factors;
                for block in 0..across * down {
                    let step = self.steps.get(&component.quantization)?;
                    let difference = self.block(&mut reader, component)?;
                    predictions[index] += difference;
                    let mean = 128 + predictions[index] * step / 8;
                    let (row, column) =
                        (top * down + block / across, left * across + block % across);
                    let plane = &mut planes[index];
                    plane.values[row * plane.blocks_across + column] =
                        u8::try_from(mean.clamp(0, 255)).ok()?;
                }
            }
        }
        Some(Decoded {
            width: self.width,
            height: self.height,
            planes,
        })
    }

    /// The difference of a block's first coefficient, after which its end must come.
    fn block(&self, reader: &mut Reader<'_>, component: &Component) -> Option<i32> {
        let first = self.codes.get(&component.tables.0)?;
        let size = reader.symbol(first)?;
        let mut value = 0;
        for _ in 0..size {
            value = value * 2 + i32::try_from(reader.bit()?).ok()?;
        }
        if size > 0 && value < 1 << (size - 1) {
            value -= (1 << size) - 1;
        }
        let others = self.codes.get(&component.tables.1)?;
        (reader.symbol(others)? == 0).then_some(value)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    byte: usize,
    bit: u32,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            byte: 0,
            bit: 0,
        }
    }

    fn bit(&mut self) -> Option<u32> {
        let byte = *self.bytes.get(self.byte)?;
        let bit = u32::from(byte) >> (7 - self.bit) & 1;
        self.bit += 1;
        if self.bit == 8 {
            self.bit = 0;
            // A zero behind a byte of ones belongs to it.
            self.byte += if byte == 0xFF { 2 } else { 1 };
        }
        Some(bit)
    }

    fn symbol(&mut self, codes: &BTreeMap<(u32, u32), u8>) -> Option<u8> {
        let mut code = 0;
        for length in 1..=16 {
            code = code * 2 + self.bit()?;
            if let Some(symbol) = codes.get(&(length, code)) {
                return Some(*symbol);
            }
        }
        None
    }
}
