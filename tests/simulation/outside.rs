//! The world outside of guichet: mail servers, the relay and who gets its mail, time, and the end of
//! a process. Everything that guichet can see or change passes here, so here it can be ended.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

use guichet::clock::SetClock;
use jiff::Timestamp;

use super::relay::{Answer, Mail};
use super::server::Server;

/// The port of the first mailbox's server; the others follow.
pub const FIRST_SERVER: u16 = 14300;
pub const RELAY: u16 = 2525;

/// What is outside.
pub struct Outside {
    pub clock: Arc<SetClock>,
    /// The time as it is, in milliseconds; the machine's own clock may be wrong.
    time: i64,
    off_by: i64,
    /// Whether it ever was.
    pub has_jumped: bool,
    pub servers: Vec<Server>,
    /// Mail of guichet that somebody got, in the order it came.
    pub delivered: Vec<Mail>,
    /// How the relay answers the next mails.
    pub answers: VecDeque<Answer>,
    /// Transactions that find the store held by somebody else.
    pub busy: u32,
    pub is_shared: bool,
    /// Until then the disk that holds the store is full.
    pub full_until: i64,
    /// The process that runs; one more than there are is the operator's own.
    pub running: usize,
    /// Steps after which a process dies.
    pub doom: Vec<Option<u32>>,
    /// The steps that a process dies at, one after the other.
    pub fate: Vec<VecDeque<&'static str>>,
    /// How a process stands still in the middle of a step.
    pub standstill: Option<Standstill>,
    pub dead: Vec<bool>,
    pub steps: u64,
    pub crashes: u64,
    /// What was seen to be wrong while it happened.
    pub wrong: Vec<String>,
    pub log: Log,
}

/// A process stands still at a step, while the others go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standstill {
    pub process: usize,
    pub point: &'static str,
    pub millis: i64,
    /// The mailbox whose folder is made anew meanwhile.
    pub renumbers: Option<usize>,
}

/// What happened, line by line.
#[derive(Default)]
pub struct Log {
    lines: Option<Vec<String>>,
    hash: DefaultHasher,
}

impl Log {
    /// One that keeps its lines.
    pub fn kept() -> Log {
        Log { lines: Some(Vec::new()), ..Log::default() }
    }

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        let line = line();
        line.hash(&mut self.hash);
        if let Some(lines) = &mut self.lines {
            lines.push(line);
        }
    }

    /// The same for the same lines.
    pub fn hash(&self) -> u64 {
        self.hash.finish()
    }

    pub fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}

/// The one world of a history, shared by all who see it.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Outside>>);

impl Shared {
    pub fn new(start: Timestamp, servers: Vec<Server>, processes: usize, log: Log) -> Shared {
        Shared(Arc::new(Mutex::new(Outside {
            clock: Arc::new(SetClock::at(start)),
            time: start.as_millisecond(),
            off_by: 0,
            has_jumped: false,
            servers,
            delivered: Vec::new(),
            answers: VecDeque::new(),
            busy: 0,
            is_shared: processes > 1,
            full_until: i64::MIN,
            running: 0,
            doom: vec![None; processes + 1],
            fate: vec![VecDeque::new(); processes + 1],
            standstill: None,
            dead: vec![false; processes + 1],
            steps: 0,
            crashes: 0,
            wrong: Vec::new(),
            log,
        })))
    }

    pub fn lock(&self) -> MutexGuard<'_, Outside> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl Outside {
    /// The time as it is.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_millisecond(self.time).expect("histories are short")
    }

    /// What the machine believes the time to be.
    pub fn clock_time(&self) -> Timestamp {
        Timestamp::from_millisecond(self.time + self.off_by).expect("histories are short")
    }

    /// Lets time pass.
    pub fn pass(&mut self, millis: i64) {
        self.time += millis;
        self.clock.set(self.clock_time());
    }

    /// Puts the machine's clock wrong by so much more.
    pub fn jump(&mut self, millis: i64) {
        self.off_by += millis;
        self.has_jumped = true;
        self.clock.set(self.clock_time());
    }

    fn put_right(&mut self) {
        self.off_by = 0;
        self.clock.set(self.clock_time());
    }

    /// Everything works again.
    pub fn heal(&mut self) {
        self.put_right();
        self.servers.iter_mut().for_each(Server::heal);
        self.answers.clear();
        (self.busy, self.full_until, self.standstill) = (0, i64::MIN, None);
        self.doom.fill(None);
        self.fate.iter_mut().for_each(VecDeque::clear);
    }

    pub fn is_dead(&self) -> bool {
        self.dead[self.running]
    }

    /// Whether the disk that holds the store is full.
    pub fn is_full(&self) -> bool {
        self.time < self.full_until
    }

    pub fn fill(&mut self, millis: i64) {
        self.full_until = self.time + millis;
    }

    /// Whatever can be seen from outside is a step: at any of them the process may die.
    pub fn step(&mut self, what: &'static str) {
        if self.is_dead() {
            return;
        }
        self.steps += 1;
        let running = self.running;
        if self.fate[running].front() == Some(&what) {
            self.fate[running].pop_front();
            return self.die(what);
        }
        match &mut self.doom[running] {
            Some(0) => self.die(what),
            Some(left) => *left -= 1,
            None => {}
        }
    }

    /// The process that runs dies.
    pub fn die(&mut self, at: &str) {
        let running = self.running;
        if !self.dead[running] {
            (self.doom[running], self.dead[running]) = (None, true);
            self.crashes += 1;
            self.log.note(|| format!("process {running} dies at {at}"));
        }
    }

    /// How the process that runs stands still at this step, if it does.
    pub fn stands_still(&mut self, at: &'static str) -> Option<Standstill> {
        let (running, is_dead) = (self.running, self.is_dead());
        self.standstill.take_if(|one| !is_dead && one.process == running && one.point == at)
    }
}
