//! What a server is told before the mail itself: who it is from, whom it is for, and who hears of it
//! when it does not arrive. Addresses go through lettre, so nothing in one is a command (T-15).

use std::borrow::Cow;

use lettre::Address;
use lettre::transport::smtp::commands::{Mail, Rcpt};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter, RcptParameter};

use super::reply::Offers;
use crate::faults;
use crate::outbox::render::RenderedMail;

// RFC 3461 §4.4.
const LONGEST_ENVELOPE_ID: usize = 100;

/// The two commands of an envelope.
pub(super) struct Envelope {
    pub from: Mail,
    pub to: Rcpt,
}

impl Envelope {
    /// The envelope of a mail for a server that offers this; refuses a mail that the server cannot
    /// carry, in words.
    pub fn of(mail: &RenderedMail, offers: &Offers, host: &str) -> Result<Envelope, String> {
        let from = mail.envelope_from.as_deref().map(address).transpose()?;
        let to = address(&mail.to)?;
        let mut of_mail = Vec::new();
        let mut of_rcpt = Vec::new();
        // RFC 6531 §3.4: for an address beyond ASCII, and for a header that shows one.
        let foreign = [Some(&to), from.as_ref()]
            .into_iter()
            .flatten()
            .find(|address| !AsRef::<str>::as_ref(address).is_ascii());
        if foreign.is_some() || !mail.bytes.is_ascii() {
            let shown = foreign.unwrap_or(&to);
            if !offers.utf8 {
                return Err(format!(
                    "the address `{shown}` needs SMTPUTF8, which `{host}` does not offer\nhint: \
                     ask for another address, or send by a relay that offers it, then `guichet \
                     outbox retry`"
                ));
            }
            of_mail.push(MailParameter::SmtpUtfEight);
            if offers.eight_bit {
                of_mail.push(MailParameter::Body(MailBodyParameter::EightBitMime));
            }
        }
        if offers.reports {
            of_mail.push(other("RET", "HDRS"));
            if mail.message_id.len() <= LONGEST_ENVELOPE_ID && mail.message_id.is_ascii() {
                of_mail.push(other("ENVID", &mail.message_id));
            }
            // with `<>` there is nobody to tell.
            let notify = if from.is_some() { "FAILURE" } else { "NEVER" };
            of_rcpt.push(RcptParameter::Other {
                keyword: "NOTIFY".to_owned(),
                value: Some(notify.to_owned()),
            });
        }
        Ok(Envelope { from: Mail::new(from, of_mail), to: Rcpt::new(to, of_rcpt) })
    }
}

/// The mail as it goes over the wire: a dot that begins a line is doubled (RFC 5321 §4.5.2).
pub(super) fn stuffed(bytes: &[u8]) -> Cow<'_, [u8]> {
    let starts = memchr::memmem::find_iter(bytes, b"\r\n.").map(|at| at + 2);
    let first = bytes.starts_with(b".").then_some(0);
    let dots: Vec<usize> = first.into_iter().chain(starts).collect();
    if dots.is_empty() || !faults::stands("T-14") {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + dots.len());
    let mut written = 0;
    for dot in dots {
        out.extend_from_slice(&bytes[written..dot]);
        out.push(b'.');
        written = dot;
    }
    out.extend_from_slice(&bytes[written..]);
    Cow::Owned(out)
}

fn other(keyword: &str, value: &str) -> MailParameter {
    MailParameter::Other { keyword: keyword.to_owned(), value: Some(value.to_owned()) }
}

// A domain travels in ASCII, whatever is made of the rest.
fn address(written: &str) -> Result<Address, String> {
    let refused = |why: &str| format!("the address `{written}` cannot be written to: {why}");
    let (local, domain) = written.rsplit_once('@').ok_or_else(|| refused("it has no `@`"))?;
    let domain = idna::domain_to_ascii(domain).map_err(|error| refused(&error.to_string()))?;
    Address::new(local, domain).map_err(|error| refused(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::testing::at;

    fn mail(from: Option<&str>, to: &str, bytes: &[u8]) -> RenderedMail {
        RenderedMail {
            outbox: 1,
            mailbox: "support".to_owned(),
            queued_at: at(0),
            attempts: 0,
            message_id: "a+b.7@help.example".to_owned(),
            envelope_from: from.map(str::to_owned),
            to: to.to_owned(),
            bytes: bytes.to_vec(),
        }
    }

    fn told(mail: &RenderedMail, offers: &Offers) -> Result<(String, String), String> {
        let envelope = Envelope::of(mail, offers, "mx.example")?;
        let line = |command: String| command.trim_end().to_owned();
        Ok((line(envelope.from.to_string()), line(envelope.to.to_string())))
    }

    #[test]
    fn r_11_reports_are_asked_for_only_where_they_have_somewhere_to_go() {
        let offers = Offers { reports: true, ..Offers::default() };
        let to = "claire@c.example";
        let (from, rcpt) = told(&mail(None, to, b"x"), &offers).expect("it can be carried");
        assert_eq!(from, "MAIL FROM:<> RET=HDRS ENVID=a+2Bb.7@help.example");
        assert_eq!(rcpt, "RCPT TO:<claire@c.example> NOTIFY=NEVER");
        let verp = mail(Some("desk+b1a-9-x@help.example"), to, b"x");
        let (from, rcpt) = told(&verp, &offers).expect("it can be carried");
        assert!(from.starts_with("MAIL FROM:<desk+b1a-9-x@help.example> RET=HDRS "), "{from}");
        assert_eq!(rcpt, "RCPT TO:<claire@c.example> NOTIFY=FAILURE");
        let (from, rcpt) = told(&verp, &Offers::default()).expect("it can be carried");
        assert_eq!(from, "MAIL FROM:<desk+b1a-9-x@help.example>");
        assert_eq!(rcpt, "RCPT TO:<claire@c.example>");
    }

    #[test]
    fn r_31_an_address_beyond_ascii_goes_by_smtputf8_or_not_at_all() {
        let mail = mail(None, "zoé@münchen.example", "To: zoé".as_bytes());
        let refused = told(&mail, &Offers::default()).expect_err("it cannot be carried");
        assert!(refused.contains("SMTPUTF8, which `mx.example` does not offer"), "{refused}");
        let offers = Offers { utf8: true, eight_bit: true, ..Offers::default() };
        let (from, rcpt) = told(&mail, &offers).expect("it can be carried");
        assert_eq!(from, "MAIL FROM:<> SMTPUTF8 BODY=8BITMIME");
        assert_eq!(rcpt, "RCPT TO:<zoé@xn--mnchen-3ya.example>");
    }

    #[test]
    fn a_foreign_domain_alone_needs_nothing_special() {
        let mail = mail(None, "zoe@münchen.example", b"x");
        let (from, rcpt) = told(&mail, &Offers::default()).expect("it can be carried");
        assert_eq!(
            (from.as_str(), rcpt.as_str()),
            ("MAIL FROM:<>", "RCPT TO:<zoe@xn--mnchen-3ya.example>")
        );
    }

    #[test]
    fn t_15_no_address_is_a_command() {
        for to in ["-oQspool@x.y", "a$USER@x.y", "\"a..b\"@x.y"] {
            let (_, rcpt) = told(&mail(None, to, b"x"), &Offers::default()).expect("carried");
            assert_eq!(rcpt, format!("RCPT TO:<{to}>"));
        }
        for to in ["a@x.y>\r\nDATA", "a b@x.y", "a\r\nRSET@x.y", "a>@x.y", "nobody"] {
            assert!(told(&mail(None, to, b"x"), &Offers::default()).is_err(), "{to}");
        }
    }

    #[test]
    fn t_14_a_dot_that_begins_a_line_is_doubled() {
        assert!(matches!(stuffed(b"a.\r\nb\r\n"), Cow::Borrowed(_)));
        assert_eq!(stuffed(b".a\r\n.\r\n..b\r\n").as_ref(), b"..a\r\n..\r\n...b\r\n");
    }
}
