//! Which of a tester's results count: its suite's include and exclude lists, and what it must contain.

use cudacheck_model::event::{Part, PartOutcome};
use cudacheck_model::suite::{ExpectedResults, Selection, TesterCheck, TesterFormat};

/// What became of the results.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Selected {
    /// Results that failed and do not count.
    pub(super) forgiven: usize,
    /// Entries of the lists that fit no result, as sentences.
    pub(super) idle: Vec<String>,
}

/// Turns results that do not count into skips that say why.
pub(super) fn select(check: &TesterCheck, parts: &mut Vec<Part>) -> Selected {
    let mut selected = Selected::default();
    let handed_over = filter(check).is_some();
    let mut used = vec![false; check.exclude.len()];
    for part in parts.iter_mut() {
        let mut because = None;
        let included = check
            .include
            .iter()
            .any(|entry| fits(&entry.name, &part.name));
        if !check.include.is_empty() && !included {
            because = Some("the suite does not include it".to_owned());
        }
        for (entry, used) in check.exclude.iter().zip(&mut used) {
            if fits(&entry.name, &part.name) {
                *used = true;
                because = Some(format!("excluded: {}", entry.because));
            }
        }
        if let Some(because) = because {
            selected.forgiven += usize::from(matches!(part.outcome, PartOutcome::Fail { .. }));
            part.outcome = PartOutcome::Skip { because };
            part.output.clear();
        }
    }
    for (entry, used) in check.exclude.iter().zip(used) {
        match (used, handed_over) {
            (true, _) => {}
            // The tester has left them out by itself. They are not to vanish from the report for it.
            (false, true) => parts.push(Part {
                name: entry.name.clone(),
                outcome: PartOutcome::Skip {
                    because: format!("excluded: {}", entry.because),
                },
                duration_ms: None,
                output: String::new(),
            }),
            (false, false) => {
                let sentence = format!("`{}` of `exclude` fits no result", entry.name);
                selected.idle.push(sentence);
            }
        }
    }
    selected
}

/// What must be there and is not, as sentences.
pub(super) fn missing(expected: Option<&ExpectedResults>, parts: &[Part]) -> Vec<String> {
    let Some(expected) = expected else {
        return Vec::new();
    };
    let ran = |part: &&Part| !matches!(part.outcome, PartOutcome::Skip { .. });
    let mut missing: Vec<String> = expected
        .names
        .iter()
        .filter(|name| !parts.iter().filter(ran).any(|part| fits(name, &part.name)))
        .map(|name| format!("no result is named `{name}`"))
        .collect();
    let count = parts.iter().filter(ran).count();
    if let Some(least) = expected.at_least
        && u32::try_from(count).is_ok_and(|count| count < least)
    {
        missing.push(format!("{count} were run, at least {least} must be"));
    }
    missing
}

/// The lists in GoogleTest's own words, so that it need not run what does not count. None if there are no
/// lists, the format has no such words, or a name cannot be written in them.
pub(super) fn filter(check: &TesterCheck) -> Option<String> {
    let lists = [&check.include, &check.exclude];
    let given = lists.iter().any(|list| !list.is_empty());
    let plain = |entry: &Selection| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_/.*?".contains(&byte);
        entry.name.bytes().all(allowed)
    };
    let writable = lists.iter().all(|list| list.iter().all(plain));
    if check.format != TesterFormat::Gtest || !given || !writable {
        return None;
    }
    let words = |list: &[Selection]| patterns(list).join(":");
    let include = match check.include.as_slice() {
        [] => "*".to_owned(),
        list => words(list),
    };
    let exclude = match check.exclude.as_slice() {
        [] => String::new(),
        list => format!("-{}", words(list)),
    };
    Some(include + &exclude)
}

/// A list as patterns of whole names.
pub(super) fn patterns(list: &[Selection]) -> Vec<String> {
    let words = list.iter().map(|entry| {
        if is_pattern(&entry.name) {
            entry.name.clone()
        } else {
            format!("*{}*", entry.name)
        }
    });
    words.collect()
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// Whether a name has this part, or is as this pattern says.
fn fits(pattern: &str, name: &str) -> bool {
    if !is_pattern(pattern) {
        return name.contains(pattern);
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // The last asterisk and where it began to fit: to try again from there is all the memory this needs.
    let (mut p, mut n) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                again = Some((p, n));
                p += 1;
            }
            Some('?') => {
                p += 1;
                n += 1;
            }
            Some(wanted) if *wanted == name[n] => {
                p += 1;
                n += 1;
            }
            Some(_) | None => match &mut again {
                Some((star, from)) => {
                    *from += 1;
                    (p, n) = (*star + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_fit(pattern: &str, name: &str, expected: bool) {
        assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
    }

    #[test]
    fn names_fit_by_a_part_or_as_a_whole() {
        check_fit("Add", "ARITHM/Add.x/0", true);
        check_fit("add", "ARITHM/Add.x/0", false);
        check_fit("Add*", "ARITHM/Add.x/0", false);
        check_fit("*Add*", "ARITHM/Add.x/0", true);
        check_fit("*Add.?/0", "ARITHM/Add.x/0", true);
        check_fit("*.x/?", "ARITHM/Add.x/00", false);
        check_fit("**0", "ARITHM/Add.x/00", true);
        check_fit("?", "", false);
        check_fit("*", "", true);
        check_fit("a*b*c", "aXbXbXc", true);
    }

    fn tester(format: &str, include: &[&str], exclude: &[&str]) -> TesterCheck {
        let list = |names: &[&str]| {
            let entry = |name: &&str| serde_json::json!({"name": name, "because": "it is so"});
            names.iter().map(entry).collect::<Vec<_>>()
        };
        let value = serde_json::json!({
            "program": "x", "format": format, "include": list(include), "exclude": list(exclude),
        });
        serde_json::from_value(value).unwrap()
    }

    #[track_caller]
    fn check_filter(include: &[&str], exclude: &[&str], expected: Option<&str>) {
        assert_eq!(
            filter(&tester("gtest", include, exclude)).as_deref(),
            expected
        );
    }

    #[test]
    fn googletest_is_told_in_its_own_words() {
        check_filter(&[], &[], None);
        check_filter(&["Add", "A.*"], &[], Some("*Add*:A.*"));
        check_filter(&[], &["Add"], Some("*-*Add*"));
        check_filter(&["A"], &["B", "C?"], Some("*A*-*B*:C?"));
        check_filter(&["a-b"], &[], None);
        check_filter(&["a:b"], &[], None);
        assert_eq!(filter(&tester("tap", &["a"], &[])), None);
    }

    fn part(name: &str, outcome: PartOutcome) -> Part {
        Part {
            name: name.to_owned(),
            outcome,
            duration_ms: None,
            output: String::new(),
        }
    }

    fn failed() -> PartOutcome {
        PartOutcome::Fail {
            message: "wrong".to_owned(),
        }
    }

    #[track_caller]
    fn check(tester: &TesterCheck, expected: &[&str]) {
        let mut parts = vec![
            part("a", PartOutcome::Pass),
            part("b", failed()),
            part("c", failed()),
        ];
        let selected = select(tester, &mut parts);
        let mut lines: Vec<String> = parts
            .iter()
            .map(|part| match &part.outcome {
                PartOutcome::Pass => format!("pass {}", part.name),
                PartOutcome::Fail { .. } => format!("fail {}", part.name),
                PartOutcome::Skip { because } => format!("skip {}: {because}", part.name),
            })
            .collect();
        lines.push(format!("{} forgiven", selected.forgiven));
        lines.extend(selected.idle);
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_does_not_count_is_a_skip_with_its_reason() {
        check(
            &tester("tap", &[], &["b", "z"]),
            &[
                "pass a",
                "skip b: excluded: it is so",
                "fail c",
                "1 forgiven",
                "`z` of `exclude` fits no result",
            ],
        );
        check(
            &tester("gtest", &["a", "b"], &["z"]),
            &[
                "pass a",
                "fail b",
                "skip c: the suite does not include it",
                "skip z: excluded: it is so",
                "1 forgiven",
            ],
        );
    }

    #[test]
    fn what_must_be_there_must_have_run() {
        let parts = [
            part("a", PartOutcome::Pass),
            part("b", failed()),
            part(
                "c",
                PartOutcome::Skip {
                    because: String::new(),
                },
            ),
        ];
        let expected = ExpectedResults {
            names: vec!["a".to_owned(), "b*".to_owned(), "c".to_owned()],
            at_least: Some(3),
        };
        assert_eq!(
            missing(Some(&expected), &parts),
            ["no result is named `c`", "2 were run, at least 3 must be"]
        );
        assert_eq!(missing(None, &parts), Vec::<String>::new());
    }
}
