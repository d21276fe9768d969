//! What is attached to a message. A picture is shown, everything else is saved; neither may do
//! anything in the name of the portal (T-29, T-33).

use std::collections::VecDeque;
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
use crate::portal::counter::shrink;
use crate::portal::form::Named;
use crate::portal::shares::Share;
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
    let turn = portal.turn_to_download(&user).await?;
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
    Ok(handed_out(bytes.ok_or(Trouble::NotFound)?, &name, Some((room, turn))))
}

/// A place in a path, from 0; one way to write each.
fn place(written: &str) -> Result<usize, Trouble> {
    let place: Option<usize> = written.parse().ok();
    place.filter(|place| place.to_string() == written).ok_or(Trouble::NotFound)
}

/// What a file on its way takes: memory, and one of its reader's downloads.
pub(in crate::portal) type Taken = (OwnedSemaphorePermit, Share<String>);

/// A file as it goes out; what it takes is given back as it does.
pub(in crate::portal) fn handed_out(
    bytes: Vec<u8>,
    name: &str,
    taken: Option<Taken>,
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
    let mut response = Response::new(in_pieces(bytes, taken));
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

fn in_pieces(bytes: Vec<u8>, mut taken: Option<Taken>) -> Body {
    // What was handed on is freed with its piece, so each has bytes of its own.
    let pieces: VecDeque<Bytes> = bytes.chunks(PIECE).map(Bytes::copy_from_slice).collect();
    drop(bytes);
    if let Some((room, _)) = &mut taken {
        shrink(room, (pieces.len() * PIECE) as u64);
    }
    Body::from_stream(stream::unfold((pieces, taken), |(mut rest, mut taken)| async move {
        let piece = rest.pop_front()?;
        if let Some((room, _)) = &mut taken {
            shrink(room, (rest.len() * PIECE) as u64);
        }
        Some((Ok::<_, std::convert::Infallible>(piece), (rest, taken)))
    }))
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::portal::shares::Shares;

    #[tokio::test]
    async fn t_52_what_a_file_takes_is_given_back_as_it_goes_out() {
        let (memory, downloads) = (Arc::new(Semaphore::new(1000)), Shares::of(1));
        let room = memory.clone().acquire_many_owned(400).await.expect("there is room");
        let turn = downloads.take(&"claire".to_owned()).expect("it is the first");
        let body = in_pieces(vec![b'x'; 3 * PIECE], Some((room, turn)));
        assert_eq!(memory.available_permits(), 1000 - 192, "the message is not kept");
        let mut pieces = body.into_data_stream();
        for left in [128, 64, 0] {
            let piece = pieces.next().await.expect("a piece").expect("nothing fails");
            assert_eq!(piece.len(), PIECE);
            assert_eq!(memory.available_permits(), 1000 - left);
        }
        assert!(pieces.next().await.is_none());
        assert!(downloads.take(&"claire".to_owned()).is_some(), "another may begin");
    }

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
