//! When a server may be tried again: one that is away later and later; refused logins are no more
//! than three in a quarter of an hour, or a provider locks the account (P-21).

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Ids;

const MOST_REFUSED: usize = 3;
const WITHIN: SignedDuration = SignedDuration::from_mins(15);
// The pause after the first failure, and the longest.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// When logins were refused.
#[derive(Debug, Default)]
pub(super) struct Logins {
    refused: VecDeque<Timestamp>,
}

impl Logins {
    pub(super) fn accepted(&mut self) {
        self.refused.clear();
    }

    pub(super) fn refused(&mut self, now: Timestamp) {
        self.refused.push_back(now);
        if self.refused.len() > MOST_REFUSED {
            self.refused.pop_front();
        }
    }

    /// The time before which no login may be tried, if there is one.
    pub(super) fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let first = self.refused.front().filter(|_| self.refused.len() == MOST_REFUSED)?;
        let until = *first + WITHIN;
        (now < until).then_some(until)
    }
}

/// How long to wait after so many failures in a row. Half of it is chance, so that mailboxes on one
/// server do not come back together.
pub(super) fn pause(failures: u32, ids: &Ids) -> SignedDuration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(10));
    let most = doubled.min(LONGEST_PAUSE).as_millis_f64();
    let chance = f64::from(u32::from_be_bytes(ids.secret())) / f64::from(u32::MAX);
    SignedDuration::from_secs_f64(most * (0.5 + chance / 2.0) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::{SeededChance, SetClock};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn ids() -> Ids {
        Ids::new(Arc::new(SetClock::at(at(0))), Arc::new(SeededChance::new(7)))
    }

    #[test]
    fn p_21_three_logins_are_refused_in_any_quarter_of_an_hour() {
        let mut logins = Logins::default();
        for second in [0, 100, 200] {
            assert_eq!(logins.closed_until(at(second)), None);
            logins.refused(at(second));
        }
        assert_eq!(logins.closed_until(at(300)), Some(at(900)));
        assert_eq!(logins.closed_until(at(900)), None);
        logins.refused(at(900));
        assert_eq!(logins.closed_until(at(950)), Some(at(1_000)));
        logins.accepted();
        assert_eq!(logins.closed_until(at(901)), None);
    }

    #[test]
    fn pauses_grow_up_to_five_minutes_and_are_not_all_alike() {
        let ids = ids();
        for failures in 1..40 {
            let most = LONGEST_PAUSE.min(FIRST_PAUSE * (1 << (failures - 1).min(20)));
            let pause = pause(failures, &ids);
            assert!(pause <= most && pause * 2 >= most, "{pause:?} after {failures}");
        }
        assert_ne!(pause(20, &ids), pause(20, &ids));
    }
}
