//! Algorithms on offer, and the product that each of them computes.

use super::descriptor::{Matrix, Operation, Preference};
use super::{Context, MARK};
use crate::cublas::number::{R_8I, R_16BF, R_16F, R_32F, R_32I, R_64F, chop, keep, size};
use crate::cublas::product::{self, Habits, Product};
use crate::cublas::{
    EXECUTION_FAILED, INVALID_VALUE, NOT_INITIALIZED, NOT_SUPPORTED, SUCCESS, factor,
};
use crate::{fault, memory};

/// `cublasLtMatmulAlgo_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Algorithm {
    data: [u64; 8],
}

/// `cublasLtMatmulHeuristicResult_t`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct HeuristicResult {
    algo: Algorithm,
    workspace: usize,
    state: i32,
    waves: f32,
    reserved: [i32; 4],
}

/// Algorithms that there are.
const ALGORITHMS: u64 = 6;

/// `CUBLAS_COMPUTE_32F`.
const COMPUTE_32F: i32 = 68;
/// `CUBLAS_COMPUTE_32I`.
const COMPUTE_32I: i32 = 72;

/// Bytes that an algorithm needs: the first needs none.
fn workspace(algorithm: u64) -> u64 {
    algorithm * 1000
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtMatmulAlgoGetHeuristic(
    handle: *const Context,
    operation: *const Operation,
    a: *const Matrix,
    b: *const Matrix,
    _c: *const Matrix,
    _d: *const Matrix,
    preference: *const Preference,
    requested: i32,
    results: *mut HeuristicResult,
    returned: *mut i32,
) -> i32 {
    // SAFETY: the caller passes a handle that lives, or none.
    let Some(context) = (unsafe { handle.as_ref() }) else {
        return NOT_INITIALIZED;
    };
    // SAFETY: the caller passes a descriptor that lives.
    let Some(operation) = (unsafe { operation.as_ref() }) else {
        return INVALID_VALUE;
    };
    // SAFETY: the caller passes a descriptor that lives.
    let Some(preference) = (unsafe { preference.as_ref() }) else {
        return INVALID_VALUE;
    };
    // SAFETY: the caller passes a descriptor that lives.
    let Some(a) = (unsafe { a.as_ref() }) else {
        return INVALID_VALUE;
    };
    // SAFETY: the caller passes a descriptor that lives.
    let Some(b) = (unsafe { b.as_ref() }) else {
        return INVALID_VALUE;
    };
    if context.mark != MARK || requested <= 0 {
        return INVALID_VALUE;
    }
    // Bytes are multiplied in one form only.
    let bytes = operation.compute == COMPUTE_32I
        && (operation.trans != [1, 0] || a.leading % 4 != 0 || b.leading % 4 != 0);
    if bytes || fault::on("cublaslt-no-algorithm") {
        return NOT_SUPPORTED;
    }
    let limit = if fault::on("cublaslt-preference-ignored") {
        u64::MAX
    } else {
        preference.workspace
    };
    let offered: Vec<u64> = (0..ALGORITHMS)
        .filter(|algorithm| workspace(*algorithm) <= limit)
        .take(usize::try_from(requested).unwrap_or(0))
        .collect();
    for (index, algorithm) in offered.iter().enumerate() {
        let mut data = [0; 8];
        data[0] = *algorithm;
        let result = HeuristicResult {
            algo: Algorithm { data },
            workspace: usize::try_from(workspace(*algorithm)).unwrap_or(0),
            state: SUCCESS,
            waves: 1.0,
            reserved: [0; 4],
        };
        // SAFETY: the caller's array has as many places as it requested, which is at least this many.
        let place = unsafe { results.add(index) };
        // SAFETY: the same.
        unsafe { *place = result };
    }
    // SAFETY: the caller passes a place for a number.
    unsafe { *returned = i32::try_from(offered.len()).unwrap_or(0) };
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasLtMatmul(
    handle: *const Context,
    operation: *const Operation,
    alpha: *const u8,
    a: u64,
    layout_a: *const Matrix,
    b: u64,
    layout_b: *const Matrix,
    beta: *const u8,
    c: u64,
    layout_c: *const Matrix,
    d: u64,
    layout_d: *const Matrix,
    algorithm: *const Algorithm,
    lent: u64,
    lent_bytes: usize,
    _stream: *const u8,
) -> i32 {
    if handle.is_null() {
        return NOT_INITIALIZED;
    }
    // SAFETY: the caller passes a descriptor that lives.
    let Some(operation) = (unsafe { operation.as_ref() }) else {
        return INVALID_VALUE;
    };
    let mut layouts = Vec::new();
    for layout in [layout_a, layout_b, layout_c, layout_d] {
        // SAFETY: the caller passes descriptors that live.
        let Some(layout) = (unsafe { layout.as_ref() }) else {
            return INVALID_VALUE;
        };
        layouts.push(layout);
    }
    // SAFETY: the caller passes an algorithm.
    let Some(algorithm) = (unsafe { algorithm.as_ref() }) else {
        return INVALID_VALUE;
    };
    // SAFETY: the caller passes a factor of the compute type.
    let alpha = unsafe { factor(operation.compute, alpha) };
    // SAFETY: the caller passes a factor of the compute type.
    let beta = unsafe { factor(operation.compute, beta) };
    let (Some(alpha), Some(beta)) = (alpha, beta) else {
        return NOT_SUPPORTED;
    };
    let call = Call {
        operation,
        addresses: [a, b, c, d],
        layouts: &layouts,
        alpha,
        beta,
        algorithm: algorithm.data[0],
        lent,
        lent_bytes,
    };
    call.run().unwrap_or(EXECUTION_FAILED)
}

/// One call, with pointers followed.
struct Call<'a> {
    operation: &'a Operation,
    addresses: [u64; 4],
    layouts: &'a [&'a Matrix],
    alpha: f64,
    beta: f64,
    algorithm: u64,
    lent: u64,
    lent_bytes: usize,
}

impl Call<'_> {
    /// The answer is a status; none if the driver refuses.
    fn run(&self) -> Option<i32> {
        if fault::no_code("cublaslt") {
            return Some(EXECUTION_FAILED);
        }
        if fault::on("cublaslt-silent") {
            return Some(SUCCESS);
        }
        let needed = workspace(self.algorithm);
        if (self.lent_bytes as u64) < needed || !self.fits() {
            return Some(INVALID_VALUE);
        }
        if needed > 0 {
            memory::write(self.lent, &vec![0x77u8; self.lent_bytes])?;
            if fault::on("cublaslt-workspace-overrun") {
                memory::write(self.lent + needed, &[0u8])?;
            }
        }
        let batch = self.layouts[3].batch;
        for index in 0..batch {
            let status = self.product(index)?.run();
            if status != SUCCESS {
                return Some(status);
            }
        }
        self.spoil()?;
        Some(SUCCESS)
    }

    /// Whether the matrices have the sizes of a product.
    fn fits(&self) -> bool {
        let logical = |index: usize| {
            let Matrix { rows, columns, .. } = *self.layouts[index];
            match self.operation.trans.get(index) {
                Some(1 | 2) => (columns, rows),
                Some(_) | None => (rows, columns),
            }
        };
        let (a, b, d) = (logical(0), logical(1), logical(3));
        a.1 == b.0 && d == (a.0, b.1) && logical(2) == d
    }

    fn product(&self, index: i32) -> Option<Product> {
        let matrix = |which: usize| {
            let layout = self.layouts[which];
            let ignored = which == 0 && fault::on("cublaslt-stride-ignored");
            let stride = if ignored { 0 } else { layout.stride };
            let elements = stride.unsigned_abs() * u64::from(index.unsigned_abs());
            Some(product::Matrix {
                at: self.addresses[which] + elements * size(layout.data)?,
                data: layout.data,
                leading: usize::try_from(layout.leading).ok()?,
            })
        };
        let dimension = |value: u64| usize::try_from(value).ok();
        let [a, b, c, d] = [matrix(0)?, matrix(1)?, matrix(2)?, matrix(3)?];
        let k = if self.operation.trans[0] == 0 {
            self.layouts[0].columns
        } else {
            self.layouts[0].rows
        };
        let (m, n) = (self.layouts[3].rows, self.layouts[3].columns);
        let beta_ignored = d.data == R_32F
            && self.algorithm == 3
            && fault::on("cublaslt-fourth-algorithm-ignores-beta");
        Some(Product {
            operations: self.operation.trans,
            m: dimension(m)?,
            n: dimension(n)?,
            k: dimension(k)?,
            alpha: self.alpha,
            beta: if beta_ignored { 0.0 } else { self.beta },
            a,
            b,
            c,
            d,
            habits: self.habits(d.data)?,
        })
    }

    fn habits(&self, data: i32) -> Option<Habits> {
        let mut habits = Habits::default();
        let Operation {
            epilogue,
            compute,
            scale,
            bias,
            ..
        } = *self.operation;
        if self.layouts[0].data == R_32F && compute == COMPUTE_32F && fault::on("cublaslt-tf32") {
            habits.operand = |value| keep(value, 11);
        }
        if data == R_64F && scale == R_64F && fault::on("cublaslt-f64-as-f32") {
            habits.sum = |value| keep(value, 24);
        }
        if self.layouts[0].data == R_8I && data == R_32I && fault::on("cublaslt-s8-saturates") {
            habits.sum = |value| value.clamp(-32768.0, 32767.0);
        }
        if epilogue == 1 && data == R_16F && fault::on("cublaslt-f16-cut") {
            habits.result = |value| chop(value, 11);
        }
        if epilogue == 1 && data == R_16BF && fault::on("cublaslt-bf16-cut") {
            habits.result = |value| chop(value, 8);
        }
        match epilogue {
            1 => {}
            4 | 6 => {
                let shift = epilogue == 4 && fault::on("cublaslt-bias-shifted");
                habits.bias = Some(product::Matrix {
                    at: bias + if shift { size(data)? } else { 0 },
                    data,
                    leading: 0,
                });
                if epilogue == 6 && !fault::on("cublaslt-relu-left-out") {
                    habits.result = |value| value.max(0.0);
                }
            }
            _ => return None,
        }
        Some(habits)
    }

    /// What goes wrong after a product that was right.
    fn spoil(&self) -> Option<()> {
        let [a, _, c, d] = self.addresses;
        if self.algorithm == 4 && fault::on("cublaslt-fifth-algorithm-bit-3") {
            let byte = memory::read::<u8>(d + 2, 1)?[0];
            memory::write(d + 2, &[byte ^ 1 << 3])?;
        }
        if fault::on("cublaslt-c-overwritten") {
            memory::write(c, &[0x11u8])?;
        }
        if fault::on("cublaslt-operand-overwritten") {
            memory::write(a, &[0x11u8])?;
        }
        Some(())
    }
}
