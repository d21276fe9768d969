//! What is new in whole messages with HTML (M-100, M-101).

use super::*;
use crate::mail::reply::Confidence;
use crate::mail::{self, TextFrom};
use crate::triage::samples;

fn read(name: &str) -> (InboundMessage, Reply) {
    let path = format!("{}/fixtures/mail/{name}.eml", env!("CARGO_MANIFEST_DIR"));
    let raw = std::fs::read(&path).unwrap_or_else(|error| panic!("`{path}`: {error}"));
    trim(&raw)
}

fn trim(raw: &[u8]) -> (InboundMessage, Reply) {
    let message = mail::read(raw).expect("a readable message");
    let questions =
        crate::triage::ask(&message, samples::MAILBOX, &samples::policy(), &samples::keys());
    let reply = reply(&message, &questions, Scope::Standalone, &Default::default());
    (message, reply)
}

#[test]
fn e_101_a_logo_in_the_folded_signature_is_folded_and_stored_once() {
    let (message, reply) = read("an_html_answer_with_a_logo_in_its_signature");
    assert_eq!(reply.text, "It prints again.");
    assert_eq!(reply.signature.as_deref(), Some("Claire Johnson\n[image: MyOrg]"));
    let names: Vec<&str> = message.attachments.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["logo.png"]);
}

#[test]
fn m_101_the_plain_form_of_an_answer_is_taken() {
    let (message, reply) = read("an_answer_in_both_forms");
    assert_eq!(message.text_from, TextFrom::Plain);
    assert_eq!((reply.text.as_str(), reply.confidence), ("It *prints* again.", Confidence::High));
}

#[test]
fn m_101_the_html_form_is_taken_where_the_plain_one_says_nothing_anew() {
    let (message, reply) = read("an_answer_whose_plain_text_is_only_the_quote");
    assert_eq!(message.text_from, TextFrom::Plain);
    assert_eq!(reply.text, "Is it on? | Yes");
}

#[test]
fn m_101_the_html_form_is_taken_where_the_plain_one_says_under_a_fifth() {
    let both = |plain: &str, html: &str| {
        let raw = format!(
            "From: a@x.example\nSubject: Re: x\nIn-Reply-To: <a@b.example>\n\
             Content-Type: multipart/alternative; boundary=b\n\n--b\n\n{plain}\n\n> Is it on?\n> It should be.\n\
             --b\nContent-Type: text/html\n\n<p>{html}</p><blockquote type=cite>Is it on?<br>It should be.\
             </blockquote>\n--b--\n"
        );
        trim(raw.as_bytes()).1.text
    };
    let words = "word ".repeat(10);
    assert_eq!(both("short", words.trim()), words.trim());
    assert_eq!(both("shorter one", words.trim()), "shorter one");
}

#[test]
fn e_96_m_95_a_forward_in_html_with_a_note_above_is_kept() {
    let (_, reply) = read("an_outlook_forward_with_a_note_above");
    assert!(reply.text.starts_with("Can you open this?"), "{reply:#?}");
    assert!(reply.text.ends_with("Please find it attached."), "{reply:#?}");
    assert_eq!(reply.confidence, Confidence::Medium);
    assert!(reply.segments.iter().any(|segment| segment.kind == SegmentKind::Forward));
}

#[test]
fn e_41_two_html_documents_and_a_quote_between_are_read() {
    let (message, reply) = read("two_html_documents_in_one_part");
    assert_eq!(message.text, "It prints again.\n\n> Is it on?\n\nAnd it is quieter.");
    assert_eq!(reply.text, message.text);
}

#[test]
fn e_40_of_too_many_links_the_rest_is_cut_with_a_note_and_attached() {
    let links = |count: usize| {
        let links = "<a href=\"https://x.example/a\">b</a> ".repeat(count);
        trim(format!("From: a@x.example\nContent-Type: text/html\n\n{links}").as_bytes()).0
    };
    let cut = links(5_001);
    assert!(cut.text.ends_with("[cut here: the rest is in the attached message.html]"));
    assert!(cut.flags.contains(&mail::Flag::Limit("links")));
    let names: Vec<&str> = cut.attachments.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["message.html"]);
    let whole = links(5_000);
    assert!(!whole.flags.contains(&mail::Flag::Limit("links")));
    assert!(whole.attachments.is_empty());
}

#[test]
fn e_30_the_html_is_the_text_where_the_plain_part_is_empty() {
    let raw = "From: a@x.example\nSubject: Re: x\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\n\n\
               --b\nContent-Type: text/html\n\n<p>Yes.</p><div class=gmail_quote>Is it on?</div>\n--b--\n";
    let (message, reply) = trim(raw.as_bytes());
    assert_eq!((message.text.as_str(), message.text_from), ("Yes.\n\nIs it on?", TextFrom::Html));
    assert_eq!(reply.text, "Yes.");
}
