//! Libraries that are not what their names say: each has an outcome of its own, and nothing else of the run is lost.
//!
//! Each package has two libraries, of which one is made unfit. The other must pass every case as if nothing were wrong.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cudacheck_model::outcome::Outcome;
use tempfile::TempDir;

use crate::libraries::stand_in;
use crate::support::{Ran, cudacheck, cudacheck_in, hide_run, words};

/// The library that is made unfit.
const BAD: &str = "libcudart.so.12";

/// The one that is not.
const GOOD: &str = "libnvjpeg.so.12";

/// The cases that need no device.
const STAGES: [&str; 2] = ["cold", "versions"];

/// A directory to run in, with the package `p` of both libraries.
fn package() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for soname in [BAD, GOOD] {
        stand_in::place(&directory.path().join("p"), soname);
    }
    directory
}

/// What becomes of both libraries' suites.
fn run(directory: TempDir) -> Ran {
    let arguments = ["run", "cudart", "nvjpeg", "--package", "p"];
    let machine = ["--simulate", "h100", "--seed", "7"];
    cudacheck_in(directory, arguments.into_iter().chain(machine))
}

/// A line for what became of the stages that need no device. Fails if the run lost anything of the other library.
fn lines(name: &str, ran: &Ran) -> String {
    let place = ran.directory.path().display().to_string();
    let mut lines = vec![format!("{name}: exit code {}", ran.code)];
    let mut good = 0;
    let mut finished = ran.finished();
    // Cases with and without a device run beside each other, and end in any order.
    finished.sort_by(|one, other| one.id.case.cmp(&other.id.case));
    for case in finished {
        if case.id.suite == "nvjpeg" {
            assert_eq!(case.outcome, Outcome::Pass, "{name}: {}", ran.stderr);
            good += 1;
            continue;
        }
        let case_name = &case.id.case;
        if !STAGES.contains(&case_name.as_str()) {
            continue;
        }
        lines.push(format!("    {case_name:<12} {}", words(&case.outcome)));
        if let Outcome::Fail(finding) | Outcome::Fault(finding) = &case.outcome {
            let class = serde_json::to_string(&finding.class).unwrap();
            for (what, text) in [
                ("class", class.trim_matches('"')),
                ("error", &finding.error),
                ("cause", finding.cause.text()),
                ("remedy", &finding.remedy),
            ] {
                let text = settled(&text.replace(&place, "…"));
                assert!(!text.is_empty(), "{name}: no {what}");
                lines.push(format!("        {what:<7}{text}"));
            }
        }
    }
    let skipped = ran.skipped().into_iter();
    for skip in skipped.filter(|skip| STAGES.contains(&skip.id.case.as_str())) {
        lines.push(format!(
            "    {:<12} skip {}: {}",
            skip.id.case,
            skip.reason.word(),
            skip.reason
        ));
    }
    assert!(good > 2, "{name}: {}", ran.stderr);
    ran.keep_junit(name);
    lines.join("\n")
}

/// The size of the whole library differs from build to build, the processor from machine to machine.
fn settled(text: &str) -> String {
    let text = text.replace(std::env::consts::ARCH, "…");
    let words = "by its headers at least ";
    match text.split_once(words) {
        Some((before, _)) => format!("{before}{words}…"),
        None => text,
    }
}

/// A way to make a library unfit, by the path of its file.
type Make = fn(&Path);

const FILES: &[(&str, Make)] = &[
    ("missing", |library| fs::remove_file(library).unwrap()),
    ("text", |library| {
        fs::write(library, "GROUP ( libcudart.so.12.9.79 )\n").unwrap();
    }),
    ("empty", |library| fs::write(library, "").unwrap()),
    ("cut off", |library| {
        let bytes = fs::read(library).unwrap();
        fs::write(library, &bytes[..4096]).unwrap();
    }),
    ("of another processor", |library| {
        let mut bytes = fs::read(library).unwrap();
        // 64-bit POWER, which runs none of these tests.
        bytes[18..20].copy_from_slice(&21_u16.to_le_bytes());
        fs::write(library, bytes).unwrap();
    }),
    ("a link to nowhere", |library| {
        fs::remove_file(library).unwrap();
        symlink("libcudart.so.12.9.79", library).unwrap();
    }),
    ("a directory", |library| {
        fs::remove_file(library).unwrap();
        fs::create_dir(library).unwrap();
    }),
    ("of an unknown release", |library| {
        fs::remove_file(library).unwrap();
        let package = library.parent().unwrap().parent().unwrap();
        stand_in::place(package, "libcudart.so.99");
    }),
    ("without functions", |library| {
        let bytes = fs::read(library).unwrap();
        fs::write(library, without(bytes, b"cudaRuntimeGetVersion\0")).unwrap();
    }),
];

/// The name of a function in the table of names, made to be another.
fn without(mut bytes: Vec<u8>, name: &[u8]) -> Vec<u8> {
    let places: Vec<usize> = bytes
        .windows(name.len())
        .enumerate()
        .filter(|(_, window)| *window == name)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at] = b'x';
    }
    bytes
}

#[test]
fn every_unfit_file_has_an_outcome_of_its_own() {
    let mut told = Vec::new();
    for (name, make) in FILES {
        let directory = package();
        make(&directory.path().join("p/lib").join(BAD));
        let ran = run(directory);
        told.push(lines(name, &ran));
    }
    insta::assert_snapshot!(told.join("\n"));
}

/// A suite that switches a fault on for one of the two libraries.
fn suite(fault: &str) -> String {
    format!(
        "name: loading\nsummary: what happens while a library is loaded\ncases:\n\
         \x20 - name: bad\n    check: {{ library: {{ name: cudart, stage: cold, environment: {{ CUDACHECK_STAND_IN: {fault} }} }} }}\n\
         \x20 - name: good\n    check: {{ library: {{ name: nvjpeg, stage: cold }} }}\n"
    )
}

#[test]
fn a_library_that_ends_or_holds_the_process_while_it_is_loaded_costs_one_case() {
    let mut told = Vec::new();
    for fault in ["load-hang", "load-crash", "load-abort", "load-exit"] {
        let directory = package();
        fs::write(directory.path().join("loading.yaml"), suite(fault)).unwrap();
        let arguments = ["run", "loading.yaml", "--package", "p", "--time-limit", "3"];
        let machine = ["--simulate", "h100", "--seed", "7"];
        let ran = cudacheck_in(directory, arguments.into_iter().chain(machine));
        told.push(format!("{fault}: exit code {}", ran.code));
        for case in ran.finished() {
            let (name, outcome) = (&case.id.case, words(&case.outcome));
            told.push(format!("    {name:<5} {outcome}"));
            if let Outcome::Fail(finding) | Outcome::Fault(finding) = &case.outcome {
                told.push(format!("        error  {}", finding.error));
                told.push(format!("        cause  {}", finding.cause.text()));
                told.push(format!("        remedy {}", finding.remedy));
            }
        }
        ran.keep_junit(fault);
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn libraries_of_one_kind_are_judged_each_for_itself() {
    let directory = package();
    stand_in::place(&directory.path().join("q"), "libcudart.so.13");
    let arguments = ["run", "cudart", "--case", "cold", "--case", "versions"];
    let packages = ["--package", "p", "--package", "q"];
    let machine = ["--simulate", "h100", "--seed", "7"];
    let arguments = arguments.into_iter().chain(packages).chain(machine);
    let ran = cudacheck_in(directory, arguments);
    let told: Vec<String> = ran
        .finished()
        .into_iter()
        .map(|case| {
            let notes = &case.attempt.notes;
            let version = notes.iter().find(|(key, _)| key == "version");
            let version = version.map_or("none", |(_, version)| version.as_str());
            let mapped = case.attempt.mapped.iter();
            let runtimes = mapped.filter(|library| {
                library
                    .path
                    .ends_with(case.id.subject.as_deref().unwrap_or_default())
            });
            format!(
                "{}: {}, version {version}, its own file mapped {} times",
                case.id,
                words(&case.outcome),
                runtimes.count()
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_package_without_any_library_is_not_green() {
    let mut told = Vec::new();
    for (name, suite) in [("all that fit", None), ("one library", Some("cudart"))] {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("p/share/doc")).unwrap();
        fs::write(directory.path().join("p/share/doc/README"), "text").unwrap();
        let machine = ["--package", "p", "--simulate", "h100", "--seed", "7"];
        let arguments = ["run"].into_iter().chain(suite).chain(machine);
        let ran = cudacheck_in(directory, arguments);
        told.push(format!("{name}: exit code {}", ran.code));
        told.push(hide_run(&ran.stderr));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_report_of_an_unfit_library_says_what_and_why_and_what_to_do() {
    let directory = package();
    fs::write(directory.path().join("p/lib").join(BAD), "text").unwrap();
    let place = directory.path().display().to_string();
    let arguments = ["run", "cudart", "nvjpeg", "--package", "p"];
    let cases = ["--case", "cold", "--case", "versions"];
    let machine = ["--simulate", "h100", "--seed", "7"];
    let arguments = arguments.into_iter().chain(cases).chain(machine);
    let ran = cudacheck_in(directory, arguments);
    insta::assert_snapshot!(hide_run(&unwrapped(&ran.stderr).replace(&place, "…")));
}

/// Lines that were broken where the terminal ends, joined again: where that is depends on the name of a directory.
fn unwrapped(text: &str) -> String {
    text.replace("\n              ", " ")
}

#[test]
fn a_loader_that_is_not_there_is_a_mistake_of_the_command_line() {
    let package = stand_in::package(&["libcudart.so.12"]);
    let path = package.path().to_str().unwrap();
    let ran = cudacheck([
        "run",
        "cudart",
        "--package",
        path,
        "--loader",
        "/nowhere/ld.so",
    ]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr
            .contains("the loader `/nowhere/ld.so` is not a file"),
        "{}",
        ran.stderr
    );
    assert!(!ran.directory.path().join("cudacheck-runs").exists());
}

/// A library takes a part from a directory that is not the package's: right numbers would prove nothing.
#[test]
fn a_part_of_somebody_else_fails_the_case_unless_it_is_excepted() {
    let package = stand_in::package(&["libcudart.so.12"]);
    let elsewhere = stand_in::package(&["libcublasLt.so.12"]);
    let stubs = tempfile::tempdir().unwrap();
    stand_in::place(&stubs.path().join("stubs"), "libcublasLt.so.12");
    let path = package.path().to_str().unwrap();
    let told = |from: &Path, more: &[&str]| {
        let search = format!("LD_LIBRARY_PATH={}", from.join("lib").display());
        let mut arguments = vec!["run", "cudart", "--simulate", "h100", "--package", path];
        arguments.extend([
            "--env",
            "CUDACHECK_STAND_IN=load-neighbour",
            "--env",
            &search,
        ]);
        arguments.extend(["--case", "versions", "--case", "memory"]);
        arguments.extend(more);
        let ran = cudacheck(arguments);
        let outcomes = ran.finished().into_iter().map(|case| words(&case.outcome));
        (ran.code, outcomes.collect::<Vec<_>>())
    };
    let foreign = || vec!["fail foreign-library at provenance".to_owned(); 2];
    let passes = vec!["pass".to_owned(); 2];
    assert_eq!(told(elsewhere.path(), &[]), (1, foreign()));
    assert_eq!(told(&stubs.path().join("stubs"), &[]), (1, foreign()));
    let excepted = ["--allow-host-libraries", "libcublasLt"];
    assert_eq!(told(elsewhere.path(), &excepted), (0, passes.clone()));
    let given = ["--package", elsewhere.path().to_str().unwrap()];
    assert_eq!(told(elsewhere.path(), &given), (0, passes));
}

/// This machine's own loader serves as well as that of a newer C library: the worker must still find its task.
#[test]
fn a_worker_runs_through_the_loader_that_is_named() {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut paths = maps
        .lines()
        .filter_map(|line| Some(&line[line.find('/')?..]));
    let loader = paths.find(|path| path.contains("/ld-linux")).unwrap();
    let package = stand_in::package(&["libcudart.so.12"]);
    let path = package.path().to_str().unwrap();
    let mut arguments = vec!["run", "cudart", "--simulate", "h100", "--package", path];
    arguments.extend(["--loader", loader]);
    let ran = cudacheck(arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for case in ran.finished() {
        let mut notes = case.attempt.notes.iter();
        let told = notes.any(|(key, value)| key == "loader" && value.starts_with(loader));
        assert!(told, "{}: {:?}", case.id, case.attempt.notes);
    }
}

#[test]
fn a_package_gets_the_suites_that_fit_it_and_no_others() {
    let package = stand_in::package(&["libcublas.so.12", "libnvrtc.so.12"]);
    let bin = package.path().join("bin");
    fs::create_dir(&bin).unwrap();
    fs::copy(
        package.path().join("lib/libnvrtc.so.12"),
        bin.join("ffmpeg"),
    )
    .unwrap();
    let path = package.path().to_str().unwrap();
    // Of the cases only those that cost nothing; every suite says what it leaves out.
    let ran = cudacheck([
        "run",
        "--package",
        path,
        "--case",
        "versions",
        "--case",
        "video",
        "--case",
        "soname-twice",
    ]);
    let finished = ran.finished().into_iter().map(|case| case.id.suite);
    let skipped = ran.skipped().into_iter().map(|skip| skip.id.suite);
    let suites: std::collections::BTreeSet<String> = finished.chain(skipped).collect();
    let expected = ["cublas", "ffmpeg", "linkage", "nvrtc"].map(str::to_owned);
    assert_eq!(suites, expected.into(), "{}", ran.stderr);
}
