//! How a library's code reaches a device: its test is run without the just-in-time compiler, and with nothing else.
//!
//! `CUDA_DISABLE_PTX_JIT=1` leaves machine code only, `CUDA_FORCE_PTX_JIT=1` leaves PTX only; both are the driver's
//! own switches. What passes the first runs natively, what passes only the second is compiled on every new machine.

use cudacheck_model::event::{Attempt, Event};
use cudacheck_model::outcome::{Cause, Class, Finding, Outcome, Problem};
use cudacheck_model::plan::Planned;
use cudacheck_model::suite::Coverage;
use tokio::sync::{mpsc, watch};

use super::Shared;
use super::case::{Way, attempt as one};
use crate::interrupt::Interrupt;

/// Runs a case both ways.
pub(super) async fn attempt(
    shared: &Shared,
    task: &Planned,
    number: u32,
    least: Coverage,
    interrupts: &mut watch::Receiver<Interrupt>,
    events: &mpsc::UnboundedSender<Event>,
) -> Attempt {
    let native = way("native", &[("CUDA_DISABLE_PTX_JIT", "1")]);
    let jit = way(
        "jit",
        &[("CUDA_FORCE_PTX_JIT", "1"), ("CUDA_CACHE_DISABLE", "1")],
    );
    let native = one(shared, task, number, &native, interrupts, events).await;
    let jit = one(shared, task, number, &jit, interrupts, events).await;
    let (outcome, found) = judge(&native.outcome, &jit.outcome, least);
    let mut told = match found {
        Some(Coverage::Jit) => jit.clone(),
        Some(Coverage::Native | Coverage::None) | None => native.clone(),
    };
    if let Some(found) = found {
        told.notes.push(("coverage".to_owned(), found.to_string()));
    }
    let fallback = if jit.outcome == Outcome::Pass {
        "yes"
    } else {
        "no"
    };
    told.notes
        .push(("ptx-fallback".to_owned(), fallback.to_owned()));
    Attempt {
        outcome,
        started: native.started,
        duration_ms: native.duration_ms + jit.duration_ms,
        leaked: native.leaked + jit.leaked,
        ..told
    }
}

fn way(name: &'static str, variables: &[(&str, &str)]) -> Way {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Way {
        name: Some(name),
        environment: variables.iter().map(owned).collect(),
    }
}

/// The outcome of both ways, and what they show. A fault and a skip show nothing.
fn judge(native: &Outcome, jit: &Outcome, least: Coverage) -> (Outcome, Option<Coverage>) {
    let found = match (native, jit) {
        (Outcome::Pass, _) => Coverage::Native,
        (Outcome::Fault(_) | Outcome::Skip(_), _) => return (native.clone(), None),
        (_, Outcome::Pass) => Coverage::Jit,
        (_, Outcome::Fault(_) | Outcome::Skip(_)) => return (jit.clone(), None),
        (
            Outcome::Fail(_) | Outcome::ExpectedFail { .. } | Outcome::UnexpectedPass { .. },
            Outcome::Fail(_) | Outcome::ExpectedFail { .. } | Outcome::UnexpectedPass { .. },
        ) => Coverage::None,
    };
    let outcome = if found >= least {
        Outcome::Pass
    } else {
        Outcome::Fail(Box::new(finding(native, jit, found, least)))
    };
    (outcome, Some(found))
}

fn finding(native: &Outcome, jit: &Outcome, found: Coverage, least: Coverage) -> Finding {
    let told = |outcome: &Outcome| match outcome {
        Outcome::Fail(finding) | Outcome::Fault(finding) => finding.error.clone(),
        Outcome::Pass
        | Outcome::Skip(_)
        | Outcome::ExpectedFail { .. }
        | Outcome::UnexpectedPass { .. } => "it passes".to_owned(),
    };
    let (cause, remedy) = match found {
        Coverage::None => (
            Cause::Unknown,
            "if the case fails without any switch as well, mend that first; else build the library for this device",
        ),
        Coverage::Jit | Coverage::Native => (
            Cause::proven("the library has PTX, but no machine code, for this device"),
            "build the library with this device's capability, or lower `least` to jit",
        ),
    };
    Finding {
        problem: Problem::Uncovered,
        class: Class::Architecture,
        stage: None,
        expected: format!("the library's code reaches the device: {least}"),
        error: format!("its code reaches the device: {found}"),
        cause,
        remedy: remedy.to_owned(),
        details: vec![
            format!("without the just-in-time compiler: {}", told(native)),
            format!("from PTX alone: {}", told(jit)),
        ],
    }
}

#[cfg(test)]
mod tests {
    use cudacheck_model::outcome::SkipReason;

    use super::*;

    fn fail() -> Outcome {
        let passing = Outcome::Pass;
        Outcome::Fail(Box::new(finding(
            &passing,
            &passing,
            Coverage::None,
            Coverage::Jit,
        )))
    }

    #[track_caller]
    fn check(
        native: &Outcome,
        jit: &Outcome,
        least: Coverage,
        passes: bool,
        found: Option<Coverage>,
    ) {
        let (outcome, shown) = judge(native, jit, least);
        assert_eq!((outcome == Outcome::Pass, shown), (passes, found));
    }

    #[test]
    fn what_passes_which_way_is_told() {
        use Coverage::{Jit, Native, None as Nothing};
        let skip = Outcome::Skip(SkipReason::NoPackage);
        check(&Outcome::Pass, &fail(), Jit, true, Some(Native));
        check(&Outcome::Pass, &Outcome::Pass, Native, true, Some(Native));
        check(&fail(), &Outcome::Pass, Jit, true, Some(Jit));
        check(&fail(), &Outcome::Pass, Native, false, Some(Jit));
        check(&fail(), &fail(), Jit, false, Some(Nothing));
        check(&fail(), &fail(), Nothing, true, Some(Nothing));
        check(&skip, &Outcome::Pass, Jit, false, None);
        check(&fail(), &skip, Jit, false, None);
    }
}
