//! What must not be found in a store, in one statement each.

/// Each must find nothing; the first column is an id to look at.
pub(super) const NOTHING: &[(&str, &str)] = &[
    (
        "decisions without a message = 0",
        "SELECT d.message FROM decision d \
         WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = d.message)",
    ),
    (
        "messages done or held without a decision = 0",
        "SELECT m.id FROM message m WHERE m.state IN ('done', 'held') \
         AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.message = m.id)",
    ),
    (
        "messages pending that have a decision = 0",
        "SELECT m.id FROM message m JOIN decision d ON d.message = m.id \
         WHERE m.state NOT IN ('done', 'held')",
    ),
    (
        "messages waiting that nobody would claim = 0",
        "SELECT id FROM message WHERE state IN ('incoming', 'active', 'deferred') \
         AND (due_at IS NULL OR (state = 'active' AND leased_until IS NULL))",
    ),
    (
        "messages in an unknown state = 0",
        "SELECT id FROM message \
         WHERE state NOT IN ('incoming', 'active', 'deferred', 'held', 'done')",
    ),
    (
        "messages whose bytes are missing, but for those from before the start = 0",
        "SELECT m.id FROM message m WHERE NOT EXISTS \
           (SELECT 1 FROM raw_chunk r WHERE r.message = m.id) \
         AND NOT EXISTS (SELECT 1 FROM decision d \
           WHERE d.message = m.id AND d.reason = 'before_start')",
    ),
    (
        "held messages that a mailbox is told of = 0",
        "SELECT id FROM message WHERE state <> 'done' AND acknowledgement IN ('owed', 'done')",
    ),
    (
        "duplicates of a message that is not there = 0",
        "SELECT d.message FROM decision d WHERE d.reason = 'duplicate' AND NOT EXISTS \
           (SELECT 1 FROM message m WHERE m.id = d.duplicate_of)",
    ),
    (
        "accepted messages on no ticket = 0",
        "SELECT d.message FROM decision d WHERE d.outcome = 'accepted' \
         AND NOT (d.reason = 'bounce_attached' AND d.ticket IS NULL) AND NOT EXISTS \
           (SELECT 1 FROM ticket_message t WHERE t.message = d.message AND t.ticket = d.ticket) \
        ",
    ),
    (
        "messages on tickets that were not accepted = 0",
        "SELECT t.message FROM ticket_message t WHERE NOT EXISTS (SELECT 1 FROM decision d \
           WHERE d.message = t.message AND d.outcome = 'accepted')",
    ),
    (
        "tickets without a message, but for those merged into another = 0",
        "SELECT CAST(t.number AS TEXT) FROM ticket t \
         WHERE t.deleted_at IS NULL AND t.merged_into IS NULL AND NOT EXISTS \
           (SELECT 1 FROM ticket_message m WHERE m.ticket = t.number)",
    ),
    (
        "messages on a ticket that was merged into another = 0",
        "SELECT m.message FROM ticket_message m JOIN ticket t ON t.number = m.ticket \
         WHERE t.merged_into IS NOT NULL",
    ),
    (
        "messages on tickets by an unknown author = 0",
        "SELECT message FROM ticket_message WHERE author NOT IN ('machine', 'person', 'staff')",
    ),
    (
        "tickets in an unknown state or of an unknown priority = 0",
        "SELECT CAST(number AS TEXT) FROM ticket WHERE status NOT IN ('open', 'pending', 'closed') \
         OR (priority IS NOT NULL AND priority NOT IN ('low', 'normal', 'high', 'urgent'))",
    ),
    (
        "tickets whose changes are not numbered from 1 without a gap = 0",
        "SELECT CAST(ticket AS TEXT) FROM ticket_event GROUP BY ticket \
         HAVING MIN(n) <> 1 OR MAX(n) <> COUNT(*)",
    ),
    (
        "changes of an unknown kind, or by nobody known = 0",
        "SELECT CAST(ticket AS TEXT) FROM ticket_event \
         WHERE by_kind NOT IN ('agent', 'operator', 'user') \
         OR (by_kind = 'agent') <> (by_whom IS NOT NULL AND by_kind <> 'user') \
         OR kind NOT IN ('assignee', 'closed', 'department', 'merged', 'opened', 'priority', \
           'readers', 'released', 'reopened', 'requester', 'site', 'status', 'tags')",
    ),
    (
        "changes, tags and people of a ticket that is not there = 0",
        "SELECT CAST(e.ticket AS TEXT) FROM ticket_event e \
           WHERE NOT EXISTS (SELECT 1 FROM ticket t WHERE t.number = e.ticket) \
         UNION ALL SELECT CAST(g.ticket AS TEXT) FROM ticket_tag g \
           WHERE NOT EXISTS (SELECT 1 FROM ticket t WHERE t.number = g.ticket) \
         UNION ALL SELECT CAST(r.ticket AS TEXT) FROM ticket_role r \
           WHERE NOT EXISTS (SELECT 1 FROM ticket t WHERE t.number = r.ticket)",
    ),
    (
        "outgoing mails that tell of a message or a change that is not there = 0",
        "SELECT CAST(o.id AS TEXT) FROM outbox o WHERE \
           (o.about_message IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM ticket_message m WHERE m.message = o.about_message)) \
           OR (o.about_event IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM ticket_event e WHERE e.ticket = o.ticket AND e.n = o.about_event))",
    ),
    (
        "what was written at the counter that a mailbox is told of = 0",
        "SELECT id FROM message WHERE acknowledgement <> 'never' \
         AND (origin LIKE 'portal/%' OR origin LIKE 'staff/%')",
    ),
    (
        "users without an address = 0",
        "SELECT p.id FROM person p WHERE p.merged_into IS NULL AND NOT EXISTS \
           (SELECT 1 FROM person_address a WHERE a.person = p.id AND a.n = 0)",
    ),
    (
        "users merged into one that is not there, or who kept something = 0",
        "SELECT p.id FROM person p WHERE p.merged_into IS NOT NULL AND (p.status <> 'deleted' \
           OR NOT EXISTS (SELECT 1 FROM person o WHERE o.id = p.merged_into \
             AND o.merged_into IS NULL) \
           OR EXISTS (SELECT 1 FROM person_address a WHERE a.person = p.id) \
           OR EXISTS (SELECT 1 FROM ticket t WHERE t.person = p.id))",
    ),
    (
        "open sessions of users who are disabled or deleted = 0",
        "SELECT s.person FROM session s WHERE s.scope <> 'closed' AND NOT EXISTS \
           (SELECT 1 FROM person p WHERE p.id = s.person AND p.status = 'active')",
    ),
    (
        "passwords of deleted users = 0",
        "SELECT id FROM person WHERE status = 'deleted' AND password IS NOT NULL",
    ),
    (
        "outgoing mails about a ticket, a user or a message that is not there = 0",
        "SELECT CAST(o.id AS TEXT) FROM outbox o WHERE \
           (o.ticket IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM ticket t WHERE t.number = o.ticket)) \
           OR (o.person IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM person p WHERE p.id = o.person)) \
           OR (o.message IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM message m WHERE m.id = o.message))",
    ),
    (
        "users whose credentials are queued or sent without a mail = 0",
        // There is no index to look one up by, so all are compared at once.
        "SELECT id FROM person WHERE credentials = 'sent' AND made_by = 'mail' \
         EXCEPT SELECT person FROM outbox WHERE person IS NOT NULL",
    ),
    (
        "messages owed a user or a mail that are not decided = 0",
        "SELECT o.message FROM owed o WHERE NOT EXISTS \
           (SELECT 1 FROM decision d WHERE d.message = o.message)",
    ),
    (
        "decisions of an unknown outcome = 0",
        "SELECT message FROM decision WHERE outcome NOT IN ('accepted', 'held', 'ignored')",
    ),
    (
        "decisions to hold of messages that are done, and the other way round = 0",
        "SELECT m.id FROM message m JOIN decision d ON d.message = m.id \
         WHERE (m.state = 'done' AND d.outcome = 'held') \
         OR (m.state = 'held' AND d.outcome <> 'held')",
    ),
    (
        "decisions about another mailbox than their message's = 0",
        "SELECT m.id FROM message m JOIN decision d ON d.message = m.id \
         WHERE d.mailbox <> m.mailbox",
    ),
    (
        "decisions about a ticket that is not there = 0",
        "SELECT d.message FROM decision d WHERE d.ticket IS NOT NULL AND NOT EXISTS \
           (SELECT 1 FROM ticket t WHERE t.number = d.ticket)",
    ),
    (
        "messages leased that nobody works on = 0",
        "SELECT id FROM message \
         WHERE state <> 'active' AND (leased_by IS NOT NULL OR leased_until IS NOT NULL)",
    ),
    (
        "messages that a mailbox is told of in an unknown way = 0",
        "SELECT id FROM message WHERE acknowledgement NOT IN ('pending', 'owed', 'done', 'never')",
    ),
    (
        "messages done that their mailbox will never be told of = 0",
        "SELECT id FROM message WHERE state = 'done' AND acknowledgement = 'pending'",
    ),
    (
        "stubs that a mailbox is told of = 0",
        "SELECT id FROM message WHERE intake = 'stub' AND acknowledgement <> 'never'",
    ),
    (
        "contents of a message that is not there = 0",
        "SELECT c.message FROM content_key c \
         WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = c.message)",
    ),
    (
        "accepted messages whose content is not known = 0",
        // There is no index to look one up by, so all are compared at once.
        "SELECT message FROM decision WHERE outcome = 'accepted' \
         EXCEPT SELECT message FROM content_key",
    ),
    (
        "tickets whose messages are not numbered from 1 without a gap = 0",
        "SELECT CAST(ticket AS TEXT) FROM ticket_message GROUP BY ticket \
         HAVING MIN(n) <> 1 OR MAX(n) <> COUNT(*)",
    ),
    (
        "tickets linked to or merged into one that is not there = 0",
        "SELECT CAST(t.number AS TEXT) FROM ticket t WHERE \
           (t.linked_to IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM ticket o WHERE o.number = t.linked_to)) \
           OR (t.merged_into IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM ticket o WHERE o.number = t.merged_into))",
    ),
    (
        "users whose addresses are not numbered from 0 without a gap = 0",
        "SELECT person FROM person_address GROUP BY person \
         HAVING MIN(n) <> 0 OR MAX(n) <> COUNT(*) - 1",
    ),
    (
        "outgoing mails in an unknown state = 0",
        "SELECT CAST(id AS TEXT) FROM outbox WHERE state NOT IN \
           ('queued', 'sending', 'sent', 'failed', 'parked', 'cancelled', 'recorded')",
    ),
    (
        "outgoing mails being sent by nobody, or leased and not being sent = 0",
        "SELECT CAST(id AS TEXT) FROM outbox WHERE (state = 'sending') \
           <> (leased_by IS NOT NULL AND leased_until IS NOT NULL)",
    ),
    (
        "outgoing mails with fewer attempts than ended unknown = 0",
        "SELECT CAST(id AS TEXT) FROM outbox WHERE unsure < 0 OR attempts < unsure",
    ),
    (
        "outgoing mails sent without an attempt or a time = 0",
        "SELECT CAST(id AS TEXT) FROM outbox \
         WHERE state = 'sent' AND (attempts = 0 OR sent_at IS NULL)",
    ),
    (
        "outgoing mails attempted without a Message-ID of ours = 0",
        "SELECT CAST(id AS TEXT) FROM outbox WHERE attempts > 0 \
         AND message_id NOT LIKE 'g1_.%.%.%@%'",
    ),
    (
        "credentials of a mail that is not there = 0",
        "SELECT c.id FROM credential c WHERE c.outbox IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.id = c.outbox)",
    ),
];

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::{Durability, Location, Options, Store};

    /// A line of a query plan: its number, that of the line it belongs to, and what is done.
    struct Line {
        id: i64,
        parent: i64,
        does: String,
    }

    fn plan(store: &Store, statement: &str) -> Vec<Line> {
        let explain = format!("EXPLAIN QUERY PLAN {statement}");
        let rows = store.read_only(|sql| sql.query(&explain, &[])).expect("it is planned");
        let line = |row: &crate::store::Row| {
            Ok(Line { id: row.int(0)?, parent: row.int(1)?, does: row.text(3)? })
        };
        let lines: Result<_, crate::store::StoreError> = rows.iter().map(line).collect();
        lines.expect("a plan reads")
    }

    // A whole table is read for each row of another one.
    fn quadratic(plan: &[Line]) -> Option<&str> {
        let is_correlated = |mut id: i64| {
            while let Some(line) = plan.iter().find(|line| line.id == id) {
                if line.does.starts_with("CORRELATED") {
                    return true;
                }
                id = line.parent;
            }
            false
        };
        let is_inner = |at: usize| {
            plan[..at].iter().any(|line| {
                let is_loop = line.does.starts_with("SCAN") || line.does.starts_with("SEARCH");
                line.parent == plan[at].parent && is_loop
            })
        };
        let nested = plan.iter().enumerate().find(|(at, line)| {
            line.does.starts_with("SCAN") && (is_correlated(line.parent) || is_inner(*at))
        });
        nested.map(|(_, line)| line.does.as_str())
    }

    #[test]
    fn p_17_no_equation_reads_a_whole_table_for_each_row_of_another() {
        let options = Options { location: Location::Memory, durability: Durability::None };
        let store = Store::open(&options, Timestamp::UNIX_EPOCH).expect("it opens");
        for (what, statement) in NOTHING {
            let plan = plan(&store, statement);
            assert_eq!(quadratic(&plan), None, "{what}");
        }
        for bad in [
            "SELECT p.id FROM person p WHERE NOT EXISTS \
               (SELECT 1 FROM outbox o WHERE o.person = p.id)",
            "SELECT m.id FROM message m CROSS JOIN outbox o WHERE o.message > m.id",
        ] {
            assert!(quadratic(&plan(&store, bad)).is_some(), "{bad}");
        }
    }
}
