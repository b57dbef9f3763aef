//! Tensors in the device's memory.

use half::f16;

use crate::memory;

/// The type of elements and scalars.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Half,
    Single,
    Double,
}

/// Where the elements of a tensor lie, in elements.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) extents: Vec<i64>,
    pub(super) strides: Vec<i64>,
    pub(super) kind: Kind,
}

impl Kind {
    /// From a number of `cudaDataType_t`: `CUDA_R_32F`, `CUDA_R_64F`, `CUDA_R_16F`.
    pub(super) fn of(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Single),
            1 => Some(Self::Double),
            2 => Some(Self::Half),
            _ => None,
        }
    }

    pub(super) fn number(self) -> i32 {
        match self {
            Self::Single => 0,
            Self::Double => 1,
            Self::Half => 2,
        }
    }

    /// Elements from there on, as they are; none if the driver refuses.
    pub(super) fn read(self, at: u64, count: usize) -> Option<Vec<f64>> {
        Some(match self {
            Self::Half => memory::read::<f16>(at, count)?
                .into_iter()
                .map(f16::to_f64)
                .collect(),
            Self::Single => memory::read::<f32>(at, count)?
                .into_iter()
                .map(f64::from)
                .collect(),
            Self::Double => memory::read::<f64>(at, count)?,
        })
    }

    /// Elements from this one on, rounded.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the nearest element is what is stored"
    )]
    pub(super) fn write(self, at: u64, index: usize, values: &[f64]) -> Option<()> {
        let bytes = match self {
            Self::Half => 2,
            Self::Single => 4,
            Self::Double => 8,
        };
        let at = at + bytes * index as u64;
        match self {
            Self::Half => {
                let values: Vec<f16> = values.iter().map(|value| f16::from_f64(*value)).collect();
                memory::write(at, &values)
            }
            Self::Single => {
                let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
                memory::write(at, &values)
            }
            Self::Double => memory::write(at, values),
        }
    }
}

impl Shape {
    /// Elements from the first to the last.
    pub(super) fn reach(&self) -> usize {
        let mut last = 0;
        for (extent, stride) in self.extents.iter().zip(&self.strides) {
            last += (extent - 1) * stride;
        }
        usize::try_from(last).unwrap_or(0) + 1
    }
}
