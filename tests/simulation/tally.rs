//! What was played in all, for whoever reads the end of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use super::history::History;
use super::run::Outcome;

// Histories after which a long run says how far it is.
const SAY: u64 = 2_000;

/// The sums of a run.
pub struct Tally {
    begun: Instant,
    histories: u64,
    bad: u64,
    steps: u64,
    messages: usize,
    mails: usize,
    crashes: u64,
    // Of the hashes of all of them, in whichever order they end: the same for the same histories.
    hash: u64,
    events: BTreeMap<String, usize>,
}

impl Tally {
    #[expect(clippy::disallowed_methods, reason = "how long it took decides nothing")]
    pub fn begin() -> Tally {
        Tally {
            begun: Instant::now(),
            histories: 0,
            bad: 0,
            steps: 0,
            messages: 0,
            mails: 0,
            crashes: 0,
            hash: 0,
            events: BTreeMap::new(),
        }
    }

    /// Counts a history, of `count` in all.
    pub fn add(&mut self, history: &History, outcome: &Outcome, count: u64) {
        self.histories += 1;
        self.bad += u64::from(!outcome.faults.is_empty());
        self.steps += outcome.steps;
        self.messages += outcome.messages;
        self.mails += outcome.mails;
        self.crashes += outcome.crashes;
        self.hash = self.hash.wrapping_add(outcome.hash);
        for event in &history.events {
            let name = event.to_string();
            let name = name.split([' ', '{', '(']).next().unwrap_or_default();
            *self.events.entry(name.to_owned()).or_default() += 1;
        }
        if self.histories.is_multiple_of(SAY) && self.histories < count {
            eprintln!("{} of {count} histories, {} ended badly", self.histories, self.bad);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { histories, bad, steps, messages, mails, crashes, hash, .. } = self;
        let seconds = self.begun.elapsed().as_secs();
        writeln!(
            f,
            "{histories} histories in {seconds} s, {bad} ended badly: {messages} messages put into \
             mailboxes, {mails} mails delivered, {crashes} crashes, {steps} steps, hash {hash:016x}"
        )?;
        let events: Vec<String> =
            self.events.iter().map(|(name, count)| format!("{name} {count}")).collect();
        write!(f, "events: {}", events.join(", "))
    }
}
