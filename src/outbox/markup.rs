//! HTML of text and text of HTML, for templates that come in one of the two. Nothing in our HTML is
//! loaded from anywhere; links come from the template alone, never from a value (T-30, T-56).

use crate::mail::html::to_text;

/// The HTML form of a text template: its own text escaped and its links made to work, its tags kept
/// as they are. The engine writes the lines of a value as lines (see `template::engine`).
pub fn html_template(text: &str) -> String {
    format!("<p>{}</p>\n", inline(text.trim_end()))
}

/// As [`html_template`], for a part of a paragraph.
pub fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut after_block = false;
    while !rest.is_empty() {
        let tag = ["{{", "{%", "{#"].iter().filter_map(|open| rest.find(open)).min();
        let (plain, tagged) = rest.split_at(tag.unwrap_or(rest.len()));
        push_plain(&mut out, plain, after_block);
        let end = tag_end(tagged);
        let (tag, after) = tagged.split_at(end);
        push_tag(&mut out, tag);
        after_block = tag.starts_with("{%") || tag.starts_with("{#");
        rest = after;
    }
    out
}

/// The text form of rendered HTML.
pub fn text_of(html: &str) -> String {
    format!("{}\n", to_text(html).text.trim())
}

/// A whole document around `inner`, unless that is one already.
pub fn document(inner: &str, locale: &str) -> String {
    if inner.to_ascii_lowercase().contains("<html") {
        return inner.to_owned();
    }
    include_str!("templates/layout.html").replacen("LOCALE", &escaped(locale), 1).replacen(
        "INNER",
        inner.trim(),
        1,
    )
}

/// `text` with what HTML would take for its own written as entities.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("&quot;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&#39;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(c),
        }
    }
    out
}

fn push_plain(out: &mut String, plain: &str, after_block: bool) {
    let mut plain = plain;
    // The engine drops this line end (`trim_blocks`), so it is none to the reader.
    if after_block && let Some(rest) = plain.strip_prefix('\n') {
        out.push('\n');
        plain = rest;
    }
    let mut paragraphs = plain.split("\n\n").peekable();
    while let Some(paragraph) = paragraphs.next() {
        let lines: Vec<String> = paragraph.split('\n').map(linked).collect();
        out.push_str(&lines.join("<br>\n"));
        if paragraphs.peek().is_some() {
            out.push_str("</p>\n<p>");
        }
    }
}

// The template's own words only: `https://…` up to a space.
fn linked(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let bare = word.trim_end_matches(['.', ',', ';', ':', ')', '!', '?']);
        let is_link = ["http://", "https://"]
            .iter()
            .any(|scheme| bare.len() > scheme.len() && bare.starts_with(scheme));
        if !is_link {
            return escaped(word);
        }
        let link = escaped(bare);
        format!("<a href=\"{link}\">{link}</a>{}", escaped(&word[bare.len()..]))
    });
    words.collect::<Vec<_>>().join(" ")
}

fn push_tag(out: &mut String, tag: &str) {
    let name = tag.strip_prefix("{{").and_then(|tag| tag.strip_suffix("}}")).map(str::trim);
    if matches!(
        name,
        Some("portal.activation_url" | "portal.confirm_url" | "portal.url" | "ticket.url")
    ) {
        out.push_str(&format!("<a href=\"{tag}\">{tag}</a>"));
    } else {
        out.push_str(tag);
    }
}

// Where the tag that `text` begins with ends; a `}}` inside quotes does not end it.
fn tag_end(text: &str) -> usize {
    let close = match text.get(..2) {
        Some("{{") => "}}",
        Some("{%") => "%}",
        Some("{#") => return text.find("#}").map_or(text.len(), |end| end + 2),
        _ => return text.len(),
    };
    let mut quote = None;
    for (at, c) in text.char_indices().skip(2) {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if text[at..].starts_with(close) => return at + 2,
            None => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_template_becomes_paragraphs_with_working_links() {
        let html = html_template(
            "Hello <you>,\n\n{% if user.name %}\nYour name: {{ user.name | default(\"}}\") }}\n\
             {% endif %}\nSee https://intra.example/a?b&c.\n{{ portal.url }}\n",
        );
        assert_eq!(
            html,
            "<p>Hello &lt;you&gt;,</p>\n<p>{% if user.name %}\nYour name: \
             {{ user.name | default(\"}}\") }}<br>\n{% endif %}\nSee \
             <a href=\"https://intra.example/a?b&amp;c\">https://intra.example/a?b&amp;c</a>.<br>\n\
             <a href=\"{{ portal.url }}\">{{ portal.url }}</a></p>\n"
        );
    }

    #[test]
    fn html_becomes_text_that_keeps_its_links_whole() {
        let link = format!("https://help.example/portal/activate/{}", "x".repeat(200));
        let text = text_of(&format!("<p>Hello,</p><p><a href=\"{link}\">Choose</a></p>"));
        assert!(text.starts_with("Hello,\n"), "{text}");
        assert!(text.contains(&link), "{text}");
    }

    #[test]
    fn a_whole_document_is_left_alone() {
        assert_eq!(document("<HTML><p>x</p></HTML>", "en"), "<HTML><p>x</p></HTML>");
        let made = document("<p>x</p>", "fr");
        assert!(made.contains("<html lang=\"fr\" ") && made.contains("<p>x</p>"));
        assert!(!made.contains("http"), "nothing is loaded from anywhere");
    }
}
