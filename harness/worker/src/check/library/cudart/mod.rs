//! The CUDA runtime: finds the driver, and tells which runtime it is.

mod ffi;

use super::{Checks, Named, Opened, Verdict};
use crate::library::{SharedLibrary, Status};
use ffi::Cudart;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[],
    explain,
};

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
    let mut version = 0;
    opened.ok(api.runtime_version(&mut version))?;
    opened.note(
        "version",
        format!("{}.{}", version / 1000, version % 1000 / 10),
    );
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
