//! Who is logged in to the portal: the hash of each session's token, whose it is, and until when. The
//! token itself is in the browser's cookie and nowhere else (T-26).

use jiff::{SignedDuration, Timestamp};

use super::users::display;
use super::{Row, Sql, StoreError};
use crate::args;
use crate::triage::facts::UserStatus;
use crate::triage::policy::Access;

/// A session not used for so long has ended.
pub const IDLE: SignedDuration = SignedDuration::from_hours(24);
/// A session ends after so long, however much it is used.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(14 * 24);
/// After a temporary password there is so long to choose another.
pub const CHOOSING: SignedDuration = SignedDuration::from_mins(30);

/// What a session may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionScope {
    /// Whatever its user may.
    All,
    /// Only be told that its account was closed, whatever becomes of the account.
    Closed,
    /// Only choose a password: it began with a temporary one.
    Password,
}

impl SessionScope {
    pub fn as_str(self) -> &'static str {
        match self {
            SessionScope::All => "all",
            SessionScope::Closed => "closed",
            SessionScope::Password => "password",
        }
    }

    pub fn parse(text: &str) -> Option<SessionScope> {
        match text {
            "all" => Some(SessionScope::All),
            "closed" => Some(SessionScope::Closed),
            "password" => Some(SessionScope::Password),
            _ => None,
        }
    }
}

/// A session to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// SHA-256 of its token, in hex.
    pub hash: String,
    /// The id of its user.
    pub person: String,
    pub scope: SessionScope,
    /// The browser's own words.
    pub browser: Option<String>,
}

/// A session as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub hash: String,
    pub scope: SessionScope,
    pub browser: Option<String>,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
}

/// A session that was found, with its user as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub session: Session,
    /// Whether it has ended by itself.
    pub is_over: bool,
    pub person: String,
    pub name: String,
    /// Where mail of ours goes.
    pub address: String,
    pub status: UserStatus,
    pub access: Access,
    /// The id and the name of the user's site.
    pub site: (String, String),
    pub locale: Option<String>,
    /// The ids and names of the sites whose tickets they all see.
    pub primary_of: Vec<(String, String)>,
}

/// Begins a session.
pub fn begin(sql: &mut dyn Sql, new: &NewSession, now: Timestamp) -> Result<(), StoreError> {
    let longest = match new.scope {
        SessionScope::All | SessionScope::Closed => LONGEST,
        SessionScope::Password => CHOOSING,
    };
    let until = now.saturating_add(longest).unwrap_or(Timestamp::MAX);
    sql.execute(
        "INSERT INTO session (hash, person, created_at, seen_at, expires_at, scope, browser) \
         VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
        args![&new.hash, &new.person, now, until, new.scope.as_str(), new.browser.as_deref()],
    )
    .map(drop)
}

/// The session of this hash, and who holds it.
pub fn holder(sql: &mut dyn Sql, hash: &str, now: Timestamp) -> Result<Option<Holder>, StoreError> {
    let row = sql.query_one(
        "SELECT e.hash, e.scope, e.browser, e.created_at, e.seen_at, e.expires_at, \
           p.id, p.first_name, p.last_name, COALESCE(a.address, ''), p.status, p.access, \
           s.id, s.name, p.locale \
         FROM session e JOIN person p ON p.id = e.person JOIN site s ON s.id = p.site \
         LEFT JOIN person_address a ON a.person = p.id AND a.n = 0 WHERE e.hash = ?1",
        args![hash],
    )?;
    let Some(row) = row else { return Ok(None) };
    let session = session(&row)?;
    let person = row.text(6)?;
    let rows = sql.query(
        "SELECT DISTINCT s.id, s.name FROM site_primary i JOIN site s ON s.id = i.site \
         JOIN person_address a ON a.address_key = i.address_key \
         WHERE a.person = ?1 ORDER BY s.name",
        args![&person],
    )?;
    let primary_of = rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?)));
    Ok(Some(Holder {
        is_over: row.time(5)? <= now || now.duration_since(session.seen_at) >= IDLE,
        session,
        name: display(&row.text(7)?, &row.text(8)?),
        address: row.text(9)?,
        status: row.parsed(10, "a user's status", UserStatus::parse)?,
        access: row.parsed(11, "an access", Access::parse)?,
        site: (row.text(12)?, row.text(13)?),
        locale: row.opt_text(14)?,
        primary_of: primary_of.collect::<Result<_, StoreError>>()?,
        person,
    }))
}

/// Notes that a session was used.
pub fn seen(sql: &mut dyn Sql, hash: &str, now: Timestamp) -> Result<(), StoreError> {
    sql.execute("UPDATE session SET seen_at = ?2 WHERE hash = ?1", args![hash, now]).map(drop)
}

/// Ends every session of a user whose account is closed: what is left of each opens nothing, and
/// lasts as long as it would have, so that whoever holds it can be told.
pub fn close_all(sql: &mut dyn Sql, person: &str) -> Result<u64, StoreError> {
    sql.execute(
        "UPDATE session SET scope = 'closed', browser = NULL WHERE person = ?1",
        args![person],
    )
}

/// The sessions of a user that have not ended, the one used last first.
pub fn of_person(
    sql: &mut dyn Sql,
    person: &str,
    now: Timestamp,
) -> Result<Vec<Session>, StoreError> {
    let idle_since = now.saturating_sub(IDLE).unwrap_or(Timestamp::MIN);
    sql.query(
        "SELECT hash, scope, browser, created_at, seen_at FROM session \
         WHERE person = ?1 AND expires_at > ?2 AND seen_at > ?3 AND scope <> 'closed' ORDER BY seen_at DESC, hash",
        args![person, now, idle_since],
    )?
    .iter()
    .map(session)
    .collect()
}

/// Ends one session.
pub fn end(sql: &mut dyn Sql, hash: &str) -> Result<(), StoreError> {
    sql.execute("DELETE FROM session WHERE hash = ?1", args![hash]).map(drop)
}

/// Ends the session of a user whose hash begins so; answers whether there was one.
pub fn end_of_person(sql: &mut dyn Sql, person: &str, beginning: &str) -> Result<bool, StoreError> {
    let ended = sql.execute(
        "DELETE FROM session WHERE person = ?1 AND SUBSTR(hash, 1, 16) = ?2",
        args![person, beginning],
    )?;
    Ok(ended > 0)
}

/// Ends every session of a user; answers how many there were.
pub fn end_all(sql: &mut dyn Sql, person: &str) -> Result<u64, StoreError> {
    sql.execute("DELETE FROM session WHERE person = ?1", args![person])
}

/// Ends every session of a user but the one of this hash; answers how many there were.
pub fn end_others(sql: &mut dyn Sql, person: &str, hash: &str) -> Result<u64, StoreError> {
    sql.execute("DELETE FROM session WHERE person = ?1 AND hash <> ?2", args![person, hash])
}

/// Forgets the sessions that have ended by themselves, so that they stay so whatever becomes of the
/// clock (P-11).
pub fn end_expired(sql: &mut dyn Sql, now: Timestamp) -> Result<u64, StoreError> {
    let idle_since = now.saturating_sub(IDLE).unwrap_or(Timestamp::MIN);
    sql.execute(
        "DELETE FROM session WHERE expires_at <= ?1 OR seen_at <= ?2",
        args![now, idle_since],
    )
}

fn session(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        hash: row.text(0)?,
        scope: row.parsed(1, "the scope of a session", SessionScope::parse)?,
        browser: row.opt_text(2)?,
        created_at: row.time(3)?,
        seen_at: row.time(4)?,
    })
}
