//! An answer kept ready: what its template says about a ticket.

use anyhow::Result;

use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::counter::Actor;
use crate::outbox::{self, Outbox, TransportOptions};
use crate::triage::names;

/// The text of the quick reply `name`, written about a ticket by whoever acts.
pub(super) fn text(desk: &Desk, ticket: i64, name: &str, actor: &Actor) -> Result<String> {
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
    // It is only drafted here: nothing is sent.
    let options =
        outbox::Options { transport: TransportOptions::None, ..desk.settings.outbox.clone() };
    let (store, clock, ids) = (desk.store.clone(), desk.clock.clone(), desk.ids.clone());
    let outbox = Outbox::new(store, clock, ids, options, "draft".to_owned())?;
    let draft = outbox.draft(ticket, &reply.template, agent.as_ref())?.ok_or_else(|| {
        failure(
            Exit::InputMissing,
            format!("there is no ticket {ticket}\nhint: `guichet tickets list` lists them"),
        )
    })?;
    if draft.brings_credentials {
        return Err(failure(
            Exit::Negative,
            format!(
                "the quick reply `{}` brings credentials, which go out in a mail of their own\nhint: `guichet users send-credentials USER --template {}` sends it",
                reply.name, reply.template
            ),
        ));
    }
    Ok(draft.text)
}
