//! What login, activation and account pages share: how a session begins, how a password is chosen,
//! and what counts against whom (T-27).

use axum::http::header::SET_COOKIE;
use axum::response::Response;
use jiff::SignedDuration;

use super::cookies::{self, Cookie};
use super::lockouts::{Trial, Whom};
use super::mails::PortalMail;
use super::rules::{self, Unfit};
use super::secrets::Typed;
use super::{Limit, Portal, PortalUser, Posted, Trouble, Visitor, csrf};
use crate::faults;
use crate::mail::Address;
use crate::mail::address::PlusTag;
use crate::store::attempts::{self, Attempt, Counts, Tried};
use crate::store::sessions::{self, NewSession, SessionScope};
use crate::store::users::account::{self, Person};
use crate::store::{Sql, StoreError};
use crate::triage::policy::Rate;

/// T-27: five in a quarter of an hour.
const GUESSES: Rate = Rate { count: 5, per: SignedDuration::from_mins(15) };

/// What is tried, for the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Try {
    /// A change of address.
    Address,
    /// An activation link, or one that confirms an address.
    Link,
    Login,
    /// A mail with a new link.
    Reset,
}

impl Try {
    fn as_str(self) -> &'static str {
        match self {
            Try::Address => "address",
            Try::Link => "link",
            Try::Login => "login",
            Try::Reset => "reset",
        }
    }

    /// What counts against whoever asks, by where they are.
    pub(super) fn by_source(self, visitor: &Visitor) -> Trial {
        let source = visitor.asker.counted();
        let counted = format!("{}/source/{source}", self.as_str());
        let counts = match self {
            Try::Link => Counts::OnceItFails,
            Try::Address | Try::Login | Try::Reset => Counts::AtOnce,
        };
        let rates = if faults::stands("T-27-source") { vec![GUESSES] } else { Vec::new() };
        Trial { whom: Whom::Source(source), tried: Tried { counted, rates, counts } }
    }

    /// What counts against an account, named by an address as typed, which need not exist: nobody
    /// learns from a limit who does (T-21).
    pub(super) fn by_account(self, typed: &str) -> Trial {
        let whom = Whom::Account(Address::parse(typed.trim()).ok());
        self.counted(typed, whom, &[GUESSES])
    }

    /// What counts against somebody who is logged in.
    pub(super) fn by_user(self, user: &PortalUser) -> Trial {
        self.counted(&user.id, user.whom(), &[GUESSES])
    }

    /// The same against an account, by a limit of the configuration.
    pub(super) fn by_address_at(self, address: &Address, rates: &[Rate]) -> Trial {
        self.counted(&address.to_string(), Whom::Account(Some(address.clone())), rates)
    }

    /// The same against a user.
    pub(super) fn by_user_at(self, user: &PortalUser, rates: &[Rate]) -> Trial {
        self.counted(&user.id, user.whom(), rates)
    }

    fn counted(self, account: &str, whom: Whom, rates: &[Rate]) -> Trial {
        let counted = self.account(account);
        let rates = if faults::stands("T-27-account") { rates.to_vec() } else { Vec::new() };
        let is_late = !faults::stands("T-27-at-once");
        let counts = if is_late { Counts::OnceItFails } else { Counts::AtOnce };
        Trial { whom, tried: Tried { counted, rates, counts } }
    }

    // One account however its address is written.
    fn account(self, typed: &str) -> String {
        let key = match Address::parse(typed.trim()) {
            Ok(address) => address.key(PlusTag::Strip).as_str().to_owned(),
            Err(_) => typed.trim().to_lowercase(),
        };
        attempts::of_account(self.as_str(), &key)
    }
}

impl Portal {
    /// Counts an attempt, or refuses it until there is room.
    pub(super) async fn try_once(
        &self,
        limit: Limit,
        trials: Vec<Trial>,
    ) -> Result<Vec<String>, Trouble> {
        let (ids, now) = (self.ids.clone(), self.now());
        let tried: Vec<Tried> = trials.iter().map(|trial| trial.tried.clone()).collect();
        match self.write(move |sql| attempts::attempt(sql, &tried, &ids, now)).await? {
            Attempt::Counted(counted) => Ok(counted),
            Attempt::Refused(refusals) => Err(self.refuse(limit, &trials, &refusals)),
        }
    }

    /// Counts what was tried in vain.
    pub(super) async fn failed(&self, trial: &Trial) -> Result<(), Trouble> {
        let (ids, now) = (self.ids.clone(), self.now());
        let tried = [trial.tried.clone()];
        self.write(move |sql| attempts::failed(sql, &tried, &ids, now)).await
    }

    /// A session about to begin: its token, and what the store keeps of it.
    pub(super) fn session(
        &self,
        visitor: &Visitor,
        person: &str,
        scope: SessionScope,
    ) -> (String, NewSession) {
        let token = csrf::secret(&self.ids);
        let session = NewSession {
            hash: csrf::session(&token),
            person: person.to_owned(),
            scope,
            browser: visitor.browser.clone(),
        };
        (token, session)
    }
}

/// Gives the browser a session's token, in place of whatever it had before.
pub(super) fn hand_over(mut response: Response, token: &str, visitor: &Visitor) -> Response {
    let is_encrypted = visitor.portal.is_encrypted();
    let headers = response.headers_mut();
    headers.append(SET_COOKIE, cookies::set(Cookie::Session, token, is_encrypted));
    headers.append(SET_COOKIE, cookies::clear(Cookie::Form, is_encrypted));
    response
}

/// Why a password was not taken; `key` names its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Written twice, and not alike.
    Differ,
    /// The one they have, or the temporary one that is to be replaced.
    Same,
    Unfit(Unfit),
}

impl Refused {
    pub(super) fn key(self) -> &'static str {
        match self {
            Refused::Differ => "password.differ",
            Refused::Same => "password.same",
            Refused::Unfit(unfit) => unfit.key(),
        }
    }
}

/// The password that a form chooses, when it may be chosen.
pub(super) fn chosen(posted: &Posted, person: &Person, portal: &Portal) -> Result<Typed, Refused> {
    let typed = Typed::new(posted.text("password"));
    rules::fit(&typed, person, &portal.options.name).map_err(Refused::Unfit)?;
    if typed.reveal() != Typed::new(posted.text("again")).reveal() {
        return Err(Refused::Differ);
    }
    Ok(typed)
}

/// Keeps a password that was chosen, begins a session in place of all others, and queues the mail that
/// tells of it (threats §6): of the first one too, since a link can fall into other hands. Answers whether
/// there is still such an active user. Part of a transaction.
pub(super) fn settle(
    sql: &mut dyn Sql,
    person: &str,
    hash: &str,
    session: &NewSession,
    post: &super::mails::Post,
    now: jiff::Timestamp,
) -> Result<bool, StoreError> {
    let before = account::person(sql, person)?;
    if !account::choose_password(sql, person, hash, now)? {
        return Ok(false);
    }
    let Some(before) = before else { return Ok(false) };
    sessions::begin(sql, session, now)?;
    account::logged_in(sql, person, now)?;
    // Whoever guessed at the password before has nothing to do with this one.
    for address in &before.addresses {
        attempts::clear(sql, &Try::Login.account(address))?;
    }
    if let Some((main, _)) = &before.main {
        post.queue(sql, PortalMail::PasswordChanged, &before, main, now)?;
    }
    Ok(true)
}
