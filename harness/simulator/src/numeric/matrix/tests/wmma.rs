//! `wmma`: from memory through fragments to memory again.

use super::super::{BitOperation, Element, Lanes, Operand, Order, Overflow, Wmma};
use super::{Numbers, encoded, expected};

/// Loads a matrix from memory, as an interpreter does.
fn load(wmma: &Wmma, operand: Operand, order: Order, stride: u64, memory: &[u8]) -> Vec<Lanes> {
    let mut fragment = vec![[0; 32]; wmma.registers(operand)];
    for lane in 0..32 {
        for (register, lanes) in fragment.iter_mut().enumerate() {
            for piece in 0..wmma.pieces(operand) {
                let place = wmma.place(operand, order, stride, lane, register, piece);
                let mut bytes = [0; 4];
                let from = place.byte_offset as usize;
                let size = place.bytes as usize;
                bytes[..size].copy_from_slice(&memory[from..from + size]);
                lanes[lane] |= u32::from_le_bytes(bytes) << place.shift;
            }
        }
    }
    fragment
}

/// Lays a matrix out in memory.
fn memory(element: Element, order: Order, stride: usize, values: &[Vec<i64>]) -> Vec<u8> {
    let (rows, columns) = (values.len(), values[0].len());
    let bits = element.bits() as usize;
    let lines = if order == Order::Row { rows } else { columns };
    let mut bytes = vec![0; lines * stride * bits / 8];
    for (row, line) in values.iter().enumerate() {
        for (column, &value) in line.iter().enumerate() {
            let (slow, fast) = if order == Order::Row {
                (row, column)
            } else {
                (column, row)
            };
            let start = (slow * stride + fast) * bits;
            let value = u128::from(encoded(element, value)) << (start % 8);
            for (byte, part) in bytes[start / 8..].iter_mut().zip(value.to_le_bytes()) {
                *byte |= part;
            }
        }
    }
    bytes
}

#[track_caller]
fn check_wmma(wmma: Wmma, registers: (usize, usize, usize)) {
    assert!(wmma.check(), "{wmma:?}");
    let counts = [Operand::A, Operand::B, Operand::D].map(|operand| wmma.registers(operand));
    assert_eq!((counts[0], counts[1], counts[2]), registers, "{wmma:?}");
    let mut numbers = Numbers(7);
    let matrices = expected(
        &mut numbers,
        (wmma.m, wmma.n, wmma.k),
        (wmma.a, wmma.b),
        wmma.bit_operation,
    );
    let narrow = wmma.a.bits() < 8;
    for a_order in [Order::Row, Order::Column] {
        for b_order in [Order::Column, Order::Row] {
            // PTX has no other layouts for elements below a byte.
            if narrow && (a_order, b_order) != (Order::Row, Order::Column) {
                continue;
            }
            for (c_order, d_order) in [(Order::Row, Order::Column), (Order::Column, Order::Row)] {
                let stride = 288_usize;
                let get = |operand, element, order, values: &Vec<Vec<i64>>| {
                    let bytes = memory(element, order, stride, values);
                    load(&wmma, operand, order, stride as u64, &bytes)
                };
                let a = get(Operand::A, wmma.a, a_order, &matrices.a);
                let b = get(Operand::B, wmma.b, b_order, &matrices.b);
                let c = get(Operand::C, wmma.c, c_order, &matrices.c);
                let mut d = vec![[0; 32]; wmma.registers(Operand::D)];
                wmma.multiply(&a, &b, &c, &mut d, None);
                let expected = memory(wmma.d, d_order, stride, &matrices.d);
                let mut stored = vec![0; expected.len()];
                for lane in 0..32 {
                    for (register, lanes) in d.iter().enumerate() {
                        for piece in 0..wmma.pieces(Operand::D) {
                            let place = wmma.place(
                                Operand::D,
                                d_order,
                                stride as u64,
                                lane,
                                register,
                                piece,
                            );
                            let bytes = (lanes[lane] >> place.shift).to_le_bytes();
                            let (to, size) = (place.byte_offset as usize, place.bytes as usize);
                            stored[to..to + size].copy_from_slice(&bytes[..size]);
                        }
                    }
                }
                assert_eq!(
                    stored, expected,
                    "{wmma:?} {a_order:?} {b_order:?} {c_order:?}"
                );
            }
        }
    }
}

/// The register counts are those of the fragment table of the PTX ISA.
#[test]
fn wmma_of_every_shape() {
    use Element::{B1, Bf16, F16, F32, F64, S4, S8, S32, Tf32, U4, U8};
    let wmma = |(m, n, k), a, c, d| Wmma {
        m,
        n,
        k,
        a,
        b: a,
        c,
        d,
        overflow: Overflow::Wrap,
        bit_operation: BitOperation::Xor,
    };
    for shape in [(16, 16, 16), (32, 8, 16), (8, 32, 16)] {
        for (c, d) in [(F16, F16), (F32, F32), (F16, F32), (F32, F16)] {
            check_wmma(wmma(shape, F16, c, d), (8, 8, if d == F16 { 4 } else { 8 }));
        }
    }
    check_wmma(wmma((16, 16, 16), Bf16, F32, F32), (4, 4, 8));
    check_wmma(wmma((8, 32, 16), Bf16, F32, F32), (2, 8, 8));
    check_wmma(wmma((32, 8, 16), Bf16, F32, F32), (8, 2, 8));
    for bytes in [S8, U8] {
        check_wmma(wmma((16, 16, 16), bytes, S32, S32), (2, 2, 8));
        check_wmma(wmma((8, 32, 16), bytes, S32, S32), (1, 4, 8));
        check_wmma(wmma((32, 8, 16), bytes, S32, S32), (4, 1, 8));
    }
    check_wmma(wmma((16, 16, 8), Tf32, F32, F32), (4, 4, 8));
    // One and two registers of 64 bits.
    check_wmma(wmma((8, 8, 4), F64, F64, F64), (2, 2, 4));
    check_wmma(wmma((8, 8, 32), S4, S32, S32), (1, 1, 2));
    check_wmma(wmma((8, 8, 32), U4, S32, S32), (1, 1, 2));
    check_wmma(wmma((8, 8, 128), B1, S32, S32), (1, 1, 2));
}
