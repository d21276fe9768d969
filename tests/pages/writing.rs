//! Writing: answers, new tickets, closing and opening again; each thing once, and nothing lost. On
//! both stores.

use std::thread;

use guichet::triage::policy::Access;

use crate::browser::{Browser, Sent};
use crate::desk::{CLAIRE, Desk, MALLORY, PAUL};

fn claire(desk: &Desk) -> Browser {
    desk.user(CLAIRE, Access::Limited)
}

pub fn an_answer_walks_like_a_mail_and_is_shown_at_once(desk: &Desk) {
    let claire = claire(desk);
    let number = desk.ticket(CLAIRE, "Printer", "It smokes.");
    let path = format!("tickets/{number}");
    let form = claire.get(&path);
    let log = Sent { name: "log.txt", content_type: "text/plain", bytes: b"smoke\n" };
    let sent = claire.submit(&form, &format!("{path}/reply"), &[("text", "Now it burns.")], &[log]);
    assert_eq!(sent.header("location"), Some(&*format!("/portal/tickets/{number}#said")));
    let page = claire.follow(&sent);
    assert!(page.holds("Now it burns.") && page.holds("log.txt"), "{}", page.text());
    assert_eq!(
        desk.text("SELECT origin FROM message ORDER BY id DESC LIMIT 1").split('/').next(),
        Some("portal")
    );
    assert_eq!(desk.count("ticket"), 1);
    assert_eq!(desk.count("ticket_message"), 2);
}

pub fn p_02_a_form_that_is_sent_twice_is_one_message(desk: &Desk) {
    let claire = claire(desk);
    let number = desk.ticket(CLAIRE, "Printer", "It smokes.");
    let path = format!("tickets/{number}");
    let form = claire.get(&path);
    let reply = format!("{path}/reply");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| claire.submit(&form, &reply, &[("text", "Now it burns.")], &[]));
        }
    });
    let new = claire.get("tickets/new");
    let fields = [("subject", "Another"), ("text", "Words.")];
    let first = claire.submit(&new, "tickets/new", &fields, &[]);
    let second = claire.submit(&new, "tickets/new", &fields, &[]);
    assert_eq!(first.header("location"), second.header("location"));
    desk.settle();
    assert_eq!(desk.count("message WHERE origin LIKE 'portal/%'"), 2);
    assert_eq!((desk.count("ticket"), desk.count("ticket_message")), (2, 3));
    // The same words from a fresh form are meant.
    let form = claire.get(&path);
    claire.submit(&form, &reply, &[("text", "Now it burns.")], &[]);
    desk.settle();
    assert_eq!(desk.count("ticket_message"), 4);
}

pub fn a_new_ticket_is_opened_and_shown(desk: &Desk) {
    let claire = claire(desk);
    let form = claire.get("tickets/new");
    let none = Sent { name: "", content_type: "application/octet-stream", bytes: b"" };
    let fields = [("subject", "  Drücker\r\nBcc: eve@evil.example "), ("text", "Él humea.")];
    let page = claire.follow(&claire.submit(&form, "tickets/new", &fields, &[none]));
    for shown in ["Drücker Bcc: eve@evil.example", "Él humea.", "Your ticket is open", "Open"] {
        assert!(page.holds(shown), "{shown}: {}", page.text());
    }
    assert!(!page.holds("class=\"files\""), "no file was chosen");
    assert_eq!(desk.text("SELECT requester_address FROM ticket"), CLAIRE);
}

pub fn what_is_not_decided_in_a_moment_is_received(desk: &Desk) {
    let claire = claire(desk);
    let number = desk.ticket(CLAIRE, "Printer", "It smokes.");
    let path = format!("tickets/{number}");
    let form = claire.get(&path);
    desk.walk(false);
    let sent = claire.submit(&form, &format!("{path}/reply"), &[("text", "Slow words.")], &[]);
    assert_eq!(sent.header("location"), Some(&*format!("/portal/{path}#said")));
    assert!(sent.header("set-cookie").is_some_and(|said| said.contains("received")), "{sent:?}");
    let new = claire.get("tickets/new");
    let fields = [("subject", "Slow"), ("text", "Words.")];
    let sent = claire.submit(&new, "tickets/new", &fields, &[]);
    assert_eq!(sent.header("location"), Some("/portal/tickets"));
    assert_eq!(desk.count("message WHERE origin LIKE 'portal/%'"), 2, "both are safe");
    desk.walk(true);
    desk.settle();
    assert!(claire.get(&path).holds("Slow words."));
    assert!(claire.get("tickets").holds("Slow"));
}

pub fn a_ticket_is_closed_opened_again_and_reopened_by_an_answer(desk: &Desk) {
    let claire = claire(desk);
    let number = desk.ticket(CLAIRE, "Printer", "It smokes.");
    let path = format!("tickets/{number}");
    let status = || desk.text("SELECT status FROM ticket");
    let form = claire.get(&path);
    let page = claire.follow(&claire.post(&form, &format!("{path}/close")));
    assert_eq!(status(), "closed");
    assert!(page.holds("is opened again") && page.holds("Open it again"), "{}", page.text());
    claire.post(&form, &format!("{path}/close"));
    claire.post(&form, &format!("{path}/reopen"));
    assert_eq!(status(), "open");
    // Staff hears of it, although nothing was written; the user, who did it, does not.
    let told = |of: &str| desk.count(&format!("outbox WHERE about_event IS NOT NULL AND {of}"));
    assert_eq!(told("template = 'agent_notice'"), 1);
    assert_eq!(told("template <> 'agent_notice'"), 0);
    claire.post(&form, &format!("{path}/close"));
    claire.submit(&form, &format!("{path}/reply"), &[("text", "Not yet.")], &[]);
    desk.settle();
    assert_eq!((status().as_str(), desk.count("ticket")), ("open", 1));
    assert_eq!(desk.count("ticket_event WHERE by_kind = 'user' AND kind = 'closed'"), 2);
}

pub fn an_answer_to_what_was_closed_long_ago_opens_another_ticket(desk: &Desk) {
    let claire = claire(desk);
    let number = desk.ticket(CLAIRE, "Printer", "It smokes.");
    desk.run("UPDATE ticket SET status = 'closed', closed_at = 1, last_message_at = 1");
    let path = format!("tickets/{number}");
    let sent =
        claire.submit(&claire.get(&path), &format!("{path}/reply"), &[("text", "Again.")], &[]);
    let new = desk.text("SELECT CAST(MAX(number) AS TEXT) FROM ticket");
    assert_eq!(sent.header("location"), Some(&*format!("/portal/tickets/{new}#said")));
    assert_ne!(new, number.to_string());
    assert!(claire.follow(&sent).holds("Again."));
}

pub fn what_is_missing_or_too_much_is_told_and_the_text_is_kept(desk: &Desk) {
    let claire = claire(desk);
    let number = desk.ticket(CLAIRE, "Printer", "It smokes.");
    let reply = format!("tickets/{number}/reply");
    let form = claire.get(&format!("tickets/{number}"));
    let page = claire.submit(&form, &reply, &[("text", " \n ")], &[]);
    assert_eq!((page.status, page.holds("Please write something")), (422, true));
    let (large, small) = (vec![b'x'; 8_000_000], vec![b'x'; 10]);
    let file = |bytes| Sent { name: "x.bin", content_type: "application/octet-stream", bytes };
    let page = claire.submit(&form, &reply, &[("text", "Keep <me>.")], &[file(&large)]);
    assert_eq!((page.status, page.holds("too large")), (422, true));
    assert!(page.holds("Keep &lt;me&gt;.</textarea>"), "{}", page.text());
    let many: Vec<_> = (0..11).map(|_| file(&small)).collect();
    let page = claire.submit(&form, &reply, &[("text", "Keep me.")], &many);
    assert_eq!((page.status, page.holds("too many files")), (422, true));
    let page = claire.submit(&form, &reply, &[("text", &"é".repeat(50_001))], &[]);
    assert_eq!((page.status, page.holds("text is too long")), (422, true));
    let ten: Vec<_> = (0..10).map(|_| file(&small)).collect();
    let new = claire.get("tickets/new");
    for (fields, said) in [
        ([("subject", " "), ("text", "Words.")], "in a few words"),
        ([("subject", "Words"), ("text", "")], "Please write something"),
        ([("subject", &*"x".repeat(201)), ("text", "Words.")], "too long for a subject"),
    ] {
        let page = claire.submit(&new, "tickets/new", &fields, &ten);
        assert_eq!((page.status, page.holds(said)), (422, true), "{said}");
        page.must_be_inert();
    }
    assert_eq!(desk.count("message WHERE origin LIKE 'portal/%'"), 0);
    let page = claire.submit(&form, &reply, &[("text", "")], &ten);
    assert_eq!(page.status, 303, "ten files without a word are an answer: {}", page.text());
}

pub fn a_form_that_is_not_ours_writes_nothing(desk: &Desk) {
    let claire = claire(desk);
    let number = desk.ticket(CLAIRE, "Printer", "It smokes.");
    let (ticket, reply) = (format!("tickets/{number}"), format!("tickets/{number}/reply"));
    let form = claire.get(&ticket);
    let token = form.hidden("form");
    let of_mallory = desk.user(MALLORY, Access::Full).get("tickets/new").hidden("form");
    let text = ("text", "Words.");
    for (fields, status) in [
        (vec![text], 400),
        (vec![text, ("form", &*token)], 400),
        (vec![("form", &*of_mallory), text], 403),
        (vec![("form", ""), text], 403),
        (vec![("form", &*token), text, text], 400),
        (vec![("form", &*token), ("form", &*token), text], 400),
        (vec![], 403),
    ] {
        assert_eq!(claire.send(&reply, &fields, &[]).status, status, "{fields:?}");
    }
    let elsewhere =
        [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "cross-site")];
    let body = format!("form={token}");
    let closed = claire.ask("POST", &format!("{ticket}/close"), &elsewhere, body.as_bytes());
    assert_eq!(closed.status, 403);
    assert_eq!(claire.get(&format!("{ticket}/close")).status, 405);
    assert_eq!(desk.text("SELECT status FROM ticket"), "open");
    assert_eq!(desk.count("message"), 1);
}

pub fn t_54_whoever_is_deleted_between_form_and_answer_writes_nothing(desk: &Desk) {
    let claire = claire(desk);
    let number = desk.ticket(CLAIRE, "Printer", "It smokes.");
    let form = claire.get(&format!("tickets/{number}"));
    desk.run("UPDATE person SET status = 'deleted'");
    let reply = format!("tickets/{number}/reply");
    let page = claire.submit(&form, &reply, &[("text", "x")], &[]);
    assert_eq!(page.status, 403);
    assert_eq!(desk.count("message"), 1);
}

pub fn a_primary_user_answers_for_a_colleague(desk: &Desk) {
    let number = desk.ticket(CLAIRE, "Printer", "It smokes.");
    let paul = desk.user(PAUL, Access::Limited);
    let path = format!("tickets/{number}");
    let sent = paul.submit(&paul.get(&path), &format!("{path}/reply"), &[("text", "Hurry.")], &[]);
    assert!(paul.follow(&sent).holds("Hurry."));
    assert_eq!(desk.text("SELECT requester_address FROM ticket"), CLAIRE);
}
