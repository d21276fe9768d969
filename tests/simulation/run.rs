//! Plays a history to its end: event by event, then until everything is at rest, and judges it.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use guichet::clock::{Clock, Ids, SeededChance};
use guichet::faults::world;
use guichet::store::{self, Durability, Location, Sql, Store, StoreError, keys};
use jiff::Timestamp;
use memchr::memmem;

use super::desk::{self, After, Variant};
use super::history::{Event, History, LineEnds};
use super::invariants;
use super::outside::{Log, Shared};
use super::owing;
use super::people::{DESKS, Kind, Letter, Nature, PEOPLE, Post};
use super::processes::{Around, Processes};
use super::relay::Mail;
use super::server::Server;

/// What came of a history.
pub struct Outcome {
    /// What must not be, in words.
    pub faults: Vec<String>,
    /// The same for the same history.
    pub hash: u64,
    /// What happened, when it was asked for.
    pub lines: Vec<String>,
    pub steps: u64,
    pub messages: usize,
    pub crashes: u64,
    pub mails: usize,
}

/// A history that is being played.
pub struct Run {
    pub world: Shared,
    pub store: Store,
    pub post: Post,
    pub variant: Variant,
    pub processes: Rc<Processes>,
    // Letters that are on their way, with their mailboxes.
    pub late: VecDeque<(usize, usize)>,
    // Keys that were made by the operator.
    keys: u64,
    pub faults: Vec<String>,
    /// Messages that were put into mailboxes.
    pub messages: usize,
    /// The letters that came, and those that somebody took out before anybody could be sure.
    pub came: BTreeSet<usize>,
    pub vanished: BTreeSet<usize>,
    /// The letters of all messages that are still in a mailbox, as far as it goes by the world.
    pub copies: Vec<usize>,
    /// Mail that somebody got; told once everything is at rest.
    pub delivered: Vec<Mail>,
    /// Variants that were in force.
    variants: Vec<Variant>,
}

const BEGIN: i64 = 1_800_000_000;

/// Plays it; `log` keeps what happens or only its hash.
pub fn play(history: &History, log: Log) -> Outcome {
    let begin = Timestamp::from_second(BEGIN).expect("in range");
    let servers = DESKS.map(|_| Server::new()).into();
    let world = Shared::new(begin, servers, history.processes, log);
    let store = empty_store(begin);
    let settings = desk::settings(history.variant);
    let processes = Processes::new(history.processes, &world, &store, history.seed, settings);
    let processes = Rc::new(processes);
    let around = Around { world: world.clone(), processes: processes.clone() };
    let _inside = world::enter(Rc::new(around));
    let mut run = Run {
        variant: history.variant,
        variants: vec![history.variant],
        post: Post::default(),
        late: VecDeque::new(),
        keys: 0,
        faults: Vec::new(),
        messages: 0,
        came: BTreeSet::new(),
        vanished: BTreeSet::new(),
        copies: Vec::new(),
        delivered: Vec::new(),
        processes,
        store,
        world,
    };
    for event in &history.events {
        run.world.lock().log.note(|| event.to_string());
        run.befall(event);
        run.react();
    }
    run.come_to_rest();
    run.faults.extend(run.processes.take_faults());
    if run.faults.is_empty() {
        run.delivered = run.world.lock().delivered.clone();
        let found = invariants::judge(&run, &history.events);
        run.faults.extend(found);
    }
    run.processes.kill_all();
    let mut outside = run.world.lock();
    let log = std::mem::take(&mut outside.log);
    Outcome {
        faults: run.faults,
        hash: log.hash(),
        lines: log.lines().to_vec(),
        steps: outside.steps,
        messages: run.messages,
        crashes: outside.crashes,
        mails: outside.delivered.len(),
    }
}

// Each thread has one, with its statements prepared: it is emptied for each history.
fn empty_store(now: Timestamp) -> Store {
    thread_local! {
        static STORE: RefCell<Option<Store>> = const { RefCell::new(None) };
    }
    STORE.with_borrow_mut(|kept| {
        let store = kept.get_or_insert_with(|| {
            let location = Location::Memory;
            let options = store::Options { location, durability: Durability::None };
            Store::open(&options, now).expect("a store in memory opens")
        });
        store.transact(empty).expect("a store in memory is emptied");
        store.clone()
    })
}

fn empty(sql: &mut dyn Sql) -> Result<(), StoreError> {
    // What refers to a table was made after it. (Deferring the foreign keys instead would have each
    // statement planned anew.)
    let tables = sql.query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'migration' \
         ORDER BY rowid DESC",
        &[],
    )?;
    for table in tables {
        sql.execute(&format!("DELETE FROM {}", table.text(0)?), &[])?;
    }
    Ok(())
}

impl Run {
    fn befall(&mut self, event: &Event) {
        let at = self.world.lock().time();
        match *event {
            Event::Again { letter, desk, line_ends } => {
                let Some(letter) = nth(&self.post.letters, letter) else { return };
                let raw = match line_ends {
                    LineEnds::CrLf => letter.raw.clone(),
                    LineEnds::Lf => letter.raw.iter().copied().filter(|b| *b != b'\r').collect(),
                };
                self.deliver(raw, desk);
            }
            Event::Answer { mail, way } => {
                if let Some(mail) = self.readable(mail)
                    && let Some(letter) = self.post.answer(&mail, way, at)
                {
                    self.deliver(self.post.letters[letter].raw.clone(), desk_of(&mail.raw));
                }
            }
            Event::Automatic { what, desk } => {
                let letter = self.post.automatic(what, desk, at);
                self.deliver(self.post.letters[letter].raw.clone(), desk);
            }
            Event::Break { desk, breaks } => {
                self.world.lock().servers[desk].breaks = Some(breaks);
            }
            Event::Busy { transactions } => self.world.lock().busy = transactions,
            Event::Deny { desk, commands } => self.world.lock().servers[desk].denies = commands,
            Event::Die { process, point } => {
                self.world.lock().fate[process].push_back(point);
            }
            Event::Doom { process, steps } => {
                self.world.lock().doom[process] = Some(steps);
            }
            Event::Forge { mail } => {
                if let Some(mail) = self.readable(mail) {
                    let letter = self.post.forge(&mail, at);
                    self.deliver(self.post.letters[letter].raw.clone(), desk_of(&mail.raw));
                }
            }
            Event::Follow { letter, desk } => {
                let is_followed =
                    |letter: &Letter| letter.kind == Kind::Person && is_of_person(&letter.writer);
                let begun: Vec<usize> = (0..self.post.letters.len())
                    .filter(|n| is_followed(&self.post.letters[*n]))
                    .collect();
                if let Some(parent) = nth(&begun, letter) {
                    let letter = self.post.follow(*parent, desk, at);
                    self.deliver(self.post.letters[letter].raw.clone(), desk);
                }
            }
            Event::Full { millis } => self.world.lock().fill(millis),
            Event::Jump { millis } => self.world.lock().jump(millis),
            Event::Kill { process } => self.processes.kill(process),
            Event::Killer { desk } => {
                let letter = self.post.killer(desk, at);
                self.deliver(self.post.letters[letter].raw.clone(), desk);
            }
            Event::Late { person, desk } => {
                let parent = self.post.write(person, desk, at);
                let letter = self.post.follow(parent, desk, at);
                self.late.push_back((parent, desk));
                self.deliver(self.post.letters[letter].raw.clone(), desk);
            }
            Event::LateComes => self.late_comes(),
            Event::Pass { millis } => self.world.lock().pass(millis),
            Event::Refuse { desk, connections } => {
                self.world.lock().servers[desk].refuses = connections;
            }
            Event::Relay { answer, mails } => {
                self.world.lock().answers.extend(std::iter::repeat_n(answer, mails));
            }
            Event::Reload { variant } => {
                self.variant = variant;
                self.variants.push(variant);
                self.processes.reload(desk::settings(variant));
            }
            Event::Renumber { desk } => self.world.lock().servers[desk].renumber(),
            Event::Rotate => self.rotate(),
            Event::Stand { process } => self.processes.turn(process),
            Event::StandStill(standstill) => self.world.lock().standstill = Some(standstill),
            Event::Stop { process } => self.processes.stop(process),
            Event::Unfetchable { desk, message, times } => {
                let server = &mut self.world.lock().servers[desk];
                let chosen = nth(&server.account.inbox().messages, message).map(|one| one.uid);
                server.stuck.extend(chosen.map(|uid| (uid, times)));
            }
            Event::Vanish { desk, message } => {
                let mut outside = self.world.lock();
                let inbox = outside.servers[desk].account.inbox();
                let chosen = nth(&inbox.messages, message).cloned();
                if let Some(message) = chosen {
                    inbox.expunge(message.uid);
                    drop(outside);
                    let letter = self.letter_of(&message.raw);
                    self.vanished.extend(letter);
                    let at = self.copies.iter().position(|copy| Some(*copy) == letter);
                    at.map(|at| self.copies.swap_remove(at));
                }
            }
            Event::Work { process, room, steps } => self.processes.work(process, room, steps),
            Event::WorkOff { process } => {
                self.processes.work_off(process);
                if self.processes.count() == 1 && self.processes.is_alive(process) {
                    self.look_for_orphans();
                }
            }
            Event::Write { person, desk, copies } => {
                let letter = self.post.write(person, desk, at);
                for copy in 0..copies {
                    self.deliver(self.post.letters[letter].raw.clone(), desk + copy);
                }
            }
        }
    }

    // One of our mails that a person got, about a matter of theirs.
    fn readable(&self, choice: usize) -> Option<Mail> {
        let outside = self.world.lock();
        let is_readable =
            |mail: &&Mail| is_of_person(&mail.to) && self.post.conversation_of(mail).is_some();
        let readable: Vec<&Mail> = outside.delivered.iter().filter(is_readable).collect();
        nth(&readable, choice).map(|mail| (*mail).clone())
    }

    fn deliver(&mut self, raw: Vec<u8>, desk: usize) {
        self.messages += 1;
        let letter = self.letter_of(&raw);
        self.came.extend(letter);
        self.copies.extend(letter);
        let mut outside = self.world.lock();
        let at = outside.time();
        outside.servers[desk % DESKS.len()].deliver(raw, at);
        // No two things happen at the same time.
        outside.pass(7);
    }

    /// The letter that a message is a copy of.
    pub fn letter_of(&self, raw: &[u8]) -> Option<usize> {
        const BEFORE: &[u8] = b"Message-ID: <letter-";
        let from = memmem::find(raw, BEFORE)? + BEFORE.len();
        let count = raw[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        std::str::from_utf8(&raw[from..from + count]).ok()?.parse().ok()
    }

    /// What is done to mail that is decided, if that was the same from beginning to end.
    pub fn only_after(&self) -> Option<After> {
        let first = self.variants[0].after;
        self.variants.iter().all(|variant| variant.after == first).then_some(first)
    }

    /// What a dead process had in hand is done by the next, and nobody waits for the end of a lease.
    pub fn look_for_orphans(&mut self) {
        let outside = self.world.lock();
        let (has_jumped, now) = (outside.has_jumped, outside.clock_time());
        drop(outside);
        if !has_jumped {
            self.faults.extend(owing::orphans(&self.store, now));
        }
    }

    // The operator has another key sign from now on.
    fn rotate(&mut self) {
        let clock = {
            let mut outside = self.world.lock();
            outside.running = self.processes.count();
            outside.clock.clone()
        };
        self.keys += 1;
        let ids = Ids::new(clock.clone(), Arc::new(SeededChance::new(self.keys)));
        let now = clock.now();
        let rotated = self.store.transact(move |sql| keys::rotate(sql, &ids, now).map(drop));
        self.world.lock().log.note(|| format!("  rotated: {rotated:?}"));
    }

    pub fn late_comes(&mut self) {
        if let Some((letter, desk)) = self.late.pop_front() {
            self.deliver(self.post.letters[letter].raw.clone(), desk);
        }
    }

    // People read what they got, and their machines answer.
    pub fn react(&mut self) -> bool {
        let unread: Vec<_> = {
            let mut outside = self.world.lock();
            let unread = outside.delivered.iter_mut().filter(|mail| !mail.is_read);
            unread
                .map(|mail| {
                    mail.is_read = true;
                    mail.clone()
                })
                .collect()
        };
        let at = self.world.lock().time();
        let mut has_answered = false;
        for mail in unread {
            let nature = PEOPLE.iter().find(|(address, _)| *address == mail.to);
            let letter = match nature {
                Some((_, Nature::Away)) => self.post.excuse(&mail, at),
                Some((_, Nature::Bounces)) => self.post.bounce(&mail, at),
                Some((_, Nature::Echo)) => self.post.echo(&mail, at),
                Some((_, Nature::Quiet)) | None => continue,
            };
            has_answered = true;
            self.deliver(self.post.letters[letter].raw.clone(), desk_of(&mail.raw));
        }
        has_answered
    }
}

fn nth<T>(among: &[T], choice: usize) -> Option<&T> {
    among.get(choice.checked_rem(among.len())?)
}

fn is_of_person(address: &str) -> bool {
    PEOPLE.iter().any(|(person, nature)| *person == address && *nature != Nature::Echo)
}

// The mailbox that a mail of ours is from.
fn desk_of(raw: &str) -> usize {
    let head = raw.split_once("\r\n\r\n").map_or(raw, |(head, _)| head);
    let from = head.lines().find(|line| line.starts_with("From:")).unwrap_or_default();
    DESKS.iter().position(|desk| from.contains(desk)).unwrap_or_default()
}
