//! When a mailbox is looked at, by whom, and how much that asks.

use std::fs;
use std::sync::atomic::Ordering;

use jiff::SignedDuration;

use guichet::clock::{Clock, Next};
use guichet::intake::{After, MaildirWatcher, Start, Tenure};

use crate::desk::{CONTACT, Desk, logged, seconds, settle};

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
    thread.join().expect("the thread ends").expect("the store is sound");
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
