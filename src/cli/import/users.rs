//! Users from a table: made, or changed when one of the addresses is a user's already.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use anyhow::Result;
use jiff::Timestamp;

use super::columns::Columns;
use super::person::Person;
use super::table::Row;
use super::{Clear, Importer, Outcome, Taken, UsersArgs, Work};
use crate::cli::desk::Desk;
use crate::cli::users as people;
use crate::clock::Ids;
use crate::config::Settings;
use crate::mail::AddressKey;
use crate::store::sites::{self, hand};
use crate::store::users::invitation::{Invitation, invite, invite_upgraded};
use crate::store::users::{self, Addition, Change, User};
use crate::store::{Sql, StoreError};
use crate::triage::facts::{CredentialsState, UserStatus};
use crate::triage::names;
use crate::triage::policy::Access;
use crate::triage::sites::site_domains;

/// What is asked for besides the table.
#[derive(Clone, Copy, Debug)]
struct Wishes {
    create_sites: bool,
    revive: bool,
    send_credentials: bool,
}

/// Takes users over.
pub(super) struct Users {
    settings: Arc<Settings>,
    ids: Ids,
    now: Timestamp,
    clear: Clear,
    wishes: Wishes,
    /// Hashes of the keys of users that a run without `--apply` would have made by now.
    made: HashSet<u64>,
    /// By the hash of each key that was read: the hash of its spelling, and its line.
    spelt: HashMap<u64, (u64, u64)>,
}

impl Users {
    pub fn new(desk: &Desk, args: &UsersArgs) -> Users {
        Users {
            settings: desk.settings.clone(),
            ids: desk.ids.clone(),
            now: desk.clock.now(),
            clear: Clear::of(&args.file),
            wishes: Wishes {
                create_sites: args.create_sites,
                revive: args.revive,
                send_credentials: args.send_credentials,
            },
            made: HashSet::new(),
            spelt: HashMap::new(),
        }
    }
}

impl Importer for Users {
    type Parsed = Person;

    fn parse(&mut self, row: &Row, columns: &Columns) -> Result<Person, String> {
        let mut person = Person::read(row, columns, &self.settings, self.clear)?;
        for (address, key) in &person.addresses {
            let (spelling, line) = (hash(&address.to_string()), row.line);
            let first = *self.spelt.entry(hash(key.as_str())).or_insert((spelling, line));
            if first.0 != spelling {
                return Err(format!(
                    "`{address}` is another spelling of an address of line {}: leave one of the two out",
                    first.1
                ));
            }
        }
        person.made_before =
            person.addresses.iter().any(|(_, key)| self.made.contains(&hash(key.as_str())));
        Ok(person)
    }

    fn remember(&mut self, person: &Person, outcome: &Outcome) {
        if *outcome == Outcome::Created {
            self.made.extend(person.addresses.iter().map(|(_, key)| hash(key.as_str())));
        }
    }

    fn keys(&self, rows: &[Person]) -> Vec<String> {
        rows.iter().flat_map(|person| people::lock_keys(&person.addresses)).collect()
    }

    fn work(&self, rows: Vec<Person>) -> Work {
        let (settings, ids) = (self.settings.clone(), self.ids.clone());
        let (now, wishes) = (self.now, self.wishes);
        Box::new(move |sql| {
            let mut batch = Batch::of(sql, &rows, &settings, &ids, wishes, now)?;
            for person in &rows {
                let outcome = batch.take(sql, person)?;
                batch.taken.outcomes.push(outcome);
            }
            Ok(batch.taken)
        })
    }
}

/// The rows of one transaction, with the users they are about.
struct Batch<'a> {
    settings: &'a Settings,
    ids: &'a Ids,
    wishes: Wishes,
    now: Timestamp,
    /// Ids of users by the keys of their addresses.
    owners: HashMap<String, String>,
    users: HashMap<String, User>,
    sites: HashMap<String, Result<String, String>>,
    taken: Taken,
}

impl<'a> Batch<'a> {
    // All users at once: few statements for many rows.
    fn of(
        sql: &mut dyn Sql,
        rows: &[Person],
        settings: &'a Settings,
        ids: &'a Ids,
        wishes: Wishes,
        now: Timestamp,
    ) -> Result<Batch<'a>, StoreError> {
        let keys: Vec<AddressKey> = rows
            .iter()
            .flat_map(|person| person.addresses.iter().map(|(_, key)| key.clone()))
            .collect();
        let owners = users::owners(sql, &keys)?;
        let of: HashSet<String> = owners.values().cloned().collect();
        let of: Vec<String> = of.into_iter().collect();
        let found = users::of_ids(sql, &of)?;
        let users = found.into_iter().map(|user| (user.id.clone(), user)).collect();
        let (sites, taken) = (HashMap::new(), Taken::default());
        Ok(Batch { settings, ids, wishes, now, owners, users, sites, taken })
    }

    fn take(&mut self, sql: &mut dyn Sql, person: &Person) -> Result<Outcome, StoreError> {
        let mut owner: Option<String> = None;
        for (address, key) in &person.addresses {
            match (&owner, self.owners.get(key.as_str())) {
                (_, None) => {}
                (None, Some(id)) => owner = Some(id.clone()),
                (Some(first), Some(id)) if first == id => {}
                (Some(_), Some(_)) => {
                    return Ok(Outcome::Rejected(format!(
                        "its addresses belong to two users; `{address}` is of the second: merge them first"
                    )));
                }
            }
        }
        // Whoever is a user already stays one.
        let new =
            person.addresses.iter().filter(|(_, key)| !self.owners.contains_key(key.as_str()));
        let policy = &self.settings.policy;
        let reserved = new.filter_map(|(address, key)| people::reserved(address, key, policy));
        if let Some(why) = reserved.into_iter().next() {
            return Ok(Outcome::Rejected(why.replace("\nhint: ", "; ")));
        }
        let site = match &person.site {
            None => None,
            Some(name) => match self.site(sql, name)? {
                Ok(id) => Some(id),
                Err(why) => return Ok(Outcome::Rejected(why)),
            },
        };
        let Some(id) = owner else {
            // A run that writes nothing does not find whom it would have made.
            if person.made_before {
                return Ok(Outcome::Updated);
            }
            return self.create(sql, person, site);
        };
        let Some(user) = self.users.get(&id).cloned() else {
            return Err(StoreError::Violated(format!("the user `{id}` is not there any more")));
        };
        if user.status == UserStatus::Deleted {
            return self.revive(sql, person, &user, site);
        }
        self.update(sql, person, &user, site)
    }

    /// The id of the site of this name; made when there is none and that is wished.
    fn site(
        &mut self,
        sql: &mut dyn Sql,
        name: &str,
    ) -> Result<Result<String, String>, StoreError> {
        if let Some(known) = self.sites.get(name) {
            return Ok(known.clone());
        }
        let found = match hand::named(sql, name)? {
            Some((_, true)) => Err(format!("the site `{name}` is retired")),
            Some((id, false)) => Ok(id),
            None if self.wishes.create_sites => Ok(hand::add(sql, name, self.ids, self.now)?),
            None => Err(format!("there is no site `{name}`; `--create-sites` makes it")),
        };
        self.sites.insert(name.to_owned(), found.clone());
        Ok(found)
    }

    fn create(
        &mut self,
        sql: &mut dyn Sql,
        person: &Person,
        site: Option<String>,
    ) -> Result<Outcome, StoreError> {
        let addition = self.addition(sql, person, site)?;
        let id = users::add(sql, &addition, self.ids, self.now)?;
        if person.changes.contains(&Change::Disable) {
            users::set(sql, &id, &[Change::Disable], self.now)?;
        } else if self.wishes.send_credentials {
            self.invite(sql, &id)?;
        }
        self.reload(sql, &id)?;
        Ok(Outcome::Created)
    }

    fn revive(
        &mut self,
        sql: &mut dyn Sql,
        person: &Person,
        user: &User,
        site: Option<String>,
    ) -> Result<Outcome, StoreError> {
        if !self.wishes.revive {
            let address = &person.addresses[0].0;
            return Ok(Outcome::Rejected(format!(
                "the user of `{address}` was deleted; `--revive` makes them one again"
            )));
        }
        let addition = self.addition(sql, person, site)?;
        users::revive(sql, &user.id, &addition, self.now)?;
        if self.wishes.send_credentials {
            self.invite(sql, &user.id)?;
        }
        self.reload(sql, &user.id)?;
        Ok(Outcome::Revived)
    }

    fn update(
        &mut self,
        sql: &mut dyn Sql,
        person: &Person,
        user: &User,
        site: Option<String>,
    ) -> Result<Outcome, StoreError> {
        let mut changes: Vec<Change> =
            person.changes.iter().filter(|change| differs(user, change)).cloned().collect();
        changes.extend(site.filter(|id| *id != user.site.0).map(Change::Site));
        for (address, key) in &person.addresses {
            if !self.owners.contains_key(key.as_str()) {
                changes.push(Change::AddAddress(address.clone(), key.clone()));
            }
        }
        if changes.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        users::set(sql, &user.id, &changes, self.now)?;
        let is_upgraded = changes.contains(&Change::Access(Access::Full));
        if is_upgraded && self.wishes.send_credentials {
            let desk = people::invitation::desk(self.settings);
            let invitation = invite_upgraded(sql, &user.id, desk, self.ids, self.now)?;
            self.count(&invitation);
        }
        self.reload(sql, &user.id)?;
        Ok(Outcome::Updated)
    }

    fn invite(&mut self, sql: &mut dyn Sql, id: &str) -> Result<(), StoreError> {
        let desk = people::invitation::desk(self.settings);
        let invitation = invite(sql, id, desk, self.ids, self.now)?;
        self.count(&invitation);
        Ok(())
    }

    fn count(&mut self, invitation: &Invitation) {
        match invitation {
            Invitation::Queued(_) => self.taken.mails += 1,
            Invitation::Withheld(_) => self.taken.withheld += 1,
            _ => {}
        }
    }

    // A later row of the same transaction may be about the same user.
    fn reload(&mut self, sql: &mut dyn Sql, id: &str) -> Result<(), StoreError> {
        if let Some(user) = users::show(sql, id)? {
            for address in &user.addresses {
                self.owners.insert(address.key.clone(), id.to_owned());
            }
            self.users.insert(id.to_owned(), user);
        }
        Ok(())
    }

    fn addition(
        &self,
        sql: &mut dyn Sql,
        person: &Person,
        site: Option<String>,
    ) -> Result<Addition, StoreError> {
        let policy = &self.settings.policy;
        let (main, key) = &person.addresses[0];
        let site_placed = site.is_some();
        let site = match site {
            Some(id) => id,
            None => {
                let domains = site_domains(main.domain(), policy);
                let (matched, default) = sites::matches(sql, key, &domains, &policy.sites.default)?;
                matched.into_iter().next().unwrap_or(default).id
            }
        };
        let mut new = Addition {
            addresses: person.addresses.clone(),
            first_name: String::new(),
            last_name: String::new(),
            derived: false,
            // Only mail makes users of less.
            access: Access::Full,
            site,
            site_placed,
            phone: None,
            mobile: None,
            department: None,
            job_title: None,
            agent: None,
            locale: None,
            no_tickets: false,
            // C-06: imported without them.
            credentials: match self.wishes.send_credentials {
                true => CredentialsState::Due,
                false => CredentialsState::NotDue,
            },
            made_by: "import",
        };
        for change in person.changes.iter().cloned() {
            match change {
                Change::Access(access) => new.access = access,
                Change::Agent(agent) => new.agent = agent,
                Change::Department(department) => new.department = department,
                Change::FirstName(name) => new.first_name = name,
                Change::JobTitle(title) => new.job_title = title,
                Change::LastName(name) => new.last_name = name,
                Change::Locale(locale) => new.locale = locale,
                Change::Mobile(mobile) => new.mobile = mobile,
                Change::NoTickets(no_tickets) => new.no_tickets = no_tickets,
                Change::Phone(phone) => new.phone = phone,
                Change::AddAddress(..)
                | Change::Credentials(_)
                | Change::Disable
                | Change::Enable
                | Change::MainAddress(_)
                | Change::RemoveAddress(_)
                | Change::Site(_) => {}
            }
        }
        if new.first_name.is_empty() && new.last_name.is_empty() {
            let tag = names::plus_tag(&policy.users);
            let name = names::from_address(main, tag, &policy.users.names);
            (new.first_name, new.last_name, new.derived) = (name.first, name.last, true);
        }
        Ok(new)
    }
}

/// Whether a change would change anything.
fn differs(user: &User, change: &Change) -> bool {
    match change {
        Change::Access(access) => user.access != *access,
        Change::Agent(agent) => user.agent != *agent,
        Change::Department(department) => user.department != *department,
        Change::Disable => user.status == UserStatus::Active,
        Change::Enable => user.status == UserStatus::Disabled,
        Change::FirstName(name) => user.first_name != *name,
        Change::JobTitle(title) => user.job_title != *title,
        Change::LastName(name) => user.last_name != *name,
        Change::Locale(locale) => user.locale != *locale,
        Change::Mobile(mobile) => user.mobile != *mobile,
        Change::NoTickets(no_tickets) => user.no_tickets != *no_tickets,
        Change::Phone(phone) => user.phone != *phone,
        Change::AddAddress(..)
        | Change::Credentials(_)
        | Change::MainAddress(_)
        | Change::RemoveAddress(_)
        | Change::Site(_) => true,
    }
}

fn hash(written: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    written.hash(&mut hasher);
    hasher.finish()
}
