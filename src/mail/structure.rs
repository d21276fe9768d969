//! Splits a message into its parts in one pass, before anything else looks at them: linear, without
//! recursion, and with the limits of M-04 (F-01…F-03, T-35). Every part is a range of the raw bytes.

use memchr::memmem;

use super::Unreadable;
use super::attachment::TransferEncoding;
use super::headers::{Fields, LineEnd, keyword, read_block, skip_envelope};
use super::parameters::Parameters;
use crate::faults;

/// How deep parts may be nested, attached messages counted (M-04).
pub const DEPTH_LIMIT: usize = 100;

/// How many parts a message may have (M-04).
pub const PART_LIMIT: usize = 1000;

/// How much of a boundary is compared (M-04).
pub const BOUNDARY_LIMIT: usize = 2048;

/// A message split into its parts; the first one is the message itself.
#[derive(Debug)]
pub struct Structure<'a> {
    pub raw: &'a [u8],
    pub line_end: LineEnd,
    pub parts: Vec<Part<'a>>,
    pub has_bad_line: bool,
    pub has_long_boundary: bool,
}

/// One part of a message.
#[derive(Debug)]
pub struct Part<'a> {
    pub fields: Fields<'a>,
    pub content_type: Parameters,
    pub disposition: Parameters,
    pub encoding: TransferEncoding,
    /// Where its body is in the raw message, without the line break before a delimiter.
    pub start: usize,
    pub end: usize,
    pub contents: Contents,
}

/// What is inside a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Bytes.
    Leaf,
    /// A message: the part that is its root.
    Message(usize),
    /// Parts, in order; none when its delimiter is nowhere to be found.
    Multipart(Vec<usize>),
}

impl<'a> Structure<'a> {
    /// Splits a message, or refuses it when it has no header field or is beyond a limit that cannot
    /// be cut at (M-04, M-05).
    pub fn read(raw: &'a [u8]) -> Result<Structure<'a>, Unreadable> {
        if raw.is_empty() {
            return Err(Unreadable::Empty);
        }
        let line_end = LineEnd::of(raw);
        let mut walk = Walk {
            structure: Structure {
                raw,
                line_end,
                parts: Vec::new(),
                has_bad_line: false,
                has_long_boundary: false,
            },
            open: Vec::new(),
            unended: Vec::new(),
            at: skip_envelope(raw, line_end),
        };
        walk.part()?;
        if walk.structure.parts[0].fields.0.is_empty() {
            return Err(Unreadable::NoHeader);
        }
        while walk.seek_next_part() {
            walk.part()?;
        }
        Ok(walk.structure)
    }

    /// The bytes of a part as they stand in the message.
    pub fn bytes(&self, part: &Part<'a>) -> &'a [u8] {
        &self.raw[part.start..part.end]
    }

    /// The parts of one message, in order, without those inside messages attached to it; `root` is
    /// the part that is the message.
    pub fn parts_of(&self, root: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut ahead = vec![root];
        while let Some(at) = ahead.pop() {
            found.push(at);
            if let Contents::Multipart(children) = &self.parts[at].contents {
                ahead.extend(children.iter().rev());
            }
        }
        found
    }
}

impl Part<'_> {
    /// The type, in lower case, or the nearest that there is (M-14).
    pub fn media_type(&self) -> &str {
        nearest_type(&self.content_type.value)
    }

    /// Whether it has no other parts inside it.
    pub fn is_leaf(&self) -> bool {
        self.contents == Contents::Leaf
    }
}

/// A part that has parts inside it and is still being read.
struct Open {
    part: usize,
    /// What its delimiters begin with, after `--`; `None` for an attached message, which ends only
    /// with what is around it.
    boundary: Option<Vec<u8>>,
    /// Its parts are messages when they do not say what they are (RFC 2046 §5.1.5).
    is_digest: bool,
}

struct Walk<'a> {
    structure: Structure<'a>,
    /// From the outermost to the innermost.
    open: Vec<Open>,
    /// Parts whose end is not known yet, with the number of parts around them.
    unended: Vec<(usize, usize)>,
    at: usize,
}

/// A line that separates parts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Begins,
    Ends,
}

impl<'a> Walk<'a> {
    /// Reads the header of the part that begins here, and of the messages that begin with it.
    fn part(&mut self) -> Result<(), Unreadable> {
        loop {
            if self.open.len() >= DEPTH_LIMIT && faults::stands("T-35") {
                return Err(Unreadable::TooMuch { what: "levels of parts", limit: DEPTH_LIMIT });
            }
            let id = self.structure.parts.len();
            if id >= PART_LIMIT && faults::stands("T-35") {
                return Err(Unreadable::TooMuch { what: "parts", limit: PART_LIMIT });
            }
            let Structure { raw, line_end, .. } = self.structure;
            let open = &self.open;
            let block = read_block(raw, self.at, line_end, |line| delimiter(open, line).is_some())?;
            self.structure.has_bad_line |= block.has_bad_line;
            self.at = block.body;
            let mut part = self.new_part(block.fields);
            let boundary = self.open_contents(id, &mut part);
            let opened = Open {
                part: id,
                boundary,
                is_digest: part.content_type.value == "multipart/digest",
            };
            let contents = part.contents.clone();
            self.adopt(id);
            self.unended.push((self.open.len(), id));
            self.structure.parts.push(part);
            if contents != Contents::Leaf {
                self.open.push(opened);
            }
            if !matches!(contents, Contents::Message(_)) {
                return Ok(());
            }
        }
    }

    fn new_part(&self, fields: Fields<'a>) -> Part<'a> {
        let field = |name| fields.first(name).unwrap_or_default();
        let mut content_type = Parameters::parse(field("content-type"));
        if !fields.has("content-type") && self.open.last().is_some_and(|open| open.is_digest) {
            content_type.value.push_str("message/rfc822");
        }
        let disposition = Parameters::parse(field("content-disposition"));
        let encoding = keyword(field("content-transfer-encoding"));
        Part {
            encoding: TransferEncoding::named(encoding.trim_matches('\'')),
            fields,
            content_type,
            disposition,
            start: self.at,
            end: self.structure.raw.len(),
            contents: Contents::Leaf,
        }
    }

    /// Finds out what the part holds, and the boundary that its own parts have.
    fn open_contents(&mut self, id: usize, part: &mut Part<'a>) -> Option<Vec<u8>> {
        match part.media_type() {
            "message/rfc822" | "message/global" => {
                // RFC 2046 §5.2.1 allows no encoding here; an encoded message is opaque.
                if part.encoding == TransferEncoding::Identity {
                    part.contents = Contents::Message(id + 1);
                }
                None
            }
            kind if kind.starts_with("multipart/") => {
                let mut boundary = part.content_type.word("boundary")?.trim_ascii_end().to_vec();
                self.structure.has_long_boundary |= boundary.len() > BOUNDARY_LIMIT;
                boundary.truncate(BOUNDARY_LIMIT);
                if boundary.is_empty() {
                    return None;
                }
                part.contents = Contents::Multipart(Vec::new());
                Some(boundary)
            }
            _ => None,
        }
    }

    /// Makes the next part a child of the innermost open one.
    fn adopt(&mut self, id: usize) {
        if let Some(open) = self.open.last()
            && let Contents::Multipart(children) = &mut self.structure.parts[open.part].contents
        {
            children.push(id);
        }
    }

    /// Goes on to where the next part begins, and ends those that end before it. Text before the
    /// first and after the last delimiter belongs to no part.
    fn seek_next_part(&mut self) -> bool {
        let Structure { raw, line_end, .. } = self.structure;
        let mut found = raw[self.at..].starts_with(b"--").then_some(self.at);
        let needle = [line_end.byte(), b'-', b'-'];
        let finder = memmem::Finder::new(&needle);
        loop {
            let line_start = match found.take() {
                Some(at) => at,
                None => match finder.find(&raw[self.at..]) {
                    Some(at) => self.at + at + 1,
                    None => break,
                },
            };
            let (line, next) = line_end.line(raw, line_start);
            let Some((level, kind)) = delimiter(&self.open, line) else {
                // Not past the line break, which may be the start of the next delimiter.
                self.at = line_start + line.len();
                continue;
            };
            self.end_parts(level, line_start);
            self.at = next;
            if kind == Delimiter::Begins {
                self.open.truncate(level + 1);
                return true;
            }
            self.open.truncate(level);
            self.at = (next - 1).max(line_start + line.len());
        }
        self.at = raw.len();
        false
    }

    /// Ends all parts inside the open one at `level`, before the line break that belongs to the
    /// delimiter.
    fn end_parts(&mut self, level: usize, delimiter_start: usize) {
        let raw = self.structure.raw;
        let before = &raw[..delimiter_start];
        let before = before.strip_suffix(&[self.structure.line_end.byte()]).unwrap_or(before);
        let end = before.strip_suffix(b"\r").unwrap_or(before).len();
        while let Some((around, id)) = self.unended.pop_if(|(around, _)| *around > level) {
            debug_assert!(around > level);
            let part = &mut self.structure.parts[id];
            part.end = end.max(part.start);
        }
    }
}

/// The open part that the line is a delimiter of, innermost first, and which kind.
fn delimiter(open: &[Open], line: &[u8]) -> Option<(usize, Delimiter)> {
    let line = line.strip_prefix(b"--")?;
    open.iter().enumerate().rev().find_map(|(level, open)| {
        let boundary = open.boundary.as_deref()?;
        let rest = line.strip_prefix(boundary)?;
        let rest = if boundary.len() == BOUNDARY_LIMIT { b"" } else { rest.trim_ascii() };
        match rest {
            b"" => Some((level, Delimiter::Begins)),
            b"--" => Some((level, Delimiter::Ends)),
            _ => None,
        }
    })
}

/// The type that was meant (M-14).
fn nearest_type(written: &str) -> &str {
    match written {
        "" | "text" | "plain" | "text/text" | "plain/text" => "text/plain",
        "html" => "text/html",
        "multipart" => "multipart/mixed",
        "pdf" => "application/pdf",
        "binary/octet-stream" => "application/octet-stream",
        _ if written.contains('/') => written,
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
