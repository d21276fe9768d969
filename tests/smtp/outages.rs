//! Relays that are away, slow or strict: whose mail waits, and whose goes on.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use guichet::clock::Next;
use guichet::outbox::RelayOptions;
use guichet::store::outbox::OutboxState;

use crate::desk::{Desk, a_minute, at, drain, relay};
use crate::support::proxy::Proxy;
use crate::support::sink::{Sink, SinkAnswer, SinkOptions, SinkRule};
use crate::support::wait_for;

const YEAR: i64 = 365 * 86_400;

/// A port that nobody answers on.
fn nobody() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

#[test]
fn p_15_while_a_relay_is_away_no_mail_is_tried_and_the_longest_waiting_are_parked() {
    let desk = Desk::new(relay(nobody()));
    let ids = desk.queue_many(50);
    let outbox = desk.outbox();
    assert_eq!(drain(&outbox), Next::At(at(60)), "`outbox.retry` says when");
    for id in &ids {
        assert_eq!(desk.state(*id), (OutboxState::Queued, 0));
        assert!(desk.said(*id).contains("cannot be connected to"), "{}", desk.said(*id));
    }
    desk.clock.set(at(60));
    assert_eq!(drain(&outbox), Next::At(at(360)));
    assert_eq!(desk.state(ids[0]), (OutboxState::Queued, 0));
    desk.clock.set(at(360));
    let young = desk.queue("late@customer.example");
    assert_eq!(drain(&outbox), Next::At(at(660)), "a relay is never left alone for long");
    for id in &ids {
        assert_eq!(desk.state(*id), (OutboxState::Parked, 0), "all of `outbox.retry` has passed");
    }
    assert_eq!(desk.state(young), (OutboxState::Queued, 0));
    assert_eq!(outbox.unreached().len(), 1);
}

#[test]
fn p_11_a_mail_under_way_is_not_sent_again_when_the_clock_goes_on() {
    let rules = vec![SinkRule { on: ".", times: 1, answer: SinkAnswer::Stall }];
    let sink = Sink::start(SinkOptions { rules, ..SinkOptions::default() });
    let mut relay = relay(sink.port());
    relay.server.timeout = Duration::from_secs(2);
    let desk = Desk::new(relay);
    let id = desk.queue("claire@customer.example");
    let outbox = desk.outbox();
    let begun = || sink.heard().iter().filter(|line| *line == "DATA").count();
    let step = || outbox.step().expect("a step succeeds");
    wait_for("it to be under way", 10, || step() == Next::Now && begun() == 1);
    desk.clock.set(at(YEAR));
    // Each waits a little while something is under way.
    for _ in 0..5 {
        step();
    }
    assert_eq!(begun(), 1, "a mail under way is sent again");
    wait_for("the relay to be given up", 20, || step() != Next::Now);
    assert_eq!(desk.state(id), (OutboxState::Queued, 1), "nobody knows how that ended");
    desk.clock.set(at(YEAR + 60));
    drain(&outbox);
    assert_eq!((desk.state(id), sink.mails().len()), ((OutboxState::Sent, 2), 1));
}

#[test]
fn p_11_a_relay_that_was_away_in_a_wrong_year_is_found_in_the_right_one() {
    let port = nobody();
    let desk = Desk::new(relay(port));
    desk.clock.set(at(YEAR));
    let id = desk.queue("claire@customer.example");
    desk.run("UPDATE outbox SET queued_at = queued_at + 31536000000");
    let outbox = desk.outbox();
    assert_eq!(drain(&outbox), Next::At(at(YEAR + 60)));
    desk.clock.set(at(0));
    let _sink = Sink::start(SinkOptions { port, ..SinkOptions::default() });
    drain(&outbox);
    assert_eq!(desk.state(id), (OutboxState::Sent, 1), "it waits for a year");
}

#[test]
fn a_relay_that_comes_back_is_found_and_takes_everything() {
    let port = nobody();
    let desk = Desk::new(relay(port));
    let ids = desk.queue_many(30);
    let outbox = desk.outbox();
    assert_eq!(drain(&outbox), Next::At(at(60)));
    let sink = Sink::start(SinkOptions { port, ..SinkOptions::default() });
    assert_eq!(drain(&outbox), Next::At(at(60)), "not before its time");
    desk.clock.set(at(60));
    assert_eq!(drain(&outbox), Next::Idle);
    for id in ids {
        assert_eq!(desk.state(id), (OutboxState::Sent, 1));
    }
    assert!(outbox.unreached().is_empty());
    assert_eq!(sink.mails().len(), 30);
}

#[test]
fn a_relay_that_greets_everybody_and_takes_nothing_costs_no_mail_an_attempt() {
    let answer = SinkAnswer::SayAndDrop("421 4.3.2 not today");
    let rules = vec![SinkRule { on: "MAIL FROM:", times: 999, answer }];
    let sink = Sink::start(SinkOptions { rules, ..SinkOptions::default() });
    let desk = Desk::new(relay(sink.port()));
    let ids = desk.queue_many(50);
    let outbox = desk.outbox();
    assert_eq!(drain(&outbox), Next::At(at(60)));
    let asked = || sink.heard().iter().filter(|line| line.starts_with("MAIL")).count();
    let first = asked();
    desk.clock.set(at(60));
    assert_eq!(drain(&outbox), Next::At(at(360)), "it was never back");
    assert!(asked() - first <= 2, "one mail is enough to find out, not {}", asked() - first);
    for id in ids {
        assert_eq!(desk.state(id), (OutboxState::Queued, 0));
    }
}

#[test]
fn a_relay_that_is_away_or_hangs_holds_up_no_other() {
    let stall = vec![SinkRule { on: "", times: 99, answer: SinkAnswer::Stall }];
    let hanging = Sink::start(SinkOptions { rules: stall, ..SinkOptions::default() });
    let good = Sink::start(SinkOptions::default());
    let desk = Desk::of(&[
        ("away", relay(nobody())),
        ("good", relay(good.port())),
        ("hanging", relay(hanging.port())),
    ]);
    let away = desk.queue_for("away", "a@customer.example");
    let hangs = desk.queue_for("hanging", "b@customer.example");
    let goes: Vec<i64> =
        (0..20).map(|n| desk.queue_for("good", &format!("u{n}@customer.example"))).collect();
    let outbox = desk.outbox();
    // The hanging one would take twenty seconds to give up.
    let all_went = || goes.iter().all(|id| desk.state(*id) == (OutboxState::Sent, 1));
    let steps = (0..).take_while(|_| !all_went() && outbox.step().is_ok()).take(90).count();
    assert!(all_went(), "{steps} steps, each shorter than the wait for the hanging one");
    assert_eq!(desk.state(away), (OutboxState::Queued, 0));
    assert_eq!(desk.state(hangs).1, 0);
}

#[test]
fn mailboxes_with_equal_relays_share_its_connections_and_its_rate() {
    let sink = Sink::start(SinkOptions::default());
    let shared = RelayOptions { rate: Some(a_minute(3)), ..relay(sink.port()) };
    let desk = Desk::of(&[("one", shared.clone()), ("two", shared)]);
    for n in 0..4 {
        desk.queue_for("one", &format!("u{n}@customer.example"));
        desk.queue_for("two", &format!("u{n}@customer.example"));
    }
    let outbox = desk.outbox();
    for minute in 0..3 {
        let now = minute * 60;
        desk.clock.set(at(now));
        let next = drain(&outbox);
        let sent = sink.mails().len();
        match minute {
            2 => assert_eq!((next, sent), (Next::Idle, 8)),
            minute => {
                let due = usize::try_from(3 * (minute + 1)).expect("small");
                assert_eq!((next, sent), (Next::At(at(now + 60)), due));
            }
        }
    }
}

#[test]
fn a_relay_that_takes_fewer_connections_than_we_may_have_still_takes_all() {
    let sink = Sink::start(SinkOptions::default());
    let door = Proxy::to(sink.port());
    door.let_in(1, "421 4.7.0 too many connections\r\n");
    let desk = Desk::new(RelayOptions { connections: 4, ..relay(door.port) });
    let ids = desk.queue_many(100);
    let outbox = desk.outbox();
    assert_eq!(drain(&outbox), Next::Idle);
    for id in ids {
        assert_eq!(desk.state(id), (OutboxState::Sent, 1));
    }
    assert_eq!((sink.mails().len(), sink.connections()), (100, 1));
    assert!(outbox.unreached().is_empty());
}

#[test]
fn mail_of_a_mailbox_without_a_relay_is_parked_with_the_reason() {
    let sink = Sink::start(SinkOptions::default());
    let mut desk = Desk::new(relay(sink.port()));
    let mut bare = desk.options.senders["support"].clone();
    bare.relay = None;
    desk.options.senders.insert("bare".to_owned(), bare);
    let (good, lost, gone) = (
        desk.queue("a@customer.example"),
        desk.queue_for("bare", "b@customer.example"),
        desk.queue_for("gone", "c@customer.example"),
    );
    assert_eq!(drain(&desk.outbox()), Next::Idle);
    assert_eq!(desk.state(good), (OutboxState::Sent, 1));
    assert_eq!(
        (desk.state(lost).0, desk.state(gone).0),
        (OutboxState::Parked, OutboxState::Parked)
    );
    assert!(desk.said(lost).contains("`bare` has no relay"), "{}", desk.said(lost));
    assert!(desk.said(gone).contains("no mailbox is called `gone`"), "{}", desk.said(gone));
}

#[test]
fn an_outbox_that_is_closed_ends_what_is_under_way_and_hands_back_the_rest() {
    let sink = Sink::start(SinkOptions::default());
    let desk = Desk::new(RelayOptions { connections: 1, ..relay(sink.port()) });
    let ids = desk.queue_many(200);
    let outbox = desk.outbox();
    while sink.mails().is_empty() {
        outbox.step().expect("a step succeeds");
    }
    drop(outbox);
    let sent = sink.mails().len();
    assert!((1..200).contains(&sent), "{sent} sent");
    let states: Vec<(OutboxState, i64)> = ids.iter().map(|id| desk.state(*id)).collect();
    assert_eq!(states.iter().filter(|state| **state == (OutboxState::Sent, 1)).count(), sent);
    let back = states.iter().filter(|state| **state == (OutboxState::Queued, 0)).count();
    assert_eq!(back, 200 - sent, "nothing is left in doubt");
    wait_for("the leave to be taken", 10, || sink.heard().contains(&"QUIT".to_owned()));
}

#[test]
fn p_03_what_a_kill_left_in_doubt_goes_out_once_more_and_never_a_third_time() {
    let sink = Sink::start(SinkOptions::default());
    let desk = Desk::new(relay(sink.port()));
    let ids = desk.queue_many(3);
    // As a kill leaves them: claimed only, begun once, begun twice.
    desk.run("UPDATE outbox SET state = 'sending', leased_by = 'a dead one'");
    desk.run("UPDATE outbox SET attempts = id - 1, unsure = id - 1");
    assert_eq!(drain(&desk.outbox()), Next::Idle);
    assert_eq!(desk.state(ids[0]), (OutboxState::Sent, 1));
    assert_eq!(desk.state(ids[1]), (OutboxState::Sent, 2));
    assert_eq!(desk.state(ids[2]), (OutboxState::Parked, 2));
    assert!(desk.said(ids[2]).contains("may have gone out twice"));
    assert_eq!(sink.mails().len(), 2);
}
