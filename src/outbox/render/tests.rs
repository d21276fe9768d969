use mail_parser::{HeaderValue as Parsed, Message as ParsedMessage, MessageParser};

use super::*;
use crate::mail::Address;
use crate::outbox::Tagging;
use crate::outbox::testing::{at, key, letter, options};
use crate::store::mailboxes::Tags;
use crate::triage::keys::Keyring;

fn rendered() -> Rendered {
    Rendered {
        subject: "We have received your request".to_owned(),
        text: "Bonjour,\n.\nFrom here on: é\n".to_owned(),
        html: "<html><p>Bonjour</p>\n.\n</html>".to_owned(),
    }
}

fn written(letter: &Letter, rendered: &Rendered, name: &str) -> RenderedMail {
    written_for(letter, rendered, name, &options().senders["support"])
}

fn written_for(
    letter: &Letter,
    rendered: &Rendered,
    name: &str,
    sender: &SenderOptions,
) -> RenderedMail {
    let parties = Parties {
        sender,
        recipient_name: name,
        subject_tag: "[#{number}]",
        key: &key(),
        body_token: BodyToken::Written,
    };
    render(letter, rendered, &[], parties, at(0)).expect("it can be put together")
}

fn anchor() -> String {
    key().message_id(4711, 0, "help.example")
}

fn header(mail: &RenderedMail) -> String {
    let text = String::from_utf8(mail.bytes.clone()).expect("a mail of ours is ASCII");
    text.split("\r\n\r\n").next().unwrap_or_default().to_owned()
}

fn count(mail: &RenderedMail, name: &str) -> usize {
    let name = format!("{}:", name.to_lowercase());
    header(mail).lines().filter(|line| line.to_lowercase().starts_with(&name)).count()
}

fn parsed(mail: &RenderedMail) -> ParsedMessage<'_> {
    MessageParser::default().parse(&mail.bytes).expect("a mail of ours can be read")
}

fn answer(parent: &str, references: &[&str]) -> MailCause {
    MailCause::Answer {
        parent: MessageId::parse(parent).expect("an id"),
        parent_references: references
            .iter()
            .map(|id| MessageId::parse(id).expect("an id"))
            .collect(),
    }
}

#[test]
fn r_06_an_answer_says_auto_replied_and_a_notice_auto_generated_once() {
    let notice = written(&letter(), &rendered(), "");
    assert!(header(&notice).contains("\r\nAuto-Submitted: auto-generated\r\n"));
    let reply = Letter { cause: answer("a@b.example", &[]), ..letter() };
    let reply = written(&reply, &rendered(), "");
    assert!(header(&reply).contains("\r\nAuto-Submitted: auto-replied\r\n"));
    for mail in [&notice, &reply] {
        assert_eq!(count(mail, "Auto-Submitted"), 1);
        assert!(header(mail).contains("\r\nX-Auto-Response-Suppress: All\r\n"));
    }
}

#[test]
fn r_07_r_08_one_recipient_and_nobody_else() {
    let mail = written(&letter(), &rendered(), "Claire Johnson");
    assert_eq!(mail.to, "claire@customer.example");
    let message = parsed(&mail);
    let to = message.to().and_then(|to| to.first()).expect("a recipient");
    assert_eq!(
        (to.name(), to.address()),
        (Some("Claire Johnson"), Some("claire@customer.example"))
    );
    for name in ["Cc", "Bcc", "Reply-To", "Sender", "Precedence"] {
        assert_eq!(count(&mail, name), 0, "{name}");
    }
    for name in [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "X-Guichet-Loop",
        "X-Guichet-Message-ID",
    ] {
        assert_eq!(count(&mail, name), 1, "{name}");
    }
    assert!(!header(&mail).to_lowercase().contains("\nlist-"), "R-35");
}

#[test]
fn r_11_m_76_the_envelope_sender_is_null_signed_or_plain() {
    let sender = |envelope| SenderOptions { envelope, ..options().senders["support"].clone() };
    let from = |tags, sender: &SenderOptions| {
        written_for(&Letter { tags, ..letter() }, &rendered(), "", sender).envelope_from
    };
    let mailbox = Address::parse("support@help.example").expect("an address");
    let signed = key().bounce_address(1, &mailbox).map(|address| address.to_string());
    assert_eq!(from(Tags::Unknown, &sender(Tagging::Auto)), None);
    assert_eq!(from(Tags::Arrive, &sender(Tagging::Auto)), signed);
    assert_eq!(from(Tags::Unknown, &sender(Tagging::Always)), signed);
    let plain = Some("support@help.example".to_owned());
    assert_eq!(from(Tags::Arrive, &sender(Tagging::Never)), plain);
    // A local part that is too long carries no mark.
    let mailbox_address = format!("{}@help.example", "s".repeat(40));
    let long = SenderOptions { mailbox_address, ..sender(Tagging::Always) };
    assert_eq!(from(Tags::Arrive, &long), None);
}

#[test]
fn m_75_answers_go_to_a_signed_address_once_the_mailbox_takes_tags() {
    let sender = |reply_address| SenderOptions {
        // Bounces and answers come to the mailbox, whatever From says.
        address: "desk@brand.example".to_owned(),
        reply_address,
        ..options().senders["support"].clone()
    };
    let reply_to = |tags, tagging| {
        let letter = Letter { tags, ..letter() };
        let mail = written_for(&letter, &rendered(), "", &sender(tagging));
        let message = parsed(&mail);
        let found = message.reply_to().and_then(|to| to.first()).and_then(|to| to.address());
        found.map(str::to_owned)
    };
    let mailbox = Address::parse("support@help.example").expect("an address");
    let signed = key().reply_address(4711, &mailbox).map(|address| address.to_string());
    assert_eq!(reply_to(Tags::Unknown, Tagging::Auto), None);
    assert_eq!(reply_to(Tags::Arrive, Tagging::Auto), signed);
    assert_eq!(reply_to(Tags::Unknown, Tagging::Always), signed);
    assert_eq!(reply_to(Tags::Arrive, Tagging::Never), None);
}

#[test]
fn m_77_the_token_is_the_last_line_of_text_and_html() {
    let mail = written(&letter(), &rendered(), "");
    let token = key().body_token(4711);
    let message = parsed(&mail);
    let text = message.body_text(0).expect("a text").into_owned();
    assert_eq!(text.trim_end().lines().last(), Some(token.as_str()));
    let html = Rendered { html: "<html><body><p>x</p></body></html>".to_owned(), ..rendered() };
    let mail = written(&letter(), &html, "");
    let html = parsed(&mail).body_html(0).expect("a html").into_owned();
    assert!(html.trim_end().ends_with(&format!("{token}</div>\r\n</body></html>")), "{html}");
    let none = written(&Letter { ticket: None, ..letter() }, &rendered(), "");
    assert!(!parsed(&none).body_text(0).expect("a text").contains("[g1"));
}

#[test]
fn m_58_m_82_the_mail_carries_its_own_id_and_the_name_of_this_installation() {
    let read = crate::mail::read(&written(&letter(), &rendered(), "").bytes).expect("it reads");
    let keys = Keyring::new(vec![key()]);
    assert!(read.marks.values("Loop").any(|value| keys.is_own_loop(value)));
    let ids: Vec<_> = read.marks.values("Message-ID").collect();
    assert_eq!(ids, [format!("<{}>", letter().message_id)]);
}

#[test]
fn r_14_an_answer_joins_the_thread_and_a_notice_begins_its_own() {
    let notice = written(&Letter { ticket: None, ..letter() }, &rendered(), "");
    assert_eq!((count(&notice, "In-Reply-To"), count(&notice, "References")), (0, 0));
    let reply =
        Letter { cause: answer("c@d.example", &["a@d.example", "b@d.example"]), ..letter() };
    let mail = written(&reply, &rendered(), "");
    let message = parsed(&mail);
    assert_eq!(message.in_reply_to().as_text(), Some("c@d.example"));
    assert_eq!(
        message.references().as_text_list().map(|ids| ids.to_vec()),
        Some(vec![
            anchor().into(),
            "a@d.example".into(),
            "b@d.example".into(),
            "c@d.example".into()
        ])
    );
}

#[test]
fn r_14_of_a_long_thread_the_anchor_and_the_newest_are_named() {
    let ids: Vec<String> = (0..50).map(|n| format!("id-{n}@a.long.domain.example")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let reply = Letter { cause: answer("parent@d.example", &ids), ..letter() };
    let mail = written(&reply, &rendered(), "");
    let Parsed::TextList(listed) = parsed(&mail).references().clone() else {
        panic!("several references");
    };
    assert_eq!(listed.len(), 20);
    assert_eq!((&*listed[0], &*listed[1]), (anchor().as_str(), "id-32@a.long.domain.example"));
    assert_eq!(&*listed[19], "parent@d.example");
    assert!(header(&mail).split("\r\n").all(|line| line.len() <= 78), "{}", header(&mail));
}

#[test]
fn f_10_an_id_that_cannot_be_written_plainly_is_left_out() {
    let long = format!("{}@d.example", "x".repeat(950));
    let reply = Letter { cause: answer("é@d.example", &["ok@d.example", &long]), ..letter() };
    let mail = written(&reply, &rendered(), "");
    assert_eq!(count(&mail, "In-Reply-To"), 0);
    assert_eq!(
        parsed(&mail).references().as_text_list().map(|ids| ids.to_vec()),
        Some(vec![anchor().into(), "ok@d.example".into()])
    );
}

#[test]
fn r_15_the_message_id_is_that_of_the_row() {
    let mail = written(&letter(), &rendered(), "");
    assert_eq!(parsed(&mail).message_id(), Some(letter().message_id.as_str()));
}

#[test]
fn t_13_names_and_subjects_give_one_header_each() {
    let evil = "a\r\nBcc: victim@x.example\r\n\r\n\0\u{2028}\u{202e}x";
    let mut letter = letter();
    letter.cause = answer("a@b.example", &[]);
    let rendered = Rendered { subject: clean::line(evil, 500), ..rendered() };
    let mail = written(&letter, &rendered, evil);
    assert_eq!(count(&mail, "Bcc"), 0);
    assert_eq!((count(&mail, "To"), count(&mail, "Subject")), (1, 1));
    let message = parsed(&mail);
    assert_eq!(message.subject(), Some("[#4711] a  Bcc: victim@x.example    x"));
    assert_eq!(
        message.to().and_then(|to| to.first()).and_then(|to| to.address()),
        Some("claire@customer.example")
    );
    let encoded = "=?utf-8?q?a=0D=0ABcc:_x@y.example?=";
    let mail = written(&letter, &Rendered { subject: encoded.to_owned(), ..rendered }, encoded);
    assert_eq!(count(&mail, "Bcc"), 0);
    assert_eq!(parsed(&mail).subject(), Some(format!("[#4711] {encoded}").as_str()));
}

#[test]
fn f_09_no_name_makes_the_builder_panic() {
    let names =
        ["\r", "\n", "\0", "\u{7f}", "\"", "\\", "a\"b\\", "\u{85}", "( ) < > @ , ; :", "é\0"];
    for name in names {
        let mail = written(&letter(), &rendered(), name);
        assert_eq!(count(&mail, "To"), 1, "{name:?}");
        let to = parsed(&mail)
            .to()
            .and_then(|to| to.first())
            .and_then(|to| to.address())
            .map(str::to_owned);
        assert_eq!(to.as_deref(), Some("claire@customer.example"), "{name:?}");
    }
}

#[test]
fn t_14_r_18_no_byte_of_a_body_can_end_the_mail() {
    let text = ".\r\nMAIL FROM:<x@y.example>\n.\n\rFrom me\n..\n\0".to_owned() + &"x".repeat(5_000);
    let rendered = Rendered { text: clean::text(&text, usize::MAX), ..rendered() };
    let mail = written(&Letter { ticket: None, ..letter() }, &rendered, "");
    let raw = String::from_utf8(mail.bytes.clone()).expect("ASCII");
    assert!(!raw.replace("\r\n", "").contains(['\r', '\n', '\0']));
    assert!(
        raw.split("\r\n")
            .all(|line| line.len() <= 998 && !line.starts_with('.') && !line.starts_with("From "))
    );
    let message = parsed(&mail);
    assert_eq!(
        message.body_text(0).as_deref(),
        Some(rendered.text.replace('\n', "\r\n") + "\r\n").as_deref()
    );
}

#[test]
fn r_18_a_long_subject_is_folded_and_reads_the_same() {
    for subject in ["é".repeat(300), "word ".repeat(90), "x".repeat(480)] {
        let subject = subject.trim().to_owned();
        let rendered = Rendered { subject: subject.clone(), ..rendered() };
        let mail = written(&Letter { ticket: None, ..letter() }, &rendered, "");
        assert!(header(&mail).split("\r\n").all(|line| line.len() <= 78), "{}", header(&mail));
        assert_eq!(parsed(&mail).subject(), Some(subject.as_str()));
    }
}

#[test]
fn m_78_mail_about_a_ticket_carries_its_tag_once() {
    let letter = letter();
    assert_eq!(subject("Hello", &letter, "[#{number}]"), "[#4711] Hello");
    assert_eq!(subject("Hello [#4711]", &letter, "[#{number}]"), "Hello [#4711]");
    let credentials = Letter { ticket: None, ..letter };
    assert_eq!(subject("Hello", &credentials, "[#{number}]"), "Hello");
}

#[test]
fn text_and_html_are_alternatives_of_one_mail() {
    let mail = written(&Letter { ticket: None, ..letter() }, &rendered(), "");
    let message = parsed(&mail);
    assert_eq!((message.text_body.len(), message.html_body.len()), (1, 1));
    assert_eq!(message.body_html(0).as_deref(), Some("<html><p>Bonjour</p>\r\n.\r\n</html>\r\n"));
    assert!(message.attachments.is_empty(), "R-10");
    assert_eq!(message.date().map(|date| date.to_timestamp()), Some(at(0).as_second()));
}

#[test]
fn r_31_an_address_beyond_ascii_is_written_as_it_is_and_an_odd_one_quoted() {
    let options = options();
    let parties = Parties {
        sender: &options.senders["support"],
        recipient_name: "",
        subject_tag: "",
        key: &key(),
        body_token: BodyToken::Absent,
    };
    let to = |to: &str| {
        render(&Letter { to: to.to_owned(), ..letter() }, &rendered(), &[], parties, at(0))
    };
    let foreign = to("zoé@customer.example").expect("the transport decides");
    assert_eq!(foreign.to, "zoé@customer.example");
    // RFC 6532 §3.2: a header is no place to hide an address in an encoded word.
    let shown = String::from_utf8(foreign.bytes).expect("UTF-8");
    assert!(shown.contains("To: zoé@customer.example\r\n"), "{shown}");
    assert!(to("nobody").is_err());
    // T-15: literal, and quoted where the grammar wants it.
    assert_eq!(to("a..b@carrier.example").expect("it is quoted").to, "\"a..b\"@carrier.example");
    assert_eq!(to("-oQspool@x.example").expect("it is an address").to, "-oQspool@x.example");
    assert_eq!(to("a$USER@x.example").expect("it is an address").to, "a$USER@x.example");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(300))]

    #[test]
    fn whatever_people_write_a_mail_of_ours_is_lawful(
        name in proptest::prelude::any::<String>(),
        subject in proptest::prelude::any::<String>(),
        text in proptest::prelude::any::<String>(),
    ) {
        let rendered = Rendered { subject, text, ..rendered() };
        let mail = written(&letter(), &rendered, &name);
        for name in ["From", "To", "Subject", "Message-ID", "Auto-Submitted"] {
            proptest::prop_assert_eq!(count(&mail, name), 1);
        }
        let to = parsed(&mail).to().and_then(|to| to.first()).and_then(|to| to.address())
            .map(str::to_owned);
        proptest::prop_assert_eq!(to.as_deref(), Some("claire@customer.example"));
        proptest::prop_assert!(header(&mail).lines().all(|line| line.len() <= 998));
    }
}
