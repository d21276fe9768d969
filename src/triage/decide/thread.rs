//! Which ticket a message belongs to (mail.md section 5): evidence leads to a ticket, and only who
//! may append to it is let in (M-80).

use super::case::Case;
use crate::mail::{Flag, MessageId};
use crate::triage::facts::{Questions, TicketEvidence, TicketFacts, TicketRole};
use crate::triage::policy::SenderCheck;
use crate::triage::verified;

/// What the evidence leads to.
#[derive(Clone, Copy)]
pub enum Claim<'a> {
    /// The sender may append to it.
    Granted(&'a TicketFacts),
    /// Nothing, or nothing that counts.
    Nothing,
    /// A ticket that the sender may not append to (M-81).
    Refused(&'a TicketFacts),
}

/// Which evidence counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// For what machines and robots write: V1 to V4 (M-55).
    Machine,
    Person,
}

/// How much evidence is worth (M-79), the strongest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    High,
    Medium,
    Low,
}

const LEVELS: [Level; 3] = [Level::High, Level::Medium, Level::Low];

/// M-79, M-83: the strongest level decides; inside it the first ticket that the sender may append
/// to.
pub fn claim<'a>(case: &Case<'a>, evidence: Evidence) -> Claim<'a> {
    for level in LEVELS {
        let tickets: Vec<&TicketFacts> = case
            .facts
            .tickets
            .iter()
            .filter(|ticket| level_of(ticket) == level && counts(case, ticket, evidence))
            .collect();
        match of_level(case, &tickets) {
            Claim::Nothing => {}
            claim => return claim,
        }
    }
    Claim::Nothing
}

/// Whether a mark of ours leads to a ticket that the sender may append to (M-71).
pub fn is_answer_to_us(case: &Case) -> bool {
    let mut tickets = case.facts.tickets.iter();
    tickets.any(|ticket| is_signed(ticket) && may_append(case, ticket))
}

/// Whether it was sent to the reply address of a ticket (V1).
pub fn is_to_reply_address(case: &Case) -> bool {
    case.facts.tickets.iter().any(|ticket| ticket.evidence == TicketEvidence::ReplyAddress)
}

/// How the ticket was found, as `ticket.matched_by` names it.
pub fn matched_by(ticket: &TicketFacts) -> &'static str {
    match ticket.evidence {
        TicketEvidence::AgentAddress => "agent_address",
        TicketEvidence::BodyToken => "body_token",
        TicketEvidence::MessageId { .. } => "message_id",
        TicketEvidence::Portal => "portal",
        TicketEvidence::Reference { .. } => "reference",
        TicketEvidence::ReplyAddress => "reply_address",
        TicketEvidence::Staff => "staff",
        TicketEvidence::SubjectTag => "subject_tag",
    }
}

/// The evidence in words.
pub fn said(ticket: &TicketFacts) -> String {
    let number = ticket.number;
    match &ticket.evidence {
        TicketEvidence::AgentAddress => {
            format!("it was sent to the agent's own reply address of ticket {number}")
        }
        TicketEvidence::BodyToken => format!("its text holds the token of ticket {number}"),
        TicketEvidence::MessageId { id } => {
            format!("it answers our mail `{id}` about ticket {number}")
        }
        TicketEvidence::Portal => format!("it was written in the portal for ticket {number}"),
        TicketEvidence::Reference { id, .. } => {
            format!("it names `{id}`, which belongs to ticket {number}")
        }
        TicketEvidence::ReplyAddress => {
            format!("it was sent to the reply address of ticket {number}")
        }
        TicketEvidence::Staff => format!("staff wrote it for ticket {number}"),
        TicketEvidence::SubjectTag => format!("its subject names ticket {number}"),
    }
}

fn level_of(ticket: &TicketFacts) -> Level {
    match ticket.evidence {
        TicketEvidence::AgentAddress
        | TicketEvidence::MessageId { .. }
        | TicketEvidence::Portal
        | TicketEvidence::ReplyAddress
        | TicketEvidence::Staff => Level::High,
        TicketEvidence::BodyToken | TicketEvidence::Reference { .. } => Level::Medium,
        TicketEvidence::SubjectTag => Level::Low,
    }
}

fn counts(case: &Case, ticket: &TicketFacts, evidence: Evidence) -> bool {
    match ticket.evidence {
        // T-07: what a robot's text holds may be anybody's words.
        TicketEvidence::BodyToken => !case.flags.contains(&Flag::Robot),
        TicketEvidence::SubjectTag => evidence == Evidence::Person && tags_count(case),
        TicketEvidence::AgentAddress
        | TicketEvidence::MessageId { .. }
        | TicketEvidence::Portal
        | TicketEvidence::Reference { .. }
        | TicketEvidence::ReplyAddress
        | TicketEvidence::Staff => true,
    }
}

fn is_signed(ticket: &TicketFacts) -> bool {
    match ticket.evidence {
        TicketEvidence::AgentAddress
        | TicketEvidence::BodyToken
        | TicketEvidence::MessageId { .. }
        | TicketEvidence::Portal
        | TicketEvidence::ReplyAddress
        | TicketEvidence::Staff => true,
        TicketEvidence::Reference { .. } | TicketEvidence::SubjectTag => false,
    }
}

fn of_level<'a>(case: &Case<'a>, tickets: &[&'a TicketFacts]) -> Claim<'a> {
    let granted: Vec<&TicketFacts> =
        tickets.iter().copied().filter(|ticket| may_append(case, ticket)).collect();
    if let Some(first) = granted.first() {
        // An id on several tickets: the one with the latest message among those that the sender has
        // the best claim to.
        let same = granted.iter().filter(|ticket| named_id(ticket) == named_id(first));
        let latest = match named_id(first) {
            Some(_) => same.max_by_key(|ticket| (standing(ticket), ticket.last_message_at)),
            None => None,
        };
        return Claim::Granted(latest.unwrap_or(first));
    }
    // An id that we never saw ourselves proves nothing against anybody (M-81).
    let is_seen = |ticket: &&TicketFacts| match ticket.evidence {
        TicketEvidence::Reference { seen, .. } => seen,
        _ => true,
    };
    tickets.iter().copied().find(is_seen).map_or(Claim::Nothing, Claim::Refused)
}

/// How good a claim to a ticket that they may append to the sender has. Anybody can open a ticket
/// that names the ids of another's and has them in Cc: that must not draw their answers to it
/// (T-02).
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// The id is only named there.
    Named,
    /// A message with that id is there.
    Seen,
    /// It is their own ticket, or staff added them to it.
    Own,
}

fn standing(ticket: &TicketFacts) -> Standing {
    match (ticket.sender_role, &ticket.evidence) {
        (Some(TicketRole::Participant | TicketRole::Requester), _) => Standing::Own,
        (_, TicketEvidence::Reference { seen: false, .. }) => Standing::Named,
        (_, _) => Standing::Seen,
    }
}

fn named_id(ticket: &TicketFacts) -> Option<&MessageId> {
    match &ticket.evidence {
        TicketEvidence::Reference { id, .. } => Some(id),
        _ => None,
    }
}

/// V5 counts only with proof of the sender where proof can be had.
fn tags_count(case: &Case) -> bool {
    let Some(sender) = case.questions.sender.known() else { return false };
    let Questions { mailbox, dmarc, .. } = case.questions;
    verified::is_proven(case.message, mailbox, sender, dmarc, case.policy)
}

/// M-80.
fn may_append(case: &Case, ticket: &TicketFacts) -> bool {
    if case.questions.dmarc.is_fail() {
        return false;
    }
    if ticket.sender_role.is_some() {
        return true;
    }
    // An id that somebody named and we never saw joins those who have a part in the ticket, and nobody
    // else, of the same site or not: of one bulk mail every answer is a request of its own (E-110).
    if ticket.evidence.is_hearsay() {
        return false;
    }
    match case.policy.threading.sender_check {
        SenderCheck::Anyone => true,
        SenderCheck::Participants => false,
        SenderCheck::Site => {
            let is_nobody = case.facts.user.is_some() && case.active_user().is_none();
            let at_home = case.home().id == ticket.site.id && !ticket.site.is_default;
            at_home && !is_nobody
        }
    }
}
