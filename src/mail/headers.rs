//! Splits a header block into fields (M-02, M-03) and stops at the limits of M-04. Works on bytes;
//! what a field means is decided elsewhere.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

use super::Unreadable;
use crate::faults;

/// The longest header block, in bytes (M-04).
pub const BLOCK_LIMIT: usize = 100 * 1024;

/// The most fields one header block may have (M-04).
pub const FIELD_LIMIT: usize = 1000;

/// A header field as written: its value still folded and encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    pub name: &'a str,
    pub raw: &'a [u8],
}

/// A header block, and where what follows it begins.
#[derive(Clone, Debug, Default)]
pub struct Block<'a> {
    pub fields: Fields<'a>,
    pub body: usize,
    /// A line that was neither a field nor text was skipped (M-03).
    pub has_bad_line: bool,
}

/// The fields of one header block, in the order written.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a>(pub Vec<Field<'a>>);

/// What ends a line: LF (with or without CR), or CR in a message that has no LF at all (M-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    Cr,
    Lf,
}

impl<'a> Fields<'a> {
    /// The values of all fields of that name, as written.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|f| f.raw)
    }

    /// The value of the first field of that name, as written.
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.0.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.raw)
    }

    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }
}

impl LineEnd {
    pub fn of(raw: &[u8]) -> LineEnd {
        if memchr(b'\n', raw).is_none() && memchr(b'\r', raw).is_some() {
            LineEnd::Cr
        } else {
            LineEnd::Lf
        }
    }

    /// The line that begins at `from`, without its end, and where the next one begins.
    pub fn line(self, raw: &[u8], from: usize) -> (&[u8], usize) {
        let rest = &raw[from..];
        match memchr(self.byte(), rest) {
            Some(at) => (self.without_cr(&rest[..at]), from + at + 1),
            None => (self.without_cr(rest), raw.len()),
        }
    }

    pub fn byte(self) -> u8 {
        match self {
            LineEnd::Cr => b'\r',
            LineEnd::Lf => b'\n',
        }
    }

    fn without_cr(self, line: &[u8]) -> &[u8] {
        let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |at| at + 1);
        &line[..end]
    }
}

/// Where the first field may begin: after a byte order mark, an mbox line, empty lines (M-02).
pub fn skip_envelope(raw: &[u8], line_end: LineEnd) -> usize {
    let mut at = if raw.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while at < raw.len() {
        let (line, next) = line_end.line(raw, at);
        let is_envelope = line.starts_with(b"From ") || line.starts_with(b">From ");
        if !is_envelope && !line.trim_ascii().is_empty() {
            break;
        }
        at = next;
    }
    at
}

/// Reads the header block that begins at `from` and ends at an empty line, at text, at a line that
/// `is_delimiter`, or with the bytes.
pub fn read_block<'a>(
    raw: &'a [u8],
    from: usize,
    line_end: LineEnd,
    is_delimiter: impl Fn(&[u8]) -> bool,
) -> Result<Block<'a>, Unreadable> {
    let mut block = Block { body: raw.len(), ..Block::default() };
    // The value of the last field, grown line by line: (name, start, end).
    let mut open: Option<(&str, usize, usize)> = None;
    let mut at = from;
    let mut is_skipping = false;
    while at < raw.len() {
        if at - from > BLOCK_LIMIT {
            return Err(Unreadable::TooMuch { what: "bytes of header", limit: BLOCK_LIMIT });
        }
        let (line, next) = line_end.line(raw, at);
        let line_stop = at + line.len();
        if line.is_empty() || (line.starts_with(b"--") && is_delimiter(line)) {
            block.body = if line.is_empty() { next } else { at };
            break;
        }
        if matches!(line[0], b' ' | b'\t') {
            if let Some((_, _, stop)) = &mut open
                && !is_skipping
            {
                *stop = line_stop;
            }
        } else if let Some(name) = field_name(line) {
            close(&mut block.fields, open.take(), raw);
            if block.fields.0.len() >= FIELD_LIMIT && faults::stands("T-36") {
                return Err(Unreadable::TooMuch { what: "header fields", limit: FIELD_LIMIT });
            }
            let colon = memchr(b':', line).expect("a field has a colon");
            open = Some((name, at + colon + 1, line_stop));
            is_skipping = false;
        } else if is_lost_fold(line, open, raw) {
            block.has_bad_line = true;
            if let Some((_, _, stop)) = &mut open {
                *stop = line_stop;
            }
        } else if is_text(raw, next, line, line_end) {
            block.body = at;
            break;
        } else {
            block.has_bad_line = true;
            is_skipping = true;
        }
        at = next;
    }
    let read = block.body.min(at).saturating_sub(from);
    if read > BLOCK_LIMIT {
        return Err(Unreadable::TooMuch { what: "bytes of header", limit: BLOCK_LIMIT });
    }
    close(&mut block.fields, open, raw);
    Ok(block)
}

fn close<'a>(fields: &mut Fields<'a>, open: Option<(&'a str, usize, usize)>, raw: &'a [u8]) {
    if let Some((name, start, stop)) = open {
        fields.0.push(Field { name, raw: raw[start..stop].trim_ascii() });
    }
}

/// The name of the field that a line begins with (RFC 5322 §2.2; white space before the colon is
/// tolerated).
fn field_name(line: &[u8]) -> Option<&str> {
    let colon = memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|byte| matches!(byte, b'!'..=b'~'));
    is_name.then(|| std::str::from_utf8(name).expect("printable ASCII is UTF-8"))
}

/// Whether a line is a parameter of the field before it that lost the white space at its start:
/// sendmail wrappers and mail archives do that to long Content-Type fields. To any other, as what a
/// server found out above the header that it was given, the sender could add words of their own
/// (T-46).
fn is_lost_fold(line: &[u8], open: Option<(&str, usize, usize)>, raw: &[u8]) -> bool {
    let Some((name, start, stop)) = open else { return false };
    let Some(equals) = memchr(b'=', line) else { return false };
    let is_of_parameters =
        ["content-disposition", "content-type"].iter().any(|of| name.eq_ignore_ascii_case(of));
    is_of_parameters
        && raw[start..stop].trim_ascii_end().ends_with(b";")
        && line[..equals]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-'))
}

/// Whether a line that is no field begins the body of a message that lacks its empty line (M-03):
/// it is text, and none of the three lines after it is a field that headers are known to have.
fn is_text(raw: &[u8], next: usize, line: &[u8], line_end: LineEnd) -> bool {
    if line.iter().any(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | 0x1b | b'\r')) {
        return false;
    }
    let mut at = next;
    for _ in 0..3 {
        if at >= raw.len() {
            break;
        }
        let (line, after) = line_end.line(raw, at);
        if line.is_empty() {
            break;
        }
        if field_name(line).is_some_and(is_known) {
            return false;
        }
        at = after;
    }
    true
}

/// Names that stand in headers and hardly ever at the start of a line of text.
fn is_known(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "cc",
        "date",
        "delivered-to",
        "from",
        "in-reply-to",
        "message-id",
        "mime-version",
        "received",
        "references",
        "reply-to",
        "return-path",
        "sender",
        "subject",
        "to",
    ];
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || name.starts_with("x-") || name.starts_with("content-")
}

/// A value on one line: line breaks are taken out, the white space after them stays. NUL is dropped
/// (M-02).
pub fn unfold(raw: &[u8]) -> Vec<u8> {
    raw.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)).collect()
}

/// A value on one line, NUL kept: an address that holds one must be refused, not mended (F-06).
pub fn unfold_keeping_nul(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr2(b'\r', b'\n', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    raw.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect()
}

/// A value as machines compare it (M-56): one line without comments and quotes, in lower case, white
/// space trimmed, up to the first `;`.
pub fn keyword(raw: &[u8]) -> String {
    let mut value = without_comments(raw);
    value.retain(|byte| *byte != b'"');
    let end = memchr(b';', &value).unwrap_or(value.len());
    String::from_utf8_lossy(value[..end].trim_ascii()).to_lowercase()
}

/// A value on one line, its comments cut. A parenthesis that is never closed is no comment.
pub fn without_comments(raw: &[u8]) -> Vec<u8> {
    let value = unfold(raw);
    if memchr(b'(', &value).is_none() {
        return value;
    }
    let mut kept = Vec::with_capacity(value.len());
    let (mut depth, mut kept_at_opening, mut opened_at) = (0usize, 0, 0);
    for (at, byte) in value.iter().enumerate() {
        match byte {
            b'(' => {
                if depth == 0 {
                    (kept_at_opening, opened_at) = (kept.len(), at);
                }
                depth += 1;
            }
            b')' if depth > 0 => depth -= 1,
            _ if depth == 0 => kept.push(*byte),
            _ => (),
        }
    }
    if depth > 0 {
        kept.truncate(kept_at_opening);
        kept.extend_from_slice(&value[opened_at..]);
    }
    kept
}

/// Whether a value holds a word, whatever the case.
pub fn contains_word(raw: &[u8], lower_case_word: &str) -> bool {
    memmem::find(&raw.to_ascii_lowercase(), lower_case_word.as_bytes()).is_some()
}

#[cfg(test)]
mod tests;
