//! A signal ends the run, not the report. Alone in its process: signals reach all of it.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

#[expect(dead_code, reason = "shared with the other tests, which use the rest")]
#[path = "runner/setup.rs"]
mod setup;

use std::thread;
use std::time::{Duration, Instant};

use cudacheck_model::event::Event;
use rustix::process::{Signal, getpid, kill_process};
use setup::{Setup, task};

#[test]
fn an_interrupted_run_is_reported_to_its_end() {
    let mut setup = Setup::new();
    setup.config.grace = Duration::from_secs(50);
    let tasks = vec![task("pass"), task("hang-stubbornly"), task("hang")];
    let hanging = setup.case("s.hang-stubbornly.0").join("hanging");
    let first = thread::spawn(move || {
        let begun = Instant::now();
        while !hanging.exists() {
            assert!(begun.elapsed() < Duration::from_secs(30));
            thread::yield_now();
        }
        kill_process(getpid(), Signal::INT).unwrap();
    });
    let begun = Instant::now();
    let told = setup.run_with(tasks, &mut |timed| {
        // The worker ignores the first signal; the second does not wait for the grace period.
        if let Event::Interrupted { .. } = timed.event {
            kill_process(getpid(), Signal::TERM).unwrap();
        }
    });
    assert!(begun.elapsed() < setup.config.grace);
    first.join().unwrap();
    assert_eq!(
        told.lines(),
        [
            "pass pass",
            "interrupted by 2",
            "hang-stubbornly skip interrupted",
            "hang skip interrupted"
        ]
    );
    assert_eq!(told.summary.exit_code(), 130);
    let last = told.events.last().map(|timed| &timed.event);
    assert_eq!(last, Some(&Event::RunFinished(told.summary.clone())));
}
