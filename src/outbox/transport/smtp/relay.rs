//! A relay: a server that takes our mail, and the few connections to it that are kept open.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lettre::transport::smtp::extension::ClientId;
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::info;

use super::Consent;
use super::dialogue::Connection;
use super::error::{Failure, RelayError};
use crate::net::{NetError, Server, Told, Trust};
use crate::outbox::render::RenderedMail;
use crate::outbox::{RelayOptions, Response};

// How long a mail waits for a connection to be free, in timeouts of the server.
const CONNECTION_TIMEOUTS: u32 = 3;
/// The longest that a mail may be under way, in timeouts of the server: a connection that turns out
/// to be closed and a fresh one, then the answers to MAIL, RCPT and DATA, the mail, and its end.
pub(crate) const LONGEST_TIMEOUTS: i32 = 20;
// A connection that rested through two looks is closed, before the server does it.
const LOOK_EVERY: Duration = Duration::from_secs(10);
const LOOKS: u8 = 2;
// Taking leave is a courtesy.
const LEAVE: Duration = Duration::from_secs(2);

/// A server that takes our mail.
pub struct Relay {
    options: RelayOptions,
    server: Arc<Server>,
    hello: ClientId,
    /// Read when first needed, and again after a certificate was refused: its files may be new.
    trust: Mutex<Option<Trust>>,
    resting: Mutex<Vec<Resting>>,
    /// One for each mail under way.
    slots: Semaphore,
    /// Slots given up because the relay takes no more connections at a time.
    withheld: AtomicUsize,
    live: Arc<AtomicUsize>,
    is_looked_after: AtomicBool,
}

/// A connection between two mails.
struct Resting {
    open: Open,
    looks: u8,
}

/// A connection that is counted while it lives.
struct Open {
    connection: Connection,
    /// Whether it has rested: then it may be closed already.
    has_rested: bool,
    _counted: Counted,
}

struct Counted(Arc<AtomicUsize>);

/// A connection, and the right to use one.
struct Held<'a> {
    open: Open,
    _slot: SemaphorePermit<'a>,
}

/// Whether a connection that has rested will do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MayBeClosed {
    No,
    Yes,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Relay {
    /// A relay not connected yet. It is greeted with the domain of `sender`, the address that its
    /// mail comes from.
    pub fn new(options: RelayOptions, sender: &str) -> Relay {
        Relay {
            server: Arc::new(options.server.clone()),
            hello: hello(sender),
            trust: Mutex::default(),
            resting: Mutex::default(),
            slots: Semaphore::new(options.connections.max(1)),
            withheld: AtomicUsize::default(),
            live: Arc::default(),
            is_looked_after: AtomicBool::default(),
            options,
        }
    }

    pub fn options(&self) -> &RelayOptions {
        &self.options
    }

    /// Tries the relay out: connects, protects the connection, greets, logs in, takes leave. Each
    /// step is told with what was seen.
    pub async fn try_out(&self, told: Told<'_>) -> Result<(), RelayError> {
        let open = self.open(told).await?;
        take_leave(open).await;
        Ok(())
    }

    /// Sends one mail, on a connection that rests or on a new one; waits while as many are under way
    /// as the relay may have connections.
    pub async fn send(&self, mail: &RenderedMail) -> Result<Response, Failure> {
        self.send_with(&Consent::Given, mail).await
    }

    /// As [`Relay::send`]; without consent the mail is left before its end.
    pub(super) async fn send_with(
        &self,
        consent: &Consent,
        mail: &RenderedMail,
    ) -> Result<Response, Failure> {
        let mut may_be_closed = MayBeClosed::Yes;
        loop {
            let mut held = self.connection(may_be_closed).await.map_err(Failure::Relay)?;
            let had_rested = held.open.has_rested;
            let sent = held.open.connection.deliver(mail, consent).await;
            if held.open.connection.is_good() {
                self.rest(held.open);
            }
            match sent {
                Ok(reply) => {
                    let relay_id = reply.relay_id();
                    return Ok(Response::Taken { said: reply.said(), relay_id });
                }
                // The server closed it while it rested. That is no answer to this mail.
                Err(fault) if had_rested && fault.is_of_the_connection() => {
                    may_be_closed = MayBeClosed::No;
                }
                Err(fault) => return Err(fault.judged(&self.server.host)),
            }
        }
    }

    /// Sees to it that there is a connection, before any mail is handed over.
    pub(crate) async fn reach(&self) -> Result<(), RelayError> {
        if self.live() > 0 {
            return Ok(());
        }
        self.slots.add_permits(self.withheld.swap(0, Ordering::SeqCst));
        let open = self.open(&mut |_, _| ()).await?;
        self.rest(open);
        Ok(())
    }

    /// Open connections, busy or not.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::SeqCst)
    }

    /// Closes what has rested for long, until no connection is left.
    pub(crate) async fn look_after(&self) {
        if self.is_looked_after.swap(true, Ordering::SeqCst) {
            return;
        }
        while self.close_rested().await {}
        self.is_looked_after.store(false, Ordering::SeqCst);
    }

    async fn close_rested(&self) -> bool {
        tokio::time::sleep(LOOK_EVERY).await;
        for open in self.tired() {
            take_leave(open).await;
        }
        self.live() > 0
    }

    /// Lets no further mail in; what is under way comes to its end.
    pub(crate) fn close(&self) {
        self.slots.close();
    }

    /// Closes every connection that rests.
    pub(crate) async fn hang_up(&self) {
        let resting = std::mem::take(&mut *self.resting());
        for one in resting {
            take_leave(one.open).await;
        }
    }

    fn tired(&self) -> Vec<Open> {
        let mut resting = self.resting();
        let mut tired = Vec::new();
        for one in std::mem::take(&mut *resting) {
            match one.looks + 1 {
                LOOKS => tired.push(one.open),
                looks => resting.push(Resting { looks, ..one }),
            }
        }
        tired
    }

    async fn connection(&self, closed: MayBeClosed) -> Result<Held<'_>, RelayError> {
        let doing = "waiting for a connection to be free";
        let mut patient = Server::clone(&self.server);
        patient.timeout *= CONNECTION_TIMEOUTS;
        patient.within(doing, self.held(closed)).await?
    }

    async fn held(&self, closed: MayBeClosed) -> Result<Held<'_>, RelayError> {
        loop {
            let slot = self.slots.acquire().await.map_err(|_| RelayError::Closed)?;
            if closed == MayBeClosed::No {
                // One was closed behind our back, so the others may be.
                self.resting().clear();
            } else if let Some(one) = self.resting().pop() {
                let open = Open { has_rested: true, ..one.open };
                return Ok(Held { open, _slot: slot });
            }
            match self.open(&mut |_, _| ()).await {
                Ok(open) => return Ok(Held { open, _slot: slot }),
                // It takes fewer at a time than `connections` says: the others are enough.
                Err(error) if self.live() > 0 => {
                    slot.forget();
                    self.withheld.fetch_add(1, Ordering::SeqCst);
                    let host = &self.server.host;
                    info!(relay.host = %host, "`{host}` takes {} connections: {error}", self.live());
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn open(&self, told: Told<'_>) -> Result<Open, RelayError> {
        let trust = self.trust()?;
        // Counted only once it stands: a failing attempt is no connection.
        let login = self.options.login.as_ref();
        let opened = Connection::open(&self.server, login, &self.hello, &trust, told).await;
        if let Err(RelayError::Net(NetError::Certificate { .. })) = &opened {
            *self.trust.lock().expect("no holder of this lock panics") = None;
        }
        let connection = opened?;
        self.live.fetch_add(1, Ordering::SeqCst);
        Ok(Open { connection, has_rested: false, _counted: Counted(self.live.clone()) })
    }

    fn trust(&self) -> Result<Trust, RelayError> {
        let mut trust = self.trust.lock().expect("no holder of this lock panics");
        if let Some(trust) = &*trust {
            return Ok(trust.clone());
        }
        let loaded = Trust::of(&self.server)?;
        Ok(trust.insert(loaded).clone())
    }

    fn rest(&self, open: Open) {
        self.resting().push(Resting { open, looks: 0 });
    }

    fn resting(&self) -> MutexGuard<'_, Vec<Resting>> {
        self.resting.lock().expect("no holder of this lock panics")
    }
}

async fn take_leave(open: Open) {
    let Open { connection, _counted, .. } = open;
    // Whether it hears us or not, the connection is closed.
    let _ = tokio::time::timeout(LEAVE, connection.quit()).await;
}

fn hello(sender: &str) -> ClientId {
    let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
    let domain = idna::domain_to_ascii(domain).unwrap_or_default();
    let is_name = domain.contains('.')
        && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    if is_name { ClientId::Domain(domain) } else { ClientId::Ipv4(Ipv4Addr::LOCALHOST) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_server_is_greeted_with_the_domain_of_the_sender() {
        for (sender, name) in [
            ("support@help.example", "help.example"),
            ("support@münchen.example", "xn--mnchen-3ya.example"),
            ("support@localhost", "[127.0.0.1]"),
            ("support@a b.example\r\nRSET", "[127.0.0.1]"),
            ("nobody", "[127.0.0.1]"),
        ] {
            assert_eq!(super::hello(sender).to_string(), name);
        }
    }
}
