//! Makes hostile input of good: a script of random bytes says what is done to a seed.

use std::fs;
use std::path::{Path, PathBuf};

use mail_parser::{MessageParser, MessagePart, MimeHeaders};

use super::words::*;

/// No input grows beyond this.
const LIMIT: usize = 256 * 1024;

/// The inputs that are changed, and words that random bytes would take long to hit upon.
pub struct Seeds {
    seeds: Vec<Vec<u8>>,
    words: &'static [&'static [u8]],
}

impl Seeds {
    /// One address or list a seed.
    pub fn addresses() -> Seeds {
        Seeds { seeds: each(ADDRESSES), words: ADDRESS_WORDS }
    }

    /// The value of one `Authentication-Results` field a seed.
    pub fn authentication() -> Seeds {
        Seeds { seeds: each(AUTHENTICATION), words: AUTHENTICATION_WORDS }
    }

    /// Whole messages that report something.
    pub fn bounces() -> Seeds {
        let reports = |text: &[u8]| {
            let text = String::from_utf8_lossy(text).to_ascii_lowercase();
            text.contains("delivery-status") || text.contains("mailer-daemon")
        };
        Seeds { seeds: mails(reports), words: BOUNCE_WORDS }
    }

    /// The HTML of messages.
    pub fn html() -> Seeds {
        Seeds { seeds: parts(is_html), words: HTML_WORDS }
    }

    /// Whole messages.
    pub fn messages() -> Seeds {
        Seeds { seeds: mails(|_| true), words: MAIL_WORDS }
    }

    /// Bodies of messages.
    pub fn texts() -> Seeds {
        let body = |raw: Vec<u8>| {
            let text = String::from_utf8_lossy(&raw).replace("\r\n", "\n");
            text.split_once("\n\n").map_or(Vec::new(), |(_, body)| body.as_bytes().to_vec())
        };
        Seeds { seeds: mails(|_| true).into_iter().map(body).collect(), words: TEXT_WORDS }
    }

    /// Decoded bytes of `winmail.dat`.
    pub fn winmails() -> Seeds {
        Seeds { seeds: parts(is_tnef), words: TNEF_WORDS }
    }

    /// A seed, changed as `script` says.
    pub fn mutated(&self, script: &[u8]) -> Vec<u8> {
        let mut script = Script(script);
        let mut input = self.seed(&mut script).to_vec();
        while let Some(what) = script.byte() {
            self.change(what, &mut script, &mut input);
            input.truncate(LIMIT);
        }
        input
    }

    fn seed(&self, script: &mut Script) -> &[u8] {
        &self.seeds[script.number() % self.seeds.len()]
    }

    fn change(&self, what: u8, script: &mut Script, input: &mut Vec<u8>) {
        let at = script.place(input);
        match what % 9 {
            0 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << (script.number() % 8);
                }
            }
            1 | 2 => {
                let word = self.words[script.number() % self.words.len()];
                input.splice(at..at, word.iter().copied());
            }
            3 => {
                let end = (at + script.length()).min(input.len());
                input.drain(at..end);
            }
            4 => {
                let end = (at + script.length()).min(input.len());
                let piece = input[at..end].to_vec();
                let to = script.place(input);
                input.splice(to..to, piece);
            }
            5 => {
                let other = self.seed(script);
                let from = script.place(other);
                let piece = &other[from..(from + script.length()).min(other.len())];
                input.splice(at..at, piece.iter().copied());
            }
            6 => {
                let end = (at + script.length().min(200)).min(input.len());
                let times = script.number() % 300;
                let piece = input[at..end].repeat(times);
                input.splice(at..at, piece.into_iter().take(LIMIT));
            }
            7 => {
                let byte = script.byte().unwrap_or_default();
                input.insert(at, byte);
            }
            _ if script.number().is_multiple_of(16) => input.truncate(at),
            _ => input.splice(at..at, *b"\r\n").for_each(drop),
        }
    }
}

/// Random bytes, taken as numbers.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> usize {
        let high = usize::from(self.byte().unwrap_or_default());
        high << 8 | usize::from(self.byte().unwrap_or_default())
    }

    /// A place in `input`; every other time the beginning of a line.
    fn place(&mut self, input: &[u8]) -> usize {
        let number = self.number();
        let at = (number >> 1) * (input.len() + 1) / (1 << 15);
        match number % 2 {
            0 => at,
            _ => input[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1),
        }
    }

    /// Mostly short.
    fn length(&mut self) -> usize {
        let number = self.number();
        if number.is_multiple_of(8) { number } else { number % 120 }
    }
}

/// The messages of the fixtures, and of the corpus for long runs.
fn mails(wanted: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files = Vec::new();
    walk(&fixtures, &mut files);
    if super::seconds().is_some()
        && let Some(corpus) = std::env::var_os("GUICHET_CORPUS")
    {
        walk(Path::new(&corpus), &mut files);
    }
    files.sort();
    let read = |path: &PathBuf| fs::read(path).expect("a fixture");
    let small = |raw: &Vec<u8>| raw.len() <= LIMIT / 2 && wanted(raw);
    let seeds: Vec<Vec<u8>> = files.iter().map(read).filter(small).collect();
    assert!(!seeds.is_empty(), "no seeds");
    seeds
}

/// The decoded bytes of the `wanted` parts of all messages.
fn parts(wanted: impl Fn(&MessagePart) -> bool) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    for mail in mails(|_| true) {
        let Some(message) = MessageParser::new().parse(&mail) else { continue };
        let found = message.parts.iter().filter(|part| wanted(part));
        parts.extend(found.map(|part| part.contents().to_vec()));
    }
    assert!(!parts.is_empty(), "no seeds");
    parts
}

fn is_html(part: &MessagePart) -> bool {
    part.is_text_html()
}

fn is_tnef(part: &MessagePart) -> bool {
    part.content_type().is_some_and(|kind| kind.subtype() == Some("ms-tnef"))
}

fn each(seeds: &[&str]) -> Vec<Vec<u8>> {
    seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of seeds") {
        let path = entry.expect("an entry").path();
        let kind = path.extension().and_then(|kind| kind.to_str());
        if path.is_dir() {
            walk(&path, files);
        } else if !matches!(kind, Some("json" | "jsonl" | "md" | "toml")) {
            files.push(path);
        }
    }
}
