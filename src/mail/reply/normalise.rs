//! Brings a text into the one form the other steps read (M-89): LF line ends, no invisible marks,
//! no armour of PGP, an attribution on a line of its own. Quote marks of other styles are not
//! rewritten here; `lines` reads them, so that a wrong guess changes nobody's text.

use std::borrow::Cow;

use super::attribution;

/// The text as the ranges of [`Segment`](super::Segment) count it. Normalising twice changes
/// nothing.
pub fn normalise(text: &str) -> String {
    let clean = without_invisible(text);
    let mut out = String::with_capacity(clean.len());
    let mut armour = Armour::Outside;
    for line in clean.split('\n') {
        if armour.drops(line) {
            continue;
        }
        if let Some(at) = attribution::shared_line(line) {
            out.push_str(line[..at].trim_end());
            out.push('\n');
            out.push_str(&line[at..]);
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out.pop();
    out
}

/// LF line ends, no-break spaces as spaces; no byte order mark, zero-width space or direction mark.
///
/// The joiners U+200C and U+200D stay: Persian, Indic scripts and emoji are written with them.
fn without_invisible(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_replaced) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    let (clean, mut rest) = text.split_at(first);
    out.push_str(clean);
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\r' => {
                rest = rest.strip_prefix('\n').unwrap_or(rest);
                out.push('\n');
            }
            '\u{a0}' | '\u{202f}' => out.push(' '),
            _ => {}
        }
        let (clean, behind) = rest.split_at(rest.find(is_replaced).unwrap_or(rest.len()));
        out.push_str(clean);
        rest = behind;
    }
    Cow::Owned(out)
}

fn is_replaced(c: char) -> bool {
    // Most text is ASCII: one comparison.
    c == '\r'
        || c >= '\u{a0}'
            && matches!(
                c,
                '\u{a0}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'
                    ..='\u{202f}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
            )
}

/// Where in PGP armour a line stands. Only the frame goes: the signed text is the person's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Armour {
    /// Between `BEGIN PGP SIGNED MESSAGE` and the empty line below it.
    Head,
    Outside,
    /// Inside a signature, which ends at `END` or at the first line that is no base64.
    Signature,
}

impl Armour {
    fn drops(&mut self, line: &str) -> bool {
        let line = line.trim();
        if line.starts_with("-----") && line.ends_with("-----") {
            let inner = line.trim_matches('-').trim();
            let next = match inner {
                "BEGIN PGP SIGNED MESSAGE" => Some(Armour::Head),
                "BEGIN PGP SIGNATURE" => Some(Armour::Signature),
                "END PGP SIGNATURE" | "END PGP MESSAGE" | "BEGIN PGP MESSAGE" => {
                    Some(Armour::Outside)
                }
                _ => None,
            };
            if let Some(next) = next {
                *self = next;
                return true;
            }
        }
        let inside = match self {
            Armour::Head => line.starts_with("Hash:") || line.starts_with("NotDashEscaped:"),
            Armour::Outside => false,
            Armour::Signature => {
                line.is_empty()
                    || line.starts_with("Version:")
                    || line.starts_with("Comment:")
                    || (line.len() <= 76 && line.bytes().all(is_base64))
            }
        };
        if !inside {
            *self = Armour::Outside;
        }
        inside
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}
