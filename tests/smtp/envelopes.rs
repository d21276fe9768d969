//! What is said before a mail, and the mail itself to the byte.

use guichet::clock::Next;
use guichet::outbox::{Relay, RenderedMail, Response};
use guichet::store::outbox::OutboxState;

use crate::desk::{Desk, USER, at, drain, relay};
use crate::support::sink::{Received, Sink, SinkAnswer, SinkOptions, SinkRule};

fn sink(extensions: &[&'static str]) -> Sink {
    Sink::start(SinkOptions { extensions: extensions.to_vec(), ..SinkOptions::default() })
}

fn mail(bytes: &[u8]) -> RenderedMail {
    RenderedMail {
        outbox: 7,
        mailbox: "support".to_owned(),
        queued_at: at(0),
        attempts: 0,
        message_id: "a.7@helpdesk.example".to_owned(),
        envelope_from: Some("support+b1a-7-x@helpdesk.example".to_owned()),
        to: "claire@customer.example".to_owned(),
        bytes: bytes.to_vec(),
    }
}

/// Sends one mail now, as `mailbox test --send-to` does.
fn send_now(sink: &Sink, mail: &RenderedMail) -> (Response, Received) {
    let relay = Relay::new(relay(sink.port()), USER);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let sent = runtime.expect("a runtime").block_on(relay.send(mail));
    (sent.expect("it is taken"), sink.mails().pop().expect("it is there"))
}

#[test]
fn r_11_reports_are_asked_for_where_they_are_offered() {
    let offering = sink(&["DSN"]);
    let (_, received) = send_now(&offering, &mail(b"Subject: x\r\n\r\nx\r\n"));
    let from = "<support+b1a-7-x@helpdesk.example> RET=HDRS ENVID=a.7@helpdesk.example";
    assert_eq!(received.from, from);
    assert_eq!(received.to, ["<claire@customer.example> NOTIFY=FAILURE"]);

    let desk = Desk::new(relay(offering.port()));
    desk.queue("claire@customer.example");
    drain(&desk.outbox());
    let received = offering.mails().pop().expect("it is there");
    assert!(received.from.starts_with("<> RET=HDRS ENVID="), "{}", received.from);
    assert_eq!(received.to, ["<claire@customer.example> NOTIFY=NEVER"]);

    let silent = sink(&[]);
    let (_, received) = send_now(&silent, &mail(b"Subject: x\r\n\r\nx\r\n"));
    assert_eq!(received.from, "<support+b1a-7-x@helpdesk.example>");
    assert_eq!(received.to, ["<claire@customer.example>"]);
}

#[test]
fn e_76_r_31_an_address_beyond_ascii_goes_by_smtputf8_or_is_parked_with_the_reason() {
    let able = sink(&["SMTPUTF8", "8BITMIME"]);
    let desk = Desk::new(relay(able.port()));
    let id = desk.queue("claire@customer.example");
    desk.run("UPDATE outbox SET to_address = 'zoé@customer.example'");
    assert_eq!(drain(&desk.outbox()), Next::Idle);
    assert_eq!(desk.state(id), (OutboxState::Sent, 1));
    let received = able.mails().pop().expect("it is there");
    assert_eq!(received.from, "<> SMTPUTF8 BODY=8BITMIME");
    assert_eq!(received.to, ["<zoé@customer.example>"]);
    assert!(String::from_utf8_lossy(&received.raw).contains("To: zoé@customer.example\r\n"));

    let unable = sink(&["8BITMIME"]);
    let desk = Desk::new(relay(unable.port()));
    let plain = desk.queue("claire@customer.example");
    let foreign = desk.queue("zoe@customer.example");
    desk.run("UPDATE outbox SET to_address = 'zoé@customer.example' WHERE id = 2");
    assert_eq!(drain(&desk.outbox()), Next::Idle);
    assert_eq!(desk.state(plain).0, OutboxState::Sent);
    assert_eq!(desk.state(foreign).0, OutboxState::Parked);
    let said = desk.said(foreign);
    assert!(said.contains("`zoé@customer.example` needs SMTPUTF8, which `localhost`"), "{said}");
}

#[test]
fn t_14_no_byte_of_a_mail_ends_it() {
    let sink = sink(&[]);
    let tricks = b"Subject: x\r\n\r\n.\r\n..\r\n.MAIL FROM:<x@y.example>\r\n\n.\r\n\r.\r\n\
                   \n.\nQUIT\r\n.\r\nRCPT TO:<a@b.example>\r\nDATA\r\n.";
    let (_, received) = send_now(&sink, &mail(tricks));
    let mut whole = tricks.to_vec();
    whole.extend_from_slice(b"\r\n");
    assert_eq!(received.raw, whole, "to the byte, with the line end it lacked");
    assert_eq!(sink.mails().len(), 1);
    let commands: Vec<String> =
        sink.heard().iter().map(|line| line.chars().take(4).collect()).collect();
    assert_eq!(commands, ["EHLO", "MAIL", "RCPT", "DATA"]);

    let ordinary = b"Subject: x\r\n\r\nhello\r\n";
    let (_, received) = send_now(&sink, &mail(ordinary));
    assert_eq!(received.raw, ordinary);
}

#[test]
fn m_82_the_id_that_a_relay_gives_is_kept() {
    let (response, _) = send_now(&sink(&[]), &mail(b"Subject: x\r\n\r\nx\r\n"));
    let Response::Taken { said, relay_id } = response else { panic!("{response:?}") };
    assert_eq!(said, "250 2.0.0 Ok: queued as SINK000000000001");
    assert_eq!(relay_id.as_deref(), Some("SINK000000000001"));

    let sink = sink(&[]);
    let desk = Desk::new(relay(sink.port()));
    desk.queue("claire@customer.example");
    drain(&desk.outbox());
    let kept = desk
        .store
        .read_only(|sql| sql.query("SELECT relay_id FROM outbox", guichet::args![])?[0].text(0));
    assert_eq!(kept.expect("it is there"), "SINK000000000001");
}

#[test]
fn r_32_one_bad_recipient_delays_nobody() {
    let refuse = SinkRule {
        on: "RCPT TO:<u7@",
        times: 99,
        answer: SinkAnswer::Say("550 5.1.1 no such user"),
    };
    let sink = Sink::start(SinkOptions { rules: vec![refuse], ..SinkOptions::default() });
    let desk = Desk::new(relay(sink.port()));
    let ids = desk.queue_many(40);
    assert_eq!(drain(&desk.outbox()), Next::Idle);
    for (n, id) in ids.into_iter().enumerate() {
        let expected = if n == 7 { OutboxState::Failed } else { OutboxState::Sent };
        assert_eq!(desk.state(id), (expected, 1), "u{n}");
    }
    assert_eq!(sink.mails().len(), 39);
    assert!(sink.connections() <= 2, "the connection stays: {}", sink.connections());
    assert_eq!(sink.heard().iter().filter(|line| *line == "RSET").count(), 1);
}
