//! What users do with their own account: how they log in, what they change of it.

use jiff::Timestamp;

use super::display;
use crate::args;
use crate::faults;
use crate::mail::{Address, AddressKey};
use crate::store::credentials::{self, CredentialKind};
use crate::store::{Sql, StoreError, sessions};
use crate::triage::facts::UserStatus;

/// What a login is checked against.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: String,
    pub status: UserStatus,
    /// The Argon2id string of the password they chose.
    pub password: Option<String>,
    /// The Argon2id strings of temporary passwords that still work.
    pub temporary: Vec<String>,
}

/// What may not be a password of theirs, and whom a mail about their account goes to.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: String,
    pub first_name: String,
    pub last_name: String,
    pub status: UserStatus,
    pub password: Option<String>,
    /// Where mail of ours goes, and its key.
    pub main: Option<(String, String)>,
    pub addresses: Vec<String>,
    pub phone: Option<String>,
    pub mobile: Option<String>,
    pub locale: Option<String>,
    /// The id and the name of their site.
    pub site: (String, String),
    pub site_locale: Option<String>,
}

impl Person {
    /// First and last name; may be empty.
    pub fn name(&self) -> String {
        display(&self.first_name, &self.last_name)
    }
}

/// The account that an address logs in to: any of its user's.
pub fn of_address(
    sql: &mut dyn Sql,
    key: &AddressKey,
    now: Timestamp,
) -> Result<Option<Account>, StoreError> {
    let row = sql.query_one(
        "SELECT p.id, p.status, p.password FROM person p \
         JOIN person_address a ON a.person = p.id WHERE a.address_key = ?1",
        args![key],
    )?;
    let Some(row) = row else { return Ok(None) };
    let id = row.text(0)?;
    let live = credentials::live(sql, &id, now)?.into_iter();
    let temporary = live.filter(|one| one.kind == CredentialKind::Password).map(|one| one.hash);
    Ok(Some(Account {
        status: row.parsed(1, "a user's status", UserStatus::parse)?,
        password: row.opt_text(2)?,
        temporary: temporary.collect(),
        id,
    }))
}

/// A user as they and the mails to them see it.
pub fn person(sql: &mut dyn Sql, id: &str) -> Result<Option<Person>, StoreError> {
    let row = sql.query_one(
        "SELECT p.first_name, p.last_name, p.status, p.password, p.phone, p.mobile, p.locale, \
           s.id, s.name, s.locale FROM person p JOIN site s ON s.id = p.site WHERE p.id = ?1",
        args![id],
    )?;
    let Some(row) = row else { return Ok(None) };
    let rows = sql.query(
        "SELECT address, address_key FROM person_address WHERE person = ?1 ORDER BY n",
        args![id],
    )?;
    let addresses: Vec<(String, String)> = rows
        .iter()
        .map(|row| Ok((row.text(0)?, row.text(1)?)))
        .collect::<Result<_, StoreError>>()?;
    Ok(Some(Person {
        id: id.to_owned(),
        first_name: row.text(0)?,
        last_name: row.text(1)?,
        status: row.parsed(2, "a user's status", UserStatus::parse)?,
        password: row.opt_text(3)?,
        phone: row.opt_text(4)?,
        mobile: row.opt_text(5)?,
        locale: row.opt_text(6)?,
        site: (row.text(7)?, row.text(8)?),
        site_locale: row.opt_text(9)?,
        main: addresses.first().cloned(),
        addresses: addresses.into_iter().map(|(address, _)| address).collect(),
    }))
}

/// The id of the active user whose address this is.
pub fn active(sql: &mut dyn Sql, key: &AddressKey) -> Result<Option<String>, StoreError> {
    let row = sql.query_one(
        "SELECT p.id FROM person p JOIN person_address a ON a.person = p.id \
         WHERE a.address_key = ?1 AND p.status = 'active'",
        args![key],
    )?;
    row.map(|row| row.text(0)).transpose()
}

/// The id of the user whose address this is, or was: a deleted one keeps it.
pub fn owner(sql: &mut dyn Sql, key: &AddressKey) -> Result<Option<String>, StoreError> {
    let row =
        sql.query_one("SELECT person FROM person_address WHERE address_key = ?1", args![key])?;
    row.map(|row| row.text(0)).transpose()
}

/// The Argon2id strings of a user's last temporary passwords, used or not: none of them is to stay.
pub fn temporary_before(sql: &mut dyn Sql, id: &str) -> Result<Vec<String>, StoreError> {
    let rows = sql.query(
        "SELECT hash FROM credential WHERE person = ?1 AND kind = 'password' \
         ORDER BY created_at DESC, id DESC LIMIT 2",
        args![id],
    )?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Keeps the hash of the password an active user chose, and ends whatever else opens the account:
/// links, temporary passwords, sessions. Answers whether there was such a user.
pub fn choose_password(
    sql: &mut dyn Sql,
    id: &str,
    hash: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = sql.execute(
        "UPDATE person SET password = ?2, password_set_at = ?3, updated_at = ?3 \
         WHERE id = ?1 AND status = 'active'",
        args![id, hash, now],
    )?;
    if changed == 0 {
        return Ok(false);
    }
    if faults::stands("T-22-others") {
        credentials::end_all(sql, id, now)?;
    }
    if faults::stands("T-22-sessions") {
        sessions::end_all(sql, id)?;
    }
    Ok(true)
}

/// Keeps the same password hashed anew; not when another was chosen meanwhile.
pub fn rehash(sql: &mut dyn Sql, id: &str, before: &str, hash: &str) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE person SET password = ?3 WHERE id = ?1 AND password = ?2",
        args![id, before, hash],
    )
    .map(drop)
}

/// Notes a login.
pub fn logged_in(sql: &mut dyn Sql, id: &str, now: Timestamp) -> Result<(), StoreError> {
    sql.execute("UPDATE person SET last_login_at = ?2 WHERE id = ?1", args![id, now]).map(drop)
}

/// Makes an address, which nobody else has, the one that mail to the user goes to; the others stay
/// theirs. Answers whether it could be: an address has one user (M-43).
pub fn take_address(
    sql: &mut dyn Sql,
    id: &str,
    address: &Address,
    key: &AddressKey,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut changes = Vec::new();
    match owner(sql, key)? {
        Some(owner) if owner == id => {}
        Some(_) => return Ok(false),
        None => changes.push(super::Change::AddAddress(address.clone(), key.clone())),
    }
    changes.push(super::Change::MainAddress(key.clone()));
    super::set(sql, id, &changes, now)
}
