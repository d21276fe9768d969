//! The ledger and the raw bytes: every message that was ever brought in, once, and where it stands
//! (design §4.1, P-01, P-02). Bytes are kept apart from state, in compressed frames of 1 MiB.

mod acknowledgement;
mod claim;
mod entry;
mod growing;
mod held;
mod origin;

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;

use jiff::Timestamp;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{self, CParameter};

use super::sql::{MANY, padded, placeholders, rows};
use super::{Sql, StoreError, Value, decisions};
use crate::args;
use crate::clock::Ids;
use crate::faults;
pub use crate::triage::facts::Intake;
use crate::triage::plan::{Outcome, Reason};

pub use acknowledgement::{Owed, acknowledged, count_owed, owed};
pub use claim::{
    Arrived, Attempt, Claim, Finished, claim, defer, earliest_undecided, finish, must_hold,
    next_due, release, set_back, set_right,
};
pub(super) use entry::BY_MAIL;
pub use entry::{
    Entry, Seen, Stage, Total, Unread, entries, last_uid, newest, seen, total, unread_of,
};
pub use growing::Growing;
pub use held::{drop_held, release_held, released};
pub use origin::{Origin, Series};

// Bytes in one frame, before compression: what is in memory at a time when one is cut.
const FRAME: usize = 1 << 20;
// zstd's fastest regular level: a third of the bytes for a few microseconds.
const LEVEL: i32 = 1;

/// A message as fetched: its bytes, where they came from, and when they arrived.
#[derive(Clone, Debug)]
pub struct RawMessage {
    /// The name of the mailbox.
    pub mailbox: String,
    pub origin: Origin,
    pub arrived_at: Timestamp,
    pub intake: Intake,
    pub raw: Vec<u8>,
}

/// Whether the mailbox is told once the message is decided (`mailbox.after`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    AfterDecision,
    Never,
}

/// A message made ready for the spool, away from the store thread: named and compressed.
#[derive(Clone, Debug)]
pub struct Arrival {
    id: String,
    mailbox: String,
    origin: String,
    intake: Intake,
    arrived_at: Timestamp,
    size: i64,
    frames: Vec<Vec<u8>>,
}

impl Arrival {
    /// Mints the message's id and compresses its bytes.
    pub fn new(message: RawMessage, ids: &Ids) -> Arrival {
        let whole = Growing::whole(&message.raw);
        let RawMessage { mailbox, origin, arrived_at, intake, .. } = message;
        whole.finish(mailbox, &origin, arrived_at, intake, ids)
    }

    // P-02: unique in its mailbox.
    fn ledger_key(&self) -> String {
        if faults::stands("P-02-ledger") {
            return self.origin.clone();
        }
        Origin::File { name: format!("{}#{}", self.origin, self.id) }.key()
    }

    /// The id the message has once it is spooled.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The bytes of the whole message.
    pub fn size(&self) -> u64 {
        self.size.unsigned_abs()
    }
}

/// Spools messages; answers the ids of those that were not in the ledger yet (P-02).
pub fn spool(
    sql: &mut dyn Sql,
    arrivals: &[Arrival],
    now: Timestamp,
    acknowledge: Acknowledge,
) -> Result<Vec<String>, StoreError> {
    faults::point("spool.write");
    let mut inserted = Vec::with_capacity(arrivals.len());
    for batch in arrivals.chunks(MANY) {
        let mut values = Vec::with_capacity(batch.len() * LEDGER_COLUMNS);
        for arrival in batch {
            // A stub says less than the mailbox holds, so the mailbox keeps it (M-04).
            let acknowledgement = match (acknowledge, arrival.intake) {
                (Acknowledge::AfterDecision, Intake::Backfill | Intake::Mailbox)
                    if faults::stands("P-01-decided") =>
                {
                    "pending"
                }
                (Acknowledge::AfterDecision, Intake::Backfill | Intake::Mailbox) => "owed",
                (Acknowledge::AfterDecision, Intake::Stub) | (Acknowledge::Never, _) => "never",
            };
            values.extend([
                Value::from(&arrival.id),
                Value::from(&arrival.mailbox),
                Value::from(arrival.ledger_key()),
                Value::from(intake_word(arrival.intake)),
                Value::from(arrival.arrived_at),
                Value::from(now),
                Value::Int(arrival.size),
                Value::from("incoming"),
                Value::from(arrival.arrived_at),
                Value::from(acknowledgement),
            ]);
        }
        let new = insert_ledger(sql, batch.len(), &values)?;
        faults::point("spool.bytes");
        insert_frames(sql, batch.iter().filter(|arrival| new.contains(&arrival.id)))?;
        let kept = batch.iter().filter(|arrival| new.contains(&arrival.id));
        inserted.extend(kept.map(|arrival| arrival.id.clone()));
    }
    Ok(inserted)
}

/// Which of these origins of a mailbox are in the ledger.
pub fn known(
    sql: &mut dyn Sql,
    mailbox: &str,
    origins: &[String],
) -> Result<HashSet<String>, StoreError> {
    let mut known = HashSet::new();
    for batch in origins.chunks(MANY) {
        let list = padded(batch);
        let statement = format!(
            "SELECT origin FROM message WHERE mailbox = ?1 AND origin IN ({})",
            placeholders(2, list.len())
        );
        let mut values = vec![Value::from(mailbox)];
        values.extend(list);
        for row in sql.query(&statement, &values)? {
            known.insert(row.text(0)?);
        }
    }
    Ok(known)
}

/// When the messages of a mailbox arrived that are in the ledger, in unix milliseconds.
pub fn arrivals(sql: &mut dyn Sql, mailbox: &str) -> Result<HashSet<i64>, StoreError> {
    let statement =
        format!("SELECT DISTINCT arrived_at FROM message WHERE mailbox = ?1 AND {BY_MAIL}");
    let rows = sql.query(&statement, args![mailbox])?;
    rows.iter().map(|row| row.int(0)).collect()
}

/// Enters what a mailbox held before its `start` into the ledger, decided as `before_start`,
/// without its bytes (E-09); answers how many were new.
pub fn skip(
    sql: &mut dyn Sql,
    mailbox: &str,
    messages: &[(Origin, Timestamp)],
    now: Timestamp,
    ids: &Ids,
) -> Result<usize, StoreError> {
    let mut skipped = 0;
    for batch in messages.chunks(MANY) {
        let mut values = Vec::with_capacity(batch.len() * LEDGER_COLUMNS);
        for (origin, arrived_at) in batch {
            values.extend([
                Value::from(ids.uuid()),
                Value::from(mailbox),
                Value::from(origin.key()),
                Value::from(intake_word(Intake::Mailbox)),
                Value::from(*arrived_at),
                Value::from(now),
                Value::Int(0),
                Value::from("done"),
                Value::Null,
                Value::from("never"),
            ]);
        }
        let new = insert_ledger(sql, batch.len(), &values)?;
        for some in new.iter().collect::<Vec<_>>().chunks(MANY) {
            decisions::insert_bare(sql, mailbox, some, Outcome::Ignored, Reason::BeforeStart, now)?;
        }
        skipped += new.len();
    }
    Ok(skipped)
}

/// The id of the message of a mailbox that came from this origin; `None` when there is none.
pub fn of_origin(
    sql: &mut dyn Sql,
    mailbox: &str,
    origin: &Origin,
) -> Result<Option<String>, StoreError> {
    let row = sql.query_one(
        "SELECT id FROM message WHERE mailbox = ?1 AND origin = ?2",
        args![mailbox, origin.key()],
    )?;
    row.map(|row| row.text(0)).transpose()
}

/// When a message arrived; `None` when there is none with this id.
pub fn arrived_at(sql: &mut dyn Sql, id: &str) -> Result<Option<Timestamp>, StoreError> {
    let row = sql.query_one("SELECT arrived_at FROM message WHERE id = ?1", args![id])?;
    row.map(|row| row.time(0)).transpose()
}

/// Until when a message over a limit waits; `None` when it does not.
pub fn deferred_until(sql: &mut dyn Sql, id: &str) -> Result<Option<Timestamp>, StoreError> {
    let deferred = "SELECT due_at FROM message WHERE id = ?1 AND state = 'deferred'";
    let row = sql.query_one(deferred, args![id])?;
    Ok(row.map(|row| row.opt_time(0)).transpose()?.flatten())
}

/// The bytes of a message as they were fetched; `None` when they are not (or no longer) stored. Refuses
/// those that are not what was stored ([`StoreError::DamagedMessage`]).
pub fn raw(sql: &mut dyn Sql, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let rows = sql.query(
        "SELECT r.bytes, m.size FROM raw_chunk r JOIN message m ON m.id = r.message \
         WHERE r.message = ?1 ORDER BY r.n",
        args![id],
    )?;
    let Some(first) = rows.first() else { return Ok(None) };
    let size = first.int(1)?;
    let frames = rows.iter().map(|row| row.blob(0)).collect::<Result<Vec<_>, _>>()?;
    let raw = decompress(&frames).map_err(|error| damaged(id, error.to_string()))?;
    match i64::try_from(raw.len()) {
        Ok(length) if length == size => Ok(Some(raw)),
        _ => Err(damaged(id, format!("it has {} bytes, and had {size}", raw.len()))),
    }
}

/// The first bytes of a message, at most 1 MiB; `None` when they are not stored.
pub fn head(sql: &mut dyn Sql, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let first = "SELECT bytes FROM raw_chunk WHERE message = ?1 AND n = 0";
    let Some(row) = sql.query_one(first, args![id])? else { return Ok(None) };
    decompress(&[row.blob(0)?]).map(Some).map_err(|error| damaged(id, error.to_string()))
}

/// Whether the bytes of a message are stored.
pub fn has_raw(sql: &mut dyn Sql, id: &str) -> Result<bool, StoreError> {
    let row = sql.query_one("SELECT 1 FROM raw_chunk WHERE message = ?1 LIMIT 1", args![id])?;
    Ok(row.is_some())
}

/// Puts other bytes in the place of those of a message: what it said is not to be kept.
pub fn replace_raw(sql: &mut dyn Sql, id: &str, raw: &[u8]) -> Result<(), StoreError> {
    sql.execute("DELETE FROM raw_chunk WHERE message = ?1", args![id])?;
    for (n, frame) in (0_i64..).zip(raw.chunks(FRAME)) {
        write_frames(sql, &[Value::from(id), Value::Int(n), Value::from(compress(frame))])?;
    }
    let size = i64::try_from(raw.len()).unwrap_or(i64::MAX);
    sql.execute("UPDATE message SET size = ?2 WHERE id = ?1", args![id, size]).map(drop)
}

thread_local! {
    // Made once a thread: its tables are many times the size of a message.
    static COMPRESSOR: RefCell<Compressor<'static>> = RefCell::new({
        let mut compressor =
            Compressor::new(LEVEL).expect("there is memory for a small compressor");
        // Four bytes, so that a frame whose bytes were changed does not read as other mail.
        let checked = compressor.set_parameter(CParameter::ChecksumFlag(true));
        checked.expect("every zstd has checksums");
        compressor
    });
    static DECOMPRESSOR: RefCell<Decompressor<'static>> = RefCell::new(
        Decompressor::new().expect("there is memory for a small decompressor"),
    );
}

fn compress(frame: &[u8]) -> Vec<u8> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.compress(frame).expect("the buffer is as large as the worst case asks")
    })
}

fn decompress(frames: &[Vec<u8>]) -> io::Result<Vec<u8>> {
    // As much as the frames say they hold, and no more than they may.
    let sizes = frames.iter().map(|frame| match zstd_safe::get_frame_content_size(frame) {
        Ok(Some(size)) => usize::try_from(size).unwrap_or(FRAME).min(FRAME),
        Ok(None) | Err(_) => FRAME,
    });
    let sizes: Vec<usize> = sizes.collect();
    let mut raw = Vec::with_capacity(sizes.iter().sum());
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        for (frame, size) in frames.iter().zip(sizes) {
            if frames.len() == 1 {
                return decompressor.decompress(frame, size);
            }
            raw.extend(decompressor.decompress(frame, size)?);
        }
        Ok(raw)
    })
}

const LEDGER_COLUMNS: usize = 10;

fn insert_ledger(
    sql: &mut dyn Sql,
    count: usize,
    values: &[Value],
) -> Result<HashSet<String>, StoreError> {
    let statement = format!(
        "INSERT INTO message (id, mailbox, origin, intake, arrived_at, spooled_at, size, state, \
           due_at, acknowledgement) VALUES {} \
         ON CONFLICT (mailbox, origin) DO NOTHING RETURNING id",
        rows(count, LEDGER_COLUMNS)
    );
    sql.query(&statement, values)?.iter().map(|row| row.text(0)).collect()
}

// As many frames in a statement as make a few MiB together: a batch may hold large messages.
fn insert_frames<'a>(
    sql: &mut dyn Sql,
    arrivals: impl Iterator<Item = &'a Arrival>,
) -> Result<(), StoreError> {
    const BYTES: usize = 4 << 20;
    let mut values = Vec::new();
    let mut bytes = 0;
    for arrival in arrivals {
        for (n, frame) in (0_i64..).zip(&arrival.frames) {
            values.extend([Value::from(&arrival.id), Value::Int(n), Value::from(&frame[..])]);
            bytes += frame.len();
            if bytes >= BYTES || values.len() >= 3 * MANY {
                write_frames(sql, &values)?;
                values.clear();
                bytes = 0;
            }
        }
    }
    if values.is_empty() { Ok(()) } else { write_frames(sql, &values) }
}

fn write_frames(sql: &mut dyn Sql, values: &[Value]) -> Result<(), StoreError> {
    let statement =
        format!("INSERT INTO raw_chunk (message, n, bytes) VALUES {}", rows(values.len() / 3, 3));
    sql.execute(&statement, values).map(drop)
}

fn damaged(id: &str, said: impl Into<String>) -> StoreError {
    StoreError::DamagedMessage { message: id.to_owned(), said: said.into() }
}

fn intake_word(intake: Intake) -> &'static str {
    match intake {
        Intake::Backfill => "backfill",
        Intake::Mailbox => "mailbox",
        Intake::Stub => "stub",
    }
}

pub(super) fn parse_intake(word: &str) -> Option<Intake> {
    match word {
        "backfill" => Some(Intake::Backfill),
        "mailbox" => Some(Intake::Mailbox),
        "stub" => Some(Intake::Stub),
        _ => None,
    }
}
