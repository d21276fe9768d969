//! What is attached to a message. A picture is shown, everything else is saved; neither may do
//! anything in the name of the portal (T-29, T-33).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
};
use axum::http::{HeaderValue, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;

use super::{number, reader, show};
use crate::faults;
use crate::mail::attachment::cut;
use crate::portal::form::Named;
use crate::portal::{Answer, LoggedIn, Portal, Trouble, percent};
use crate::store::tickets::portal;
use crate::store::{StoreError, spool};

// Bytes handed to the network at a time.
const PIECE: usize = 64 * 1024;
// What may run in what somebody sent us: nothing (T-29).
const FILE: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";
const PICTURE: &str = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// `GET /portal/tickets/NUMBER/files/MESSAGE/FILE`.
pub(super) async fn file(
    State(portal): State<Arc<Portal>>,
    LoggedIn { user, .. }: LoggedIn,
    Named((ticket, message, file)): Named<(String, String, String)>,
) -> Answer {
    let (ticket, message) = (number(&ticket)?, number(&message)?);
    let file = place(&file)?;
    let person = user.id.clone();
    let found = portal
        .read(move |sql| match reader(sql, &person)? {
            Some(reader) => portal::attached(sql, &reader, ticket, message, file),
            None => Ok(None),
        })
        .await?;
    let found = found.ok_or(Trouble::NotFound)?;
    // M-25: until staff releases it.
    if found.attachment.is_locked(&portal.counter.policy().filters) {
        return Err(Trouble::NotFound);
    }
    let attachment = found.attachment.as_read().ok_or_else(|| {
        let what = format!("file {file} of message {message} of ticket {ticket}");
        Trouble::Broken(format!("{what} has no good checksum; run `guichet db verify`"))
    })?;
    // The message, and what is cut out of it.
    let room = portal.room(found.size.saturating_mul(2)).await;
    let name = attachment.name.clone();
    let bytes = portal
        .read(move |sql| {
            let Some(raw) = spool::raw(sql, &found.message)? else { return Ok(None) };
            match cut(&raw, &attachment) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) => Err(StoreError::Violated(error.to_string())),
            }
        })
        .await?;
    Ok(handed_out(bytes.ok_or(Trouble::NotFound)?, &name, Some(room)))
}

/// A place in a path, from 0; one way to write each.
fn place(written: &str) -> Result<usize, Trouble> {
    let place: Option<usize> = written.parse().ok();
    place.filter(|place| place.to_string() == written).ok_or(Trouble::NotFound)
}

/// A file as it goes out; `room` is given back once the last of it has.
pub(in crate::portal) fn handed_out(
    bytes: Vec<u8>,
    name: &str,
    room: Option<OwnedSemaphorePermit>,
) -> axum::response::Response {
    let picture = show::picture_type(&bytes);
    let picture = picture.or(if faults::stands("T-29-files") { None } else { Some("text/html") });
    let (kind, disposition, policy) = match picture {
        // A browser shows a picture by itself on a page of its own making, with a style in it; bytes
        // that are a picture, and are told to be one, bring none.
        Some(kind) => (kind, "inline", PICTURE),
        None => ("application/octet-stream", "attachment", FILE),
    };
    let length = bytes.len();
    let mut response = Response::new(in_pieces(Bytes::from(bytes), room));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(CONTENT_DISPOSITION, named(disposition, name));
    response
}

/// RFC 6266 §4: what all browsers read, and the whole name for those that can.
fn named(disposition: &str, name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || " .-_()".contains(c) { c } else { '_' })
        .collect();
    let whole = percent::encoded(name);
    HeaderValue::from_str(&format!("{disposition}; filename=\"{plain}\"; filename*=UTF-8''{whole}"))
        .expect("all but plain letters was replaced")
}

fn in_pieces(bytes: Bytes, room: Option<OwnedSemaphorePermit>) -> Body {
    Body::from_stream(stream::unfold((bytes, room), |(mut rest, room)| async move {
        if rest.is_empty() {
            return None;
        }
        let piece = rest.split_to(rest.len().min(PIECE));
        Some((Ok::<_, std::convert::Infallible>(piece), (rest, room)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_33_a_name_stays_inside_its_header() {
        let header = |name: &str| {
            let value = named("attachment", name);
            value.to_str().expect("ASCII").to_owned()
        };
        assert_eq!(header("log.txt"), "attachment; filename=\"log.txt\"; filename*=UTF-8''log.txt");
        let hostile = header("a\"; filename=\"b.exe\r\nX: y\\é.html");
        assert_eq!(hostile.matches('"').count(), 2, "{hostile}");
        assert!(!hostile.contains(['\r', '\n', '\\']), "{hostile}");
        assert!(hostile.contains("%C3%A9.html"), "{hostile}");
    }
}
