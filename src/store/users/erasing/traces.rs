//! What leads back to a person without naming them: their id where it says who did something, and
//! the histories of tickets that were theirs once.

use std::collections::BTreeSet;

use super::{User, Work};
use crate::args;
use crate::store::spool::Origin;
use crate::store::sql::like;
use crate::store::{Sql, StoreError};

/// The ids of a user and of those who were merged into them, and the names of all.
pub(super) fn of(
    sql: &mut dyn Sql,
    user: &User,
) -> Result<(Vec<String>, BTreeSet<String>), StoreError> {
    let mut ids = vec![user.id.clone()];
    let mut names = BTreeSet::from([format!("{} {}", user.first_name, user.last_name)]);
    for row in sql.query(
        "SELECT id, first_name, last_name FROM person WHERE merged_into = ?1",
        args![&user.id],
    )? {
        ids.push(row.text(0)?);
        names.insert(format!("{} {}", row.text(1)?, row.text(2)?));
    }
    Ok((ids, names))
}

/// The addresses that they asked and wrote from, and that are theirs no more.
pub(super) fn former_addresses(
    sql: &mut dyn Sql,
    id: &str,
    keys: &BTreeSet<String>,
) -> Result<BTreeSet<String>, StoreError> {
    let rows = sql.query(
        "SELECT requester_address FROM ticket WHERE person = ?1 \
         UNION SELECT requester_key FROM ticket WHERE person = ?1 \
         UNION SELECT from_address FROM ticket_message WHERE person = ?1",
        args![id],
    )?;
    let former = rows.iter().map(|row| Ok(row.text(0)?.to_lowercase()));
    let former: BTreeSet<String> = former.collect::<Result<_, StoreError>>()?;
    Ok(former.into_iter().filter(|address| !keys.contains(address)).collect())
}

impl Work<'_> {
    /// Their doings stay without the doer, on all tickets; so do the requesters that a ticket had.
    pub(super) fn clear_history(&self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        for id in &self.ids {
            sql.execute(
                "UPDATE ticket_event SET by_whom = NULL WHERE by_kind = 'user' AND by_whom = ?1",
                args![id],
            )?;
            // The sessions stay, closed, so that whoever holds one is told; what browser that is goes.
            sql.execute("UPDATE session SET browser = NULL WHERE person = ?1", args![id])?;
        }
        for row in sql.query(
            "SELECT ticket, n, before, after FROM ticket_event WHERE kind = 'requester'",
            args![],
        )? {
            let (before, after) = (row.opt_text(2)?, row.opt_text(3)?);
            let theirs = |text: &Option<String>| text.as_ref().is_some_and(|t| self.is_theirs(t));
            if !theirs(&before) && !theirs(&after) {
                continue;
            }
            sql.execute(
                "UPDATE ticket_event SET before = ?3, after = ?4 WHERE ticket = ?1 AND n = ?2",
                args![
                    row.int(0)?,
                    row.int(1)?,
                    self.scrub.optional(before),
                    self.scrub.optional(after),
                ],
            )?;
        }
        Ok(())
    }

    /// What they wrote in the portal came from somebody. What is not decided yet is held for want
    /// of an account, and keeps its origin until then.
    pub(super) fn clear_origins(&self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        for id in &self.ids {
            let theirs = format!("{}{id}/", Origin::PORTAL);
            for row in sql.query(
                "SELECT id, origin FROM message WHERE origin LIKE ?1 ESCAPE '\\' \
                 AND state = 'done'",
                args![like_prefix(&theirs)],
            )? {
                let written = row.text(1)?;
                let Some(Origin::Portal { ticket, id, .. }) = Origin::parse(&written) else {
                    return Err(row.refuse(1, "an origin"));
                };
                let person = self.scrub.placeholder.clone();
                let origin = Origin::Portal { person, ticket, id }.key();
                sql.execute(
                    "UPDATE message SET origin = ?2 WHERE id = ?1",
                    args![row.text(0)?, origin],
                )?;
            }
        }
        Ok(())
    }
}

/// A pattern of what begins with `text`.
fn like_prefix(text: &str) -> String {
    like(text).trim_start_matches('%').to_owned()
}
