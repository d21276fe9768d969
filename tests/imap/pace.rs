//! How often a server is tried that refuses or is away (P-21, R-39), by a clock that stands where
//! the test puts it.

use std::time::Duration;

use guichet::clock::Clock;
use guichet::intake::After;
use guichet::net::Password;
use jiff::SignedDuration;

use crate::desk::{Desk, imap, letters, logged};
use crate::support::account::{Account, Message};
use crate::support::scripted::Scripted;

#[test]
fn p_21_at_most_three_logins_in_a_quarter_of_an_hour_after_refusals() {
    let desk = Desk::new();
    let server = Scripted::start("login_refused_at_first", Account::holding(letters(1)));
    let mut watch = desk.watch(desk.options(&server));
    let mut logins = Vec::new();
    // Two hours, looked at every ten seconds.
    for tick in 0..720 {
        let before = server.count("AUTHENTICATE");
        let _ = desk.attempt(&mut watch);
        if server.count("AUTHENTICATE") > before {
            logins.push(tick * 10);
        }
        desk.pass(SignedDuration::from_secs(10));
    }
    assert!(logins.len() >= 4, "it gave up: {logins:?}");
    for (index, first) in logins.iter().enumerate() {
        let within = logins[index..].iter().filter(|login| *login - first < 15 * 60).count();
        assert!(within <= 3, "{within} logins in 15 minutes: {logins:?}");
    }
}

#[test]
fn p_21_logins_are_counted_across_processes_and_a_corrected_one_is_tried_at_once() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(1)));
    let mut wrong = desk.options(&server);
    imap(&mut wrong).login.password = Password::new("not this");
    let logins = || server.count("AUTHENTICATE");
    // `run --once` from cron, each minute for an hour: a process each.
    let mut tried = Vec::new();
    for minute in 0..60 {
        let before = logins();
        let mut watch = desk.watch(wrong.clone());
        let mut looked = Ok(desk.clock.now());
        let log = logged(|| looked = desk.attempt(&mut watch));
        if logins() > before {
            assert!(looked.is_err());
            tried.push(minute);
        } else {
            assert_eq!(watch.left_behind(), Some("its server refused too many logins"));
            assert!(log.contains("is left alone until 2026-01-05T1"), "{log}");
        }
        desk.pass(SignedDuration::from_mins(1));
    }
    assert_eq!(tried, [0, 1, 2, 15, 16, 17, 30, 31, 32, 45, 46, 47]);
    // Within the quarter of an hour after the last three.
    desk.clock.set(desk.clock.now() - SignedDuration::from_mins(10));
    desk.settle(&mut desk.watch(desk.options(&server)));
    assert_eq!(desk.uids("support"), [1]);
}

#[test]
fn a_server_that_is_away_is_tried_again_later_and_later_and_the_house_can_stop_meanwhile() {
    let desk = Desk::new();
    let server = Scripted::play("greet\n  S: * BYE not now\n  close\n", Account::new());
    let log = logged(|| desk.run_for(&desk.options(&server), Duration::from_secs(5)));
    // Half a second to a second, one to two, two to four.
    assert!((3..=6).contains(&server.connections()), "{} tries", server.connections());
    assert_eq!(log.matches("WARN").count(), 1, "{log}");
    assert!(log.contains("not now") && log.contains("hint: "), "{log}");
}

#[test]
fn a_server_that_lets_in_and_breaks_off_is_tried_later_and_later_too() {
    let desk = Desk::new();
    let breaks_off = "on TAG UID SEARCH ...\n  S: * BYE not now\n  close\n";
    let server = Scripted::play(breaks_off, Account::holding(letters(1)));
    let log = logged(|| desk.run_for(&desk.options(&server), Duration::from_secs(4)));
    assert!(server.connections() > 1, "it gave up: {log}");
    assert!(!log.contains("works again"), "a login that leads nowhere counts as work: {log}");
    assert_eq!(log.matches("WARN").count(), 1, "{log}");
}

#[test]
fn a_mailbox_at_rest_hears_of_decisions_and_of_the_end() {
    let desk = Desk::new();
    let server = Scripted::play("", Account::holding(letters(2)));
    let mut options = desk.options(&server);
    options.after = After::Flag;
    let is_read = |message: &Message| message.flags == ["\\Seen"];
    desk.run_until(&options, |desk| {
        desk.decide();
        server.account().inbox().messages.iter().all(is_read)
    });
    assert_eq!(desk.uids("support"), [1, 2]);
    assert_eq!(server.count("LOGOUT"), 1, "{:?}", server.heard());
}
