//! Clocks that jump, by an hour and by a year, ahead and back, at every moment of a small history, and
//! under a running daemon: nothing is lost, nothing happens twice, and nothing waits for a year (P-11).
//! Takes about half a minute.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Stdio};
use std::sync::Arc;

use guichet::clock::{Clock, Ids, Next, SeededChance, SetClock};
use guichet::config::{self, Environment, Request, Settings};
use guichet::ingest::{self, Ingest, TimeOfDecision};
use guichet::intake::{House, MailboxWatch, Space, Tenure, Wake};
use guichet::outbox::Outbox;
use guichet::store::workers::{Pace, Presence};
use guichet::store::{Durability, Store, audit, sites, spool};
use jiff::{SignedDuration, Timestamp};
use support::dovecot::now;
use support::{Desk, message, wait_for};

const CONTACT: i64 = 1_767_600_000;
const HOUR: i64 = 3_600;
const YEAR: i64 = 365 * 24 * HOUR;
const JUMPS: [i64; 4] = [HOUR, -HOUR, YEAR, -YEAR];
const CONFIGURATION: &str = "after = \"delete\"\n[limits]\nper_sender = \"2/h\"\n\
    per_domain = \"off\"\nnew_users = \"3/h\"\nauto_mails_per_address = \"off\"\n\
    [credentials]\nmax_age = \"1000d\"\n";

/// A desk at work, one step at a time, by a clock that somebody sets.
struct World {
    desk: Desk,
    settings: Settings,
    store: Store,
    clock: Arc<SetClock>,
    ids: Ids,
    presence: Presence,
    watch: MailboxWatch,
    wake: Arc<Wake>,
    ingest: Ingest,
    outbox: Outbox,
    /// Seconds since the beginning, and how far the clock is wrong.
    truth: i64,
    ahead: i64,
    delivered: usize,
}

/// What happens at a moment of the history.
type Moment = fn(&mut World);

const HISTORY: &[(&str, Moment)] = &[
    ("three of one sender come", |world| (0..3).for_each(|_| world.deliver("one@d.example"))),
    ("they are spooled", |world| {
        world.wake.mail();
        world.look();
    }),
    ("they are decided, one waits for room", World::decide),
    ("mail cannot go out", |world| {
        fs::write(world.outgoing(), b"a file stands where the maildir goes").expect("written");
        world.send();
    }),
    ("it could now", |world| fs::remove_file(world.outgoing()).expect("it goes")),
    ("five new senders come", |world| {
        (0..5).for_each(|n| world.deliver(&format!("n{n}@d.example")));
    }),
    ("nobody says that they did, and the mailbox is looked at once a sweep", |world| {
        world.set(world.truth + 301, world.ahead);
        world.look();
    }),
    ("one is claimed, and nobody remembers", World::forget_a_claim),
    ("the others are decided, some users wait", World::decide),
    ("the mailbox is told", World::look),
    ("mail goes out", World::send),
];

impl World {
    fn new() -> World {
        let desk = Desk::new(CONFIGURATION);
        let environment = Environment::of_process();
        let request = Request { path: Some(desk.config()), set: Vec::new(), environment };
        let mut settings = config::load(&request).expect("it is sound").settings;
        settings.store.durability = Durability::None;
        fs::create_dir_all(&settings.state).expect("a folder");
        let clock = Arc::new(SetClock::at(second(CONTACT)));
        let shown: Arc<dyn Clock> = clock.clone();
        let ids = Ids::new(shown.clone(), Arc::new(SeededChance::new(7)));
        let store = Store::open(&settings.store, clock.now()).expect("the store opens");
        let (site, made_by) = (settings.policy.sites.default.clone(), ids.clone());
        let now = clock.now();
        store
            .transact(move |sql| sites::reconcile(sql, &[], &[&site], &made_by, now).map(drop))
            .expect("a site");
        let presence = Presence::begin(&store, &shown, &ids, Pace::default()).expect("entered");
        let wake = Wake::new();
        let options = settings.mailboxes[0].watched.clone().expect("it is watched");
        let house = House {
            store: store.clone(),
            clock: shown.clone(),
            ids: ids.clone(),
            space: Space { floor: 0, free: Box::new(|| Ok(u64::MAX)) },
            wake: wake.clone(),
            spooled: Box::new(|_| ()),
            tenure: Tenure::Alone,
        };
        let watch = MailboxWatch::new(options, house);
        let options = ingest::Options {
            readers: 1,
            suspects: ingest::Suspects::ReadHere,
            time: TimeOfDecision::Clock,
            worker: presence.worker("ingest 1"),
        };
        let policy = Arc::new(settings.policy.clone());
        let ingest = Ingest::new(store.clone(), policy, shown.clone(), ids.clone(), options);
        let (options, worker) = (settings.outbox.clone(), presence.worker("outbox"));
        let outbox =
            Outbox::new(store.clone(), shown, ids.clone(), options, worker).expect("ready");
        let mut world = World {
            desk,
            settings,
            store,
            clock,
            ids,
            presence,
            watch,
            wake,
            ingest,
            outbox,
            truth: 0,
            ahead: 0,
            delivered: 0,
        };
        world.look();
        world
    }

    fn set(&mut self, truth: i64, ahead: i64) {
        (self.truth, self.ahead) = (truth, ahead);
        self.clock.set(second(CONTACT + truth + ahead));
    }

    fn outgoing(&self) -> std::path::PathBuf {
        self.desk.path().join("outgoing")
    }

    fn deliver(&mut self, from: &str) {
        let n = self.delivered;
        self.delivered += 1;
        let raw = message(from, "Printer", &format!("k{n}@x"), "", "hello");
        self.desk.deliver(&format!("{}.M{n:06}P1.clock", CONTACT + self.truth), &raw);
    }

    fn look(&mut self) {
        until_rest(&self.clock, || self.watch.step().expect("the mailbox is looked at"));
    }

    fn decide(&mut self) {
        until_rest(&self.clock, || self.ingest.step().expect("it decides").next);
    }

    fn send(&mut self) {
        until_rest(&self.clock, || self.outbox.step().expect("it sends"));
    }

    // As when the connection to a database is lost while it commits.
    fn forget_a_claim(&mut self) {
        let (worker, now) = (self.presence.worker("ingest 1"), self.clock.now());
        let lease = SignedDuration::from_secs(120);
        let claimed = self.store.transact(move |sql| spool::claim(sql, &worker, now, lease, 1, 1));
        assert!(claimed.expect("it is claimed").len() <= 1);
    }

    /// Thirty hours, by and by; then all must be done.
    fn go_on(&mut self, name: &str) {
        for _ in 0..60 {
            self.set(self.truth + HOUR / 2, self.ahead);
            self.look();
            self.decide();
            self.send();
        }
        let books = self.store.read_only(audit::audit).expect("the books");
        assert!(books.balance(), "{name}: {books:?}");
        let count = |statement: &str| -> i64 {
            self.store.read_only(|sql| sql.query(statement, &[])?[0].int(0)).expect("it counts")
        };
        let waiting = "SELECT COUNT(*) FROM message WHERE state <> 'done'";
        assert_eq!(count(waiting), 0, "{name}: messages wait");
        assert_eq!(count("SELECT COUNT(*) FROM owed"), 0, "{name}: users wait");
        let unsent = "SELECT COUNT(*) FROM outbox WHERE state <> 'sent'";
        assert_eq!(count(unsent), 0, "{name}: mails wait");
        assert_eq!(count("SELECT COUNT(*) FROM ticket"), 8, "{name}: tickets");
        assert_eq!(count("SELECT COUNT(*) FROM person"), 6, "{name}: users");
        let credentials = "SELECT COUNT(*) FROM outbox WHERE template = 'credentials'";
        assert_eq!(count(credentials), 6, "{name}: credentials");
        let mails = self.desk.sent();
        assert_eq!(mails.len() as i64, count("SELECT COUNT(*) FROM outbox"), "{name}: copies");
        let left = fs::read_dir(self.desk.maildir().join("new")).expect("the mailbox").count();
        assert_eq!(left, 0, "{name}: mail is left in the mailbox");
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn until_rest(clock: &SetClock, mut step: impl FnMut() -> Next) {
    for _ in 0..10_000 {
        match step() {
            Next::Now => {}
            Next::At(time) if time <= clock.now() => {}
            Next::At(_) | Next::Idle => return,
        }
    }
    panic!("it never comes to rest");
}

fn histories(jump: i64) {
    for (begin, (moment, _)) in HISTORY.iter().enumerate() {
        // Set right after a moment, after three, or never.
        for end in [begin + 1, begin + 3, usize::MAX] {
            let mut world = World::new();
            for (n, (_, happen)) in HISTORY.iter().enumerate() {
                let is_wrong = (begin..end).contains(&n);
                world.set(world.truth + 60, if is_wrong { jump } else { 0 });
                happen(&mut world);
            }
            if end != usize::MAX {
                world.set(world.truth, 0);
            }
            world.go_on(&format!("{jump} s at `{moment}`, until moment {end}"));
        }
    }
}

#[test]
fn p_11_a_clock_an_hour_ahead_changes_nothing() {
    histories(HOUR);
}

#[test]
fn p_11_a_clock_an_hour_back_changes_nothing() {
    histories(-HOUR);
}

#[test]
fn p_11_a_clock_a_year_ahead_changes_nothing() {
    histories(YEAR);
}

#[test]
fn p_11_a_clock_a_year_back_changes_nothing() {
    histories(-YEAR);
}

#[test]
fn p_11_what_is_in_hand_stays_there_when_the_clock_goes_on() {
    for jump in JUMPS {
        let mut world = World::new();
        let mut policy = world.settings.policy.clone();
        policy.limits = Default::default();
        let options = ingest::Options {
            readers: 1,
            suspects: ingest::Suspects::ReadHere,
            time: TimeOfDecision::Clock,
            worker: world.presence.worker("ingest 1"),
        };
        let (clock, ids): (Arc<dyn Clock>, Ids) = (world.clock.clone(), world.ids.clone());
        world.ingest = Ingest::new(world.store.clone(), Arc::new(policy), clock, ids, options);
        (0..150).for_each(|n| world.deliver(&format!("n{n}@d{n}.example")));
        world.wake.mail();
        world.look();
        // The next batch is claimed while one is decided.
        let first = world.ingest.step().expect("it decides").decided.len();
        world.set(60, jump);
        let second = world.ingest.step().expect("what is in hand is decided").decided.len();
        assert_eq!((first, second), (64, 64), "after a jump of {jump} s");
        world.set(120, 0);
        world.decide();
        let books = world.store.read_only(audit::audit).expect("the books");
        assert!(books.balance() && books.pending == 0, "{books:?}");
    }
}

/// The real binary, whose clock is ahead by what a file says.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn p_11_a_running_daemon_goes_on_while_its_clock_jumps() {
    let desk = Desk::new(
        "[limits]\nper_sender = \"off\"\nnew_users = \"off\"\n\
         [credentials]\nmax_age = \"1000d\"\n",
    );
    let (ahead, written) = (desk.path().join("ahead"), desk.path().join("ahead.new"));
    let set = |seconds: i64| {
        fs::write(&written, format!("{}\n", seconds * 1_000)).expect("written");
        fs::rename(&written, &ahead).expect("it is set");
    };
    set(0);
    let log = fs::File::create(desk.path().join("daemon.log")).expect("a log");
    let mut command = desk.command(&["run"]);
    command.env("GUICHET_FAULTS", format!("clock={}", ahead.display()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let mut daemon = Daemon(command.spawn().expect("it starts"));
    let tickets = || desk.lines(&["tickets", "list"]).len();
    let outgoing = desk.path().join("outgoing");
    let mut n = 0;
    let mut deliver = || {
        let from = format!("n{n}@d{n}.example");
        let raw = message(&from, "Printer", &format!("k{n}@x"), "", "hello");
        desk.deliver(&format!("{}.M{n}P1.clock", now().as_second()), &raw);
        n += 1;
        n
    };
    for jump in JUMPS {
        set(jump);
        let count = deliver();
        wait_for("the ticket of a wrong time", 20, || tickets() == count);
        set(0);
        let count = deliver();
        wait_for("the ticket of the right time", 20, || tickets() == count);
    }
    // What must wait for its next attempt waits no year.
    wait_for("all mail to be sent", 20, || queued(&desk) == 0);
    assert!(!desk.sent().is_empty(), "there was some");
    let moved = desk.path().join("moved");
    fs::rename(&outgoing, &moved).expect("it goes");
    fs::write(&outgoing, b"a file stands where the maildir goes").expect("written");
    set(YEAR);
    let count = deliver();
    wait_for("mail that waits", 20, || tickets() == count && waits_for_an_attempt(&desk));
    fs::remove_file(&outgoing).expect("it goes");
    fs::rename(&moved, &outgoing).expect("it is back");
    set(0);
    wait_for("it to be sent in the right time", 20, || queued(&desk) == 0);
    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for mail in desk.sent() {
        let text = String::from_utf8_lossy(&mail).into_owned();
        let id = text.lines().find(|line| line.starts_with("Message-ID:")).expect("each has one");
        *copies.entry(id.to_owned()).or_default() += 1;
    }
    assert!(copies.values().all(|copies| *copies == 1), "{copies:?}");
    assert_eq!(copies.len(), desk.lines(&["outbox", "list"]).len());
    assert!(daemon.0.try_wait().expect("it can be asked").is_none(), "it runs");
    support::signal(daemon.0.id(), "TERM");
    assert_eq!(daemon.0.wait().expect("it ends").code(), Some(0));
    desk.audit();
}

fn queued(desk: &Desk) -> usize {
    let waiting = |state| desk.lines(&["outbox", "list", "--state", state]).len();
    waiting("queued") + waiting("sending")
}

fn waits_for_an_attempt(desk: &Desk) -> bool {
    let queued = desk.lines(&["outbox", "list", "--state", "queued"]);
    !queued.is_empty() && queued.iter().all(|mail| mail["attempts"].as_i64() > Some(0))
}
