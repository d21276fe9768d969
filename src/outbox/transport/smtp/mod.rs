//! Mail by SMTP: connections of our own to each relay, on a thread of its own. Whoever sends is told
//! of each end through a channel; nothing here knows the store.

mod dialogue;
mod envelope;
mod error;
mod relay;
mod reply;

use std::io;
use std::sync::{Arc, mpsc};
use std::time::Duration;

pub use error::{Failure, RelayError};
pub(crate) use relay::LONGEST_TIMEOUTS;
pub use relay::Relay;

use super::{Response, SendError};
use crate::outbox::render::RenderedMail;

/// The thread that speaks to relays.
pub(crate) struct Smtp {
    runtime: Option<tokio::runtime::Runtime>,
    ends: mpsc::Sender<Event>,
}

/// What became of what was asked of a relay.
#[derive(Debug)]
pub(crate) struct Event {
    /// The number that the asker gave the relay.
    pub lane: usize,
    pub what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Reached(Result<(), RelayError>),
    /// The mail of this row has come to an end.
    Sent(i64, Result<Response, Failure>),
}

impl Smtp {
    /// Starts the thread; what becomes of things is told through the answered end.
    pub fn start() -> io::Result<(Smtp, mpsc::Receiver<Event>)> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("smtp")
            .enable_io()
            .enable_time()
            .build()?;
        let (ends, told) = mpsc::channel();
        Ok((Smtp { runtime: Some(runtime), ends }, told))
    }

    /// Sees to it that a relay is connected.
    pub fn reach(&self, lane: usize, relay: &Arc<Relay>) {
        let (relay, ends) = (relay.clone(), self.ends.clone());
        self.spawn(async move {
            let reached = relay.reach().await;
            let is_reached = reached.is_ok();
            // Nobody listens any more once the outbox is closed.
            let _ = ends.send(Event { lane, what: What::Reached(reached) });
            if is_reached {
                relay.look_after().await;
            }
        });
    }

    /// Sends a mail by a relay.
    pub fn send(&self, lane: usize, relay: &Arc<Relay>, mail: RenderedMail) {
        let (relay, ends) = (relay.clone(), self.ends.clone());
        let id = mail.outbox;
        self.spawn(async move {
            let sending = tokio::spawn(async move { relay.send(&mail).await });
            let sent = sending.await.unwrap_or_else(|_| {
                let said = "sending it panicked; this is a bug in guichet".to_owned();
                Err(Failure::Mail(SendError::Ambiguous { said }))
            });
            let _ = ends.send(Event { lane, what: What::Sent(id, sent) });
        });
    }

    /// Takes leave of the relays, and ends the thread.
    pub fn close(&mut self, relays: &[Arc<Relay>], at_most: Duration) {
        let Some(runtime) = self.runtime.take() else { return };
        let leaving = futures_util::future::join_all(relays.iter().map(|relay| relay.hang_up()));
        // Whoever does not listen to our leave is left without.
        let _ = runtime.block_on(async { tokio::time::timeout(at_most, leaving).await });
        runtime.shutdown_background();
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(work);
        }
    }
}
