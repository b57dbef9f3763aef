//! Functions that the driver provides to kernels: `vprintf`, `__assertfail`, `malloc`, `free`.

use super::step::{Block, Halt, Machine, Reason, lanes, row};
use super::warp::{Cursor, Warp};
use crate::ptx::code::{Argument, Call, Callee, MemorySpace};

/// The longest text that a kernel may name.
const MOST_TEXT: usize = 4096;

pub(super) fn call(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    at: &Cursor,
    mask: u32,
    call: &Call,
) -> Result<(), Halt> {
    for lane in lanes(mask) {
        let arguments: Vec<u64> = call
            .arguments
            .iter()
            .map(|argument| value(machine, warp, at, lane, *argument))
            .collect();
        let argument = |index: usize| arguments.get(index).copied().unwrap_or(0);
        let result = match call.callee {
            Callee::Print => print(machine, block, warp, lane, argument(0), argument(1))?,
            Callee::Assert => {
                let message = text(machine, block, warp, lane, argument(0))?;
                let file = text(machine, block, warp, lane, argument(1))?;
                let function = text(machine, block, warp, lane, argument(3))?;
                let [bx, by, bz] = block.index;
                let [tx, ty, tz] = warp.tid.map(|axis| axis[lane]);
                let line = argument(2) as u32;
                let message = format!(
                    "{file}:{line}: {function}: block: [{bx},{by},{bz}], thread: [{tx},{ty},{tz}] Assertion `{message}` failed."
                );
                return Err(Halt {
                    lane,
                    reason: Reason::Assert(message),
                });
            }
            Callee::Allocate => machine.memory.allocate(argument(0)).unwrap_or(0),
            Callee::Free => {
                let address = argument(0);
                if address != 0 && machine.memory.free(address).is_err() {
                    return Err(Halt {
                        lane,
                        reason: Reason::Illegal("free of an address that malloc did not give"),
                    });
                }
                0
            }
            Callee::Direct(_) | Callee::Indirect(_) => 0,
        };
        match call.returns.first() {
            Some(Argument::Register(d)) => warp.rows[at.rows + d.0 as usize][lane] = result,
            Some(Argument::Local { offset, size }) => {
                let begin = (at.local + offset) as usize;
                let size = (*size as usize).min(8);
                warp.local[lane][begin..begin + size]
                    .copy_from_slice(&result.to_le_bytes()[..size]);
            }
            Some(Argument::Predicate(_)) | None => {}
        }
    }
    Ok(())
}

fn value(machine: &Machine<'_>, warp: &Warp, at: &Cursor, lane: usize, argument: Argument) -> u64 {
    match argument {
        Argument::Register(source) => row(&warp.rows, machine.constants, at.rows, source)[lane],
        Argument::Local { offset, size } => {
            let begin = (at.local + offset) as usize;
            let size = (size as usize).min(8);
            let mut word = [0u8; 8];
            word[..size].copy_from_slice(&warp.local[lane][begin..begin + size]);
            u64::from_le_bytes(word)
        }
        Argument::Predicate(_) => 0,
    }
}

/// A C string of the device.
fn text(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    lane: usize,
    address: u64,
) -> Result<String, Halt> {
    let mut bytes = Vec::new();
    while bytes.len() < MOST_TEXT {
        let mut byte = [0];
        super::access::read(
            machine,
            block,
            warp,
            lane,
            MemorySpace::Generic,
            address.wrapping_add(bytes.len() as u64),
            &mut byte,
        )?;
        if byte[0] == 0 {
            break;
        }
        bytes.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `printf` with its arguments in memory: integers of 4 or 8 bytes, doubles, strings by address.
fn print(
    machine: &mut Machine<'_>,
    block: &mut Block,
    warp: &mut Warp,
    lane: usize,
    format: u64,
    mut arguments: u64,
) -> Result<u64, Halt> {
    let format = text(machine, block, warp, lane, format)?;
    let mut out = String::new();
    let mut count = 0;
    let mut rest = format.as_str();
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(end) = rest.find(|letter: char| {
            letter.is_ascii_alphabetic() && !"hlzjt".contains(letter) || letter == '%'
        }) else {
            break;
        };
        let (spec, kind) = (&rest[..end], rest.as_bytes()[end]);
        rest = &rest[end + 1..];
        if kind == b'%' {
            out.push('%');
            continue;
        }
        let long = spec.contains(['l', 'z', 'j', 't']) || b"sfFeEgGaAp".contains(&kind);
        let size = if long { 8 } else { 4 };
        arguments = arguments.wrapping_add(size - 1) & !(size - 1);
        let mut word = [0u8; 8];
        super::access::read(
            machine,
            block,
            warp,
            lane,
            MemorySpace::Generic,
            arguments,
            &mut word[..size as usize],
        )?;
        arguments = arguments.wrapping_add(size);
        count += 1;
        let value = u64::from_le_bytes(word);
        let piece = match kind {
            b's' => text(machine, block, warp, lane, value)?,
            _ => number(spec, kind, value, long),
        };
        out.push_str(&pad(spec, piece));
    }
    out.push_str(rest);
    (machine.output)(out.as_bytes());
    Ok(count)
}

fn number(spec: &str, kind: u8, value: u64, long: bool) -> String {
    let plus = if spec.contains('+') { "+" } else { "" };
    let precision = spec.split_once('.').and_then(|(_, digits)| {
        digits
            .trim_end_matches(|letter: char| !letter.is_ascii_digit())
            .parse::<usize>()
            .ok()
    });
    let precision = precision.unwrap_or(6).min(512);
    let float = f64::from_bits(value);
    match kind {
        b'd' | b'i' => {
            let value = if long {
                value.cast_signed()
            } else {
                i64::from((value as u32).cast_signed())
            };
            if value >= 0 {
                format!("{plus}{value}")
            } else {
                value.to_string()
            }
        }
        b'u' => value.to_string(),
        b'x' => format!("{value:x}"),
        b'X' => format!("{value:X}"),
        b'o' => format!("{value:o}"),
        b'p' => format!("0x{value:x}"),
        b'c' => char::from((value & 0xff) as u8).to_string(),
        b'e' | b'E' => exponent(float, precision),
        b'g' | b'G' => format!("{float}"),
        _ => format!("{float:.precision$}"),
    }
}

/// Rust writes `1.5e2`, C writes `1.5e+02`.
fn exponent(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    match text.split_once('e') {
        Some((digits, power)) => {
            let (sign, power) = power
                .strip_prefix('-')
                .map_or(('+', power), |power| ('-', power));
            format!("{digits}e{sign}{power:0>2}")
        }
        None => text,
    }
}

fn pad(spec: &str, piece: String) -> String {
    let flags = spec.trim_start_matches(['-', '+', ' ', '#', '0']);
    let digits: String = flags.chars().take_while(char::is_ascii_digit).collect();
    let width = digits.parse::<usize>().unwrap_or(0).min(1024);
    let zero = spec.trim_start_matches(['+', ' ', '#']).starts_with('0');
    if spec.starts_with('-') {
        format!("{piece:<width$}")
    } else if zero {
        let (sign, digits) = piece
            .strip_prefix('-')
            .map_or(("", piece.as_str()), |digits| ("-", digits));
        format!(
            "{sign}{digits:0>width$}",
            width = width.saturating_sub(sign.len())
        )
    } else {
        format!("{piece:>width$}")
    }
}
