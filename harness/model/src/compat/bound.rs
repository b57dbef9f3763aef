//! What is known of a number that nobody may know exactly, because a driver or a toolkit is newer than the tables.
//!
//! A bound still decides most questions: a driver newer than every known one runs whatever the newest known one runs.

use std::fmt;

use serde::Serialize;

/// A value that lies between two others, both included; a missing side is not known.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Bound<T> {
    /// The lowest that it can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<T>,
    /// The highest that it can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<T>,
}

/// The answer to a comparison with something that is known by bounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Known {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// The bounds do not tell.
    Maybe,
}

impl<T: Copy + Ord> Bound<T> {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        at_least: None,
        at_most: None,
    };

    /// Exactly this.
    pub const fn exactly(value: T) -> Self {
        Self {
            at_least: Some(value),
            at_most: Some(value),
        }
    }

    /// The value, if it is known exactly.
    pub fn exact(self) -> Option<T> {
        self.at_least.filter(|_| self.at_least == self.at_most)
    }

    /// Whether this is at least as high as the other.
    pub fn reaches(self, other: Self) -> Known {
        let yes =
            matches!((self.at_least, other.at_most), (Some(has), Some(needs)) if has >= needs);
        let no = matches!((self.at_most, other.at_least), (Some(has), Some(needs)) if has < needs);
        match (yes, no) {
            (true, _) => Known::Yes,
            (false, true) => Known::No,
            (false, false) => Known::Maybe,
        }
    }

    /// The same of a part of the value: `12` of `12.4`.
    pub fn map<U>(self, part: impl Fn(T) -> U) -> Bound<U> {
        Bound {
            at_least: self.at_least.map(&part),
            at_most: self.at_most.map(&part),
        }
    }
}

impl<T: Copy + Ord + fmt::Display> fmt::Display for Bound<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.at_least, self.at_most) {
            (Some(low), Some(high)) if low == high => low.fmt(formatter),
            (Some(low), Some(high)) => write!(formatter, "{low} to {high}"),
            (Some(low), None) => write!(formatter, "{low} or newer"),
            (None, Some(high)) => write!(formatter, "{high} or older"),
            (None, None) => formatter.write_str("of unknown version"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(has: (Option<u32>, Option<u32>), needs: (Option<u32>, Option<u32>), expected: Known) {
        let bound = |(at_least, at_most)| Bound { at_least, at_most };
        assert_eq!(bound(has).reaches(bound(needs)), expected);
    }

    #[test]
    fn bounds_decide_what_they_can() {
        check((Some(5), Some(5)), (Some(5), Some(5)), Known::Yes);
        check((Some(4), Some(4)), (Some(5), Some(5)), Known::No);
        check((Some(6), None), (Some(5), Some(5)), Known::Yes);
        check((Some(4), None), (Some(5), Some(5)), Known::Maybe);
        check((None, Some(4)), (Some(5), None), Known::No);
        check((Some(4), Some(9)), (Some(5), Some(8)), Known::Maybe);
        check((None, None), (Some(5), Some(5)), Known::Maybe);
    }
}
