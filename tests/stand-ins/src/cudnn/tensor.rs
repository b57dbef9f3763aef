//! Tensors of three kinds of numbers, and where they lie in the device's memory.

use half::{bf16, f16};

use crate::memory;

/// `cudnnDataType_t`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Kind {
    #[default]
    Float,
    Half,
    Brain,
}

impl Kind {
    pub(super) fn of(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Float),
            2 => Some(Self::Half),
            9 => Some(Self::Brain),
            _ => None,
        }
    }
}

/// `cudnnTensorDescriptor_t` and `cudnnFilterDescriptor_t`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tensor {
    pub(super) kind: Kind,
    pub(super) size: [i64; 4],
    pub(super) stride: [i64; 4],
}

impl Tensor {
    pub(super) fn new(kind: i32, format: i32, size: [i64; 4]) -> Option<Self> {
        let [_, c, h, w] = size;
        let stride = match format {
            0 => [c * h * w, h * w, w, 1],
            1 => [h * w * c, 1, w * c, c],
            _ => return None,
        };
        let kind = Kind::of(kind)?;
        Some(Self { kind, size, stride })
    }

    pub(super) fn at(&self, n: i64, c: i64, h: i64, w: i64) -> usize {
        let [sn, sc, sh, sw] = self.stride;
        usize::try_from(n * sn + c * sc + h * sh + w * sw).unwrap_or(usize::MAX)
    }

    /// Elements from the first to the last.
    pub(super) fn elements(&self) -> usize {
        let [n, c, h, w] = self.size;
        self.at(n - 1, c - 1, h - 1, w - 1) + 1
    }

    pub(super) fn channels_last(&self) -> bool {
        self.stride[1] == 1 && self.size[1] > 1
    }

    pub(super) fn has_gaps(&self) -> bool {
        let packed: i64 = self.size.iter().product();
        i64::try_from(self.elements()).is_ok_and(|elements| elements > packed)
    }

    pub(super) fn read(&self, at: u64) -> Option<Vec<f32>> {
        let count = self.elements();
        Some(match self.kind {
            Kind::Float => memory::read::<f32>(at, count)?,
            Kind::Half => memory::read::<f16>(at, count)?
                .iter()
                .map(|it| it.to_f32())
                .collect(),
            Kind::Brain => memory::read::<bf16>(at, count)?
                .iter()
                .map(|it| it.to_f32())
                .collect(),
        })
    }

    /// Writes all elements and, unchanged, what is between them.
    pub(super) fn write(&self, at: u64, values: &[f32]) -> Option<()> {
        match self.kind {
            Kind::Float => memory::write(at, values),
            Kind::Half => {
                let values: Vec<f16> = values.iter().map(|it| f16::from_f32(*it)).collect();
                memory::write(at, &values)
            }
            Kind::Brain => {
                let values: Vec<bf16> = values.iter().map(|it| bf16::from_f32(*it)).collect();
                memory::write(at, &values)
            }
        }
    }

    /// Calls `each` with the indices of every element.
    pub(super) fn walk(&self, mut each: impl FnMut(i64, i64, i64, i64)) {
        let [images, channels, rows, columns] = self.size;
        for n in 0..images {
            for c in 0..channels {
                for h in 0..rows {
                    for w in 0..columns {
                        each(n, c, h, w);
                    }
                }
            }
        }
    }
}
