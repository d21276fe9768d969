//! Logging in and out, and choosing a password after a temporary one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use minijinja::context;

use super::account::{Refused, Try, chosen, hand_over, settle};
use super::cookies::{self, Cookie};
use super::form::is_page;
use super::secrets::{Match, Typed};
use super::visitor::Choosing;
use super::{Answer, Limit, Portal, Posted, Trouble, Visitor};
use crate::faults;
use crate::mail::Address;
use crate::store::attempts;
use crate::store::credentials::{self, CredentialKind};
use crate::store::sessions::{self, NewSession, SessionScope};
use crate::store::users::account::{self, Account};
use crate::triage::facts::UserStatus;

// Temporary passwords that may be live, and the password they chose.
const SECRETS_AT_MOST: usize = credentials::LIVE_AT_MOST + 1;
/// Characters of an address.
pub(super) const LONGEST_ADDRESS: usize = 320;

/// `GET /portal/login`.
pub(super) async fn form(visitor: Visitor) -> Answer {
    if visitor.user().is_some() {
        return Ok(visitor.go(""));
    }
    let next = visitor.asked.split_once("?next=").map(|(_, next)| next);
    let next = next.filter(|next| is_page(next)).unwrap_or_default();
    page(&visitor, "", next, None)
}

fn page(visitor: &Visitor, address: &str, next: &str, wrong: Option<&str>) -> Answer {
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let wrong = wrong.map(|key| visitor.words(key));
    let values = context! { address, next, wrong };
    visitor.page_with(status, "login.html", &visitor.words("login.title"), values)
}

/// `POST /portal/login`. An unknown address takes as long as a known one, and hears the same (T-21).
pub(super) async fn log_in(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    posted: Posted,
) -> Answer {
    // A browser that hangs up meanwhile, as on a second click, was no wrong guess.
    let tried = tokio::spawn(tried(portal, visitor, posted)).await;
    tried.map_err(|panic| Trouble::Broken(panic.to_string()))?
}

async fn tried(portal: Arc<Portal>, visitor: Visitor, posted: Posted) -> Answer {
    let address = posted.line("address", LONGEST_ADDRESS)?;
    let next = posted.text("next");
    let next = if is_page(next) { next } else { "" };
    // What counts until it has succeeded would keep an office out that comes at once.
    let _turn = portal.turn_to_log_in(&visitor).await?;
    let tried = vec![Try::Login.by_account(&address), Try::Login.by_source(&visitor)];
    let counted = portal.try_once(Limit::Guesses, tried).await?;

    let typed = Typed::new(posted.text("password"));
    let account = find(&portal, &address).await?;
    let Some((account, matched)) = check(&portal, account, &typed).await? else {
        return page(&visitor, &address, next, Some("login.wrong"));
    };
    // Only who knows the password learns that the account is closed.
    let now = portal.now();
    if account.status != UserStatus::Active {
        portal.write(move |sql| attempts::forget(sql, &counted)).await?;
        return Err(Trouble::Disabled);
    }
    let is_temporary = account.password.as_ref() != Some(&matched.hash);
    let is_narrow = is_temporary && faults::stands("T-22-scope");
    let scope = if is_narrow { SessionScope::Password } else { SessionScope::All };
    let (token, session) = portal.session(&visitor, &account.id, scope);
    let rehashed = match matched.is_outdated && !is_temporary {
        true => Some(portal.hasher.hash(&typed).await?),
        false => None,
    };
    let login = Login { session, matched: matched.hash, is_temporary, rehashed };
    let begun = portal
        .write(move |sql| {
            attempts::forget(sql, &counted)?;
            login.begin(sql, now)
        })
        .await?;
    if !begun {
        return page(&visitor, &address, next, Some("login.wrong"));
    }
    if let super::visitor::Standing::LoggedIn(user) = &visitor.standing
        && faults::stands("T-22-before")
    {
        // Whoever logs in anew leaves no second way in behind.
        let before = user.session.clone();
        portal.write(move |sql| sessions::end(sql, &before)).await?;
    }
    let page = if scope == SessionScope::Password { "choose" } else { next };
    Ok(hand_over(visitor.go(page), &token, &visitor))
}

async fn find(portal: &Portal, address: &str) -> Result<Option<Account>, Trouble> {
    let key = Address::parse(address).ok().map(|address| address.key(portal.options.plus_tag));
    let now = portal.now();
    // What is no address is looked for all the same: that takes as long.
    let key = key.unwrap_or_else(|| crate::mail::AddressKey("nobody".to_owned()));
    portal.read(move |sql| account::of_address(sql, &key, now)).await
}

/// The account, when a password is its own. How long it takes depends on what was typed alone.
async fn check(
    portal: &Portal,
    account: Option<Account>,
    typed: &Typed,
) -> Result<Option<(Account, Match)>, Trouble> {
    if account.is_none() && !faults::stands("T-21") {
        return Ok(None);
    }
    let (mut hashes, mut times) = (Vec::new(), 1);
    if let Some(account) = &account {
        hashes.extend(account.password.clone());
    }
    if typed.is_temporary_shaped() {
        times = SECRETS_AT_MOST;
        hashes.extend(account.iter().flat_map(|account| account.temporary.clone()));
    }
    let matched = portal.hasher.find(typed, hashes, times).await?;
    Ok(account.zip(matched))
}

/// A login that was checked.
#[derive(Clone)]
struct Login {
    session: NewSession,
    matched: String,
    is_temporary: bool,
    rehashed: Option<String>,
}

impl Login {
    // Answers whether the password was still good when the session began.
    fn begin(
        &self,
        sql: &mut dyn crate::store::Sql,
        now: jiff::Timestamp,
    ) -> Result<bool, crate::store::StoreError> {
        let person = &self.session.person;
        let is_good = if self.is_temporary {
            // One login (threats §6).
            credentials::consume(sql, CredentialKind::Password, &self.matched, now)?
        } else {
            let now_is = account::person(sql, person)?;
            now_is.is_some_and(|person| {
                person.status == UserStatus::Active
                    && person.password.as_ref() == Some(&self.matched)
            })
        };
        if !is_good {
            return Ok(false);
        }
        if let Some(hash) = &self.rehashed {
            account::rehash(sql, person, &self.matched, hash)?;
        }
        sessions::begin(sql, &self.session, now)?;
        account::logged_in(sql, person, now)?;
        Ok(true)
    }
}

/// `POST /portal/logout`.
pub(super) async fn log_out(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    _: Posted,
) -> Answer {
    if let super::visitor::Standing::LoggedIn(user) = &visitor.standing {
        let session = user.session.clone();
        portal.write(move |sql| sessions::end(sql, &session)).await?;
    }
    let mut response = visitor.go_saying("login", "logged_out");
    let cookie = cookies::clear(Cookie::Session, portal.is_encrypted());
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

/// `GET /portal/choose`: a password after a temporary one.
pub(super) async fn choose_form(Choosing { visitor, user }: Choosing) -> Answer {
    if user.scope == SessionScope::All {
        return Ok(visitor.go("profile"));
    }
    choose_page(&visitor, None)
}

fn choose_page(visitor: &Visitor, refused: Option<Refused>) -> Answer {
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let wrong = refused.map(|refused| visitor.words(refused.key()));
    let values = context! { by_link => false, wrong };
    visitor.page_with(status, "choose.html", &visitor.words("choose.title"), values)
}

/// `POST /portal/choose`.
pub(super) async fn choose(
    State(portal): State<Arc<Portal>>,
    Choosing { visitor, user }: Choosing,
    posted: Posted,
) -> Answer {
    if user.scope == SessionScope::All {
        return Ok(visitor.go("profile"));
    }
    let id = user.id.clone();
    let person = portal.read(move |sql| account::person(sql, &id)).await?;
    let person = person.ok_or(Trouble::Disabled)?;
    let typed = match chosen(&posted, &person, &portal) {
        Ok(typed) => typed,
        Err(refused) => return choose_page(&visitor, Some(refused)),
    };
    // The one that was handed out is not to stay (threats §6).
    if typed.is_temporary_shaped() {
        let id = user.id.clone();
        let before = portal.read(move |sql| account::temporary_before(sql, &id)).await?;
        if portal.hasher.find(&typed, before, 1).await?.is_some() {
            return choose_page(&visitor, Some(Refused::Same));
        }
    }
    let hash = portal.hasher.hash(&typed).await?;
    let (token, session) = portal.session(&visitor, &user.id, SessionScope::All);
    let (post, now, id) = (portal.post(), portal.now(), user.id.clone());
    let settled = portal.write(move |sql| settle(sql, &id, &hash, &session, &post, now)).await?;
    if !settled {
        return Err(Trouble::Disabled);
    }
    Ok(hand_over(visitor.go_saying("", "password_saved"), &token, &visitor))
}
