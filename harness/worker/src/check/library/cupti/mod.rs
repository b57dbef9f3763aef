//! The profiling interface: one launch of a kernel must leave one record of it.

mod ffi;

use cudacheck_model::journal::{CheckResult, MismatchKind};
use cudacheck_model::outcome::SkipReason;

use super::exact;
use super::{Bench, Checks, Named, Opened, Stop, Verdict};
use crate::library::{SharedLibrary, Status, Words};
use ffi::{CONCURRENT_KERNEL, Cupti, Launch, Record};

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[("kernel-record", kernel_record)],
    explain,
};

/// What is recorded is put down before any context is; for that CUPTI looks for the driver, and without one says so.
fn cold(opened: &Opened<'_>) -> Verdict {
    let status = opened.value(Cupti::new(&opened.library).enable(CONCURRENT_KERNEL))?;
    opened.note("enable-status", status.0.to_string());
    Ok(())
}

fn versions(opened: &Opened<'_>) -> Verdict {
    let mut version = 0;
    let asked = Cupti::new(&opened.library).version(&mut version);
    let soname = &opened.subject.soname;
    let status = opened.value(asked)?;
    if status != Status(0) && soname.starts_with("libcupti.so.13") {
        // Seen with 13.5, which says 999 to everything without a driver and 27 with one that it does not know enough;
        // 11.8 and 12.9 answer everywhere.
        return Err(opened.not_supported(format!(
            "{soname} tells its version only with a driver that suits it ({}, {})",
            explain(&opened.library, status).name,
            status.0
        )));
    }
    opened.ok(asked)?;
    opened.note("api-version", version.to_string());
    let named = soname.strip_prefix("libcupti.so.").unwrap_or(soname);
    let major = named.split('.').next().unwrap_or(named);
    if !is_of(version, major) {
        return Err(opened.skew(
            format!("{soname} has the interface of CUDA {major}"),
            format!("it has interface {version}"),
        ));
    }
    Ok(())
}

/// Whether a toolkit of this major version has an interface of this number. `cupti_version.h` counts up to 18 in CUDA
/// 11.8 and 12.0 and to 28 in 12.9, and has the toolkit's own version in 13.
fn is_of(interface: u32, major: &str) -> bool {
    match major {
        "11" => (1..=18).contains(&interface),
        "12" => (18..=99).contains(&interface),
        _ => (interface / 10_000).to_string() == major,
    }
}

const COUNT: usize = 2317;

/// Blocks and threads, of which no other launch of this process has as many.
const SHAPE: (u32, u32) = (37, 64);

/// x[i] = i for i below n.
const KERNEL: &str = "\
.version 6.0
.target sm_50
.address_size 64

.visible .entry numbers(.param .u64 x, .param .u32 n)
{
    .reg .pred %past;
    .reg .b32 %r<5>;
    .reg .b64 %d<3>;

    ld.param.u64 %d1, [x];
    ld.param.u32 %r1, [n];
    mov.u32 %r2, %ctaid.x;
    mov.u32 %r3, %ntid.x;
    mov.u32 %r4, %tid.x;
    mad.lo.u32 %r2, %r2, %r3, %r4;
    setp.ge.u32 %past, %r2, %r1;
    @%past bra done;
    cvta.to.global.u64 %d1, %d1;
    mul.wide.u32 %d2, %r2, 4;
    add.u64 %d1, %d1, %d2;
    st.global.u32 [%d1], %r2;
done:
    ret;
}
";

fn kernel_record(opened: &Opened<'_>, bench: &Bench<'_>) -> Verdict {
    /// `CUPTI_ACTIVITY_FLAG_FLUSH_FORCED`: also buffers that are not full.
    const ALL: u32 = 1;
    let api = Cupti::new(&opened.library);
    opened.ok(api.register(ffi::request, ffi::complete))?;
    let enabled = api.enable(CONCURRENT_KERNEL);
    allowed(opened, opened.value(enabled)?)?;
    opened.ok(enabled)?;
    let numbers: Vec<u32> = (0..).take(COUNT).collect();
    let x = bench.poisoned::<u32>(COUNT)?;
    let arguments = vec![
        x.at.0.to_le_bytes().to_vec(),
        2317_u32.to_le_bytes().to_vec(),
    ];
    bench.computes();
    bench.launch(KERNEL.as_bytes(), "numbers", SHAPE, &arguments)?;
    opened.ok(api.flush(ALL))?;
    opened.ok(api.disable(CONCURRENT_KERNEL))?;
    let found: Vec<u32> = bench.download(&x)?;
    bench.compares();
    // Who watches must not disturb.
    exact::same(&numbers, &found, |index| format!("x[{index}]"))?;
    let launches = launches(opened)?;
    let [launch] = launches.as_slice() else {
        return Err(wrong(
            "the launch of one kernel leaves one record",
            format!("there are {} records of kernels", launches.len()),
        ));
    };
    let shape = ([37, 1, 1], [64, 1, 1]);
    if (launch.grid, launch.block) != shape {
        return Err(wrong(
            "the record has the grid [37, 1, 1] of blocks [64, 1, 1]",
            format!(
                "it has the grid {:?} of blocks {:?}",
                launch.grid, launch.block
            ),
        ));
    }
    if launch.start == 0 || launch.end < launch.start {
        return Err(wrong(
            "the record tells when the kernel began, and an end that is not before it",
            format!("it tells {} ns to {} ns", launch.start, launch.end),
        ));
    }
    opened.note("kernel-ns", (launch.end - launch.start).to_string());
    Ok(())
}

/// All records of kernels.
fn launches(opened: &Opened<'_>) -> Result<Vec<Launch>, Stop> {
    /// `CUPTI_ERROR_MAX_LIMIT_REACHED`: there is no other record.
    const END: Status = Status(12);
    let api = Cupti::new(&opened.library);
    let mut launches = Vec::new();
    for (buffer, bytes) in ffi::filled() {
        let mut record = Record::NONE;
        loop {
            let asked = api.next(buffer, bytes, &mut record);
            if opened.value(asked)? == END {
                break;
            }
            opened.ok(asked)?;
            launches.extend(record.launch());
        }
    }
    Ok(launches)
}

/// What the driver forbids, and what CUPTI cannot do by its documentation, are no failures of the package.
fn allowed(opened: &Opened<'_>, status: Status) -> Verdict {
    let because = match status.0 {
        35 => {
            return Err(Box::new(CheckResult::Skip {
                reason: SkipReason::Privilege {
                    what: "only an administrator may profile here: load the kernel module with NVreg_RestrictProfilingToAdminUsers=0, or give CAP_SYS_ADMIN".to_owned(),
                },
            }));
        }
        40 => {
            return Err(Box::new(CheckResult::Skip {
                reason: SkipReason::Privilege {
                    what: "this virtual device may not be profiled: the hypervisor must allow it for its vGPU".to_owned(),
                },
            }));
        }
        33 => "a virtual device",
        41 => "confidential computing",
        42 => "a device for mining (CMP)",
        43 => "an instance of a divided device (MIG)",
        44 => "devices that are coupled (SLI)",
        45 => "WSL",
        _ => return Ok(()),
    };
    Err(opened.not_supported(format!(
        "CUPTI does not support {because} ({})",
        explain(&opened.library, status).name
    )))
}

/// The library's own name of a status, or the header's where the library does not answer, as 13.5 without a driver.
fn explain(library: &SharedLibrary, status: Status) -> Named {
    let mut told = Words::NULL;
    let asked = Cupti::new(library).error_name(status, &mut told);
    let name = match (asked.value, status.0) {
        (Some(Status(0)), _) => told.text(),
        (_, 15) => "CUPTI_ERROR_NOT_INITIALIZED".to_owned(),
        (_, 27) => "CUPTI_ERROR_NOT_SUPPORTED".to_owned(),
        (_, 35) => "CUPTI_ERROR_INSUFFICIENT_PRIVILEGES".to_owned(),
        (_, 39) => "CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED".to_owned(),
        (_, 999) => "CUPTI_ERROR_UNKNOWN".to_owned(),
        _ => String::new(),
    };
    Named {
        name,
        ..Named::default()
    }
}

fn wrong(expected: &str, found: String) -> Stop {
    Box::new(CheckResult::Mismatch {
        kind: MismatchKind::WrongResult,
        expected: expected.to_owned(),
        found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(interface: u32, major: &str, expected: bool) {
        assert_eq!(is_of(interface, major), expected, "{interface} of {major}");
    }

    #[test]
    fn interfaces_are_those_of_the_headers() {
        check(18, "11", true);
        check(18, "12", true);
        check(28, "12", true);
        check(130_500, "13", true);
        check(28, "11", false);
        check(28, "13", false);
        check(130_500, "12", false);
    }
}
