//! Where a new mailbox begins.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::Misread;

/// Where a new mailbox begins, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    All,
    /// Midnight in `timezone`.
    Date(Date),
    /// A time of day in `timezone`.
    Local(DateTime),
    Now,
    /// With an offset of its own.
    Timestamp(Timestamp),
    Unseen,
}

impl Start {
    /// Reads `now`, `unseen`, `all`, a date or a date-time.
    pub fn parse(text: &str) -> Result<Start, Misread> {
        match text {
            "all" => return Ok(Start::All),
            "now" => return Ok(Start::Now),
            "unseen" => return Ok(Start::Unseen),
            // Four digits of a year that mail can come from: at the ends of the calendar a time zone
            // leads out of it.
            _ if text.starts_with("19") || text.starts_with("20") => {}
            _ => return Err(Start::misread(text)),
        }
        // A date-time must not pass for its date.
        if text.len() == 10
            && let Ok(date) = text.parse::<Date>()
        {
            return Ok(Start::Date(date));
        }
        if let Ok(timestamp) = text.parse::<Timestamp>() {
            return Ok(Start::Timestamp(timestamp));
        }
        if text.len() > 10
            && let Ok(local) = text.parse::<DateTime>()
        {
            return Ok(Start::Local(local));
        }
        Err(Start::misread(text))
    }

    fn misread(text: &str) -> Misread {
        Misread::new(
            format!("`{text}` is no place to start"),
            "write `\"now\"`, `\"unseen\"`, `\"all\"`, a date as `\"2026-01-31\"` \
             or a date-time as `\"2026-01-31T08:00:00Z\"`",
        )
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Start::All => f.write_str("all"),
            Start::Date(date) => date.fmt(f),
            Start::Local(local) => local.fmt(f),
            Start::Now => f.write_str("now"),
            Start::Timestamp(timestamp) => timestamp.fmt(f),
            Start::Unseen => f.write_str("unseen"),
        }
    }
}
