//! Bringing messages in: one batch comes while the last one is committed. What cannot be had is owed,
//! and tried again once a sweep.

use std::collections::VecDeque;

use jiff::SignedDuration;

use super::{ImapWatch, Look, Stage};
use crate::faults;
use crate::intake::imap::attributes::Sighted;
use crate::intake::imap::error::ImapError;
use crate::intake::imap::ledger::{Entered, Entry};
use crate::intake::{After, IntakeError};

// A disk below its floor: when to look again.
const FULL_PAUSE: SignedDuration = SignedDuration::from_secs(30);
// After so many refusals in a row the session is left, and the server tried again later.
const REFUSED: usize = 8;

impl ImapWatch {
    // Stores what was fetched while the next batch comes in.
    pub(super) async fn bring_in(&mut self, mut look: Look) -> Result<Stage, IntakeError> {
        let entering = look.ready.take().map(|(entry, low)| self.begin_to_enter(entry, low));
        let has_room = look.pending.is_empty() || self.disk.has_room(&self.options.name);
        let batch = if has_room { self.next_batch(&mut look.pending) } else { Vec::new() };
        let fetched = if batch.is_empty() { Ok(None) } else { self.fetch(&batch).await.map(Some) };
        let mut is_current = true;
        if let Some(entering) = entering {
            is_current = self.entered(entering.await?);
        }
        match fetched {
            Ok(Some(entry)) => {
                faults::point("imap.fetched");
                self.refused = 0;
                self.name_owed(&entry.owed);
                let last = batch.last().map_or(0, |message| message.uid);
                let low = if look.pending.is_empty() { look.end } else { last };
                look.ready = Some((entry, low));
            }
            Ok(None) => {}
            Err(cause) => {
                if let Some(entry) = self.blame(&batch, &cause) {
                    self.name_owed(&entry.owed);
                    self.enter(entry, batch[0].uid).await?;
                }
                self.refused += 1;
                let goes_on = matches!(cause, ImapError::Refused { .. });
                if !goes_on || self.refused.is_multiple_of(REFUSED) {
                    return Err(self.failed(cause));
                }
                // The server refused and goes on: one by one it may give them.
                for message in batch.into_iter().rev() {
                    if !self.owed.contains_key(&message.uid) {
                        look.pending.push_front(message);
                    }
                }
            }
        }
        if !has_room {
            return Ok(self.wait_for_room());
        }
        if self.options.after != After::Keep {
            self.acknowledge().await?;
        }
        Ok(if is_current { Stage::Look(look) } else { Stage::Open })
    }

    // P-05: nothing is fetched, and what is decided goes on.
    fn wait_for_room(&mut self) -> Stage {
        self.next_poll = self.next_poll.min(self.clock.now() + FULL_PAUSE);
        Stage::Acknowledge
    }

    // What could not be fetched so far is tried once a sweep, each alone.
    pub(super) async fn try_again(
        &mut self,
        mut uids: VecDeque<u32>,
    ) -> Result<Stage, IntakeError> {
        let Some(uid) = uids.pop_front() else { return Ok(Stage::Acknowledge) };
        if !self.disk.has_room(&self.options.name) {
            return Ok(self.wait_for_room());
        }
        self.tried.insert(uid);
        let low = self.open.position.low;
        let entry = match self.sight(&[uid]).await?.first() {
            Some(message) if !message.is_deleted => match self.fetch(&[*message]).await {
                Ok(entry) => entry,
                Err(cause) => {
                    let owed = vec![(uid, cause.first_line())];
                    self.enter(Entry { owed, ..Entry::default() }, low).await?;
                    if matches!(cause, ImapError::Refused { .. }) {
                        return Ok(Stage::Owed(uids));
                    }
                    return Err(self.failed(cause));
                }
            },
            Some(_) => Entry { forgiven: vec![uid], ..Entry::default() },
            None => {
                let present = self.session().present(&[uid]).await;
                let is_gone = present.map_err(|cause| self.failed(cause))?.is_empty();
                let forgiven = if is_gone { vec![uid] } else { Vec::new() };
                Entry { forgiven, ..Entry::default() }
            }
        };
        self.enter(entry, low).await?;
        Ok(Stage::Owed(uids))
    }

    // E-01: over which message the session ended. A batch is tried one by one; one alone is owed, and
    // the others go on.
    fn blame(&mut self, batch: &[Sighted], cause: &ImapError) -> Option<Entry> {
        let is_refused = matches!(cause, ImapError::Refused { .. });
        match batch {
            [message] if is_refused || self.suspects.contains(&message.uid) => {
                self.suspects.remove(&message.uid);
                let owed = vec![(message.uid, cause.first_line())];
                Some(Entry { owed, ..Entry::default() })
            }
            _ => {
                self.suspects.extend(batch.iter().map(|message| message.uid));
                None
            }
        }
    }

    pub(in crate::intake::imap) async fn enter(
        &mut self,
        entry: Entry,
        low: u32,
    ) -> Result<(), IntakeError> {
        let entering = self.begin_to_enter(entry, low);
        let entered = entering.await?;
        if !self.entered(entered) {
            // Somebody moved the position: it is read again at the next look.
            self.next_poll = self.clock.now();
        }
        Ok(())
    }

    // The position moves on at once for us; when the store refuses, it is read again.
    fn begin_to_enter(
        &mut self,
        entry: Entry,
        low: u32,
    ) -> impl Future<Output = Result<Entered, IntakeError>> + use<> {
        for (uid, _) in &entry.owed {
            *self.owed.entry(*uid).or_default() += 1;
        }
        for uid in &entry.forgiven {
            self.owed.remove(uid);
        }
        self.gets_on |= !(entry.arrivals.is_empty() && entry.owed.is_empty());
        let from = self.open.position;
        self.open.position.low = from.low.max(low);
        self.ledger.enter(entry, from, self.open.position)
    }

    // Answers whether the position is still ours.
    fn entered(&mut self, entered: Entered) -> bool {
        if entered.spooled > 0 {
            faults::point("spool.committed");
            (self.spooled)(entered.spooled);
        }
        if let Some(skipped) = &mut self.skipped {
            *skipped += entered.skipped;
        }
        entered.is_current
    }
}
