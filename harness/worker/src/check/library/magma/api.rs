//! MAGMA with integers of either width, behind one set of functions.

use std::ffi::CStr;

use super::ffi::{Ilp64, LOWER, Lp64, Transposition, Width};
use crate::library::{Called, DevicePointer, Handle, In, SharedLibrary, Words};

/// What fills a slot for an integer before the library writes to it.
const UNWRITTEN: i64 = i64::from_le_bytes([0xAA; 8]);

/// Who calls, for MAGMA's messages.
const CALLER: &CStr = c"cudacheck";

/// Devices that are counted at most; one is visible.
const MOST_DEVICES: usize = 16;

/// MAGMA's functions.
pub(super) enum Magma<'l> {
    Lp64(Lp64<'l>),
    Ilp64(Ilp64<'l>),
}

/// What the library says that it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Version {
    pub(super) numbers: [i64; 3],
    /// Of a `magma_int_t`.
    pub(super) bits: u32,
}

/// A matrix on the device, by columns.
#[derive(Clone, Copy)]
pub(super) struct Operand {
    pub(super) at: DevicePointer,
    /// Elements from one column to the next.
    pub(super) leading: usize,
    pub(super) as_is: Transposition,
}

/// Rows and columns of a product, and what is summed over.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
}

/// What a function of LAPACK's kind answered.
pub(super) struct Answer {
    pub(super) status: Called<i64>,
    /// Zero, or the row at which the matrix is not what it must be.
    pub(super) info: i64,
}

/// Calls the same function of either table; the second name is the table's integer.
macro_rules! either {
    ($magma:expr, |$api:ident| $call:expr) => {
        match $magma {
            Magma::Lp64($api) => $call,
            Magma::Ilp64($api) => $call,
        }
    };
    ($magma:expr, |$api:ident, $int:ident| $call:expr) => {
        match $magma {
            Magma::Lp64($api) => {
                type $int = i32;
                $call
            }
            Magma::Ilp64($api) => {
                type $int = i64;
                $call
            }
        }
    };
}

/// An integer for the library.
macro_rules! int {
    ($value:expr) => {
        Int::try_from($value).expect("the sizes of tests are small")
    };
}

impl Version {
    /// Asks for the version; the width is told by how much of a slot was written.
    pub(super) fn of(library: &SharedLibrary) -> Called<Self> {
        let (mut major, mut minor, mut micro) = ([UNWRITTEN], [UNWRITTEN], [UNWRITTEN]);
        let called = Width::new(library).version(
            (&mut major).into(),
            (&mut minor).into(),
            (&mut micro).into(),
        );
        Called {
            function: called.function,
            value: called
                .value
                .map(|()| Self::from_slots([major[0], minor[0], micro[0]])),
        }
    }

    fn from_slots(slots: [i64; 3]) -> Self {
        let halves = slots.map(|slot| {
            let bytes = slot.to_le_bytes();
            let half = |at: usize| i32::from_le_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte]));
            (half(0), half(4))
        });
        let unwritten = i32::from_le_bytes([0xAA; 4]);
        if halves.iter().all(|(_, upper)| *upper == unwritten) {
            Self {
                numbers: halves.map(|(lower, _)| i64::from(lower)),
                bits: 32,
            }
        } else {
            Self {
                numbers: slots,
                bits: 64,
            }
        }
    }
}

impl<'l> Magma<'l> {
    /// The functions of a library of this version.
    pub(super) fn new(library: &'l SharedLibrary, version: Version) -> Self {
        if version.bits == 32 {
            Self::Lp64(Lp64::new(library))
        } else {
            Self::Ilp64(Ilp64::new(library))
        }
    }

    pub(super) fn init(&self) -> Called<i64> {
        either!(self, |api| widened(api.init()))
    }

    pub(super) fn finalize(&self) -> Called<i64> {
        either!(self, |api| widened(api.finalize()))
    }

    /// How many devices it is told to use.
    pub(super) fn gpus(&self) -> Called<i64> {
        either!(self, |api| widened(api.gpus()))
    }

    /// How many devices it finds, up to [`MOST_DEVICES`].
    pub(super) fn devices(&self) -> Called<i64> {
        either!(self, |api, Int| {
            let mut devices: [Int; MOST_DEVICES] = [0; MOST_DEVICES];
            let mut count: Int = 0;
            let called = api.devices((&mut devices).into(), int!(MOST_DEVICES), &mut count);
            Called {
                function: called.function,
                value: called.value.map(|()| wide(count)),
            }
        })
    }

    pub(super) fn error_text(&self, error: i32) -> Called<Words> {
        either!(self, |api, Int| api.error_text(Int::from(error)))
    }

    pub(super) fn create_queue(&self, queue: &mut Handle) -> Called<()> {
        let (function, file) = (In::from(CALLER), In::from(CALLER));
        either!(self, |api, Int| api.create_queue(
            int!(0usize),
            queue,
            function,
            file,
            0
        ))
    }

    pub(super) fn synchronize(&self, queue: Handle) -> Called<()> {
        let (function, file) = (In::from(CALLER), In::from(CALLER));
        either!(self, |api| api.synchronize(queue, function, file, 0))
    }

    pub(super) fn destroy_queue(&self, queue: Handle) -> Called<()> {
        let (function, file) = (In::from(CALLER), In::from(CALLER));
        either!(self, |api| api.destroy_queue(queue, function, file, 0))
    }

    pub(super) fn allocate(&self, memory: &mut DevicePointer, bytes: usize) -> Called<i64> {
        either!(self, |api| widened(api.allocate(memory, bytes)))
    }

    pub(super) fn free(&self, memory: DevicePointer) -> Called<i64> {
        let (function, file) = (In::from(CALLER), In::from(CALLER));
        either!(self, |api| widened(api.free(memory, function, file, 0)))
    }

    /// C = α op(A) op(B) + β C, on cuBLAS.
    pub(super) fn dgemm(
        &self,
        shape: Shape,
        (alpha, beta): (f64, f64),
        [a, b, c]: [Operand; 3],
        queue: Handle,
    ) -> Called<()> {
        either!(self, |api, Int| api.dgemm(
            a.as_is,
            b.as_is,
            int!(shape.m),
            int!(shape.n),
            int!(shape.k),
            alpha,
            a.at,
            int!(a.leading),
            b.at,
            int!(b.leading),
            beta,
            c.at,
            int!(c.leading),
            queue,
        ))
    }

    /// The same on MAGMA's own kernels.
    pub(super) fn own_dgemm(
        &self,
        shape: Shape,
        (alpha, beta): (f64, f64),
        [a, b, c]: [Operand; 3],
        queue: Handle,
    ) -> Called<()> {
        either!(self, |api, Int| api.own_dgemm(
            a.as_is,
            b.as_is,
            int!(shape.m),
            int!(shape.n),
            int!(shape.k),
            alpha,
            a.at,
            int!(a.leading),
            b.at,
            int!(b.leading),
            beta,
            c.at,
            int!(c.leading),
            queue,
        ))
    }

    /// The same in single precision; the factors are small integers.
    pub(super) fn own_sgemm(
        &self,
        shape: Shape,
        (alpha, beta): (f32, f32),
        [a, b, c]: [Operand; 3],
        queue: Handle,
    ) -> Called<()> {
        either!(self, |api, Int| api.own_sgemm(
            a.as_is,
            b.as_is,
            int!(shape.m),
            int!(shape.n),
            int!(shape.k),
            alpha,
            a.at,
            int!(a.leading),
            b.at,
            int!(b.leading),
            beta,
            c.at,
            int!(c.leading),
            queue,
        ))
    }

    /// LU factors of a square matrix, and its row exchanges, counted from one.
    pub(super) fn dgetrf(&self, n: usize, a: Operand) -> (Answer, Vec<i64>) {
        either!(self, |api, Int| {
            let mut pivots: Vec<Int> = vec![0; n];
            let mut info: Int = 0;
            let status = api.dgetrf(
                int!(n),
                int!(n),
                a.at,
                int!(a.leading),
                pivots.as_mut_slice().into(),
                &mut info,
            );
            let pivots = pivots.into_iter().map(wide).collect();
            (answer(status, info), pivots)
        })
    }

    /// Solutions from LU factors, in place of the right-hand sides.
    pub(super) fn dgetrs(
        &self,
        n: usize,
        right_sides: usize,
        a: Operand,
        pivots: &[i64],
        b: Operand,
    ) -> Answer {
        either!(self, |api, Int| {
            let mut pivots: Vec<Int> = pivots.iter().map(|pivot| int!(*pivot)).collect();
            let mut info: Int = 0;
            let status = api.dgetrs(
                a.as_is,
                int!(n),
                int!(right_sides),
                a.at,
                int!(a.leading),
                pivots.as_mut_slice().into(),
                b.at,
                int!(b.leading),
                &mut info,
            );
            answer(status, info)
        })
    }

    /// The lower Cholesky factor.
    pub(super) fn dpotrf(&self, n: usize, a: Operand) -> Answer {
        either!(self, |api, Int| {
            let mut info: Int = 0;
            let status = api.dpotrf(LOWER, int!(n), a.at, int!(a.leading), &mut info);
            answer(status, info)
        })
    }
}

fn widened<T: Into<i64>>(called: Called<T>) -> Called<i64> {
    Called {
        function: called.function,
        value: called.value.map(wide),
    }
}

fn wide<T: Into<i64>>(value: T) -> i64 {
    value.into()
}

fn answer<T: Into<i64>>(status: Called<T>, info: T) -> Answer {
    Answer {
        status: widened(status),
        info: wide(info),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(slots: [i64; 3], numbers: [i64; 3], bits: u32) {
        let found = Version::from_slots(slots);
        assert_eq!(found, Version { numbers, bits });
    }

    #[test]
    fn what_is_left_of_a_slot_tells_the_width() {
        let half = |value: u8| i64::from_le_bytes([value, 0, 0, 0, 0xAA, 0xAA, 0xAA, 0xAA]);
        check([half(2), half(9), half(0)], [2, 9, 0], 32);
        check([2, 9, 0], [2, 9, 0], 64);
    }
}
