//! The one function of ours that statements can call in SQLite, which folds no letter but ASCII.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use super::adapter::explain;
use crate::mail::fold;
use crate::store::StoreError;

/// Lets statements ask whether a text, folded, holds a part that is folded already.
pub(super) fn teach(connection: &Connection, path: &str) -> Result<(), StoreError> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    let taught = connection.create_scalar_function("HOLDS_FOLDED", 2, flags, holds);
    taught.map_err(|error| explain(error, path, "HOLDS_FOLDED"))
}

fn holds(given: &Context<'_>) -> rusqlite::Result<bool> {
    let text = given.get_raw(0).as_str_or_null()?.unwrap_or_default();
    let part = given.get_raw(1).as_str_or_null()?.unwrap_or_default();
    Ok(fold(text).contains(part))
}
