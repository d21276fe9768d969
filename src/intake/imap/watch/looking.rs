//! Looking through a folder, window by window: which messages are neither known nor to be left alone.

use super::{ImapWatch, Look, Open, Stage};
use crate::intake::IntakeError;
use crate::intake::imap::attributes::Sighted;
use crate::intake::imap::folder::Folder;
use crate::intake::imap::ledger::Entry;

// UIDs asked about in one search, at first, and at most in a large folder where few of them are in
// use.
pub(super) const WINDOW: u32 = 5_000;
pub(super) const WIDEST: u32 = 65_536;

impl ImapWatch {
    // The UIDs that are there in the next window.
    pub(super) async fn window(
        &mut self,
        look: &mut Look,
        folder: Folder,
    ) -> Result<Vec<u32>, IntakeError> {
        let last = look.next.saturating_add(look.width - 1).min(folder.next.saturating_sub(1));
        let found = self.session().search(look.next, last).await;
        let uids = found.map_err(|cause| self.failed(cause))?;
        // A folder of few messages has few UIDs in any window, however far apart they are: one whose
        // UIDs are times, or a server that says what it likes, takes no thousands of searches.
        let widest = if folder.count <= WIDEST { u32::MAX } else { WIDEST };
        look.width = match u32::try_from(uids.len()).unwrap_or(u32::MAX) {
            few if few < WINDOW / 2 => look.width.saturating_mul(2).min(widest),
            _ => WINDOW,
        };
        look.end = last;
        look.next = last.saturating_add(1);
        Ok(uids)
    }

    pub(in crate::intake::imap) async fn sight(
        &mut self,
        uids: &[u32],
    ) -> Result<Vec<Sighted>, IntakeError> {
        let now = self.now();
        let sighted = self.session().sight(uids, now).await;
        sighted.map_err(|cause| self.failed(cause))
    }

    pub(super) async fn look(&mut self, mut look: Look) -> Result<Stage, IntakeError> {
        if !look.pending.is_empty() || look.ready.is_some() {
            return self.bring_in(look).await;
        }
        let Open { folder, position } = self.open;
        if look.next < folder.next {
            let mut uids = self.window(&mut look, folder).await?;
            let known = self.ledger.known(position.series, &uids).await?;
            uids.retain(|uid| !known.contains(uid) && !self.owed.contains_key(uid));
            let mut skipped = Vec::new();
            let sighted = self.sight_around(&uids).await;
            if sighted.is_err() {
                self.owe_untold().await?;
            }
            for message in sighted? {
                if position.leaves_alone(&message, self.options.start) {
                    skipped.push((self.origin(message.uid), message.arrived_at));
                } else if !message.is_deleted {
                    look.pending.push_back(message);
                }
            }
            if look.pending.is_empty() {
                let low = look.end;
                look.ready = Some((Entry { skipped, ..Entry::default() }, low));
            } else if !skipped.is_empty() {
                let entry = Entry { skipped, ..Entry::default() };
                self.enter(entry, position.low).await?;
            }
            return Ok(Stage::Look(look));
        }
        let low = folder.next.saturating_sub(1);
        if position.low < low {
            self.enter(Entry::default(), low).await?;
        }
        if let Some(skipped) = self.skipped.take() {
            let name = &self.options.name;
            tracing::info!(
                mailbox.name = %name,
                mailbox.before_start = skipped,
                "the mailbox `{name}` is new: {skipped} messages from before its start are left alone"
            );
        }
        let mut owed: Vec<u32> =
            self.owed.keys().copied().filter(|uid| !self.tried.contains(uid)).collect();
        owed.sort_unstable();
        Ok(Stage::Owed(owed.into()))
    }
}
