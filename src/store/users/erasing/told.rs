//! What was told about a person: the stories of decisions, and mail of ours.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Clearing, Found, Work};
use crate::args;
use crate::store::tickets::By;
use crate::store::{Row, Sql, StoreError, spool};
use crate::triage::plan::Story;

impl Work<'_> {
    /// Whatever was decided about their mail, and about that of others on their tickets.
    pub(super) fn decided(
        &self,
        sql: &mut dyn Sql,
        tickets: &BTreeSet<i64>,
        messages: &[Found],
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut told: BTreeSet<String> =
            messages.iter().map(|found| found.message.clone()).collect();
        let mut take = |rows: Vec<Row>| -> Result<(), StoreError> {
            for row in rows {
                told.insert(row.text(0)?);
            }
            Ok(())
        };
        for ticket in tickets {
            take(sql.query("SELECT message FROM decision WHERE ticket = ?1", args![*ticket])?)?;
        }
        // Not what somebody else wrote whose address it was before.
        let nobody_elses = "AND NOT EXISTS (SELECT 1 FROM ticket_message m \
            WHERE m.message = decision.message AND m.person <> ?2)";
        for key in &self.keys {
            let statement = format!(
                "SELECT message FROM decision \
                 WHERE (sender_key = ?1 OR LOWER(from_address) = ?1) {nobody_elses}"
            );
            take(sql.query(&statement, args![key, &self.user.id])?)?;
        }
        for one in &self.user.addresses {
            let address = one.address.to_lowercase();
            let statement = format!(
                "SELECT message FROM decision WHERE LOWER(from_address) = ?1 {nobody_elses}"
            );
            take(sql.query(&statement, args![address, &self.user.id])?)?;
        }
        for found in messages {
            take(sql.query(
                "SELECT message FROM decision WHERE duplicate_of = ?1",
                args![&found.message],
            )?)?;
        }
        Ok(told)
    }

    pub(super) fn clear_decision(
        &mut self,
        sql: &mut dyn Sql,
        message: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = sql.query_one(
            "SELECT from_address, subject, sender_key, story, outcome FROM decision \
             WHERE message = ?1",
            args![message],
        )?;
        let Some(row) = row else { return Ok(()) };
        if row.text(4)? == "held" {
            spool::drop_held(sql, message, &By::Operator, now)?;
            self.cleared.dropped += 1;
        }
        let from = row.opt_text(0)?;
        let is_theirs = from
            .as_deref()
            .is_some_and(|from| self.is_theirs(from) || self.former.contains(&from.to_lowercase()));
        let from = if is_theirs { Some(self.scrub.placeholder.clone()) } else { from };
        let counts_for_them = row.opt_text(2)?.is_some_and(|key| self.keys.contains(&key));
        let story = row.text(3)?;
        let (subject, story) = match self.clearing {
            Clearing::Anonymize => (
                self.scrub.optional(row.opt_text(1)?),
                self.scrub.json(&story).ok_or_else(|| row.refuse(3, "a story in JSON"))?,
            ),
            Clearing::Delete => {
                (None, bare(&story).ok_or_else(|| row.refuse(3, "a story in JSON"))?)
            }
        };
        sql.execute(
            "UPDATE decision SET from_address = ?2, subject = ?3, story = ?4, \
               sender_key = CASE CAST(?5 AS BIGINT) WHEN 1 THEN NULL ELSE sender_key END, \
               sender_domain = CASE CAST(?5 AS BIGINT) WHEN 1 THEN NULL ELSE sender_domain END, \
               counted_at = CASE CAST(?5 AS BIGINT) WHEN 1 THEN NULL ELSE counted_at END WHERE message = ?1",
            args![message, from, subject, story, counts_for_them],
        )?;
        sql.execute("DELETE FROM owed WHERE message = ?1", args![message])?;
        if spool::has_raw(sql, message)? {
            self.clear_raw(sql, message)?;
        }
        Ok(())
    }

    /// Clears mail of ours; what has not gone yet does not go: there is nobody it could go to.
    pub(super) fn clear_mails(
        &mut self,
        sql: &mut dyn Sql,
        tickets: &BTreeSet<i64>,
        messages: &[Found],
    ) -> Result<(), StoreError> {
        let columns =
            "SELECT id, to_key, subject, body, response, bounce, person FROM outbox WHERE";
        let mut rows = sql.query(&format!("{columns} person = ?1"), args![&self.user.id])?;
        for key in &self.keys {
            rows.extend(sql.query(
                &format!("{columns} to_key = ?1 AND (person IS NULL OR person = ?2)"),
                args![key, &self.user.id],
            )?);
        }
        for ticket in tickets {
            rows.extend(sql.query(&format!("{columns} ticket = ?1"), args![*ticket])?);
        }
        // What staff was told of what they wrote on the tickets of others.
        for found in messages.iter().filter(|found| found.is_theirs) {
            rows.extend(
                sql.query(&format!("{columns} about_message = ?1"), args![&found.message])?,
            );
        }
        let mut seen = BTreeSet::new();
        for row in rows {
            let id = row.int(0)?;
            if !seen.insert(id) {
                continue;
            }
            let is_to_them = self.keys.contains(&row.text(1)?)
                || row.opt_text(6)?.as_deref() == Some(&self.user.id);
            let left = |column| match self.clearing {
                Clearing::Anonymize => Ok(self.scrub.optional(row.opt_text(column)?)),
                Clearing::Delete => Ok::<_, StoreError>(None),
            };
            sql.execute(
                "UPDATE outbox SET subject = ?2, body = ?3, response = ?4, bounce = ?5, \
                   in_reply_to = NULL, reply_references = NULL, leased_by = NULL, \
                   leased_until = NULL, fence = fence + 1, \
                   known = CASE CAST(?6 AS BIGINT) WHEN 1 THEN NULL ELSE known END, \
                   state = CASE WHEN state IN ('parked', 'queued', 'sending') THEN 'cancelled' \
                     ELSE state END WHERE id = ?1",
                args![
                    id,
                    left(2)?,
                    left(3)?,
                    left(4)?,
                    left(5)?,
                    self.clearing == Clearing::Delete,
                ],
            )?;
            if is_to_them {
                sql.execute(
                    "UPDATE outbox SET to_address = ?2, to_key = ?2, to_domain = 'deleted.invalid', \
                       person = NULL WHERE id = ?1",
                    args![id, &self.scrub.placeholder],
                )?;
            }
            self.cleared.mails += 1;
        }
        Ok(())
    }
}

// What kind of message it was, and on which ticket; nothing that anybody wrote.
fn bare(story: &str) -> Option<String> {
    let story: Story = serde_json::from_str(story).ok()?;
    let bare = Story { kind: story.kind, ticket: story.ticket, ..Story::default() };
    serde_json::to_string(&bare).ok()
}
