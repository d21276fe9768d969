//! Whoever a request is of: their language, their session, the secret that binds their forms. Found
//! once, before any handler; pages are rendered for a visitor.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use minijinja::Value;

use super::cookies::{self, Cookie};
use super::csrf;
use super::lockouts::Whom;
use super::words::{self, Locale};
use super::{Answer, Asker, Portal, Trouble};
use crate::faults;
use crate::mail::Address;
use crate::store::sessions::{self, Holder, SessionScope};
use crate::triage::facts::UserStatus;
use crate::triage::policy::Access;

// A session is written to no more often than this.
const BETWEEN_NOTES: SignedDuration = SignedDuration::from_mins(5);

/// Whoever a request is of.
#[derive(Clone)]
pub struct Visitor {
    pub(super) portal: Arc<Portal>,
    pub locale: Locale,
    pub asker: Asker,
    /// The path that was asked for, with its query, as browsers see it.
    pub asked: String,
    pub(super) standing: Standing,
    /// What forms are bound to: the session's token, or that of a cookie of their own.
    pub(super) secret: String,
    /// Whether the browser does not have that cookie yet.
    pub(super) is_fresh: bool,
    /// What the last page did: a key of words.
    pub(super) said: Option<String>,
    /// The browser's own words about itself.
    pub browser: Option<String>,
}

/// Which session a visitor has.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// A session of somebody who may not use it any more.
    Disabled,
    /// A session that is no more.
    Ended,
    LoggedIn(Arc<PortalUser>),
    Nobody,
    /// A session that nobody could look up.
    Unknown(Trouble),
}

/// What keeps a visitor from a page.
enum Barred {
    NotLoggedIn,
    Trouble(Trouble),
}

/// Somebody who is logged in, as they were when the request came.
#[derive(Clone, Debug)]
pub struct PortalUser {
    pub id: String,
    /// First and last name; may be empty.
    pub name: String,
    /// Where mail of ours to them goes.
    pub address: String,
    pub access: Access,
    /// The id and the name of their site.
    pub site: (String, String),
    /// The ids and names of the sites whose tickets they all see.
    pub primary_of: Vec<(String, String)>,
    pub(super) scope: SessionScope,
    /// The hash of their session.
    pub(super) session: String,
}

/// A visitor who is logged in, and may do what their access allows.
#[derive(Clone)]
pub struct LoggedIn {
    pub visitor: Visitor,
    pub user: Arc<PortalUser>,
}

/// A visitor with a session that can at least choose a password.
#[derive(Clone)]
pub(super) struct Choosing {
    pub(super) visitor: Visitor,
    pub(super) user: Arc<PortalUser>,
}

/// Finds out whose a request is; afterwards makes the page of whatever went wrong.
pub(super) async fn enter(
    State(portal): State<Arc<Portal>>,
    mut request: Request,
    next: Next,
) -> Response {
    let asker = request.extensions().get::<Asker>().copied();
    let asker = asker.expect("the door notes who asks");
    let asked = request.uri().path_and_query().map(|path| path.as_str()).unwrap_or_default();
    let (asked, headers) = (asked.to_owned(), request.headers().clone());
    let visitor = find(portal.clone(), asker, asked, &headers).await;
    let is_change = !matches!(*request.method(), Method::GET | Method::HEAD);
    let response = if is_change && !csrf::is_from_us(request.headers(), portal.origin()) {
        Trouble::Forged.into_response()
    } else {
        request.extensions_mut().insert(visitor.clone());
        next.run(request).await
    };
    match response.extensions().get::<Trouble>() {
        Some(trouble) => {
            trouble.tell();
            visitor.trouble(trouble)
        }
        None => response,
    }
}

async fn find(portal: Arc<Portal>, asker: Asker, asked: String, headers: &HeaderMap) -> Visitor {
    let is_encrypted = portal.is_encrypted();
    let session = cookies::read(headers, Cookie::Session, is_encrypted);
    let session = session.filter(|token| csrf::is_secret(token));
    let form = cookies::read(headers, Cookie::Form, is_encrypted);
    let form = form.filter(|secret| csrf::is_secret(secret));
    let said = cookies::read(headers, Cookie::Said, is_encrypted);
    let (standing, locale) = match &session {
        Some(token) => look_up(&portal, token).await,
        None => (Standing::Nobody, None),
    };
    let languages = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let locale = words::locale(locale.as_deref(), languages, &portal.options.locale);
    let (secret, is_fresh) = match (&standing, session, form) {
        (Standing::LoggedIn(_), Some(token), _) => (token, false),
        (_, _, Some(form)) => (form, false),
        (_, _, None) => (csrf::secret(&portal.ids), true),
    };
    let browser = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    Visitor {
        locale,
        asker,
        asked,
        standing,
        secret,
        is_fresh,
        said: said.filter(|said| words::is_key(said)),
        browser: browser.map(|words| words.chars().take(200).collect()),
        portal,
    }
}

async fn look_up(portal: &Portal, token: &str) -> (Standing, Option<String>) {
    let (hash, now) = (csrf::session(token), portal.now());
    let looked_for = hash.clone();
    let holder = match portal.read(move |sql| sessions::holder(sql, &looked_for, now)).await {
        Ok(Some(holder)) => holder,
        Ok(None) => return (Standing::Ended, None),
        Err(trouble) => return (Standing::Unknown(trouble), None),
    };
    let locale = holder.locale.clone();
    if holder.is_over {
        // For good, whatever becomes of the clock (P-11).
        portal.write_later("the end of a session", move |sql| sessions::end(sql, &hash));
        return (Standing::Ended, locale);
    }
    if holder.status != UserStatus::Active && faults::stands("T-54") {
        return (Standing::Disabled, locale);
    }
    if holder.session.scope == SessionScope::Closed {
        return (Standing::Ended, locale);
    }
    if now.duration_since(holder.session.seen_at).abs() > BETWEEN_NOTES {
        portal.write_later("the use of a session", move |sql| sessions::seen(sql, &hash, now));
    }
    (Standing::LoggedIn(Arc::new(PortalUser::from(holder))), locale)
}

impl From<Holder> for PortalUser {
    fn from(holder: Holder) -> PortalUser {
        PortalUser {
            id: holder.person,
            name: holder.name,
            address: holder.address,
            access: holder.access,
            site: holder.site,
            primary_of: holder.primary_of,
            scope: holder.session.scope,
            session: holder.session.hash,
        }
    }
}

impl PortalUser {
    /// What to call them.
    pub fn called(&self) -> &str {
        if self.name.is_empty() { &self.address } else { &self.name }
    }

    /// How they are named when a limit refuses them.
    pub(super) fn whom(&self) -> Whom {
        Whom::Account(Address::parse(&self.address).ok())
    }

    /// Whether they see all tickets of their site, or of another.
    pub fn is_primary(&self) -> bool {
        !self.primary_of.is_empty()
    }
}

impl Visitor {
    /// Who is logged in, if anybody is and may do more than choose a password.
    pub fn user(&self) -> Option<&Arc<PortalUser>> {
        match &self.standing {
            Standing::LoggedIn(user) if user.scope == SessionScope::All => Some(user),
            _ => None,
        }
    }

    /// What stands for `key` in the visitor's language.
    pub fn words(&self, key: &str) -> String {
        words::of(self.locale, key).to_owned()
    }

    /// The same with each `{name}` replaced by its value.
    pub fn words_with(&self, key: &str, values: &[(&str, String)]) -> String {
        words::with(self.locale, key, values)
    }

    /// A page, rendered: the name of its template, its title, and its values.
    pub fn page(&self, template: &str, title: &str, values: Value) -> Answer {
        self.page_with(StatusCode::OK, template, title, values)
    }

    /// A page with another status than 200.
    pub fn page_with(
        &self,
        status: StatusCode,
        template: &str,
        title: &str,
        values: Value,
    ) -> Answer {
        let html = self.portal.pages.render(self, template, title, values)?;
        let mut response = (status, axum::response::Html(html)).into_response();
        let is_encrypted = self.portal.is_encrypted();
        let headers = response.headers_mut();
        if self.is_fresh {
            headers.append(SET_COOKIE, cookies::set(Cookie::Form, &self.secret, is_encrypted));
        }
        if self.said.is_some() {
            headers.append(SET_COOKIE, cookies::clear(Cookie::Said, is_encrypted));
        }
        Ok(response)
    }

    /// Sends the browser to another page of ours (`tickets/4711`) by GET.
    pub fn go(&self, page: &str) -> Response {
        self.go_to(&self.portal.path(page))
    }

    /// The same, and that page says at its top what was done: the words of `said.KEY`.
    pub fn go_saying(&self, page: &str, said: &str) -> Response {
        let mut response = self.go(page);
        let cookie = cookies::set_for(Cookie::Said, said, 60, self.portal.is_encrypted());
        response.headers_mut().append(SET_COOKIE, cookie);
        response
    }

    pub(super) fn go_to(&self, path: &str) -> Response {
        let mut response = StatusCode::SEE_OTHER.into_response();
        let path = HeaderValue::from_str(path).expect("a path of ours is visible ASCII");
        response.headers_mut().insert(header::LOCATION, path);
        response
    }

    /// The page of something that went wrong.
    pub(super) fn trouble(&self, trouble: &Trouble) -> Response {
        let (status, key) = trouble.page();
        let title = self.words(&format!("trouble.{key}.title"));
        let portal = &self.portal.options;
        let contact = portal.sender.as_ref().map(|sender| sender.address.clone());
        let minutes = match trouble {
            Trouble::TooOften(_, until) => minutes_until(self.portal.now(), *until),
            _ => 1,
        };
        let values = minijinja::context! {
            key, contact, time => self.span(minutes), url => portal.url.clone(),
        };
        let mut response = match self.page_with(status, "trouble.html", &title, values) {
            Ok(response) => response,
            Err(failed) => {
                failed.tell();
                return (StatusCode::INTERNAL_SERVER_ERROR, title).into_response();
            }
        };
        let is_encrypted = self.portal.is_encrypted();
        let headers = response.headers_mut();
        match trouble {
            Trouble::SessionEnded => {
                headers.append(SET_COOKIE, cookies::clear(Cookie::Session, is_encrypted));
            }
            Trouble::TooOften(..) => {
                headers.insert(header::RETRY_AFTER, (minutes * 60).into());
            }
            _ => {}
        }
        response
    }

    /// So many minutes, as people say it.
    fn span(&self, minutes: i64) -> String {
        let count = |count: i64| [("count", count.to_string())];
        match minutes {
            1 => self.words("time.minute"),
            2..=90 => self.words_with("time.minutes", &count(minutes)),
            _ => self.words_with("time.hours", &count((minutes + 59) / 60)),
        }
    }

    /// Who is logged in, or what keeps the visitor out.
    fn session(&self, parts: &Parts) -> Result<Arc<PortalUser>, Barred> {
        let is_shown = matches!(parts.method, Method::GET | Method::HEAD);
        match &self.standing {
            Standing::LoggedIn(user) => Ok(user.clone()),
            Standing::Disabled => Err(Barred::Trouble(Trouble::Disabled)),
            Standing::Unknown(trouble) => Err(Barred::Trouble(trouble.clone())),
            Standing::Ended | Standing::Nobody if is_shown => Err(Barred::NotLoggedIn),
            Standing::Ended | Standing::Nobody => Err(Barred::Trouble(Trouble::SessionEnded)),
        }
    }

    // What was asked for is shown after the login.
    fn turned_away(&self, barred: Barred) -> Response {
        match barred {
            Barred::NotLoggedIn => self.to_login(),
            Barred::Trouble(trouble) => trouble.into_response(),
        }
    }

    fn to_login(&self) -> Response {
        let mut response = match super::form::next_of(&self.asked, &self.portal) {
            Some(next) => self.go(&format!("login?next={next}")),
            None => self.go("login"),
        };
        if matches!(self.standing, Standing::Ended) {
            let is_encrypted = self.portal.is_encrypted();
            let headers = response.headers_mut();
            headers.append(SET_COOKIE, cookies::clear(Cookie::Session, is_encrypted));
            let said = cookies::set_for(Cookie::Said, "session_ended", 60, is_encrypted);
            headers.append(SET_COOKIE, said);
        }
        response
    }
}

fn minutes_until(now: jiff::Timestamp, until: jiff::Timestamp) -> i64 {
    let seconds = until.duration_since(now).as_secs().max(0);
    (seconds / 60 + 1).min(24 * 60)
}

fn visitor(parts: &Parts) -> Visitor {
    parts.extensions.get::<Visitor>().expect("every page is behind `enter`").clone()
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Visitor, Trouble> {
        Ok(visitor(parts))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LoggedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<LoggedIn, Response> {
        let visitor = visitor(parts);
        let user = visitor.session(parts).map_err(|barred| visitor.turned_away(barred))?;
        match user.scope {
            SessionScope::All => Ok(LoggedIn { visitor, user }),
            SessionScope::Closed => Err(visitor.turned_away(Barred::NotLoggedIn)),
            SessionScope::Password => Err(visitor.go("choose")),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Choosing {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Choosing, Response> {
        let visitor = visitor(parts);
        let user = visitor.session(parts).map_err(|barred| visitor.turned_away(barred))?;
        Ok(Choosing { visitor, user })
    }
}
