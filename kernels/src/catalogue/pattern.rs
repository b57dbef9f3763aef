//! Large memory: a pattern that depends on every address is written, read again, complemented, and
//! repeated with another seed. It finds wrong data and wrong addresses; it does not diagnose DRAM chips,
//! whose order address hashing, caches, and error correction hide.

use std::collections::BTreeMap;

use crate::{
    Argument, Buffer, DeviceLimits, Expected, Initial, Kernel, Launch, Program, Rerun, Step, input,
};

pub(super) const KERNELS: &[Kernel] = &[Kernel {
    name: "memory-pattern",
    summary: "four passes of an address-dependent pattern over device memory; a failure points to memory, its addressing, or the path to it",
    ptx: include_str!("../../ptx/memory-pattern.ptx"),
    needs: &[],
    program: memory_pattern,
}];

/// The two double words of a piece of 16 bytes. Different pieces have different ones.
fn piece(index: u64, seed: u64, flip: u64) -> [u64; 2] {
    let x = index.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(seed);
    let x = (x ^ x >> 32).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = x ^ x >> 29;
    let y = x.wrapping_mul(0x94D0_49BB_1331_11EB);
    [x ^ flip, y ^ y >> 32 ^ flip]
}

fn pieces(count: u64, seed: u64, flip: u64) -> Vec<u64> {
    (0..count)
        .flat_map(|index| piece(index, seed, flip))
        .collect()
}

fn bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// How many wrong double words a report describes; it counts all.
const RECORDS: usize = 64;
const REPORT_BYTES: usize = 32 + RECORDS * 32;

/// One wrong double word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Record {
    expected: u64,
    got: u64,
    second: u64,
}

/// The count of wrong double words, and the recorded ones by their byte offset.
fn read_report(report: &[u8]) -> (u64, BTreeMap<u64, Record>) {
    let (words, _) = report.as_chunks::<8>();
    let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
    let filled = usize::try_from(words[0]).map_or(RECORDS, |count| count.min(RECORDS));
    let record = |row: &[u64; 4]| {
        let [offset, expected, got, second] = *row;
        (
            offset,
            Record {
                expected,
                got,
                second,
            },
        )
    };
    let (rows, _) = words[4..].as_chunks::<4>();
    (words[0], rows[..filled].iter().map(record).collect())
}

fn report(
    name: &'static str,
    property: impl Fn(&[u8]) -> Result<(), String> + Send + Sync + 'static,
) -> Buffer {
    Buffer {
        name,
        initial: Initial::Bytes(vec![0; REPORT_BYTES]),
        expected: Expected::Property(Box::new(property)),
    }
}

/// No word may differ. The message names the first bad offset that was recorded.
fn no_errors(name: &'static str) -> Buffer {
    report(name, move |report| {
        let (count, records) = read_report(report);
        match records.first_key_value() {
            None => Ok(()),
            Some((
                offset,
                Record {
                    expected,
                    got,
                    second,
                },
            )) => Err(format!(
                "{count} double words differ; one at byte offset {offset:#x} is {got:#018x}, expected {expected:#018x}: bits {:#018x} differ; a second read gave {second:#018x}",
                expected ^ got
            )),
        }
    })
}

/// Exactly these words differ: more than a report has room for.
fn exactly(name: &'static str, planted: BTreeMap<u64, Record>) -> Buffer {
    report(name, move |report| {
        let (count, records) = read_report(report);
        if count != planted.len() as u64 || records.len() != RECORDS {
            return Err(format!(
                "{count} wrong double words counted and {} recorded, but {} were planted",
                records.len(),
                planted.len()
            ));
        }
        let strange = records
            .iter()
            .find(|(offset, record)| planted.get(offset) != Some(record));
        match strange {
            None => Ok(()),
            Some((offset, record)) => Err(format!(
                "recorded {record:x?} at byte offset {offset:#x}, but {:x?} was planted there",
                planted.get(offset)
            )),
        }
    })
}

/// A launch with at least 16 pieces for each thread, up to four blocks for each multiprocessor.
fn launch(
    limits: &DeviceLimits,
    entry: &'static str,
    buffer: usize,
    (count, seed, flip): (u64, u64, u64),
    report: Option<usize>,
) -> Step {
    let enough = u32::try_from(count / (256 * 16)).unwrap_or(u32::MAX);
    let blocks = enough.clamp(1, limits.multiprocessors.max(1) * 4);
    let mut arguments = vec![
        Argument::Buffer(buffer),
        Argument::u64(count),
        Argument::u64(seed),
        Argument::u64(flip),
    ];
    arguments.extend(report.map(Argument::Buffer));
    Step::Launch(Launch::linear(entry, blocks * 256, 256, arguments))
}

fn memory_pattern(limits: &DeviceLimits, seed: u64) -> Program {
    // First the check of the check: fill a small buffer that the host compares, and look at one with
    // planted faults. Its size is no multiple of the grid's.
    let (small, flip) = (8237_u64, 0x0123_4567_89AB_CDEF);
    let sample = pieces(small, seed, flip);
    let mut faulty = pieces(small, !seed, 0);
    let mut planted = BTreeMap::new();
    for fault in 0..70_u64 {
        // A single bit each, in lower and upper double words, sometimes in both of a piece.
        let at = usize::try_from(fault / 2 * 458 + fault % 2 * (1 + fault / 2 % 3)).expect("small");
        let expected = faulty[at];
        let got = expected ^ 1 << (input(seed, 1, at) % 64);
        faulty[at] = got;
        let second = got;
        planted.insert(
            at as u64 * 8,
            Record {
                expected,
                got,
                second,
            },
        );
    }

    let count = limits.memory_budget.max(1 << 16) / 16;
    let passes = [
        ("pass-1", seed, 0),
        ("pass-2-complement", seed, u64::MAX),
        ("pass-3-other-seed", seed.rotate_left(32) ^ 0x5DEE_CE66, 0),
        (
            "pass-4-complement",
            seed.rotate_left(32) ^ 0x5DEE_CE66,
            u64::MAX,
        ),
    ];
    let mut buffers = vec![
        Buffer::output("sample", bytes(&sample), 8),
        Buffer::input("planted", bytes(&faulty)),
        exactly("planted-report", planted),
        Buffer {
            name: "memory",
            initial: Initial::Scratch(count * 16),
            expected: Expected::Anything,
        },
    ];
    let mut steps = vec![
        launch(limits, "memory_fill", 0, (small, seed, flip), None),
        launch(limits, "memory_verify", 1, (small, !seed, 0), Some(2)),
    ];
    for (name, seed, flip) in passes {
        let pattern = (count, seed, flip);
        steps.push(launch(limits, "memory_fill", 3, pattern, None));
        steps.push(launch(
            limits,
            "memory_verify",
            3,
            pattern,
            Some(buffers.len()),
        ));
        buffers.push(no_errors(name));
    }
    Program {
        buffers,
        steps,
        // The order of the planted faults' records is not determined.
        rerun: Rerun::OrderDependent,
    }
}
