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

/// Levenshtein's distance in which two swapped neighbours count once, on the first 64 characters.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().take(64).collect();
    let right: Vec<char> = right.chars().take(64).collect();
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    rows[0] = (0..=right.len()).collect();
    for i in 1..=left.len() {
        rows[i][0] = i;
        for j in 1..=right.len() {
            let substituted = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            rows[i][j] = substituted.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            let swapped =
                i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if swapped {
                rows[i][j] = rows[i][j].min(rows[i - 2][j - 2] + 1);
            }
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_only_when_it_is_near() {
        let words = ["name", "summary", "cases"];
        assert_eq!(nearest("nmae", words), Some("name"));
        assert_eq!(nearest("sumary", words), Some("summary"));
        assert_eq!(nearest("platform", words), None);
    }
}
