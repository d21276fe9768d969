//! Reads the groups of fields inside delivery status and disposition parts (RFC 3464, M-62 source 1,
//! M-63b).

use std::borrow::Cow;

use super::BouncedRecipient;
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
    /// `None` when the group names no address.
    pub recipient: Option<BouncedRecipient>,
    challenge: Option<String>,
}

impl Group {
    /// The words by which a report is a challenge (M-68).
    pub fn challenge(&self) -> Option<String> {
        self.challenge.clone()
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
        RECIPIENT_FIELDS.iter().filter_map(|name| address(fields.first(name)?)).collect();
    let is_dotted = |address: &&String| {
        address.rsplit_once('@').is_some_and(|(_, domain)| domain.contains('.'))
    };
    let address = addresses.iter().find(is_dotted).or(addresses.first()).cloned();
    let is_challenge = |text: &&str| {
        let text = text.to_lowercase();
        text.contains("x-boxbe-notice") || text.contains("sender not pre-approved")
    };
    let challenge = diagnostic.as_deref().filter(is_challenge);
    Some(Group {
        is_success,
        is_deleted: keyword_after_semicolon(fields, "disposition").contains("deleted"),
        challenge: challenge
            .map(|text| format!("Diagnostic-Code={}", text.chars().take(80).collect::<String>())),
        recipient: address.map(|address| BouncedRecipient { address, action, status, diagnostic }),
    })
}

/// The address of a recipient field: type, brackets and quotes cut; void ones are none (M-62).
fn address(raw: &[u8]) -> Option<String> {
    let value = String::from_utf8_lossy(&without_comments(raw)).into_owned();
    let value = value.split_once(';').map_or(value.as_str(), |(_, address)| address);
    let is_wrapping = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'');
    let value = value.trim_matches(is_wrapping);
    let value = value.strip_prefix("mailto:").unwrap_or(value);
    if !value.contains('@') {
        return None;
    }
    let mut words = value.split_whitespace().map(|word| word.trim_matches(is_wrapping));
    words.find(|word| word.contains('@')).map(str::to_owned)
}

/// The enhanced code of a group: that of Status unless it says nothing, else that of Diagnostic-Code,
/// else what its SMTP code amounts to (M-63b).
fn status(fields: &Fields, diagnostic: Option<&str>) -> Option<String> {
    let written = fields.first("status").and_then(|raw| enhanced_code(&text(raw)));
    if let Some(written) = written.as_ref().filter(|written| !written.ends_with(".0.0")) {
        return Some(written.clone());
    }
    diagnostic.and_then(enhanced_code).or(written).or_else(|| diagnostic.and_then(derived_code))
}

/// The first `x.y.z` of a text that is no part of a longer number (RFC 3463).
pub fn enhanced_code(text: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let mut numbers = text.split(|c: char| !is_part(c)).map(|number| number.trim_end_matches('.'));
    let is_code = |number: &&str| {
        let mut places = number.split('.');
        let is_place = |place: Option<&str>| place.is_some_and(|p| (1..=3).contains(&p.len()));
        matches!(places.next(), Some("2" | "4" | "5"))
            && is_place(places.next())
            && is_place(places.next())
            && places.next().is_none()
    };
    numbers.find(is_code).map(str::to_owned)
}

/// What the words of a server amount to when they hold no enhanced code.
fn derived_code(diagnostic: &str) -> Option<String> {
    let mut numbers = diagnostic.split(|c: char| !c.is_ascii_digit());
    let is_reply = |number: &&str| number.len() == 3 && number.starts_with(['4', '5']);
    if let Some(code) = numbers.find(is_reply) {
        return Some(format!("{}.0.0", &code[..1]));
    }
    let words = diagnostic.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| words.contains(phrase));
    let code = if says(&["unknown user", "user unknown", "no such user", "does not exist"]) {
        "5.1.1"
    } else if says(&["mailbox full", "mailbox is full", "quota", "over limit"]) {
        "5.2.2"
    } else if says(&["delay", "not yet been delivered", "still being retried"]) {
        "4.4.7"
    } else {
        return None;
    };
    Some(code.to_owned())
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
    use super::enhanced_code;

    #[test]
    fn m_63b_enhanced_codes_are_told_from_other_numbers() {
        for (text, code) in [
            ("5.1.1", Some("5.1.1")),
            ("smtp; 550 5.1.1 <a@b> user unknown", Some("5.1.1")),
            ("550-5.7.26. See", Some("5.7.26")),
            ("#5.2.2#", Some("5.2.2")),
            ("connect to 5.1.1.9: refused", None),
            ("10.5.1.1", None),
            ("3.1.1", None),
            ("", None),
        ] {
            assert_eq!(enhanced_code(text).as_deref(), code, "{text}");
        }
    }
}
