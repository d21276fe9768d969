//! What the elements of HTML do to the text around them.

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
    List,
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
            b"dir" | b"menu" | b"ol" | b"ul" => Element::List,
            b"p" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => Element::Paragraph,
            b"listing" | b"pre" | b"textarea" | b"xmp" => Element::Preformatted,
            b"td" | b"th" => Element::Cell,
            b"tr" => Element::Row,
            b"address" | b"article" | b"aside" | b"body" | b"caption" | b"center" | b"dd"
            | b"div" | b"dl" | b"dt" | b"fieldset" | b"figcaption" | b"figure" | b"footer"
            | b"form" | b"header" | b"html" | b"legend" | b"main" | b"nav" | b"option"
            | b"section" | b"table" | b"tbody" | b"tfoot" | b"thead" => Element::Block,
            _ => Element::Inline,
        }
    }
}

/// Elements that never have an end tag.
pub fn is_void(name: &str) -> bool {
    const VOID: [&str; 9] =
        ["area", "base", "col", "embed", "input", "link", "meta", "source", "wbr"];
    VOID.iter().any(|void| void.eq_ignore_ascii_case(name))
}
