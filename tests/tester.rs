//! Testers of packages: shell scripts in their place, each of which ends in another way.
//!
//! Every format has one that passes and one for each way in which it must not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cudacheck_model::event::PartOutcome;
use cudacheck_model::outcome::Outcome;
use tempfile::TempDir;

use crate::support::{Ran, cudacheck_in, hide_run, interrupt_when, parallel, words};

/// A tester and how a suite asks for it.
struct Row {
    /// What it is to show.
    name: &'static str,
    /// The tester, after `#!/bin/sh`.
    script: &'static str,
    /// More keys of the check.
    check: &'static str,
    /// More words of the command line.
    arguments: &'static [&'static str],
}

const fn row(name: &'static str, script: &'static str, check: &'static str) -> Row {
    Row {
        name,
        script,
        check,
        arguments: &[],
    }
}

/// A script for GoogleTest that writes this XML where it is told to.
macro_rules! google {
    ($xml:literal, $rest:literal) => {
        concat!(
            "for word; do case $word in --gtest_output=xml:*) out=${word#*xml:};; esac; done\n",
            "cat >$out <<'END'\n",
            $xml,
            "\nEND\n",
            $rest
        )
    };
}

const ROWS: &[Row] = &[
    row(
        "gtest: all pass",
        google!(
            r#"<testsuites><testsuite name="A"><testcase name="b" classname="A" status="run" time="0.002"/><testcase name="DISABLED_c" classname="A" status="notrun"/></testsuite></testsuites>"#,
            "exit 0"
        ),
        "format: gtest",
    ),
    row(
        "gtest: one fails",
        google!(
            r#"<testsuites><testsuite name="A"><testcase name="b" classname="A" status="run"/><testcase name="c" classname="A"><failure message="x.cpp:7&#10;1 is not 2"/></testcase></testsuite></testsuites>"#,
            "exit 1"
        ),
        "format: gtest",
    ),
    row(
        "gtest: a crash leaves no XML, but lines",
        "echo '[ RUN      ] A.b'; echo '[       OK ] A.b (1 ms)'; echo '[ RUN      ] A.c'; kill -SEGV $$",
        "format: gtest",
    ),
    row(
        "gtest: it is told what not to run",
        google!(
            r#"<testsuites><testcase name="b" classname="A" status="run"/></testsuites>"#,
            "for word; do echo \"$word\"; done | grep -qx -e '--gtest_filter=\\*-\\*Slow\\*' || exit 9"
        ),
        "format: gtest, exclude: [{ name: Slow, because: it takes hours }]",
    ),
    row(
        "junit: all pass",
        "echo '<testsuite><testcase classname=\"m\" name=\"t\" time=\"0.5\"/></testsuite>' >$1",
        "format: junit, arguments: ['{results}']",
    ),
    row(
        "junit: one fails, and the exit code hides it",
        "echo '<testsuite><testcase name=\"t\"><failure>assert 1 == 2</failure></testcase></testsuite>' >$1",
        "format: junit, arguments: ['{results}']",
    ),
    row(
        "junit: the file is torn",
        "echo '<testsuite><testcase name=\"t\"/><testcase name=\"u\"><fail' >$1",
        "format: junit, arguments: ['{results}']",
    ),
    row(
        "junit: pytest finds no test",
        "echo '<testsuites><testsuite tests=\"0\"/></testsuites>' >$1; exit 5",
        "format: junit, arguments: ['{results}']",
    ),
    row(
        "junit: no file at all",
        "exit 0",
        "format: junit, arguments: ['{results}']",
    ),
    row(
        "junit: a pipe in the place of the file",
        "mkfifo $1",
        "format: junit, arguments: ['{results}']",
    ),
    row(
        "tap: all pass",
        "echo 1..2; echo ok 1 - a; echo ok 2 - b",
        "format: tap",
    ),
    row(
        "tap: one fails with its notes",
        "printf '1..2\\nok 1 - a\\nnot ok 2 - b\\n  ---\\n  message: 3 of 5 elements differ\\n  at: [0, 1]\\n  ...\\n'; exit 1",
        "format: tap",
    ),
    row(
        "tap: a crash half way",
        "printf '1..3\\nok 1 - a\\n'; kill -ABRT $$",
        "format: tap",
    ),
    row(
        "tap: an end half way, without a word",
        "printf '1..3\\nok 1 - a\\n'",
        "format: tap",
    ),
    row(
        "tap: all well, and then a crash",
        "printf '1..1\\nok 1 - a\\n'; kill -SEGV $$",
        "format: tap",
    ),
    row(
        "tap: all well, and then an exit code",
        "printf '1..1\\nok 1 - a\\n'; exit 3",
        "format: tap",
    ),
    Row {
        name: "tap: it hangs, and what it said stays",
        script: "printf '1..2\\nok 1 - a\\n'; exec sleep 300",
        check: "format: tap",
        arguments: &["--time-limit", "1"],
    },
    row(
        "tap: it gives up",
        "echo 'Bail out! CUDA error: no kernel image is available for execution on the device'; exit 1",
        "format: tap",
    ),
    row("tap: nothing is run", "echo 1..0", "format: tap"),
    row(
        "tap: it skips by itself",
        "echo '1..0 # SKIP this interpreter has no module torch'",
        "format: tap",
    ),
    row(
        "tap: every result is a skip",
        "printf '1..1\\nok 1 - a # SKIP no tensor cores\\n'",
        "format: tap",
    ),
    row(
        "tap: what is expected does not come",
        "echo 1..1; echo ok 1 - a",
        "format: tap, expected: { names: [a, b], at-least: 2 }",
    ),
    row(
        "tap: what is expected comes",
        "echo 1..2; echo ok 1 - a; echo ok 2 - b",
        "format: tap, expected: { names: ['?'], at-least: 2 }",
    ),
    row(
        "tap: a failure that is excluded does not count",
        "echo 1..2; echo ok 1 - a; echo not ok 2 - known; exit 1",
        "format: tap, exclude: [{ name: known, because: 'it is known, see the issue' }]",
    ),
    row(
        "tap: a failure that is not included does not count",
        "echo 1..2; echo ok 1 - a; echo not ok 2 - b; exit 1",
        "format: tap, include: [{ name: a, because: 'the rest needs data' }]",
    ),
    row(
        "magma: all are ok",
        "echo '%   M     N   CPU Gflop/s (sec)'; echo '  128   128     ---   (  ---  )  1.2e-16   ok'",
        "format: magma",
    ),
    row(
        "magma: one failed, as it must when its kernel was never launched",
        "echo '%   N   CPU Gflop/s (sec)'; echo '  128     ---   (  ---  )  1.2e-16   ok'; echo ' 1024     ---   (  ---  )  9.9e-01   failed'; exit 1",
        "format: magma",
    ),
    row(
        "magma: nothing was tested",
        "echo 'Usage: testing'",
        "format: magma",
    ),
    row("exit code: 0", "exit 0", "format: exit-code"),
    row(
        "exit code: 77",
        "echo no video encoder; exit 77",
        "format: exit-code",
    ),
    row("exit code: 3", "echo wrong; exit 3", "format: exit-code"),
    row(
        "a library is missing",
        "echo '/p/t: error while loading shared libraries: libmagma.so: cannot open shared object file: No such file or directory' >&2; exit 127",
        "format: gtest",
    ),
    row(
        "the driver says that the GPU is broken",
        "echo 1..1; echo not ok 1 - a; echo '# CUDA_ERROR_ECC_UNCORRECTABLE'; exit 1",
        "format: tap",
    ),
    row(
        "it prints without end",
        "i=0; while [ $i -lt 30000 ]; do echo \"noise $i ........................................................................\"; i=$((i+1)); done; echo 1..1; echo ok 1 - a",
        "format: tap",
    ),
];

/// A package with a tester, and a suite that asks for it.
fn package(script: &str, check: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("pkg/bin")).unwrap();
    executable(
        &directory.path().join("pkg/bin/t"),
        &format!("#!/bin/sh\n{script}\n"),
    );
    suite(directory.path(), &format!("program: t, {check}"), "");
    directory
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn suite(directory: &Path, check: &str, more: &str) {
    let text = format!(
        "name: s\nsummary: a tester\n{more}cases:\n  - name: c\n    check: {{ tester: {{ {check} }} }}\n"
    );
    fs::write(directory.join("s.yaml"), text).unwrap();
}

const RUN: &[&str] = &[
    "run",
    "s.yaml",
    "--simulate",
    "h100",
    "--seed",
    "1",
    "--package",
    "pkg",
];

fn run(row: &Row) -> Ran {
    let directory = package(row.script, row.check);
    let arguments: Vec<_> = RUN.iter().chain(row.arguments).copied().collect();
    let ran = cudacheck_in(directory, arguments);
    ran.keep_junit(&format!("tester {}", row.name));
    ran
}

/// What became of the only case: its outcome, its results, and what is said of it.
fn told(ran: &Ran) -> String {
    let finished = ran.finished();
    let [case] = finished.as_slice() else {
        return format!("{} cases ran: {}", finished.len(), ran.stderr);
    };
    let mut lines = vec![format!(
        "  {} -> exit code {}",
        words(&case.outcome),
        ran.code
    )];
    match &case.outcome {
        Outcome::Fail(finding) | Outcome::Fault(finding) => {
            let class = format!("{:?}", finding.class).to_lowercase();
            lines.push(format!("  {class}: {}", finding.error));
            lines.push(format!("  cause: {}", finding.cause.text()));
        }
        Outcome::Skip(reason) => lines.push(format!("  {reason}")),
        Outcome::Pass | Outcome::ExpectedFail { .. } | Outcome::UnexpectedPass { .. } => {}
    }
    for part in &case.attempt.parts {
        lines.push(match &part.outcome {
            PartOutcome::Pass => format!("    pass {}", part.name),
            PartOutcome::Fail { message } => format!("    fail {}: {message}", part.name),
            PartOutcome::Skip { because } => format!("    skip {}: {because}", part.name),
        });
    }
    let notes = case
        .attempt
        .notes
        .iter()
        .filter(|(key, _)| key != "program");
    lines.extend(notes.map(|(key, value)| format!("    {key}: {value}")));
    lines.join("\n")
}

#[test]
fn each_way_of_ending_has_its_outcome() {
    let told = parallel(ROWS, |row| format!("{}\n{}", row.name, told(&run(row))));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_failure_says_which_results_failed() {
    let script = "printf '1..3\\nok 1 - a\\nnot ok 2 - gemm\\n  ---\\n  message: 3 of 5 elements differ\\n  at: [0, 1] 7, expected 8\\n  ...\\nok 3 - c # SKIP no FP8\\n'; exit 1";
    let ran = cudacheck_in(package(script, "format: tap"), RUN);
    insta::assert_snapshot!("failed", hide_run(&ran.stderr));
    let junit = ran.junit();
    let cases = &junit[junit.find("<testcase").unwrap()..];
    // Times, and paths of this run.
    let differs = |line: &&str| {
        ["time=\"", "log: ", "program: "]
            .iter()
            .any(|it| line.contains(it))
    };
    let hidden = cases.lines().filter(|line| !differs(line));
    insta::assert_snapshot!("failed-junit", hidden.collect::<Vec<_>>().join("\n"));
}

#[test]
fn hostile_names_and_words_are_harmless() {
    let script = "printf '1..2\\nok 1 - a \\033[2J\\033]0;title\\007 ]]> <b> ##[error]x\\nnot ok 2 - ::error::b\\n# ::warning::c \\033[31m]]>\\n'; exit 1";
    let ran = cudacheck_in(package(script, "format: tap"), RUN);
    assert_eq!(ran.code, 1);
    ran.keep_junit("tester hostile");
    for text in [&ran.stderr, &ran.junit()] {
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{7}'),
            "{text}"
        );
        let obeyed = |line: &str| line.trim_start().starts_with("::");
        assert!(!ran.stderr.lines().any(obeyed), "{text}");
    }
    assert!(!ran.stderr.contains("##["), "{}", ran.stderr);
    assert!(
        ran.junit().contains("name=\"a  ]]&gt; &lt;b&gt; ")
            || ran.junit().contains("name=\"a ]]&gt; &lt;b&gt; ")
    );
}

#[test]
fn a_tester_sees_one_device_and_nothing_of_ours() {
    // What a suite says of the device is overruled: it would be another than the one that the report names.
    let script = "
        echo 1..5
        case $CUDA_VISIBLE_DEVICES in GPU-51d0*) echo ok 1 - one device;; *) echo not ok 1;; esac
        [ \"$SECRET$USER\" = '' ] && echo ok 2 - nothing of ours || echo not ok 2
        [ \"$OWN\" = \"$1\" ] && [ -d \"$1\" ] && echo ok 3 - its own variable || echo not ok 3
        [ -z \"$(find .. -name journal.jsonl -o -name task.json)\" ] && echo ok 4 - no journal || echo not ok 4
        [ \"$(cat <\"$2\")\" = beside ] && [ \"${2%/*}\" = \"$PWD\" ] && echo ok 5 - its script || echo not ok 5
        env";
    let directory = package(script, "format: tap");
    fs::write(directory.path().join("beside.txt"), "beside").unwrap();
    suite(
        directory.path(),
        "program: bin/t, format: tap, scripts: [beside.txt], arguments: ['{tmp}', '{script}'], environment: { OWN: '{tmp}', CUDA_VISIBLE_DEVICES: '7' }",
        "",
    );
    let ran = cudacheck_in(directory, RUN);
    assert_eq!(ran.code, 0, "{}\n{}", told(&ran), ran.stderr);
    let output = &ran.finished()[0].attempt.output.head;
    assert!(
        output.contains("LD_LIBRARY_PATH=") && output.contains("/driver"),
        "{output}"
    );
}

#[test]
fn a_tester_that_the_package_does_not_have_is_a_skip_or_a_failure() {
    let absent = |more: &str, arguments: &[&str]| {
        let directory = package("exit 0", "format: tap");
        suite(directory.path(), "program: python3, format: tap", more);
        cudacheck_in(directory, arguments)
    };
    let ran = absent("", RUN);
    assert_eq!(
        (ran.code, told(&ran)),
        (
            5,
            "  skip no-tester -> exit code 5\n  the package has no `bin/python3`".to_owned()
        )
    );
    let must = "package: { name: p, must-run: true }\n";
    let ran = absent(must, RUN);
    let expected = "  fail nothing-tested -> exit code 1\n  build: none of the paths given with --package has `bin/python3`\n  \
                    cause: the suite says that the package must run, and its tester is not among its files";
    assert_eq!(told(&ran), expected);
    let ran = absent("", &RUN[..6]);
    assert_eq!(ran.skipped()[0].reason.word(), "no-package");
}

#[test]
fn where_a_package_must_run_its_tester_may_not_skip_everything() {
    let directory = package("echo '1..0 # SKIP not today'", "format: tap");
    suite(
        directory.path(),
        "program: t, format: tap",
        "package: { name: p, must-run: true }\n",
    );
    let ran = cudacheck_in(directory, RUN);
    let expected = "  fail nothing-tested -> exit code 1\n  execution: it skipped everything, but must run: not today\n  cause: unknown";
    assert_eq!(told(&ran), expected);
}

#[test]
fn a_program_that_cannot_be_started_is_the_packages_failure() {
    let directory = package("", "format: tap");
    executable(
        &directory.path().join("pkg/bin/t"),
        "#!/nowhere/interpreter\n",
    );
    let ran = cudacheck_in(directory, RUN);
    let finished = ran.finished();
    assert_eq!(words(&finished[0].outcome), "fail not-started");
    assert_eq!(ran.code, 1);
}

#[test]
fn a_tester_of_the_machine_blames_the_machine() {
    let directory = package("echo 1..1; echo not ok 1 - a; exit 1", "format: tap");
    let program = directory.path().join("pkg/bin/t").display().to_string();
    suite(
        directory.path(),
        &format!("program: '{program}', format: tap"),
        "",
    );
    let ran = cudacheck_in(directory, &RUN[..6]);
    assert_eq!(
        (words(&ran.finished()[0].outcome).as_str(), ran.code),
        ("fault results-failed", 3)
    );
}

#[test]
fn a_tester_that_needs_no_device_runs_on_a_machine_without_one() {
    let directory = package("echo 1..1; echo ok 1 - a", "format: tap, per-device: false");
    // Without a simulator: whatever this machine has, it is not asked for.
    let ran = cudacheck_in(directory, ["run", "s.yaml", "--package", "pkg"]);
    let finished = ran.finished();
    assert_eq!(
        (finished.len(), finished[0].id.device, ran.code),
        (1, None, 0),
        "{}",
        ran.stderr
    );
    assert_eq!(finished[0].outcome, Outcome::Pass);
}

#[test]
fn a_known_failure_is_expected_as_any_other() {
    let directory = package("echo 1..1; echo not ok 1 - a; exit 1", "format: tap");
    let path = directory.path().join("s.yaml");
    let text = fs::read_to_string(&path).unwrap()
        + "    expected-failure: { because: 'see the issue 17' }\n";
    fs::write(&path, text).unwrap();
    let ran = cudacheck_in(directory, RUN);
    assert_eq!(
        (words(&ran.finished()[0].outcome).as_str(), ran.code),
        ("expected-fail results-failed", 0)
    );
    assert!(!ran.junit().contains("<failure"), "{}", ran.junit());
}

#[test]
fn what_a_tester_said_before_an_interruption_stays() {
    let directory = package(
        "printf '1..2\\nok 1 - a\\n'; : >here; exec sleep 300",
        "format: tap",
    );
    let arguments = ["run", "s.yaml", "--simulate", "h100", "--package", "pkg"];
    let ran = interrupt_when(directory, "s.c.0/private/here", arguments);
    assert_eq!(ran.code, 130, "{}", ran.stderr);
    let finished = ran.finished();
    assert_eq!(words(&finished[0].outcome), "skip interrupted");
    assert_eq!(finished[0].attempt.parts.len(), 1);
}

#[test]
fn mistakes_in_a_suite_are_told_with_their_places() {
    let directory = package("", "format: tap");
    suite(
        directory.path(),
        "program: t, format: tapp, scripts: [/etc/passwd], exclude: [{ name: a, because: short }]",
        "",
    );
    let ran = cudacheck_in(directory, ["validate", "s.yaml"]);
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!("mistakes", ran.stderr);
    let directory = package("", "format: tap");
    suite(
        directory.path(),
        "program: t, format: junit, scripts: [nowhere.py], arguments: ['{script}', '{result}']",
        "",
    );
    let ran = cudacheck_in(directory, ["validate", "s.yaml"]);
    insta::assert_snapshot!("mistakes-of-meaning", ran.stderr);
}
