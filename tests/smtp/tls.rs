//! Protected connections, and those that only look like it (T-42, T-43).

use guichet::clock::Next;
use guichet::net::Security;
use guichet::outbox::Relay;
use guichet::store::outbox::OutboxState;

use crate::desk::{Desk, PASSWORD, USER, at, drain, protected, with_login};
use crate::support::sink::{Sink, SinkAnswer, SinkOptions, SinkRule, SinkSecurity};
use crate::support::tls::Leaf;

fn sink(security: SinkSecurity, leaf: Leaf) -> Sink {
    let login = Some(("PLAIN LOGIN", USER, PASSWORD));
    Sink::start(SinkOptions { security, leaf, login, ..SinkOptions::default() })
}

#[test]
fn mail_leaves_protected_from_the_start_or_after_starttls() {
    for (theirs, ours) in
        [(SinkSecurity::Implicit, Security::Implicit), (SinkSecurity::Starttls, Security::Starttls)]
    {
        let sink = sink(theirs, Leaf::Good);
        let folder = tempfile::tempdir().expect("a folder");
        let relay = protected(sink.port(), ours, Desk::ca_file(&folder));
        let desk = Desk::new(with_login(relay, PASSWORD));
        let ids = desk.queue_many(5);
        assert_eq!(drain(&desk.outbox()), Next::Idle);
        let mails = sink.mails();
        assert_eq!(mails.len(), 5);
        for mail in &mails {
            assert!(mail.is_protected && mail.login.as_deref() == Some(USER), "{theirs:?}");
        }
        for id in ids {
            assert_eq!(desk.state(id), (OutboxState::Sent, 1));
            assert!(desk.said(id).starts_with("250 2.0.0 Ok: queued as SINK"), "{}", desk.said(id));
        }
        assert!(sink.connections() <= 2, "{} connections", sink.connections());
        assert!(sink.heard().contains(&"EHLO helpdesk.example".to_owned()));
    }
}

#[test]
fn t_42_a_server_without_starttls_hears_no_password_and_no_mail() {
    let login = Some(("PLAIN LOGIN", USER, PASSWORD));
    let sink = Sink::start(SinkOptions { login, ..SinkOptions::default() });
    let folder = tempfile::tempdir().expect("a folder");
    let relay = protected(sink.port(), Security::Starttls, Desk::ca_file(&folder));
    let desk = Desk::new(with_login(relay, PASSWORD));
    let id = desk.queue("claire@customer.example");
    let outbox = desk.outbox();
    assert_eq!(drain(&outbox), Next::At(at(60)));
    assert_eq!(sink.heard(), ["EHLO helpdesk.example"]);
    assert_eq!(desk.state(id), (OutboxState::Queued, 0));
    let unreached = outbox.unreached();
    assert!(unreached[0].why.contains("offers no STARTTLS"), "{unreached:?}");
    assert!(desk.said(id).contains("offers no STARTTLS"), "people see why it waits");
}

#[test]
fn t_42_what_is_said_before_the_protection_ends_the_connection() {
    let inject = SinkRule {
        on: "STARTTLS",
        times: 99,
        answer: SinkAnswer::Say("220 go on\r\n250-sink.example\r\n250 AUTH PLAIN"),
    };
    let sink = Sink::start(SinkOptions {
        security: SinkSecurity::Starttls,
        rules: vec![inject],
        ..SinkOptions::default()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let relay = protected(sink.port(), Security::Starttls, Desk::ca_file(&folder));
    let desk = Desk::new(with_login(relay, PASSWORD));
    desk.queue("claire@customer.example");
    let outbox = desk.outbox();
    drain(&outbox);
    assert_eq!(sink.heard(), ["EHLO helpdesk.example", "STARTTLS"]);
    let why = &outbox.unreached()[0].why;
    assert!(why.contains("sent more than its answer"), "{why}");
}

#[test]
fn t_43_a_certificate_that_is_not_to_be_trusted_ends_the_connection() {
    for (leaf, words) in [
        (Leaf::Expired, "it has expired"),
        (Leaf::Foreign, "nobody this machine trusts has signed it"),
        (Leaf::SelfSigned, ""),
        (Leaf::WrongName, "it is for another name"),
    ] {
        for (theirs, ours) in [
            (SinkSecurity::Implicit, Security::Implicit),
            (SinkSecurity::Starttls, Security::Starttls),
        ] {
            let sink = sink(theirs, leaf);
            let folder = tempfile::tempdir().expect("a folder");
            let relay = protected(sink.port(), ours, Desk::ca_file(&folder));
            let desk = Desk::new(with_login(relay, PASSWORD));
            let id = desk.queue("claire@customer.example");
            let outbox = desk.outbox();
            drain(&outbox);
            let unreached = outbox.unreached();
            assert_eq!(unreached.len(), 1, "{leaf:?} was believed");
            let why = &unreached[0].why;
            assert!(why.contains("not to be trusted") && why.contains(words), "{leaf:?}: {why}");
            assert!(!sink.heard().iter().any(|line| line.starts_with("AUTH")), "{leaf:?}");
            assert_eq!(desk.state(id), (OutboxState::Queued, 0));
        }
    }
}

#[test]
fn trying_a_relay_out_tells_each_step() {
    let sink = sink(SinkSecurity::Starttls, Leaf::Good);
    let folder = tempfile::tempdir().expect("a folder");
    let options = protected(sink.port(), Security::Starttls, Desk::ca_file(&folder));
    let relay = Relay::new(with_login(options, PASSWORD), USER);
    let mut steps = Vec::new();
    let mut told = |step: &str, seen: &str| steps.push((step.to_owned(), seen.to_owned()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let tried = runtime.expect("a runtime").block_on(relay.try_out(&mut told));
    tried.expect("the relay is good");
    let names: Vec<&str> = steps.iter().map(|(step, _)| step.as_str()).collect();
    assert_eq!(names, ["DNS", "TCP", "greeting", "offers", "TLS", "offers", "login"]);
    let login = &steps[6].1;
    assert!(login.contains(USER) && login.contains("235 2.7.0 welcome"), "{login}");
    assert!(!steps.iter().any(|(_, seen)| seen.contains(PASSWORD)), "{steps:?}");
    assert!(sink.mails().is_empty());
}
