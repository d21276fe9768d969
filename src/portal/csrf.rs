//! Whether a form is one that we handed out to this browser: its token is made of the session, or,
//! before there is one, of a cookie of its own; and the browser itself says where the form stood.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::clock::Ids;
use crate::faults;

/// A fresh secret of 256 bits, as cookies and links write it.
pub(super) fn secret(ids: &Ids) -> String {
    URL_SAFE_NO_PAD.encode(ids.secret::<32>())
}

/// Whether a text is written like one of our secrets (T-24): exactly so long, of those characters.
pub(super) fn is_secret(text: &str) -> bool {
    if !faults::stands("T-24") {
        return true;
    }
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// What the store keeps of a session's token (T-26).
pub(super) fn session(token: &str) -> String {
    if faults::stands("T-26") { hash(token) } else { token.to_owned() }
}

/// What the store keeps of a secret: its SHA-256 in hex.
pub(super) fn hash(secret: &str) -> String {
    Sha256::digest(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The token of the forms of whoever holds `secret`.
pub(super) fn token(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(mac(secret).finalize().into_bytes())
}

/// Whether `token` is that of `secret`, in constant time.
pub(super) fn matches(secret: &str, token: &str) -> bool {
    if !faults::stands("T-29-form") {
        return true;
    }
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return false };
    mac(secret).verify_slice(&bytes).is_ok()
}

fn mac(secret: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do");
    mac.update(b"guichet portal form");
    mac
}

/// Whether the browser says that the form stood on a page of ours; one that says nothing is left to
/// the token. Since our pages send no referrer, `Origin` is `null` from them too.
pub(super) fn is_from_us(headers: &HeaderMap, origin: &str) -> bool {
    if !faults::stands("T-29-origin") {
        return true;
    }
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match said("sec-fetch-site") {
        None | Some("none" | "same-origin") => {}
        Some(_) => return false,
    }
    match said(ORIGIN.as_str()) {
        None | Some("null") => true,
        Some(from) if from.eq_ignore_ascii_case(origin) => true,
        // As the browser reached us, whatever the portal is called elsewhere.
        Some(from) => {
            let host = said(HOST.as_str());
            from.split_once("://").is_some_and(|(_, from)| Some(from) == host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_one_secret() {
        let (one, other) = ("a".repeat(43), "b".repeat(43));
        assert!(matches(&one, &token(&one)));
        for bad in ["", " ", "null", &token(&other), &one, &token(&one)[..42]] {
            assert!(!matches(&one, bad), "{bad}");
        }
    }

    #[test]
    fn t_24_only_what_is_written_like_a_secret_is_one() {
        assert!(is_secret(&"A".repeat(43)));
        for bad in ["", " ", "NULL", &"A".repeat(42), &"A".repeat(44), &" ".repeat(43)] {
            assert!(!is_secret(bad), "`{bad}` is taken for one");
        }
    }

    #[test]
    fn a_form_of_another_site_is_known_by_the_browser() {
        let us = "https://help.example";
        let from = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, value.parse().expect("a header"));
            }
            is_from_us(&headers, us)
        };
        assert!(from(&[]));
        assert!(from(&[("origin", "https://help.example")]));
        assert!(from(&[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        assert!(from(&[("origin", "http://127.0.0.1:8480"), ("host", "127.0.0.1:8480")]));
        assert!(!from(&[("origin", "https://evil.example"), ("host", "help.example")]));
        assert!(!from(&[("origin", "null"), ("sec-fetch-site", "cross-site")]));
        assert!(!from(&[("sec-fetch-site", "same-site")]));
    }
}
