//! The tables of a store as a copy sees them: read from an empty store in memory, whose catalogue
//! says of columns, keys and references the same as that of any other store.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::args;
use crate::store::{Durability, Location, Options, Sql, Store, StoreError};

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub columns: Vec<String>,
    /// The columns of its primary key, in the order of the key.
    pub key: Vec<String>,
    /// The columns that may hold much: text and bytes.
    pub(super) long: Vec<String>,
    /// Whether its key is a number that the database mints, and never mints twice.
    pub is_numbered: bool,
}

// What says who works on the store now, and how its tables were made, is each store's own.
const OWN: [&str; 3] = ["mailbox_lease", "migration", "worker"];

/// The tables of this version of guichet that a copy takes along, each after those it refers to.
pub fn tables(now: Timestamp) -> Result<Vec<Table>, StoreError> {
    let options = Options { location: Location::Memory, durability: Durability::None };
    Store::open(&options, now)?.read_only(|sql| {
        let mut waiting = Vec::new();
        for row in sql.query(
            "SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_master \
             WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name",
            args![],
        )? {
            let (name, is_numbered) = (row.text(0)?, row.flag(1)?);
            if !OWN.contains(&name.as_str()) {
                let referred = referred(sql, &name)?;
                waiting.push((table(sql, name, is_numbered)?, referred));
            }
        }
        in_order(waiting)
    })
}

fn table(sql: &mut dyn Sql, name: String, is_numbered: bool) -> Result<Table, StoreError> {
    let (mut columns, mut key, mut long) = (Vec::new(), Vec::new(), Vec::new());
    for row in
        sql.query("SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid", args![&name])?
    {
        let column = row.text(0)?;
        if row.text(1)? != "INTEGER" {
            long.push(column.clone());
        }
        if row.flag(2)? {
            key.push((row.int(2)?, column.clone()));
        }
        columns.push(column);
    }
    key.sort();
    let key = key.into_iter().map(|(_, column)| column).collect();
    Ok(Table { name, columns, key, long, is_numbered })
}

fn referred(sql: &mut dyn Sql, table: &str) -> Result<BTreeSet<String>, StoreError> {
    let rows = sql.query("SELECT \"table\" FROM pragma_foreign_key_list(?1)", args![table])?;
    rows.iter().map(|row| row.text(0)).collect()
}

fn in_order(mut waiting: Vec<(Table, BTreeSet<String>)>) -> Result<Vec<Table>, StoreError> {
    let mut ordered: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let is_there = |name: &String| ordered.iter().any(|table| table.name == *name);
        let next = waiting.iter().position(|(_, referred)| referred.iter().all(is_there));
        let next = next.ok_or_else(|| {
            StoreError::Violated("tables refer to each other in a circle".to_owned())
        })?;
        ordered.push(waiting.remove(next).0);
    }
    Ok(ordered)
}
