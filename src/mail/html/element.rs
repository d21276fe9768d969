//! What the elements of HTML do to the text around them.

use super::token::Tag;

/// What an element does to the text around it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Element {
    Block,
    Break,
    Cell,
    Image,
    Inline,
    Item,
    Link,
    Paragraph,
    Preformatted,
    Quote,
    Row,
    Rule,
}

impl Element {
    pub fn named(name: &str) -> Element {
        let mut lower = [0; 10];
        let Some(lower) = lower.get_mut(..name.len()) else { return Element::Inline };
        lower.copy_from_slice(name.as_bytes());
        lower.make_ascii_lowercase();
        match &*lower {
            b"a" => Element::Link,
            b"blockquote" => Element::Quote,
            b"br" => Element::Break,
            b"hr" => Element::Rule,
            b"img" => Element::Image,
            b"li" => Element::Item,
            b"p" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => Element::Paragraph,
            b"listing" | b"pre" | b"textarea" | b"xmp" => Element::Preformatted,
            b"td" | b"th" => Element::Cell,
            b"tr" => Element::Row,
            b"address" | b"article" | b"aside" | b"body" | b"caption" | b"center" | b"dd"
            | b"dir" | b"div" | b"dl" | b"dt" | b"fieldset" | b"figcaption" | b"figure"
            | b"footer" | b"form" | b"header" | b"html" | b"legend" | b"main" | b"menu"
            | b"nav" | b"ol" | b"option" | b"section" | b"table" | b"tbody" | b"tfoot"
            | b"thead" | b"ul" => Element::Block,
            _ => Element::Inline,
        }
    }
}

/// Whether the element asks not to be seen (M-17).
pub fn is_hidden(tag: &Tag) -> bool {
    tag.is_hidden
        || tag.style.is_some_and(|style| {
            let mut style = style.to_ascii_lowercase();
            style.retain(|c| !c.is_ascii_whitespace());
            style.contains("display:none") || style.contains("visibility:hidden")
        })
}

/// Elements that never have an end tag.
pub fn is_void(name: &str) -> bool {
    const VOID: [&str; 9] =
        ["area", "base", "col", "embed", "input", "link", "meta", "source", "wbr"];
    VOID.iter().any(|void| void.eq_ignore_ascii_case(name))
}
