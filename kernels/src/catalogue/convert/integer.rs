//! Conversions among integers and floats.

use super::{short, to_s32, to_s64, to_u32, to_u64};
use crate::catalogue::rows::program;
use crate::exact::{
    Exact,
    Rounding::{Down, Nearest, Up, Zero},
    SINGLE,
};
use crate::table::{
    Format, Operation,
    Reference::{Double, Integer, Long, Near, Single, Word},
};
use crate::{DeviceLimits, Program, input};

/// A row of inputs.
struct Row {
    i: u64,
    d: f64,
    f: f32,
    w: u32,
}

/// Powers of two at which some integer type begins or ends.
const ENDS: [i32; 12] = [-1, 0, 1, 7, 8, 15, 16, 31, 32, 52, 63, 64];

/// Steps away from them: by whole numbers, by halves, and by little.
const STEPS: [f64; 12] = [
    0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, -0.25, -0.5, -0.75, -1.0, -1.5,
];

const SPECIAL: [f64; 12] = [
    0.0,
    -0.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    f64::MAX,
    1e39,
    -1e39,
    1e-300,
    -1e-40,
    1e-40,
    1e-46,
];

pub(super) fn convert_integer(_: &DeviceLimits, seed: u64) -> Program {
    let rows: Vec<Row> = (0..1289).map(|index| row(seed, index)).collect();
    let inputs = rows
        .iter()
        .flat_map(|row| {
            let mut bytes = Vec::with_capacity(24);
            bytes.extend(row.i.to_le_bytes());
            bytes.extend(row.d.to_le_bytes());
            bytes.extend(row.f.to_le_bytes());
            bytes.extend(row.w.to_le_bytes());
            bytes
        })
        .collect();
    program("convert_integer", inputs, &rows, OPERATIONS)
}

fn row(seed: u64, index: usize) -> Row {
    let bits = input(seed, 110, index);
    let noise = input(seed, 111, index);
    let near_ends = 2 * ENDS.len() * STEPS.len();
    let d = if let Some(special) = SPECIAL.get(index) {
        *special
    } else if index < SPECIAL.len() + near_ends {
        let place = index - SPECIAL.len();
        let end = f64::from(ENDS[place / 2 / STEPS.len()]).exp2();
        let value = end + STEPS[place / 2 % STEPS.len()];
        if place.is_multiple_of(2) {
            value
        } else {
            -value
        }
    } else {
        // Any bits of the significand, and magnitudes from 2^-10 to 2^70; or any bits at all.
        match noise % 4 {
            0 => f64::from_bits(bits),
            _ => f64::from_bits(bits & 0x800F_FFFF_FFFF_FFFF | (1013 + noise / 4 % 80) << 52),
        }
    };
    // Integers of every length, and some that lie halfway between two floats.
    let length = noise >> 8 & 63;
    let i = match noise >> 16 & 3 {
        0 => (1 << length | 1 << (length / 2)) + (noise >> 20 & 3),
        1 => bits,
        2 => bits >> length,
        _ => !(bits >> length),
    };
    let w = match noise >> 18 & 1 {
        0 => i as u32,
        _ => bits as u32 & 0x8100_00FF | 0x0100_0000,
    };
    let d = if Exact::double(d).straddles(SINGLE) {
        1.5
    } else {
        d
    };
    Row {
        i,
        d,
        f: d as f32,
        w,
    }
}

impl Row {
    fn f(&self) -> Exact {
        Exact::single(self.f)
    }

    fn d(&self) -> Exact {
        Exact::double(self.d)
    }
}

/// Clamped to [0, 1]; a NaN becomes +0, and a zero of either sign is right.
fn saturated(value: f32) -> (f64, f64) {
    let value = f64::from(value);
    (
        if value.is_nan() {
            0.0
        } else {
            value.clamp(0.0, 1.0)
        },
        0.0,
    )
}

/// In the order in which the kernel stores them.
const OPERATIONS: &[Operation<Row>] = &[
    (
        "cvt.rni.s64.f32",
        Integer(Format::Long, |row| to_s64(row.f(), Nearest)),
    ),
    (
        "cvt.rzi.u64.f32",
        Integer(Format::Long, |row| to_u64(row.f(), Zero)),
    ),
    (
        "cvt.rmi.s64.f32",
        Integer(Format::Long, |row| to_s64(row.f(), Down)),
    ),
    (
        "cvt.rpi.u64.f32",
        Integer(Format::Long, |row| to_u64(row.f(), Up)),
    ),
    (
        "cvt.rni.s64.f64",
        Integer(Format::Long, |row| to_s64(row.d(), Nearest)),
    ),
    (
        "cvt.rzi.u64.f64",
        Integer(Format::Long, |row| to_u64(row.d(), Zero)),
    ),
    (
        "cvt.rmi.s64.f64",
        Integer(Format::Long, |row| to_s64(row.d(), Down)),
    ),
    (
        "cvt.rpi.u64.f64",
        Integer(Format::Long, |row| to_u64(row.d(), Up)),
    ),
    (
        "cvt.rn.f64.s64",
        Double(|row| Exact::integer((row.i as i64).into()).to_double(Nearest)),
    ),
    (
        "cvt.rz.f64.s64",
        Double(|row| Exact::integer((row.i as i64).into()).to_double(Zero)),
    ),
    (
        "cvt.rm.f64.s64",
        Double(|row| Exact::integer((row.i as i64).into()).to_double(Down)),
    ),
    (
        "cvt.rp.f64.s64",
        Double(|row| Exact::integer((row.i as i64).into()).to_double(Up)),
    ),
    (
        "cvt.rn.f64.u64",
        Double(|row| Exact::integer((row.i).into()).to_double(Nearest)),
    ),
    (
        "cvt.rz.f64.u64",
        Double(|row| Exact::integer((row.i).into()).to_double(Zero)),
    ),
    (
        "cvt.rn.f64.s32",
        Double(|row| Exact::integer((row.w as i32).into()).to_double(Nearest)),
    ),
    (
        "cvt.rn.f64.u32",
        Double(|row| Exact::integer((row.w).into()).to_double(Nearest)),
    ),
    (
        "cvt.rni.f64.f64",
        Double(|row| row.d().whole(Nearest).to_double(Nearest)),
    ),
    (
        "cvt.rzi.f64.f64",
        Double(|row| row.d().whole(Zero).to_double(Nearest)),
    ),
    (
        "cvt.rmi.f64.f64",
        Double(|row| row.d().whole(Down).to_double(Nearest)),
    ),
    (
        "cvt.rpi.f64.f64",
        Double(|row| row.d().whole(Up).to_double(Nearest)),
    ),
    ("cvt.f64.f32", Double(|row| f64::from(row.f))),
    ("cvt.s64.s32", Long(|row| i64::from(row.w as i32) as u64)),
    ("cvt.u64.u32", Long(|row| row.w.into())),
    ("cvt.sat.u64.s64", Long(|row| (row.i as i64).max(0) as u64)),
    (
        "cvt.rni.s32.f32",
        Integer(Format::Word, |row| to_s32(row.f(), Nearest)),
    ),
    (
        "cvt.rzi.s32.f32",
        Integer(Format::Word, |row| to_s32(row.f(), Zero)),
    ),
    (
        "cvt.rmi.s32.f32",
        Integer(Format::Word, |row| to_s32(row.f(), Down)),
    ),
    (
        "cvt.rpi.s32.f32",
        Integer(Format::Word, |row| to_s32(row.f(), Up)),
    ),
    (
        "cvt.rni.u32.f32",
        Integer(Format::Word, |row| to_u32(row.f(), Nearest)),
    ),
    (
        "cvt.rzi.u32.f32",
        Integer(Format::Word, |row| to_u32(row.f(), Zero)),
    ),
    (
        "cvt.rmi.u32.f32",
        Integer(Format::Word, |row| to_u32(row.f(), Down)),
    ),
    (
        "cvt.rpi.u32.f32",
        Integer(Format::Word, |row| to_u32(row.f(), Up)),
    ),
    (
        "cvt.rni.s32.f64",
        Integer(Format::Word, |row| to_s32(row.d(), Nearest)),
    ),
    (
        "cvt.rzi.s32.f64",
        Integer(Format::Word, |row| to_s32(row.d(), Zero)),
    ),
    (
        "cvt.rmi.s32.f64",
        Integer(Format::Word, |row| to_s32(row.d(), Down)),
    ),
    (
        "cvt.rpi.s32.f64",
        Integer(Format::Word, |row| to_s32(row.d(), Up)),
    ),
    (
        "cvt.rzi.u32.f64",
        Integer(Format::Word, |row| to_u32(row.d(), Zero)),
    ),
    (
        "cvt.rzi.s16.f32",
        Integer(Format::Word, |row| short(row.f(), Zero, -0x8000, 0x7FFF)),
    ),
    (
        "cvt.rni.u16.f32",
        Integer(Format::Word, |row| short(row.f(), Nearest, 0, 0xFFFF)),
    ),
    (
        "cvt.rni.s8.f32",
        Integer(Format::Word, |row| short(row.f(), Nearest, -0x80, 0x7F)),
    ),
    (
        "cvt.rzi.u8.f32",
        Integer(Format::Word, |row| short(row.f(), Zero, 0, 0xFF)),
    ),
    (
        "cvt.rn.f32.s32",
        Single(|row| Exact::integer((row.w as i32).into()).to_single(Nearest)),
    ),
    (
        "cvt.rz.f32.s32",
        Single(|row| Exact::integer((row.w as i32).into()).to_single(Zero)),
    ),
    (
        "cvt.rm.f32.s32",
        Single(|row| Exact::integer((row.w as i32).into()).to_single(Down)),
    ),
    (
        "cvt.rp.f32.s32",
        Single(|row| Exact::integer((row.w as i32).into()).to_single(Up)),
    ),
    (
        "cvt.rn.f32.u32",
        Single(|row| Exact::integer((row.w).into()).to_single(Nearest)),
    ),
    (
        "cvt.rz.f32.u32",
        Single(|row| Exact::integer((row.w).into()).to_single(Zero)),
    ),
    (
        "cvt.rm.f32.u32",
        Single(|row| Exact::integer((row.w).into()).to_single(Down)),
    ),
    (
        "cvt.rp.f32.u32",
        Single(|row| Exact::integer((row.w).into()).to_single(Up)),
    ),
    (
        "cvt.rn.f32.s64",
        Single(|row| Exact::integer((row.i as i64).into()).to_single(Nearest)),
    ),
    (
        "cvt.rz.f32.s64",
        Single(|row| Exact::integer((row.i as i64).into()).to_single(Zero)),
    ),
    (
        "cvt.rm.f32.s64",
        Single(|row| Exact::integer((row.i as i64).into()).to_single(Down)),
    ),
    (
        "cvt.rp.f32.s64",
        Single(|row| Exact::integer((row.i as i64).into()).to_single(Up)),
    ),
    (
        "cvt.rn.f32.u64",
        Single(|row| Exact::integer((row.i).into()).to_single(Nearest)),
    ),
    ("cvt.rn.f32.f64", Single(|row| row.d().to_single(Nearest))),
    ("cvt.rz.f32.f64", Single(|row| row.d().to_single(Zero))),
    ("cvt.rm.f32.f64", Single(|row| row.d().to_single(Down))),
    ("cvt.rp.f32.f64", Single(|row| row.d().to_single(Up))),
    (
        "cvt.rn.ftz.f32.f64",
        Single(|row| row.d().flushed(SINGLE).to_single(Nearest)),
    ),
    (
        "cvt.rni.f32.f32",
        Single(|row| row.f().whole(Nearest).to_single(Nearest)),
    ),
    (
        "cvt.rzi.f32.f32",
        Single(|row| row.f().whole(Zero).to_single(Nearest)),
    ),
    (
        "cvt.rmi.f32.f32",
        Single(|row| row.f().whole(Down).to_single(Nearest)),
    ),
    (
        "cvt.rpi.f32.f32",
        Single(|row| row.f().whole(Up).to_single(Nearest)),
    ),
    ("cvt.sat.f32.f32", Near(|row| saturated(row.f))),
    (
        "cvt.ftz.f32.f32",
        Single(|row| row.f().flushed(SINGLE).to_single(Nearest)),
    ),
    (
        "cvt.sat.s8.s32",
        Word(|row| (row.w as i32).clamp(-0x80, 0x7F) as u32),
    ),
    (
        "cvt.sat.u8.s32",
        Word(|row| (row.w as i32).clamp(0, 0xFF) as u32),
    ),
    (
        "cvt.sat.s16.s32",
        Word(|row| (row.w as i32).clamp(-0x8000, 0x7FFF) as u32),
    ),
    ("cvt.sat.u16.u32", Word(|row| row.w.min(0xFFFF))),
    ("cvt.sat.s32.u32", Word(|row| row.w.min(0x7FFF_FFFF))),
    ("cvt.sat.u32.s32", Word(|row| (row.w as i32).max(0) as u32)),
    (
        "cvt.sat.s32.s64",
        Word(|row| (row.i as i64).clamp(i32::MIN.into(), i32::MAX.into()) as u32),
    ),
    (
        "cvt.sat.u32.u64",
        Word(|row| row.i.min(u32::MAX.into()) as u32),
    ),
    ("cvt.s32.s8", Word(|row| i32::from(row.w as i8) as u32)),
    ("cvt.u32.u8", Word(|row| u32::from(row.w as u8))),
    ("cvt.s32.s16", Word(|row| i32::from(row.w as i16) as u32)),
    ("cvt.u32.u16", Word(|row| u32::from(row.w as u16))),
    ("cvt.u32.u64", Word(|row| row.i as u32)),
];
