//! Which ticket: E-102…E-123.

use jiff::SignedDuration;

use super::*;
use crate::triage::facts::{FoundIn, TicketEvidence, TicketStatus};
use crate::triage::plan::{MessageAuthor, TicketRef};
use crate::triage::policy::SenderCheck;

fn from_stranger() -> (InboundMessage, Facts) {
    let message = InboundMessage { from: vec![named(STRANGER)], ..reply() };
    let facts = Facts { user: None, sites: Vec::new(), ..about_ticket(None) };
    (message, facts)
}

fn closed(days: i64) -> Facts {
    let closed = TicketFacts {
        status: TicketStatus::Closed,
        closed_at: Some(noon() - SignedDuration::from_hours(24 * days)),
        ..ticket(Some(TicketRole::Requester))
    };
    Facts { tickets: vec![closed], ..about_ticket(None) }
}

fn by(message: InboundMessage, from: &str) -> InboundMessage {
    InboundMessage { from: vec![named(from)], ..message }
}

#[test]
fn e_102_whoever_has_a_part_in_a_ticket_may_append_to_it() {
    for role in [TicketRole::Requester, TicketRole::Participant, TicketRole::Correspondent] {
        let plan = plan(&reply(), &about_ticket(Some(role)));
        assert_eq!(ended(&plan), "accepted/reply_added", "{role:?}");
        assert_eq!(effects(&plan), ["AddMessage Existing(7)"]);
        assert_eq!(plan.story.ticket.number, Some(7));
        assert_eq!(plan.story.ticket.matched_by.as_deref(), Some("reference"));
    }
}

#[test]
fn m_80_a_colleague_of_the_ticket_s_site_may_append_by_default() {
    let mut policy = policy();
    assert_eq!(ended(&plan_by(&reply(), &about_ticket(None), &policy)), "accepted/reply_added");
    policy.threading.sender_check = SenderCheck::Participants;
    let plan = plan_by(&reply(), &about_ticket(None), &policy);
    assert_eq!(ended(&plan), "accepted/follow_up_linked");
}

#[test]
fn m_80_a_sender_without_an_account_counts_as_of_the_site_of_their_address() {
    let message = by(reply(), "bob@myorg.example");
    let facts = Facts { user: None, ..about_ticket(None) };
    let plan = plan(&message, &facts);
    assert_eq!(ended(&plan), "accepted/reply_added");
    assert!(has(&plan, "CreateUser bob@myorg.example"));
}

#[test]
fn m_80_the_default_site_is_nobody_s_own() {
    let at_default = TicketFacts { site: default_site(), ..ticket(None) };
    let facts =
        Facts { user: None, sites: Vec::new(), tickets: vec![at_default], ..about_ticket(None) };
    let plan = plan(&by(reply(), STRANGER), &facts);
    assert_eq!(ended(&plan), "accepted/follow_up_linked");
}

#[test]
fn m_80_anyone_may_append_when_so_configured() {
    let (message, facts) = from_stranger();
    let mut policy = policy();
    policy.threading.sender_check = SenderCheck::Anyone;
    let plan = plan_by(&message, &facts, &policy);
    assert_eq!(ended(&plan), "accepted/reply_added");
    assert!(has(&plan, "CreateUser eve@evil.example"));
}

#[test]
fn e_103_t_02_a_stranger_gets_a_ticket_of_their_own_and_no_mail() {
    let (message, facts) = from_stranger();
    let plan = plan(&message, &facts);
    assert_eq!(ended(&plan), "accepted/follow_up_linked");
    assert_eq!(
        effects(&plan),
        [
            "CreateUser eve@evil.example",
            "OpenTicket site-0",
            "AddMessage New",
            "LinkTickets 7",
            "WithholdCredentials M-81",
        ]
    );
    assert_eq!((plan.story.ticket.number, plan.story.ticket.linked_to), (None, Some(7)));
}

#[test]
fn e_104_t_05_numbers_guessed_by_a_stranger_touch_no_ticket() {
    let subject: String = (1..=999).map(|number| format!("[#{number}]")).collect();
    let message = InboundMessage { subject, ..mail_from(STRANGER) };
    let tagged =
        |number| TicketFacts { number, evidence: TicketEvidence::SubjectTag, ..ticket(None) };
    let tickets = (1..=10).map(tagged).collect();
    let plan = plan(&message, &Facts { tickets, sites: Vec::new(), ..facts() });
    assert_eq!(ended(&plan), "accepted/follow_up_linked");
    assert!(!has(&plan, "AddMessage Existing"));
    assert!(!has(&plan, "Queue"));
}

#[test]
fn e_106_t_04_staff_with_evidence_and_no_proof_is_held() {
    for role in [None, Some(TicketRole::Correspondent), Some(TicketRole::Participant)] {
        let plan = plan(&by(reply(), AGENT), &Facts { user: None, ..about_ticket(role) });
        assert_eq!(ended(&plan), "held/sender_not_participant", "{role:?}");
        assert!(plan.effects.is_empty());
    }
}

#[test]
fn e_73_staff_without_evidence_open_their_own_ticket_and_may_answer_on_it() {
    let opened = plan(&mail_from(AGENT), &facts());
    assert_eq!(ended(&opened), "accepted/ticket_created");
    assert!(!has(&opened, "Queue credentials"));
    assert!(has(&opened, "WithholdCredentials C-08"));
    let answered = plan(
        &by(reply(), AGENT),
        &Facts { user: None, ..about_ticket(Some(TicketRole::Requester)) },
    );
    assert_eq!(ended(&answered), "accepted/reply_added");
}

#[test]
fn e_108_the_first_ticket_that_the_sender_may_append_to() {
    let foreign = TicketFacts { number: 3, site: default_site(), ..ticket(None) };
    let own = TicketFacts {
        evidence: TicketEvidence::Reference {
            id: id("second@mail.example"),
            found_in: FoundIn::References,
            seen: false,
        },
        ..ticket(Some(TicketRole::Requester))
    };
    let plan = plan(&reply(), &Facts { tickets: vec![foreign, own], ..about_ticket(None) });
    assert_eq!(effects(&plan), ["AddMessage Existing(7)"]);
}

#[test]
fn m_83_an_id_on_several_tickets_leads_to_the_one_with_the_latest_message() {
    let own = ticket(Some(TicketRole::Requester));
    let newer = TicketFacts {
        number: 8,
        last_message_at: noon() - hours(1),
        evidence: TicketEvidence::Reference {
            id: id("root@mail.example"),
            found_in: FoundIn::InReplyTo,
            seen: false,
        },
        ..own.clone()
    };
    let plan = plan(&reply(), &Facts { tickets: vec![own, newer], ..about_ticket(None) });
    assert_eq!(effects(&plan), ["AddMessage Existing(8)"]);
}

#[test]
fn t_02_a_stranger_who_names_an_id_and_has_its_people_in_cc_draws_no_answers() {
    let lure = TicketFacts {
        number: 8,
        last_message_at: noon() - hours(1),
        evidence: TicketEvidence::Reference {
            id: id("root@mail.example"),
            found_in: FoundIn::InReplyTo,
            seen: false,
        },
        ..ticket(Some(TicketRole::Correspondent))
    };
    for role in [Some(TicketRole::Requester), Some(TicketRole::Correspondent), None] {
        let facts = Facts { tickets: vec![lure.clone(), ticket(role)], ..about_ticket(None) };
        assert_eq!(effects(&plan(&reply(), &facts)), ["AddMessage Existing(7)"], "{role:?}");
    }
}

#[test]
fn m_83_a_reference_decides_before_a_subject_tag() {
    let tagged = TicketFacts {
        number: 9,
        evidence: TicketEvidence::SubjectTag,
        ..ticket(Some(TicketRole::Requester))
    };
    let facts = Facts { tickets: vec![ticket(None), tagged.clone()], ..about_ticket(None) };
    let mut policy = policy();
    policy.threading.sender_check = SenderCheck::Participants;
    let plan = plan_by(&reply(), &facts, &policy);
    assert_eq!(ended(&plan), "accepted/follow_up_linked");
    let alone = Facts { tickets: vec![tagged], ..about_ticket(None) };
    let by_tag = plan_by(&reply(), &alone, &policy);
    assert_eq!(effects(&by_tag), ["AddMessage Existing(9)"]);
    assert_eq!(by_tag.story.ticket.matched_by.as_deref(), Some("subject_tag"));
}

#[test]
fn m_79_v5_counts_only_with_proof_where_proof_can_be_had() {
    let tagged =
        TicketFacts { evidence: TicketEvidence::SubjectTag, ..ticket(Some(TicketRole::Requester)) };
    let policy = trusting_policy();
    let facts = Facts { tickets: vec![tagged], ..about_ticket(None) };
    assert_eq!(ended(&plan_by(&reply(), &facts, &policy)), "accepted/ticket_created");
    let proven = verified_as("dmarc=pass header.from=myorg.example", reply());
    assert_eq!(ended(&plan_by(&proven, &facts, &policy)), "accepted/reply_added");
    let other = verified_as("dmarc=pass header.from=evil.example", reply());
    assert_eq!(ended(&plan_by(&other, &facts, &policy)), "accepted/ticket_created");
}

#[test]
fn t_05_m_36_a_form_proves_not_who_filled_it_in() {
    let tagged =
        TicketFacts { evidence: TicketEvidence::SubjectTag, ..ticket(Some(TicketRole::Requester)) };
    let mut policy = trusting_policy();
    policy.users.reply_to_senders = list(&["form@web.example"]);
    let facts = Facts { tickets: vec![tagged], ..about_ticket(None) };
    let form = InboundMessage {
        from: vec![named("form@web.example")],
        reply_to: vec![named(CLAIRE)],
        ..reply()
    };
    let form = verified_as("dmarc=pass header.from=web.example", form);
    let plan = plan_by(&form, &facts, &policy);
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert!(plan.story.steps.iter().any(|step| step.said.contains("named in `reply-to`")));
}

#[test]
fn e_109_e_110_an_id_never_seen_joins_those_who_belong_together_and_accuses_nobody() {
    let unseen = |role| TicketFacts {
        evidence: TicketEvidence::Reference {
            id: id("bulk@mail.example"),
            found_in: FoundIn::References,
            seen: false,
        },
        ..ticket(role)
    };
    let own = Facts { tickets: vec![unseen(Some(TicketRole::Requester))], ..about_ticket(None) };
    assert_eq!(ended(&plan(&reply(), &own)), "accepted/reply_added");
    let (message, facts) = from_stranger();
    let of_stranger = Facts { tickets: vec![unseen(None)], ..facts };
    // A colleague who answers the same bulk mail has a request of their own.
    let of_colleague = Facts { tickets: vec![unseen(None)], ..about_ticket(None) };
    for (message, facts) in [(message, of_stranger), (reply(), of_colleague)] {
        for check in [SenderCheck::Anyone, SenderCheck::Participants, SenderCheck::Site] {
            let mut policy = policy();
            policy.threading.sender_check = check;
            let plan = plan_by(&message, &facts, &policy);
            assert_eq!(ended(&plan), "accepted/ticket_created", "{check:?}");
            assert!(has(&plan, "Queue ticket_received"));
            assert_eq!(plan.story.ticket.linked_to, None);
        }
    }
}

#[test]
fn m_83b_a_late_parent_joins_the_ticket_of_its_reply() {
    let by_own_id = TicketFacts {
        evidence: TicketEvidence::Reference {
            id: id("new@mail.example"),
            found_in: FoundIn::OwnId,
            seen: false,
        },
        ..ticket(Some(TicketRole::Requester))
    };
    let of_colleague = TicketFacts { sender_role: None, ..by_own_id.clone() };
    for ticket in [by_own_id, of_colleague] {
        let facts = Facts { tickets: vec![ticket], ..about_ticket(None) };
        assert_eq!(ended(&plan(&mail_from(CLAIRE), &facts)), "accepted/reply_added");
    }
}

#[test]
fn e_114_m_84_nothing_but_evidence_threads() {
    let facts = Facts { user: Some(claire()), ..facts() };
    let message = InboundMessage { subject: "Re: Printer".to_owned(), ..mail_from(CLAIRE) };
    assert_eq!(ended(&plan(&message, &facts)), "accepted/ticket_created");
}

#[test]
fn e_122_of_several_ids_in_in_reply_to_the_first_that_fits_decides() {
    let evidence = |written: &str| TicketEvidence::Reference {
        id: id(written),
        found_in: FoundIn::InReplyTo,
        seen: true,
    };
    let of = |number, written: &str, role| TicketFacts {
        number,
        evidence: evidence(written),
        site: default_site(),
        ..ticket(role)
    };
    let message = InboundMessage {
        in_reply_to: ["unknown@x.example", "foreign@x.example", "own@x.example", "later@x.example"]
            .map(id)
            .to_vec(),
        references: Vec::new(),
        ..reply()
    };
    let asked = ask(&message, MAILBOX, &policy(), &keys()).references;
    assert!(asked[1..].iter().all(|one| one.found_in == FoundIn::InReplyTo));
    assert_eq!(asked.len(), 5);
    let requester = Some(TicketRole::Requester);
    let tickets = vec![
        of(3, "foreign@x.example", None),
        of(7, "own@x.example", requester),
        of(8, "later@x.example", requester),
    ];
    let plan = plan(&message, &Facts { tickets, ..about_ticket(None) });
    assert_eq!(effects(&plan), ["AddMessage Existing(7)"]);
}

#[test]
fn e_123_a_changed_subject_threads_all_the_same() {
    let message = InboundMessage { subject: "Something else".to_owned(), ..reply() };
    let facts = about_ticket(Some(TicketRole::Requester));
    assert_eq!(ended(&plan(&message, &facts)), "accepted/reply_added");
}

#[test]
fn e_117_closed_a_short_time_ago_reopens_later_is_a_ticket_that_follows() {
    for days in [3, 14] {
        let reopened = plan(&reply(), &closed(days));
        assert_eq!(ended(&reopened), "accepted/ticket_reopened");
        assert_eq!(effects(&reopened), ["ReopenTicket 7", "AddMessage Existing(7)"]);
    }
    let message = InboundMessage { subject: "Re: [#7] Printer".to_owned(), ..reply() };
    let follows = plan(&message, &closed(20));
    assert_eq!(ended(&follows), "accepted/follow_up_linked");
    assert!(has(&follows, "LinkTickets 7"));
    assert!(has(&follows, "Queue ticket_received"));
    let subject = follows.effects.iter().find_map(|effect| match effect {
        Effect::OpenTicket(ticket) => Some(ticket.subject.as_str()),
        _ => None,
    });
    assert_eq!(subject, Some("Re: Printer"));
}

#[test]
fn m_86_a_backlog_reopens_by_the_time_it_arrived() {
    let facts = Facts { now: noon() + hours(24 * 30), ..closed(3) };
    assert_eq!(ended(&plan(&reply(), &facts)), "accepted/ticket_reopened");
}

#[test]
fn m_55_a_ticket_that_waits_is_open_again_once_answered() {
    let mut facts = about_ticket(Some(TicketRole::Requester));
    facts.tickets[0].status = TicketStatus::Pending;
    let plan = plan(&reply(), &facts);
    assert_eq!(ended(&plan), "accepted/reply_added");
    assert!(has(&plan, "ReopenTicket 7"));
}

#[test]
fn e_118_m_85_a_forward_is_a_new_ticket_linked_if_the_sender_may_append() {
    for subject in ["Fwd: Printer", "WG: Printer"] {
        let message = InboundMessage { subject: subject.to_owned(), ..reply() };
        let own = plan(&message, &about_ticket(Some(TicketRole::Requester)));
        assert_eq!(ended(&own), "accepted/follow_up_linked", "{subject}");
        assert!(has(&own, "Queue ticket_received"));
        let (from_stranger, facts) = from_stranger();
        let message = InboundMessage { subject: subject.to_owned(), ..from_stranger };
        let foreign = plan(&message, &facts);
        assert_eq!(ended(&foreign), "accepted/ticket_created", "{subject}");
        assert!(!has(&foreign, "LinkTickets"));
    }
}

#[test]
fn e_119_t_07_a_robot_s_mail_is_for_staff_and_changes_nothing_of_a_ticket() {
    let robot = by(reply(), "no-reply@myorg.example");
    let nothing = plan(&robot, &Facts { tickets: Vec::new(), ..about_ticket(None) });
    assert_eq!(ended(&nothing), "accepted/staff_ticket_created");
    let tagged = TicketFacts { evidence: TicketEvidence::SubjectTag, ..ticket(None) };
    let by_tag = plan(&robot, &Facts { user: None, tickets: vec![tagged], ..facts() });
    assert_eq!(ended(&by_tag), "accepted/staff_ticket_created");
    let own = Facts { user: None, ..closed(1) };
    let own = plan(&robot, &own);
    assert_eq!(effects(&own), ["AddMessage Existing(7)"]);
}

#[test]
fn m_80_t_03_whom_the_requester_writes_to_becomes_a_correspondent_and_no_more() {
    let message = InboundMessage {
        cc: vec![named("Bob@other.example"), named("broken"), named(DESK)],
        ..reply()
    };
    let people = |facts: &Facts| {
        let plan = plan(&message, facts);
        plan.effects
            .iter()
            .find_map(|effect| match effect {
                Effect::AddMessage(message) => Some(message.people.clone()),
                _ => None,
            })
            .expect("the message is added")
    };
    let bob = (key("bob@other.example"), TicketRole::Correspondent);
    assert_eq!(people(&about_ticket(Some(TicketRole::Requester))), std::slice::from_ref(&bob));
    assert_eq!(people(&about_ticket(Some(TicketRole::Participant))), std::slice::from_ref(&bob));
    assert!(people(&about_ticket(Some(TicketRole::Correspondent))).is_empty());
    let claire = (key(CLAIRE), TicketRole::Requester);
    assert_eq!(people(&Facts { tickets: Vec::new(), ..about_ticket(None) }), [claire, bob]);
}

#[test]
fn m_87_all_ids_are_stored_the_message_s_own_first() {
    let message = InboundMessage {
        references: vec![id("older@mail.example"), id("root@mail.example")],
        ..reply()
    };
    let plan = plan(&message, &about_ticket(Some(TicketRole::Requester)));
    let Some(Effect::AddMessage(added)) = plan.effects.first() else { panic!("a message") };
    let ids: Vec<&str> = added.ids.iter().map(|id| id.as_str()).collect();
    assert_eq!(ids, ["new@mail.example", "root@mail.example", "older@mail.example"]);
    assert_eq!(added.ticket, TicketRef::Existing(7));
    let claire = UserRef::Existing("user-claire".to_owned());
    assert_eq!(added.author, MessageAuthor::Person(Some(claire)));
}
