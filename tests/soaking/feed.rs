//! The mail that comes in, and what must become of it: first mails of new contacts and later ones,
//! replies, the same by another road, bounces of our own mail and of nobody's; some with attachments.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use base64::Engine;

use crate::support::dice::Dice;

// A message is answered when so many have come after it: by then it is decided.
const AGE: usize = 120;

/// Which of the two mailboxes of the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    Imap,
    Maildir,
}

/// A message to deliver.
pub struct Letter {
    pub road: Road,
    pub raw: Vec<u8>,
}

/// A mail of ours that arrived at somebody's.
pub struct OurMail {
    pub message_id: String,
    pub to: String,
}

/// Makes messages, and keeps the account of them.
pub struct Feed {
    dice: Dice,
    made: usize,
    past: Vec<Past>,
    /// Mails of ours that may bounce yet, and whom they went to.
    sent: VecDeque<OurMail>,
    bounced: BTreeSet<String>,
    pub expected: Expected,
}

/// What must be in the store once all is decided.
#[derive(Default)]
pub struct Expected {
    /// How many messages were fed, the same twice counted twice.
    pub fed: usize,
    /// How many decisions of each reason.
    pub reasons: BTreeMap<&'static str, i64>,
    /// The subject of each message that is accepted once.
    pub subjects: BTreeSet<String>,
    pub users: usize,
}

struct Past {
    from: String,
    id: String,
    subject: String,
    raw: Vec<u8>,
}

impl Feed {
    pub fn new(seed: u64) -> Feed {
        Feed {
            dice: Dice::new(seed),
            made: 0,
            past: Vec::new(),
            sent: VecDeque::new(),
            bounced: BTreeSet::new(),
            expected: Expected::default(),
        }
    }

    /// Mails of ours went out, and some of them bounce.
    pub fn note(&mut self, mails: impl IntoIterator<Item = OurMail>) {
        for mail in mails {
            // An address that failed gets no mail, so the one bounce of each is counted.
            if self.dice.below(8) == 0 && self.bounced.insert(mail.to.clone()) {
                self.sent.push_back(mail);
            }
        }
    }

    /// The next message.
    pub fn next(&mut self) -> Letter {
        self.made += 1;
        self.expected.fed += 1;
        let road = *self.dice.pick(&[Road::Imap, Road::Maildir]);
        let raw = match self.dice.below(100) {
            40..55 if self.past.len() > AGE => self.question(),
            55..80 if self.past.len() > AGE => self.reply(),
            80..90 if !self.past.is_empty() => self.again(),
            90..97 if !self.sent.is_empty() => self.bounce(),
            97..100 => self.bounce_of_nothing(),
            _ => self.contact(),
        };
        Letter { road, raw }
    }

    fn contact(&mut self) -> Vec<u8> {
        let n = self.made;
        self.expected.users += 1;
        self.ask(format!("person.{n}@company-{}.example", n % 211))
    }

    // By somebody who wrote before.
    fn question(&mut self) -> Vec<u8> {
        let from = self.old().from.clone();
        self.ask(from)
    }

    fn ask(&mut self, from: String) -> Vec<u8> {
        let id = format!("{}.soak@{}", self.made, from.split('@').nth(1).expect("a domain"));
        let subject = format!("Printer {} stops", self.made);
        let raw = self.write(&from, &subject, &id, "");
        self.expect("ticket_created", &subject);
        self.past.push(Past { from, id, subject, raw: raw.clone() });
        raw
    }

    fn reply(&mut self) -> Vec<u8> {
        let n = self.made;
        let old = self.old();
        let (from, parent) = (old.from.clone(), old.id.clone());
        let subject = format!("Re: {} ({n})", old.subject);
        let id = format!("{n}.soak@reply.example");
        let more = format!("In-Reply-To: <{parent}>\r\nReferences: <{parent}>\r\n");
        self.expect("reply_added", &subject);
        self.write(&from, &subject, &id, &more)
    }

    // M-09: as another server writes it.
    fn again(&mut self) -> Vec<u8> {
        *self.expected.reasons.entry("duplicate").or_default() += 1;
        let mut raw = self.dice.pick(&self.past).raw.clone();
        if self.dice.below(2) == 0 {
            raw.retain(|byte| *byte != b'\r');
        }
        raw
    }

    fn bounce(&mut self) -> Vec<u8> {
        let mail = self.sent.pop_front().expect("there is one");
        let subject = self.undelivered();
        self.expect("bounce_attached", &subject);
        self.report(&subject, &mail.to, &mail.message_id)
    }

    fn bounce_of_nothing(&mut self) -> Vec<u8> {
        *self.expected.reasons.entry("bounce_unmatched").or_default() += 1;
        let subject = self.undelivered();
        let id = format!("nothing.{}@elsewhere.example", self.made);
        self.report(&subject, "nobody@elsewhere.example", &id)
    }

    fn undelivered(&self) -> String {
        format!("Undelivered mail ({})", self.made)
    }

    fn old(&mut self) -> &Past {
        let end = self.past.len() - AGE;
        self.dice.pick(&self.past[..end])
    }

    fn expect(&mut self, reason: &'static str, subject: &str) {
        *self.expected.reasons.entry(reason).or_default() += 1;
        assert!(self.expected.subjects.insert(subject.to_owned()), "`{subject}` is made once");
    }

    fn write(&mut self, from: &str, subject: &str, id: &str, more: &str) -> Vec<u8> {
        let text = format!("Hello,\r\n\r\nit stops after every page ({}).\r\n", self.made);
        let head = format!(
            "From: A Person <{from}>\r\nTo: support@helpdesk.example\r\nSubject: {subject}\r\n\
             Message-ID: <{id}>\r\nDate: Mon, 5 Jan 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n{more}"
        );
        if self.dice.below(4) > 0 {
            let kind = "Content-Type: text/plain; charset=utf-8";
            return format!("{head}{kind}\r\n\r\n{text}").into_bytes();
        }
        let size = 1_000 + self.dice.below(60_000);
        let bytes: Vec<u8> = (0..size).map(|_| self.dice.below(256).to_le_bytes()[0]).collect();
        let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
        let lines: Vec<&str> = (0..encoded.len())
            .step_by(76)
            .map(|at| &encoded[at..encoded.len().min(at + 76)])
            .collect();
        format!(
            "{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--b\r\n\
             Content-Type: application/pdf; name=\"page.pdf\"\r\n\
             Content-Disposition: attachment; filename=\"page.pdf\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
            lines.join("\r\n")
        )
        .into_bytes()
    }

    fn report(&self, subject: &str, to: &str, message_id: &str) -> Vec<u8> {
        format!(
            "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: support@helpdesk.example\r\n\
             Subject: {subject}\r\nMessage-ID: <{n}.dsn@mx.example>\r\nAuto-Submitted: auto-replied\r\n\
             Date: Mon, 5 Jan 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
             Final-Recipient: rfc822; {to}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
             --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{message_id}>\r\n\
             To: {to}\r\n\r\n--b--\r\n",
            n = self.made
        )
        .into_bytes()
    }
}
