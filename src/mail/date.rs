//! Reads the Date field leniently (M-27). Whether it can be believed is decided in `triage`, which
//! knows when the message arrived.

use std::borrow::Cow;

use jiff::Timestamp;
use mail_parser::DateTime;

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
/// zones; also ISO 8601.
fn parse(raw: &[u8]) -> Option<Timestamp> {
    let line = without_comments(raw);
    let text = std::str::from_utf8(&line).ok()?.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    // The reader knows the months by three letters only, and the names of zones only after seconds.
    let words = text.split_ascii_whitespace().map(|word| match word {
        month if is_long_month(month) => Cow::Borrowed(&month[..3]),
        time if is_time_without_seconds(time) => Cow::Owned(format!("{time}:00")),
        word => Cow::Borrowed(word),
    });
    let text = words.collect::<Vec<_>>().join(" ");
    // A date without a zone is not read at all.
    let date = DateTime::parse_rfc822(&text).or_else(|| DateTime::parse_rfc822(&(text + " +0000")));
    let date = date.filter(DateTime::is_valid)?;
    let is_day = date.day <= days_in(date.year, date.month);
    is_day.then(|| Timestamp::from_second(date.to_timestamp()).ok()).flatten()
}

fn is_long_month(word: &str) -> bool {
    const MONTHS: [&str; 11] = [
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    word.len() > 3 && MONTHS.iter().any(|month| month.eq_ignore_ascii_case(word))
}

fn is_time_without_seconds(word: &str) -> bool {
    let is_number =
        |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    word.split_once(':').is_some_and(|(hours, minutes)| is_number(hours) && is_number(minutes))
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
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
        ] {
            let got = parse(written.as_bytes()).map(|at| at.to_string());
            assert_eq!(got.as_deref(), Some(at), "{written}");
        }
        for written in
            ["", "yesterday", "Mon, 31 Feb 2026 10:00:00 +0000", "32 Mar 2026 1:0:0 +0000"]
        {
            assert_eq!(parse(written.as_bytes()), None, "{written}");
        }
    }
}
