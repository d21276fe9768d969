//! The link of a credentials mail: looking at it uses nothing up, however often, since mail scanners do
//! (T-23); choosing a password does.

use std::slice::from_ref;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use minijinja::context;

use super::account::{Refused, Try, chosen, hand_over, settle};
use super::mails::Post;
use super::{Answer, Limit, Portal, Posted, Trouble, Visitor, csrf};
use crate::faults;
use crate::mail::Address;
use crate::store::attempts;
use crate::store::credentials::{self, CredentialKind, FoundLink};
use crate::store::sessions::{NewSession, SessionScope};
use crate::store::tickets::portal::{Asked, Reader, list};
use crate::store::users::account::{self, Person};
use crate::store::{Sql, StoreError};
use crate::triage::facts::UserStatus;

/// A link as it was found.
pub(super) enum Link {
    /// It does not work any more.
    Expired(FoundLink),
    Live(FoundLink),
    /// Nobody made such a link.
    Unknown,
}

impl Portal {
    /// What a token in a link leads to. One that is not known counts as a guess (T-27); who guessed
    /// too often is told nothing for a while.
    pub(super) async fn link(
        &self,
        visitor: &Visitor,
        kind: CredentialKind,
        token: &str,
    ) -> Result<Link, Trouble> {
        // T-24: nothing else is looked for.
        let hash = csrf::is_secret(token).then(|| csrf::hash(token));
        let (trial, now) = (Try::Link.by_source(visitor), self.now());
        let looked = [trial.tried.clone()];
        let found = self
            .read(move |sql| {
                let refusals = attempts::refusals(sql, &looked, now)?;
                if !refusals.is_empty() {
                    return Ok(Err(refusals));
                }
                let Some(hash) = hash else { return Ok(Ok(None)) };
                credentials::find_link(sql, kind, &hash, now).map(Ok)
            })
            .await?;
        let refuse = |refusals: Vec<_>| self.refuse(Limit::Links, from_ref(&trial), &refusals);
        let found = found.map_err(refuse)?;
        if found.is_none() {
            self.failed(&trial).await?;
        }
        Ok(match found {
            None => Link::Unknown,
            Some(link) if link.status != UserStatus::Active => return Err(Trouble::Disabled),
            Some(link) if link.is_live => Link::Live(link),
            Some(link) => Link::Expired(link),
        })
    }
}

/// `GET /portal/activate/TOKEN`.
pub(super) async fn form(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(token): Path<String>,
) -> Answer {
    match portal.link(&visitor, CredentialKind::Link, &token).await? {
        // Who keeps the mail as a bookmark is where they wanted to be.
        Link::Expired(_) if visitor.user().is_some() => Ok(visitor.go("")),
        Link::Expired(_) => expired(&visitor, &token),
        Link::Live(link) => {
            if !faults::stands("T-23") {
                let (hash, now) = (csrf::hash(&token), portal.now());
                portal
                    .write(move |sql| credentials::consume(sql, CredentialKind::Link, &hash, now))
                    .await?;
            }
            page(&visitor, &link, None)
        }
        Link::Unknown => unknown(&visitor),
    }
}

/// `POST /portal/activate/TOKEN`.
pub(super) async fn activate(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(token): Path<String>,
    posted: Posted,
) -> Answer {
    let link = match portal.link(&visitor, CredentialKind::Link, &token).await? {
        Link::Expired(_) => return expired(&visitor, &token),
        Link::Live(link) => link,
        Link::Unknown => return unknown(&visitor),
    };
    let id = link.person.clone();
    let person = portal.read(move |sql| account::person(sql, &id)).await?;
    let person: Person = person.ok_or(Trouble::Disabled)?;
    let typed = match chosen(&posted, &person, &portal) {
        Ok(typed) => typed,
        Err(refused) => return page(&visitor, &link, Some(refused)),
    };
    let hash = portal.hasher.hash(&typed).await?;
    let (session_token, session) = portal.session(&visitor, &person.id, SessionScope::All);
    let used = Activation { link: csrf::hash(&token), hash, session, post: portal.post() };
    let now = portal.now();
    if portal.write(move |sql| used.carry_out(sql, now)).await? {
        let begun = portal.read(move |sql| begin_at(sql, &person.id)).await?;
        let done = visitor.go_saying(&begun, "password_saved");
        return Ok(hand_over(done, &session_token, &visitor));
    }
    expired(&visitor, &token)
}

// Whoever has one ticket has come to see it.
fn begin_at(sql: &mut dyn Sql, person: &str) -> Result<String, StoreError> {
    let Some(reader) = Reader::of(sql, person)? else { return Ok(String::new()) };
    Ok(match list(sql, &reader, &Asked::default(), 2)?.as_slice() {
        [only] => format!("tickets/{}", only.number),
        _ => String::new(),
    })
}

/// `POST /portal/activate/TOKEN/again`: a new link, to the address that the store has.
pub(super) async fn again(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(token): Path<String>,
    _: Posted,
) -> Answer {
    let link = match portal.link(&visitor, CredentialKind::Link, &token).await? {
        Link::Expired(link) | Link::Live(link) => link,
        Link::Unknown => return unknown(&visitor),
    };
    portal.try_once(Limit::Resets, vec![Try::Reset.by_source(&visitor)]).await?;
    let main = link.main_address.as_deref().map(Address::parse);
    if let Some(Ok(main)) = main {
        portal.mail_link_to(&main).await?;
    }
    super::forgotten::sent(&visitor)
}

fn page(visitor: &Visitor, link: &FoundLink, refused: Option<Refused>) -> Answer {
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let wrong = refused.map(|refused| visitor.words(refused.key()));
    let values = context! { address => &link.main_address, by_link => true, wrong };
    visitor.page_with(status, "choose.html", &visitor.words("activate.title"), values)
}

fn expired(visitor: &Visitor, token: &str) -> Answer {
    let title = visitor.words("activate.expired_title");
    visitor.page_with(StatusCode::GONE, "expired.html", &title, context! { token })
}

pub(super) fn unknown(visitor: &Visitor) -> Answer {
    let title = visitor.words("activate.unknown_title");
    visitor.page_with(StatusCode::NOT_FOUND, "unknown_link.html", &title, context! {})
}

/// A password chosen by a link.
#[derive(Clone)]
struct Activation {
    /// The hash of the link's token.
    link: String,
    /// The hash of the password.
    hash: String,
    session: NewSession,
    post: Post,
}

impl Activation {
    // Answers whether the link still worked: of two who use it at once, one does (T-22).
    fn carry_out(&self, sql: &mut dyn Sql, now: jiff::Timestamp) -> Result<bool, StoreError> {
        if !credentials::consume(sql, CredentialKind::Link, &self.link, now)? {
            return Ok(false);
        }
        settle(sql, &self.session.person, &self.hash, &self.session, &self.post, now)
    }
}
