//! Whether a server is still asked for what is here already.

use super::{EXAMPLES, Equation};
use crate::args;
use crate::store::spool::{self, Origin, Series};
use crate::store::{Sql, StoreError, uids};

/// The equation about UIDs that are owed.
pub(super) fn equation(sql: &mut dyn Sql) -> Result<Equation, StoreError> {
    let mut found: Vec<String> = Vec::new();
    for row in sql.query("SELECT name, position FROM mailbox ORDER BY name", args![])? {
        let (mailbox, position) = (row.text(0)?, row.opt_text(1)?);
        let Some(series) = position.as_deref().and_then(series) else { continue };
        let owed = uids::owed(sql, &mailbox)?;
        let origins = owed.iter().map(|owed| Origin::Uid { series, uid: owed.uid }.key());
        let origins: Vec<String> = origins.collect();
        found.extend(spool::known(sql, &mailbox, &origins)?);
    }
    found.sort();
    let left = i64::try_from(found.len()).unwrap_or(i64::MAX);
    found.truncate(EXAMPLES);
    let what = "messages owed by a server that are here already = 0";
    Ok(Equation { what, left, right: 0, examples: found })
}

// A position on a server begins as the origins of its messages do.
fn series(position: &str) -> Option<Series> {
    let (series, _) = position.strip_prefix("uid/")?.split_once('/')?;
    Series::parse(series)
}
