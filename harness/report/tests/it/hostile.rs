//! Whatever a tested program, a driver, or a suite says: the report stays well-formed, and its visible text survives.

use cudacheck_model::event::Timed;
use cudacheck_model::event::{Event, Output};
use cudacheck_model::facts::MachineFacts;
use cudacheck_model::fault::MachineFault;
use cudacheck_model::outcome::{Cause, Class, Outcome, Problem, SkipReason};
use cudacheck_report::junit::{JUnitOptions, junit};
use cudacheck_report::terminal::{Colour, Options, Progress, Terminal, Verbosity};
use cudacheck_report::text;
use proptest::prelude::*;

use crate::readers::parse;
use crate::stream;

/// A run in which every text is foreign.
fn run(foreign: &str, kind: u8) -> Vec<Timed> {
    let own = || foreign.to_owned();
    let mut finding = stream::finding(Problem::WrongResult, Class::Numerical, foreign);
    finding.expected = own();
    finding.cause = Cause::Proven(own());
    finding.remedy = own();
    finding.details = vec![own(), own()];
    let outcome = match kind % 5 {
        0 => Outcome::Pass,
        1 => Outcome::Fail(finding.clone()),
        2 => Outcome::Fault(finding.clone()),
        3 => Outcome::ExpectedFail {
            finding: finding.clone(),
            because: own(),
        },
        _ => Outcome::Skip(SkipReason::NoDevice { because: own() }),
    };
    let mut case = stream::finished(foreign, foreign, Some(0), outcome);
    case.package = Some(own());
    case.rerun = vec![own()];
    case.log = own();
    if let Some(label) = &mut case.device {
        label.name = own();
        label.sm = own();
    }
    case.attempt.started = own();
    case.attempt.notes = vec![(own(), own())];
    case.attempt.output = Output {
        head: own(),
        tail: own(),
        left_out: u64::from(kind),
    };
    case.earlier = vec![stream::attempt(Outcome::Fault(finding), foreign)];
    let mut facts: MachineFacts = stream::facts(Some(foreign), 2);
    facts.host.name = Some(own());
    facts.host.kernel = Some(own());
    facts.devices[0].name = own();
    facts.devices[0].uuid = Some(own());
    facts.faults = vec![MachineFault::Harness { message: own() }];
    let mut started = stream::started(Some(foreign));
    if let Event::RunStarted(started) = &mut started {
        started.run_id = own();
        started.injected = vec![own()];
    }
    let device = 0;
    stream::timed(vec![
        started,
        Event::MachineProbed(Box::new(facts)),
        Event::CaseStarted {
            id: case.id.clone(),
            attempt: 1,
        },
        Event::CaseFinished(Box::new(case)),
        Event::DeviceWithdrawn {
            device,
            fault: MachineFault::Harness { message: own() },
        },
    ])
}

fn visible(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_whitespace())
        .collect()
}

#[track_caller]
fn check(foreign: &str, kind: u8) {
    let events = run(foreign, kind);
    let xml = String::from_utf8(junit(&events, &JUnitOptions::default())).unwrap();
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(allowed), "{xml}");
    let report = parse(&xml);
    let expected = visible(&text::sanitise(foreign));
    let output = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
        .find_map(|case| case.system_out.as_ref())
        .map_or(String::new(), |output| visible(output.as_str()));
    assert!(
        output.starts_with(&expected) && output.ends_with(&expected),
        "{output:?} {expected:?}"
    );

    let options = Options {
        colour: Colour::Never,
        progress: Progress::Off,
        verbosity: Verbosity::Verbose,
        width: 80,
    };
    let mut written = Vec::new();
    let mut terminal = Terminal::new(options, &mut written);
    for event in &events {
        terminal.event(event);
    }
    drop(terminal);
    let told = String::from_utf8(written).unwrap();
    assert!(
        told.chars()
            .all(|c| !c.is_control() || c == '\n' || c == '\t'),
        "{told:?}"
    );
    for line in told.lines() {
        let start = line.trim_start();
        assert!(
            !start.starts_with("::") && !line.contains("##["),
            "{line:?}"
        );
    }
}

#[test]
fn known_traps_are_harmless() {
    let traps = [
        "]]>",
        "<!--",
        "--><error/>",
        "&#0;",
        "\u{1b}[2J\u{1b}]0;pwned\u{7}",
        "\0\u{8}\u{c}\u{7f}",
        "\u{fffe}\u{ffff}",
        "\u{9b}31m\u{85}",
        "a\rb\r\nc",
        "\ttab\t",
        "::error::x",
        "\n::set-output name=a::b",
        "##[error]x",
        "/><testcase name=\"forged\"/>",
        "\u{202e}gnissap",
        "\u{d7ff}\u{e000}\u{10ffff}",
    ];
    for trap in traps {
        for kind in 0..5 {
            check(trap, kind);
        }
    }
}

#[test]
fn invalid_utf_8_is_replaced() {
    check(
        &String::from_utf8_lossy(b"\xff\xfe\xc3\x28 text \xed\xa0\x80"),
        1,
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_break_a_report(bytes in prop::collection::vec(any::<u8>(), 0..120), kind in any::<u8>()) {
        check(&String::from_utf8_lossy(&bytes), kind);
    }

    #[test]
    fn no_characters_break_a_report(text in any::<String>(), kind in any::<u8>()) {
        check(&text, kind);
    }

    #[test]
    fn no_markup_breaks_a_report(text in r#"[\x1b\x00\r\n\t<>&"'\]\[:#;!/=a-c\x{fffe}\x{ffff}]{0,60}"#, kind in any::<u8>()) {
        check(&text, kind);
    }
}
