//! The CUDA runtime: finds the driver, tells which runtime it is, and moves memory.
//!
//! It starts no kernel here: for that it takes fatbins whose layout is the compiler's own business.

mod ffi;
mod memory;

use super::{Checks, Named, Opened, Verdict};
use crate::library::{SharedLibrary, Status};
use ffi::Cudart;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[
        ("memory", memory::memory),
        ("memory-2d", memory::rectangle),
        ("streams", memory::streams),
    ],
    explain,
};

/// `cudaErrorInsufficientDriver`.
const INSUFFICIENT_DRIVER: Status = Status(35);

/// `cudaGetDeviceCount` opens the driver. Without one its answer is 35, without a device 100: both are answers.
fn cold(opened: &Opened<'_>) -> Verdict {
    let api = Cudart::new(&opened.library);
    let mut count = 0;
    let status = opened.value(api.device_count(&mut count))?;
    opened.note("device-count-status", status.0.to_string());
    Ok(())
}

fn versions(opened: &Opened<'_>) -> Verdict {
    let api = Cudart::new(&opened.library);
    let (mut version, mut driver) = (0, 0);
    opened.ok(api.driver_version(&mut driver))?;
    let asked = api.runtime_version(&mut version);
    let soname = &opened.subject.soname;
    if opened.value(asked)? == INSUFFICIENT_DRIVER && driver == 0 {
        // Seen with 11.8; the runtimes of CUDA 12 and 13 answer.
        return Err(opened.not_supported(format!(
            "{soname} tells its version only where there is a driver"
        )));
    }
    opened.ok(asked)?;
    let (major, minor) = (version / 1000, version % 1000 / 10);
    opened.note("version", format!("{major}.{minor}"));
    if driver != 0 {
        let supported = format!("{}.{}", driver / 1000, driver % 1000 / 10);
        opened.note("driver-supports", supported);
    }
    let named = soname.strip_prefix("libcudart.so.").unwrap_or(soname);
    if named.split('.').next() != Some(major.to_string().as_str()) {
        return Err(opened.skew(
            format!("{soname} is of the major version of its name"),
            format!("it says that it is the runtime of CUDA {major}.{minor}"),
        ));
    }
    Ok(())
}

fn explain(library: &SharedLibrary, status: Status) -> Named {
    let api = Cudart::new(library);
    let text = |called: crate::library::Called<crate::library::Words>| {
        called.value.map(|words| words.text()).unwrap_or_default()
    };
    Named {
        name: text(api.error_name(status)),
        text: text(api.error_text(status)),
        log: String::new(),
    }
}
