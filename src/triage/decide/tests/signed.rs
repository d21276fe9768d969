//! V1 to V3 of M-79 from the bytes' values to the plan: marks are verified by `ask`, and `facts`
//! holds the ticket that the store would find for them.

use super::*;
use crate::mail::{Marks, MessageId, NamedAddress, Strength};
use crate::triage::facts::{TagsSeen, TicketEvidence};
use crate::triage::keys::SigningKey;

/// A fresh mail of Claire's, by all that mail programs leave of a thread: nothing.
fn bare(from: &str) -> InboundMessage {
    InboundMessage { subject: "Re: Printer".to_owned(), ..mail_from(from) }
}

fn reply_address(ticket: i64) -> NamedAddress {
    let address = key_of_ours().reply_address(ticket, &address(DESK)).expect("it is short");
    named(&address.to_string())
}

fn to_reply_address(from: &str) -> InboundMessage {
    let to = reply_address(7);
    InboundMessage { delivered_to: vec![to.address.clone()], to: vec![to], ..bare(from) }
}

fn our_id(ticket: i64, mail: i64) -> MessageId {
    id(&key_of_ours().message_id(ticket, mail, "helpdesk.example"))
}

fn to_our_mail(from: &str) -> InboundMessage {
    InboundMessage { in_reply_to: vec![our_id(7, 5)], ..bare(from) }
}

fn with_token(from: &str) -> InboundMessage {
    let tokens = vec![key_of_ours().body_token(7)];
    InboundMessage { marks: Marks { tokens, ..Marks::default() }, ..bare(from) }
}

/// A MAC changed in one character.
fn broken(mark: &str) -> String {
    let at = mark.find(['@', ']']).unwrap_or(mark.len()) - 5;
    let other = if &mark[at..=at] == "a" { "b" } else { "a" };
    format!("{}{other}{}", &mark[..at], &mark[at + 1..])
}

/// As the store answers: for each ticket that a verified mark names, ticket 7's facts.
fn plan_of(message: &InboundMessage, facts: &Facts, role: Option<TicketRole>) -> Plan {
    let questions = ask(message, MAILBOX, &policy(), &keys());
    let signed = questions.signed.tickets.iter().map(|signed| TicketFacts {
        number: signed.number,
        evidence: signed.evidence.clone(),
        ..ticket(role)
    });
    let tickets = signed.chain(facts.tickets.iter().cloned()).collect();
    decide(message, &questions, &Facts { tickets, ..facts.clone() }, &policy())
}

/// A message that carries one mark, and what its evidence is called.
type Row = (fn(&str) -> InboundMessage, &'static str);

fn known() -> Facts {
    Facts { user: Some(claire()), ..facts() }
}

fn flags(plan: &Plan) -> &[String] {
    &plan.story.flags
}

#[test]
fn e_102_each_mark_of_ours_leads_to_its_ticket() {
    let rows: [Row; 3] = [
        (to_reply_address, "reply_address"),
        (to_our_mail, "message_id"),
        (with_token, "body_token"),
    ];
    for (message, matched_by) in rows {
        for role in [TicketRole::Requester, TicketRole::Participant, TicketRole::Correspondent] {
            let plan = plan_of(&message(CLAIRE), &known(), Some(role));
            assert_eq!(ended(&plan), "accepted/reply_added", "{matched_by} {role:?}");
            assert!(has(&plan, "AddMessage Existing(7)"));
            assert_eq!(plan.story.ticket.matched_by.as_deref(), Some(matched_by));
            assert!(flags(&plan).is_empty());
        }
    }
}

#[test]
fn e_103_t_02_a_stranger_with_a_good_mark_gets_a_linked_ticket_and_no_mail() {
    for message in [to_reply_address, to_our_mail, with_token] {
        let facts = Facts { sites: Vec::new(), ..facts() };
        let plan = plan_of(&message(STRANGER), &facts, None);
        assert_eq!(ended(&plan), "accepted/follow_up_linked");
        assert!(!has(&plan, "AddMessage Existing") && !has(&plan, "Queue"));
        assert_eq!(plan.story.ticket.linked_to, Some(7));
    }
}

#[test]
fn e_105_t_06_a_wrong_mac_is_no_evidence_and_is_flagged() {
    let forged_id = broken(our_id(7, 5).as_str());
    let forged_token = broken(&key_of_ours().body_token(7));
    let rows = [
        InboundMessage { in_reply_to: vec![id(&forged_id)], ..bare(CLAIRE) },
        InboundMessage { references: vec![id(&forged_id)], ..bare(CLAIRE) },
        InboundMessage { message_id: id(&forged_id), ..bare(CLAIRE) },
        InboundMessage { to: vec![named(&broken(&reply_address(7).address))], ..bare(CLAIRE) },
        InboundMessage {
            marks: Marks { tokens: vec![forged_token], ..Marks::default() },
            ..bare(CLAIRE)
        },
    ];
    for message in rows {
        let plan = plan_of(&message, &known(), Some(TicketRole::Requester));
        assert_eq!(ended(&plan), "accepted/ticket_created");
        assert_eq!(flags(&plan), ["forged_id"]);
    }
    let unsigned = InboundMessage { in_reply_to: vec![id("7@helpdesk.example")], ..bare(CLAIRE) };
    let plan = plan_of(&unsigned, &known(), Some(TicketRole::Requester));
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert!(flags(&plan).is_empty());
}

#[test]
fn another_guichet_s_marks_are_no_forgery() {
    let theirs = SigningKey::new('k', [9; 32]).expect("a key");
    let elsewhere = address("desk@other.example");
    let message = InboundMessage {
        in_reply_to: vec![our_id(7, 5)],
        references: vec![id(&theirs.message_id(7, 1, "other.example"))],
        cc: vec![named(&theirs.reply_address(7, &elsewhere).expect("it is short").to_string())],
        marks: Marks {
            tokens: vec![theirs.body_token(3), key_of_ours().body_token(7)],
            ..Marks::default()
        },
        ..bare(CLAIRE)
    };
    let plan = plan_of(&message, &known(), Some(TicketRole::Requester));
    assert_eq!(ended(&plan), "accepted/reply_added");
    assert!(flags(&plan).is_empty());
}

#[test]
fn e_106_t_04_staff_with_a_mark_good_or_bad_is_held_without_proof() {
    let forged =
        InboundMessage { in_reply_to: vec![id(&broken(our_id(7, 5).as_str()))], ..bare(AGENT) };
    for message in [to_reply_address(AGENT), to_our_mail(AGENT), with_token(AGENT), forged] {
        let plan = plan_of(&message, &facts(), None);
        assert_eq!(ended(&plan), "held/sender_not_participant");
        assert!(!has(&plan, "Queue") && !has(&plan, "AddMessage"));
    }
}

#[test]
fn e_112_the_reply_address_is_found_in_every_field() {
    let written = reply_address(7).address;
    let with = |header: &str| {
        let raw = format!(
            "From: {CLAIRE}\nTo: x@y.example\nMessage-ID: <a@b.example>\nDate: Mon, 5 Jan 2026 \
             12:00:00 +0000\n{header}\nSubject: Re: Printer\n\nIt works.\n"
        );
        crate::mail::read(raw.as_bytes()).expect("it can be read")
    };
    for name in [
        "Cc",
        "Delivered-To",
        "X-Delivered-To",
        "Envelope-To",
        "X-Envelope-To",
        "X-Original-To",
        "X-Forwarded-To",
        "X-Forwarded-For",
        "Resent-To",
    ] {
        let plan = plan_of(&with(&format!("{name}: {written}")), &known(), None);
        assert_eq!(plan.story.ticket.matched_by.as_deref(), Some("reply_address"), "{name}");
    }
    let received =
        format!("Received: from a by b with ESMTP id 1 for <{written}>; Mon, 5 Jan 2026");
    let plan = plan_of(&with(&received), &known(), None);
    assert_eq!(plan.story.ticket.matched_by.as_deref(), Some("reply_address"));
}

#[test]
fn e_111_e_113_what_a_relay_left_is_enough() {
    // The ids of our mail were replaced: the anchor of our References is still there.
    let anchor = InboundMessage {
        in_reply_to: vec![id("0102018f@relay.example")],
        references: vec![our_id(7, 0), id("0102018f@relay.example")],
        ..bare(CLAIRE)
    };
    let plan = plan_of(&anchor, &known(), Some(TicketRole::Requester));
    assert_eq!(plan.story.ticket.matched_by.as_deref(), Some("message_id"));
    let token = plan_of(&with_token(CLAIRE), &known(), Some(TicketRole::Requester));
    assert_eq!(ended(&token), "accepted/reply_added");
}

#[test]
fn m_79_v3_counts_only_when_it_is_used() {
    let mut policy = policy();
    policy.threading.use_body_token = false;
    let questions = ask(&with_token(CLAIRE), MAILBOX, &policy, &keys());
    assert!(questions.signed.tickets.is_empty());
    policy.threading.use_references = false;
    let by_reference = InboundMessage { references: vec![our_id(7, 0)], ..bare(CLAIRE) };
    assert!(ask(&by_reference, MAILBOX, &policy, &keys()).signed.tickets.is_empty());
    assert_eq!(ask(&to_our_mail(CLAIRE), MAILBOX, &policy, &keys()).signed.tickets.len(), 1);
}

#[test]
fn m_83_the_strongest_level_decides_and_in_it_the_order_of_the_table() {
    let questions = |message: &InboundMessage| ask(message, MAILBOX, &policy(), &keys()).signed;
    let message = InboundMessage {
        in_reply_to: vec![our_id(2, 5)],
        references: vec![our_id(4, 0), our_id(3, 0)],
        to: vec![reply_address(1)],
        marks: Marks { tokens: vec![key_of_ours().body_token(5)], ..Marks::default() },
        ..bare(CLAIRE)
    };
    let numbers: Vec<i64> = questions(&message).tickets.iter().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5], "V1, V2 from the newest back, V3");
    // V2 of a ticket that is not theirs goes before V4 of one that is.
    let foreign = TicketFacts {
        number: 9,
        site: default_site(),
        evidence: TicketEvidence::MessageId { id: our_id(9, 1) },
        ..ticket(None)
    };
    let own = ticket(Some(TicketRole::Requester));
    let token = TicketFacts { evidence: TicketEvidence::BodyToken, ..foreign.clone() };
    let by_id = plan(&reply(), &Facts { tickets: vec![foreign, own.clone()], ..known() });
    assert_eq!(ended(&by_id), "accepted/follow_up_linked");
    // V3 is of V4's level: whichever the sender may append to.
    let by_token = plan(&reply(), &Facts { tickets: vec![token, own], ..known() });
    assert_eq!(effects(&by_token), ["AddMessage Existing(7)"]);
}

#[test]
fn m_85_a_forward_to_a_reply_address_is_an_answer() {
    let subject = "Fwd: Printer".to_owned();
    let message = InboundMessage { subject: subject.clone(), ..to_reply_address(CLAIRE) };
    let answered = plan_of(&message, &known(), Some(TicketRole::Requester));
    assert_eq!(ended(&answered), "accepted/reply_added");
    let message = InboundMessage { subject, ..to_our_mail(CLAIRE) };
    let forwarded = plan_of(&message, &known(), Some(TicketRole::Requester));
    assert_eq!(ended(&forwarded), "accepted/follow_up_linked");
}

#[test]
fn e_120_an_answer_to_a_mail_about_no_ticket_opens_one() {
    let message = InboundMessage { in_reply_to: vec![our_id(0, 5)], ..bare(CLAIRE) };
    let plan = plan_of(&message, &known(), None);
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert!(flags(&plan).is_empty());
}

#[test]
fn e_130_m_71_an_answer_of_the_requester_s_through_a_list_is_a_person_s() {
    let list = signal(Strength::List, "M-71", "Precedence=list");
    for message in [to_reply_address, to_our_mail, with_token] {
        let listed = |from| InboundMessage { signals: vec![list.clone()], ..message(from) };
        let own = plan_of(&listed(CLAIRE), &known(), Some(TicketRole::Requester));
        assert_eq!(ended(&own), "accepted/reply_added");
        let foreign = plan_of(&listed(STRANGER), &Facts { sites: Vec::new(), ..facts() }, None);
        assert_eq!(ended(&foreign), "accepted/staff_ticket_created");
    }
}

#[test]
fn e_119_t_07_a_token_in_a_robot_s_text_counts_for_nothing() {
    let robot = "no-reply@myorg.example";
    let plan_for = |message| plan_of(&message, &known(), None);
    assert_eq!(ended(&plan_for(with_token(robot))), "accepted/staff_ticket_created");
    assert_eq!(ended(&plan_for(to_our_mail(robot))), "accepted/reply_added");
}

#[test]
fn e_119_t_07_our_marks_in_a_name_lead_nowhere() {
    let token = key_of_ours().body_token(7);
    let named = |name: &str| NamedAddress { name: Some(name.to_owned()), ..named(IDP) };
    for name in [token.as_str(), "[#7] Claire", "g1k.7.5.aaaa@helpdesk.example"] {
        let message = InboundMessage { from: vec![named(name)], ..mail_from(IDP) };
        let asked = ask(&message, MAILBOX, &policy(), &keys());
        assert!(asked.signed.tickets.is_empty() && asked.tagged.is_empty(), "{name}");
        let plan = plan(&message, &Facts { sites: Vec::new(), ..facts() });
        assert_eq!(ended(&plan), "accepted/staff_ticket_created", "{name}");
        assert!(!has(&plan, "AddMessage Existing") && !has(&plan, "LinkTickets"));
    }
}

/// A service that mails whom anybody names to it.
const IDP: &str = "no-reply@idp.example";

#[test]
fn m_55_a_machine_s_answer_is_noted_by_any_mark() {
    let auto = signal(Strength::Strong, "M-66", "Auto-Submitted=auto-replied");
    for message in [to_reply_address, to_our_mail, with_token] {
        let message = InboundMessage { signals: vec![auto.clone()], ..message(CLAIRE) };
        let plan = plan_of(&message, &known(), Some(TicketRole::Requester));
        assert_eq!(ended(&plan), "accepted/auto_reply_attached");
    }
}

#[test]
fn e_139_m_58_r_21_our_own_mail_coming_back_is_a_loop() {
    let key = key_of_ours();
    let field = |name: &str, value: String| InboundMessage {
        marks: Marks { fields: vec![header(name, &value)], ..Marks::default() },
        ..mail_from("forwarder@other.example")
    };
    let own_id = our_id(7, 5);
    for message in [
        InboundMessage { message_id: own_id.clone(), ..mail_from("forwarder@other.example") },
        field("X-Guichet-Message-ID", format!("<{own_id}>")),
        field("x-guichet-loop", key.loop_mark()),
    ] {
        let plan = plan(&message, &facts());
        assert_eq!(ended(&plan), "ignored/loop_detected");
        assert!(plan.effects.is_empty());
    }
    // E-154: what anybody can write means nothing.
    for message in [
        field("X-Guichet-Message-ID", format!("<{}>", broken(own_id.as_str()))),
        field("X-Guichet-Loop", broken(&key.loop_mark())),
        field("X-Guichet-Loop", "support".to_owned()),
    ] {
        let plan = plan(&message, &facts());
        assert_eq!(ended(&plan), "accepted/ticket_created");
        assert!(flags(&plan).is_empty());
    }
}

#[test]
fn m_57_a_probe_that_comes_back_in_time_shows_that_tags_arrive() {
    let probe = |from: &str, minutes: i64| {
        let sent_at = noon().as_second() - minutes * 60;
        let mark = key_of_ours().probe_mark(&address(DESK), sent_at);
        let fields = vec![header("X-Guichet-Probe", &mark)];
        plan(
            &InboundMessage { marks: Marks { fields, ..Marks::default() }, ..mail_from(from) },
            &facts(),
        )
    };
    for (minutes, counts) in [(0, true), (30, true), (31, false), (-9, true), (-11, false)] {
        let plan = probe(DESK, minutes);
        assert_eq!(ended(&plan), "ignored/own_message");
        assert_eq!(has(&plan, "NoteTags support probe"), counts, "{minutes} minutes");
    }
    assert!(!has(&probe(CLAIRE, 1), "NoteTags"), "not from an own address");
}

#[test]
fn m_79_a_mark_that_was_delivered_shows_that_tags_arrive() {
    let noted = |message: &InboundMessage| {
        let plan = plan_of(message, &known(), Some(TicketRole::Requester));
        has(&plan, "NoteTags support reply_address")
    };
    assert!(noted(&to_reply_address(CLAIRE)));
    let plain = vec![DESK.to_owned()];
    let written = InboundMessage { delivered_to: plain, ..to_reply_address(CLAIRE) };
    assert!(!noted(&written), "it was delivered to the plain address");
    let both = InboundMessage {
        delivered_to: Vec::new(),
        cc: vec![named(DESK)],
        ..to_reply_address(CLAIRE)
    };
    assert!(!noted(&both), "it may have been delivered to the plain address");
    let only = InboundMessage { cc: Vec::new(), ..both };
    assert!(noted(&only));
    assert_eq!(TagsSeen::ReplyAddress.as_str(), "reply_address");
}

#[test]
fn m_76b_m_81_what_staff_send_to_their_reply_address_is_held_until_it_can_be_proven() {
    // That of somebody else of the staff.
    let (mailbox, other) = (address(DESK), key("otto@helpdesk.example"));
    let written = key_of_ours().agent_address(7, &other, &mailbox).expect("it is short");
    let message = |from| InboundMessage { to: vec![named(&written.to_string())], ..bare(from) };
    assert_eq!(ended(&plan_of(&message(AGENT), &facts(), None)), "held/sender_not_participant");
    assert_eq!(ended(&plan_of(&message(CLAIRE), &known(), None)), "accepted/ticket_created");
}

#[test]
fn m_90_the_token_is_not_shown_as_text() {
    let token = key_of_ours().body_token(7);
    let message = InboundMessage {
        text: format!("It works now.\n\nYour request was received.\n\n{token}\n"),
        ..with_token(CLAIRE)
    };
    let plan = plan_of(&message, &known(), Some(TicketRole::Requester));
    assert!(!plan.reply.visible.contains("[g1"), "{}", plan.reply.visible);
    assert!(plan.reply.visible.starts_with("It works now."));
}
