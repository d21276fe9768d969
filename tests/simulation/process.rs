//! A guichet of the simulation: the rooms of its daemon, each stepped by hand on this thread. What is
//! killed loses its memory, and nothing of it reaches the store or a server any more.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use guichet::clock::{Clock, Ids, Next, SeededChance};
use guichet::config::Settings;
use guichet::ingest::{self, Ingest, TimeOfDecision};
use guichet::intake::{House, ImapWatch, Space, Tenure, Wake};
use guichet::outbox::Outbox;
use guichet::store::workers::{Pace, Presence};
use guichet::store::{Sharing, Store, StoreError, sites};
use tokio::runtime::Runtime;

use super::outside::Shared;

/// One guichet, alive or not.
pub struct Process {
    number: usize,
    world: Shared,
    store: Store,
    life: Option<Life>,
    /// Lives so far: what is random differs between them.
    lives: u64,
    seed: u64,
}

/// The rooms of a running daemon.
struct Life {
    // Dropped in this order: the presence is the last to go.
    outbox: Outbox,
    ingests: Vec<Ingest>,
    watches: Vec<ImapWatch>,
    wakes: Vec<Arc<Wake>>,
    presence: Presence,
    clock: Arc<dyn Clock>,
    ids: Ids,
}

/// What there is to step in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Ingest(usize),
    Mailbox(usize),
    Outbox,
    Presence,
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Went {
    /// The process died in it.
    Died,
    /// It failed in a way that may pass.
    Failed(String),
    On(Next),
    /// It failed for good: the daemon would end.
    Stopped(String),
}

impl Process {
    pub fn new(number: usize, world: &Shared, store: &Store, seed: u64) -> Process {
        let (world, store) = (world.clone(), store.clone());
        Process { number, world, store, life: None, lives: 0, seed }
    }

    pub fn is_alive(&self) -> bool {
        self.life.is_some()
    }

    /// Its rooms, as it is configured.
    pub fn rooms(&self, settings: &Settings) -> Vec<Room> {
        let mut rooms: Vec<Room> = (0..settings.mailboxes.len()).map(Room::Mailbox).collect();
        rooms.extend((0..settings.workers).map(Room::Ingest));
        rooms.extend([Room::Outbox, Room::Presence]);
        rooms
    }

    /// Does one step of one room; a process that is not alive is started first.
    pub fn step(&mut self, room: Room, settings: &Settings, runtime: &Runtime) -> Went {
        self.world.lock().running = self.number;
        if self.life.is_none() {
            self.world.lock().dead[self.number] = false;
            match self.start(settings) {
                Ok(life) => self.life = Some(life),
                Err(failure) => return self.went(Err(failure)),
            }
        }
        let Some(life) = &mut self.life else { return Went::Died };
        let outcome = life.step(room, runtime);
        self.went(outcome)
    }

    /// Reads its configuration again: what it has in hand is finished, its rooms are opened anew.
    pub fn reload(&mut self, settings: &Settings) -> Went {
        self.world.lock().running = self.number;
        let Some(life) = self.life.take() else { return Went::On(Next::Now) };
        let Life { outbox, ingests, watches, presence, clock, ids, .. } = life;
        drop((outbox, ingests, watches));
        let opened = reconcile(&self.store, settings, &ids, clock.as_ref())
            .and_then(|()| presence.let_go_of_mailboxes())
            .map_err(Trouble::from)
            .and_then(|()| {
                Life::open(&self.world, &self.store, settings, clock.clone(), ids.clone(), presence)
            });
        match opened {
            Ok(life) => {
                self.life = Some(life);
                self.went(Ok(Next::Now))
            }
            Err(failure) => self.went(Err(failure)),
        }
    }

    /// Ends it without a word.
    pub fn kill(&mut self) {
        if let Some(life) = self.life.take() {
            {
                let mut world = self.world.lock();
                world.running = self.number;
                if !world.is_dead() {
                    world.crashes += 1;
                }
                world.dead[self.number] = true;
                world.doom[self.number] = None;
            }
            drop(life);
        }
    }

    /// Ends it as a signal does.
    pub fn stop(&mut self) {
        self.world.lock().running = self.number;
        self.life = None;
        if self.world.lock().is_dead() {
            self.kill();
        }
    }

    fn start(&mut self, settings: &Settings) -> Result<Life, Trouble> {
        self.lives += 1;
        let clock: Arc<dyn Clock> = self.world.lock().clock.clone();
        let seed = self.seed ^ (self.lives << 8 | self.number as u64) << 16;
        let ids = Ids::new(clock.clone(), Arc::new(SeededChance::new(seed)));
        reconcile(&self.store, settings, &ids, clock.as_ref())?;
        let presence = Presence::begin(&self.store, &clock, &ids, Pace::default())?;
        Life::open(&self.world, &self.store, settings, clock, ids, presence)
    }

    fn went(&mut self, outcome: Result<Next, Trouble>) -> Went {
        if self.world.lock().is_dead() {
            self.kill();
            return Went::Died;
        }
        match outcome {
            Ok(next) => Went::On(next),
            Err(Trouble { is_temporary: true, said }) => Went::Failed(said),
            Err(Trouble { is_temporary: false, said }) => Went::Stopped(said),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Life {
    fn open(
        world: &Shared,
        store: &Store,
        settings: &Settings,
        clock: Arc<dyn Clock>,
        ids: Ids,
        presence: Presence,
    ) -> Result<Life, Trouble> {
        let (options, worker) = (settings.outbox.clone(), presence.worker("outbox"));
        let outbox =
            Outbox::new(store.clone(), clock.clone(), ids.clone(), options, worker).map_err(
                |error| Trouble { is_temporary: error.is_temporary(), said: error.to_string() },
            )?;
        let policy = Arc::new(settings.policy.clone());
        let ingests = (1..=settings.workers).map(|n| {
            let options = ingest::Options {
                readers: 0,
                suspects: ingest::Suspects::ReadHere,
                time: TimeOfDecision::Clock,
                worker: presence.worker(&format!("ingest {n}")),
            };
            Ingest::new(store.clone(), policy.clone(), clock.clone(), ids.clone(), options)
        });
        let (mut watches, mut wakes) = (Vec::new(), Vec::new());
        for options in settings.mailboxes.iter().filter_map(|mailbox| mailbox.watched.as_ref()) {
            let wake = Wake::new();
            let tenure = match store.sharing() {
                Sharing::Alone => Tenure::Alone,
                Sharing::Shared => Tenure::Leased {
                    worker: presence.worker(&options.name),
                    term: presence.pace().patience,
                },
            };
            let world = world.clone();
            let house = House {
                store: store.clone(),
                clock: clock.clone(),
                ids: ids.clone(),
                space: Space {
                    floor: 1,
                    free: Box::new(move || Ok(u64::from(!world.lock().is_full()))),
                },
                wake: wake.clone(),
                spooled: Box::new(|_| ()),
                tenure,
            };
            watches.push(ImapWatch::new(options.clone(), house));
            wakes.push(wake);
        }
        Ok(Life { outbox, ingests: ingests.collect(), watches, wakes, presence, clock, ids })
    }

    fn step(&mut self, room: Room, runtime: &Runtime) -> Result<Next, Trouble> {
        match room {
            Room::Ingest(n) => {
                let progress = self.ingests[n].step()?;
                if !progress.decided.is_empty() {
                    self.wakes.iter().for_each(|wake| wake.decided());
                }
                Ok(progress.next)
            }
            Room::Mailbox(n) => match self.watches.get_mut(n) {
                Some(watch) => at_once(watch.step(), runtime).map_err(|error| Trouble {
                    // A mailbox waits out whatever it is.
                    is_temporary: true,
                    said: error.to_string(),
                }),
                None => Ok(Next::Idle),
            },
            Room::Outbox => self.outbox.step().map_err(|error| Trouble {
                is_temporary: error.is_temporary(),
                said: error.to_string(),
            }),
            Room::Presence => Ok(self.presence.step()?),
        }
    }
}

// Whatever a mailbox waits for in this world is there already. Not `block_on`: while this process
// stands still in the middle of its step, others take theirs on this thread.
fn at_once<T>(step: impl Future<Output = T>, runtime: &Runtime) -> T {
    const POLLS: u32 = 64;
    let _within = runtime.enter();
    let mut step = std::pin::pin!(step);
    for _ in 0..POLLS {
        if let Poll::Ready(done) = step.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
    panic!("a mailbox waits for what never comes")
}

struct Trouble {
    is_temporary: bool,
    said: String,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Trouble {
        Trouble { is_temporary: error.is_temporary(), said: error.to_string() }
    }
}

// As each start and each reload does.
fn reconcile(
    store: &Store,
    settings: &Settings,
    ids: &Ids,
    clock: &dyn Clock,
) -> Result<(), StoreError> {
    let declared: Vec<_> = settings.sites.iter().map(|declared| declared.site.clone()).collect();
    let default = settings.policy.sites.default.clone();
    let (ids, now) = (ids.clone(), clock.now());
    store
        .transact(move |sql| sites::reconcile(sql, &declared, &[default.as_str()], &ids, now))
        .map(drop)
}
