//! What a form sends: each field once (T-28), with the token that says it is ours. A handler that takes
//! a [`Posted`] takes nothing that another site made a browser send.

use std::sync::Arc;

use axum::extract::{Form, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;

use super::visitor::Standing;
use super::{Portal, Trouble, Visitor, csrf};
use crate::faults;

/// The name of the field with the form's token.
pub const TOKEN: &str = "form";

/// The fields of a form of ours.
#[derive(Clone)]
pub struct Posted(Vec<(String, String)>);

impl Posted {
    /// What a field says, empty when it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The same on one line, without space around it or control characters in it, and no longer than
    /// `most` characters; what is longer is no entry of a person.
    pub fn line(&self, name: &str, most: usize) -> Result<String, Trouble> {
        let line: String =
            self.text(name).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let line = line.trim();
        if line.chars().count() > most { Err(Trouble::Malformed) } else { Ok(line.to_owned()) }
    }
}

impl FromRequest<Arc<Portal>> for Posted {
    type Rejection = Trouble;

    async fn from_request(request: Request, portal: &Arc<Portal>) -> Result<Posted, Trouble> {
        let visitor = request.extensions().get::<Visitor>().expect("every page is behind `enter`");
        let visitor = visitor.clone();
        let fields = match Form::<Vec<(String, String)>>::from_request(request, portal).await {
            Ok(Form(fields)) => once_each(fields)?,
            Err(refused) => {
                return Err(match refused.into_response().status() {
                    StatusCode::PAYLOAD_TOO_LARGE => Trouble::TooLarge,
                    _ => Trouble::Malformed,
                });
            }
        };
        let posted = Posted(fields);
        visitor.must_have_made(posted.text(TOKEN))?;
        Ok(posted)
    }
}

impl Visitor {
    /// Refuses a form whose token is not of this visitor. What a session was needed for and is no
    /// more says so, rather than that the form is forged.
    pub fn must_have_made(&self, token: &str) -> Result<(), Trouble> {
        if csrf::matches(&self.secret, token) {
            return Ok(());
        }
        Err(match &self.standing {
            Standing::Disabled => Trouble::Disabled,
            Standing::Ended => Trouble::SessionEnded,
            Standing::Unknown(trouble) => trouble.clone(),
            Standing::LoggedIn(_) | Standing::Nobody => Trouble::Forged,
        })
    }
}

/// The fields that a page is asked with: each once, and as UTF-8.
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    pub(super) fn into_fields(self) -> Vec<(String, String)> {
        self.0
    }

    /// A field on one line, cut after so many characters; empty when it is not there.
    pub(super) fn line(&self, name: &str, most: usize) -> String {
        let value = self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value);
        let plain = value.chars().map(|c| if c.is_control() { ' ' } else { c });
        plain.take(most).collect::<String>().trim().to_owned()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Asked, Trouble> {
        let fields = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(fields) = fields.map_err(|_| Trouble::Malformed)?;
        Ok(Asked(once_each(fields)?))
    }
}

/// What stands in the path of a page; what cannot be read is no page.
pub(super) struct Named<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Named<T>, Trouble> {
        let named = Path::<T>::from_request_parts(parts, state).await;
        named.map(|Path(named)| Named(named)).map_err(|_| Trouble::NotFound)
    }
}

/// T-28: of two values for one name nobody knows which is meant.
pub(super) fn once_each(fields: Vec<(String, String)>) -> Result<Vec<(String, String)>, Trouble> {
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let is_repeated = names.windows(2).any(|pair| pair[0] == pair[1]) && faults::stands("T-28");
    if is_repeated { Err(Trouble::Malformed) } else { Ok(fields) }
}

/// The page of ours that a path leads to, without its query; `None` when it is the first one, or no
/// page of ours.
pub(super) fn next_of(asked: &str, portal: &Portal) -> Option<String> {
    let path = asked.split('?').next().unwrap_or_default();
    let page = path.strip_prefix(&portal.path("")).or_else(|| path.strip_prefix("/portal/"))?;
    is_page(page).then(|| page.to_owned())
}

/// Whether a text is the path of a page of ours, such as `tickets/4711`: it leads nowhere else.
pub(super) fn is_page(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.');
    !text.is_empty()
        && text.len() <= 200
        && text.bytes().all(is_plain)
        && !text.starts_with(['/', '.'])
        && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_28_a_field_that_comes_twice_is_refused() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert!(once_each(vec![pair("a", "1"), pair("b", "1")]).is_ok());
        assert!(once_each(vec![pair("a", "1"), pair("b", "1"), pair("a", "1")]).is_err());
    }

    #[test]
    fn a_login_leads_to_pages_of_ours_alone() {
        for good in ["tickets/4711", "profile", "articles/Contoso/vpn.fr"] {
            assert!(is_page(good), "{good}");
        }
        for bad in ["", "//evil.example", "/x", "https://evil.example", "a\\b", "../x", "a/../b"] {
            assert!(!is_page(bad), "{bad}");
        }
    }
}
