//! Folder names as IMAP writes them: modified UTF-7 (RFC 3501 §5.1.3), and strings in quotes.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

/// A folder's name as it goes over the wire.
pub(super) fn to_wire(name: &str) -> String {
    let mut wire = String::with_capacity(name.len());
    let mut hidden: Vec<u8> = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            reveal(&mut hidden, &mut wire);
            wire.push(c);
            if c == '&' {
                wire.push('-');
            }
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                hidden.extend(unit.to_be_bytes());
            }
        }
    }
    reveal(&mut hidden, &mut wire);
    wire
}

fn reveal(hidden: &mut Vec<u8>, wire: &mut String) {
    if !hidden.is_empty() {
        wire.push('&');
        BASE64.encode_string(&*hidden, wire);
        wire.push('-');
        hidden.clear();
    }
}

/// A folder's name as people write it; what is no modified UTF-7 is shown as it stands.
pub(super) fn from_wire(wire: &str) -> String {
    decode(wire).unwrap_or_else(|| wire.to_owned())
}

fn decode(wire: &str) -> Option<String> {
    let mut name = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some((plain, shifted)) = rest.split_once('&') {
        name.push_str(plain);
        let (coded, after) = shifted.split_once('-')?;
        if coded.is_empty() {
            name.push('&');
        } else {
            let bytes = BASE64.decode(coded).ok()?;
            let (pairs, odd) = bytes.as_chunks::<2>();
            if !odd.is_empty() {
                return None;
            }
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            name.extend(char::decode_utf16(units).collect::<Result<Vec<_>, _>>().ok()?);
        }
        rest = after;
    }
    name.push_str(rest);
    Some(name)
}

/// A string in quotes. The text has no CR, LF or NUL in it, and is ASCII.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Whether a text may go into a command at all (T-45).
pub(super) fn is_safe(text: &str) -> bool {
    !text.contains(['\r', '\n', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_08_folder_names_go_over_the_wire_and_back() {
        for (name, wire) in [
            ("INBOX", "INBOX"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("R&D", "R&-D"),
            ("Support/Erledigt", "Support/Erledigt"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("a\tb", "a&AAk-b"),
            ("👍", "&2D3cTQ-"),
        ] {
            assert_eq!(to_wire(name), wire);
            assert_eq!(from_wire(wire), name);
        }
    }

    #[test]
    fn a_name_that_is_no_modified_utf_7_is_shown_as_it_stands() {
        for wire in ["a & b", "&AP-", "&2D0-", "Entwürfe"] {
            assert_eq!(from_wire(wire), wire);
        }
    }

    #[test]
    fn t_45_nothing_leaves_its_quotes() {
        assert_eq!(quoted(r#"x" \"#), r#""x\" \\""#);
        assert!(!is_safe("x\"\r\nA1 DELETE y"));
        assert!(is_safe("Entwürfe"));
    }
}
