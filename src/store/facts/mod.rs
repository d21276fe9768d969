//! Answers the questions about a message, in few statements: what was not asked is not looked up.
//! Reads only what `decide` needs, never whole rows; at most ten candidate tickets (design §3).

pub mod room;
mod tickets;

use jiff::Timestamp;

use super::spool::Arrived;
use super::sql::{padded, placeholders};
use super::{Row, Sql, StoreError, Value, bounces, credentials, decisions};
use crate::args;
use crate::mail::{Address, AddressKey, PlusTag};
use crate::triage::facts::{
    CredentialsState, Door, Facts, Intake, Questions, Sender, SiteFacts, SiteMatch, TicketFacts,
    UserFacts, UserStatus,
};
use crate::triage::plan::TOO_LARGE;
use crate::triage::policy::Access;

/// Gathers the facts about a message: what holds now, in this transaction.
pub fn gather(
    sql: &mut dyn Sql,
    questions: &Questions,
    arrived: &Arrived,
    now: Timestamp,
) -> Result<Facts, StoreError> {
    let sender = questions.requester();
    let key = sender.map(|sender| &sender.key);
    let content =
        decisions::look_up(sql, questions.content_hash, &questions.message_id, &arrived.message)?;
    let user = match (&questions.door, key) {
        // Whose words they are is proven: the address may have changed hands since.
        (Door::Portal { user: id, .. }, _) => user(sql, Whose::Id(id))?,
        (_, Some(key)) => user(sql, Whose::Key(key))?,
        (_, None) => None,
    };
    let (sites, default_site) = sites(sql, key, &questions.site_domains, &questions.default_site)?;
    let tickets = tickets::candidates(sql, key, questions)?;
    let bounced = match &questions.signed.bounced {
        Some(bounced) => bounces::sent_to(sql, bounced)?,
        None => None,
    };
    let told_too_large = match sender {
        Some(sender) if arrived.intake == Intake::Stub => told_too_large(sql, sender, &tickets)?,
        _ => Vec::new(),
    };
    let (room, budget) = match sender {
        Some(sender) => room::count(
            sql,
            &room::Counted {
                key: &sender.key,
                address: &sender.address,
                limits: &questions.limits,
                at: arrived.counted_at,
                spent: may_be_due(user.as_ref()).then(|| room::Spent {
                    to: &sender.address,
                    user: user.as_ref().map(|user| user.id.as_str()),
                    site: site_of(user.as_ref(), &sites, &default_site),
                }),
            },
            now,
        )?,
        None => Default::default(),
    };
    Ok(Facts {
        now,
        arrived_at: arrived.arrived_at,
        counted_at: arrived.counted_at,
        intake: arrived.intake,
        duplicate_of: content.duplicate_of,
        message_id_known: content.message_id_known,
        user,
        tickets,
        sites,
        default_site,
        room,
        budget,
        bounced,
        told_too_large,
        leaked: credentials::known(sql, &questions.secrets)?,
    })
}

/// On which of `tickets` the sender was told that a mail was too large. Asked for such a mail
/// alone.
fn told_too_large(
    sql: &mut dyn Sql,
    sender: &Sender,
    tickets: &[TicketFacts],
) -> Result<Vec<i64>, StoreError> {
    if tickets.is_empty() {
        return Ok(Vec::new());
    }
    // The outbox keeps addresses without their tags.
    let key = sender.address.key(PlusTag::Strip);
    let mut values = vec![Value::from(TOO_LARGE), Value::from(&key)];
    values.extend(tickets.iter().map(|ticket| Value::from(ticket.number)));
    let statement = format!(
        "SELECT DISTINCT ticket FROM outbox WHERE template = ?1 AND to_key = ?2 \
         AND state <> 'cancelled' AND ticket IN ({})",
        placeholders(3, tickets.len())
    );
    sql.query(&statement, &values)?.iter().map(|row| row.int(0)).collect()
}

/// The sites that somebody may belong to, by address first, then by domain, longest first (M-107,
/// M-109); and the site of those whom none matches.
pub fn sites(
    sql: &mut dyn Sql,
    key: Option<&AddressKey>,
    domains: &[String],
    default: &str,
) -> Result<(Vec<SiteFacts>, SiteFacts), StoreError> {
    // ?1 the key, ?2 the default's name, ?3… the domains.
    let mut values = vec![Value::from(key), Value::from(default)];
    let mut statement = String::new();
    if key.is_some() {
        statement.push_str(&format!(
            "SELECT {SITE_COLUMNS}, 'address' AS how, '' AS domain FROM site_address a \
             JOIN site s ON s.id = a.site WHERE a.address_key = ?1 AND s.retired = 0 UNION ALL "
        ));
    }
    if !domains.is_empty() {
        let list = padded(domains);
        statement.push_str(&format!(
            "SELECT {SITE_COLUMNS}, 'domain' AS how, d.domain FROM site_domain d \
             JOIN site s ON s.id = d.site WHERE d.domain IN ({}) AND s.retired = 0 UNION ALL ",
            placeholders(3, list.len())
        ));
        values.extend(list);
    }
    let of_default = format!("SELECT {SITE_COLUMNS}, 'default' AS how, '' AS domain FROM site s");
    statement.push_str(&format!("{of_default} WHERE s.name = ?2"));
    let mut rows = sql.query(&statement, &values)?;
    // Rarely: it looks at every site there is.
    if !rows.iter().any(|row| row.text(SITE_FIELDS).is_ok_and(|how| how == "default")) {
        rows.extend(sql.query(&format!("{of_default} WHERE s.is_default = 1"), &[])?);
    }
    let mut matched = Vec::new();
    let mut defaults = Vec::new();
    for row in rows {
        let domain = row.text(SITE_FIELDS + 1)?;
        match row.text(SITE_FIELDS)?.as_str() {
            "address" => matched.push(site(&row, 0, SiteMatch::Address)?),
            "domain" => matched.push(site(&row, 0, SiteMatch::Domain(domain))?),
            _ => defaults.push(site(&row, 0, SiteMatch::Default)?),
        }
    }
    matched.sort_by_key(|site| match &site.matched_by {
        SiteMatch::Address => (0, 0),
        SiteMatch::Domain(domain) => (1, usize::MAX - domain.len()),
        SiteMatch::Default | SiteMatch::Kept => (2, 0),
    });
    let named = defaults.iter().position(|site| site.name == default).unwrap_or(0);
    if defaults.is_empty() {
        return Err(StoreError::Unknown {
            what: "site",
            name: default.to_owned(),
            hint: "sites are made from the configuration when it is loaded",
        });
    }
    Ok((matched, defaults.swap_remove(named)))
}

/// By what a user is looked up.
enum Whose<'a> {
    Id(&'a str),
    Key(&'a AddressKey),
}

fn user(sql: &mut dyn Sql, whose: Whose<'_>) -> Result<Option<UserFacts>, StoreError> {
    let (which, value) = match whose {
        Whose::Id(id) => ("a.person = ?2 AND a.n = 0", Value::from(id)),
        Whose::Key(key) => ("a.address_key = ?2", Value::from(key)),
    };
    // What is asked of a site is whether the owner of this key is a primary user of it.
    let key = match whose {
        Whose::Id(id) => main_key(sql, id)?,
        Whose::Key(key) => Some(key.as_str().to_owned()),
    };
    let statement = format!(
        "SELECT {SITE_COLUMNS}, p.id, p.status, p.first_name, p.last_name, main.address, p.access, \
           p.site_placed, p.no_tickets, p.locale, p.credentials, \
           CASE WHEN a.undeliverable = 1 OR main.undeliverable = 1 THEN 1 ELSE 0 END, \
           p.credentials_bounced \
         FROM person_address a JOIN person p ON p.id = a.person JOIN site s ON s.id = p.site \
         JOIN person_address main ON main.person = p.id AND main.n = 0 WHERE {which}"
    );
    let values = [Value::from(key.as_deref()), value];
    let Some(row) = sql.query_one(&statement, &values)? else { return Ok(None) };
    let column = |n: usize| SITE_FIELDS + n;
    Ok(Some(UserFacts {
        id: row.text(column(0))?,
        status: row.parsed(column(1), "a user's status", UserStatus::parse)?,
        first_name: row.text(column(2))?,
        last_name: row.text(column(3))?,
        address: row.parsed(column(4), "an address", |text| Address::parse(text).ok())?,
        access: row.parsed(column(5), "an access", Access::parse)?,
        site: site(&row, 0, SiteMatch::Kept)?,
        site_placed: row.flag(column(6))?,
        no_tickets: row.flag(column(7))?,
        locale: row.opt_text(column(8))?,
        credentials: row.parsed(column(9), "a credentials state", CredentialsState::parse)?,
        undeliverable: row.flag(column(10))?,
        credentials_bounced: row.flag(column(11))?,
    }))
}

fn main_key(sql: &mut dyn Sql, person: &str) -> Result<Option<String>, StoreError> {
    let main = "SELECT address_key FROM person_address WHERE person = ?1 AND n = 0";
    sql.query_one(main, args![person])?.map(|row| row.text(0)).transpose()
}

// Whoever is not due credentials is withheld them by C-06, whatever the budgets of C-10 say. Who was
// disabled or deleted may be made anew.
fn may_be_due(user: Option<&UserFacts>) -> bool {
    user.is_none_or(|user| {
        user.status != UserStatus::Active || user.credentials == CredentialsState::Due
    })
}

// Where the credentials of the sender would be counted: the site they are at, or would come to
// (M-110).
fn site_of<'a>(
    user: Option<&'a UserFacts>,
    matched: &'a [SiteFacts],
    default: &'a SiteFacts,
) -> &'a str {
    match user {
        Some(user) if user.site_placed || !user.site.is_default => &user.site.id,
        _ => &matched.first().unwrap_or(default).id,
    }
}

// Of a site `s`, for the person whose key is ?1, by that or another of their addresses.
const SITE_COLUMNS: &str = "s.id, s.name, s.locale, s.credentials, s.is_default, \
    CASE WHEN EXISTS (SELECT 1 FROM site_primary sp \
      WHERE sp.site = s.id AND (sp.address_key = ?1 OR sp.address_key IN \
        (SELECT other.address_key FROM person_address mine \
         JOIN person_address other ON other.person = mine.person \
         WHERE mine.address_key = ?1))) THEN 1 ELSE 0 END";
const SITE_FIELDS: usize = 6;

fn site(row: &Row, first: usize, matched_by: SiteMatch) -> Result<SiteFacts, StoreError> {
    Ok(SiteFacts {
        id: row.text(first)?,
        name: row.text(first + 1)?,
        locale: row.opt_text(first + 2)?,
        credentials: row.flag(first + 3)?,
        is_default: row.flag(first + 4)?,
        sender_is_primary: row.flag(first + 5)?,
        matched_by,
    })
}
