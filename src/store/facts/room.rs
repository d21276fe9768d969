//! Whether the limits (interfaces §3) and the budgets of credentials mail (C-10) leave room. A limit
//! of n in a stretch of time is met when the n-th newest of that stretch exists; there is room again
//! once it is older than that. All are counted in one statement.

use jiff::Timestamp;

use crate::mail::{Address, AddressKey, PlusTag};
use crate::store::{Sql, StoreError, Value};
use crate::triage::credentials::{
    IN_TOTAL, PER_DOMAIN, PER_RECIPIENT, PER_RECIPIENT_BEFORE_LOGIN, PER_SITE,
};
use crate::triage::facts::{CredentialsBudget, Room};
use crate::triage::policy::{LimitPolicy, Rate};

/// Who and what is counted.
pub(in crate::store) struct Counted<'a> {
    /// The key of the sender, and the address as it is written.
    pub key: &'a AddressKey,
    pub address: &'a Address,
    pub limits: &'a LimitPolicy,
    /// When the message counts.
    pub at: Timestamp,
    /// `None` when no credentials mail is due: to find out what is left takes longer than all else, up
    /// to 200 mails are looked at.
    pub spent: Option<Spent<'a>>,
}

/// Whose credentials mails are counted.
pub(in crate::store) struct Spent<'a> {
    pub to: &'a Address,
    /// The id of their user.
    pub user: Option<&'a str>,
    /// The id of the site whose budget a credentials mail would take from.
    pub site: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    AutoMails,
    BudgetDomain,
    BudgetRecipient,
    BudgetSite,
    BudgetTotal,
    Domain,
    NewUsers,
    Sender,
}

/// Counts the limits up to when the message counts, and the mails of ours up to now.
pub(in crate::store) fn count(
    sql: &mut dyn Sql,
    counted: &Counted<'_>,
    now: Timestamp,
) -> Result<(Room, CredentialsBudget), StoreError> {
    let Counted { key, address, limits, at, spent } = counted;
    let mailbox = address.key(PlusTag::Strip);
    let mut asked = Asked::default();
    for rate in &limits.per_sender {
        asked.nth(Slot::Sender, SENDER, Some(key.as_str()), *rate, *at);
    }
    for rate in &limits.per_domain {
        asked.nth(Slot::Domain, DOMAINS, Some(address.domain()), *rate, *at);
    }
    for rate in &limits.new_users {
        asked.nth(Slot::NewUsers, USERS, None, *rate, *at);
    }
    for rate in &limits.auto_mails_per_address {
        asked.nth(Slot::AutoMails, AUTO_MAILS, Some(mailbox.as_str()), *rate, now);
    }
    if let Some(spent) = spent {
        asked.budget(spent, now);
    }
    asked.room(sql)
}

/// Counts the credentials mails up to now.
pub(in crate::store) fn budget(
    sql: &mut dyn Sql,
    spent: &Spent<'_>,
    now: Timestamp,
) -> Result<CredentialsBudget, StoreError> {
    let mut asked = Asked::default();
    asked.budget(spent, now);
    asked.room(sql).map(|(_, budget)| budget)
}

/// A table's rows of somebody, and the column that says when each counts.
struct Counter {
    table: &'static str,
    /// Holds for the rows that count; a bare `?` is whose they are.
    condition: &'static str,
    at: &'static str,
}

const SENDER: Counter =
    Counter { table: "decision", condition: "sender_key = ?", at: "counted_at" };
const DOMAINS: Counter =
    Counter { table: "decision", condition: "sender_domain = ?", at: "counted_at" };
const USERS: Counter =
    Counter { table: "person", condition: "counted_at IS NOT NULL", at: "counted_at" };
const AUTO_MAILS: Counter = Counter {
    table: "outbox",
    condition: "to_key = ? AND automatic = 1 AND state <> 'cancelled'",
    at: "queued_at",
};
// Credentials mails are those to a user that answer nothing and are about no ticket
// (`OutgoingMail::brings_credentials`), but for the notices that never bring any.
const TO_RECIPIENT: Counter = Counter {
    table: "outbox",
    condition: "to_key = ? AND cause = 'notice' AND person IS NOT NULL AND state <> 'cancelled' \
                AND ticket IS NULL \
                AND template NOT IN ('address_change', 'address_changed', 'password_changed')",
    at: "queued_at",
};
const TO_DOMAIN: Counter = Counter {
    table: "outbox",
    condition: "to_domain = ? AND cause = 'notice' AND person IS NOT NULL \
                AND state <> 'cancelled' \
                AND ticket IS NULL \
                AND template NOT IN ('address_change', 'address_changed', 'password_changed')",
    at: "queued_at",
};
const TO_SITE: Counter = Counter {
    table: "outbox",
    condition: "site = ? AND cause = 'notice' AND person IS NOT NULL AND state <> 'cancelled' \
                AND ticket IS NULL \
                AND template NOT IN ('address_change', 'address_changed', 'password_changed')",
    at: "queued_at",
};
const TO_ALL: Counter = Counter {
    table: "outbox",
    condition: "cause = 'notice' AND person IS NOT NULL AND state <> 'cancelled' \
                AND ticket IS NULL \
                AND template NOT IN ('address_change', 'address_changed', 'password_changed')",
    at: "queued_at",
};

#[derive(Default)]
struct Asked {
    columns: Vec<String>,
    values: Vec<Value>,
    slots: Vec<(Slot, Again)>,
}

/// When there is room again, once a limit is met.
enum Again {
    /// When what was found is older than the stretch.
    After(Rate),
    At(Timestamp),
}

impl Asked {
    fn budget(&mut self, spent: &Spent<'_>, now: Timestamp) {
        let mailbox = spent.to.key(PlusTag::Strip);
        let (mailbox, domain) = (Some(mailbox.as_str()), Some(spent.to.domain()));
        self.nth(Slot::BudgetRecipient, TO_RECIPIENT, mailbox, PER_RECIPIENT, now);
        self.nth(Slot::BudgetDomain, TO_DOMAIN, domain, PER_DOMAIN, now);
        self.nth(Slot::BudgetSite, TO_SITE, Some(spent.site), PER_SITE, now);
        self.nth(Slot::BudgetTotal, TO_ALL, None, IN_TOTAL, now);
        if let Some(user) = spent.user {
            // Whenever they were sent.
            self.ever(Slot::BudgetRecipient, user, PER_RECIPIENT_BEFORE_LOGIN, now);
        }
    }

    // Asks for the n-th newest in the stretch that ends at `end`.
    fn nth(
        &mut self,
        slot: Slot,
        counter: Counter,
        whose: Option<&str>,
        rate: Rate,
        end: Timestamp,
    ) {
        // The configuration has no rate of 0: "off" is no rate at all.
        let offset = rate.count.saturating_sub(1);
        let condition = match whose {
            Some(whose) => counter.condition.replacen('?', &self.bind(Value::from(whose)), 1),
            None => counter.condition.to_owned(),
        };
        let begin = end.saturating_sub(rate.per).unwrap_or(Timestamp::MIN);
        let (begin, end) = (self.bind(Value::from(begin)), self.bind(Value::from(end)));
        let offset = self.bind(Value::from(offset));
        let Counter { table, at, .. } = counter;
        self.columns.push(format!(
            "(SELECT {at} FROM {table} WHERE {condition} AND {at} > {begin} AND {at} <= {end} \
             ORDER BY {at} DESC LIMIT 1 OFFSET {offset})"
        ));
        self.slots.push((slot, Again::After(rate)));
    }

    // Asks whether a user who never logged in was ever sent so many credentials mails.
    fn ever(&mut self, slot: Slot, user: &str, count: u32, now: Timestamp) {
        let (user, count) = (self.bind(Value::from(user)), self.bind(Value::from(count)));
        self.columns.push(format!(
            "(SELECT MAX(queued_at) FROM outbox WHERE person = {user} AND cause = 'notice' \
             AND state NOT IN ('cancelled', 'recorded') AND ticket IS NULL \
             AND template NOT IN ('address_change', 'address_changed', 'password_changed') \
             AND (SELECT last_login_at FROM person WHERE id = {user}) IS NULL \
             HAVING COUNT(*) >= {count})"
        ));
        self.slots.push((slot, Again::At(later(now, PER_RECIPIENT))));
    }

    fn room(self, sql: &mut dyn Sql) -> Result<(Room, CredentialsBudget), StoreError> {
        let mut room = Room::default();
        let mut budget = CredentialsBudget::default();
        for (slot, until) in self.answer(sql)? {
            let entry = match slot {
                Slot::AutoMails => &mut room.auto_mails,
                Slot::BudgetDomain => &mut budget.domain,
                Slot::BudgetRecipient => &mut budget.recipient,
                Slot::BudgetSite => &mut budget.site,
                Slot::BudgetTotal => &mut budget.total,
                Slot::Domain => &mut room.domain,
                Slot::NewUsers => &mut room.new_users,
                Slot::Sender => &mut room.sender,
            };
            *entry = (*entry).max(Some(until));
        }
        Ok((room, budget))
    }

    fn answer(self, sql: &mut dyn Sql) -> Result<Vec<(Slot, Timestamp)>, StoreError> {
        if self.columns.is_empty() {
            return Ok(Vec::new());
        }
        let statement = format!("SELECT {}", self.columns.join(", "));
        let Some(row) = sql.query_one(&statement, &self.values)? else { return Ok(Vec::new()) };
        let mut met = Vec::new();
        for (n, (slot, again)) in self.slots.into_iter().enumerate() {
            if let Some(found) = row.opt_time(n)? {
                let until = match again {
                    Again::After(rate) => later(found, rate),
                    Again::At(until) => until,
                };
                met.push((slot, until));
            }
        }
        Ok(met)
    }

    fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }
}

fn later(at: Timestamp, rate: Rate) -> Timestamp {
    at.saturating_add(rate.per).unwrap_or(Timestamp::MAX)
}
