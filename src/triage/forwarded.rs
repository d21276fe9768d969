//! What staff forwards, and whose it is (M-103, M-104). What anybody else forwards is their own.

use super::facts::{Sender, SenderAnswer, Signed, TicketEvidence};
use super::policy::Policy;
use super::{names, recipients, sender, verified};
use crate::mail::address::local_part;
use crate::mail::forward::{self, FoundBy, Original};
use crate::mail::reply::Confidence;
use crate::mail::{Address, Dmarc, InboundMessage, MessageId, automatic, list_marks};

/// What staff forwards (M-103, M-104).
#[derive(Clone, Debug)]
pub struct Forwarded {
    /// Who wrote it.
    pub original: Sender,
    pub found_by: FoundBy,
    pub confidence: Confidence,
    /// When it was written, as it says.
    pub date: Option<String>,
    /// Its own id, and those that it names, each once.
    pub ids: Vec<MessageId>,
}

impl Forwarded {
    /// Whether it is sure enough to act upon; otherwise it is a suggestion (M-105).
    pub fn is_certain(&self) -> bool {
        self.confidence != Confidence::Low
    }
}

/// Finds who wrote what a member of the staff forwards; `None` when it is no such forward, or
/// nobody is named.
pub fn resolve(
    message: &InboundMessage,
    mailbox: &str,
    sender: &SenderAnswer,
    signed: &Signed,
    dmarc: &Dmarc,
    policy: &Policy,
) -> Option<Forwarded> {
    let sender = sender.known()?;
    let is_staff = policy.agents.contains_key(&sender.key) && !sender.relayed && !sender.fallback;
    if !is_staff
        || !verified::is_proven(message, mailbox, sender, dmarc, policy)
        || !is_of_person(message)
    {
        return None;
    }
    // What is sent to a ticket, or answers our mail about it, is about that ticket.
    let is_about_ticket = signed.tickets.iter().any(|ticket| {
        matches!(
            ticket.evidence,
            TicketEvidence::AgentAddress
                | TicketEvidence::MessageId { .. }
                | TicketEvidence::ReplyAddress
        )
    });
    if is_about_ticket || !forward::is_forward(message) {
        return None;
    }
    forward::originals(message).into_iter().find_map(|original| forwarded(original, policy))
}

fn is_of_person(message: &InboundMessage) -> bool {
    message.report.is_none()
        && automatic(&message.signals).is_none()
        && list_marks(&message.signals).is_empty()
}

/// Own addresses, staff and robots are nobody's requests.
fn forwarded(original: Original, policy: &Policy) -> Option<Forwarded> {
    let address = sender::good(&original.from.address)?;
    let key = address.key(names::plus_tag(&policy.users));
    let is_skipped = recipients::is_own(&address, policy)
        || policy.agents.contains_key(&key)
        || is_robot(&address);
    if is_skipped {
        return None;
    }
    let Original { from, found_by, confidence, date, message_id, references } = original;
    let mut ids: Vec<MessageId> = Vec::new();
    for id in message_id.into_iter().chain(references) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let evidence = format!("forwarded: {}", found_by.said());
    let original =
        Sender { address, key, name: from.name, evidence, fallback: false, relayed: false };
    Some(Forwarded { original, found_by, confidence, date, ids })
}

fn is_robot(address: &Address) -> bool {
    local_part::is_robot(address.local())
}
