//! The way from the pages to the counter, and how much memory what goes back and forth may take.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Portal, Trouble};
use crate::counter::{Counter, CounterError};

// Written at a time: each is put together in memory, and the store takes one after the other anyway.
const WRITERS: usize = 2;
// Of the files that are on their way, up or down, in KiB: a quarter of a gibibyte.
const MEMORY: u32 = 256 * 1024;

/// What bounds the work of pages.
pub(super) struct Bounds {
    writers: Arc<Semaphore>,
    memory: Arc<Semaphore>,
}

impl Default for Bounds {
    fn default() -> Bounds {
        let memory = usize::try_from(MEMORY).expect("no machine is so small");
        Bounds {
            writers: Arc::new(Semaphore::new(WRITERS)),
            memory: Arc::new(Semaphore::new(memory)),
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

fn kibibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}
