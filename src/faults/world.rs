//! What a simulation puts in the place of the world: servers in this process, the death of the
//! process that runs, a store that is held by others. Of a thread of its own: whatever belongs to a
//! simulation runs on the thread that entered it.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The world as a simulation has it.
pub trait World {
    /// Told of each step that is passed.
    fn passed(&self, point: &'static str);
    /// The process that runs dies of what it reads.
    fn die(&self);
    /// Whether the process that runs is dead: its store and its connections refuse it.
    fn is_dead(&self) -> bool;
    /// Whether several processes work on one store in memory.
    fn is_shared(&self) -> bool;
    /// Whether the store is held by somebody else when a transaction begins.
    fn is_busy(&self) -> bool;
    /// A connection to the server at this port.
    fn connect(&self, port: u16) -> io::Result<Box<dyn Peer>>;
}

/// The other side of a connection. It answers while it is spoken to: nobody ever waits for it.
pub trait Peer: Send {
    /// Hears what was said to it.
    fn hear(&mut self, bytes: &[u8]);
    /// What it has to say: nothing when it closes the connection.
    fn say(&mut self) -> Vec<u8>;
}

thread_local! {
    static WORLD: RefCell<Option<Rc<dyn World>>> = const { RefCell::new(None) };
}

/// A thread in a simulated world, until it is dropped.
pub struct Inside(());

/// Puts `world` in the place of the real one, for this thread.
pub fn enter(world: Rc<dyn World>) -> Inside {
    WORLD.with_borrow_mut(|inside| *inside = Some(world));
    Inside(())
}

impl Drop for Inside {
    fn drop(&mut self) {
        WORLD.with_borrow_mut(|inside| *inside = None);
    }
}

/// Whether this thread is in a simulated world.
pub(crate) fn is_entered() -> bool {
    WORLD.with_borrow(Option::is_some)
}

/// Asks the simulated world, if this thread is in one.
pub(crate) fn ask<T>(question: impl FnOnce(&dyn World) -> T) -> Option<T> {
    let world = WORLD.with_borrow(Clone::clone)?;
    Some(question(world.as_ref()))
}

pub(super) fn passed(point: &'static str) {
    ask(|world| world.passed(point));
}

/// A connection to a [`Peer`].
pub struct Line {
    peer: Box<dyn Peer>,
    said: Vec<u8>,
}

/// Connects to the server at this port of the simulated world; `None` outside of one.
pub(crate) fn connect(port: u16) -> Option<io::Result<Line>> {
    ask(|world| {
        if world.is_dead() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        world.connect(port).map(|peer| Line { peer, said: Vec::new() })
    })
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let line = self.get_mut();
        if super::is_dead() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if line.said.is_empty() {
            line.said = line.peer.say();
        }
        let count = line.said.len().min(buffer.remaining());
        buffer.put_slice(&line.said[..count]);
        line.said.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if super::is_dead() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.get_mut().peer.hear(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
