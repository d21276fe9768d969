//! All processes that work on the store, and the world as they meet it. While one of them stands still
//! in the middle of a step, the others go on.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use guichet::clock::Next;
use guichet::config::Settings;
use guichet::faults::world::{Peer, World};
use guichet::store::Store;
use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::outside::{FIRST_SERVER, RELAY, Shared, Standstill};
use super::process::{Process, Room, Went};
use super::relay::RelayPeer;
use super::server::ImapPeer;

/// The processes, and how they are configured.
pub struct Processes {
    world: Shared,
    all: Vec<RefCell<Process>>,
    /// Those that stand still between two steps.
    standing: RefCell<Vec<bool>>,
    settings: RefCell<Arc<Settings>>,
    runtime: Runtime,
    /// What is wrong with them, in words.
    faults: RefCell<Vec<String>>,
}

// Steps that a room may take in a row before it counts as one that never rests.
const MOST_STEPS: u32 = 400;
// Those in which it comes back to what others have in hand.
const WAITING: u32 = 20;
// A process says that it lives so often, and is missed after so many times.
const BEAT: i64 = 5_000;
const BEATS: u32 = 5;

impl Processes {
    pub fn new(
        count: usize,
        world: &Shared,
        store: &Store,
        seed: u64,
        settings: Arc<Settings>,
    ) -> Processes {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let all = (0..count).map(|number| Process::new(number, world, store, seed));
        Processes {
            world: world.clone(),
            all: all.map(RefCell::new).collect(),
            standing: RefCell::new(vec![false; count]),
            settings: RefCell::new(settings),
            runtime: runtime.expect("a runtime is made"),
            faults: RefCell::default(),
        }
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }

    pub fn is_alive(&self, process: usize) -> bool {
        self.all[process].borrow().is_alive()
    }

    pub fn kill(&self, process: usize) {
        self.all[process].borrow_mut().kill();
    }

    pub fn kill_all(&self) {
        (0..self.count()).for_each(|process| self.kill(process));
    }

    pub fn stop(&self, process: usize) {
        self.all[process].borrow_mut().stop();
    }

    /// It stands still, or goes on.
    pub fn turn(&self, process: usize) {
        let standing = &mut self.standing.borrow_mut()[process];
        *standing = !*standing;
    }

    pub fn go_on(&self) {
        self.standing.borrow_mut().fill(false);
    }

    pub fn take_faults(&self) -> Vec<String> {
        let mut faults = self.faults.take();
        faults.append(&mut self.world.lock().wrong);
        faults
    }

    pub fn reload(&self, settings: Arc<Settings>) {
        self.settings.replace(settings.clone());
        for (number, process) in self.all.iter().enumerate() {
            let went = process.borrow_mut().reload(&settings);
            self.note(number, "reload", went);
        }
    }

    /// So many steps of one of its rooms, until it rests.
    pub fn work(&self, process: usize, room: usize, steps: u32) {
        let rooms = self.rooms(process);
        for _ in 0..steps {
            if self.step(process, rooms[room % rooms.len()]) != Some(Next::Now) {
                return;
            }
        }
    }

    /// All there is to do; answers when there will be more.
    pub fn work_off(&self, process: usize) -> Option<Timestamp> {
        let mut due: Option<Timestamp> = None;
        for room in self.rooms(process) {
            let mut steps = 0;
            while let Some(next) = self.step(process, room) {
                let now = self.world.lock().clock_time();
                match next {
                    Next::Now => {}
                    Next::At(time) if time <= now => {}
                    Next::At(time) => {
                        if matches!(room, Room::Ingest(_) | Room::Outbox) {
                            due = Some(due.map_or(time, |due| due.min(time)));
                        }
                        break;
                    }
                    Next::Idle => break,
                }
                steps += 1;
                // A reply waits for as long as another process stands still with its parent in hand.
                if steps == WAITING && self.count() > 1 && matches!(room, Room::Ingest(_)) {
                    break;
                }
                if steps == MOST_STEPS {
                    self.faults.borrow_mut().push(format!("{room:?} never rests"));
                    break;
                }
            }
        }
        due
    }

    /// Whoever lives says so again and again, and finds out who does not.
    pub fn beat(&self) {
        if self.count() == 1 {
            return;
        }
        for _ in 0..BEATS {
            self.world.lock().pass(BEAT);
            for process in 0..self.count() {
                self.step(process, Room::Presence);
            }
        }
    }

    fn rooms(&self, process: usize) -> Vec<Room> {
        self.all[process].borrow().rooms(&self.settings.borrow())
    }

    // `None`: it died, or failed, or stands still.
    fn step(&self, process: usize, room: Room) -> Option<Next> {
        if self.standing.borrow()[process] {
            return None;
        }
        // It stands still in the middle of another step.
        let mut working = self.all[process].try_borrow_mut().ok()?;
        let settings = self.settings.borrow().clone();
        let went = working.step(room, &settings, &self.runtime);
        self.world.lock().pass(1);
        self.note(process, &format!("{room:?}"), went)
    }

    fn note(&self, process: usize, what: &str, went: Went) -> Option<Next> {
        self.world.lock().log.note(|| format!("  {process} {what}: {went:?}"));
        match went {
            Went::On(next) => Some(next),
            Went::Died | Went::Failed(_) => None,
            Went::Stopped(why) => {
                self.faults.borrow_mut().push(format!("the daemon gives up at {what}: {why}"));
                None
            }
        }
    }

    fn meanwhile(&self, standstill: Standstill) {
        let Standstill { process, point, millis, renumbers } = standstill;
        {
            let mut outside = self.world.lock();
            outside.log.note(|| format!("process {process} stands still at {point}"));
            outside.pass(millis);
            if let Some(desk) = renumbers {
                outside.servers[desk].renumber();
            }
        }
        self.beat();
        for other in (0..self.count()).filter(|other| *other != process) {
            self.work_off(other);
        }
        let mut outside = self.world.lock();
        outside.running = process;
        outside.log.note(|| format!("process {process} goes on"));
    }
}

/// The world of a history, as its processes meet it.
pub struct Around {
    pub world: Shared,
    pub processes: Rc<Processes>,
}

impl World for Around {
    fn passed(&self, point: &'static str) {
        let standstill = {
            let mut outside = self.world.lock();
            outside.step(point);
            outside.stands_still(point)
        };
        if let Some(standstill) = standstill {
            self.processes.meanwhile(standstill);
        }
    }

    fn die(&self) {
        self.world.lock().die("what it reads");
    }

    fn is_dead(&self) -> bool {
        self.world.lock().is_dead()
    }

    fn is_shared(&self) -> bool {
        self.world.lock().is_shared
    }

    fn is_busy(&self) -> bool {
        let mut outside = self.world.lock();
        let is_busy = outside.busy > 0;
        outside.busy = outside.busy.saturating_sub(1);
        is_busy
    }

    fn connect(&self, port: u16) -> io::Result<Box<dyn Peer>> {
        if port == RELAY {
            return RelayPeer::connect(&self.world);
        }
        ImapPeer::connect(&self.world, usize::from(port - FIRST_SERVER))
    }
}
