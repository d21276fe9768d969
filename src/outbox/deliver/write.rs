//! Writes one mail: what the store says about it, what is minted for it, what its template makes of
//! both. What leaves here besides the mail itself holds no secret.

use jiff::{SignedDuration, Timestamp};

use super::{Outbox, Ready};
use crate::faults;
use crate::mail::MessageId;
use crate::mail::reply::{known_lines, normalise};
use crate::outbox::render::{self, BodyToken, Parties};
use crate::outbox::secret::{activation_token, temporary_password};
use crate::outbox::template::{Rendered, Template, may_quote};
use crate::outbox::values::Values;
use crate::outbox::{Unwritable, markup, words};
use crate::store::credentials::{CredentialKind, NewCredential};
use crate::store::outbox::{self, Attempt, CausingMessage, Letter, LetterPerson, OutboxClaim};
use crate::store::{Sql, StoreError, keys};
use crate::triage::facts::UserStatus;
use crate::triage::keys::{Keyring, Mark, SigningKey};
use crate::triage::plan::MailCause;

/// What the store says about a mail, as far as its template asks.
pub(super) struct Matter {
    letter: Letter,
    message: Option<CausingMessage>,
    primary_users: Vec<String>,
}

impl Outbox {
    // A row that does not read is that mail's own trouble; a store that fails is everybody's.
    pub(super) fn matter(
        &self,
        sql: &mut dyn Sql,
        id: i64,
    ) -> Result<Result<Matter, String>, StoreError> {
        let letter = match outbox::letter(sql, id) {
            Ok(Some(letter)) => letter,
            Ok(None) => return Ok(Err("its row is gone".to_owned())),
            Err(error @ StoreError::Decode { .. }) => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        };
        let Some(template) = self.template(&letter) else {
            return Ok(Err(Unwritable::NoTemplate(letter.template).to_string()));
        };
        let names = ["message.date", "message.quoted", "message.text"];
        let message = match &letter.message {
            Some(message) if names.iter().any(|name| template.uses(name)) => {
                outbox::causing_message(sql, message)?
            }
            _ => None,
        };
        let primary_users = match &letter.site {
            Some(site) if template.uses("site.primary_users") => {
                outbox::primary_users(sql, &site.id)?
            }
            _ => Vec::new(),
        };
        Ok(Ok(Matter { letter, message, primary_users }))
    }

    /// The keys as they are now; makes the first one. The newest signs what is written now.
    pub(super) fn keys(&self, now: Timestamp) -> Result<Keyring, StoreError> {
        let keys = self.store.read_only(keys::keyring)?;
        if keys.newest().is_some() {
            return Ok(keys);
        }
        let ids = self.ids.clone();
        self.store.transact(move |sql| keys::begin(sql, &ids, now))
    }

    // The row's locale is the recipient's, the site's or the global one, as `decide` found it.
    fn template(&self, letter: &Letter) -> Option<&Template> {
        let site = letter.site.as_ref().and_then(|site| site.locale.as_deref());
        let locales = [letter.locale.as_str(), site.unwrap_or_default(), &self.options.locale];
        self.templates.find(&letter.template, &locales)
    }

    pub(super) fn write(
        &self,
        claim: OutboxClaim,
        matter: &Matter,
        keys: &Keyring,
        now: Timestamp,
    ) -> Result<Ready, Unwritable> {
        let key = keys.newest().expect("there is always one");
        let message_id = message_id(&matter.letter, keys, key);
        let letter = &Letter { message_id, ..matter.letter.clone() };
        let template =
            self.template(letter).ok_or_else(|| Unwritable::NoTemplate(letter.template.clone()))?;
        let sender = self
            .options
            .senders
            .get(&letter.mailbox)
            .ok_or_else(|| Unwritable::NoMailbox(letter.mailbox.clone()))?;
        let mut values = self.values(matter, template.locale(), &sender.address, now);
        let credentials = self.mint(letter, template, &mut values, now)?;
        let rendered = self.templates.render(template, &values)?;
        // A filter may have changed a secret beyond recognition, so the copy that is kept is
        // rendered without it, not searched for it.
        let copy = if credentials.is_empty() {
            rendered.clone()
        } else {
            self.templates.render(template, &values.redacted())?
        };
        let tag = &self.options.subject_tag;
        let recipient_name = letter.person.as_ref().map(full_name).unwrap_or_default();
        let parties = Parties {
            sender,
            recipient_name: &recipient_name,
            subject_tag: tag,
            key,
            body_token: match self.options.use_body_token {
                true => BodyToken::Written,
                false => BodyToken::Absent,
            },
        };
        let mail = render::render(letter, &rendered, parties, now)?;
        let subject = render::subject(&copy.subject, letter, tag);
        let message_id = letter.message_id.clone();
        let known = match letter.ticket {
            Some(_) => known_of(&copy),
            None => Vec::new(),
        };
        let body = copy.text;
        let attempt = Attempt { claim, credentials, message_id, subject, body, known };
        Ok(Ready { attempt, mail })
    }

    // T-22, T-26: a link or a password is drawn for this attempt alone; what leaves this function
    // besides the values of this one mail are hashes.
    fn mint(
        &self,
        letter: &Letter,
        template: &Template,
        values: &mut Values,
        now: Timestamp,
    ) -> Result<Vec<NewCredential>, Unwritable> {
        let mut credentials = Vec::new();
        if !template.uses_link() && !template.uses_password() {
            return Ok(credentials);
        }
        // What answers somebody, or is about a ticket, has not been through the gate.
        if letter.cause != MailCause::Notice || letter.ticket.is_some() {
            return Err(Unwritable::Credentials(letter.template.clone()));
        }
        // C-07, judged again: the user may have been disabled or deleted since.
        let person = letter
            .person
            .as_ref()
            .filter(|person| person.status == UserStatus::Active)
            .ok_or(Unwritable::User)?
            .id
            .clone();
        let mut keep = |kind, hash, lifetime: SignedDuration| {
            let expires_at = now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
            let person = person.clone();
            credentials.push(NewCredential { person, kind, hash, expires_at });
            expires_at
        };
        if template.uses_link() {
            let minted = activation_token(&self.ids);
            let prefix = format!("{}/portal/activate/", self.portal_url());
            values.secret("portal.activation_url", minted.secret.after(&prefix));
            let until = keep(CredentialKind::Link, minted.hash, self.options.link_expires);
            values.moment("portal.expires", until);
        }
        if template.uses_password() {
            let minted = temporary_password(&self.ids);
            values.secret("portal.password", minted.secret);
            let until = keep(CredentialKind::Password, minted.hash, self.options.password_expires);
            values.moment("portal.expires", until);
        }
        Ok(credentials)
    }

    fn values(&self, matter: &Matter, locale: &str, mailbox: &str, now: Timestamp) -> Values {
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
        let Matter { letter, message, primary_users } = matter;
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
            values.line("agent.name", ticket.assignee.as_deref().unwrap_or_default());
            if !self.portal_url().is_empty() {
                let url = format!("{}/portal/tickets/{}", self.portal_url(), ticket.number);
                values.line("ticket.url", &url);
            }
        }
        if let Some(site) = &letter.site {
            values.line("site.name", &site.name);
            values.line("site.phone", site.phone.as_deref().unwrap_or_default());
            values.line("site.primary_users", &primary_users.join(", "));
        }
        if let Some(message) = message {
            values.moment("message.date", message.written_at);
            if may_quote(&letter.template, self.options.templates.quoting) {
                let quoted: Vec<String> =
                    message.text.lines().map(|line| format!("> {line}")).collect();
                values.text("message.text", &message.text);
                values.text("message.quoted", &quoted.join("\n"));
            }
        }
    }

    fn portal_url(&self) -> &str {
        self.options.portal_url.as_deref().unwrap_or_default().trim_end_matches('/')
    }
}

// One for all attempts (P-03): once it was tried, or signed, an id stays.
fn message_id(letter: &Letter, keys: &Keyring, key: &SigningKey) -> String {
    let read = MessageId::parse(&letter.message_id).and_then(|id| keys.message_id(&id));
    let is_its_own = matches!(read, Some(Mark::Valid(own)) if own.mail == letter.id);
    if (is_its_own || letter.attempts > 0) && faults::stands("P-03-id") {
        return letter.message_id.clone();
    }
    let ticket = letter.ticket.as_ref().map_or(0, |ticket| ticket.number);
    let domain = letter.message_id.rsplit('@').next().unwrap_or_default();
    key.message_id(ticket, letter.id, domain)
}

// M-91: mail programs quote one of the two forms, and each breaks its lines elsewhere.
fn known_of(copy: &Rendered) -> Vec<u64> {
    let html = markup::text_of(&copy.html);
    known_lines(&normalise(&format!("{}\n{html}", copy.text)))
}

fn full_name(person: &LetterPerson) -> String {
    format!("{} {}", person.first_name, person.last_name).trim().to_owned()
}
