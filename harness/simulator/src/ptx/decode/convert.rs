//! `cvt`, between everything.

use super::super::body::Raw;
use super::super::code::{Compute, Weakness};
use super::super::compiler::{Compiler, Outcome};
use super::super::types::{Ty, ones};
use super::{one, two};
use crate::numeric::convert::{self, FloatFormat, IntFormat};
use crate::numeric::{Mode, Relu, Rounding, Saturation, Signedness, Subnormal};

const INTEGRAL: &[(&str, Rounding)] = &[
    ("rni", Rounding::NearestEven),
    ("rzi", Rounding::Zero),
    ("rmi", Rounding::Down),
    ("rpi", Rounding::Up),
];
const FRACTIONAL: &[(&str, Rounding)] = &[
    ("rn", Rounding::NearestEven),
    ("rz", Rounding::Zero),
    ("rm", Rounding::Down),
    ("rp", Rounding::Up),
    ("rna", Rounding::NearestAway),
];

fn format(ty: Ty) -> Option<FloatFormat> {
    Some(match ty {
        Ty::F64 => FloatFormat::F64,
        Ty::F32 => FloatFormat::F32,
        Ty::Tf32 => FloatFormat::Tf32,
        Ty::F16 | Ty::F16x2 => FloatFormat::F16,
        Ty::Bf16 | Ty::Bf16x2 => FloatFormat::Bf16,
        Ty::E4m3 | Ty::E4m3x2 => FloatFormat::E4m3,
        Ty::E5m2 | Ty::E5m2x2 => FloatFormat::E5m2,
        _ => return None,
    })
}

fn integer(ty: Ty) -> IntFormat {
    let signedness = if ty.is_signed() {
        Signedness::Signed
    } else {
        Signedness::Unsigned
    };
    IntFormat {
        bits: ty.bits(),
        signedness,
    }
}

impl<'a> Compiler<'a> {
    pub(super) fn convert(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        if raw.modifiers.contains(&"pack") {
            return raw.unsupported();
        }
        let integral = raw.one_of(INTEGRAL);
        let fractional = raw.one_of(FRACTIONAL);
        let flush = raw.take("ftz");
        let saturate = raw.take("sat");
        let finite = raw.take("satfinite");
        let relu = raw.take("relu");
        let types = raw.types();
        raw.done()?;
        let [to, from] = types[..] else {
            return raw.syntax("Unexpected instruction types specified for 'cvt'");
        };
        let wrong = || raw.syntax("Unexpected instruction types or modifiers specified for 'cvt'");
        if integral.is_some() && fractional.is_some() {
            return wrong();
        }
        let mode = Mode {
            rounding: integral.or(fractional).unwrap_or_default(),
            subnormal: if flush {
                Subnormal::Flush
            } else {
                Subnormal::Keep
            },
            saturation: if saturate {
                Saturation::Unit
            } else if finite {
                Saturation::Finite
            } else {
                Saturation::None
            },
            relu: if relu { Relu::On } else { Relu::Off },
        };
        if relu || finite {
            self.require((7, 0), 80, "cvt with .relu or .satfinite")?;
        }
        let narrow = |ty| matches!(ty, Ty::E4m3x2 | Ty::E5m2x2);
        let pair = |ty| matches!(ty, Ty::F16x2 | Ty::Bf16x2) || narrow(ty);
        if [to, from].iter().any(|ty| narrow(*ty)) {
            if self.target < cudacheck_model::version::ComputeCapability::new(9, 0) {
                self.require((8, 1), 89, "cvt with .e4m3x2/.e5m2x2")?;
            } else {
                self.require((7, 8), 90, "cvt with .e4m3x2/.e5m2x2")?;
            }
        }
        if pair(to) || pair(from) {
            return self.convert_pair(raw, to, from, mode);
        }
        let bf16 = |ty| ty == Ty::Bf16;
        if to == Ty::Tf32 {
            self.require((7, 0), 80, "cvt.tf32.f32")?;
            let nearest =
                fractional == Some(Rounding::NearestEven) || fractional == Some(Rounding::Zero);
            if nearest {
                self.require((7, 8), 90, "cvt.rn.tf32.f32")?;
            }
            if from != Ty::F32 || !(nearest || fractional == Some(Rounding::NearestAway)) {
                return wrong();
            }
        } else if fractional == Some(Rounding::NearestAway) || from == Ty::Tf32 {
            return wrong();
        } else if bf16(to) || bf16(from) {
            if bf16(to) && from == Ty::F32 {
                self.require((7, 0), 80, "cvt with .bf16")?;
            } else if bf16(from) && to == Ty::F32 {
                self.require((7, 1), 80, "cvt with .bf16")?;
            } else {
                self.require((7, 8), 90, "cvt with .bf16")?;
            }
        } else if matches!(to, Ty::E4m3 | Ty::E5m2) || matches!(from, Ty::E4m3 | Ty::E5m2) {
            return wrong();
        }
        if flush && to != Ty::F32 && from != Ty::F32 {
            return wrong();
        }
        let scalar = |ty: Ty| (ty.is_integer() || format(ty).is_some()) && ty.bits() >= 8;
        if !scalar(to) || !scalar(from) {
            return wrong();
        }
        raw.count(2..=2)?;
        let a = self.wide_src(&raw.operands[1], from)?;
        let source = ones(from.bits());
        let make: Box<dyn Fn(Mode) -> Compute> = match (format(to), format(from)) {
            (Some(to), Some(from)) => {
                // .rni and its like keep the type and round to an integral value.
                let same = to == from;
                let loses = to != from && width(to) < width(from);
                if (integral.is_some() && !same)
                    || (fractional.is_some() && !loses)
                    || (loses && fractional.is_none())
                {
                    return wrong();
                }
                if integral.is_some() {
                    Box::new(move |mode| {
                        one(move |a| convert::round_to_integral(from, a & source, mode))
                    })
                } else {
                    Box::new(move |mode| {
                        one(move |a| convert::float_to_float(from, to, a & source, mode))
                    })
                }
            }
            (None, Some(from)) => {
                if integral.is_none() || relu || finite {
                    return wrong();
                }
                // Clamping is what these conversions do anyway, so that .sat changes nothing.
                let to = integer(to);
                Box::new(move |mode| {
                    one(move |a| {
                        convert::float_to_int(from, to, a & source, mode.rounding, mode.subnormal)
                    })
                })
            }
            (Some(to), None) => {
                if fractional.is_none() || relu || finite {
                    return wrong();
                }
                let from = integer(from);
                Box::new(move |mode| {
                    one(move |a| convert::int_to_float(from, to, a & source, mode))
                })
            }
            (None, None) => {
                if integral.is_some() || fractional.is_some() || flush || relu || finite {
                    return wrong();
                }
                // Where every value fits, there is nothing to saturate.
                let fits = match (to.is_signed(), from.is_signed()) {
                    (true, false) => to.bits() > from.bits(),
                    (false, true) => false,
                    (true, true) | (false, false) => to.bits() >= from.bits(),
                };
                if saturate && fits {
                    return raw.syntax("Illegal modifier '.sat' for instruction 'cvt'");
                }
                let (to, from) = (integer(to), integer(from));
                Box::new(move |mode| {
                    one(move |a| convert::int_to_int(from, to, a & source, mode.saturation))
                })
            }
        };
        let f = make(mode);
        let directed = mode.rounding != Rounding::NearestEven && integral.is_none();
        let broken = directed.then(|| {
            make(Mode {
                rounding: Rounding::NearestEven,
                ..mode
            })
        });
        let weakness = if directed {
            Weakness::Rounding
        } else {
            Weakness::None
        };
        if to.is_float() {
            let d = self.wide_dst(&raw.operands[0], to)?.row;
            self.compute_weak(d, &[a], f, weakness, broken);
        } else {
            // A result narrower than its register is extended by its own sign.
            let d = self.wide_dst(&raw.operands[0], to)?;
            let (bits, keep, is_signed) = (to.bits(), ones(d.bits), to.is_signed());
            self.compute_weak(d.row, &[a], f, weakness, broken);
            self.compute(
                d.row,
                &[super::super::code::Src(d.row)],
                one(move |a| {
                    let value = a & ones(bits);
                    if is_signed {
                        super::super::types::signed(value, bits).cast_unsigned() & keep
                    } else {
                        value
                    }
                }),
            );
        }
        Ok(())
    }

    fn convert_pair(&mut self, raw: &mut Raw<'a>, to: Ty, from: Ty, mode: Mode) -> Outcome<()> {
        let wrong = || raw.syntax("Unexpected instruction types or modifiers specified for 'cvt'");
        let (Some(to_format), Some(from_format)) = (format(to), format(from)) else {
            return wrong();
        };
        let nearest = matches!(mode.rounding, Rounding::NearestEven);
        if mode.saturation == Saturation::Unit || mode.subnormal == Subnormal::Flush {
            return wrong();
        }
        match (to, from) {
            (Ty::F16x2 | Ty::Bf16x2 | Ty::E4m3x2 | Ty::E5m2x2, Ty::F32) => {
                if matches!(to, Ty::F16x2 | Ty::Bf16x2) {
                    self.require((7, 0), 80, "cvt.f16x2.f32")?;
                } else if mode.saturation != Saturation::Finite || !nearest {
                    return wrong();
                }
                raw.count(3..=3)?;
                let s = self.sources(&raw.operands[1..], &[Ty::F32, Ty::F32])?;
                let d = self.dst(&raw.operands[0], to)?;
                self.compute(
                    d,
                    &s,
                    two(move |a, b| {
                        u64::from(convert::pack_f32x2(to_format, a as u32, b as u32, mode))
                    }),
                );
            }
            (Ty::F16x2, Ty::E4m3x2 | Ty::E5m2x2) if nearest => {
                raw.count(2..=2)?;
                let s = self.sources(&raw.operands[1..], &[from])?;
                let d = self.dst(&raw.operands[0], to)?;
                let relu = mode.relu;
                self.compute(
                    d,
                    &s,
                    one(move |a| u64::from(convert::unpack_fp8x2(from_format, a as u16, relu))),
                );
            }
            (Ty::E4m3x2 | Ty::E5m2x2, Ty::F16x2)
                if nearest && mode.saturation == Saturation::Finite =>
            {
                raw.count(2..=2)?;
                let s = self.sources(&raw.operands[1..], &[from])?;
                let d = self.dst(&raw.operands[0], to)?;
                self.compute(
                    d,
                    &s,
                    one(move |a| {
                        u64::from(convert::pack_fp8x2_from_f16x2(to_format, a as u32, mode))
                    }),
                );
            }
            _ => return wrong(),
        }
        Ok(())
    }
}

/// How much a format can tell apart, to know which conversions round.
fn width(format: FloatFormat) -> u32 {
    match format {
        FloatFormat::F64 => 64,
        FloatFormat::F32 => 32,
        FloatFormat::Tf32 => 19,
        FloatFormat::F16 => 16,
        FloatFormat::Bf16 => 15,
        FloatFormat::E4m3 | FloatFormat::E5m2 => 8,
    }
}
