//! What can be said of a database from outside of its server: what the server itself no longer relies
//! on, the pages it found damaged, and its indexes, where it can check them (`amcheck`).

use super::Postgres;
use crate::args;
use crate::store::{Sql, StoreError};

/// What is wrong with the schema, a sentence each.
pub(super) fn verify(postgres: &Postgres) -> Result<Vec<String>, StoreError> {
    let mut problems = postgres.read_only(distrusted)?;
    let (checker, indexes) = postgres.read_only(|sql| Ok((checker(sql)?, indexes(sql)?)))?;
    let Some(checker) = checker else { return Ok(problems) };
    for index in indexes {
        // Each in a transaction of its own: what it finds ends that.
        let check = format!("SELECT {checker}(CAST(CAST(?1 AS TEXT) AS regclass))");
        let checked = postgres.read_only(|sql| sql.query(&check, args![&index]).map(drop));
        match checked {
            Ok(()) => {}
            Err(StoreError::Damaged { said, .. } | StoreError::Refused { said, .. }) => {
                problems.push(format!("the index `{index}` is damaged: {said}"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(problems)
}

fn distrusted(sql: &mut dyn Sql) -> Result<Vec<String>, StoreError> {
    let mut problems = Vec::new();
    for row in sql.query(
        "SELECT CAST(i.indexrelid AS regclass)::text FROM pg_index i \
         JOIN pg_class c ON c.oid = i.indexrelid \
         WHERE c.relnamespace = CAST(current_schema() AS regnamespace) \
         AND NOT (i.indisvalid AND i.indisready) ORDER BY 1",
        args![],
    )? {
        problems.push(format!("the index `{}` is not to be relied on", row.text(0)?));
    }
    for row in sql.query(
        "SELECT conname::text, CAST(conrelid AS regclass)::text FROM pg_constraint \
         WHERE connamespace = CAST(current_schema() AS regnamespace) \
         AND NOT convalidated ORDER BY 1",
        args![],
    )? {
        let (rule, table) = (row.text(0)?, row.text(1)?);
        problems.push(format!("rows of `{table}` may break the rule `{rule}`"));
    }
    let failures = sql.query_one(
        "SELECT COALESCE(checksum_failures, 0) FROM pg_stat_database \
         WHERE datname = current_database()",
        args![],
    )?;
    let failures = failures.map_or(Ok(0), |row| row.int(0))?;
    if failures > 0 {
        problems.push(format!("the server has found {failures} damaged pages in this database"));
    }
    Ok(problems)
}

// The function that checks an index, if the server has one that we may use.
fn checker(sql: &mut dyn Sql) -> Result<Option<String>, StoreError> {
    let row = sql.query_one(
        "SELECT quote_ident(n.nspname) || '.bt_index_check' FROM pg_extension e \
         JOIN pg_namespace n ON n.oid = e.extnamespace \
         JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = 'bt_index_check' \
         WHERE e.extname = 'amcheck' AND p.pronargs = 1 \
         AND has_function_privilege(p.oid, 'execute')",
        args![],
    )?;
    row.map(|row| row.text(0)).transpose()
}

fn indexes(sql: &mut dyn Sql) -> Result<Vec<String>, StoreError> {
    let rows = sql.query(
        "SELECT CAST(c.oid AS regclass)::text FROM pg_class c \
         JOIN pg_am a ON a.oid = c.relam AND a.amname = 'btree' \
         JOIN pg_index i ON i.indexrelid = c.oid AND i.indisvalid AND i.indisready \
         WHERE c.relkind = 'i' AND c.relnamespace = CAST(current_schema() AS regnamespace) \
         ORDER BY 1",
        args![],
    )?;
    rows.iter().map(|row| row.text(0)).collect()
}
