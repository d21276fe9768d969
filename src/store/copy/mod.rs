//! Moves a store to another database (`db copy`): every row, as of one moment, written, read back
//! and compared in one transaction of the target. So the target has all of it, or is still empty and
//! can be tried again. At no time is more in memory than a few MiB.

mod shape;

use jiff::Timestamp;

use super::sql::{MANY, placeholders, rows};
use super::{Row, Sql, Store, StoreError, Value, audit, numbers, workers};
use crate::args;

pub use shape::{Table, tables};

/// What was copied of one table, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    pub table: String,
    pub rows: u64,
}

// Bytes of rows that are read at a time; a larger row is read alone.
const BYTES: u64 = 4 << 20;

/// Copies all of `source` to `target`, which must be empty; answers what was copied, table by table.
/// `told` hears of each table once it is there. Refuses while a process works on either.
pub fn copy(
    source: &Store,
    target: &Store,
    now: Timestamp,
    told: impl Fn(&Copied) + Send + 'static,
) -> Result<Vec<Copied>, StoreError> {
    let tables = tables(now)?;
    must_be_at_rest(source, now)?;
    let source = source.clone();
    target.transact(move |to| {
        must_be_empty(to, &tables)?;
        source.read_only(|from| {
            let mut copied = Vec::new();
            for table in &tables {
                let one = Copied { table: table.name.clone(), rows: copy_table(from, to, table)? };
                told(&one);
                copied.push(one);
            }
            compare(from, to, &tables)?;
            Ok(copied)
        })
    })
}

/// What [`copy`] would copy.
pub fn survey(source: &Store, now: Timestamp) -> Result<Vec<Copied>, StoreError> {
    let tables = tables(now)?;
    source.read_only(|sql| {
        tables
            .iter()
            .map(|table| {
                let row = sql.query_one(&format!("SELECT COUNT(*) FROM {}", table.name), &[])?;
                let rows = row.map_or(Ok(0), |row| row.int(0))?;
                Ok(Copied { table: table.name.clone(), rows: rows.unsigned_abs() })
            })
            .collect()
    })
}

/// Sees to it that two stores hold the same: row for row, in the order of their keys, the numbers
/// that come next, and the sums of their books.
pub fn compare(from: &mut dyn Sql, to: &mut dyn Sql, tables: &[Table]) -> Result<(), StoreError> {
    for table in tables {
        compare_table(from, to, table)?;
        if table.is_numbered && last_number(from, table)? != last_number(to, table)? {
            return Err(differs(table, "the number that comes next"));
        }
    }
    if audit::audit(from)? != audit::audit(to)? {
        return Err(StoreError::Violated("the books of the copy say something else".to_owned()));
    }
    Ok(())
}

// A store that changes meanwhile would be copied as of one moment, and what came later be left.
fn must_be_at_rest(source: &Store, now: Timestamp) -> Result<(), StoreError> {
    let patience = workers::Pace::default().patience;
    let own = workers::Process::own();
    let mut working = source.read_only(workers::registered)?;
    working.retain(|other| !other.is_gone(&own, now, patience));
    if working.is_empty() { Ok(()) } else { Err(StoreError::InUse) }
}

fn must_be_empty(to: &mut dyn Sql, tables: &[Table]) -> Result<(), StoreError> {
    for table in tables.iter().map(|table| table.name.as_str()).chain(["worker"]) {
        if to.query_one(&format!("SELECT 1 FROM {table} LIMIT 1"), args![])?.is_some() {
            return Err(StoreError::NotEmpty { table: table.to_owned() });
        }
    }
    Ok(())
}

fn copy_table(from: &mut dyn Sql, to: &mut dyn Sql, table: &Table) -> Result<u64, StoreError> {
    let mut pages = Pages::of(table);
    let mut copied = 0;
    while let Some(page) = pages.next(from)? {
        let mut rest = &page.rows[..];
        // Lengths of powers of two, so that a few prepared statements serve all.
        while !rest.is_empty() {
            let (some, others) = rest.split_at(1 << rest.len().ilog2());
            insert(to, table, some)?;
            rest = others;
        }
        copied += page.rows.len() as u64;
    }
    if table.is_numbered
        && let Some(last) = last_number(from, table)?
    {
        numbers::continue_after(to, &table.name, &table.key[0], last)?;
    }
    Ok(copied)
}

fn insert(to: &mut dyn Sql, table: &Table, some: &[Vec<Value>]) -> Result<(), StoreError> {
    let statement = format!(
        "INSERT INTO {} ({}) VALUES {}",
        table.name,
        table.columns.join(", "),
        rows(some.len(), table.columns.len())
    );
    to.execute(&statement, &some.concat()).map(drop)
}

fn compare_table(from: &mut dyn Sql, to: &mut dyn Sql, table: &Table) -> Result<(), StoreError> {
    let mut pages = Pages::of(table);
    loop {
        let begin = pages.after.clone().map(all_storable);
        let Some(page) = pages.next(from)? else {
            let more = read(to, table, "1", begin.as_deref(), None, 1)?;
            return if more.is_empty() { Ok(()) } else { Err(differs(table, "it has more rows")) };
        };
        let last = all_storable(page.last);
        let copy = read(to, table, &list(&table.columns), begin.as_deref(), Some(&last), MANY)?;
        if copy.iter().map(|row| &row.values).ne(page.rows.iter()) {
            return Err(differs(table, "a row"));
        }
    }
}

fn differs(table: &Table, what: &str) -> StoreError {
    StoreError::Violated(format!(
        "the copy of the table `{}` is not like the table: {what}\nhint: nothing was written; this is a bug of guichet, please report it",
        table.name
    ))
}

/// A table's rows in the order of its key, a bounded number of bytes at a time.
struct Pages<'a> {
    table: &'a Table,
    /// The key of the last row read.
    after: Option<Vec<Value>>,
}

struct Page {
    rows: Vec<Vec<Value>>,
    /// The key of its last row.
    last: Vec<Value>,
}

impl<'a> Pages<'a> {
    fn of(table: &'a Table) -> Pages<'a> {
        Pages { table, after: None }
    }

    fn next(&mut self, sql: &mut dyn Sql) -> Result<Option<Page>, StoreError> {
        let table = self.table;
        let Some(last) = self.end(sql)? else { return Ok(None) };
        let columns = list(&table.columns);
        let found = read(sql, table, &columns, self.after.as_deref(), Some(&last), MANY)?;
        self.after = Some(last.clone());
        let rows = found.into_iter().map(|row| all_storable(row.values));
        Ok(Some(Page { rows: rows.collect(), last }))
    }

    // First the keys and how much there is to each, then the rows: so none is read that there is no
    // room for.
    fn end(&self, sql: &mut dyn Sql) -> Result<Option<Vec<Value>>, StoreError> {
        let table = self.table;
        let size = |column: &String| format!("CAST(COALESCE(OCTET_LENGTH({column}), 0) AS BIGINT)");
        let sizes: Vec<String> = table.long.iter().map(size).chain(["0".to_owned()]).collect();
        let columns = format!("{}, {}", list(&table.key), sizes.join(" + "));
        let mut bytes = 0;
        let mut last = None;
        for row in read(sql, table, &columns, self.after.as_deref(), None, MANY)? {
            bytes += row.int(table.key.len())?.unsigned_abs();
            if last.is_some() && bytes > BYTES {
                break;
            }
            let mut key = row.values;
            key.truncate(table.key.len());
            last = Some(key);
        }
        Ok(last)
    }
}

// `columns` of the rows behind the key `after`, up to and with the key `last`.
fn read(
    sql: &mut dyn Sql,
    table: &Table,
    columns: &str,
    after: Option<&[Value]>,
    last: Option<&[Value]>,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let key = list(&table.key);
    let mut conditions = Vec::new();
    let mut values = Vec::new();
    for (comparison, bound) in [(">", after), ("<=", last)] {
        if let Some(bound) = bound {
            let bounds = placeholders(values.len() + 1, bound.len());
            conditions.push(format!("({key}) {comparison} ({bounds})"));
            values.extend_from_slice(bound);
        }
    }
    let such = match conditions.is_empty() {
        true => String::new(),
        false => format!("WHERE {}", conditions.join(" AND ")),
    };
    let statement =
        format!("SELECT {columns} FROM {} {such} ORDER BY {key} LIMIT {limit}", table.name);
    sql.query(&statement, &values)
}

fn list(columns: &[String]) -> String {
    columns.join(", ")
}

// An older guichet may have stored what PostgreSQL refuses.
fn all_storable(values: Vec<Value>) -> Vec<Value> {
    let storable = |value| match value {
        Value::Text(text) => Value::from(text),
        other => other,
    };
    values.into_iter().map(storable).collect()
}

fn last_number(sql: &mut dyn Sql, table: &Table) -> Result<Option<i64>, StoreError> {
    numbers::last(sql, &table.name, &table.key[0])
}
