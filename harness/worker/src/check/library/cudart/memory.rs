//! Memory of the runtime's own: reserved, described, set, copied, and freed by its functions only.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::super::exact::{self, POISON};
use super::super::{Bench, Opened, Stop, Verdict};
use super::ffi::{Attributes, BY_ADDRESS, Cudart, TO_DEVICE, TO_HOST, WITHIN_DEVICE};
use crate::library::{DevicePointer, Handle};

/// Bytes of an array; odd, so that the last word of a copy is not whole.
const BYTES: usize = 100_003;

pub(super) fn memory(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let api = Cudart::new(&opened.library);
    let first = reserve(opened, BYTES)?;
    let second = reserve(opened, BYTES)?;
    described(opened, first)?;
    bench.computes();
    let content = bytes(bench.seed, BYTES);
    let uploaded = api.upload(first, content.as_slice().into(), BYTES, TO_DEVICE);
    opened.ok(uploaded)?;
    // The middle of the second array gets the first one's, all around it stays as it was set.
    opened.ok(api.memset(second, 0x5C, BYTES))?;
    let (from, to, count) = (first.offset(1001), second.offset(777), 70_001);
    opened.ok(api.copy(to, from, count, WITHIN_DEVICE))?;
    let found = fetch(opened, second, BYTES)?;
    bench.compares();
    let mut expected = vec![0x5C; BYTES];
    expected[777..777 + count].copy_from_slice(&content[1001..1001 + count]);
    exact::same(&expected, &found, |index| {
        format!("byte {index} of the copy")
    })?;
    let kept = fetch(opened, first, BYTES)?;
    exact::same(&content, &kept, |index| {
        format!("byte {index} of the array that was copied from")
    })?;
    opened.ok(api.free(first))?;
    opened.ok(api.free(second))
}

/// A rectangle of 301 by 19 bytes, out of an array of 512 a row and into one of 384.
pub(super) fn rectangle(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    const WIDTH: usize = 301;
    const HEIGHT: usize = 19;
    const FROM_PITCH: usize = 512;
    const TO_PITCH: usize = 384;
    let api = Cudart::new(&opened.library);
    let content = bytes(bench.seed, FROM_PITCH * HEIGHT);
    let from = bench.upload(&content)?;
    let to = bench.poisoned::<u8>(TO_PITCH * HEIGHT)?;
    bench.computes();
    opened.ok(api.copy_2d(
        to.at,
        TO_PITCH,
        from.at,
        FROM_PITCH,
        WIDTH,
        HEIGHT,
        WITHIN_DEVICE,
    ))?;
    let found: Vec<u8> = bench.download(&to)?;
    bench.compares();
    let mut expected = vec![POISON; TO_PITCH * HEIGHT];
    for row in 0..HEIGHT {
        let source = &content[row * FROM_PITCH..][..WIDTH];
        expected[row * TO_PITCH..][..WIDTH].copy_from_slice(source);
    }
    exact::same(&expected, &found, |index| {
        format!("byte {} of row {}", index % TO_PITCH, index / TO_PITCH)
    })?;
    bench.unchanged("the source", &from, &content)
}

/// To pinned memory and back through a stream. The later copy overwrites what the earlier one has brought, so that
/// only copies in their order give the result.
pub(super) fn streams(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let api = Cudart::new(&opened.library);
    let mut pinned = DevicePointer::NULL;
    opened.ok(api.malloc_host(&mut pinned, BYTES))?;
    let (mut stream, mut start, mut end) = (Handle::NULL, Handle::NULL, Handle::NULL);
    opened.ok(api.create_stream(&mut stream))?;
    opened.ok(api.create_event(&mut start))?;
    opened.ok(api.create_event(&mut end))?;
    let (early, late) = (bytes(bench.seed, BYTES), bytes(bench.seed ^ 1, BYTES));
    let one = bench.upload(&early)?;
    let two = bench.upload(&late)?;
    let result = bench.poisoned::<u8>(BYTES)?;
    // What was put on the device so far is there before a stream that waits for nobody begins.
    bench.synchronize()?;
    bench.computes();
    opened.ok(api.record(start, stream))?;
    for (to, from, count) in [
        (pinned, one.at, BYTES),
        (pinned.offset(313), two.at, 50_001),
        (result.at, pinned, BYTES),
    ] {
        opened.ok(api.copy_async(to, from, count, BY_ADDRESS, stream))?;
    }
    opened.ok(api.record(end, stream))?;
    opened.ok(api.synchronize_event(end))?;
    opened.ok(api.synchronize_stream(stream))?;
    let mut milliseconds = f32::NAN;
    opened.ok(api.elapsed(&mut milliseconds, start, end))?;
    let found: Vec<u8> = bench.download(&result)?;
    bench.compares();
    let mut expected = early;
    expected[313..313 + 50_001].copy_from_slice(&late[..50_001]);
    exact::same(&expected, &found, |index| {
        format!("byte {index} of what came back")
    })?;
    // A NaN is no time either.
    if !(0.0..60_000.0).contains(&milliseconds) {
        return Err(wrong(
            "the time between two events is between 0 and 60000 ms",
            format!("it is {milliseconds} ms"),
        ));
    }
    opened.note("events-apart-ms", milliseconds.to_string());
    opened.ok(api.destroy_event(start))?;
    opened.ok(api.destroy_event(end))?;
    opened.ok(api.destroy_stream(stream))?;
    opened.ok(api.free_host(pinned))
}

fn reserve(opened: &Opened<'_>, bytes: usize) -> Result<DevicePointer, Stop> {
    let mut memory = DevicePointer::NULL;
    opened.ok(Cudart::new(&opened.library).malloc(&mut memory, bytes))?;
    Ok(memory)
}

fn fetch(opened: &Opened<'_>, from: DevicePointer, count: usize) -> Result<Vec<u8>, Stop> {
    let mut bytes = vec![POISON; count];
    let api = Cudart::new(&opened.library);
    let out = bytes.as_mut_slice().into();
    opened.ok(api.download(out, from, count, TO_HOST))?;
    Ok(bytes)
}

/// Whether the runtime knows its own memory again.
fn described(opened: &Opened<'_>, memory: DevicePointer) -> Verdict {
    const DEVICE_MEMORY: i32 = 2;
    let mut attributes = Attributes::UNSET;
    let inside = memory.offset(64);
    let asked = Cudart::new(&opened.library).attributes(&mut attributes, inside);
    opened.ok(asked)?;
    let found = (
        attributes.kind,
        attributes.device,
        attributes.on_device,
        attributes.on_host,
    );
    // The host reaches such memory on few machines, and then by the same address.
    let on_host = [DevicePointer::NULL, inside].contains(&attributes.on_host);
    if (found.0, found.1, found.2) == (DEVICE_MEMORY, 0, inside) && on_host {
        return Ok(());
    }
    Err(wrong(
        "an address that cudaMalloc gave is memory of device 0 by that address",
        format!(
            "it is of type {}, of device {}, {:#x} for the device and {:#x} for the host",
            found.0, found.1, found.2.0, found.3.0
        ),
    ))
}

fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let integers = exact::integers(seed, 0, 127, count);
    integers
        .into_iter()
        .map(|value| value.to_le_bytes()[0])
        .collect()
}

fn wrong(expected: &str, found: String) -> Stop {
    Box::new(CheckResult::Mismatch {
        kind: MismatchKind::WrongResult,
        expected: expected.to_owned(),
        found,
    })
}
