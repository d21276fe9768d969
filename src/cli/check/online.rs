//! `check --online`: whether the servers that the configuration names can be used: mailboxes, relays,
//! the store. All at the same time; reads no mail and sends none.

use std::thread;

use super::super::exit::{Exit, exit_of_store};
use super::super::mailbox::trial::{self, Failure, Trial};
use crate::clock::{Clock, SystemClock};
use crate::config::problem::Place;
use crate::config::settings::{Mailbox, Need};
use crate::config::{Loaded, Misread, Problem, Settings};
use crate::outbox::{RelayOptions, TransportOptions};
use crate::store::{Location, Store};

/// What was found wrong, and the exit code it means.
pub(super) struct Found {
    pub(super) problems: Vec<Problem>,
    pub(super) exit: Exit,
}

/// Tries everything out.
pub(super) fn look(loaded: &Loaded) -> Found {
    let settings = &loaded.settings;
    let mut problems = Vec::new();
    let mut failures: Vec<(Place, Failure)> = Vec::new();
    thread::scope(|scope| {
        let mut trials = Vec::new();
        for (i, mailbox) in settings.mailboxes.iter().enumerate() {
            let (at, to) = (place(loaded, i, &["host", "path"]), place(loaded, i, &["smtp"]));
            match &mailbox.watched {
                Some(options) => {
                    trials.push((at, scope.spawn(|| trial::source(options, &mut |_, _| ()))));
                }
                None => problems.push(untried(&at, mailbox, "can be read")),
            }
            let sender = settings.outbox.senders.get(&mailbox.name);
            if let Some(sender) = sender.filter(|_| is_first_of_its_relay(settings, i)) {
                let attempt = || trial::way_out(settings, sender, &mut |_, _| ());
                trials.push((to, scope.spawn(attempt)));
            } else if has_no_relay(settings, mailbox) {
                problems.push(untried(&to, mailbox, "can answer"));
            }
        }
        failures.extend(store(loaded));
        for (place, trial) in trials {
            let Trial { failure, .. } = trial.join().expect("a trial does not panic");
            failures.extend(failure.map(|failure| (place, failure)));
        }
    });
    let exit = trial::exit(failures.iter().map(|(_, failure)| failure));
    problems.extend(failures.into_iter().map(|(place, Failure { message, hint, .. })| {
        Problem::error(&place, Misread::new(message, hint))
    }));
    Found { problems, exit }
}

// Mailboxes with one relay answer alike.
fn is_first_of_its_relay(settings: &Settings, index: usize) -> bool {
    if settings.outbox.transport != TransportOptions::Smtp {
        return false;
    }
    let relay = |mailbox: &Mailbox| -> Option<&RelayOptions> {
        settings.outbox.senders.get(&mailbox.name)?.relay.as_ref()
    };
    let this = relay(&settings.mailboxes[index]);
    this.is_some() && !settings.mailboxes[..index].iter().any(|other| relay(other) == this)
}

fn has_no_relay(settings: &Settings, mailbox: &Mailbox) -> bool {
    let need = Need::Relay(mailbox.name.clone());
    settings.missing.iter().any(|missing| missing.need == need)
}

fn untried(place: &Place, mailbox: &Mailbox, what: &str) -> Problem {
    let message =
        format!("whether `{}` {what} was not tried: its password is missing", mailbox.name);
    let hint = "let whoever runs this read the password, or try it where guichet runs";
    Problem::warning(place, Misread::new(message, hint))
}

// A store of SQLite that is not there yet is made at the first start, by the user guichet runs as.
fn store(loaded: &Loaded) -> Option<(Place, Failure)> {
    let settings = &loaded.settings;
    let is_missing = settings.missing.iter().any(|missing| missing.need == Need::Store);
    match &settings.store.location {
        Location::Memory => return None,
        Location::Sqlite(path) if !path.exists() => return None,
        Location::Postgres(_) if is_missing => return None,
        Location::Postgres(_) | Location::Sqlite(_) => {}
    }
    let error = Store::open(&settings.store, SystemClock.now()).err()?;
    let tree = &loaded.tree;
    let at = tree.at(&["store", "url"]).or(tree.at(&["state"])).unwrap_or(tree);
    Some((at.place.clone(), Failure::new(exit_of_store(&error), &error.to_string())))
}

/// The first of the keys of a mailbox that is there, else the mailbox.
fn place(loaded: &Loaded, index: usize, keys: &[&str]) -> Place {
    let (tree, i) = (&loaded.tree, index.to_string());
    let of_key = keys.iter().find_map(|key| tree.at(&["mailbox", &i, key]));
    let node = of_key.or(tree.at(&["mailbox", &i, "address"])).unwrap_or(tree);
    node.place.clone()
}
