//! Mail by SMTP: connections of our own to each relay, on a thread of its own. Whoever sends is told
//! of each end by `Smtp::hear`; nothing here knows the store.

mod dialogue;
mod envelope;
mod error;
mod relay;
mod reply;

use std::io;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

pub use error::{Failure, RelayError};
pub(crate) use relay::LONGEST_TIMEOUTS;
pub use relay::Relay;

use super::{Response, SendError};
#[cfg(feature = "faults")]
use crate::faults;
use crate::outbox::render::RenderedMail;

/// The thread that speaks to relays.
pub(crate) struct Smtp {
    runtime: Option<tokio::runtime::Runtime>,
    ends: mpsc::Sender<Event>,
    told: mpsc::Receiver<Event>,
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
    /// All of the mail of this row is said but its end; with the word it goes out.
    Asked(i64, oneshot::Sender<()>),
    /// The mail of this row has come to an end.
    Sent(i64, Result<Response, Failure>),
}

/// Whether the end of a mail may be sent, from which on the server may have taken it.
#[derive(Debug)]
pub(crate) enum Consent {
    /// It may at once.
    Given,
    /// Whoever wants the mail sent is asked.
    Wanted(Asking),
}

/// Whom to ask about a mail.
#[derive(Debug)]
pub(crate) struct Asking {
    lane: usize,
    id: i64,
    ends: mpsc::Sender<Event>,
}

impl Consent {
    /// Waits for it; `false` when it is refused.
    async fn is_given(&self) -> bool {
        let Consent::Wanted(Asking { lane, id, ends }) = self else { return true };
        let (word, answer) = oneshot::channel();
        let asked = ends.send(Event { lane: *lane, what: What::Asked(*id, word) });
        asked.is_ok() && answer.await.is_ok()
    }
}

impl Smtp {
    /// Starts the thread.
    pub fn start() -> io::Result<Smtp> {
        let (ends, told) = mpsc::channel();
        Ok(Smtp { runtime: Some(runtime()?), ends, told })
    }

    /// What became of something that was asked of a relay, if it is known within `patience`.
    pub fn hear(&self, patience: Duration) -> Result<Event, RecvTimeoutError> {
        #[cfg(feature = "faults")]
        if let (Some(runtime), true) = (&self.runtime, faults::world::is_entered()) {
            return runtime.block_on(simulated(&self.told));
        }
        self.told.recv_timeout(patience)
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
        self.send_with(Consent::Given, lane, relay, mail);
    }

    /// Sends a mail by a relay, and asks before it is ended.
    pub fn offer(&self, lane: usize, relay: &Arc<Relay>, mail: RenderedMail) {
        let asking = Asking { lane, id: mail.outbox, ends: self.ends.clone() };
        self.send_with(Consent::Wanted(asking), lane, relay, mail);
    }

    fn send_with(&self, consent: Consent, lane: usize, relay: &Arc<Relay>, mail: RenderedMail) {
        let (relay, ends) = (relay.clone(), self.ends.clone());
        let id = mail.outbox;
        self.spawn(async move {
            let sending = tokio::spawn(async move { relay.send_with(&consent, &mail).await });
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

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    #[cfg(feature = "faults")]
    if faults::world::is_entered() {
        return tokio::runtime::Builder::new_current_thread().enable_time().build();
    }
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("smtp")
        .enable_io()
        .enable_time()
        .build()
}

// Servers of a simulation answer at once: after so many turns whoever is silent stays so.
#[cfg(feature = "faults")]
async fn simulated(told: &mpsc::Receiver<Event>) -> Result<Event, RecvTimeoutError> {
    const TURNS: usize = 64;
    for _ in 0..TURNS {
        if let Ok(event) = told.try_recv() {
            return Ok(event);
        }
        tokio::task::yield_now().await;
    }
    Err(RecvTimeoutError::Timeout)
}
