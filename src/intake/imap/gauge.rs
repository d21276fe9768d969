//! The bytes of a server, looked at before anything parses them: lines, literals, nesting and whole
//! responses have an upper bound (F-13, F-14, T-44), and untagged data that nobody here knows is
//! left out (R-41). Knows nothing of what the responses mean.

use std::fmt;

use crate::faults;

// Bytes of a line outside literals; the list of UIDs that answers a search is one line.
const LINE: usize = 64 * 1024;
const SEARCH_LINE: usize = 1024 * 1024;
// How deep parentheses may nest; no answer to what is asked here nests deeper than three.
const NESTING: usize = 50;
// Bytes after which a response has said what it is.
const HEAD: usize = 48;
// `BODY[]<0> {4294967295+}` and the end of the line.
const TAIL: usize = 32;

/// What an answer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Bytes announced for one literal.
    pub(super) literal: u64,
    /// Bytes of one response, literals included.
    pub(super) response: u64,
    /// Bytes of all responses up to the tagged one: what nobody asked for must end, too.
    pub(super) answer: u64,
}

/// What no answer exceeds in which no whole messages are asked for.
pub(super) const ANSWER: u64 = 16 * 1024 * 1024;

/// What no answer exceeds in which no message is asked for.
pub(super) const SMALL: Limits =
    Limits { literal: 64 * 1024, response: 256 * 1024, answer: ANSWER };

/// More than was asked for, or than any honest server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMuch(pub(super) &'static str);

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for TooMuch {}

/// Where in a response the bytes are.
pub(super) struct Gauge {
    limits: Limits,
    /// Whole responses that were let through.
    pub(super) passed: u64,
    /// Answers that came to their end.
    pub(super) ended: u64,
    kind: Option<Kind>,
    // The first bytes of a response whose kind is not known yet.
    head: Vec<u8>,
    // The last bytes of a line, where a literal is announced.
    tail: Vec<u8>,
    line: usize,
    response: u64,
    answer: u64,
    literal: u64,
    nesting: usize,
    quoted: Quoted,
    // The byte before the one that is looked at.
    last: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Structured: a name in it may be a literal.
    Data,
    /// What is asked of a message; a part of it is a literal.
    Fetch,
    /// One long list of numbers.
    Search,
    /// The end of an answer.
    Tagged,
    /// A status line or a continuation: what looks like a literal is text.
    Text,
    /// Nobody here knows it.
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    Escape,
    Inside,
    Outside,
}

impl Gauge {
    pub(super) fn new() -> Gauge {
        Gauge {
            limits: SMALL,
            passed: 0,
            ended: 0,
            kind: None,
            head: Vec::new(),
            tail: Vec::new(),
            line: 0,
            response: 0,
            answer: 0,
            literal: 0,
            nesting: 0,
            quoted: Quoted::Outside,
            last: b' ',
        }
    }

    /// Begins an answer that may hold so much.
    pub(super) fn allow(&mut self, limits: Limits) {
        (self.limits, self.answer) = (limits, 0);
    }

    pub(super) fn is_at_start(&self) -> bool {
        self.response == 0
    }

    /// Looks at what came next, and appends to `out` what may be parsed.
    pub(super) fn check(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), TooMuch> {
        self.answer = self.answer.saturating_add(bytes.len() as u64);
        if self.answer > self.limits.answer && faults::stands("F-13") {
            return Err(TooMuch("an answer without an end"));
        }
        while !bytes.is_empty() {
            let count = if self.literal > 0 {
                let count = bytes.len().min(usize::try_from(self.literal).unwrap_or(usize::MAX));
                self.literal -= count as u64;
                self.pass(&bytes[..count], out);
                count
            } else {
                let count = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
                self.line(&bytes[..count], out)?;
                count
            };
            bytes = &bytes[count..];
        }
        Ok(())
    }

    // A piece of a line, perhaps with its end.
    fn line(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), TooMuch> {
        self.line += piece.len();
        self.grow(piece.len() as u64)?;
        let is_whole = piece.ends_with(b"\n");
        if self.kind.is_none() {
            self.head.extend_from_slice(piece);
            if is_whole || self.head.len() >= HEAD {
                self.kind = Some(kind(&self.head));
                let head = std::mem::take(&mut self.head);
                self.scan(&head)?;
                self.pass(&head, out);
            }
        } else {
            self.scan(piece)?;
            self.pass(piece, out);
        }
        let most = if self.kind == Some(Kind::Search) { SEARCH_LINE } else { LINE };
        if self.line > most && faults::stands("F-13") {
            return Err(TooMuch("a line without an end"));
        }
        let kept = piece.len().min(TAIL);
        self.tail.extend_from_slice(&piece[piece.len() - kept..]);
        if self.tail.len() > TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
        if is_whole { self.end_line() } else { Ok(()) }
    }

    fn end_line(&mut self) -> Result<(), TooMuch> {
        let announced = match self.kind {
            Some(Kind::Data | Kind::Fetch | Kind::Unknown) => announced(&self.tail),
            Some(Kind::Search | Kind::Tagged | Kind::Text) | None => None,
        };
        if let Some((size, before)) = announced {
            if !self.may_stand_here(before) {
                return Err(TooMuch("a literal where none belongs"));
            }
            if size > self.limits.literal && faults::stands("F-13") {
                return Err(TooMuch("a literal larger than what was asked for"));
            }
            self.grow(size)?;
            self.literal = size;
        } else {
            if self.kind != Some(Kind::Unknown) {
                self.passed += 1;
            }
            self.ended += u64::from(self.kind == Some(Kind::Tagged));
            (self.kind, self.response, self.nesting) = (None, 0, 0);
            self.quoted = Quoted::Outside;
        }
        self.tail.clear();
        self.line = 0;
        Ok(())
    }

    // What is taken for a literal here must be one for the parser too, or it finds in it what was
    // not looked at. The parser skips lists of unknown attributes up to the next parenthesis, quotes
    // and literals unseen: so in a FETCH a literal is only the value of `BODY[…]`.
    fn may_stand_here(&self, before: &[u8]) -> bool {
        let is_value = before.ends_with(b"] ") || before.ends_with(b"> ");
        match self.kind {
            Some(Kind::Fetch) => self.quoted == Quoted::Outside && self.nesting == 1 && is_value,
            Some(Kind::Data) => self.quoted == Quoted::Outside && self.nesting == 0,
            _ => true,
        }
    }

    fn grow(&mut self, count: u64) -> Result<(), TooMuch> {
        self.response = self.response.saturating_add(count);
        let most = match self.kind {
            Some(Kind::Search) => self.limits.response.max(SEARCH_LINE as u64),
            _ => self.limits.response,
        };
        if self.response > most && faults::stands("F-13") {
            return Err(TooMuch("a response larger than what was asked for"));
        }
        Ok(())
    }

    fn scan(&mut self, piece: &[u8]) -> Result<(), TooMuch> {
        if !matches!(self.kind, Some(Kind::Data | Kind::Fetch)) {
            return Ok(());
        }
        for &byte in piece {
            let opens = self.quoted == Quoted::Outside && byte == b'"';
            if opens && !matches!(self.last, b' ' | b'(' | b'[') {
                return Err(TooMuch("quotes where none belong"));
            }
            self.last = byte;
            self.quoted = match (self.quoted, byte) {
                (Quoted::Inside, b'\\') => Quoted::Escape,
                (Quoted::Inside, b'"') => Quoted::Outside,
                (Quoted::Escape | Quoted::Inside, _) => Quoted::Inside,
                (Quoted::Outside, b'"') => Quoted::Inside,
                (Quoted::Outside, b'(') => {
                    self.nesting += 1;
                    Quoted::Outside
                }
                (Quoted::Outside, b')') => {
                    self.nesting = self.nesting.saturating_sub(1);
                    Quoted::Outside
                }
                (Quoted::Outside, _) => Quoted::Outside,
            };
            if self.nesting > NESTING && faults::stands("F-14") {
                return Err(TooMuch("lists nested too deeply"));
            }
        }
        Ok(())
    }

    fn pass(&self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.kind != Some(Kind::Unknown) {
            out.extend_from_slice(bytes);
        }
    }
}

// What kind of response begins like this.
fn kind(head: &[u8]) -> Kind {
    let Some(rest) = head.strip_prefix(b"* ") else {
        return if head.starts_with(b"+") { Kind::Text } else { Kind::Tagged };
    };
    let mut words = rest.split(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
    let first = words.next().unwrap_or_default();
    let word = match first {
        [b'0'..=b'9', ..] => words.next().unwrap_or_default(),
        _ => first,
    };
    match word.to_ascii_uppercase().as_slice() {
        b"OK" | b"NO" | b"BAD" | b"BYE" | b"PREAUTH" => Kind::Text,
        b"SEARCH" => Kind::Search,
        b"FETCH" => Kind::Fetch,
        b"CAPABILITY" | b"EXISTS" | b"EXPUNGE" | b"FLAGS" | b"LIST" | b"RECENT" | b"STATUS" => {
            Kind::Data
        }
        _ => Kind::Unknown,
    }
}

// The size of the literal that a line announces at its end, and what stands before it.
fn announced(tail: &[u8]) -> Option<(u64, &[u8])> {
    let line = tail.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_suffix(b"}")?;
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let open = memchr::memrchr(b'{', line)?;
    let digits = std::str::from_utf8(&line[open + 1..]).ok()?;
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Some((digits.parse().unwrap_or(u64::MAX), &line[..open]))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
