//! Runs a program on a device and compares everything that came out.
//!
//! The comparison is as much a part of the check as the kernel: poison tells an element that was never
//! written from a wrong one, red zones find stray writes, and a second run tells a wrong kernel from an
//! unreliable device.

use std::fmt;

use crate::program::{Buffer, Expected, Initial, Kernel, Launch, Program, Rerun, Step};

/// Bytes of known content on each side of a buffer. A multiple of 256, so that buffers stay aligned.
const RED_ZONE: usize = 256;
const RED: u8 = 0x5C;
const POISON: u8 = 0xA5;

/// What a program runs on. One device holds one loaded module.
pub trait Device {
    /// How a call of the driver fails.
    type Error;
    /// Reserves device memory, aligned to 256 bytes.
    ///
    /// # Errors
    /// When the driver refuses.
    fn allocate(&mut self, bytes: u64) -> Result<u64, Self::Error>;
    /// Frees what [`Device::allocate`] gave.
    ///
    /// # Errors
    /// When the driver refuses.
    fn free(&mut self, address: u64) -> Result<(), Self::Error>;
    /// Copies from the host to the device.
    ///
    /// # Errors
    /// When the driver refuses.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Self::Error>;
    /// Copies from the device to the host.
    ///
    /// # Errors
    /// When the driver refuses.
    fn read(&mut self, address: u64, bytes: &mut [u8]) -> Result<(), Self::Error>;
    /// Fills a variable of the module.
    ///
    /// # Errors
    /// When the driver refuses, or the variable's size differs.
    fn set_global(&mut self, symbol: &str, bytes: &[u8]) -> Result<(), Self::Error>;
    /// Launches a kernel with its parameters, each as its bytes, and waits until it has finished.
    ///
    /// # Errors
    /// When the launch or the kernel fails.
    fn launch(&mut self, launch: &Launch, arguments: &[Vec<u8>]) -> Result<(), Self::Error>;
}

/// Why a kernel did not pass.
#[derive(Debug)]
pub enum Failure<E> {
    /// A call of the driver failed.
    Driver(E),
    /// Everything ran, but something came out wrong.
    Mismatch(Mismatch),
}

impl<E> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::Driver(error)
    }
}

/// The first wrong place of the first wrong buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// Which buffer.
    pub buffer: &'static str,
    /// What kind of wrong.
    pub kind: MismatchKind,
    /// The element's index, or the byte's in a red zone.
    pub index: usize,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub got: String,
    /// How many elements are wrong, of how many.
    pub wrong: (usize, usize),
}

/// What kind of wrong a place is; each points to another culprit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MismatchKind {
    /// A value that differs from the reference.
    Wrong,
    /// An element that still holds the poison: the kernel, or this part of its grid, did not run.
    NeverWritten,
    /// A write outside the buffer.
    RedZone,
    /// An input that was overwritten.
    InputChanged,
    /// Two runs that differ: the device is unreliable.
    NotRepeatable,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            buffer,
            kind,
            index,
            expected,
            got,
            wrong: (wrong, all),
        } = self;
        match kind {
            MismatchKind::Wrong => write!(
                formatter,
                "`{buffer}[{index}]` is {got}, expected {expected}; {wrong} of {all} differ"
            ),
            MismatchKind::NeverWritten => {
                write!(
                    formatter,
                    "`{buffer}[{index}]` was never written, expected {expected}; {wrong} of {all} differ"
                )
            }
            MismatchKind::RedZone => write!(
                formatter,
                "a write outside `{buffer}`, {index} bytes from its start: {got}"
            ),
            MismatchKind::InputChanged => write!(
                formatter,
                "the input `{buffer}[{index}]` was changed from {expected} to {got}"
            ),
            MismatchKind::NotRepeatable => {
                write!(
                    formatter,
                    "`{buffer}[{index}]` was {expected} in the first run and {got} in the second"
                )
            }
        }
    }
}

/// Runs a kernel's program, a second time where the program says so, and compares.
///
/// # Errors
/// The first failing driver call, or the first mismatch.
pub fn execute<D: Device>(
    device: &mut D,
    kernel: &Kernel,
    program: &Program,
) -> Result<(), Failure<D::Error>> {
    debug_assert!(!kernel.ptx.is_empty());
    let first = run(device, program)?;
    compare(program, &first).map_err(Failure::Mismatch)?;
    match program.rerun {
        Rerun::OrderDependent => Ok(()),
        Rerun::BitIdentical => {
            let second = run(device, program)?;
            repeatable(program, &first, &second).map_err(Failure::Mismatch)
        }
    }
}

/// One buffer's bytes after a run, with its red zones; empty for scratch memory.
type Contents = Vec<u8>;

fn run<D: Device>(device: &mut D, program: &Program) -> Result<Vec<Contents>, D::Error> {
    let mut addresses = Vec::with_capacity(program.buffers.len());
    for buffer in &program.buffers {
        let address = match initial(buffer) {
            Ok(bytes) => {
                let address = device.allocate(bytes.len() as u64)?;
                device.write(address, &bytes)?;
                address
            }
            Err(scratch) => device.allocate(scratch)?,
        };
        addresses.push(address);
    }
    for step in &program.steps {
        match step {
            Step::SetGlobal { symbol, bytes } => device.set_global(symbol, bytes)?,
            Step::Launch(launch) => {
                let arguments: Vec<Vec<u8>> = launch
                    .arguments
                    .iter()
                    .map(|argument| match argument {
                        crate::Argument::Value(bytes) => bytes.clone(),
                        crate::Argument::Buffer(index) => {
                            let address = match program.buffers[*index].initial {
                                Initial::Scratch(_) => addresses[*index],
                                Initial::Bytes(_) | Initial::Poison(_) => {
                                    addresses[*index] + RED_ZONE as u64
                                }
                            };
                            address.to_le_bytes().to_vec()
                        }
                    })
                    .collect();
                device.launch(launch, &arguments)?;
            }
        }
    }
    let mut contents = Vec::with_capacity(program.buffers.len());
    for (buffer, address) in program.buffers.iter().zip(&addresses) {
        let mut bytes = initial(buffer).unwrap_or_default();
        if !bytes.is_empty() {
            device.read(*address, &mut bytes)?;
        }
        contents.push(bytes);
    }
    for address in addresses {
        device.free(address)?;
    }
    Ok(contents)
}

/// A buffer with its red zones as the host fills it, or the size of scratch memory.
fn initial(buffer: &Buffer) -> Result<Vec<u8>, u64> {
    let (length, body): (usize, Option<&[u8]>) = match &buffer.initial {
        Initial::Bytes(bytes) => (bytes.len(), Some(bytes)),
        Initial::Poison(length) => (*length, None),
        Initial::Scratch(bytes) => return Err(*bytes),
    };
    let mut all = vec![RED; RED_ZONE + length.next_multiple_of(RED_ZONE) + RED_ZONE];
    match body {
        Some(bytes) => all[RED_ZONE..RED_ZONE + length].copy_from_slice(bytes),
        None => all[RED_ZONE..RED_ZONE + length].fill(POISON),
    }
    Ok(all)
}

fn length(buffer: &Buffer) -> usize {
    match &buffer.initial {
        Initial::Bytes(bytes) => bytes.len(),
        Initial::Poison(length) => *length,
        Initial::Scratch(_) => 0,
    }
}

fn compare(program: &Program, contents: &[Contents]) -> Result<(), Mismatch> {
    // Red zones of all buffers first: a stray write explains a wrong value in the buffer next to it.
    for (buffer, bytes) in program.buffers.iter().zip(contents) {
        red_zones(buffer, bytes)?;
    }
    for (buffer, bytes) in program.buffers.iter().zip(contents) {
        if !bytes.is_empty() {
            compare_buffer(buffer, &bytes[RED_ZONE..RED_ZONE + length(buffer)])?;
        }
    }
    Ok(())
}

fn red_zones(buffer: &Buffer, bytes: &[u8]) -> Result<(), Mismatch> {
    let end = RED_ZONE + length(buffer);
    let stray = bytes
        .iter()
        .enumerate()
        .filter(|(index, byte)| !(RED_ZONE..end).contains(index) && **byte != RED);
    let mut places = stray.map(|(index, _)| index);
    match places.next() {
        None => Ok(()),
        Some(index) => Err(Mismatch {
            buffer: buffer.name,
            kind: MismatchKind::RedZone,
            index: index.abs_diff(RED_ZONE),
            expected: format!("{RED:#04x}"),
            got: format!("{:#04x}", bytes[index]),
            wrong: (1 + places.count(), bytes.len() - length(buffer)),
        }),
    }
}

fn compare_buffer(buffer: &Buffer, got: &[u8]) -> Result<(), Mismatch> {
    match &buffer.expected {
        Expected::Anything => Ok(()),
        Expected::Unchanged => match &buffer.initial {
            Initial::Bytes(bytes) => elements(buffer, MismatchKind::InputChanged, bytes, got, 4),
            Initial::Poison(length) => elements(
                buffer,
                MismatchKind::InputChanged,
                &vec![POISON; *length],
                got,
                4,
            ),
            Initial::Scratch(_) => Ok(()),
        },
        Expected::Exact { bytes, element } => {
            elements(buffer, MismatchKind::Wrong, bytes, got, *element)
        }
        Expected::Within32 { values } => within(buffer, values, got),
        Expected::Table(table) => table.compare(got, POISON),
        Expected::Property(property) => property(got).map_err(|message| Mismatch {
            buffer: buffer.name,
            kind: MismatchKind::Wrong,
            index: 0,
            expected: "the property below".to_owned(),
            got: message,
            wrong: (1, 1),
        }),
    }
}

fn elements(
    buffer: &Buffer,
    kind: MismatchKind,
    expected: &[u8],
    got: &[u8],
    element: usize,
) -> Result<(), Mismatch> {
    debug_assert_eq!(
        expected.len(),
        got.len(),
        "the reference of `{}` has another size than its buffer",
        buffer.name
    );
    let pairs = expected.chunks(element).zip(got.chunks(element));
    let mut wrong = pairs
        .enumerate()
        .filter(|(_, (expected, got))| expected != got);
    match wrong.next() {
        None => Ok(()),
        Some((index, (want, have))) => Err(Mismatch {
            buffer: buffer.name,
            kind: never_written(buffer, kind, have),
            index,
            expected: hexadecimal(want),
            got: hexadecimal(have),
            wrong: (1 + wrong.count(), expected.len().div_ceil(element)),
        }),
    }
}

fn within(buffer: &Buffer, values: &[(f64, f64)], got: &[u8]) -> Result<(), Mismatch> {
    let read = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let good = |(reference, bound): (f64, f64), value: f32| {
        if reference.is_nan() {
            value.is_nan()
        } else if reference.is_infinite() || value.is_infinite() {
            f64::from(value) == reference
        } else {
            (f64::from(value) - reference).abs() <= bound
        }
    };
    let pairs = values.iter().zip(got.chunks_exact(4));
    let mut wrong = pairs
        .enumerate()
        .filter(|(_, (want, bytes))| !good(**want, read(bytes)));
    match wrong.next() {
        None => Ok(()),
        Some((index, ((reference, bound), bytes))) => Err(Mismatch {
            buffer: buffer.name,
            kind: never_written(buffer, MismatchKind::Wrong, bytes),
            index,
            expected: format!("{reference:e} within {bound:e}"),
            got: format!("{:e}", read(bytes)),
            wrong: (1 + wrong.count(), values.len()),
        }),
    }
}

fn never_written(buffer: &Buffer, kind: MismatchKind, bytes: &[u8]) -> MismatchKind {
    let poisoned =
        matches!(buffer.initial, Initial::Poison(_)) && bytes.iter().all(|byte| *byte == POISON);
    if poisoned && kind == MismatchKind::Wrong {
        MismatchKind::NeverWritten
    } else {
        kind
    }
}

fn repeatable(program: &Program, first: &[Contents], second: &[Contents]) -> Result<(), Mismatch> {
    for ((buffer, first), second) in program.buffers.iter().zip(first).zip(second) {
        if !matches!(buffer.expected, Expected::Anything) {
            let size = length(buffer).min(first.len());
            let range = if size == 0 {
                0..0
            } else {
                RED_ZONE..RED_ZONE + size
            };
            elements(
                buffer,
                MismatchKind::NotRepeatable,
                &first[range.clone()],
                &second[range],
                4,
            )?;
            red_zones(buffer, second)?;
        }
    }
    Ok(())
}

/// An element as a number, most significant byte first, as a debugger shows it.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .rev()
        .fold("0x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}
