//! Several workers and processes on one PostgreSQL store: started together, stopped past their
//! leases, killed. Takes about a minute.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;

use guichet::clock::{Clock, Ids, SystemChance, SystemClock};
use guichet::config::{self, Environment, Request};
use guichet::daemon::{Call, Event, Furniture, House};
use guichet::ingest::Suspects;
use guichet::store::Store;
use guichet::store::workers::{Pace, Presence};
use jiff::SignedDuration;
use serde_json::Value;
use support::postgres::{self, PASSWORD};
use support::workload::{Workload, fill};
use support::{Desk, message, signal, wait_for};

/// A store of its own for the desk's configuration.
fn store(workers: u16) -> String {
    let url = postgres::fresh_schema().url;
    format!(
        "[store]\nurl = \"{url}\"\npassword = \"{PASSWORD}\"\ntls = \"none\"\nworkers = {workers}\n"
    )
}

/// `(stored, pending)`, while daemons run.
fn books(desk: &Desk) -> (i64, i64) {
    let output = desk.run(&["audit", "--json"]);
    let books: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let count = |name: &str| books[name].as_i64().unwrap_or(-1);
    (count("stored"), count("pending"))
}

fn all_sent(desk: &Desk) -> bool {
    let waiting = |state| desk.lines(&["outbox", "list", "--state", state, "--limit", "1"]).len();
    waiting("queued") + waiting("sending") == 0
}

/// How often each mail went out, by its Message-ID; none is left behind.
fn sent(desk: &Desk) -> BTreeMap<String, u32> {
    let outbox = desk.lines(&["outbox", "list", "--limit", "100000"]);
    assert!(outbox.iter().all(|mail| mail["state"] == "sent"), "{outbox:?}");
    let mut copies = BTreeMap::new();
    for mail in desk.sent() {
        let text = String::from_utf8_lossy(&mail).into_owned();
        let id = text.lines().find(|line| line.starts_with("Message-ID:")).expect("each has one");
        *copies.entry(id.to_owned()).or_default() += 1;
    }
    assert_eq!(copies.len(), outbox.len());
    copies
}

#[test]
fn p_10_four_workers_in_two_processes_give_exactly_what_one_gives() {
    let Some(workload) = Workload::generate(2000, 1) else { return };
    let desk = workload.desk_on(&store(2));
    let one = desk.start_with(&[], "one.log");
    let two = desk.start_with(&["--set", "state=state2"], "two.log");
    fill(&desk, &workload.messages());
    wait_for("every message to be decided", 240, || books(&desk) == (2000, 0));
    wait_for("every mail to be sent", 120, || all_sent(&desk));
    assert_eq!((one.stop(), two.stop()), (Some(0), Some(0)), "SIGTERM is a clean stop (P-14)");
    workload.check_order(&desk);
    workload.check(&desk);
    workload.check_notes(&desk);
    assert!(sent(&desk).values().all(|copies| *copies == 1));
    assert_eq!(desk.json(&["audit"])["pending"], 0);
}

#[test]
fn p_10_a_process_that_was_stopped_past_its_lease_doubles_nothing() {
    let Some(workload) = Workload::generate(500, 2) else { return };
    let desk = workload.desk_on(&store(2));
    fill(&desk, &workload.messages());
    let decided = || {
        let (stored, pending) = books(&desk);
        stored - pending
    };
    let one = Helper::start(&desk, "one.log");
    wait_for("the first to be in the middle", 60, || decided() > 40);
    signal(one.child.id(), "STOP");
    let stopped_at = decided();
    assert!(stopped_at < 400, "it is still in the middle: {stopped_at}");
    let two = Helper::start(&desk, "two.log");
    wait_for("the second to do all the rest", 120, || {
        end_idle_transactions();
        books(&desk) == (500, 0) && all_sent(&desk)
    });
    signal(one.child.id(), "CONT");
    assert!(two.stop(), "{}", log(&desk, "two.log"));
    assert!(one.stop(), "{}", log(&desk, "one.log"));
    workload.check_order(&desk);
    workload.check(&desk);
    // P-03: one that was in its hands may have gone out, and nobody knew.
    assert!(sent(&desk).values().all(|copies| *copies <= 2));
}

#[test]
fn what_a_killed_process_had_in_hand_is_done_at_once_by_the_next_p_04() {
    let desk = Desk::new(&store(1));
    for n in 0..40 {
        let from = format!("u{n}@d.example");
        let raw = message(&from, "Printer", &format!("k{n}@x"), "", "hello");
        desk.deliver(&format!("{}.M{n:06}P1.killed", 1_767_600_000 + n), &raw);
    }
    for _ in 0..2 {
        let daemon = desk.start();
        wait_for("it to have taken something in", 60, || books(&desk).0 > 0);
        daemon.kill();
    }
    // Long before any lease or anybody's patience is over.
    let daemon = desk.start();
    wait_for("the rest", 20, || books(&desk) == (40, 0));
    assert_eq!(daemon.stop(), Some(0));
    desk.audit();
}

#[test]
fn db_copy_moves_a_store_to_postgresql_and_back() {
    // What PostgreSQL takes stands beside the URL before it is changed.
    let login = format!("password = \"{PASSWORD}\"\ntls = \"none\"\n");
    let desk = Desk::new(&format!("[store]\n{login}"));
    for n in 0..5 {
        let raw = message(&format!("u{n}@d.example"), "Printer", &format!("k{n}@x"), "", "hello");
        desk.deliver(&format!("{}.M{n}P1.moved", 1_767_600_000 + n), &raw);
    }
    let daemon = desk.start();
    wait_for("the mail to be decided", 60, || books(&desk) == (5, 0));
    let url = postgres::fresh_schema().url;
    let copy = |args: &[&str]| desk.run(&[&["db", "copy"], args].concat());
    let counted = |output: &std::process::Output, table: &str| -> i64 {
        let rows = String::from_utf8_lossy(&output.stdout).into_owned();
        let rows = rows.lines().map(|row| serde_json::from_str(row).expect("each line is JSON"));
        let row = rows.into_iter().find(|row: &Value| row["table"] == table).expect("it is listed");
        row["rows"].as_i64().expect("a number")
    };
    let survey = copy(&[&url, "-n", "-o", "jsonl"]);
    assert_eq!((survey.status.code(), counted(&survey, "ticket")), (Some(0), 5));
    let busy = copy(&[&url]);
    assert_eq!(busy.status.code(), Some(75), "{}", String::from_utf8_lossy(&busy.stderr));
    assert_eq!(daemon.stop(), Some(0));
    let before = desk.json(&["audit"]);

    let moved = copy(&[&url, "-o", "jsonl"]);
    assert_eq!(moved.status.code(), Some(0), "{}", String::from_utf8_lossy(&moved.stderr));
    assert_eq!((counted(&moved, "message"), counted(&moved, "ticket")), (5, 5));
    let again = copy(&[&url]);
    assert_eq!(again.status.code(), Some(73), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(String::from_utf8_lossy(&again.stderr).contains("the target is not empty"));
    let same = desk.run(&["db", "copy", "sqlite:other.db"]);
    assert_eq!(same.status.code(), Some(2), "one kind to the other, or a backup");

    desk.configure(&format!("[store]\nurl = \"{url}\"\nworkers = 2\n{login}"));
    assert_eq!(desk.json(&["audit"]), before);
    desk.ok(&["run", "--once"]);
    assert_eq!(desk.lines(&["tickets", "list"]).len(), 5, "no message is brought in again (P-02)");
    desk.ok(&["db", "copy", "sqlite:back.db"]);
    desk.configure("[store]\nurl = \"sqlite:back.db\"\n");
    assert_eq!(desk.json(&["audit"]), before);
    assert!(desk.ok(&["db", "verify"]).contains("is sound"));
}

/// A daemon that gives others up after a second: this very test binary, run for its last test.
struct Helper {
    child: Child,
}

// Names the configuration of a helper.
const HELPER: &str = "GUICHET_TEST_WORKER";

impl Helper {
    fn start(desk: &Desk, log: &str) -> Helper {
        let log = fs::File::create(desk.path().join(log)).expect("a log");
        let child = Command::new(std::env::current_exe().expect("its own path"))
            .args(["a_helper_of_other_tests", "--exact", "--nocapture"])
            .env(HELPER, desk.config())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the helper starts");
        Helper { child }
    }

    /// Lets it finish what it has in hand; answers whether it ended well.
    fn stop(mut self) -> bool {
        drop(self.child.stdin.take());
        self.child.wait().expect("it ends").success()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_helper_of_other_tests() {
    let Some(path) = std::env::var_os(HELPER).map(PathBuf::from) else { return };
    let request =
        Request { path: Some(path), set: Vec::new(), environment: Environment::of_process() };
    let settings = config::load(&request).expect("it is sound").settings;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids = Ids::new(clock.clone(), Arc::new(SystemChance));
    let store = Store::open(&settings.store, clock.now()).expect("the store opens");
    let pace = Pace {
        beat: SignedDuration::from_millis(200),
        patience: SignedDuration::from_millis(1_500),
    };
    let presence = Presence::begin(&store, &clock, &ids, pace).expect("it is entered");
    let furniture = Furniture {
        settings: Arc::new(settings),
        store,
        clock,
        ids,
        presence: Arc::new(presence),
        door: None,
        suspects: Suspects::ReadHere,
        on_decision: Arc::new(|_| ()),
        on_lockout: Arc::new(|_| ()),
    };
    let (told, events) = channel();
    let mut house = House::start(&furniture, told.clone()).expect("the house starts");
    std::thread::spawn(move || {
        // Its end is the sign to stop.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = told.send(Event::Called(Call::Stop));
    });
    while !house.is_empty() {
        match events.recv().expect("the rooms tell their ends") {
            Event::Called(_) => house.stop(),
            Event::RoomEnded(ending) => {
                house.one_ended();
                assert!(ending.failure.is_none(), "{ending:?}");
            }
        }
    }
}

// As the server does by itself after a minute: a stopped process keeps its locks until then.
fn end_idle_transactions() {
    let server = postgres::server();
    server.execute(
        postgres::DATABASE,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE state LIKE 'idle in transaction%' AND state_change < now() - interval '1 second'",
    );
}

fn log(desk: &Desk, name: &str) -> String {
    fs::read_to_string(desk.path().join(name)).expect("its log")
}
