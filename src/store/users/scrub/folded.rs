//! A text without accents and case, which knows where each part of it came from.

use regex::Regex;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The text without accents and case.
pub fn folded(text: &str) -> String {
    Folded::of(text).text
}

/// A folded text, and the one it was made of.
pub struct Folded<'a> {
    source: &'a str,
    text: String,
    /// For each byte of the text where the character that it came from begins; and the end.
    from: Vec<usize>,
}

impl Folded<'_> {
    pub fn of(source: &str) -> Folded<'_> {
        let mut text = String::with_capacity(source.len());
        let mut from = Vec::with_capacity(source.len() + 1);
        for (at, c) in source.char_indices() {
            let plain = std::iter::once(c).nfkd().filter(|c| !is_combining_mark(*c));
            text.extend(plain.flat_map(char::to_lowercase));
            from.resize(text.len(), at);
        }
        from.push(source.len());
        Folded { source, text, from }
    }

    /// The text as it was, with `instead` in the place of what `words` finds in the folded one.
    pub fn replace(&self, words: &Regex, instead: &str) -> String {
        let mut left = String::with_capacity(self.source.len());
        let mut done = 0;
        for found in words.find_iter(&self.text) {
            // Of a character that became several, all goes.
            let (start, end) = (self.from[found.start()], self.end_of(found.end()));
            left.push_str(&self.source[done..start.max(done)]);
            left.push_str(instead);
            done = end;
        }
        left.push_str(&self.source[done..]);
        left
    }

    // Where the character ends whose last byte stands before `end`, with the accents after it.
    fn end_of(&self, end: usize) -> usize {
        let last = self.from[end - 1];
        self.from[end..].iter().copied().find(|at| *at > last).unwrap_or(self.source.len())
    }
}
