//! Reads what MAGMA's `testing_*` programs print: a table, whose lines end in `ok` or `failed`.
//!
//! Lines that begin with `%` are headings. The heading over a line says what the sizes at its beginning
//! are called: `M=128 N=1024 K=128`. Some programs print sentences below a line, which then are results of
//! that size; some print one verdict for numbers, one for NaN, and one for infinities.

use cudacheck_model::event::PartOutcome;

use super::Collector;

/// What MAGMA's own runner of these programs counts as an error, whatever else they say.
const ERRORS: [&str; 4] = [
    "CUDA runtime error",
    "memory mapping error",
    "illegal value",
    "memory leak",
];

/// Adds every line with a verdict.
pub(super) fn read(printed: &str, collector: &mut Collector) {
    let mut columns: Vec<String> = Vec::new();
    let mut sizes = String::new();
    for line in printed.lines() {
        if let Some(heading) = line.trim_start().strip_prefix('%') {
            let found = names(heading);
            if !found.is_empty() {
                columns = found;
            }
            continue;
        }
        let row = row(line, &columns);
        if let Some(row) = &row {
            sizes.clone_from(row);
        }
        let Some((verdict, rest)) = verdict(line) else {
            if ERRORS.iter().any(|error| line.contains(error)) {
                collector.doubt(format!("it printed: {}", line.trim()));
            }
            continue;
        };
        let name = match row {
            Some(row) => row,
            None => [sizes.as_str(), sentence(rest).as_str()]
                .iter()
                .filter(|part| !part.is_empty())
                .copied()
                .collect::<Vec<_>>()
                .join(": "),
        };
        let outcome = match verdict {
            Verdict::Ok => PartOutcome::Pass,
            Verdict::Failed => PartOutcome::Fail {
                message: line.split_whitespace().collect::<Vec<_>>().join(" "),
            },
        };
        let output = format!("%{}\n{line}", columns.join(" "));
        collector.take(&name, outcome, &output, None);
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Ok,
    Failed,
}

/// The verdict at the end of a line, and what stands before it. Any of several that failed fails it.
fn verdict(line: &str) -> Option<(Verdict, &str)> {
    let mut rest = line.trim_end();
    let mut found = None;
    loop {
        // An asterisk says that LAPACK itself gets it wrong.
        rest = rest.trim_end_matches('*').trim_end();
        let (before, word) = rest.rsplit_once(char::is_whitespace).unwrap_or(("", rest));
        match word {
            "ok" => found = found.or(Some(Verdict::Ok)),
            "failed" => found = Some(Verdict::Failed),
            _ => break,
        }
        rest = before.trim_end();
        if rest.is_empty() {
            break;
        }
    }
    // A line that is the verdict alone belongs to a summary.
    let found = found.filter(|_| !rest.is_empty())?;
    Some((found, rest))
}

/// The sizes at the beginning of a line of the table.
fn row(line: &str, columns: &[String]) -> Option<String> {
    let words: Vec<&str> = line
        .split_whitespace()
        .take_while(|word| is_size(word))
        .take(columns.len().max(1))
        .collect();
    if !words.iter().any(|word| word.parse::<u64>().is_ok()) {
        return None;
    }
    let named = words.iter().enumerate().map(|(index, word)| {
        let column = columns.get(index).map_or("size", String::as_str);
        format!("{column}={word}")
    });
    Some(named.collect::<Vec<_>>().join(" "))
}

/// A number, or a letter that stands for an option such as `L`.
fn is_size(word: &str) -> bool {
    let number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let letter = word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    number || letter
}

/// The columns of a heading that stand for sizes: the words before the first that is followed by a unit or
/// is a measure.
fn names(heading: &str) -> Vec<String> {
    let measures = [
        "MAGMA", "CPU", "GPU", "CUBLAS", "cuBLAS", "hipBLAS", "||", "|",
    ];
    let words = heading.split_whitespace();
    let sizes = words.take_while(|word| {
        let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain && !measures.contains(word) && !word.is_empty()
    });
    let sizes: Vec<String> = sizes.map(str::to_owned).collect();
    let has_more = heading.split_whitespace().count() > sizes.len();
    let looks = sizes
        .iter()
        .any(|word| matches!(word.as_str(), "M" | "N" | "K" | "n" | "m"));
    if has_more && looks && sizes.len() <= 8 {
        sizes
    } else {
        Vec::new()
    }
}

/// A sentence without its numbers, so that it is the same in every run.
fn sentence(text: &str) -> String {
    let text = text.rsplit_once('=').map_or(text, |(before, after)| {
        let number = after.trim().parse::<f64>().is_ok();
        if number { before } else { text }
    });
    let words = text.split_whitespace();
    let steady = words.filter(|word| !word.contains('.') || word.parse::<f64>().is_err());
    steady.collect::<Vec<_>>().join(" ")
}
