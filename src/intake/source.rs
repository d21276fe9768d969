//! The closed set of kinds of mailbox. What is asked of each: which messages are not in the ledger
//! yet, in order of arrival; a batch of them, bounded in number and bytes; and to do what `after`
//! says to those whose decision is committed.
//!
//! A folder on a server is no part of this: it has a watch of its own, [`super::ImapWatch`].

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::after::Refused;
use super::error::IntakeError;
use super::maildir::{Candidate, Maildir, Sweep};
use super::{After, SourceOptions};
use crate::store::spool::{Intake, Origin};

/// Messages in one batch.
pub(super) const BATCH: usize = 64;
/// Bytes in one batch; a larger message is a batch of its own.
pub(super) const BATCH_BYTES: u64 = 4 * 1024 * 1024;
// How long an empty file is taken for one whose content is still to come (E-02).
const UNWRITTEN: SignedDuration = SignedDuration::from_secs(60);

/// A mailbox of one kind.
#[derive(Debug)]
pub(super) enum Source {
    Maildir(Maildir),
}

/// A message as it was read, before the ledger knows of it.
pub(super) struct Fetched {
    pub(super) candidate: Candidate,
    pub(super) intake: Intake,
    pub(super) raw: Vec<u8>,
}

/// What became of the first candidates.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) messages: Vec<Fetched>,
    /// Gone, or renamed, since they were seen (E-03): look again.
    pub(super) gone: usize,
    /// Still being written: look again in a moment.
    pub(super) unfinished: usize,
    pub(super) unreadable: Vec<(Candidate, PathBuf, io::Error)>,
}

impl Source {
    pub(super) fn new(mailbox: &str, options: &SourceOptions) -> Source {
        match options {
            SourceOptions::Imap(_) => unreachable!("it has a watch of its own"),
            SourceOptions::Maildir { path } => {
                Source::Maildir(Maildir { mailbox: mailbox.to_owned(), path: path.clone() })
            }
        }
    }

    pub(super) fn sweep(
        &self,
        known: impl FnMut(&[String]) -> Result<HashSet<String>, IntakeError>,
        wanted: impl FnMut(&Candidate) -> bool,
    ) -> Result<Sweep, IntakeError> {
        match self {
            Source::Maildir(maildir) => maildir.sweep(known, wanted),
        }
    }

    /// Reads from the front of `candidates` until the batch is full; a message larger than
    /// `max_message_size` as a stub.
    pub(super) fn fetch(
        &self,
        candidates: &mut VecDeque<Candidate>,
        max_message_size: u64,
        now: Timestamp,
    ) -> Batch {
        let Source::Maildir(maildir) = self;
        let mut batch = Batch::default();
        let mut bytes = 0;
        while batch.messages.len() < BATCH
            && let Some(candidate) = candidates.pop_front()
        {
            let opened = match maildir.open(&candidate) {
                Ok(Some(opened)) => opened,
                Ok(None) => {
                    batch.gone += 1;
                    continue;
                }
                Err(error) => {
                    let path = maildir.file(&candidate);
                    batch.unreadable.push((candidate, path, error));
                    continue;
                }
            };
            let age = now.duration_since(opened.written_at);
            if opened.size == 0 && !age.is_negative() && age < UNWRITTEN {
                batch.unfinished += 1;
                continue;
            }
            if !batch.messages.is_empty() && bytes + opened.size > BATCH_BYTES {
                candidates.push_front(candidate);
                break;
            }
            match opened.read(max_message_size) {
                Ok(Some((raw, intake))) => {
                    bytes += raw.len() as u64;
                    batch.messages.push(Fetched { candidate, intake, raw });
                }
                Ok(None) => batch.unfinished += 1,
                Err(error) => {
                    let path = maildir.file(&candidate);
                    batch.unreadable.push((candidate, path, error));
                }
            }
        }
        batch
    }

    /// Does `after` to these messages, each with its id; answers the ids of those that refuse, and
    /// why. An origin of another kind of source, from before the mailbox was changed, needs nothing
    /// any more.
    pub(super) fn settle(
        &self,
        messages: &[(String, Origin)],
        after: &After,
    ) -> Vec<(String, Refused)> {
        let Source::Maildir(maildir) = self;
        let mut ids = HashMap::with_capacity(messages.len());
        for (id, origin) in messages {
            if let Origin::MaildirFile { base } = origin {
                ids.insert(base.clone(), id.clone());
            }
        }
        let bases: Vec<String> = ids.keys().cloned().collect();
        let refused = maildir.settle(&bases, after);
        refused.into_iter().map(|refused| (ids[&refused.base].clone(), refused)).collect()
    }
}
