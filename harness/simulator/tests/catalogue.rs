//! Every kernel of the catalogue passes on every device that it is for.

mod support;

use cudacheck_kernels::{Attribute, DeviceLimits, Kernel, all, execute};
use support::{Simulated, limits};

/// Whether a kernel can run on a device at all.
fn applies(kernel: &Kernel, limits: &DeviceLimits) -> bool {
    kernel.header().target.ptx_runs_on(limits.capability)
        && kernel.needs.iter().all(|need| {
            let value = match need.attribute {
                Attribute::MaxThreadsPerBlock => limits.threads_per_block,
                Attribute::MaxSharedMemoryPerBlock => limits.shared_bytes,
                Attribute::MultiprocessorCount => limits.multiprocessors,
                Attribute::CooperativeLaunch => u32::from(limits.capability.major >= 6),
                Attribute::MaxSharedMemoryPerBlockOptin => limits.shared_bytes_optin,
            };
            i64::from(value) >= i64::from(need.at_least)
        })
}

#[track_caller]
fn check(limits: &DeviceLimits, at_least: usize) {
    let mut failed = String::new();
    let mut passed = 0;
    for kernel in all().filter(|kernel| applies(kernel, limits)) {
        let outcome = match Simulated::new(kernel.ptx, limits) {
            Err(error) => Err(error.to_string()),
            Ok(mut device) => execute(&mut device, kernel, &(kernel.program)(limits, 7))
                .map_err(|failure| format!("{failure:?}")),
        };
        match outcome {
            Ok(_) => passed += 1,
            Err(why) => failed.push_str(&format!("{}: {why}\n", kernel.name)),
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
