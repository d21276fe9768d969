//! What in a message may be a mark of ours: fields that only our mail has, and tokens in its text
//! (M-56, M-77). Only found here; whether a key of ours made them is `triage`'s to tell.

use memchr::memmem;

use super::Header;
use crate::faults;

/// Tokens looked at (M-79).
const TOKENS: usize = 5;
/// How our fields begin, in lower case.
const FIELD: &str = "x-guichet-";
/// How a token begins; mail programs keep its case.
const TOKEN: &[u8] = b"[g1";
/// A token is no longer: a key, a number of 19 digits, a MAC.
const LONGEST: usize = 56;

/// What may be ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The fields `X-Guichet-…`, which stand nowhere else (M-56).
    pub fields: Vec<Header>,
    /// What looks like a body token (M-77), as written, each once: the first five.
    pub tokens: Vec<String>,
}

impl Marks {
    /// The values of the field `X-Guichet-{name}`.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let is_named = move |field: &&Header| {
            field.name.get(FIELD.len()..).is_some_and(|rest| rest.eq_ignore_ascii_case(name))
        };
        self.fields.iter().filter(is_named).map(|field| field.value.as_str())
    }

    /// Takes our fields out of a header.
    pub(super) fn take_fields(&mut self, headers: &mut Vec<Header>) {
        let is_ours = |header: &mut Header| {
            let start = header.name.get(..FIELD.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(FIELD))
                && faults::stands("T-46-fields")
        };
        self.fields.extend(headers.extract_if(.., is_ours));
    }

    /// Looks for tokens in a text.
    pub(super) fn look_in(&mut self, text: &[u8]) {
        for at in memmem::find_iter(text, TOKEN) {
            if self.tokens.len() == TOKENS {
                return;
            }
            let rest = &text[at..text.len().min(at + LONGEST)];
            let inside = rest[1..]
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
                .count();
            if rest.get(1 + inside) != Some(&b']') {
                continue;
            }
            let token = String::from_utf8_lossy(&rest[..inside + 2]).into_owned();
            if !self.tokens.contains(&token) {
                self.tokens.push(token);
            }
        }
    }
}

#[cfg(test)]
mod tests {

    fn tokens_of(raw: &str) -> Vec<String> {
        crate::mail::read(raw.as_bytes()).expect("it can be read").marks.tokens
    }

    const TOKEN: &str = "[g1a-4711-7l3udxnarg2xplq3bfjso5i5di]";

    #[test]
    fn m_77_a_token_is_found_in_text_and_in_html() {
        let html = format!("Content-Type: text/html\n\n<p>Hi</p><div>{TOKEN}</div>");
        let quoted = format!("> {TOKEN}\n> x\n");
        for raw in [
            format!("From: a@x.example\n\nHi\n{quoted}"),
            format!("From: a@x.example\n{html}"),
            format!(
                "From: a@x.example\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\
                 Content-Type: text/plain\n\nHi\n--b\n{html}\n--b--\n"
            ),
            format!(
                "From: a@x.example\nContent-Transfer-Encoding: quoted-printable\n\n{}=\n{}\n",
                &TOKEN[..20],
                &TOKEN[20..]
            ),
            format!("From: a@x.example\nContent-Type: text/html\n\n<p>&#91;{}</p>", &TOKEN[1..]),
        ] {
            assert_eq!(tokens_of(&raw), [TOKEN], "{raw}");
        }
    }

    #[test]
    fn m_79_a_token_in_an_attachment_or_a_message_inside_is_none_of_the_text() {
        for part in [
            format!("Content-Type: text/plain; name=log.txt\n\n{TOKEN}"),
            format!("Content-Type: message/rfc822\n\nFrom: b@x.example\n\n{TOKEN}"),
        ] {
            let raw = format!(
                "From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHi\n\
                 --b\n{part}\n--b--\n"
            );
            assert!(tokens_of(&raw).is_empty(), "{raw}");
        }
    }

    #[test]
    fn m_79_the_first_five_are_looked_at_and_what_is_cut_off_is_none() {
        let many: String = (0..9).map(|n| format!("[g1a-{n}-x] ")).collect();
        let raw = format!("From: a@x.example\n\n[g1a-1 [g1 [g1{} {many}", "x".repeat(80));
        assert_eq!(
            tokens_of(&raw),
            ["[g1a-0-x]", "[g1a-1-x]", "[g1a-2-x]", "[g1a-3-x]", "[g1a-4-x]"]
        );
    }

    #[test]
    fn e_154_our_fields_stand_apart_whatever_their_case() {
        let raw =
            "From: a@x.example\nX-GUICHET-loop: 1\nx-guichet-Message-ID: 2\nX-Guichet: 3\n\nHi";
        let read = crate::mail::read(raw.as_bytes()).expect("it can be read");
        assert_eq!(read.marks.values("Loop").collect::<Vec<_>>(), ["1"]);
        assert_eq!(read.marks.values("message-id").collect::<Vec<_>>(), ["2"]);
        let names: Vec<&str> = read.headers.iter().map(|header| header.name.as_str()).collect();
        assert_eq!(names, ["From", "X-Guichet"]);
    }
}
