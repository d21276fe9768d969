//! The way from the pages to the counter, how much memory what goes back and forth may take, and how
//! many do at a time what takes long.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::shares::{Share, Shares};
use super::{Portal, PortalUser, Trouble, Visitor};
use crate::counter::{Counter, CounterError};

// Written at a time: each is put together in memory, and the store takes one after the other anyway.
const WRITERS: usize = 2;
// Of the files that are on their way, up or down, in KiB: a quarter of a gibibyte.
const MEMORY: u32 = 256 * 1024;
// Searched for at a time: each reads texts, and pages need the other readers.
const SEARCHES: usize = 2;
const SEARCHES_OF_ONE: usize = 1;
const DOWNLOADS_OF_ONE: usize = 2;
// An office comes from one address, so one waits for the other's password.
const LOGINS_OF_ONE: usize = 1;
// How long a page waits for its turn before it says so.
const TURN: Duration = Duration::from_secs(20);

/// What bounds the work of pages.
pub(super) struct Bounds {
    writers: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    searches: Arc<Semaphore>,
    searches_of_one: Shares<String>,
    downloads_of_one: Shares<String>,
    logins_of_one: Shares<String>,
}

impl Default for Bounds {
    fn default() -> Bounds {
        let memory = usize::try_from(MEMORY).expect("no machine is so small");
        Bounds {
            writers: Arc::new(Semaphore::new(WRITERS)),
            memory: Arc::new(Semaphore::new(memory)),
            searches: Arc::new(Semaphore::new(SEARCHES)),
            searches_of_one: Shares::of(SEARCHES_OF_ONE),
            downloads_of_one: Shares::of(DOWNLOADS_OF_ONE),
            logins_of_one: Shares::of(LOGINS_OF_ONE),
        }
    }
}

impl Portal {
    /// Asks the counter, on a thread that may wait.
    pub(super) async fn at_counter<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Counter) -> Result<T, CounterError> + Send + 'static,
    ) -> Result<Result<T, CounterError>, Trouble> {
        let turn = self.bounds.writers.clone().acquire_owned().await;
        let turn = turn.expect("nobody closes the semaphore");
        let counter = self.counter.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&counter);
            drop(turn);
            done
        });
        done.await.map_err(|panic| Trouble::Broken(panic.to_string()))
    }

    /// A turn to search, for whoever keeps it; those who search already wait for themselves.
    pub(super) async fn turn_to_search(
        &self,
        user: &PortalUser,
    ) -> Result<(Share<String>, OwnedSemaphorePermit), Trouble> {
        let own = self.bounds.searches_of_one.wait(&user.id, TURN).await.ok_or(Trouble::Busy)?;
        let turn = self.bounds.searches.clone().acquire_owned();
        let turn = tokio::time::timeout(TURN, turn).await.map_err(|_| Trouble::Busy)?;
        Ok((own, turn.expect("nobody closes the semaphore")))
    }

    /// A turn to download, until the last of it has gone out.
    pub(super) async fn turn_to_download(
        &self,
        user: &PortalUser,
    ) -> Result<Share<String>, Trouble> {
        self.bounds.downloads_of_one.wait(&user.id, TURN).await.ok_or(Trouble::Busy)
    }

    /// A turn to have a password tried, for where the visitor is (T-27).
    pub(super) async fn turn_to_log_in(&self, visitor: &Visitor) -> Result<Share<String>, Trouble> {
        let source = visitor.asker.counted();
        self.bounds.logins_of_one.wait(&source, TURN).await.ok_or(Trouble::Busy)
    }

    /// Room for so many bytes, as soon as there is some.
    pub(super) async fn room(&self, bytes: u64) -> OwnedSemaphorePermit {
        // What is larger than all of it has it to itself.
        let wanted = kibibytes(bytes).min(MEMORY);
        let room = self.bounds.memory.clone().acquire_many_owned(wanted).await;
        room.expect("nobody closes the semaphore")
    }

    /// Room for so many bytes more, if there is some now: whoever has a part already cannot wait.
    pub(super) fn room_now(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        self.bounds.memory.clone().try_acquire_many_owned(kibibytes(bytes)).ok()
    }
}

/// Gives back what is more than these bytes need.
pub(super) fn shrink(room: &mut OwnedSemaphorePermit, bytes: u64) {
    let needed = usize::try_from(kibibytes(bytes)).unwrap_or(usize::MAX);
    let more = room.num_permits().saturating_sub(needed);
    drop(room.split(more));
}

fn kibibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}
