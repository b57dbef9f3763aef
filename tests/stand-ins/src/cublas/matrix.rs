//! The functions that multiply matrices.

use half::f16;

use super::number::{R_8I, R_16BF, R_16F, R_32F, R_64F, chop, keep, size};
use super::product::{Habits, Matrix, Product, half};
use super::{
    Context, EXECUTION_FAILED, INVALID_VALUE, NOT_INITIALIZED, NOT_SUPPORTED, Override, SUCCESS,
    tf32_override,
};
use crate::{fault, memory};

/// `cublasComputeType_t`.
const COMPUTE_16F: i32 = 64;
const COMPUTE_32F: i32 = 68;
const COMPUTE_64F: i32 = 70;
const COMPUTE_32I: i32 = 72;
const COMPUTE_32F_FAST_TF32: i32 = 77;

/// Which function was called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Entry {
    Single,
    Double,
    Half,
    Extended,
    Strided,
    Pointers,
}

/// A count or dimension that C passes.
fn count(value: i32) -> usize {
    usize::try_from(value).unwrap_or(0)
}

fn matrix(at: u64, data: i32, leading: i32) -> Matrix {
    Matrix {
        at,
        data,
        leading: count(leading),
    }
}

/// What every function does, with its faults.
fn multiply(context: &Context, entry: Entry, compute: i32, mut product: Product) -> i32 {
    if fault::no_code("cublas") {
        return EXECUTION_FAILED;
    }
    if fault::on("cublas-silent") {
        return SUCCESS;
    }
    let refused = product.a.data == R_16BF && fault::on("cublas-bf16-refused");
    if refused || fault::on("cublas-not-supported") {
        return NOT_SUPPORTED;
    }
    product.habits = habits(context, entry, compute, &product);
    let ignored =
        (entry == Entry::Single && context.mode == 2 && fault::on("cublas-pedantic-beta-ignored"))
            || (entry == Entry::Half && fault::on("cublas-hgemm-beta-ignored"))
            || (entry == Entry::Double && fault::on("cublas-dgemm-beta-ignored"));
    if ignored {
        product.beta = 0.0;
    }
    if entry == Entry::Single
        && product.operations == [2, 2]
        && fault::on("cublas-conjugate-negated")
    {
        product.alpha = -product.alpha;
    }
    let status = product.run();
    if status == SUCCESS {
        spoil(context, entry, &product).unwrap_or(EXECUTION_FAILED)
    } else {
        status
    }
}

/// How a function computes.
fn habits(context: &Context, entry: Entry, compute: i32, product: &Product) -> Habits {
    let mut habits = Habits::default();
    let single = product.a.data == R_32F && compute != COMPUTE_64F;
    let off = tf32_override() == Override::Off;
    let asked = context.mode == 3 || compute == COMPUTE_32F_FAST_TF32;
    let unasked = (entry == Entry::Single && context.mode == 0 && fault::on("cublas-tf32"))
        || (entry == Entry::Extended && compute == COMPUTE_32F && fault::on("cublas-gemmex-tf32"));
    let misread = off && fault::on("cublas-tf32-override-misread");
    if single && (misread || !off && (asked || unasked)) {
        habits.operand = if asked && fault::on("cublas-tf32-as-bf16") {
            |value| keep(value, 8)
        } else {
            |value| keep(value, 11)
        };
    }
    if entry == Entry::Single && fault::on("cublas-fractions-lost") {
        habits.operand = |value| (value * 4096.0).trunc() / 4096.0;
    }
    if entry == Entry::Double && fault::on("cublas-dgemm-fractions-lost") {
        habits.operand = |value| (value * f64::from(1 << 30)).trunc() / f64::from(1 << 30);
    }
    let in_half = compute == COMPUTE_16F
        || (compute == COMPUTE_32F
            && entry == Entry::Extended
            && product.a.data == R_16F
            && fault::on("cublas-f16-summed-in-f16"));
    if in_half {
        habits.sum = half;
    }
    if product.a.data == R_8I && fault::on("cublas-s8-saturates") {
        habits.sum = |value| value.clamp(-32768.0, 32767.0);
    }
    if product.d.data == R_16BF && fault::on("cublas-bf16-cut") {
        habits.result = |value| chop(value, 8);
    }
    if product.m >= 256 && fault::on("cublas-tile-unwritten") {
        habits.unwritten = Some((product.m - 128, product.n - 128));
    }
    habits
}

/// What goes wrong after a product that was right.
fn spoil(context: &Context, entry: Entry, product: &Product) -> Option<i32> {
    let Product { m, n, a, d, .. } = *product;
    let bytes = size(d.data)?;
    let last = d.at + ((n - 1) * d.leading + m - 1) as u64 * bytes;
    if entry == Entry::Single && fault::on("cublas-bit-12") {
        let word = memory::read::<u32>(last, 1)?[0];
        memory::write(last, &[word ^ 1 << 12])?;
    }
    if fault::on("cublas-operand-overwritten") {
        memory::write(a.at, &[0x11u8])?;
    }
    if fault::on("cublas-padding-written") && d.leading > m {
        memory::write(last + bytes, &[0u8])?;
    }
    if fault::on("cublas-out-of-bounds") {
        memory::write(d.at + (n * d.leading) as u64 * bytes, &[0u8])?;
    }
    if let Some((at, size)) = context.workspace {
        memory::write(at, &[0x77u8; 64])?;
        if fault::on("cublas-workspace-overrun") {
            memory::write(at + size as u64, &[0u8])?;
        }
    }
    Some(SUCCESS)
}

/// A function with one product of one type.
macro_rules! gemm {
    ($name:ident, $type:ty, $entry:ident, $data:ident, $compute:ident) => {
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            handle: *const Context,
            transa: i32,
            transb: i32,
            m: i32,
            n: i32,
            k: i32,
            alpha: *const $type,
            a: u64,
            lda: i32,
            b: u64,
            ldb: i32,
            beta: *const $type,
            c: u64,
            ldc: i32,
        ) -> i32 {
            // SAFETY: the caller passes a handle that lives, or none.
            let Some(context) = (unsafe { handle.as_ref() }) else {
                return NOT_INITIALIZED;
            };
            // SAFETY: the caller passes a number of the host's memory.
            let alpha = unsafe { *alpha };
            // SAFETY: the caller passes a number of the host's memory.
            let beta = unsafe { *beta };
            let c = matrix(c, $data, ldc);
            let product = Product {
                operations: [transa, transb],
                m: count(m),
                n: count(n),
                k: count(k),
                alpha: f64::from(alpha),
                beta: f64::from(beta),
                a: matrix(a, $data, lda),
                b: matrix(b, $data, ldb),
                c,
                d: c,
                habits: Habits::default(),
            };
            multiply(context, Entry::$entry, $compute, product)
        }
    };
}

gemm!(cublasSgemm_v2, f32, Single, R_32F, COMPUTE_32F);
gemm!(cublasDgemm_v2, f64, Double, R_64F, COMPUTE_64F);
gemm!(cublasHgemm, f16, Half, R_16F, COMPUTE_16F);

/// A factor whose type the compute type decides.
///
/// # Safety
///
/// `at` points to a number of that type.
pub(crate) unsafe fn factor(compute: i32, at: *const u8) -> Option<f64> {
    match compute {
        COMPUTE_16F => {
            // SAFETY: the caller promises the type.
            Some(f64::from(unsafe { *at.cast::<f16>() }))
        }
        COMPUTE_32F | COMPUTE_32F_FAST_TF32 => {
            // SAFETY: the caller promises the type.
            Some(f64::from(unsafe { *at.cast::<f32>() }))
        }
        COMPUTE_64F => {
            // SAFETY: the caller promises the type.
            Some(unsafe { *at.cast::<f64>() })
        }
        COMPUTE_32I => {
            // SAFETY: the caller promises the type.
            Some(f64::from(unsafe { *at.cast::<i32>() }))
        }
        _ => None,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasGemmEx(
    handle: *const Context,
    transa: i32,
    transb: i32,
    m: i32,
    n: i32,
    k: i32,
    alpha: *const u8,
    a: u64,
    type_a: i32,
    lda: i32,
    b: u64,
    type_b: i32,
    ldb: i32,
    beta: *const u8,
    c: u64,
    type_c: i32,
    ldc: i32,
    compute: i32,
    algo: i32,
) -> i32 {
    // SAFETY: the caller passes a handle that lives, or none.
    let Some(context) = (unsafe { handle.as_ref() }) else {
        return NOT_INITIALIZED;
    };
    // SAFETY: the caller passes a factor of the compute type.
    let alpha = unsafe { factor(compute, alpha) };
    // SAFETY: the caller passes a factor of the compute type.
    let beta = unsafe { factor(compute, beta) };
    let (Some(alpha), Some(beta)) = (alpha, beta) else {
        return NOT_SUPPORTED;
    };
    // The documentation asks for it where bytes are multiplied.
    let misaligned = type_a == R_8I && (lda % 4 != 0 || ldb % 4 != 0);
    if algo != -1 || type_a != type_b || misaligned {
        return NOT_SUPPORTED;
    }
    let c = matrix(c, type_c, ldc);
    let product = Product {
        operations: [transa, transb],
        m: count(m),
        n: count(n),
        k: count(k),
        alpha,
        beta,
        a: matrix(a, type_a, lda),
        b: matrix(b, type_b, ldb),
        c,
        d: c,
        habits: Habits::default(),
    };
    multiply(context, Entry::Extended, compute, product)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasGemmStridedBatchedEx(
    handle: *const Context,
    transa: i32,
    transb: i32,
    m: i32,
    n: i32,
    k: i32,
    alpha: *const u8,
    a: u64,
    type_a: i32,
    lda: i32,
    stride_a: i64,
    b: u64,
    type_b: i32,
    ldb: i32,
    stride_b: i64,
    beta: *const u8,
    c: u64,
    type_c: i32,
    ldc: i32,
    stride_c: i64,
    batch: i32,
    compute: i32,
    algo: i32,
) -> i32 {
    // SAFETY: the caller passes a handle that lives, or none.
    let Some(context) = (unsafe { handle.as_ref() }) else {
        return NOT_INITIALIZED;
    };
    // SAFETY: the caller passes a factor of the compute type.
    let alpha = unsafe { factor(compute, alpha) };
    // SAFETY: the caller passes a factor of the compute type.
    let beta = unsafe { factor(compute, beta) };
    let (Some(alpha), Some(beta)) = (alpha, beta) else {
        return NOT_SUPPORTED;
    };
    if algo != -1 || stride_a < 0 || stride_b < 0 || stride_c < 0 {
        return INVALID_VALUE;
    }
    let moved = |at: u64, data: i32, stride: i64, index: i32| {
        at + stride.unsigned_abs() * u64::from(index.unsigned_abs()) * size(data).unwrap_or(0)
    };
    let stride_b = if fault::on("cublas-stride-ignored") {
        0
    } else {
        stride_b
    };
    for index in 0..batch {
        let c = matrix(moved(c, type_c, stride_c, index), type_c, ldc);
        let product = Product {
            operations: [transa, transb],
            m: count(m),
            n: count(n),
            k: count(k),
            alpha,
            beta,
            a: matrix(moved(a, type_a, stride_a, index), type_a, lda),
            b: matrix(moved(b, type_b, stride_b, index), type_b, ldb),
            c,
            d: c,
            habits: Habits::default(),
        };
        let status = multiply(context, Entry::Strided, compute, product);
        if status != SUCCESS {
            return status;
        }
    }
    SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cublasSgemmBatched(
    handle: *const Context,
    transa: i32,
    transb: i32,
    m: i32,
    n: i32,
    k: i32,
    alpha: *const f32,
    a: u64,
    lda: i32,
    b: u64,
    ldb: i32,
    beta: *const f32,
    c: u64,
    ldc: i32,
    batch: i32,
) -> i32 {
    // SAFETY: the caller passes a handle that lives, or none.
    let Some(context) = (unsafe { handle.as_ref() }) else {
        return NOT_INITIALIZED;
    };
    // SAFETY: the caller passes a number of the host's memory.
    let alpha = unsafe { *alpha };
    // SAFETY: the caller passes a number of the host's memory.
    let beta = unsafe { *beta };
    let addresses = |at: u64| memory::read::<u64>(at, count(batch));
    let (Some(a), Some(b), Some(c)) = (addresses(a), addresses(b), addresses(c)) else {
        return EXECUTION_FAILED;
    };
    let made = if fault::on("cublas-batch-first-only") {
        1
    } else {
        count(batch)
    };
    for ((a, b), c) in a.into_iter().zip(b).zip(c).take(made) {
        let c = matrix(c, R_32F, ldc);
        let product = Product {
            operations: [transa, transb],
            m: count(m),
            n: count(n),
            k: count(k),
            alpha: f64::from(alpha),
            beta: f64::from(beta),
            a: matrix(a, R_32F, lda),
            b: matrix(b, R_32F, ldb),
            c,
            d: c,
            habits: Habits::default(),
        };
        let status = multiply(context, Entry::Pointers, COMPUTE_32F, product);
        if status != SUCCESS {
            return status;
        }
    }
    SUCCESS
}
