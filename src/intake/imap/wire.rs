//! A connection to a server whose incoming bytes are looked at by a [`Gauge`] before anything parses
//! them.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::gauge::{Gauge, Limits};
use crate::net::Stream;

// Bytes read at a time.
const CHUNK: usize = 16 * 1024;

/// A connection whose incoming bytes are checked.
pub(super) struct Wire {
    stream: Stream,
    gauge: Gauge,
    chunk: Vec<u8>,
    // Checked bytes that were not read yet.
    checked: Vec<u8>,
    read: usize,
    received: u64,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Wire {
        Wire {
            stream,
            gauge: Gauge::new(),
            chunk: vec![0; CHUNK],
            checked: Vec::new(),
            read: 0,
            received: 0,
        }
    }

    /// Sets what the next answers may hold.
    pub(super) fn allow(&mut self, limits: Limits) {
        self.gauge.allow(limits);
    }

    /// Takes in what has come already, without waiting for more.
    pub(super) async fn take_in(&mut self) -> io::Result<()> {
        poll_fn(|context| {
            loop {
                match self.poll_fill(context) {
                    Poll::Ready(Ok(0)) | Poll::Pending => return Poll::Ready(Ok(())),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                }
            }
        })
        .await
    }

    /// How many answers came to their end so far.
    pub(super) fn ended(&self) -> u64 {
        self.gauge.ended
    }

    /// How many bytes came so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Whether the server has said more than `taken` whole responses.
    pub(super) fn has_more_than(&self, taken: u64) -> bool {
        self.gauge.passed != taken || !self.gauge.is_at_start()
    }

    pub(super) fn into_inner(self) -> Stream {
        self.stream
    }

    // Answers how many bytes came, none at the end.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut chunk = ReadBuf::new(&mut self.chunk);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut chunk))?;
        let came = chunk.filled().len();
        self.received += came as u64;
        self.gauge.check(&self.chunk[..came], &mut self.checked).map_err(io::Error::other)?;
        Poll::Ready(Ok(came))
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({} bytes)", self.received)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        while wire.read == wire.checked.len() {
            wire.checked.clear();
            wire.read = 0;
            if ready!(wire.poll_fill(context))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let rest = &wire.checked[wire.read..];
        let taken = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..taken]);
        wire.read += taken;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
