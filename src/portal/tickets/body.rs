//! The body of a form with files, as it comes in: so much in all, so many parts, and so much between
//! two of them. What takes a form apart keeps what it can make nothing of, and looks at all of it
//! again with each byte more (T-52).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream};
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use bytes::Bytes;
use futures_util::Stream;

use crate::counter::ATTACHMENTS;
use crate::portal::{Portal, Trouble};

/// Bytes of a whole form: what is too much, but not by far, is read to its end, else the browser
/// shows no answer.
pub(in crate::portal) const LARGEST: usize = 76_000_000;
// More than anybody is told of who attached too much.
const PARTS: usize = ATTACHMENTS + 10;
// Between two parts stand a boundary and a few short fields.
const BETWEEN: usize = 16 * 1024;
// Handed on at a time, so that what is made of it is seen before more comes.
const PIECE: usize = 16 * 1024;

/// A form with files, part by part.
pub(super) struct Parts {
    form: Multipart,
    unread: Arc<AtomicUsize>,
    seen: usize,
}

/// One of them, byte by byte.
pub(super) struct Part<'a> {
    field: Field<'a>,
    unread: Arc<AtomicUsize>,
}

impl FromRequest<Arc<Portal>> for Parts {
    type Rejection = Trouble;

    async fn from_request(request: Request, portal: &Arc<Portal>) -> Result<Parts, Trouble> {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: u64| length > LARGEST as u64) {
            return Err(Trouble::TooLarge);
        }
        let unread = Arc::new(AtomicUsize::new(0));
        let counted = unread.clone();
        let request = request.map(|body| {
            let stream = body.into_data_stream();
            Body::from_stream(Pieces { stream, rest: Bytes::new(), turn: Turn::Theirs, counted })
        });
        let form = Multipart::from_request(request, portal).await;
        Ok(Parts { form: form.map_err(|_| Trouble::Malformed)?, unread, seen: 0 })
    }
}

impl Parts {
    pub(super) async fn next(&mut self) -> Result<Option<Part<'_>>, Trouble> {
        let field = self.form.next_field().await.map_err(malformed)?;
        self.unread.store(0, Ordering::Relaxed);
        self.seen += 1;
        if self.seen > PARTS {
            return Err(Trouble::Malformed);
        }
        Ok(field.map(|field| Part { field, unread: self.unread.clone() }))
    }
}

impl Part<'_> {
    pub(super) fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    pub(super) fn file_name(&self) -> &str {
        self.field.file_name().unwrap_or_default()
    }

    pub(super) fn content_type(&self) -> &str {
        self.field.content_type().unwrap_or("application/octet-stream")
    }

    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Trouble> {
        let piece = self.field.chunk().await.map_err(malformed)?;
        self.unread.store(0, Ordering::Relaxed);
        Ok(piece)
    }
}

fn malformed(error: MultipartError) -> Trouble {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Trouble::TooLarge,
        _ => Trouble::Malformed,
    }
}

/// A body in small pieces, one at a time; it ends in an error when nothing is made of them.
struct Pieces {
    stream: BodyDataStream,
    rest: Bytes,
    turn: Turn,
    /// Bytes handed on of which nothing was made yet.
    counted: Arc<AtomicUsize>,
}

/// Whose turn it is: ours to hand on a piece, or theirs to look at the last.
enum Turn {
    Ours,
    Theirs,
}

impl Stream for Pieces {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, axum::Error>>> {
        if matches!(self.turn, Turn::Theirs) {
            self.turn = Turn::Ours;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.rest.is_empty() {
            match Pin::new(&mut self.stream).poll_next(context) {
                Poll::Ready(Some(Ok(bytes))) => self.rest = bytes,
                other => return other,
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        let unread = self.counted.fetch_add(length, Ordering::Relaxed);
        if unread > BETWEEN {
            return Poll::Ready(Some(Err(axum::Error::new("nothing can be made of the form"))));
        }
        self.turn = Turn::Theirs;
        Poll::Ready(Some(Ok(piece)))
    }
}
