//! Writes the text of HTML, element by element (M-17), and notes the marks of clients (M-100).

mod text;

use super::client::{self, MarkKind, is_cite, is_word_section};
use super::element::{Element, is_void};
use super::link::shown_href;
use super::style::Style;
use super::token::{Tag, Token, Tokens};
use super::{HtmlText, Limit, Mark};
use crate::mail::reply;

/// More marks than that are not a client's.
const MARK_LIMIT: usize = 256;

/// A line begins with no more bytes of quote marks and indentation; more say nothing.
const PREFIX_LIMIT: usize = 20;

/// Room for what may be owed before a piece of text: line breaks, quote marks, a list mark.
const OWED: usize = 128;

/// Word's bullets, as they read in an ordinary font.
const WORD_BULLETS: [&str; 8] = ["-", "o", "v", "§", "·", "Ø", "ü", "•"];

/// Lists inside lists are moved to the right as far as this.
const LIST_LIMIT: usize = 8;

/// Elements that are open beyond this one have no effect of their own.
const OPEN_LIMIT: usize = 256;

/// How many open elements an end tag looks back over.
const LOOK_BACK: usize = 64;

/// An element that is open and whose end does something.
struct Open<'a> {
    element: Element,
    name: &'a str,
    /// How many elements of its name are open inside an inline one.
    depth: usize,
    /// The length of the text when it began.
    text_length: usize,
    /// Where a link leads.
    href: Option<String>,
    is_list_mark: bool,
    is_preformatted: bool,
    is_quote: bool,
    /// Word's section, before its first child that is no paragraph and no list.
    is_word_section: bool,
    mark: Option<usize>,
    /// The length of the prefix outside.
    prefix_length: usize,
}

/// The element whose content is hidden, and how often its name is open inside it.
struct Hidden<'a> {
    name: &'a str,
    depth: usize,
}

#[derive(Default)]
pub struct Writer<'a> {
    text: String,
    open: Vec<Open<'a>>,
    hidden: Option<Hidden<'a>>,
    links: usize,
    limit: Option<Limit>,
    marks: Vec<Mark>,
    /// What each line begins with: the quote marks and the indentation of open blockquotes.
    prefix: String,
    /// How much of it has been there since the last text: an empty line stands outside a quote that
    /// begins or ends there.
    outer: usize,
    /// How many marked quotes, texts whose white space counts, inline elements, lists and Word's
    /// marks of list items are open.
    quotes: usize,
    preformatted: usize,
    inlines: usize,
    lists: usize,
    list_marks: usize,
    /// Line breaks owed before the next text: two make an empty line, more never come (M-17).
    breaks: usize,
    /// The line holds only a no-break space: an empty line drawn by hand.
    is_blank_line: bool,
    /// An inline element with a mark has ended the line; the `<br>` that follows it would have.
    is_line_ended: bool,
    is_space_owed: bool,
    is_cell_owed: bool,
    is_item_owed: bool,
}

impl<'a> Writer<'a> {
    /// Writes the whole text, up to a limit.
    pub fn write_all(mut self, tokens: Tokens<'a>) -> HtmlText {
        for token in tokens {
            match token {
                Token::End(name) => self.end(name),
                Token::Start(tag) => self.start(&tag),
                Token::Text(text) => self.text(text),
            }
            if self.limit.is_some() {
                break;
            }
        }
        while let Some(open) = self.open.pop() {
            self.close(open);
        }
        HtmlText { text: self.text, marks: self.marks, limit: self.limit }
    }

    fn start(&mut self, tag: &Tag<'a>) {
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
        let style = Style::of(tag);
        let has_content = !matches!(element, Element::Break | Element::Image | Element::Rule)
            && !is_void(tag.name);
        if tag.name.eq_ignore_ascii_case("template") || style.is_hidden {
            if has_content {
                self.hidden = Some(Hidden { name: tag.name, depth: 1 });
            }
            return;
        }
        let mark = self.begin_mark(tag, style, element);
        match element {
            Element::Break => self.line_break(),
            Element::Image => self.image(tag),
            Element::Inline | Element::Link => {}
            Element::Rule => {
                self.break_lines(1);
                self.write("----------");
                self.break_lines(1);
            }
            Element::Cell => self.begin_cell(),
            Element::Paragraph if self.is_item_owed => self.break_lines(1),
            Element::Paragraph => self.break_lines(2),
            Element::Block
            | Element::List
            | Element::Preformatted
            | Element::Quote
            | Element::Row => {
                self.break_lines(1);
            }
            Element::Item => {
                self.break_lines(1);
                self.is_item_owed = true;
            }
        }
        if has_content && self.open.len() < OPEN_LIMIT {
            self.open(tag, style, element, mark);
        }
    }

    /// Notes an element whose end does something.
    fn open(&mut self, tag: &Tag<'a>, style: Style, element: Element, mark: Option<usize>) {
        let is_preformatted = element == Element::Preformatted || style.keeps_white_space;
        let is_plain = mark.is_none() && !is_preformatted && !style.is_list_mark;
        if element == Element::Inline && is_plain {
            if let Some(outer) = self.open_inline(tag.name) {
                self.open[outer].depth += 1;
            }
            return;
        }
        let kind = mark.map(|mark| self.marks[mark].kind);
        let is_quote = matches!(kind, Some(MarkKind::Cite | MarkKind::Quote));
        let prefix_length = self.prefix.len();
        if element == Element::Quote && self.prefix.len() < PREFIX_LIMIT {
            let is_quoted = is_quote || self.quotes > 0 || is_cite(tag);
            self.prefix.push_str(if is_quoted { "> " } else { "    " });
        }
        self.quotes += usize::from(is_quote);
        self.preformatted += usize::from(is_preformatted);
        self.inlines += usize::from(element == Element::Inline);
        self.lists += usize::from(element == Element::List);
        self.list_marks += usize::from(style.is_list_mark);
        self.open.push(Open {
            element,
            name: tag.name,
            depth: 0,
            text_length: self.text.len(),
            href: match element {
                Element::Link => tag.href.and_then(shown_href),
                _ => None,
            },
            is_list_mark: style.is_list_mark,
            is_preformatted,
            is_quote,
            is_word_section: is_word_section(tag),
            mark,
            prefix_length,
        });
    }

    /// Notes what a client says of the element; inside a quote nothing is noted (M-100).
    fn begin_mark(&mut self, tag: &Tag, style: Style, element: Element) -> Option<usize> {
        if self.quotes > 0 || self.marks.len() == MARK_LIMIT {
            return None;
        }
        let is_child_of_section = matches!(element, Element::Block | Element::Quote)
            && self.open.last_mut().is_some_and(|open| std::mem::take(&mut open.is_word_section));
        let kind = client::kind(tag, style).or_else(|| match element {
            Element::Quote if is_cite(tag) || reply::introduces_quote(&self.text) => {
                Some(MarkKind::Cite)
            }
            Element::Quote => Some(MarkKind::Indented),
            _ => is_child_of_section.then_some(MarkKind::Ruled),
        })?;
        let has_content = !matches!(element, Element::Break | Element::Image | Element::Rule);
        let is_start = matches!(kind, MarkKind::QuoteToEnd | MarkKind::Ruled);
        if !is_start && (!has_content || self.open.len() >= OPEN_LIMIT) {
            return None;
        }
        self.is_cell_owed = false;
        self.break_lines(1);
        self.marks.push(Mark { kind, range: self.text.len()..self.text.len() });
        Some(self.marks.len() - 1)
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
        let at = match element {
            Element::Break => return self.line_break(),
            Element::Inline => self.open_inline(name),
            _ => self.open_named(name),
        };
        let Some(at) = at else { return };
        if self.open[at].depth > 0 {
            self.open[at].depth -= 1;
            return;
        }
        while self.open.len() > at {
            if let Some(open) = self.open.pop() {
                self.close(open);
            }
        }
    }

    fn open_inline(&self, name: &str) -> Option<usize> {
        if self.inlines == 0 { None } else { self.open_named(name) }
    }

    fn open_named(&self, name: &str) -> Option<usize> {
        let from = self.open.len().saturating_sub(LOOK_BACK);
        let at = self.open[from..].iter().rposition(|open| open.name.eq_ignore_ascii_case(name));
        at.map(|at| from + at)
    }

    fn close(&mut self, open: Open) {
        if let Some(mark) = open.mark {
            self.marks[mark].range.end = self.text.len();
            self.break_lines(1);
            self.is_line_ended = open.element == Element::Inline;
        }
        match open.element {
            Element::Paragraph => self.break_lines(2),
            Element::Block
            | Element::Item
            | Element::List
            | Element::Preformatted
            | Element::Quote
            | Element::Row => self.break_lines(1),
            Element::Link => self.end_link(&open),
            Element::Break | Element::Cell | Element::Image | Element::Inline | Element::Rule => {}
        }
        if open.element == Element::Item {
            self.is_item_owed = false;
        }
        self.prefix.truncate(open.prefix_length);
        self.outer = self.outer.min(open.prefix_length);
        self.quotes -= usize::from(open.is_quote);
        self.preformatted -= usize::from(open.is_preformatted);
        self.inlines -= usize::from(open.element == Element::Inline);
        self.lists -= usize::from(open.element == Element::List);
        self.list_marks -= usize::from(open.is_list_mark);
    }
}
