//! Looks for damage in what is stored: every raw message is decompressed, which checks its bytes, and
//! compared with the ledger. A bounded number at a time, each in a view of its own, so that it can
//! take long beside a daemon that works.

use super::{Sql, Store, StoreError, spool};
use crate::args;

// Messages looked at in one view, and problems named one by one.
const TOGETHER: usize = 64;
const NAMED: usize = 20;

/// What is wrong with the raw messages, a sentence each.
pub(super) fn raw_messages(store: &Store) -> Result<Vec<String>, StoreError> {
    let mut problems = Vec::new();
    let (mut after, mut unnamed) = (String::new(), 0);
    loop {
        let from = after.clone();
        let looked_at = store.read_only(move |sql| look(sql, &from))?;
        let Some((last, _)) = looked_at.last() else { break };
        after = last.clone();
        for (_, problem) in looked_at {
            match problem {
                Some(problem) if problems.len() < NAMED => problems.push(problem),
                Some(_) => unnamed += 1,
                None => {}
            }
        }
    }
    if unnamed > 0 {
        problems.push(format!("{unnamed} more messages are damaged"));
    }
    Ok(problems)
}

// The messages after this one, each with its problem.
fn look(sql: &mut dyn Sql, after: &str) -> Result<Vec<(String, Option<String>)>, StoreError> {
    let rows = sql.query(
        &format!(
            "SELECT id, origin, mailbox FROM message WHERE id > ?1 ORDER BY id LIMIT {TOGETHER}"
        ),
        args![after],
    )?;
    let mut looked_at = Vec::with_capacity(rows.len());
    for row in &rows {
        let id = row.text(0)?;
        let problem = match spool::raw(sql, &id) {
            // Whether it should have any is the books' business.
            Ok(_) => None,
            Err(StoreError::DamagedMessage { said, .. }) => Some(said),
            Err(error) => return Err(error),
        };
        let problem = match problem {
            Some(said) => Some(format!(
                "the message `{id}` (`{}` of the mailbox `{}`) is damaged: {said}",
                row.text(1)?,
                row.text(2)?
            )),
            None => None,
        };
        looked_at.push((id, problem));
    }
    Ok(looked_at)
}
