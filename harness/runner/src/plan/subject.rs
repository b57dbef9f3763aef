//! Which libraries of a package a case is made on.

use cudacheck_model::library::{Subject, Subjects};
use cudacheck_model::outcome::SkipReason;
use cudacheck_model::suite::{Case, Check};

use super::filter::{Filter, PackageGiven};

/// What a case is made on: nothing in particular, or each library of its kind.
pub(super) fn of_case<'a>(
    case: &Case,
    filter: &Filter,
    subjects: &'a Subjects,
) -> Result<Vec<Option<&'a Subject>>, SkipReason> {
    if case.check.needs_package() && filter.package == PackageGiven::No {
        return Err(SkipReason::NoPackage);
    }
    match &case.check {
        Check::Kernel(_) | Check::Linkage(_) | Check::Tester(_) => Ok(vec![None]),
        Check::Library(check) => {
            let found = subjects.get(&check.name).map(Vec::as_slice);
            let found: Vec<_> = found.unwrap_or_default().iter().map(Some).collect();
            if found.is_empty() {
                return Err(SkipReason::NotInPackage {
                    library: check.name,
                });
            }
            Ok(found)
        }
    }
}

/// Why a library cannot be called, if its functions are not known.
pub(super) fn unknown(case: &Case, subject: &Subject) -> Option<SkipReason> {
    let Check::Library(check) = &case.check else {
        return None;
    };
    (!check.name.knows(&subject.soname)).then(|| SkipReason::UnknownAbi {
        soname: subject.soname.clone(),
        known: check.name.card().sonames.join(", "),
    })
}
