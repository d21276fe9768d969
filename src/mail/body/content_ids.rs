//! The ids by which the HTML of a message shows pictures (M-26).

use std::collections::HashSet;

use crate::mail::transfer::hex_pair;

/// Notes the ids that an HTML shows pictures by (M-26).
pub fn note(html: &str, content_ids: &mut HashSet<String>) {
    let mut rest = html;
    while let Some(at) = rest.find(':') {
        let scheme = &rest.as_bytes()[at.saturating_sub("cid".len())..at];
        rest = &rest[at + 1..];
        if !scheme.eq_ignore_ascii_case(b"cid") {
            continue;
        }
        let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '>' | ')' | '<');
        let id = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        content_ids.insert(percent_decoded(id));
        rest = &rest[id.len()..];
    }
}

fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, hex_pair(after)) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            _ => decoded.push(*first),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
