//! A decision as JSON (interfaces §4), and as a short story for a support lead.

mod chapters;
mod flags;

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Format;
use super::exit::{Exit, failure};
use crate::mail::reply::Reply;
use crate::mail::{Flag, InboundMessage, MachineReport};
use crate::triage::plan::{Decision, Outcome, Reason, Story};

pub(super) use chapters::text;

/// What is told of one message.
pub(super) struct Told<'a> {
    /// As given on the command line, or the message's id.
    pub path: &'a str,
    /// Absent for a message that is deferred.
    pub decision: Option<Decision>,
    /// Absent for one that cannot be read.
    pub message: Option<&'a InboundMessage>,
    pub reply: Option<&'a Reply>,
    /// When it came, which M-27 puts in the place of a date that nobody can believe.
    pub arrived_at: Timestamp,
    pub story: &'a Story,
}

/// A decision is an object of objects, which CSV has no place for.
pub(super) fn refuse_csv(format: Format) -> Result<()> {
    match format {
        Format::Csv => Err(failure(
            Exit::Usage,
            "a decision cannot be written as CSV\nhint: use `-o jsonl`, or `guichet log -o csv` for its outline",
        )),
        Format::Json | Format::Jsonl | Format::Table => Ok(()),
    }
}

/// The object of interfaces §4; absent values are null, lists are empty, nothing is left out.
pub(super) fn object(told: &Told) -> Value {
    let Told { decision, message, story, .. } = told;
    let message_object = message.map(|message| message_object(message, told));
    let bounce = message.and_then(|message| match &message.report {
        Some(MachineReport::Bounce(bounce)) => Some(json!({
            "recipients": bounce.recipients,
            "original_message_id": bounce.original_message_id.as_ref().map(|id| id.as_str()),
        })),
        _ => None,
    });
    json!({
        "path": told.path,
        "outcome": decision.map(|decision| decision.outcome.as_str()),
        "reason": decision.map(|decision| decision.reason.as_str()),
        "kind": story.kind.map(|kind| kind.as_str()),
        "kind_evidence": story.kind_evidence,
        "message": message_object,
        "bounce": bounce,
        "user": story.user,
        "site": story.site,
        "ticket": story.ticket,
        "outgoing": story.outgoing,
        "steps": story.steps,
    })
}

fn message_object(message: &InboundMessage, told: &Told) -> Value {
    let reply = told.reply;
    let attachments: Vec<Value> = message
        .attachments
        .iter()
        .map(|attachment| {
            json!({
                "name": attachment.name,
                "content_type": attachment.content_type,
                "size": attachment.size,
                "inline": attachment.inline,
                "sha256": hex(&attachment.sha256),
            })
        })
        .collect();
    let ids = |ids: &[crate::mail::MessageId]| -> Vec<String> {
        ids.iter().map(|id| id.as_str().to_owned()).collect()
    };
    json!({
        "message_id": message.message_id.as_str(),
        "in_reply_to": ids(&message.in_reply_to),
        "references": ids(&message.references),
        "date": written_at(message, told).to_string(),
        "subject": message.subject,
        "size": message.size,
        "flags": told.story.flags,
        "from": message.from.first(),
        "reply_to": message.reply_to,
        "to": message.to,
        "cc": message.cc,
        "text": message.text,
        "reply": reply.map(|reply| reply.text.as_str()),
        "signature": reply.and_then(|reply| reply.signature.as_deref()),
        "reply_confidence": reply.map(|reply| reply.confidence.name()),
        "attachments": attachments,
    })
}

/// The date as written, or the arrival when nobody can believe that (M-27).
fn written_at(message: &InboundMessage, told: &Told) -> Timestamp {
    let is_repaired = told.story.flags.contains(&Flag::DateRepaired.name());
    message.date.at.filter(|_| !is_repaired).unwrap_or(told.arrived_at)
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What was done, in the words before and after a ticket's number.
fn words(decision: Decision) -> (&'static str, &'static str) {
    match (decision.outcome, decision.reason) {
        (Outcome::Accepted, Reason::TicketCreated) => ("opened ticket", ""),
        (Outcome::Accepted, Reason::FollowUpLinked) => {
            ("opened ticket", ", linked to an older one,")
        }
        (Outcome::Accepted, Reason::StaffTicketCreated) => ("opened ticket", ", for staff only,"),
        (Outcome::Accepted, Reason::ReplyAdded) => ("added a reply to ticket", ""),
        (Outcome::Accepted, Reason::TicketReopened) => ("reopened ticket", " by a reply"),
        (Outcome::Accepted, Reason::AutoReplyAttached) => {
            ("noted an automatic reply on ticket", "")
        }
        (Outcome::Accepted, Reason::BounceAttached) => ("noted a bounce on ticket", ""),
        (Outcome::Accepted, _) => ("accepted a message", ""),
        (Outcome::Held, _) => ("set a message aside", ""),
        (Outcome::Ignored, Reason::Duplicate) => ("came in before", ""),
        (Outcome::Ignored, _) => ("ignored a message", ""),
    }
}

/// What was done, for a sum: `opened ticket, for staff only`.
pub(super) fn label(decision: Decision) -> String {
    let (before, after) = words(decision);
    format!("{before}{}", after.trim_end_matches(','))
}

/// What was done, for a log line: `opened ticket 12`.
pub(super) fn headline(decision: Decision, ticket: Option<i64>) -> String {
    let (before, after) = words(decision);
    match ticket {
        Some(number) => format!("{before} {number}{after}"),
        None => before.to_owned(),
    }
}
