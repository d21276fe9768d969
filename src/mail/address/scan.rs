//! Finds the addresses that stand in a text (M-63, M-104), in one pass.

use std::ops::Range;

use memchr::memchr_iter;

/// An address found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    pub address: &'a str,
    /// Where it stands, brackets and quotes included.
    pub at: Range<usize>,
    /// It stands in `<>`.
    pub is_bracketed: bool,
}

impl Found<'_> {
    /// The byte at which the address begins, behind what it is put in.
    pub fn begins_at(&self) -> usize {
        self.at.start + (self.at.len() - self.address.len()) / 2
    }
}

/// The longest local part and domain that are looked at.
const LONGEST: usize = 255;

/// Every address of a text, in order. Each byte is looked at a bounded number of times.
pub fn addresses(line: &str) -> impl Iterator<Item = Found<'_>> {
    let mut behind = 0;
    memchr_iter(b'@', line.as_bytes()).filter_map(move |at| {
        let found = around(line, at, behind)?;
        behind = found.at.end;
        Some(found)
    })
}

/// The address around the `@` at `at`, not reaching back before `floor`.
fn around(line: &str, at: usize, floor: usize) -> Option<Found<'_>> {
    if at < floor {
        return None;
    }
    let before = &line[floor..at];
    let after = &line[at + 1..];
    let domain = domain_length(after)?;
    let is_bracketed = after[domain..].starts_with('>');
    let local = match quoted_length(before) {
        Some(length) => length,
        None => local_length(before, if is_bracketed { Script::Any } else { Script::Alphabetic }),
    };
    let mut start = at - local;
    let end = at + 1 + domain;
    start += prefix_length(&line[start..at]);
    if start == at {
        return None;
    }
    let opening = line[floor..start].chars().next_back();
    let closing = line[end..].chars().next();
    let is_enclosed = matches!(
        (opening, closing),
        (Some('<'), Some('>')) | (Some('"'), Some('"')) | (Some('\''), Some('\''))
    );
    let margin = usize::from(is_enclosed);
    Some(Found {
        address: &line[start..end],
        at: start - margin..end + margin,
        is_bracketed: is_bracketed && is_enclosed,
    })
}

/// Which letters an address may have: in running text of a script without spaces nobody can tell
/// where it begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Alphabetic,
    Any,
}

impl Script {
    fn has(self, c: char) -> bool {
        c.is_alphanumeric() && (self == Script::Any || c < '\u{2e80}')
    }
}

/// How many bytes at the end of `before` are a local part in quotes.
fn quoted_length(before: &str) -> Option<usize> {
    let inner = before.strip_suffix('"')?;
    let mut length = 1;
    for c in inner.chars().rev() {
        length += c.len_utf8();
        if c == '"' {
            return (length > 2).then_some(length);
        }
        if length > LONGEST {
            break;
        }
    }
    None
}

/// How many bytes at the end of `before` are a local part.
fn local_length(before: &str, script: Script) -> usize {
    const MARKS: &str = "!#$%&'*+-/=?^_`{|}~.";
    let is_local = |c: char| MARKS.contains(c) || script.has(c);
    let mut length = 0;
    for c in before.chars().rev() {
        if !is_local(c) || length >= LONGEST {
            break;
        }
        length += c.len_utf8();
    }
    length
}

/// How many bytes at the start of a local part were only written before it: quotes, bullets, and
/// `SMTP=` of Exchange's X.400 names.
fn prefix_length(local: &str) -> usize {
    let bare = local.trim_start_matches(['\'', '`', '*', '=', '.', '|', '/']);
    let start = local.len() - bare.len();
    let names_type = bare.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("smtp="));
    if names_type { start + 5 } else { start }
}

/// How many bytes at the start of `after` are a domain, or an address in square brackets.
fn domain_length(after: &str) -> Option<usize> {
    if after.starts_with('[') {
        let end = after.bytes().take(64).position(|byte| byte == b']')?;
        return Some(end + 1);
    }
    let is_domain = |c: char| matches!(c, '-' | '.' | '_') || Script::Alphabetic.has(c);
    let end = after
        .char_indices()
        .find(|(at, c)| !is_domain(*c) || *at >= LONGEST)
        .map_or(after.len(), |(at, _)| at);
    let domain = after[..end].trim_end_matches(['.', '-', '_']);
    domain.starts_with(char::is_alphanumeric).then_some(domain.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_63_addresses_are_found_in_running_text() {
        for (line, expected) in [
            ("<a.b+c@x.example>: host said", &["a.b+c@x.example"][..]),
            ("to 'a@x.example', failed.", &["a@x.example"]),
            ("\"a b\"@x.example, c@y.example.", &["\"a b\"@x.example", "c@y.example"]),
            ("c=US;a= ;o=Y;dda:SMTP=a@x.example; on Mon", &["a@x.example"]),
            ("smtp;550 a@x.example... no", &["a@x.example"]),
            ("mailto:a@x.example>", &["a@x.example"]),
            ("宛先a@x.exampleへ", &["a@x.example"]),
            ("<田中@x.example>", &["田中@x.example"]),
            ("josé@bücher.example", &["josé@bücher.example"]),
            ("a@[192.0.2.1] b", &["a@[192.0.2.1]"]),
            ("a@@b @ c@ @d @.x a@b@c", &["a@b"]),
            ("   * a@x.example", &["a@x.example"]),
            ("*a@x.example*", &["a@x.example"]),
            ("", &[]),
        ] {
            let found: Vec<_> = addresses(line).map(|found| found.address).collect();
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn m_63_brackets_belong_to_the_address() {
        let line = "see <a@x.example>: no";
        let found = addresses(line).next().expect("an address");
        assert_eq!((&line[found.at.clone()], found.is_bracketed), ("<a@x.example>", true));
        assert!(line[found.begins_at()..].starts_with(found.address));
    }
}
