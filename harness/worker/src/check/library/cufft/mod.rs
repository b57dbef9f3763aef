//! cuFFT: transforms of every way that it computes them, held against sums in f64.

mod ffi;
mod measure;
mod one_dimension;
mod shapes;
mod transform;

use cudacheck_model::journal::CheckResult;
use cudacheck_model::library::Part;

use super::{Checks, Named, Opened, Stop, Verdict};
use crate::library::{SharedLibrary, Status};
use ffi::{Cufft, Kind, Plan};

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[
        ("c2c-radix-2", one_dimension::radix_2),
        ("c2c-mixed", one_dimension::mixed),
        ("c2c-prime", one_dimension::prime),
        ("c2c-2d", shapes::two_dimensions),
        ("c2c-batch", shapes::batch),
        ("c2c-long", one_dimension::long),
        ("r2c-c2r", shapes::real),
        ("z2z", one_dimension::double),
    ],
    explain,
};

/// `cufftPlan1d` opens the driver and, from CUDA 12 on, the run-time linker. Without a driver its answer is 5 or 11.
fn cold(opened: &Opened<'_>) -> Verdict {
    let api = Cufft::new(&opened.library);
    let mut plan = Plan::NONE;
    let status = opened.value(api.plan_1d(&mut plan, 64, Kind::C2C, 1))?;
    opened.note("plan-status", status.0.to_string());
    Ok(())
}

/// The version comes from two functions, which are of one library and so must agree.
fn versions(opened: &Opened<'_>) -> Verdict {
    let api = Cufft::new(&opened.library);
    let mut whole = 0;
    opened.ok(api.version(&mut whole))?;
    let mut parts = [0; 3];
    for (property, part) in (0..).zip(&mut parts) {
        opened.ok(api.property(property, part))?;
    }
    let [major, minor, patch] = parts;
    opened.note("version", format!("{major}.{minor}.{patch}"));
    if whole != major * 1000 + minor * 100 + patch {
        return Err(opened.skew(
            format!("`cufftGetVersion` says what `cufftGetProperty` says: {major}.{minor}.{patch}"),
            format!("it says {whole}"),
        ));
    }
    if !opened.subject.soname.ends_with(&format!(".so.{major}")) {
        return Err(opened.skew(
            format!("{} is of the version in its name", opened.subject.soname),
            format!("it says that it is {major}.{minor}.{patch}"),
        ));
    }
    Ok(())
}

/// A plan for transforms of `n` numbers that lie one after the other.
fn plan(opened: &Opened<'_>, n: usize, kind: Kind) -> Result<Plan, Stop> {
    let api = Cufft::new(&opened.library);
    let mut plan = Plan::NONE;
    let status = opened.value(api.plan_1d(&mut plan, length(n), kind, 1))?;
    planned(opened, "cufftPlan1d", status, plan)
}

/// The plan, if there is one.
fn planned(opened: &Opened<'_>, function: &str, status: Status, plan: Plan) -> Result<Plan, Stop> {
    if status == Status(0) {
        return Ok(plan);
    }
    let missing = missing(status, &opened.subject.parts);
    Err(missing.map_or_else(
        || opened.refused(function, status),
        |part| {
            Box::new(CheckResult::Unloadable {
                library: part.name.clone(),
                reason: format!(
                    "{}: cannot open shared object file: {} opens it by name to make plans, nothing on its search path has it, and `{function}` answered {}",
                    part.name, opened.subject.soname, status.0
                ),
            })
        },
    ))
}

/// The linker, if a plan could not be made because it is not there. Before CUDA 13 cuFFT says no more than 5, which has
/// many reasons.
fn missing(status: Status, parts: &[Part]) -> Option<&Part> {
    let may_be_linker = matches!(status.0, 5 | 17 | 19);
    parts
        .iter()
        .filter(|_| may_be_linker)
        .find(|part| part.name.starts_with("libnvJitLink.so") && part.found.is_none())
}

/// A length as cuFFT takes it.
fn length(n: usize) -> i32 {
    i32::try_from(n).expect("the lengths of the tests are small")
}

/// The names in `cufft.h`. The library has no strings of its own, and its 5 says less than what is behind it nearly
/// always.
fn explain(_: &SharedLibrary, status: Status) -> Named {
    let (name, text) = match status.0 {
        1 => ("CUFFT_INVALID_PLAN", "the plan is not valid"),
        2 => ("CUFFT_ALLOC_FAILED", "memory for the plan could not be had"),
        3 => ("CUFFT_INVALID_TYPE", "the type of transform is not valid"),
        4 => ("CUFFT_INVALID_VALUE", "a pointer or parameter is not valid"),
        5 => (
            "CUFFT_INTERNAL_ERROR",
            "internal error: no driver, no code for the device, or libnvJitLink or libnvrtc is missing or of another release",
        ),
        6 => ("CUFFT_EXEC_FAILED", "the transform could not be executed"),
        7 => ("CUFFT_SETUP_FAILED", "the library could not be initialized"),
        8 => (
            "CUFFT_INVALID_SIZE",
            "the size of the transform is not valid",
        ),
        9 => ("CUFFT_UNALIGNED_DATA", "data is not aligned"),
        10 => ("CUFFT_INCOMPLETE_PARAMETER_LIST", "parameters are missing"),
        11 => (
            "CUFFT_INVALID_DEVICE",
            "the plan was made for another device, or there is none",
        ),
        12 => ("CUFFT_PARSE_ERROR", "internal error of the plan database"),
        13 => ("CUFFT_NO_WORKSPACE", "there is no work area"),
        14 => (
            "CUFFT_NOT_IMPLEMENTED",
            "not implemented for these parameters",
        ),
        15 => ("CUFFT_LICENSE_ERROR", "license error"),
        16 => ("CUFFT_NOT_SUPPORTED", "not supported for these parameters"),
        17 => (
            "CUFFT_MISSING_DEPENDENCY",
            "a library that it opens by name was not found: libnvJitLink or libnvrtc",
        ),
        18 => ("CUFFT_NVRTC_FAILURE", "libnvrtc failed"),
        19 => ("CUFFT_NVJITLINK_FAILURE", "libnvJitLink failed"),
        20 => ("CUFFT_NVSHMEM_FAILURE", "libnvshmem failed"),
        _ => ("", ""),
    };
    Named {
        name: name.to_owned(),
        text: text.to_owned(),
        log: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use cudacheck_model::library::PartNeed;

    use super::*;

    #[track_caller]
    fn check(status: i32, name: &str, found: Option<&str>, expected: Option<&str>) {
        let parts = [Part {
            name: name.to_owned(),
            need: PartNeed::Required,
            found: found.map(PathBuf::from),
            driver: false,
        }];
        let part = missing(Status(status), &parts).map(|part| part.name.as_str());
        assert_eq!(part, expected);
    }

    #[test]
    fn a_missing_linker_explains_what_cufft_does_not() {
        let linker = "libnvJitLink.so.12";
        check(5, linker, None, Some(linker));
        check(17, linker, None, Some(linker));
        check(5, linker, Some("/store/lib/libnvJitLink.so.12"), None);
        check(2, linker, None, None);
        check(5, "libnvrtc.so.12", None, None);
    }
}
