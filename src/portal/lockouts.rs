//! Who is refused for a while (T-27): told once as long as it goes on, however often they try.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use super::{Limit, Portal, Trouble};
use crate::mail::Address;
use crate::store::attempts::{Refusal, Tried};

// Refused again within this time, it is the same lockout still.
const QUIET: SignedDuration = SignedDuration::from_mins(15);
// So that a flood cannot fill the memory; beyond it one may be told of again.
const KNOWN: usize = 10_000;

/// Somebody or something that a limit refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lockout {
    pub limit: Limit,
    pub whom: Whom,
    /// When it was told of, there was to be room again at this time.
    pub until: Timestamp,
}

/// Whose tries were too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// By the address that was typed, which need not be anybody's. What was typed and is none may be
    /// a password, and is not told (T-26).
    Account(Option<Address>),
    /// Whoever comes from there.
    Source(String),
    Ticket(i64),
}

/// Something that is tried, and whose try it is.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub(super) whom: Whom,
    pub(super) tried: Tried,
}

/// The lockouts that were told of, and whom they are told.
pub(super) struct Lockouts {
    pub(super) told: Arc<dyn Fn(&Lockout) + Send + Sync>,
    /// What was counted too often, and until when that is the same lockout.
    known: Mutex<BTreeMap<String, Timestamp>>,
}

impl Default for Lockouts {
    fn default() -> Lockouts {
        Lockouts { told: Arc::new(|_| ()), known: Mutex::default() }
    }
}

impl Lockouts {
    fn is_new(&self, counted: &str, until: Timestamp, now: Timestamp) -> bool {
        let mut known = self.known.lock().expect("no holder of this lock panics");
        if known.len() >= KNOWN {
            known.retain(|_, over| *over > now);
        }
        if known.len() >= KNOWN {
            known.clear();
        }
        let over = until.max(now.saturating_add(QUIET).unwrap_or(Timestamp::MAX));
        known.insert(counted.to_owned(), over).is_none_or(|over| over <= now)
    }
}

impl Portal {
    /// What a page says whose trials have no room; `refusals` has at least one.
    pub(super) fn refuse(&self, limit: Limit, trials: &[Trial], refusals: &[Refusal]) -> Trouble {
        let now = self.now();
        let mut latest = now;
        for Refusal { counted, until } in refusals {
            latest = latest.max(*until);
            let whose = trials.iter().find(|trial| trial.tried.counted == *counted);
            if let Some(Trial { whom, .. }) = whose
                && self.lockouts.is_new(counted, *until, now)
            {
                (self.lockouts.told)(&Lockout { limit, whom: whom.clone(), until: *until });
            }
        }
        Trouble::TooOften(limit, latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_27_a_lockout_is_new_once_until_it_has_been_quiet_for_a_while() {
        let lockouts = Lockouts::default();
        let at = |minute: i64| Timestamp::from_second(60 * minute).expect("a time in range");
        let is_new = |counted, until, now| lockouts.is_new(counted, at(until), at(now));
        assert!(is_new("a", 15, 0) && is_new("b", 60, 0));
        assert!(!is_new("a", 15, 14), "it lasts");
        assert!(!is_new("a", 30, 28), "and goes on with the first try that is let through");
        assert!(is_new("a", 60, 43), "it was over");
        assert!(!is_new("b", 60, 59) && is_new("b", 120, 74), "a longer one");
    }

    #[test]
    fn t_52_a_flood_of_them_is_not_remembered_for_ever() {
        let lockouts = Lockouts::default();
        let now = Timestamp::UNIX_EPOCH;
        for n in 0..=KNOWN {
            assert!(lockouts.is_new(&n.to_string(), now, now));
        }
        assert!(lockouts.known.lock().expect("not poisoned").len() <= KNOWN);
    }
}
