//! Decodes the entities of HTML text.

use std::borrow::Cow;

use memchr::memchr;

/// The longest name of an entity, with its `&` and `;`.
const LONGEST: usize = 34;

/// Names that mailers write without the semicolon.
const BARE: [(&str, &str); 5] =
    [("&amp", "&"), ("&gt", ">"), ("&lt", "<"), ("&nbsp", "\u{a0}"), ("&quot", "\"")];

/// The text with its entities decoded; what is none stays.
pub fn decode(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'&', text.as_bytes()) else { return Cow::Borrowed(text) };
    let mut decoded = String::with_capacity(text.len());
    decoded.push_str(&text[..first]);
    let mut rest = &text[first..];
    while !rest.is_empty() {
        let length = entity(rest, &mut decoded);
        rest = &rest[length..];
        let plain = memchr(b'&', rest.as_bytes()).unwrap_or(rest.len());
        decoded.push_str(&rest[..plain]);
        rest = &rest[plain..];
    }
    Cow::Owned(decoded)
}

/// Decodes the entity that `text` begins with, or takes its `&` alone; gives the length taken.
fn entity(text: &str, decoded: &mut String) -> usize {
    let bytes = text.as_bytes();
    let name = &bytes[1..bytes.len().min(LONGEST)];
    let length = name.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'#');
    let end = 1 + length.unwrap_or(name.len());
    let is_closed = bytes.get(end) == Some(&b';');
    if let Some(number) = text[1..end].strip_prefix('#') {
        return match character(number) {
            Some(c) => {
                decoded.push(c);
                end + usize::from(is_closed)
            }
            None => literal(decoded),
        };
    }
    if is_closed {
        mail_parser::decoders::html::add_html_token(decoded, &bytes[..=end], false);
        return end + 1;
    }
    match BARE.iter().find(|(name, _)| text.starts_with(name)) {
        Some((name, meant)) => {
            decoded.push_str(meant);
            name.len()
        }
        None => literal(decoded),
    }
}

fn literal(decoded: &mut String) -> usize {
    decoded.push('&');
    1
}

/// A numeric reference. Those of the C1 controls mean windows-1252, as in browsers.
fn character(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => number.parse().ok()?,
    };
    if let Ok(byte @ 0x80..=0x9f) = u8::try_from(code) {
        let bytes = [byte];
        let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes);
        return text.chars().next();
    }
    Some(char::from_u32(code).filter(|c| *c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn m_17_entities_are_decoded() {
        for (text, decoded) in [
            ("caf&eacute;", "café"),
            ("&lt;a&gt; &amp;amp;", "<a> &amp;"),
            ("&#233;&#xE9;&#146;", "éé’"),
            ("&nbsp&nbsp;x", "\u{a0}\u{a0}x"),
            ("a & b &c; &", "a & b &c; &"),
            ("?a=1&copy=2", "?a=1&copy=2"),
            ("&#xD800;&#0;", "\u{fffd}\u{fffd}"),
            ("&é;", "&é;"),
        ] {
            assert_eq!(decode(text), decoded, "{text}");
        }
    }
}
