//! The books (P-17, interfaces §4): every message that was brought in is accounted for once, and
//! nothing hangs in the air. Reads only.

use super::{Sql, StoreError};
use crate::args;

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
        self.left == self.right
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
        let rows = sql.query(statement, args![])?;
        let examples =
            rows.iter().take(EXAMPLES).map(|row| row.text(0)).collect::<Result<_, _>>()?;
        let left = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        equations.push(Equation { what, left, right: 0, examples });
    }
    Ok(Books { stored, accepted, ignored, held, pending, equations })
}

const EXAMPLES: usize = 5;

// Each must find nothing; the first column is an id to look at.
const NOTHING: &[(&str, &str)] = &[
    (
        "decisions without a message = 0",
        "SELECT d.message FROM decision d \
         WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = d.message) LIMIT 1000",
    ),
    (
        "messages done or held without a decision = 0",
        "SELECT m.id FROM message m WHERE m.state IN ('done', 'held') \
         AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.message = m.id) LIMIT 1000",
    ),
    (
        "messages pending that have a decision = 0",
        "SELECT m.id FROM message m JOIN decision d ON d.message = m.id \
         WHERE m.state NOT IN ('done', 'held') LIMIT 1000",
    ),
    (
        "messages waiting that nobody would claim = 0",
        "SELECT id FROM message WHERE state IN ('incoming', 'active', 'deferred') \
         AND (due_at IS NULL OR (state = 'active' AND leased_until IS NULL)) LIMIT 1000",
    ),
    (
        "messages in an unknown state = 0",
        "SELECT id FROM message \
         WHERE state NOT IN ('incoming', 'active', 'deferred', 'held', 'done') LIMIT 1000",
    ),
    (
        "messages whose bytes are missing, but for those from before the start = 0",
        "SELECT m.id FROM message m WHERE NOT EXISTS \
           (SELECT 1 FROM raw_chunk r WHERE r.message = m.id) \
         AND NOT EXISTS (SELECT 1 FROM decision d \
           WHERE d.message = m.id AND d.reason = 'before_start') LIMIT 1000",
    ),
    (
        "held messages that a mailbox is told of = 0",
        "SELECT id FROM message WHERE state <> 'done' AND acknowledgement IN ('owed', 'done') \
         LIMIT 1000",
    ),
    (
        "duplicates of a message that is not there = 0",
        "SELECT d.message FROM decision d WHERE d.reason = 'duplicate' AND NOT EXISTS \
           (SELECT 1 FROM message m WHERE m.id = d.duplicate_of) LIMIT 1000",
    ),
    (
        "accepted messages on no ticket = 0",
        "SELECT d.message FROM decision d WHERE d.outcome = 'accepted' \
         AND NOT (d.reason = 'bounce_attached' AND d.ticket IS NULL) AND NOT EXISTS \
           (SELECT 1 FROM ticket_message t WHERE t.message = d.message AND t.ticket = d.ticket) \
         LIMIT 1000",
    ),
    (
        "messages on tickets that were not accepted = 0",
        "SELECT t.message FROM ticket_message t WHERE NOT EXISTS (SELECT 1 FROM decision d \
           WHERE d.message = t.message AND d.outcome = 'accepted') LIMIT 1000",
    ),
    (
        "tickets without a message = 0",
        "SELECT CAST(t.number AS TEXT) FROM ticket t WHERE t.deleted_at IS NULL AND NOT EXISTS \
           (SELECT 1 FROM ticket_message m WHERE m.ticket = t.number) LIMIT 1000",
    ),
    (
        "users without an address = 0",
        "SELECT p.id FROM person p WHERE NOT EXISTS \
           (SELECT 1 FROM person_address a WHERE a.person = p.id AND a.n = 0) LIMIT 1000",
    ),
    (
        "outgoing mails about a ticket, a user or a message that is not there = 0",
        "SELECT CAST(o.id AS TEXT) FROM outbox o WHERE \
           (o.ticket IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM ticket t WHERE t.number = o.ticket)) \
           OR (o.person IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM person p WHERE p.id = o.person)) \
           OR (o.message IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM message m WHERE m.id = o.message)) LIMIT 1000",
    ),
    (
        "users whose credentials are queued or sent without a mail = 0",
        "SELECT p.id FROM person p WHERE p.credentials = 'sent' AND p.made_by = 'mail' \
         AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.person = p.id) LIMIT 1000",
    ),
    (
        "messages owed a user or a mail that are not decided = 0",
        "SELECT o.message FROM owed o WHERE NOT EXISTS \
           (SELECT 1 FROM decision d WHERE d.message = o.message) LIMIT 1000",
    ),
];
