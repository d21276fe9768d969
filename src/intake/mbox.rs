//! Finds the messages in an mbox file, and reads one of them. Where a message begins is seen by its
//! `From ` line, an empty line before it and a header field after it: a text that begins with "From"
//! is none. Lines of any length need no memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::bounded::read_bounded;
use crate::store::spool::Intake;

// How much of a line is looked at.
const HEAD: usize = 512;

/// Where in the file a message is, and what its `From ` line says of its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Whether it is the first message of its file.
    pub(super) place: PartPlace,
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) arrived_at: Option<Timestamp>,
}

/// Whether a message is the one that its file is named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartPlace {
    First,
    Later,
}

/// The messages of an mbox, in their order; `None` when the content is no mbox.
pub(super) fn parts(source: impl Read, most: usize) -> io::Result<Option<Vec<Part>>> {
    let mut lines = Lines { source: BufReader::with_capacity(64 * 1024, source), at: 0 };
    let mut parts: Vec<Part> = Vec::new();
    let Some(mut line) = lines.next()? else { return Ok(None) };
    if !line.head.starts_with(b"From ") {
        return Ok(None);
    }
    // Some writers put no date there, on none of their messages.
    let is_dated = has_time(&line.head);
    let mut blank_before = Some(0);
    loop {
        let next = lines.next()?;
        let is_boundary = blank_before.is_some()
            && line.head.starts_with(b"From ")
            && (has_time(&line.head) || !is_dated)
            && next.as_ref().is_some_and(|next| begins_headers(&next.head));
        if is_boundary {
            if let (Some(last), Some(blank)) = (parts.last_mut(), blank_before) {
                last.length = blank - last.start;
            }
            if parts.len() == most {
                return Ok(Some(parts));
            }
            let arrived_at = std::str::from_utf8(&line.head).ok().and_then(date);
            let place = if parts.is_empty() { PartPlace::First } else { PartPlace::Later };
            parts.push(Part { place, start: line.end, length: 0, arrived_at });
        } else if parts.is_empty() {
            return Ok(None);
        }
        let blank = matches!(line.head.as_slice(), b"\n" | b"\r\n").then_some(line.start);
        match next {
            Some(next) => (blank_before, line) = (blank, next),
            None => {
                if let Some(last) = parts.last_mut() {
                    let end = blank.filter(|blank| *blank >= last.start).unwrap_or(line.end);
                    last.length = end - last.start;
                }
                return Ok(Some(parts));
            }
        }
    }
}

/// Reads one message: at most `limit` bytes of it, else a stub; `>From ` lines as they were written
/// (mboxrd).
pub(super) fn read(file: &mut File, part: &Part, limit: u64) -> io::Result<(Vec<u8>, Intake)> {
    file.seek(SeekFrom::Start(part.start))?;
    let limit = if part.length > limit { 0 } else { limit };
    let (raw, intake) = read_bounded(file.take(part.length), limit)?;
    Ok((unquoted(raw), intake))
}

fn unquoted(raw: Vec<u8>) -> Vec<u8> {
    let is_quoted = |line: &[u8]| {
        let quotes = line.iter().take_while(|byte| **byte == b'>').count();
        quotes > 0 && line[quotes..].starts_with(b"From ")
    };
    if !raw.split(|byte| *byte == b'\n').any(is_quoted) {
        return raw;
    }
    let mut text = Vec::with_capacity(raw.len());
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        text.extend_from_slice(if is_quoted(line) { &line[1..] } else { line });
    }
    text
}

fn begins_headers(line: &[u8]) -> bool {
    let name = line.iter().take_while(|byte| byte.is_ascii_graphic() && **byte != b':').count();
    (name > 0 && line.get(name) == Some(&b':')) || line.starts_with(b">From ")
}

// `12:34` somewhere.
fn has_time(line: &[u8]) -> bool {
    line.windows(4).any(|four| {
        four[0].is_ascii_digit()
            && four[1] == b':'
            && four[2].is_ascii_digit()
            && four[3].is_ascii_digit()
    })
}

// `From ADDRESS Tue Jan  6 08:00:00 2026`, also with seconds left out and with a zone before or
// after the year; without one it is UTC, as most writers mean it.
fn date(line: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let month_at = words.iter().skip(1).position(|word| MONTHS.contains(word))? + 1;
    let month = MONTHS.iter().position(|month| *month == words[month_at])? + 1;
    let day: i8 = words.get(month_at + 1)?.parse().ok()?;
    let mut time = words.get(month_at + 2)?.split(':');
    let hour: i8 = time.next()?.parse().ok()?;
    let minute: i8 = time.next()?.parse().ok()?;
    let second: i8 = time.next().map_or(Some(0), |second| second.parse().ok())?;
    let rest = words.get(month_at + 3..)?;
    let year: i16 = rest.iter().find(|word| word.len() == 4)?.parse().ok()?;
    let local =
        DateTime::new(year, i8::try_from(month).ok()?, day, hour, minute, second, 0).ok()?;
    let offset = rest.iter().find_map(|word| offset_minutes(word)).unwrap_or(0);
    let utc = local.to_zoned(TimeZone::UTC).ok()?.timestamp();
    utc.checked_sub(jiff::SignedDuration::from_mins(offset)).ok()
}

fn offset_minutes(word: &str) -> Option<i64> {
    let sign = match word.as_bytes() {
        [b'+', digits @ ..] if digits.len() == 4 => 1,
        [b'-', digits @ ..] if digits.len() == 4 => -1,
        _ => return None,
    };
    let number: i64 = word.get(1..)?.parse().ok()?;
    Some(sign * (number / 100 * 60 + number % 100))
}

/// Lines with their place in the file; only the head of each is kept.
struct Lines<R> {
    source: BufReader<R>,
    at: u64,
}

struct Line {
    start: u64,
    end: u64,
    head: Vec<u8>,
}

impl<R: Read> Lines<R> {
    fn next(&mut self) -> io::Result<Option<Line>> {
        let mut line = Line { start: self.at, end: self.at, head: Vec::new() };
        loop {
            let chunk = self.source.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            let newline = chunk.iter().position(|byte| *byte == b'\n');
            let taken = newline.map_or(chunk.len(), |at| at + 1);
            let room = HEAD - line.head.len();
            line.head.extend_from_slice(&chunk[..taken.min(room)]);
            self.source.consume(taken);
            self.at += taken as u64;
            if newline.is_some() {
                break;
            }
        }
        line.end = self.at;
        Ok((line.end > line.start).then_some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(mbox: &str) -> Option<Vec<&str>> {
        let parts = parts(mbox.as_bytes(), usize::MAX).expect("memory reads")?;
        let range = |part: &Part| part.start as usize..(part.start + part.length) as usize;
        Some(parts.iter().map(|part| &mbox[range(part)]).collect())
    }

    #[test]
    fn an_mbox_is_seen_by_its_content() {
        const FROM: &str = "From a@x.example Tue Jan  6 08:00:00 2026\n";
        for (mbox, expected) in [
            (format!("{FROM}Subject: a\n\none\n"), Some(vec!["Subject: a\n\none\n"])),
            (
                format!("{FROM}Subject: a\n\none\n\n{FROM}Subject: b\n\ntwo\n\n"),
                Some(vec!["Subject: a\n\none\n", "Subject: b\n\ntwo\n"]),
            ),
            (
                format!("{FROM}Subject: a\r\n\r\none\r\n\r\n{FROM}Subject: b\r\n\r\ntwo"),
                Some(vec!["Subject: a\r\n\r\none\r\n", "Subject: b\r\n\r\ntwo"]),
            ),
            // Body lines that begin with From: not after an empty line, no header after, no time.
            (
                format!("{FROM}Subject: a\n\nx\n{FROM}S: b\n\n{FROM}two words\n\nFrom me\nS: c\n"),
                Some(vec![
                    &*format!("Subject: a\n\nx\n{FROM}S: b\n\n{FROM}two words\n\nFrom me\nS: c\n")
                        .leak(),
                ]),
            ),
            ("From nobody\nS: a\n\nFrom nobody\nS: b\n".to_owned(), Some(vec!["S: a\n", "S: b\n"])),
            (format!("{FROM}>From b\nS: a\n\n"), Some(vec![">From b\nS: a\n"])),
            ("Subject: a\n\nFrom b 10:00\nS: b\n".to_owned(), None),
            ("From here on\nit is a letter\n".to_owned(), None),
            ("From ".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(texts(&mbox), expected, "{mbox}");
        }
    }

    #[test]
    fn the_date_of_the_from_line_is_the_arrival() {
        for (line, seconds) in [
            ("From a@x.example Tue Jan  6 08:00:00 2026", Some(1_767_686_400)),
            ("From - Tue Jan 06 08:00 2026\r\n", Some(1_767_686_400)),
            ("From a@x.example Tue Jan  6 09:00:00 +0100 2026", Some(1_767_686_400)),
            ("From a@x.example Tue Jan  6 03:00:00 2026 -0500", Some(1_767_686_400)),
            ("From a@x.example Tue Jan  6 08:00:00 UTC 2026", Some(1_767_686_400)),
            ("From a@x.example Tue Jan 36 08:00:00 2026", None),
            ("From a@x.example", None),
        ] {
            let expected = seconds.map(|n| Timestamp::from_second(n).expect("in range"));
            assert_eq!(date(line), expected, "{line}");
        }
    }

    #[test]
    fn quoted_from_lines_are_unquoted_once() {
        let raw = b"S: a\n\n>From b\n>>From c\n> From d\nx >From e\n".to_vec();
        assert_eq!(unquoted(raw), b"S: a\n\nFrom b\n>From c\n> From d\nx >From e\n");
    }

    #[test]
    fn lines_of_any_length_need_no_memory() {
        let mbox = format!("From a 10:00\nS: a\n\n{}\n\nFrom b 10:01\nS: b\n", "x".repeat(1 << 20));
        assert_eq!(texts(&mbox).map(|texts| texts.len()), Some(2));
        let first = parts(mbox.as_bytes(), 1).expect("memory reads").expect("an mbox");
        assert_eq!(first.len(), 1);
        assert_eq!(first[0].length as usize, "S: a\n\n\n".len() + (1 << 20));
    }
}
