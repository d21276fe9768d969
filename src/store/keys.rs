//! The signing keys (M-73): made at the first start, added to by hand, never taken away, so that an
//! answer to an old mail still finds its ticket. Their bytes go to who signs and verifies, and to
//! nobody else.

use jiff::Timestamp;

use super::{Row, Sql, StoreError};
use crate::args;
use crate::clock::Ids;
use crate::triage::keys::{Keyring, SigningKey};

/// What may be told of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// The character that ids name it by.
    pub id: char,
    pub made_at: Timestamp,
    pub part: Part,
}

/// What a key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The newest: it verifies too.
    Signs,
    Verifies,
}

impl Part {
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Signs => "signs",
            Part::Verifies => "verifies",
        }
    }
}

/// The names of keys, in the order they are given.
const NAMES: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// All keys of the store, the newest first. Whoever verifies reads them after the message came in:
/// then the key that signed what it answers is among them, whichever process made it.
pub fn keyring(sql: &mut dyn Sql) -> Result<Keyring, StoreError> {
    let rows = sql.query("SELECT id, secret FROM signing_key ORDER BY n DESC", args![])?;
    Ok(Keyring::new(rows.iter().map(signing_key).collect::<Result<_, _>>()?))
}

/// All keys; makes the first one when there is none.
pub fn begin(sql: &mut dyn Sql, ids: &Ids, now: Timestamp) -> Result<Keyring, StoreError> {
    let keys = keyring(sql)?;
    if keys.newest().is_some() {
        return Ok(keys);
    }
    Ok(Keyring::new(vec![rotate(sql, ids, now)?]))
}

/// Makes a key that signs from now on.
pub fn rotate(sql: &mut dyn Sql, ids: &Ids, now: Timestamp) -> Result<SigningKey, StoreError> {
    let newest = sql.query_one("SELECT id FROM signing_key ORDER BY n DESC LIMIT 1", args![])?;
    let newest = newest.map(|row| row.text(0)).transpose()?;
    let position = newest.and_then(|id| NAMES.iter().position(|name| [*name] == id.as_bytes()));
    let next = match position {
        Some(position) => position + 1,
        // Two installations that write to one another should not call their keys the same.
        None => usize::from(ids.secret::<1>()[0]),
    };
    let name = char::from(NAMES[next % NAMES.len()]);
    let secret = ids.secret::<32>();
    sql.execute(
        "INSERT INTO signing_key (id, secret, made_at) VALUES (?1, ?2, ?3)",
        args![name.to_string(), secret.as_slice(), now],
    )?;
    Ok(SigningKey::new(name, secret).expect("each of the names is a name of a key"))
}

/// What may be told of all keys, the newest first.
pub fn list(sql: &mut dyn Sql) -> Result<Vec<KnownKey>, StoreError> {
    let rows = sql.query("SELECT id, made_at FROM signing_key ORDER BY n DESC", args![])?;
    let known = rows.iter().enumerate().map(|(n, row)| {
        let part = if n == 0 { Part::Signs } else { Part::Verifies };
        Ok(KnownKey { id: row.parsed(0, "a name of a key", name)?, made_at: row.time(1)?, part })
    });
    known.collect()
}

fn signing_key(row: &Row) -> Result<SigningKey, StoreError> {
    let name = row.parsed(0, "a name of a key", name)?;
    let bytes = row.blob(1)?;
    let key = <[u8; 32]>::try_from(bytes).ok().and_then(|secret| SigningKey::new(name, secret));
    // Not the row: it would show the key.
    key.ok_or_else(|| StoreError::Violated(format!("the signing key `{name}` is damaged")))
}

fn name(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}
