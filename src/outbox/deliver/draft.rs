//! What a mail would say that nobody queued: an answer kept ready, a preview. Nothing is minted here.

use jiff::Timestamp;

use super::Outbox;
use super::write::Matter;
use crate::mail::AddressKey;
use crate::outbox::secret::REDACTED;
use crate::outbox::template::Template;
use crate::outbox::values::Values;
use crate::outbox::{OutboxError, Problem, Severity, Unwritable, preview};
use crate::store::outbox::{self, Letter};
use crate::store::tickets;
use crate::triage::plan::MailCause;

/// What a template would say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub text: String,
    pub brings_credentials: bool,
}

impl Outbox {
    /// What a template says about a ticket, as an agent would write it; of one that brings
    /// credentials what its mail says, which is about no ticket (T-22), with `[redacted]` in their
    /// place. `None` when there is no such ticket.
    pub fn draft(
        &self,
        ticket: i64,
        template: &str,
        agent: Option<&AddressKey>,
    ) -> Result<Option<Draft>, OutboxError> {
        let letter = self.store.read_only(|sql| outbox::draft(sql, ticket, template, agent))?;
        let Some(mut letter) = letter else { return Ok(None) };
        let unwritable = |why: Unwritable| {
            OutboxError::Templates(vec![Problem {
                file: template.to_owned(),
                line: 1,
                column: 1,
                severity: Severity::Error,
                message: why.to_string(),
                hint: "`guichet check` says what is wrong with templates".to_owned(),
            }])
        };
        let found = self.template(&letter);
        let found = found.ok_or_else(|| unwritable(Unwritable::NoTemplate(template.to_owned())))?;
        let brings_credentials = found.uses_link() || found.uses_password();
        if brings_credentials {
            letter.ticket = None;
            letter.cause = MailCause::Notice;
        }
        let mut values = self.values_of(&bare(letter), found, self.clock.now());
        for name in ["portal.activation_url", "portal.password"] {
            values.line(name, REDACTED);
        }
        let text = self.templates.render(found, &values).map_err(unwritable)?.text;
        Ok(Some(Draft { text, brings_credentials }))
    }

    /// What is known of a ticket and of one of its messages, else its last one, as a mail by
    /// `template` would say it now: of its changes the last, of secrets a sample. `None` when there
    /// is no such ticket.
    pub fn known_of(
        &self,
        ticket: i64,
        message: Option<&str>,
        template: &Template,
    ) -> Result<Option<Values>, OutboxError> {
        let now = self.clock.now();
        let matter = self.store.read_only(|sql| {
            let Some(letter) = outbox::draft(sql, ticket, template.name(), None)? else {
                return Ok(None);
            };
            let last = match message {
                Some(id) => Some(id.to_owned()),
                None => tickets::messages(sql, ticket)?.pop().map(|last| last.message),
            };
            let message = match &last {
                Some(id) => outbox::causing_message(sql, id)?,
                None => None,
            };
            let primary_users = match &letter.site {
                Some(site) => outbox::primary_users(sql, &site.id)?,
                None => Vec::new(),
            };
            let mut changes = tickets::events(sql, ticket)?;
            let at = changes.last().map(|last| last.at);
            changes.retain(|change| Some(change.at) == at);
            // Whoever looks after the ticket has the word, as in mail that nobody writes.
            let letter =
                Letter { locale: template.locale().to_owned(), cause: MailCause::Notice, ..letter };
            Ok(Some(Matter { message, primary_users, changes, ..bare(letter) }))
        })?;
        let Some(matter) = matter else { return Ok(None) };
        let mut values = self.values_of(&matter, template, now);
        preview::sample_secrets(&mut values, &self.options);
        Ok(Some(values))
    }

    fn values_of(&self, matter: &Matter, template: &Template, now: Timestamp) -> Values {
        let sender = self.options.senders.get(&matter.letter.mailbox);
        let mailbox = sender.map_or("", |sender| sender.address.as_str());
        let mut values = self.values(matter, template.locale(), mailbox, now);
        let lifetime = match template.uses_password() {
            true => self.options.password_expires,
            false => self.options.link_expires,
        };
        values.moment("portal.expires", now.saturating_add(lifetime).unwrap_or(Timestamp::MAX));
        values
    }
}

fn bare(letter: Letter) -> Matter {
    Matter {
        letter,
        message: None,
        primary_users: Vec::new(),
        files: Vec::new(),
        changes: Vec::new(),
    }
}
