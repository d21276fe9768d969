//! Sites that people make and change. What the configuration declares is changed there and nowhere
//! else, so of those there is nothing here.

use jiff::Timestamp;

use crate::args;
use crate::clock::Ids;
use crate::mail::AddressKey;
use crate::store::{Sql, StoreError, Value};

/// One change to a site made by hand; an absent value clears the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SiteEdit {
    AddAddress(AddressKey),
    /// In lower-case A-labels.
    AddDomain(String),
    AddPrimaryUser(AddressKey),
    /// Whether its new users get credentials by mail (C-09).
    Credentials(bool),
    Locale(Option<String>),
    Name(String),
    Phone(Option<String>),
    RemoveAddress(AddressKey),
    RemoveDomain(String),
    RemovePrimaryUser(AddressKey),
}

/// What went with a site that was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    pub users: u64,
    pub tickets: u64,
}

/// Makes a site, or takes up one again that was retired; answers its id.
pub fn add(sql: &mut dyn Sql, name: &str, ids: &Ids, now: Timestamp) -> Result<String, StoreError> {
    let Some((id, retired)) = named(sql, name)? else {
        let id = ids.uuid();
        sql.execute(
            "INSERT INTO site (id, name, declared, is_default, credentials, created_at) \
             VALUES (?1, ?2, 0, 0, 1, ?3)",
            args![&id, name, now],
        )?;
        return Ok(id);
    };
    if !retired {
        return Err(taken("name", name, name, "`guichet sites set` changes it"));
    }
    sql.execute("UPDATE site SET retired = 0 WHERE id = ?1", args![&id])?;
    Ok(id)
}

/// The id of the site of this name, and whether it is retired.
pub fn named(sql: &mut dyn Sql, name: &str) -> Result<Option<(String, bool)>, StoreError> {
    let row = sql.query_one("SELECT id, retired FROM site WHERE name = ?1", args![name])?;
    row.map(|row| Ok((row.text(0)?, row.flag(1)?))).transpose()
}

/// Changes a site that was made by hand. What another site has is refused.
pub fn set(sql: &mut dyn Sql, id: &str, edits: &[SiteEdit]) -> Result<(), StoreError> {
    for edit in edits {
        match edit {
            SiteEdit::AddAddress(key) => claim(sql, id, "address", key.as_str())?,
            SiteEdit::AddDomain(domain) => claim(sql, id, "domain", domain)?,
            SiteEdit::AddPrimaryUser(key) => {
                sql.execute(
                    "INSERT INTO site_primary (site, address_key) VALUES (?1, ?2) \
                     ON CONFLICT DO NOTHING",
                    args![id, key],
                )?;
            }
            SiteEdit::Credentials(credentials) => field(sql, id, "credentials", *credentials)?,
            SiteEdit::Locale(locale) => field(sql, id, "locale", locale.as_deref())?,
            SiteEdit::Name(name) => {
                if named(sql, name)?.is_some_and(|(other, _)| other != id) {
                    return Err(taken("name", name, name, "take another one"));
                }
                field(sql, id, "name", name)?;
            }
            SiteEdit::Phone(phone) => field(sql, id, "phone", phone.as_deref())?,
            SiteEdit::RemoveAddress(key) => release(sql, id, "address", key.as_str())?,
            SiteEdit::RemoveDomain(domain) => release(sql, id, "domain", domain)?,
            SiteEdit::RemovePrimaryUser(key) => release(sql, id, "primary user", key.as_str())?,
        }
    }
    Ok(())
}

/// Deletes a site. Its users and tickets go to the site `into`; without one, it must have none, not
/// even deleted ones.
pub fn delete(
    sql: &mut dyn Sql,
    id: &str,
    into: Option<&str>,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    let moved = match into {
        Some(into) => Moved {
            users: sql.execute(
                "UPDATE person SET site = ?2, updated_at = ?3 WHERE site = ?1",
                args![id, into, now],
            )?,
            tickets: sql.execute("UPDATE ticket SET site = ?2 WHERE site = ?1", args![id, into])?,
        },
        None => {
            let left = left_at(sql, id)?;
            if left != Moved::default() {
                let of =
                    |count, what| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
                return Err(StoreError::Violated(format!(
                    "the site still has {} and {}, those that were deleted among them\nhint: `--move-to SITE` gives them another one",
                    of(left.users, "user"),
                    of(left.tickets, "ticket")
                )));
            }
            left
        }
    };
    // What was mailed about it is told under its name no more, and counts for nobody.
    sql.execute("UPDATE outbox SET site = ?2 WHERE site = ?1", args![id, into])?;
    for table in ["site_address", "site_domain", "site_primary"] {
        sql.execute(&format!("DELETE FROM {table} WHERE site = ?1"), args![id])?;
    }
    sql.execute("DELETE FROM site WHERE id = ?1", args![id])?;
    Ok(moved)
}

/// How many users and tickets a site has, those that were deleted among them.
pub fn left_at(sql: &mut dyn Sql, id: &str) -> Result<Moved, StoreError> {
    let row = sql.query_one(
        "SELECT (SELECT COUNT(*) FROM person WHERE site = ?1), \
           (SELECT COUNT(*) FROM ticket WHERE site = ?1)",
        args![id],
    )?;
    match row {
        Some(row) => {
            Ok(Moved { users: row.int(0)?.unsigned_abs(), tickets: row.int(1)?.unsigned_abs() })
        }
        None => Ok(Moved::default()),
    }
}

fn field(
    sql: &mut dyn Sql,
    id: &str,
    column: &str,
    value: impl Into<Value>,
) -> Result<(), StoreError> {
    let statement = format!("UPDATE site SET {column} = ?2 WHERE id = ?1");
    sql.execute(&statement, &[Value::from(id), value.into()]).map(drop)
}

// M-108: a domain, and an address, is of one site.
fn claim(sql: &mut dyn Sql, id: &str, what: &str, of: &str) -> Result<(), StoreError> {
    let (table, column) = place(what);
    let changed = sql.execute(
        &format!(
            "INSERT INTO {table} (site, {column}) VALUES (?1, ?2) ON CONFLICT ({column}) DO NOTHING"
        ),
        args![id, of],
    )?;
    if changed == 1 {
        return Ok(());
    }
    match owner(sql, what, of)? {
        Some((owner, _)) if owner == id => Ok(()),
        Some((_, name)) => Err(taken(what, of, &name, "take it from that one first")),
        None => Err(StoreError::Raced(format!("the {what} `{of}` is another site's by now"))),
    }
}

/// Whose a domain, or an address, is (`what` says which): the id and the name of the site.
pub fn owner(
    sql: &mut dyn Sql,
    what: &str,
    of: &str,
) -> Result<Option<(String, String)>, StoreError> {
    let (table, column) = place(what);
    let row = sql.query_one(
        &format!(
            "SELECT s.id, s.name FROM site s JOIN {table} t ON t.site = s.id WHERE t.{column} = ?1"
        ),
        args![of],
    )?;
    row.map(|row| Ok((row.text(0)?, row.text(1)?))).transpose()
}

fn release(sql: &mut dyn Sql, id: &str, what: &str, of: &str) -> Result<(), StoreError> {
    let (table, column) = place(what);
    let removed = sql.execute(
        &format!("DELETE FROM {table} WHERE site = ?1 AND {column} = ?2"),
        args![id, of],
    )?;
    if removed == 1 {
        return Ok(());
    }
    Err(StoreError::Violated(format!(
        "the site has no {what} `{of}`\nhint: `guichet sites show` lists what it has"
    )))
}

fn place(what: &str) -> (&'static str, &'static str) {
    match what {
        "domain" => ("site_domain", "domain"),
        "primary user" => ("site_primary", "address_key"),
        _ => ("site_address", "address_key"),
    }
}

fn taken(what: &str, of: &str, site: &str, hint: &str) -> StoreError {
    StoreError::Violated(format!(
        "the {what} `{of}` belongs to the site `{site}` already\nhint: {hint}"
    ))
}
