//! Stands in for `cudacheck` in the runner's tests: the real stub, and a worker that misbehaves on demand.
//!
//! The name of the kernel in its task says how.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::zombie_processes,
    reason = "a part of the tests, though cargo does not know it as one"
)]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cudacheck_model::facts::{FACTS_SCHEMA, MachineFacts};
use cudacheck_model::journal::{CheckResult, Entry, JOURNAL_SCHEMA, Record, Stage};
use cudacheck_model::oracle::{JitAnswer, JitVerdict, OracleAnswer, RuntimeAnswer, RuntimeStatus};
use cudacheck_model::suite::Check;
use cudacheck_model::task::{OracleWork, Task, Work};
use rustix::process::{Signal, getpid, kill_process, setsid};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let words: Vec<_> = arguments.iter().filter_map(|word| word.to_str()).collect();
    match words.as_slice() {
        ["__stub", ..] => cudacheck_runner::stub::main(&arguments[1..]).into(),
        ["worker", "--task", task, "--journal", journal] => {
            worker(PathBuf::from(task), PathBuf::from(journal))
        }
        ["daemon", marker] => daemon(marker),
        ["daemon-in-own-session", marker] => {
            setsid().expect("a new process leads no group");
            daemon(marker)
        }
        // The second fork: this process ends at once, and its child has no parent of ours.
        ["double-fork", marker] => {
            spawn(&["daemon-in-own-session", marker], Pipes::Closed);
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(2),
    }
}

struct Journal {
    file: File,
    path: PathBuf,
    token: String,
}

impl Journal {
    fn tell(&mut self, record: Record) {
        let line = serde_json::to_string(&Entry {
            v: JOURNAL_SCHEMA,
            token: self.token.clone(),
            at_us: 1,
            record,
        });
        writeln!(self.file, "{}", line.unwrap()).unwrap();
    }

    fn pass(&mut self) {
        self.tell(Record::Stage(Stage::Release));
        self.tell(Record::Result(CheckResult::Pass));
    }
}

fn worker(task: PathBuf, path: PathBuf) -> ExitCode {
    let text = fs::read(&task).unwrap();
    fs::remove_file(&task).unwrap();
    let task: Task = serde_json::from_slice(&text).unwrap();
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .unwrap();
    let mut journal = Journal {
        file,
        path,
        token: task.token,
    };
    journal.tell(Record::Stage(Stage::Start));
    let behaviour = match &task.work {
        Work::Check(work) => {
            journal.tell(Record::Stage(Stage::Launch));
            let Check::Kernel(check) = &work.check else {
                return ExitCode::FAILURE;
            };
            check.name.clone()
        }
        Work::Facts(work) => work.sysroot.display().to_string(),
        Work::Oracle(work) => return oracle(work, &mut journal),
    };
    behave(&behaviour, journal)
}

/// A compiler that crashes at PTX 9.0, exits at 9.1, is not asked about 9.2, and accepts everything else; and a
/// libcudart that answers, crashes, or cannot be loaded, by the directory that it is in.
fn oracle(work: &OracleWork, journal: &mut Journal) -> ExitCode {
    let mut answer = OracleAnswer::default();
    if let Some(library) = &work.runtime {
        if library.starts_with("/crashes") {
            die(Signal::SEGV);
        }
        if library.starts_with("/complains") {
            answer.complaints.push("it cannot be loaded".to_owned());
        } else {
            answer.runtime = Some(RuntimeAnswer {
                library: library.clone(),
                version: None,
                driver: None,
                status: RuntimeStatus::NO_DEVICE,
                found: None,
            });
        }
        journal.tell(Record::Oracle(answer));
        return ExitCode::SUCCESS;
    }
    journal.tell(Record::Oracle(answer.clone()));
    for question in &work.questions {
        match (question.isa.major, question.isa.minor) {
            (9, 0) => die(Signal::SEGV),
            (9, 1) => return ExitCode::from(3),
            (9, 2) => {
                answer.complaints.push("9.2 was not asked".to_owned());
                answer.dealt_with += 1;
                journal.tell(Record::Oracle(answer.clone()));
                continue;
            }
            (_, _) => {}
        }
        answer.jit.push(JitAnswer {
            question: *question,
            verdict: JitVerdict::Accepted,
        });
        answer.dealt_with += 1;
        journal.tell(Record::Oracle(answer.clone()));
    }
    ExitCode::SUCCESS
}

fn behave(behaviour: &str, mut journal: Journal) -> ExitCode {
    let marker = |name: &str| {
        let directory = journal.path.parent().unwrap();
        directory.join(name).display().to_string()
    };
    match behaviour {
        "pass" => journal.pass(),
        "facts" => journal.tell(Record::Facts(Box::new(MachineFacts {
            schema: FACTS_SCHEMA,
            ..MachineFacts::default()
        }))),
        "silent" => {}
        "environment" => {
            let mut names: Vec<_> = std::env::vars().collect();
            names.sort();
            for (name, value) in names {
                println!("{name}={value}");
            }
            println!("cwd={}", std::env::current_dir().unwrap().display());
            for file in ["/proc/self/limits", "/proc/self/status"] {
                print!("{}", fs::read_to_string(file).unwrap());
            }
            println!(
                "stdin={}",
                fs::read_link("/proc/self/fd/0").unwrap().display()
            );
            journal.pass();
        }
        // Whether it can read what the runner and the stub had in their environment.
        "spy" => {
            let mut pid = getpid().as_raw_pid().to_string();
            for _ in 0..2 {
                let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
                let (_, rest) = stat.rsplit_once(')').unwrap();
                pid = rest.split_whitespace().nth(1).unwrap().to_owned();
                match fs::read(format!("/proc/{pid}/environ")) {
                    Ok(text) => println!("read {} bytes", text.len()),
                    Err(error) => println!("{}", error.kind()),
                }
            }
            journal.pass();
        }
        "exit-3" => return ExitCode::from(3),
        "segv" => die(Signal::SEGV),
        "segv-after-pass" => {
            journal.pass();
            die(Signal::SEGV);
        }
        "abort" => std::process::abort(),
        "panic" => panic!("as asked"),
        "kill-outside" => die(Signal::KILL),
        "out-of-memory" => journal.tell(Record::Result(CheckResult::Cuda {
            function: "cuMemAlloc_v2".to_owned(),
            code: 2,
            name: String::new(),
            text: "out of memory".to_owned(),
            log: String::new(),
        })),
        "ecc" => journal.tell(Record::Result(CheckResult::Cuda {
            function: "cuStreamSynchronize".to_owned(),
            code: 214,
            name: String::new(),
            text: "uncorrectable ECC error encountered".to_owned(),
            log: String::new(),
        })),
        // Passes at the second attempt: the first leaves a mark in the case's directory.
        "flaky" => {
            let directory = journal.path.parent().unwrap();
            if directory.ends_with("attempt-2") {
                journal.pass();
            } else {
                return ExitCode::from(101);
            }
        }
        "hang" => {
            let directory = PathBuf::from(marker("hanging"));
            fs::write(directory, "").unwrap();
            rest();
        }
        // Ends only if the worker of the other device runs at the same time.
        "meet" => {
            let own = std::env::vars().find(|(name, _)| name == "CUDA_VISIBLE_DEVICES");
            let (_, own) = own.unwrap();
            let place = journal.path.parent().unwrap().parent().unwrap();
            fs::write(place.join(own), "").unwrap();
            for other in ["GPU-0", "GPU-1"] {
                await_marker(&place.join(other).display().to_string());
            }
            journal.pass();
        }
        // A shell that ignores SIGTERM, because Rust cannot without unsafe code.
        "hang-stubbornly" => {
            let hanging = marker("hanging");
            let error = shell(&format!(
                "trap '' TERM INT HUP; >'{hanging}'; while :; do sleep 1; done"
            ));
            panic!("no shell: {error}");
        }
        "flood" => {
            let block = vec![b'x'; 1 << 20];
            for _ in 0..200 {
                io::stdout().write_all(&block).unwrap();
            }
            io::stdout().write_all(b"the end").unwrap();
            journal.pass();
        }
        "background" => {
            spawn(&["daemon", &marker("daemon")], Pipes::Inherited);
            await_marker(&marker("daemon"));
            journal.pass();
        }
        "setsid" => {
            spawn(
                &["daemon-in-own-session", &marker("daemon")],
                Pipes::Inherited,
            );
            await_marker(&marker("daemon"));
            journal.pass();
        }
        "double-fork" => {
            let mut between = spawn(&["double-fork", &marker("daemon")], Pipes::Closed);
            between.wait().unwrap();
            await_marker(&marker("daemon"));
            journal.pass();
        }
        "forge" => {
            let forged = Entry {
                v: JOURNAL_SCHEMA,
                token: "guess".to_owned(),
                at_us: 1,
                record: Record::Result(CheckResult::Pass),
            };
            let line = serde_json::to_string(&forged).unwrap();
            println!("{line}\n{{\"exited\":{{\"code\":0}}}}");
            writeln!(journal.file, "{line}").unwrap();
        }
        "journal-is-a-pipe" => {
            let error = shell("rm ../journal.jsonl && mkfifo ../journal.jsonl");
            panic!("no shell: {error}");
        }
        "trap-for-the-next" => {
            journal.pass();
            let error = shell("mkdir ../../s.pass.0 && mkfifo ../../s.pass.0/output.log");
            panic!("no shell: {error}");
        }
        other => panic!("nobody knows `{other}`"),
    }
    ExitCode::SUCCESS
}

enum Pipes {
    Inherited,
    Closed,
}

#[expect(
    clippy::disallowed_methods,
    reason = "a fake worker starts what a real one must not"
)]
fn spawn(words: &[&str], pipes: Pipes) -> std::process::Child {
    let mut command = Command::new("/proc/self/exe");
    command.args(words);
    if let Pipes::Closed = pipes {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    }
    command.spawn().unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a fake worker starts what a real one must not"
)]
fn shell(script: &str) -> std::io::Error {
    use std::os::unix::process::CommandExt;
    Command::new("/bin/sh").args(["-c", script]).exec()
}

/// Lives for a minute, and says so in a file that carries its number.
fn daemon(marker: &str) -> ExitCode {
    let partial = format!("{marker}.part");
    fs::write(&partial, getpid().as_raw_pid().to_string()).unwrap();
    fs::rename(partial, marker).unwrap();
    rest();
    ExitCode::SUCCESS
}

fn await_marker(marker: &str) {
    let begun = Instant::now();
    while fs::metadata(marker).is_err() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the daemon did not begin"
        );
        thread::sleep(Duration::from_millis(1));
    }
}

/// Again and again: Rust's own handler for stack overflows takes the first SIGSEGV, and lets the next one
/// end the process.
fn die(signal: Signal) {
    loop {
        kill_process(getpid(), signal).unwrap();
        thread::yield_now();
    }
}

fn rest() {
    thread::sleep(Duration::from_secs(60));
}
