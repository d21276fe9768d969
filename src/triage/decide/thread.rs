//! Which ticket a message belongs to (mail.md section 5): evidence leads to a ticket, and only who
//! may append to it is let in (M-80).

use super::case::Case;
use crate::mail::MessageId;
use crate::triage::facts::{TicketEvidence, TicketFacts, TicketRole};
use crate::triage::policy::SenderCheck;

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
    /// For what machines write: V4 only (M-55).
    References,
    ReferencesAndTags,
}

/// M-79, M-83: the strongest level decides; inside it the first ticket that the sender may append
/// to.
pub fn claim<'a>(case: &Case<'a>, evidence: Evidence) -> Claim<'a> {
    let named = |ticket: &&TicketFacts| matches!(ticket.evidence, TicketEvidence::Reference { .. });
    let (references, tags): (Vec<&TicketFacts>, Vec<&TicketFacts>) =
        case.facts.tickets.iter().partition(named);
    match of_level(case, &references) {
        Claim::Nothing if evidence == Evidence::ReferencesAndTags && tags_count(case) => {
            of_level(case, &tags)
        }
        claim => claim,
    }
}

/// How the ticket was found, as `ticket.matched_by` names it.
pub fn matched_by(ticket: &TicketFacts) -> &'static str {
    match ticket.evidence {
        TicketEvidence::Reference { .. } => "reference",
        TicketEvidence::SubjectTag => "subject_tag",
    }
}

/// The evidence in words.
pub fn said(ticket: &TicketFacts) -> String {
    match &ticket.evidence {
        TicketEvidence::Reference { id, .. } => {
            format!("it names `{id}`, which belongs to ticket {}", ticket.number)
        }
        TicketEvidence::SubjectTag => format!("its subject names ticket {}", ticket.number),
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
        TicketEvidence::SubjectTag => true,
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
        (_, TicketEvidence::Reference { seen: true, .. } | TicketEvidence::SubjectTag) => {
            Standing::Seen
        }
    }
}

fn named_id(ticket: &TicketFacts) -> Option<&MessageId> {
    match &ticket.evidence {
        TicketEvidence::Reference { id, .. } => Some(id),
        TicketEvidence::SubjectTag => None,
    }
}

/// V5 counts only with proof of the sender where proof can be had; no verdict is read yet.
fn tags_count(case: &Case) -> bool {
    case.mailbox().is_none_or(|mailbox| mailbox.authserv_id.is_none())
}

/// M-80.
fn may_append(case: &Case, ticket: &TicketFacts) -> bool {
    if ticket.sender_role.is_some() {
        return true;
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
