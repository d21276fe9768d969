//! Reads Content-Type and Content-Disposition: a value and its parameters, in every broken spelling
//! that mailers send (RFC 2231, RFC 5987, M-14, M-24). What a parameter says is hostile.

use encoding_rs::Encoding;

use super::charset::{Utf7, decode_word};
use super::headers::without_comments;
use super::transfer::hex_pair;
use super::words;

/// A value with parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// In lower case, without white space and comments: `text/plain`, `attachment`.
    pub value: String,
    parameters: Vec<Parameter>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parameter {
    /// In lower case, without `*` and number.
    name: String,
    /// The number of a continuation (`name*1`).
    number: Option<u32>,
    /// `name*`: percent-encoded, perhaps with a charset before it.
    is_extended: bool,
    bytes: Vec<u8>,
}

/// More than anybody means; the rest is ignored.
const PARAMETER_LIMIT: usize = 500;

impl Parameters {
    pub fn parse(raw: &[u8]) -> Parameters {
        let mut reader = Reader { raw, at: 0 };
        let value = without_comments(reader.media_value());
        let mut value = String::from_utf8_lossy(&value).to_lowercase();
        value.retain(|c| !c.is_whitespace() && c != '"' && !c.is_control());
        let mut parameters = Vec::new();
        while let Some(parameter) = reader.parameter() {
            if parameters.len() < PARAMETER_LIMIT && !parameter.name.is_empty() {
                parameters.push(parameter);
            }
        }
        Parameters { value, parameters }
    }

    /// A parameter that is for machines (charset, boundary, format): its bytes, from its plain form
    /// if there is one.
    pub fn word(&self, name: &str) -> Option<Vec<u8>> {
        let word = match self.plain_bytes(name) {
            Some(bytes) => bytes.to_vec(),
            None => self.extended_bytes(name)?.1,
        };
        (!word.is_empty()).then_some(word)
    }

    /// A parameter that is a plain word, in lower case.
    pub fn keyword(&self, name: &str) -> Option<String> {
        let word = String::from_utf8_lossy(&self.word(name)?).to_lowercase();
        Some(word.split(['(', ';']).next().unwrap_or_default().trim().to_owned())
    }

    /// A parameter for people to read: its extended form first, then its plain one (M-24). Decoded,
    /// not yet cleaned.
    pub fn text(&self, name: &str, own: Option<&'static Encoding>) -> Option<String> {
        let text = self.extended(name, own).or_else(|| self.plain(name, own))?;
        (!text.trim().is_empty()).then_some(text)
    }

    /// `name*=charset'language'text`, or `name*0=…; name*1*=…` in the order of the numbers.
    fn extended(&self, name: &str, own: Option<&'static Encoding>) -> Option<String> {
        let (charset, bytes) = self.extended_bytes(name)?;
        Some(match charset {
            Some(charset) => decode_word(&bytes, &charset, Utf7::Kept),
            None => words::decode_words(&bytes, own),
        })
    }

    /// The charset of an extended parameter, and its bytes put together.
    fn extended_bytes(&self, name: &str) -> Option<(Option<String>, Vec<u8>)> {
        let is_ours = |parameter: &&Parameter| {
            parameter.name == name && (parameter.is_extended || parameter.number.is_some())
        };
        let mut segments: Vec<&Parameter> = self.parameters.iter().filter(is_ours).collect();
        if let Some(whole) = segments.iter().find(|segment| segment.number.is_none()) {
            segments = vec![*whole];
        }
        segments.sort_by_key(|segment| segment.number);
        let first = segments.first()?;
        let (charset, skipped) = match first.is_extended {
            true => charset_of(&first.bytes),
            false => (None, 0),
        };
        let mut bytes = Vec::new();
        for (n, segment) in segments.iter().enumerate() {
            let text = if n == 0 { &segment.bytes[skipped..] } else { &segment.bytes[..] };
            match segment.is_extended {
                true => percent_decode(text, &mut bytes),
                false => bytes.extend_from_slice(text),
            }
        }
        Some((charset, bytes))
    }

    fn plain(&self, name: &str, own: Option<&'static Encoding>) -> Option<String> {
        self.plain_bytes(name).map(|bytes| words::decode_words(bytes, own))
    }

    fn plain_bytes(&self, name: &str) -> Option<&[u8]> {
        let is_plain = |parameter: &&Parameter| {
            parameter.name == name && !parameter.is_extended && parameter.number.is_none()
        };
        self.parameters.iter().find(is_plain).map(|parameter| parameter.bytes.as_slice())
    }
}

/// The charset before the two apostrophes, and where the text begins.
fn charset_of(bytes: &[u8]) -> (Option<String>, usize) {
    let mut quotes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\'');
    match (quotes.next(), quotes.next()) {
        (Some((first, _)), Some((second, _))) => {
            let charset = String::from_utf8_lossy(&bytes[..first]).into_owned();
            ((!charset.is_empty()).then_some(charset), second + 1)
        }
        _ => (None, 0),
    }
}

fn percent_decode(text: &[u8], bytes: &mut Vec<u8>) {
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, hex_pair(after)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => bytes.push(*first),
        }
    }
}

struct Reader<'a> {
    raw: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// What stands before the parameters: up to the first `;`, or to the first `name=` behind white
    /// space or a comma where the mailer left that out.
    fn media_value(&mut self) -> &'a [u8] {
        let whole = self.until(b";");
        let is_parting = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        let name = whole.split(|byte| *byte == b'=').next().filter(|name| name.len() < whole.len());
        let parting = name.and_then(|name| name.trim_ascii_end().iter().rposition(is_parting));
        let Some(parting) = parting.filter(|at| !whole[..*at].contains(&b'(')) else {
            return whole;
        };
        self.at -= whole.len() - parting;
        let mut value = &whole[..parting];
        while let [before @ .., last] = value
            && is_parting(last)
        {
            value = before;
        }
        value
    }

    /// The next parameter; the name is empty where there is none between two `;`.
    fn parameter(&mut self) -> Option<Parameter> {
        let is_parting = |byte: u8| matches!(byte, b';' | b',') || byte.is_ascii_whitespace();
        while self.peek().is_some_and(is_parting) {
            self.at += 1;
        }
        self.peek()?;
        let name = without_comments(self.until(b"=;"));
        let name = String::from_utf8_lossy(name.trim_ascii()).to_lowercase();
        let bytes = match self.peek() {
            Some(b'=') => {
                self.at += 1;
                self.value()
            }
            _ => Vec::new(),
        };
        let (name, is_extended) = match name.strip_suffix('*') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let numbered = name
            .split_once('*')
            .and_then(|(name, number)| number.parse().ok().map(|number| (name, number)));
        let (name, number) = match numbered {
            Some((name, number)) => (name, Some(number)),
            None => (name, None),
        };
        Some(Parameter { name: name.to_owned(), number, is_extended, bytes })
    }

    /// A quoted string, or everything up to the next `;`: names with spaces go about unquoted.
    fn value(&mut self) -> Vec<u8> {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        if self.peek() != Some(b'"') {
            let value = self.until(b";").trim_ascii();
            return value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
        }
        self.at += 1;
        let mut value = Vec::new();
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => {
                    self.until(b";");
                    break;
                }
                b'\\' => {
                    value.extend(self.peek());
                    self.at += 1;
                }
                b'\r' | b'\n' => (),
                _ => value.push(byte),
            }
        }
        value
    }

    fn peek(&self) -> Option<u8> {
        self.raw.get(self.at).copied()
    }

    fn until(&mut self, stops: &[u8]) -> &'a [u8] {
        let rest = self.raw.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| stops.contains(byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_in(raw: &[u8]) -> String {
        Parameters::parse(raw).text("filename", None).unwrap_or_default()
    }

    #[test]
    fn m_24_file_names_are_read_in_every_spelling() {
        for (raw, name) in [
            (&b"attachment; filename=a.txt"[..], "a.txt"),
            (b"attachment; filename=\"a b.txt\"", "a b.txt"),
            (b"attachment; filename=This is a test.txt", "This is a test.txt"),
            (b"attachment; filename*=utf-8''caf%C3%A9.txt", "café.txt"),
            (b"attachment; filename=a.txt; filename*=utf-8'en'b.txt", "b.txt"),
            (b"attachment; filename*1=b.txt; filename*0=\"a \"", "a b.txt"),
            (b"x; filename*0*=iso-8859-1''a%E9; filename*1=\"%20b\"; filename*2*=%20c", "aé%20b c"),
            (b"attachment; filename*10=k; filename*2=c; filename*0=a", "ack"),
            (b"attachment; filename=\"=?utf-8?q?caf=C3=A9?=.txt\"", "café.txt"),
            (b"attachment; filename=\"caf\xc3\xa9.txt\"", "café.txt"),
            (b"attachment; filename=\"caf\xe9.txt\"", "café.txt"),
            (b"attachment; filename=\"C:\\TEMP\\a.png\"", "C:TEMPa.png"),
            (b"attachment; filename=\"open.txt", "open.txt"),
            (b"attachment; filename=\"a;b.txt\"; x=y", "a;b.txt"),
            (b"attachment;\r\n filename=\"a.txt\";\r\n\tsize=10", "a.txt"),
            (b"attachment; FILENAME = a.txt", "a.txt"),
            (b"attachment; filename*=''a%2", "a%2"),
        ] {
            assert_eq!(name_in(raw), name, "{:?}", String::from_utf8_lossy(raw));
        }
    }

    #[test]
    fn m_14_parameters_are_read_without_a_semicolon_before_them() {
        for raw in [
            "text/plain charset=us-ascii",
            "text/plain charset = \"us-ascii\"",
            "text/plain,charset=us-ascii",
            "text/plain, charset=us-ascii; format=flowed",
            "text/plain\r\n\tcharset=us-ascii",
            "\"text/plain\" charset=us-ascii",
        ] {
            let read = Parameters::parse(raw.as_bytes());
            assert_eq!(read.value, "text/plain", "{raw}");
            assert_eq!(read.keyword("charset").as_deref(), Some("us-ascii"), "{raw}");
        }
        for (raw, value) in [
            ("text / plain", "text/plain"),
            ("charset=us-ascii", "charset=us-ascii"),
            ("text/plain (a b=c)", "text/plain"),
            ("text/plain =", "text/plain="),
        ] {
            assert_eq!(Parameters::parse(raw.as_bytes()).value, value, "{raw}");
        }
    }

    #[test]
    fn m_14_values_are_cleaned() {
        let content_type = Parameters::parse(b"Text/Plain (really) ; charset=\"UTF-8\" (x)");
        assert_eq!(content_type.value, "text/plain");
        assert_eq!(content_type.keyword("charset").as_deref(), Some("utf-8"));
        let content_type = Parameters::parse(b"text/plain; charset=us-ascii (Plain text)");
        assert_eq!(content_type.keyword("charset").as_deref(), Some("us-ascii"));
        assert_eq!(Parameters::parse(b"pdf;").value, "pdf");
        assert_eq!(Parameters::parse(b"").value, "");
        assert_eq!(
            Parameters::parse(b"a/b; boundary=\"x=y\"").word("boundary"),
            Some(b"x=y".to_vec())
        );
        for raw in [
            &b"a/b; boundary*=us-ascii'en'x%3Dy"[..],
            b"a/b; boundary*0*=us-ascii''x%3D; boundary*1=y",
        ] {
            assert_eq!(Parameters::parse(raw).word("boundary"), Some(b"x=y".to_vec()));
        }
    }
}
