//! Chooses the body of a message and turns it into text (M-12, M-15…M-17, M-20). Nothing is fetched;
//! what is too long is cut, and what was cut off becomes an attachment (M-04).

mod choice;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use memchr::{memchr, memmem};

use choice::Segment;

use super::charset::{Bits, Charset, Repair, decode_body, named_in_html};
use super::headers::keyword;
use super::html;
use super::structure::{Contents, Part, Structure};
use super::transfer::{decode_text, hex_pair};
use super::{Flag, TextFrom};

/// The longest text of one part, in bytes (M-04).
pub const TEXT_LIMIT: usize = 1024 * 1024;

/// No transfer encoding makes more than three bytes of one.
const ENCODED_LIMIT: usize = 3 * TEXT_LIMIT + 1024;

/// The longest HTML that is looked into, in bytes: markup is mostly longer than its text.
const HTML_LIMIT: usize = 8 * TEXT_LIMIT;

/// The body of a message.
#[derive(Debug, Default)]
pub struct Body {
    pub text: String,
    pub from: TextFrom,
    /// The parts that are the body, in either form.
    pub parts: HashSet<usize>,
    /// What could not be shown as text.
    pub leftovers: Vec<Leftover>,
    /// The ids that the HTML shows pictures by (M-26).
    pub content_ids: HashSet<String>,
    pub flags: Vec<Flag>,
}

/// Something of the body that becomes an attachment.
#[derive(Debug, PartialEq, Eq)]
pub enum Leftover {
    /// HTML whose text was cut (M-17).
    Html(usize),
    /// What follows the first 1 MiB of a text, from this byte of the decoded part on (M-04).
    RestOfText { part: usize, from: usize },
    /// The message, since its body cannot be read (M-05).
    Whole,
}

/// Reads the body of the message at `root`.
pub fn read(structure: &Structure, root: usize) -> Body {
    let mut reader = Reader {
        structure,
        has_content_ids: structure.parts.iter().any(|part| part.fields.has("content-id")),
        body: Body::default(),
    };
    let mut texts: Vec<String> = Vec::new();
    for segment in choice::segments(structure, root) {
        let text = reader.segment(&segment);
        if !text.trim().is_empty() {
            texts.push(text);
        }
    }
    let mut body = reader.body;
    body.text = match texts.len() {
        1 => texts.remove(0),
        // Several texts of one message are joined with an empty line (M-15).
        _ => texts.iter().map(|text| text.trim_end_matches('\n')).collect::<Vec<_>>().join("\n\n"),
    };
    if body.text.is_empty() {
        body.from = TextFrom::None;
        body.flags.push(Flag::NoText);
    }
    if structure.parts_of(root).iter().any(|part| is_without_parts(&structure.parts[*part])) {
        body.flags.push(Flag::BodyUnreadable);
        body.leftovers.push(Leftover::Whole);
    }
    body
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
    has_content_ids: bool,
    body: Body,
}

impl Reader<'_> {
    /// The text of one segment: the plain one, unless the HTML says more (M-16).
    fn segment(&mut self, segment: &Segment) -> String {
        self.body.parts.extend(segment.plain.iter().chain(&segment.html));
        let plain = self.joined(&segment.plain, Reader::plain);
        if segment.html.is_empty()
            || (is_surely_enough(&plain, self.html_size(segment)) && !self.has_content_ids)
        {
            if !plain.trim().is_empty() {
                self.found(TextFrom::Plain);
            }
            return plain;
        }
        let mut sources = Vec::new();
        for part in &segment.html {
            let source = self.html_source(*part);
            self.note_content_ids(&source);
            sources.push((*part, source));
        }
        let estimate = sources.iter().map(|(_, source)| html::text_estimate(source)).sum();
        if is_surely_enough(&plain, estimate) {
            self.found(TextFrom::Plain);
            return plain;
        }
        let mut texts = Vec::new();
        let mut leftovers = Vec::new();
        for (part, source) in &sources {
            let mut read = html::to_text(source);
            if let Some(limit) = read.limit {
                read.text.push_str("\n[cut here: the rest is in the attached message.html]");
                leftovers.push((*part, limit));
            }
            texts.push(read.text);
        }
        let text = texts.join("\n\n");
        let is_plain_enough = plain.trim().len() * 5 >= text.len() && !only_asks_for_html(&plain);
        if !plain.trim().is_empty() && is_plain_enough {
            self.found(TextFrom::Plain);
            return plain;
        }
        if text.trim().is_empty() {
            return plain;
        }
        for (part, limit) in leftovers {
            let name = if limit == html::Limit::Links { "links" } else { "text" };
            self.body.flags.push(Flag::Limit(name));
            self.body.leftovers.push(Leftover::Html(part));
        }
        self.found(TextFrom::Html);
        text
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
        let bytes = decode_text(&encoded[..encoded.len().min(ENCODED_LIMIT)], part.encoding);
        let mut bytes = &bytes[..];
        if bytes.len() > TEXT_LIMIT {
            bytes = &bytes[..cut_at(bytes)];
            self.body.flags.push(Flag::Limit("text"));
            self.body.leftovers.push(Leftover::RestOfText { part: id, from: bytes.len() });
        }
        let text = self.text(part, bytes, None);
        normalise_lines(text)
    }

    fn html_source(&mut self, id: usize) -> String {
        let part = &self.structure.parts[id];
        let encoded = self.structure.bytes(part);
        let bytes = decode_text(&encoded[..encoded.len().min(HTML_LIMIT)], part.encoding);
        self.text(part, &bytes, named_in_html(&bytes))
    }

    fn text(&mut self, part: &Part, bytes: &[u8], in_html: Option<Charset>) -> String {
        let declared = part.content_type.keyword("charset").and_then(|name| Charset::named(&name));
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

    fn note_content_ids(&mut self, html: &str) {
        if !self.has_content_ids {
            return;
        }
        let mut rest = html;
        while let Some(at) = memmem::find(rest.as_bytes(), b"cid:") {
            rest = &rest[at + "cid:".len()..];
            let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '>' | ')' | '<');
            let id = &rest[..rest.find(is_end).unwrap_or(rest.len())];
            self.body.content_ids.insert(percent_decoded(id));
            rest = &rest[id.len()..];
        }
    }
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

fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, hex_pair(after)) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            _ => decoded.push(*first),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
