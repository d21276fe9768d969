//! The whole way: a mailbox on Dovecot, guichet, a mail server that takes its answer, a person's
//! program that answers what it got, and the mailbox again. Takes about five seconds.

mod support;

use std::fs;

use guichet::mail::{self, InboundMessage};
use serde_json::Value;
use support::Desk;
use support::dovecot::Dovecot;
use support::sink::{Received, Sink, SinkOptions, SinkSecurity};

const CLAIRE: &str = "claire.johnson@contoso.example";

/// A desk between a mailbox and a mail server, both real.
struct Way {
    desk: Desk,
    dovecot: Dovecot,
    sink: Sink,
}

impl Way {
    /// `threading` is what the configuration says there.
    fn new(threading: &str) -> Way {
        let security = SinkSecurity::Starttls;
        let sink = Sink::start(SinkOptions { security, ..SinkOptions::default() });
        let (desk, dovecot) = (Desk::new(""), Dovecot::start());
        let way = Way { desk, dovecot, sink };
        way.configure(threading, "auto");
        way
    }

    fn configure(&self, threading: &str, envelope: &str) {
        let text = format!(
            "state = \"state\"\n[http]\nlisten = \"127.0.0.1:0\"\n[portal]\nurl = \"https://help.example.com\"\n[credentials]\n\
             send = false\n[threading]\n{threading}\n[smtp]\nhost = \"127.0.0.1\"\nport = {}\n\
             tls = \"starttls\"\nca_file = \"{}\"\nusername = \"\"\nrate = \"off\"\n\
             envelope = \"{envelope}\"\n[[mailbox]]\nstart = \"all\"\n{}",
            self.sink.port(),
            self.dovecot.ca_file().display(),
            self.dovecot.mailbox("support"),
        );
        fs::write(self.desk.config(), text).expect("the configuration is written");
    }

    fn deliver(&self, raw: &str) {
        self.dovecot.deliver("support", "INBOX", raw.as_bytes());
    }

    /// Claire writes; answers what she gets for it.
    fn contact(&self, name: &str) -> Received {
        let before = self.sink.mails().len();
        self.deliver(&written(name, CLAIRE, "support@helpdesk.example", "", "It smokes.\r\n"));
        self.desk.ok(&["run", "--once"]);
        let mails = self.sink.mails();
        assert_eq!(mails.len(), before + 1, "the ticket is acknowledged");
        mails.into_iter().next_back().expect("there is one")
    }

    /// Takes in what was delivered, and tells how the message of this name ended.
    fn decided(&self, name: &str) -> Value {
        self.desk.ok(&["run", "--once"]);
        self.desk.json(&["explain", &format!("{name}@contoso.example")])
    }

    /// It was added to the first ticket, by this evidence, and nothing else came of it.
    fn joined(&self, name: &str, matched_by: &str) {
        let mails = self.sink.mails().len();
        let told = self.decided(name);
        assert_eq!(told["reason"], "reply_added", "{told:#}");
        assert_eq!(told["ticket"]["matched_by"], matched_by);
        assert_eq!(told["ticket"]["number"], 1);
        assert_eq!(told["message"]["flags"].as_array().map(Vec::len), Some(0), "{told:#}");
        assert_eq!(self.desk.lines(&["tickets", "list"]).len(), 1);
        assert_eq!(self.sink.mails().len(), mails, "a reply is not acknowledged");
        self.desk.audit();
    }
}

fn written(name: &str, from: &str, to: &str, fields: &str, text: &str) -> String {
    let date = jiff::fmt::rfc2822::to_string(&now().to_zoned(jiff::tz::TimeZone::UTC));
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: Re: Printer\r\nDate: {}\r\n\
         Message-ID: <{name}@contoso.example>\r\n{fields}Content-Type: text/plain\r\n\r\n{text}",
        date.expect("it can be written")
    )
}

fn now() -> jiff::Timestamp {
    use guichet::clock::Clock;
    guichet::clock::SystemClock.now()
}

fn read(mail: &Received) -> InboundMessage {
    mail::read(&mail.raw).expect("our mail can be read")
}

/// Where a program sends an answer.
fn reply_to(mail: &InboundMessage) -> String {
    let to = mail.reply_to.first().or(mail.from.first()).expect("an address");
    to.address.clone()
}

fn quoting(mail: &InboundMessage) -> String {
    let quoted: String = mail.text.lines().map(|line| format!("> {line}\r\n")).collect();
    format!(
        "It works now, thank you.\r\n\r\nOn Mon, 5 Jan 2026 at 12:00, Support \
         <support@helpdesk.example> wrote:\r\n{quoted}"
    )
}

#[test]
fn an_answer_to_our_acknowledgement_finds_its_ticket() {
    let way = Way::new("");
    let got = way.contact("first");
    assert!(got.is_protected);
    let ours = read(&got);
    let older: String = ours.references.iter().map(|id| format!("<{id}> ")).collect();
    let id = &ours.message_id;
    let fields = format!("In-Reply-To: <{id}>\r\nReferences: {older}<{id}>\r\n");
    way.deliver(&written("answer", CLAIRE, &reply_to(&ours), &fields, &quoting(&ours)));
    way.joined("answer", "message_id");
    let told = way.desk.json(&["explain", "answer@contoso.example"]);
    assert_eq!(told["message"]["reply"], "It works now, thank you.");
}

#[test]
fn e_111_e_113_an_answer_finds_its_ticket_when_ids_are_lost_on_the_way() {
    let way = Way::new("reply_address = \"plus\"");
    let ours = read(&way.contact("first"));
    let lost = "In-Reply-To: <0102018f@relay.example>\r\nReferences: <0102018f@relay.example>\r\n";
    // Only the address is left.
    let to = reply_to(&ours);
    assert!(to.starts_with("support+r1"), "{to}");
    way.deliver(&written("by-address", CLAIRE, &to, lost, "It works now.\r\n"));
    way.joined("by-address", "reply_address");
    // Only the token is left.
    let desk = "support@helpdesk.example";
    way.deliver(&written("by-token", CLAIRE, desk, lost, &quoting(&ours)));
    way.joined("by-token", "body_token");
    // T-02: the marks of Claire's mail are of no use to another.
    let eve = "eve@evil.example";
    way.deliver(&written("stolen", eve, &to, "", &quoting(&ours)));
    let told = way.decided("stolen");
    assert_eq!(told["reason"], "follow_up_linked", "{told:#}");
    assert_eq!(told["ticket"]["linked_to"], 1);
}

#[test]
fn m_75_m_76_e_150_once_a_tagged_address_arrived_answers_and_bounces_come_to_tagged_addresses() {
    let way = Way::new("");
    let plain = way.contact("first");
    assert_eq!(reply_to(&read(&plain)), "support@helpdesk.example", "nothing is known yet");
    assert!(plain.from.starts_with("<>"), "{}", plain.from);
    way.configure("reply_address = \"plus\"", "auto");
    let tagged = read(&way.contact("second"));
    way.deliver(&written("third", CLAIRE, &reply_to(&tagged), "", "It works.\r\n"));
    way.decided("third");
    way.configure("", "auto");
    let known = way.contact("fourth");
    assert!(reply_to(&read(&known)).starts_with("support+r1"), "it was seen to arrive");
    let envelope = known.from.split(['<', '>']).nth(1).expect("an address");
    assert!(envelope.starts_with("support+b1"), "{envelope}");
    // A server far away says that she forwards to nobody any more.
    let report = format!(
        "From: postmaster@far.example\r\nTo: {envelope}\r\nSubject: failure\r\n\
         Message-ID: <report@contoso.example>\r\nDate: {}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nNo.\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; far.example\r\n\r\n\
         Final-Recipient: rfc822; elsewhere@far.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\
         \r\n--b--\r\n",
        jiff::fmt::rfc2822::to_string(&now().to_zoned(jiff::tz::TimeZone::UTC)).expect("a date")
    );
    way.deliver(&report);
    let told = way.decided("report");
    assert_eq!(told["reason"], "bounce_attached", "{told:#}");
    let failed = way.desk.lines(&["outbox", "list", "--state", "failed"]);
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["message_id"], read(&known).message_id.as_str());
    way.desk.audit();
}

#[test]
fn m_81_staff_hears_of_a_ticket_answers_by_mail_and_the_answer_reaches_its_requester() {
    let anna = "anna@helpdesk.example";
    let way = Way::new(
        "reply_address = \"plus\"\n[[agent]]\nname = \"Anna Weiss\"\n\
         email = \"anna@helpdesk.example\"\nsignature = \"Anna Weiss, Example IT\"",
    );
    way.deliver(&written("first", CLAIRE, "support@helpdesk.example", "", "It smokes.\r\n"));
    way.desk.ok(&["run", "--once"]);
    let to = |address: &str| {
        let mails = way.sink.mails().into_iter().map(|got| read(&got));
        mails.filter(|mail| mail.to.iter().any(|to| to.address == address)).collect::<Vec<_>>()
    };
    let notice = to(anna).pop().expect("she hears of it");
    assert!(notice.text.contains("It smokes."), "{}", notice.text);
    assert!(reply_to(&notice).starts_with("support+a1"), "{}", reply_to(&notice));
    let before = to(CLAIRE).len();
    let fields = format!("In-Reply-To: <{0}>\r\nReferences: <{0}>\r\n", notice.message_id);
    let text = quoting(&notice).replace("It works now, thank you.", "Switch it off and on again.");
    let answer = written("answer", anna, &reply_to(&notice), &fields, &text);
    way.deliver(&answer);
    let told = way.decided("answer");
    assert_eq!(told["reason"], "reply_added", "{told:#}");
    assert_eq!(told["ticket"]["matched_by"], "agent_address");
    let got = to(CLAIRE);
    assert_eq!(got.len(), before + 1);
    let got = got.last().expect("one more");
    assert!(got.text.starts_with("Switch it off and on again."), "{}", got.text);
    assert!(
        got.text.contains("Anna Weiss, Example IT") && !got.text.contains("> "),
        "{}",
        got.text
    );
    assert_eq!(got.in_reply_to[0].as_str(), "first@contoso.example");
    // P-02: the same mail comes once more, as copies do.
    way.deliver(&answer);
    way.desk.ok(&["run", "--once"]);
    assert_eq!(to(CLAIRE).len(), before + 1);
    // And back: Claire answers Anna's answer, and Anna hears of it.
    let fields = format!("In-Reply-To: <{}>\r\n", got.message_id);
    way.deliver(&written("thanks", CLAIRE, &reply_to(got), &fields, "It works.\r\n"));
    let told = way.decided("thanks");
    assert_eq!(told["ticket"]["number"], 1, "{told:#}");
    assert!(to(anna).last().is_some_and(|mail| mail.text.contains("It works.")));
    // T-04: another in her name, to the mailbox.
    let forged = format!("In-Reply-To: <{}>\r\n", notice.message_id);
    let desk = "support@helpdesk.example";
    way.deliver(&written("forged", anna, desk, &forged, "Send me your password.\r\n"));
    let mails = way.sink.mails().len();
    assert_eq!(way.decided("forged")["reason"], "sender_not_participant");
    assert_eq!(way.sink.mails().len(), mails);
    way.desk.audit();
}
