//! What must hold in the mailboxes, once everything is at rest.

use std::collections::BTreeMap;

use super::desk::After;
use super::invariants::Judge;
use super::server::DONE;

impl Judge<'_> {
    // What was decided is told to the mailbox, what is held stays there, and nothing else goes.
    pub fn mailboxes(&mut self) {
        let Some(after) = self.run.only_after() else { return };
        let states: BTreeMap<usize, Vec<&str>> = self
            .entries
            .iter()
            .filter_map(|entry| Some((entry.letter?, entry.state.as_str())))
            .fold(BTreeMap::new(), |mut states, (letter, state)| {
                states.entry(letter).or_insert_with(Vec::new).push(state);
                states
            });
        let outside = self.run.world.lock();
        let mut wrong = Vec::new();
        for (number, server) in outside.servers.iter().enumerate() {
            for (name, folder) in &server.account.folders {
                for message in &folder.messages {
                    let Some(letter) = self.run.letter_of(&message.raw) else { continue };
                    let states = states.get(&letter).map(Vec::as_slice).unwrap_or_default();
                    let is_done = states.iter().all(|state| *state == "done");
                    let is_held = states.iter().all(|state| *state == "held");
                    let is_seen = message.is_flagged("\\Seen");
                    // Who died between mark and removal, and finds a folder made anew, leaves it so.
                    let is_gone = message.is_flagged("\\Deleted");
                    let is_right = match (after, name.as_str()) {
                        (After::Flag, "INBOX") => is_seen == is_done || !(is_done || is_held),
                        (After::Delete, "INBOX") => !is_done || is_gone,
                        (After::Move, "INBOX") => !is_done,
                        (After::Move, DONE) => !is_held,
                        (After::Keep, "INBOX") => !is_seen,
                        _ => false,
                    };
                    if !is_right {
                        wrong.push(format!(
                            "letter {letter} is in `{name}` of mailbox {number}, seen: {is_seen}, as {states:?}"
                        ));
                    }
                }
            }
        }
        drop(outside);
        self.faults.extend(wrong);
        self.copies(after);
    }

    // No copy of a letter goes from a mailbox by itself, and none becomes two.
    fn copies(&mut self, after: After) {
        if after == After::Delete {
            return;
        }
        let outside = self.run.world.lock();
        let mut there: BTreeMap<usize, usize> = BTreeMap::new();
        for server in &outside.servers {
            for folder in server.account.folders.values() {
                for letter in folder.messages.iter().filter_map(|m| self.run.letter_of(&m.raw)) {
                    *there.entry(letter).or_default() += 1;
                }
            }
        }
        drop(outside);
        let mut put: BTreeMap<usize, usize> = BTreeMap::new();
        for letter in &self.run.copies {
            *put.entry(*letter).or_default() += 1;
        }
        if there != put {
            self.wrong(format!("the mailboxes hold {there:?} and not {put:?}"));
        }
    }
}
