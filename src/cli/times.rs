//! Points in time as commands show and take them: RFC 3339 in UTC for programs, short and in the
//! desk's own time zone for people.

use anyhow::Result;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::exit::{Exit, failure};
use super::{Format, Globals};
use crate::config::{Duration, Settings, Start};

/// How this run shows and reads times.
pub(super) struct Times {
    format: Format,
    zone: TimeZone,
}

impl Times {
    pub(super) fn new(globals: &Globals, settings: &Settings) -> Times {
        // The zone was checked when the configuration was read.
        let zone = TimeZone::get(&settings.outbox.timezone).unwrap_or(TimeZone::UTC);
        Times { format: globals.format(), zone }
    }

    /// A time as a row shows it.
    pub(super) fn value(&self, at: Timestamp) -> Value {
        Value::from(match self.format {
            Format::Table => self.short(at),
            Format::Csv | Format::Json | Format::Jsonl => at.to_string(),
        })
    }

    /// A time that may be none.
    pub(super) fn value_of(&self, at: Option<Timestamp>) -> Value {
        at.map_or(Value::Null, |at| self.value(at))
    }

    /// A time for people, to the minute.
    pub(super) fn short(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// A time for people, to the second.
    pub(super) fn exact(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Reads `--since`: so long before `now`, or a date, or a date and time.
    pub(super) fn since(&self, written: &str, now: Timestamp) -> Result<Timestamp> {
        if let Ok(Duration(length)) = Duration::parse(written) {
            return Ok(now.saturating_sub(length).unwrap_or(Timestamp::MIN));
        }
        let local = match Start::parse(written) {
            Ok(Start::Timestamp(at)) => return Ok(at),
            Ok(Start::Date(date)) => Some(date.at(0, 0, 0, 0)),
            Ok(Start::Local(local)) => Some(local),
            Ok(Start::All | Start::Now | Start::Unseen) | Err(_) => None,
        };
        local.and_then(|local| self.zone.to_timestamp(local).ok()).ok_or_else(|| {
            failure(
                Exit::Usage,
                format!(
                    "`{written}` is no time\nhint: write a duration such as `2h` or `30d`, a date such as `2026-01-31`, or a date and time such as `2026-01-31T08:00`"
                ),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(zone: &str, format: Format) -> Times {
        Times { format, zone: TimeZone::get(zone).expect("a known zone") }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn people_see_the_time_of_the_desk_and_programs_see_utc() {
        let noon = at("2026-07-01T12:00:00.5Z");
        assert_eq!(times("Europe/Paris", Format::Table).value(noon), "2026-07-01 14:00");
        assert_eq!(times("Europe/Paris", Format::Json).value(noon), "2026-07-01T12:00:00.5Z");
    }

    #[test]
    fn since_is_a_duration_or_a_time_of_the_desk() {
        let paris = times("Europe/Paris", Format::Table);
        let now = at("2026-07-01T12:00:00Z");
        for (written, meant) in [
            ("2h", "2026-07-01T10:00:00Z"),
            ("30d", "2026-06-01T12:00:00Z"),
            ("2026-06-01", "2026-05-31T22:00:00Z"),
            ("2026-06-01T08:00", "2026-06-01T06:00:00Z"),
            ("2026-06-01T08:00:00Z", "2026-06-01T08:00:00Z"),
        ] {
            assert_eq!(paris.since(written, now).expect("a time"), at(meant), "{written}");
        }
        for written in ["", "5", "yesterday", "now", "unseen", "all", "2026-13-01"] {
            assert!(paris.since(written, now).is_err(), "{written}");
        }
    }
}
