//! Writes a run as JUnit XML, for the systems that read nothing else.
//!
//! The profile is the part of the format that Jenkins' `junit-10.xsd` allows and that the common readers agree on:
//!
//! * `<failure>` is the package's fault, `<error>` the machine's, the GPU's, the driver's, or the harness's, and
//!   `<skipped>` was not run. A case has at most one of them, since readers disagree on which wins.
//! * An expected failure is `<skipped type="cudacheck.expected-failure">` with the suite's reason: it is not green, and
//!   must not turn a pipeline red. An unexpected pass is `<failure type="cudacheck.unexpected-pass">`.
//! * `type` is `cudacheck.` and a word: some readers interpret plain words such as `file`.
//! * A suite is a suite file, its package, and a device. `classname` is `SUITE` or `SUITE.PACKAGE`; with a simulated GPU
//!   `simulated.PROFILE.` stands before it, so that no reader files such a result under the real one's name. Names hold
//!   no UUID and no date: readers find a case's history by them. `[device 1]` follows where there are several devices.
//! * Element text repeats the message and goes on with details: several readers show only the text.
//! * Retries are `<flakyFailure>` and `<rerunFailure>`, never the `…Error` variants, which readers overlook.
//! * Each result of a tester is a case of its own, with the tester's name for it, in the class `SUITE.PACKAGE.CASE`,
//!   beside the case that ran the tester. The counts of the report count both.
//! * A fault of the machine found before any case is a case of its own, in the suite `cudacheck.machine`: a run
//!   that could judge nothing must not look empty.

mod budget;
mod case;
mod part;
mod properties;
mod record;

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cudacheck_model::event::Timed;
use quick_junit::{Report, TestSuite};

use budget::Budget;
use record::{Entry, Group, Record};

/// The number of the profile, in the property `cudacheck.schema`.
pub const JUNIT_SCHEMA: u32 = 1;

/// How to write.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct JUnitOptions {
    /// What becomes of failed attempts before a pass.
    pub flaky: Flaky,
    /// The run's directory as a reader of the report would type it; `./cudacheck-runs/RUN` if absent.
    pub run_directory: Option<String>,
}

/// What becomes of failed attempts before a pass.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Flaky {
    /// `<flakyFailure>`, as Jenkins and Surefire have it.
    #[default]
    Report,
    /// Left out, for readers that take such a pass for something else (xunit-viewer).
    Omit,
}

/// The report of these events. They need not be complete: a case that started but has no outcome is skipped as
/// interrupted.
pub fn junit(events: &[Timed], options: &JUnitOptions) -> Vec<u8> {
    let record = Record::read(events);
    let mut budget = Budget::default();
    let mut report = Report::new(record.simulated().map_or_else(
        || "cudacheck".to_owned(),
        |profile| format!("cudacheck (simulated {})", attribute(profile)),
    ));
    report.set_time(Duration::from_millis(record.duration_ms));
    let machine = record
        .fault_cases()
        .map(|faults| case::machine_suite(&record, faults));
    let suites = record.groups();
    let suites = suites
        .iter()
        .map(|group| suite(group, &record, options, &mut budget));
    for (id, mut suite) in machine.into_iter().chain(suites).enumerate() {
        suite.extra.insert("id".into(), id.to_string().into());
        report.add_test_suite(suite);
    }
    let text = report
        .to_string()
        .unwrap_or_else(|error| unwritable(&error.to_string()));
    // Jenkins' schema knows no such attribute here; the suites carry the numbers.
    text.replacen(&format!(" skipped=\"{}\"", report.skipped), "", 1)
        .into_bytes()
}

/// Writes a report so that the file is the old one or the new one, but never a part of one.
///
/// What is there already and is no file, such as a pipe or `/dev/stdout`, is written to as it is.
///
/// # Errors
///
/// When the file or its directory cannot be written to.
pub fn write(path: &Path, report: &[u8]) -> io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return OpenOptions::new().write(true).open(path)?.write_all(report);
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = parent.unwrap_or(Path::new("."));
    let temporary = temporary(path)?;
    let written = write_new(&temporary, report).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    // The file is complete by now; not every file system can make its directory's entry durable.
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

/// Whether [`write()`] can be expected to succeed later, for whoever wants to know before the work is done.
///
/// # Errors
///
/// When the file or its directory cannot be written to now.
pub fn probe(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // A pipe would wait for its reader.
        Ok(metadata) if !metadata.is_file() => Ok(()),
        Ok(_) | Err(_) => {
            let temporary = temporary(path)?;
            write_new(&temporary, b"").and_then(|()| std::fs::remove_file(&temporary))
        }
    }
}

/// Where a report is put together: beside the file, since only there can it be moved in one step.
fn temporary(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let name = format!(".{}.{}", name.to_string_lossy(), std::process::id());
    Ok(path.with_file_name(name))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn suite(
    group: &Group<'_>,
    record: &Record<'_>,
    options: &JUnitOptions,
    budget: &mut Budget,
) -> TestSuite {
    let classname = record.classname(group.suite, group.package);
    let slot = record.slot(group.device);
    let mut suite = new_suite(&format!("{classname}{slot}"), record);
    if let Some(started) = group.started() {
        suite
            .extra
            .insert("timestamp".into(), started.as_str().into());
    }
    suite.set_time(group.duration());
    suite.add_properties(properties::of_run(record));
    suite.add_properties(properties::of_devices(record, group.device));
    for entry in &group.entries {
        let mut case = case::case(entry, record, options, budget);
        case.name = attribute(format!("{}{slot}", entry.name())).into();
        case.set_classname(classname.as_str());
        suite.add_test_case(case);
        if let Entry::Finished(finished) = entry {
            let log = record.log(finished, options.run_directory.as_deref());
            for mut part in part::cases(finished, &log, budget) {
                part.name = attribute(format!("{}{slot}", part.name.as_str())).into();
                part.set_classname(format!("{classname}.{}", attribute(entry.name())));
                suite.add_test_case(part);
            }
        }
    }
    suite
}

fn new_suite(name: &str, record: &Record<'_>) -> TestSuite {
    let mut suite = TestSuite::new(name);
    // Jenkins puts the package before the name; the name says it all.
    suite.extra.insert("package".into(), "".into());
    if let Some(host) = record.host() {
        suite
            .extra
            .insert("hostname".into(), attribute(host).into());
    }
    suite
}

/// Writing to memory fails only when the writer itself is at fault; then that is the result to see.
fn unwritable(error: &str) -> String {
    let error = error.replace(['<', '>', '&', '"'], " ");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cudacheck\" tests=\"1\" failures=\"0\" errors=\"1\">\n\
         <testsuite name=\"cudacheck.report\" tests=\"1\" failures=\"0\" errors=\"1\"><testcase name=\"junit\" \
         classname=\"cudacheck.report\"><error type=\"cudacheck.harness\">{error}</error></testcase></testsuite>\n</testsuites>\n"
    )
}

/// The longest message, so that lists of failures stay lists.
const LONGEST_MESSAGE: usize = 300;

/// Text for an attribute: one line, sanitised, not too long.
fn attribute(text: impl AsRef<[u8]>) -> String {
    crate::text::shortened(&crate::text::one_line(text), LONGEST_MESSAGE)
}

/// Text for an element: sanitised, tabs expanded, since the XML writer drops them.
fn element(text: impl AsRef<[u8]>) -> String {
    crate::text::sanitise(text).replace('\t', "    ")
}
