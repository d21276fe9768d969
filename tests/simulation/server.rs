//! A mail server of the simulated world: an account in memory, and what is wrong with it.

use std::collections::BTreeMap;
use std::io;

use guichet::faults::world::Peer;
use jiff::Timestamp;
use memchr::memmem;

use super::outside::Shared;
use super::support::account::{self, Account, Folder, Message};

/// The folder that mail is moved to.
pub const DONE: &str = "done";

/// One mail server, with one mailbox.
pub struct Server {
    pub account: Account,
    /// Connections that are refused.
    pub refuses: u32,
    /// Commands that it says no to.
    pub denies: u32,
    /// UIDs that it does not give for so many times.
    pub stuck: BTreeMap<u32, u32>,
    /// Commands after which the connection breaks.
    pub breaks: Option<Break>,
    /// Another one each time that it is not the same folder any more: its connections end.
    pub generation: u32,
}

/// When a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    pub commands: u32,
    /// Whether the last of them is carried out.
    pub carried_out: bool,
}

impl Server {
    pub fn new() -> Server {
        let mut account = Account::new();
        let done = Folder { validity: 9, next: 1, messages: Vec::new() };
        account.folders.insert(DONE.to_owned(), done);
        Server {
            account,
            refuses: 0,
            denies: 0,
            stuck: BTreeMap::new(),
            breaks: None,
            generation: 0,
        }
    }

    /// Puts a message into the mailbox, as it arrives at that time.
    pub fn deliver(&mut self, raw: Vec<u8>, at: Timestamp) {
        let internal_date = at.strftime("%d-%b-%Y %H:%M:%S +0000").to_string();
        let inbox = self.account.inbox();
        let uid = inbox.next;
        inbox.next += 1;
        inbox.messages.push(Message { uid, flags: Vec::new(), internal_date, raw });
    }

    /// As after a restore: another UIDVALIDITY, and UIDs anew.
    pub fn renumber(&mut self) {
        self.account.inbox().renumber(1);
        self.stuck.clear();
        self.generation += 1;
    }

    /// Everything works again.
    pub fn heal(&mut self) {
        (self.refuses, self.denies, self.breaks) = (0, 0, None);
        self.stuck.clear();
    }

    // What it says to a command that it does not carry out.
    fn denied(&mut self, line: &str) -> Option<Vec<u8>> {
        let (tag, rest) = line.split_once(' ')?;
        let fetched = rest.strip_prefix("UID FETCH ").filter(|rest| rest.contains("BODY"));
        let stuck = fetched.and_then(|rest| {
            let (set, _) = rest.split_once(' ')?;
            self.stuck.iter_mut().find(|(uid, times)| **times > 0 && is_in(set, **uid))
        });
        if let Some((_, times)) = stuck {
            *times -= 1;
            return Some(format!("{tag} NO [SERVERBUG] not this one\r\n").into_bytes());
        }
        if self.denies == 0 || !["SELECT", "UID"].iter().any(|verb| rest.starts_with(verb)) {
            return None;
        }
        self.denies -= 1;
        Some(format!("{tag} NO not now\r\n").into_bytes())
    }

    // Whether the connection breaks at this command: before or after it.
    fn breaks_now(&mut self) -> Option<Break> {
        let breaks = self.breaks.as_mut()?;
        if breaks.commands > 0 {
            breaks.commands -= 1;
            return None;
        }
        self.breaks.take()
    }
}

fn is_in(set: &str, uid: u32) -> bool {
    set.split(',').any(|part| {
        let (from, to) = part.split_once(':').unwrap_or((part, part));
        let number = |text: &str| text.parse().unwrap_or(u32::MAX);
        (number(from)..=number(to)).contains(&uid)
    })
}

/// A connection to one of them.
pub struct ImapPeer {
    world: Shared,
    number: usize,
    session: account::Session,
    heard: Vec<u8>,
    says: Vec<u8>,
    is_over: bool,
    generation: u32,
}

impl ImapPeer {
    pub fn connect(world: &Shared, number: usize) -> io::Result<Box<dyn Peer>> {
        let mut outside = world.lock();
        let server = &mut outside.servers[number];
        if server.refuses > 0 {
            server.refuses -= 1;
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        Ok(Box::new(ImapPeer {
            world: world.clone(),
            number,
            session: server.account.session(),
            heard: Vec::new(),
            says: b"* OK ready\r\n".to_vec(),
            is_over: false,
            generation: server.generation,
        }))
    }

    fn answer(&mut self, line: &str) {
        let mut outside = self.world.lock();
        outside.step("an IMAP command");
        if outside.is_dead() || self.is_over {
            return;
        }
        let (number, running) = (self.number, outside.running);
        // What came over the wire before the login is nobody's business.
        let shown = if line.contains("AUTHENTICATE") { "AUTHENTICATE" } else { line };
        outside.log.note(|| format!("  {running}> imap {number}: {shown}"));
        if line.contains("BODY.PEEK[]") && outside.is_full() {
            outside.wrong.push(format!("mail is fetched while the disk is full: {shown}"));
        }
        let server = &mut outside.servers[number];
        if let Some(no) = server.denied(line) {
            self.says.extend(no);
            return;
        }
        let breaks = server.breaks_now();
        self.is_over = breaks.is_some() || server.generation != self.generation;
        if breaks.is_none_or(|breaks| breaks.carried_out) && server.generation == self.generation {
            let said = self.session.answer(&mut server.account, line);
            if !self.is_over {
                self.says.extend(said);
            }
        }
        outside.step("an IMAP answer");
    }
}

impl Peer for ImapPeer {
    fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        while let Some(end) = memmem::find(&self.heard, b"\r\n") {
            let line = String::from_utf8_lossy(&self.heard[..end]).into_owned();
            self.heard.drain(..end + 2);
            self.answer(&line);
        }
    }

    fn say(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.says)
    }
}
