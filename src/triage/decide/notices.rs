//! What agents hear of: new tickets and answers, of tickets that are theirs or nobody's. They answer by
//! replying (M-76b, M-81). Nobody hears of what they wrote themselves, and no mail of a machine of
//! theirs is told to anybody.

use super::case::Case;
use crate::mail::AddressKey;
use crate::triage::facts::{Intake, SiteFacts, TicketFacts};
use crate::triage::plan::{
    Effect, Kind, MailCause, MessageAuthor, OutgoingMail, Thread, TicketRef,
};
use crate::triage::policy::{Agent, Notified};
use crate::triage::recipients;

/// The template of what agents are told.
pub const NOTICE: &str = "agent_notice";

/// Tells who hears of a new ticket at `site`.
pub fn of_new_ticket(case: &mut Case, site: &SiteFacts, author: &MessageAuthor) {
    tell(case, Notified::Created, TicketRef::New, site, None, author);
}

/// Tells who hears of an answer on `ticket`.
pub fn of_answer(case: &mut Case, ticket: &TicketFacts, author: &MessageAuthor) {
    let on = TicketRef::Existing(ticket.number);
    tell(case, Notified::Replied, on, &ticket.site, ticket.assignee.as_ref(), author);
}

fn tell(
    case: &mut Case,
    event: Notified,
    ticket: TicketRef,
    site: &SiteFacts,
    assignee: Option<&AddressKey>,
    author: &MessageAuthor,
) {
    let writer = writer(case, author);
    let is_of_staffs_machine = writer.as_ref().is_some_and(|writer| {
        case.story.kind != Some(Kind::Person) && case.policy.agents.contains_key(writer)
    });
    if case.facts.intake == Intake::Backfill || is_of_staffs_machine {
        return;
    }
    let policy = case.policy;
    let hears = |key: &AddressKey, agent: &Agent| {
        agent.hears(key, event, &site.name, assignee)
            && writer.as_ref() != Some(key)
            && !recipients::is_own(&agent.address, policy)
    };
    let told: Vec<(&AddressKey, &Agent)> =
        policy.agents.iter().filter(|(key, agent)| hears(key, agent)).collect();
    let Some(mailbox) = case.mailbox().filter(|_| !told.is_empty()) else { return };
    let what = match event {
        Notified::Assigned => "who looks after it",
        Notified::Created => "the new ticket",
        Notified::Replied => "the answer",
    };
    case.say_by("M-76b", "agent.notify", format!("staff is told of {what}"));
    for (key, agent) in told {
        case.tell_outgoing(NOTICE, agent.address.to_string(), None);
        case.effects.push(Effect::Queue(OutgoingMail {
            template: NOTICE.to_owned(),
            to: agent.address.clone(),
            user: None,
            ticket: Some(ticket),
            mailbox: mailbox.name.clone(),
            message_id_domain: mailbox.message_id_domain.clone(),
            locale: policy.locale.clone(),
            site: site.id.clone(),
            cause: MailCause::News { agent: Some(key.clone()), thread: Thread::default() },
        }));
    }
}

/// The key of whoever wrote: an agent's for what staff wrote for another.
fn writer(case: &Case, author: &MessageAuthor) -> Option<AddressKey> {
    match author {
        MessageAuthor::Staff(author) => author.agent.clone(),
        MessageAuthor::Machine | MessageAuthor::Person(_) => {
            case.questions.sender.known().map(|sender| sender.key.clone())
        }
    }
}
