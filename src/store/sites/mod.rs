//! Sites: the configuration declares them, the store remembers them, users belong to them. Which
//! domains of an address count is said by `triage`; here they are only looked up.

pub mod hand;
mod reconcile;

use jiff::Timestamp;

use super::facts;
use super::sql::Conditions;
use super::{Row, Sql, StoreError};
use crate::args;
use crate::mail::{Address, AddressKey};
use crate::triage::facts::{SiteFacts, SiteMatch};

pub use reconcile::{DeclaredSite, SiteChange, reconcile};

/// A site as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub id: String,
    pub name: String,
    /// Read-only here: the configuration says what it is.
    pub declared: bool,
    /// Taken out of the configuration: it matches no more.
    pub retired: bool,
    pub is_default: bool,
    pub locale: Option<String>,
    pub phone: Option<String>,
    /// Whether its new users get credentials by mail (C-09).
    pub credentials: bool,
    pub domains: Vec<String>,
    /// Keys of people without a domain of their own.
    pub addresses: Vec<String>,
    /// Keys of the people who see all its tickets.
    pub primary_users: Vec<String>,
    pub users: i64,
    pub tickets: i64,
    pub created_at: Timestamp,
}

impl Site {
    /// Whether people made it, so that they may change it: the configuration declares the others, and
    /// makes those for whom no site matches.
    pub fn is_by_hand(&self) -> bool {
        !self.declared && !self.is_default
    }
}

/// What a rematch does with what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rematch {
    Apply,
    Dry,
}

/// A user whom a site matches by now (M-110).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub user: String,
    pub address: String,
    pub from: String,
    pub to: String,
    pub matched_by: SiteMatch,
}

/// All sites, by name; with `only`, the one of that name or id.
pub fn list(sql: &mut dyn Sql, only: Option<&str>) -> Result<Vec<Site>, StoreError> {
    let mut wanted = Conditions::default();
    if let Some(only) = only {
        wanted.push("(s.name = ? OR s.id = ?)", [only.into(), only.into()]);
    }
    let (condition, values) = wanted.finish();
    let statement = format!(
        "SELECT s.id, s.name, s.declared, s.retired, s.is_default, s.locale, s.phone, \
           s.credentials, s.created_at, \
           (SELECT COUNT(*) FROM person p WHERE p.site = s.id AND p.status <> 'deleted'), \
           (SELECT COUNT(*) FROM ticket t WHERE t.site = s.id AND t.deleted_at IS NULL) \
         FROM site s {condition} ORDER BY s.name"
    );
    let mut sites =
        sql.query(&statement, &values)?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let belongings = belongings(sql)?;
    for site in &mut sites {
        let of = |list: &[(String, String)]| {
            list.iter().filter(|(id, _)| *id == site.id).map(|(_, of)| of.clone()).collect()
        };
        (site.domains, site.addresses, site.primary_users) =
            (of(&belongings.domains), of(&belongings.addresses), of(&belongings.primary_users));
    }
    Ok(sites)
}

/// The site of this name or id.
pub fn show(sql: &mut dyn Sql, name_or_id: &str) -> Result<Option<Site>, StoreError> {
    Ok(list(sql, Some(name_or_id))?.into_iter().next())
}

/// The sites that match somebody, best first, and the one of those whom none matches (M-111).
pub fn matches(
    sql: &mut dyn Sql,
    key: &AddressKey,
    domains: &[String],
    default: &str,
) -> Result<(Vec<SiteFacts>, SiteFacts), StoreError> {
    facts::sites(sql, Some(key), domains, default)
}

/// Matches the users of a default site again whom no person placed there (M-110). `domains` says
/// which domains of an address count, longest first (M-107, M-108).
pub fn rematch(
    sql: &mut dyn Sql,
    domains: &dyn Fn(&Address) -> Vec<String>,
    rematch: Rematch,
    now: Timestamp,
) -> Result<Vec<Moved>, StoreError> {
    let rows = sql.query(
        "SELECT p.id, a.address, a.address_key, s.name FROM person p \
         JOIN site s ON s.id = p.site JOIN person_address a ON a.person = p.id AND a.n = 0 \
         WHERE s.is_default = 1 AND p.site_placed = 0 AND p.status <> 'deleted' ORDER BY p.id",
        args![],
    )?;
    let mut moved = Vec::new();
    for row in rows {
        let address = row.parsed(1, "an address", |text| Address::parse(text).ok())?;
        let (key, from) = (AddressKey(row.text(2)?), row.text(3)?);
        let (matched, _) = facts::sites(sql, Some(&key), &domains(&address), &from)?;
        let Some(site) = matched.into_iter().next() else { continue };
        let user = row.text(0)?;
        if rematch == Rematch::Apply {
            super::users::place(sql, &user, &site.id, now)?;
        }
        moved.push(Moved {
            user,
            address: address.to_string(),
            from,
            to: site.name,
            matched_by: site.matched_by,
        });
    }
    Ok(moved)
}

/// The domains of users on a default site, with how many they are, most first.
pub fn unmatched(sql: &mut dyn Sql) -> Result<Vec<(String, u64)>, StoreError> {
    let rows = sql.query(
        "SELECT a.address_key FROM person_address a JOIN person p ON p.id = a.person \
         JOIN site s ON s.id = p.site \
         WHERE s.is_default = 1 AND a.n = 0 AND p.status <> 'deleted'",
        args![],
    )?;
    let mut counts = std::collections::BTreeMap::new();
    for row in rows {
        let key = row.text(0)?;
        let domain = key.rsplit_once('@').map_or("", |(_, domain)| domain).to_owned();
        *counts.entry(domain).or_insert(0_u64) += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Ok(counts)
}

/// What belongs to sites: pairs of a site's id and a domain or key.
struct Belongings {
    domains: Vec<(String, String)>,
    addresses: Vec<(String, String)>,
    primary_users: Vec<(String, String)>,
}

fn belongings(sql: &mut dyn Sql) -> Result<Belongings, StoreError> {
    let mut pairs = |statement: &str| -> Result<Vec<(String, String)>, StoreError> {
        sql.query(statement, args![])?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
    };
    Ok(Belongings {
        domains: pairs("SELECT site, domain FROM site_domain ORDER BY domain")?,
        addresses: pairs("SELECT site, address_key FROM site_address ORDER BY address_key")?,
        primary_users: pairs("SELECT site, address_key FROM site_primary ORDER BY address_key")?,
    })
}

fn read(row: &Row) -> Result<Site, StoreError> {
    Ok(Site {
        id: row.text(0)?,
        name: row.text(1)?,
        declared: row.flag(2)?,
        retired: row.flag(3)?,
        is_default: row.flag(4)?,
        locale: row.opt_text(5)?,
        phone: row.opt_text(6)?,
        credentials: row.flag(7)?,
        created_at: row.time(8)?,
        users: row.int(9)?,
        tickets: row.int(10)?,
        domains: Vec::new(),
        addresses: Vec::new(),
        primary_users: Vec::new(),
    })
}
