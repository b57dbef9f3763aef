//! The run-time compiler: everything but running what it made needs neither a driver nor a device.

pub(super) mod cubin;
mod ffi;
mod host;
mod kernels;
mod program;

use super::exact;
use super::{Bench, Checks, Named, Opened, Stop, Verdict};
use crate::library::{SharedLibrary, Status};
use ffi::Nvrtc;
use program::Program;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[
        ("cubin", host::cubin),
        ("ptx", host::ptx),
        ("compile-error", host::compile_error),
        ("template-instance", host::template_instance),
    ],
    device: &[("cubin-run", cubin_run), ("ptx-run", ptx_run)],
    explain,
};

/// The first compilation opens `libnvrtc-builtins`, which must be of exactly the compiler's version. It needs no
/// driver, so its status is judged.
fn cold(opened: &Opened<'_>) -> Verdict {
    let architectures = architectures(opened)?;
    let program = Program::create(opened, &kernels::AXPY)?;
    program.compile(&format!("compute_{}", newest(&architectures)))?;
    program.destroy()
}

fn versions(opened: &Opened<'_>) -> Verdict {
    let api = Nvrtc::new(&opened.library);
    let (mut major, mut minor) = (0, 0);
    opened.ok(api.version(&mut major, &mut minor))?;
    let version = format!("{major}.{minor}");
    opened.note("version", version.as_str());
    let architectures = architectures(opened)?;
    let told: Vec<String> = architectures.iter().map(ToString::to_string).collect();
    opened.note("architectures", told.join(" "));
    let soname = &opened.subject.soname;
    if !soname.starts_with(&format!("libnvrtc.so.{major}")) {
        return Err(opened.skew(
            format!("{soname} is of the major version of its name"),
            format!("it says that it is NVRTC {version}"),
        ));
    }
    // The library asks for its builtins with their minor version, so another one cannot be of this release.
    let builtins = format!("libnvrtc-builtins.so.{version}");
    let mut parts = opened.subject.parts.iter();
    match parts.find(|part| part.name.starts_with("libnvrtc-builtins.so.")) {
        Some(part) if part.name != builtins => Err(opened.skew(
            format!("NVRTC {version} opens {builtins}"),
            format!("it opens {}", part.name),
        )),
        Some(_) | None => Ok(()),
    }
}

/// Machine code for this very device, as programs ask for that know where they run.
fn cubin_run(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let own = number(bench);
    let known = architectures(opened)?;
    if !known.contains(&own) {
        return Err(opened.not_supported(format!(
            "this NVRTC names no machine code for {}; the newest that it names is sm_{}",
            bench.capability().sm(),
            newest(&known)
        )));
    }
    let program = Program::create(opened, &kernels::AXPY)?;
    bench.computes();
    program.compile(&format!("sm_{own}"))?;
    let cubin = program.cubin()?;
    program.destroy()?;
    let case = kernels::Axpy::new(bench.seed);
    let x = bench.upload(&case.x)?;
    let y = bench.upload(&case.y)?;
    bench.launch(&cubin, "axpy", kernels::SHAPE, &case.arguments(x.at, y.at))?;
    bench.compares();
    exact::same(&case.expected(), &bench.download(&y)?, |index| {
        format!("y[{index}]")
    })?;
    bench.unchanged("x", &x, &case.x)
}

/// PTX for the newest architecture that both the compiler and the device know, compiled by the driver.
fn ptx_run(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    let own = number(bench);
    let known = architectures(opened)?;
    let usable = known.iter().copied().filter(|it| *it <= own).max();
    let Some(architecture) = usable else {
        return Err(opened.not_supported(format!(
            "this NVRTC compiles for compute_{} and newer; the device is {}",
            known.iter().min().copied().unwrap_or_default(),
            bench.capability().sm()
        )));
    };
    opened.note("compute", architecture.to_string());
    let program = Program::create(opened, &kernels::MIX)?;
    bench.computes();
    program.compile(&format!("compute_{architecture}"))?;
    let ptx = program.ptx()?;
    program.destroy()?;
    let case = kernels::Mix::new(bench.seed);
    let x = bench.upload(&case.x)?;
    let y = bench.poisoned::<u32>(case.x.len())?;
    let arguments = case.arguments(x.at, y.at);
    bench.launch(ptx.as_bytes(), "mix", kernels::SHAPE, &arguments)?;
    bench.compares();
    exact::same(&case.expected(), &bench.download(&y)?, |index| {
        format!("y[{index}]")
    })?;
    bench.unchanged("x", &x, &case.x)
}

/// What it compiles for: 90 for `compute_90`.
fn architectures(opened: &Opened<'_>) -> Result<Vec<u32>, Stop> {
    let api = Nvrtc::new(&opened.library);
    let mut count = 0;
    opened.ok(api.architecture_count(&mut count))?;
    let mut numbers = vec![0; usize::try_from(count).unwrap_or(0)];
    opened.ok(api.architectures(numbers.as_mut_slice().into()))?;
    let numbers = numbers.into_iter();
    let known: Vec<u32> = numbers.filter_map(|it| u32::try_from(it).ok()).collect();
    if known.is_empty() {
        return Err(opened.skew(
            "the compiler compiles for some architecture",
            "it names none",
        ));
    }
    Ok(known)
}

/// The device's architecture as the compiler counts: 90 for 9.0.
fn number(bench: &Bench<'_>) -> u32 {
    let capability = bench.capability();
    capability.major * 10 + capability.minor
}

fn newest(architectures: &[u32]) -> u32 {
    architectures.iter().copied().max().unwrap_or_default()
}

/// The library calls the name its string, and has no sentence.
fn explain(library: &SharedLibrary, status: Status) -> Named {
    let named = Nvrtc::new(library).error_name(status);
    Named {
        name: named.value.map(|words| words.text()).unwrap_or_default(),
        ..Named::default()
    }
}
