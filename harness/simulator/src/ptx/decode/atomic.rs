//! Atomics and reductions.

use super::super::body::Raw;
use super::super::code::{Atomic, MemorySpace, Op, Src, Update};
use super::super::compiler::{Compiler, Outcome};
use super::super::operand::Operand;
use super::super::types::{Ty, ones, signed};
use super::memory::{SCOPES, SPACES, take_cache_levels};
use crate::numeric::half16::{self, Half};
use crate::numeric::{Extreme, Mode, NanRule, Rounding, SignRule, Subnormal, double, single};

impl<'a> Compiler<'a> {
    pub(super) fn atomic(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let returns = raw.opcode == "atom";
        let space = raw.one_of(SPACES).unwrap_or(MemorySpace::Generic);
        if matches!(
            space,
            MemorySpace::Local | MemorySpace::Const | MemorySpace::Param
        ) {
            return raw.syntax(format!(
                "State space not allowed for instruction '{}'",
                raw.opcode
            ));
        }
        if raw
            .modifiers
            .iter()
            .any(|modifier| modifier.starts_with("shared::cluster") || *modifier == "async")
        {
            return raw.unsupported();
        }
        let ordered = raw.one_of(&[
            ("relaxed", true),
            ("acquire", false),
            ("release", true),
            ("acq_rel", false),
        ]);
        if let Some(for_reduction) = ordered {
            self.require((6, 0), 70, "memory ordering qualifiers")?;
            if !returns && !for_reduction {
                return raw.syntax("Illegal memory ordering for instruction 'red'");
            }
        }
        if raw.one_of(SCOPES).is_some() {
            self.require((5, 0), 60, "atomics with scope")?;
        }
        take_cache_levels(raw);
        let noftz = raw.take("noftz");
        let count = raw.one_of(&[("v2", 2usize), ("v4", 4), ("v8", 8)]);
        let names = [
            "add", "min", "max", "and", "or", "xor", "inc", "dec", "exch", "cas",
        ];
        let Some(name) = names.into_iter().find(|name| raw.take(name)) else {
            return raw.syntax(format!(
                "Instruction '{}' requires an operation",
                raw.opcode
            ));
        };
        let ty = raw.ty()?;
        raw.done()?;
        if count.is_some() {
            self.require((8, 1), 90, "vector atomics")?;
        }
        let packed = matches!(ty, Ty::F16 | Ty::F16x2 | Ty::Bf16 | Ty::Bf16x2);
        if noftz != packed {
            return raw.syntax("Modifier '.noftz' belongs to 16-bit floats");
        }
        self.atomic_needs(name, ty)?;
        let Some(f) = update(name, ty) else {
            return raw.syntax(format!(
                "Unexpected instruction types specified for '{}.{name}'",
                raw.opcode
            ));
        };
        if !returns && matches!(name, "exch" | "cas") {
            return raw.syntax("Operation not allowed for instruction 'red'");
        }
        let first = usize::from(returns);
        let values = if name == "cas" { 2 } else { 1 };
        raw.count(first + 1 + values..=first + 2 + values)?;
        let address = self.address(&raw.operands[first], space)?;
        let elements = |operand: &Operand<'a>| match operand {
            Operand::Vector(parts) => parts.clone(),
            single => vec![single.clone()],
        };
        let mut d = Vec::new();
        if returns {
            for operand in elements(&raw.operands[0]) {
                d.push(match operand {
                    Operand::Register { row, ty: Ty::B128 } if ty == Ty::B128 => [row, row + 1],
                    operand => {
                        let row = self.dst(&operand, ty)?;
                        [row, row]
                    }
                });
            }
        }
        let mut wide = |operand: &Operand<'a>| -> Outcome<[Src; 2]> {
            if let (Operand::Register { row, ty: Ty::B128 }, Ty::B128) = (operand, ty) {
                return Ok([Src(*row), Src(row + 1)]);
            }
            let zero = self.constant(0);
            Ok([self.src(operand, ty)?, zero])
        };
        let mut b = Vec::new();
        for operand in elements(&raw.operands[first + 1]) {
            b.push(wide(&operand)?);
        }
        let c = if values == 2 {
            Some(wide(&raw.operands[first + 2])?)
        } else {
            None
        };
        if b.len() != count.unwrap_or(1) || (returns && d.len() != b.len()) {
            return raw.syntax("Vector operand does not fit the instruction");
        }
        self.emit(Op::Atomic(Box::new(Atomic {
            address,
            bytes: ty.bytes() as usize,
            f,
            d: d.into_boxed_slice(),
            b: b.into_boxed_slice(),
            c,
        })));
        Ok(())
    }

    fn atomic_needs(&self, name: &str, ty: Ty) -> Outcome<()> {
        match (name, ty) {
            ("add", Ty::F64) => self.require((5, 0), 60, "atom.add.f64"),
            ("add", Ty::F16x2) => self.require((6, 2), 60, "atom.add.noftz.f16x2"),
            ("add", Ty::F16) => self.require((6, 3), 70, "atom.add.noftz.f16"),
            (_, Ty::Bf16 | Ty::Bf16x2) => self.require((7, 8), 90, "atom with .bf16"),
            (_, Ty::B16) => self.require((6, 3), 70, "atom.cas.b16"),
            (_, Ty::B128) => self.require((8, 3), 90, "atom with .b128"),
            ("min" | "max", Ty::S64 | Ty::U64) | ("and" | "or" | "xor", Ty::B64) => {
                self.require((3, 1), 32, "64-bit atomics")
            }
            _ => Ok(()),
        }
    }
}

/// The new value of an atomic, or nothing where PTX has no such combination.
fn update(name: &str, ty: Ty) -> Option<Update> {
    let bits = ty.bits();
    let all = if bits == 128 {
        u128::MAX
    } else {
        u128::from(ones(bits))
    };
    let integers = matches!(ty, Ty::U32 | Ty::S32 | Ty::U64 | Ty::S64);
    let is_signed = ty.is_signed();
    let less = move |a: u128, b: u128| {
        if is_signed {
            signed(a as u64, bits) < signed(b as u64, bits)
        } else {
            a < b
        }
    };
    Some(match (name, ty) {
        ("add", Ty::F32) => Box::new(|old, b, _| {
            u128::from(single::add(
                old as u32,
                b as u32,
                Mode::rounded(Rounding::NearestEven),
            ))
        }),
        ("add", Ty::F64) => Box::new(|old, b, _| {
            u128::from(double::add(old as u64, b as u64, Rounding::NearestEven))
        }),
        ("add" | "min" | "max", Ty::F16 | Ty::F16x2 | Ty::Bf16 | Ty::Bf16x2) => {
            let kind = if matches!(ty, Ty::Bf16 | Ty::Bf16x2) {
                Half::Bf16
            } else {
                Half::F16
            };
            let which = match name {
                "min" => Some(Extreme::Minimum),
                "max" => Some(Extreme::Maximum),
                _ => None,
            };
            let step = move |a, b| match which {
                Some(which) => half16::extreme(
                    kind,
                    which,
                    a,
                    b,
                    Subnormal::Keep,
                    NanRule::Number,
                    SignRule::Ordinary,
                ),
                None => half16::add(kind, a, b, Mode::RN),
            };
            if bits == 32 {
                Box::new(move |old, b, _| u128::from(half16::each2(old as u32, b as u32, step)))
            } else {
                Box::new(move |old, b, _| u128::from(step(old as u16, b as u16)))
            }
        }
        ("add", _) if integers => Box::new(move |old, b, _| old.wrapping_add(b) & all),
        ("min", _) if integers => Box::new(move |old, b, _| if less(b, old) { b } else { old }),
        ("max", _) if integers => Box::new(move |old, b, _| if less(old, b) { b } else { old }),
        ("inc", Ty::U32) => Box::new(|old, b, _| if old >= b { 0 } else { old + 1 }),
        ("dec", Ty::U32) => Box::new(|old, b, _| if old == 0 || old > b { b } else { old - 1 }),
        ("and", Ty::B32 | Ty::B64) => Box::new(|old, b, _| old & b),
        ("or", Ty::B32 | Ty::B64) => Box::new(|old, b, _| old | b),
        ("xor", Ty::B32 | Ty::B64) => Box::new(|old, b, _| old ^ b),
        (
            "exch",
            Ty::B32
            | Ty::B64
            | Ty::B128
            | Ty::U32
            | Ty::U64
            | Ty::S32
            | Ty::S64
            | Ty::F32
            | Ty::F64,
        ) => Box::new(|_, b, _| b),
        ("cas", Ty::B16 | Ty::B32 | Ty::B64 | Ty::B128 | Ty::U32 | Ty::U64 | Ty::S32 | Ty::S64) => {
            Box::new(|old, b, c| if old == b { c } else { old })
        }
        _ => return None,
    })
}
