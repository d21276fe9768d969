//! The seam on one connection: statements are prepared once and kept; a failure names its statement
//! and says what to do.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode};

use super::Sqlite;
use crate::store::sql::count_statement;
use crate::store::{Dialect, Row, Sql, StoreError, Value};

/// A transaction in progress.
pub(super) struct On<'a> {
    pub connection: &'a Connection,
    pub path: &'a str,
}

impl Sql for On<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, StoreError> {
        count_statement();
        let failed = |error| explain(error, self.path, sql);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let changed = statement.execute(rusqlite::params_from_iter(args)).map_err(failed)?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, StoreError> {
        count_statement();
        let failed = |error| explain(error, self.path, sql);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(args)).map_err(failed)?;
        let mut collected = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let mut values = Vec::with_capacity(columns);
            for column in 0..columns {
                values.push(match row.get_ref(column).map_err(failed)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(value) => Value::Int(value),
                    ValueRef::Real(value) => Value::Text(value.to_string()),
                    ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                    ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
                });
            }
            collected.push(Row { values });
        }
        Ok(collected)
    }
}

/// Statements sent to the store thread one by one.
pub(super) struct Remote<'a> {
    pub sqlite: &'a Sqlite,
}

impl Sql for Remote<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn execute(&mut self, sql: &str, args: &[Value]) -> Result<u64, StoreError> {
        let (sql, args) = (sql.to_owned(), args.to_vec());
        self.sqlite
            .submit(move |on| on.execute(&sql, &args))
            .blocking_recv()
            .unwrap_or(Err(StoreError::Stopped))
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Result<Vec<Row>, StoreError> {
        let (sql, args) = (sql.to_owned(), args.to_vec());
        self.sqlite
            .submit(move |on| on.query(&sql, &args))
            .blocking_recv()
            .unwrap_or(Err(StoreError::Stopped))
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Blob(bytes) => ValueRef::Blob(bytes),
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Null => ValueRef::Null,
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

pub(super) fn explain(error: rusqlite::Error, path: &str, statement: &str) -> StoreError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy(path),
        Some(ErrorCode::DiskFull) => StoreError::Full(path),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged { path, said: error.to_string() }
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            StoreError::Open { path, said: error.to_string() }
        }
        _ => StoreError::Refused {
            statement: statement.split_whitespace().collect::<Vec<_>>().join(" "),
            said: error.to_string(),
        },
    }
}
