//! Sites from a table: made, or changed when there is one of the name. What the configuration declares
//! is left as it is.

use std::sync::Arc;

use anyhow::Result;
use jiff::Timestamp;

use super::columns::Columns;
use super::table::Row;
use super::{
    Cell, Clear, FileArgs, Importer, Outcome, Taken, Work, cell, entries, first_line, switch,
};
use crate::cli::desk::Desk;
use crate::cli::sites::change;
use crate::cli::users as people;
use crate::clock::Ids;
use crate::config::Settings;
use crate::mail::AddressKey;
use crate::store::sites::hand::{self, SiteEdit};
use crate::store::sites::{self, Site};
use crate::store::{Sql, StoreError};

/// Takes sites over.
pub(super) struct Sites {
    settings: Arc<Settings>,
    ids: Ids,
    now: Timestamp,
    clear: Clear,
}

/// What a row says of a site; what is absent stays as it is.
#[derive(Clone, Debug)]
pub(super) struct Company {
    name: String,
    domains: Option<Vec<String>>,
    addresses: Option<Vec<AddressKey>>,
    primary_users: Option<Vec<AddressKey>>,
    locale: Option<Option<String>>,
    phone: Option<Option<String>>,
    credentials: Option<bool>,
}

impl Sites {
    pub fn new(desk: &Desk, args: &FileArgs) -> Sites {
        let (settings, ids) = (desk.settings.clone(), desk.ids.clone());
        Sites { settings, ids, now: desk.clock.now(), clear: Clear::of(args) }
    }

    fn keys_in(
        &self,
        row: &Row,
        columns: &Columns,
        field: &str,
    ) -> Result<Option<Vec<AddressKey>>, String> {
        self.list(row, columns, field, &|entry| {
            people::address(entry, &self.settings.policy)
                .map(|(_, key)| key)
                .map_err(|error| first_line(&error))
        })
    }

    fn list<T>(
        &self,
        row: &Row,
        columns: &Columns,
        field: &str,
        read: &dyn Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Vec<T>>, String> {
        match cell(row, columns, field, self.clear)? {
            Cell::Clear => Ok(Some(Vec::new())),
            Cell::Leave => Ok(None),
            Cell::Set(written) => entries(&written).map(read).collect::<Result<_, _>>().map(Some),
        }
    }
}

impl Importer for Sites {
    type Parsed = Company;

    fn parse(&mut self, row: &Row, columns: &Columns) -> Result<Company, String> {
        let Cell::Set(name) = cell(row, columns, "name", Clear::No)? else {
            return Err("it has no name".to_owned());
        };
        let policy = &self.settings.policy.sites;
        let domains = self.list(row, columns, "domains", &|entry| {
            let problem = |said: String| said.lines().next().unwrap_or_default().to_owned();
            change::site_of(entry, policy).map_err(problem)
        })?;
        let text = |field| {
            Ok::<_, String>(match cell(row, columns, field, self.clear)? {
                Cell::Clear => Some(None),
                Cell::Leave => None,
                Cell::Set(text) => Some(Some(text)),
            })
        };
        let locale = match text("locale")? {
            Some(Some(written)) => Some(Some(people::locale(&written).map_err(|problem| {
                format!("`{}` is no language: {problem}", written.escape_debug())
            })?)),
            other => other,
        };
        let credentials = match cell(row, columns, "credentials", Clear::No)? {
            Cell::Set(written) => Some(switch("credentials", &written)?),
            Cell::Clear | Cell::Leave => None,
        };
        Ok(Company {
            name,
            domains,
            addresses: self.keys_in(row, columns, "addresses")?,
            primary_users: self.keys_in(row, columns, "primary_users")?,
            locale,
            phone: text("phone")?,
            credentials,
        })
    }

    // Later rows about the same site are told of as if it were not there yet.
    fn remember(&mut self, _: &Company, _: &Outcome) {}

    fn keys(&self, rows: &[Company]) -> Vec<String> {
        rows.iter().map(|company| format!("site {}", company.name)).collect()
    }

    fn work(&self, rows: Vec<Company>) -> Work {
        let (ids, now) = (self.ids.clone(), self.now);
        Box::new(move |sql| {
            let mut taken = Taken::default();
            for company in &rows {
                taken.outcomes.push(take(sql, company, &ids, now)?);
            }
            Ok(taken)
        })
    }
}

fn take(
    sql: &mut dyn Sql,
    company: &Company,
    ids: &Ids,
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    let site = sites::show(sql, &company.name)?.filter(|site| site.name == company.name);
    let edits = edits(company, site.as_ref());
    let is_there = site.as_ref().is_some_and(|site| !site.retired);
    if is_there && edits.is_empty() {
        return Ok(Outcome::Unchanged);
    }
    if site.as_ref().is_some_and(|site| !site.is_by_hand()) {
        let why = "the configuration declares it, and says otherwise: change it there";
        return Ok(Outcome::Rejected(why.to_owned()));
    }
    // Before anything is written: a row is taken as a whole, or not at all.
    if let Some(why) = taken_elsewhere(sql, &edits, site.as_ref())? {
        return Ok(Outcome::Rejected(why));
    }
    let (id, outcome) = match site.filter(|site| !site.retired) {
        Some(site) => (site.id, Outcome::Updated),
        None => (hand::add(sql, &company.name, ids, now)?, Outcome::Created),
    };
    hand::set(sql, &id, &edits)?;
    Ok(outcome)
}

/// What is to be done to the site to make it as the row says.
fn edits(company: &Company, site: Option<&Site>) -> Vec<SiteEdit> {
    let mut edits = Vec::new();
    let nothing = Vec::new();
    let had = |list: fn(&Site) -> &Vec<String>| site.map_or(&nothing, list);
    let domains = company.domains.as_ref().map(|list| (list.clone(), had(|site| &site.domains)));
    let keys = |list: &Option<Vec<AddressKey>>| {
        list.as_ref().map(|list| list.iter().map(|key| key.0.clone()).collect::<Vec<_>>())
    };
    let addresses = keys(&company.addresses).map(|list| (list, had(|site| &site.addresses)));
    let primary = keys(&company.primary_users).map(|list| (list, had(|site| &site.primary_users)));
    let key = |text: &String| AddressKey(text.clone());
    if let Some((list, had)) = domains {
        edits.extend(missing(&list, had).cloned().map(SiteEdit::AddDomain));
        edits.extend(missing(had, &list).cloned().map(SiteEdit::RemoveDomain));
    }
    if let Some((list, had)) = addresses {
        edits.extend(missing(&list, had).map(key).map(SiteEdit::AddAddress));
        edits.extend(missing(had, &list).map(key).map(SiteEdit::RemoveAddress));
    }
    if let Some((list, had)) = primary {
        edits.extend(missing(&list, had).map(key).map(SiteEdit::AddPrimaryUser));
        edits.extend(missing(had, &list).map(key).map(SiteEdit::RemovePrimaryUser));
    }
    let locale = company.locale.clone();
    let locale_had = site.and_then(|site| site.locale.clone());
    edits.extend(locale.filter(|locale| *locale != locale_had).map(SiteEdit::Locale));
    let phone_had = site.and_then(|site| site.phone.clone());
    edits.extend(company.phone.clone().filter(|phone| *phone != phone_had).map(SiteEdit::Phone));
    let credentials_had = site.is_none_or(|site| site.credentials);
    edits
        .extend(company.credentials.filter(|on| *on != credentials_had).map(SiteEdit::Credentials));
    edits
}

/// Those of `list` that `others` lacks, each once.
fn missing<'a>(list: &'a [String], others: &'a [String]) -> impl Iterator<Item = &'a String> {
    list.iter()
        .enumerate()
        .filter(move |(at, one)| !others.contains(one) && !list[..*at].contains(one))
        .map(|(_, one)| one)
}

// M-108: a domain, and an address, is of one site.
fn taken_elsewhere(
    sql: &mut dyn Sql,
    edits: &[SiteEdit],
    site: Option<&Site>,
) -> Result<Option<String>, StoreError> {
    for edit in edits {
        let (what, of) = match edit {
            SiteEdit::AddAddress(key) => ("address", key.as_str()),
            SiteEdit::AddDomain(domain) => ("domain", domain.as_str()),
            _ => continue,
        };
        if let Some((id, name)) = hand::owner(sql, what, of)?
            && site.is_none_or(|site| site.id != id)
        {
            return Ok(Some(format!("the {what} `{of}` belongs to the site `{name}`")));
        }
    }
    Ok(None)
}
