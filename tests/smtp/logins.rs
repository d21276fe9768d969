//! Who may send.

use guichet::clock::Next;
use guichet::store::outbox::OutboxState;

use crate::desk::{Desk, PASSWORD, USER, at, drain, relay, with_login};
use crate::support::sink::{Sink, SinkOptions};

fn sink(mechanisms: &'static str) -> Sink {
    Sink::start(SinkOptions { login: Some((mechanisms, USER, PASSWORD)), ..SinkOptions::default() })
}

#[test]
fn a_login_is_by_what_the_server_offers() {
    for (mechanisms, asked) in
        [("PLAIN LOGIN", "AUTH PLAIN "), ("XOAUTH2 PLAIN", "AUTH PLAIN "), ("LOGIN", "AUTH LOGIN")]
    {
        let sink = sink(mechanisms);
        let desk = Desk::new(with_login(relay(sink.port()), PASSWORD));
        let id = desk.queue("claire@customer.example");
        assert_eq!(drain(&desk.outbox()), Next::Idle);
        assert_eq!(desk.state(id), (OutboxState::Sent, 1));
        assert_eq!(sink.mails()[0].login.as_deref(), Some(USER));
        assert!(sink.heard().iter().any(|line| line.starts_with(asked)), "{:?}", sink.heard());
    }
}

#[test]
fn a_refused_login_costs_no_mail_an_attempt_and_is_not_tried_too_often() {
    let sink = sink("PLAIN");
    let desk = Desk::new(with_login(relay(sink.port()), "wrong"));
    let ids = desk.queue_many(20);
    let outbox = desk.outbox();
    for minute in [0, 5] {
        desk.clock.set(at(minute * 60));
        assert_eq!(drain(&outbox), Next::At(at(minute * 60 + 300)));
    }
    let logins = sink.heard().iter().filter(|line| line.starts_with("AUTH")).count();
    assert_eq!(logins, 2, "P-21: nobody's account is locked by us");
    let why = outbox.unreached()[0].why.clone();
    assert!(why.contains("refuses the login of `support@helpdesk.example`: 535 5.7.8"), "{why}");
    assert!(why.contains("\nhint: ") && !why.contains("wrong"), "{why}");
    for id in ids {
        assert_eq!(desk.state(id), (OutboxState::Queued, 0));
    }
}

#[test]
fn a_server_that_offers_no_login_of_ours_is_named() {
    for (mechanisms, offered) in [("XOAUTH2 CRAM-MD5", "XOAUTH2, CRAM-MD5"), ("", "none")] {
        let sink = sink(mechanisms);
        let desk = Desk::new(with_login(relay(sink.port()), PASSWORD));
        desk.queue("claire@customer.example");
        let outbox = desk.outbox();
        drain(&outbox);
        let why = outbox.unreached()[0].why.clone();
        assert!(why.contains(&format!("it offers {offered}\n")), "{why}");
        assert!(!sink.heard().iter().any(|line| line.starts_with("AUTH")));
    }
}

#[test]
fn a_server_that_wants_a_login_we_do_not_have_costs_no_mail_an_attempt() {
    let sink = sink("PLAIN");
    let desk = Desk::new(relay(sink.port()));
    let ids = desk.queue_many(30);
    let outbox = desk.outbox();
    assert_eq!(drain(&outbox), Next::At(at(60)));
    let why = outbox.unreached()[0].why.clone();
    assert!(why.contains("530 5.7.0 log in first\nhint: it wants a login"), "{why}");
    for id in ids {
        assert_eq!(desk.state(id), (OutboxState::Queued, 0));
    }
}
