//! A forgotten password: a mail with a link to the address that the store has, the same answer for
//! every address, and before anybody knows whether there is an account (T-21, T-28).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use minijinja::context;

use super::account::Try;
use super::login::LONGEST_ADDRESS;
use super::mails::PortalMail;
use super::{Answer, Limit, Portal, Posted, Trouble, Visitor};
use crate::faults;
use crate::mail::{Address, AddressKey, PlusTag};
use crate::store::users::account;
use crate::triage::facts::UserStatus;

/// `GET /portal/forgotten`.
pub(super) async fn form(visitor: Visitor) -> Answer {
    visitor.page("forgotten.html", &visitor.words("forgotten.title"), context! {})
}

/// `POST /portal/forgotten`.
pub(super) async fn mail_a_link(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    posted: Posted,
) -> Answer {
    let typed = posted.line("address", LONGEST_ADDRESS)?;
    portal.try_once(Limit::Resets, vec![Try::Reset.by_source(&visitor)]).await?;
    if let Ok(address) = Address::parse(&typed) {
        portal.mail_link_to(&address).await?;
    }
    sent(&visitor)
}

/// What is said whatever became of it.
pub(super) fn sent(visitor: &Visitor) -> Answer {
    visitor.page("sent.html", &visitor.words("forgotten.sent_title"), context! {})
}

impl Portal {
    /// Mails a new link to whoever has an address, unless theirs were enough for now. Answers before
    /// the account is looked for, so that nothing about it shows in how long that takes.
    pub(super) async fn mail_link_to(&self, address: &Address) -> Result<(), Trouble> {
        let tried = Try::Reset.by_address_at(address, &self.options.reset_limit);
        match self.try_once(Limit::Resets, vec![tried]).await {
            Ok(_) => {}
            // Whether it was asked too often is its owner's business.
            Err(Trouble::TooOften(..)) => return Ok(()),
            Err(trouble) => return Err(trouble),
        }
        let (post, now) = (self.post(), self.now());
        let key: AddressKey = address.key(self.options.plus_tag);
        let (typed, nobodys) = (address.to_string(), self.options.nobodys.clone());
        self.write_later("a mail with a new link", move |sql| {
            let Some(id) = account::active(sql, &key)? else { return Ok(()) };
            let Some(person) = account::person(sql, &id)? else { return Ok(()) };
            match &person.main {
                // C-08: staff and mailboxes of ours get no way in by mail.
                Some((main, _)) if is_one_of(&nobodys, main) => Ok(()),
                Some((main, _)) if person.status == UserStatus::Active => {
                    let to = if faults::stands("T-28-stored") { main } else { &typed };
                    post.queue(sql, PortalMail::PasswordReset, &person, to, now)
                }
                _ => Ok(()),
            }
        });
        Ok(())
    }
}

fn is_one_of(nobodys: &BTreeSet<AddressKey>, written: &str) -> bool {
    Address::parse(written).is_ok_and(|address| nobodys.contains(&address.key(PlusTag::Strip)))
}
