//! Knows how each number format encodes its values.

use super::super::soft::{F32, F64, Layout, Top, Value};
use super::super::{Mode, Relu, Rounding, Saturation, Signedness, Subnormal, double, single};
use super::{bf16_to_f32, f16_to_f32};

/// A floating-point format; its patterns are right-aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatFormat {
    /// IEEE binary64.
    F64,
    /// IEEE binary32.
    F32,
    /// An `f32` whose low 13 bits are zero.
    Tf32,
    /// IEEE binary16.
    F16,
    /// The upper half of an `f32`.
    Bf16,
    /// Four exponent bits, three fraction bits, no infinity, one NaN per sign.
    E4m3,
    /// Five exponent bits, two fraction bits: the upper half of an `f16`.
    E5m2,
}

/// An integer format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntFormat {
    /// 8, 16, 32, or 64.
    pub bits: u32,
    /// Whether the top bit is a sign.
    pub signedness: Signedness,
}

impl FloatFormat {
    pub(super) const fn layout(self) -> Layout {
        match self {
            Self::F64 => F64,
            Self::F32 => F32,
            Self::Tf32 => Layout {
                exponent_bits: 8,
                fraction_bits: 10,
                padding_bits: 13,
                top: Top::Ieee,
            },
            Self::F16 => Layout::ieee(5, 10),
            Self::Bf16 => Layout::ieee(8, 7),
            Self::E4m3 => Layout {
                exponent_bits: 4,
                fraction_bits: 3,
                padding_bits: 0,
                top: Top::Numbers,
            },
            Self::E5m2 => Layout::ieee(5, 2),
        }
    }

    /// The canonical NaN.
    pub(super) const fn nan(self) -> u64 {
        match self {
            Self::F64 => double::NAN,
            Self::F32 | Self::Tf32 => single::NAN as u64,
            Self::F16 | Self::Bf16 => 0x7fff,
            Self::E4m3 | Self::E5m2 => 0x7f,
        }
    }

    pub(super) const fn one(self) -> u64 {
        match self {
            Self::F64 => 0x3ff0_0000_0000_0000,
            Self::F32 | Self::Tf32 => 0x3f80_0000,
            Self::F16 => 0x3c00,
            Self::Bf16 => 0x3f80,
            Self::E4m3 => 0x38,
            Self::E5m2 => 0x3c,
        }
    }

    /// The value as an `f64`; exact.
    #[inline]
    pub(in super::super) fn value(self, bits: u64) -> f64 {
        match self {
            Self::F64 => f64::from_bits(bits),
            Self::F32 => f64::from(f32::from_bits(bits as u32)),
            Self::Tf32 => f64::from(f32::from_bits(bits as u32 & 0xffff_e000)),
            Self::F16 => f64::from(f32::from_bits(f16_to_f32(bits as u16))),
            Self::Bf16 => f64::from(f32::from_bits(bf16_to_f32(bits as u16))),
            Self::E5m2 => f64::from(f32::from_bits(f16_to_f32((bits as u16 & 0xff) << 8))),
            Self::E4m3 => f64::from(e4m3_to_f32(bits as u8)),
        }
    }

    /// The pattern nearest to a value, without modifiers; a NaN becomes the canonical one.
    #[inline]
    pub(in super::super) fn pattern(self, value: f64, rounding: Rounding) -> u64 {
        let layout = self.layout();
        match F64.unpack(value.to_bits()) {
            Value::Nan => self.nan(),
            Value::Infinite { negative } => {
                let magnitude = match layout.top {
                    Top::Ieee => layout.infinity(),
                    Top::Numbers => layout.largest(),
                };
                if negative {
                    magnitude | layout.sign_bit()
                } else {
                    magnitude
                }
            }
            Value::Zero { negative } => {
                if negative {
                    layout.sign_bit()
                } else {
                    0
                }
            }
            Value::Finite(exact) => layout.round(exact, rounding),
        }
    }

    /// Applies `.sat`, `.satfinite` and `.relu` to a result.
    #[inline]
    pub(in super::super) fn limit(self, bits: u64, mode: Mode) -> u64 {
        let layout = self.layout();
        let magnitude = bits & (layout.sign_bit() - 1);
        let negative = bits & layout.sign_bit() != 0;
        let nan = match layout.top {
            Top::Ieee => magnitude > layout.infinity(),
            Top::Numbers => magnitude >= layout.infinity(),
        };
        // The formats of one byte exist with `.satfinite` only.
        let saturation = match self {
            Self::E4m3 | Self::E5m2 => Saturation::Finite,
            Self::F64 | Self::F32 | Self::Tf32 | Self::F16 | Self::Bf16 => mode.saturation,
        };
        let bits = match saturation {
            Saturation::None => bits,
            Saturation::Unit if nan || negative => 0,
            Saturation::Unit => magnitude.min(self.one()),
            Saturation::Finite if nan => bits,
            Saturation::Finite => magnitude.min(layout.largest()) | bits & layout.sign_bit(),
        };
        match mode.relu {
            Relu::On if nan => self.nan(),
            Relu::On if bits & layout.sign_bit() != 0 => 0,
            Relu::Off | Relu::On => bits,
        }
    }

    /// `.ftz` is about `f32` operands and results only.
    #[inline]
    pub(super) fn flush(self, bits: u64, subnormal: Subnormal) -> u64 {
        match self {
            Self::F32 => single::flush(bits as u32, subnormal).into(),
            Self::F64 | Self::Tf32 | Self::F16 | Self::Bf16 | Self::E4m3 | Self::E5m2 => bits,
        }
    }
}

impl IntFormat {
    /// The value of the low bits of a register.
    #[inline]
    pub(in super::super) fn value(self, bits: u64) -> i128 {
        let shift = 64 - self.bits;
        match self.signedness {
            Signedness::Unsigned => i128::from((bits << shift) >> shift),
            Signedness::Signed => i128::from(((bits << shift) as i64) >> shift),
        }
    }

    #[inline]
    fn range(self) -> (i128, i128) {
        match self.signedness {
            Signedness::Unsigned => (0, (1 << self.bits) - 1),
            Signedness::Signed => (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1),
        }
    }

    /// The nearest value in range, extended to 64 bits by its own sign.
    #[inline]
    pub(super) fn clamp(self, value: i128) -> u64 {
        let (low, high) = self.range();
        value.clamp(low, high) as u64
    }
}

fn e4m3_to_f32(bits: u8) -> f32 {
    let magnitude = u32::from(bits & 0x7f);
    let value = if magnitude == 0x7f {
        f32::NAN
    } else if magnitude >= 8 {
        f32::from_bits((magnitude << 20) + ((127 - 7) << 23))
    } else {
        // A subnormal counts units of 2^-9.
        magnitude as f32 / 512.0
    };
    if bits & 0x80 == 0 { value } else { -value }
}
