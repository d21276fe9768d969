//! What a string must be to stand for the thing its key names: one check for each `format` of the
//! schema. Checks that look at several keys at once are in [`super::check`].

mod database;
mod web;

use jiff::tz::TimeZone;

pub use database::{Database, Whereabouts, store, whereabouts};
pub use web::{Exposure, exposure, listen, network, port};

use super::values::{Duration, Misread, Rate, Rates, Size, Start};
use crate::mail::Address;
use crate::mail::address::domain_to_ascii;

/// Says what is wrong with `text` as a value of the key whose schema names `format`.
pub fn check(format: &str, text: &str) -> Result<(), Misread> {
    match format {
        "guichet-address" => address(text).map(drop),
        "guichet-domain" => domain(text),
        "guichet-duration" => Duration::parse(text).map(drop),
        "guichet-extension" => extension(text),
        "guichet-from" => from(text).map(drop),
        "guichet-host" => host(text),
        "guichet-line" => line(text),
        "guichet-listen" => listen(text).map(drop),
        "guichet-locale" => locale(text),
        "guichet-network" => network(text).map(drop),
        "guichet-path" => path(text),
        "guichet-rate" => Rate::parse(text).map(drop),
        "guichet-rates" => Rates::parse(text).map(drop),
        "guichet-sender" => sender(text).map(drop),
        "guichet-separators" => separators(text),
        "guichet-size" => Size::parse(text).map(drop),
        "guichet-start" => Start::parse(text).map(drop),
        "guichet-store" => store(text).map(drop),
        "guichet-subject-tag" => subject_tag(text),
        "guichet-template" => template(text),
        "guichet-timezone" => timezone(text).map(drop),
        "guichet-url" => web::url(text),
        "guichet-username" if text.is_empty() => Ok(()),
        "guichet-username" => line(text),
        _ => Ok(()),
    }
}

/// A mail address.
pub fn address(text: &str) -> Result<Address, Misread> {
    Address::parse(text).map_err(|problem| {
        Misread::new(
            problem.to_string(),
            "write it as `\"name@example.com\"`, without a display name",
        )
    })
}

/// `Name <address>`, or an address alone: the name, if any, and the address (M-35).
pub fn from(text: &str) -> Result<(Option<String>, Address), Misread> {
    let Some((name, rest)) = text.split_once('<') else { return Ok((None, address(text.trim())?)) };
    let Some(inner) = rest.trim_end().strip_suffix('>') else {
        return Err(Misread::new(
            format!("`{text}` is no sender: its `<` is not closed"),
            "write it as `\"Example IT <support@example.com>\"`",
        ));
    };
    line(text)?;
    let name = name.trim().trim_matches('"').trim();
    Ok(((!name.is_empty()).then(|| name.to_owned()), address(inner)?))
}

/// An entry of a list of senders.
pub enum Sender {
    Address(Address),
    /// Lower-case A-labels.
    Domain(String),
}

/// An address or `@domain`.
pub fn sender(text: &str) -> Result<Sender, Misread> {
    const HINT: &str =
        "write an address as `\"name@example.com\"` or a domain as `\"@example.com\"`";
    match text.strip_prefix('@') {
        Some(after) => domain_to_ascii(after)
            .map(Sender::Domain)
            .ok_or_else(|| Misread::new(format!("`{after}` is no domain"), HINT)),
        None => Address::parse(text)
            .map(Sender::Address)
            .map_err(|problem| Misread::new(problem.to_string(), HINT)),
    }
}

/// The time zone of an IANA name.
pub fn timezone(text: &str) -> Result<TimeZone, Misread> {
    TimeZone::get(text).map_err(|_| {
        Misread::new(
            format!("`{text}` is no time zone this machine knows"),
            "write an IANA name such as `\"Europe/Paris\"`; they come with the package `tzdata`",
        )
    })
}

fn domain(text: &str) -> Result<(), Misread> {
    const HINT: &str = "write the part behind the `@`, such as `\"contoso.com\"`";
    if text.trim().is_empty() {
        return Err(Misread::new("a domain may not be empty", HINT));
    }
    if domain_to_ascii(text).is_none() {
        return Err(Misread::new(format!("`{text}` is no domain"), HINT));
    }
    Ok(())
}

fn extension(text: &str) -> Result<(), Misread> {
    let rest = text.strip_prefix('.').unwrap_or_default();
    let good = |c: char| !c.is_whitespace() && !c.is_control() && !"./\\*?".contains(c);
    if rest.is_empty() || !rest.chars().all(good) {
        return Err(Misread::new(
            format!("`{text}` is no file name ending"),
            "write a dot and the ending, as `\".exe\"`",
        ));
    }
    Ok(())
}

fn host(text: &str) -> Result<(), Misread> {
    let is_address = text.parse::<std::net::IpAddr>().is_ok();
    if !is_address && domain_to_ascii(text).is_none() {
        return Err(Misread::new(
            format!("`{text}` is no host name"),
            "write the name alone, such as `\"mail.example.com\"`, without a scheme or a port",
        ));
    }
    Ok(())
}

// T-45: what ends up in a protocol line or a header must not bring a second one.
fn line(text: &str) -> Result<(), Misread> {
    if text.trim().is_empty() {
        return Err(Misread::new("this may not be empty", "write a value, or leave the key out"));
    }
    if text.chars().any(char::is_control) {
        return Err(Misread::new(
            "this holds a line break or another control character",
            "write it on one line",
        ));
    }
    Ok(())
}

fn locale(text: &str) -> Result<(), Misread> {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let good_language =
        (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase());
    let good_part = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if !good_language || !parts.all(good_part) {
        return Err(Misread::new(
            format!("`{text}` is no language"),
            "write a language tag such as `\"en\"`, `\"fr\"` or `\"pt-BR\"`",
        ));
    }
    Ok(())
}

fn path(text: &str) -> Result<(), Misread> {
    if text.is_empty() || text.contains('\0') {
        return Err(Misread::new(
            "this is no path",
            "write a path; a relative one starts from the folder of the file that names it",
        ));
    }
    Ok(())
}

fn separators(text: &str) -> Result<(), Misread> {
    let bad =
        |c: char| c.is_alphanumeric() || c.is_whitespace() || c.is_control() || "@+\"".contains(c);
    if text.is_empty() || text.chars().any(bad) {
        return Err(Misread::new(
            format!("`{text}` cannot separate names"),
            "write the separating characters one after the other, as `\".\"` or `\"._-\"`",
        ));
    }
    Ok(())
}

fn subject_tag(text: &str) -> Result<(), Misread> {
    const HINT: &str = "write something like `\"[#{number}]\"`";
    line(text)?;
    if text.matches("{number}").count() != 1 {
        return Err(Misread::new("the subject tag must contain `{number}` once", HINT));
    }
    if text.len() > 64 {
        return Err(Misread::new("the subject tag is longer than 64 bytes", HINT));
    }
    // Bare digits, or digits with only letters around, are found in any subject.
    let rest = text.replace("{number}", "");
    if !rest.chars().any(|c| !c.is_alphanumeric() && !c.is_whitespace()) {
        return Err(Misread::new("the subject tag has nothing that sets the number apart", HINT));
    }
    Ok(())
}

fn template(text: &str) -> Result<(), Misread> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    if text.is_empty() || !text.bytes().all(good) {
        return Err(Misread::new(
            format!("`{text}` is no name of a template"),
            "use small letters, digits, `_` and `-`; the files are `NAME.LOCALE.txt` and `.html`",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(format: &str, text: &str) -> bool {
        check(format, text).is_ok()
    }

    #[test]
    fn t_45_no_control_character_gets_through() {
        assert!(!passes("guichet-line", "x\"\r\nA1 DELETE"));
        assert!(!passes("guichet-from", "A\r\nBcc: b <a@example.com>"));
        assert!(!passes("guichet-host", "mail.example.com\r\n"));
    }

    #[test]
    fn a_sender_has_a_name_or_none() {
        let (name, address) = from("\"Example IT\" <support@example.com>").expect("good");
        assert_eq!(
            (name.as_deref(), address.to_string().as_str()),
            (Some("Example IT"), "support@example.com")
        );
        assert_eq!(from("support@example.com").expect("good").0, None);
        assert!(from("Example <support@example.com").is_err());
    }
}
