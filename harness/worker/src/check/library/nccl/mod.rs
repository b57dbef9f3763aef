//! Collective communication: on one device every operation but the scaled sum is the identity, on several the sums are of
//! small integers.

mod devices;
mod ffi;
mod single;

use super::{Checks, Named, Opened, Verdict};
use crate::library::{Handle, SharedLibrary, Status};
use ffi::Nccl;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[
        ("all-reduce", single::all_reduce),
        ("scaled-sum", single::scaled_sum),
        ("reduce-scatter", single::reduce_scatter),
        ("all-gather", single::all_gather),
        ("broadcast", single::broadcast),
        ("all-reduce-all", devices::all_reduce),
    ],
    explain,
};

/// A communicator needs the driver; without one its making ends with a status.
fn cold(opened: &Opened<'_>) -> Verdict {
    let api = Nccl::new(&opened.library);
    let mut communicator = [Handle::NULL];
    let made = api.init_all((&mut communicator).into(), 1, (&[0]).into());
    let status = opened.value(made)?;
    opened.note("communicator-status", status.0.to_string());
    if status == Status(0) {
        opened.ok(api.destroy(communicator[0]))?;
    }
    Ok(())
}

fn versions(opened: &Opened<'_>) -> Verdict {
    let mut code = 0;
    opened.ok(Nccl::new(&opened.library).version(&mut code))?;
    let [major, minor, patch] = parts(code);
    let version = format!("{major}.{minor}.{patch}");
    opened.note("version", version.as_str());
    if major != 2 {
        return Err(opened.skew(
            format!("{} is NCCL 2", opened.subject.soname),
            format!("it says that it is NCCL {version}"),
        ));
    }
    Ok(())
}

/// Major, minor, and patch, by `NCCL_VERSION` of the header.
fn parts(code: i32) -> [i32; 3] {
    if code < 10_000 {
        [code / 1000, code % 1000 / 100, code % 100]
    } else {
        [code / 10_000, code % 10_000 / 100, code % 100]
    }
}

fn explain(library: &SharedLibrary, status: Status) -> Named {
    let api = Nccl::new(library);
    let name = match status.0 {
        1 => "ncclUnhandledCudaError",
        2 => "ncclSystemError",
        3 => "ncclInternalError",
        4 => "ncclInvalidArgument",
        5 => "ncclInvalidUsage",
        6 => "ncclRemoteError",
        7 => "ncclInProgress",
        8 => "ncclTimeout",
        _ => "",
    };
    let text = api.error_text(status).value.map(|words| words.text());
    let log = api.last_error(Handle::NULL).value.map(|words| words.text());
    Named {
        name: name.to_owned(),
        text: text.unwrap_or_default(),
        log: log.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: i32, expected: [i32; 3]) {
        assert_eq!(parts(code), expected, "{code}");
    }

    #[test]
    fn both_ways_to_count_versions_are_read() {
        check(23203, [2, 32, 3]);
        check(20_903, [2, 9, 3]);
        check(2804, [2, 8, 4]);
    }
}
