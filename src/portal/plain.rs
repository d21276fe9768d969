//! Plain text as HTML: escaped, its addresses of web pages made links. What a stranger wrote stays
//! text (T-29), and nothing in it is fetched (T-30).

/// What a link in somebody's text says about itself.
pub(super) const REL: &str = "noopener noreferrer nofollow";

const SCHEMES: [&str; 2] = ["https://", "http://"];

/// `text` as HTML that can stand in any element.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some((at, length)) = next_link(rest) {
        escape(&rest[..at], &mut out);
        let link = &rest[at..at + length];
        out.push_str("<a href=\"");
        escape(link, &mut out);
        out.push_str(&format!("\" rel=\"{REL}\">"));
        escape(link, &mut out);
        out.push_str("</a>");
        rest = &rest[at + length..];
    }
    escape(rest, &mut out);
    out
}

/// Adds `text` to HTML, for an element or an attribute in double quotes.
pub(super) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Nothing a browser shows, and some of it turns what follows around.
            c if is_invisible(c) => {}
            c => out.push(c),
        }
    }
}

fn is_invisible(c: char) -> bool {
    let is_space = matches!(c, '\n' | '\r' | '\t');
    (c.is_control() && !is_space) || turns_text(c)
}

// Bidirectional controls: they make `exe.gpj` of `jpg.exe` (T-13).
fn turns_text(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Where the next link is, and how long.
fn next_link(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(colon) = text[from..].find("://").map(|at| at + from) {
        from = colon + 3;
        let begins = SCHEMES.iter().find_map(|scheme| {
            let start = from.checked_sub(scheme.len())?;
            let is_it = text.get(start..from)?.eq_ignore_ascii_case(scheme);
            // `xhttp://` is no scheme that we know.
            let is_alone = !text[..start].ends_with(|c: char| c.is_alphanumeric());
            (is_it && is_alone).then_some(start)
        });
        let Some(start) = begins else { continue };
        let end = from + length_of(&text[from..]);
        if end > from {
            return Some((start, end - start));
        }
    }
    None
}

/// How much of a text goes on a link after its scheme: not the full stop of the sentence around it.
fn length_of(text: &str) -> usize {
    let ends = |c: char| {
        c.is_whitespace() || is_invisible(c) || matches!(c, '<' | '>' | '"' | '`' | '|' | '{' | '}')
    };
    let mut link = &text[..text.find(ends).unwrap_or(text.len())];
    if !link.starts_with(|c: char| c.is_alphanumeric() || c == '[') {
        return 0;
    }
    while let Some(last) = link.chars().next_back() {
        let is_loose = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '…' | '»' | '”' | '’' => {
                true
            }
            ')' => link.matches(')').count() > link.matches('(').count(),
            ']' => link.matches(']').count() > link.matches('[').count(),
            _ => false,
        };
        if !is_loose {
            break;
        }
        link = &link[..link.len() - last.len_utf8()];
    }
    link.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_29_what_somebody_wrote_stays_text() {
        for (written, expected) in [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("a & \"b\" 'c'", "a &amp; &quot;b&quot; &#39;c&#39;"),
            ("javascript:alert(1) data:text/html,x", "javascript:alert(1) data:text/html,x"),
            ("jpg\u{202e}gpj.exe\0\u{1b}[2J", "jpggpj.exe[2J"),
            ("one\n\ttwo", "one\n\ttwo"),
        ] {
            assert_eq!(html(written), expected);
        }
        let hostile = html("http://x\"onmouseover=\"alert(1) https://x'><img/src=x>");
        assert!(!hostile.contains("\"onmouseover"), "{hostile}");
        assert!(!hostile.contains("<img"), "{hostile}");
    }

    #[test]
    fn addresses_become_links_without_the_sentence_around_them() {
        let links = |text: &str| -> Vec<String> {
            let html = html(text);
            let hrefs = html.split("href=\"").skip(1);
            hrefs.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
        };
        assert_eq!(links("See https://a.example/x?a=1&b=2."), ["https://a.example/x?a=1&amp;b=2"]);
        assert_eq!(
            links("(http://a.example/x_(y)), HTTP://B.example!"),
            ["http://a.example/x_(y)", "HTTP://B.example"]
        );
        assert_eq!(links("<https://a.example/>"), ["https://a.example/"]);
        for none in ["https://", "ftp://x", "xhttps://a", "http://-", "://", "é://x", ""] {
            assert_eq!(links(none), [""; 0], "{none}");
        }
        assert!(html("https://a.example").contains("rel=\"noopener noreferrer nofollow\""));
    }
}
