//! Brings the tables up to date: append-only steps, each in a transaction of its own, each checked
//! against the text it had when it was applied (P-19).

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Dialect, Sql, StoreError};
use crate::{args, faults};

/// One step. The files have the same names for each database.
struct Migration {
    name: &'static str,
    sql: &'static str,
}

const SQLITE: &[Migration] = &[
    Migration { name: "0001_core", sql: include_str!("migrations/sqlite/0001_core.sql") },
    Migration { name: "0002_keys", sql: include_str!("migrations/sqlite/0002_keys.sql") },
    Migration { name: "0003_uids", sql: include_str!("migrations/sqlite/0003_uids.sql") },
    Migration { name: "0004_workers", sql: include_str!("migrations/sqlite/0004_workers.sql") },
    Migration { name: "0005_logins", sql: include_str!("migrations/sqlite/0005_logins.sql") },
    Migration { name: "0006_known", sql: include_str!("migrations/sqlite/0006_known.sql") },
    Migration { name: "0007_internal", sql: include_str!("migrations/sqlite/0007_internal.sql") },
    Migration { name: "0008_restored", sql: include_str!("migrations/sqlite/0008_restored.sql") },
    Migration { name: "0009_people", sql: include_str!("migrations/sqlite/0009_people.sql") },
    Migration { name: "0010_leaked", sql: include_str!("migrations/sqlite/0010_leaked.sql") },
    Migration { name: "0011_released", sql: include_str!("migrations/sqlite/0011_released.sql") },
    Migration {
        name: "0012_renumbered",
        sql: include_str!("migrations/sqlite/0012_renumbered.sql"),
    },
];
const POSTGRES: &[Migration] = &[
    Migration { name: "0001_core", sql: include_str!("migrations/postgres/0001_core.sql") },
    Migration { name: "0002_keys", sql: include_str!("migrations/postgres/0002_keys.sql") },
    Migration { name: "0003_uids", sql: include_str!("migrations/postgres/0003_uids.sql") },
    Migration { name: "0004_workers", sql: include_str!("migrations/postgres/0004_workers.sql") },
    Migration { name: "0005_logins", sql: include_str!("migrations/postgres/0005_logins.sql") },
    Migration { name: "0006_known", sql: include_str!("migrations/postgres/0006_known.sql") },
    Migration { name: "0007_internal", sql: include_str!("migrations/postgres/0007_internal.sql") },
    Migration { name: "0008_restored", sql: include_str!("migrations/postgres/0008_restored.sql") },
    Migration { name: "0009_people", sql: include_str!("migrations/postgres/0009_people.sql") },
    Migration { name: "0010_leaked", sql: include_str!("migrations/postgres/0010_leaked.sql") },
    Migration { name: "0011_released", sql: include_str!("migrations/postgres/0011_released.sql") },
    Migration {
        name: "0012_renumbered",
        sql: include_str!("migrations/postgres/0012_renumbered.sql"),
    },
];

/// Applies what is missing, in order; `transact` runs each step in a transaction of its own.
/// Answers the names of the steps applied.
pub fn migrate(
    path: &str,
    dialect: Dialect,
    now: Timestamp,
    mut transact: impl FnMut(
        &mut dyn FnMut(&mut dyn Sql) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>,
) -> Result<Vec<&'static str>, StoreError> {
    let known = match dialect {
        Dialect::Postgres => POSTGRES,
        Dialect::Sqlite => SQLITE,
    };
    let mut applied = Vec::new();
    for (index, migration) in known.iter().enumerate() {
        transact(&mut |sql| {
            faults::point("migrate.begin");
            if !has_begun(sql)? {
                sql.execute(
                    "CREATE TABLE migration (\
                       name TEXT PRIMARY KEY, hash TEXT NOT NULL, applied_at BIGINT NOT NULL)",
                    args![],
                )?;
            }
            let rows = sql.query("SELECT name, hash FROM migration ORDER BY name", args![])?;
            if let Some(newer) = rows.get(known.len())
                && faults::stands("P-19-newer")
            {
                return Err(StoreError::Newer { path: path.to_owned(), found: newer.text(0)? });
            }
            if let Some(row) = rows.get(index) {
                if row.text(0)? != migration.name {
                    return Err(StoreError::Newer { path: path.to_owned(), found: row.text(0)? });
                }
                if row.text(1)? != hash(migration.sql) && faults::stands("P-19-hash") {
                    return Err(StoreError::Rewritten { name: migration.name.to_owned() });
                }
                return Ok(());
            }
            for statement in statements(migration.sql) {
                sql.execute(&statement, args![])?;
                faults::point("migrate.statement");
                if !faults::stands("P-19") {
                    sql.execute("COMMIT", args![])?;
                    sql.execute("BEGIN", args![])?;
                }
            }
            sql.execute(
                "INSERT INTO migration (name, hash, applied_at) VALUES (?1, ?2, ?3)",
                args![migration.name, hash(migration.sql), now],
            )?;
            applied.push(migration.name);
            faults::point("migrate.commit");
            Ok(())
        })?;
    }
    Ok(applied)
}

// Whoever may write may not always make tables, not even one that exists (PostgreSQL asks for the
// right first). The databases list their tables each in its own way.
fn has_begun(sql: &mut dyn Sql) -> Result<bool, StoreError> {
    let statement = match sql.dialect() {
        Dialect::Postgres => {
            "SELECT 1 WHERE to_regclass(quote_ident(current_schema()) || '.migration') IS NOT NULL"
        }
        Dialect::Sqlite => "SELECT 1 FROM sqlite_master WHERE name = 'migration'",
    };
    Ok(sql.query_one(statement, args![])?.is_some())
}

fn hash(sql: &str) -> String {
    Sha256::digest(sql.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

// No statement of ours holds a semicolon inside, and comments stand on lines of their own.
fn statements(sql: &str) -> Vec<String> {
    let bare: String = sql
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .map(|line| format!("{line}\n"))
        .collect();
    bare.split(';')
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
        .map(str::to_owned)
        .collect()
}
