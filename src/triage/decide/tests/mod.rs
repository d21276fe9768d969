//! The walk on values: each case of mail.md section 9 that deciding can show, by its number.

mod forwards;
mod kinds;
mod known;
mod machines;
mod mails;
mod owed;
mod people;
mod properties;
mod senders;
mod signed;
mod silence;
mod staff;
mod stories;
mod suspects;
mod threads;

use super::*;
use crate::mail::InboundMessage;
use crate::triage::ask;
use crate::triage::plan::{Effect, UserRef};
use crate::triage::policy::Policy;
use crate::triage::samples::*;

/// The plan of a desk with default wishes.
fn plan(message: &InboundMessage, facts: &Facts) -> Plan {
    plan_by(message, facts, &policy())
}

fn plan_by(message: &InboundMessage, facts: &Facts, policy: &Policy) -> Plan {
    let questions = ask(message, MAILBOX, policy, &keys());
    decide(message, &questions, facts, policy)
}

/// `outcome/reason`.
fn ended(plan: &Plan) -> String {
    match &plan.verdict {
        Verdict::Decided(decision) => {
            format!("{}/{}", decision.outcome.as_str(), decision.reason.as_str())
        }
        Verdict::Deferred { until } => format!("deferred until {until}"),
        Verdict::Stands => "stands".to_owned(),
    }
}

/// The effects in short, in their order.
fn effects(plan: &Plan) -> Vec<String> {
    let short = |effect: &Effect| match effect {
        Effect::AddMessage(message) => format!("AddMessage {:?}", message.ticket),
        Effect::AttachUser { user, .. } => format!("AttachUser {}", who(user)),
        Effect::ClearUndeliverable { key } => format!("ClearUndeliverable {key}"),
        Effect::CreateUser(user) => format!("CreateUser {}", user.key),
        Effect::FillName { first_name, last_name, .. } => {
            format!("FillName {first_name} {last_name}")
        }
        Effect::LinkTickets { to, .. } => format!("LinkTickets {to}"),
        Effect::Revoke { hashes } => format!("Revoke {}", hashes.len()),
        Effect::MoveUser { site, .. } => format!("MoveUser {site}"),
        Effect::NoteTags { mailbox, seen } => format!("NoteTags {mailbox} {}", seen.as_str()),
        Effect::OpenTicket(ticket) => format!("OpenTicket {}", ticket.site),
        Effect::Owe { until } => format!("Owe {until}"),
        Effect::Queue(mail) => format!("Queue {}", mail.template),
        Effect::RecordBounce { bounce, .. } => format!("RecordBounce {bounce:?}"),
        Effect::ReopenTicket { number } => format!("ReopenTicket {number}"),
        Effect::WithholdCredentials { code, .. } => format!("WithholdCredentials {code}"),
    };
    plan.effects.iter().map(short).collect()
}

fn who(user: &UserRef) -> &str {
    match user {
        UserRef::Existing(id) => id,
        UserRef::New => "new",
    }
}

fn has(plan: &Plan, effect: &str) -> bool {
    effects(plan).iter().any(|short| short.starts_with(effect))
}

/// A mail of Claire's that answers ticket 7, of which she is the requester.
fn reply() -> InboundMessage {
    InboundMessage {
        subject: "Re: Printer".to_owned(),
        in_reply_to: vec![id("root@mail.example")],
        references: vec![id("root@mail.example")],
        ..mail_from(CLAIRE)
    }
}

/// The facts of [`reply`]: Claire is known, and `role` is what she is to ticket 7.
fn about_ticket(role: Option<TicketRole>) -> Facts {
    Facts { user: Some(claire()), tickets: vec![ticket(role)], ..facts() }
}

/// A sender of another site, whom nothing connects with ticket 7.
const STRANGER: &str = "eve@evil.example";
