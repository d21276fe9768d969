//! The portal's cookies: which session, which form, what was just said. Over HTTPS each has the
//! prefix `__Host-`, so no other host can set it; browsers refuse that prefix over plain HTTP, where
//! only this machine, or whoever was told to, is served, so there the names are bare.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use crate::faults;

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Binds the forms of whoever is not logged in.
    Form,
    /// What the last page did, for the next one to tell.
    Said,
    Session,
}

impl Cookie {
    fn name(self, is_encrypted: bool) -> String {
        let name = match self {
            Cookie::Form => "guichet-form",
            Cookie::Said => "guichet-said",
            Cookie::Session => "guichet",
        };
        format!("{}{name}", if is_encrypted { "__Host-" } else { "" })
    }
}

/// The value of a cookie; of two with one name the first.
pub(super) fn read(headers: &HeaderMap, cookie: Cookie, is_encrypted: bool) -> Option<String> {
    let name = cookie.name(is_encrypted);
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// Sets a cookie until the browser is closed. The value is one of ours: base64url, or a key of words.
pub(super) fn set(cookie: Cookie, value: &str, is_encrypted: bool) -> HeaderValue {
    written(cookie, value, "", is_encrypted)
}

/// Sets a cookie for so many seconds.
pub(super) fn set_for(
    cookie: Cookie,
    value: &str,
    seconds: i64,
    is_encrypted: bool,
) -> HeaderValue {
    written(cookie, value, &format!("; Max-Age={seconds}"), is_encrypted)
}

/// Takes a cookie back.
pub(super) fn clear(cookie: Cookie, is_encrypted: bool) -> HeaderValue {
    written(cookie, "", "; Max-Age=0", is_encrypted)
}

fn written(cookie: Cookie, value: &str, age: &str, is_encrypted: bool) -> HeaderValue {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let name = cookie.name(is_encrypted);
    let unread = if faults::stands("T-29-cookie") { "; HttpOnly" } else { "" };
    let line = format!("{name}={value}; Path=/{age}{secure}{unread}; SameSite=Lax");
    HeaderValue::from_str(&line).expect("what we write into cookies is visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_https_no_other_host_can_set_a_cookie() {
        let line = set(Cookie::Session, "abc", true);
        let expected = "__Host-guichet=abc; Path=/; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(line.to_str().expect("ASCII"), expected);
        let line = clear(Cookie::Session, false);
        let expected = "guichet=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax";
        assert_eq!(line.to_str().expect("ASCII"), expected);
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("xguichet=1; guichet-form=2"));
        headers.append(COOKIE, HeaderValue::from_static("guichet=3; guichet=4"));
        assert_eq!(read(&headers, Cookie::Session, false).as_deref(), Some("3"));
        assert_eq!(read(&headers, Cookie::Form, false).as_deref(), Some("2"));
        assert_eq!(read(&headers, Cookie::Session, true), None);
    }
}
