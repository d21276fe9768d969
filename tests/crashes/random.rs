//! Killed at random moments.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::message;
use crate::{desk, field, files_below, name, totals};

// A fixed sequence that looks like chance: a run that fails can be run again.
fn pauses(seed: u64) -> impl Iterator<Item = Duration> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis(20 + (state >> 33) % 260)
    })
}

fn killed_at_random(after: &str, seed: u64) {
    const MESSAGES: usize = 400;
    const ROUNDS: usize = 16;
    let desk = desk(after, "");
    let mut n = 0;
    for (round, pause) in pauses(seed).take(ROUNDS).enumerate() {
        while n < MESSAGES * (round + 1) / ROUNDS {
            let mut raw = message(
                &format!("u{}@d{}.example", n % 90, n % 9),
                "Printer",
                &format!("k{n}@x"),
                "",
                "hello",
            );
            desk.deliver(&name(n), &raw);
            if n.is_multiple_of(10) {
                // M-09: the same once more, as another server writes it.
                raw.retain(|byte| *byte != b'\r');
                desk.deliver(&format!("{}.again", name(n)), &raw);
            }
            n += 1;
        }
        let daemon = desk.start();
        std::thread::sleep(pause);
        daemon.kill();
    }
    desk.ok(&["run", "--once"]);
    // P-12: whoever was in hand at three kills is set aside, in sight, and loses nothing.
    for held in desk.lines(&["held", "list", "--reason", "internal_error"]) {
        desk.ok(&["held", "release", held["id"].as_str().expect("an id")]);
    }
    desk.ok(&["run", "--once"]);
    desk.audit();
    let seen = totals(&desk);
    assert_eq!(seen["ticket_created"], 400, "seed {seed}: {seen:?}");
    assert_eq!(seen["duplicate"], 40, "seed {seed}: {seen:?}");
    assert_eq!(desk.lines(&["users", "list", "--limit", "1000"]).len(), 90, "seed {seed}");
    let mut copies: BTreeMap<String, u32> = BTreeMap::new();
    for mail in desk.sent() {
        *copies.entry(field(&mail, "Message-ID").expect("each has one")).or_default() += 1;
    }
    let outbox = desk.lines(&["outbox", "list", "--limit", "100000"]);
    assert!(outbox.iter().all(|mail| mail["state"] == "sent"), "seed {seed}: {outbox:?}");
    assert_eq!(copies.len(), outbox.len(), "seed {seed}: one Message-ID a mail (P-03)");
    assert!(copies.values().all(|copies| *copies <= 2), "seed {seed}");
    let left = files_below(&desk.maildir()).len();
    assert_eq!(left, if after == "move" { 440 } else { 0 }, "seed {seed}");
    assert!(files_below(&desk.maildir().join("new")).is_empty(), "seed {seed}");
}

#[test]
fn p_04_killed_at_random_moments_while_mail_is_moved() {
    killed_at_random("move", 4);
}

#[test]
fn p_04_killed_at_random_moments_while_mail_is_deleted() {
    killed_at_random("delete", 5);
}
