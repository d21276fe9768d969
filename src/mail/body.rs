//! Chooses the body of a message and turns it into text (M-12, M-15…M-22). Nothing is fetched;
//! what is too long is cut, and what was cut off becomes an attachment (M-04).

mod choice;
mod content_ids;
mod extras;
mod pieces;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use memchr::memchr;

use choice::Segment;
use pieces::{Piece, PieceKind, Pieces};

use super::charset::{Bits, Charset, Repair, decode_body, named_in_html};
use super::flowed::{self, Outlook, SoftSpace};
use super::headers::keyword;
use super::html::{self, HtmlText, Limit, Mark};
use super::reply::Scope;
use super::smime::Signed;
use super::structure::{Contents, Part, Structure};
use super::tnef::Winmail;
use super::transfer::decode_text;
use super::{Flag, TextFrom};

/// The longest text of one part, in bytes (M-04).
pub const TEXT_LIMIT: usize = 1024 * 1024;

/// No transfer encoding makes more than three bytes of one.
const ENCODED_LIMIT: usize = 3 * TEXT_LIMIT + 1024;

/// The longest HTML that is looked into, in bytes: markup is mostly longer than its text.
const HTML_LIMIT: usize = 8 * TEXT_LIMIT;

/// The longest HTML that is read only to see what it says of quotes (M-101), in bytes: of a longer
/// text not all lines are looked at anyway.
const OTHER_FORM_LIMIT: usize = 256 * 1024;

/// The body of a message.
#[derive(Debug, Default)]
pub struct Body {
    pub text: String,
    pub from: TextFrom,
    /// What clients say of the lines of `text` that were made from HTML (M-100).
    pub marks: Vec<Mark>,
    /// The HTML's text of an answer whose `text` is the plain one (M-101).
    pub html: Option<HtmlText>,
    /// The parts that are the body, in either form.
    pub parts: HashSet<usize>,
    /// The signed message that the text was taken from (M-15).
    pub signed: Option<SignedBody>,
    /// What could not be shown as text.
    pub leftovers: Vec<Leftover>,
    /// The ids that the HTML shows pictures by (M-26).
    pub content_ids: HashSet<String>,
    /// What a calendar part wants, in lower case: `request`, `reply`, … (M-22).
    pub calendar: Option<String>,
    pub flags: Vec<Flag>,
}

/// A signed message that is the body.
#[derive(Debug, PartialEq, Eq)]
pub struct SignedBody {
    /// The part that it is in.
    pub part: usize,
    /// Those of its own parts that are the body, in either form.
    pub parts: HashSet<usize>,
}

/// Something of the body that becomes an attachment.
#[derive(Debug, PartialEq, Eq)]
pub enum Leftover {
    /// An encrypted text, from and to these bytes of the decoded part (M-19).
    Encrypted { part: usize, from: usize, to: usize },
    /// HTML whose text was cut (M-17).
    Html(usize),
    /// A PGP key, as an encrypted text.
    Key { part: usize, from: usize, to: usize },
    /// A part whose text was cut, under its own name.
    Part(usize),
    /// What follows the first 1 MiB of a text, from this byte of the decoded part on (M-04).
    RestOfText { part: usize, from: usize },
    /// A file inside a text, from and to these bytes of the decoded part (M-19); its name is as
    /// written.
    Uuencoded { part: usize, from: usize, to: usize, name: Vec<u8> },
    /// The message, since its body cannot be read (M-05).
    Whole,
}

/// Reads the body of the message at `root`, whose TNEF parts are `winmails` and whose signed ones are
/// `signed`; of an answer in both forms, both.
pub fn read(
    structure: &Structure,
    root: usize,
    scope: Scope,
    winmails: &[Winmail],
    signed: &[Signed],
) -> Body {
    let mut reader = Reader {
        structure,
        scope,
        outlook: flowed::outlook(&structure.parts[root].fields),
        has_content_ids: structure.parts.iter().any(|part| part.fields.has("content-id")),
        has_html: false,
        body: Body::default(),
    };
    let mut texts: Vec<HtmlText> = Vec::new();
    for segment in choice::segments(structure, root) {
        let text = reader.segment(&segment);
        if !text.text.trim().is_empty() {
            texts.push(text);
        }
    }
    let mut body = reader.body;
    if texts.len() != 1 {
        body.html = None;
    }
    (body.text, body.marks) = joined(texts);
    if body.text.is_empty() {
        body.from = TextFrom::None;
        body.take_tnef(winmails);
    }
    if body.text.is_empty() {
        body.take_signed(scope, signed);
    }
    body.take_encrypted(structure, root, signed);
    body.take_calendar(structure, root);
    if body.text.is_empty() {
        body.flags.push(Flag::NoText);
    }
    if structure.parts_of(root).iter().any(|part| is_without_parts(&structure.parts[*part])) {
        body.flags.push(Flag::BodyUnreadable);
        body.leftovers.push(Leftover::Whole);
    }
    body
}

/// Several texts of one message are joined with an empty line (M-15).
fn joined(mut texts: Vec<HtmlText>) -> (String, Vec<Mark>) {
    if texts.len() == 1 {
        let only = texts.remove(0);
        return (only.text, only.marks);
    }
    let mut joined = String::new();
    let mut marks = Vec::new();
    for text in texts {
        if !joined.is_empty() {
            joined.push_str("\n\n");
        }
        let before = joined.len();
        joined.push_str(text.text.trim_end_matches('\n'));
        // The last line of the text has an end where another one follows.
        let end = |at: usize| if at == text.text.len() { joined.len() + 1 } else { before + at };
        marks.extend(text.marks.iter().map(|mark| Mark {
            kind: mark.kind,
            range: before + mark.range.start..end(mark.range.end),
        }));
    }
    for mark in &mut marks {
        mark.range.end = mark.range.end.min(joined.len());
    }
    (joined, marks)
}

/// A multipart whose delimiter is nowhere to be found: its bytes are shown as text (M-05).
fn is_without_parts(part: &Part) -> bool {
    match &part.contents {
        Contents::Leaf => part.media_type().starts_with("multipart/") && part.start < part.end,
        Contents::Multipart(parts) => parts.is_empty() && part.start < part.end,
        Contents::Message(_) => false,
    }
}

struct Reader<'a> {
    structure: &'a Structure<'a>,
    scope: Scope,
    /// Whether it was written by an Outlook that doubles line breaks (M-18).
    outlook: Outlook,
    has_content_ids: bool,
    /// Whether the segment that is read comes as HTML too.
    has_html: bool,
    body: Body,
}

impl Reader<'_> {
    /// The text of one segment: the plain one, unless the HTML says more (M-16).
    fn segment(&mut self, segment: &Segment) -> HtmlText {
        self.body.parts.extend(segment.plain.iter().chain(&segment.html));
        self.has_html = !segment.html.is_empty();
        let plain = self.joined(&segment.plain, Reader::plain);
        let is_plain = !plain.trim().is_empty();
        let size = self.html_size(segment);
        // What an answer says anew may be little beside what it quotes (M-101).
        let is_compared =
            is_plain && self.scope == Scope::Answer && size > 0 && size <= OTHER_FORM_LIMIT;
        if segment.html.is_empty()
            || (is_surely_enough(&plain, size) && !self.has_content_ids && !is_compared)
        {
            if is_plain {
                self.found(TextFrom::Plain);
            }
            return without_marks(plain);
        }
        let mut sources = Vec::new();
        for part in &segment.html {
            let source = self.html_source(*part);
            if self.has_content_ids {
                content_ids::note(&source, &mut self.body.content_ids);
            }
            sources.push((*part, source));
        }
        let estimate = sources.iter().map(|(_, source)| html::text_estimate(source)).sum();
        if is_surely_enough(&plain, estimate) && !is_compared {
            self.found(TextFrom::Plain);
            return without_marks(plain);
        }
        let mut texts = Vec::new();
        let mut leftovers = Vec::new();
        for (part, source) in &sources {
            let mut read = html::to_text(source);
            if let Some(limit) = read.limit {
                read.text.push_str("\n[cut here: the rest is in the attached message.html]");
                leftovers.push((*part, limit));
            }
            texts.push(read);
        }
        let (text, marks) = joined(texts);
        let html = HtmlText { text, marks, limit: None };
        let is_plain_enough =
            plain.trim().len() * 5 >= html.text.len() && !only_asks_for_html(&plain);
        if is_plain && is_plain_enough {
            self.found(TextFrom::Plain);
            self.body.html = is_compared.then_some(html);
            return without_marks(plain);
        }
        if html.text.trim().is_empty() {
            return without_marks(plain);
        }
        for (part, limit) in leftovers {
            let name = match limit {
                Limit::Links => "links",
                Limit::Text => "text",
            };
            self.body.flags.push(Flag::Limit(name));
            self.body.leftovers.push(Leftover::Html(part));
        }
        self.found(TextFrom::Html);
        html
    }

    fn found(&mut self, from: TextFrom) {
        if self.body.from == TextFrom::None {
            self.body.from = from;
        }
    }

    fn joined(&mut self, parts: &[usize], read: impl Fn(&mut Self, usize) -> String) -> String {
        match parts {
            [part] => read(self, *part),
            _ => parts.iter().map(|part| read(self, *part)).collect::<Vec<_>>().join("\n\n"),
        }
    }

    /// Encoded bytes of the HTML: never fewer than it has.
    fn html_size(&self, segment: &Segment) -> usize {
        segment
            .html
            .iter()
            .map(|part| self.structure.bytes(&self.structure.parts[*part]).len())
            .sum()
    }

    fn plain(&mut self, id: usize) -> String {
        let part = &self.structure.parts[id];
        let encoded = self.structure.bytes(part);
        let mut bytes = decode_text(&encoded[..encoded.len().min(ENCODED_LIMIT)], part.encoding);
        // A file in the text may be longer than the text may be.
        if encoded.len() > ENCODED_LIMIT && Pieces::may_be_in(&bytes) {
            bytes = decode_text(encoded, part.encoding);
        }
        let pieces = Pieces::read(&bytes);
        let mut text = &pieces.text[..];
        let mut rest_from = usize::MAX;
        if text.len() > TEXT_LIMIT {
            text = &text[..cut_at(text)];
            rest_from = pieces.origin(text.len());
            self.body.flags.push(Flag::Limit("text"));
            self.body.leftovers.push(Leftover::RestOfText { part: id, from: rest_from });
        }
        for piece in &pieces.found {
            if piece.range.start < rest_from {
                self.piece(id, piece);
            }
        }
        let text = normalise_lines(self.text(part, text, None));
        if part.content_type.keyword("format").as_deref() == Some("flowed") {
            let space = match part.content_type.keyword("delsp").as_deref() {
                Some("yes") => SoftSpace::Deleted,
                _ => SoftSpace::Kept,
            };
            return flowed::unflow(&text, space);
        }
        let is_doubled = match self.outlook {
            Outlook::Doubling => true,
            Outlook::None => false,
            // Beside its HTML an Exchange of these days writes the text well.
            Outlook::Perhaps => !self.has_html && flowed::has_doubled_gap(&text),
        };
        if is_doubled { flowed::halved(&text).unwrap_or(text) } else { text }
    }

    /// What was taken out of a text becomes an attachment (M-19).
    fn piece(&mut self, part: usize, piece: &Piece) {
        let (from, to) = (piece.range.start, piece.range.end);
        self.body.leftovers.push(match &piece.kind {
            PieceKind::Encrypted => {
                self.body.flags.push(Flag::Encrypted);
                Leftover::Encrypted { part, from, to }
            }
            PieceKind::Key => Leftover::Key { part, from, to },
            PieceKind::Uuencoded(name) => {
                Leftover::Uuencoded { part, from, to, name: name.clone() }
            }
        });
    }

    fn html_source(&mut self, id: usize) -> String {
        let part = &self.structure.parts[id];
        let encoded = self.structure.bytes(part);
        let bytes = decode_text(&encoded[..encoded.len().min(HTML_LIMIT)], part.encoding);
        self.text(part, &bytes, named_in_html(&bytes))
    }

    fn text(&mut self, part: &Part, bytes: &[u8], in_html: Option<Charset>) -> String {
        let declared = charset_of(part);
        let is_utf8 = || std::str::from_utf8(bytes).is_ok();
        let declared = match (declared, in_html) {
            (None, Some(charset)) if !is_utf8() => Some(charset),
            (declared, _) => declared,
        };
        let encoding = keyword(part.fields.first("content-transfer-encoding").unwrap_or_default());
        let bits = match encoding.as_str() {
            "8bit" | "binary" => Bits::Eight,
            _ => Bits::Seven,
        };
        let (text, repair) = decode_body(bytes, declared, bits);
        if repair == Repair::Made {
            self.body.flags.push(Flag::CharsetRepaired);
        }
        if memchr(0, text.as_bytes()).is_some() { text.replace('\0', "\u{fffd}") } else { text }
    }
}

/// The charset that a part declares.
fn charset_of(part: &Part) -> Option<Charset> {
    part.content_type.keyword("charset").and_then(|name| Charset::named(&name))
}

fn without_marks(text: String) -> HtmlText {
    HtmlText { text, ..HtmlText::default() }
}

/// Whether the plain text has at least 20 % of the length that the HTML text can have at most, so
/// that the HTML need not be looked into (M-16).
fn is_surely_enough(plain: &str, html_bound: usize) -> bool {
    let plain = plain.trim();
    !plain.is_empty() && plain.len() * 5 >= html_bound && !only_asks_for_html(plain)
}

/// Whether a text only says that the mail wants an HTML reader (M-16).
fn only_asks_for_html(text: &str) -> bool {
    const LONGEST: usize = 400;
    const PHRASES: [&str; 12] = [
        "affichage html",
        "cannot display html",
        "does not support html",
        "doesn't support html",
        "html capable",
        "html email",
        "html format",
        "html version",
        "html-capable",
        "im html-format",
        "support html",
        "view this message in html",
    ];
    let text = text.trim();
    text.len() <= LONGEST && {
        let text = text.to_lowercase();
        text.contains("html") && PHRASES.iter().any(|phrase| text.contains(phrase))
    }
}

/// Where to cut a text that is too long: after its last whole line, so that no character is split.
fn cut_at(bytes: &[u8]) -> usize {
    const LOOK_BACK: usize = 4096;
    let from = TEXT_LIMIT - LOOK_BACK;
    memchr::memrchr(b'\n', &bytes[from..TEXT_LIMIT]).map_or(TEXT_LIMIT, |at| from + at + 1)
}

/// LF line ends, however many CR stand before the LF; a lone CR ends lines only where there is no LF
/// (M-02).
fn normalise_lines(text: String) -> String {
    if memchr(b'\r', text.as_bytes()).is_none() {
        return text;
    }
    if memchr(b'\n', text.as_bytes()).is_none() {
        return text.replace('\r', "\n");
    }
    let mut lines = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => {
                lines.push_str(line.trim_end_matches('\r'));
                lines.push('\n');
            }
            None => lines.push_str(line),
        }
    }
    lines
}
