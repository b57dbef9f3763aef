//! What a person sees.

use cudacheck_model::event::Timed;
use cudacheck_report::terminal::{Colour, Options, Progress, Terminal, Verbosity};

use crate::stream;

const NORMAL: Options = Options {
    colour: Colour::Never,
    progress: Progress::Off,
    verbosity: Verbosity::Normal,
    width: 100,
};

#[track_caller]
fn check(name: &str, events: &[Timed], options: Options) {
    insta::assert_snapshot!(name, told(events, options));
}

fn told(events: &[Timed], options: Options) -> String {
    let mut written = Vec::new();
    let mut terminal = Terminal::new(options, &mut written);
    for event in events {
        terminal.event(event);
    }
    drop(terminal);
    String::from_utf8(written).unwrap()
}

#[test]
fn every_outcome_has_its_line_and_its_block() {
    check("real", &stream::real(), NORMAL);
}

#[test]
fn a_simulated_run_says_so() {
    check("simulated", &stream::simulated(), NORMAL);
}

#[test]
fn several_devices_are_told_apart() {
    check("two-devices", &stream::two_devices(), NORMAL);
}

#[test]
fn a_machine_without_a_driver_is_at_fault() {
    check("no-driver", &stream::no_driver(), NORMAL);
}

#[test]
fn verbose_tells_everything() {
    check(
        "verbose",
        &stream::real(),
        Options {
            verbosity: Verbosity::Verbose,
            ..NORMAL
        },
    );
}

#[test]
fn quiet_tells_what_went_wrong() {
    check(
        "quiet",
        &stream::real(),
        Options {
            verbosity: Verbosity::Quiet,
            ..NORMAL
        },
    );
}

#[test]
fn colour_adds_nothing_but_colour() {
    let coloured = told(
        &stream::real(),
        Options {
            colour: Colour::Always,
            ..NORMAL
        },
    );
    assert!(coloured.contains("\u{1b}[1;31m        FAIL\u{1b}[0m"));
    assert_eq!(
        cudacheck_report::text::sanitise(&coloured),
        told(&stream::real(), NORMAL)
    );
}

#[test]
fn a_bar_does_not_change_the_lines() {
    let events = stream::real();
    assert_eq!(
        told(
            &events,
            Options {
                progress: Progress::Bar,
                ..NORMAL
            }
        ),
        told(&events, NORMAL)
    );
}

#[test]
fn a_simulated_run_names_its_profile_wherever_a_reader_might_look() {
    let text = told(&stream::simulated(), NORMAL);
    for word in [
        "Machine", "Device 0", "Summary", "FAIL  ", "FAULT  ", "XPASS  ",
    ] {
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.trim_start().starts_with(word))
            .collect();
        assert!(!lines.is_empty(), "{word}");
        assert!(
            lines.iter().all(|line| line.contains("simulated")),
            "{lines:?}"
        );
    }
}
