//! Matrix products by a warp, and the loads and stores of their fragments.

use super::super::body::Raw;
use super::super::code::{Dst, MemorySpace, Op, Slot, Src, WarpKind, WarpOp};
use super::super::compiler::{Compiler, Outcome};
use super::super::operand::Operand as Written;
use super::super::types::Ty;
use crate::numeric::matrix::{BitOperation, Element, Mma, Operand, Order, Overflow, Wmma};

const ORDERS: &[(&str, Order)] = &[("row", Order::Row), ("col", Order::Column)];

fn element(ty: Ty) -> Option<Element> {
    Some(match ty {
        Ty::F16 => Element::F16,
        Ty::Bf16 => Element::Bf16,
        Ty::Tf32 => Element::Tf32,
        Ty::F32 => Element::F32,
        Ty::F64 => Element::F64,
        Ty::S8 => Element::S8,
        Ty::U8 => Element::U8,
        Ty::S4 => Element::S4,
        Ty::U4 => Element::U4,
        Ty::S32 => Element::S32,
        Ty::E4m3 => Element::E4m3,
        Ty::E5m2 => Element::E5m2,
        Ty::B1 => Element::B1,
        _ => return None,
    })
}

/// The type of the registers that hold a fragment.
fn register(element: Element) -> Ty {
    match element {
        Element::F32 => Ty::F32,
        Element::F64 => Ty::F64,
        Element::S32 => Ty::S32,
        Element::F16
        | Element::Bf16
        | Element::Tf32
        | Element::S8
        | Element::U8
        | Element::S4
        | Element::U4
        | Element::E4m3
        | Element::E5m2
        | Element::B1 => Ty::B32,
    }
}

/// Reads `m16n8k16`.
fn shape(name: &str) -> Option<[u32; 3]> {
    let (m, rest) = name.strip_prefix('m')?.split_once('n')?;
    let (n, k) = rest.split_once('k')?;
    Some([m.parse().ok()?, n.parse().ok()?, k.parse().ok()?])
}

fn take_shape(raw: &mut Raw<'_>) -> Option<[u32; 3]> {
    let index = raw
        .modifiers
        .iter()
        .position(|modifier| shape(modifier).is_some())?;
    shape(raw.modifiers.remove(index))
}

impl<'a> Compiler<'a> {
    pub(super) fn matrix(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        if !raw.take("sync") {
            return raw.syntax(format!("Instruction '{}' requires .sync", raw.opcode));
        }
        let aligned = raw.take("aligned");
        if !aligned && (self.isa >= cudacheck_model::version::PtxIsa::new(6, 3)) {
            return raw.syntax(format!("Instruction '{}' requires .aligned", raw.opcode));
        }
        match raw.opcode {
            "mma" => self.mma(raw),
            "wmma" => self.wmma(raw),
            _ => self.rows_of_matrix(raw),
        }
    }

    fn together(&mut self, kind: WarpKind) {
        let mask = Some(self.constant(0xffff_ffff));
        self.emit(Op::Warp(Box::new(WarpOp { mask, kind })));
    }

    fn fragment(
        &mut self,
        operand: &Written<'a>,
        element: Element,
        words: usize,
    ) -> Outcome<Vec<Src>> {
        let ty = register(element);
        let parts = match operand {
            Written::Vector(parts) => parts.clone(),
            single => vec![single.clone()],
        };
        if parts.len() * (ty.bits() as usize / 32) != words {
            return self.wrong("Vector operand of wrong size for a matrix fragment");
        }
        self.sources(&parts, &vec![ty; parts.len()])
    }

    fn fragment_dst(
        &mut self,
        operand: &Written<'a>,
        element: Element,
        words: usize,
    ) -> Outcome<Vec<u32>> {
        let ty = register(element);
        let parts = match operand {
            Written::Vector(parts) => parts.clone(),
            single => vec![single.clone()],
        };
        if parts.len() * (ty.bits() as usize / 32) != words {
            return self.wrong("Vector operand of wrong size for a matrix fragment");
        }
        parts.iter().map(|part| self.dst(part, ty)).collect()
    }

    fn mma(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        if raw.modifiers.iter().any(|modifier| {
            modifier.starts_with("kind") || modifier.starts_with("sp") || *modifier == "block_scale"
        }) {
            return raw.unsupported();
        }
        let Some([m, n, k]) = take_shape(raw) else {
            return raw.syntax("Instruction 'mma' requires a shape");
        };
        let orders = (raw.one_of(ORDERS), raw.one_of(ORDERS));
        let (Some(a_order), Some(b_order)) = orders else {
            return raw.syntax("Instruction 'mma' requires the layouts of both matrices");
        };
        let saturate = raw.take("satfinite");
        let operation = raw.one_of(&[("xor", BitOperation::Xor), ("and", BitOperation::And)]);
        if operation.is_some() != raw.take("popc") {
            return raw.syntax("Bit operation requires .popc");
        }
        let types = raw.types();
        raw.done()?;
        let [d, a, b, c] = types[..] else {
            return raw.syntax("Unexpected instruction types specified for 'mma'");
        };
        let elements = [d, a, b, c].map(element);
        let [Some(de), Some(ae), Some(be), Some(ce)] = elements else {
            return raw.syntax("Unexpected instruction types specified for 'mma'");
        };
        let mma = Mma {
            m,
            n,
            k,
            a: ae,
            b: be,
            c: ce,
            d: de,
            a_order,
            b_order,
            overflow: if saturate {
                Overflow::Saturate
            } else {
                Overflow::Wrap
            },
            bit_operation: operation.unwrap_or(BitOperation::Xor),
        };
        if operation.is_some() != (a == Ty::B1) || !mma.check() {
            return raw.syntax("Unexpected shape, layout, or types specified for 'mma'");
        }
        let (isa, sm) = match (a, [m, n, k]) {
            (Ty::F16, [8, 8, 4]) => ((6, 4), 70),
            (Ty::F16, [16, 8, 8]) => ((6, 5), 75),
            (Ty::S8 | Ty::U8, [8, 8, 16]) | (Ty::S4 | Ty::U4, [8, 8, 32]) => ((6, 5), 75),
            (Ty::B1, _) if operation == Some(BitOperation::And) => ((7, 1), 80),
            (Ty::B1, [8, 8, 128]) => ((7, 0), 75),
            (Ty::F64, [16, ..]) => ((7, 8), 90),
            (Ty::E4m3 | Ty::E5m2, [16, 8, 16]) => ((8, 7), 89),
            (Ty::E4m3 | Ty::E5m2, _) => ((8, 4), 89),
            _ => ((7, 0), 80),
        };
        self.require(isa, sm, "mma")?;
        raw.count(4..=4)?;
        let read = [
            (1, ae, Operand::A),
            (2, be, Operand::B),
            (3, ce, Operand::C),
        ]
        .map(|(at, element, operand)| {
            self.fragment(&raw.operands[at].clone(), element, mma.registers(operand))
        });
        let [a, b, c] = read;
        let d = self.fragment_dst(&raw.operands[0], de, mma.registers(Operand::D))?;
        self.together(WarpKind::Mma {
            d: d.into(),
            a: a?.into(),
            b: b?.into(),
            c: c?.into(),
            wide: ae == Element::F64,
            shape: mma,
        });
        Ok(())
    }

    fn wmma(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let action = raw.one_of(&[("load", 0), ("store", 1), ("mma", 2)]);
        let Some(action) = action else {
            return raw.syntax("Instruction 'wmma' requires .load, .store, or .mma");
        };
        let Some([m, n, k]) = take_shape(raw) else {
            return raw.syntax("Instruction 'wmma' requires a shape");
        };
        let which = raw.one_of(&[
            ("a", Operand::A),
            ("b", Operand::B),
            ("c", Operand::C),
            ("d", Operand::D),
        ]);
        let first = raw.one_of(ORDERS);
        let second = raw.one_of(ORDERS);
        let space = raw
            .one_of(super::memory::SPACES)
            .unwrap_or(MemorySpace::Generic);
        let saturate = raw.take("satfinite");
        let operation = raw.one_of(&[("xor", BitOperation::Xor), ("and", BitOperation::And)]);
        if operation.is_some() != raw.take("popc") {
            return raw.syntax("Bit operation requires .popc");
        }
        let types = raw.types();
        raw.done()?;
        let wrong = || raw.syntax("Unexpected shape, layout, or types specified for 'wmma'");
        let Some(first) = first else { return wrong() };
        let [d, a, b, c] = match (action, &types[..]) {
            (2, [d, a, b, c]) => [*d, *a, *b, *c],
            (2, [d, c]) => [*d, Ty::F16, Ty::F16, *c],
            (0 | 1, [ty]) => match (ty, [m, n, k]) {
                (Ty::F32, [16, 16, 8]) => [Ty::F32, Ty::Tf32, Ty::Tf32, Ty::F32],
                (Ty::F32 | Ty::F16, _) if matches!(which, Some(Operand::C | Operand::D)) => {
                    [*ty, Ty::F16, Ty::F16, *ty]
                }
                (Ty::F64, _) => [Ty::F64; 4],
                (Ty::S32, [8, 8, 32]) => [Ty::S32, Ty::S4, Ty::S4, Ty::S32],
                (Ty::S32, [8, 8, 128]) => [Ty::S32, Ty::B1, Ty::B1, Ty::S32],
                (Ty::S32, _) => [Ty::S32, Ty::S8, Ty::S8, Ty::S32],
                (Ty::S8 | Ty::U8 | Ty::S4 | Ty::U4 | Ty::B1, _) => [Ty::S32, *ty, *ty, Ty::S32],
                _ => [Ty::F32, *ty, *ty, Ty::F32],
            },
            _ => return wrong(),
        };
        let [Some(de), Some(ae), Some(be), Some(ce)] = [d, a, b, c].map(element) else {
            return wrong();
        };
        let shape = Wmma {
            m,
            n,
            k,
            a: ae,
            b: be,
            c: ce,
            d: de,
            overflow: if saturate {
                Overflow::Saturate
            } else {
                Overflow::Wrap
            },
            bit_operation: operation.unwrap_or(BitOperation::Xor),
        };
        if !shape.check() {
            return wrong();
        }
        let (isa, sm) = match (a, [m, n, k]) {
            (Ty::F16, [16, 16, 16]) => ((6, 0), 70),
            (Ty::F16, _) => ((6, 1), 70),
            (Ty::S8 | Ty::U8, _) => ((6, 3), 72),
            (Ty::S4 | Ty::U4 | Ty::B1, _) => ((6, 3), 75),
            _ => ((7, 0), 80),
        };
        self.require(isa, sm, "wmma")?;
        let wide = ae == Element::F64;
        if action == 2 {
            if second.is_none() || which.is_some() {
                return wrong();
            }
            raw.count(4..=4)?;
            let a = self.fragment(&raw.operands[1].clone(), ae, shape.registers(Operand::A))?;
            let b = self.fragment(&raw.operands[2].clone(), be, shape.registers(Operand::B))?;
            let c = self.fragment(&raw.operands[3].clone(), ce, shape.registers(Operand::C))?;
            let d = self.fragment_dst(&raw.operands[0].clone(), de, shape.registers(Operand::D))?;
            self.together(WarpKind::Wmma {
                shape,
                d: d.into(),
                a: a.into(),
                b: b.into(),
                c: c.into(),
                wide,
            });
            return Ok(());
        }
        let Some(operand) = which else { return wrong() };
        if (action == 1) != matches!(operand, Operand::D) {
            return wrong();
        }
        raw.count(2..=3)?;
        let (registers, place) = if action == 0 { (0, 1) } else { (1, 0) };
        let (element, leading) = match operand {
            Operand::A => (ae, if first == Order::Row { k } else { m }),
            Operand::B => (be, if first == Order::Row { n } else { k }),
            Operand::C | Operand::D => (ce, if first == Order::Row { n } else { m }),
        };
        let stride = match raw.operands.get(2).cloned() {
            Some(operand) => self.src(&operand, Ty::U32)?,
            None => self.constant(u64::from(leading)),
        };
        let words = shape.registers(operand);
        let registers: Vec<Slot> = if action == 0 {
            let bits = register(element).bits();
            let d = self.fragment_dst(&raw.operands[registers].clone(), element, words)?;
            d.into_iter()
                .map(|row| Slot::Write(Dst { row, bits }))
                .collect()
        } else {
            self.fragment(&raw.operands[registers].clone(), element, words)?
                .into_iter()
                .map(Slot::Read)
                .collect()
        };
        let address = self.address(&raw.operands[place].clone(), space)?;
        self.together(WarpKind::WmmaMemory {
            shape,
            operand,
            order: first,
            address,
            stride,
            registers: registers.into(),
            wide,
        });
        Ok(())
    }

    fn rows_of_matrix(&mut self, raw: &mut Raw<'a>) -> Outcome<()> {
        let load = raw.opcode == "ldmatrix";
        if load {
            self.require((6, 5), 75, "ldmatrix")?;
        } else {
            self.require((7, 8), 90, "stmatrix")?;
        }
        if !raw.take("m8n8") {
            return raw.unsupported();
        }
        let Some(count) = raw.one_of(&[("x1", 1usize), ("x2", 2), ("x4", 4)]) else {
            return raw.syntax(format!(
                "Instruction '{}' requires .x1, .x2, or .x4",
                raw.opcode
            ));
        };
        let order = if raw.take("trans") {
            Order::Column
        } else {
            Order::Row
        };
        let shared = raw.take("shared") || raw.take("shared::cta");
        if raw.ty()? != Ty::B16 {
            return raw.syntax(format!(
                "Unexpected instruction types specified for '{}'",
                raw.opcode
            ));
        }
        raw.done()?;
        raw.count(2..=2)?;
        let space = if shared {
            MemorySpace::Shared
        } else {
            MemorySpace::Generic
        };
        if load {
            let d = self.fragment_dst(&raw.operands[0].clone(), Element::F16, count)?;
            let address = self.address(&raw.operands[1].clone(), space)?;
            self.together(WarpKind::LoadMatrix {
                address,
                order,
                d: d.into(),
            });
        } else {
            let s = self.fragment(&raw.operands[1].clone(), Element::F16, count)?;
            let address = self.address(&raw.operands[0].clone(), space)?;
            self.together(WarpKind::StoreMatrix {
                address,
                order,
                s: s.into(),
            });
        }
        Ok(())
    }
}
