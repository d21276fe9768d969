//! What becomes of a message that was set aside: it walks again, or it is dropped.

use jiff::Timestamp;

use crate::args;
use crate::store::{Sql, StoreError, decisions};
use crate::triage::plan::{Outcome, Reason};

/// Sends a held message on its walk again, its decision taken back; answers whether it was held.
pub fn release_held(sql: &mut dyn Sql, id: &str) -> Result<bool, StoreError> {
    // What ended whoever read it is not read here again without a trial (P-12).
    let changed = sql.execute(
        "UPDATE message SET state = 'incoming', due_at = arrived_at, attempts = \
           (SELECT COUNT(*) FROM decision \
            WHERE decision.message = message.id AND decision.reason = ?2) \
         WHERE id = ?1 AND state = 'held'",
        args![id, Reason::InternalError.as_str()],
    )?;
    if changed == 1 {
        decisions::take_back(sql, id)?;
    }
    Ok(changed == 1)
}

/// Drops a held message: `ignored`/`dropped` replaces its decision, the mailbox may be told;
/// answers whether it was held.
pub fn drop_held(sql: &mut dyn Sql, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let changed = sql.execute(
        "UPDATE message SET state = 'done', acknowledgement = \
           CASE acknowledgement WHEN 'pending' THEN 'owed' ELSE acknowledgement END \
         WHERE id = ?1 AND state = 'held'",
        args![id],
    )?;
    if changed == 1 {
        decisions::replace(sql, id, Outcome::Ignored, Reason::Dropped, now)?;
    }
    Ok(changed == 1)
}
