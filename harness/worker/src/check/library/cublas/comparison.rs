//! Compares all of a result's memory, and tells what went wrong with it: wrong, never written, or written elsewhere.

use cudacheck_model::journal::{CheckResult, MismatchKind};

use super::super::Verdict;
use super::super::exact::{self, Element};
use super::product::Layout;

/// Goes on if the memory of C is what it must be. `before` is what it was before the call, `title` names the call, and
/// `diagnose` may find out that a wrong result is one of a lower precision.
pub(in crate::check::library) fn judge<T: Element>(
    title: &str,
    layout: Layout,
    before: &[T],
    expected: &[T],
    found: &[T],
    diagnose: impl FnOnce() -> Option<String>,
) -> Verdict {
    let differs = |index: &usize| expected[*index] != found[*index];
    let same_bytes = |a: T, b: T| exact::bytes(&[a]) == exact::bytes(&[b]);
    let between = |index: &usize| index % layout.apart >= layout.rows;
    let place = |index: usize| {
        format!(
            "C[{}, {}] of {title}",
            index % layout.apart,
            index / layout.apart
        )
    };
    let mismatch = |kind, expected, found| {
        Err(Box::new(CheckResult::Mismatch {
            kind,
            expected,
            found,
        }))
    };
    let all = 0..expected.len();
    let strays: Vec<usize> = all
        .clone()
        .filter(|index| between(index) && !same_bytes(before[*index], found[*index]))
        .collect();
    if let Some(first) = strays.first() {
        return mismatch(
            MismatchKind::StrayWrite,
            format!("{title} writes nothing between the columns of C"),
            format!(
                "{} elements between the columns of C were written, the first after column {}",
                strays.len(),
                first / layout.apart
            ),
        );
    }
    let wrong: Vec<usize> = all
        .filter(|index| !between(index) && differs(index))
        .collect();
    let Some(first) = wrong.first().copied() else {
        return Ok(());
    };
    let count = format!("{} of {} differ", wrong.len(), layout.rows * layout.columns);
    let sentence = format!("{} is {}", place(first), expected[first]);
    let untouched = |index: &usize| same_bytes(before[*index], found[*index]);
    if wrong.iter().all(untouched) {
        return mismatch(
            MismatchKind::NeverWritten,
            sentence,
            format!(
                "{} was never written, expected {}; {count}",
                place(first),
                expected[first]
            ),
        );
    }
    let (kind, more) = match diagnose() {
        Some(more) => (MismatchKind::ReducedPrecision, format!("; {more}")),
        None => (MismatchKind::WrongResult, String::new()),
    };
    mismatch(
        kind,
        sentence,
        format!(
            "{} is {}, expected {}; {count}{more}",
            place(first),
            found[first],
            expected[first]
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: [f32; 4], expected: Option<MismatchKind>) {
        let layout = Layout {
            rows: 1,
            columns: 2,
            apart: 2,
        };
        let verdict = judge(
            "f",
            layout,
            &[8.0, 9.0, 8.0, 9.0],
            &[1.0, 9.0, 2.0, 9.0],
            &found,
            || None,
        );
        let told = verdict.err().and_then(|stop| {
            if let CheckResult::Mismatch { kind, .. } = *stop {
                Some(kind)
            } else {
                None
            }
        });
        assert_eq!(told, expected);
    }

    #[test]
    fn what_went_wrong_is_told_apart() {
        check([1.0, 9.0, 2.0, 9.0], None);
        check([1.0, 9.0, 2.0, 7.0], Some(MismatchKind::StrayWrite));
        check([1.0, 9.0, 8.0, 9.0], Some(MismatchKind::NeverWritten));
        check([1.0, 9.0, 3.0, 9.0], Some(MismatchKind::WrongResult));
        check([8.0, 9.0, 3.0, 9.0], Some(MismatchKind::WrongResult));
        check([1.0, 9.0, f32::NAN, 9.0], Some(MismatchKind::WrongResult));
    }
}
