//! Testers: programs of a package that test it, and print results of their own.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A program that tests the package, and how to read what it says.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TesterCheck {
    /// A path below the package (`bin/opencv_test_core`), a name in its `bin`, or an absolute path.
    #[schemars(length(min = 1, max = 500))]
    pub program: String,
    /// What it is given; `{results}`, `{script}`, `{package}`, `{tmp}`, and `{find:bin/NAME}` become paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub arguments: Vec<String>,
    /// How its results are read.
    pub format: TesterFormat,
    /// Files beside the suite that are put into the tester's directory; the first is `{script}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub scripts: Vec<String>,
    /// Variables over the few that every worker has; the placeholders of `arguments` are known here as well.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Which results count; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub include: Vec<Selection>,
    /// Which results do not count: they are reported as skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub exclude: Vec<Selection>,
    /// What must be among the results, so that a tester that runs nothing is not green.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<ExpectedResults>,
    /// Whether it is run once for each device, which it then sees alone; `true` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_device: Option<bool>,
}

/// How a tester says what it found.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TesterFormat {
    /// GoogleTest's XML in `{results}`, and its lines on stdout where the XML is missing.
    Gtest,
    /// JUnit XML in `{results}`, as pytest and others write it.
    Junit,
    /// The Test Anything Protocol on stdout, versions 12 to 14.
    Tap,
    /// Lines that end in `ok` or `failed`, as MAGMA's `testing_*` print them.
    Magma,
    /// Nothing but the exit code: 0 is a pass, 77 a skip.
    ExitCode,
}

/// Results by their names, and why they are singled out.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Selection {
    /// A part of the name, or a pattern of the whole name with `*` and `?`.
    #[schemars(length(min = 1, max = 500))]
    pub name: String,
    /// The reason, best with a link.
    #[schemars(length(min = 10, max = 1000))]
    pub because: String,
}

/// What must be among a tester's results.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExpectedResults {
    /// Names or patterns, each of which at least one result must have that was not skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10000))]
    pub names: Vec<String>,
    /// The lowest number of results that were not skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub at_least: Option<u32>,
}

/// What begins a placeholder for a file of the package.
pub const FIND: &str = "{find:";

impl TesterCheck {
    /// Whether it is run once for each device.
    pub fn needs_device(&self) -> bool {
        self.per_device.unwrap_or(true)
    }

    /// Whether it cannot be run without the files of a package.
    pub fn needs_package(&self) -> bool {
        let asks = |text: &&String| text.contains("{package}") || text.contains(FIND);
        let values = self.environment.values();
        !self.program.starts_with('/') || self.arguments.iter().chain(values).any(|it| asks(&it))
    }

    /// The file of the package without which it is skipped, below the package; none if it needs none.
    pub fn needed_file(&self) -> Option<String> {
        if !self.program.starts_with('/') {
            let bare = !self.program.contains('/');
            let folder = if bare { "bin/" } else { "" };
            return Some(format!("{folder}{}", self.program));
        }
        let mut texts = self.arguments.iter().chain(self.environment.values());
        texts.find_map(|text| {
            let (_, rest) = text.split_once(FIND)?;
            Some(rest.split('}').next()?.to_owned())
        })
    }

    /// What is wrong with it that no schema can say, as sentences.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let texts = || self.arguments.iter().chain(self.environment.values());
        for text in texts() {
            for placeholder in unknown_placeholders(text) {
                complaints.push(format!("`{placeholder}` is no placeholder"));
            }
        }
        let script = texts().any(|text| text.contains("{script}"));
        if !self.scripts.is_empty() && !script {
            complaints.push("`scripts` are given, but no argument has `{script}`".to_owned());
        }
        if self.scripts.is_empty() && script {
            complaints
                .push("`{script}` stands for the first of `scripts`, and there is none".to_owned());
        }
        for path in self
            .scripts
            .iter()
            .filter(|path| path.is_empty() || outside(path))
        {
            complaints.push(format!("`{path}` of `scripts` is no path beside the suite"));
        }
        let name = |path: &String| path.rsplit('/').next().map(str::to_owned);
        let mut names: Vec<_> = self.scripts.iter().filter_map(name).collect();
        names.sort();
        names.dedup();
        if names.len() < self.scripts.len() {
            complaints.push("two of `scripts` would be one file".to_owned());
        }
        if self.format == TesterFormat::Junit && !texts().any(|text| text.contains("{results}")) {
            complaints.push(
                "the format `junit` is read from `{results}`, which no argument names".to_owned(),
            );
        }
        for name in self.environment.keys() {
            if name.is_empty() || name.contains(['=', '\0']) {
                complaints.push(format!("`{name}` is no name of a variable"));
            }
        }
        let lists = self.include.len() + self.exclude.len() + usize::from(self.expected.is_some());
        if self.format == TesterFormat::ExitCode && lists > 0 {
            complaints
                .push("an exit code has no results to include, exclude, or expect".to_owned());
        }
        let nothing =
            |expected: &ExpectedResults| expected.names.is_empty() && expected.at_least.is_none();
        if self.expected.as_ref().is_some_and(nothing) {
            complaints.push("`expected` names nothing: give `names` or `at-least`".to_owned());
        }
        complaints
    }
}

fn outside(path: &str) -> bool {
    path.starts_with('/') || path.split('/').any(|part| part == "..")
}

/// Words in braces that are none of ours. Braces around anything else are text.
fn unknown_placeholders(text: &str) -> Vec<&str> {
    let known = |word: &str| {
        let find = word
            .strip_prefix("{find:")
            .and_then(|rest| rest.strip_suffix('}'));
        matches!(word, "{results}" | "{script}" | "{package}" | "{tmp}")
            || find.is_some_and(|path| !path.is_empty() && !outside(path))
    };
    let mut unknown = Vec::new();
    for (start, _) in text.match_indices('{') {
        let rest = &text[start..];
        let Some(end) = rest.find('}') else { break };
        let word = &rest[..=end];
        let inner = &word[1..end];
        let looks = inner.starts_with("find:")
            || (!inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_lowercase()));
        if looks && !known(word) {
            unknown.push(word);
        }
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &[&str]) {
        let check: TesterCheck = serde_json::from_str(json).unwrap();
        assert_eq!(check.complaints(), expected);
    }

    #[test]
    fn what_no_schema_says_is_said() {
        check(r#"{"program": "a", "format": "gtest"}"#, &[]);
        check(
            r#"{"program": "a", "format": "tap", "scripts": ["x.py"], "arguments": ["{script}", "{1}", "{a b}"]}"#,
            &[],
        );
        check(
            r#"{"program": "a", "format": "tap", "arguments": ["{script}", "--out={result}", "{find:../x}"]}"#,
            &[
                "`{result}` is no placeholder",
                "`{find:../x}` is no placeholder",
                "`{script}` stands for the first of `scripts`, and there is none",
            ],
        );
        check(
            r#"{"program": "a", "format": "junit", "scripts": ["/etc/x"], "expected": {},
                "environment": {"A=": ""}}"#,
            &[
                "`scripts` are given, but no argument has `{script}`",
                "`/etc/x` of `scripts` is no path beside the suite",
                "the format `junit` is read from `{results}`, which no argument names",
                "`A=` is no name of a variable",
                "`expected` names nothing: give `names` or `at-least`",
            ],
        );
    }

    #[test]
    fn scripts_lie_side_by_side() {
        check(
            r#"{"program": "a", "format": "tap", "scripts": ["a/x.py", "b/x.py"], "arguments": ["{script}"]}"#,
            &["two of `scripts` would be one file"],
        );
    }

    #[test]
    fn an_exit_code_has_no_results() {
        check(
            r#"{"program": "a", "format": "exit-code", "expected": {"at-least": 1}}"#,
            &["an exit code has no results to include, exclude, or expect"],
        );
    }

    #[track_caller]
    fn check_file(json: &str, expected: Option<&str>) {
        let check: TesterCheck = serde_json::from_str(json).unwrap();
        assert_eq!(check.needed_file().as_deref(), expected);
    }

    #[test]
    fn the_file_that_a_tester_stands_on_is_named() {
        check_file(r#"{"program": "t", "format": "tap"}"#, Some("bin/t"));
        check_file(
            r#"{"program": "libexec/t", "format": "tap"}"#,
            Some("libexec/t"),
        );
        check_file(r#"{"program": "/bin/sh", "format": "tap"}"#, None);
        check_file(
            r#"{"program": "/bin/sh", "format": "tap", "arguments": ["-x", "a={find:bin/ffmpeg},b"]}"#,
            Some("bin/ffmpeg"),
        );
    }

    #[test]
    fn an_absolute_program_may_need_no_package() {
        let needs = |json: &str| {
            serde_json::from_str::<TesterCheck>(json)
                .unwrap()
                .needs_package()
        };
        assert!(needs(r#"{"program": "x", "format": "tap"}"#));
        assert!(!needs(r#"{"program": "/x", "format": "tap"}"#));
        assert!(needs(
            r#"{"program": "/x", "format": "tap", "arguments": ["{find:bin/y}"]}"#
        ));
        assert!(needs(
            r#"{"program": "/x", "format": "tap", "environment": {"A": "{package}"}}"#
        ));
    }
}
