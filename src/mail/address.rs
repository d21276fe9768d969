//! Mail addresses that can be trusted to be one (M-28…M-33, T-08). What a header field holds is
//! only text until [`Address::parse`] takes it; nothing is ever guessed into an address.

pub mod list;
pub mod local_part;
pub mod scan;
mod script;

use std::borrow::Cow;
use std::fmt;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_normalization::{UnicodeNormalization, is_nfc};

pub use script::domain_is_mixed_script;

use super::words::is_invisible;

/// An address that exists is a good one: one `@`, a local part of 1 to 64 characters without
/// spaces, controls, comments or routes, and a valid domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// NFC, as given otherwise; never quoted.
    local: String,
    /// Lower-case A-labels (M-31).
    domain: String,
}

/// What identifies a person: local part in lower case, without `+tag` when so configured, `@`,
/// A-label domain (M-32).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressKey(pub String);

/// Why something written where an address should be is none (M-30).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{written}` is no address: {why}")]
pub struct AddressProblem {
    pub written: String,
    pub why: &'static str,
}

/// Whether `+tag` belongs to the person (M-32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlusTag {
    Keep,
    Strip,
}

/// Whether an address was good as it stood, or only after a repair of M-29.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    AsWritten,
    Repaired,
}

/// The longest local part (RFC 5321 §4.5.3.1.1).
const LOCAL_PART_LIMIT: usize = 64;

/// No 253 characters of A-labels take more bytes than this to write; what is longer is not looked
/// at, since Punycode takes quadratic time.
const WRITTEN_DOMAIN_LIMIT: usize = 1024;

/// Domains that stand for "nobody" (M-42): they are no valid domain.
const NOBODY: [&str; 3] = ["invalid", "localhost", "unknown"];

impl Address {
    /// Takes an address exactly as written, or says why it is none (M-30, M-31, T-08).
    ///
    /// A domain of a single label is valid (machines on a local network write so), except
    /// `invalid`, `localhost` and `unknown`. An address literal (`[192.0.2.1]`) is not.
    pub fn parse(written: &str) -> Result<Address, AddressProblem> {
        let problem = |why| AddressProblem { written: written.to_owned(), why };
        let (local, domain) = split(written).map_err(problem)?;
        let local = checked_local_part(local).map_err(problem)?;
        let domain = domain_to_ascii(domain).ok_or_else(|| problem("its domain is not valid"))?;
        if NOBODY.contains(&domain.as_str()) {
            return Err(problem("its domain stands for nobody"));
        }
        Ok(Address { local, domain })
    }

    /// Takes an address as written, or else after the repairs of M-29 and no other.
    pub fn repaired(written: &str) -> Result<(Address, Spelling), AddressProblem> {
        let refused = match Address::parse(written) {
            Ok(address) if written.ends_with('.') => return Ok((address, Spelling::Repaired)),
            Ok(address) => return Ok((address, Spelling::AsWritten)),
            Err(refused) => refused,
        };
        let repaired = without_wrapping(written);
        if repaired == written {
            return Err(refused);
        }
        match Address::parse(repaired) {
            Ok(address) => Ok((address, Spelling::Repaired)),
            Err(_) => Err(refused),
        }
    }

    /// The local part, unquoted, as given.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain as lower-case A-labels, without a trailing dot.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// What identifies the person who owns this address (M-32).
    pub fn key(&self, plus_tag: PlusTag) -> AddressKey {
        let local = match plus_tag {
            PlusTag::Keep => &self.local,
            PlusTag::Strip => without_tag(&self.local),
        };
        AddressKey(format!("{}@{}", local.to_lowercase(), self.domain))
    }
}

/// `local@domain`, with the local part quoted when its dots are misplaced (M-30).
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if has_misplaced_dot(&self.local) {
            write!(f, "\"{}\"@{}", self.local, self.domain)
        } else {
            write!(f, "{}@{}", self.local, self.domain)
        }
    }
}

impl AddressKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A domain for people: U-labels where its A-labels stand for some (M-31).
pub fn domain_to_unicode(domain: &str) -> String {
    idna::domain_to_unicode(domain).0
}

/// A domain as lower-case A-labels without its trailing dot (M-31), or `None` when it is none.
pub fn domain_to_ascii(domain: &str) -> Option<String> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    if domain.len() > WRITTEN_DOMAIN_LIMIT {
        return None;
    }
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .ok()?;
    let top = ascii.rsplit('.').next().unwrap_or_default();
    let is_number = top.bytes().all(|byte| byte.is_ascii_digit());
    (!is_number).then(|| ascii.into_owned())
}

/// The local part without its `+tag`: cut at the first `+` that has something before it (M-32).
pub fn without_tag(local: &str) -> &str {
    match local.char_indices().skip(1).find(|(_, c)| *c == '+') {
        Some((at, _)) => &local[..at],
        None => local,
    }
}

/// Splits at the one `@` that is not inside quotes.
fn split(written: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    if written.starts_with('"') {
        return split_quoted(written);
    }
    let (local, domain) = written.split_once('@').ok_or("it has no `@`")?;
    if domain.contains('@') {
        return Err("it has two `@`");
    }
    Ok((Cow::Borrowed(local), domain))
}

/// A quoted local part is good only when nothing in it needed the quotes, dots aside (M-30).
fn split_quoted(written: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut local = String::new();
    let mut chars = written.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let domain = written[at + 1..].strip_prefix('@').ok_or("it has no `@`")?;
                return match domain.contains('@') {
                    true => Err("it has two `@`"),
                    false => Ok((Cow::Owned(local), domain)),
                };
            }
            '\\' => local.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => local.push(c),
        }
    }
    Err("its quotes are not closed")
}

fn checked_local_part(local: Cow<'_, str>) -> Result<String, &'static str> {
    if local.is_empty() {
        return Err("it has nothing before the `@`");
    }
    if local.contains("=?") {
        return Err("it holds an encoded-word");
    }
    if !local.chars().all(is_local_part_character) {
        return Err("its local part holds a character that cannot stand there");
    }
    let local = if is_nfc(&local) { local.into_owned() } else { local.nfc().collect() };
    if local.chars().count() > LOCAL_PART_LIMIT {
        return Err("its local part is longer than 64 characters");
    }
    Ok(local)
}

/// `atext` of RFC 5322 and RFC 6532, and the dot.
fn is_local_part_character(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '.' | '/' | '=' | '?' | '^'
        | '_' | '`' | '{' | '|' | '}' | '~' => true,
        _ if c.is_ascii() => false,
        char::REPLACEMENT_CHARACTER => false,
        _ => !c.is_whitespace() && !c.is_control() && !is_invisible(c),
    }
}

fn has_misplaced_dot(local: &str) -> bool {
    local.starts_with('.') || local.ends_with('.') || local.contains("..")
}

/// Takes off what M-29 names: `mailto:`, quotes around the whole, doubled or stray angle brackets,
/// outer white space and invisible characters, and trailing punctuation. Each takes off at least
/// one character, so the loop ends.
fn without_wrapping(written: &str) -> &str {
    let mut rest = written;
    loop {
        let before = rest;
        rest = rest.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        rest = rest.trim_end_matches(['.', ',', ';']);
        for (open, close) in [('\'', '\''), ('"', '"'), ('[', ']')] {
            let inner = rest.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
            match inner {
                Some(inner) if open != '[' || starts_with_mailto(inner) => rest = inner,
                _ => (),
            }
        }
        if starts_with_mailto(rest) {
            rest = &rest["mailto:".len()..];
        }
        // `"Name"@dom>` is a name and half an address, not an address with a stray bracket.
        if !rest.contains('"') {
            rest = rest.trim_start_matches('<').trim_end_matches('>');
        }
        if rest == before {
            return rest;
        }
    }
}

fn starts_with_mailto(text: &str) -> bool {
    text.get(.."mailto:".len()).is_some_and(|start| start.eq_ignore_ascii_case("mailto:"))
}

#[cfg(test)]
mod tests;
