//! The numbers that the database mints for tickets and mails, and never mints twice. The databases
//! keep the last one each in its own way.

use super::{Dialect, Sql, StoreError};
use crate::args;

/// The last number that was minted for `key` of `table`, whether its row is still there or not.
pub(super) fn last(sql: &mut dyn Sql, table: &str, key: &str) -> Result<Option<i64>, StoreError> {
    let row = match sql.dialect() {
        Dialect::Postgres => sql.query_one(
            "SELECT pg_sequence_last_value(CAST(pg_get_serial_sequence(?1, ?2) AS regclass))",
            args![table, key],
        )?,
        Dialect::Sqlite => {
            sql.query_one("SELECT seq FROM sqlite_sequence WHERE name = ?1", args![table])?
        }
    };
    row.map_or(Ok(None), |row| row.opt_int(0))
}

/// Mints only numbers above `last` from now on.
pub(super) fn continue_after(
    sql: &mut dyn Sql,
    table: &str,
    key: &str,
    last: i64,
) -> Result<(), StoreError> {
    match sql.dialect() {
        Dialect::Postgres => sql
            .query(
                "SELECT setval(CAST(pg_get_serial_sequence(?1, ?2) AS regclass), ?3)",
                args![table, key, last],
            )
            .map(drop),
        Dialect::Sqlite => {
            sql.execute("DELETE FROM sqlite_sequence WHERE name = ?1", args![table])?;
            let statement = "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)";
            sql.execute(statement, args![table, last]).map(drop)
        }
    }
}
