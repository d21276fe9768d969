//! Takes stock of a mailbox: what is in it, against the ledger (P-17). Reads only. The mailbox is
//! looked at first and the ledger after it, in one view, so that a message which a daemon brings in
//! meanwhile is found in the one or the other.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt;

use jiff::Timestamp;

use super::error::IntakeError;
use super::imap::{Numbering, Unrest, numbering, unrest};
use super::maildir::Maildir;
use super::{After, Options, SourceOptions};
use crate::mail::MessageId;
use crate::store::spool::{self, Entry, Origin, Series, Stage, Total};
use crate::store::{Sql, Store, StoreError, decisions, mailboxes, uids};

/// What is in a mailbox.
#[derive(Clone, Debug)]
pub struct Contents {
    pub(super) looked_at: Timestamp,
    /// UIDVALIDITY of a folder on a server.
    pub(super) validity: Option<u32>,
    /// The series whose UIDs the server gives out again.
    pub(super) reused: Option<Series>,
    pub(super) present: Vec<Present>,
    /// The ids of the messages in the folder that messages are moved to; `None` where one does not
    /// read, or the message has none.
    pub(super) target: Option<Vec<Option<MessageId>>>,
}

#[derive(Clone, Debug)]
pub(super) struct Present {
    pub(super) origin: Origin,
    /// Marked as deleted, by whomever.
    pub(super) is_deleted: bool,
    /// Since when it is there for certain.
    pub(super) since: Option<Timestamp>,
}

/// A mailbox against the ledger. What is present is the sum of all kinds from `before_start` to
/// `unaccounted`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    pub standing: Standing,
    pub present: u64,
    pub before_start: u64,
    /// Accepted or ignored.
    pub decided: u64,
    /// Marked as deleted by somebody before it was taken in, and left alone.
    pub deleted: u64,
    pub held: u64,
    /// Not fetched yet.
    pub new: u64,
    /// Could not be fetched, and is tried again.
    pub owed: u64,
    /// Stored, and not decided.
    pub pending: u64,
    /// Nobody knows of it, though it must have been seen.
    pub unaccounted: u64,
    /// Some of those that are not accounted for.
    pub examples: Vec<String>,
    /// Decided, the mailbox was told by moving or deleting it, and it is there all the same.
    pub left: u64,
    /// In the ledger, and not in the mailbox any more; of these, those that guichet was done with.
    pub gone: u64,
    pub gone_told: u64,
    pub target: Option<Target>,
    /// Whether all of it was read again of late, for its UIDs meant other messages.
    pub unrest: Option<Unrest>,
}

/// The folder that messages are moved to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub present: u64,
    /// Their ids are of no message that was ever taken in.
    pub unknown: u64,
    pub examples: Vec<String>,
}

/// What the ledger knows of a mailbox as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    Known,
    /// Never looked at.
    #[default]
    New,
    /// Its folder was made anew on the server: all of it is read again.
    Renumbered,
    /// Its server gives out UIDs again that were in use before: all of it is read again.
    Reused,
    /// Set back by hand: it is read again from a date on.
    Rewound,
}

// Ids shown of what is wrong.
const EXAMPLES: usize = 5;

/// What is in a maildir.
pub fn maildir_contents(options: &Options, now: Timestamp) -> Result<Contents, IntakeError> {
    let SourceOptions::Maildir { path } = &options.source else {
        unreachable!("a mailbox of another kind is looked at over the network")
    };
    let listed = |path: &std::path::Path| {
        let maildir = Maildir { mailbox: options.name.clone(), path: path.to_owned() };
        let mut present = Vec::new();
        let all = |_: &[String]| Ok(HashSet::new());
        let sweep = maildir.sweep(all, |candidate| {
            // Renaming it counts, its written time does not: whoever copies a file may keep that.
            let there = std::fs::symlink_metadata(maildir.file(candidate));
            let since = there.ok().and_then(|file| Timestamp::from_second(file.ctime()).ok());
            let origin = Origin::MaildirFile { base: candidate.base.clone() };
            present.push(Present { origin, is_deleted: false, since });
            false
        });
        sweep.map(|_| present)
    };
    let mut present = listed(path)?;
    let mut seen = HashSet::new();
    // What a client moved meanwhile was seen in both halves.
    present.retain(|one| seen.insert(one.origin.key()));
    Ok(Contents { looked_at: now, validity: None, reused: None, present, target: None })
}

/// Compares what is in a mailbox with the ledger.
pub fn compare(options: &Options, contents: &Contents, store: &Store) -> Result<Stock, StoreError> {
    store.read_only(|sql| {
        let mut stock = Stock { present: contents.present.len() as u64, ..Stock::default() };
        let ledger = Ledger::read(sql, options, contents)?;
        stock.standing = ledger.standing;
        let mut still = Total::default();
        for some in contents.present.chunks(EACH) {
            let keys: Vec<String> = some.iter().map(|one| ledger.key(&one.origin)).collect();
            let entries = spool::entries(sql, &options.name, &keys)?;
            for (one, key) in some.iter().zip(&keys) {
                match entries.get(key) {
                    Some(entry) => stock.count(one, entry, options, contents, &mut still),
                    None => stock.miss(one, &ledger),
                }
            }
        }
        let all = spool::total(sql, &options.name, &ledger.prefix, contents.looked_at)?;
        stock.gone = all.stored.saturating_sub(still.stored);
        stock.gone_told = all.told.saturating_sub(still.told);
        stock.target = contents.target.as_ref().map(|ids| target(sql, ids)).transpose()?;
        stock.unrest = unrest(sql, &options.name, contents.looked_at)?;
        Ok(stock)
    })
}

// Messages asked of the ledger at a time.
const EACH: usize = 500;

/// What the ledger says of the mailbox as a whole.
struct Ledger {
    standing: Standing,
    /// What the origins of its messages begin with.
    prefix: String,
    /// In which its UIDs are counted, on a server.
    series: Option<Series>,
    /// Every UID up to this one was seen.
    low: u32,
    owed: HashMap<u32, String>,
    /// What was there before this time was seen (a maildir).
    seen_until: Option<Timestamp>,
}

impl Ledger {
    fn read(
        sql: &mut dyn Sql,
        options: &Options,
        contents: &Contents,
    ) -> Result<Ledger, StoreError> {
        let position = mailboxes::standing(sql, &options.name)?.and_then(|(_, position)| position);
        let owed = uids::owed(sql, &options.name)?;
        let owed = owed.into_iter().map(|owed| (owed.uid, owed.said)).collect();
        let Some(validity) = contents.validity else {
            let newest = spool::newest(sql, &options.name)?;
            let seen_until = newest.and_then(|newest| newest.checked_sub(options.sweep).ok());
            let standing = if position.is_some() { Standing::Known } else { Standing::New };
            let prefix = Origin::FILES.to_owned();
            return Ok(Ledger { standing, prefix, series: None, low: 0, owed, seen_until });
        };
        let (standing, series, low) = match position.as_deref().map(numbering) {
            Some(Numbering::Of { series, .. }) if contents.reused == Some(series) => {
                (Standing::Reused, series.next(), 0)
            }
            Some(Numbering::Of { series, low }) if series.validity == validity => {
                (Standing::Known, series, low)
            }
            Some(Numbering::Of { series, .. }) => {
                (Standing::Renumbered, Series { validity, ..series }, 0)
            }
            Some(Numbering::Rewound { series }) => {
                let round = series.map_or(0, |series| series.round);
                (Standing::Rewound, Series { validity, round }, 0)
            }
            Some(Numbering::None) | None => (Standing::New, Series::of(validity), 0),
        };
        let prefix = Origin::numbered(series);
        Ok(Ledger { standing, prefix, series: Some(series), low, owed, seen_until: None })
    }

    // What the ledger knows a message by.
    fn key(&self, origin: &Origin) -> String {
        match (origin, self.series) {
            (Origin::Uid { uid, .. }, Some(series)) => Origin::Uid { series, uid: *uid }.key(),
            _ => origin.key(),
        }
    }
}

impl Stock {
    fn count(
        &mut self,
        one: &Present,
        entry: &Entry,
        options: &Options,
        contents: &Contents,
        still: &mut Total,
    ) {
        match entry.stage {
            Stage::BeforeStart => self.before_start += 1,
            Stage::Decided => self.decided += 1,
            Stage::Held => self.held += 1,
            Stage::Pending => self.pending += 1,
        }
        if entry.stage != Stage::BeforeStart && entry.spooled_at <= contents.looked_at {
            still.stored += 1;
            still.told += u64::from(entry.is_told);
        }
        let is_to_go = matches!(options.after, After::Delete | After::Move { .. });
        self.left += u64::from(is_to_go && entry.is_told && !one.is_deleted);
    }

    fn miss(&mut self, one: &Present, ledger: &Ledger) {
        let is_seen = match &one.origin {
            Origin::Uid { uid, .. } if ledger.owed.contains_key(uid) => {
                self.owed += 1;
                return;
            }
            Origin::Uid { uid, .. } => ledger.standing == Standing::Known && *uid <= ledger.low,
            Origin::File { .. } | Origin::MaildirFile { .. } => match ledger.seen_until {
                Some(until) => one.since.is_some_and(|since| since < until),
                None => false,
            },
            // In no mailbox.
            Origin::Portal { .. } | Origin::Staff { .. } => false,
        };
        match is_seen {
            false => self.new += 1,
            true if one.is_deleted => self.deleted += 1,
            true => {
                self.unaccounted += 1;
                if self.examples.len() < EXAMPLES {
                    self.examples.push(match &one.origin {
                        Origin::Uid { uid, .. } => format!("UID {uid}"),
                        Origin::File { name: file } | Origin::MaildirFile { base: file } => {
                            file.clone()
                        }
                        origin @ (Origin::Portal { .. } | Origin::Staff { .. }) => origin.key(),
                    });
                }
            }
        }
    }
}

fn target(sql: &mut dyn Sql, ids: &[Option<MessageId>]) -> Result<Target, StoreError> {
    let mut target = Target { present: ids.len() as u64, ..Target::default() };
    let written: Vec<String> = ids.iter().flatten().map(|id| id.as_str().to_owned()).collect();
    for some in written.chunks(EACH) {
        let known = decisions::known_ids(sql, some)?;
        for id in some.iter().filter(|id| !known.contains(*id)) {
            target.unknown += 1;
            if target.examples.len() < EXAMPLES {
                target.examples.push(format!("<{id}>"));
            }
        }
    }
    Ok(target)
}
