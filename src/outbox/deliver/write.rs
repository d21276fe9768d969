//! Writes one mail: what the store says about it, what is minted for it, what its template makes of
//! both. What leaves here besides the mail itself holds no secret.

use jiff::{SignedDuration, Timestamp};

use super::values::full_name;
use super::{Outbox, Ready};
use crate::faults;
use crate::mail::MessageId;
use crate::mail::attachment::cut;
use crate::mail::reply::{known_lines, normalise};
use crate::outbox::render::{self, BodyToken, File, Parties};
use crate::outbox::secret::{activation_token, temporary_password};
use crate::outbox::template::{Reader, Rendered, Template};
use crate::outbox::values::Values;
use crate::outbox::{Unwritable, markup, preview};
use crate::store::credentials::{CredentialKind, NewCredential};
use crate::store::outbox::{self, Attempt, CausingMessage, Letter, OutboxClaim};
use crate::store::tickets::{self, Event, StoredAttachment};
use crate::store::{Sql, StoreError, keys, spool};
use crate::triage::facts::UserStatus;
use crate::triage::keys::{Keyring, Mark, SigningKey};
use crate::triage::plan::MailCause;

/// What the store says about a mail, as far as its template asks.
pub(super) struct Matter {
    pub(super) letter: Letter,
    pub(super) message: Option<CausingMessage>,
    pub(super) primary_users: Vec<String>,
    /// The files of what staff wrote to a requester.
    pub(super) files: Vec<File>,
    /// The changes since the last mail that told of some, which this one tells of.
    pub(super) changes: Vec<Event>,
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
        let names = MESSAGE.iter().any(|name| template.uses(name));
        let brings_files = matches!(letter.cause, MailCause::Words { .. });
        let message = match &letter.message {
            Some(message) if names || brings_files => outbox::causing_message(sql, message)?,
            _ => None,
        };
        let files = match (&letter.message, &message) {
            (Some(id), Some(message)) if brings_files => match files(sql, id, message)? {
                Ok(files) => files,
                Err(unwritable) => return Ok(Err(unwritable.to_string())),
            },
            _ => Vec::new(),
        };
        let changes = match (&letter.ticket, letter.event) {
            (Some(ticket), Some(event)) => changes(sql, ticket.number, letter.id, event)?,
            _ => Vec::new(),
        };
        let primary_users = match &letter.site {
            Some(site) if template.uses("site.primary_users") => {
                outbox::primary_users(sql, &site.id)?
            }
            _ => Vec::new(),
        };
        Ok(Ok(Matter { letter, message, primary_users, files, changes }))
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
    pub(super) fn template(&self, letter: &Letter) -> Option<&Template> {
        let site = letter.site.as_ref().and_then(|site| site.locale.as_deref());
        let reader = Reader {
            site: letter.site.as_ref().map(|site| site.name.as_str()),
            mailbox: Some(&letter.mailbox),
            locales: &[letter.locale.as_str(), site.unwrap_or_default(), &self.options.locale],
        };
        let name = preview::tried(&letter.template).unwrap_or(&letter.template);
        self.templates.find_for(name, reader)
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
        let is_trial = preview::tried(&letter.template).is_some();
        let (values, credentials) = if is_trial {
            (preview::sample_values(&self.options, template.locale()), Vec::new())
        } else {
            let mut values = self.values(matter, template.locale(), &sender.address, now);
            let credentials = self.mint(letter, template, &mut values, now)?;
            (values, credentials)
        };
        let mut rendered = self.templates.render(template, &values)?;
        if is_trial {
            rendered.subject = format!("[Test] {}", rendered.subject);
        }
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
        let mail = render::render(letter, &rendered, &matter.files, parties, now)?;
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
        let confirms = template.uses("portal.confirm_url");
        if !template.uses_link() && !template.uses_password() && !confirms {
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
        let mut keep = |kind, hash, sha256, lifetime: SignedDuration| {
            let expires_at = now.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
            let person = person.clone();
            credentials.push(NewCredential { person, kind, hash, sha256, expires_at });
            expires_at
        };
        if template.uses_link() {
            let minted = activation_token(&self.ids);
            let prefix = format!("{}/portal/activate/", self.portal_url());
            values.secret("portal.activation_url", minted.secret.after(&prefix));
            let until =
                keep(CredentialKind::Link, minted.hash, minted.sha256, self.options.link_expires);
            values.moment("portal.expires", until);
        }
        if confirms {
            // Whoever opens it shows that the address this mail goes to is theirs.
            let minted = activation_token(&self.ids);
            let prefix = format!("{}/portal/confirm/", self.portal_url());
            values.secret("portal.confirm_url", minted.secret.after(&prefix));
            let until = keep(
                CredentialKind::Address,
                minted.hash,
                minted.sha256,
                self.options.link_expires,
            );
            values.moment("portal.expires", until);
        }
        if template.uses_password() {
            let minted = temporary_password(&self.ids);
            values.secret("portal.password", minted.secret);
            let until = keep(
                CredentialKind::Password,
                minted.hash,
                minted.sha256,
                self.options.password_expires,
            );
            values.moment("portal.expires", until);
        }
        Ok(credentials)
    }
}

const MESSAGE: [&str; 6] = [
    "message.attachments",
    "message.date",
    "message.entered_by",
    "message.from",
    "message.quoted",
    "message.text",
];

// What an agent's program repeats of a ticket's images is no file of the answer (M-26).
fn files(
    sql: &mut dyn Sql,
    id: &str,
    message: &CausingMessage,
) -> Result<Result<Vec<File>, Unwritable>, StoreError> {
    let sent: Vec<_> = message.attachments.iter().filter(|file| !file.repeated).collect();
    if sent.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let raw = match spool::raw(sql, id) {
        Ok(raw) => raw.ok_or_else(|| "its bytes are gone".to_owned()),
        Err(StoreError::DamagedMessage { said, .. }) => Err(said),
        Err(failure) => return Err(failure),
    };
    let cut = |stored: &StoredAttachment| {
        let bytes = match (&raw, stored.as_read()) {
            (Err(said), _) => Err(said.clone()),
            (Ok(_), None) => Err("its checksum is not one".to_owned()),
            (Ok(raw), Some(file)) => cut(raw, &file).map_err(|error| error.to_string()),
        };
        let (name, content_type) = (stored.name.clone(), stored.content_type.clone());
        match bytes {
            Ok(bytes) => Ok(File { name, content_type, bytes }),
            Err(said) => Err(Unwritable::Attachment { name, said }),
        }
    };
    Ok(sent.into_iter().map(cut).collect())
}

// All that one person changed at once is told in one mail: the last of it is what the mail names.
fn changes(
    sql: &mut dyn Sql,
    ticket: i64,
    mail: i64,
    event: i64,
) -> Result<Vec<Event>, StoreError> {
    let before = outbox::told_before(sql, ticket, mail)?;
    let events = tickets::events(sql, ticket)?.into_iter();
    let at = events.clone().find(|known| known.n == event).map(|known| known.at);
    let is_told = |known: &Event| known.n > before && known.n <= event && Some(known.at) == at;
    Ok(events.filter(is_told).collect())
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
