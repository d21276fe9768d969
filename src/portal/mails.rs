//! The mails that the portal sends of its own accord: queued here, written and sent by the outbox,
//! which mints their links (T-26). Each goes to an address that the store has, or that is to be
//! confirmed; never to one that a form names otherwise (T-28).

use jiff::Timestamp;

use super::Portal;
use crate::clock::Ids;
use crate::mail::Address;
use crate::store::outbox::{self, QueuedFor};
use crate::store::users::account::Person;
use crate::store::{Sql, StoreError};
use crate::triage::plan::{MailCause, OutgoingMail, UserRef};

/// Which mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PortalMail {
    /// To a new address: a link to confirm it.
    AddressChange,
    /// To the address before: that there is another.
    AddressChanged,
    PasswordChanged,
    /// A link to choose a password.
    PasswordReset,
}

impl PortalMail {
    fn template(self) -> &'static str {
        match self {
            PortalMail::AddressChange => "address_change",
            PortalMail::AddressChanged => "address_changed",
            PortalMail::PasswordChanged => "password_changed",
            PortalMail::PasswordReset => "password_reset",
        }
    }
}

/// Puts mails of the portal into the outbox.
#[derive(Clone)]
pub(super) struct Post {
    sender: Option<super::Sender>,
    locale: String,
    ids: Ids,
}

impl Portal {
    /// Its outgoing post.
    pub(super) fn post(&self) -> Post {
        Post {
            sender: self.options.sender.clone(),
            locale: self.options.locale.clone(),
            ids: self.ids.clone(),
        }
    }
}

impl Post {
    /// Queues a mail to a user, at one of their addresses or one to be.
    pub(super) fn queue(
        &self,
        sql: &mut dyn Sql,
        mail: PortalMail,
        person: &Person,
        to: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (Some(sender), Ok(to)) = (&self.sender, Address::parse(to)) else { return Ok(()) };
        let locale = person.locale.clone().or_else(|| person.site_locale.clone());
        let mail = OutgoingMail {
            template: mail.template().to_owned(),
            to,
            user: Some(UserRef::Existing(person.id.clone())),
            ticket: None,
            mailbox: sender.mailbox.clone(),
            message_id_domain: sender.message_id_domain.clone(),
            locale: locale.unwrap_or_else(|| self.locale.clone()),
            site: person.site.0.clone(),
            cause: MailCause::Notice,
        };
        let about = QueuedFor { person: Some(&person.id), ..QueuedFor::default() };
        outbox::queue(sql, &mail, about, &self.ids, now).map(drop)
    }
}
