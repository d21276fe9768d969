//! Machines, lists, loops and limits: E-72, E-126…E-142.

use super::*;
use crate::mail::{Bounce, BouncedRecipient, MachineReport, Strength};
use crate::triage::facts::{BouncedMail, Room, TicketStatus};
use crate::triage::plan::{Kind, MessageAuthor};
use crate::triage::policy::{AutoReplyFilter, BounceFilter, MachineFilter};

fn marked(
    message: InboundMessage,
    strength: Strength,
    rule: &'static str,
    said: &str,
) -> InboundMessage {
    InboundMessage { signals: vec![signal(strength, rule, said)], ..message }
}

fn vacation() -> InboundMessage {
    marked(reply(), Strength::Strong, "M-66", "Auto-Submitted=auto-replied")
}

fn backup_report() -> InboundMessage {
    let report = mail_from("backup@myorg.example");
    marked(report, Strength::Strong, "M-66", "Auto-Submitted=auto-generated")
}

fn newsletter() -> InboundMessage {
    marked(mail_from("news@myorg.example"), Strength::List, "M-71", "List-Id=news.myorg.example")
}

fn bounce(recipients: &[(&str, Option<&str>, Option<&str>)]) -> InboundMessage {
    let recipient =
        |(address, action, status): &(&str, Option<&str>, Option<&str>)| BouncedRecipient {
            address: (*address).to_owned(),
            action: action.map(str::to_owned),
            status: status.map(str::to_owned),
            diagnostic: Some("smtp; User unknown".to_owned()),
        };
    let bounce = Bounce {
        recipients: recipients.iter().map(recipient).collect(),
        original_message_id: Some(id("ours@helpdesk.example")),
        given_message_id: None,
        evidence: vec!["M-59 message/delivery-status".to_owned()],
    };
    let report = Some(MachineReport::Bounce(bounce));
    InboundMessage { report, ..mail_from("mailer-daemon@myorg.example") }
}

fn our_mail_bounced(ticket: Option<i64>) -> Facts {
    let bounced =
        BouncedMail { outbox: 12, template: "ticket_received".to_owned(), to: key(CLAIRE), ticket };
    Facts { bounced: Some(bounced), ..facts() }
}

fn kind_of(plan: &Plan) -> Option<Kind> {
    plan.story.kind
}

#[test]
fn e_72_mail_of_our_own_is_ignored() {
    for own in [DESK, "SUPPORT+x@helpdesk.example"] {
        let plan = plan(&mail_from(own), &facts());
        assert_eq!(ended(&plan), "ignored/own_message", "{own}");
        assert_eq!(kind_of(&plan), Some(Kind::Own));
        assert!(plan.effects.is_empty());
    }
    let like_ours = plan(&mail_from("discuss-support@helpdesk.example"), &facts());
    assert_eq!(ended(&like_ours), "accepted/ticket_created");
}

#[test]
fn e_139_m_58_an_x_loop_of_ours_is_a_loop() {
    let looped = |value: &str| {
        let mut message = mail_from(CLAIRE);
        message.headers.push(header("X-Loop", value));
        ended(&plan(&message, &facts()))
    };
    assert_eq!(looped(DESK), "ignored/loop_detected");
    assert_eq!(looped("x <support+1@helpdesk.example>"), "ignored/loop_detected");
    assert_eq!(looped("list@other.example"), "accepted/ticket_created");
}

#[test]
fn m_58_r_21_over_fifty_received_fields_are_a_loop() {
    let hops = |received| plan(&InboundMessage { received, ..mail_from(CLAIRE) }, &facts());
    assert_eq!(ended(&hops(50)), "accepted/ticket_created");
    assert_eq!(ended(&hops(51)), "ignored/loop_detected");
}

#[test]
fn e_140_a_growing_subject_is_a_loop() {
    let echo = "Automated Response: Re: ";
    let echoed = |times: usize| {
        let subject = format!("{}Printer", echo.repeat(times));
        ended(&plan(&InboundMessage { subject, ..mail_from(CLAIRE) }, &facts()))
    };
    assert_eq!(echoed(2), "accepted/ticket_created");
    assert_eq!(echoed(3), "ignored/loop_detected");
}

#[test]
fn e_126_an_automatic_reply_is_a_note_on_its_ticket_and_changes_nothing_else() {
    let plan = plan(&vacation(), &about_ticket(Some(TicketRole::Requester)));
    assert_eq!(ended(&plan), "accepted/auto_reply_attached");
    assert_eq!(kind_of(&plan), Some(Kind::AutoReply));
    let [Effect::AddMessage(note)] = plan.effects.as_slice() else { panic!("only a note") };
    assert_eq!(note.author, MessageAuthor::Machine);
    assert!(note.people.is_empty());
    assert_eq!(plan.counts, None);
}

#[test]
fn e_126_an_automatic_reply_without_a_ticket_of_its_sender_is_ignored() {
    assert_eq!(ended(&plan(&vacation(), &facts())), "ignored/auto_reply");
    let (message, facts) = (
        InboundMessage { from: vec![named(STRANGER)], ..vacation() },
        Facts { user: None, sites: Vec::new(), ..about_ticket(None) },
    );
    assert_eq!(ended(&plan(&message, &facts)), "ignored/auto_reply");
}

#[test]
fn m_55_filters_auto_reply_may_ignore_or_open_a_ticket() {
    let mut policy = policy();
    policy.filters.auto_reply = AutoReplyFilter::Ignore;
    let noted = about_ticket(Some(TicketRole::Requester));
    assert_eq!(ended(&plan_by(&vacation(), &noted, &policy)), "ignored/auto_reply");
    policy.filters.auto_reply = AutoReplyFilter::Ticket;
    assert_eq!(ended(&plan_by(&vacation(), &noted, &policy)), "accepted/auto_reply_attached");
    let plan = plan_by(&vacation(), &facts(), &policy);
    assert_eq!(ended(&plan), "accepted/staff_ticket_created");
    assert_eq!(effects(&plan), ["OpenTicket site-1", "AddMessage New"]);
}

#[test]
fn e_127_suppress_alone_is_a_person_without_acknowledgement() {
    let mut message =
        marked(mail_from(CLAIRE), Strength::Weak, "M-69", "X-Auto-Response-Suppress=All");
    message.headers.push(header("X-Auto-Response-Suppress", "DR, All"));
    let plan = plan(&message, &facts());
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert_eq!(kind_of(&plan), Some(Kind::Person));
    assert!(!has(&plan, "Queue ticket_received"));
}

#[test]
fn e_128_two_weak_marks_are_automatic_one_is_not() {
    let weak = signal(Strength::Weak, "M-70", "subject Out of office reply");
    let one = InboundMessage { signals: vec![weak.clone()], ..mail_from(CLAIRE) };
    assert_eq!(kind_of(&plan(&one, &facts())), Some(Kind::Person));
    let suppress = signal(Strength::Weak, "M-69", "X-Auto-Response-Suppress=All");
    let two = InboundMessage { signals: vec![weak, suppress], ..mail_from(CLAIRE) };
    assert_eq!(ended(&plan(&two, &facts())), "ignored/auto_reply");
}

#[test]
fn m_55_a_machine_s_report_opens_a_ticket_for_staff_without_user_or_mail() {
    let plan = plan(&backup_report(), &facts());
    assert_eq!(ended(&plan), "accepted/staff_ticket_created");
    assert_eq!(effects(&plan), ["OpenTicket site-1", "AddMessage New"]);
    let Some(Effect::OpenTicket(ticket)) = plan.effects.first() else { panic!("a ticket") };
    assert!(ticket.staff_only && ticket.user.is_none());
    assert!(plan.story.user.is_none() && plan.story.outgoing.is_empty());
    assert_eq!(plan.counts, Some(key("backup@myorg.example")));
}

#[test]
fn m_55_a_machine_s_report_joins_its_thread() {
    let report = InboundMessage { in_reply_to: vec![id("root@mail.example")], ..backup_report() };
    let facts = Facts { user: None, ..about_ticket(Some(TicketRole::Requester)) };
    assert_eq!(ended(&plan(&report, &facts)), "accepted/auto_reply_attached");
}

#[test]
fn m_55_filters_auto_generated_and_list_may_ignore() {
    let mut policy = policy();
    policy.filters.auto_generated = MachineFilter::Ignore;
    policy.filters.list = MachineFilter::Ignore;
    assert_eq!(ended(&plan_by(&backup_report(), &facts(), &policy)), "ignored/auto_generated");
    assert_eq!(ended(&plan_by(&newsletter(), &facts(), &policy)), "ignored/mailing_list");
}

#[test]
fn e_130_t_20_a_list_opens_a_ticket_for_staff_without_user_or_mail() {
    let plan = plan(&newsletter(), &facts());
    assert_eq!(ended(&plan), "accepted/staff_ticket_created");
    assert_eq!(kind_of(&plan), Some(Kind::List));
    assert_eq!(effects(&plan), ["OpenTicket site-1", "AddMessage New"]);
    assert_eq!(plan.counts, None);
}

#[test]
fn m_39_a_list_that_we_sit_behind_is_no_list() {
    let message = InboundMessage {
        headers: vec![header("X-Mailman-Version", "2.1"), header("X-BeenThere", DESK)],
        ..marked(mail_from(CLAIRE), Strength::List, "M-71", "X-BeenThere")
    };
    let plan = plan(&message, &facts());
    assert_eq!(ended(&plan), "accepted/ticket_created");
    assert!(has(&plan, "WithholdCredentials C-01"));
}

#[test]
fn e_131_a_vacation_answer_reopens_nothing_and_is_not_answered() {
    let mut facts = about_ticket(Some(TicketRole::Requester));
    facts.tickets[0].status = TicketStatus::Closed;
    facts.tickets[0].closed_at = Some(noon() - hours(1));
    let plan = plan(&vacation(), &facts);
    assert_eq!(ended(&plan), "accepted/auto_reply_attached");
    assert_eq!(effects(&plan), ["AddMessage Existing(7)"]);
}

#[test]
fn e_132_m_65_a_bounce_of_our_mail_is_noted_and_weighed() {
    let rows = [
        (vec![(CLAIRE, Some("failed"), Some("5.1.1"))], "Permanent"),
        (vec![(CLAIRE, Some("failed"), Some("4.4.1"))], "Temporary"),
        (vec![(CLAIRE, Some("failed"), Some("5.2.2"))], "Temporary"),
        (vec![(CLAIRE, Some("failed"), None)], "Temporary"),
        (vec![(CLAIRE, None, Some("5.1.1"))], "Permanent"),
        (vec![(CLAIRE, Some("delayed"), Some("4.4.7"))], "Delayed"),
        // E-151: any 4.x makes it temporary.
        (
            vec![(CLAIRE, Some("failed"), Some("5.1.1")), (CLAIRE, Some("failed"), Some("4.2.1"))],
            "Temporary",
        ),
        (
            vec![
                (CLAIRE, Some("failed"), Some("5.1.1")),
                ("x@x.example", Some("failed"), Some("4.2.1")),
            ],
            "Permanent",
        ),
    ];
    for (recipients, expected) in rows {
        let plan = plan(&bounce(&recipients), &our_mail_bounced(Some(7)));
        assert_eq!(ended(&plan), "accepted/bounce_attached");
        let expected = [format!("RecordBounce {expected}"), "AddMessage Existing(7)".to_owned()];
        assert_eq!(effects(&plan), expected, "{recipients:?}");
    }
}

#[test]
fn e_135_a_bounce_of_a_mail_without_a_ticket_is_only_recorded() {
    let message = bounce(&[(CLAIRE, Some("failed"), Some("5.1.1"))]);
    let plan = plan(&message, &our_mail_bounced(None));
    assert_eq!(ended(&plan), "accepted/bounce_attached");
    assert_eq!(effects(&plan), ["RecordBounce Permanent"]);
}

#[test]
fn e_135_m_65_a_bounce_of_credentials_is_recorded_and_never_answered() {
    let bounced = BouncedMail {
        outbox: 12,
        template: "credentials".to_owned(),
        to: key(CLAIRE),
        ticket: Some(7),
    };
    let message = bounce(&[(CLAIRE, Some("failed"), Some("5.1.1"))]);
    let plan = plan(&message, &Facts { bounced: Some(bounced), ..facts() });
    // The store keeps by the record that credentials came back (C-12).
    assert_eq!(effects(&plan), ["RecordBounce Permanent", "AddMessage Existing(7)"]);
}

#[test]
fn e_136_t_19_an_unmatched_bounce_changes_nothing() {
    let plan = plan(&bounce(&[(CLAIRE, Some("failed"), Some("5.1.1"))]), &facts());
    assert_eq!(ended(&plan), "ignored/bounce_unmatched");
    assert_eq!(kind_of(&plan), Some(Kind::Bounce));
    assert!(plan.effects.is_empty());
}

#[test]
fn m_55_filters_bounce_may_keep_it_off_the_ticket() {
    let mut policy = policy();
    policy.filters.bounce = BounceFilter::Ignore;
    let message = bounce(&[(CLAIRE, Some("failed"), Some("5.1.1"))]);
    let plan = plan_by(&message, &our_mail_bounced(Some(7)), &policy);
    assert_eq!(ended(&plan), "ignored/bounce_unmatched");
    assert_eq!(effects(&plan), ["RecordBounce Permanent"]);
}

#[test]
fn e_138_m_68_a_challenge_shaped_as_a_bounce_is_an_automatic_reply() {
    let challenge = marked(
        bounce(&[(CLAIRE, Some("failed"), Some("5.1.1"))]),
        Strength::Strong,
        "M-68",
        "X-Boxbe-Notice, please reply",
    );
    let plan = plan(&challenge, &our_mail_bounced(Some(7)));
    assert_eq!(kind_of(&plan), Some(Kind::AutoReply));
    assert!(!has(&plan, "RecordBounce"));
}

#[test]
fn e_145_r_25_a_report_makes_nothing() {
    let report = MachineReport::Report { what: "mdn", evidence: "M-60 mdn".to_owned() };
    let message = InboundMessage { report: Some(report), ..mail_from(CLAIRE) };
    let plan = plan(&message, &facts());
    assert_eq!(ended(&plan), "ignored/report");
    assert_eq!(plan.story.kind_evidence, ["M-60 mdn"]);
    assert!(plan.effects.is_empty());
}

#[test]
fn e_142_beyond_the_limits_a_message_waits() {
    let until = noon() + hours(1);
    for room in [
        Room { sender: Some(until), ..Room::default() },
        Room { domain: Some(until), ..Room::default() },
        Room { domain: Some(until), sender: Some(noon()), ..Room::default() },
    ] {
        let facts = Facts { room, ..facts() };
        for message in [mail_from(CLAIRE), backup_report()] {
            let plan = plan(&message, &facts);
            assert_eq!(plan.verdict, Verdict::Deferred { until });
            assert!(plan.effects.is_empty());
            assert_eq!(plan.counts, None);
        }
        // Only what a person or a machine of its own accord writes counts (M-01).
        assert_eq!(ended(&plan(&newsletter(), &facts)), "accepted/staff_ticket_created");
        assert_eq!(ended(&plan(&vacation(), &facts)), "ignored/auto_reply");
    }
    assert_eq!(plan(&mail_from(CLAIRE), &facts()).counts, Some(key(CLAIRE)));
}
