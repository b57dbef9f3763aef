//! What is wrong with a suite file, where, and which words would be right.

use std::fmt;
use std::path::PathBuf;

/// One complaint about one place of one file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Complaint {
    /// The file as the user named it.
    pub file: PathBuf,
    /// Line and column, from 1; none if the file could not be read at all.
    pub place: Option<(u64, u64)>,
    /// What is wrong, with the offending word in backticks.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl fmt::Display for Complaint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(formatter, ":{line}:{column}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

/// The word that was probably meant, if one is near enough.
pub fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = words
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate));
    let (best, candidate) = scored.min_by_key(|(distance, _)| *distance)?;
    (best * 3 <= word.len().max(3)).then_some(candidate)
}

/// Levenshtein's distance, on the first 64 characters of each word.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
