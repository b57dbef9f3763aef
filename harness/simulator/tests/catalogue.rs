//! Every kernel of the catalogue passes on every device that it is for.

mod support;

use std::fmt::Write as _;

use cudacheck_kernels::{DeviceLimits, all, execute};
use support::{Simulated, applies, limits};

#[track_caller]
fn check(limits: &DeviceLimits, at_least: usize) {
    let mut failed = String::new();
    let mut passed = 0;
    for kernel in all().filter(|kernel| applies(kernel, limits)) {
        let start = std::time::Instant::now();
        let outcome = match Simulated::new(kernel.ptx, limits) {
            Err(error) => Err(error.to_string()),
            Ok(mut device) => {
                let outcome = execute(&mut device, kernel, &(kernel.program)(limits, 7))
                    .map_err(|failure| format!("{failure:?}"));
                if std::env::args().any(|argument| argument == "--nocapture") {
                    println!(
                        "{:24} {:?} {:?} {}",
                        kernel.name,
                        start.elapsed(),
                        device.statistics,
                        outcome.is_ok()
                    );
                }
                outcome
            }
        };
        match outcome {
            Ok(_) => passed += 1,
            Err(why) => writeln!(failed, "{}: {why}", kernel.name).unwrap(),
        }
    }
    assert!(
        failed.is_empty(),
        "{passed} passed on {}\n{failed}",
        limits.capability.sm()
    );
    assert!(
        passed >= at_least,
        "only {passed} kernels apply to {}",
        limits.capability.sm()
    );
}

#[test]
fn all_kernels_pass_on_hopper() {
    check(&limits((9, 0), 132, 227 << 10), 50);
}

#[test]
fn all_kernels_pass_on_pascal() {
    check(&limits((6, 1), 20, 48 << 10), 25);
}

#[test]
fn all_kernels_pass_on_orin() {
    check(&limits((8, 7), 16, 163 << 10), 45);
}

#[test]
fn all_kernels_pass_on_xavier() {
    check(&limits((7, 2), 8, 96 << 10), 35);
}
