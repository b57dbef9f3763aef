//! Matrix instructions. The operands are whole numbers, small enough that every partial sum is exact in
//! the accumulator, so the result does not depend on the order of sums and any wrong bit shows.

use half::{bf16, f16};

use super::words::{bytes, word, words};
use crate::{Argument, Buffer, DeviceLimits, Kernel, Launch, LaunchKind, Program, Rerun, Step};

pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        name: "ldmatrix",
        summary: "loads matrices of 8 x 8 elements from shared memory, plain and transposed; a failure points to the fragments of matrix instructions",
        ptx: include_str!("../../ptx/ldmatrix.ptx"),
        needs: &[],
        program: ldmatrix,
    },
    Kernel {
        name: "wmma-f16",
        summary: "matrix products of 16-bit floats with 32-bit sums in fragments that the device lays out; a failure points to the tensor cores",
        ptx: include_str!("../../ptx/wmma-f16.ptx"),
        needs: &[],
        program: |_, seed| Product::new("wmma_f16", 16, 80, HALF).program(seed),
    },
    Kernel {
        name: "wmma-f16-f16",
        summary: "matrix products of 16-bit floats with 16-bit sums in fragments that the device lays out; a failure points to the tensor cores",
        ptx: include_str!("../../ptx/wmma-f16-f16.ptx"),
        needs: &[],
        program: |_, seed| Product::new("wmma_f16_f16", 16, 80, HALF_SUMS).program(seed),
    },
    Kernel {
        name: "wmma-s8",
        summary: "matrix products of signed bytes in fragments that the device lays out; a failure points to the tensor cores",
        ptx: include_str!("../../ptx/wmma-s8.ptx"),
        needs: &[],
        program: |_, seed| Product::new("wmma_s8", 16, 80, BYTES).program(seed),
    },
    Kernel {
        name: "mma-volta",
        summary: "matrix products of 16-bit floats in Volta's own shape; a failure points to the tensor cores or to their emulation",
        ptx: include_str!("../../ptx/mma-volta.ptx"),
        needs: &[],
        program: |_, seed| Product::new("mma_volta", 16, 36, HALF).program(seed),
    },
    Kernel {
        name: "mma-f16-k8",
        summary: "matrix products of 16-bit floats in Turing's shape; a failure points to the tensor cores",
        ptx: include_str!("../../ptx/mma-f16-k8.ptx"),
        needs: &[],
        program: |_, seed| {
            Product::new("mma_f16_k8", 16, 72, HALF)
                .narrow()
                .program(seed)
        },
    },
    Kernel {
        name: "mma-f16",
        summary: "matrix products of 16-bit floats; a failure points to the tensor cores",
        ptx: include_str!("../../ptx/mma-f16.ptx"),
        needs: &[],
        program: |_, seed| Product::new("mma_f16", 16, 80, HALF).narrow().program(seed),
    },
    Kernel {
        name: "mma-bf16",
        summary: "matrix products of bfloat16; a failure points to the tensor cores",
        ptx: include_str!("../../ptx/mma-bf16.ptx"),
        needs: &[],
        program: |_, seed| {
            Product::new("mma_bf16", 16, 80, BFLOAT)
                .narrow()
                .program(seed)
        },
    },
    Kernel {
        name: "mma-tf32",
        summary: "matrix products of TF32; a failure points to the tensor cores",
        ptx: include_str!("../../ptx/mma-tf32.ptx"),
        needs: &[],
        program: |_, seed| {
            Product::new("mma_tf32", 16, 72, TF32)
                .narrow()
                .program(seed)
        },
    },
    Kernel {
        name: "mma-s8-k16",
        summary: "matrix products of signed bytes in Turing's shape; a failure points to the tensor cores",
        ptx: include_str!("../../ptx/mma-s8-k16.ptx"),
        needs: &[],
        program: |_, seed| {
            Product::new("mma_s8_k16", 8, 80, BYTES)
                .narrow()
                .program(seed)
        },
    },
    Kernel {
        name: "mma-s8",
        summary: "matrix products of signed bytes; a failure points to the tensor cores",
        ptx: include_str!("../../ptx/mma-s8.ptx"),
        needs: &[],
        program: |_, seed| {
            Product::new("mma_s8", 16, 160, BYTES)
                .narrow()
                .program(seed)
        },
    },
    Kernel {
        name: "mma-f64",
        summary: "matrix products of 64-bit floats; a failure points to the tensor cores",
        ptx: include_str!("../../ptx/mma-f64.ptx"),
        needs: &[],
        program: |_, seed| {
            Product::new("mma_f64", 8, 36, DOUBLE)
                .narrow()
                .program(seed)
        },
    },
    Kernel {
        name: "mma-b1",
        summary: "counts of differing bits between rows and columns; a failure points to the tensor cores",
        ptx: include_str!("../../ptx/mma-b1.ptx"),
        needs: &[],
        program: bits,
    },
    Kernel {
        name: "mma-e4m3",
        summary: "matrix products of 8-bit floats; a failure points to the tensor cores",
        ptx: include_str!("../../ptx/mma-e4m3.ptx"),
        needs: &[],
        program: |_, seed| {
            Product::new("mma_e4m3", 16, 160, FLOAT8)
                .narrow()
                .program(seed)
        },
    },
];

/// How whole numbers become operands and sums, and how large they may be.
#[derive(Clone, Copy)]
struct Format {
    /// The largest magnitudes in A, in B, and in C.
    limits: [u32; 3],
    operand: fn(i32, &mut Vec<u8>),
    sum: fn(i64, &mut Vec<u8>),
    sum_bytes: usize,
}

/// 80 products of at most 2047 x 25 stay below 2^22.
const HALF: Format = Format {
    limits: [2047, 25, 4000],
    operand: half_operand,
    sum: float_sum,
    sum_bytes: 4,
};

/// 80 products of at most 5 x 5 and the addend stay within 2^11, the whole numbers that 16 bits hold.
const HALF_SUMS: Format = Format {
    limits: [5, 5, 48],
    operand: half_operand,
    sum: |sum, out| half_operand(i32::try_from(sum).expect("limited to 2048"), out),
    sum_bytes: 2,
};

/// 8 bits of significand hold whole numbers up to 2^8.
const BFLOAT: Format = Format {
    limits: [255, 200, 4000],
    operand: |value, out| out.extend(bf16::from_f32(single(value.into())).to_le_bytes()),
    sum: float_sum,
    sum_bytes: 4,
};

/// 11 bits of significand hold whole numbers up to 2^11.
const TF32: Format = Format {
    limits: [2047, 28, 4000],
    operand: |value, out| float_sum(value.into(), out),
    sum: float_sum,
    sum_bytes: 4,
};

const BYTES: Format = Format {
    limits: [127, 127, 1_000_000],
    operand: |value, out| out.extend(i8::try_from(value).expect("limited to 127").to_le_bytes()),
    sum: |sum, out| out.extend(i32::try_from(sum).expect("limited by K").to_le_bytes()),
    sum_bytes: 4,
};

const DOUBLE: Format = Format {
    limits: [1 << 22, 1 << 22, 1 << 30],
    operand: |value, out| out.extend(f64::from(value).to_le_bytes()),
    sum: |sum, out| out.extend(double(sum).to_le_bytes()),
    sum_bytes: 8,
};

/// Sums of 8-bit floats keep as little as 14 bits on some devices: 160 products of at most 7 x 7 and the
/// addend stay below 2^13.
const FLOAT8: Format = Format {
    limits: [7, 7, 300],
    operand: |value, out| out.push(e4m3(value)),
    sum: float_sum,
    sum_bytes: 4,
};

fn half_operand(value: i32, out: &mut Vec<u8>) {
    out.extend(f16::from_f32(single(value.into())).to_le_bytes());
}

fn float_sum(sum: i64, out: &mut Vec<u8>) {
    out.extend(single(sum).to_le_bytes());
}

#[expect(clippy::cast_precision_loss, reason = "the numbers stay below 2^24")]
fn single(value: i64) -> f32 {
    debug_assert!(value.abs() < 1 << 24);
    value as f32
}

#[expect(clippy::cast_precision_loss, reason = "the numbers stay below 2^53")]
fn double(value: i64) -> f64 {
    debug_assert!(value.abs() < 1 << 53);
    value as f64
}

/// A whole number from -15 to 15 with four significant bits as an 8-bit float of four exponent bits
/// (bias 7) and three mantissa bits.
fn e4m3(value: i32) -> u8 {
    let sign = u8::from(value < 0) << 7;
    match u8::try_from(value.unsigned_abs()).expect("limited to 15") {
        0 => 0,
        magnitude => {
            let exponent = u8::try_from(magnitude.ilog2()).expect("at most 3");
            let mantissa = (magnitude << (3 - exponent)) & 7;
            sign | (exponent + 7) << 3 | mantissa
        }
    }
}

/// A product of three tiles of rows, three or five tiles of columns, and several steps in between.
struct Product {
    entry: &'static str,
    /// Rows and columns of one block's part of the result.
    tile: [usize; 2],
    /// How many parts there are, in rows and columns.
    tiles: [usize; 2],
    /// How many products each element sums.
    depth: usize,
    format: Format,
}

impl Product {
    /// Square tiles, three by three.
    fn new(entry: &'static str, tile: usize, depth: usize, format: Format) -> Self {
        Self {
            entry,
            tile: [tile, tile],
            tiles: [3, 3],
            depth,
            format,
        }
    }

    /// Tiles of eight columns, three by five.
    fn narrow(self) -> Self {
        Self {
            tile: [self.tile[0], 8],
            tiles: [3, 5],
            ..self
        }
    }

    fn program(&self, seed: u64) -> Program {
        let Self { depth, format, .. } = *self;
        let [rows, columns] = std::array::from_fn(|axis| self.tile[axis] * self.tiles[axis]);
        let matrix = |stream: u64, count: usize| -> Vec<i64> {
            let limit = format.limits[usize::try_from(stream).expect("one of three")];
            let number = |index| {
                let positive = word(seed, stream, index) % (2 * limit + 1);
                i64::from(positive) - i64::from(limit)
            };
            (0..count).map(number).collect()
        };
        // A lies row by row, B column by column.
        let (a, b) = (matrix(0, rows * depth), matrix(1, columns * depth));
        let c = matrix(2, rows * columns);
        let element = |row: usize, column: usize| {
            let (row_of_a, column_of_b) =
                (&a[row * depth..][..depth], &b[column * depth..][..depth]);
            let products = row_of_a.iter().zip(column_of_b).map(|(a, b)| a * b);
            c[row * columns + column] + products.sum::<i64>()
        };
        let d: Vec<i64> = (0..rows * columns)
            .map(|index| element(index / columns, index % columns))
            .collect();
        let operands = |values: &[i64]| {
            let mut out = Vec::new();
            for value in values {
                (format.operand)(i32::try_from(*value).expect("limited"), &mut out);
            }
            out
        };
        let sums = |values: &[i64]| {
            let mut out = Vec::new();
            values
                .iter()
                .for_each(|value| (format.sum)(*value, &mut out));
            out
        };
        multiplication(self, [operands(&a), operands(&b), sums(&c), sums(&d)])
    }
}

/// The program with the bytes of A, B, C, and of the expected D.
fn multiplication(product: &Product, [a, b, c, d]: [Vec<u8>; 4]) -> Program {
    let tiles = |axis: usize| u32::try_from(product.tiles[axis]).expect("a few tiles");
    Program {
        buffers: vec![
            Buffer::input("a", a),
            Buffer::input("b", b),
            Buffer::input("c", c),
            Buffer::output("d", d, product.format.sum_bytes),
        ],
        steps: vec![Step::Launch(Launch {
            entry: product.entry,
            grid: [tiles(1), tiles(0), 1],
            block: [32, 1, 1],
            dynamic_shared: 0,
            kind: LaunchKind::Plain,
            arguments: (0..4).map(Argument::Buffer).collect(),
        })],
        rerun: Rerun::BitIdentical,
    }
}

fn bits(_: &DeviceLimits, seed: u64) -> Program {
    // 640 bits in a row of A and in a column of B: 20 words.
    let product = Product::new("mma_b1", 8, 20, BYTES).narrow();
    let (rows, columns) = (24, 40);
    let (a, b) = (words(seed, 0, rows * 20), words(seed, 1, columns * 20));
    let c: Vec<u32> = words(seed, 2, rows * columns)
        .iter()
        .map(|word| word >> 1)
        .collect();
    let d: Vec<u32> = (0..rows * columns)
        .map(|index| {
            let (row, column) = (&a[index / columns * 20..], &b[index % columns * 20..]);
            let differing = row
                .iter()
                .zip(column)
                .take(20)
                .map(|(a, b)| (a ^ b).count_ones());
            differing.fold(c[index], u32::wrapping_add)
        })
        .collect();
    multiplication(&product, [bytes(&a), bytes(&b), bytes(&c), bytes(&d)])
}

fn ldmatrix(_: &DeviceLimits, seed: u64) -> Program {
    let (rows, threads) = (128, 128);
    let input = words(seed, 0, rows * 4);
    let chosen: Vec<u32> = (0..threads)
        .map(|index| word(seed, 1, index) % 128)
        .collect();
    // The element of a row: the lower half of a word comes first.
    let element = |row: u32, column: usize| {
        let word = input[row as usize * 4 + column / 2];
        word >> (column % 2 * 16) & 0xFFFF
    };
    let expected: Vec<u32> = (0..threads)
        .flat_map(|thread| {
            let (warp, lane) = (thread / 32 * 32, thread % 32);
            let (group, pair) = (lane / 4, lane % 4 * 2);
            // The lane `8 * matrix + row` of the warp has named the row.
            let at = |matrix: usize, row: usize, column: usize| {
                element(chosen[warp + matrix * 8 + row], column)
            };
            let plain = move |matrix| at(matrix, group, pair + 1) << 16 | at(matrix, group, pair);
            let turned = move |matrix| at(matrix, pair + 1, group) << 16 | at(matrix, pair, group);
            let mut fragments = Vec::new();
            for count in [1, 2, 4] {
                fragments.extend((0..count).map(plain));
                fragments.extend((0..count).map(turned));
            }
            fragments
        })
        .collect();
    Program {
        buffers: vec![
            Buffer::input("input", bytes(&input)),
            Buffer::input("rows", bytes(&chosen)),
            Buffer::output("out", bytes(&expected), 4),
        ],
        steps: vec![Step::Launch(Launch::linear(
            "ldmatrix",
            128,
            128,
            (0..3).map(Argument::Buffer).collect(),
        ))],
        rerun: Rerun::BitIdentical,
    }
}
