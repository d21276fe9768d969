//! The seam on one connection: statements are prepared once and kept; a failure names its statement
//! and says what to do.

use std::io;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode};

use crate::faults;
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
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
        ) => StoreError::Busy(path),
        Some(ErrorCode::DiskFull) => StoreError::Full(path),
        // It does not say of every file that there was no room for it.
        Some(ErrorCode::SystemIoFailure) if is_full(&path) => StoreError::Full(path),
        // Not to be taken for the fault of what was written (P-06).
        Some(ErrorCode::SystemIoFailure) if faults::stands("P-06-disk") => {
            StoreError::Disk { path, said: numbered(&error) }
        }
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { path, said: error.to_string() },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged { path, said: error.to_string() }
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::Open { path, said: error.to_string() }
        }
        _ => StoreError::Refused {
            statement: statement.split_whitespace().collect::<Vec<_>>().join(" "),
            said: error.to_string(),
        },
    }
}

/// Why a file of the store refuses, as the system says it.
pub(super) fn refused(error: &io::Error, path: &str) -> StoreError {
    let (path, said) = (path.to_owned(), error.to_string());
    match error.kind() {
        io::ErrorKind::QuotaExceeded | io::ErrorKind::StorageFull => StoreError::Full(path),
        io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path, said },
        io::ErrorKind::NotADirectory
        | io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied => StoreError::Open { path, said },
        _ => StoreError::Disk { path, said },
    }
}

fn is_full(path: &str) -> bool {
    let folder = Path::new(path).parent();
    let disk = folder.and_then(|folder| rustix::fs::statvfs(folder).ok());
    // Some file systems count no files.
    disk.is_some_and(|disk| disk.f_bavail == 0 || (disk.f_files > 0 && disk.f_favail == 0))
}

// Which of the many ways of failing it was: SQLite says the same of all.
fn numbered(error: &rusqlite::Error) -> String {
    match error.sqlite_error() {
        Some(failure) => format!("{error} (SQLite {})", failure.extended_code),
        None => error.to_string(),
    }
}
