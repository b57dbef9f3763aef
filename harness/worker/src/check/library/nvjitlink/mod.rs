//! The run-time linker: compiles PTX and links the pieces, all without driver and device but for running the result.

mod ffi;
mod linker;
mod modules;

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::exact;
use super::nvrtc::cubin;
use super::{Bench, Checks, Named, Opened, Stop, Verdict};
use crate::library::{SharedLibrary, Status};
use ffi::{NvJitLink, Plain, UNNAMED};
use linker::Linker;
use modules::{BROKEN, ENTRY, KERNEL, STEP, step};

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[
        ("ptx-to-cubin", ptx_to_cubin),
        ("ptx-error", ptx_error),
        ("undefined-symbol", undefined_symbol),
    ],
    device: &[("linked-run", linked_run)],
    explain,
};

/// Architectures that every linker from CUDA 12.0 to 13.5 has.
const ARCHITECTURES: [u8; 4] = [75, 80, 86, 90];

/// Linking needs no driver, so its status is judged.
fn cold(opened: &Opened<'_>) -> Verdict {
    let linker = Linker::create(opened, "sm_75")?;
    linker.link(&[KERNEL, STEP])?;
    linker.destroy()
}

fn versions(opened: &Opened<'_>) -> Verdict {
    let (mut major, mut minor) = (0, 0);
    let asked = Plain::new(&opened.library).version(&mut major, &mut minor);
    let soname = &opened.subject.soname;
    if asked.value.is_none() {
        let api = NvJitLink::new(&opened.library);
        let newest = UNNAMED.into_iter().find(|minor| api.has_minor(*minor));
        let Some(minor) = newest else {
            return opened.ok(asked);
        };
        opened.note("version", format!("12.{minor}"));
        return Ok(());
    }
    opened.ok(asked)?;
    let version = format!("{major}.{minor}");
    opened.note("version", version.as_str());
    if *soname != format!("libnvJitLink.so.{major}") {
        return Err(opened.skew(
            format!("{soname} is of the major version of its name"),
            format!("it says that it is nvJitLink {version}"),
        ));
    }
    Ok(())
}

/// Two modules become machine code for each architecture.
fn ptx_to_cubin(opened: &Opened<'_>) -> Verdict {
    for architecture in ARCHITECTURES {
        let linker = Linker::create(opened, &format!("sm_{architecture}"))?;
        let code = linker.link(&[KERNEL, STEP])?;
        let what = format!("the machine code for sm_{architecture}");
        let found = cubin::architecture(&code).map_err(|flaw| wrong(&what, "is that", &flaw))?;
        if found != architecture {
            let found = format!("is for sm_{found}");
            return Err(wrong(&what, "is for that architecture", &found));
        }
        if !cubin::has_kernel(&code, ENTRY) {
            let expected = format!("has the kernel `{ENTRY}`");
            return Err(wrong(&what, &expected, "has no such kernel"));
        }
        linker.destroy()?;
    }
    Ok(())
}

/// PTX with an error is refused, and the log says where.
fn ptx_error(opened: &Opened<'_>) -> Verdict {
    /// `NVJITLINK_ERROR_PTX_COMPILE`.
    const PTX_COMPILE: Status = Status(4);
    let linker = Linker::create(opened, "sm_75")?;
    let what = "PTX with an unknown instruction";
    let Some(refusal) = linker.try_link(&[BROKEN])? else {
        return Err(wrong(what, "is refused", "is accepted"));
    };
    if refusal.status != PTX_COMPILE {
        return Err(linker.refused(refusal));
    }
    let place = "line 9;";
    if !refusal.log.contains(place) {
        let expected = format!("is refused with a log that has `{place}`");
        let found = format!("has the log {:?}", refusal.log);
        return Err(wrong(what, &expected, &found));
    }
    linker.destroy()
}

/// A module that calls what no module has is refused.
fn undefined_symbol(opened: &Opened<'_>) -> Verdict {
    let linker = Linker::create(opened, "sm_75")?;
    let what = "a module that calls a function of no module";
    let Some(refusal) = linker.try_link(&[KERNEL])? else {
        return Err(wrong(what, "is refused", "is linked"));
    };
    // The linkers up to 12.0 say on stderr which function it is, and in the log only that they have failed.
    if refusal.log.is_empty() {
        return Err(wrong(what, "is refused with a log", "has an empty log"));
    }
    opened.note("status", refusal.status.0.to_string());
    linker.destroy()
}

/// Two modules, linked for this very device, and run.
fn linked_run(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    /// No multiple of the threads of a block.
    const COUNT: usize = 301;
    let linker = Linker::create(opened, &bench.capability().sm())?;
    bench.computes();
    let code = linker.link(&[KERNEL, STEP])?;
    linker.destroy()?;
    let integers = exact::integers(bench.seed, 0, u32::MAX / 2, COUNT);
    let low = |value: i64| {
        let [a, b, c, d, ..] = value.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    };
    let operand: Vec<u32> = integers.into_iter().map(low).collect();
    let x = bench.upload(&operand)?;
    let y = bench.poisoned::<u32>(COUNT)?;
    let arguments = vec![
        x.at.0.to_le_bytes().to_vec(),
        y.at.0.to_le_bytes().to_vec(),
        low(301).to_le_bytes().to_vec(),
    ];
    bench.launch(&code, ENTRY, (5, 64), &arguments)?;
    bench.compares();
    let expected: Vec<u32> = operand.iter().map(|value| step(*value)).collect();
    exact::same(&expected, &bench.download(&y)?, |index| {
        format!("y[{index}]")
    })?;
    bench.unchanged("x", &x, &operand)
}

fn wrong(what: &str, expected: &str, found: &str) -> Stop {
    Box::new(CheckResult::Mismatch {
        kind: MismatchKind::WrongResult,
        expected: format!("{what} {expected}"),
        found: format!("{what} {found}"),
    })
}

/// The library has no function for it, so these are the names of its header. Up to 12.9 only the first ten are in use.
fn explain(_: &SharedLibrary, status: Status) -> Named {
    let name = match status.0 {
        1 => "UNRECOGNIZED_OPTION",
        2 => "MISSING_ARCH",
        3 => "INVALID_INPUT",
        4 => "PTX_COMPILE",
        5 => "NVVM_COMPILE",
        6 => "INTERNAL",
        7 => "THREADPOOL",
        8 => "UNRECOGNIZED_INPUT",
        9 => "FINALIZE",
        10 => "NULL_INPUT",
        11 => "INCOMPATIBLE_OPTIONS",
        12 => "INCORRECT_INPUT_TYPE",
        13 => "ARCH_MISMATCH",
        14 => "OUTDATED_LIBRARY",
        15 => "MISSING_FATBIN",
        16 => "UNRECOGNIZED_ARCH",
        17 => "UNSUPPORTED_ARCH",
        18 => "LTO_NOT_ENABLED",
        _ => return Named::default(),
    };
    Named {
        name: format!("NVJITLINK_ERROR_{name}"),
        ..Named::default()
    }
}
