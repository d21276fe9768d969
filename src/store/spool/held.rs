//! What becomes of a message that was set aside: it walks again, or it is dropped; and who says so.

use jiff::Timestamp;

use crate::args;
use crate::store::tickets::By;
use crate::store::{Sql, StoreError, decisions};
use crate::triage::Step;
use crate::triage::plan::{Outcome, Reason};

/// Sends a held message on its walk again, its decision taken back; answers whether it was held. The
/// story of the next decision says who let it go.
pub fn release_held(sql: &mut dyn Sql, id: &str, by: &By) -> Result<bool, StoreError> {
    // What ended whoever read it is not read here again without a trial (P-12).
    let changed = sql.execute(
        "UPDATE message SET state = 'incoming', due_at = arrived_at, released_by = ?3, attempts = \
           (SELECT COUNT(*) FROM decision \
            WHERE decision.message = message.id AND decision.reason = ?2) \
         WHERE id = ?1 AND state = 'held'",
        args![id, Reason::InternalError.as_str(), whom(by)],
    )?;
    if changed == 1 {
        decisions::take_back(sql, id)?;
    }
    Ok(changed == 1)
}

/// Drops a held message: `ignored`/`dropped` replaces its decision, the mailbox may be told;
/// its story says by whom. Answers whether it was held.
pub fn drop_held(sql: &mut dyn Sql, id: &str, by: &By, now: Timestamp) -> Result<bool, StoreError> {
    let changed = sql.execute(
        "UPDATE message SET state = 'done', acknowledgement = \
           CASE acknowledgement WHEN 'pending' THEN 'owed' ELSE acknowledgement END \
         WHERE id = ?1 AND state = 'held'",
        args![id],
    )?;
    if changed == 1 {
        let step = step("dropped", &whom(by));
        decisions::replace(sql, id, Outcome::Ignored, Reason::Dropped, step, now)?;
    }
    Ok(changed == 1)
}

/// The step of a story that says who let the message go, as [`release_held`] noted it.
pub fn released(by: &str) -> Step {
    step("released", by)
}

fn step(what: &str, whom: &str) -> Step {
    let whom = if whom == OPERATOR { "an operator" } else { whom };
    Step { rule: "§4".to_owned(), said: format!("{what} by {whom}"), key: None }
}

const OPERATOR: &str = "operator";

fn whom(by: &By) -> String {
    match by {
        By::Agent(key) => key.as_str().to_owned(),
        By::Operator | By::User(_) => OPERATOR.to_owned(),
    }
}
