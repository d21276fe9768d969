//! The grammar of one `Authentication-Results` field (RFC 8601 §2.2), in one pass over its bytes.
//! Lenient where servers are: what cannot be read is passed over, and never makes a finding.

/// The most findings kept of one field; a message has few signatures.
const FINDING_LIMIT: usize = 100;

/// The most properties kept of one finding.
const PROPERTY_LIMIT: usize = 20;

/// What one field says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The authserv-id of the server that wrote it; empty when there is none or the version of the
    /// field is one that nobody knows (§2.5), `None` when the field begins with its first finding.
    pub server: Option<String>,
    pub all: Vec<Finding>,
}

/// One `method=result`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// In lower case: `dkim`, `dmarc`, `spf`.
    pub method: String,
    /// In lower case: `pass`, `fail`, `none`, …
    pub result: String,
    /// What was looked at.
    pub properties: Vec<Property>,
}

/// A `ptype.property=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// In lower case: `header.from`.
    pub name: String,
    /// Without its quotes.
    pub value: String,
}

impl Findings {
    /// Reads the value of a field, as it was written: encoded-words are no part of the grammar, and
    /// decoding them would let a quoted value out of its quotes.
    pub fn read(raw: &[u8]) -> Findings {
        let mut scanner = Scanner { bytes: raw, at: 0 };
        let mut findings = Findings::default();
        let start = scanner.at;
        let first = scanner.value(Until::Equals);
        scanner.skip_space();
        if scanner.is_at(b'=') || scanner.is_at(b'/') {
            scanner.at = start;
        } else {
            findings.server = Some(first);
            let version = scanner.value(Until::Equals);
            if !matches!(version.as_str(), "" | "1") {
                return Findings { server: Some(String::new()), all: Vec::new() };
            }
            scanner.skip_to_semicolon();
        }
        while !scanner.is_at_end() && findings.all.len() < FINDING_LIMIT {
            findings.all.extend(scanner.finding());
            scanner.skip_to_semicolon();
        }
        findings
    }
}

/// What ends a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// `=` and `/` too: a name.
    Equals,
    /// Only space, `;` and `(`: an address may hold `=`.
    Space,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    /// `method[/version]=result [reason=value] [ptype.property=value …]`; leaves the scanner before
    /// the semicolon. `None` for what is no finding, as `none` alone.
    fn finding(&mut self) -> Option<Finding> {
        let method = self.name();
        if self.is_at(b'/') {
            self.at += 1;
            self.value(Until::Equals);
        }
        if method.is_empty() || !self.skip(b'=') {
            return None;
        }
        let result = self.value(Until::Space).to_ascii_lowercase();
        let mut finding = Finding { method, result, properties: Vec::new() };
        loop {
            self.skip_space();
            if self.is_at_end() || self.is_at(b';') {
                return Some(finding);
            }
            let before = self.at;
            let name = self.name();
            if self.skip(b'=') {
                let value = self.value(Until::Space);
                if name.contains('.') && finding.properties.len() < PROPERTY_LIMIT {
                    finding.properties.push(Property { name, value });
                }
            } else if self.at == before {
                self.at += 1;
            }
        }
    }

    /// A name in lower case. A space around the dot of a property is allowed.
    fn name(&mut self) -> String {
        let mut name = self.value(Until::Equals).to_ascii_lowercase();
        self.skip_space();
        let goes_on = name.ends_with('.') || (self.is_at(b'.') && !name.is_empty());
        if goes_on {
            name.push_str(&self.value(Until::Equals).to_ascii_lowercase());
        }
        // `header. from`, `header .from` and `header . from`.
        if goes_on && name.ends_with('.') {
            name.push_str(&self.value(Until::Equals).to_ascii_lowercase());
        }
        name
    }

    /// The next word: quoted strings in it without their quotes, comments before it passed over.
    fn value(&mut self, until: Until) -> String {
        self.skip_space();
        let mut value = Vec::new();
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => self.quoted(&mut value),
                b'(' | b';' => break,
                b'=' | b'/' if until == Until::Equals => break,
                byte if byte.is_ascii_whitespace() => break,
                byte => {
                    value.push(*byte);
                    self.at += 1;
                }
            }
        }
        String::from_utf8_lossy(&value).into_owned()
    }

    /// Takes a quoted string, whose end may be missing.
    fn quoted(&mut self, value: &mut Vec<u8>) {
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => return,
                b'\\' => {
                    value.extend(self.bytes.get(self.at));
                    self.at += 1;
                }
                // A fold, which white space follows. A CR alone is no fold: without it, it would be
                // the name of another server.
                b'\n' => {}
                b'\r' if self.bytes.get(self.at) == Some(&b'\n') => {}
                byte => value.push(*byte),
            }
        }
    }

    /// Skips white space and comments, which may be nested and may lack their end.
    fn skip_space(&mut self) {
        let mut depth = 0usize;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' if depth > 0 => self.at += 1,
                b'(' => depth += 1,
                b')' if depth > 0 => depth -= 1,
                byte if depth > 0 || byte.is_ascii_whitespace() => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    /// Moves behind the next semicolon that is in no comment and no quotes, or to the end.
    fn skip_to_semicolon(&mut self) {
        loop {
            self.skip_space();
            match self.bytes.get(self.at) {
                None => return,
                Some(b';') => {
                    self.at += 1;
                    return;
                }
                Some(b'"') => self.quoted(&mut Vec::new()),
                Some(_) => self.at += 1,
            }
        }
    }

    /// Takes `wanted`, perhaps after white space; whether it was there.
    fn skip(&mut self, wanted: u8) -> bool {
        self.skip_space();
        let is_there = self.is_at(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn is_at(&self, wanted: u8) -> bool {
        self.bytes.get(self.at) == Some(&wanted)
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }
}
