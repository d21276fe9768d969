//! Puts words and line breaks where the elements want them.

use super::{LIST_LIMIT, LOOK_BACK, OWED, Open, WORD_BULLETS, Writer};
use crate::mail::html::element::Element;
use crate::mail::html::link::is_same_place;
use crate::mail::html::token::Tag;
use crate::mail::html::{LINK_LIMIT, Limit, TEXT_LIMIT, entity};

impl Writer<'_> {
    pub(super) fn text(&mut self, written: &str) {
        if self.hidden.is_some() {
            return;
        }
        let text = entity::decode(written);
        if self.list_marks > 0 && WORD_BULLETS.contains(&text.trim()) {
            self.is_item_owed = true;
            return;
        }
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
    pub(super) fn begin_cell(&mut self) {
        let row = self.open.iter().rev().take(LOOK_BACK).find(|open| open.element == Element::Row);
        if row.is_some_and(|row| self.text.len() > row.text_length) {
            self.breaks = 0;
            self.is_cell_owed = true;
        }
    }

    pub(super) fn image(&mut self, tag: &Tag) {
        let alt = entity::decode(tag.alt.unwrap_or_default());
        let alt: Vec<&str> = alt.split_whitespace().collect();
        if !alt.is_empty() {
            self.write(&format!("[image: {}]", alt.join(" ")));
        }
    }

    /// `text <url>`, unless the text is the address already (M-17).
    pub(super) fn end_link(&mut self, open: &Open) {
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

    pub(super) fn line_break(&mut self) {
        if self.hidden.is_none() {
            self.end_blank_line();
            if !std::mem::take(&mut self.is_line_ended) {
                self.breaks = (self.breaks + 1).min(2);
            }
            self.is_space_owed = false;
        }
    }

    pub(super) fn break_lines(&mut self, breaks: usize) {
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
    pub(super) fn write(&mut self, piece: &str) {
        if self.text.len() + piece.len() + OWED > TEXT_LIMIT {
            self.limit = Some(Limit::Text);
            return;
        }
        self.is_blank_line = false;
        self.is_line_ended = false;
        let is_owed = |owed: &mut bool| std::mem::take(owed);
        let (space, cell) = (is_owed(&mut self.is_space_owed), is_owed(&mut self.is_cell_owed));
        if self.is_at_line_start() {
            self.begin_line();
            if is_owed(&mut self.is_item_owed) {
                let level = self.lists.clamp(1, LIST_LIMIT);
                self.text.extend(std::iter::repeat_n("  ", level - 1));
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
        if !self.text.is_empty() {
            self.text.push('\n');
            if breaks > 1 {
                self.text.push_str(self.prefix[..self.outer].trim_end());
                self.text.push('\n');
            }
        }
        self.text.push_str(&self.prefix);
        self.outer = self.prefix.len();
    }
}

/// White space that means nothing, and the no-break space that only keeps lines apart.
fn is_collapsible(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}' | '\u{a0}')
}
