//! Loads, stores, atomics, and the order between them.

use super::super::body::Raw;
use super::super::code::{Access, Atomic, MemorySpace, Op, Slot, Src, Update};
use super::super::compiler::{Compiler, Outcome};
use super::super::operand::Operand;
use super::super::types::{Ty, ones, signed};
use crate::numeric::half16::{self, Half};
use crate::numeric::{Extreme, Mode, Rounding, double, single};

pub(super) const SPACES: &[(&str, MemorySpace)] = &[
    ("param", MemorySpace::Param),
    ("param::entry", MemorySpace::Param),
    ("param::func", MemorySpace::Param),
    ("global", MemorySpace::Global),
    ("shared", MemorySpace::Shared),
    ("shared::cta", MemorySpace::Shared),
    ("local", MemorySpace::Local),
    ("const", MemorySpace::Const),
];
const SCOPES: &[(&str, &str)] = &[
    ("cta", "cta"),
    ("cluster", "cluster"),
    ("gpu", "gpu"),
    ("sys", "sys"),
];
/// Hints that change no result, of loads and of stores.
const HINTS: [&[&str]; 2] = [
    &["ca", "cg", "cs", "lu", "cv", "nc"],
    &["wb", "cg", "cs", "wt"],
];

/// Takes everything after `L1::`, `L2::`, or `level::`.
pub(super) fn take_cache_levels(raw: &mut Raw<'_>) {
    raw.modifiers.retain(|modifier| {
        !["L1::", "L2::", "level::"]
            .iter()
            .any(|level| modifier.starts_with(level))
    });
}

impl<'a> Compiler<'a> {
    pub(super) fn memory(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        match raw.opcode {
            "ld" | "ldu" | "st" => self.access(raw),
            "atom" | "red" => self.atomic(raw),
            "membar" | "fence" => self.fence(raw),
            "alloca" | "stacksave" | "stackrestore" => self.stack(raw),
            _ => self.hint(raw),
        }
    }

    fn access(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let load = raw.opcode != "st";
        let space = raw.one_of(SPACES).unwrap_or(MemorySpace::Generic);
        if raw
            .modifiers
            .iter()
            .any(|modifier| modifier.starts_with("shared::cluster") || *modifier == "async")
        {
            return raw.unsupported();
        }
        let ordered = raw.one_of(&[
            ("relaxed", ""),
            ("acquire", "ld"),
            ("release", "st"),
            ("mmio", ""),
        ]);
        let scope = raw.one_of(SCOPES);
        let plain = raw.take("weak") || raw.take("volatile");
        if let Some(only) = ordered {
            self.require((6, 0), 70, "memory ordering qualifiers")?;
            if scope.is_none() || plain || (!only.is_empty() && (only == "ld") != load) {
                return raw.syntax(format!(
                    "Illegal memory ordering for instruction '{}'",
                    raw.opcode
                ));
            }
        } else if scope.is_some() {
            return raw.syntax("A scope requires a memory ordering");
        }
        take_cache_levels(raw);
        if raw.modifiers.contains(&"nc") && space != MemorySpace::Global {
            return raw.syntax("Modifier '.nc' requires .global space");
        }
        let hints = HINTS[usize::from(!load)]
            .iter()
            .filter(|hint| raw.take(hint))
            .count();
        if hints > 2 {
            return raw.syntax("Too many cache operators");
        }
        raw.take("unified");
        let count = raw.one_of(&[("v2", 2), ("v4", 4), ("v8", 8)]);
        let ty = raw.ty()?;
        raw.done()?;
        if space == MemorySpace::Const && !load {
            return raw.syntax("State space '.const' cannot be stored to");
        }
        if (ty.is_float() && !matches!(ty, Ty::F32 | Ty::F64)) || ty.bits() < 8 {
            return raw.syntax(format!(
                "Unexpected instruction types specified for '{}'",
                raw.opcode
            ));
        }
        let bytes = ty.bytes() as usize;
        let most = if count == Some(8) { 32 } else { 16 };
        if bytes * count.unwrap_or(1) > most || (ty == Ty::B128 && count.is_some()) {
            return raw.syntax(format!("Vector too wide for instruction '{}'", raw.opcode));
        }
        if count == Some(8) {
            self.require((8, 8), 100, ".v8")?;
        }
        if ty == Ty::B128 {
            self.require((8, 3), 70, ".b128")?;
        }
        // A cache policy may follow.
        raw.count(2..=3)?;
        let (value, place) = if load { (0, 1) } else { (1, 0) };
        let parts: Vec<Operand<'a>> = match (raw.operands[value].clone(), count) {
            (Operand::Vector(parts), Some(count)) if parts.len() == count => parts,
            (Operand::Vector(parts), None) if parts.len() == 1 => parts,
            (Operand::Vector(_), _) => {
                return raw.syntax("Vector operand does not fit the instruction");
            }
            (_, Some(_)) => return raw.syntax("Vector operand expected"),
            (single, None) => vec![single],
        };
        let widths = parts.iter().filter_map(|part| match part {
            Operand::Register { ty, .. } => Some(ty.bits()),
            _ => None,
        });
        let widths: std::collections::BTreeSet<u32> = widths.collect();
        if widths.len() > 1 {
            return raw.syntax("Incompatible elements of vector expression");
        }
        if !load && matches!(parts[0], Operand::Special(..)) {
            return raw.syntax("Special register argument not allowed for instruction 'st'");
        }
        let mut slots = Vec::new();
        for part in &parts {
            if ty == Ty::B128 {
                match part {
                    Operand::Register { row, ty: Ty::B128 } if load => {
                        slots.extend([row, &(row + 1)].map(|row| {
                            Slot::Write(super::super::code::Dst {
                                row: *row,
                                bits: 64,
                            })
                        }))
                    }
                    Operand::Register { row, ty: Ty::B128 } => {
                        slots.extend([Slot::Read(Src(*row)), Slot::Read(Src(row + 1))]);
                    }
                    _ => return self.mismatch(ty),
                }
            } else if load {
                slots.push(match part {
                    Operand::Sink => Slot::Sink,
                    part => Slot::Write(self.wide_dst(part, ty)?),
                });
            } else {
                slots.push(Slot::Read(self.wide_src(part, ty)?));
            }
        }
        let address = self.address(&raw.operands[place], space)?;
        if address.space == MemorySpace::Param && !load {
            return raw.syntax("Parameters of a kernel cannot be stored to");
        }
        let access = Box::new(Access {
            address,
            bytes: bytes.min(8),
            signed: ty.is_signed(),
            slots: slots.into_boxed_slice(),
        });
        self.emit(if load {
            Op::Load(access)
        } else {
            Op::Store(access)
        });
        Ok(())
    }

    fn atomic(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
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

    fn fence(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        raw.count(0..=0)?;
        if raw.opcode == "membar" {
            if raw
                .one_of(&[("cta", ()), ("gl", ()), ("sys", ())])
                .is_none()
            {
                return raw.syntax("Instruction 'membar' requires .cta, .gl, or .sys");
            }
        } else {
            self.require((6, 0), 70, "fence")?;
            if raw
                .modifiers
                .first()
                .is_some_and(|name| name.starts_with("proxy") || *name == "mbarrier_init")
            {
                self.require((7, 5), 70, "fence.proxy")?;
                raw.modifiers.clear();
            }
            let order = raw.one_of(&[
                ("sc", ()),
                ("acq_rel", ()),
                ("acquire", ()),
                ("release", ()),
            ]);
            let scope = raw.one_of(SCOPES);
            if order.is_some() && scope.is_none() {
                return raw.syntax("Instruction 'fence' requires a scope");
            }
        }
        raw.done()?;
        self.emit(Op::Fence);
        Ok(())
    }

    fn stack(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        self.require((7, 3), 52, raw.opcode)?;
        let ty = raw.ty()?;
        raw.done()?;
        match raw.opcode {
            "stacksave" => {
                raw.count(1..=1)?;
                let d = self.dst(&raw.operands[0], ty)?;
                self.emit(Op::StackSave { d });
            }
            "stackrestore" => {
                raw.count(1..=1)?;
                let a = self.src(&raw.operands[0], ty)?;
                self.emit(Op::StackRestore { a });
            }
            _ => {
                raw.count(2..=3)?;
                let align = match raw.operands.get(2) {
                    Some(operand) => self.immediate(operand)?,
                    None => 8,
                };
                if !align.is_power_of_two() || align > 1 << 16 {
                    return raw.syntax("Illegal alignment value");
                }
                let size = self.src(&raw.operands[1], ty)?;
                let d = self.dst(&raw.operands[0], ty)?;
                self.emit(Op::Alloca { d, size, align });
            }
        }
        Ok(())
    }

    fn hint(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        match raw.opcode {
            "prefetch" | "prefetchu" => {
                take_cache_levels(raw);
                let space = raw.one_of(SPACES).unwrap_or(MemorySpace::Generic);
                let level = raw.one_of(&[("L1", ()), ("L2", ()), ("tensormap", ())]);
                raw.done()?;
                raw.count(1..=1)?;
                self.address(&raw.operands[0], space)?;
                let _ = level;
            }
            "discard" | "applypriority" => {
                self.require((7, 4), 80, raw.opcode)?;
                raw.take("global");
                take_cache_levels(raw);
                raw.modifiers.retain(|name| *name != "L2");
                raw.done()?;
                self.address(&raw.operands[0], MemorySpace::Generic)?;
            }
            _ => {
                self.require((7, 4), 80, "createpolicy")?;
                let Some(operand) = raw.operands.first() else {
                    return raw.syntax("Arguments mismatch for instruction 'createpolicy'");
                };
                let d = self.dst(operand, Ty::B64)?;
                let zero = self.constant(0);
                self.compute(d, &[zero], super::one(|a| a));
                return Ok(());
            }
        }
        self.nothing()
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
                    crate::numeric::Subnormal::Keep,
                    crate::numeric::NanRule::Number,
                    crate::numeric::SignRule::Ordinary,
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
