//! The threads that read messages: started when there is work for them, on large stacks, and kept.
//! Whoever is free takes the next share of a batch; the batch is collected in its own order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use tracing::error;

use super::Reading;
use crate::mail;
use crate::store::{Store, StoreError, spool};
use crate::triage::{self, Keyring, Policy};

// Our reading does not recurse; should a library below it do (F-01), there is room. Only the pages
// that are used cost memory.
const STACK: usize = 32 * 1024 * 1024;
// Messages that a reader takes at a time: few, so that all of them end at about the same time.
const SHARE: usize = 8;
// Bytes that a reader takes out of the store at a time; a larger message comes alone.
const HELD: u64 = 512 * 1024;

/// Threads that read messages, ended when dropped.
pub(super) struct Readers {
    store: Store,
    policy: Arc<Policy>,
    most: usize,
    threads: Vec<JoinHandle<()>>,
    // Absent once they are to end.
    sender: Option<Sender<Work>>,
    queue: Arc<Mutex<Receiver<Work>>>,
}

/// A message to read.
pub(super) struct Wanted {
    /// Its id.
    pub message: String,
    /// The mailbox it came to.
    pub mailbox: String,
    /// Bytes, about: it says which are held in memory together.
    pub size: u64,
}

/// Messages that are being read.
pub(super) struct Batch {
    shares: Vec<Share>,
}

struct Share {
    count: usize,
    read: Receiver<Read>,
}

struct Work {
    wanted: Vec<Wanted>,
    keys: Arc<Keyring>,
    answer: Sender<Read>,
}

type Read = Result<Vec<Reading>, StoreError>;

impl Readers {
    /// As many as `most`, at least one; none is started yet.
    pub fn new(most: usize, store: Store, policy: Arc<Policy>) -> Readers {
        let (sender, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        Readers { store, policy, most, threads: Vec::new(), sender: Some(sender), queue }
    }

    /// Begins to read these messages, whose marks `keys` verify; what is handed in first is read
    /// first. Fails when no thread can be started.
    pub fn read(&mut self, wanted: Vec<Wanted>, keys: &Arc<Keyring>) -> Result<Batch, StoreError> {
        self.start(wanted.len().div_ceil(SHARE))?;
        let mut wanted = wanted.into_iter().peekable();
        let mut shares = Vec::new();
        while wanted.peek().is_some() {
            let some: Vec<Wanted> = wanted.by_ref().take(SHARE).collect();
            let (answer, read) = channel();
            shares.push(Share { count: some.len(), read });
            if let Some(sender) = &self.sender {
                // Were there no queue, the answer is dropped, as a reader that dies drops it.
                let _ = sender.send(Work { wanted: some, keys: keys.clone(), answer });
            }
        }
        Ok(Batch { shares })
    }

    // Where memory is short, those that could be started do all the work.
    fn start(&mut self, shares: usize) -> Result<(), StoreError> {
        while self.threads.len() < shares.min(self.most.max(1)) {
            let (queue, store, policy) =
                (self.queue.clone(), self.store.clone(), self.policy.clone());
            let thread = thread::Builder::new()
                .name("reader".to_owned())
                .stack_size(STACK)
                .spawn(move || serve(&queue, &store, &policy));
            match thread {
                Ok(thread) => self.threads.push(thread),
                Err(_) if !self.threads.is_empty() => return Ok(()),
                Err(error) => return Err(StoreError::NoThread(error.to_string())),
            }
        }
        Ok(())
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.sender.take();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Batch {
    /// Waits until all are read; answers in their order, `None` for what its reader died of or with.
    pub fn collect(self) -> Result<Vec<Option<Reading>>, StoreError> {
        let mut readings = Vec::new();
        for Share { count, read } in self.shares {
            match read.recv() {
                Ok(read) => readings.extend(read?.into_iter().map(Some)),
                Err(_) => {
                    error!("a reader died; its messages wait for their leases to end");
                    readings.extend((0..count).map(|_| None));
                }
            }
        }
        Ok(readings)
    }
}

fn serve(queue: &Mutex<Receiver<Work>>, store: &Store, policy: &Policy) {
    loop {
        let work = queue.lock().expect("no holder of this lock panics").recv();
        let Ok(Work { wanted, keys, answer }) = work else { return };
        let read = || read_share(&wanted, store, policy, &keys);
        // A panic is the misfortune of one share: its answer is dropped, the next share is read.
        if let Ok(read) = catch_unwind(AssertUnwindSafe(read)) {
            // Nobody waits any more when the batch was handed back.
            let _ = answer.send(read);
        }
    }
}

// The bytes of a few messages at a time are in a reader's memory. They are read while no view of the
// store is open: what is committed meanwhile could not leave the WAL.
fn read_share(wanted: &[Wanted], store: &Store, policy: &Policy, keys: &Keyring) -> Read {
    let mut readings = Vec::with_capacity(wanted.len());
    let mut rest = wanted;
    while !rest.is_empty() {
        let (some, later) = rest.split_at(held_together(rest));
        let raws = store.read_only(|sql| {
            some.iter().map(|one| spool::raw(sql, &one.message)).collect::<Result<Vec<_>, _>>()
        })?;
        let read = some.iter().zip(raws).map(|(wanted, raw)| {
            read_one(wanted, raw.as_deref().unwrap_or_default(), policy, keys)
        });
        readings.extend(read);
        rest = later;
    }
    Ok(readings)
}

// At least one.
fn held_together(wanted: &[Wanted]) -> usize {
    let mut bytes: u64 = 0;
    let fits = |one: &&Wanted| {
        bytes = bytes.saturating_add(one.size);
        bytes <= HELD
    };
    wanted.iter().take_while(fits).count().max(1)
}

fn read_one(wanted: &Wanted, raw: &[u8], policy: &Policy, keys: &Keyring) -> Reading {
    match mail::read(raw) {
        Ok(message) => {
            let questions = Box::new(triage::ask(&message, &wanted.mailbox, policy, keys));
            Reading::Read { message: Arc::new(message), questions }
        }
        Err(why) => Reading::Closed(Box::new(triage::unreadable(&why))),
    }
}
