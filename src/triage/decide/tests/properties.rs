//! What holds of every plan.

use proptest::prelude::*;

use super::*;
use crate::mail::{Bounce, MachineReport, ReturnPath, Strength};
use crate::triage::facts::{
    BouncedMail, CredentialsState, FoundIn, Room, TicketEvidence, TicketStatus, UserFacts,
    UserStatus,
};
use crate::triage::plan::{Kind, Outcome};
use crate::triage::policy::SenderCheck;

fn some_message() -> impl Strategy<Value = InboundMessage> {
    let from = prop::sample::select(vec![
        CLAIRE,
        STRANGER,
        AGENT,
        DESK,
        "no-reply@myorg.example",
        "nobody",
        "claire@gmail.com",
    ]);
    let marks = prop::sample::select(vec![
        None,
        Some((Strength::Strong, "M-66", "Auto-Submitted=auto-replied")),
        Some((Strength::Strong, "M-66", "Auto-Submitted=auto-generated")),
        Some((Strength::Weak, "M-69", "X-Loop")),
        Some((Strength::List, "M-71", "List-Id=x")),
    ]);
    let subject = "(Re: |Fwd: |\\[#7\\] )?\\PC{0,20}";
    (from, marks, subject, any::<[bool; 5]>()).prop_map(|(from, marks, subject, is)| {
        let mut message = InboundMessage { subject, ..mail_from(from) };
        message.signals.extend(marks.map(|(strength, rule, said)| signal(strength, rule, said)));
        if is[0] {
            message.in_reply_to = vec![id("root@mail.example")];
        }
        if is[1] {
            message.return_path = ReturnPath::Null;
        }
        if is[2] {
            message.to.clear();
            message.delivered_to.clear();
        }
        if is[3] {
            message.report = Some(MachineReport::Bounce(Bounce::default()));
        }
        if is[4] {
            message.reply_to = vec![named(STRANGER)];
        }
        message
    })
}

fn some_facts() -> impl Strategy<Value = Facts> {
    let role = prop::option::of(prop::sample::select(vec![
        TicketRole::Requester,
        TicketRole::Participant,
        TicketRole::Correspondent,
    ]));
    let status =
        prop::sample::select(vec![TicketStatus::Closed, TicketStatus::Open, TicketStatus::Pending]);
    let user = prop::option::of((
        prop::sample::select(vec![UserStatus::Active, UserStatus::Deleted, UserStatus::Disabled]),
        prop::sample::select(vec![CredentialsState::Due, CredentialsState::Sent]),
        any::<[bool; 3]>(),
    ));
    (role, status, user, any::<[bool; 8]>(), 0i64..1000).prop_map(
        |(sender_role, status, user, is, closed_for)| {
            let evidence = if is[0] {
                TicketEvidence::SubjectTag
            } else {
                let id = id("root@mail.example");
                TicketEvidence::Reference { id, found_in: FoundIn::InReplyTo, seen: is[1] }
            };
            let closed_at = Some(noon() - hours(closed_for));
            let ticket = TicketFacts { evidence, status, closed_at, ..ticket(sender_role) };
            let later = |limited: bool| limited.then(|| noon() + hours(1));
            let bounced = BouncedMail {
                outbox: 1,
                template: "ticket_received".to_owned(),
                to: key(CLAIRE),
                ticket: Some(7),
            };
            Facts {
                user: user.map(|(status, credentials, is)| UserFacts {
                    status,
                    credentials,
                    no_tickets: is[0],
                    undeliverable: is[1],
                    site: if is[2] { default_site() } else { my_org() },
                    ..claire()
                }),
                tickets: if is[2] { vec![ticket] } else { Vec::new() },
                sites: if is[3] { vec![my_org()] } else { Vec::new() },
                room: Room {
                    sender: later(is[4] && is[5]),
                    new_users: later(is[5]),
                    auto_mails: later(is[6]),
                    ..Room::default()
                },
                bounced: is[7].then_some(bounced),
                ..facts()
            }
        },
    )
}

fn some_policy() -> impl Strategy<Value = Policy> {
    let check = prop::sample::select(vec![
        SenderCheck::Anyone,
        SenderCheck::Participants,
        SenderCheck::Site,
    ]);
    (check, any::<bool>()).prop_map(|(sender_check, auto_create)| {
        let mut policy = policy();
        policy.threading.sender_check = sender_check;
        policy.users.auto_create = auto_create;
        policy
    })
}

fn count(plan: &Plan, effect: &str) -> usize {
    effects(plan).iter().filter(|short| short.starts_with(effect)).count()
}

proptest! {
    #[test]
    fn every_plan_keeps_the_promises(
        message in some_message(), facts in some_facts(), policy in some_policy(),
    ) {
        let plan = plan_by(&message, &facts, &policy);
        let shown = format!("{} {:?}", ended(&plan), effects(&plan));
        let is_person = plan.story.kind == Some(Kind::Person);

        // T-16, M-55: no machine is answered, made a user, or reopens a ticket.
        if !is_person || plan.flags.contains(&Flag::Robot) {
            for effect in ["Queue", "CreateUser", "ReopenTicket", "Owe", "MoveUser", "FillName"] {
                prop_assert_eq!(count(&plan, effect), 0, "{}", shown);
            }
        }
        // Nothing is both set aside and made.
        let is_accepted = matches!(
            &plan.verdict,
            Verdict::Decided(decision) if decision.outcome == Outcome::Accepted
        );
        if !is_accepted {
            let made = plan.effects.len() - count(&plan, "RecordBounce");
            prop_assert_eq!(made, 0, "{}", shown);
        }
        // One message is on one ticket, and an accepted one is on it.
        let messages = count(&plan, "AddMessage");
        prop_assert!(count(&plan, "OpenTicket") <= messages && messages <= 1, "{}", shown);
        let is_recorded = messages == 1 || count(&plan, "RecordBounce") == 1;
        prop_assert_eq!(is_accepted, is_recorded, "{}", shown);
        // Each mail of ours at most once, and never two of a kind.
        prop_assert!(count(&plan, "Queue ticket_received") <= 1, "{}", shown);
        prop_assert!(count(&plan, "Queue credentials") <= 1, "{}", shown);
        let judged = count(&plan, "Queue credentials") + count(&plan, "WithholdCredentials");
        prop_assert!(judged <= 1, "{}", shown);
        // nobody wants to hear of it.
        if message.return_path == ReturnPath::Null {
            prop_assert_eq!(count(&plan, "Queue"), 0, "{}", shown);
        }
        // T-02: a ticket that is claimed without right is not touched.
        if count(&plan, "LinkTickets") == 1 {
            prop_assert_eq!(count(&plan, "AddMessage Existing"), 0, "{}", shown);
            prop_assert_eq!(count(&plan, "ReopenTicket"), 0, "{}", shown);
        }
        // T-54: no account that may not be used is touched.
        let is_gone = facts.user.as_ref().is_some_and(|user| user.status != UserStatus::Active);
        if is_gone {
            prop_assert_eq!(judged, 0, "{}", shown);
            for effect in ["CreateUser", "MoveUser", "FillName"] {
                prop_assert_eq!(count(&plan, effect), 0, "{}", shown);
            }
        }
        // Every decision says why.
        prop_assert!(!plan.story.steps.is_empty());

        // The same message once more plans nothing new.
        let again = Facts { duplicate_of: Some("first".to_owned()), ..facts };
        let again = plan_by(&message, &again, &policy);
        prop_assert_eq!(ended(&again), "ignored/duplicate");
        prop_assert!(again.effects.is_empty());
    }
}
