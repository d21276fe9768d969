//! A store, a clock and the source under test: everything but the house around it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use guichet::args;
use guichet::clock::{Clock, Ids, Next, SeededChance, SetClock};
use guichet::intake::{
    After, House, ImapOptions, ImapWatch, Options, SourceOptions, Space, Start, Tenure, Wake,
};
use guichet::net::{Login, Password, Security, Server};
use guichet::store::{self, Durability, Location, Store, mailboxes, spool};

use crate::support::dovecot::Dovecot;
use crate::support::scripted::Scripted;
use crate::support::tls;
use crate::support::{account, message};

/// 2026-01-05 10:00 UTC, an hour after the mail of the scripted servers arrived: the first contact.
pub const CONTACT: i64 = 1_767_607_200;

pub struct Desk {
    dir: tempfile::TempDir,
    pub clock: Arc<SetClock>,
    pub store: Store,
    ids: Ids,
    runtime: tokio::runtime::Runtime,
}

impl Desk {
    pub fn new() -> Desk {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(SetClock::at(seconds(CONTACT)));
        let options = store::Options {
            location: Location::Sqlite(dir.path().join("guichet.db")),
            durability: Durability::None,
        };
        let store = Store::open(&options, clock.now()).expect("a new store opens");
        tls::ca_file(dir.path());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime starts");
        let ids = Ids::new(clock.clone(), Arc::new(SeededChance::new(7)));
        Desk { dir, clock, store, ids, runtime }
    }

    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// The mailbox `support` on a scripted server: everything from the start, kept there.
    pub fn options(&self, server: &Scripted) -> Options {
        self.options_at(server.port(), Security::None)
    }

    /// The same at a port and with a protection, any step of which may take two seconds.
    pub fn options_at(&self, port: u16, security: Security) -> Options {
        let server = Server {
            host: "127.0.0.1".to_owned(),
            port,
            security,
            ca_file: Some(self.ca_file()),
            timeout: Duration::from_secs(2),
        };
        let login = Login {
            username: account::USER.to_owned(),
            password: Password::new(account::PASSWORD),
        };
        Options {
            name: "support".to_owned(),
            address: "support@helpdesk.example".to_owned(),
            source: SourceOptions::Imap(ImapOptions {
                server,
                login,
                folder: "INBOX".to_owned(),
                poll_interval: SignedDuration::from_secs(60),
            }),
            start: Start::All,
            after: After::Keep,
            max_message_size: 1_000_000,
            sweep: SignedDuration::from_mins(5),
        }
    }

    pub fn watch(&self, options: Options) -> ImapWatch {
        self.watch_with(options, 1_u64 << 60, &Wake::new())
    }

    /// Lets a mailbox run as the house does, and stops it after a while; it ends at once then.
    pub fn run_for(&self, options: &Options, time: Duration) {
        let wake = Wake::new();
        let mut watch = self.watch_with(options.clone(), 1_u64 << 60, &wake);
        self.runtime.block_on(async {
            let stop = async {
                tokio::time::sleep(time).await;
                wake.stop();
            };
            let run = tokio::time::timeout(time + Duration::from_secs(5), watch.run());
            let (ended, ()) = tokio::join!(run, stop);
            ended.expect("it heard that the house stops").expect("the store is sound");
        });
    }

    /// The same until `is_done`, asked each time after the bell has rung for decisions.
    pub fn run_until(&self, options: &Options, is_done: impl Fn(&Desk) -> bool + Send) {
        let wake = Wake::new();
        let mut watch = self.watch_with(options.clone(), 1_u64 << 60, &wake);
        let bell = wake.clone();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while !is_done(self) {
                    bell.decided();
                    std::thread::sleep(Duration::from_millis(20));
                }
                bell.stop();
            });
            let run = async { tokio::time::timeout(Duration::from_secs(10), watch.run()).await };
            let ended = self.runtime.block_on(run);
            ended
                .expect("it did its work and heard that the house stops")
                .expect("the store is sound");
        });
    }

    /// A mailbox on a disk with so many bytes free (the floor is 1,000), with a bell to ring.
    pub fn watch_with(&self, options: Options, free: u64, wake: &Arc<Wake>) -> ImapWatch {
        self.watch_as(options, free, wake, Tenure::Alone)
    }

    /// A mailbox as one of several processes watches it.
    pub fn leased(&self, options: Options, worker: &str) -> ImapWatch {
        let term = SignedDuration::from_secs(60);
        let tenure = Tenure::Leased { worker: worker.to_owned(), term };
        self.watch_as(options, 1_u64 << 60, &Wake::new(), tenure)
    }

    fn watch_as(&self, options: Options, free: u64, wake: &Arc<Wake>, tenure: Tenure) -> ImapWatch {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let house = House {
            store: self.store.clone(),
            clock,
            ids: self.ids.clone(),
            space: Space { floor: 1_000, free: Box::new(move || Ok(free)) },
            wake: wake.clone(),
            spooled: Box::new(|_| ()),
            tenure,
        };
        ImapWatch::new(options, house)
    }

    /// Steps until nothing is left to do; answers when the next look is due.
    pub fn settle(&self, watch: &mut ImapWatch) -> Timestamp {
        match self.attempt(watch) {
            Ok(due) => due,
            Err(error) => panic!("the mailbox does not work: {error}"),
        }
    }

    /// Steps until nothing is left to do or something fails.
    pub fn attempt(&self, watch: &mut ImapWatch) -> Result<Timestamp, String> {
        for _ in 0..10_000 {
            match self.runtime.block_on(watch.step()) {
                Ok(Next::At(time)) => return Ok(time),
                Ok(Next::Idle) => panic!("a mailbox is always looked at again"),
                Ok(Next::Now) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        panic!("the mailbox never comes to rest");
    }

    /// Looks as often as said, half an hour apart, whatever fails; answers what failed.
    pub fn endure(&self, watch: &mut ImapWatch, looks: usize) -> Vec<String> {
        let mut failures = Vec::new();
        for _ in 0..looks {
            failures.extend(self.attempt(watch).err());
            self.pass(SignedDuration::from_mins(30));
        }
        failures
    }

    pub fn pass(&self, time: SignedDuration) {
        self.clock.set(self.clock.now() + time);
    }

    /// The origins of what was brought in, in order of its UIDs, with what it was taken for.
    pub fn spooled(&self, mailbox: &str) -> Vec<(String, String)> {
        self.rows(
            "SELECT origin, intake FROM message WHERE mailbox = ?1 AND NOT EXISTS \
             (SELECT 1 FROM decision WHERE message = id AND reason = 'before_start')",
            mailbox,
        )
    }

    /// The UIDs of what was brought in.
    pub fn uids(&self, mailbox: &str) -> Vec<u32> {
        let uid = |origin: &String| -> Option<u32> { origin.rsplit('/').next()?.parse().ok() };
        let spooled = self.spooled(mailbox);
        let mut uids: Vec<u32> =
            spooled.iter().map(|(origin, _)| uid(origin).expect("a UID")).collect();
        uids.sort_unstable();
        uids
    }

    /// The origins of what was left alone, from before the start.
    pub fn skipped(&self, mailbox: &str) -> BTreeSet<String> {
        let rows = self.rows(
            "SELECT origin, reason FROM message JOIN decision ON decision.message = message.id \
             WHERE message.mailbox = ?1 AND reason = 'before_start'",
            mailbox,
        );
        rows.into_iter().map(|(origin, _)| origin).collect()
    }

    /// The bytes of each message, by origin.
    pub fn contents(&self, mailbox: &str) -> BTreeMap<String, Vec<u8>> {
        let ids = self.rows("SELECT origin, id FROM message WHERE mailbox = ?1", mailbox);
        let raw = |id: &String| {
            let raw = self.store.read_only(|sql| spool::raw(sql, id)).expect("the store reads");
            raw.unwrap_or_default()
        };
        ids.iter().map(|(origin, id)| (origin.clone(), raw(id))).collect()
    }

    /// Commits a decision about every message, as the ingest does.
    pub fn decide(&self) {
        let statement = "UPDATE message SET state = 'done', acknowledgement = 'owed' \
                         WHERE acknowledgement = 'pending'";
        self.store.transact(move |sql| sql.execute(statement, args![])).expect("written");
    }

    /// How many messages the mailbox `support` must still be told of, without those that rest.
    pub fn owed(&self) -> usize {
        self.owed_to("support")
    }

    /// The same of another mailbox.
    pub fn owed_to(&self, mailbox: &str) -> usize {
        let pending = "SELECT origin, state FROM message \
                       WHERE mailbox = ?1 AND acknowledgement = 'pending'";
        let known = self.store.read_only(mailboxes::known).expect("the store reads");
        let owed = known.iter().find(|known| known.name == mailbox).map_or(0, |known| known.owed);
        self.rows(pending, mailbox).len() + usize::try_from(owed).expect("a number")
    }

    fn rows(&self, statement: &str, mailbox: &str) -> Vec<(String, String)> {
        let rows = self
            .store
            .read_only(|sql| sql.query(statement, args![mailbox]))
            .expect("the store reads");
        let text = |row: &store::Row, column| row.text(column).expect("text");
        let mut rows: Vec<(String, String)> =
            rows.iter().map(|row| (text(row, 0), text(row, 1))).collect();
        rows.sort();
        rows
    }
}

/// The source's own part of the options.
pub fn imap(options: &mut Options) -> &mut ImapOptions {
    let SourceOptions::Imap(imap) = &mut options.source else { panic!("it is an IMAP mailbox") };
    imap
}

/// The mailbox `support` on Dovecot, over implicit TLS.
pub fn on_dovecot(desk: &Desk, dovecot: &Dovecot) -> Options {
    let mut options = desk.options_at(dovecot.ports.imaps, Security::Implicit);
    let server = &mut imap(&mut options).server;
    server.ca_file = Some(dovecot.ca_file());
    server.timeout = Duration::from_secs(20);
    options
}

/// A message of which every byte depends on its number.
pub fn letter(number: usize) -> Vec<u8> {
    message(
        "Claire <claire@contoso.example>",
        &format!("Printer {number}"),
        &format!("{number}@contoso.example"),
        "",
        &format!("It smokes, ({number}) times.\r\n{}", "All day. ".repeat(number)),
    )
}

pub fn letters(count: usize) -> Vec<Vec<u8>> {
    (1..=count).map(letter).collect()
}

pub fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("in range")
}

/// Does the same work so many times at once, each told its number.
pub fn lanes(count: usize, work: impl Fn(usize) + Sync) {
    let work = &work;
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..count).map(|lane| scope.spawn(move || work(lane))).collect();
        for lane in lanes {
            if let Err(panic) = lane.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

/// Everything that is logged while `work` runs.
pub fn logged(work: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no holder of this lock panics").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let bytes = lines.0.lock().expect("no holder of this lock panics").clone();
    String::from_utf8(bytes).expect("the log is UTF-8")
}
