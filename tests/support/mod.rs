//! Runs the real binary and reads what it left behind. The one place in these tests that starts processes.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use cudacheck_model::event::{CaseFinished, Event, Summary, Timed};
use cudacheck_model::outcome::Outcome;
use cudacheck_model::plan::PlannedSkip;
use tempfile::TempDir;

/// What one invocation left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Kept until the test has looked at it.
    pub(crate) directory: TempDir,
}

/// Runs `cudacheck` in a directory of its own, with an environment that holds nothing of the caller's.
pub(crate) fn cudacheck<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(arguments: I) -> Ran {
    cudacheck_in(tempfile::tempdir().unwrap(), arguments)
}

/// The same, in a directory that the test has filled.
#[expect(
    clippy::disallowed_methods,
    reason = "the supervisor is what is being tested here"
)]
pub(crate) fn cudacheck_in<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(
    directory: TempDir,
    arguments: I,
) -> Ran {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_cudacheck"))
        .args(arguments)
        .current_dir(directory.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("XDG_RUNTIME_DIR", directory.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        directory,
    }
}

/// Runs `cudacheck` and sends it SIGINT as soon as its run's directory holds a file of this name.
#[expect(
    clippy::disallowed_methods,
    reason = "the supervisor is what is being tested here"
)]
pub(crate) fn interrupt_when<const N: usize>(
    directory: TempDir,
    file: &str,
    arguments: [&str; N],
) -> Ran {
    let child = Command::new(env!("CARGO_BIN_EXE_cudacheck"))
        .args(arguments)
        .current_dir(directory.path())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = std::time::Instant::now();
    let there = || {
        let runs = fs::read_dir(directory.path().join("cudacheck-runs"));
        runs.into_iter()
            .flatten()
            .flatten()
            .any(|run| run.path().join(file).exists())
    };
    while !there() {
        assert!(begun.elapsed().as_secs() < 60, "`{file}` does not appear");
        std::thread::yield_now();
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        directory,
    }
}

impl Ran {
    /// The directory of the only run.
    pub(crate) fn run_directory(&self) -> PathBuf {
        let mut runs: Vec<_> = fs::read_dir(self.directory.path().join("cudacheck-runs"))
            .unwrap_or_else(|error| panic!("no run: {error}\n{}", self.stderr))
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }

    /// All events of the only run.
    pub(crate) fn events(&self) -> Vec<Event> {
        let text = fs::read_to_string(self.run_directory().join("events.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<Timed>(line).unwrap().event)
            .collect()
    }

    /// The cases that were run.
    pub(crate) fn finished(&self) -> Vec<CaseFinished> {
        let events = self.events().into_iter();
        events
            .filter_map(|event| {
                if let Event::CaseFinished(case) = event {
                    Some(*case)
                } else {
                    None
                }
            })
            .collect()
    }

    /// The cases that were not.
    pub(crate) fn skipped(&self) -> Vec<PlannedSkip> {
        let events = self.events().into_iter();
        events
            .filter_map(|event| {
                if let Event::CaseSkipped(skip) = event {
                    Some(skip)
                } else {
                    None
                }
            })
            .collect()
    }

    /// The run in numbers.
    pub(crate) fn summary(&self) -> Summary {
        match self.events().pop() {
            Some(Event::RunFinished(summary)) => summary,
            other => panic!("the last event is {other:?}\n{}", self.stderr),
        }
    }

    /// Leaves the JUnit report where `ci/junit` has other programs read it.
    pub(crate) fn keep_junit(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("junit");
        fs::create_dir_all(&folder).unwrap();
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        fs::write(folder.join(name + ".xml"), self.junit()).unwrap();
    }

    /// The JUnit report.
    pub(crate) fn junit(&self) -> String {
        fs::read_to_string(self.run_directory().join("junit.xml")).unwrap()
    }
}

/// An outcome in a few words: `fault wrong-result at compare`.
pub(crate) fn words(outcome: &Outcome) -> String {
    let finding = |word: &str, finding: &cudacheck_model::outcome::Finding| {
        let stage = finding
            .stage
            .map(|stage| format!(" at {stage}"))
            .unwrap_or_default();
        format!("{word} {}{stage}", finding.problem.word())
    };
    match outcome {
        Outcome::Pass => "pass".to_owned(),
        Outcome::Fail(inner) => finding("fail", inner),
        Outcome::Fault(inner) => finding("fault", inner),
        Outcome::Skip(reason) => format!("skip {}", reason.word()),
        Outcome::ExpectedFail { finding: inner, .. } => finding("expected-fail", inner),
        Outcome::UnexpectedPass { .. } => "unexpected-pass".to_owned(),
    }
}

/// Runs jobs on both cores and returns their results in order.
pub(crate) fn parallel<T: Sync, R: Send>(jobs: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let results: Vec<_> = jobs.iter().map(|_| std::sync::Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(job) =
                    jobs.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    let index = jobs
                        .iter()
                        .position(|other| std::ptr::eq(other, job))
                        .unwrap();
                    *results[index].lock().unwrap() = Some(work(job));
                }
            });
        }
    });
    results
        .into_iter()
        .map(|result| result.into_inner().unwrap().unwrap())
        .collect()
}

/// The top of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Takes out what differs from run to run: times and the names of runs.
pub(crate) fn hide_run(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| hide(hide(line.to_owned(), "[ ", "s]"), "cudacheck-runs/", "/"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Hides what stands between two texts, once a line.
fn hide(line: String, before: &str, after: &str) -> String {
    let Some((head, rest)) = line.split_once(before) else {
        return line;
    };
    let Some((_, tail)) = rest.split_once(after) else {
        return line;
    };
    format!("{head}{before}…{after}{tail}")
}
