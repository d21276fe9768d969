//! A maildir, a store, a clock: everything but the house around a mailbox.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use guichet::args;
use guichet::clock::{Clock, Ids, Next, SetClock, SystemChance};
use guichet::intake::{
    After, House, MailboxWatch, Options, SourceOptions, Space, Start, Tenure, Wake,
};
use guichet::store::{self, Durability, Location, Store};

// 2026-01-05 08:00 UTC: the first contact of every test.
pub const CONTACT: i64 = 1_767_600_000;

pub struct Desk {
    pub dir: tempfile::TempDir,
    pub clock: Arc<SetClock>,
    pub store: Store,
    pub wake: Arc<Wake>,
    pub free: Arc<AtomicU64>,
    pub max_message_size: u64,
}

impl Desk {
    pub fn new() -> Desk {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for folder in ["mail/new", "mail/cur", "mail/tmp"] {
            fs::create_dir_all(dir.path().join(folder)).expect("made");
        }
        let clock = Arc::new(SetClock::at(seconds(CONTACT)));
        let options = store::Options {
            location: Location::Sqlite(dir.path().join("guichet.db")),
            durability: Durability::None,
        };
        let store = Store::open(&options, clock.now()).expect("a new store opens");
        let free = Arc::new(AtomicU64::new(u64::MAX));
        Desk { dir, clock, store, wake: Wake::new(), free, max_message_size: 1_000_000 }
    }

    pub fn mailbox(&self, start: Start, after: After) -> MailboxWatch {
        self.mailbox_of(Tenure::Alone, start, after)
    }

    /// The mailbox as a worker of one of several processes watches it.
    pub fn mailbox_of(&self, tenure: Tenure, start: Start, after: After) -> MailboxWatch {
        let free = self.free.clone();
        let house = House {
            store: self.store.clone(),
            clock: self.clock.clone(),
            ids: Ids::new(self.clock.clone(), Arc::new(SystemChance)),
            space: Space { floor: 1_000, free: Box::new(move || Ok(free.load(Ordering::SeqCst))) },
            wake: self.wake.clone(),
            spooled: Box::new(|_| ()),
            tenure,
        };
        let options = Options {
            name: "support".to_owned(),
            address: "support@helpdesk.example".to_owned(),
            source: SourceOptions::Maildir { path: self.mail() },
            start,
            after,
            max_message_size: self.max_message_size,
            sweep: SignedDuration::from_mins(5),
        };
        MailboxWatch::new(options, house)
    }

    pub fn mail(&self) -> PathBuf {
        self.dir.path().join("mail")
    }

    pub fn put(&self, name: &str) {
        fs::write(self.mail().join(name), format!("Subject: {name}\n\nhello\n")).expect("written");
    }

    /// All file names of the maildir, with their half.
    pub fn names(&self) -> BTreeSet<String> {
        names_below(&self.mail())
    }

    /// What was spooled, in the order it was.
    pub fn spooled(&self) -> Vec<String> {
        self.column("SELECT origin FROM message WHERE state <> 'done' ORDER BY rowid")
    }

    pub fn skipped(&self) -> Vec<String> {
        self.column("SELECT origin FROM message JOIN decision ON decision.message = message.id WHERE reason = 'before_start' ORDER BY origin")
    }

    pub fn column(&self, statement: &str) -> Vec<String> {
        let rows = self.store.read_only(|sql| sql.query(statement, &[])).expect("reads");
        let text = |row: &store::Row| row.text(0).expect("text");
        rows.iter().map(|row| text(row).trim_start_matches("maildir/").to_owned()).collect()
    }

    /// Commits a decision about every message, as the ingest does.
    pub fn decide(&self) {
        let statement = "UPDATE message SET state = 'done', acknowledgement = 'owed' WHERE acknowledgement = 'pending'";
        self.store.transact(move |sql| sql.execute(statement, args![])).expect("written");
    }

    pub fn owed(&self) -> usize {
        self.column("SELECT origin FROM message WHERE acknowledgement = 'owed'").len()
    }
}

pub fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("in range")
}

pub fn names_below(maildir: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for half in ["new", "cur"] {
        for entry in fs::read_dir(maildir.join(half)).into_iter().flatten() {
            let name = entry.expect("reads").file_name().into_string().expect("ASCII");
            names.insert(format!("{half}/{name}"));
        }
    }
    names
}

/// Steps until nothing is left to do; answers when the next look is due.
pub fn settle(mailbox: &mut MailboxWatch) -> Timestamp {
    for _ in 0..10_000 {
        match mailbox.step().expect("the mailbox works") {
            Next::At(time) => return time,
            Next::Idle => panic!("a mailbox is always swept again"),
            Next::Now => {}
        }
    }
    panic!("the mailbox never comes to rest");
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
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, work);
    let bytes = lines.0.lock().expect("no holder of this lock panics").clone();
    String::from_utf8(bytes).expect("the log is UTF-8")
}
