//! P-07, a power cut: a run of the real binary is recorded call by call, the disk is rebuilt as it may
//! have been left at chosen moments, and the binary goes on from there. Takes about twenty seconds.

mod disk;
#[path = "../support/mod.rs"]
mod support;
mod trace;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use disk::{Disk, Unsynced};
use support::dice::Dice;
use support::sink::{Sink, SinkOptions};
use support::{Desk, message};
use trace::{Event, What};

const MESSAGES: usize = 12;

/// How mail of ours leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    File,
    Smtp,
}

/// A recorded run, and what it began with.
struct Run {
    way: Way,
    desk: Desk,
    sink: Sink,
    before: Disk,
    events: Vec<Event>,
}

impl Run {
    fn of(way: Way, after: &str) -> Run {
        let sink = Sink::start(SinkOptions::default());
        let desk = Desk::new("");
        let transport = match way {
            Way::File => "transport = \"file\"\npath = \"outgoing\"".to_owned(),
            Way::Smtp => format!(
                "transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nrate = \"off\"",
                sink.port()
            ),
        };
        let text = format!(
            "state = \"state\"\n[http]\nlisten = \"127.0.0.1:0\"\n[portal]\nurl = \"https://help.example.com\"\n[smtp]\n{transport}\n\
             [[mailbox]]\nname = \"support\"\nprovider = \"maildir\"\n\
             address = \"support@helpdesk.example\"\npath = \"mail\"\nstart = \"all\"\n{after}\n\
             [limits]\nper_sender = \"off\"\nper_domain = \"off\"\nnew_users = \"off\"\n\
             auto_mails_per_address = \"off\"\n"
        );
        fs::write(desk.config(), text).expect("the configuration is written");
        let now = support::dovecot::now().as_second();
        for n in 0..MESSAGES {
            let from = format!("u{n}@d{n}.example");
            let body = format!("hello {}", "and more ".repeat(n * 90));
            let raw = message(&from, &format!("Printer {n}"), &format!("k{n}@x"), "", &body);
            desk.deliver(&format!("{now}.M{n:06}P1.power"), &raw);
        }
        let before = Disk::of(desk.path());
        let events = trace::record(&desk.command(&["run", "--once"]), desk.path());
        sink.take_mails();
        Run { way, desk, sink, before, events }
    }

    /// The lines of the trace at which the power may go: at each change of the mailbox, before and
    /// after, and at others.
    fn cuts(&self, count: usize, dice: &mut Dice) -> Vec<usize> {
        let is_telling = |event: &&Event| match &event.what {
            What::Removed(path) | What::Renamed { from: path, .. } => {
                path.starts_with(self.desk.maildir())
            }
            What::Said(_) | What::Synced(_) => true,
            _ => false,
        };
        let telling: Vec<usize> =
            self.events.iter().filter(is_telling).map(|event| event.end).collect();
        let last = self.events.last().expect("something happened").end;
        let any =
            |dice: &mut Dice| usize::try_from(dice.below(last as u64 + 1)).expect("it is a line");
        (0..count)
            .map(|n| if n % 4 == 0 { any(dice) } else { *dice.pick(&telling) })
            .chain([last])
            .collect()
    }

    /// The Message-IDs of the mails that were handed over before.
    fn handed_over(&self, cut: usize) -> BTreeSet<String> {
        let before = self.events.iter().take_while(|event| event.end <= cut);
        let said = before.filter_map(|event| match &event.what {
            What::Said(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        });
        said.filter_map(|said| message_id(&said)).collect()
    }

    /// Cuts the power, and looks at what is left.
    fn cut(&self, cut: usize, unsynced: Unsynced) {
        let when = format!("cut at line {cut}, unsynced: {unsynced:?}");
        let left = Desk::new("");
        fs::remove_dir_all(left.maildir()).expect("it was made");
        self.before.after(&self.events, cut, unsynced, left.path());
        self.nothing_acknowledged_is_lost(&left, cut, &when);
        let verified = left.run(&["db", "verify"]);
        assert!(verified.status.success(), "{when}: damaged: {verified:?}");
        self.it_goes_on(&left, cut, &when);
    }

    fn nothing_acknowledged_is_lost(&self, left: &Desk, cut: usize, when: &str) {
        let stored = column(left, "SELECT origin FROM message");
        let acknowledged =
            column(left, "SELECT origin FROM message WHERE acknowledgement = 'done'");
        let waiting = names(&left.maildir().join("new"));
        for name in &self.before.names_in(&self.desk.maildir().join("new")) {
            let is_stored = stored.iter().any(|origin| origin.contains(name.as_str()));
            let is_told = acknowledged.iter().any(|origin| origin.contains(name.as_str()));
            let is_waiting = waiting.contains(name);
            assert!(
                is_stored || is_waiting,
                "{when}: lost: `{name}` is in no mailbox and no store"
            );
            assert!(!(is_told && is_waiting), "{when}: what was acknowledged is back: `{name}`");
        }
        let known = column(left, "SELECT message_id FROM outbox");
        for id in self.handed_over(cut) {
            assert!(known.contains(&id), "{when}: a mail is forgotten that was handed over: {id}");
        }
        if self.way == Way::File {
            let written = written(left);
            for id in column(left, "SELECT message_id FROM outbox WHERE state = 'sent'") {
                assert!(written.contains_key(&id), "{when}: a mail is gone that was sent: {id}");
            }
        }
    }

    fn it_goes_on(&self, left: &Desk, cut: usize, when: &str) {
        let ended = left.run(&["run", "--once"]);
        assert!(ended.status.success(), "{when}: it does not go on: {ended:?}");
        assert!(left.run(&["audit"]).status.success(), "{when}: the books are off");
        let tickets = column(left, "SELECT CAST(number AS TEXT) FROM ticket");
        assert_eq!(tickets.len(), MESSAGES, "{when}: one ticket a message");
        assert_eq!(names(&left.maildir().join("new")).len(), 0, "{when}: mail is left");
        let mut copies: BTreeMap<String, usize> = match self.way {
            Way::File => written(left),
            Way::Smtp => self.handed_over(cut).into_iter().map(|id| (id, 1)).collect(),
        };
        for mail in self.sink.take_mails() {
            let id = message_id(&String::from_utf8_lossy(&mail.raw)).expect("each mail has one");
            *copies.entry(id).or_default() += 1;
        }
        let queued: BTreeSet<String> = column(left, "SELECT message_id FROM outbox");
        assert_eq!(
            copies.keys().cloned().collect::<BTreeSet<_>>(),
            queued,
            "{when}: one id a mail"
        );
        assert!(copies.values().all(|copies| *copies <= 2), "{when}: {copies:?}");
    }
}

fn power_is_cut(way: Way, after: &str, cuts: usize, seed: u64) {
    println!("seed {seed}");
    let run = Run::of(way, after);
    let mut dice = Dice::new(seed);
    let all = run.cuts(cuts, &mut dice);
    for (n, cut) in all.into_iter().enumerate() {
        let seed = dice.below(1 << 31);
        let ways = [Unsynced::Some { seed }, Unsynced::Nothing, Unsynced::All];
        run.cut(cut, ways[n % ways.len()]);
    }
}

#[test]
fn p_07_a_power_cut_while_mail_is_deleted_and_sent() {
    power_is_cut(Way::Smtp, "after = \"delete\"", 18, 7);
}

#[test]
fn p_07_a_power_cut_while_mail_is_moved_and_written_to_files() {
    power_is_cut(Way::File, "after = \"move\"\nmove_to = \"done\"", 18, 8);
}

#[test]
#[ignore = "many cuts take minutes"]
fn p_07_the_power_is_cut_at_hundreds_of_moments() {
    for seed in 100..104 {
        power_is_cut(Way::Smtp, "after = \"delete\"", 150, seed);
        power_is_cut(Way::File, "after = \"move\"\nmove_to = \"done\"", 150, seed);
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn message_id(mail: &str) -> Option<String> {
    let (_, rest) = mail.split_once("\r\nMessage-ID: <")?;
    rest.split_once('>').map(|(id, _)| id.to_owned())
}

/// How often each mail lies in the outgoing maildir, whole.
fn written(left: &Desk) -> BTreeMap<String, usize> {
    let mut written = BTreeMap::new();
    for mail in left.sent() {
        let text = String::from_utf8_lossy(&mail).into_owned();
        let is_whole = !mail.contains(&0) && text.contains("\r\n\r\n");
        if let Some(id) = message_id(&text).filter(|_| is_whole) {
            *written.entry(id).or_default() += 1;
        }
    }
    written
}

/// The texts that `statement` finds in the store that is left: nothing where there is none.
// Asked of a copy: to open it is to recover it, and that is for the binary to do.
fn column(left: &Desk, statement: &str) -> BTreeSet<String> {
    let copy = tempfile::tempdir().expect("a temporary folder");
    for name in ["guichet.db", "guichet.db-wal", "guichet.db-journal"] {
        let _ = fs::copy(left.path().join("state").join(name), copy.path().join(name));
    }
    let file: PathBuf = copy.path().join("guichet.db");
    let rows = rusqlite::Connection::open(file).and_then(|store| {
        let mut statement = store.prepare(statement)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        rows.collect::<rusqlite::Result<BTreeSet<String>>>()
    });
    rows.unwrap_or_default()
}
