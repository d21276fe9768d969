//! A change of address: it holds once a link that was mailed to the new one is opened, and the one
//! before is told.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use minijinja::context;

use super::account::Try;
use super::activate::{Link, unknown};
use super::mails::{PortalMail, Post};
use super::{Answer, Limit, Portal, PortalUser, Posted, Trouble, Visitor, csrf};
use crate::mail::address::PlusTag;
use crate::mail::{Address, AddressKey};
use crate::store::credentials::{self, CredentialKind, FoundLink};
use crate::store::users::account::{self, Person};
use crate::store::{Sql, StoreError};

impl Portal {
    /// Mails a link to an address that is to become a user's. Nobody learns whether it is somebody
    /// else's already: no mail goes there then.
    pub(super) async fn mail_confirmation(
        &self,
        user: &PortalUser,
        person: Person,
        address: Address,
    ) -> Result<(), Trouble> {
        let limit = &self.options.reset_limit;
        let tried =
            vec![Try::Address.by_user_at(user, limit), Try::Address.by_address_at(&address, limit)];
        self.try_once(Limit::Addresses, tried).await?;
        if self.options.nobodys.contains(&address.key(PlusTag::Strip)) {
            return Ok(());
        }
        let key: AddressKey = address.key(self.options.plus_tag);
        let (post, now) = (self.post(), self.now());
        self.write_later("a mail that confirms an address", move |sql| {
            match account::owner(sql, &key)? {
                Some(owner) if owner != person.id => Ok(()),
                _ => post.queue(sql, PortalMail::AddressChange, &person, &address.to_string(), now),
            }
        });
        Ok(())
    }
}

/// `GET /portal/confirm/TOKEN`.
pub(super) async fn form(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Answer {
    match portal.link(&visitor, CredentialKind::Address, &token).await? {
        Link::Expired(_) => expired(&visitor),
        Link::Live(link) => {
            let values = context! { address => &link.confirms, done => false };
            visitor.page("address.html", &visitor.words("address.title"), values)
        }
        Link::Unknown => unknown(&visitor),
    }
}

/// `POST /portal/confirm/TOKEN`.
pub(super) async fn confirm(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(token): Path<String>,
    _: Posted,
) -> Answer {
    let link = match portal.link(&visitor, CredentialKind::Address, &token).await? {
        Link::Expired(_) => return expired(&visitor),
        Link::Live(link) => link,
        Link::Unknown => return unknown(&visitor),
    };
    let Some(Ok(address)) = link.confirms.as_deref().map(Address::parse) else {
        return unknown(&visitor);
    };
    let change = Change {
        link: csrf::hash(&token),
        key: address.key(portal.options.plus_tag),
        address,
        post: portal.post(),
        person: link.clone(),
    };
    let now = portal.now();
    if !portal.write(move |sql| change.carry_out(sql, now)).await? {
        return expired(&visitor);
    }
    let values = context! { address => &link.confirms, done => true };
    visitor.page("address.html", &visitor.words("address.done_title"), values)
}

fn expired(visitor: &Visitor) -> Answer {
    let title = visitor.words("activate.expired_title");
    visitor.page_with(StatusCode::GONE, "address_expired.html", &title, context! {})
}

/// An address about to become a user's.
#[derive(Clone)]
struct Change {
    /// The hash of the link's token.
    link: String,
    address: Address,
    key: AddressKey,
    person: FoundLink,
    post: Post,
}

impl Change {
    // Answers whether the link still worked and the address was still free.
    fn carry_out(&self, sql: &mut dyn Sql, now: jiff::Timestamp) -> Result<bool, StoreError> {
        if !credentials::consume(sql, CredentialKind::Address, &self.link, now)? {
            return Ok(false);
        }
        let before = account::person(sql, &self.person.person)?;
        let id = &self.person.person;
        if !account::take_address(sql, id, &self.address, &self.key, now)? {
            return Ok(false);
        }
        if let Some(before) = before
            && let Some((main, _)) = &before.main
            && *main != self.address.to_string()
        {
            self.post.queue(sql, PortalMail::AddressChanged, &before, main, now)?;
        }
        Ok(true)
    }
}
