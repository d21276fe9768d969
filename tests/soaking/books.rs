//! The store under the daemon, asked beside it in SQL. Nothing is kept open between two questions to
//! a SQLite store: with a reader left, the next daemon would not have to recover the WAL.

use std::path::PathBuf;

use rusqlite::OpenFlags;

/// Where to ask.
pub enum Books {
    Postgres { client: Box<postgres::Client>, schema: String },
    Sqlite(PathBuf),
}

impl Books {
    /// The rows that `statement` finds, each column as text; none while there are no tables.
    pub fn rows(&mut self, statement: &str) -> Vec<Vec<String>> {
        match self {
            Books::Postgres { client, schema } => {
                let set = format!("SET search_path = {schema}");
                let said = client.batch_execute(&set).and_then(|()| client.simple_query(statement));
                let rows = said.unwrap_or_default();
                let row = |message| match message {
                    postgres::SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                };
                let text = |row: postgres::SimpleQueryRow| {
                    (0..row.len()).map(|n| row.get(n).unwrap_or_default().to_owned()).collect()
                };
                rows.into_iter().filter_map(row).map(text).collect()
            }
            Books::Sqlite(file) => ask(file, statement).unwrap_or_default(),
        }
    }

    /// The one number that `statement` finds.
    pub fn count(&mut self, statement: &str) -> usize {
        let rows = self.rows(statement);
        rows.first().and_then(|row| row.first()?.parse().ok()).unwrap_or(0)
    }
}

fn ask(file: &PathBuf, statement: &str) -> rusqlite::Result<Vec<Vec<String>>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(file, flags)?;
    let mut statement = connection.prepare(statement)?;
    let columns = statement.column_count();
    let text = |row: &rusqlite::Row| -> rusqlite::Result<Vec<String>> {
        (0..columns)
            .map(|n| {
                Ok(match row.get_ref(n)? {
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    value => value.as_str_or_null()?.unwrap_or_default().to_owned(),
                })
            })
            .collect()
    };
    statement.query_map([], text)?.collect()
}
