//! The threads that read messages: started when there is work for them, on large stacks, and kept.
//! Whoever is free takes the next share of a batch; the batch is collected in its own order. Without
//! threads whoever asks reads at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::{error, warn};

use super::trial::{self, Suspects, Verdict};
use super::{Mishap, Reading};
use crate::faults;
use crate::mail;
use crate::store::{Sql, Store, StoreError, spool};
use crate::triage::facts::Door;
use crate::triage::{self, Keyring, Policy};

// Our reading does not recurse; should a library below it do (F-01), there is room. Only the pages
// that are used cost memory.
pub(super) const STACK: usize = 32 * 1024 * 1024;
// Messages that a reader takes at a time: few, so that all of them end at about the same time.
const SHARE: usize = 8;
// Bytes that a reader takes out of the store at a time; a larger message comes alone.
const HELD: u64 = 512 * 1024;
// How long a share may take. One that takes longer is read in processes of their own, so whoever is
// slow and honest is read all the same.
const PATIENCE: Duration = Duration::from_secs(20);
// A thread cannot be ended. With more than so many that go on for ever, starting anew is better.
const LOST: usize = 8;

/// Threads that read messages, ended when dropped.
pub(super) struct Readers {
    desk: Arc<Desk>,
    most: usize,
    /// Readers that were given up, because what they read did not end.
    lost: usize,
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
    pub door: Door,
    /// Bytes, about: it says which are held in memory together.
    pub size: u64,
    pub standing: Standing,
}

/// Whether a message may end whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    /// An attempt at it did not come to a decision.
    Suspect,
}

/// Messages that are being read.
pub(super) struct Batch {
    shares: Vec<Share>,
}

struct Share {
    count: usize,
    patience: Duration,
    read: Receiver<Read>,
}

struct Work {
    wanted: Vec<Wanted>,
    keys: Arc<Keyring>,
    answer: Sender<Read>,
}

type Read = Result<Vec<Result<Reading, Mishap>>, StoreError>;

impl Readers {
    /// As many as `most`; none is started yet.
    pub fn new(most: usize, suspects: Suspects, store: Store, policy: Arc<Policy>) -> Readers {
        let (sender, queue) = channel();
        let (sender, queue) = (Some(sender), Arc::new(Mutex::new(queue)));
        let desk = Arc::new(Desk { store, policy, suspects });
        Readers { desk, most, lost: 0, threads: Vec::new(), sender, queue }
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
            let is_suspect = |one: &Wanted| one.standing == Standing::Suspect;
            let tried = u32::try_from(some.iter().filter(|one| is_suspect(one)).count());
            let patience = PATIENCE + trial::PATIENCE * tried.unwrap_or(u32::MAX);
            shares.push(Share { count: some.len(), patience, read });
            let work = Work { wanted: some, keys: keys.clone(), answer };
            if self.most == 0 {
                work.carry_out(&self.desk);
            } else if let Some(sender) = &self.sender {
                // Were there no queue, the answer is dropped, as a reader that dies drops it.
                let _ = sender.send(work);
            }
        }
        Ok(Batch { shares })
    }

    // Where memory is short, those that could be started do all the work.
    fn start(&mut self, shares: usize) -> Result<(), StoreError> {
        while self.threads.len() < shares.min(self.most) {
            let (queue, desk) = (self.queue.clone(), self.desk.clone());
            let thread = thread::Builder::new()
                .name("reader".to_owned())
                .stack_size(STACK)
                .spawn(move || serve(&queue, &desk));
            match thread {
                Ok(thread) => self.threads.push(thread),
                Err(_) if !self.threads.is_empty() => return Ok(()),
                Err(error) => return Err(StoreError::NoThread(error.to_string())),
            }
        }
        Ok(())
    }
}

impl Readers {
    /// Waits until all are read; answers in their order.
    pub fn collect(&mut self, batch: Batch) -> Read {
        let mut readings = Vec::new();
        let mut is_late = false;
        for Share { count, patience, read } in batch.shares {
            let patience = if is_late { Duration::ZERO } else { patience };
            let said = match read.recv_timeout(patience) {
                Ok(read) => {
                    readings.extend(read?);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => "reading it, or its neighbours, panicked",
                Err(RecvTimeoutError::Timeout) => {
                    is_late = true;
                    "reading it, or its neighbours, did not end"
                }
            };
            readings.extend((0..count).map(|_| Err(Mishap(said.to_owned()))));
        }
        if is_late {
            self.start_anew()?;
        }
        Ok(readings)
    }

    /// Leaves the threads to what they read: those that are well end by themselves.
    fn start_anew(&mut self) -> Result<(), StoreError> {
        self.lost += 1;
        if self.lost > LOST {
            let said = format!("{LOST} messages are being read that do not come to an end");
            return Err(StoreError::Violated(said));
        }
        error!(
            "a reader is stuck in a message and is given up; it costs a processor until a restart"
        );
        let (sender, queue) = channel();
        self.sender = Some(sender);
        self.queue = Arc::new(Mutex::new(queue));
        self.threads.clear();
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

/// What a reader works with.
struct Desk {
    store: Store,
    policy: Arc<Policy>,
    suspects: Suspects,
}

fn serve(queue: &Mutex<Receiver<Work>>, desk: &Desk) {
    loop {
        let work = queue.lock().expect("no holder of this lock panics").recv();
        let Ok(work) = work else { return };
        work.carry_out(desk);
    }
}

impl Work {
    fn carry_out(self, desk: &Desk) {
        let Work { wanted, keys, answer } = self;
        let read = || desk.read_share(&wanted, &keys);
        // A panic is the misfortune of one share: its answer is dropped, the next share is read.
        if let Ok(read) = catch_unwind(AssertUnwindSafe(read)) {
            // Nobody waits any more when the batch was handed back.
            let _ = answer.send(read);
        }
    }
}

impl Desk {
    // The bytes of a few messages at a time are in a reader's memory. They are read while no view of
    // the store is open: what is committed meanwhile could not leave the WAL.
    fn read_share(&self, wanted: &[Wanted], keys: &Keyring) -> Read {
        let mut readings = Vec::with_capacity(wanted.len());
        let mut rest = wanted;
        while !rest.is_empty() {
            let (some, later) = rest.split_at(held_together(rest));
            let raws = self.store.read_only(|sql| {
                some.iter().map(|one| stored(sql, &one.message)).collect::<Result<Vec<_>, _>>()
            })?;
            for (wanted, raw) in some.iter().zip(raws) {
                let raw = match raw {
                    Stored::Damaged(said) => {
                        readings.push(Ok(damaged(wanted, &said)));
                        continue;
                    }
                    Stored::Whole(raw) => raw,
                };
                readings.push(match self.try_first(wanted, &raw)? {
                    Verdict::Guilty(said) => Err(Mishap(said)),
                    Verdict::Innocent => Ok(self.read_one(wanted, &raw, keys)),
                });
            }
            rest = later;
        }
        Ok(readings)
    }

    fn try_first(&self, wanted: &Wanted, raw: &[u8]) -> Result<Verdict, StoreError> {
        let Suspects::TriedFirst { program } = &self.suspects else { return Ok(Verdict::Innocent) };
        if wanted.standing == Standing::Good || !faults::stands("P-12") {
            return Ok(Verdict::Innocent);
        }
        match trial::of(program, raw) {
            Ok(verdict) => Ok(verdict),
            Err(error) if trial::is_shortage(&error) => {
                Err(StoreError::NoThread(error.to_string()))
            }
            Err(error) => {
                warn!(
                    "no process can be started to try a message in, so it is read untried: {error}"
                );
                Ok(Verdict::Innocent)
            }
        }
    }

    fn read_one(&self, wanted: &Wanted, raw: &[u8], keys: &Keyring) -> Reading {
        faults::point("ingest.read");
        match mail::read(raw) {
            Ok(message) => {
                let Wanted { door, mailbox, .. } = wanted;
                let questions = triage::ask_at(door, &message, mailbox, &self.policy, keys);
                Reading::Read { message: Arc::new(message), questions: Box::new(questions) }
            }
            Err(why) => Reading::Closed(Box::new(triage::unreadable(&why))),
        }
    }
}

/// The bytes of a message in the store.
enum Stored {
    /// What is wrong with them, in words.
    Damaged(String),
    Whole(Vec<u8>),
}

fn stored(sql: &mut dyn Sql, message: &str) -> Result<Stored, StoreError> {
    match spool::raw(sql, message) {
        Ok(Some(raw)) => Ok(Stored::Whole(raw)),
        Ok(None) => Ok(Stored::Damaged("they are gone".to_owned())),
        Err(StoreError::DamagedMessage { said, .. }) if faults::stands("P-12-damaged") => {
            Ok(Stored::Damaged(said))
        }
        Err(failure) => Err(failure),
    }
}

// No other message waits for this one, and trying again is no use.
fn damaged(wanted: &Wanted, said: &str) -> Reading {
    let (id, mailbox) = (&wanted.message, &wanted.mailbox);
    error!(
        message.id = id,
        mailbox.name = mailbox,
        "a message is damaged in the store: {said}\nhint: `guichet db verify` says whether more is damaged; `guichet held show {id}` says what to do about this one"
    );
    Reading::Closed(Box::new(triage::damaged(said)))
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
