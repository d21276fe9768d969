//! Whatever keeps a page from being shown. Each has a page of its own that says what to do; a failure
//! of ours is told in the log, once, here.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use crate::store::StoreError;

/// What a handler answers.
pub type Answer = Result<Response, Trouble>;

/// What may be done so often and no more. Each limit has words of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Links that confirm a new address.
    Addresses,
    /// Tickets closed, and opened again.
    Changes,
    /// Guesses at a password.
    Guesses,
    /// Links that nobody made.
    Links,
    /// Messages that are not read yet.
    Messages,
    /// Mails with a new link.
    Resets,
}

impl Limit {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Limit::Addresses => "addresses",
            Limit::Changes => "changes",
            Limit::Guesses => "guesses",
            Limit::Links => "links",
            Limit::Messages => "messages",
            Limit::Resets => "resets",
        }
    }

    fn page(self) -> &'static str {
        match self {
            Limit::Addresses => "too_many_addresses",
            Limit::Changes => "too_many_changes",
            Limit::Guesses => "too_often",
            Limit::Links => "too_many_links",
            Limit::Messages => "too_many_messages",
            Limit::Resets => "too_many_resets",
        }
    }
}

/// Why a page is not shown.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// A bug: what failed, for the log.
    Broken(String),
    /// Too many ask for the same at the same time.
    Busy,
    /// The account was disabled or deleted.
    Disabled,
    /// A form that was not handed out to this browser, or too long ago.
    Forged,
    /// The request is not one that our pages make.
    Malformed,
    /// There is no such page, or none for this user: nobody learns which.
    NotFound,
    /// Whoever asks is not logged in any more, and what they sent is lost.
    SessionEnded,
    /// The store is away, or failed.
    Store(StoreError),
    /// It took too long.
    TimedOut,
    /// More was sent than may be.
    TooLarge,
    /// A limit is met until this time.
    TooOften(Limit, Timestamp),
    /// Passwords would be read by whoever is in between.
    Unencrypted,
    /// A page that is asked in a way it does not answer to.
    WrongMethod,
}

impl Trouble {
    /// Its status, and the key of its words: `trouble.KEY.title` and `trouble.KEY.text`.
    pub(super) fn page(&self) -> (StatusCode, &'static str) {
        match self {
            Trouble::Broken(_) => (StatusCode::INTERNAL_SERVER_ERROR, "broken"),
            Trouble::Busy | Trouble::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Trouble::Disabled => (StatusCode::FORBIDDEN, "disabled"),
            Trouble::Forged => (StatusCode::FORBIDDEN, "forged"),
            Trouble::Malformed => (StatusCode::BAD_REQUEST, "malformed"),
            Trouble::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Trouble::SessionEnded => (StatusCode::UNAUTHORIZED, "session_ended"),
            Trouble::Store(error) if error.is_temporary() => {
                (StatusCode::SERVICE_UNAVAILABLE, "away")
            }
            Trouble::Store(StoreError::Stopped) => (StatusCode::SERVICE_UNAVAILABLE, "away"),
            Trouble::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, "broken"),
            Trouble::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Trouble::TooOften(limit, _) => (StatusCode::TOO_MANY_REQUESTS, limit.page()),
            Trouble::Unencrypted => (StatusCode::FORBIDDEN, "unencrypted"),
            Trouble::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "not_found"),
        }
    }

    /// Tells the log what is not whoever asks to blame for.
    pub(super) fn tell(&self) {
        match self {
            Trouble::Broken(said) => tracing::error!("portal: a page failed: {said}"),
            Trouble::Store(error) if error.is_temporary() => tracing::warn!("portal: {error}"),
            Trouble::Store(error) => tracing::error!("portal: {error}"),
            Trouble::TimedOut => tracing::warn!("portal: a page took too long and was given up"),
            Trouble::Busy => tracing::warn!("portal: more is asked at a time than can be answered"),
            _ => {}
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Trouble {
        Trouble::Store(error)
    }
}

// The page is made where it is known who asks, and in which language: see `visitor::enter`.
impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = self.page().0.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
