//! A user's own account. Whoever was made by a mail has a password, sessions and a language; who they
//! are, they ask us to change (T-47). Full access changes name, telephones and address too.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use minijinja::{Value, context};

use super::account::{Refused, Try, chosen, hand_over, settle};
use super::login::LONGEST_ADDRESS;
use super::secrets::Typed;
use super::words::{self, Locale};
use super::{Answer, Limit, LoggedIn, Portal, Posted, Trouble, Visitor};
use crate::faults;
use crate::mail::Address;
use crate::store::attempts;
use crate::store::sessions::{self, Session, SessionScope};
use crate::store::users::account::{self, Person};
use crate::store::users::{self, Change};
use crate::triage::policy::Access;

// Characters of a name (T-56), and of a telephone number.
const LONGEST_NAME: usize = 64;
const LONGEST_PHONE: usize = 40;
// How a session is named in a form: the beginning of its hash, which opens nothing.
const HANDLE: usize = 16;

/// What is wrong with what was written into the forms: the key of its words, by field.
type Wrong = BTreeMap<&'static str, &'static str>;

/// `GET /portal/profile`.
pub(super) async fn page(State(portal): State<Arc<Portal>>, user: LoggedIn) -> Answer {
    let person = person(&portal, &user).await?;
    show(&portal, &user, &person, context! {}, &Wrong::new()).await
}

async fn person(portal: &Portal, LoggedIn { user, .. }: &LoggedIn) -> Result<Person, Trouble> {
    let id = user.id.clone();
    let person = portal.read(move |sql| account::person(sql, &id)).await?;
    person.ok_or(Trouble::Disabled)
}

// `typed` is what was written into a form, in the place of what there is.
async fn show(
    portal: &Portal,
    LoggedIn { visitor, user }: &LoggedIn,
    person: &Person,
    typed: Value,
    wrong: &Wrong,
) -> Answer {
    let (id, now) = (user.id.clone(), portal.now());
    let sessions = portal.read(move |sql| sessions::of_person(sql, &id, now)).await?;
    let sessions: Vec<Value> = sessions
        .iter()
        .filter(|session| session.scope == SessionScope::All)
        .map(|session| told(session, visitor, &user.session, portal))
        .collect();
    let locales: Vec<Value> = Locale::ALL
        .into_iter()
        .map(|locale| context! { tag => locale.as_str(), called => locale.called() })
        .collect();
    let chosen = person.locale.as_deref().and_then(Locale::parse).map(Locale::as_str);
    let wrong_words: BTreeMap<&str, String> =
        wrong.iter().map(|(field, key)| (*field, visitor.words(key))).collect();
    let there = context! {
        first_name => &person.first_name,
        last_name => &person.last_name,
        phone => &person.phone,
        mobile => &person.mobile,
        new_address => "",
    };
    let page = context! {
        chosen,
        is_full => user.access == Access::Full,
        locales,
        main => person.main.as_ref().map(|(address, _)| address),
        name => person.name(),
        sessions,
        site => &person.site.1,
        wrong => wrong_words,
    };
    let values = context! { ..page, ..typed, ..there };
    let is_fine = wrong.is_empty();
    let status = if is_fine { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    visitor.page_with(status, "profile.html", &visitor.words("profile.title"), values)
}

fn told(session: &Session, visitor: &Visitor, own: &str, portal: &Portal) -> Value {
    let time = |at| words::moment(visitor.locale, at, &portal.options.zone);
    context! {
        handle => &session.hash[..HANDLE],
        is_this => session.hash == own,
        browser => session.browser.as_deref().and_then(|browser| called(visitor.locale, browser)),
        since => time(session.created_at),
        used => time(session.seen_at),
    }
}

/// `POST /portal/profile`: name and telephones for full access, the language for all.
pub(super) async fn change(
    State(portal): State<Arc<Portal>>,
    user: LoggedIn,
    posted: Posted,
) -> Answer {
    let person = person(&portal, &user).await?;
    let (mut changes, mut wrong) = (Vec::new(), Wrong::new());
    let language = posted.text("language");
    match Locale::parse(language) {
        Some(locale) => changes.push(Change::Locale(Some(locale.as_str().to_owned()))),
        // A language that pages are not written in is not taken from whom it was given to.
        None if person.locale.as_deref().and_then(Locale::parse).is_some() => {
            changes.push(Change::Locale(None));
        }
        None => {}
    }
    let mut typed = context! {};
    if user.user.access == Access::Full || !faults::stands("T-47") {
        let first_name = posted.line("first_name", LONGEST_NAME)?;
        let last_name = posted.line("last_name", LONGEST_NAME)?;
        let phone = posted.line("phone", LONGEST_PHONE)?;
        let mobile = posted.line("mobile", LONGEST_PHONE)?;
        typed = context! {
            first_name => &first_name,
            last_name => &last_name,
            phone => &phone,
            mobile => &mobile,
        };
        if first_name.is_empty() && last_name.is_empty() {
            wrong.insert("name", "profile.name_missing");
        }
        for (field, number) in [("phone", &phone), ("mobile", &mobile)] {
            if !is_phone(number) {
                wrong.insert(field, "profile.phone_wrong");
            }
        }
        // What stays as it is was not chosen anew: a name made from the address remains one.
        if first_name != person.first_name || last_name != person.last_name {
            changes.push(Change::FirstName(first_name));
            changes.push(Change::LastName(last_name));
        }
        changes.push(Change::Phone(Some(phone).filter(|number| !number.is_empty())));
        changes.push(Change::Mobile(Some(mobile).filter(|number| !number.is_empty())));
    }
    if !wrong.is_empty() {
        return show(&portal, &user, &person, typed, &wrong).await;
    }
    let (id, now) = (person.id, portal.now());
    portal.write(move |sql| users::set(sql, &id, &changes, now)).await?;
    Ok(user.visitor.go_saying("profile", "profile_saved"))
}

fn is_phone(number: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || " +()-./".contains(c);
    number.is_empty() || (number.chars().all(is_part) && number.chars().any(|c| c.is_ascii_digit()))
}

/// `POST /portal/profile/address`, for full access.
pub(super) async fn change_address(
    State(portal): State<Arc<Portal>>,
    user: LoggedIn,
    posted: Posted,
) -> Answer {
    if user.user.access != Access::Full {
        return Err(Trouble::NotFound);
    }
    let person = person(&portal, &user).await?;
    let written = posted.line("new_address", LONGEST_ADDRESS)?;
    let typed = context! { new_address => &written };
    let Ok(address) = Address::parse(&written) else {
        let wrong = Wrong::from([("new_address", "profile.address_wrong")]);
        return show(&portal, &user, &person, typed, &wrong).await;
    };
    if !has_password(&portal, &user, &person, posted.text("old")).await? {
        let wrong = Wrong::from([("address_password", "password.old_wrong")]);
        return show(&portal, &user, &person, typed, &wrong).await;
    }
    portal.mail_confirmation(&user.user, person, address).await?;
    Ok(user.visitor.go_saying("profile", "address_mailed"))
}

/// `POST /portal/profile/password`.
pub(super) async fn change_password(
    State(portal): State<Arc<Portal>>,
    user: LoggedIn,
    posted: Posted,
) -> Answer {
    let person = person(&portal, &user).await?;
    if !has_password(&portal, &user, &person, posted.text("old")).await? {
        let wrong = Wrong::from([("old", "password.old_wrong")]);
        return show(&portal, &user, &person, context! {}, &wrong).await;
    }
    let typed = match chosen(&posted, &person, &portal) {
        Ok(typed) if typed.reveal() == Typed::new(posted.text("old")).reveal() => {
            Err(Refused::Same)
        }
        chosen => chosen,
    };
    let typed = match typed {
        Ok(typed) => typed,
        Err(refused) => {
            let wrong = Wrong::from([("password", refused.key())]);
            return show(&portal, &user, &person, context! {}, &wrong).await;
        }
    };
    let hash = portal.hasher.hash(&typed).await?;
    let (token, session) = portal.session(&user.visitor, &person.id, SessionScope::All);
    let (post, now, id) = (portal.post(), portal.now(), person.id.clone());
    let settled = portal.write(move |sql| settle(sql, &id, &hash, &session, &post, now)).await?;
    if !settled {
        return Err(Trouble::Disabled);
    }
    Ok(hand_over(user.visitor.go_saying("profile", "password_saved"), &token, &user.visitor))
}

/// Whether somebody who is logged in knows the password too: whoever sits down at their desk does not.
/// Guesses count as they do at the login.
async fn has_password(
    portal: &Portal,
    user: &LoggedIn,
    person: &Person,
    typed: &str,
) -> Result<bool, Trouble> {
    let _turn = portal.turn_to_log_in(&user.visitor).await?;
    let tried = vec![Try::Login.by_user(&user.user), Try::Login.by_source(&user.visitor)];
    let counted = portal.try_once(Limit::Guesses, tried).await?;
    let hashes = person.password.clone().into_iter().collect();
    let found = portal.hasher.find(&Typed::new(typed), hashes, 1).await?;
    if found.is_some() {
        portal.write(move |sql| attempts::forget(sql, &counted)).await?;
    }
    Ok(found.is_some())
}

/// `POST /portal/profile/sessions`: ends one, or all but this.
pub(super) async fn end_sessions(
    State(portal): State<Arc<Portal>>,
    LoggedIn { visitor, user }: LoggedIn,
    posted: Posted,
) -> Answer {
    let (id, own) = (user.id.clone(), user.session.clone());
    let handle = posted.text("session").to_owned();
    if handle.is_empty() {
        portal.write(move |sql| sessions::end_others(sql, &id, &own)).await?;
        return Ok(visitor.go_saying("profile", "sessions_closed"));
    }
    if handle.len() != HANDLE {
        return Err(Trouble::Malformed);
    }
    portal.write(move |sql| sessions::end_of_person(sql, &id, &handle)).await?;
    Ok(visitor.go_saying("profile", "session_closed"))
}

/// A browser by its name, from what it says of itself; none when it does not say.
fn called(locale: Locale, browser: &str) -> Option<String> {
    // Each of these claims to be some of those below it as well.
    const BROWSERS: [(&str, &str); 7] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let named = |list: &[(&str, &'static str)]| {
        list.iter().find(|(mark, _)| browser.contains(mark)).map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => {
            let values = [("browser", browser.to_owned()), ("system", system.to_owned())];
            Some(words::with(locale, "profile.session_on", &values))
        }
        (name, system) => name.or(system).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_by_its_name() {
        let called = |browser| called(Locale::En, browser);
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like \
                    Gecko) Chrome/120.0 Safari/537.36 Edg/120.0";
        assert_eq!(called(edge).as_deref(), Some("Edge on Windows"));
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 \
                     Version/17.0 Mobile/15E148 Safari/604.1";
        assert_eq!(called(phone).as_deref(), Some("Safari on iPhone"));
        assert_eq!(called("curl/8.0"), None);
    }

    #[test]
    fn a_telephone_number_is_digits_and_what_stands_between_them() {
        for good in ["", "+33 1 23 45 67 89", "(030) 123-45/6", "0612.345"] {
            assert!(is_phone(good), "{good}");
        }
        for bad in ["none", "+", "javascript:1", "12<b>"] {
            assert!(!is_phone(bad), "{bad}");
        }
    }
}
