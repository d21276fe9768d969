//! A database that goes away at any moment and comes back: nothing is lost, nothing is done twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use guichet::args;
use guichet::store::{Durability, Location, Options, Sql, Store, StoreError, mailboxes};

use crate::suites::postgres::{self, Postgres};
use crate::suites::proxy::{Fault, Lost, Proxy, Way};
use crate::suites::{Desk, message, wait_for};
use crate::support::{at, count, read, write};

fn open(url: &str) -> Store {
    let location = Location::Postgres(postgres::options(url));
    Store::open(&Options { location, durability: Durability::Full }, at(0)).expect("a store opens")
}

/// A store behind a network that fails on purpose.
fn behind_a_proxy() -> (Proxy, Store) {
    let schema = postgres::fresh_schema();
    let proxy = Proxy::to(postgres::server().port);
    let store = open(&proxy.through(&schema.url));
    // The connection that writes is there.
    write(&store, |sql| sql.query("SELECT 1", args![]).map(drop));
    (proxy, store)
}

/// Enters a mailbox; counts how often it was tried.
fn begin(
    store: &Store,
    name: &'static str,
    mut meanwhile: impl FnMut(usize, &mut dyn Sql) + Send + 'static,
) -> (Result<(), StoreError>, usize) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let result = store.transact(move |sql| {
        let run = counted.fetch_add(1, Ordering::SeqCst);
        // Plain, so that a second time would be refused and not be passed over.
        sql.execute(
            "INSERT INTO mailbox (name, address, started_at) VALUES (?1, 'a', 0)",
            args![name],
        )?;
        meanwhile(run, sql);
        Ok(())
    });
    (result, runs.load(Ordering::SeqCst))
}

#[test]
fn a_commit_that_was_done_is_not_done_again_when_its_answer_is_lost() {
    let (proxy, store) = behind_a_proxy();
    proxy.lose(Lost::Answer);
    let (result, runs) = begin(&store, "support", |_, _| ());
    result.expect("it was committed");
    assert_eq!(runs, 1, "it looked for its own outcome");
    assert_eq!(count(&store, "mailbox"), 1);
}

#[test]
fn a_commit_that_never_arrived_is_done_again() {
    let (proxy, store) = behind_a_proxy();
    proxy.lose(Lost::Command);
    let (result, runs) = begin(&store, "support", |_, _| ());
    result.expect("it is committed the second time");
    assert_eq!(runs, 2);
    assert_eq!(count(&store, "mailbox"), 1);
}

#[test]
fn a_group_whose_commit_is_lost_is_answered_as_a_whole() {
    for lost in [Lost::Answer, Lost::Command] {
        let (proxy, store) = behind_a_proxy();
        // All others wait while the first is at work, so that several are committed together.
        proxy.lose(lost);
        thread::scope(|scope| {
            for n in 0..40 {
                let store = &store;
                scope.spawn(move || {
                    let name = format!("mailbox {n}");
                    let insert = "INSERT INTO mailbox (name, address, started_at) \
                                  VALUES (?1, 'a', 0)";
                    store
                        .transact(move |sql| sql.execute(insert, args![&name]))
                        .unwrap_or_else(|error| panic!("{lost:?}: {n}: {error}"));
                });
            }
        });
        assert_eq!(count(&store, "mailbox"), 40, "{lost:?}");
    }
}

#[test]
fn what_a_lost_connection_had_begun_begins_again() {
    let (proxy, store) = behind_a_proxy();
    let proxy = Arc::new(proxy);
    let network = proxy.clone();
    let (result, runs) = begin(&store, "support", move |run, _| {
        if run == 0 {
            network.go_away();
            network.come_back();
        }
    });
    result.expect("it is committed the second time");
    assert_eq!(runs, 2);
    assert_eq!(count(&store, "mailbox"), 1);
}

#[test]
fn a_server_that_stays_away_is_unreachable_for_now_and_work_goes_on_when_it_is_back() {
    let (proxy, store) = behind_a_proxy();
    assert_eq!(count(&store, "mailbox"), 0);
    proxy.go_away();
    let (result, runs) = begin(&store, "support", |_, _| ());
    let error = result.expect_err("nobody is there");
    assert!(matches!(error, StoreError::Unreachable { .. }) && error.is_temporary(), "{error}");
    assert_eq!(runs, 0);
    assert!(proxy.refused() >= 5, "it was tried for a while");
    let error = store.read_only(|_| Ok(())).expect_err("nobody is there");
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    proxy.come_back();
    begin(&store, "support", |_, _| ()).0.expect("the server is back");
    assert_eq!(count(&store, "mailbox"), 1);
}

#[test]
fn p_08_a_transaction_that_is_cut_anywhere_is_done_once() {
    let (proxy, store) = behind_a_proxy();
    let enter = |name: String| {
        let insert = "INSERT INTO mailbox (name, address, started_at) VALUES (?1, 'a', 0)";
        store.transact(move |sql| sql.execute(insert, args![&name]))
    };
    enter("the first, which prepares".to_owned()).expect("it is committed");
    proxy.befall(Fault::Cut(Way::ToClient, usize::MAX));
    enter("whole".to_owned()).expect("it is committed");
    let whole = proxy.passed();
    let mut entered = 2;
    for way in [Way::ToClient, Way::ToServer] {
        for offset in (0..=whole.on(way)).step_by(7) {
            proxy.befall(Fault::Cut(way, offset));
            let done = enter(format!("cut {way:?} at {offset}"));
            proxy.be_well();
            done.unwrap_or_else(|error| panic!("cut {way:?} at {offset}: {error}"));
            entered += 1;
            assert_eq!(count(&store, "mailbox"), entered, "cut {way:?} at {offset}");
        }
    }
    assert!(entered > 20, "{whole:?} is no dialogue");
}

#[test]
fn a_reader_that_was_cut_off_is_replaced() {
    let (proxy, store) = behind_a_proxy();
    for _ in 0..2 {
        assert_eq!(count(&store, "mailbox"), 0);
        proxy.go_away();
        proxy.come_back();
    }
    let failed = store.read_only(|sql| {
        proxy.go_away();
        proxy.come_back();
        sql.query("SELECT 1", args![]).map(drop)
    });
    assert!(matches!(failed, Err(StoreError::Unreachable { .. })), "it cannot run twice");
    assert_eq!(count(&store, "mailbox"), 0);
}

/// The whole server dies under us, recovers, and refuses connections while it does. It was set to
/// lose what it has just committed, which a store that is to last does not let it (P-07).
#[test]
fn a_server_that_crashes_and_recovers_loses_nothing() {
    let server = Postgres::start();
    let store = open(&server.fresh_schema().url);
    begin(&store, "before", |_, _| ()).0.expect("it is committed");
    let (result, runs) = begin(&store, "during", |run, sql| {
        if run == 0 {
            let pid = sql.query("SELECT pg_backend_pid()", args![]).expect("it answers");
            let pid = pid[0].int(0).expect("a number");
            crate::suites::signal(u32::try_from(pid).expect("a pid"), "KILL");
        }
    });
    result.expect("it is committed once the server is back");
    assert_eq!(runs, 2);
    assert_eq!(count(&store, "mailbox"), 2);
    let names = read(&store, |sql| sql.query("SELECT name FROM mailbox ORDER BY name", args![]));
    assert_eq!(names[1].text(0).expect("a name"), "during");
    // `mailboxes::begin` finds what is there: nothing of this was forgotten by the recovery.
    let known = write(&store, |sql| mailboxes::begin(sql, "before", "a", at(9)));
    assert!(matches!(known, mailboxes::Beginning::Known { .. }));
}

/// The daemon on a database that goes away in the middle: it waits, says so, goes on, and the books
/// balance.
#[test]
fn the_daemon_waits_for_its_database_and_goes_on() {
    const MESSAGES: usize = 120;
    let schema = postgres::fresh_schema();
    let proxy = Proxy::to(postgres::server().port);
    let desk = Desk::new(&format!(
        "[limits]\nnew_users = \"off\"\nper_sender = \"off\"\nper_domain = \"off\"\n\
         [store]\nurl = \"{}\"\npassword = \"{}\"\ntls = \"none\"\n",
        proxy.through(&schema.url),
        postgres::PASSWORD
    ));
    for n in 0..MESSAGES {
        let (from, id) = (format!("p{n}@contoso.example"), format!("m{n}@contoso.example"));
        let raw = message(&from, "Help", &id, "", "Please help.");
        desk.deliver(&format!("{}.M{n}P1.test", 1_767_600_000 + n), &raw);
    }
    let books = open(&schema.url);
    let decided = || usize::try_from(count(&books, "decision")).expect("a count");
    let daemon = desk.start();
    for round in 1..=2 {
        wait_for("the daemon to be at work", 30, || decided() > (round - 1) * 40);
        proxy.lose(Lost::Answer);
        let refused = proxy.refused();
        proxy.go_away();
        wait_for("it to miss its database", 30, || proxy.refused() > refused);
        proxy.come_back();
    }
    wait_for("all of it", 60, || decided() == MESSAGES);
    assert_eq!(daemon.stop(), Some(0));
    let log = desk.log();
    assert!(log.contains("cannot be reached"), "{log}");
    assert!(!log.contains(postgres::PASSWORD));
    assert_eq!(count(&books, "ticket"), MESSAGES as i64);
    assert_eq!(count(&books, "person"), MESSAGES as i64);
    desk.audit();
}
