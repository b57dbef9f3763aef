//! Checks atomics without knowing their order: the operations on one cell form a chain, in which each
//! finds what another left. So the old values and the last value together are the first value and all the
//! new ones, as a multiset; a lost, doubled, or torn update breaks that.

use std::fmt::LowerHex;
use std::ops::BitAnd;

use super::super::words::{self, work};
use crate::{Argument, Buffer, Expected, Initial, Launch, Program, Rerun, Step};

/// A thread's number in the grid runs to here; the last block's last five threads do nothing.
const THREADS: usize = BLOCKS * BLOCK - 5;
const BLOCKS: usize = 3;
const BLOCK: usize = 96;
/// The cells that the threads are spread over.
const SPREAD: usize = 13;
/// The cell that all threads share, and the one for operations without the old value.
const ALL: usize = 13;
const ALONE: usize = 14;
const CELLS: usize = 15;
/// Cells of this many operations lie together.
const SLOTS: usize = 16;

/// One atomic operation: what it leaves, from what it finds and from the thread's value.
pub(super) struct Operation<Word: 'static> {
    pub(super) name: &'static str,
    pub(super) apply: fn(Word, Word) -> Word,
    /// The same without the old value. The order of threads must not matter to it.
    pub(super) alone: Option<fn(Word, Word) -> Word>,
    /// The bits that change at once. Of a packed type each element is atomic, but not the whole of it.
    pub(super) parts: &'static [Word],
}

impl<Word: Cell> Operation<Word> {
    /// An operation that also comes without the old value.
    pub(super) const fn same(name: &'static str, apply: fn(Word, Word) -> Word) -> Self {
        Self {
            name,
            apply,
            alone: Some(apply),
            parts: Word::WHOLE,
        }
    }

    /// An operation that always gives the old value.
    pub(super) const fn with_old(name: &'static str, apply: fn(Word, Word) -> Word) -> Self {
        Self {
            name,
            apply,
            alone: None,
            parts: Word::WHOLE,
        }
    }
}

impl Operation<u32> {
    /// An operation on two elements of 16 bits, that also comes without the old value.
    pub(super) const fn pairs(name: &'static str, apply: fn(u32, u32) -> u32) -> Self {
        Self {
            parts: &[0xFFFF, 0xFFFF_0000],
            ..Self::same(name, apply)
        }
    }
}

/// A word of 32, 64, or 128 bits in the device's memory.
pub(super) trait Cell:
    Copy + Ord + LowerHex + BitAnd<Output = Self> + Send + Sync + 'static
{
    const BYTES: usize;
    const WHOLE: &'static [Self];
    fn append(self, bytes: &mut Vec<u8>);
    fn read(bytes: &[u8]) -> Self;
}

macro_rules! cells {
    ($($word:ty),*) => {$(
        impl Cell for $word {
            const BYTES: usize = size_of::<Self>();
            const WHOLE: &'static [Self] = &[Self::MAX];
            fn append(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
            fn read(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("the caller cuts cells"))
            }
        }
    )*};
}
cells!(u32, u64, u128);

/// The program of a kernel with these operations, with a value for each thread and an initial word for
/// each cell and operation.
pub(super) fn program<Word: Cell>(
    entry: &'static str,
    operations: &'static [Operation<Word>],
    seed: u64,
    value: impl Fn(usize) -> Word,
    initial: impl Fn(usize, usize) -> Word,
) -> Program {
    let values: Vec<Word> = (0..THREADS).map(value).collect();
    let cells: Vec<Word> = (0..CELLS * SLOTS)
        .map(|index| initial(index / SLOTS, index % SLOTS))
        .collect();
    // One copy of the cells in global memory, one of each block's shared memory, then the old values.
    let olds = THREADS * operations.len() * 4;
    let mut state = memory(&cells);
    state.resize(
        state.len() + (BLOCKS * CELLS * SLOTS + olds) * Word::BYTES,
        0xA5,
    );
    let stamps: Vec<u32> = (0..)
        .take(THREADS)
        .map(|thread: u32| work(thread, thread % 96 / 32 * 8))
        .collect();
    let buffers = vec![
        Buffer::input("values", memory(&values)),
        Buffer::input("initial", memory(&cells)),
        Buffer {
            name: "state",
            initial: Initial::Bytes(state),
            expected: Expected::Property(Box::new(move |bytes| {
                check(operations, &values, &cells, bytes)
                    .map_err(|message| format!("{message}; seed {seed}"))
            })),
        },
        Buffer::output("stamps", words::bytes(&stamps), 4),
    ];
    let mut arguments: Vec<Argument> = (0..buffers.len()).map(Argument::Buffer).collect();
    let count = u32::try_from(THREADS).expect("a small constant");
    arguments.push(Argument::u32(count));
    Program {
        buffers,
        steps: vec![Step::Launch(Launch::linear(entry, count, 96, arguments))],
        rerun: Rerun::OrderDependent,
    }
}

fn memory<Word: Cell>(words: &[Word]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(words.len() * Word::BYTES);
    for word in words {
        word.append(&mut bytes);
    }
    bytes
}

/// One copy of the cells after the kernel: of global memory, or of one block's shared memory.
struct Copied<'a, Word> {
    place: String,
    first: &'a [Word],
    last: &'a [Word],
    /// The threads that used these cells, and which of their four old values came from these.
    threads: std::ops::Range<usize>,
    kind: usize,
}

fn check<Word: Cell>(
    operations: &[Operation<Word>],
    values: &[Word],
    first: &[Word],
    bytes: &[u8],
) -> Result<(), String> {
    let words: Vec<Word> = bytes.chunks_exact(Word::BYTES).map(Word::read).collect();
    let (copies, olds) = words.split_at((1 + BLOCKS) * first.len());
    for (index, last) in copies.chunks(first.len()).enumerate() {
        let copied = match index.checked_sub(1) {
            None => Copied {
                place: "global memory".to_owned(),
                first,
                last,
                threads: 0..THREADS,
                kind: 0,
            },
            Some(block) => Copied {
                place: format!("shared memory of block {block}"),
                first,
                last,
                threads: block * BLOCK..THREADS.min((block + 1) * BLOCK),
                kind: 2,
            },
        };
        for slot in 0..SLOTS {
            match operations.get(slot) {
                None => copied.untouched(slot, 0..CELLS, "no operation")?,
                Some(operation) => {
                    let row = operations.len() * 4;
                    let old = |thread: usize, kind: usize| olds[thread * row + slot * 4 + kind];
                    copied.operation(slot, operation, values, old)?;
                }
            }
        }
    }
    Ok(())
}

impl<Word: Cell> Copied<'_, Word> {
    fn operation(
        &self,
        slot: usize,
        operation: &Operation<Word>,
        values: &[Word],
        old: impl Fn(usize, usize) -> Word,
    ) -> Result<(), String> {
        for cell in 0..=ALL {
            let kind = if cell == ALL {
                self.kind
            } else {
                self.kind + 1
            };
            let users: Vec<usize> = self
                .threads
                .clone()
                .filter(|thread| cell == ALL || thread % SPREAD == cell)
                .collect();
            self.chain(slot, operation, (cell, &users), values, |thread| {
                old(thread, kind)
            })?;
        }
        match operation.alone {
            None => self.untouched(slot, ALONE..CELLS, operation.name),
            Some(alone) => {
                let values = self.threads.clone().map(|thread| values[thread]);
                let want = values.fold(self.first[ALONE * SLOTS + slot], alone);
                let have = self.last[ALONE * SLOTS + slot];
                if have == want {
                    Ok(())
                } else {
                    Err(format!(
                        "`{}` without old values in {}: the last value is {have:#x}, expected {want:#x}",
                        operation.name, self.place
                    ))
                }
            }
        }
    }

    /// The old values of a cell's users form a chain, each part of a word for itself.
    fn chain(
        &self,
        slot: usize,
        operation: &Operation<Word>,
        (cell, users): (usize, &[usize]),
        values: &[Word],
        old: impl Fn(usize) -> Word,
    ) -> Result<(), String> {
        let name = operation.name;
        for part in operation.parts.iter().copied() {
            let first = self.first[cell * SLOTS + slot] & part;
            let last = self.last[cell * SLOTS + slot] & part;
            let steps = users.iter().map(|thread| {
                let found = old(*thread) & part;
                let left = (operation.apply)(found, values[*thread] & part) & part;
                (found, left)
            });
            let steps: Vec<(Word, Word)> = steps.collect();
            let mut before: Vec<Word> = steps.iter().map(|step| step.0).chain([last]).collect();
            let mut after: Vec<Word> = steps.iter().map(|step| step.1).chain([first]).collect();
            // What leaves a cell as it was adds nothing to the chain, but must have found a link of it.
            let changes = steps.iter().filter(|(found, left)| found != left);
            let mut links: Vec<Word> = changes.map(|step| step.1).chain([first]).collect();
            links.sort_unstable();
            if let Some(stranger) = before
                .iter()
                .find(|word| links.binary_search(word).is_err())
            {
                return Err(format!(
                    "`{name}` on cell {cell} in {}: found {stranger:#x}, which no operation left",
                    self.place
                ));
            }
            before.sort_unstable();
            after.sort_unstable();
            if let Some((have, want)) = before.iter().zip(&after).find(|(have, want)| have != want)
            {
                return Err(format!(
                    "`{name}` on cell {cell} in {}: the {} old values and the last value do not form a chain; {want:#x} was left but {have:#x} was found",
                    self.place,
                    users.len(),
                ));
            }
        }
        Ok(())
    }

    /// These cells of an operation must be as they were.
    fn untouched(
        &self,
        slot: usize,
        cells: std::ops::Range<usize>,
        name: &str,
    ) -> Result<(), String> {
        for cell in cells {
            let (want, have) = (
                self.first[cell * SLOTS + slot],
                self.last[cell * SLOTS + slot],
            );
            if have != want {
                return Err(format!(
                    "cell {cell} of slot {slot} ({name}) in {} is {have:#x}, but nothing changes {want:#x} there",
                    self.place
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATIONS: &[Operation<u32>] = &[
        Operation::same("add", u32::wrapping_add),
        Operation::with_old("exch", |_, value| value),
    ];

    /// A device that runs the threads one after another. An update is lost where `keeps` says so: the
    /// parameters are the copy of the cells, the cell, and how many updates came before.
    fn run(values: &[u32], first: &[u32], keeps: impl Fn(usize, usize, usize) -> bool) -> Vec<u8> {
        let mut copies = vec![first.to_vec(); 1 + BLOCKS];
        let mut olds = Vec::new();
        for (thread, value) in values.iter().enumerate() {
            for (slot, operation) in OPERATIONS.iter().enumerate() {
                for (copy, cells) in copies.iter_mut().enumerate() {
                    if copy > 0 && copy - 1 != thread / BLOCK {
                        continue;
                    }
                    for cell in [ALL, thread % SPREAD] {
                        let cell_word = &mut cells[cell * SLOTS + slot];
                        olds.push(*cell_word);
                        if keeps(copy, cell, thread) {
                            *cell_word = (operation.apply)(*cell_word, *value);
                        }
                    }
                    if let Some(alone) = operation.alone {
                        let cell_word = &mut cells[ALONE * SLOTS + slot];
                        if keeps(copy, ALONE, thread) {
                            *cell_word = alone(*cell_word, *value);
                        }
                    }
                }
            }
        }
        memory(&[copies.concat(), olds].concat())
    }

    #[track_caller]
    fn check_run(keeps: impl Fn(usize, usize, usize) -> bool, expected: Result<(), &str>) {
        let values: Vec<u32> = (0..THREADS).map(|thread| word(thread, 1)).collect();
        let first: Vec<u32> = (0..CELLS * SLOTS).map(|cell| word(cell, 2)).collect();
        let found = check(OPERATIONS, &values, &first, &run(&values, &first, keeps));
        match expected {
            Ok(()) => assert_eq!(found, Ok(())),
            Err(beginning) => {
                let message = found.unwrap_err();
                assert!(message.starts_with(beginning), "{message}");
            }
        }
    }

    fn word(index: usize, stream: u64) -> u32 {
        words::word(7, stream, index)
    }

    #[test]
    fn a_lost_update_breaks_the_chain() {
        check_run(|_, _, _| true, Ok(()));
        check_run(
            |copy, cell, thread| (copy, cell, thread) != (0, ALL, 200),
            Err("`add` on cell 13 in global memory"),
        );
        check_run(
            |copy, cell, thread| (copy, cell, thread) != (2, 5, 109),
            Err("`add` on cell 5 in shared memory of block 1"),
        );
        check_run(
            |copy, cell, thread| (copy, cell, thread) != (3, ALONE, 282),
            Err("`add` without old values in shared memory of block 2"),
        );
    }

    /// Two threads of one cell whose elements change in opposite orders; `lost` is missing from the last word.
    fn torn(operation: Operation<u32>, lost: u32) -> Result<(), String> {
        let (values, first) = ([0x0001_0002, 0x0003_0004], vec![0; CELLS * SLOTS]);
        let mut last = first.clone();
        last[0] = 0x0004_0006 - lost;
        let copied = Copied {
            place: "memory".to_owned(),
            first: &first,
            last: &last,
            threads: 0..0,
            kind: 0,
        };
        // The first thread's lower element comes first, and the second one's upper element.
        let olds = [0x0003_0000, 0x0000_0002];
        copied.chain(0, &operation, (0, &[0, 1]), &values, |thread| olds[thread])
    }

    #[test]
    fn the_elements_of_a_pair_are_atomic_each_for_itself() {
        let add = |old: u32, value: u32| {
            (old & 0xFFFF).wrapping_add(value & 0xFFFF) & 0xFFFF
                | (old & 0xFFFF_0000).wrapping_add(value & 0xFFFF_0000)
        };
        assert_eq!(torn(Operation::pairs("pairs", add), 0), Ok(()));
        assert!(torn(Operation::pairs("pairs", add), 1).is_err());
        assert!(torn(Operation::pairs("pairs", add), 0x1_0000).is_err());
        assert!(torn(Operation::same("whole", add), 0).is_err());
    }
}
