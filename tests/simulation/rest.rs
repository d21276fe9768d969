//! How a history ends: the world becomes healthy, and time passes until nothing is owed any more.

use super::owing;
use super::run::Run;

// Until everything is at rest: rounds, and days.
const MOST_ROUNDS: usize = 300;
const MOST_DAYS: i64 = 30;
// A mailbox is looked at each minute.
const LOOK: i64 = 61_000;
// Rounds after which a message that nothing hinders is decided.
const PATIENCE: usize = 12;

impl Run {
    // The world becomes healthy, what is late comes, and time passes until nothing is owed.
    pub fn come_to_rest(&mut self) {
        {
            let mut outside = self.world.lock();
            outside.log.note(|| "the world becomes healthy".to_owned());
            outside.heal();
        }
        self.processes.go_on();
        while !self.late.is_empty() {
            self.late_comes();
        }
        let end = self.world.lock().time() + jiff::SignedDuration::from_hours(24 * MOST_DAYS);
        let mut quiet = 0;
        let (mut waiting, mut since) = (None, 0);
        for round in 0..MOST_ROUNDS {
            let dues: Vec<_> =
                (0..self.processes.count()).map(|n| self.processes.work_off(n)).collect();
            let has_answered = self.react();
            if !self.faults.is_empty() {
                return;
            }
            if round == 1 {
                self.look_for_orphans();
            }
            let first = owing::first_waiting(&self.store);
            since = if first == waiting { since } else { round };
            waiting = first;
            if let Some(message) = waiting.as_ref().filter(|_| round > since + PATIENCE) {
                self.faults.push(format!("message {message} waits, and nothing hinders it"));
            }
            let owed = owing::owed(&self.store);
            quiet = if owed.is_empty() && !has_answered { quiet + 1 } else { 0 };
            // Each mailbox was looked at again since the last of them changed.
            if quiet == 3 {
                return;
            }
            let mut outside = self.world.lock();
            let now = outside.time();
            if now > end {
                drop(outside);
                self.faults.extend(owed.into_iter().map(|what| format!("owed for ever: {what}")));
                return;
            }
            let due = dues.into_iter().flatten().min();
            let until = due.map_or(0, |due| due.as_millisecond() - now.as_millisecond());
            outside.pass(until.max(LOOK));
            drop(outside);
            self.processes.beat();
        }
        let owed = owing::owed(&self.store);
        self.faults.extend(owed.into_iter().map(|what| format!("owed after all: {what}")));
        self.faults.push("the desk never comes to rest".to_owned());
    }
}
