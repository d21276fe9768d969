//! Users: end users with one or more addresses, each the key of exactly one of them (M-32, M-43).
//! The table is `person`, since `user` is a word of SQL.

pub mod account;
mod admin;
mod ending;
mod erasing;
pub mod invitation;
mod leaving;
mod plan;
mod scrub;

use jiff::Timestamp;

use super::search::Sought;
use super::sql::{Conditions, placeholders};
use super::{Row, Sql, StoreError, Value};
use crate::args;
use crate::mail::AddressKey;
use crate::triage::facts::{CredentialsState, UserStatus};
use crate::triage::policy::Access;

pub use admin::{Addition, Change, add, set};
pub use ending::{Merged, delete, end_access, merge, revive};
pub use erasing::{Cleared, Clearing, clear_tickets};
pub use plan::{
    clear_undeliverable, create, credentials_queued, fill_name, place, withhold_credentials,
};

/// A user as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: String,
    pub first_name: String,
    pub last_name: String,
    /// Whether the names were made from the address (M-51).
    pub derived: bool,
    pub status: UserStatus,
    pub access: Access,
    /// The site's id and name.
    pub site: (String, String),
    /// Placed there by a person (M-110).
    pub site_placed: bool,
    /// The first is where mail of ours goes.
    pub addresses: Vec<UserAddress>,
    pub phone: Option<String>,
    pub mobile: Option<String>,
    pub department: Option<String>,
    pub job_title: Option<String>,
    /// The address of the agent assigned to them.
    pub agent: Option<String>,
    pub locale: Option<String>,
    /// `hand`, `import` or `mail`.
    pub made_by: String,
    /// Their mail is not made into tickets.
    pub no_tickets: bool,
    pub credentials: CredentialsState,
    /// The code of the rule (C-01…C-14) that keeps a due credentials mail back.
    pub credentials_withheld: Option<String>,
    pub credentials_bounced: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    /// When they chose the password they have; none while they have none.
    pub password_set_at: Option<Timestamp>,
    pub last_login_at: Option<Timestamp>,
    /// The id of the user they were merged into: a tombstone without addresses.
    pub merged_into: Option<String>,
}

/// One address of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAddress {
    pub address: String,
    pub key: String,
    /// Mail to it bounced for good (M-65).
    pub undeliverable: bool,
}

/// Which users to list; empty fields do not restrict.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The site's name.
    pub site: Option<String>,
    pub access: Option<Access>,
    /// None: all but the deleted.
    pub status: Option<UserStatus>,
    /// A part of a name or of an address.
    pub part: Option<String>,
    /// The id of the last user of the page before this one.
    pub after: Option<String>,
}

/// M-50: first and last name; empty when both are.
pub fn display(first_name: &str, last_name: &str) -> String {
    format!("{first_name} {last_name}").trim().to_owned()
}

/// The users that pass `filter`, in the order they were made.
pub fn list(sql: &mut dyn Sql, filter: &Filter, limit: u32) -> Result<Vec<User>, StoreError> {
    let mut wanted = Conditions::default();
    wanted.equal("s.name", filter.site.as_deref());
    wanted.equal("p.access", filter.access.map(Access::as_str));
    match filter.status {
        Some(status) => wanted.equal("p.status", Some(status.as_str())),
        None => wanted.push("p.status <> 'deleted'", []),
    }
    if let Some(part) = &filter.part {
        let sought = Sought::of(sql.dialect(), part);
        let places = vec!["?".to_owned(); sought.patterns().len()];
        let of_name = sought.stands_in("(p.first_name || ' ' || p.last_name)", &places);
        let of_address = sought.stands_in("address_key", &places);
        wanted.push(
            &format!(
                "({of_name} OR p.id IN (SELECT person FROM person_address WHERE {of_address}))"
            ),
            sought.patterns().iter().chain(sought.patterns()).map(Value::from),
        );
    }
    if let Some(after) = &filter.after {
        wanted.push("p.id > ?", [Value::from(after)]);
    }
    let (condition, mut values) = wanted.finish();
    values.push(Value::from(limit));
    let statement = format!("{USER} {condition} ORDER BY p.id LIMIT ?{}", values.len());
    let rows = sql.query(&statement, &values)?;
    let mut users = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    add_addresses(sql, &mut users)?;
    Ok(users)
}

/// The user with this id, or with an address of this key; deleted ones too.
pub fn show(sql: &mut dyn Sql, id_or_key: &str) -> Result<Option<User>, StoreError> {
    let statement = format!(
        "{USER} WHERE p.id = ?1 \
           OR p.id = (SELECT person FROM person_address WHERE address_key = ?1)"
    );
    let Some(row) = sql.query_one(&statement, args![id_or_key])? else { return Ok(None) };
    let mut users = [read(&row)?];
    add_addresses(sql, &mut users)?;
    let [user] = users;
    Ok(Some(user))
}

/// Whose the addresses of these keys are: each key that has a user, with the user's id.
pub fn owners(
    sql: &mut dyn Sql,
    keys: &[AddressKey],
) -> Result<std::collections::HashMap<String, String>, StoreError> {
    let mut owners = std::collections::HashMap::new();
    for batch in keys.chunks(super::sql::MANY) {
        let list = super::sql::padded(batch);
        let statement = format!(
            "SELECT address_key, person FROM person_address WHERE address_key IN ({})",
            placeholders(1, list.len())
        );
        for row in sql.query(&statement, &list)? {
            owners.insert(row.text(0)?, row.text(1)?);
        }
    }
    Ok(owners)
}

/// The users of these ids, in no order.
pub fn of_ids(sql: &mut dyn Sql, ids: &[String]) -> Result<Vec<User>, StoreError> {
    let mut users = Vec::new();
    for batch in ids.chunks(super::sql::MANY) {
        let list = super::sql::padded(batch);
        let statement = format!("{USER} WHERE p.id IN ({})", placeholders(1, list.len()));
        for row in sql.query(&statement, &list)? {
            users.push(read(&row)?);
        }
    }
    add_addresses(sql, &mut users)?;
    Ok(users)
}

const USER: &str = "SELECT p.id, p.first_name, p.last_name, p.derived, p.status, p.access, s.id, \
    s.name, p.site_placed, p.phone, p.mobile, p.department, p.job_title, p.agent, p.locale, \
    p.made_by, p.no_tickets, p.credentials, p.credentials_withheld, p.credentials_bounced, \
    p.created_at, p.updated_at, p.deleted_at, p.password_set_at, p.last_login_at, p.merged_into \
    FROM person p JOIN site s ON s.id = p.site";

fn read(row: &Row) -> Result<User, StoreError> {
    Ok(User {
        id: row.text(0)?,
        first_name: row.text(1)?,
        last_name: row.text(2)?,
        derived: row.flag(3)?,
        status: row.parsed(4, "a user's status", UserStatus::parse)?,
        access: row.parsed(5, "an access", Access::parse)?,
        site: (row.text(6)?, row.text(7)?),
        site_placed: row.flag(8)?,
        addresses: Vec::new(),
        phone: row.opt_text(9)?,
        mobile: row.opt_text(10)?,
        department: row.opt_text(11)?,
        job_title: row.opt_text(12)?,
        agent: row.opt_text(13)?,
        locale: row.opt_text(14)?,
        made_by: row.text(15)?,
        no_tickets: row.flag(16)?,
        credentials: row.parsed(17, "a credentials state", CredentialsState::parse)?,
        credentials_withheld: row.opt_text(18)?,
        credentials_bounced: row.flag(19)?,
        created_at: row.time(20)?,
        updated_at: row.time(21)?,
        deleted_at: row.opt_time(22)?,
        password_set_at: row.opt_time(23)?,
        last_login_at: row.opt_time(24)?,
        merged_into: row.opt_text(25)?,
    })
}

fn add_addresses(sql: &mut dyn Sql, users: &mut [User]) -> Result<(), StoreError> {
    for batch in users.chunks_mut(super::sql::MANY) {
        let list = super::sql::padded(batch.iter().map(|user| &user.id));
        let statement = format!(
            "SELECT person, address, address_key, undeliverable FROM person_address \
             WHERE person IN ({}) ORDER BY person, n",
            placeholders(1, list.len())
        );
        let mut addresses: std::collections::HashMap<String, Vec<UserAddress>> =
            std::collections::HashMap::new();
        for row in sql.query(&statement, &list)? {
            addresses.entry(row.text(0)?).or_default().push(UserAddress {
                address: row.text(1)?,
                key: row.text(2)?,
                undeliverable: row.flag(3)?,
            });
        }
        for user in batch {
            user.addresses = addresses.remove(&user.id).unwrap_or_default();
        }
    }
    Ok(())
}
