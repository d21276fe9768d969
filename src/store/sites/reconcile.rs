//! Brings the sites of the store in line with the configuration, at each load: declared ones are
//! made or updated, those taken out are retired, default sites exist. Sites made by hand stay as they
//! are, but for what the configuration gives to another. Writes only what differs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Site, list};
use crate::args;
use crate::clock::Ids;
use crate::mail::AddressKey;
use crate::store::sql::{MANY, rows};
use crate::store::{Sql, StoreError, Value};

/// One `[[site]]`, checked: no domain and no address stands at two of them (M-108).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredSite {
    pub name: String,
    /// Lower-case A-labels.
    pub domains: Vec<String>,
    pub addresses: Vec<AddressKey>,
    pub primary_users: Vec<AddressKey>,
    pub locale: Option<String>,
    /// Whether its new users get credentials by mail (C-09).
    pub credentials: bool,
}

/// What was brought in line; the name of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SiteChange {
    Created(String),
    Retired(String),
    Updated(String),
}

/// Reconciles the sites. `defaults` are the names of the sites for those whom none matches:
/// `sites.default` first, then those of mailboxes; one that is not declared is made.
pub fn reconcile(
    sql: &mut dyn Sql,
    declared: &[DeclaredSite],
    defaults: &[&str],
    ids: &Ids,
    now: Timestamp,
) -> Result<Vec<SiteChange>, StoreError> {
    let stored: BTreeMap<String, Site> =
        list(sql, None)?.into_iter().map(|site| (site.name.clone(), site)).collect();
    let mut wanted = wanted(declared, defaults);
    // A site made by hand that a mailbox falls back to stays an ordinary one, as a declared one does.
    wanted.retain(|name, want| {
        let is_by_hand = stored.get(*name).is_some_and(|site| site.is_by_hand() && !site.retired);
        want.site.is_some() || !is_by_hand || defaults.first() == Some(name)
    });
    let mut changes = Vec::new();
    let mut ids_by_name = BTreeMap::new();
    // What is no longer wanted goes first: a domain may move from one site to another.
    for site in stored.values() {
        let keep = wanted.get(site.name.as_str());
        if keep.is_none() && site.is_by_hand() {
            if yield_belongings(sql, site, declared)? {
                changes.push(SiteChange::Updated(site.name.clone()));
            }
            continue;
        }
        remove_belongings(sql, site, keep)?;
        if keep.is_none() && !site.retired {
            sql.execute(
                "UPDATE site SET retired = 1, is_default = 0, declared = 0 WHERE id = ?1",
                args![&site.id],
            )?;
            changes.push(SiteChange::Retired(site.name.clone()));
        }
    }
    for (name, want) in &wanted {
        let id = match stored.get(*name) {
            Some(site) if want.same_as(site) => {
                ids_by_name.insert(*name, site.id.clone());
                continue;
            }
            Some(site) => {
                sql.execute(
                    "UPDATE site SET declared = ?2, retired = 0, is_default = ?3, locale = ?4, \
                       credentials = ?5 WHERE id = ?1",
                    args![
                        &site.id,
                        want.site.is_some(),
                        want.is_default,
                        want.locale(),
                        want.credentials(),
                    ],
                )?;
                changes.push(SiteChange::Updated((*name).to_owned()));
                site.id.clone()
            }
            None => {
                let id = ids.uuid();
                sql.execute(
                    "INSERT INTO site (id, name, declared, is_default, locale, credentials, \
                       created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    args![
                        &id,
                        *name,
                        want.site.is_some(),
                        want.is_default,
                        want.locale(),
                        want.credentials(),
                        now,
                    ],
                )?;
                changes.push(SiteChange::Created((*name).to_owned()));
                id
            }
        };
        add_belongings(sql, &id, want)?;
        ids_by_name.insert(*name, id);
    }
    if let Some(default) = defaults.first().and_then(|name| ids_by_name.get(name)) {
        move_from_old_defaults(sql, &stored, &wanted, default, now)?;
    }
    Ok(changes)
}

struct Wanted<'a> {
    site: Option<&'a DeclaredSite>,
    is_default: bool,
}

impl Wanted<'_> {
    fn locale(&self) -> Option<&str> {
        self.site.and_then(|site| site.locale.as_deref())
    }

    fn credentials(&self) -> bool {
        self.site.is_none_or(|site| site.credentials)
    }

    fn domains(&self) -> BTreeSet<&str> {
        self.site.iter().flat_map(|site| &site.domains).map(String::as_str).collect()
    }

    fn addresses(&self) -> BTreeSet<&str> {
        self.site.iter().flat_map(|site| &site.addresses).map(AddressKey::as_str).collect()
    }

    fn primary_users(&self) -> BTreeSet<&str> {
        self.site.iter().flat_map(|site| &site.primary_users).map(AddressKey::as_str).collect()
    }

    fn same_as(&self, site: &Site) -> bool {
        let set = |list: &'_ [String]| -> BTreeSet<String> { list.iter().cloned().collect() };
        let own = |list: BTreeSet<&str>| list.into_iter().map(str::to_owned).collect();
        !site.retired
            && site.declared == self.site.is_some()
            && site.is_default == self.is_default
            && site.locale.as_deref() == self.locale()
            && site.credentials == self.credentials()
            && set(&site.domains) == own(self.domains())
            && set(&site.addresses) == own(self.addresses())
            && set(&site.primary_users) == own(self.primary_users())
    }
}

// A declared site that a mailbox falls back to is an ordinary site all the same (M-80, M-110);
// an undeclared one exists only for those whom none matches.
fn wanted<'a>(declared: &'a [DeclaredSite], defaults: &[&'a str]) -> BTreeMap<&'a str, Wanted<'a>> {
    let mut wanted: BTreeMap<&str, Wanted<'_>> = declared
        .iter()
        .map(|site| (site.name.as_str(), Wanted { site: Some(site), is_default: false }))
        .collect();
    for (n, name) in defaults.iter().enumerate() {
        let entry = wanted.entry(name).or_insert(Wanted { site: None, is_default: true });
        entry.is_default |= n == 0;
    }
    wanted
}

// M-108: what a declared site claims is taken from one that was made by hand. Answers whether
// anything was.
fn yield_belongings(
    sql: &mut dyn Sql,
    site: &Site,
    declared: &[DeclaredSite],
) -> Result<bool, StoreError> {
    let mut yields = false;
    for domain in &site.domains {
        if declared.iter().any(|other| other.domains.contains(domain)) {
            sql.execute("DELETE FROM site_domain WHERE domain = ?1", args![domain])?;
            yields = true;
        }
    }
    for key in &site.addresses {
        if declared.iter().any(|other| other.addresses.iter().any(|own| own.as_str() == key)) {
            sql.execute("DELETE FROM site_address WHERE address_key = ?1", args![key])?;
            yields = true;
        }
    }
    Ok(yields)
}

fn remove_belongings(
    sql: &mut dyn Sql,
    site: &Site,
    keep: Option<&Wanted<'_>>,
) -> Result<(), StoreError> {
    let nothing = BTreeSet::new;
    let kept = keep.map_or_else(nothing, Wanted::domains);
    for domain in site.domains.iter().filter(|domain| !kept.contains(domain.as_str())) {
        sql.execute("DELETE FROM site_domain WHERE domain = ?1", args![domain])?;
    }
    let kept = keep.map_or_else(nothing, Wanted::addresses);
    for key in site.addresses.iter().filter(|key| !kept.contains(key.as_str())) {
        sql.execute("DELETE FROM site_address WHERE address_key = ?1", args![key])?;
    }
    let kept = keep.map_or_else(nothing, Wanted::primary_users);
    for key in site.primary_users.iter().filter(|key| !kept.contains(key.as_str())) {
        sql.execute(
            "DELETE FROM site_primary WHERE site = ?1 AND address_key = ?2",
            args![&site.id, key],
        )?;
    }
    Ok(())
}

fn add_belongings(sql: &mut dyn Sql, id: &str, want: &Wanted<'_>) -> Result<(), StoreError> {
    let all = [
        ("site_domain (site, domain)", want.domains()),
        ("site_address (site, address_key)", want.addresses()),
        ("site_primary (site, address_key)", want.primary_users()),
    ];
    for (table, entries) in all {
        let entries: Vec<&str> = entries.into_iter().collect();
        for batch in entries.chunks(MANY) {
            let values: Vec<Value> =
                batch.iter().flat_map(|entry| [Value::from(id), Value::from(*entry)]).collect();
            let statement = format!(
                "INSERT INTO {table} VALUES {} ON CONFLICT DO NOTHING",
                rows(batch.len(), 2)
            );
            sql.execute(&statement, &values)?;
        }
    }
    Ok(())
}

// When `sites.default` gets another name, those whom nobody placed on the old one go along: they
// are still the ones whom no site matches.
fn move_from_old_defaults(
    sql: &mut dyn Sql,
    stored: &BTreeMap<String, Site>,
    wanted: &BTreeMap<&str, Wanted<'_>>,
    default: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let still = |site: &Site| wanted.get(site.name.as_str()).is_some_and(|want| want.is_default);
    for old in stored.values().filter(|site| site.is_default && !still(site)) {
        sql.execute(
            "UPDATE person SET site = ?2, updated_at = ?3 WHERE site = ?1 AND site_placed = 0",
            args![&old.id, default, now],
        )?;
    }
    Ok(())
}
