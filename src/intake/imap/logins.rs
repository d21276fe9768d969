//! When a server may be tried again: one that is away later and later; refused logins are no more
//! than three in a quarter of an hour, or a provider locks the account (P-21).

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::clock::Ids;
use crate::faults;
use crate::net::Login;

const MOST_REFUSED: usize = 3;
/// How long a refused login counts.
pub(super) const WITHIN: SignedDuration = SignedDuration::from_mins(15);
// The pause after the first failure, and the longest.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// The time before which no login may be tried, if there is one; `refused` is when logins were, the
/// oldest first.
pub(super) fn closed_until(refused: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    let first = refused.iter().nth_back(MOST_REFUSED - 1)?;
    let until = *first + WITHIN;
    (now < until && faults::stands("P-21")).then_some(until)
}

/// Tells a corrected login from the one that was refused. One byte: nobody guesses a password by it.
pub(super) fn mark(login: &Login) -> u8 {
    let hash = Sha256::new()
        .chain_update(&login.username)
        .chain_update([0])
        .chain_update(login.password.reveal())
        .finalize();
    hash[0]
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
        let closed = |refused: &[i64], now| {
            let refused: Vec<Timestamp> = refused.iter().copied().map(at).collect();
            closed_until(&refused, at(now))
        };
        assert_eq!(closed(&[], 0), None);
        assert_eq!(closed(&[0, 100], 200), None);
        assert_eq!(closed(&[0, 100, 200], 300), Some(at(900)));
        assert_eq!(closed(&[0, 100, 200], 900), None);
        assert_eq!(closed(&[0, 100, 200, 900], 950), Some(at(1_000)));
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
