//! What the compiler makes, looked at without running it.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::super::{Opened, Stop, Verdict};
use super::kernels::{AXPY, BROKEN, SCALE, SCALE_BY_3, SCALE_BY_3_LOWERED};
use super::program::Program;
use super::{architectures, cubin as machine_code, newest};
use crate::library::Status;

/// `NVRTC_ERROR_COMPILATION`.
const COMPILATION: Status = Status(6);

/// Machine code for each architecture that the compiler names.
pub(super) fn cubin(opened: &Opened<'_>) -> Verdict {
    for architecture in architectures(opened)? {
        let program = Program::create(opened, &AXPY)?;
        program.compile(&format!("sm_{architecture}"))?;
        let cubin = program.cubin()?;
        let what = format!("the machine code for sm_{architecture}");
        let found =
            machine_code::architecture(&cubin).map_err(|flaw| wrong(&what, "is that", &flaw))?;
        if u32::from(found) != architecture {
            let found = format!("is for sm_{found}");
            return Err(wrong(&what, "is for that architecture", &found));
        }
        if !machine_code::has_kernel(&cubin, "axpy") {
            return Err(wrong(&what, "has the kernel `axpy`", "has no such kernel"));
        }
        program.destroy()?;
    }
    Ok(())
}

/// PTX for each architecture that the compiler names.
pub(super) fn ptx(opened: &Opened<'_>) -> Verdict {
    for architecture in architectures(opened)? {
        let program = Program::create(opened, &AXPY)?;
        program.compile(&format!("compute_{architecture}"))?;
        let ptx = program.ptx()?;
        let target = format!(".target sm_{architecture}");
        let what = format!("the PTX for compute_{architecture}");
        for line in [target.as_str(), ".visible .entry axpy("] {
            if !ptx.lines().any(|it| it.trim_end() == line) {
                let expected = format!("has a line `{line}`");
                return Err(wrong(&what, &expected, "has no such line"));
            }
        }
        program.destroy()?;
    }
    Ok(())
}

/// A program with an error is refused, and the log says where; the same program without it is taken.
pub(super) fn compile_error(opened: &Opened<'_>) -> Verdict {
    let architecture = newest(&architectures(opened)?);
    let program = Program::create(opened, &BROKEN)?;
    let option = format!("--gpu-architecture=compute_{architecture}");
    let (status, log) = program.try_compile(std::slice::from_ref(&option))?;
    let what = "a program that uses an undeclared name";
    if status == Status(0) {
        return Err(wrong(what, "is refused", "is accepted"));
    }
    if status != COMPILATION {
        return Err(program.refused(status, log));
    }
    let place = "broken.cu(3): error";
    if !log.contains(place) {
        let expected = format!("is refused with a log that has `{place}`");
        return Err(wrong(what, &expected, &format!("has the log {log:?}")));
    }
    program.destroy()?;
    // A compiler that refuses everything, or nothing works after an error, would pass so far.
    let program = Program::create(opened, &AXPY)?;
    let (status, log) = program.try_compile(&[option])?;
    if status != Status(0) {
        return Err(program.refused(status, log));
    }
    program.destroy()
}

/// The instance of a template has the name that the compiler tells, and only because it was asked for.
pub(super) fn template_instance(opened: &Opened<'_>) -> Verdict {
    let architecture = newest(&architectures(opened)?);
    let program = Program::create(opened, &SCALE)?;
    program.compile(&format!("compute_{architecture}"))?;
    let lowered = program.lowered(SCALE_BY_3)?;
    let what = format!("the instance `{}`", SCALE_BY_3.to_string_lossy());
    if lowered != SCALE_BY_3_LOWERED {
        let expected = format!("is named {SCALE_BY_3_LOWERED}, as the C++ ABI names it");
        return Err(wrong(&what, &expected, &format!("is named `{lowered}`")));
    }
    let entry = format!(".entry {lowered}(");
    if !program.ptx()?.contains(&entry) {
        return Err(wrong(&what, "is in the PTX", "is not in it"));
    }
    program.destroy()
}

fn wrong(what: &str, expected: &str, found: &str) -> Stop {
    Box::new(CheckResult::Mismatch {
        kind: MismatchKind::WrongResult,
        expected: format!("{what} {expected}"),
        found: format!("{what} {found}"),
    })
}
