//! Which suites answer `cudacheck run --package PATH` without a suite's name: those whose libraries the package has.

use cudacheck_model::library::{LIBRARIES, Subjects};
use cudacheck_model::suite::{Check, Suite};

use crate::suites;

/// The suites for a package, in the order of the libraries; first the one that reads files only.
pub(super) fn suites(found: &Subjects) -> Vec<String> {
    let mut names = vec!["linkage".to_owned()];
    let shipped: Vec<String> = suites::names().collect();
    for library in LIBRARIES.iter().filter(|it| found.contains_key(it)) {
        names.extend(shipped.iter().find(|name| *name == library.name()).cloned());
    }
    names
}

/// Whether any suite checks libraries of a package.
pub(super) fn asks_for_libraries(suites: &[Suite]) -> bool {
    let mut cases = suites.iter().flat_map(|suite| &suite.cases);
    cases.any(|case| matches!(case.check, Check::Library(_)))
}
