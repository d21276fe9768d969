//! What a server answers: a code and lines; and what it offers, as it says after EHLO.

use crate::outbox::clean;

// The last words that are kept.
const LONGEST_SAID: usize = 500;
// M-82: shorter last words are no id that anybody would answer to.
const SHORTEST_ID: usize = 16;

/// A whole answer of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    pub lines: Vec<String>,
}

/// What a server offers (RFC 5321 §4.1.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Offers {
    pub eight_bit: bool,
    /// The keywords as offered, in capitals.
    pub logins: Vec<String>,
    /// Delivery reports on request (RFC 3461).
    pub reports: bool,
    pub starttls: bool,
    /// Addresses beyond ASCII (RFC 6531).
    pub utf8: bool,
}

impl Reply {
    /// `250 2.1.0 Ok`, on one line, however the server broke it.
    pub fn said(&self) -> String {
        clean::line(&format!("{} {}", self.code, self.lines.join(" ")), LONGEST_SAID)
    }

    pub fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    pub fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }

    pub fn is_permanent(&self) -> bool {
        (500..600).contains(&self.code)
    }

    /// What the relay calls the mail, as in `250 Ok 0100018c5e9d1a2b-…-000000` of SES (M-82).
    pub fn relay_id(&self) -> Option<String> {
        let word = self.lines.last()?.split_ascii_whitespace().last()?;
        let is_id = word.len() >= SHORTEST_ID
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_id.then(|| word.to_owned())
    }
}

impl Offers {
    pub fn read(reply: &Reply) -> Offers {
        let mut offers = Offers::default();
        // The first line is the server's name.
        for line in reply.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("8BITMIME") => offers.eight_bit = true,
                Some("AUTH") => offers.logins.extend(words.map(str::to_owned)),
                Some("DSN") => offers.reports = true,
                Some("SMTPUTF8") => offers.utf8 = true,
                Some("STARTTLS") => offers.starttls = true,
                _ => {}
            }
        }
        offers
    }
}

/// A line of an answer, and whether it is the last one; `None` when it is none.
pub(super) fn line(raw: &[u8]) -> Option<(u16, bool, String)> {
    let (code, rest) = raw.split_at_checked(3)?;
    let code: u16 = std::str::from_utf8(code).ok()?.parse().ok()?;
    let (is_last, text) = match rest.split_first() {
        None => (true, rest),
        Some((b' ', text)) => (true, text),
        Some((b'-', text)) => (false, text),
        Some(_) => return None,
    };
    (200..600)
        .contains(&code)
        .then(|| (code, is_last, clean::line(&String::from_utf8_lossy(text), LONGEST_SAID)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, lines: &[&str]) -> Reply {
        Reply { code, lines: lines.iter().map(|line| (*line).to_owned()).collect() }
    }

    #[test]
    fn a_line_is_a_code_a_mark_and_words() {
        for (raw, read) in [
            ("250 ok", Some((250, true, "ok"))),
            ("250-SIZE 9", Some((250, false, "SIZE 9"))),
            ("220", Some((220, true, ""))),
            ("550 no\u{1b}[2Jsuch\u{202e}", Some((550, true, "no[2Jsuch"))),
            ("25", None),
            ("999 what", None),
            ("* OK IMAP4rev1", None),
            ("250_ok", None),
        ] {
            let read = read.map(|(code, last, text)| (code, last, text.to_owned()));
            assert_eq!(line(raw.as_bytes()), read, "{raw}");
        }
        assert_eq!(line(b"250 \xff"), Some((250, true, "\u{fffd}".to_owned())));
    }

    #[test]
    fn m_82_the_id_of_a_relay_is_a_long_last_word() {
        let id = "0100018c5e9d1a2b-0a1b2c3d-4e5f-6789-abcd-ef0123456789-000000";
        assert_eq!(reply(250, &[&format!("Ok {id}")]).relay_id().as_deref(), Some(id));
        assert_eq!(reply(250, &["2.0.0 Ok: queued as 4F2D81C0A1"]).relay_id(), None);
        assert_eq!(reply(250, &["Ok <0100018c5e9d1a2b@relay.example>"]).relay_id(), None);
        assert_eq!(reply(250, &[]).relay_id(), None);
    }

    #[test]
    fn offers_are_read_whatever_their_case() {
        let said = ["mx.example at your service", "auth login PLAIN", "dsn", "SmtpUtf8", "SIZE 0"];
        let offers = Offers::read(&reply(250, &said));
        assert_eq!(offers.logins, ["LOGIN", "PLAIN"]);
        assert!(offers.reports && offers.utf8 && !offers.starttls && !offers.eight_bit);
        assert!(!Offers::read(&reply(250, &["DSN"])).reports, "the first line is a name");
    }
}
