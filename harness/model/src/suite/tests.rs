//! Suites as users write them, right and wrong; each wrong one with everything that must be said of it.

use std::path::Path;

use super::*;
use crate::catalogue::{Catalogue, KernelNeeds};

fn catalogue() -> Catalogue {
    let kernel = |name: &str| KernelNeeds {
        name: name.to_owned(),
        summary: "a kernel".to_owned(),
        isa: "6.0".parse().unwrap(),
        target: "sm_50".parse().unwrap(),
        attributes: Vec::new(),
    };
    Catalogue {
        kernels: vec![kernel("launch-canary"), kernel("warp-shuffle")],
    }
}

/// The complaints as printed, each with its hint.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let complaints = read(Path::new("s.yaml"), text, &catalogue())
        .err()
        .unwrap_or_default();
    let printed: Vec<String> = complaints
        .iter()
        .map(|complaint| match &complaint.hint {
            Some(hint) => format!("{complaint} [{hint}]"),
            None => complaint.to_string(),
        })
        .collect();
    assert_eq!(printed, expected);
}

const HEAD: &str = "name: demo\nsummary: a demonstration\n";
const CASES: &str = "cases:\n  - name: canary\n    check: { kernel: { name: launch-canary } }\n";

#[track_caller]
fn check_middle(middle: &str, expected: &[&str]) {
    check(&format!("{HEAD}{middle}{CASES}"), expected);
}

#[test]
fn a_suite_with_everything_is_read() {
    let text = "\
name: demo
summary: a demonstration
package: { name: cudaPackages.saxpy, toolkit: \"12.10\" }
requires:
  driver: \"535.54.03\"
  cuda: \"12.2\"
  compute-capability: { min: \"7.5\", max: \"9.0\" }
  platform: [linux-x86_64, linux-sbsa]
  memory-mib: 512
  devices: 1
limits: { time-s: 30, memory-mib: 64, retries: 1 }
cases:
  - name: canary
    check:
      kernel: { name: launch-canary, seed: 7 }
    limits: { time-s: 5 }
    expected-failure: { because: \"no device of this kind can do it\" }
";
    let suite = read(Path::new("s.yaml"), text, &catalogue()).unwrap();
    assert_eq!(
        suite.package.as_ref().unwrap().toolkit.unwrap().to_string(),
        "12.10"
    );
    let again = serde_json::to_string(&suite).unwrap();
    assert_eq!(
        read(Path::new("s.json"), &again, &catalogue()).unwrap(),
        suite
    );
}

#[test]
fn every_complaint_comes_at_once() {
    check(
        "\
nmae: demo
summary: 12
requires:
  cuda: 12.10
  platform: [linux-x86]
  driver: \"535\"
limits: { time-s: soon, retries: 11 }
cases:
  - name: One
    check: { kernle: { name: launch-canary } }
  - name: two
    check: { kernel: { name: wrap-shuffle } }
  - name: two
    check: {}
",
        &[
            "s.yaml:1:1: unknown key `nmae`, expected one of `applies-to`, `cases`, `limits`, `name`, `package`, `requires`, `summary` [did you mean `name`?]",
            "s.yaml:1:1: `name` is missing",
            "s.yaml:2:10: expected text, found the number `12` [write it in quotes: \"12\"]",
            "s.yaml:4:9: expected a toolkit version such as \"12.4\", found the number `12.10` [write it in quotes: \"12.10\"]",
            "s.yaml:5:14: `linux-x86` is not one of `linux-x86_64`, `linux-sbsa`, `linux-aarch64`, `linux-ppc64le` [did you mean `linux-x86_64`?]",
            "s.yaml:6:11: `535` is not a driver version such as \"580.95.05\"",
            "s.yaml:7:19: expected a whole number, found `soon`",
            "s.yaml:7:34: `11` is out of range: 0 to 10",
            "s.yaml:9:11: `One` is not a name of lower-case letters, digits, and hyphens, unique in its suite",
            "s.yaml:10:14: unknown key `kernle`, expected one of `kernel`, `library`, `linkage`, `tester` [did you mean `kernel`?]",
            "s.yaml:12:30: there is no kernel `wrap-shuffle` [did you mean `warp-shuffle`?]",
            "s.yaml:13:11: two cases are named `two`, the first at line 11 [rename one of them]",
            "s.yaml:14:12: expected exactly one of `kernel`, `library`, `linkage`, `tester`, found 0",
        ],
    );
}

#[test]
fn a_library_check_fits_its_stage() {
    let case =
        |check: &str| format!("{HEAD}cases:\n  - name: one\n    check: {{ library: {check} }}\n");
    let place = |check: &str| format!("s.yaml:{}:", case(check).lines().count());
    for (given, expected) in [
        ("{ name: cublas, stage: cold }", None),
        (
            "{ name: cublsa, stage: cold }",
            Some("`cublsa` is not one of `cudart`"),
        ),
        (
            "{ name: cublas, stage: clod }",
            Some("`clod` is not one of `cold`"),
        ),
        (
            "{ name: cublas, stage: cold, test: x }",
            Some("the stage `cold` runs no test"),
        ),
        (
            "{ name: cublas, stage: numeric }",
            Some("the stage `numeric` needs a test"),
        ),
        (
            "{ name: cublas, stage: numeric, test: x }",
            Some("`cublas` has no test `x`"),
        ),
        (
            "{ name: cublas, stage: cold, least: jit }",
            Some("the stage `cold` finds no coverage"),
        ),
        (
            "{ name: nvrtc, stage: numeric, test: ptx, least: jit }",
            Some("the stage `numeric` finds no coverage"),
        ),
        (
            "{ name: nccl, stage: cold, devices: all }",
            Some("the stage `cold` is made on no device"),
        ),
        (
            "{ name: nccl, stage: numeric, test: broadcast, devices: all }",
            None,
        ),
        (
            "{ name: cublas, stage: cold, environment: { A: 1 } }",
            Some("expected text, found the number `1`"),
        ),
        (
            "{ name: cublas, stage: cold, environment: { A: x, A: y } }",
            Some("`A` is given twice"),
        ),
    ] {
        let read = read(Path::new("s.yaml"), &case(given), &catalogue());
        let told = read.err().map(|complaints| complaints[0].to_string());
        match (told, expected) {
            (None, None) => {}
            (Some(told), Some(expected)) => {
                assert!(
                    told.starts_with(&place(given)) && told.contains(expected),
                    "{given}: {told}"
                );
            }
            (told, _) => panic!("{given}: {told:?}"),
        }
    }
}

#[test]
fn duplicate_keys_are_refused_with_both_places() {
    check_middle(
        "limits: { retries: 1 }\nlimits: { retries: 2 }\n",
        &["s.yaml:4:1: `limits` is given twice, first at line 3 [take one of them out]"],
    );
}

#[test]
fn a_known_failure_needs_its_reason() {
    check(
        &format!("{HEAD}{CASES}    expected-failure: {{}}\n"),
        &["s.yaml:6:23: `because` is missing"],
    );
}

#[test]
fn bounds_must_be_in_order() {
    check_middle(
        "requires: { compute-capability: { min: \"9.0\", max: \"8.0\" } }\n",
        &["s.yaml:3:33: `min` 9.0 is above `max` 8.0"],
    );
}

#[test]
fn emptiness_is_refused() {
    check("", &["s.yaml:1:1: expected a mapping, found nothing"]);
    check_middle(
        "requires:\n",
        &["s.yaml:3:9: expected a mapping, found nothing"],
    );
    check(
        &format!("{HEAD}cases: []\n"),
        &["s.yaml:3:8: the list is empty"],
    );
}

/// Refused, and with a place or a size in the message; how fast is the whole-program tests' business.
#[track_caller]
fn check_refused(text: &str) {
    let complaints = read(Path::new("s.yaml"), text, &catalogue()).unwrap_err();
    assert_eq!(complaints.len(), 1, "{complaints:?}");
}

#[test]
fn hostile_files_are_refused() {
    check_refused(&"[".repeat(20_000));
    check_refused(&"a: ".repeat(20_000));
    check_refused(&" ".repeat(usize::try_from(MAX_SUITE_BYTES).unwrap() + 1));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = level - 1;
        let aliases = vec![format!("*a{before}"); 9].join(", ");
        bomb += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    check_refused(&bomb);
    check_refused("name: \"unterminated\ncases: [");
    check_refused("%YAML 9.9\n--- {");
    check_refused("--- {}\n--- {}\n");
}

#[test]
fn every_pattern_and_construct_of_the_schema_is_understood() {
    fn walk(value: &serde_json::Value, patterns: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(map) => {
                if let Some(pattern) = map.get("pattern").and_then(serde_json::Value::as_str) {
                    patterns.push(pattern.to_owned());
                }
                for construct in [
                    "allOf",
                    "not",
                    "if",
                    "patternProperties",
                    "prefixItems",
                    "format",
                ] {
                    let format = map.get(construct).and_then(serde_json::Value::as_str);
                    // An object of this name is a property that our own types call so.
                    let harmless =
                        format.map_or(construct == "format", |it| it.starts_with("uint"));
                    assert!(
                        !map.contains_key(construct) || harmless,
                        "`{construct}` is not validated: {value}"
                    );
                }
                map.values().for_each(|value| walk(value, patterns));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|value| walk(value, patterns)),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::String(_) => {}
        }
    }
    let mut patterns = Vec::new();
    walk(&json_schema(), &mut patterns);
    assert!(patterns.len() >= 5);
    for pattern in patterns {
        // Does not reach the `unreachable!` for a pattern without a rule.
        let _ = super::validate::matches(&pattern, "x");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in ".*") {
        let _ = read(Path::new("s.yaml"), &text, &catalogue());
    }

    #[test]
    fn no_damage_to_a_suite_panics(position in 0usize..200, byte in 0u8..128) {
        let mut bytes = format!("{HEAD}{CASES}").into_bytes();
        let position = position % bytes.len();
        bytes[position] = byte;
        if let Ok(text) = String::from_utf8(bytes) {
            let _ = read(Path::new("s.yaml"), &text, &catalogue());
        }
    }
}
