//! An answer kept ready: what its template says about a ticket. One that brings credentials goes out
//! in a mail of its own (T-22).

use anyhow::Result;

use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::counter::Actor;
use crate::triage::names;

/// An answer kept ready, for one ticket.
pub(super) enum Quick {
    /// By this template, in a mail of its own; the text is what may stay on the ticket.
    Credentials { template: String, text: String },
    /// To be sent like any other answer.
    Text(String),
}

/// The quick reply `name`, written about a ticket by whoever acts.
pub(super) fn draft(desk: &Desk, ticket: i64, name: &str, actor: &Actor) -> Result<Quick> {
    let replies = &desk.settings.quick_replies;
    let folded = name.trim().to_lowercase();
    let found = replies.iter().find(|reply| reply.name.trim().to_lowercase() == folded);
    let reply = found.ok_or_else(|| {
        let names: Vec<String> = replies.iter().map(|reply| format!("`{}`", reply.name)).collect();
        let hint = match names.is_empty() {
            true => "the configuration has no `[[quick_reply]]` yet".to_owned(),
            false => format!("there are {}", names.join(", ")),
        };
        failure(
            Exit::InputMissing,
            format!("there is no quick reply `{}`\nhint: {hint}", name.escape_debug()),
        )
    })?;
    let agent = match actor {
        Actor::Agent(address) => Some(address.key(names::plus_tag(&desk.settings.policy.users))),
        Actor::Operator | Actor::User { .. } => None,
    };
    let draft = desk
        .drafts(&desk.settings)?
        .draft(ticket, &reply.template, agent.as_ref())?
        .ok_or_else(|| {
            failure(
                Exit::InputMissing,
                format!("there is no ticket {ticket}\nhint: `guichet tickets list` lists them"),
            )
        })?;
    Ok(match draft.brings_credentials {
        true => Quick::Credentials { template: reply.template.clone(), text: draft.text },
        false => Quick::Text(draft.text),
    })
}
