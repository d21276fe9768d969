//! The hashes of links and temporary passwords. What they are the hash of is never seen here: it is
//! minted for one attempt to send a mail, and gone with it (T-26).

use jiff::Timestamp;

use super::sql::{padded, placeholders};
use super::{Row, Sql, StoreError};
use crate::args;
use crate::clock::Ids;
use crate::faults;
use crate::triage::facts::UserStatus;

/// Live credentials a person can have; a newer one ends the oldest (threats §6).
pub const LIVE_AT_MOST: usize = 2;

/// What a hash stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A link that confirms a new address: the SHA-256 of its token, in hex.
    Address,
    /// An activation link: the SHA-256 of its token, in hex.
    Link,
    /// A temporary password: an Argon2id string.
    Password,
}

impl CredentialKind {
    pub fn as_str(self) -> &'static str {
        match self {
            CredentialKind::Address => "address",
            CredentialKind::Link => "link",
            CredentialKind::Password => "password",
        }
    }

    pub fn parse(text: &str) -> Option<CredentialKind> {
        match text {
            "address" => Some(CredentialKind::Address),
            "link" => Some(CredentialKind::Link),
            "password" => Some(CredentialKind::Password),
            _ => None,
        }
    }
}

/// The hash of something just minted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCredential {
    /// The id of the person it is for.
    pub person: String,
    pub kind: CredentialKind,
    pub hash: String,
    /// Of a temporary password: its SHA-256 in hex, by which one that comes back is found (T-22).
    pub sha256: Option<String>,
    pub expires_at: Timestamp,
}

/// A hash that is neither ended nor expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveCredential {
    pub id: String,
    pub kind: CredentialKind,
    pub hash: String,
    /// The mail that brought it.
    pub outbox: Option<i64>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Stores the hash of what the mail `outbox` brings, or of what was told by telephone, and ends the
/// person's oldest beyond [`LIVE_AT_MOST`].
pub fn keep(
    sql: &mut dyn Sql,
    new: &NewCredential,
    outbox: impl Into<Option<i64>>,
    ids: &Ids,
    now: Timestamp,
) -> Result<(), StoreError> {
    // A link that confirms an address opens no account, and takes the place of none that does.
    let opens = |kind| kind != CredentialKind::Address;
    let mut live = live(sql, &new.person, now)?;
    live.retain(|old| opens(old.kind) == opens(new.kind));
    let beyond = live.len().saturating_sub(LIVE_AT_MOST - 1);
    for old in &live[..beyond] {
        sql.execute("UPDATE credential SET ended_at = ?2 WHERE id = ?1", args![&old.id, now])?;
    }
    sql.execute(
        // The address that is confirmed is the one that the link is mailed to.
        "INSERT INTO credential (id, person, kind, hash, outbox, created_at, expires_at, sha256, \
           address) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, \
           CASE WHEN ?3 = 'address' THEN (SELECT to_address FROM outbox WHERE id = ?5) END)",
        args![
            ids.uuid(),
            &new.person,
            new.kind.as_str(),
            &new.hash,
            outbox.into(),
            now,
            new.expires_at,
            new.sha256.as_deref()
        ],
    )?;
    Ok(())
}

/// The credentials of a person that would still be honoured, oldest first.
pub fn live(
    sql: &mut dyn Sql,
    person: &str,
    now: Timestamp,
) -> Result<Vec<LiveCredential>, StoreError> {
    sql.query(
        "SELECT id, kind, hash, outbox, created_at, expires_at FROM credential \
         WHERE person = ?1 AND ended_at IS NULL AND expires_at > ?2 ORDER BY created_at, id",
        args![person, now],
    )?
    .iter()
    .map(live_credential)
    .collect()
}

/// Ends all credentials of a person: they were used, or the person was disabled or deleted.
/// Answers how many were still live.
pub fn end_all(sql: &mut dyn Sql, person: &str, now: Timestamp) -> Result<u64, StoreError> {
    sql.execute(
        "UPDATE credential SET ended_at = ?2 \
         WHERE person = ?1 AND ended_at IS NULL AND expires_at > ?2",
        args![person, now],
    )
}

/// What a link was for, whether it still works or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLink {
    /// The id of the user.
    pub person: String,
    /// Where mail of ours to them goes.
    pub main_address: Option<String>,
    pub status: UserStatus,
    /// The new address that it confirms.
    pub confirms: Option<String>,
    pub is_live: bool,
}

/// The link whose token has this hash, live or not; a kind of secret is found by no other's hash.
pub fn find_link(
    sql: &mut dyn Sql,
    kind: CredentialKind,
    hash: &str,
    now: Timestamp,
) -> Result<Option<FoundLink>, StoreError> {
    let row = sql.query_one(
        "SELECT c.person, a.address, p.status, c.address, c.ended_at, c.expires_at \
         FROM credential c JOIN person p ON p.id = c.person \
         LEFT JOIN person_address a ON a.person = p.id AND a.n = 0 \
         WHERE c.hash = ?1 AND c.kind = ?2",
        args![hash, kind.as_str()],
    )?;
    row.map(|row| {
        Ok(FoundLink {
            person: row.text(0)?,
            main_address: row.opt_text(1)?,
            status: row.parsed(2, "a user's status", UserStatus::parse)?,
            confirms: row.opt_text(3)?,
            is_live: row.opt_time(4)?.is_none() && row.time(5)? > now,
        })
    })
    .transpose()
}

/// Uses what has this hash up: answers whether it still worked. Of two who try at the same time one
/// hears that it did.
pub fn consume(
    sql: &mut dyn Sql,
    kind: CredentialKind,
    hash: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !faults::stands("T-22") {
        return Ok(true);
    }
    let used = sql.execute(
        "UPDATE credential SET ended_at = ?3 \
         WHERE hash = ?1 AND kind = ?2 AND ended_at IS NULL AND expires_at > ?3",
        args![hash, kind.as_str(), now],
    )?;
    Ok(used == 1)
}

/// Ends what has expired, so that it stays so whatever becomes of the clock (P-11).
pub fn end_expired(sql: &mut dyn Sql, now: Timestamp) -> Result<(), StoreError> {
    if !faults::stands("P-11-expiry") {
        return Ok(());
    }
    sql.execute(
        "UPDATE credential SET ended_at = expires_at WHERE ended_at IS NULL AND expires_at <= ?1",
        args![now],
    )
    .map(drop)
}

/// Which of these are hashes of secrets of ours, live or not: each is a SHA-256 in hexadecimal
/// (T-22, T-26).
pub fn known(sql: &mut dyn Sql, hashes: &[String]) -> Result<Vec<String>, StoreError> {
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let list = padded(hashes);
    let places = placeholders(1, list.len());
    let statement = format!(
        "SELECT COALESCE(sha256, hash) FROM credential \
         WHERE hash IN ({places}) OR sha256 IN ({places})"
    );
    sql.query(&statement, &list)?.iter().map(|row| row.text(0)).collect()
}

/// Ends what has these hashes, whatever it opens: each is a SHA-256 in hexadecimal (T-22, T-26).
pub fn revoke(sql: &mut dyn Sql, hashes: &[String], now: Timestamp) -> Result<(), StoreError> {
    for hash in hashes {
        sql.execute(
            "UPDATE credential SET ended_at = ?2 \
             WHERE (hash = ?1 OR sha256 = ?1) AND ended_at IS NULL",
            args![hash, now],
        )?;
    }
    Ok(())
}

fn live_credential(row: &Row) -> Result<LiveCredential, StoreError> {
    Ok(LiveCredential {
        id: row.text(0)?,
        kind: row.parsed(1, "a kind of credential", CredentialKind::parse)?,
        hash: row.text(2)?,
        outbox: row.opt_int(3)?,
        created_at: row.time(4)?,
        expires_at: row.time(5)?,
    })
}
