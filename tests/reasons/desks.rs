//! The reasons that need a desk of their own: what happened before, or was done to a message since.

use std::fs;

use serde_json::Value;

use super::support::Desk;
use super::{AGENT, FRESH, fixture, newest, reasons, receive, store, trusting};

#[test]
fn e_09_mail_older_than_the_start_is_left_alone() {
    let desk = Desk::new("");
    let config = fs::read_to_string(desk.config()).expect("the configuration");
    fs::write(desk.config(), config.replace("start = \"all\"", "start = \"now\""))
        .expect("the configuration is written");
    receive(&desk, "a_first_contact");
    desk.ok(&["run", "--once"]);
    assert_eq!(reasons(&desk), [("ignored".to_owned(), "before_start".to_owned())]);
    assert!(desk.lines(&["tickets", "list"]).is_empty());
    desk.audit();
}

#[test]
fn e_146_what_is_held_for_its_verdict_is_released_to_staff() {
    let desk = Desk::new(trusting!("dmarc_fail = \"hold\"\n"));
    receive(&desk, "a_mail_that_its_domain_disowns");
    desk.ok(&["run", "--once"]);
    assert_eq!(newest(&desk), ("held".to_owned(), "auth_failed".to_owned()));
    let id = desk.lines(&["held", "list"])[0]["id"].as_str().expect("an id").to_owned();
    let again = desk.run(&["held", "release", &id]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("--set filters.dmarc_fail=flag held release ID"), "{said}");
    desk.ok(&["held", "release", &id, "--set", "filters.dmarc_fail=flag"]);
    assert_eq!(newest(&desk), ("accepted".to_owned(), "staff_ticket_created".to_owned()));
    let flags = &desk.json(&["tickets", "show", "1"])["messages"][0]["flags"];
    assert!(flags.as_array().is_some_and(|flags| flags.contains(&"auth_failed".into())), "{flags}");
    assert!(desk.lines(&["users", "list"]).is_empty());
    assert!(desk.lines(&["outbox", "list"]).is_empty());
    desk.audit();
}

#[test]
fn e_125_m_105_what_staff_forwards_is_the_ticket_of_its_writer() {
    let desk = Desk::new(&format!("{FRESH}{AGENT}"));
    receive(&desk, "staff_forwards_a_customer");
    receive(&desk, "staff_forwards_a_customer_as_attachment");
    desk.ok(&["run", "--once"]);
    for (number, requester, subject, note) in [
        (
            "1",
            "bruno.keller@myorg.example",
            "Scanner does not wake up",
            "This came to me. Their contract covers it.",
        ),
        ("2", "bjoern.keller@myorg.example", "for the queue", "See attached."),
    ] {
        let ticket = desk.json(&["tickets", "show", number]);
        assert_eq!(ticket["requester_address"], requester, "{ticket:#}");
        assert_eq!(ticket["subject"], subject);
        let message = &ticket["messages"][0];
        assert_eq!(message["from_address"], "anna@helpdesk.example");
        assert_eq!(message["internal"], note, "{ticket:#}");
        assert!(!message["visible"].as_str().unwrap_or_default().contains(note), "{ticket:#}");
        let told = desk.ok(&["tickets", "show", number]);
        assert!(told.contains(&format!("internal, for staff only:\n   | {note}\n")), "{told}");
        let user = desk.json(&["users", "show", requester]);
        assert_eq!(user["credentials_withheld"], "M-106", "{user:#}");
    }
    assert!(desk.lines(&["outbox", "list"]).is_empty(), "M-106");
    desk.audit();
}

#[test]
fn m_64_m_65_a_bounce_of_our_mail_is_a_note_on_its_ticket() {
    let desk = Desk::new(FRESH);
    receive(&desk, "a_first_contact");
    desk.ok(&["run", "--once"]);
    let acknowledged = || {
        let mails = desk.lines(&["outbox", "list"]);
        mails.into_iter().find(|mail| mail["template"] == "ticket_received").expect("our answer")
    };
    let shown = desk.json(&["outbox", "show", &acknowledged()["id"].to_string()]);
    let id = shown["message_id"].as_str().expect("its id").trim_matches(['<', '>']).to_owned();
    let bounce = String::from_utf8(fixture("a_bounce_of_our_mail")).expect("ASCII");
    let bounce = bounce.replace("id-of-our-mail@helpdesk.example", &id);
    desk.deliver("1772442100.bounce.a", bounce.as_bytes());
    desk.ok(&["run", "--once"]);
    assert_eq!(
        newest(&desk),
        ("accepted".to_owned(), "bounce_attached".to_owned()),
        "matched by our Message-ID"
    );
    assert_eq!(acknowledged()["state"], "failed");
    let ticket = desk.json(&["tickets", "show", "1"]);
    assert_eq!(ticket["messages"].as_array().map(Vec::len), Some(2));
    let user = desk.json(&["users", "show", "claire.johnson@myorg.example"]);
    assert_eq!(user["undeliverable"][0], "claire.johnson@myorg.example");

    // E-152: the owner writes, and the address is good again.
    receive(&desk, "an_answer_to_a_ticket");
    desk.ok(&["run", "--once"]);
    let user = desk.json(&["users", "show", "claire.johnson@myorg.example"]);
    assert_eq!(user["undeliverable"], Value::Array(Vec::new()));
    desk.audit();
}

#[test]
fn m_81_staff_answers_a_requester_by_replying_to_a_notice() {
    let agent = AGENT.replace("notify = []\n", "");
    let desk = Desk::new(&format!("{FRESH}{agent}[threading]\nreply_address = \"plus\"\n"));
    receive(&desk, "a_first_contact");
    desk.ok(&["run", "--once"]);
    let to_anna = |raw: &Vec<u8>| {
        let read = guichet::mail::read(raw).expect("our mail can be read");
        read.to.iter().any(|to| to.address == "anna@helpdesk.example").then_some(read)
    };
    let notice = desk.sent().iter().find_map(to_anna).expect("Anna is told");
    let own = notice.reply_to[0].address.clone();
    assert!(own.starts_with("support+a1"), "M-76b {own}");
    // What this desk alone can sign stands in place of what the fixture says of it.
    let answer = String::from_utf8(fixture("staff_answers_a_notice")).expect("ASCII");
    let answer = answer.replace("id-of-our-mail@helpdesk.example", notice.message_id.as_str());
    let signed = answer.replace("support+reply-address-of-the-agent@helpdesk.example", &own);
    desk.deliver("1772442200.answer.a", signed.as_bytes());
    desk.ok(&["run", "--once"]);
    assert_eq!(newest(&desk), ("accepted".to_owned(), "reply_added".to_owned()));
    let message = &desk.json(&["tickets", "show", "1"])["messages"][1];
    assert_eq!(message["author"], "staff");
    assert_eq!(message["visible"], "Please switch it off and on again, Claire.");
    let to_claire = desk.sent().into_iter().map(|raw| guichet::mail::read(&raw).expect("ours"));
    let told = to_claire.filter(|mail| mail.text.contains("switch it off and on")).count();
    assert_eq!(told, 1, "she gets it, once");
    // Without that address nothing proves that it is Anna's: nobody hears of it (T-04).
    desk.deliver("1772442300.forged.a", answer.replace("answer-1@", "answer-2@").as_bytes());
    desk.ok(&["run", "--once"]);
    assert_eq!(newest(&desk), ("held".to_owned(), "sender_not_participant".to_owned()));
    desk.audit();
}

#[test]
fn m_86_a_reply_reopens_a_ticket_that_was_just_closed_and_follows_an_old_one() {
    for (closed_at, reason, tickets) in
        [("1772440000000", "ticket_reopened", 1), ("1700000000000", "follow_up_linked", 2)]
    {
        let desk = Desk::new("");
        receive(&desk, "a_first_contact");
        desk.ok(&["run", "--once"]);
        let close = format!(
            "UPDATE ticket SET status = 'closed', closed_at = {closed_at} WHERE number = 1"
        );
        store(&desk).execute(&close, []).expect("the ticket is closed");
        receive(&desk, "an_answer_to_a_ticket");
        desk.ok(&["run", "--once"]);
        assert_eq!(newest(&desk), ("accepted".to_owned(), reason.to_owned()));
        assert_eq!(desk.lines(&["tickets", "list"]).len(), tickets);
        let first = desk.json(&["tickets", "show", "1"]);
        assert_eq!(first["status"], if tickets == 1 { "open" } else { "closed" });
        desk.audit();
    }
}

#[test]
fn user_ingestion_off_makes_no_ticket_of_a_users_mail() {
    let desk = Desk::new("");
    desk.ok(&["users", "add", "claire.johnson@myorg.example", "--no-mail"]);
    desk.ok(&["users", "set", "claire.johnson@myorg.example", "--tickets", "off"]);
    receive(&desk, "a_first_contact");
    desk.ok(&["run", "--once"]);
    assert_eq!(reasons(&desk), [("ignored".to_owned(), "user_ingestion_off".to_owned())]);
    desk.audit();
}

#[test]
fn a_held_message_that_is_dropped_is_ignored() {
    let desk = Desk::new("");
    receive(&desk, "two_different_from_fields");
    desk.ok(&["run", "--once"]);
    let held = desk.lines(&["held", "list"]);
    desk.ok(&["held", "drop", held[0]["id"].as_str().expect("an id"), "--yes"]);
    assert_eq!(reasons(&desk), [("ignored".to_owned(), "dropped".to_owned())]);
    desk.audit();
}

#[test]
fn p_12_a_message_that_fails_three_times_is_held_and_stops_nobody() {
    let desk = Desk::new("");
    // A store that refuses this one ticket, as a bug of ours would.
    desk.ok(&["users", "list"]);
    store(&desk)
        .execute_batch(
            "CREATE TRIGGER broken BEFORE INSERT ON ticket WHEN NEW.subject LIKE 'The printer%'
             BEGIN SELECT RAISE(ABORT, 'a bug of ours'); END",
        )
        .expect("the trigger is made");
    receive(&desk, "a_first_contact");
    receive(&desk, "a_newsletter");
    for _ in 1..=3 {
        desk.ok(&["run", "--once"]);
        // It waits longer each time; here no time passes.
        store(&desk)
            .execute("UPDATE message SET due_at = arrived_at WHERE due_at IS NOT NULL", [])
            .expect("the wait is over");
    }
    let mut decided = reasons(&desk);
    decided.sort();
    assert_eq!(
        decided,
        [
            ("accepted".to_owned(), "staff_ticket_created".to_owned()),
            ("held".to_owned(), "internal_error".to_owned())
        ]
    );
    let held = desk.lines(&["held", "list"]);
    let said = desk.ok(&["held", "show", held[0]["id"].as_str().expect("an id")]);
    assert!(said.contains("P-12") && said.contains("a bug of ours"), "{said}");
    let raw = desk.run(&["held", "raw", held[0]["id"].as_str().expect("an id")]).stdout;
    assert_eq!(raw, fixture("a_first_contact"), "nothing is lost");
    desk.audit();

    // Once the bug is gone it walks again.
    store(&desk).execute_batch("DROP TRIGGER broken").expect("the trigger is gone");
    desk.ok(&["held", "release", held[0]["id"].as_str().expect("an id")]);
    assert!(reasons(&desk).contains(&("accepted".to_owned(), "ticket_created".to_owned())));
    desk.audit();
}
