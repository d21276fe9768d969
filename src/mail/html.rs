//! Turns HTML into the text that a person would read (M-17): in one pass, in linear time, fetching
//! nothing (T-30). The HTML itself stays in the raw message and is never served (T-29).

mod element;
mod entity;
mod token;

use std::borrow::Cow;

use element::{Element, is_hidden, is_void};
use token::{Tag, Token, Tokens};

pub use token::text_estimate;

/// The most links that are followed by their address (M-17).
pub const LINK_LIMIT: usize = 5000;

/// The longest text made from HTML, in bytes (M-17).
pub const TEXT_LIMIT: usize = 1024 * 1024;

/// More quote marks than that say nothing.
const QUOTE_LIMIT: usize = 10;

/// Room for what may be owed before a piece of text: line breaks, quote marks, a list mark.
const MARKS: usize = 64;

/// Elements that are open beyond this one have no effect of their own.
const OPEN_LIMIT: usize = 256;

/// How many open elements an end tag looks back over.
const LOOK_BACK: usize = 64;

/// HTML as text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HtmlText {
    pub text: String,
    pub limit: Option<Limit>,
}

/// The limit at which a text was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Links,
    Text,
}

/// The text of an HTML text (M-17).
pub fn to_text(html: &str) -> HtmlText {
    let mut writer = Writer::default();
    for token in Tokens::of(html) {
        match token {
            Token::End(name) => writer.end(name),
            Token::Start(tag) => writer.start(&tag),
            Token::Text(text) => writer.text(text),
        }
        if writer.limit.is_some() {
            break;
        }
    }
    while let Some(open) = writer.open.pop() {
        writer.close(open);
    }
    HtmlText { text: writer.text, limit: writer.limit }
}

/// An element that is open and whose end does something.
struct Open {
    element: Element,
    /// The length of the text when it began.
    text_length: usize,
    /// Where a link leads.
    href: Option<String>,
}

/// The element whose content is hidden, and how often its name is open inside it.
struct Hidden {
    name: String,
    depth: usize,
}

#[derive(Default)]
struct Writer {
    text: String,
    open: Vec<Open>,
    hidden: Option<Hidden>,
    links: usize,
    limit: Option<Limit>,
    quotes: usize,
    preformatted: usize,
    /// Line breaks owed before the next text: two make an empty line, more never come (M-17).
    breaks: usize,
    /// The line holds only a no-break space: an empty line drawn by hand.
    is_blank_line: bool,
    is_space_owed: bool,
    is_cell_owed: bool,
    is_item_owed: bool,
}

impl Writer {
    fn start(&mut self, tag: &Tag) {
        let element = Element::named(tag.name);
        if let Some(hidden) = &mut self.hidden {
            if !hidden.name.eq_ignore_ascii_case(tag.name) {
                return;
            }
            // These close themselves where the next one begins.
            if !matches!(element, Element::Cell | Element::Item | Element::Paragraph | Element::Row)
            {
                hidden.depth += 1;
                return;
            }
            self.hidden = None;
        }
        if tag.name.eq_ignore_ascii_case("template") || is_hidden(tag) {
            if !matches!(element, Element::Break | Element::Image | Element::Rule)
                && !is_void(tag.name)
            {
                self.hidden = Some(Hidden { name: tag.name.to_owned(), depth: 1 });
            }
            return;
        }
        match element {
            Element::Break => self.line_break(),
            Element::Image => self.image(tag),
            Element::Inline => return,
            Element::Rule => {
                self.break_lines(1);
                self.write("----------");
                self.break_lines(1);
            }
            Element::Cell => self.begin_cell(),
            Element::Paragraph => self.break_lines(2),
            Element::Block | Element::Preformatted | Element::Quote | Element::Row => {
                self.break_lines(1);
            }
            Element::Item => {
                self.break_lines(1);
                self.is_item_owed = true;
            }
            Element::Link => (),
        }
        match element {
            Element::Preformatted => self.preformatted += 1,
            Element::Quote => self.quotes += 1,
            _ => (),
        }
        let is_container = !matches!(element, Element::Break | Element::Image | Element::Rule);
        if is_container && self.open.len() < OPEN_LIMIT {
            let href = match element {
                Element::Link => tag.href.and_then(shown_href),
                _ => None,
            };
            self.open.push(Open { element, text_length: self.text.len(), href });
        } else {
            // Its end would not be noticed.
            match element {
                Element::Preformatted => self.preformatted -= 1,
                Element::Quote => self.quotes -= 1,
                _ => (),
            }
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(hidden) = &mut self.hidden {
            if hidden.name.eq_ignore_ascii_case(name) {
                hidden.depth -= 1;
                if hidden.depth == 0 {
                    self.hidden = None;
                }
            }
            return;
        }
        let element = Element::named(name);
        if element == Element::Break {
            return self.line_break();
        }
        let from = self.open.len().saturating_sub(LOOK_BACK);
        let Some(at) = self.open[from..].iter().rposition(|open| open.element == element) else {
            return;
        };
        while self.open.len() > from + at {
            if let Some(open) = self.open.pop() {
                self.close(open);
            }
        }
    }

    fn close(&mut self, open: Open) {
        match open.element {
            Element::Paragraph => self.break_lines(2),
            Element::Block | Element::Item | Element::Row => self.break_lines(1),
            Element::Link => self.end_link(&open),
            Element::Preformatted => {
                self.preformatted -= 1;
                self.break_lines(1);
            }
            Element::Quote => {
                self.break_lines(1);
                self.quotes -= 1;
            }
            Element::Break | Element::Cell | Element::Image | Element::Inline | Element::Rule => (),
        }
        if open.element == Element::Item {
            self.is_item_owed = false;
        }
    }

    fn text(&mut self, written: &str) {
        if self.hidden.is_some() {
            return;
        }
        let text = entity::decode(written);
        if self.preformatted > 0 {
            return self.preformatted_text(&text);
        }
        let mut words = text.split(is_collapsible).peekable();
        while let Some(word) = words.next() {
            if !word.is_empty() {
                self.write(word);
            }
            if words.peek().is_some() {
                self.is_space_owed = true;
            }
        }
        if self.is_at_line_start() && text.contains('\u{a0}') {
            self.is_blank_line = true;
        }
    }

    fn preformatted_text(&mut self, text: &str) {
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                self.line_break();
            }
            let line = line.trim_end_matches('\r').replace('\u{a0}', " ");
            if !line.is_empty() {
                self.write(&line);
            }
        }
    }

    /// A cell follows another one of its row on the same line.
    fn begin_cell(&mut self) {
        let row = self.open.iter().rev().take(LOOK_BACK).find(|open| open.element == Element::Row);
        if row.is_some_and(|row| self.text.len() > row.text_length) {
            self.breaks = 0;
            self.is_cell_owed = true;
        }
    }

    fn image(&mut self, tag: &Tag) {
        let alt = entity::decode(tag.alt.unwrap_or_default());
        let alt: Vec<&str> = alt.split_whitespace().collect();
        if !alt.is_empty() {
            self.write(&format!("[image: {}]", alt.join(" ")));
        }
    }

    /// `text <url>`, unless the text is the address already (M-17).
    fn end_link(&mut self, open: &Open) {
        let Some(href) = &open.href else { return };
        let text = self.text[open.text_length..].trim();
        // A text much longer than the address is not compared: links may be nested around it.
        let is_address = text.len() < href.len() + 32 && is_same_place(text, href);
        if text.is_empty() || is_address {
            return;
        }
        if self.links == LINK_LIMIT {
            self.limit = Some(Limit::Links);
            return;
        }
        self.links += 1;
        let (breaks, space) = (std::mem::take(&mut self.breaks), self.is_space_owed);
        self.is_space_owed = true;
        self.write(&format!("<{href}>"));
        (self.breaks, self.is_space_owed) = (breaks, space);
    }

    fn line_break(&mut self) {
        if self.hidden.is_none() {
            self.end_blank_line();
            self.breaks = (self.breaks + 1).min(2);
            self.is_space_owed = false;
        }
    }

    fn break_lines(&mut self, breaks: usize) {
        self.end_blank_line();
        if !self.is_cell_owed {
            self.breaks = self.breaks.max(breaks);
            self.is_space_owed = false;
        }
    }

    fn end_blank_line(&mut self) {
        if std::mem::take(&mut self.is_blank_line) {
            self.breaks = 2;
        }
    }

    fn is_at_line_start(&self) -> bool {
        self.breaks > 0 || self.text.is_empty()
    }

    /// Writes a piece of text after whatever is owed before it.
    fn write(&mut self, piece: &str) {
        if self.text.len() + piece.len() + MARKS > TEXT_LIMIT {
            self.limit = Some(Limit::Text);
            return;
        }
        self.is_blank_line = false;
        let is_owed = |owed: &mut bool| std::mem::take(owed);
        let (space, cell) = (is_owed(&mut self.is_space_owed), is_owed(&mut self.is_cell_owed));
        if self.is_at_line_start() {
            self.begin_line();
            if is_owed(&mut self.is_item_owed) {
                self.text.push_str("- ");
            }
        } else if cell {
            self.text.push_str(" | ");
        } else if space {
            self.text.push(' ');
        }
        self.text.push_str(piece);
    }

    fn begin_line(&mut self) {
        let breaks = std::mem::take(&mut self.breaks);
        let quotes = "> ".repeat(self.quotes.min(QUOTE_LIMIT));
        if !self.text.is_empty() {
            self.text.push('\n');
            if breaks > 1 {
                self.text.push_str(quotes.trim_end());
                self.text.push('\n');
            }
        }
        self.text.push_str(&quotes);
    }
}

/// White space that means nothing, and the no-break space that only keeps lines apart.
fn is_collapsible(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}' | '\u{a0}')
}

/// An address worth showing: not a place in the same text, not a script.
fn shown_href(href: &str) -> Option<String> {
    let href: Cow<str> = entity::decode(href);
    let href: String = href.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let lower = href.get(..11).unwrap_or(&href).to_ascii_lowercase();
    let is_shown = !lower.is_empty()
        && !["#", "cid:", "data:", "javascript:"].iter().any(|scheme| lower.starts_with(scheme));
    is_shown.then_some(href)
}

fn is_same_place(text: &str, href: &str) -> bool {
    let bare = |place: &str| {
        let place = place.trim().trim_end_matches('/').to_lowercase();
        let schemes = ["https://", "http://", "mailto:", "tel:"];
        let place = schemes.iter().find_map(|scheme| place.strip_prefix(scheme)).unwrap_or(&place);
        place.strip_prefix("www.").unwrap_or(place).to_owned()
    };
    let href = href.strip_prefix("mailto:").map_or(href, |to| to.split('?').next().unwrap_or(to));
    bare(text) == bare(href)
}

#[cfg(test)]
mod tests;
