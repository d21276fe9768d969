//! The portal's room: its door, and the counter behind its pages, which tells the rooms that go on
//! with what was written.

use std::sync::{Arc, mpsc};

use super::stepping::Bell;
use super::{Event, Furniture, House};
use crate::counter::{self, Counter};
use crate::intake::{Space, free_bytes};
use crate::portal::Portal;

impl House {
    /// Opens the portal, if there is one; `others` are told of what was put into the store.
    pub(super) fn open_portal(
        &mut self,
        furniture: &Furniture,
        others: Vec<Arc<Bell>>,
        events: mpsc::Sender<Event>,
    ) -> anyhow::Result<()> {
        let (Some(options), Some(door)) = (&furniture.settings.portal, &furniture.door) else {
            return Ok(());
        };
        let portal = Portal::new(
            furniture.store.clone(),
            furniture.clock.clone(),
            furniture.ids.clone(),
            options.clone(),
            counter_of(furniture, others),
        )
        .on_lockout(furniture.on_lockout.clone());
        let (door, stop) = (door.try_clone()?, self.closed.subscribe());
        self.open("portal", events, move || portal.serve(door, stop))
    }
}

fn counter_of(furniture: &Furniture, others: Vec<Arc<Bell>>) -> Counter {
    let settings = &furniture.settings;
    // The first mailbox of the configuration is the desk's own.
    let own = settings.mailboxes.first();
    let (disk, floor) = (settings.disk().to_owned(), settings.min_free_space);
    let has_room = move || {
        let disk = disk.clone();
        Space { floor, free: Box::new(move || free_bytes(&disk)) }.shortage().is_none()
    };
    let options = counter::Options {
        policy: Arc::new(settings.policy.clone()),
        mailbox: own.map(|mailbox| mailbox.name.clone()).unwrap_or_default(),
        largest: own.map_or(0, |mailbox| mailbox.max_message_size),
        has_room: Arc::new(has_room),
        wake: Arc::new(move || others.iter().for_each(|bell| bell.ring())),
    };
    let (store, ids) = (furniture.store.clone(), furniture.ids.clone());
    Counter::new(store, ids, furniture.clock.clone(), options)
}
