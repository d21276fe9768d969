//! What a server tells of messages before they are fetched. One message it cannot tell of, in words
//! that nobody can read or by ending the session, holds up no other (E-01).

use super::attributes::Sighted;
use super::error::ImapError;
use super::ledger::Entry;
use super::watch::ImapWatch;
use crate::intake::error::IntakeError;

// A set that ended a session is asked about in so many parts the next time.
const PARTS: usize = 8;

impl ImapWatch {
    /// What the server tells of these messages. The set whose answer ended a session is asked about
    /// in parts by the sessions after it, until the one message is found: that is `untold`.
    pub(super) async fn sight_around(&mut self, uids: &[u32]) -> Result<Vec<Sighted>, IntakeError> {
        let now = self.now();
        let (doubted, others): (Vec<u32>, Vec<u32>) =
            uids.iter().partition(|uid| self.doubted.contains(uid));
        let mut sighted = Vec::with_capacity(uids.len());
        let part = doubted.len().div_ceil(PARTS).max(1);
        for part in doubted.chunks(part) {
            match self.session().sight(part, now).await {
                Ok(more) => sighted.extend(more),
                Err(cause) => return Err(self.doubt(part, cause)),
            }
        }
        self.doubted.retain(|uid| !doubted.contains(uid));
        match self.session().sight(&others, now).await {
            Ok(more) => sighted.extend(more),
            Err(cause) => {
                self.doubted = others;
                return Err(self.failed(cause));
            }
        }
        sighted.sort_by_key(|message| message.uid);
        Ok(sighted)
    }

    fn doubt(&mut self, part: &[u32], cause: ImapError) -> IntakeError {
        match part {
            [uid] => {
                self.doubted.clear();
                self.untold.push((*uid, cause.first_line()));
            }
            _ => self.doubted = part.to_vec(),
        }
        self.failed(cause)
    }

    /// Owes the messages that the server could not tell of; of the UIDVALIDITY that is open.
    pub(super) async fn owe_untold(&mut self) -> Result<(), IntakeError> {
        let owed = std::mem::take(&mut self.untold);
        if owed.is_empty() {
            return Ok(());
        }
        self.name_owed(&owed);
        let low = self.open.position.low;
        self.enter(Entry { owed, ..Entry::default() }, low).await
    }
}
