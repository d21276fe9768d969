//! Relays that answer what makes no sense, at the wrong time, too late or without an end: a mail
//! counts as taken only for a yes that is an answer to it (P-03, P-15, T-14, T-42).

use guichet::clock::Next;
use guichet::store::outbox::OutboxState;

use crate::desk::{Desk, at, drain, impatient, relay};
use crate::support::sink::{Sink, SinkAnswer, SinkOptions, SinkRule};

fn sink(rules: Vec<SinkRule>) -> Sink {
    Sink::start(SinkOptions { rules, ..SinkOptions::default() })
}

fn once(on: &'static str, answer: SinkAnswer) -> SinkRule {
    SinkRule { on, times: 1, answer }
}

// Sends one mail until it is decided; answers its state and how often it arrived.
fn sent(sink: &Sink) -> (OutboxState, usize) {
    let desk = Desk::new(impatient(relay(sink.port())));
    let id = desk.queue("claire@customer.example");
    let outbox = desk.outbox();
    for minute in 1..40 {
        if drain(&outbox) == Next::Idle {
            return (desk.state(id).0, sink.mails().len());
        }
        assert_ne!(desk.state(id).0, OutboxState::Sent);
        desk.clock.set(at(60 * minute));
    }
    panic!("it is never decided: {}", desk.said(id));
}

#[test]
fn p_15_every_wrong_answer_at_every_step_is_made_good() {
    let answers = [
        "199 hold on",
        "220 hello again",
        "334 who are you",
        "354 go on",
        "421 4.3.2 going down",
        "450 4.2.0 not now",
        "999 what",
        "25",
        "",
        "\u{0}\u{1b}\u{7f}",
        "* OK IMAP4rev1 ready",
        "250-2.0.0 there is more\r\n452 4.2.2 but no room",
        "grüß gott",
    ];
    for on in ["", "EHLO", "MAIL FROM:", "RCPT TO:", "DATA", "."] {
        for answer in answers {
            let is_yes = matches!(
                (on, answer),
                ("" | "MAIL FROM:" | "RCPT TO:", "220 hello again") | ("DATA", "354 go on")
            );
            let sink = sink(vec![once(on, SinkAnswer::Say(answer))]);
            let (state, arrived) = sent(&sink);
            // A step that nobody took leads to a refusal of the next one, which is final at most.
            assert!(
                state == OutboxState::Sent || is_yes && state == OutboxState::Failed,
                "{on} {answer:?}: {state:?}"
            );
            assert!(arrived <= 1, "{on} {answer:?}: it arrived {arrived} times");
            // 220 to the whole mail is a yes, and the sink did not keep it.
            let is_believed = (on, answer) == (".", "220 hello again");
            assert_eq!(arrived, usize::from(state == OutboxState::Sent && !is_believed), "{on}");
        }
    }
}

#[test]
fn p_03_neither_yes_nor_no_to_a_whole_mail_is_a_doubt() {
    let sink = sink(vec![SinkRule { on: ".", times: 99, answer: SinkAnswer::Say("354 go on") }]);
    let desk = Desk::new(relay(sink.port()));
    let id = desk.queue("claire@customer.example");
    let outbox = desk.outbox();
    assert_eq!(drain(&outbox), Next::At(at(60)));
    desk.clock.set(at(60));
    assert_eq!(drain(&outbox), Next::Idle);
    assert_eq!(desk.state(id), (OutboxState::Parked, 2), "twice is as often as it may go out");
    assert_eq!(sink.heard().iter().filter(|line| *line == "DATA").count(), 2);
}

#[test]
fn p_03_an_answer_that_came_before_its_question_is_not_believed() {
    // Each of these says yes in advance, to what is refused when its time comes.
    for (on, answer) in [
        ("MAIL FROM:", "250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go on\r\n250 2.0.0 taken"),
        ("RCPT TO:", "250 2.1.5 ok\r\n354 go on\r\n250 2.0.0 taken"),
        ("DATA", "354 go on\r\n250 2.0.0 taken"),
        ("EHLO", "250 sink.example\r\n250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go on\r\n250 taken"),
    ] {
        let refuse = once(".", SinkAnswer::Say("452 4.2.2 no room"));
        let sink = sink(vec![once(on, SinkAnswer::Say(answer)), refuse]);
        let (state, arrived) = sent(&sink);
        assert_eq!((state, arrived), (OutboxState::Sent, 1), "{on}: a mail is lost");
    }
}

#[test]
fn r_32_a_no_in_the_middle_of_a_mail_is_its_answer() {
    let early = SinkAnswer::Say("354 go on\r\n552 5.3.4 too large");
    let sink = sink(vec![SinkRule { on: "DATA", times: 9, answer: early }]);
    let (state, arrived) = sent(&sink);
    assert_eq!((state, arrived), (OutboxState::Failed, 0));
}

#[test]
fn p_03_a_yes_that_comes_too_late_is_said_to_nobody() {
    let sink = sink(vec![once(".", SinkAnswer::SayLate("250 2.0.0 taken after all"))]);
    let desk = Desk::new(impatient(relay(sink.port())));
    let (late, next) = (desk.queue("claire@customer.example"), desk.queue("dora@customer.example"));
    let outbox = desk.outbox();
    drain(&outbox);
    desk.clock.set(at(60));
    assert_eq!(drain(&outbox), Next::Idle);
    for id in [late, next] {
        assert_eq!(desk.state(id).0, OutboxState::Sent);
        assert!(!desk.said(id).contains("after all"), "{}", desk.said(id));
    }
    assert_eq!(sink.mails().len(), 3, "one of them twice, under one id");
}

#[test]
fn t_44_replies_without_an_end_are_left_and_fill_no_memory() {
    let line: &'static str = Box::leak("2".repeat(4 << 20).into_boxed_str());
    let lines: &'static str = Box::leak("250-more\r\n".repeat(100_000).into_boxed_str());
    for answer in [line, lines, "250-the first of many"] {
        for on in ["", "EHLO", "RCPT TO:", "."] {
            let sink = sink(vec![once(on, SinkAnswer::Say(answer))]);
            let desk = Desk::new(impatient(relay(sink.port())));
            let id = desk.queue("claire@customer.example");
            let outbox = desk.outbox();
            assert_eq!(drain(&outbox), Next::At(at(60)), "{on}");
            let said = desk.said(id);
            let is_named = ["line without", "more lines than", "did not answer", "broke off"];
            assert!(is_named.iter().any(|words| said.contains(words)), "{on}: {said}");
            assert!(said.len() < 700, "{on}: {} bytes are kept", said.len());
            desk.clock.set(at(60));
            assert_eq!(drain(&outbox), Next::Idle, "{on}");
            assert_eq!((desk.state(id).0, sink.mails().len()), (OutboxState::Sent, 1), "{on}");
        }
    }
}
