//! The door: the socket that browsers come in by, how many at a time, and how long one may take to say
//! what it wants.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep};

use super::network::Way;
use super::pace::Pace;
use super::router::router;
use super::shares::{Share, Shares};
use super::{Asker, Portal, Trouble};
use crate::faults;
use crate::store::{attempts, credentials, sessions};

/// Whether the door is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    No,
    Yes,
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

// Connections at a time; who comes then waits in the system's queue.
const PLACES: usize = 512;
// Of them, from one address: a browser opens six.
const PLACES_OF_ONE: usize = 32;
// How long pages under way may take once the door is closed.
const LAST_ORDERS: Duration = Duration::from_secs(10);
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);
const BETWEEN_SWEEPS: Duration = Duration::from_secs(60);
// Nothing asks about attempts of longer ago: the longest rate is of a day.
const ATTEMPTS_KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(25);

/// Takes the address that the portal listens at.
pub fn open_door(listen: SocketAddr) -> io::Result<TcpListener> {
    let door = TcpListener::bind(listen)?;
    door.set_nonblocking(true)?;
    Ok(door)
}

pub(super) fn serve(
    portal: Arc<Portal>,
    door: TcpListener,
    stop: watch::Receiver<Closed>,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("portal")
        .worker_threads(std::thread::available_parallelism().map_or(1, usize::from))
        .max_blocking_threads(32)
        .enable_all()
        .build()
        .map_err(|error| format!("no threads can be started: {error}"))?;
    let served = runtime.block_on(serve_until(portal, door, stop));
    // What still reads the store has nobody to read for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve_until(
    portal: Arc<Portal>,
    door: TcpListener,
    stop: watch::Receiver<Closed>,
) -> Result<(), String> {
    let failed = |error: io::Error| format!("nothing can be listened for: {error}");
    let listener = tokio::net::TcpListener::from_std(door).map_err(failed)?;
    let at = listener.local_addr().map_err(failed)?;
    tracing::info!(http.listen = %at, "the portal {} listens at {at}", portal.options.url);
    let places = if faults::stands("P-13-places") { PLACES } else { Semaphore::MAX_PERMITS };
    let door = Door {
        portal: portal.clone(),
        listener,
        places: Arc::new(Semaphore::new(places)),
        places_of_one: Shares::of(PLACES_OF_ONE),
    };
    let pages = router(portal.clone()).into_make_service_with_connect_info::<Peer>();
    let server = axum::serve(door, pages).with_graceful_shutdown(closed(stop.clone()));
    let last_orders = async {
        closed(stop).await;
        tokio::time::sleep(LAST_ORDERS).await;
    };
    tokio::select! {
        ended = server.into_future() => ended.map_err(failed),
        () = last_orders => Ok(()),
        () = sweep(&portal) => Ok(()),
    }
}

async fn closed(mut stop: watch::Receiver<Closed>) {
    // Nobody holds the other end any more: the house is gone.
    let _ = stop.wait_for(|closed| *closed == Closed::Yes).await;
}

/// Forgets what has expired, for ever.
async fn sweep(portal: &Portal) {
    loop {
        tokio::time::sleep(BETWEEN_SWEEPS).await;
        let now = portal.now();
        let swept = portal.write(move |sql| {
            sessions::end_expired(sql, now)?;
            credentials::end_expired(sql, now)?;
            let until = now.saturating_sub(ATTEMPTS_KEPT).unwrap_or(jiff::Timestamp::MIN);
            attempts::forget_until(sql, until)
        });
        if let Err(Trouble::Store(error)) = swept.await {
            tracing::debug!("portal: what has expired is forgotten later: {error}");
        }
    }
}

struct Door {
    portal: Arc<Portal>,
    listener: tokio::net::TcpListener,
    places: Arc<Semaphore>,
    places_of_one: Shares<String>,
}

impl Door {
    /// A place for whoever comes from there; `Err` when they have all that one may have. A web server
    /// in front of us brings everybody.
    fn place_of_one(&self, peer: SocketAddr) -> Result<Option<Share<String>>, ()> {
        let ip = peer.ip().to_canonical();
        if self.portal.trusts(ip) {
            return Ok(None);
        }
        let counted = Asker { ip, way: Way::Direct }.counted();
        self.places_of_one.take(&counted).map(Some).ok_or(())
    }
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            let place = self.places.clone().acquire_owned().await;
            let place = place.expect("nobody closes the semaphore");
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    let Ok(place_of_one) = self.place_of_one(peer) else {
                        tracing::debug!("portal: {peer} has all the connections that it may have");
                        continue;
                    };
                    // A page goes out whole, not in the rhythm of acknowledgements.
                    let _ = stream.set_nodelay(true);
                    return (Line::new(stream, (place, place_of_one)), peer);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!("portal: nobody can be let in for now: {error}");
                    tokio::time::sleep(AFTER_A_FAILURE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

/// A connection that is closed when nothing moves on it, or so slowly that it only takes a place.
struct Line {
    stream: TcpStream,
    pace: Pace,
    patience: Pin<Box<Sleep>>,
    _places: (OwnedSemaphorePermit, Option<Share<String>>),
}

impl Line {
    fn new(stream: TcpStream, places: (OwnedSemaphorePermit, Option<Share<String>>)) -> Line {
        let pace = Pace::new(Instant::now());
        let patience = Box::pin(tokio::time::sleep_until(pace.until()));
        Line { stream, pace, patience, _places: places }
    }

    fn gives_up(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.patience.deadline() != self.pace.until() {
            self.patience.as_mut().reset(self.pace.until());
        }
        match self.patience.as_mut().poll(context) {
            Poll::Ready(()) if faults::stands("P-13-slow") => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            // What is over is not to be asked again.
            Poll::Ready(()) => {
                self.patience.set(tokio::time::sleep(std::time::Duration::from_mins(1)));
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.gives_up(context),
            Poll::Ready(read) => {
                self.pace.heard(&buffer.filled()[before..], Instant::now());
                Poll::Ready(read)
            }
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending => {
                self.pace.stuck();
                self.gives_up(context).map(|gave_up| gave_up.map(|()| 0))
            }
            Poll::Ready(written) => {
                if let Ok(taken) = &written {
                    self.pace.said(bytes, *taken, Instant::now());
                }
                Poll::Ready(written)
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
