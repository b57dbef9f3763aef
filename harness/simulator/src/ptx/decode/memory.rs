//! Loads, stores, atomics, and the order between them.

use super::super::body::Raw;
use super::super::code::{Access, MemorySpace, Op, Slot, Src};
use super::super::compiler::{Compiler, Outcome};
use super::super::operand::Operand;
use super::super::types::Ty;

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
pub(super) const SCOPES: &[(&str, &str)] = &[
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
