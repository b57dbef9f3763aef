//! Every injected fault of execution makes a kernel fail that is there to find it.

mod support;

use cudacheck_kernels::{execute, find};
use cudacheck_simulator::exec::ExecFaults;
use support::{Simulated, limits};

#[track_caller]
fn check(kernels: &[&str], fault: impl Fn(&mut ExecFaults)) {
    let limits = limits((9, 0), 16, 227 << 10);
    for name in kernels {
        for seed in [1, 2] {
            let kernel = find(name).expect("the catalogue has it");
            let program = (kernel.program)(&limits, 7);
            let outcome = |faults: ExecFaults| {
                let mut device = Simulated::new(kernel.ptx, &limits).expect("it compiles");
                device.faults = faults;
                device.step_limit = Some(20_000_000);
                execute(&mut device, kernel, &program).map_err(|failure| format!("{failure:?}"))
            };
            let mut faults = ExecFaults {
                seed,
                ..ExecFaults::default()
            };
            assert_eq!(outcome(faults.clone()), Ok(()), "{name} without a fault");
            fault(&mut faults);
            let first = outcome(faults.clone());
            assert!(first.is_err(), "{name} passes with {faults:?}");
            assert_eq!(
                first,
                outcome(faults),
                "{name} fails in another way the second time"
            );
        }
    }
}

#[test]
fn memory() {
    check(&["memory-pattern"], |faults| faults.stuck_bit = true);
    check(&["memory-pattern"], |faults| faults.alias_page = true);
    check(&["memory-pattern"], |faults| faults.lost_write = true);
    check(&["constant-memory"], |faults| faults.constant_word = true);
    check(&["fences"], |faults| faults.fence_lost = true);
}

#[test]
fn synchronisation() {
    check(&["barrier", "shared-static"], |faults| {
        faults.skip_barrier = true
    });
    check(&["atomics-32", "atomics-64"], |faults| {
        faults.lose_atomic = true
    });
    check(&["async-copy"], |faults| faults.async_copy_early = true);
}

#[test]
fn lanes() {
    check(&["warp-shuffle"], |faults| faults.shuffle_lane = true);
    check(&["warp-vote"], |faults| faults.vote_lane = true);
}

#[test]
fn arithmetic() {
    check(&["mma-f16", "mma-s8", "wmma-f16"], |faults| {
        faults.matrix_element = true
    });
    check(&["fp32-ieee", "fp64-ieee"], |faults| faults.flip_fma = true);
    check(&["special-functions"], |faults| faults.special_ulp = true);
    check(&["dp4a"], |faults| faults.dot_product = true);
    check(&["fp32-ieee", "fp64-ieee"], |faults| {
        faults.ignore_rounding = true
    });
    check(&["fp32-ieee"], |faults| faults.flush_subnormals = true);
}
