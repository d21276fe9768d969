//! The tickets that a message's evidence leads to (M-79, M-83, M-86). What strangers can
//! write is bounded: whoever names an id in a thousand messages pushes no other ticket out.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{SITE_COLUMNS, SITE_FIELDS, site};
use crate::mail::AddressKey;
use crate::store::sql::{padded, placeholders};
use crate::store::tickets::{self, known, parse_role};
use crate::store::{Row, Sql, StoreError, Value};
use crate::triage::facts::{Questions, SiteMatch, TicketEvidence, TicketFacts, TicketStatus};

// Candidates handed to `decide`.
const CANDIDATES: usize = 10;
// Subject tags looked at: nobody writes more in earnest.
const TAGS: usize = 10;
// Merged tickets followed (M-86).
const REDIRECTS: i64 = 10;
// Tickets read for all references together.
const ROWS: i64 = 100;

/// At most ten tickets, in the order of the evidence; deleted ones are no evidence, merged ones
/// lead to their target.
pub(super) fn candidates(
    sql: &mut dyn Sql,
    key: Option<&AddressKey>,
    questions: &Questions,
) -> Result<Vec<TicketFacts>, StoreError> {
    let references = &questions.references;
    let tags = &questions.tagged[..questions.tagged.len().min(TAGS)];
    // What is signed goes first, what only stands in the subject last.
    let signed = questions.signed.tickets.iter().map(|ticket| (ticket.number, &ticket.evidence));
    let before = questions.signed.tickets.len();
    let named: Vec<(i64, &TicketEvidence)> =
        signed.chain(tags.iter().map(|number| (*number, &TicketEvidence::SubjectTag))).collect();
    let order: HashMap<&str, usize> = references
        .iter()
        .enumerate()
        .rev()
        .map(|(n, reference)| (reference.id.as_str(), n))
        .collect();
    let ids = padded(references.iter().map(|reference| reference.id.as_str()));
    let numbers = padded(named.iter().map(|(number, _)| *number));
    let mut found = Vec::new();
    for row in read(sql, key, ids, numbers)? {
        if let Some(id) = row.opt_text(FIELDS)? {
            let Some(&rank) = order.get(id.as_str()) else { continue };
            let evidence = TicketEvidence::Reference {
                id: references[rank].id.clone(),
                found_in: references[rank].found_in,
                seen: row.flag(FIELDS + 1)?,
            };
            found.push(Candidate::read(&row, before + rank, evidence)?);
            continue;
        }
        let number = row.int(0)?;
        let ranked = named.iter().enumerate().filter(|(_, (named, _))| *named == number);
        for (n, (_, evidence)) in ranked {
            let rank = if n < before { n } else { n + references.len() };
            found.push(Candidate::read(&row, rank, (*evidence).clone())?);
        }
    }
    follow_redirects(sql, key, &mut found)?;
    let mut chosen = choose(found);
    if questions.is_of_staff {
        for ticket in &mut chosen {
            ticket.requester = tickets::requester(sql, ticket.number)?;
        }
    }
    if !questions.known.is_empty() {
        let numbers: Vec<i64> = chosen.iter().map(|ticket| ticket.number).collect();
        let mut known = known(sql, &numbers)?;
        for ticket in &mut chosen {
            ticket.known = known.remove(&ticket.number).unwrap_or_default();
        }
    }
    Ok(chosen)
}

struct Candidate {
    /// Where its evidence stands among all of the message's.
    rank: usize,
    seen: bool,
    merged: bool,
    facts: TicketFacts,
}

impl Candidate {
    fn read(row: &Row, rank: usize, evidence: TicketEvidence) -> Result<Candidate, StoreError> {
        let seen = !matches!(evidence, TicketEvidence::Reference { seen: false, .. });
        let role = match row.opt_text(7)? {
            Some(_) => Some(row.parsed(7, "a role", parse_role)?),
            None => None,
        };
        Ok(Candidate {
            rank,
            seen,
            merged: row.opt_int(6)?.is_some(),
            facts: TicketFacts {
                number: row.int(0)?,
                evidence,
                status: row.parsed(1, "a ticket's status", TicketStatus::parse)?,
                staff_only: row.flag(2)?,
                closed_at: row.opt_time(3)?,
                last_message_at: row.time(4)?,
                subject: row.text(5)?,
                assignee: row.opt_text(8)?.map(AddressKey),
                requester: None,
                sender_role: role,
                site: site(row, TICKET_FIELDS, SiteMatch::Kept)?,
                known: HashSet::new(),
            },
        })
    }
}

// Ten at most. When there are more, those the sender has a part in go before those they have not,
// and ids that were seen before ids that were only named; what is kept stays in its order.
fn choose(mut found: Vec<Candidate>) -> Vec<TicketFacts> {
    prefer_what_was_seen(&mut found);
    found.sort_by_key(|candidate| {
        let newest = std::cmp::Reverse(candidate.facts.last_message_at);
        (candidate.rank, !candidate.seen, newest)
    });
    let mut numbers = HashSet::new();
    found.retain(|candidate| numbers.insert(candidate.facts.number));
    if found.len() > CANDIDATES {
        let mut by_weight: Vec<usize> = (0..found.len()).collect();
        by_weight.sort_by_key(|&n| (found[n].facts.sender_role.is_none(), !found[n].seen, n));
        let kept: HashSet<usize> = by_weight.into_iter().take(CANDIDATES).collect();
        let mut n = 0;
        found.retain(|_| {
            n += 1;
            kept.contains(&(n - 1))
        });
    }
    found.into_iter().map(|candidate| candidate.facts).collect()
}

// A ticket that was found by hearsay, and by a reference that is none as well, stands in the place of
// the first and is found by the second: M-80 lets more people in by that.
fn prefer_what_was_seen(found: &mut [Candidate]) {
    let mut places: HashMap<i64, usize> = HashMap::new();
    for by_hearsay in found.iter().filter(|one| one.facts.evidence.is_hearsay()) {
        let place = places.entry(by_hearsay.facts.number).or_insert(by_hearsay.rank);
        *place = by_hearsay.rank.min(*place);
    }
    for candidate in found {
        let evidence = &candidate.facts.evidence;
        if matches!(evidence, TicketEvidence::Reference { .. }) && !evidence.is_hearsay() {
            let place = places.get(&candidate.facts.number).copied();
            candidate.rank = candidate.rank.min(place.unwrap_or(candidate.rank));
        }
    }
}

// M-86: the target of a merged ticket takes its place, with the evidence that led there; a circle
// leads nowhere.
fn follow_redirects(
    sql: &mut dyn Sql,
    key: Option<&AddressKey>,
    found: &mut Vec<Candidate>,
) -> Result<(), StoreError> {
    let merged: Vec<i64> =
        found.iter().filter(|one| one.merged).map(|one| one.facts.number).collect();
    if merged.is_empty() {
        return Ok(());
    }
    let list = padded(merged);
    let statement = format!(
        "WITH RECURSIVE hop (origin, number, n) AS ( \
           SELECT number, merged_into, 1 FROM ticket WHERE number IN ({}) \
           UNION ALL SELECT h.origin, t.merged_into, h.n + 1 FROM hop h \
             JOIN ticket t ON t.number = h.number \
             WHERE t.merged_into IS NOT NULL AND h.n < {REDIRECTS}) \
         SELECT h.origin, h.number FROM hop h JOIN ticket t ON t.number = h.number \
         WHERE t.merged_into IS NULL",
        placeholders(1, list.len())
    );
    let mut targets = BTreeMap::new();
    for row in sql.query(&statement, &list)? {
        targets.insert(row.int(0)?, row.int(1)?);
    }
    let (old, rest): (Vec<_>, Vec<_>) =
        std::mem::take(found).into_iter().partition(|candidate| candidate.merged);
    *found = rest;
    let numbers = padded(targets.values().copied());
    for row in read(sql, key, Vec::new(), numbers)? {
        let number = row.int(0)?;
        for from in old.iter().filter(|from| targets.get(&from.facts.number) == Some(&number)) {
            found.push(Candidate::read(&row, from.rank, from.facts.evidence.clone())?);
        }
    }
    Ok(())
}

// The tickets that the ids lead to, each with the id and whether that was seen; and those of the
// numbers. `MAX` finds the strongest role, since their words happen to stand in that order. Who the
// requester is, the ticket's user says: an address that was theirs once is nobody's here (T-02).
fn read(
    sql: &mut dyn Sql,
    key: Option<&AddressKey>,
    ids: Vec<Value>,
    numbers: Vec<Value>,
) -> Result<Vec<Row>, StoreError> {
    let columns = format!(
        "SELECT t.number, t.status, t.staff_only, t.closed_at, t.last_message_at, t.subject, \
           t.merged_into, CASE WHEN t.person = (SELECT mine.person FROM person_address mine \
             WHERE mine.address_key = ?1) THEN 'requester' ELSE \
             (SELECT MAX(r.role) FROM ticket_role r WHERE r.ticket = t.number \
               AND (t.person IS NULL OR r.role <> 'requester') \
               AND (r.address_key = ?1 OR r.address_key IN (SELECT other.address_key \
                 FROM person_address mine JOIN person_address other \
                   ON other.person = mine.person \
                 WHERE mine.address_key = ?1))) END AS role, t.assignee, {SITE_COLUMNS}"
    );
    let mut parts = Vec::new();
    if !ids.is_empty() {
        // The ids first: PostgreSQL, when it knows little of the tables, goes through all tickets.
        parts.push(format!(
            "SELECT * FROM (WITH i AS MATERIALIZED \
               (SELECT id, ticket, seen FROM thread_id WHERE id IN ({})) \
             {columns}, i.id AS named, i.seen FROM i JOIN ticket t ON t.number = i.ticket \
             JOIN site s ON s.id = t.site WHERE t.deleted_at IS NULL \
             ORDER BY role DESC NULLS LAST, i.seen DESC, t.last_message_at DESC LIMIT {ROWS}) AS n",
            placeholders(2, ids.len())
        ));
    }
    if !numbers.is_empty() {
        parts.push(format!(
            "{columns}, NULL AS named, NULL AS seen FROM ticket t JOIN site s ON s.id = t.site \
             WHERE t.number IN ({}) AND t.deleted_at IS NULL",
            placeholders(2 + ids.len(), numbers.len())
        ));
    }
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let mut values = vec![Value::from(key)];
    values.extend(ids);
    values.extend(numbers);
    sql.query(&parts.join(" UNION ALL "), &values)
}

const TICKET_FIELDS: usize = 9;
const FIELDS: usize = TICKET_FIELDS + SITE_FIELDS;
