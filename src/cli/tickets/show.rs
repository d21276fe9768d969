//! `guichet tickets show`: one ticket, its people, its links, its messages in order.

use anyhow::Result;
use serde_json::{Value, json};

use super::set::said;
use super::{requester, row, ticket};
use crate::cli::desk::Desk;
use crate::cli::exit::Exit;
use crate::cli::output::{self, escape, escape_lines, line};
use crate::cli::times::Times;
use crate::cli::words::hint;
use crate::cli::{Format, Globals};
use crate::store::tickets::{By, Event, Shown, StoredAttachment, TicketMessage};
use crate::triage::facts::TicketRole;
use crate::triage::policy::FilterPolicy;

pub(super) fn run(globals: &Globals, desk: &Desk, number: &str) -> Result<Exit> {
    let shown = ticket(desk, number)?;
    let times = Times::new(globals, &desk.settings);
    let filters = &desk.settings.policy.filters;
    if globals.format() == Format::Table {
        print(&shown, filters, &times)?;
        let number = shown.ticket.number;
        hint(globals, format_args!("`guichet explain {number}` says why it is what it is"));
    } else {
        output::object(globals.format(), &object(&shown, filters, &times))?;
    }
    Ok(Exit::Done)
}

/// The attachments of a ticket, numbered through all its messages from 1.
pub(super) fn attachments(shown: &Shown) -> Vec<(usize, &TicketMessage, &StoredAttachment)> {
    let each = shown.messages.iter().flat_map(|message| {
        message.attachments.iter().map(move |attachment| (message, attachment))
    });
    each.enumerate().map(|(at, (message, attachment))| (at + 1, message, attachment)).collect()
}

fn object(shown: &Shown, filters: &FilterPolicy, times: &Times) -> Value {
    let mut fields = row(&shown.ticket, times);
    let people: Vec<Value> = shown
        .people
        .iter()
        .map(|(address, role)| json!({ "address": address, "role": role_word(*role) }))
        .collect();
    let numbered = attachments(shown);
    let messages: Vec<Value> = shown
        .messages
        .iter()
        .map(|message| {
            let own = numbered.iter().filter(|(_, of, _)| of.n == message.n);
            let attachments: Vec<Value> = own
                .map(|(number, _, attachment)| {
                    json!({
                        "number": number,
                        "name": attachment.name,
                        "content_type": attachment.content_type,
                        "size": attachment.size,
                        "inline": attachment.inline,
                        "repeated": attachment.repeated,
                        "locked": attachment.is_locked(filters),
                        "sha256": attachment.sha256,
                    })
                })
                .collect();
            json!({
                "n": message.n,
                "message": message.message,
                "author": message.author,
                "from_address": message.from_address,
                "from_name": message.from_name,
                "user": message.user,
                "written_at": times.value(message.written_at),
                "added_at": times.value(message.added_at),
                "subject": message.subject,
                "visible": message.visible,
                "internal": message.internal,
                "text": message.body,
                "flags": message.flags,
                "also_in": message.also_in,
                "attachments": attachments,
            })
        })
        .collect();
    fields["people"] = people.into();
    fields["linked_from"] = json!(shown.linked_from);
    fields["tags"] = json!(shown.tags);
    let events = shown.events.iter().map(|event| {
        let (kind, by) = by(event);
        json!({
            "at": times.value(event.at),
            "by_kind": kind,
            "by": by,
            "kind": event.kind.as_str(),
            "before": event.before,
            "after": event.after,
        })
    });
    fields["history"] = events.collect();
    // Under the name of its count in a list: here they are.
    fields["messages"] = messages.into();
    fields
}

fn print(shown: &Shown, filters: &FilterPolicy, times: &Times) -> Result<()> {
    let ticket = &shown.ticket;
    line(format_args!("#{} {}", ticket.number, subject(&ticket.subject)))?;
    let put = |label: &str, said: &str| line(format_args!("  {label:10}{}", escape(said)));
    let for_staff = if ticket.staff_only { ", for staff only" } else { "" };
    put("Status", &format!("{}{for_staff}", ticket.status.as_str()))?;
    put("Requester", &named(requester(ticket), &ticket.requester_address))?;
    put("Site", &ticket.site)?;
    put("Mailbox", &ticket.mailbox)?;
    for (label, value) in [
        ("Department", &ticket.department),
        ("Assignee", &ticket.assignee),
        ("Priority", &ticket.priority),
    ] {
        if let Some(value) = value {
            put(label, value)?;
        }
    }
    if !shown.tags.is_empty() {
        put("Tags", &shown.tags.join(", "))?;
    }
    put("Opened", &times.short(ticket.created_at))?;
    if let Some(closed) = ticket.closed_at {
        put("Closed", &times.short(closed))?;
    }
    if let Some(linked) = ticket.linked_to {
        put("Linked", &format!("to ticket {linked}, which it claimed to belong to"))?;
    }
    if let Some(merged) = ticket.merged_into {
        put("Merged", &format!("into ticket {merged}"))?;
    }
    for linked in &shown.linked_from {
        put("Linked", &format!("from ticket {linked}"))?;
    }
    for (address, role) in &shown.people {
        if *role != TicketRole::Requester {
            put("With", &format!("{address}, a {}", role_word(*role)))?;
        }
    }
    let numbered = attachments(shown);
    for message in &shown.messages {
        line("")?;
        let from = named(message.from_name.as_deref().unwrap_or_default(), &message.from_address);
        let author = match message.author.as_str() {
            "machine" => ", a note of a machine",
            "staff" => ", of staff",
            _ => "",
        };
        line(format_args!(
            "{}. {}{author}, {}",
            message.n,
            escape(&from),
            times.short(message.written_at)
        ))?;
        line(format_args!("   message {}", message.message))?;
        if !message.also_in.is_empty() {
            line(format_args!("   came again to {}", escape(&message.also_in.join(", "))))?;
        }
        if !message.flags.is_empty() {
            line(format_args!("   flags {}", message.flags.join(", ")))?;
        }
        let own = numbered.iter().filter(|(_, of, _)| of.n == message.n);
        for (number, _, attachment) in own.filter(|(_, _, attachment)| !attachment.repeated) {
            line(format_args!("   {}", attached(*number, attachment, filters)))?;
        }
        if let Some(internal) = &message.internal {
            line("   internal, for staff only:")?;
            put_text(internal)?;
            line("   the message that is forwarded:")?;
        }
        put_text(&message.visible)?;
    }
    if !shown.events.is_empty() {
        line("")?;
    }
    for event in &shown.events {
        let (kind, whom) = by(event);
        let whom = whom.map(|whom| format!(" {}", escape(whom))).unwrap_or_default();
        line(format_args!("{} {}, by {kind}{whom}", times.short(event.at), said(event)))?;
    }
    Ok(())
}

/// Who changed something: what they are, and which of those.
fn by(event: &Event) -> (&'static str, Option<&str>) {
    match &event.by {
        By::Agent(key) => ("agent", Some(key.as_str())),
        By::Operator => ("operator", None),
        By::User(id) => ("user", id.as_deref()),
    }
}

fn put_text(text: &str) -> Result<()> {
    for text in escape_lines(text.trim()).lines() {
        line(format_args!("   | {text}").to_string().trim_end())?;
    }
    Ok(())
}

fn attached(number: usize, attachment: &StoredAttachment, filters: &FilterPolicy) -> String {
    let inline = if attachment.inline { ", shown inline" } else { "" };
    let locked = if attachment.is_locked(filters) { ", locked" } else { "" };
    format!(
        "attachment {number}: {}, {}, {} bytes{inline}{locked}, SHA-256 {}",
        escape(&attachment.name),
        escape(&attachment.content_type),
        attachment.size,
        attachment.sha256
    )
}

fn subject(subject: &str) -> String {
    if subject.is_empty() { "(no subject)".to_owned() } else { escape(subject) }
}

fn named(name: &str, address: &str) -> String {
    if name.is_empty() || name == address {
        address.to_owned()
    } else {
        format!("{name} <{address}>")
    }
}

fn role_word(role: TicketRole) -> &'static str {
    match role {
        TicketRole::Correspondent => "correspondent",
        TicketRole::Participant => "participant",
        TicketRole::Requester => "requester",
    }
}
