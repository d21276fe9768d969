//! What the names in a template stand for in a mail of ours.

use jiff::Timestamp;

use super::Outbox;
use super::write::Matter;
use crate::mail::AddressKey;
use crate::outbox::render::answers_by_mail;
use crate::outbox::template::may_quote;
use crate::outbox::values::Values;
use crate::outbox::words;
use crate::store::outbox::{Letter, LetterPerson};
use crate::store::tickets::EventKind;
use crate::triage::facts::{TicketStatus, UserStatus};
use crate::triage::plan::MailCause;
use crate::triage::policy::Priority;

impl Outbox {
    pub(super) fn values(
        &self,
        matter: &Matter,
        locale: &str,
        mailbox: &str,
        now: Timestamp,
    ) -> Values {
        let letter = &matter.letter;
        let mut values = Values::new(self.zone.clone());
        values.line("mailbox.address", mailbox);
        values.line("company.name", &self.options.portal_name);
        values.moment("now", now);
        values.line("portal.url", self.portal_url());
        let portal_name = match self.options.portal_name.trim() {
            "" => mailbox,
            name => name,
        };
        values.line("portal.name", portal_name);
        values.line("portal.username", &letter.to);
        values.line("user.email", &letter.to);
        values.line("user.name", &letter.to);
        values.line("user.locale", &letter.locale);
        if let Some(person) = &letter.person {
            let mut optional = |name, value: &Option<String>| {
                values.line(name, value.as_deref().unwrap_or_default());
            };
            optional("user.phone", &person.phone);
            optional("user.mobile", &person.mobile);
            optional("user.department", &person.department);
            optional("user.job_title", &person.job_title);
            values.line("user.first_name", &person.first_name);
            values.line("user.last_name", &person.last_name);
            values.line("user.access", person.access.as_str());
            let name = full_name(person);
            if !name.is_empty() {
                values.line("user.name", &name);
            }
            if let Some(username) = &person.username {
                values.line("portal.username", username);
            }
        }
        self.matter_values(matter, locale, &mut values);
        values
    }

    // What the mail is about, as opposed to whom it concerns.
    fn matter_values(&self, matter: &Matter, locale: &str, values: &mut Values) {
        let Matter { letter, message, primary_users, changes, .. } = matter;
        if let Some(ticket) = &letter.ticket {
            let subject = match ticket.subject.trim() {
                "" => words::no_subject(locale),
                subject => subject,
            };
            values.line("ticket.number", &ticket.number.to_string());
            values.line("ticket.subject", subject);
            values.line("ticket.status", words::status(locale, ticket.status));
            values.line("ticket.department", ticket.department.as_deref().unwrap_or_default());
            values.moment("ticket.created_at", ticket.created_at);
            let priority = ticket.priority.as_deref().and_then(Priority::parse);
            let priority = priority.map_or("", |priority| words::priority(locale, priority));
            values.line("ticket.priority", priority);
            if let Some(key) = &ticket.assignee {
                values.line("ticket.assignee", self.name_of(key));
            }
            if !self.portal_url().is_empty() && may_open(letter) {
                let url = format!("{}/portal/tickets/{}", self.portal_url(), ticket.number);
                values.line("ticket.url", &url);
            }
        }
        self.agent_values(letter, values);
        for change in changes {
            let after = change.after.as_deref().unwrap_or_default();
            match change.kind {
                EventKind::Assignee => {
                    let key = AddressKey(after.to_owned());
                    values.line("change.assignee", self.name_of(&key));
                }
                EventKind::Closed | EventKind::Reopened | EventKind::Status => {
                    let status = TicketStatus::parse(after);
                    let said = status.map_or(after, |status| words::status(locale, status));
                    values.line("change.status", said);
                }
                EventKind::Site => values.line("change.site", after),
                EventKind::Department
                | EventKind::Merged
                | EventKind::Opened
                | EventKind::Priority
                | EventKind::Readers
                | EventKind::Released
                | EventKind::Requester
                | EventKind::Tags => {}
            }
        }
        if let Some(site) = &letter.site {
            values.line("site.name", &site.name);
            values.line("site.phone", site.phone.as_deref().unwrap_or_default());
            values.line("site.primary_users", &primary_users.join(", "));
        }
        if let Some(message) = message {
            values.moment("message.date", message.written_at);
            let (address, name) = &message.from;
            let from = who(address, name.as_deref());
            match letter.ticket.as_ref().filter(|_| message.is_entered) {
                Some(ticket) => {
                    let name = ticket.requester_name.as_deref();
                    values.line("message.from", &who(&ticket.requester_address, name));
                    values.line("message.entered_by", &from);
                }
                None => values.line("message.from", &from),
            }
            let names = message.attachments.iter().map(|file| file.name.as_str());
            values.line("message.attachments", &names.collect::<Vec<_>>().join(", "));
            if may_quote(&letter.template, self.options.templates.quoting) {
                let quoted: Vec<String> =
                    message.text.lines().map(|line| format!("> {line}")).collect();
                values.text("message.text", &message.text);
                values.text("message.quoted", &quoted.join("\n"));
            }
        }
    }

    // Whose words it brings, or whoever looks after the ticket. A notice is to an agent, and about the
    // requester.
    fn agent_values(&self, letter: &Letter, values: &mut Values) {
        let of_ticket = letter.ticket.as_ref().and_then(|ticket| ticket.assignee.as_ref());
        let (agent, is_notice) = match &letter.cause {
            MailCause::News { agent: Some(agent), .. } => (Some(agent), true),
            MailCause::Words { agent, .. } => (agent.as_ref(), false),
            MailCause::Answer { .. } | MailCause::News { agent: None, .. } | MailCause::Notice => {
                (of_ticket, false)
            }
        };
        if let Some(key) = agent {
            values.line("agent.name", self.name_of(key));
            if let Some(agent) = self.options.agents.get(key) {
                values.line("agent.email", &agent.address);
                values.text("agent.signature", agent.signature.as_deref().unwrap_or_default());
            }
        }
        if let Some(ticket) = letter.ticket.as_ref().filter(|_| is_notice) {
            let sender = self.options.senders.get(&letter.mailbox);
            match sender.filter(|sender| answers_by_mail(letter, sender)) {
                Some(sender) => values.line("reply.from", &sender.address),
                None => {
                    values
                        .line("reply.command", &format!("guichet tickets reply {}", ticket.number));
                }
            }
            let address = &ticket.requester_address;
            let name = ticket.requester_name.as_ref().filter(|name| !name.is_empty());
            values.line("user.email", address);
            values.line("user.name", name.unwrap_or(address));
        }
    }

    // An agent who left is still named somehow.
    fn name_of<'a>(&'a self, key: &'a AddressKey) -> &'a str {
        self.options.agents.get(key).map_or(key.as_str(), |agent| &agent.name)
    }

    pub(super) fn portal_url(&self) -> &str {
        self.options.portal_url.as_deref().unwrap_or_default().trim_end_matches('/')
    }
}

// A page that its reader could never open is not linked to: they have no account, or none any more. An
// agent is told where the requester reads.
fn may_open(letter: &Letter) -> bool {
    let is_notice = matches!(letter.cause, MailCause::News { agent: Some(_), .. });
    is_notice || letter.person.as_ref().is_some_and(|one| one.status == UserStatus::Active)
}

fn who(address: &str, name: Option<&str>) -> String {
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("{name} <{address}>"),
        None => address.to_owned(),
    }
}

pub(super) fn full_name(person: &LetterPerson) -> String {
    format!("{} {}", person.first_name, person.last_name).trim().to_owned()
}
