//! Chooses the operation of each instruction; one module per family.

mod asynchronous;
mod atomic;
mod compare;
mod control;
mod convert;
mod float;
mod half;
mod integer;
mod logic;
mod matrix;
mod memory;
mod moves;
mod warp;

use super::body::Raw;
use super::code::{Compute, Op, Row, Src, Weakness};
use super::compiler::{Compiler, Outcome};
use super::operand::Operand;
use super::types::Ty;
use crate::numeric::{Mode, Rounding, Saturation, Subnormal};

impl<'a> Compiler<'a> {
    /// Decodes one instruction and emits what it does.
    pub(super) fn decode(&mut self, mut raw: Raw<'a>) -> Outcome<()> {
        let raw = &mut raw;
        match raw.opcode {
            "add" | "sub" | "mul" | "mad" | "fma" | "div" | "min" | "max" | "abs" | "neg"
            | "addc" | "subc" | "madc" => self.arithmetic(raw),
            "rem" | "mul24" | "mad24" | "sad" | "popc" | "clz" | "brev" | "bfind" | "fns"
            | "bfe" | "bfi" | "bmsk" | "szext" | "prmt" | "shf" | "shl" | "shr" | "lop3"
            | "and" | "or" | "xor" | "not" | "cnot" | "dp4a" | "dp2a" => self.integer(raw),
            "rcp" | "sqrt" | "rsqrt" | "sin" | "cos" | "ex2" | "lg2" | "tanh" | "copysign"
            | "testp" => self.float(raw),
            "setp" | "set" | "selp" | "slct" => self.compare(raw),
            "cvt" => self.convert(raw),
            "mov" | "cvta" | "isspacep" | "mapa" => self.moves(raw),
            "ld" | "ldu" | "st" | "atom" | "red" | "prefetch" | "prefetchu" | "discard"
            | "applypriority" | "createpolicy" | "membar" | "fence" | "alloca" | "stacksave"
            | "stackrestore" => self.memory(raw),
            "bra" | "brx" | "call" | "ret" | "exit" | "trap" | "brkpt" | "bar" | "barrier"
            | "nanosleep" | "pmevent" | "griddepcontrol" | "setmaxnreg" => self.control(raw),
            "shfl" | "vote" | "match" | "redux" | "activemask" | "elect" => self.warp(raw),
            "cp" | "mbarrier" => self.asynchronous(raw),
            "mma" | "wmma" | "ldmatrix" | "stmatrix" => self.matrix(raw),
            "tex"
            | "tld4"
            | "txq"
            | "suld"
            | "sust"
            | "sured"
            | "suq"
            | "istypep"
            | "wgmma"
            | "tcgen05"
            | "tensormap"
            | "multimem"
            | "getctarank"
            | "clusterlaunchcontrol"
            | "movmatrix"
            | "vadd"
            | "vsub"
            | "vabsdiff"
            | "vmin"
            | "vmax"
            | "vshl"
            | "vshr"
            | "vmad"
            | "vset"
            | "vadd2"
            | "vsub2"
            | "vavrg2"
            | "vabsdiff2"
            | "vmin2"
            | "vmax2"
            | "vset2"
            | "vadd4"
            | "vsub4"
            | "vavrg4"
            | "vabsdiff4"
            | "vmin4"
            | "vmax4"
            | "vset4"
            | "st_async"
            | "red_async" => raw.unsupported(),
            other => raw.syntax(format!("Not a name of any known instruction: '{other}'")),
        }
    }

    /// Emits a pure operation.
    pub(super) fn compute(&mut self, d: u32, sources: &[Src], f: Compute) {
        self.compute_weak(d, sources, f, Weakness::None, None);
    }

    pub(super) fn compute_weak(
        &mut self,
        d: u32,
        sources: &[Src],
        f: Compute,
        weakness: Weakness,
        broken: Option<Compute>,
    ) {
        let mut s = [sources[0]; 4];
        s[..sources.len()].copy_from_slice(sources);
        self.emit(Op::Compute {
            f,
            d,
            s,
            weakness,
            broken,
        });
    }

    /// Destination and sources, all of one type, then the operation.
    pub(super) fn same(
        &mut self,
        raw: &Raw<'a>,
        ty: Ty,
        sources: usize,
    ) -> Outcome<(u32, Vec<Src>)> {
        raw.done()?;
        raw.count(sources + 1..=sources + 1)?;
        let read = self.sources(&raw.operands[1..], &vec![ty; sources])?;
        Ok((self.dst(&raw.operands[0], ty)?, read))
    }

    pub(super) fn sources(&mut self, operands: &[Operand<'a>], types: &[Ty]) -> Outcome<Vec<Src>> {
        operands
            .iter()
            .zip(types)
            .map(|(operand, ty)| self.src(operand, *ty))
            .collect()
    }
}

/// The rounding modifiers of floating-point arithmetic.
const ROUNDINGS: &[(&str, Rounding)] = &[
    ("rn", Rounding::NearestEven),
    ("rz", Rounding::Zero),
    ("rm", Rounding::Down),
    ("rp", Rounding::Up),
];

/// What `.ftz` and `.sat` say; the rounding is for the instruction to demand.
fn mode(raw: &mut Raw<'_>) -> Mode {
    let mut mode = Mode::RN;
    if raw.take("ftz") {
        mode.subnormal = Subnormal::Flush;
    }
    if raw.take("sat") {
        mode.saturation = Saturation::Unit;
    }
    mode
}

#[inline(always)]
fn lanes(mask: u32, mut f: impl FnMut(usize)) {
    if mask == u32::MAX {
        for lane in 0..32 {
            f(lane);
        }
    } else {
        let mut left = mask;
        while left != 0 {
            f(left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }
}

fn one(g: impl Fn(u64) -> u64 + Send + Sync + 'static) -> Compute {
    Box::new(move |out: &mut Row, mask, [a, ..]: [&Row; 4]| {
        lanes(mask, |lane| out[lane] = g(a[lane]))
    })
}

fn two(g: impl Fn(u64, u64) -> u64 + Send + Sync + 'static) -> Compute {
    Box::new(move |out: &mut Row, mask, [a, b, ..]: [&Row; 4]| {
        lanes(mask, |lane| out[lane] = g(a[lane], b[lane]))
    })
}

fn three(g: impl Fn(u64, u64, u64) -> u64 + Send + Sync + 'static) -> Compute {
    Box::new(move |out: &mut Row, mask, [a, b, c, _]: [&Row; 4]| {
        lanes(mask, |lane| out[lane] = g(a[lane], b[lane], c[lane]));
    })
}

fn four(g: impl Fn(u64, u64, u64, u64) -> u64 + Send + Sync + 'static) -> Compute {
    Box::new(move |out: &mut Row, mask, [a, b, c, d]: [&Row; 4]| {
        lanes(mask, |lane| {
            out[lane] = g(a[lane], b[lane], c[lane], d[lane])
        });
    })
}
