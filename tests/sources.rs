//! Mailboxes as other programs leave them: what is brought in, in which order, and what is done to
//! a message in its mailbox once it is safe.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use guichet::args;
use guichet::clock::{Clock, Ids, Next, SetClock, SystemChance};
use guichet::intake::files::{first, walk};
use guichet::intake::{
    After, House, MailboxWatch, MaildirWatcher, Options, SourceOptions, Space, Start, Tenure, Wake,
};
use guichet::store::spool::Intake;
use guichet::store::{self, Durability, Location, Store};

// 2026-01-05 08:00 UTC: the first contact of every test.
const CONTACT: i64 = 1_767_600_000;

struct Desk {
    dir: tempfile::TempDir,
    clock: Arc<SetClock>,
    store: Store,
    wake: Arc<Wake>,
    free: Arc<AtomicU64>,
    max_message_size: u64,
}

impl Desk {
    fn new() -> Desk {
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

    fn mailbox(&self, start: Start, after: After) -> MailboxWatch {
        self.mailbox_of(Tenure::Alone, start, after)
    }

    /// The mailbox as a worker of one of several processes watches it.
    fn mailbox_of(&self, tenure: Tenure, start: Start, after: After) -> MailboxWatch {
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

    fn mail(&self) -> PathBuf {
        self.dir.path().join("mail")
    }

    fn put(&self, name: &str) {
        fs::write(self.mail().join(name), format!("Subject: {name}\n\nhello\n")).expect("written");
    }

    /// All file names of the maildir, with their half.
    fn names(&self) -> BTreeSet<String> {
        names_below(&self.mail())
    }

    /// What was spooled, in the order it was.
    fn spooled(&self) -> Vec<String> {
        self.column("SELECT origin FROM message WHERE state <> 'done' ORDER BY rowid")
    }

    fn skipped(&self) -> Vec<String> {
        self.column("SELECT origin FROM message JOIN decision ON decision.message = message.id WHERE reason = 'before_start' ORDER BY origin")
    }

    fn column(&self, statement: &str) -> Vec<String> {
        let rows = self.store.read_only(|sql| sql.query(statement, &[])).expect("reads");
        let text = |row: &store::Row| row.text(0).expect("text");
        rows.iter().map(|row| text(row).trim_start_matches("maildir/").to_owned()).collect()
    }

    /// Commits a decision about every message, as the ingest does.
    fn decide(&self) {
        let statement = "UPDATE message SET state = 'done', acknowledgement = 'owed' WHERE acknowledgement = 'pending'";
        self.store.transact(move |sql| sql.execute(statement, args![])).expect("written");
    }

    fn owed(&self) -> usize {
        self.column("SELECT origin FROM message WHERE acknowledgement = 'owed'").len()
    }
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("in range")
}

fn names_below(maildir: &Path) -> BTreeSet<String> {
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
fn settle(mailbox: &mut MailboxWatch) -> Timestamp {
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
fn logged(work: impl FnOnce()) -> String {
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

#[test]
fn messages_come_in_order_of_arrival_never_of_the_directory() {
    let desk = Desk::new();
    for name in [
        "cur/1767500003.M7P1.demo:2,S",
        "new/1767500001.M5P1.demo",
        "new/1767500001.M000004P9.demo",
        "new/1767500001.P1.demo",
        "cur/1767500002.b.demo:2,RS",
        "cur/1767500002.a.demo",
        "new/letter.eml",
    ] {
        desk.put(name);
    }
    let letter = fs::File::options().write(true).open(desk.mail().join("new/letter.eml"));
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_767_500_004);
    letter.expect("opens").set_modified(time).expect("set");
    for ignored in ["new/.gitkeep", "cur/.DS_Store", "tmp/1767500000.M1P1.demo", "dovecot-uidlist"]
    {
        desk.put(ignored);
    }

    settle(&mut desk.mailbox(Start::All, After::Keep));
    assert_eq!(
        desk.spooled(),
        [
            "1767500001.P1.demo",
            "1767500001.M000004P9.demo",
            "1767500001.M5P1.demo",
            "1767500002.a.demo",
            "1767500002.b.demo",
            "1767500003.M7P1.demo",
            "letter.eml"
        ]
    );
    let arrived = desk.store.read_only(|sql| {
        sql.query_one("SELECT arrived_at FROM message WHERE origin LIKE '%1767500003%'", &[])
    });
    assert_eq!(arrived.expect("reads").expect("there").int(0).expect("a time"), 1_767_500_003_000);
}

#[test]
fn p_02_a_second_pass_and_a_renamed_file_add_nothing() {
    let desk = Desk::new();
    desk.put("new/1767500001.M1P1.demo");
    desk.put("new/1767500002.M1P1.demo");
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    let due = settle(&mut mailbox);
    assert_eq!(due, desk.clock.now() + SignedDuration::from_mins(5));
    fs::rename(
        desk.mail().join("new/1767500001.M1P1.demo"),
        desk.mail().join("cur/1767500001.M1P1.demo:2,RS"),
    )
    .expect("renamed");
    desk.clock.set(due);
    settle(&mut mailbox);
    settle(&mut desk.mailbox(Start::All, After::Keep));
    assert_eq!(desk.spooled().len(), 2);
}

#[test]
fn mail_is_looked_for_when_it_is_announced_or_due_and_not_before() {
    let desk = Desk::new();
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    let due = settle(&mut mailbox);
    desk.put("new/1767600001.M1P1.demo");
    settle(&mut mailbox);
    assert_eq!(desk.spooled().len(), 0);
    desk.wake.mail();
    settle(&mut mailbox);
    assert_eq!(desk.spooled().len(), 1);
    desk.put("new/1767600002.M1P1.demo");
    desk.clock.set(due);
    settle(&mut mailbox);
    assert_eq!(desk.spooled().len(), 2);
}

#[test]
fn e_03_a_file_that_vanishes_before_it_is_read_is_skipped() {
    let desk = Desk::new();
    for name in ["new/1767500001.gone", "new/1767500002.moved", "new/1767500003.stays"] {
        desk.put(name);
    }
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    // Contact, start, sweep.
    for _ in 0..3 {
        assert_eq!(mailbox.step().expect("the mailbox works"), Next::Now);
    }
    fs::remove_file(desk.mail().join("new/1767500001.gone")).expect("removed");
    fs::rename(
        desk.mail().join("new/1767500002.moved"),
        desk.mail().join("cur/1767500002.moved:2,S"),
    )
    .expect("renamed");
    settle(&mut mailbox);
    assert_eq!(desk.spooled(), ["1767500003.stays", "1767500002.moved"]);
}

#[test]
fn what_is_no_plain_file_is_skipped_and_named_once() {
    let desk = Desk::new();
    desk.put("new/1767500001.letter");
    fs::create_dir(desk.mail().join("new/1767500002.folder")).expect("made");
    symlink("/etc/hostname", desk.mail().join("new/1767500003.link")).expect("linked");
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    let log = logged(|| {
        let due = settle(&mut mailbox);
        desk.clock.set(due);
        settle(&mut mailbox);
    });
    assert_eq!(desk.spooled(), ["1767500001.letter"]);
    assert_eq!(log.matches("1767500002.folder").count(), 1, "{log}");
    assert_eq!(log.matches("1767500003.link").count(), 1, "{log}");
}

#[test]
fn e_01_a_file_that_cannot_be_read_is_named_once_and_tried_again() {
    let desk = Desk::new();
    desk.put("new/1767500001.refuses");
    desk.put("new/1767500002.letter");
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    for _ in 0..3 {
        mailbox.step().expect("the mailbox works");
    }
    // Nobody may open a socket as a file, not even root.
    let path = desk.mail().join("new/1767500001.refuses");
    fs::remove_file(&path).expect("removed");
    let socket = UnixListener::bind(&path).expect("bound");
    let log = logged(|| {
        settle(&mut mailbox);
    });
    assert_eq!(log.matches("1767500001.refuses").count(), 1, "{log}");
    assert_eq!(desk.spooled(), ["1767500002.letter"]);
    drop(socket);
    fs::remove_file(&path).expect("removed");
    desk.put("new/1767500001.refuses");
    desk.wake.mail();
    settle(&mut mailbox);
    assert_eq!(desk.spooled(), ["1767500002.letter", "1767500001.refuses"]);
}

#[test]
fn a_file_without_permission_does_not_stop_the_others() {
    let desk = Desk::new();
    desk.put("new/1767500001.secret");
    desk.put("new/1767500002.letter");
    let path = desk.mail().join("new/1767500001.secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("set");
    if fs::File::open(&path).is_ok() {
        eprintln!("not tried: this user may read everything");
        return;
    }
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    let log = logged(|| {
        let due = settle(&mut mailbox);
        desk.clock.set(due);
        settle(&mut mailbox);
    });
    assert_eq!(log.matches("1767500001.secret").count(), 1, "{log}");
    assert!(log.contains("hint: let the user guichet runs as read"), "{log}");
    assert_eq!(desk.spooled(), ["1767500002.letter"]);
}

#[test]
fn a_folder_that_is_no_maildir_is_named_with_what_to_do() {
    let desk = Desk::new();
    for half in ["new", "cur"] {
        fs::remove_dir(desk.mail().join(half)).expect("removed");
    }
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    let refused =
        |mailbox: &mut MailboxWatch| (0..4).find_map(|_| mailbox.step().err()).expect("a refusal");
    let error = refused(&mut mailbox);
    assert!(error.to_string().contains("has neither `new` nor `cur`\nhint: "), "{error}");
    assert!(!error.is_temporary());
    fs::remove_dir_all(desk.mail()).expect("removed");
    let error = refused(&mut mailbox);
    assert!(error.to_string().contains("mailbox `support` cannot be read"), "{error}");
    // It goes on by itself once the folder is there.
    fs::create_dir_all(desk.mail().join("new")).expect("made");
    desk.put("new/1767500001.letter");
    settle(&mut mailbox);
    assert_eq!(desk.spooled(), ["1767500001.letter"]);
}

#[test]
fn e_09_start_says_where_a_new_mailbox_begins() {
    let all = ["1767500001.a", "1767500002.b", "1767599999.c"];
    for (start, skipped) in [
        (Start::All, &all[..0]),
        (Start::Now, &all[..]),
        (Start::Since(seconds(1_767_500_002)), &all[..1]),
        (Start::Unseen, &all[1..2]),
    ] {
        let desk = Desk::new();
        desk.put("new/1767500001.a");
        desk.put("cur/1767500002.b:2,FS");
        desk.put("cur/1767599999.c:2,F");
        let before = desk.names();
        let mut mailbox = desk.mailbox(start, After::Delete);
        let log = logged(|| {
            settle(&mut mailbox);
        });
        assert_eq!(desk.skipped(), skipped, "{start:?}");
        assert!(
            log.contains(&format!("{} messages from before its start", skipped.len())),
            "{log}"
        );
        assert_eq!(desk.spooled().len(), all.len() - skipped.len(), "{start:?}");
        assert_eq!(desk.names(), before, "{start:?}: left in place");

        // Later mail is taken, read or not, however old its name.
        desk.put("cur/1767500003.late:2,S");
        settle(&mut desk.mailbox(start, After::Delete));
        assert_eq!(desk.spooled().last().map(String::as_str), Some("1767500003.late"), "{start:?}");
    }
}

#[test]
fn p_04_a_first_contact_that_a_crash_cut_off_is_finished() {
    let desk = Desk::new();
    desk.put("new/1767500001.before");
    let mut mailbox = desk.mailbox(Start::Now, After::Keep);
    mailbox.step().expect("the contact is committed");
    drop(mailbox);
    // Delivered while guichet was down.
    desk.put("new/1767600002.after");
    desk.clock.set(seconds(CONTACT + 60));
    settle(&mut desk.mailbox(Start::Now, After::Keep));
    assert_eq!(desk.skipped(), ["1767500001.before"]);
    assert_eq!(desk.spooled(), ["1767600002.after"]);
}

#[test]
fn p_01_nothing_is_done_to_a_message_before_its_decision() {
    for after in [After::Delete, After::Flag, After::Move { to: "../done".to_owned() }] {
        let desk = Desk::new();
        desk.put("new/1767500001.letter");
        let before = desk.names();
        let mut mailbox = desk.mailbox(Start::All, after.clone());
        settle(&mut mailbox);
        settle(&mut mailbox);
        assert_eq!(desk.names(), before, "{after:?}");
        assert!(!desk.dir.path().join("done").exists());
    }
}

#[test]
fn after_keep_leaves_everything_as_it_was() {
    let desk = Desk::new();
    desk.put("new/1767500001.a");
    let before = desk.names();
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    settle(&mut mailbox);
    desk.decide();
    settle(&mut mailbox);
    assert_eq!((desk.names(), desk.owed()), (before, 0));
}

#[test]
fn after_flag_marks_as_read_and_keeps_the_other_flags() {
    let desk = Desk::new();
    for name in
        ["new/1767500001.a", "cur/1767500002.b:2,FT", "cur/1767500003.c:2,RS", "new/1767500004.d"]
    {
        desk.put(name);
    }
    let mut mailbox = desk.mailbox(Start::All, After::Flag);
    settle(&mut mailbox);
    // A mail client looked at it meanwhile, and starred it.
    fs::rename(desk.mail().join("new/1767500004.d"), desk.mail().join("cur/1767500004.d:2,F"))
        .expect("renamed");
    desk.decide();
    settle(&mut mailbox);
    let expected = [
        "cur/1767500001.a:2,S",
        "cur/1767500002.b:2,FST",
        "cur/1767500003.c:2,RS",
        "cur/1767500004.d:2,FS",
    ];
    assert_eq!(desk.names(), expected.map(str::to_owned).into());
    assert_eq!(desk.owed(), 0);
    settle(&mut desk.mailbox(Start::All, After::Flag));
    assert_eq!(desk.column("SELECT origin FROM message").len(), 4);
}

#[test]
fn after_move_takes_what_is_decided_and_nothing_else() {
    let desk = Desk::new();
    for name in ["new/1767500001.a", "cur/1767500002.b:2,F"] {
        desk.put(name);
    }
    let mut mailbox = desk.mailbox(Start::All, After::Move { to: "guichet/done".to_owned() });
    settle(&mut mailbox);
    desk.put("new/1767500003.c");
    desk.decide();
    settle(&mut mailbox);
    let done = desk.mail().join("guichet/done");
    assert_eq!(
        names_below(&done),
        ["new/1767500001.a", "cur/1767500002.b:2,F"].map(str::to_owned).into()
    );
    assert_eq!(desk.names(), ["new/1767500003.c".to_owned()].into());
    assert_eq!(desk.owed(), 0);
}

#[test]
fn after_delete_removes_what_is_decided() {
    let desk = Desk::new();
    for name in ["new/1767500001.a", "cur/1767500002.b:2,F"] {
        desk.put(name);
    }
    let mut mailbox = desk.mailbox(Start::All, After::Delete);
    settle(&mut mailbox);
    desk.decide();
    settle(&mut mailbox);
    assert_eq!((desk.names(), desk.owed()), (BTreeSet::new(), 0));
}

#[test]
fn p_04_what_a_crash_left_done_but_unnoted_is_found_done() {
    for (after, left) in [
        (After::Delete, &[][..]),
        (After::Flag, &["cur/1767500001.a:2,S", "cur/1767500002.b:2,FS"]),
        (After::Move { to: "../done".to_owned() }, &[]),
    ] {
        let desk = Desk::new();
        desk.put("new/1767500001.a");
        desk.put("cur/1767500002.b:2,F");
        let mut mailbox = desk.mailbox(Start::All, after.clone());
        settle(&mut mailbox);
        desk.decide();
        settle(&mut mailbox);
        // The crash came after the rename and before the note.
        let statement = "UPDATE message SET acknowledgement = 'owed'";
        desk.store.transact(move |sql| sql.execute(statement, args![])).expect("written");
        settle(&mut desk.mailbox(Start::All, after.clone()));
        assert_eq!(desk.owed(), 0, "{after:?}");
        let names: Vec<String> = desk.names().into_iter().collect();
        assert_eq!(names, left, "{after:?}");
        if matches!(after, After::Move { .. }) {
            assert_eq!(names_below(&desk.dir.path().join("done")).len(), 2);
        }
    }
}

#[test]
fn e_04_what_refuses_to_be_marked_stays_owed_and_stops_nobody() {
    let desk = Desk::new();
    for n in 0..300 {
        desk.put(&format!("new/{}.M1P1.demo", 1_767_500_000 + n));
    }
    let mut mailbox = desk.mailbox(Start::All, After::Move { to: "../done".to_owned() });
    settle(&mut mailbox);
    // No folder can be made where a file stands.
    fs::write(desk.dir.path().join("done"), b"in the way").expect("written");
    desk.decide();
    let log = logged(|| {
        settle(&mut mailbox);
        settle(&mut mailbox);
    });
    assert_eq!(desk.owed(), 300);
    assert!(log.matches("could not be marked").count() <= 2, "{log}");
    fs::remove_file(desk.dir.path().join("done")).expect("removed");
    desk.wake.mail();
    settle(&mut mailbox);
    assert_eq!((desk.owed(), desk.names().len()), (0, 0));
    assert_eq!(desk.column("SELECT origin FROM message").len(), 300);
}

#[test]
fn m_04_an_oversize_message_comes_in_as_a_stub_and_stays() {
    let mut desk = Desk::new();
    desk.max_message_size = 300_000;
    let large = format!("Subject: large\n\n{}", "x".repeat(2_000_000));
    fs::write(desk.mail().join("new/1767500001.large"), large).expect("written");
    desk.put("new/1767500002.small");
    let mut mailbox = desk.mailbox(Start::All, After::Delete);
    settle(&mut mailbox);
    let rows = desk
        .store
        .read_only(|sql| sql.query("SELECT intake, size FROM message ORDER BY rowid", &[]));
    let rows = rows.expect("reads");
    assert_eq!(rows[0].text(0).expect("text"), "stub");
    assert_eq!(rows[0].int(1).expect("a size"), 16 + 256 * 1024);
    assert_eq!(rows[1].text(0).expect("text"), "mailbox");
    desk.decide();
    settle(&mut mailbox);
    assert_eq!(desk.names(), ["new/1767500001.large".to_owned()].into());
}

#[test]
fn e_02_an_empty_file_is_given_time_to_be_written() {
    let desk = Desk::new();
    let path = desk.mail().join("new/1767500001.empty");
    fs::write(&path, b"").expect("written");
    let written: Timestamp = fs::metadata(&path)
        .and_then(|file| file.modified())
        .expect("a time")
        .try_into()
        .expect("fits");
    desk.clock.set(written + SignedDuration::from_secs(1));
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    let due = settle(&mut mailbox);
    assert_eq!(due, desk.clock.now() + SignedDuration::from_secs(1));
    assert_eq!(desk.spooled().len(), 0);
    desk.clock.set(written + SignedDuration::from_mins(2));
    settle(&mut mailbox);
    assert_eq!(desk.spooled().len(), 1);
}

#[test]
fn p_05_fetching_stops_while_the_disk_is_full_and_resumes_alone() {
    let desk = Desk::new();
    desk.put("new/1767500001.letter");
    desk.free.store(999, Ordering::SeqCst);
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    let mut due = desk.clock.now();
    let log = logged(|| {
        for _ in 0..3 {
            due = settle(&mut mailbox);
            desk.clock.set(due);
        }
    });
    assert_eq!(desk.spooled().len(), 0);
    assert_eq!(log.matches("stopped fetching").count(), 1, "{log}");
    desk.free.store(1_000, Ordering::SeqCst);
    settle(&mut mailbox);
    assert_eq!(desk.spooled().len(), 1);
}

#[test]
fn five_thousand_files_come_in_order_and_a_second_pass_asks_little() {
    let desk = Desk::new();
    for n in 0..5_000_u32 {
        // Spread, so that the directory's order is not theirs.
        let at = 1_767_000_000 + i64::from(n.wrapping_mul(2_654_435_761) % 100_000);
        desk.put(&format!("{}/{at}.M{n}P1.demo", if n % 2 == 0 { "new" } else { "cur" }));
    }
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    settle(&mut mailbox);
    let spooled = desk.spooled();
    let time = |name: &String| name.split('.').next().map(str::to_owned);
    assert_eq!(spooled.len(), 5_000);
    assert!(spooled.is_sorted_by_key(time));
    // Rest, sweep, fetch of nothing, acknowledgement of nothing: the ledger is only asked.
    desk.wake.mail();
    let steps = (1..10).find(|_| mailbox.step().expect("works") != Next::Now);
    assert_eq!(steps, Some(4));
    assert_eq!(desk.spooled().len(), 5_000);
}

#[test]
fn a_delivery_rings_the_bell_and_the_thread_stops_when_told() {
    let desk = Desk::new();
    let watcher = MaildirWatcher::start("support", &desk.mail(), desk.wake.clone());
    let mut mailbox = desk.mailbox(Start::All, After::Keep);
    let wake = desk.wake.clone();
    let thread = std::thread::spawn(move || mailbox.run());
    desk.put("tmp/1767500001.letter");
    fs::rename(
        desk.mail().join("tmp/1767500001.letter"),
        desk.mail().join("new/1767500001.letter"),
    )
    .expect("delivered");
    if watcher.is_none() {
        eprintln!("not tried: this machine has no inotify left");
        wake.mail();
    }
    let pause = std::time::Duration::from_millis(20);
    let arrived = (0..500).any(|_| {
        std::thread::sleep(pause);
        !desk.spooled().is_empty()
    });
    assert!(arrived);
    wake.stop();
    thread.join().expect("the thread ends");
}

#[test]
fn files_are_found_in_maildirs_mboxes_and_folders_in_order_of_arrival() {
    let desk = Desk::new();
    let dir = desk.dir.path();
    desk.put("cur/1767500002.b:2,S");
    desk.put("new/1767500004.d");
    desk.put("new/.gitkeep");
    fs::create_dir_all(dir.join("more/deep")).expect("made");
    let mbox = "From a@x.example Sun Jan  4 04:13:23 2026\nSubject: c\n\n>From here\n\nFrom a@x.example Sun Jan  4 04:13:21 2026\nSubject: a\n\none\n\n";
    fs::write(dir.join("more/archive"), mbox).expect("written");
    fs::write(dir.join("more/deep/late.EML"), "Subject: e\n\n").expect("written");
    fs::write(dir.join("more/notes.txt"), "Subject: no\n\n").expect("written");
    fs::write(dir.join("named"), "Subject: f\n\n").expect("written");
    for (name, at) in [("more/deep/late.EML", 1_767_500_005), ("named", 1_767_500_006)] {
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(at);
        let file = fs::File::options().write(true).open(dir.join(name)).expect("opens");
        file.set_modified(time).expect("set");
    }
    let paths = [dir.join("named"), desk.mail(), dir.join("more")];
    let found = walk(&paths).expect("all reads");
    let subjects: Vec<String> = found
        .iter()
        .map(|one| {
            let (raw, intake) = one.read(1_000).expect("reads").expect("still there");
            assert_eq!(intake, Intake::Mailbox);
            String::from_utf8(raw).expect("ASCII").lines().next().expect("a line").to_owned()
        })
        .collect();
    assert_eq!(
        subjects,
        [
            "Subject: a",
            "Subject: cur/1767500002.b:2,S",
            "Subject: c",
            "Subject: new/1767500004.d",
            "Subject: e",
            "Subject: f"
        ]
    );
    let origins: BTreeSet<String> = found.iter().map(|one| one.origin.key()).collect();
    assert_eq!(origins.len(), found.len());
    let quoted = found[2].read(1_000).expect("reads").expect("still there");
    assert_eq!(quoted.0, b"Subject: c\n\nFrom here\n");
    assert_eq!(first(&dir.join("more/archive")).expect("reads"), found[2]);
    let stub = found[5].read(3).expect("reads").expect("still there");
    assert_eq!(stub.1, Intake::Stub);
}

#[test]
fn a_mailbox_is_watched_by_one_worker_and_a_late_one_touches_nothing_p_10() {
    let desk = Desk::new();
    let watch = |worker: &str| {
        let term = SignedDuration::from_secs(60);
        let tenure = Tenure::Leased { worker: worker.to_owned(), term };
        desk.mailbox_of(tenure, Start::All, After::Delete)
    };
    let at = |past: i64| desk.clock.set(seconds(CONTACT + past));
    let (mut one, mut two) = (watch("one"), watch("two"));
    desk.put("new/1767500001.a");
    let until = |past: i64| seconds(CONTACT + past);
    assert_eq!(settle(&mut one), until(20), "the lease is renewed long before its end");
    assert_eq!(desk.spooled().len(), 1);
    assert_eq!(settle(&mut two), until(60), "the other one has the mailbox");
    at(20);
    assert_eq!(settle(&mut one), until(40));
    desk.put("new/1767500002.b");
    desk.wake.mail();
    assert_eq!(settle(&mut two), until(80));
    assert_eq!(desk.spooled().len(), 1, "nobody but its watcher looks at a mailbox");

    // The first stands still, and its lease runs out; what is decided is the second's to settle.
    desk.decide();
    at(80);
    assert_eq!(settle(&mut two), until(100));
    assert_eq!(
        desk.names().len(),
        1,
        "the second has deleted what is decided, and brought in more"
    );
    assert_eq!(desk.spooled().len(), 1);
    desk.decide();
    assert_eq!(settle(&mut one), until(140));
    assert_eq!(desk.names().len(), 1, "a late one touches nothing");
    assert_eq!(desk.owed(), 1);
    at(101);
    settle(&mut two);
    assert_eq!((desk.names().len(), desk.owed()), (0, 0));
}

#[test]
fn a_path_with_nothing_there_is_named() {
    let error = walk(&[PathBuf::from("/nonexistent/mail.eml")]).expect_err("nothing is there");
    assert!(error.to_string().contains("`/nonexistent/mail.eml` cannot be read"), "{error}");
    assert!(!error.is_temporary());
}

#[test]
fn the_demo_mailbox_holds_what_its_readme_lists() {
    let mailboxes = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mailboxes");
    let readme = fs::read_to_string(mailboxes.join("README.md")).expect("there");
    let found = walk(&[mailboxes.join("demo")]).expect("the demo mailbox reads");
    assert_eq!(found.len(), 37);
    for (n, message) in (1..).zip(&found) {
        let file = message.path.strip_prefix(mailboxes.join("demo")).expect("below it");
        let row = format!("| {n} | `{}` |", file.display());
        assert!(readme.contains(&row), "{row}");
    }
}
