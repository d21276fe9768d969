//! What servers say, or do not say any more, and what becomes of the mail then (P-03, P-15, R-32).

use guichet::args;
use guichet::clock::Next;
use guichet::outbox::Outbox;
use guichet::store::Sql;
use guichet::store::outbox::OutboxState;

use crate::desk::{Desk, at, drain, impatient, relay};
use crate::support::sink::{Sink, SinkAnswer, SinkOptions, SinkRule};
use crate::support::wait_for;

fn sink(on: &'static str, times: usize, answer: SinkAnswer) -> Sink {
    let rules = vec![SinkRule { on, times, answer }];
    Sink::start(SinkOptions { rules, ..SinkOptions::default() })
}

#[test]
fn r_32_a_refusal_for_good_is_final_and_keeps_the_last_words() {
    for on in ["MAIL FROM:", "RCPT TO:", "DATA", "."] {
        let sink = sink(on, 99, SinkAnswer::Say("554 5.7.1 not\u{1b}[2J from you"));
        let desk = Desk::new(relay(sink.port()));
        let id = desk.queue("claire@customer.example");
        assert_eq!(drain(&desk.outbox()), Next::Idle, "{on}");
        assert_eq!(desk.state(id), (OutboxState::Failed, 1), "{on}");
        assert_eq!(desk.said(id), "554 5.7.1 not[2J from you");
        assert!(sink.mails().is_empty());
    }
}

#[test]
fn p_15_a_refusal_for_now_is_tried_again_as_planned_and_then_parked() {
    for on in ["MAIL FROM:", "RCPT TO:", "DATA", "."] {
        let sink = sink(on, 99, SinkAnswer::Say("451 4.3.0 not now"));
        let desk = Desk::new(relay(sink.port()));
        let id = desk.queue("claire@customer.example");
        let outbox = desk.outbox();
        assert_eq!(drain(&outbox), Next::At(at(60)), "{on}");
        assert_eq!(
            (desk.state(id), desk.said(id).as_str()),
            ((OutboxState::Queued, 1), "451 4.3.0 not now")
        );
        desk.clock.set(at(60));
        assert_eq!(drain(&outbox), Next::At(at(360)));
        desk.clock.set(at(360));
        assert_eq!(drain(&outbox), Next::Idle);
        assert_eq!(desk.state(id), (OutboxState::Parked, 3));
        assert_eq!(desk.said(id), "given up after 3 attempts: 451 4.3.0 not now");
        assert!(outbox.unreached().is_empty(), "the relay itself is there");
    }
}

#[test]
fn a_connection_lost_before_the_end_of_the_mail_is_no_doubt() {
    for (on, answer) in [
        ("RCPT TO:", SinkAnswer::Drop),
        ("RCPT TO:", SinkAnswer::SayAndDrop("421 4.3.2 going down")),
        ("DATA", SinkAnswer::Drop),
        ("RCPT TO:", SinkAnswer::Say("this is not what servers say")),
    ] {
        let sink = sink(on, 1, answer);
        let desk = Desk::new(relay(sink.port()));
        let id = desk.queue("claire@customer.example");
        let outbox = desk.outbox();
        assert_eq!(drain(&outbox), Next::At(at(60)), "{on} {answer:?}");
        assert_eq!(desk.state(id), (OutboxState::Queued, 1));
        desk.clock.set(at(60));
        assert_eq!(drain(&outbox), Next::Idle);
        assert_eq!(desk.state(id), (OutboxState::Sent, 2));
        assert_eq!(sink.mails().len(), 1);
    }
}

#[test]
fn p_03_a_mail_whose_end_nobody_knows_goes_out_at_most_twice_under_one_id() {
    let sink = sink(".", 99, SinkAnswer::TakeAndDrop);
    let desk = Desk::new(relay(sink.port()));
    let id = desk.queue("claire@customer.example");
    let outbox = desk.outbox();
    assert_eq!(drain(&outbox), Next::At(at(60)));
    desk.clock.set(at(60));
    assert_eq!(drain(&outbox), Next::Idle);
    assert_eq!(desk.state(id), (OutboxState::Parked, 2));
    let mails = sink.mails();
    assert_eq!(mails.len(), 2);
    let name = desk.entry(id).message_id;
    for mail in &mails {
        assert!(String::from_utf8_lossy(&mail.raw).contains(&format!("<{name}>")));
    }
    drain(&desk.outbox());
    assert_eq!(sink.mails().len(), 2, "nor after a new start");
}

/// A mail that may have gone out once.
fn doubtful(desk: &Desk) -> i64 {
    let id = desk.queue("claire@customer.example");
    desk.run("UPDATE outbox SET attempts = 1, unsure = 1");
    id
}

fn unsure(desk: &Desk) -> i64 {
    let unsure = |sql: &mut dyn Sql| sql.query("SELECT unsure FROM outbox", args![])?[0].int(0);
    desk.store.read_only(unsure).expect("it is there")
}

/// Steps until the doubtful mail is claimed: it is offered by the next step.
fn step_until_claimed(desk: &Desk, outbox: &Outbox, id: i64) {
    while desk.state(id).0 != OutboxState::Sending {
        assert_eq!(outbox.step().expect("a step succeeds"), Next::Now);
    }
}

#[test]
fn p_04_what_befalls_a_doubtful_mail_before_its_end_adds_no_doubt() {
    for (on, answer) in [
        ("RCPT TO:", SinkAnswer::Say("451 4.3.0 not now")),
        ("RCPT TO:", SinkAnswer::Drop),
        ("DATA", SinkAnswer::Say("451 4.3.0 not now")),
        ("DATA", SinkAnswer::Drop),
    ] {
        let sink = sink(on, 1, answer);
        let desk = Desk::new(relay(sink.port()));
        let id = doubtful(&desk);
        let outbox = desk.outbox();
        assert_eq!(drain(&outbox), Next::At(at(300)), "{on} {answer:?}: its second attempt");
        assert_eq!((desk.state(id), unsure(&desk)), ((OutboxState::Queued, 2), 1), "{on}");
        desk.clock.set(at(300));
        assert_eq!(drain(&outbox), Next::Idle);
        assert_eq!((desk.state(id), sink.mails().len()), ((OutboxState::Sent, 3), 1), "{on}");
    }
    let sink = sink("DATA", 1, SinkAnswer::Say("554 5.7.1 not from you"));
    let desk = Desk::new(relay(sink.port()));
    let id = doubtful(&desk);
    assert_eq!(drain(&desk.outbox()), Next::Idle);
    assert_eq!((desk.state(id), unsure(&desk)), ((OutboxState::Failed, 2), 1));
}

#[test]
fn p_10_a_doubtful_mail_that_became_anothers_while_it_was_offered_is_not_ended() {
    let sink = Sink::start(SinkOptions::default());
    let desk = Desk::new(relay(sink.port()));
    let id = doubtful(&desk);
    let outbox = desk.outbox();
    step_until_claimed(&desk, &outbox, id);
    desk.run("UPDATE outbox SET fence = fence + 1");
    drain(&outbox);
    assert!(sink.heard().iter().any(|line| line == "DATA"), "it was offered");
    assert_eq!((desk.state(id), unsure(&desk)), ((OutboxState::Sending, 1), 1));
    drop(outbox);
    assert!(sink.mails().is_empty());
}

#[test]
fn p_14_a_doubtful_mail_that_is_offered_at_the_stop_is_handed_back() {
    let sink = Sink::start(SinkOptions::default());
    let desk = Desk::new(relay(sink.port()));
    let id = doubtful(&desk);
    let outbox = desk.outbox();
    step_until_claimed(&desk, &outbox, id);
    assert_eq!(outbox.step().expect("a step succeeds"), Next::Now);
    wait_for("the offer", 20, || sink.heard().iter().any(|line| line == "DATA"));
    drop(outbox);
    assert_eq!((desk.state(id), unsure(&desk)), ((OutboxState::Queued, 1), 1));
    assert!(sink.mails().is_empty());
    assert_eq!(drain(&desk.outbox()), Next::Idle);
    assert_eq!((desk.state(id), sink.mails().len()), ((OutboxState::Sent, 2), 1));
}

#[test]
fn p_03_an_answer_after_a_doubt_settles_it() {
    let sink = sink(".", 1, SinkAnswer::TakeAndDrop);
    let desk = Desk::new(relay(sink.port()));
    let id = desk.queue("claire@customer.example");
    let outbox = desk.outbox();
    drain(&outbox);
    desk.clock.set(at(60));
    drain(&outbox);
    assert_eq!((desk.state(id), sink.mails().len()), ((OutboxState::Sent, 2), 2));
}

#[test]
fn a_server_that_says_nothing_any_more_is_left() {
    // At the end of the mail nobody knows; before it nothing has left.
    for (on, times) in [("RCPT TO:", 1), (".", 1)] {
        let sink = sink(on, times, SinkAnswer::Stall);
        let desk = Desk::new(impatient(relay(sink.port())));
        let id = desk.queue("claire@customer.example");
        let outbox = desk.outbox();
        assert_eq!(drain(&outbox), Next::At(at(60)), "{on}");
        assert!(desk.said(id).contains("did not answer within"), "{}", desk.said(id));
        assert!(!desk.said(id).contains('\n'), "one line: {}", desk.said(id));
        assert_eq!(unsure(&desk), i64::from(on == "."));
    }
}

#[test]
fn a_connection_that_was_closed_while_it_rested_costs_no_attempt() {
    for answer in [SinkAnswer::Drop, SinkAnswer::SayAndDrop("421 4.4.2 you were silent too long")] {
        let sink = sink("MAIL FROM:", 1, answer);
        let desk = Desk::new(relay(sink.port()));
        let id = desk.queue("claire@customer.example");
        assert_eq!(drain(&desk.outbox()), Next::Idle, "{answer:?}");
        assert_eq!(desk.state(id), (OutboxState::Sent, 1));
    }
}

#[test]
fn answers_of_many_lines_and_odd_bytes_are_read() {
    let sink = sink(".", 1, SinkAnswer::Say("250-2.0.0 taken\r\n250-gl\u{fc}cklich\r\n250 ok"));
    let desk = Desk::new(relay(sink.port()));
    let id = desk.queue("claire@customer.example");
    drain(&desk.outbox());
    assert_eq!(desk.said(id), "250 2.0.0 taken glücklich ok");
}
