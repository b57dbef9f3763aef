//! The first stage: nothing is loaded before the library, so that it meets what it would meet in a user's program.
//!
//! The library is called before anything else of the package is opened: a part that the harness has opened would be
//! there when the library asks for it by name, however wrong its search path is.

use std::path::Path;

use cudacheck_model::journal::{CheckResult, Stage};
use cudacheck_model::library::PartNeed;

use super::{Context, Verdict, opened, provenance};
use crate::check::mapped;
use crate::driver::Driver;
use crate::library::{SharedLibrary, closed_libraries};

/// The name by which libraries ask for the driver.
const LIBCUDA: &str = "libcuda.so.1";

/// Opens the library, has it look for what it needs, and opens its parts.
pub(super) fn cold(context: &Context<'_>) -> Verdict {
    let opened = context.open()?;
    context.journal.stage(Stage::OpenParts);
    every_part_is_there(context)?;
    let closed = closed_libraries();
    if let Some(touch) = context.checks.cold {
        context.journal.stage(Stage::FirstCall);
        touch(&opened)?;
    }
    let keeps = if closed_libraries() == closed {
        Keeps::All
    } else {
        Keeps::Some
    };
    context.journal.stage(Stage::Provenance);
    provenance::strangers(context.journal, context.subject)?;
    if context.checks.cold.is_some() {
        finds_driver(context, keeps)?;
    }
    context.journal.stage(Stage::OpenParts);
    every_part_opens(context)
}

/// What a library has kept open of what it opened when it was called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Keeps {
    All,
    Some,
}

/// What the library opens by name, and cannot do without, is found from where it looks. Nothing is opened for that.
fn every_part_is_there(context: &Context<'_>) -> Verdict {
    for part in context.subject.parts.iter().filter(|part| !part.driver) {
        match (&part.found, part.need) {
            // The loader itself took these, or would have refused the library.
            (_, PartNeed::Linked) | (Some(_), _) => {}
            (None, PartNeed::Required) => {
                return Err(Box::new(CheckResult::Unloadable {
                    library: part.name.clone(),
                    reason: format!(
                        "{}: cannot open shared object file: {} opens it by name, and nothing on its search path has it",
                        part.name, context.subject.soname
                    ),
                }));
            }
            (None, PartNeed::Feature | PartNeed::Optional) => {
                context.journal.note("part-not-found", part.name.clone());
            }
        }
    }
    Ok(())
}

/// What is there can be opened, with all that it is linked with.
fn every_part_opens(context: &Context<'_>) -> Verdict {
    for part in context.subject.parts.iter().filter(|part| !part.driver) {
        let (Some(path), PartNeed::Required | PartNeed::Feature | PartNeed::Optional) =
            (&part.found, part.need)
        else {
            continue;
        };
        if let Err(reason) = opened::load(path) {
            if context.lacks_driver(&reason) {
                context.journal.note("part-not-opened", reason);
                continue;
            }
            return Err(Box::new(CheckResult::Unloadable {
                library: part.name.clone(),
                reason,
            }));
        }
    }
    Ok(())
}

/// The library has found the driver, as far as that can be seen: a runtime closes a driver again that cannot be
/// initialised, or that is too old for it, and then what it would have found by name is looked at.
fn finds_driver(context: &Context<'_>, keeps: Keeps) -> Verdict {
    let parts = context.subject.parts.iter();
    let mut needs = parts.filter(|part| matches!(part.need, PartNeed::Linked | PartNeed::Required));
    let needs_it = needs.any(|part| part.driver && part.name.starts_with("libcuda.so"));
    let machines = context.files.libcuda.as_deref();
    let mapped = mapped::all().map_err(|fault| Box::new(CheckResult::Machine(fault)))?;
    if let Some(found) = provenance::driver(&mapped, machines) {
        context.journal.note("driver", found.display().to_string());
        return Ok(());
    }
    if !needs_it {
        return Ok(());
    }
    // By name, on purpose: LD_LIBRARY_PATH leads every library to the same file. What it is, is judged below.
    if SharedLibrary::open(Path::new(LIBCUDA)).is_ok() {
        provenance::strangers(context.journal, context.subject)?;
    }
    let Some(driver) = machines else {
        let none = "this machine has none, so whether the library finds it was not seen";
        context.journal.note("driver", none);
        return Ok(());
    };
    if keeps == Keeps::Some {
        let again = "the library closed what it had opened, as runtimes do with a driver that they cannot use, so whether it was this one was not seen";
        context.journal.note("driver", again);
        return Ok(());
    }
    if Driver::open(driver).is_ok_and(|driver| driver.initialize().is_ok()) {
        return Err(Box::new(CheckResult::Unloadable {
            library: LIBCUDA.to_owned(),
            reason: format!(
                "{LIBCUDA}: cannot open shared object file: the driver is {}, but {} did not find it by itself",
                driver.display(),
                context.subject.soname
            ),
        }));
    }
    let unfit = "it cannot be initialised, so whether the library finds it was not seen";
    context.journal.note("driver", unfit);
    Ok(())
}
