//! Reads the groups of fields inside delivery status and disposition parts (RFC 3464, M-62 source 1,
//! M-63b).

use std::borrow::Cow;

use super::BouncedRecipient;
use super::status::{derived, enhanced_code, is_vague};
use crate::mail::headers::{Fields, LineEnd, keyword, read_block, unfold, without_comments};

/// More groups than any report has.
const GROUP_LIMIT: usize = 500;

/// How much is kept of what a server said.
const DIAGNOSTIC_LIMIT: usize = 500;

/// What a report says of one recipient.
#[derive(Debug)]
pub struct Group {
    /// Delivered, relayed, expanded, or Status 2.x (M-59).
    pub is_success: bool,
    /// A disposition says that the mail was deleted unread (M-60).
    pub is_deleted: bool,
    /// `None` when the group names none.
    pub address: Option<String>,
    pub action: Option<String>,
    pub status: Option<String>,
    pub diagnostic: Option<String>,
}

impl Group {
    /// The words by which a report is a challenge (M-68).
    pub fn challenge(&self) -> Option<String> {
        let diagnostic = self.diagnostic.as_deref()?;
        let words = diagnostic.to_lowercase();
        let is_challenge =
            words.contains("x-boxbe-notice") || words.contains("sender not pre-approved");
        is_challenge
            .then(|| format!("Diagnostic-Code={}", diagnostic.chars().take(80).collect::<String>()))
    }

    /// The recipient that the group names.
    pub fn recipient(self) -> Option<BouncedRecipient> {
        let Group { address, action, status, diagnostic, .. } = self;
        Some(BouncedRecipient { address: address?, action, status, diagnostic })
    }
}

/// The groups that speak of a recipient, in order.
pub fn groups(status: &[u8]) -> Vec<Group> {
    let line_end = LineEnd::of(status);
    let mut groups = Vec::new();
    let mut at = 0;
    while at < status.len() && groups.len() < GROUP_LIMIT {
        let Ok(block) = read_block(status, at, line_end, |_| false) else { break };
        groups.extend(group(&block.fields));
        // Text between groups is stepped over.
        at = if block.body > at { block.body } else { line_end.line(status, at).1 };
    }
    groups
}

fn group(fields: &Fields) -> Option<Group> {
    const RECIPIENT_FIELDS: [&str; 3] =
        ["final-recipient", "original-recipient", "x-actual-recipient"];
    let names_recipient = RECIPIENT_FIELDS.iter().any(|name| fields.has(name));
    if !names_recipient && !fields.has("action") {
        return None;
    }
    let action = fields.first("action").map(keyword).filter(|action| !action.is_empty());
    let diagnostic = fields.first("diagnostic-code").map(text).filter(|text| !text.is_empty());
    let status = status(fields, diagnostic.as_deref());
    let is_served =
        |action: &str| matches!(action, "deliverable" | "delivered" | "expanded" | "relayed");
    let is_success = match action.as_deref() {
        Some(action) => is_served(action),
        None => status.as_deref().is_some_and(|status| status.starts_with('2')),
    };
    let addresses: Vec<String> =
        RECIPIENT_FIELDS.iter().filter_map(|name| address(name, fields.first(name)?)).collect();
    let is_dotted = |address: &&String| {
        address.rsplit_once('@').is_some_and(|(_, domain)| domain.contains('.'))
    };
    let address = addresses.iter().find(is_dotted).or(addresses.first()).cloned();
    Some(Group {
        is_success,
        is_deleted: keyword_after_semicolon(fields, "disposition").contains("deleted"),
        address,
        action,
        status,
        diagnostic,
    })
}

/// The address of a recipient field: type, brackets and quotes cut, encodings undone; void ones are
/// none (M-62).
fn address(name: &str, raw: &[u8]) -> Option<String> {
    let value = String::from_utf8_lossy(&without_comments(raw)).into_owned();
    let (kind, value) = value.split_once(';').unwrap_or(("", value.as_str()));
    let is_wrapping = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'');
    // A quoted local part keeps its quotes.
    let is_quoted = value.trim().starts_with('"') && value.contains("\"@");
    let value = if is_quoted { value.trim() } else { value.trim_matches(is_wrapping) };
    let value = value.strip_prefix("mailto:").unwrap_or(value);
    let value = match kind.trim().to_ascii_lowercase().as_str() {
        "utf-8" => without_escapes(value),
        _ if name == "original-recipient" => without_xtext(value),
        _ => value.to_owned(),
    };
    if is_quoted || !value.contains(char::is_whitespace) {
        return value.contains('@').then_some(value);
    }
    let mut words = value.split_whitespace().map(|word| word.trim_matches(is_wrapping));
    words.find(|word| word.contains('@')).map(str::to_owned)
}

/// Undoes `+2B` and its like (RFC 3461 §4), which servers leave as the client gave them. Only what
/// has to be encoded is decoded: other pairs are more likely to be a tag of the address.
fn without_xtext(value: &str) -> String {
    const ENCODED: [(&str, char); 4] = [("20", ' '), ("2B", '+'), ("3D", '='), ("40", '@')];
    let mut pieces = value.split('+');
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let encoded = ENCODED.iter().find_map(|(hex, c)| Some((piece.strip_prefix(hex)?, *c)));
        let (rest, c) = encoded.unwrap_or((piece, '+'));
        decoded.push(c);
        decoded.push_str(rest);
    }
    decoded
}

/// Undoes `\x{7530}` (RFC 6533 §3).
fn without_escapes(value: &str) -> String {
    let mut pieces = value.split("\\x{");
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let escape = piece.split_once('}').and_then(|(hex, rest)| {
            Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, rest))
        });
        match escape {
            Some((c, rest)) => {
                decoded.push(c);
                decoded.push_str(rest);
            }
            None => {
                decoded.push_str("\\x{");
                decoded.push_str(piece);
            }
        }
    }
    decoded
}

/// The enhanced code of a group: that of Status unless it says nothing, else that of Diagnostic-Code,
/// else what its words amount to (M-63b).
fn status(fields: &Fields, diagnostic: Option<&str>) -> Option<String> {
    let written = fields.first("status").and_then(|raw| enhanced_code(&text(raw)));
    if let Some(written) = written.as_ref().filter(|written| !is_vague(written)) {
        return Some(written.clone());
    }
    let derived = || diagnostic.and_then(derived).map(|(code, _)| code.to_owned());
    diagnostic.and_then(enhanced_code).or(written).or_else(derived)
}

fn keyword_after_semicolon(fields: &Fields, name: &str) -> String {
    let value = fields.first(name).map(text).unwrap_or_default().to_lowercase();
    value.split_once(';').map(|(_, value)| value.to_owned()).unwrap_or_default()
}

/// A value on one line, as people read it.
fn text(raw: &[u8]) -> String {
    let line = unfold(raw);
    let line: Cow<str> = String::from_utf8_lossy(&line);
    let line: String = line.chars().filter(|c| !c.is_control() || *c == '\t').collect();
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ").chars().take(DIAGNOSTIC_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_62_recipient_fields_are_read_however_they_are_written() {
        for (name, raw, expected) in [
            ("final-recipient", "rfc822; a@x.example", Some("a@x.example")),
            ("final-recipient", "RFC822;<a@x.example>", Some("a@x.example")),
            ("final-recipient", "a@x.example", Some("a@x.example")),
            ("final-recipient", "rfc822; 'a@x.example' (A)", Some("a@x.example")),
            ("final-recipient", "rfc822; \"a b\"@x.example", Some("\"a b\"@x.example")),
            ("final-recipient", "rfc822; Claire <a@x.example>", Some("a@x.example")),
            ("final-recipient", "rfc822; a+2Bb@x.example", Some("a+2Bb@x.example")),
            ("original-recipient", "rfc822;a+2Bb+3Dc@x.example", Some("a+b=c@x.example")),
            ("original-recipient", "rfc822;a+tag@x.example", Some("a+tag@x.example")),
            ("final-recipient", "utf-8; 田中@x.example", Some("田中@x.example")),
            ("final-recipient", "utf-8; \\x{7530}\\x{4E2D}@x.example", Some("田中@x.example")),
            ("final-recipient", "utf-8; \\x{}a\\x@x.example", Some("\\x{}a\\x@x.example")),
            ("final-recipient", "rfc822;", None),
            ("final-recipient", "x400; /O=X/S=Y", None),
            ("final-recipient", "rfc822; claire", None),
        ] {
            assert_eq!(address(name, raw.as_bytes()).as_deref(), expected, "{raw}");
        }
    }
}
