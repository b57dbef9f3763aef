//! Would a kernel's reference notice a wrong instruction? Changes one at a time and looks.
//!
//! A mutant is killed when its kernel fails in any way: a wrong value, a trap, a deadlock, or more steps than
//! four times what the kernel needs. A mutant that does not compile is none. Survivors are printed by name, and
//! each must be explained in `mutation/survivors.rs`: either it computes the same, or no reference could tell.

#[path = "mutation/mutants.rs"]
mod mutants;
mod support;
#[path = "mutation/survivors.rs"]
mod survivors;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cudacheck_kernels::{DeviceLimits, Kernel, Program, execute};
use mutants::mutants;
use support::{Simulated, limits};

/// What became of a kernel's mutants.
#[derive(Default)]
struct Tally {
    killed: usize,
    survived: Vec<String>,
}

/// What became of one run.
enum Verdict {
    NotCompiled,
    Failed,
    Passed {
        /// Warp instructions of the longest launch, and more.
        steps: u64,
    },
}

fn run(
    ptx: &str,
    kernel: &Kernel,
    program: &Program,
    limits: &DeviceLimits,
    steps: Option<u64>,
) -> Verdict {
    let Ok(mut device) = Simulated::new(ptx, limits) else {
        return Verdict::NotCompiled;
    };
    device.step_limit = steps;
    match execute(&mut device, kernel, program) {
        Ok(_) => Verdict::Passed {
            steps: device.statistics.warp_instructions,
        },
        Err(_) => Verdict::Failed,
    }
}

fn tally(kernel: &Kernel) -> Tally {
    let limits = DeviceLimits {
        memory_budget: 64 << 10,
        ..limits((9, 0), 4, 227 << 10)
    };
    let program = (kernel.program)(&limits, 1);
    let Verdict::Passed { steps } = run(kernel.ptx, kernel, &program, &limits, None) else {
        panic!("{} does not pass unchanged", kernel.name);
    };
    let limit = Some(steps * 4 + 10_000);
    let mut tally = Tally::default();
    for mutant in mutants(kernel.ptx) {
        match run(&mutant.ptx, kernel, &program, &limits, limit) {
            Verdict::NotCompiled => {}
            Verdict::Failed => tally.killed += 1,
            Verdict::Passed { .. } => {
                let after = if mutant.after.is_empty() {
                    "(dropped)"
                } else {
                    &mutant.after
                };
                let survivor = format!(
                    "{}:{}: {} -> {after}",
                    kernel.name, mutant.line, mutant.before
                );
                tally.survived.push(survivor);
            }
        }
    }
    tally
}

#[test]
fn at_least_95_of_100_mutants_are_killed_and_every_survivor_is_explained() {
    let kernels: Vec<&Kernel> = cudacheck_kernels::all().collect();
    let next = AtomicUsize::new(0);
    let tallies = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(kernel) = kernels.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let tally = tally(kernel);
                    tallies.lock().unwrap().insert(kernel.name, tally);
                }
            });
        }
    });
    let tallies = tallies.into_inner().unwrap();
    let (mut killed, mut survived) = (0, Vec::new());
    for (name, tally) in &tallies {
        let all = tally.killed + tally.survived.len();
        println!("{name:<24} {:>4} of {all:>4} mutants killed", tally.killed);
        killed += tally.killed;
        survived.extend(tally.survived.iter());
    }
    let unexplained: Vec<_> = survived
        .iter()
        .filter(|survivor| survivors::explanation(survivor).is_none())
        .collect();
    for survivor in &survived {
        println!(
            "survived: {survivor}: {}",
            survivors::explanation(survivor).unwrap_or("NOT EXPLAINED")
        );
    }
    let rate = killed as f64 / (killed + survived.len()) as f64;
    println!(
        "{killed} of {} mutants of {} kernels killed: {:.1} %",
        killed + survived.len(),
        tallies.len(),
        rate * 100.0
    );
    assert_eq!(
        tallies.len(),
        kernels.len(),
        "a kernel without a machine to run on is not tested"
    );
    assert!(rate >= 0.95);
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    let idle = survivors::idle(&survived);
    assert!(idle.is_empty(), "rules that explain nothing: {idle:#?}");
}
