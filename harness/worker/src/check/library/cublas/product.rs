//! Matrix products whose results are known to the last bit: operands, how they lie in memory, and the comparison.
//!
//! Matrices are column-major, as BLAS has them. Operands are integers so small that every partial sum is exact in the
//! accumulator, so that neither the order of summation nor the kind of unit that computes makes a difference.

use std::fmt;

use half::{bf16, f16};

use super::super::exact::{self, Element, POISON};
use super::ffi::{DataType, Operation};

/// The numbers m, n, and k of C(m x n) = op(A)(m x k) op(B)(k x n).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::check::library) struct Shape {
    pub(in crate::check::library) m: usize,
    pub(in crate::check::library) n: usize,
    pub(in crate::check::library) k: usize,
}

impl Shape {
    /// No dimension is a multiple of any tile: kernels meet edges on all sides.
    pub(in crate::check::library) const ODD: Self = Self {
        m: 129,
        n: 65,
        k: 257,
    };
    /// Every dimension is a multiple of what tensor cores take at once.
    pub(in crate::check::library) const EVEN: Self = Self {
        m: 128,
        n: 64,
        k: 256,
    };
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x{}x{}", self.m, self.n, self.k)
    }
}

/// An element that integers are turned into.
pub(in crate::check::library) trait Exact: Element {
    /// What cuBLAS calls it.
    const TYPE: DataType;
    /// What fills the space between the columns of operands: it spoils every sum that it enters. It is finite, since
    /// a library may read it as long as it multiplies it by zero.
    const OUTSIDE: Self;
    /// The element nearest to an integer.
    fn exactly(value: i64) -> Self;
}

macro_rules! exact {
    ($($type:ty, $data:ident, $outside:expr, $value:ident => $exactly:expr;)*) => {$(
        impl Exact for $type {
            const TYPE: DataType = DataType::$data;
            const OUTSIDE: Self = $outside;
            fn exactly($value: i64) -> Self {
                $exactly
            }
        }
    )*};
}

exact! {
    f32, F32, f32::from_bits(0x4E80_0000), value => value as f32;
    f64, F64, f64::from_bits(0x43B0_0000_0000_0000), value => value as f64;
    f16, F16, f16::from_bits(0x7B00), value => f16::from_f64(value as f64);
    bf16, BF16, bf16::from_bits(0x4E80), value => bf16::from_f64(value as f64);
    i8, I8, 113, value => i8::try_from(value).expect("operands fit their type");
    i32, I32, 0x5A5A_5A5A, value => i32::try_from(value).expect("results fit their type");
}

/// A matrix with this many rows and columns, whose columns begin this many elements apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::check::library) struct Layout {
    pub(in crate::check::library) rows: usize,
    pub(in crate::check::library) columns: usize,
    /// The leading dimension.
    pub(in crate::check::library) apart: usize,
}

impl Layout {
    /// Elements from the first to the end of the last column's padding.
    pub(in crate::check::library) fn length(self) -> usize {
        self.apart * self.columns
    }

    /// The leading dimension, as the functions take it.
    pub(in crate::check::library) fn leading(self) -> i32 {
        number(self.apart)
    }
}

/// A dimension, as the functions take it.
pub(in crate::check::library) fn number(count: usize) -> i32 {
    i32::try_from(count).expect("dimensions are constants of the tests")
}

/// How the operands of a product lie in memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::check::library) struct Form {
    pub(in crate::check::library) op_a: Operation,
    pub(in crate::check::library) op_b: Operation,
    /// Elements between the end of a column and the beginning of the next.
    pub(in crate::check::library) gap: Gap,
}

/// What lies between columns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::check::library) enum Gap {
    /// Nothing.
    None,
    /// An odd number of elements, so that hardly any column is aligned.
    Odd,
    /// As many as it takes to a multiple of four, and four: what products of bytes ask for.
    Fours,
}

impl Form {
    pub(in crate::check::library) const fn new(op_a: Operation, op_b: Operation, gap: Gap) -> Self {
        Self { op_a, op_b, gap }
    }

    /// How a logical matrix of so many rows and columns is stored.
    fn layout(self, operation: Operation, rows: usize, columns: usize, more: usize) -> Layout {
        let (rows, columns) = if operation == Operation::PLAIN {
            (rows, columns)
        } else {
            (columns, rows)
        };
        let apart = match self.gap {
            Gap::None => rows,
            Gap::Odd => rows + more,
            Gap::Fours => rows.next_multiple_of(4) + 4,
        };
        Layout {
            rows,
            columns,
            apart,
        }
    }

    /// How A, B, and C are stored. Their leading dimensions differ, so that one taken for another shows.
    pub(in crate::check::library) fn layouts(self, shape: Shape) -> [Layout; 3] {
        let Shape { m, n, k } = shape;
        [
            self.layout(self.op_a, m, k, 3),
            self.layout(self.op_b, k, n, 5),
            self.layout(Operation::PLAIN, m, n, 7),
        ]
    }
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |operation: Operation| match operation {
            Operation::PLAIN => 'N',
            Operation::TRANSPOSED => 'T',
            Operation(_) => 'C',
        };
        write!(formatter, "{}{}", letter(self.op_a), letter(self.op_b))
    }
}

/// The greatest absolute values of the operands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::check::library) struct Bounds {
    pub(in crate::check::library) a: u32,
    pub(in crate::check::library) b: u32,
    pub(in crate::check::library) c: u32,
}

/// op(A), op(B), C, and op(A) op(B), each dense and column by column.
#[derive(Clone, Debug)]
pub(in crate::check::library) struct Integers {
    pub(in crate::check::library) shape: Shape,
    pub(in crate::check::library) a: Vec<i64>,
    pub(in crate::check::library) b: Vec<i64>,
    pub(in crate::check::library) c: Vec<i64>,
    product: Vec<i64>,
}

impl Integers {
    pub(in crate::check::library) fn new(seed: u64, shape: Shape, bounds: Bounds) -> Self {
        Self::with_seeds([seed; 3], shape, bounds)
    }

    /// With a seed for each of the matrices.
    pub(in crate::check::library) fn with_seeds(
        seeds: [u64; 3],
        shape: Shape,
        bounds: Bounds,
    ) -> Self {
        let Shape { m, n, k } = shape;
        let a = exact::integers(seeds[0], 0, bounds.a, m * k);
        let b = exact::integers(seeds[1], 1, bounds.b, k * n);
        let c = exact::integers(seeds[2], 2, bounds.c, m * n);
        let product = multiplied(shape, &a, &b);
        Self {
            shape,
            a,
            b,
            c,
            product,
        }
    }

    /// alpha op(A) op(B) + beta C.
    pub(in crate::check::library) fn result(&self, factors: Factors) -> Vec<i64> {
        let Factors { alpha, beta } = factors;
        let pairs = self.product.iter().zip(&self.c);
        pairs.map(|(ab, c)| alpha * ab + beta * c).collect()
    }
}

/// alpha and beta.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::check::library) struct Factors {
    pub(in crate::check::library) alpha: i64,
    pub(in crate::check::library) beta: i64,
}

impl Factors {
    /// Both count, and neither is a power of two.
    pub(in crate::check::library) const BOTH: Self = Self { alpha: 3, beta: -5 };
    /// The plain product: what C holds before must not matter.
    pub(in crate::check::library) const PRODUCT: Self = Self { alpha: 1, beta: 0 };
    /// The product is added to C.
    pub(in crate::check::library) const SUM: Self = Self { alpha: 1, beta: 1 };
}

/// The product of an m x k and a k x n matrix.
pub(in crate::check::library) fn multiplied<T>(shape: Shape, a: &[T], b: &[T]) -> Vec<T>
where
    T: Copy + Default + std::ops::Mul<Output = T> + std::ops::AddAssign,
{
    let Shape { m, n, k } = shape;
    let mut product = vec![T::default(); m * n];
    for (column, b) in product.chunks_exact_mut(m).zip(b.chunks_exact(k)) {
        for (a, factor) in a.chunks_exact(m).zip(b) {
            for (sum, a) in column.iter_mut().zip(a) {
                *sum += *a * *factor;
            }
        }
    }
    product
}

/// A dense matrix of `rows` rows as it lies in memory: transposed if need be, with `outside` between its columns.
pub(in crate::check::library) fn stored<S: Copy, T: Copy>(
    dense: &[S],
    rows: usize,
    operation: Operation,
    layout: Layout,
    outside: T,
    element: impl Fn(S) -> T,
) -> Vec<T> {
    let mut memory = vec![outside; layout.length()];
    for (index, value) in dense.iter().enumerate() {
        let (row, column) = (index % rows, index / rows);
        let place = if operation == Operation::PLAIN {
            row + column * layout.apart
        } else {
            column + row * layout.apart
        };
        memory[place] = element(*value);
    }
    memory
}

/// An element that has every byte poisoned.
pub(in crate::check::library) fn poison<T: Element>() -> T {
    T::get(&vec![POISON; T::SIZE])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Shape = Shape { m: 2, n: 1, k: 3 };

    #[test]
    fn a_product_is_what_it_is_by_hand() {
        // A = [1 2 3; 4 5 6], b = [7, 8, 9].
        let product = multiplied(SMALL, &[1, 4, 2, 5, 3, 6], &[7, 8, 9]);
        assert_eq!(product, [50, 122]);
    }

    #[test]
    fn factors_are_applied() {
        let integers = Integers {
            shape: SMALL,
            a: vec![],
            b: vec![],
            c: vec![10, 20],
            product: vec![1, 2],
        };
        assert_eq!(integers.result(Factors::BOTH), [3 - 50, 6 - 100]);
    }

    #[test]
    fn a_matrix_lies_in_memory_as_blas_has_it() {
        let form = Form::new(Operation::PLAIN, Operation::TRANSPOSED, Gap::Odd);
        let [a, b, c] = form.layouts(SMALL);
        assert_eq!((a.rows, a.columns, a.apart), (2, 3, 5));
        assert_eq!((b.rows, b.columns, b.apart), (1, 3, 6));
        assert_eq!((c.rows, c.columns, c.apart), (2, 1, 9));
        let layout = Layout {
            rows: 3,
            columns: 2,
            apart: 4,
        };
        // The logical matrix is [1 3 5; 2 4 6]; its transpose has the columns [1 3 5] and [2 4 6].
        let memory = stored(
            &[1, 2, 3, 4, 5, 6],
            2,
            Operation::TRANSPOSED,
            layout,
            0,
            |it| it,
        );
        assert_eq!(memory, [1, 3, 5, 0, 2, 4, 6, 0]);
    }
}
