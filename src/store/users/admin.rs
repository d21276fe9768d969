//! What people do to users: add, change. How they end stands in [`super::ending`].

use jiff::Timestamp;

use super::{display, end_access, leaving};
use crate::args;
use crate::clock::Ids;
use crate::mail::{Address, AddressKey};
use crate::store::sql::placeholders;
use crate::store::{Sql, StoreError, Value, credentials};
use crate::triage::facts::CredentialsState;
use crate::triage::policy::Access;

/// A user to add by hand or by an import.
#[derive(Clone, Debug)]
pub struct Addition {
    /// At least one; the first is where mail of ours goes.
    pub addresses: Vec<(Address, AddressKey)>,
    pub first_name: String,
    pub last_name: String,
    /// Whether the names were made from the address (M-51).
    pub derived: bool,
    pub access: Access,
    /// The id of the site.
    pub site: String,
    /// Whether a person chose the site (M-110).
    pub site_placed: bool,
    pub phone: Option<String>,
    pub mobile: Option<String>,
    pub department: Option<String>,
    pub job_title: Option<String>,
    pub agent: Option<String>,
    pub locale: Option<String>,
    pub no_tickets: bool,
    pub credentials: CredentialsState,
    /// `hand` or `import`.
    pub made_by: &'static str,
}

/// The columns that an [`Addition`] fills, in the order of [`Addition::values`].
pub(super) const COLUMNS: [&str; 15] = [
    "first_name",
    "last_name",
    "derived",
    "access",
    "site",
    "site_placed",
    "phone",
    "mobile",
    "department",
    "job_title",
    "agent",
    "locale",
    "made_by",
    "no_tickets",
    "credentials",
];

impl Addition {
    pub(super) fn values(&self) -> [Value; COLUMNS.len()] {
        [
            (&self.first_name).into(),
            (&self.last_name).into(),
            self.derived.into(),
            self.access.as_str().into(),
            (&self.site).into(),
            self.site_placed.into(),
            self.phone.as_deref().into(),
            self.mobile.as_deref().into(),
            self.department.as_deref().into(),
            self.job_title.as_deref().into(),
            self.agent.as_deref().into(),
            self.locale.as_deref().into(),
            self.made_by.into(),
            self.no_tickets.into(),
            self.credentials.as_str().into(),
        ]
    }
}

/// One change to a user; an absent value clears the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Access(Access),
    AddAddress(Address, AddressKey),
    Agent(Option<String>),
    Credentials(CredentialsState),
    Department(Option<String>),
    /// The account may not be used; mail is still read.
    Disable,
    /// The account may be used again.
    Enable,
    FirstName(String),
    JobTitle(Option<String>),
    LastName(String),
    Locale(Option<String>),
    /// The address of this key becomes the one that mail of ours goes to.
    MainAddress(AddressKey),
    Mobile(Option<String>),
    NoTickets(bool),
    Phone(Option<String>),
    /// Takes an address away; the last one stays.
    RemoveAddress(AddressKey),
    /// The id of a site: placed by a person (M-110).
    Site(String),
}

/// Adds a user; answers the id.
pub fn add(
    sql: &mut dyn Sql,
    user: &Addition,
    ids: &Ids,
    now: Timestamp,
) -> Result<String, StoreError> {
    if user.addresses.is_empty() {
        return Err(StoreError::Violated(
            "a user needs an address\nhint: it is what their mail is recognised by".to_owned(),
        ));
    }
    let id = ids.uuid();
    let mut values = vec![Value::from(&id), Value::from(now)];
    values.extend(user.values());
    let statement = format!(
        "INSERT INTO person (id, status, created_at, updated_at, {}) \
         VALUES (?1, 'active', ?2, ?2, {})",
        COLUMNS.join(", "),
        placeholders(3, COLUMNS.len())
    );
    sql.execute(&statement, &values)?;
    for (address, key) in &user.addresses {
        add_address(sql, &id, address, key)?;
    }
    Ok(id)
}

/// Changes a user; answers whether there is one that was not deleted.
pub fn set(
    sql: &mut dyn Sql,
    id: &str,
    changes: &[Change],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found = sql.execute(
        "UPDATE person SET updated_at = ?2 WHERE id = ?1 AND status <> 'deleted'",
        args![id, now],
    )?;
    if found == 0 {
        return Ok(false);
    }
    for change in changes {
        let (column, value): (&str, Value) = match change {
            Change::Access(access) => ("access", access.as_str().into()),
            Change::AddAddress(address, key) => {
                add_address(sql, id, address, key)?;
                continue;
            }
            Change::Agent(agent) => ("agent", agent.as_deref().into()),
            Change::Credentials(state) => ("credentials", state.as_str().into()),
            Change::Department(department) => ("department", department.as_deref().into()),
            Change::Disable => {
                // Enabled again, the account is not to be entered by what was there before.
                end_access(sql, id, now)?;
                ("status", "disabled".into())
            }
            Change::Enable => ("status", "active".into()),
            Change::FirstName(name) => ("first_name", name.into()),
            Change::JobTitle(title) => ("job_title", title.as_deref().into()),
            Change::LastName(name) => ("last_name", name.into()),
            Change::Locale(locale) => ("locale", locale.as_deref().into()),
            Change::MainAddress(key) => {
                move_main(sql, id, key, now)?;
                continue;
            }
            Change::Mobile(mobile) => ("mobile", mobile.as_deref().into()),
            Change::NoTickets(no_tickets) => ("no_tickets", (*no_tickets).into()),
            Change::Phone(phone) => ("phone", phone.as_deref().into()),
            Change::RemoveAddress(key) => {
                remove_address(sql, id, key, now)?;
                // A link may lie in the mailbox that is no longer theirs.
                credentials::end_all(sql, id, now)?;
                continue;
            }
            Change::Site(site) => {
                sql.execute("UPDATE person SET site_placed = 1 WHERE id = ?1", args![id])?;
                ("site", site.into())
            }
        };
        // A name that a person wrote is theirs from now on.
        let derived = match change {
            Change::FirstName(_) | Change::LastName(_) => ", derived = 0",
            _ => "",
        };
        sql.execute(
            &format!("UPDATE person SET {column} = ?2{derived} WHERE id = ?1"),
            &[Value::from(id), value],
        )?;
    }
    Ok(true)
}

pub(super) fn add_address(
    sql: &mut dyn Sql,
    id: &str,
    address: &Address,
    key: &AddressKey,
) -> Result<(), StoreError> {
    let changed = sql.execute(
        "INSERT INTO person_address (address_key, person, address, n) VALUES (?1, ?2, ?3, \
           (SELECT COALESCE(MAX(n), -1) + 1 FROM person_address WHERE person = ?2)) \
         ON CONFLICT (address_key) DO NOTHING",
        args![key, id, address.to_string()],
    )?;
    if changed == 1 {
        return Ok(());
    }
    let owner = sql.query_one(
        "SELECT p.id, p.first_name, p.last_name, p.status FROM person p \
         JOIN person_address a ON a.person = p.id WHERE a.address_key = ?1",
        args![key],
    )?;
    let by = match owner {
        Some(owner) if owner.text(0)? == id => "this user".to_owned(),
        Some(owner) => {
            let name = display(&owner.text(1)?, &owner.text(2)?);
            let deleted = if owner.text(3)? == "deleted" { "deleted " } else { "" };
            format!("the {deleted}user `{name}` ({})", owner.text(0)?)
        }
        None => "another user".to_owned(),
    };
    Err(StoreError::Taken { address: address.to_string(), by })
}

// What lies in a mailbox that mail no longer goes to, or is on its way there, opens nothing any more:
// whoever changes the address may do so because that mailbox is somebody else's by now (T-22).
fn move_main(
    sql: &mut dyn Sql,
    id: &str,
    key: &AddressKey,
    now: Timestamp,
) -> Result<(), StoreError> {
    let main = sql.query_one(
        "SELECT address, address_key FROM person_address WHERE person = ?1 AND n = 0",
        args![id],
    )?;
    make_main(sql, id, key)?;
    let Some(main) = main else { return Ok(()) };
    if main.text(1)? == key.as_str() {
        return Ok(());
    }
    credentials::end_all(sql, id, now)?;
    sql.execute(
        "UPDATE outbox SET state = 'cancelled', \
           response = 'the user''s mail goes to another address now' \
         WHERE person = ?1 AND to_address = ?2 AND cause = 'notice' AND ticket IS NULL \
         AND state IN ('failed', 'parked', 'queued')",
        args![id, main.text(0)?],
    )
    .map(drop)
}

// The two change places, by way of the end: (person, n) is unique at every moment.
pub(super) fn make_main(sql: &mut dyn Sql, id: &str, key: &AddressKey) -> Result<(), StoreError> {
    let row = sql.query_one(
        "SELECT n, (SELECT MAX(n) + 1 FROM person_address WHERE person = ?1) \
         FROM person_address WHERE person = ?1 AND address_key = ?2",
        args![id, key],
    )?;
    let Some(row) = row else { return Err(no_address(key)) };
    let (place, end) = (row.int(0)?, row.int(1)?);
    if place == 0 {
        return Ok(());
    }
    for (from, to) in [(0, end), (place, 0), (end, place)] {
        renumber(sql, id, from, to)?;
    }
    Ok(())
}

fn remove_address(
    sql: &mut dyn Sql,
    id: &str,
    key: &AddressKey,
    now: Timestamp,
) -> Result<(), StoreError> {
    let next = sql.query_one(
        "SELECT address_key FROM person_address WHERE person = ?1 AND address_key <> ?2 \
         ORDER BY n LIMIT 1",
        args![id, key],
    )?;
    let Some(next) = next else {
        return Err(StoreError::Violated(format!(
            "`{key}` is the user's last address\nhint: add another one first, or delete the user"
        )));
    };
    let next = AddressKey(next.text(0)?);
    let place = sql.query_one(
        "SELECT n FROM person_address WHERE person = ?1 AND address_key = ?2",
        args![id, key],
    )?;
    let Some(place) = place else { return Err(no_address(key)) };
    if place.int(0)? == 0 {
        move_main(sql, id, &next, now)?;
    }
    leaving::keep_what_was_theirs(sql, id, key)?;
    let removed = sql.query(
        "DELETE FROM person_address WHERE person = ?1 AND address_key = ?2 RETURNING n",
        args![id, key],
    )?;
    let last = sql.query_one("SELECT MAX(n) FROM person_address WHERE person = ?1", args![id])?;
    // The last one takes the place that is free, so that no number is left out.
    if let (Some(removed), Some(last)) = (removed.first(), last) {
        let (free, last) = (removed.int(0)?, last.int(0)?);
        if last > free {
            renumber(sql, id, last, free)?;
        }
    }
    Ok(())
}

fn renumber(sql: &mut dyn Sql, id: &str, from: i64, to: i64) -> Result<(), StoreError> {
    sql.execute(
        "UPDATE person_address SET n = ?3 WHERE person = ?1 AND n = ?2",
        args![id, from, to],
    )
    .map(drop)
}

fn no_address(key: &AddressKey) -> StoreError {
    StoreError::Unknown {
        what: "address of this user",
        name: key.to_string(),
        hint: "`guichet users show` lists them",
    }
}
