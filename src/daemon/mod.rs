//! Starts the rooms, each on a thread of its own, watches them, and stops them. A room that fails for
//! good stops the house; what may get better by itself is waited for, and one mailbox's trouble never
//! stops another. Holds no state that the store does not have.

mod mailboxes;
mod portal;
mod stepping;
mod sweep;

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::sync::watch;

use crate::clock::{Clock, Ids, Next};
use crate::config::settings::Settings;
use crate::ingest::{self, Decided, Ingest, Suspects};
use crate::intake::{self, Space, Tenure, Wake, free_bytes};
use crate::outbox::Outbox;
use crate::portal::{Closed, Lockout};
use crate::store::workers::Presence;
use crate::store::{Sharing, Store};

use self::mailboxes::Mailboxes;
use self::stepping::{Bell, Trouble, keep_stepping, lasting, of_store};
pub use self::sweep::sweep;

/// What a house is made of.
#[derive(Clone)]
pub struct Furniture {
    pub settings: Arc<Settings>,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub ids: Ids,
    /// This process's entry among those that work on the store.
    pub presence: Arc<Presence>,
    pub suspects: Suspects,
    /// Where the portal listens; held here, so that nobody is turned away while the rooms change.
    pub door: Option<Arc<TcpListener>>,
    /// Told of each decision, in order.
    pub on_decision: Arc<dyn Fn(&Decided) + Send + Sync>,
    /// Told of whom the portal refuses for a while, once.
    pub on_lockout: Arc<dyn Fn(&Lockout) + Send + Sync>,
}

/// The rooms of a running daemon.
pub struct House {
    stop: Arc<AtomicBool>,
    bells: Vec<Arc<Bell>>,
    wakes: Vec<Arc<Wake>>,
    /// Whether the portal's door is closed.
    closed: watch::Sender<Closed>,
    running: usize,
}

/// What whoever runs a house is told.
#[derive(Debug)]
pub enum Event {
    Called(Call),
    RoomEnded(Ending),
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Reload,
    Stop,
}

/// How a room ended; a failure is one that nobody can wait out.
#[derive(Debug)]
pub struct Ending {
    pub room: String,
    pub failure: Option<String>,
}

impl House {
    /// Starts every room.
    pub fn start(furniture: &Furniture, events: mpsc::Sender<Event>) -> anyhow::Result<House> {
        // What can fail goes first: a house is there whole, or not at all.
        let outbox = outbox_of(furniture)?;
        // A mailbox that this process does not watch any more is anybody's.
        furniture.presence.let_go_of_mailboxes()?;
        let stop = Arc::new(AtomicBool::new(false));
        let closed = watch::Sender::new(Closed::No);
        let mut house = House { stop, bells: Vec::new(), wakes: Vec::new(), closed, running: 0 };
        let sending = Arc::new(Bell::default());
        let deciding: Vec<Arc<Bell>> =
            (0..furniture.settings.workers).map(|_| Arc::default()).collect();

        let Mailboxes { maildirs, imap, wakes } = Mailboxes::of(furniture, &deciding);
        house.wakes = wakes.clone();
        for (name, watched) in maildirs {
            let room = name.clone();
            house.open(&name, events.clone(), move || {
                watched.live(&room).map_err(|error| error.to_string())
            })?;
        }
        if !imap.is_empty() {
            let runtime = mailboxes::runtime()?;
            house.open("imap", events.clone(), move || mailboxes::watch_all(&runtime, imap))?;
        }

        let mut others = deciding.clone();
        others.push(sending.clone());
        for (n, bell) in (1..).zip(deciding) {
            house.open_ingest(n, bell, &sending, furniture, events.clone())?;
        }
        house.open_presence(furniture, events.clone())?;
        house.open_portal(furniture, others, events.clone())?;

        let step = move || {
            outbox.step().map_err(|failure| Trouble {
                lasting: lasting(failure.is_temporary()),
                said: failure.to_string(),
            })
        };
        house.open_stepping("outbox", sending, furniture, events, step)?;
        Ok(house)
    }

    fn open_ingest(
        &mut self,
        n: usize,
        bell: Arc<Bell>,
        sending: &Arc<Bell>,
        furniture: &Furniture,
        events: mpsc::Sender<Event>,
    ) -> anyhow::Result<()> {
        let mut ingest = ingest_of(furniture, n);
        let (on_decision, on_decided) = (furniture.on_decision.clone(), sending.clone());
        let wakes = self.wakes.clone();
        let step = move || {
            let progress = ingest.step().map_err(of_store)?;
            for decided in &progress.decided {
                on_decision(decided);
            }
            if !progress.decided.is_empty() {
                on_decided.ring();
                wakes.iter().for_each(|wake| wake.decided());
            }
            Ok(progress.next)
        };
        self.open_stepping(&format!("ingest {n}"), bell, furniture, events, step)
    }

    // Where several processes share the store, others decide what this one's mailboxes must be told.
    fn open_presence(
        &mut self,
        furniture: &Furniture,
        events: mpsc::Sender<Event>,
    ) -> anyhow::Result<()> {
        if furniture.store.sharing() == Sharing::Alone {
            return Ok(());
        }
        let (presence, wakes) = (furniture.presence.clone(), self.wakes.clone());
        let step = move || {
            let next = presence.step().map_err(of_store)?;
            wakes.iter().for_each(|wake| wake.decided());
            Ok(next)
        };
        self.open_stepping("presence", Arc::default(), furniture, events, step)
    }

    fn open_stepping(
        &mut self,
        name: &str,
        bell: Arc<Bell>,
        furniture: &Furniture,
        events: mpsc::Sender<Event>,
        step: impl FnMut() -> Result<Next, Trouble> + Send + 'static,
    ) -> anyhow::Result<()> {
        self.bells.push(bell.clone());
        let (stop, clock, room) = (self.stop.clone(), furniture.clock.clone(), name.to_owned());
        self.open(name, events, move || keep_stepping(&room, &bell, &stop, clock.as_ref(), step))
    }

    fn open(
        &mut self,
        name: &str,
        events: mpsc::Sender<Event>,
        live: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) -> anyhow::Result<()> {
        self.running += 1;
        let room = name.to_owned();
        let thread = thread::Builder::new().name(name.to_owned()).stack_size(mailboxes::STACK);
        thread.spawn(move || {
            let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(live));
            let failure = lived
                .unwrap_or_else(|_| Err("it panicked; this is a bug in guichet".to_owned()))
                .err();
            // Nobody listens any more once the house is left in a hurry.
            let _ = events.send(Event::RoomEnded(Ending { room, failure }));
        })?;
        Ok(())
    }

    /// Notes that a room has told its end.
    pub fn one_ended(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// Whether every room has ended.
    pub fn is_empty(&self) -> bool {
        self.running == 0
    }

    /// Tells every room to finish what it has in hand; each tells its end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.bells.iter().for_each(|bell| bell.ring());
        self.wakes.iter().for_each(|wake| wake.stop());
        self.closed.send_replace(Closed::Yes);
    }
}

impl Furniture {
    fn watched(&self) -> impl Iterator<Item = &intake::Options> {
        self.settings.mailboxes.iter().filter_map(|mailbox| mailbox.watched.as_ref())
    }

    fn house(
        &self,
        mailbox: &str,
        wake: &Arc<Wake>,
        spooled: Box<dyn Fn(usize) + Send>,
    ) -> intake::House {
        let disk = self.settings.disk().to_owned();
        let tenure = match self.store.sharing() {
            Sharing::Alone => Tenure::Alone,
            Sharing::Shared => Tenure::Leased {
                worker: self.presence.worker(mailbox),
                term: self.presence.pace().patience,
            },
        };
        intake::House {
            store: self.store.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            space: Space {
                floor: self.settings.min_free_space,
                free: Box::new(move || free_bytes(&disk)),
            },
            wake: wake.clone(),
            spooled,
            tenure,
        }
    }
}

fn ingest_of(furniture: &Furniture, n: usize) -> Ingest {
    let options = ingest::Options {
        readers: readers(),
        suspects: furniture.suspects.clone(),
        time: ingest::TimeOfDecision::Clock,
        worker: furniture.presence.worker(&format!("ingest {n}")),
    };
    let policy = Arc::new(furniture.settings.policy.clone());
    Ingest::new(
        furniture.store.clone(),
        policy,
        furniture.clock.clone(),
        furniture.ids.clone(),
        options,
    )
}

fn outbox_of(furniture: &Furniture) -> anyhow::Result<Outbox> {
    Ok(Outbox::new(
        furniture.store.clone(),
        furniture.clock.clone(),
        furniture.ids.clone(),
        furniture.settings.outbox.clone(),
        furniture.presence.worker("outbox"),
    )?)
}

/// How many threads read messages: one for each processor.
pub fn readers() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
