//! The books (P-17, interfaces §4): every message that was brought in is accounted for once, and
//! nothing hangs in the air. Reads only, on one view of the store.

mod frames;
mod nothing;
mod uids;

use super::{Sql, StoreError, numbers};
use crate::{args, faults};
use nothing::NOTHING;

/// The sums of the store, and what must hold between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Books {
    /// Messages in the ledger.
    pub stored: i64,
    pub accepted: i64,
    pub ignored: i64,
    pub held: i64,
    /// Not decided yet.
    pub pending: i64,
    pub equations: Vec<Equation>,
}

/// Two sums that must be equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equation {
    /// What is compared, in words.
    pub what: &'static str,
    pub left: i64,
    pub right: i64,
    /// Some ids of what is too much, when it can be told.
    pub examples: Vec<String>,
}

impl Equation {
    /// Whether both sides are equal.
    pub fn holds(&self) -> bool {
        self.left == self.right || !faults::stands("P-17-books")
    }
}

impl Books {
    /// Whether every equation holds.
    pub fn balance(&self) -> bool {
        self.equations.iter().all(Equation::holds)
    }

    /// The equations that do not hold.
    pub fn imbalances(&self) -> impl Iterator<Item = &Equation> {
        self.equations.iter().filter(|equation| !equation.holds())
    }
}

/// Adds everything up.
pub fn audit(sql: &mut dyn Sql) -> Result<Books, StoreError> {
    let mut count = |statement: &str| -> Result<i64, StoreError> {
        sql.query_one(statement, args![])?.map_or(Ok(0), |row| row.int(0))
    };
    let stored = count("SELECT COUNT(*) FROM message")?;
    let accepted = count("SELECT COUNT(*) FROM decision WHERE outcome = 'accepted'")?;
    let ignored = count("SELECT COUNT(*) FROM decision WHERE outcome = 'ignored'")?;
    let held = count("SELECT COUNT(*) FROM decision WHERE outcome = 'held'")?;
    let pending =
        count("SELECT COUNT(*) FROM message WHERE state IN ('incoming', 'active', 'deferred')")?;
    let done = count("SELECT COUNT(*) FROM message WHERE state = 'done'")?;
    let set_aside = count("SELECT COUNT(*) FROM message WHERE state = 'held'")?;
    let on_tickets = count("SELECT COUNT(*) FROM ticket_message")?;
    // A mail of ours that is about no ticket may come back all the same: credentials.
    let bounces = count(
        "SELECT COUNT(*) FROM decision WHERE outcome = 'accepted' \
         AND reason = 'bounce_attached' AND ticket IS NULL",
    )?;
    let equal = |what, left, right| Equation { what, left, right, examples: Vec::new() };
    let mut equations = vec![
        equal(
            "stored = accepted + ignored + held + pending",
            stored,
            accepted + ignored + held + pending,
        ),
        equal("messages done = accepted + ignored", done, accepted + ignored),
        equal("messages held = decisions to hold", set_aside, held),
        equal(
            "accepted = messages on tickets + bounces of mails about no ticket",
            accepted,
            on_tickets + bounces,
        ),
    ];
    for (what, statement) in NOTHING {
        equations.push(nothing(sql, what, &format!("{statement} LIMIT {MOST}"))?);
    }
    for (what, table, key) in NUMBERED {
        let last = numbers::last(sql, table, key)?.unwrap_or(0);
        let above = format!(
            "SELECT CAST({key} AS TEXT) FROM {table} WHERE {key} > {last} ORDER BY {key} LIMIT {MOST}"
        );
        equations.push(nothing(sql, what, &above)?);
    }
    equations.push(uids::equation(sql)?);
    equations.extend(frames::equations(sql)?);
    Ok(Books { stored, accepted, ignored, held, pending, equations })
}

// Ids shown of what is wrong, and how many are counted.
const EXAMPLES: usize = 5;
const MOST: usize = 1000;

// What is given a number by the database, and would be given one twice.
const NUMBERED: &[(&str, &str, &str)] = &[
    ("tickets above the last number given out = 0", "ticket", "number"),
    ("outgoing mails above the last number given out = 0", "outbox", "id"),
];

// The first column of what is found is an id to look at.
fn nothing(sql: &mut dyn Sql, what: &'static str, statement: &str) -> Result<Equation, StoreError> {
    let rows = sql.query(statement, args![])?;
    let examples = rows.iter().take(EXAMPLES).map(|row| row.text(0)).collect::<Result<_, _>>()?;
    let left = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    Ok(Equation { what, left, right: 0, examples })
}
