//! Floating-point arithmetic in integers, rounded once at the end: the reference for every rounding mode,
//! which the host's own arithmetic cannot give.

/// A binary format in the manner of IEEE 754.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Format {
    /// Bits of the significand, the hidden one included.
    pub(crate) precision: u32,
    /// Bits of the exponent.
    pub(crate) exponent: u32,
}

pub(crate) const HALF: Format = Format::new(11, 5);
pub(crate) const BFLOAT: Format = Format::new(8, 8);
pub(crate) const TENSOR: Format = Format::new(11, 8);
pub(crate) const SINGLE: Format = Format::new(24, 8);
pub(crate) const DOUBLE: Format = Format::new(53, 11);

impl Format {
    const fn new(precision: u32, exponent: u32) -> Self {
        Self {
            precision,
            exponent,
        }
    }

    /// The exponent of the largest power of two.
    const fn largest(self) -> i32 {
        (1 << (self.exponent - 1)) - 1
    }

    /// The exponent of the smallest normal number.
    const fn smallest(self) -> i32 {
        1 - self.largest()
    }

    const fn infinity(self) -> u64 {
        ((1 << self.exponent) - 1) << (self.precision - 1)
    }

    const fn sign(self) -> u64 {
        1 << (self.precision - 1 + self.exponent)
    }
}

/// Which of the two neighbours a value becomes that the format cannot hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rounding {
    /// `.rn`: the nearer, and of two equally near ones the even.
    Nearest,
    /// `.rna`: the nearer, and of two equally near ones the larger in magnitude.
    NearestAway,
    /// `.rz`: the one nearer to zero.
    Zero,
    /// `.rm`: the lower.
    Down,
    /// `.rp`: the higher.
    Up,
}

/// A number with far more precision than any format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Exact {
    Nan,
    Infinite {
        negative: bool,
    },
    Zero {
        negative: bool,
    },
    /// `significand * 2^(exponent - 126)`; bit 126 of the significand is set, and bit 0 is also set when
    /// anything but zero was cut off below.
    Finite {
        negative: bool,
        exponent: i32,
        significand: u128,
    },
}

/// The highest bit of a normalised significand.
const TOP: i32 = 126;

impl Exact {
    pub(crate) fn single(value: f32) -> Self {
        Self::read(SINGLE, value.to_bits().into())
    }

    pub(crate) fn double(value: f64) -> Self {
        Self::read(DOUBLE, value.to_bits())
    }

    pub(crate) fn integer(value: i128) -> Self {
        Self::scaled(value < 0, value.unsigned_abs(), TOP)
    }

    /// The number that these bits are.
    pub(crate) fn read(format: Format, bits: u64) -> Self {
        let negative = bits & format.sign() != 0;
        let magnitude = bits & (format.sign() - 1);
        if magnitude > format.infinity() {
            return Self::Nan;
        }
        if magnitude == format.infinity() {
            return Self::Infinite { negative };
        }
        let fraction_bits = format.precision - 1;
        let fraction = magnitude & ((1 << fraction_bits) - 1);
        let exponent = i32::try_from(magnitude >> fraction_bits).expect("at most 11 bits");
        // The unit of the last place is the same for subnormal numbers and those of the first exponent.
        let (significand, exponent) = if exponent == 0 {
            (fraction, 1)
        } else {
            (fraction | 1 << fraction_bits, exponent)
        };
        let last_place = exponent - format.largest() - fraction_bits.cast_signed();
        Self::scaled(negative, significand.into(), last_place + TOP)
    }

    /// `significand * 2^(exponent - 126)`, normalised.
    fn scaled(negative: bool, significand: u128, exponent: i32) -> Self {
        if significand == 0 {
            return Self::Zero { negative };
        }
        match significand.leading_zeros().cast_signed() - 1 {
            -1 => Self::Finite {
                negative,
                exponent: exponent + 1,
                significand: significand >> 1 | significand & 1,
            },
            shift => Self::Finite {
                negative,
                exponent: exponent - shift,
                significand: significand << shift,
            },
        }
    }

    pub(crate) fn negative(self) -> bool {
        match self {
            Self::Nan => false,
            Self::Infinite { negative }
            | Self::Zero { negative }
            | Self::Finite { negative, .. } => negative,
        }
    }

    pub(crate) fn with_sign(self, negative: bool) -> Self {
        match self {
            Self::Nan => Self::Nan,
            Self::Infinite { .. } => Self::Infinite { negative },
            Self::Zero { .. } => Self::Zero { negative },
            Self::Finite {
                exponent,
                significand,
                ..
            } => Self::Finite {
                negative,
                exponent,
                significand,
            },
        }
    }

    /// The sum. The rounding decides the sign of an exact zero.
    pub(crate) fn plus(self, other: Self, rounding: Rounding) -> Self {
        match (self, other) {
            (Self::Nan, _) | (_, Self::Nan) => Self::Nan,
            (Self::Infinite { negative: a }, Self::Infinite { negative: b }) if a != b => Self::Nan,
            (Self::Infinite { .. }, _) => self,
            (_, Self::Infinite { .. }) => other,
            (Self::Zero { negative: a }, Self::Zero { negative: b }) => Self::Zero {
                negative: if a == b {
                    a
                } else {
                    rounding == Rounding::Down
                },
            },
            (Self::Zero { .. }, Self::Finite { .. }) => other,
            (Self::Finite { .. }, Self::Zero { .. }) => self,
            (
                Self::Finite {
                    negative: a,
                    exponent: ea,
                    significand: sa,
                },
                Self::Finite {
                    negative: b,
                    exponent: eb,
                    significand: sb,
                },
            ) => {
                let ((negative, exponent, large), (other, small)) = if (ea, sa) >= (eb, sb) {
                    ((a, ea, sa), (b, shifted(sb, ea - eb)))
                } else {
                    ((b, eb, sb), (a, shifted(sa, eb - ea)))
                };
                if negative == other {
                    Self::scaled(negative, large + small, exponent)
                } else if large == small {
                    Self::Zero {
                        negative: rounding == Rounding::Down,
                    }
                } else {
                    Self::scaled(negative, large - small, exponent)
                }
            }
        }
    }

    /// The product; exact while the factors have at most 63 bits each.
    pub(crate) fn times(self, other: Self) -> Self {
        let negative = self.negative() != other.negative();
        match (self, other) {
            (Self::Nan, _)
            | (_, Self::Nan)
            | (Self::Infinite { .. }, Self::Zero { .. })
            | (Self::Zero { .. }, Self::Infinite { .. }) => Self::Nan,
            (Self::Infinite { .. }, _) | (_, Self::Infinite { .. }) => Self::Infinite { negative },
            (Self::Zero { .. }, _) | (_, Self::Zero { .. }) => Self::Zero { negative },
            (
                Self::Finite {
                    exponent: ea,
                    significand: sa,
                    ..
                },
                Self::Finite {
                    exponent: eb,
                    significand: sb,
                    ..
                },
            ) => Self::scaled(negative, (sa >> 63) * (sb >> 63), ea + eb),
        }
    }

    /// The quotient; exact but for the last bit while the operands have at most 63 bits each.
    pub(crate) fn over(self, other: Self) -> Self {
        let negative = self.negative() != other.negative();
        match (self, other) {
            (Self::Nan, _)
            | (_, Self::Nan)
            | (Self::Infinite { .. }, Self::Infinite { .. })
            | (Self::Zero { .. }, Self::Zero { .. }) => Self::Nan,
            (Self::Infinite { .. }, _) | (_, Self::Zero { .. }) => Self::Infinite { negative },
            (Self::Zero { .. }, _) | (_, Self::Infinite { .. }) => Self::Zero { negative },
            (
                Self::Finite {
                    exponent: ea,
                    significand: sa,
                    ..
                },
                Self::Finite {
                    exponent: eb,
                    significand: sb,
                    ..
                },
            ) => {
                let divisor = sb >> 63;
                let quotient = sa / divisor;
                let rest = u128::from(sa % divisor != 0);
                // 126 - 63 bits of the quotient are whole.
                Self::scaled(negative, quotient << 1 | rest, ea - eb + TOP - 64)
            }
        }
    }

    /// The square root; exact but for the last bit while the operand has at most 125 bits.
    pub(crate) fn root(self) -> Self {
        match self {
            Self::Nan | Self::Zero { .. } | Self::Infinite { negative: false } => self,
            Self::Infinite { negative: true } | Self::Finite { negative: true, .. } => Self::Nan,
            Self::Finite {
                exponent,
                significand,
                ..
            } => {
                // The exponent must be even, that of the last place included.
                let (significand, exponent) = if exponent % 2 == 0 {
                    (significand, exponent)
                } else {
                    (significand << 1, exponent - 1)
                };
                let root = significand.isqrt();
                let rest = u128::from(root * root != significand);
                Self::scaled(false, root << 1 | rest, exponent / 2 + TOP - 64)
            }
        }
    }

    /// The integer in the given direction, as a float has it: a zero keeps its sign.
    pub(crate) fn whole(self, rounding: Rounding) -> Self {
        match self {
            Self::Nan | Self::Infinite { .. } | Self::Zero { .. } => self,
            Self::Finite {
                negative,
                exponent,
                significand,
            } => {
                if exponent >= TOP {
                    return self;
                }
                let units = cut(
                    significand,
                    (TOP - exponent).unsigned_abs(),
                    negative,
                    rounding,
                );
                Self::scaled(negative, units, TOP)
            }
        }
    }

    /// The integer that [`Exact::whole`] gave, clamped to a range; `None` for a NaN.
    pub(crate) fn clamped(self, low: i128, high: i128) -> Option<i128> {
        match self {
            Self::Nan => None,
            Self::Infinite { negative } => Some(if negative { low } else { high }),
            Self::Zero { .. } => Some(0),
            Self::Finite {
                negative,
                exponent,
                significand,
            } => {
                let magnitude = if exponent >= TOP {
                    i128::MAX
                } else {
                    shifted(significand, TOP - exponent).cast_signed()
                };
                Some(if negative { -magnitude } else { magnitude }.clamp(low, high))
            }
        }
    }

    /// What `.ftz` makes of an operand: subnormal numbers become zero and keep their sign.
    pub(crate) fn flushed(self, format: Format) -> Self {
        match self {
            Self::Finite {
                negative, exponent, ..
            } if exponent < format.smallest() => Self::Zero { negative },
            Self::Nan | Self::Infinite { .. } | Self::Zero { .. } | Self::Finite { .. } => self,
        }
    }

    /// Whether a value below the normal numbers rounds up to the smallest of them. Nothing says whether
    /// `.ftz` flushes it.
    pub(crate) fn straddles(self, format: Format) -> bool {
        let normal = 1 << (format.precision - 1);
        self.flushed(format) != self && self.with_sign(false).round(format, Rounding::Up) >= normal
    }

    /// The bits of the neighbour that the rounding chooses; a NaN is the quiet one without a payload.
    pub(crate) fn round(self, format: Format, rounding: Rounding) -> u64 {
        let sign = if self.negative() { format.sign() } else { 0 };
        match self {
            Self::Nan => format.infinity() | 1 << (format.precision - 2),
            Self::Infinite { .. } => sign | format.infinity(),
            Self::Zero { .. } => sign,
            Self::Finite {
                negative,
                exponent,
                significand,
            } => {
                let held = exponent.max(format.smallest());
                let below = (TOP + 1 - format.precision.cast_signed()) + (held - exponent);
                let units = cut(significand, below.unsigned_abs(), negative, rounding);
                // A carry into the next exponent, or from subnormal to normal, happens by itself.
                let biased =
                    u64::try_from(held - format.smallest()).expect("at least the smallest");
                let bits = (biased << (format.precision - 1))
                    + u64::try_from(units).expect("as many bits as the format holds");
                let overflows = bits >= format.infinity();
                let towards_zero = match rounding {
                    Rounding::Nearest | Rounding::NearestAway => false,
                    Rounding::Zero => true,
                    Rounding::Down => !negative,
                    Rounding::Up => negative,
                };
                sign | match (overflows, towards_zero) {
                    (false, _) => bits,
                    (true, false) => format.infinity(),
                    (true, true) => format.infinity() - 1,
                }
            }
        }
    }

    pub(crate) fn to_single(self, rounding: Rounding) -> f32 {
        f32::from_bits(u32::try_from(self.round(SINGLE, rounding)).expect("32 bits"))
    }

    pub(crate) fn to_double(self, rounding: Rounding) -> f64 {
        f64::from_bits(self.round(DOUBLE, rounding))
    }
}

/// Shifts right and keeps in bit 0 that something was lost.
fn shifted(significand: u128, distance: i32) -> u128 {
    match u32::try_from(distance) {
        Ok(0) | Err(_) => significand,
        Ok(distance @ 1..128) => {
            let lost = significand & ((1 << distance) - 1) != 0;
            significand >> distance | u128::from(lost)
        }
        Ok(_) => 1,
    }
}

/// Cuts off so many low bits and rounds.
fn cut(significand: u128, below: u32, negative: bool, rounding: Rounding) -> u128 {
    let (units, rest, half) = match below {
        0 => (significand, 0, 1),
        1..128 => (
            significand >> below,
            significand & ((1 << below) - 1),
            1 << (below - 1),
        ),
        // Less than half of the last place.
        _ => (0, 1, 2),
    };
    let up = match rounding {
        Rounding::Nearest => rest > half || rest == half && units & 1 == 1,
        Rounding::NearestAway => rest >= half,
        Rounding::Zero => false,
        Rounding::Down => negative && rest > 0,
        Rounding::Up => !negative && rest > 0,
    };
    units + u128::from(up)
}

#[cfg(test)]
mod tests;
