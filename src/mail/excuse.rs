//! What a server hands out in place of a message that it cannot give (E-12).

use super::headers::{Fields, LineEnd, read_block, skip_envelope};
use super::words;

/// How the subject of Exchange's excuse begins; it is never translated.
pub const EXCHANGE: &str = "Retrieval using the IMAP4 protocol failed for the following message";

/// Whether this is such an excuse. No server has passed it on, so what people send about one, be it
/// forwarded or with the same subject, is none.
pub fn is_excuse(fields: &Fields<'_>, subject: &str) -> bool {
    subject.starts_with(EXCHANGE) && !fields.has("received")
}

/// Whether these bytes are such an excuse. Looks at the header alone: whoever brings messages in asks
/// before they are stored, and what ends a reader must not end that one (P-12).
pub fn holds_excuse(raw: &[u8]) -> bool {
    let line_end = LineEnd::of(raw);
    let block = read_block(raw, skip_envelope(raw, line_end), line_end, |_| false);
    let Ok(fields) = block.map(|block| block.fields) else { return false };
    let subject = fields.first("subject").unwrap_or_default();
    is_excuse(&fields, &words::decode_subject(subject, None))
}

#[cfg(test)]
mod tests {
    use super::holds_excuse;
    use crate::mail::{Unreadable, read};

    fn mail(before: &str, subject: &str) -> Vec<u8> {
        format!(
            "{before}From: \"Microsoft Exchange Server\" <server@helpdesk.example>\r\n\
             Subject: {subject}\r\n\r\nThe server couldn't retrieve the following message:\r\n"
        )
        .into_bytes()
    }

    const SAID: &str = "Retrieval using the IMAP4 protocol failed for the following message: 7";

    #[test]
    fn e_12_the_excuse_of_a_server_is_not_the_message() {
        assert_eq!(read(&mail("", SAID)).unwrap_err(), Unreadable::Excuse);
        let folded = SAID.replace(" failed", "\r\n failed");
        assert_eq!(read(&mail("", &folded)).unwrap_err(), Unreadable::Excuse);
    }

    #[test]
    fn e_12_what_people_write_about_one_is_read() {
        let received = "Received: from mail.contoso.example by mx.helpdesk.example\r\n";
        for raw in [mail(received, SAID), mail("", &format!("Fwd: {SAID}")), mail("", "Help")] {
            assert!(read(&raw).is_ok() && !holds_excuse(&raw));
        }
    }

    #[test]
    fn p_12_an_excuse_is_found_without_reading_the_message() {
        assert!(holds_excuse(&mail("", SAID)));
        assert!(holds_excuse(&mail("X-Guichet-Fault: abort\r\n", SAID)));
    }
}
