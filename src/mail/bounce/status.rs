//! Status codes (RFC 3463) in what servers and notices say (M-63b).

use std::sync::LazyLock;

use regex::Regex;

use super::tables::{DELAY, FULL, UNKNOWN_USER};

/// A code as a text says it, the most telling form first: after `Status:`, after `#`, after an SMTP
/// code, bare. One of 4.x among several makes it temporary (E-151).
pub fn stated(text: &str) -> Option<String> {
    let mut codes: Vec<(Form, &str)> = Vec::new();
    for found in CODE.captures_iter(text) {
        let [before, code] = [1, 2].map(|group| found.get(group));
        let Some(code) = code else { continue };
        if is_in_longer_number(text, code.start(), code.end()) {
            continue;
        }
        codes.push((Form::of(before.map_or("", |before| before.as_str())), code.as_str()));
    }
    let temporary = codes.iter().filter(|(_, code)| code.starts_with('4'));
    let all = codes.iter();
    let first = |(form, _): &&(Form, &str)| *form;
    let best = temporary.min_by_key(first).or_else(|| all.min_by_key(first));
    best.map(|(_, code)| (*code).to_owned())
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

/// What the words of a server amount to when they hold no enhanced code, and the words. A full
/// mailbox is told from other refusals, since it may be emptied.
pub fn derived(text: &str) -> Option<(&'static str, String)> {
    let full = FULL.find(text);
    if let Some(reply) = reply_code(text) {
        return Some(match (reply.starts_with('4'), full) {
            (true, _) => ("4.0.0", reply.to_owned()),
            (false, Some(full)) => ("5.2.2", full.as_str().to_owned()),
            (false, None) => ("5.0.0", reply.to_owned()),
        });
    }
    let rows = [("5.1.1", UNKNOWN_USER.find(text)), ("5.2.2", full), ("4.4.7", DELAY.find(text))];
    let mut rows = rows.into_iter();
    rows.find_map(|(code, found)| found.map(|found| (code, found.as_str().to_owned())))
}

/// Whether a code says nothing but its class.
pub fn is_vague(code: &str) -> bool {
    code.ends_with(".0.0")
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    AfterStatus,
    AfterHash,
    AfterReply,
    Bare,
}

impl Form {
    fn of(before: &str) -> Form {
        match before.as_bytes() {
            [] => Form::Bare,
            [b's' | b'S', ..] => Form::AfterStatus,
            [.., b'#'] => Form::AfterHash,
            _ => Form::AfterReply,
        }
    }
}

/// An enhanced code with what stands before it.
static CODE: LazyLock<Regex> = LazyLock::new(|| {
    let before = r"(?:status(?: code)?: {0,4}|(?-u:\b)[45][0-9][0-9][ :-]{0,3}#?|#)";
    let code = r"[45]\.[0-7]\.[0-9]{1,3}";
    Regex::new(&format!("(?i)({before})?({code})")).expect("a constant expression")
});

/// The first SMTP reply code that stands alone and counts nothing (`550 MB`).
fn reply_code(text: &str) -> Option<&str> {
    const UNITS: [&str; 9] = ["%", "byte", "day", "gb", "hour", "kb", "mb", "minute", "second"];
    let mut codes = REPLY.captures_iter(text).filter_map(|found| found.get(1));
    let code = codes.find(|code| {
        let after = &text[code.end()..];
        let counted: String = after.trim_start().chars().take(6).collect::<String>().to_lowercase();
        let is_decimal =
            after.starts_with('.') && after[1..].starts_with(|c: char| c.is_ascii_digit());
        !is_decimal && !UNITS.iter().any(|unit| counted.starts_with(unit))
    });
    code.map(|code| code.as_str())
}

/// A number that servers answer with and hardly anything else counts to.
static REPLY: LazyLock<Regex> = LazyLock::new(|| {
    let codes =
        "42[12]|43[12]|44[12679]|45[0-9]|471|50[0-4]|51[0-5]|52[1-5]|53[0-8]|54[1-9]|55[0-9]|571";
    Regex::new(&format!(r#"(?:^|[\s#:;<>(\['"=_-])({codes})(?-u:\b)"#))
        .expect("a constant expression")
});

/// Whether digits or dots around a code make it part of an IP address or of a version.
fn is_in_longer_number(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].bytes().next_back();
    let mut after = text[end..].bytes();
    let is_version = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    let goes_on = match after.next() {
        Some(b'.') => after.next().is_some_and(|byte| byte.is_ascii_digit()),
        Some(byte) => byte.is_ascii_digit(),
        None => false,
    };
    is_version || goes_on
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn m_63b_the_text_states_codes_in_several_forms() {
        for (text, code) in [
            ("550 5.1.1 no (#5.5.0)", Some("5.5.0")),
            ("see 5.7.1\nStatus: 5.1.2", Some("5.1.2")),
            ("mailer 5.0.2 said: 552 5.2.2 full", Some("5.2.2")),
            ("550-5.7.26 unauthenticated", Some("5.7.26")),
            ("550: 5.1.1 nobody", Some("5.1.1")),
            ("nobody (5.1.1)", Some("5.1.1")),
            // E-151
            ("550 5.1.1 nobody\n451 4.2.1 later", Some("4.2.1")),
            ("host 5.1.1.9, v5.1.1, 5.9.1, 15.1.1", None),
        ] {
            assert_eq!(stated(text).as_deref(), code, "{text}");
        }
    }

    #[test]
    fn m_63b_without_a_code_the_words_are_weighed() {
        for (text, code) in [
            ("host said: 550 go away", Some("5.0.0")),
            ("450 busy", Some("4.0.0")),
            ("452 mailbox full", Some("4.0.0")),
            ("552 mailbox full", Some("5.2.2")),
            ("Unknown user: a", Some("5.1.1")),
            ("over quota", Some("5.2.2")),
            ("message delayed", Some("4.4.7")),
            ("a limit of 550 MB, port 587", None),
            ("", None),
        ] {
            assert_eq!(derived(text).map(|(code, _)| code), code, "{text}");
        }
    }
}
