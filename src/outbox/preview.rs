//! What a mail would say, without one: samples, and over them what the store knows of a ticket.
//! Nothing is minted here: a secret is always the sample of one.

use super::snippets::VARIABLES;
use super::values::{Values, is_secret, samples};
use super::{Options, words};
use crate::store::tickets::{self, Shown, TicketMessage};
use crate::store::{Sql, StoreError, users};
use crate::triage::facts::TicketStatus;

use jiff::Timestamp;
use jiff::tz::TimeZone;

// What stands before the name of a template that goes out with samples, on trial.
const TRIAL: &str = "test/";

/// The name under which a template is queued to go out with samples.
pub fn on_trial(template: &str) -> String {
    format!("{TRIAL}{template}")
}

/// The template that is on trial, if it is queued under such a name.
pub fn tried(queued_as: &str) -> Option<&str> {
    queued_as.strip_prefix(TRIAL)
}

/// A sample for every name, for a mail in `locale`, its times in the zone of the desk.
pub fn sample_values(options: &Options, locale: &str) -> Values {
    let mut values = samples(TimeZone::get(&options.timezone).unwrap_or(TimeZone::UTC));
    for status in ["change.status", "ticket.status"] {
        values.line(status, words::status(locale, TicketStatus::Open));
    }
    values.line("user.locale", locale);
    values.line("company.name", &options.portal_name);
    values.line("portal.name", &options.portal_name);
    if let Some(portal) = &options.portal_url {
        values.line("portal.url", portal);
        for (link, page) in [
            ("portal.activation_url", "activate/sample"),
            ("portal.confirm_url", "confirm/sample"),
            ("ticket.url", "tickets/4711"),
        ] {
            values.line(link, &format!("{portal}/portal/{page}"));
        }
    }
    values
}

/// What a mail about a ticket and one of its messages (else its last one) would say in `locale`;
/// `None` when there is no such ticket, or no such message on it.
pub fn values_of(
    sql: &mut dyn Sql,
    ticket: i64,
    message: Option<&str>,
    options: &Options,
    (locale, now): (&str, Timestamp),
) -> Result<Option<Values>, StoreError> {
    let Some(shown) = tickets::show(sql, ticket)? else { return Ok(None) };
    let found = match message {
        None => shown.messages.last(),
        Some(id) => match shown.messages.iter().find(|message| message.message == id) {
            None => return Ok(None),
            found => found,
        },
    };
    let mut values = sample_values(options, locale);
    // What is not known of this one is empty, not the sample of another.
    for variable in VARIABLES.iter().filter(|variable| !is_secret(variable.name)) {
        values.line(variable.name, "");
    }
    of_desk(&mut values, options, now);
    of_ticket(&mut values, &shown, options, locale);
    if let Some(message) = found {
        of_message(&mut values, message);
    }
    let user = match &shown.ticket.user {
        Some((id, _)) => users::show(sql, id)?,
        None => None,
    };
    if let Some(user) = user {
        let or_empty = |value: Option<String>| value.unwrap_or_default();
        values.line("user.first_name", &user.first_name);
        values.line("user.last_name", &user.last_name);
        values.line("user.phone", &or_empty(user.phone));
        values.line("user.mobile", &or_empty(user.mobile));
        values.line("user.department", &or_empty(user.department));
        values.line("user.job_title", &or_empty(user.job_title));
        values.line("user.access", user.access.as_str());
    }
    Ok(Some(values))
}

fn of_desk(values: &mut Values, options: &Options, now: Timestamp) {
    values.line("company.name", &options.portal_name);
    values.line("portal.name", &options.portal_name);
    values.line("portal.url", options.portal_url.as_deref().unwrap_or_default());
    values.moment("portal.expires", now.saturating_add(options.link_expires).unwrap_or(now));
    values.moment("now", now);
}

fn of_ticket(values: &mut Values, shown: &Shown, options: &Options, locale: &str) {
    let ticket = &shown.ticket;
    let subject = match ticket.subject.trim() {
        "" => words::no_subject(locale),
        subject => subject,
    };
    values.line("ticket.number", &ticket.number.to_string());
    values.line("ticket.subject", subject);
    values.line("ticket.status", words::status(locale, ticket.status));
    values.line("ticket.department", ticket.department.as_deref().unwrap_or_default());
    values.moment("ticket.created_at", ticket.created_at);
    if let Some(portal) = &options.portal_url {
        values.line("ticket.url", &format!("{portal}/portal/tickets/{}", ticket.number));
    }
    values.line("site.name", &ticket.site);
    values.line("agent.name", ticket.assignee.as_deref().unwrap_or_default());
    let sender = options.senders.get(&ticket.mailbox);
    values.line("mailbox.address", sender.map_or("", |sender| &sender.address));
    let named = |name: &&str| !name.is_empty();
    let name = ticket.user.as_ref().map(|(_, name)| name.as_str()).filter(named);
    let name = name.or(ticket.requester_name.as_deref().filter(named));
    values.line("user.name", name.unwrap_or(&ticket.requester_address));
    values.line("user.email", &ticket.requester_address);
    values.line("user.locale", locale);
    values.line("portal.username", &ticket.requester_address);
}

fn of_message(values: &mut Values, message: &TicketMessage) {
    let author = match message.from_name.as_deref() {
        Some(name) if !name.is_empty() => format!("{name} <{}>", message.from_address),
        _ => message.from_address.clone(),
    };
    let names: Vec<&str> =
        message.attachments.iter().map(|attachment| attachment.name.as_str()).collect();
    let quoted: Vec<String> = message.visible.lines().map(|line| format!("> {line}")).collect();
    values.line("message.from", &author);
    values.line("message.attachments", &names.join(", "));
    values.text("message.text", &message.visible);
    values.text("message.quoted", &quoted.join("\n"));
    values.moment("message.date", message.written_at);
}
