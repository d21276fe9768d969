//! Reads the address lists of header fields (M-28): in one pass over the bytes, never guessing. An
//! address comes out spelled as it went in, so that [`super::Address::parse`] can refuse it.

use std::ops::Range;

use encoding_rs::Encoding;
use memchr::memchr;

use crate::mail::NamedAddress;
use crate::mail::headers::unfold_keeping_nul;
use crate::mail::words;

/// The most addresses that one field may hold (M-04, M-28).
pub const ADDRESS_LIMIT: usize = 500;

/// What an address field holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList {
    /// In the order written. An entry without an address is a name that stands alone, or `<>`.
    pub entries: Vec<NamedAddress>,
    /// It holds a group (`name: …;`), which nobody can be (M-41).
    pub has_group: bool,
    /// There were more than the limit.
    pub is_cut: bool,
}

impl AddressList {
    /// Reads the value of an address field; `own` is the charset that the message uses (M-11).
    pub fn read(raw: &[u8], own: Option<&'static Encoding>) -> AddressList {
        let line = unfold_keeping_nul(raw);
        let mut reader = Reader {
            line: &line,
            own,
            at: 0,
            item: Vec::new(),
            waiting: None,
            unclosed: Unclosed::default(),
            may_be_group: true,
            list: AddressList::default(),
        };
        reader.read();
        reader.list
    }
}

/// One piece of an entry; the ranges leave out what encloses it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Angle(Range<usize>),
    Comment(Range<usize>),
    Quoted(Range<usize>),
    Text(Range<usize>),
}

impl Piece {
    /// Where the piece stands, what encloses it included.
    fn written(&self) -> Range<usize> {
        match self {
            Piece::Text(text) => text.clone(),
            Piece::Angle(inner) | Piece::Comment(inner) | Piece::Quoted(inner) => {
                inner.start - 1..inner.end + 1
            }
        }
    }
}

/// What was found never to be closed, so that it is not looked for again: reading stays linear.
#[derive(Default)]
struct Unclosed {
    /// No `>` comes any more.
    angle: bool,
    /// No `>` outside quotes comes any more.
    angle_outside_quotes: bool,
    comment: bool,
    quotes: bool,
}

struct Reader<'a> {
    line: &'a [u8],
    own: Option<&'static Encoding>,
    at: usize,
    item: Vec<Piece>,
    /// A name that stood alone before a comma: the first half of `Johnson, Claire <…>`.
    waiting: Option<NamedAddress>,
    unclosed: Unclosed,
    /// Whether a colon may still begin a group: asked once for each entry.
    may_be_group: bool,
    list: AddressList,
}

impl Reader<'_> {
    fn read(&mut self) {
        while let Some(byte) = self.line.get(self.at) {
            match byte {
                b',' | b';' => {
                    self.at += 1;
                    self.end_item();
                }
                b':' if self.begins_group() => {
                    self.at += 1;
                    self.item.clear();
                    self.may_be_group = true;
                    self.list.has_group = true;
                }
                b'"' if self.quoted() => (),
                b'(' if self.comment() => (),
                b'<' if self.angle() => (),
                _ if byte.is_ascii_whitespace() => self.at += 1,
                _ => self.text(),
            }
        }
        self.end_item();
        self.settle();
    }

    fn quoted(&mut self) -> bool {
        let start = self.at + 1;
        match (!self.unclosed.quotes).then(|| closing_quote(self.line, start)).flatten() {
            Some(end) => {
                self.item.push(Piece::Quoted(start..end));
                self.at = end + 1;
                true
            }
            None => {
                self.unclosed.quotes = true;
                false
            }
        }
    }

    fn comment(&mut self) -> bool {
        let start = self.at + 1;
        match (!self.unclosed.comment).then(|| closing_parenthesis(self.line, start)).flatten() {
            Some(end) => {
                self.item.push(Piece::Comment(start..end));
                self.at = end + 1;
                true
            }
            None => {
                self.unclosed.comment = true;
                false
            }
        }
    }

    fn angle(&mut self) -> bool {
        if self.unclosed.angle {
            return false;
        }
        let start = self.at + 1;
        let mut end = None;
        if !self.unclosed.angle_outside_quotes {
            end = closing_angle(self.line, start);
            self.unclosed.angle_outside_quotes = end.is_none();
        }
        let end = end.or_else(|| memchr(b'>', &self.line[start..]).map(|at| start + at));
        match end {
            Some(end) => {
                self.item.push(Piece::Angle(start..end));
                self.at = end + 1;
                // A doubled bracket belongs to what it closes (M-29).
                while self.line.get(self.at) == Some(&b'>') {
                    self.at += 1;
                }
                true
            }
            None => {
                self.unclosed.angle = true;
                false
            }
        }
    }

    /// Text up to the next character that means something; encoded-words are stepped over whole,
    /// since mailers leave commas in them.
    fn text(&mut self) {
        let start = self.at;
        self.at += self.step();
        while let Some(byte) = self.line.get(self.at) {
            let is_special = match byte {
                b',' | b';' => true,
                b':' => self.may_be_group,
                b'"' => !self.unclosed.quotes,
                b'(' => !self.unclosed.comment,
                b'<' => !self.unclosed.angle,
                _ => false,
            };
            if is_special {
                break;
            }
            self.at += self.step();
        }
        let text = &self.line[start..self.at];
        let end = start + text.trim_ascii_end().len();
        match self.item.last_mut() {
            // Two texts in a row: what stood between them meant nothing after all.
            Some(Piece::Text(last)) => last.end = end,
            _ => self.item.push(Piece::Text(start..end)),
        }
    }

    fn step(&self) -> usize {
        let rest = &self.line[self.at..];
        if rest.starts_with(b"=?") { words::word_length(rest).unwrap_or(1) } else { 1 }
    }

    /// A colon after a phrase begins a group; inside an address, a URL or brackets it does not.
    fn begins_group(&mut self) -> bool {
        if !std::mem::replace(&mut self.may_be_group, false) {
            return false;
        }
        let written = self.written(&self.item);
        !written.is_empty()
            && !written.iter().any(|byte| matches!(byte, b'@' | b'['))
            && !written.eq_ignore_ascii_case(b"mailto")
            && !self.item.iter().any(|piece| matches!(piece, Piece::Angle(_)))
    }

    fn end_item(&mut self) {
        let item = std::mem::take(&mut self.item);
        self.may_be_group = true;
        if item.is_empty() {
            return;
        }
        if item.iter().any(|piece| matches!(piece, Piece::Angle(_))) {
            self.end_angles(&item);
        } else {
            self.settle();
            let entry = self.bare(&item);
            if entry.address.eq_ignore_ascii_case("undisclosed-recipients") {
                return;
            }
            if entry.address.contains('@') {
                self.push(entry);
            } else {
                self.waiting = Some(entry);
            }
        }
    }

    /// `phrase <address> (comment)`, perhaps several without a comma between them.
    fn end_angles(&mut self, item: &[Piece]) {
        let mut rest = item;
        while let Some(at) = rest.iter().position(|piece| matches!(piece, Piece::Angle(_))) {
            let (before, after) = rest.split_at(at);
            let Piece::Angle(inner) = &after[0] else { unreachable!("found as one above") };
            rest = &after[1..];
            let mut name = self.phrase(before);
            if let Some(waiting) = self.waiting.take() {
                match (&name, waiting.name.as_deref().unwrap_or(&waiting.address)) {
                    (Some(first), last) if !last.is_empty() => {
                        name = Some(format!("{last}, {first}"));
                    }
                    _ => self.push(waiting),
                }
            }
            if name.is_none()
                && let Some(Piece::Comment(comment)) = rest.first()
            {
                name = self.decoded(comment.clone());
                rest = &rest[1..];
            }
            let address = self.address(inner.clone());
            self.push(NamedAddress { address, name });
        }
    }

    /// An address without angle brackets, a comment beside it, or only a name.
    fn bare(&self, item: &[Piece]) -> NamedAddress {
        let is_comment = |piece: &Piece| matches!(piece, Piece::Comment(_));
        let first = item.iter().position(|piece| !is_comment(piece)).unwrap_or(item.len());
        let last = item.iter().rposition(|piece| !is_comment(piece)).map_or(first, |at| at + 1);
        let body = &item[first..last];
        let mut comments = item[last..].iter().chain(&item[..first]);
        let comment = comments.find_map(|piece| match piece {
            Piece::Comment(comment) => self.decoded(comment.clone()),
            _ => None,
        });
        let written = self.written(body);
        let is_word =
            matches!(body, [Piece::Text(_)]) && !written.iter().any(u8::is_ascii_whitespace);
        if memchr(b'@', written).is_some() || is_word {
            let start = body.first().map_or(0, |piece| piece.written().start);
            return NamedAddress {
                address: self.address(start..start + written.len()),
                name: comment,
            };
        }
        NamedAddress { address: String::new(), name: self.phrase(body).or(comment) }
    }

    /// Adds the name that waited for its second half in vain.
    fn settle(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            self.push(waiting);
        }
    }

    fn push(&mut self, entry: NamedAddress) {
        if self.list.entries.len() == ADDRESS_LIMIT {
            self.list.is_cut = true;
        } else {
            self.list.entries.push(entry);
        }
    }

    /// The bytes from the first piece to the last.
    fn written(&self, pieces: &[Piece]) -> &[u8] {
        match (pieces.first(), pieces.last()) {
            (Some(first), Some(last)) => &self.line[first.written().start..last.written().end],
            _ => b"",
        }
    }

    /// A display name: its pieces decoded, quotes taken off, white space between them kept.
    fn phrase(&self, pieces: &[Piece]) -> Option<String> {
        if let [Piece::Text(text)] = pieces {
            return self.decoded(text.clone());
        }
        let mut phrase = Vec::new();
        let mut end = None;
        for piece in pieces {
            let written = piece.written();
            if end.is_some_and(|end| end < written.start) {
                phrase.push(b' ');
            }
            end = Some(written.end);
            match piece {
                Piece::Quoted(inner) => unescape(&self.line[inner.clone()], &mut phrase),
                _ => phrase.extend_from_slice(&self.line[written]),
            }
        }
        let name = words::decode(&phrase, self.own);
        (!name.is_empty()).then_some(name)
    }

    fn decoded(&self, range: Range<usize>) -> Option<String> {
        let name = words::decode(&self.line[range], self.own);
        (!name.is_empty()).then_some(name)
    }

    /// An address as written: never decoded, controls made visible so that they are refused.
    fn address(&self, range: Range<usize>) -> String {
        let raw = self.line[range].trim_ascii();
        if raw.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            return String::from_utf8_lossy(raw).into_owned();
        }
        let text = crate::mail::charset::decode_header(raw, self.own);
        text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
    }
}

fn closing_quote(line: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match line.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn closing_parenthesis(line: &[u8], from: usize) -> Option<usize> {
    let (mut at, mut depth) = (from, 1);
    loop {
        match line.get(at)? {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'\\' => at += 1,
            _ => (),
        }
        if depth == 0 {
            return Some(at);
        }
        at += 1;
    }
}

/// The `>` that is not inside quotes.
fn closing_angle(line: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        match line.get(at)? {
            b'>' => return Some(at),
            b'"' => at = closing_quote(line, at + 1)? + 1,
            _ => at += 1,
        }
    }
}

fn unescape(quoted: &[u8], text: &mut Vec<u8>) {
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        text.extend(if *byte == b'\\' { bytes.next() } else { Some(byte) });
    }
}

#[cfg(test)]
mod tests;
