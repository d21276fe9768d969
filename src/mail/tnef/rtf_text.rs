//! The text of an RTF: the HTML or plain text that Outlook hid in it (MS-OXRTFEX), else what a reader
//! would show. One pass, without recursion; what is unknown is skipped.

use std::collections::HashMap;

use encoding_rs::{Encoding, WINDOWS_1252};

use crate::mail::charset::Charset;

/// What an RTF says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RtfText {
    Html(String),
    Plain(String),
}

/// The deepest nesting whose properties are kept apart.
const DEPTH_LIMIT: usize = 1000;

/// Reads an RTF (M-21). Never fails: what is no RTF has no text.
pub fn rtf_text(rtf: &[u8]) -> RtfText {
    let mut reader = Reader::default();
    let mut tokens = Tokens { rtf, at: 0 };
    while let Some(token) = tokens.next() {
        reader.token(&token);
    }
    reader.flush();
    match reader.is_html {
        true => RtfText::Html(reader.text),
        false => RtfText::Plain(reader.text),
    }
}

enum Token<'a> {
    Byte(u8),
    Close,
    Open,
    /// A letter or a word, and its number.
    Word(&'a [u8], Option<i32>),
}

struct Tokens<'a> {
    rtf: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let byte = self.take()?;
            return Some(match byte {
                b'\r' | b'\n' | 0 => continue,
                b'{' => Token::Open,
                b'}' => Token::Close,
                b'\\' => self.control()?,
                byte => Token::Byte(byte),
            });
        }
    }

    fn take(&mut self) -> Option<u8> {
        let byte = *self.rtf.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// What follows a backslash: a word of letters, its number and one space, or a single sign.
    fn control(&mut self) -> Option<Token<'a>> {
        let rtf = self.rtf;
        let start = self.at;
        let first = self.take()?;
        if first == b'\'' {
            let digits = rtf.get(self.at..).unwrap_or_default();
            let byte = crate::mail::transfer::hex_pair(digits);
            self.at = (self.at + 2).min(rtf.len());
            return Some(Token::Byte(byte.unwrap_or(b'?')));
        }
        if !first.is_ascii_alphabetic() {
            return Some(match first {
                b'\\' | b'{' | b'}' => Token::Byte(first),
                b'\r' | b'\n' => Token::Word(b"par", None),
                _ => Token::Word(&rtf[start..self.at], None),
            });
        }
        self.skip_while(|byte| byte.is_ascii_alphabetic());
        let word = &rtf[start..self.at];
        let number_start = self.at;
        if rtf.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        self.skip_while(|byte| byte.is_ascii_digit());
        let number = std::str::from_utf8(&rtf[number_start..self.at]).ok();
        let number = number.and_then(|number| number.parse().ok());
        if rtf.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        if let (b"bin", Some(length)) = (word, number) {
            let length = usize::try_from(length).unwrap_or(0);
            self.at = self.at.saturating_add(length).min(rtf.len());
        }
        Some(Token::Word(word, number))
    }

    fn skip_while(&mut self, is_skipped: impl Fn(&u8) -> bool) {
        let rest = &self.rtf[self.at..];
        self.at += rest.iter().position(|byte| !is_skipped(byte)).unwrap_or(rest.len());
    }
}

/// What ends with the group that it stands in.
#[derive(Clone, Default)]
struct Group {
    destination: Destination,
    /// Between `\htmlrtf` and `\htmlrtf0`: only for readers of RTF.
    is_rtf_only: bool,
    font: i32,
    /// How many characters stand in for one that is written `\u`; one where nothing is said.
    fallback: Option<usize>,
    /// `\*` came last: a destination that is not known is skipped.
    is_optional: bool,
}

/// Where the text of a group goes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Destination {
    #[default]
    Body,
    Fonts,
    /// Markup of the HTML that the RTF was made from.
    Markup,
    Skipped,
}

#[derive(Default)]
struct Reader {
    text: String,
    is_html: bool,
    group: Group,
    around: Vec<Group>,
    /// Groups beyond the limit.
    too_deep: usize,
    /// Bytes that are not decoded yet, all in one charset.
    pending: Vec<u8>,
    charset: Option<&'static Encoding>,
    fonts: HashMap<i32, &'static Encoding>,
    default_font: i32,
    /// The first half of a character beyond the 16-bit ones.
    surrogate: Option<u16>,
    /// Characters that stand in for the last `\u`, still to be skipped.
    skipping: usize,
}

impl Reader {
    fn token(&mut self, token: &Token) {
        match token {
            Token::Byte(byte) => self.byte(*byte),
            Token::Close => {
                self.flush();
                self.skipping = 0;
                match self.too_deep {
                    0 => self.group = self.around.pop().unwrap_or_default(),
                    _ => self.too_deep -= 1,
                }
            }
            Token::Open => {
                self.flush();
                self.skipping = 0;
                match self.around.len() {
                    DEPTH_LIMIT.. => self.too_deep += 1,
                    _ => self.around.push(self.group.clone()),
                }
            }
            Token::Word(word, number) => self.word(word, *number),
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.skipping > 0 {
            self.skipping -= 1;
        } else if self.is_shown() {
            self.pending.push(byte);
        }
    }

    /// Whether the text of this group is part of what the RTF says.
    fn is_shown(&self) -> bool {
        let is_html_only = !(self.is_html && self.group.is_rtf_only);
        is_html_only && matches!(self.group.destination, Destination::Body | Destination::Markup)
    }

    fn word(&mut self, word: &[u8], number: Option<i32>) {
        let is_optional = std::mem::take(&mut self.group.is_optional);
        match word {
            b"*" => self.group.is_optional = true,
            b"ansicpg" => self.charset = number.and_then(codepage),
            b"colortbl" | b"footer" | b"header" | b"info" | b"nonshppict" | b"object" | b"pict"
            | b"stylesheet" => self.group.destination = Destination::Skipped,
            b"deff" => {
                self.default_font = number.unwrap_or(0);
                self.group.font = self.default_font;
            }
            b"f" => {
                self.flush();
                self.group.font = number.unwrap_or(0);
            }
            b"fcharset" => {
                if self.group.destination == Destination::Fonts
                    && let Some(charset) = number.and_then(font_charset)
                {
                    self.fonts.insert(self.group.font, charset);
                }
            }
            b"fonttbl" => self.group.destination = Destination::Fonts,
            b"fromhtml" => self.is_html = number != Some(0),
            b"htmlrtf" => {
                self.flush();
                self.group.is_rtf_only = number != Some(0);
            }
            b"htmltag" => self.group.destination = Destination::Markup,
            b"mac" => self.charset = Some(encoding_rs::MACINTOSH),
            b"plain" => {
                self.flush();
                self.group.font = self.default_font;
            }
            b"pntext" if self.is_html => self.group.destination = Destination::Skipped,
            b"u" => self.unicode(number.unwrap_or(0)),
            b"uc" => {
                self.group.fallback = number.and_then(|number| usize::try_from(number).ok());
            }
            _ if is_optional => self.group.destination = Destination::Skipped,
            _ => {
                if let Some(text) = shown_as(word) {
                    self.shown(text);
                }
            }
        }
    }

    fn shown(&mut self, text: &str) {
        if self.skipping > 0 {
            self.skipping -= 1;
        } else if self.is_shown() {
            self.flush();
            self.text.push_str(text);
        }
    }

    /// A 16-bit unit, perhaps written as a negative number, and the characters that old readers show
    /// in its place.
    fn unicode(&mut self, number: i32) {
        self.flush();
        self.skipping = self.group.fallback.unwrap_or(1);
        if !self.is_shown() {
            return;
        }
        let unit = u16::try_from(number & 0xffff).expect("16 bits");
        let units = [self.surrogate.take(), Some(unit)].into_iter().flatten();
        if (0xd800..0xdc00).contains(&unit) {
            self.surrogate = Some(unit);
            return;
        }
        self.text
            .extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }

    /// Decodes what was collected, in the charset of the font.
    fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let font = self.fonts.get(&self.group.font).copied();
        let charset = font.or(self.charset).unwrap_or(WINDOWS_1252);
        self.text.push_str(&charset.decode_without_bom_handling(&self.pending).0);
        self.pending.clear();
    }
}

/// The text that a control word stands for.
fn shown_as(word: &[u8]) -> Option<&'static str> {
    Some(match word {
        b"_" => "-",
        b"~" => " ",
        b"bullet" => "•",
        b"cell" => " | ",
        b"emdash" => "—",
        b"endash" => "–",
        b"ldblquote" => "“",
        b"line" | b"page" | b"par" | b"row" | b"sect" => "\n",
        b"lquote" => "‘",
        b"rdblquote" => "”",
        b"rquote" => "’",
        b"tab" => "\t",
        _ => return None,
    })
}

fn codepage(number: i32) -> Option<&'static Encoding> {
    Charset::named(&format!("cp{number}"))?.in_header()
}

/// The charset of a font (MS-OXRTFEX; the others are as the document).
fn font_charset(number: i32) -> Option<&'static Encoding> {
    codepage(match number {
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(rtf: &[u8]) -> String {
        match rtf_text(rtf) {
            RtfText::Plain(text) => text,
            RtfText::Html(html) => panic!("HTML: {html}"),
        }
    }

    #[test]
    fn m_21_rtf_reads_as_text() {
        for (rtf, text) in [
            (
                &br"{\rtf1\ansi{\fonttbl{\f0 Arial;}}{\colortbl;\red0;}Hello\par there}"[..],
                "Hello\nthere",
            ),
            (br"{\rtf1\ansi\ansicpg1252 caf\'e9 \{\\\}}", "café {\\}"),
            (br"{\rtf1\ansicpg1251 \'cf\'f0\'e8}", "При"),
            (
                br"{\rtf1\ansi{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset204 B;}}a\f1\'cf\'f0\f0 b}",
                "aПрb",
            ),
            (br"{\rtf1\ansi{\fonttbl{\f2\fcharset128 A;}}\f2\'83n}", "ハ"),
            (br"{\rtf1\uc1\u8364?\u-10179?\u-8704?x\uc0\u233}", "€😀xé"),
            (
                br"{\rtf1{\*\generator x;}{\*\unknown{deep}y}a\tab b\emdash\lquote c\rquote}",
                "a\tb—‘c’",
            ),
            (br"{\rtf1 a{\pict\bin4 }}{}}b}", "ab"),
            (b"{\\rtf1 one\r\n two\\\nthree}", "one two\nthree"),
            (br"no \rtf at}}}all{", "no atall"),
            (b"", ""),
        ] {
            assert_eq!(plain(rtf), text);
        }
    }

    #[test]
    fn m_21_html_hidden_in_rtf_is_found() {
        let rtf = br"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}
{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Gr\'fc\'dfe {\*\htmltag84 <b>}\htmlrtf {\b \htmlrtf0 all{\*\htmltag84 &amp;}\htmlrtf &\htmlrtf0
{\*\htmltag92 </b>}\htmlrtf }\htmlrtf0\htmlrtf\par}\htmlrtf0{\*\mhtmltag64 <x>}
{\*\htmltag72 </p>}}";
        assert_eq!(rtf_text(rtf), RtfText::Html("<p>Grüße <b>all&amp;</b></p>".to_owned()));
    }

    #[test]
    fn m_21_rtf_bombs_are_bounded() {
        for bomb in [
            "{".repeat(1_000_000),
            "}".repeat(1_000_000),
            "{\\b ".repeat(300_000),
            "\\u".repeat(500_000),
            "\\bin99999999999 ".repeat(60_000),
            "\\'".repeat(500_000),
            "{\\f1\\fcharset204}".repeat(60_000),
        ] {
            assert!(plain(bomb.as_bytes()).len() <= 3 * bomb.len());
        }
    }
}
