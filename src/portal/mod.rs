//! The web pages of end users: rendered here, whole without JavaScript. Sees the store only through
//! its queue and its readers, never talks to a mail server, and believes nothing that a browser sends
//! before it was checked.
//!
//! A request passes `network` (who asks), `visitor` (which session, which language), a handler,
//! and `page` (how it looks). Whatever goes wrong is a `Trouble`, which has a page of its own.

mod account;
mod activate;
mod address;
mod articles;
pub mod cookies;
mod counter;
mod csrf;
mod door;
mod forgotten;
mod form;
mod home;
mod lockouts;
mod login;
mod mails;
mod network;
mod pace;
mod page;
mod percent;
mod plain;
mod profile;
mod router;
mod rules;
mod secrets;
mod shares;
mod tickets;
mod trouble;
mod visitor;
pub mod words;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{Semaphore, watch};

use crate::clock::{Clock, Ids};
use crate::counter::Counter;
use crate::mail::AddressKey;
use crate::mail::address::PlusTag;
use crate::store::{READERS, Sql, Store, StoreError};
use crate::triage::policy::Rate;

use lockouts::Lockouts;
use secrets::Hasher;

use articles::Articles;
pub use articles::{Flaw, flaws};
pub use door::{Closed, open_door};
pub use form::Posted;
pub use lockouts::{Lockout, Whom};
pub use network::{Asker, Network};
pub use page::Pages;
pub use trouble::{Answer, Limit, Trouble};
pub use visitor::{LoggedIn, PortalUser, Visitor};

/// What of the configuration the portal heeds.
#[derive(Clone, Debug)]
pub struct Options {
    /// How users write its address; every link begins with it. Without a slash at the end.
    pub url: String,
    /// What pages call the helpdesk.
    pub name: String,
    /// The folder with the knowledge base.
    pub articles: Option<PathBuf>,
    pub listen: SocketAddr,
    /// The web servers in front of it.
    pub trusted_proxies: Vec<Network>,
    pub plain_http: PlainHttp,
    /// The language of whoever asks for none that there is.
    pub locale: String,
    /// The zone that times are told in.
    pub zone: TimeZone,
    /// `credentials.reset_limit`; empty: none.
    pub reset_limit: Vec<Rate>,
    /// What a tag says of an address (M-32).
    pub plus_tag: PlusTag,
    /// Whose address the portal's own mails come from.
    pub sender: Option<Sender>,
    /// Addresses that are no user's: our own, the staff's. Keyed without their tag.
    pub nobodys: BTreeSet<AddressKey>,
}

/// Whether passwords may cross a network unencrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    Allowed,
    /// Only within this machine, or from a proxy that is trusted.
    Refused,
}

/// The mailbox that the portal's mails are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    pub mailbox: String,
    /// Its address, for people to write to.
    pub address: String,
    pub message_id_domain: String,
}

/// The portal: what every page is made with.
pub struct Portal {
    pub options: Options,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub ids: Ids,
    pages: Pages,
    counter: Counter,
    articles: Articles,
    bounds: counter::Bounds,
    hasher: Hasher,
    lockouts: Lockouts,
    /// As many pages read at a time as the store keeps connections for; the others wait their turn.
    readers: Arc<Semaphore>,
}

impl Portal {
    /// A portal over a store; what its users do is done at `counter`. Reads the articles.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        ids: Ids,
        options: Options,
        counter: Counter,
    ) -> Portal {
        Portal {
            pages: Pages::new(),
            counter,
            articles: articles::of(&options),
            bounds: counter::Bounds::default(),
            hasher: Hasher::new(&ids),
            lockouts: Lockouts::default(),
            readers: Arc::new(Semaphore::new(READERS)),
            options,
            store,
            clock,
            ids,
        }
    }

    /// The same, and `told` hears of who is refused for a while.
    pub fn on_lockout(mut self, told: Arc<dyn Fn(&Lockout) + Send + Sync>) -> Portal {
        self.lockouts.told = told;
        self
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads the store, on a thread that may wait.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Trouble> {
        let turn = self.readers.clone().acquire_owned().await;
        let turn = turn.expect("nobody closes the semaphore");
        let store = self.store.clone();
        let read = tokio::task::spawn_blocking(move || {
            let read = store.read_only(work);
            drop(turn);
            read
        });
        Ok(read.await.map_err(|panic| Trouble::Broken(panic.to_string()))??)
    }

    /// Changes the store, in one transaction of its queue; `work` may run more than once.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Trouble> {
        Ok(self.store.transact_async(work).await?)
    }

    /// Changes the store some time soon; nobody waits for it. What fails is told in the log.
    pub fn write_later(
        &self,
        what: &'static str,
        work: impl FnMut(&mut dyn Sql) -> Result<(), StoreError> + Send + 'static,
    ) {
        let written = self.store.transact_async(work);
        tokio::spawn(async move {
            if let Err(error) = written.await {
                tracing::warn!("portal: {what} was not noted: {error}");
            }
        });
    }

    /// The path of a page, as browsers see it: `path("login")`.
    pub fn path(&self, page: &str) -> String {
        format!("{}/portal/{page}", self.base())
    }

    /// Whether users reach it by HTTPS.
    pub fn is_encrypted(&self) -> bool {
        self.options.url.starts_with("https://")
    }

    /// What of `portal.url` stands behind the host: empty, or `/it`.
    fn base(&self) -> &str {
        let rest = self.options.url.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').map_or("", |at| &rest[at..])
    }

    /// The scheme, host and port of `portal.url`, as browsers write an `Origin`.
    fn origin(&self) -> &str {
        let url = self.options.url.as_str();
        url.strip_suffix(self.base()).unwrap_or(url)
    }

    /// Serves the portal at `door` until told to stop; answers why it ended before that.
    pub fn serve(
        self,
        door: std::net::TcpListener,
        stop: watch::Receiver<Closed>,
    ) -> Result<(), String> {
        door::serve(Arc::new(self), door, stop)
    }
}
