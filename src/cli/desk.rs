//! What most commands begin with: the configuration, and the store it names.

use std::sync::Arc;

use anyhow::Result;

use super::Globals;
use super::exit::{Exit, failure};
use super::words::counted;
use crate::clock::{Clock, Ids, SystemChance, SystemClock};
use crate::config::settings::Need;
use crate::config::{self, Environment, Loaded, Settings};
use crate::counter::{self, Counter};
use crate::intake::{Space, free_bytes};
use crate::mail::Address;
use crate::outbox::{self, Outbox, TransportOptions};
use crate::store::sites::{self, Rematch};
use crate::store::{self, Durability, Location, Store, folders};
use crate::triage::sites::site_domains;

/// The configuration and the store, opened.
pub(super) struct Desk {
    pub(super) settings: Arc<Settings>,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Ids,
}

impl Desk {
    /// Opens the store of the configuration, makes it when there is none, and brings its sites up to
    /// what the configuration declares.
    pub(super) fn open(globals: &Globals) -> Result<Desk> {
        Desk::of(Arc::new(settings(globals)?))
    }

    /// As [`Desk::open`], for settings already loaded.
    pub(super) fn of(settings: Arc<Settings>) -> Result<Desk> {
        require(&settings, |need| *need == Need::Store)?;
        make_state(&settings)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids = Ids::new(clock.clone(), Arc::new(SystemChance));
        let store = Store::open(&settings.store, clock.now())?;
        reconcile(&store, &settings, &ids, clock.as_ref())?;
        Ok(Desk { settings, store, clock, ids })
    }
}

impl Desk {
    /// An outbox that only drafts: it sends nothing.
    pub(super) fn drafts(&self, settings: &Settings) -> Result<Outbox> {
        let options =
            outbox::Options { transport: TransportOptions::None, ..settings.outbox.clone() };
        let (store, clock, ids) = (self.store.clone(), self.clock.clone(), self.ids.clone());
        Ok(Outbox::new(store, clock, ids, options, "draft".to_owned())?)
    }
}

/// The counter of `settings`, before their store. A running guichet looks for itself what was put
/// there.
impl Desk {
    pub(super) fn counter(&self) -> Result<Counter> {
        let settings = &self.settings;
        let (disk, floor) = (settings.disk().to_owned(), settings.min_free_space);
        let has_room = move || {
            let disk = disk.clone();
            Space { floor, free: Box::new(move || free_bytes(&disk)) }.shortage().is_none()
        };
        let mailbox = super::replay::mailbox(settings, None)?;
        let options = counter::Options {
            policy: Arc::new(settings.policy.clone()),
            largest: super::replay::max_message_size(settings, &mailbox),
            mailbox,
            has_room: Arc::new(has_room),
            wake: Arc::new(|| {}),
        };
        let (store, ids) = (self.store.clone(), self.ids.clone());
        Ok(Counter::new(store, ids, self.clock.clone(), options))
    }
}

/// What configuration the command line names.
pub(super) fn request(globals: &Globals) -> config::Request {
    config::Request {
        path: globals.config.clone(),
        set: globals.set.clone(),
        environment: Environment::of_process(),
    }
}

/// Loads and checks the configuration.
pub(super) fn load(globals: &Globals) -> Result<Loaded> {
    config::load(&request(globals)).map_err(|invalid| {
        failure(Exit::Configuration, invalid.render(super::logging::paint(globals)))
    })
}

/// The settings alone.
pub(super) fn settings(globals: &Globals) -> Result<Settings> {
    Ok(load(globals)?.settings)
}

/// Refuses when a secret is missing for one of the things that are `needed`.
pub(super) fn require(settings: &Settings, needed: impl Fn(&Need) -> bool) -> Result<()> {
    settings.require(needed).map_err(|invalid| failure(Exit::Configuration, invalid.to_string()))
}

/// A store in memory that knows the declared sites and nobody else.
pub(super) fn blank_store(settings: &Settings, clock: &dyn Clock, ids: &Ids) -> Result<Store> {
    let options = store::Options { location: Location::Memory, durability: Durability::None };
    let store = Store::open(&options, clock.now())?;
    reconcile(&store, settings, ids, clock)?;
    Ok(store)
}

/// Brings the sites of `store` up to what the configuration declares.
pub(super) fn reconcile(
    store: &Store,
    settings: &Settings,
    ids: &Ids,
    clock: &dyn Clock,
) -> Result<()> {
    let declared: Vec<_> = settings.sites.iter().map(|declared| declared.site.clone()).collect();
    let policy = &settings.policy;
    let mut defaults = vec![policy.sites.default.clone()];
    defaults.extend(policy.mailboxes.values().filter_map(|mailbox| mailbox.default_site.clone()));
    let (ids, now) = (ids.clone(), clock.now());
    let changes = store.transact(move |sql| {
        let defaults: Vec<&str> = defaults.iter().map(String::as_str).collect();
        sites::reconcile(sql, &declared, &defaults, &ids, now)
    })?;
    for change in changes {
        tracing::debug!("site: {change:?}");
    }
    Ok(())
}

/// M-110: users of the default site, never placed by a person, whose domain belongs to a site now.
pub(super) fn rematch(desk: &Desk, settings: &Settings) -> Result<()> {
    let (policy, now) = (settings.policy.clone(), desk.clock.now());
    let moved = desk.store.transact(move |sql| {
        let domains = |address: &Address| site_domains(address.domain(), &policy);
        sites::rematch(sql, &domains, Rematch::Apply, now)
    })?;
    if !moved.is_empty() {
        let users = counted(moved.len(), "user");
        tracing::info!("{users} moved from the default site to their own");
    }
    Ok(())
}

/// Makes the state folder. Mail is nobody else's business.
pub(super) fn make_state(settings: &Settings) -> Result<()> {
    let state = &settings.state;
    folders::make(state).map_err(|error| {
        failure(
            Exit::CannotCreate,
            format!(
                "the state folder `{}` cannot be made: {error}\nhint: make it for the user guichet runs as, or set `state` in the configuration",
                state.display()
            ),
        )
    })
}
