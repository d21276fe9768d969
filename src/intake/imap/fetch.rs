//! Messages on their way from the server to the store, and what the mailbox is told of them later.

use std::collections::{HashSet, VecDeque};

use super::after::Settled;
use super::attributes::Sighted;
use super::error::ImapError;
use super::folder::WHOLE;
use super::ledger::Entry;
use super::watch::ImapWatch;
use crate::faults;
use crate::intake::error::IntakeError;
use crate::intake::source::BATCH;
use crate::intake::{After, read_bounded};
use crate::mail;
use crate::store::spool::{Arrival, Growing, Intake, Origin, Owed};

// Acknowledgements worked off at a time.
const OWED: usize = 256;
// E-12: an excuse of Exchange is short, and asked about so often before it is taken as it is: then it
// is held.
const EXCUSE_MOST: usize = 16 * 1024;
const EXCUSE_TRIES: u32 = 3;

impl ImapWatch {
    /// The next messages to fetch together: bounded in number and in announced bytes. What is large,
    /// or may have ended a session, comes alone.
    pub(super) fn next_batch(&self, pending: &mut VecDeque<Sighted>) -> Vec<Sighted> {
        let mut batch: Vec<Sighted> = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH
            && let Some(message) = pending.front()
        {
            let is_alone = message.size > WHOLE.min(self.options.max_message_size)
                || self.suspects.contains(&message.uid);
            if !batch.is_empty() && (is_alone || bytes + message.size > WHOLE) {
                break;
            }
            bytes += message.size;
            batch.extend(pending.pop_front());
            if is_alone {
                break;
            }
        }
        batch
    }

    /// Fetches a batch. What the server does not give is owed, unless it is gone (E-02, E-03).
    pub(super) async fn fetch(&mut self, batch: &[Sighted]) -> Result<Entry, ImapError> {
        let mut entry = Entry::default();
        let mut given = HashSet::with_capacity(batch.len());
        match batch {
            [message]
                if message.size > WHOLE.min(self.options.max_message_size)
                    && faults::stands("T-37") =>
            {
                if let Some(arrival) = self.fetch_large(message).await? {
                    given.insert(message.uid);
                    entry.arrivals.push(arrival);
                }
            }
            _ => self.fetch_whole(batch, &mut entry, &mut given).await?,
        }
        entry.forgiven = given.iter().copied().filter(|uid| self.owed.contains_key(uid)).collect();
        let missing: Vec<u32> =
            batch.iter().map(|message| message.uid).filter(|uid| !given.contains(uid)).collect();
        if !missing.is_empty() {
            let present = self.session().present(&missing).await?;
            for uid in missing {
                if !present.contains(&uid) {
                    entry.forgiven.push(uid);
                } else if !entry.owed.iter().any(|(owed, _)| *owed == uid) {
                    entry.owed.push((uid, "the server gave an empty answer".to_owned()));
                }
            }
        }
        for uid in &given {
            self.suspects.remove(uid);
        }
        Ok(entry)
    }

    async fn fetch_whole(
        &mut self,
        batch: &[Sighted],
        entry: &mut Entry,
        given: &mut HashSet<u32>,
    ) -> Result<(), ImapError> {
        let uids: Vec<u32> = batch.iter().map(|message| message.uid).collect();
        let mut session = self.session.take().expect("every stage but the first has a session");
        let mut bytes = 0;
        let fetched = session
            .bodies(&uids, |uid, raw| {
                let Ok(at) = uids.binary_search(&uid) else { return };
                bytes += raw.len() as u64;
                // A server that gives much more than it announced is asked again, one by one.
                if bytes > 4 * WHOLE || given.contains(&uid) {
                    return;
                }
                if self.is_excuse(uid, raw) {
                    entry.owed.push((uid, "Exchange says that it cannot give it out".to_owned()));
                    return;
                }
                given.insert(uid);
                entry.arrivals.push(self.arrival(&batch[at], raw));
            })
            .await;
        self.session = Some(session);
        fetched
    }

    async fn fetch_large(&mut self, message: &Sighted) -> Result<Option<Arrival>, ImapError> {
        let most = self.options.max_message_size;
        let session = self.session();
        if message.size <= most {
            match session.pieces(message.uid, most).await? {
                Some(whole) if whole.size() <= most => {
                    return Ok(Some(self.finish(whole, message, Intake::Mailbox)));
                }
                Some(_) => {}
                None => return Ok(None),
            }
        }
        let stub = session.stub(message.uid).await?;
        Ok(stub.map(|raw| self.finish(Growing::whole(&raw), message, Intake::Stub)))
    }

    fn arrival(&self, message: &Sighted, raw: &[u8]) -> Arrival {
        // More came than was announced.
        if raw.len() as u64 > self.options.max_message_size {
            let bounded = read_bounded(raw, self.options.max_message_size);
            let (raw, intake) = bounded.expect("memory reads");
            return self.finish(Growing::whole(&raw), message, intake);
        }
        self.finish(Growing::whole(raw), message, Intake::Mailbox)
    }

    fn finish(&self, growing: Growing, message: &Sighted, intake: Intake) -> Arrival {
        let (mailbox, origin) = (self.options.name.clone(), self.origin(message.uid));
        growing.finish(mailbox, &origin, message.arrived_at, intake, &self.ids)
    }

    fn is_excuse(&self, uid: u32, raw: &[u8]) -> bool {
        // Few messages hold the words, so few are looked at closely.
        raw.len() < EXCUSE_MOST
            && memchr::memmem::find(raw, mail::EXCUSE.as_bytes()).is_some()
            && mail::holds_excuse(raw)
            && self.owed.get(&uid).is_none_or(|attempts| *attempts < EXCUSE_TRIES)
    }

    ///
    pub(super) fn origin(&self, uid: u32) -> Origin {
        Origin::Uid { series: self.open.position.series, uid }
    }

    /// Tells the folder of what is decided; answers whether there may be more to tell. What refuses
    /// stays owed, at the head of the queue: so more is asked for than is worked off, and what
    /// refused is not tried again before the next sweep (E-04).
    pub(super) async fn acknowledge(&mut self) -> Result<bool, IntakeError> {
        let limit = OWED + self.unsettled.len();
        let series = self.open.position.series;
        let mut owed = self.ledger.unacknowledged(series, limit).await?;
        let is_full = owed.len() >= limit;
        owed.retain(|owed| !self.unsettled.contains(&owed.id));
        owed.truncate(OWED);
        if owed.is_empty() {
            return Ok(false);
        }
        let uids = uids_of(&owed);
        match self.settle(&uids).await {
            Ok(settled) => {
                if settled == Settled::Marked {
                    self.name_refusal("the server has no UIDPLUS: mail that is done with is marked as deleted, and goes when another program tidies the folder");
                }
                faults::point("acknowledge.note");
                self.ledger.acknowledged(owed.into_iter().map(|owed| owed.id).collect()).await?;
                faults::point("acknowledge.noted");
            }
            Err(cause @ (ImapError::ReadOnly { .. } | ImapError::Refused { .. })) => {
                self.name_refusal(&format!(
                    "{} messages whose decision is safe could not be marked in their mailbox: {cause}",
                    owed.len()
                ));
                self.unsettled.extend(owed.into_iter().map(|owed| owed.id));
            }
            Err(cause) => return Err(self.failed(cause)),
        }
        Ok(is_full)
    }

    async fn settle(&mut self, uids: &[u32]) -> Result<Settled, ImapError> {
        let after = self.options.after.clone();
        if uids.is_empty() || after == After::Keep {
            return Ok(Settled::Wholly);
        }
        if self.open.folder.is_read_only {
            let after = match after {
                After::Delete => "delete",
                After::Flag => "flag",
                After::Keep => "keep",
                After::Move { .. } => "move",
            };
            let folder = self.folder_name().to_owned();
            return Err(ImapError::ReadOnly { folder, after });
        }
        self.session().settle(uids, &after).await
    }

    // Named once for as long as the words are the same; how many they are may change.
    fn name_refusal(&mut self, said: &str) {
        let words = said.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned();
        if self.refusals.insert(words) {
            tracing::error!(mailbox.name = %self.options.name, "{said}");
        }
    }
}

/// Their UIDs, in order.
pub(super) fn uids_of(owed: &[Owed]) -> Vec<u32> {
    let uid = |owed: &Owed| match owed.origin {
        Origin::Uid { uid, .. } => Some(uid),
        Origin::File { .. }
        | Origin::MaildirFile { .. }
        | Origin::Portal { .. }
        | Origin::Staff { .. } => None,
    };
    let mut uids: Vec<u32> = owed.iter().filter_map(uid).collect();
    uids.sort_unstable();
    uids
}
