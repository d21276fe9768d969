//! Signed ids through the real binary: mail of ours goes to a maildir, and what people make of it
//! comes back. Takes about ten seconds.

mod support;

use guichet::mail;
use serde_json::Value;
use support::{Desk, wait_for};

const CLAIRE: &str = "claire.johnson@contoso.example";

/// A first contact, and what guichet answered.
fn contact(desk: &Desk, name: &str) -> Vec<u8> {
    let before = desk.sent().len();
    deliver(desk, name, CLAIRE, &[], "It stops after each page.");
    desk.ok(&["run", "--once"]);
    let sent = desk.sent();
    assert!(sent.len() > before, "the ticket is acknowledged");
    let about = format!("<{name}@contoso.example>");
    sent.into_iter()
        .find(|mail| String::from_utf8_lossy(mail).contains(&about))
        .expect("the acknowledgement names what it answers")
}

fn deliver(desk: &Desk, name: &str, from: &str, fields: &[String], text: &str) {
    let now = std::process::Command::new("date").arg("+%s").output().expect("date runs").stdout;
    let now = String::from_utf8(now).expect("digits").trim().to_owned();
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let raw = format!(
        "From: {from}\r\nTo: support@helpdesk.example\r\nSubject: Printer {name}\r\n\
         Message-ID: <{name}@contoso.example>\r\n{fields}\r\n{text}\r\n"
    );
    desk.deliver(&format!("{now}.M1P1.{name}"), raw.as_bytes());
}

/// The fields of a mail program that answers `mail`.
fn answering(mail: &[u8]) -> Vec<String> {
    let read = mail::read(mail).expect("our mail can be read");
    let id = read.message_id.as_str();
    let older: Vec<String> = read.references.iter().map(|id| format!("<{id}>")).collect();
    vec![format!("In-Reply-To: <{id}>"), format!("References: {} <{id}>", older.join(" "))]
}

fn quoted(mail: &[u8]) -> String {
    let text = mail::read(mail).expect("our mail can be read").text;
    let quoted: String = text.lines().map(|line| format!("> {line}\r\n")).collect();
    format!(
        "It works now, thank you.\r\n\r\nOn Monday, 5 January 2026 at 12:00, Example IT wrote:\r\n{quoted}"
    )
}

/// How the message of this name ended: its reason, its evidence, its flags but that it has no Date.
fn decided(desk: &Desk, name: &str) -> (String, Option<String>, Vec<Value>) {
    let told = desk.json(&["explain", &format!("{name}@contoso.example")]);
    (
        told["reason"].as_str().expect("a reason").to_owned(),
        told["ticket"]["matched_by"].as_str().map(str::to_owned),
        told["message"]["flags"]
            .as_array()
            .expect("flags")
            .iter()
            .filter(|flag| *flag != "date_repaired")
            .cloned()
            .collect(),
    )
}

fn by(matched_by: &str) -> (String, Option<String>, Vec<Value>) {
    ("reply_added".to_owned(), Some(matched_by.to_owned()), Vec::new())
}

#[test]
fn e_111_e_113_an_answer_finds_its_ticket_by_whatever_mark_is_left() {
    let desk = Desk::new("");
    let ours = contact(&desk, "first");
    deliver(&desk, "by-id", CLAIRE, &answering(&ours), &quoted(&ours));
    // The relay gave our mail another id: the anchor is left, then the token alone.
    let read = mail::read(&ours).expect("our mail can be read");
    let anchor = read.references.first().expect("the anchor");
    let renamed = vec![
        "In-Reply-To: <0102018f@relay.example>".to_owned(),
        format!("References: <{anchor}> <0102018f@relay.example>"),
    ];
    deliver(&desk, "by-anchor", CLAIRE, &renamed, "Thank you.");
    deliver(&desk, "by-token", CLAIRE, &[], &quoted(&ours));
    desk.ok(&["run", "--once"]);
    assert_eq!(decided(&desk, "by-id"), by("message_id"));
    assert_eq!(decided(&desk, "by-anchor"), by("message_id"));
    assert_eq!(decided(&desk, "by-token"), by("body_token"));
    let shown = desk.json(&["explain", "by-id@contoso.example"]);
    assert_eq!(shown["message"]["reply"], "It works now, thank you.");
    assert_eq!(desk.lines(&["tickets", "list"]).len(), 1);
    desk.audit();
}

#[test]
fn t_02_t_06_e_105_a_stranger_or_a_forger_touches_no_ticket() {
    let desk = Desk::new("");
    let ours = contact(&desk, "first");
    let id = mail::read(&ours).expect("our mail can be read").message_id.to_string();
    let at = id.find('@').expect("an @") - 4;
    let other = if &id[at..=at] == "a" { "b" } else { "a" };
    let wrong = format!("{}{other}{}", &id[..at], &id[at + 1..]);
    deliver(&desk, "stranger", "eve@evil.example", &answering(&ours), "Send it to me.");
    let longer = id.replace("@", "x@");
    deliver(&desk, "longer", CLAIRE, &[format!("In-Reply-To: <{longer}>")], "x");
    deliver(&desk, "wrong", CLAIRE, &[format!("In-Reply-To: <{wrong}>")], "x");
    desk.ok(&["run", "--once"]);
    assert_eq!(decided(&desk, "stranger").0, "follow_up_linked");
    assert_eq!(decided(&desk, "longer").0, "ticket_created");
    assert_eq!(
        decided(&desk, "wrong"),
        ("ticket_created".to_owned(), None, vec!["forged_id".into()])
    );
    let first = desk.json(&["tickets", "show", "1"]);
    assert_eq!(first["messages"].as_array().expect("messages").len(), 1);
    desk.audit();
}

#[test]
fn m_73_a_new_key_signs_at_once_and_the_old_one_still_verifies() {
    let desk = Desk::new("");
    let before = contact(&desk, "first");
    let keys = desk.lines(&["keys", "list"]);
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["part"], "signs");
    let names: Vec<&String> = keys[0].as_object().expect("an object").keys().collect();
    assert_eq!(names, ["id", "made_at", "part"], "never the key itself");

    let daemon = desk.start();
    let rotated = desk.json(&["keys", "rotate"]);
    assert_ne!(rotated["id"], keys[0]["id"]);
    let parts: Vec<Value> =
        desk.lines(&["keys", "list"]).iter().map(|key| key["part"].clone()).collect();
    assert_eq!(parts, ["signs", "verifies"]);

    // The daemon, which began with the old key, signs by the new one and knows both.
    deliver(&desk, "second", CLAIRE, &[], "And the scanner.");
    let mark = format!("Message-ID: <g1{}.2.", rotated["id"].as_str().expect("a name"));
    let second =
        || desk.sent().into_iter().find(|mail| String::from_utf8_lossy(mail).contains(&mark));
    wait_for("an acknowledgement by the new key", 20, || second().is_some());
    let after = second().expect("it was found");
    deliver(&desk, "to-old", CLAIRE, &answering(&before), "x");
    deliver(&desk, "to-new", CLAIRE, &answering(&after), "x");
    wait_for("the answers", 20, || {
        desk.lines(&["log", "--limit", "10"])
            .iter()
            .filter(|row| row["reason"] == "reply_added")
            .count()
            == 2
    });
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(decided(&desk, "to-old"), by("message_id"));
    assert_eq!(decided(&desk, "to-new"), by("message_id"));
    desk.audit();
}

#[test]
fn e_139_our_own_mail_coming_back_is_a_loop() {
    let desk = Desk::new("");
    let ours = contact(&desk, "first");
    let back = String::from_utf8(ours)
        .expect("our mail is ASCII")
        .replace("From: support@helpdesk.example", "From: boss@contoso.example");
    let back = back.replacen("Message-ID: <g1", "Message-ID: <renamed", 1);
    desk.deliver("1800000000.M2P2.back", back.as_bytes());
    desk.ok(&["run", "--once"]);
    let last = &desk.lines(&["log", "--limit", "1"])[0];
    assert_eq!(last["reason"], "loop_detected", "{last:#}");
}
