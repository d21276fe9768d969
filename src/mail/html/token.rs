//! Cuts HTML into tags and text. Not a browser's parser: that one takes quadratic time on markup
//! made for it, and what is wanted here is only text. Every byte is looked at once; whatever was
//! found never to end is not looked for again.

use memchr::{memchr, memchr2, memmem};

/// One token.
#[derive(Debug, PartialEq, Eq)]
pub enum Token<'a> {
    End(&'a str),
    Start(Tag<'a>),
    /// Text with its entities.
    Text(&'a str),
}

/// A start tag with those of its attributes that matter here, as written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tag<'a> {
    pub name: &'a str,
    pub alt: Option<&'a str>,
    /// Where a quotation comes from.
    pub cite: Option<&'a str>,
    pub class: Option<&'a str>,
    /// Zimbra's `data-marker`.
    pub data_marker: Option<&'a str>,
    pub href: Option<&'a str>,
    pub id: Option<&'a str>,
    pub is_hidden: bool,
    /// The attribute `name`.
    pub named: Option<&'a str>,
    pub style: Option<&'a str>,
    /// The attribute `type`.
    pub written_type: Option<&'a str>,
}

/// The tokens of an HTML text, in order. Comments, declarations and the contents of elements that
/// hold no text for people are left out.
pub struct Tokens<'a> {
    html: &'a str,
    at: usize,
    unclosed: Unclosed,
}

#[derive(Default)]
struct Unclosed {
    comment: bool,
    double_quote: bool,
    single_quote: bool,
    tag: bool,
}

/// Elements whose content is no markup and not for people.
const DROPPED: [&str; 7] = ["iframe", "noembed", "noframes", "script", "style", "title", "xml"];

impl<'a> Tokens<'a> {
    pub fn of(html: &'a str) -> Tokens<'a> {
        Tokens { html, at: 0, unclosed: Unclosed::default() }
    }

    fn rest(&self) -> &'a str {
        &self.html[self.at..]
    }

    /// Text up to the next character that may begin a tag.
    fn text(&mut self) -> Token<'a> {
        let rest = self.rest();
        let skip = usize::from(rest.starts_with('<'));
        let end = match self.unclosed.tag {
            true => rest.len(),
            false => memchr(b'<', &rest.as_bytes()[skip..]).map_or(rest.len(), |at| at + skip),
        };
        self.at += end;
        Token::Text(&rest[..end])
    }

    /// Skips a comment, a declaration or a processing instruction.
    fn skip_declaration(&mut self) {
        let rest = self.rest().as_bytes();
        if rest.starts_with(b"<!--") && !self.unclosed.comment {
            // From the first dashes on, since `<!-->` is a whole comment.
            match memmem::find(&rest[2..], b"-->") {
                Some(at) => {
                    self.at += 2 + at + 3;
                    return;
                }
                None => self.unclosed.comment = true,
            }
        }
        match memchr(b'>', rest) {
            Some(at) => self.at += at + 1,
            None => {
                self.unclosed.tag = true;
                self.at = self.html.len();
            }
        }
    }

    fn end_tag(&mut self) -> Option<Token<'a>> {
        let inner = &self.rest()[2..];
        let Some(end) = memchr(b'>', inner.as_bytes()) else {
            self.unclosed.tag = true;
            return None;
        };
        self.at += 2 + end + 1;
        Some(Token::End(&inner[..name_length(&inner[..end])]))
    }

    fn start_tag(&mut self) -> Option<Token<'a>> {
        let start = self.at;
        self.at += 1;
        let name = &self.rest()[..name_length(self.rest())];
        self.at += name.len();
        let mut tag = Tag { name, ..Tag::default() };
        loop {
            let rest = self.rest().as_bytes();
            let skipped =
                rest.iter().position(|byte| !matches!(byte, b'/') && !byte.is_ascii_whitespace());
            let Some(skipped) = skipped else {
                self.unclosed.tag = true;
                self.at = start;
                return None;
            };
            self.at += skipped;
            if rest[skipped] == b'>' {
                self.at += 1;
                break;
            }
            self.attribute(&mut tag);
        }
        let is_dropped = DROPPED.iter().any(|dropped| dropped.eq_ignore_ascii_case(name));
        if is_dropped {
            self.skip_content(name);
        }
        Some(Token::Start(tag))
    }

    fn attribute(&mut self, tag: &mut Tag<'a>) {
        let rest = self.rest();
        let is_end = |byte: &u8| matches!(byte, b'=' | b'>' | b'/') || byte.is_ascii_whitespace();
        // A leading `=` is part of the name, so that every turn gets on.
        let length =
            rest.bytes().skip(1).position(|byte| is_end(&byte)).map_or(rest.len(), |at| at + 1);
        let (name, after) = split_at_boundary(rest, length);
        self.at += name.len();
        let blank = after.len() - after.trim_ascii_start().len();
        let value = if after[blank..].starts_with('=') {
            self.at += blank + 1;
            self.value()
        } else {
            ""
        };
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let slot = match name.len() {
            2 if is("id") => &mut tag.id,
            3 if is("alt") => &mut tag.alt,
            4 if is("cite") => &mut tag.cite,
            4 if is("href") => &mut tag.href,
            4 if is("name") => &mut tag.named,
            4 if is("type") => &mut tag.written_type,
            5 if is("class") => &mut tag.class,
            5 if is("style") => &mut tag.style,
            6 if is("hidden") => {
                tag.is_hidden = true;
                return;
            }
            11 if is("data-marker") => &mut tag.data_marker,
            _ => return,
        };
        slot.get_or_insert(value);
    }

    fn value(&mut self) -> &'a str {
        let blank = self.rest().len() - self.rest().trim_ascii_start().len();
        self.at += blank;
        let rest = self.rest();
        let unclosed = match rest.bytes().next() {
            Some(b'"') => &mut self.unclosed.double_quote,
            Some(b'\'') => &mut self.unclosed.single_quote,
            _ => return self.bare_value(),
        };
        let quote = rest.as_bytes()[0];
        match memchr(quote, &rest.as_bytes()[1..]).filter(|_| !*unclosed) {
            Some(end) => {
                self.at += end + 2;
                &rest[1..=end]
            }
            None => {
                *unclosed = true;
                self.at += 1;
                self.bare_value()
            }
        }
    }

    fn bare_value(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.bytes().position(|byte| byte == b'>' || byte.is_ascii_whitespace());
        let (value, _) = rest.split_at(end.unwrap_or(rest.len()));
        self.at += value.len();
        value
    }

    /// Skips to the end tag of that name; without one the rest is content, as browsers have it.
    fn skip_content(&mut self, name: &str) {
        let bytes = self.html.as_bytes();
        let mut from = self.at;
        while let Some(at) = memmem::find(&bytes[from..], b"</").map(|at| at + from) {
            let inner = &bytes[at + 2..];
            if inner.len() >= name.len()
                && inner[..name.len()].eq_ignore_ascii_case(name.as_bytes())
            {
                self.at = at;
                return;
            }
            from = at + 2;
        }
        self.at = bytes.len();
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.rest().as_bytes();
            if self.unclosed.tag {
                return (!rest.is_empty()).then(|| self.text());
            }
            let token = match rest {
                [] => return None,
                [b'<', b'!' | b'?', ..] => {
                    self.skip_declaration();
                    continue;
                }
                [b'<', b'/', letter, ..] if letter.is_ascii_alphabetic() => self.end_tag(),
                [b'<', letter, ..] if letter.is_ascii_alphabetic() => self.start_tag(),
                _ => Some(self.text()),
            };
            if token.is_some() {
                return token;
            }
        }
    }
}

/// About how many bytes of text an HTML text holds, found without understanding it; hardly ever less
/// than there are (M-16).
pub fn text_estimate(html: &str) -> usize {
    let bytes = html.as_bytes();
    let (mut estimate, mut at, mut is_tag) = (0, 0, false);
    while let Some(found) = memchr2(b'<', b'>', &bytes[at..]) {
        if !is_tag {
            estimate += found;
        }
        is_tag = bytes[at + found] == b'<';
        at += found + 1;
    }
    estimate + bytes.len() - at
}

fn name_length(text: &str) -> usize {
    let is_end = |byte: u8| matches!(byte, b'>' | b'/') || byte.is_ascii_whitespace();
    text.bytes().position(is_end).unwrap_or(text.len())
}

fn split_at_boundary(text: &str, mut at: usize) -> (&str, &str) {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    text.split_at(at)
}
