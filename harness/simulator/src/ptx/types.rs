//! The types of PTX: what registers hold, and what instructions work on.

/// A fundamental type, or the element type of a matrix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ty {
    Pred,
    B8,
    B16,
    B32,
    B64,
    B128,
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
    F16,
    F16x2,
    Bf16,
    Bf16x2,
    Tf32,
    F32,
    F64,
    E4m3,
    E5m2,
    E4m3x2,
    E5m2x2,
    B1,
    U4,
    S4,
}

/// What the bits of a type mean.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Class {
    Predicate,
    Bits,
    Unsigned,
    Signed,
    Float,
}

const NAMES: &[(&str, Ty, u32, Class)] = &[
    ("pred", Ty::Pred, 1, Class::Predicate),
    ("b8", Ty::B8, 8, Class::Bits),
    ("b16", Ty::B16, 16, Class::Bits),
    ("b32", Ty::B32, 32, Class::Bits),
    ("b64", Ty::B64, 64, Class::Bits),
    ("b128", Ty::B128, 128, Class::Bits),
    ("u8", Ty::U8, 8, Class::Unsigned),
    ("u16", Ty::U16, 16, Class::Unsigned),
    ("u32", Ty::U32, 32, Class::Unsigned),
    ("u64", Ty::U64, 64, Class::Unsigned),
    ("s8", Ty::S8, 8, Class::Signed),
    ("s16", Ty::S16, 16, Class::Signed),
    ("s32", Ty::S32, 32, Class::Signed),
    ("s64", Ty::S64, 64, Class::Signed),
    ("f16", Ty::F16, 16, Class::Float),
    ("f16x2", Ty::F16x2, 32, Class::Float),
    ("bf16", Ty::Bf16, 16, Class::Float),
    ("bf16x2", Ty::Bf16x2, 32, Class::Float),
    ("tf32", Ty::Tf32, 32, Class::Float),
    ("f32", Ty::F32, 32, Class::Float),
    ("f64", Ty::F64, 64, Class::Float),
    ("e4m3", Ty::E4m3, 8, Class::Float),
    ("e5m2", Ty::E5m2, 8, Class::Float),
    ("e4m3x2", Ty::E4m3x2, 16, Class::Float),
    ("e5m2x2", Ty::E5m2x2, 16, Class::Float),
    ("b1", Ty::B1, 1, Class::Bits),
    ("u4", Ty::U4, 4, Class::Unsigned),
    ("s4", Ty::S4, 4, Class::Signed),
];

impl Ty {
    /// The type of this name, without the dot.
    pub(crate) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|row| row.0 == name).map(|row| row.1)
    }

    fn row(self) -> &'static (&'static str, Ty, u32, Class) {
        NAMES.iter().find(|row| row.1 == self).unwrap_or(&NAMES[0])
    }

    /// Its name, without the dot.
    pub(crate) fn name(self) -> &'static str {
        self.row().0
    }

    pub(crate) fn bits(self) -> u32 {
        self.row().2
    }

    pub(crate) fn bytes(self) -> u32 {
        self.bits().div_ceil(8)
    }

    pub(crate) fn class(self) -> Class {
        self.row().3
    }

    pub(crate) fn is_integer(self) -> bool {
        matches!(self.class(), Class::Unsigned | Class::Signed)
    }

    pub(crate) fn is_signed(self) -> bool {
        self.class() == Class::Signed
    }

    pub(crate) fn is_float(self) -> bool {
        self.class() == Class::Float
    }

    /// Whether a register of type `register` may stand where an instruction wants `self`.
    ///
    /// See "Operand type checking rules" in the PTX ISA: equal size, and agreeing kinds.
    pub(crate) fn accepts(self, register: Self) -> bool {
        if self.bits() != register.bits() {
            return false;
        }
        match (self.class(), register.class()) {
            (Class::Predicate, other) | (other, Class::Predicate) => other == Class::Predicate,
            (Class::Bits, _) | (_, Class::Bits) => true,
            (Class::Float, Class::Float) => {
                self == register || (self == Self::Tf32 && register == Self::F32)
            }
            (Class::Float, _) | (_, Class::Float) => false,
            (Class::Unsigned | Class::Signed, Class::Unsigned | Class::Signed) => true,
        }
    }

    /// The same for `ld`, `st`, and `cvt`, where a register may be wider than the type.
    pub(crate) fn accepts_wider(self, register: Self) -> bool {
        if self.bits() >= register.bits() || register == Self::Pred {
            return self.accepts(register);
        }
        match (self.class(), register.class()) {
            (Class::Predicate, _) | (_, Class::Predicate) => false,
            (Class::Float, other) => other == Class::Bits,
            (_, Class::Float) => self.class() == Class::Bits,
            (
                Class::Bits | Class::Unsigned | Class::Signed,
                Class::Bits | Class::Unsigned | Class::Signed,
            ) => true,
        }
    }
}

/// All ones in the low `bits`.
pub(crate) fn ones(bits: u32) -> u64 {
    if bits >= 64 {
        u64::MAX
    } else {
        (1 << bits) - 1
    }
}

/// Extends the sign of the low `bits`.
pub(crate) fn signed(value: u64, bits: u32) -> i64 {
    let shift = 64 - bits.clamp(1, 64);
    ((value << shift) as i64) >> shift
}
