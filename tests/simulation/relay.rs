//! The relay of the simulated world: it takes mail, refuses it, or goes away before or after it said
//! that it took it.

use std::io;

use guichet::faults::world::Peer;
use memchr::memmem;

use super::outside::{Outside, Shared};

/// A mail that its recipient got.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Its Message-ID, with brackets.
    pub id: String,
    pub from: String,
    pub to: String,
    pub raw: String,
    /// Somebody has read it and, if they do such things, answered.
    pub is_read: bool,
}

impl Mail {
    /// A field of its header, unfolded.
    pub fn field(&self, name: &str) -> Option<String> {
        field(&self.raw, name)
    }
}

fn field(raw: &str, name: &str) -> Option<String> {
    let (head, _) = raw.split_once("\r\n\r\n")?;
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// How the relay treats the next mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It takes no connection.
    Away,
    /// It goes away with the mail, and nobody gets it.
    DroppedBefore,
    /// It goes away with the mail, and somebody gets it.
    DroppedAfter,
    /// It goes away in the middle.
    DroppedEarly,
    NotNow,
    NotNowAtEnd,
    Refused,
    RefusedAtEnd,
    Taken,
}

/// A connection to the relay.
pub struct RelayPeer {
    world: Shared,
    heard: Vec<u8>,
    says: Vec<u8>,
    from: String,
    to: String,
    is_content: bool,
    is_over: bool,
}

impl RelayPeer {
    pub fn connect(world: &Shared) -> io::Result<Box<dyn Peer>> {
        let mut outside = world.lock();
        if outside.answers.front() == Some(&Answer::Away) {
            outside.answers.pop_front();
            outside.log.note(|| "  the relay is away".to_owned());
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        Ok(Box::new(RelayPeer {
            world: world.clone(),
            heard: Vec::new(),
            says: b"220 relay\r\n".to_vec(),
            from: String::new(),
            to: String::new(),
            is_content: false,
            is_over: false,
        }))
    }

    fn command(&mut self, line: &str) {
        let mut outside = self.world.lock();
        outside.step("an SMTP command");
        if outside.is_dead() || self.is_over {
            return;
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = outside.answers.front().copied().unwrap_or(Answer::Taken);
        let said = match (verb.as_str(), answer) {
            ("MAIL", _) => {
                self.from = address(line);
                "250 2.1.0 Ok"
            }
            ("RCPT", Answer::NotNow) => {
                outside.answers.pop_front();
                "451 4.7.1 come back later"
            }
            ("RCPT", Answer::Refused) => {
                outside.answers.pop_front();
                "550 5.1.1 nobody of that name"
            }
            ("RCPT", Answer::DroppedEarly) => {
                outside.answers.pop_front();
                self.is_over = true;
                return;
            }
            ("RCPT", _) => {
                self.to = address(line);
                "250 2.1.5 Ok"
            }
            ("DATA", _) => {
                self.is_content = true;
                "354 go on"
            }
            ("EHLO", _) => "250-relay\r\n250 8BITMIME",
            ("QUIT", _) => {
                self.is_over = true;
                "221 bye"
            }
            _ => "250 Ok",
        };
        self.says.extend_from_slice(said.as_bytes());
        self.says.extend_from_slice(b"\r\n");
    }

    fn content(&mut self, raw: &str) {
        let mut outside = self.world.lock();
        outside.step("an SMTP mail");
        if outside.is_dead() || self.is_over {
            return;
        }
        let answer = outside.answers.pop_front().unwrap_or(Answer::Taken);
        self.says.extend_from_slice(match answer {
            Answer::NotNowAtEnd => b"451 4.3.0 come back later\r\n",
            Answer::RefusedAtEnd => b"554 5.6.0 not like this\r\n",
            _ => b"250 2.0.0 Ok\r\n",
        });
        let is_dropped = matches!(answer, Answer::DroppedBefore | Answer::DroppedAfter);
        if is_dropped {
            self.says.clear();
            self.is_over = true;
        }
        let (from, to) = (self.from.clone(), self.to.clone());
        if matches!(answer, Answer::NotNowAtEnd | Answer::RefusedAtEnd | Answer::DroppedBefore) {
            outside.log.note(|| format!("  no mail to {to}: {answer:?}"));
        } else {
            take(&mut outside, from, to, raw);
        }
        outside.step("an SMTP end");
    }
}

fn take(outside: &mut Outside, from: String, to: String, raw: &str) {
    let id = field(raw, "Message-ID").unwrap_or_default();
    let mail = Mail { id, from, to, raw: raw.to_owned(), is_read: false };
    outside.log.note(|| format!("  mail {} to {}", mail.id, mail.to));
    outside.delivered.push(mail);
}

impl Peer for RelayPeer {
    fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        loop {
            let end: &[u8] = if self.is_content { b"\r\n.\r\n" } else { b"\r\n" };
            let Some(at) = memmem::find(&self.heard, end) else { return };
            let text = String::from_utf8_lossy(&self.heard[..at]).into_owned();
            self.heard.drain(..at + end.len());
            if std::mem::take(&mut self.is_content) {
                self.content(&text);
            } else {
                self.command(&text);
            }
        }
    }

    fn say(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.says)
    }
}

fn address(line: &str) -> String {
    let between = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    between.map(|(address, _)| address.to_owned()).unwrap_or_default()
}
