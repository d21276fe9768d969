//! Activation links in what people send us (M-87, T-22). Whoever quotes or forwards one has shown it
//! to others: it is revoked wherever it stands, and taken out of the text that a ticket shows.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;
use sha2::{Digest, Sha256};

use super::Header;
use super::structure::Structure;
use super::transfer::decode_text;

/// What stands between slashes before the token in a link of ours.
const FOLDERS: [&str; 2] = ["portal", "activate"];
/// Slashes; scanners that wrap a link into one of their own encode them, some twice.
const SLASHES: [&str; 3] = ["/", "%2f", "%252f"];
/// 32 bytes in base64url without padding.
const TOKEN: usize = 43;
const REDACTED: &str = "[redacted]";

/// The hashes of all tokens in a message, each once, as the store keeps them: SHA-256 in lower-case
/// hexadecimal. Looks into every part, since a bounce or a forward brings our mail back attached,
/// and into `text`, where what HTML spells out is plain. Shows each part and its decoded text to
/// `look`, so that nobody has to decode them again.
pub(super) fn in_message(
    structure: &Structure,
    headers: &[Header],
    text: &str,
    mut look: impl FnMut(usize, &[u8]),
) -> Vec<String> {
    let headers = headers.iter().flat_map(|header| hashes(header.value.as_bytes()));
    let mut found: Vec<String> = headers.chain(hashes(text.as_bytes())).collect();
    let is_text = |kind: &str| kind.starts_with("text/") || kind == "message/rfc822";
    for (n, part) in structure.parts.iter().enumerate() {
        if part.is_leaf() && is_text(part.media_type()) {
            let decoded = decode_text(structure.bytes(part), part.encoding);
            found.extend(hashes(&decoded));
            look(n, &decoded);
        }
    }
    found.sort();
    found.dedup();
    found
}

fn hashes(text: &[u8]) -> impl Iterator<Item = String> + '_ {
    tokens(text).map(|pieces| {
        let token: Vec<u8> =
            pieces.iter().flat_map(|piece| &text[piece.clone()]).copied().collect();
        Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
    })
}

/// `text` with every token replaced by `[redacted]`.
pub fn redacted(text: &str) -> Cow<'_, str> {
    let mut redacted = String::new();
    let mut kept = 0;
    for pieces in tokens(text.as_bytes()) {
        for (n, piece) in pieces.iter().enumerate() {
            redacted.push_str(&text[kept..piece.start]);
            if n == 0 {
                redacted.push_str(REDACTED);
            }
            kept = piece.end;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    redacted.push_str(&text[kept..]);
    Cow::Owned(redacted)
}

/// Each token, as the pieces it is in: mail programs break long lines and put quote marks before the
/// rest.
fn tokens(text: &[u8]) -> impl Iterator<Item = Vec<Range<usize>>> + '_ {
    let [portal, activate] = FOLDERS;
    memmem::find_iter(text, activate).filter_map(move |at| {
        let after = at + activate.len();
        let slash = SLASHES.iter().find(|slash| has_at(text, Some(after), slash))?;
        let between = at.checked_sub(slash.len());
        let is_ours = has_at(text, between, slash)
            && has_at(text, between.and_then(|at| at.checked_sub(portal.len())), portal);
        if is_ours { token(text, after + slash.len()) } else { None }
    })
}

fn has_at(text: &[u8], at: Option<usize>, what: &str) -> bool {
    at.and_then(|at| text.get(at..at + what.len()))
        .is_some_and(|found| found.eq_ignore_ascii_case(what.as_bytes()))
}

fn token(bytes: &[u8], start: usize) -> Option<Vec<Range<usize>>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let (mut at, mut missing) = (start, TOKEN);
    loop {
        let run = bytes[at..].iter().take(missing).take_while(|byte| is_of_token(**byte)).count();
        if run > 0 {
            pieces.push(at..at + run);
        }
        missing -= run;
        at += run;
        if missing == 0 {
            return Some(pieces);
        }
        let gap = line_break(&bytes[at..]).filter(|_| run > 0)?;
        at += gap;
    }
}

/// The length of a line break with the quote marks after it, if one is here.
fn line_break(bytes: &[u8]) -> Option<usize> {
    let first = usize::from(bytes.starts_with(b"\r"));
    (bytes.get(first) == Some(&b'\n')).then(|| {
        let marks =
            bytes[first + 1..].iter().take_while(|byte| matches!(byte, b'>' | b' ')).count();
        first + 1 + marks
    })
}

fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEE-";

    fn hashes_of(text: &str) -> Vec<String> {
        hashes(text.as_bytes()).collect()
    }

    fn link() -> String {
        format!("https://help.example.com/portal/activate/{SECRET}")
    }

    #[test]
    fn t_22_a_quoted_link_is_found_and_taken_out() {
        let text = format!("> {}\nHow does this work?", link());
        assert_eq!(hashes_of(&text).len(), 1);
        let shown = redacted(&text);
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.contains("/portal/activate/[redacted]\nHow does this work?"));
    }

    #[test]
    fn t_22_a_link_that_a_mail_program_broke_is_the_same_link() {
        let broken = format!(
            "> https://help.example.com/portal/activate/{}\r\n> {} ok",
            &SECRET[..20],
            &SECRET[20..]
        );
        assert_eq!(hashes_of(&broken), hashes_of(&link()));
        assert!(!redacted(&broken).contains(&SECRET[20..]), "{}", redacted(&broken));
        assert!(redacted(&broken).ends_with(" ok"));
    }

    #[test]
    fn t_22_a_link_that_a_scanner_wrapped_is_the_same_link() {
        for slash in ["%2F", "%2f", "%252F"] {
            let wrapped = format!("https://scan.example/?u={}&x=1", link().replace('/', slash));
            assert_eq!(hashes_of(&wrapped), hashes_of(&link()), "{wrapped}");
            assert!(!redacted(&wrapped).contains(SECRET));
        }
    }

    #[test]
    fn t_22_a_link_is_found_wherever_it_stands_in_a_message() {
        let link = link();
        let ours = format!(
            "From: support@helpdesk.example\nContent-Type: text/plain\n\
             Content-Transfer-Encoding: quoted-printable\n\n{}=\n{}\n",
            &link[..60],
            &link[60..]
        );
        let mixed = |part: &str| {
            format!(
                "From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n\
                 --b\n{part}\n--b--\n"
            )
        };
        let base64 = "aHR0cHM6Ly9oZWxwLmV4YW1wbGUuY29tL3BvcnRhbC9hY3RpdmF0ZS9BQUFBQUFBQUFBQkJCQkJCQkJC\n\
                      QkNDQ0NDQ0NDQ0NERERERERERERERUUt";
        for message in [
            format!("From: a@x.example\nSubject: {link}\n\nhello\n"),
            format!("From: \"{link}\" <a@x.example>\n\nhello\n"),
            mixed(&format!("Content-Type: text/html\n\n<a href=\"{link}\">x</a>")),
            format!(
                "From: a@x.example\nContent-Type: text/html\n\n<a href=\"{}\">x</a>",
                link.replace('/', "&#47;")
            ),
            mixed(&format!("Content-Type: text/plain; name=a.txt\n\n{link}")),
            mixed(&format!(
                "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{base64}"
            )),
            mixed(&format!("Content-Type: message/rfc822\n\n{ours}")),
        ] {
            let read = crate::mail::read(message.as_bytes()).expect("it can be read");
            assert_eq!(read.link_hashes, hashes_of(&link), "{message}");
            assert!(!read.subject.contains(SECRET));
        }
    }

    #[test]
    fn what_is_no_token_stays() {
        for text in [
            "https://help.example.com/portal/activate/short",
            "https://help.example.com/portal/activate/",
            "https://help.example.com/portal/activate/\nnothing more",
            "activate/",
            "/activate/",
            "nothing at all",
        ] {
            assert_eq!(redacted(text), text);
            assert!(hashes_of(text).is_empty());
        }
    }
}
