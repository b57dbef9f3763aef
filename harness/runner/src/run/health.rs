//! Looks at the machine again after a case has gone wrong, before anybody is blamed for it.
//!
//! A GPU that has fallen off the bus and a package that crashes its context answer the same code to the
//! process that was using them. A new process, which asks driver and NVML from the beginning, tells the two
//! apart: what was well at the start of the run and is not any more is the machine's fault.

use std::path::PathBuf;

use cudacheck_model::facts::{Device, MachineFacts};
use cudacheck_model::fault::MachineFault;
use cudacheck_model::outcome::{Class, Explained, Finding, Outcome, Problem};
use tokio::sync::watch;

use super::Shared;
use crate::interrupt::Interrupt;
use crate::probe::{Place, probe_in};

/// The outcome, with the machine's own fault in its place if a new one has come to light.
pub(super) async fn revise(
    shared: &Shared,
    device: Option<&Device>,
    outcome: Outcome,
    directory: PathBuf,
    interrupts: &mut watch::Receiver<Interrupt>,
) -> Outcome {
    let (Some(work), Some(device)) = (shared.config.health.clone(), device) else {
        return outcome;
    };
    // Whoever ended the run waits for its reports, and a probe of a sick machine may take its whole time.
    if *interrupts.borrow() != Interrupt::None {
        return outcome;
    }
    let Some(finding) = suspicious(&outcome) else {
        return outcome;
    };
    let environment = vec![shared.only(device)];
    let place = Place {
        directory,
        environment,
    };
    let driver = shared.driver.clone();
    let now = probe_in(&shared.config, place, work, driver, interrupts).await;
    // What an interrupted probe says is no evidence.
    if *interrupts.borrow() != Interrupt::None {
        return outcome;
    }
    match news(&shared.facts, device, &now) {
        Some(fault) => Outcome::Fault(Box::new(blamed(finding, fault))),
        None => outcome,
    }
}

/// A finding behind which the machine may stand, though it does not say so.
fn suspicious(outcome: &Outcome) -> Option<&Finding> {
    let finding = match outcome {
        Outcome::Fail(finding) | Outcome::Fault(finding) => finding,
        Outcome::Pass
        | Outcome::Skip(_)
        | Outcome::ExpectedFail { .. }
        | Outcome::UnexpectedPass { .. } => return None,
    };
    // After a process that cannot be killed, another call into the driver could hang the same way. And where
    // no worker could be started, no probe can be: it would only repeat the fault in other words.
    let futile = matches!(
        finding.problem,
        Problem::Machine(MachineFault::Unkillable { .. } | MachineFault::Harness { .. })
    );
    (!futile).then_some(finding)
}

/// What is wrong with the machine now that was not at the start of the run.
fn news(before: &MachineFacts, device: &Device, now: &MachineFacts) -> Option<MachineFault> {
    let known = |fault: &&MachineFault| !before.faults.contains(fault);
    let mut fresh: Vec<&MachineFault> = now.faults.iter().filter(known).collect();
    // What needs a person comes first: it withdraws the device.
    fresh.sort_by_key(|fault| !fault.needs_attention());
    let same = |other: &&Device| match &device.uuid {
        Some(uuid) => other.uuid.as_ref() == Some(uuid),
        None => other.name == device.name,
    };
    match (fresh.first(), now.devices.iter().find(same)) {
        (Some(fault), _) => Some((*fault).clone()),
        (None, None) => Some(MachineFault::DeviceLost {
            device: device.key(),
        }),
        (None, Some(now)) => memory_errors(device, now),
    }
}

/// Uncorrectable memory errors that have come up since the start of the run.
fn memory_errors(before: &Device, now: &Device) -> Option<MachineFault> {
    let (before_count, now_count) = (before.ecc_uncorrected?, now.ecc_uncorrected?);
    let more = now_count
        .checked_sub(before_count)
        .filter(|more| *more > 0)?;
    Some(MachineFault::DeviceUnfit {
        device: before.key(),
        reason: format!("uncorrectable errors of its memory during this case: {more}"),
    })
}

fn blamed(finding: &Finding, fault: MachineFault) -> Finding {
    let mut details = vec![format!(
        "before the machine was looked at again: {}",
        finding.error
    )];
    details.extend(finding.details.iter().cloned());
    Finding {
        class: Class::Machine,
        stage: finding.stage,
        expected: "the machine is as well after the case as before it".to_owned(),
        error: fault.to_string(),
        cause: fault.cause(),
        remedy: fault.remedy(),
        details,
        problem: Problem::Machine(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(uuid: &str, errors: Option<u64>) -> Device {
        Device {
            ecc_uncorrected: errors,
            ..crate::device::tests::device(0, Some(uuid))
        }
    }

    fn machine(devices: &[Device], faults: &[MachineFault]) -> MachineFacts {
        MachineFacts {
            devices: devices.to_vec(),
            faults: faults.to_vec(),
            ..MachineFacts::default()
        }
    }

    #[track_caller]
    fn check(before: MachineFacts, now: MachineFacts, expected: Option<&str>) {
        let fault = news(&before, &before.devices[0], &now);
        assert_eq!(fault.map(|fault| fault.to_string()).as_deref(), expected);
    }

    #[track_caller]
    fn check_suspicion(fault: MachineFault, expected: bool) {
        let finding = Finding {
            class: Class::Machine,
            stage: None,
            expected: String::new(),
            error: String::new(),
            cause: fault.cause(),
            remedy: String::new(),
            details: Vec::new(),
            problem: Problem::Machine(fault),
        };
        let outcome = Outcome::Fault(Box::new(finding));
        assert_eq!(suspicious(&outcome).is_some(), expected);
    }

    #[test]
    fn nobody_looks_where_a_look_must_fail() {
        check_suspicion(MachineFault::NoDevice, true);
        let message = "the directory is full".to_owned();
        check_suspicion(MachineFault::Harness { message }, false);
        let stuck = MachineFault::Unkillable {
            pid: 1,
            seconds: 1,
            state: "D".to_owned(),
        };
        check_suspicion(stuck, false);
    }

    #[test]
    fn only_what_is_new_is_the_machines_fault() {
        let well = || device("GPU-1", Some(2));
        let lost = MachineFault::Nvml {
            function: "nvmlDeviceGetHandleByIndex".to_owned(),
            code: 15,
            text: "GPU is lost".to_owned(),
        };
        check(machine(&[well()], &[]), machine(&[well()], &[]), None);
        let old = MachineFault::NoDevice;
        check(
            machine(&[well()], std::slice::from_ref(&old)),
            machine(&[well()], std::slice::from_ref(&old)),
            None,
        );
        check(
            machine(&[well()], &[]),
            machine(&[well()], &[old, lost]),
            Some("`nvmlDeviceGetHandleByIndex` failed: GPU is lost (NVML 15)"),
        );
        check(
            machine(&[well()], &[]),
            machine(&[], &[]),
            Some("device GPU-1 was lost: the driver no longer offers it"),
        );
        check(
            machine(&[well()], &[]),
            machine(&[device("GPU-1", Some(3))], &[]),
            Some(
                "device GPU-1 is not fit for use: uncorrectable errors of its memory during this case: 1",
            ),
        );
        check(
            machine(&[well()], &[]),
            machine(&[device("GPU-1", None)], &[]),
            None,
        );
    }
}
