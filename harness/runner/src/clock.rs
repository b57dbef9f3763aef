//! Times as reports write them.

use std::time::Duration;

use time::OffsetDateTime;
use time::macros::format_description;

/// Now, by RFC 3339, in UTC and with milliseconds.
pub(crate) fn now() -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::now_utc()
        .format(format)
        .expect("a date in UTC has all parts that the format asks for")
}

/// Whole milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        let text = now();
        let parsed = OffsetDateTime::parse(&text, &time::format_description::well_known::Rfc3339);
        assert!(parsed.is_ok(), "{text}");
        assert_eq!(text.len(), "2026-11-21T19:12:00.123Z".len());
    }
}
