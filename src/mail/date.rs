//! Reads the Date field leniently (M-27). Whether it can be believed is decided in `triage`, which
//! knows when the message arrived.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::WrittenDate;
use super::headers::{Fields, without_comments};

/// The first Date that can be read, and the field as written (M-27).
pub fn read(fields: &Fields) -> WrittenDate {
    let mut written = None;
    for raw in fields.all("date") {
        let at = parse(raw);
        if at.is_some() || written.is_none() {
            written = Some(String::from_utf8_lossy(raw).into_owned());
        }
        if at.is_some() {
            return WrittenDate { at, written };
        }
    }
    WrittenDate { at: None, written }
}

/// An RFC 5322 date with what mailers make of it: two-digit years, no seconds, no weekday, names of
/// zones, dots and hyphens; also the dates of C's `asctime`, of `date`, and of ISO 8601.
fn parse(raw: &[u8]) -> Option<Timestamp> {
    let line = without_comments(raw);
    let text = std::str::from_utf8(&line).ok()?.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let mut date = Pieces::default();
    for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
        date.take(word);
    }
    date.timestamp()
}

/// What was found of a date so far.
#[derive(Default)]
struct Pieces {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    /// Hour, minute, second.
    time: Option<(i8, i8, i8)>,
    /// Seconds east of Greenwich.
    zone: Option<i32>,
}

impl Pieces {
    /// Takes what a word says; one that says nothing, as a weekday does, is skipped.
    fn take(&mut self, word: &str) {
        if let Some((date, clock)) = word.split_once(['T', 't'])
            && date.starts_with(|c: char| c.is_ascii_digit())
        {
            self.take_hyphenated(date);
            self.time = self.time.or_else(|| time(clock));
        } else if let Some(month) = month(word) {
            self.month.get_or_insert(month);
        } else if self.time.is_some()
            && let Some(zone) = zone(word)
        {
            self.zone.get_or_insert(zone);
        } else if let Some(time) = time(word) {
            self.time.get_or_insert(time);
        } else if word.contains('-') && word.starts_with(|c: char| c.is_ascii_digit()) {
            self.take_hyphenated(word);
        } else if self.time.is_some_and(|(hour, ..)| hour < 12) && word.eq_ignore_ascii_case("pm") {
            self.time = self.time.map(|(hour, minute, second)| (hour + 12, minute, second));
        } else if let Ok(number) = word.trim_end_matches('.').parse::<u16>() {
            self.take_number(word, number);
        }
    }

    /// `2026-03-02` or `02-Mar-26`.
    fn take_hyphenated(&mut self, word: &str) {
        let parts: Vec<&str> = word.split('-').collect();
        let [first, second, third] = parts[..] else { return };
        let middle = month(second).or_else(|| second.parse().ok().filter(|n| (1..=12).contains(n)));
        self.month = self.month.or(middle);
        let (day, year) = if first.len() == 4 { (third, first) } else { (first, third) };
        self.day = self.day.or_else(|| day.parse().ok());
        self.year = self.year.or_else(|| full_year(year));
    }

    /// The first short number is the day, the other one the year.
    fn take_number(&mut self, word: &str, number: u16) {
        match i8::try_from(number) {
            Ok(day) if self.day.is_none() && (1..=31).contains(&day) => self.day = Some(day),
            _ => self.year = self.year.or_else(|| full_year(word)),
        }
    }

    /// A date without a zone is taken as UTC, one without a time as midnight.
    fn timestamp(self) -> Option<Timestamp> {
        let (hour, minute, second) = self.time.unwrap_or_default();
        let (year, month, day) = (self.year?, self.month?, self.day?);
        let at = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        let zone = Offset::from_seconds(self.zone.unwrap_or_default()).ok()?;
        zone.to_timestamp(at).ok()
    }
}

/// Two digits mean the years around 2000 (RFC 5322 §4.3).
fn full_year(word: &str) -> Option<i16> {
    let year: i16 = word.parse().ok()?;
    match word.len() {
        2 if year < 50 => Some(2000 + year),
        2 | 3 => Some(1900 + year),
        4 => Some(year),
        _ => None,
    }
}

/// A month by its first three letters, or by its whole name.
fn month(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    let found = MONTHS.iter().position(|month| word.len() >= 3 && month.starts_with(&word))?;
    i8::try_from(found + 1).ok()
}

/// `10:00`, `10:00:00.000`, `10.00.00`. A leap second is the one before it.
fn time(word: &str) -> Option<(i8, i8, i8)> {
    let word = word.trim_end_matches(['Z', 'z']);
    if !word.contains(':') && word.matches('.').count() != 2 {
        return None;
    }
    let mut parts = word.split([':', '.']);
    let mut part = |limit: i8| match parts.next() {
        Some(part) => part.parse().ok().filter(|number| (0..=limit).contains(number)),
        None => Some(0),
    };
    Some((part(23)?, part(59)?, part(60)?.min(59)))
}

/// `+0100`, `+01:00`, `GMT+0100`, or a name that mailers are known to write, in seconds.
fn zone(word: &str) -> Option<i32> {
    if let Some(sign) = word.find(['+', '-']) {
        let digits: String = word[sign + 1..].chars().filter(|c| *c != ':').collect();
        let number: i32 = digits.parse().ok()?;
        let is_zone = matches!(digits.len(), 3 | 4) && number / 100 <= 14 && number % 100 < 60;
        let is_named = word[..sign].bytes().all(|byte| byte.is_ascii_alphabetic());
        let seconds = (number / 100 * 60 + number % 100) * 60;
        let signed = if word[sign..].starts_with('-') { -seconds } else { seconds };
        return (is_zone && is_named).then_some(signed);
    }
    let hours = match word.to_ascii_uppercase().as_str() {
        "AEDT" => 11,
        "AEST" => 10,
        "AKDT" | "PST" => -8,
        "AKST" => -9,
        "BST" | "CET" | "MEZ" | "WEST" => 1,
        "CDT" | "EST" => -5,
        "CEST" | "EET" | "MESZ" | "SAST" => 2,
        "CST" | "MDT" => -6,
        "EDT" => -4,
        "EEST" | "MSK" => 3,
        "GMT" | "UT" | "UTC" | "WET" | "Z" => 0,
        "HKT" | "SGT" => 8,
        "HST" => -10,
        "JST" | "KST" => 9,
        "MST" | "PDT" => -7,
        "NZDT" => 13,
        "NZST" => 12,
        _ => return None,
    };
    Some(hours * 3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_27_dates_are_read_leniently() {
        for (written, at) in [
            ("Mon, 2 Mar 2026 10:00:00 +0100", "2026-03-02T09:00:00Z"),
            ("2 Mar 2026 10:00:00 +0100", "2026-03-02T09:00:00Z"),
            ("Mon, 2 Mar 2026 10:00 +0100", "2026-03-02T09:00:00Z"),
            ("Mon, 2 Mar 26 10:00:00 +0000", "2026-03-02T10:00:00Z"),
            ("Mon, 2 Mar 98 10:00:00 +0000", "1998-03-02T10:00:00Z"),
            ("Mon, 02 Mar 2026 10:00:00 GMT", "2026-03-02T10:00:00Z"),
            ("Mon, 02 Mar 2026 10:00:00 EST", "2026-03-02T15:00:00Z"),
            ("2 Mar 26 10:00 EST", "2026-03-02T15:00:00Z"),
            ("Mon, 2 Mar 2026 9:05 PDT", "2026-03-02T16:05:00Z"),
            ("Mon, 2 Mar 2026 10:00:00 -0800 (PST)", "2026-03-02T18:00:00Z"),
            ("Mon 2 Mar 2026 10:00:00 +0000", "2026-03-02T10:00:00Z"),
            ("Mon, 2 March 2026 10:00:00 +0000", "2026-03-02T10:00:00Z"),
            ("Mon, 2\r\n Mar 2026 10:00:00 +0000", "2026-03-02T10:00:00Z"),
            ("Mon, 2 Mar 2026 10:00:00", "2026-03-02T10:00:00Z"),
            ("2026-03-02T10:00:00+01:00", "2026-03-02T09:00:00Z"),
            ("2026-03-02 10:00:00 +0100", "2026-03-02T09:00:00Z"),
            ("2026-03-02 10:00:00", "2026-03-02T10:00:00Z"),
            ("2026-03-02T10:00:00", "2026-03-02T10:00:00Z"),
            ("Mon, 2 Mar 2026 10:00:00 PM +0000", "2026-03-02T22:00:00Z"),
            ("Mon, 2 Mar 126 23:59:60 +0000", "2026-03-02T23:59:59Z"),
            ("Thu, 1 Sept 2026 10:00:00 +0530", "2026-09-01T04:30:00Z"),
            ("Mon, 2 Mar 2026", "2026-03-02T00:00:00Z"),
            ("Mon, 2 Mar 2026 10:00:00 +9900", "2026-03-02T10:00:00Z"),
            ("Mon Mar  2 10:00:00 2026", "2026-03-02T10:00:00Z"),
            ("Mon Mar 2 10:00:00 CET 2026", "2026-03-02T09:00:00Z"),
            ("Mon, 2 Mar 2026 10:00:00 +01:00", "2026-03-02T09:00:00Z"),
            ("Mon, 2 Mar 2026 10:00:00 GMT+0100", "2026-03-02T09:00:00Z"),
            ("Mon, 2 Jul 2026 10:00:00 CEST", "2026-07-02T08:00:00Z"),
            ("Mon, 2 Mar 2026 10:00:00 UT", "2026-03-02T10:00:00Z"),
            ("Mon, 02-Mar-26 10:00:00 GMT", "2026-03-02T10:00:00Z"),
            ("Monday, 2 Mar 2026 10:00:00 -0000", "2026-03-02T10:00:00Z"),
            ("Mon, 2 Mar 2026 10.00.00 +0100", "2026-03-02T09:00:00Z"),
        ] {
            let got = parse(written.as_bytes()).map(|at| at.to_string());
            assert_eq!(got.as_deref(), Some(at), "{written}");
        }
        for written in [
            "",
            "yesterday",
            "Mon, 31 Feb 2026 10:00:00 +0000",
            "32 Mar 2026 1:0:0 +0000",
            "12:00",
            "2 2026",
            "Mar 2026",
            "é-é-é",
        ] {
            assert_eq!(parse(written.as_bytes()), None, "{written}");
        }
    }
}
