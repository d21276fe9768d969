//! What a soak works on: a desk with a maildir and a mailbox on Dovecot, a store, a relay that takes
//! and counts all mail, and the daemon that is killed.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use crate::books::Books;
use crate::feed::{Feed, Letter, OurMail, Road};
use crate::support::dice::Dice;
use crate::support::dovecot::Dovecot;
use crate::support::postgres::{self, PASSWORD};
use crate::support::sink::{Sink, SinkOptions};
use crate::support::{Daemon, Desk};

/// The user whose mailbox is on Dovecot.
pub const USER: &str = "desk";

// At least so many are decided between two kills.
const DECIDED: usize = 20;
// Messages that wait in the mailboxes at a time.
const WAITING: usize = 30;
// How long the daemon may take for a first decision, or for all the rest at the end.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Postgres,
    Sqlite,
}

pub struct Rig {
    pub desk: Desk,
    pub dovecot: Dovecot,
    pub books: Books,
    pub feed: Feed,
    sink: Sink,
    dice: Dice,
    /// How many messages went to the maildir, and to Dovecot.
    pub delivered: (usize, usize),
    /// How often each Message-ID of ours arrived.
    pub arrived: BTreeMap<String, usize>,
    pub longest_recovery: Duration,
    /// The fewest messages decided between two kills.
    pub fewest: usize,
    /// In KiB.
    pub peak: u64,
}

impl Rig {
    pub fn new(database: Database, seed: u64) -> Rig {
        let desk = Desk::new("");
        let dovecot = Dovecot::start();
        // Both sides of a mailbox that nobody wrote to yet.
        dovecot.make_folder(USER, "INBOX");
        let sink = Sink::start(SinkOptions::default());
        let (books, store) = match database {
            Database::Postgres => {
                let schema = postgres::fresh_schema();
                let client = postgres::server().client(postgres::DATABASE);
                let client = Box::new(client.expect("PostgreSQL answers"));
                let store = format!(
                    "[store]\nurl = \"{}\"\npassword = \"{PASSWORD}\"\ntls = \"none\"\nworkers = 2\n",
                    schema.url
                );
                (Books::Postgres { client, schema: schema.name }, store)
            }
            Database::Sqlite => {
                (Books::Sqlite(desk.path().join("state/guichet.db")), String::new())
            }
        };
        fs::write(desk.config(), configuration(&dovecot, sink.port(), &store)).expect("written");
        Rig {
            desk,
            dovecot,
            books,
            feed: Feed::new(seed),
            sink,
            dice: Dice::new(seed ^ 0x5eed),
            delivered: (0, 0),
            arrived: BTreeMap::new(),
            longest_recovery: Duration::ZERO,
            fewest: usize::MAX,
            peak: 0,
        }
    }

    /// Starts the daemon, feeds it, and kills it at some moment after enough is decided.
    pub fn kill_once(&mut self) {
        let before = self.decided();
        let enough = DECIDED + usize::try_from(self.dice.below(20)).expect("it is small");
        self.top_up(before);
        let started = now();
        let daemon = self.desk.start();
        let mut decided = before;
        while decided < before + enough {
            std::thread::sleep(Duration::from_millis(5));
            let first = decided == before;
            decided = self.decided();
            if first && decided > before {
                self.longest_recovery = self.longest_recovery.max(started.elapsed());
            }
            assert!(started.elapsed() < PATIENCE, "it decides nothing: {}", self.log());
            self.top_up(decided);
        }
        let moment = Duration::from_millis(self.dice.below(120));
        let since = now();
        while since.elapsed() < moment {
            std::thread::sleep(Duration::from_millis(7));
            let letter = self.feed.next();
            self.deliver(&letter);
        }
        self.peak = self.peak.max(peak_of(&daemon));
        daemon.kill();
        self.fewest = self.fewest.min(self.decided() - before);
        self.take_mails();
    }

    /// Lets the daemon do all that is left, and stops it in order.
    pub fn finish(&mut self) {
        let started = now();
        let daemon = self.desk.start();
        while self.left() > 0 {
            std::thread::sleep(Duration::from_millis(50));
            assert!(
                started.elapsed() < PATIENCE,
                "{} pieces of work are left for ever: {}",
                self.left(),
                self.log()
            );
        }
        self.peak = self.peak.max(peak_of(&daemon));
        assert_eq!(daemon.stop(), Some(0), "SIGTERM is a clean stop (P-14)");
        self.take_mails();
    }

    /// What is still to be done: messages to bring in, to decide, to acknowledge; mails to send.
    fn left(&mut self) -> usize {
        let stored = self.books.count("SELECT COUNT(*) FROM message");
        let undone = "SELECT (SELECT COUNT(*) FROM message WHERE acknowledgement = 'owed' \
                      OR state IN ('incoming', 'active', 'deferred')) \
                      + (SELECT COUNT(*) FROM outbox WHERE state IN ('queued', 'sending'))";
        self.feed.expected.fed - stored.min(self.feed.expected.fed) + self.books.count(undone)
    }

    fn decided(&mut self) -> usize {
        self.books.count("SELECT COUNT(*) FROM decision")
    }

    fn top_up(&mut self, decided: usize) {
        while self.feed.expected.fed < decided + WAITING {
            let letter = self.feed.next();
            self.deliver(&letter);
        }
    }

    fn deliver(&mut self, letter: &Letter) {
        match letter.road {
            Road::Imap => {
                self.delivered.1 += 1;
                self.dovecot.deliver(USER, "INBOX", &letter.raw);
            }
            Road::Maildir => {
                self.delivered.0 += 1;
                let seconds = crate::support::dovecot::now().as_second();
                let name = format!("{seconds}.M{:09}P1.soak", self.delivered.0);
                let draft = self.desk.maildir().join("tmp").join(&name);
                fs::write(&draft, &letter.raw).expect("the message is written");
                let there = self.desk.maildir().join("new").join(&name);
                fs::rename(draft, there).expect("the message is delivered");
            }
        }
    }

    fn take_mails(&mut self) {
        let mails: Vec<OurMail> =
            self.sink.take_mails().iter().map(|mail| our(&mail.raw)).collect();
        for mail in &mails {
            *self.arrived.entry(mail.message_id.clone()).or_default() += 1;
        }
        self.feed.note(mails);
    }

    fn log(&self) -> String {
        let text = self.desk.log();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

/// The time of the machine, which the daemon lives in.
#[expect(clippy::disallowed_methods, reason = "the daemon lives in the machine's time")]
pub fn now() -> Instant {
    Instant::now()
}

fn configuration(dovecot: &Dovecot, port: u16, store: &str) -> String {
    format!(
        r#"state = "state"
[http]
listen = "127.0.0.1:0"
[portal]
url = "https://help.example.com"
[smtp]
transport = "smtp"
host = "127.0.0.1"
port = {port}
tls = "none"
rate = "off"
[[mailbox]]
name = "support"
provider = "maildir"
address = "support@helpdesk.example"
path = "mail"
start = "all"
after = "delete"
[[mailbox]]
{mailbox}start = "all"
after = "move"
move_to = "done"
[limits]
per_sender = "off"
per_domain = "off"
new_users = "off"
auto_mails_per_address = "off"
{store}"#,
        mailbox = dovecot.mailbox(USER),
    )
}

// Its id and whom it is to, from its header.
fn our(raw: &[u8]) -> OurMail {
    let text = String::from_utf8_lossy(raw);
    let field = |name: &str| -> String {
        let rest = text.split(&format!("\r\n{name}: ")).nth(1).unwrap_or_default();
        let value = rest.split("\r\n").next().unwrap_or_default();
        value.rsplit('<').next().unwrap_or_default().trim_end_matches('>').to_owned()
    };
    OurMail { message_id: field("Message-ID"), to: field("To") }
}

fn peak_of(daemon: &Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse().expect("a number of kB")
}
