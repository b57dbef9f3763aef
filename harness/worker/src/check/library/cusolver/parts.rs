//! Tells the versions of what cuSOLVER is linked with. They are of one toolkit in all of NVIDIA's packages, and a reader
//! of the report sees at once if they are not.

use cudacheck_model::library::Library;

use super::Opened;
use super::ffi::{Linked, Property};
use crate::library::{Called, SharedLibrary, Status};

/// Adds `cublas-version`, `cublaslt-version`, `cusparse-version`, and `nvjitlink-version` to the report, as far as it is
/// linked with these.
pub(super) fn tell(opened: &Opened<'_>) {
    let mut told = Vec::new();
    for part in opened.subject.parts.iter().filter(|part| !part.driver) {
        let (Some(kind), Some(found)) = (Library::of_file(&part.name), &part.found) else {
            continue;
        };
        if told.contains(&kind) {
            continue;
        }
        told.push(kind);
        // The loader has it open already, and hands out the same.
        if let Ok(library) = SharedLibrary::open_now(found)
            && let Some(version) = version(&Linked::new(&library), kind)
        {
            opened.note(&format!("{kind}-version"), version);
        }
    }
}

/// The version of a part, by its own function.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "cuSOLVER is linked with these, and what else it may be linked with has no version to tell"
)]
fn version(part: &Linked<'_>, kind: Library) -> Option<String> {
    match kind {
        Library::Cublas => properties(|property, value| part.cublas(property, value)),
        Library::CublasLt => properties(|property, value| part.cublas_lt(property, value)),
        Library::Cusparse => properties(|property, value| part.cusparse(property, value)),
        Library::Nvjitlink => {
            let (mut major, mut minor) = (0, 0);
            let status = part.linker(&mut major, &mut minor).value?;
            (status == Status(0)).then(|| format!("{major}.{minor}"))
        }
        _ => None,
    }
}

/// Three numbers, asked for one by one.
fn properties(ask: impl Fn(Property, &mut i32) -> Called<Status>) -> Option<String> {
    let mut numbers = [0; 3];
    for (property, number) in (0..).zip(&mut numbers) {
        if ask(property, number).value? != Status(0) {
            return None;
        }
    }
    let [major, minor, patch] = numbers;
    Some(format!("{major}.{minor}.{patch}"))
}
