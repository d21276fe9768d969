//! The real binary: killed while it sends, turned away at the door, stopped in order.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::sink::{Sink, SinkAnswer, SinkOptions, SinkRule};
use crate::support::{Desk, message, wait_for};

const CONNECTIONS: usize = 4;

/// A desk whose mailbox is a maildir, and whose mail leaves by the sink.
fn desk(sink: &Sink, more: &str) -> Desk {
    let desk = Desk::new("");
    let text = format!(
        r#"state = "state"
[http]
listen = "127.0.0.1:0"
[portal]
url = "https://help.example.com"
[smtp]
transport = "smtp"
host = "127.0.0.1"
port = {port}
tls = "none"
rate = "off"
connections = {CONNECTIONS}
{more}
[[mailbox]]
name = "support"
provider = "maildir"
address = "support@helpdesk.example"
path = "mail"
start = "all"
[limits]
per_sender = "off"
per_domain = "off"
new_users = "off"
auto_mails_per_address = "off"
"#,
        port = sink.port(),
    );
    fs::write(desk.config(), text).expect("the configuration is written");
    desk
}

fn deliver(desk: &Desk, numbers: std::ops::Range<usize>) {
    // The time of a file just written: nothing else here may ask a clock.
    let file = fs::metadata(desk.config()).and_then(|file| file.modified()).expect("its time");
    let now = file.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    for n in numbers {
        let from = format!("u{n}@d{}.example", n % 9);
        let raw = message(&from, "Printer", &format!("k{n}@x"), "", "hello");
        desk.deliver(&format!("{now}.M{n:06}P1.kills"), &raw);
    }
}

fn outbox(desk: &Desk) -> Vec<Value> {
    desk.lines(&["outbox", "list", "--limit", "100000"])
}

/// How often each Message-ID arrived.
fn arrived(sink: &Sink) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::new();
    for mail in sink.mails() {
        let text = String::from_utf8_lossy(&mail.raw).into_owned();
        let id = text.split("\r\nMessage-ID: <").nth(1).and_then(|rest| rest.split('>').next());
        *ids.entry(id.expect("each mail has one").to_owned()).or_default() += 1;
    }
    ids
}

#[test]
fn p_03_killed_while_it_sends_each_mail_goes_out_at_most_twice_and_none_is_lost() {
    const MESSAGES: usize = 240;
    const KILLS: usize = 8;
    let sink = Sink::start(SinkOptions::default());
    let desk = desk(&sink, "");
    for kill in 0..KILLS {
        deliver(&desk, MESSAGES * kill / KILLS..MESSAGES * (kill + 1) / KILLS);
        let before = sink.mails().len();
        let daemon = desk.start();
        // In the middle of sending, a little later each time.
        let some = before + 3 + 2 * kill;
        wait_for("some mail to leave", 30, || sink.mails().len() >= some);
        daemon.kill();
    }
    desk.ok(&["run", "--once"]);
    let arrived = arrived(&sink);
    let (mut doubled, mut parked) = (0, 0);
    let mails = outbox(&desk);
    assert!(mails.len() >= MESSAGES, "{} mails", mails.len());
    for mail in &mails {
        let times = arrived.get(mail["message_id"].as_str().expect("an id")).copied().unwrap_or(0);
        assert!(times <= 2, "{mail} arrived {times} times");
        doubled += usize::from(times == 2);
        match mail["state"].as_str() {
            Some("sent") => assert!(times >= 1, "lost: {mail}"),
            // In hand at two kills: set aside in sight, nothing is done a third time.
            Some("parked") => parked += 1,
            _ => panic!("neither sent nor parked: {mail}"),
        }
    }
    println!("{} mails, {doubled} of them twice, {parked} parked, {KILLS} kills", mails.len());
    assert!(parked <= CONNECTIONS * KILLS, "{parked} parked");
    desk.audit();
}

#[test]
fn a_relay_that_is_away_is_named_once_and_again_when_it_is_back() {
    let away = SinkAnswer::SayAndDrop("421 4.3.2 come back later");
    let rules = vec![SinkRule { on: "", times: 4, answer: away }];
    let sink = Sink::start(SinkOptions { rules, ..SinkOptions::default() });
    let seconds = vec!["\"1s\""; 60].join(", ");
    let desk = desk(&sink, &format!("[outbox]\nretry = [{seconds}]"));
    deliver(&desk, 0..10);
    let output = desk.run(&["run", "--once"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("421 4.3.2 come back later") && said.contains("hint: "), "{said}");
    assert_eq!(sink.connections(), 1);

    let daemon = desk.start();
    wait_for("the mail to leave", 30, || outbox(&desk).iter().all(|mail| mail["state"] == "sent"));
    wait_for("the end of the outage", 20, || desk.log().contains("takes mail again"));
    assert_eq!(daemon.stop(), Some(0));
    for words in ["mail waits for its relay", "takes mail again"] {
        assert_eq!(
            desk.log().matches(words).count(),
            1,
            "three attempts, one line: {}",
            desk.log()
        );
    }
    for mail in outbox(&desk) {
        assert_eq!((mail["state"].as_str(), mail["attempts"].as_i64()), (Some("sent"), Some(1)));
    }
}

#[test]
fn a_daemon_told_to_stop_leaves_no_mail_in_doubt() {
    let slow =
        SinkRule { on: "RCPT TO:<u3@", times: 9, answer: SinkAnswer::Say("451 4.2.1 later") };
    let sink = Sink::start(SinkOptions { rules: vec![slow], ..SinkOptions::default() });
    let desk = desk(&sink, "");
    deliver(&desk, 0..120);
    let daemon = desk.start();
    wait_for("some mail to leave", 30, || sink.mails().len() >= 5);
    assert_eq!(daemon.stop(), Some(0));
    let sent = sink.mails().len();
    let mails = outbox(&desk);
    let count = |state: &str| mails.iter().filter(|mail| mail["state"] == state).count();
    assert_eq!(count("sent"), sent);
    assert_eq!(count("sent") + count("queued"), mails.len(), "nothing is left in hand");
    desk.ok(&["run", "--once"]);
    assert!(arrived(&sink).values().all(|times| *times == 1));
}
