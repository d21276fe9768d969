//! What a desk has come to, in words that are the same however often it was killed on the way: no
//! ids, no numbers (gaps are fine), no times but those of arrival.

use std::collections::BTreeMap;

use guichet::args;
use guichet::store::{Sql, StoreError, audit};

use crate::desks::{Office, Way};
use crate::post::id_of;

/// What a desk has come to.
#[derive(Clone)]
pub struct Outcome {
    /// By what they are about.
    pub rows: BTreeMap<&'static str, Vec<String>>,
    pub mailbox: Vec<String>,
}

/// Mail of ours that two ends nobody knows have left unsent (design §4.6).
pub type Parked = usize;

// One text for each row.
const ROWS: &[(&str, &str)] = &[
    (
        "decisions",
        "SELECT CAST(m.arrived_at AS TEXT) || ' ' || d.outcome || ' ' || d.reason || ' on ' || \
           COALESCE(t.subject, 'none') || ' ' || m.state || ' ' || m.acknowledgement || ' ' || \
           m.intake FROM message m \
         LEFT JOIN decision d ON d.message = m.id LEFT JOIN ticket t ON t.number = d.ticket",
    ),
    ("undecided", "SELECT m.origin FROM message m WHERE m.state NOT IN ('done', 'held')"),
    (
        "tickets",
        "SELECT t.subject || ' ' || t.status || ' ' || t.requester_key || ' of ' || \
           COALESCE(a.address_key, 'nobody') || ' at ' || s.name || ' linked to ' || \
           COALESCE(l.subject, 'none') || ' messages ' || \
           CAST((SELECT COUNT(*) FROM ticket_message x WHERE x.ticket = t.number) AS TEXT) || \
           ' roles ' || \
           CAST((SELECT COUNT(*) FROM ticket_role r WHERE r.ticket = t.number) AS TEXT) \
         FROM ticket t JOIN site s ON s.id = t.site LEFT JOIN ticket l ON l.number = t.linked_to \
         LEFT JOIN person_address a ON a.person = t.person AND a.n = 0",
    ),
    (
        "messages",
        "SELECT t.subject || ' ' || CAST(x.n AS TEXT) || ' ' || x.author || ' ' || x.subject || \
           ' ' || CAST(LENGTH(x.body) AS TEXT) || ' ' || x.flags || ' ' || \
           CASE x.author WHEN 'person' THEN x.attachments ELSE '' END \
         FROM ticket_message x JOIN ticket t ON t.number = x.ticket",
    ),
    (
        "users",
        "SELECT a.address_key || ' ' || p.first_name || ' ' || p.last_name || ' ' || p.status || \
           ' at ' || s.name || ' credentials ' || p.credentials || ' ' || \
           COALESCE(p.credentials_withheld, '') || ' ' || CAST(a.undeliverable AS TEXT) \
         FROM person p JOIN person_address a ON a.person = p.id JOIN site s ON s.id = p.site",
    ),
    (
        "mails",
        "SELECT o.template || ' to ' || o.to_key || ' ' || o.state || ' about ' || \
           COALESCE(t.subject, 'none') || ' ' || COALESCE(o.bounce, '') \
         FROM outbox o LEFT JOIN ticket t ON t.number = o.ticket WHERE o.state <> 'parked'",
    ),
    ("known", "SELECT DISTINCT k.message_id FROM content_key k"),
    ("owed", "SELECT message FROM owed WHERE due_at < 10"),
    ("leases", "SELECT 'process ' || name FROM worker"),
    ("mails in hand", "SELECT to_key FROM outbox WHERE state IN ('queued', 'sending')"),
    ("mailboxes in hand", "SELECT mailbox FROM mailbox_lease WHERE leased_by IS NOT NULL"),
    ("tags", "SELECT tags FROM mailbox"),
];

impl Outcome {
    /// The books balance (P-17), nothing hangs in the air, each mail of ours arrived once or twice
    /// with one Message-ID (P-03).
    pub fn of(office: &Office) -> (Outcome, Parked) {
        let store = office.store();
        let (rows, mails, books) = store
            .read_only(|sql| Ok((rows(sql)?, mails(sql)?, audit::audit(sql)?)))
            .expect("the store reads");
        let wrong: Vec<_> = books.imbalances().collect();
        assert!(wrong.is_empty(), "P-17: {wrong:?}");
        for empty in ["undecided", "owed", "leases", "mails in hand", "mailboxes in hand"] {
            assert_eq!(rows[empty], Vec::<String>::new(), "{empty}: an operator would be needed");
        }
        let parked = check_mails(office, &mails);
        (Outcome { rows, mailbox: office.mailbox_now() }, parked)
    }

    /// What is here and not there, and the other way round, a line each; nothing when both are alike.
    pub fn differences(&self, expected: &Outcome) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, here: &[String], there: &[String]| {
            let only = |one: &[String], other: &[String]| -> Vec<String> {
                one.iter().filter(|line| !other.contains(line)).cloned().collect()
            };
            found.extend(
                only(here, there).iter().map(|line| format!("{what}: not expected: {line}")),
            );
            found.extend(only(there, here).iter().map(|line| format!("{what}: missing: {line}")));
            if here.len() != there.len() {
                found.push(format!("{what}: {} instead of {}", here.len(), there.len()));
            }
        };
        for (what, rows) in &self.rows {
            compare(what, rows, &expected.rows[what]);
        }
        compare("mailbox", &self.mailbox, &expected.mailbox);
        found
    }
}

/// A mail of ours as the store has it.
struct Mail {
    id: String,
    state: String,
    unsure: i64,
}

fn rows(sql: &mut dyn Sql) -> Result<BTreeMap<&'static str, Vec<String>>, StoreError> {
    let read = |(what, statement): &(&'static str, &'static str)| {
        let found = sql.query(statement, args![])?;
        let mut texts = found
            .iter()
            .map(|row| Ok(row.opt_text(0)?.unwrap_or_default()))
            .collect::<Result<Vec<String>, StoreError>>()?;
        texts.sort();
        Ok((*what, texts))
    };
    ROWS.iter().map(read).collect()
}

fn mails(sql: &mut dyn Sql) -> Result<Vec<Mail>, StoreError> {
    let rows = sql.query("SELECT message_id, state, unsure FROM outbox", args![])?;
    rows.iter()
        .map(|row| Ok(Mail { id: row.text(0)?, state: row.text(1)?, unsure: row.int(2)? }))
        .collect()
}

fn check_mails(office: &Office, mails: &[Mail]) -> Parked {
    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for mail in office.arrived() {
        *copies.entry(id_of(&mail)).or_default() += 1;
    }
    let mut parked = 0;
    for Mail { id, state, unsure } in mails {
        let count = copies.remove(id).unwrap_or(0);
        match state.as_str() {
            // Nobody knows how two attempts ended: there is no third (P-03).
            "parked" => {
                assert!(*unsure >= 2 && count <= 2, "P-03: {id}, {unsure} unsure, {count} copies");
                parked += 1;
            }
            _ => {
                let most = if office.kind.way == Way::File { 1 } else { 2 };
                assert!((1..=most).contains(&count), "P-03: {id} {state}, {count} copies");
            }
        }
    }
    assert_eq!(copies, BTreeMap::new(), "P-03: mail that no row of the store knows");
    parked
}
