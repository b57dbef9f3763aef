//! Products of matrices: by what stands for cuBLAS, and by what stands for MAGMA's own kernels.

use std::ffi::c_void;

use super::{Int, TRANSPOSED, size};
use crate::{fault, memory};

/// What a product is made of.
struct Product {
    transposed: [bool; 2],
    sizes: [usize; 3],
    factors: [f64; 2],
    operands: [(u64, usize); 3],
}

impl Product {
    /// Computes and stores; none if the driver refuses.
    fn run<T: Number>(&self, prepare: impl Fn(f64) -> f64) -> Option<()> {
        let [m, n, k] = self.sizes;
        let [(a, lda), (b, ldb), (c, ldc)] = self.operands;
        let [alpha, beta] = self.factors;
        let width = |transposed: bool, rows: usize, columns: usize| {
            if transposed { rows } else { columns }
        };
        let a = T::read(a, lda * width(self.transposed[0], m, k))?;
        let b = T::read(b, ldb * width(self.transposed[1], k, n))?;
        for j in 0..n {
            let mut column = T::read(c + (j * ldc * size_of::<T>()) as u64, m)?;
            for (i, element) in column.iter_mut().enumerate() {
                let mut sum = 0.0;
                for l in 0..k {
                    let left = a[if self.transposed[0] {
                        l + i * lda
                    } else {
                        i + l * lda
                    }];
                    let right = b[if self.transposed[1] {
                        j + l * ldb
                    } else {
                        l + j * ldb
                    }];
                    sum += prepare(left) * prepare(right);
                }
                let before = if beta == 0.0 { 0.0 } else { beta * *element };
                *element = alpha * sum + before;
            }
            T::write(c + (j * ldc * size_of::<T>()) as u64, &column)?;
        }
        Some(())
    }
}

trait Number: Sized {
    fn read(at: u64, count: usize) -> Option<Vec<f64>>;
    fn write(at: u64, values: &[f64]) -> Option<()>;
}

impl Number for f64 {
    fn read(at: u64, count: usize) -> Option<Vec<f64>> {
        memory::read(at, count)
    }
    fn write(at: u64, values: &[f64]) -> Option<()> {
        memory::write(at, values)
    }
}

impl Number for f32 {
    fn read(at: u64, count: usize) -> Option<Vec<f64>> {
        let values = memory::read::<Self>(at, count)?;
        Some(values.into_iter().map(f64::from).collect())
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the nearest number is what is stored"
    )]
    fn write(at: u64, values: &[f64]) -> Option<()> {
        let values: Vec<Self> = values.iter().map(|value| *value as Self).collect();
        memory::write(at, &values)
    }
}

#[unsafe(no_mangle)]
extern "C" fn magma_dgemm(
    a_as: i32,
    b_as: i32,
    m: Int,
    n: Int,
    k: Int,
    alpha: f64,
    a: u64,
    lda: Int,
    b: u64,
    ldb: Int,
    beta: f64,
    c: u64,
    ldc: Int,
    _queue: *mut c_void,
) {
    let beta = if fault::on("magma-cublas-beta") {
        0.0
    } else {
        beta
    };
    let product = Product {
        transposed: [a_as == TRANSPOSED, b_as == TRANSPOSED],
        sizes: [size(m), size(n), size(k)],
        factors: [alpha, beta],
        operands: [(a, size(lda)), (b, size(ldb)), (c, size(ldc))],
    };
    let _ = product.run::<f64>(|value| value);
}

/// Like MAGMA's, it does not say when its kernels did not run.
#[unsafe(no_mangle)]
extern "C" fn magmablas_dgemm(
    a_as: i32,
    b_as: i32,
    m: Int,
    n: Int,
    k: Int,
    alpha: f64,
    a: u64,
    lda: Int,
    b: u64,
    ldb: Int,
    beta: f64,
    c: u64,
    ldc: Int,
    _queue: *mut c_void,
) {
    if fault::no_code("magma") || fault::on("magmablas-dgemm-silent") {
        return;
    }
    let product = Product {
        transposed: [a_as == TRANSPOSED, b_as == TRANSPOSED],
        sizes: [size(m), size(n), size(k)],
        factors: [alpha, beta],
        operands: [(a, size(lda)), (b, size(ldb)), (c, size(ldc))],
    };
    let _ = product.run::<f64>(|value| value);
}

/// Like MAGMA's, it does not say when its kernels did not run.
#[unsafe(no_mangle)]
extern "C" fn magmablas_sgemm(
    a_as: i32,
    b_as: i32,
    m: Int,
    n: Int,
    k: Int,
    alpha: f32,
    a: u64,
    lda: Int,
    b: u64,
    ldb: Int,
    beta: f32,
    c: u64,
    ldc: Int,
    _queue: *mut c_void,
) {
    if fault::no_code("magma") {
        return;
    }
    let product = Product {
        transposed: [a_as == TRANSPOSED, b_as == TRANSPOSED],
        sizes: [size(m), size(n), size(k)],
        factors: [f64::from(alpha), f64::from(beta)],
        operands: [(a, size(lda)), (b, size(ldb)), (c, size(ldc))],
    };
    let tensor = |value: f64| {
        // Adding and subtracting 3 · 2^(exponent + 41) leaves 11 bits of a number.
        let large = 3.0 * 2f64.powi(41) * value.abs().max(f64::MIN_POSITIVE).log2().floor().exp2();
        (value + large) - large
    };
    let _ = if fault::on("magmablas-sgemm-tf32") {
        product.run::<f32>(tensor)
    } else {
        product.run::<f32>(|value| value)
    };
}
