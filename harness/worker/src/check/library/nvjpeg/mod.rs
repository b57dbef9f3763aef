//! JPEG: pictures of known pixels, made here byte by byte, so that no file of anybody else is needed.

mod decode;
mod ffi;
mod picture;

use super::{Checks, Named, Opened, Stop, Verdict};
use crate::library::{Called, Handle, SharedLibrary, Status};
use ffi::NvJpeg;

pub(super) const CHECKS: Checks = Checks {
    cold: Some(cold),
    versions: Some(versions),
    host: &[],
    device: &[
        ("image-info", decode::image_info),
        ("decode-luma", decode::luma),
        ("decode-rgb", decode::rgb),
        ("decode-rgb-420", decode::rgb_420),
        ("truncated", decode::truncated),
    ],
    explain,
};

/// A handle needs the driver; without one its making ends with a status.
fn cold(opened: &Opened<'_>) -> Verdict {
    let mut handle = Handle::NULL;
    let status = opened.value(NvJpeg::new(&opened.library).create(&mut handle))?;
    opened.note("create-status", status.0.to_string());
    Ok(())
}

fn versions(opened: &Opened<'_>) -> Verdict {
    let api = NvJpeg::new(&opened.library);
    let [major, minor, patch] = properties(opened, |kind, value| api.property(kind, value))?;
    let runtime = properties(opened, |kind, value| api.cudart_property(kind, value))?;
    let version = format!("{major}.{minor}.{patch}");
    opened.note("version", version.as_str());
    opened.note("cudart-version", format!("{}.{}", runtime[0], runtime[1]));
    let soname = &opened.subject.soname;
    if *soname != format!("libnvjpeg.so.{major}") {
        return Err(opened.skew(
            format!("{soname} is of the major version of its name"),
            format!("it says that it is nvJPEG {version}"),
        ));
    }
    if runtime[0] != major {
        return Err(opened.skew(
            format!("nvJPEG {version} was built with the runtime of CUDA {major}"),
            format!("it says CUDA {}.{}", runtime[0], runtime[1]),
        ));
    }
    Ok(())
}

fn properties(
    opened: &Opened<'_>,
    ask: impl Fn(i32, &mut i32) -> Called<Status>,
) -> Result<[i32; 3], Stop> {
    let mut parts = [0; 3];
    for (kind, part) in (0..).zip(&mut parts) {
        opened.ok(ask(kind, part))?;
    }
    Ok(parts)
}

/// The library has no function for it, so these are the names of its header.
fn explain(_: &SharedLibrary, status: Status) -> Named {
    let name = match status.0 {
        1 => "NOT_INITIALIZED",
        2 => "INVALID_PARAMETER",
        3 => "BAD_JPEG",
        4 => "JPEG_NOT_SUPPORTED",
        5 => "ALLOCATOR_FAILURE",
        6 => "EXECUTION_FAILED",
        7 => "ARCH_MISMATCH",
        8 => "INTERNAL_ERROR",
        9 => "IMPLEMENTATION_NOT_SUPPORTED",
        10 => "INCOMPLETE_BITSTREAM",
        _ => return Named::default(),
    };
    Named {
        name: format!("NVJPEG_STATUS_{name}"),
        ..Named::default()
    }
}
