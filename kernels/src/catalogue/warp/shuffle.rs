//! All modes of shuffles, with the segments, clamps, and distances of the PTX ISA's own definition.

use super::super::words::{bytes, word, words};
use super::{THREADS, WARPS, launch};
use crate::{Buffer, DeviceLimits, Program, Rerun};

pub(super) fn program(_: &DeviceLimits, seed: u64) -> Program {
    let (rounds, split_rounds) = (24, 8);
    let values = words(seed, 0, THREADS);
    let mut lanes = words(seed, 1, (rounds + split_rounds) * THREADS);
    // Segments of 32, 16, 8, 4, 2, and 1 lanes with the clamps that compilers write, then any clamp.
    let controls: Vec<u32> = (0..rounds)
        .map(|round| {
            let segment = 32 - (32 >> (round % 6));
            let clamp = match round / 6 {
                0 => 31,
                1 => 0,
                _ => word(seed, 2, round) % 32,
            };
            segment << 8 | clamp
        })
        .collect();
    let masks: Vec<u32> = (0..split_rounds * WARPS)
        .map(|index| word(seed, 3, index) & !(1 << (index % 32)) | 2 << (index % 31))
        .collect();

    let mut expected = Vec::new();
    for (round, control) in controls.iter().enumerate() {
        for mode in [Mode::Up, Mode::Down, Mode::Butterfly, Mode::Index] {
            for thread in 0..THREADS {
                let select = lanes[round * THREADS + thread];
                let (from, valid) = source(mode, thread as u32 % 32, select, *control);
                expected.push(values[thread / 32 * 32 + from as usize]);
                expected.push(u32::from(valid));
            }
        }
    }
    for round in 0..split_rounds {
        for thread in 0..THREADS {
            let (warp, lane) = (thread / 32, thread % 32);
            let mask = masks[round * WARPS + warp];
            let (group, second) = if mask >> lane & 1 == 1 {
                (mask, 0)
            } else {
                (!mask, 1)
            };
            // A lane may only read from its own group: take the next lane of it.
            let select = &mut lanes[(rounds + round) * THREADS + thread];
            let from = (0..32)
                .map(|step| (*select + step) % 32)
                .find(|lane| group >> lane & 1 == 1)
                .expect("a lane belongs to its own group");
            *select = *select & !31 | from;
            let read = if from < 24 { from as usize } else { lane };
            expected.push(values[warp * 32 + read].wrapping_add(second));
            expected.push(u32::from(from < 24));
        }
    }
    for warp in values.chunks(32) {
        let sum = warp.iter().fold(0_u32, |sum, word| sum.wrapping_add(*word));
        let mut running = 0_u32;
        for word in warp {
            running = running.wrapping_add(*word);
            expected.extend([sum, running]);
        }
    }
    Program {
        buffers: vec![
            Buffer::input("values", bytes(&values)),
            Buffer::input("lanes", bytes(&lanes)),
            Buffer::input("controls", bytes(&controls)),
            Buffer::input("masks", bytes(&masks)),
            Buffer::output("out", bytes(&expected), 4),
        ],
        steps: vec![launch("warp_shuffle", 5)],
        rerun: Rerun::BitIdentical,
    }
}

/// The modes of a shuffle in the kernel's order.
#[derive(Clone, Copy)]
enum Mode {
    Up,
    Down,
    Butterfly,
    Index,
}

/// The lane from which a lane takes its word, and whether that lane is within the segment: the
/// definition of `shfl.sync` in the PTX ISA.
fn source(mode: Mode, lane: u32, select: u32, control: u32) -> (u32, bool) {
    let (select, clamp, segment) = (select & 31, control & 31, control >> 8 & 31);
    let lowest = lane & segment;
    let highest = lowest | clamp & !segment;
    let (source, valid) = match mode {
        Mode::Up => (lane.wrapping_sub(select), lane >= highest + select),
        Mode::Down => (lane + select, lane + select <= highest),
        Mode::Butterfly => (lane ^ select, lane ^ select <= highest),
        Mode::Index => {
            let source = lowest | select & !segment;
            (source, source <= highest)
        }
    };
    (if valid { source } else { lane }, valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mode: Mode, [lane, select, control]: [u32; 3], expected: (u32, bool)) {
        assert_eq!(source(mode, lane, select, control), expected);
    }

    #[test]
    fn a_lane_outside_the_segment_gives_the_own_word() {
        check(Mode::Up, [5, 3, 0], (2, true));
        check(Mode::Up, [2, 3, 0], (2, false));
        check(Mode::Up, [9, 3, 0x1800], (9, false));
        check(Mode::Down, [5, 3, 31], (8, true));
        check(Mode::Down, [30, 3, 31], (30, false));
        check(Mode::Down, [6, 3, 0x181F], (6, false));
        check(Mode::Butterfly, [5, 16, 31], (21, true));
        check(Mode::Butterfly, [5, 16, 0x101F], (5, false));
        check(Mode::Butterfly, [21, 16, 0x101F], (5, true));
        check(Mode::Index, [5, 30, 31], (30, true));
        check(Mode::Index, [13, 30, 0x181F], (14, true));
        check(Mode::Index, [13, 30, 0x1801], (13, false));
    }
}
