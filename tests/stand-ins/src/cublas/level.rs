//! Dot products.

use super::{Context, EXECUTION_FAILED, NOT_INITIALIZED, SUCCESS};
use crate::{fault, memory};

/// A function for one type.
macro_rules! dot {
    ($name:ident, $type:ty) => {
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            handle: *const Context,
            n: i32,
            x: u64,
            incx: i32,
            y: u64,
            incy: i32,
            result: *mut $type,
        ) -> i32 {
            if handle.is_null() {
                return NOT_INITIALIZED;
            }
            if fault::no_code("cublas") {
                return EXECUTION_FAILED;
            }
            if fault::on("cublas-silent") {
                return SUCCESS;
            }
            let elements = |at: u64, step: i32| {
                let count = usize::try_from(n).ok()?;
                let step = usize::try_from(step).ok()?;
                let all = memory::read::<$type>(at, (count - 1) * step + 1)?;
                Some(all.into_iter().step_by(step).collect::<Vec<_>>())
            };
            let step = if fault::on("cublas-dot-step-ignored") {
                1
            } else {
                incy
            };
            let (Some(x), Some(y)) = (elements(x, incx), elements(y, step)) else {
                return EXECUTION_FAILED;
            };
            let sum: $type = x.iter().zip(&y).map(|(x, y)| x * y).sum();
            // SAFETY: the caller passes a place of the host's memory.
            unsafe { *result = sum };
            SUCCESS
        }
    };
}

dot!(cublasSdot_v2, f32);
dot!(cublasDdot_v2, f64);
