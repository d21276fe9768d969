//! When a folder may be read again whose UIDs came to mean other messages: each time all of it is
//! stored again, so one that does not come to rest would fill the disk (P-05, P-09).

use jiff::{SignedDuration, Timestamp};

use crate::faults;
use crate::store::renumbered::{self, Cause};
use crate::store::{Sql, StoreError};

// So many times within an hour are borne; after them it rests.
const MOST: usize = 3;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
// The first rest, and the longest: each is twice as long as the one before it.
const FIRST_REST: SignedDuration = HOUR;
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(24);
/// How long it is remembered.
pub(in crate::intake) const WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is remembered of a folder whose UIDs came to mean other messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unrest {
    pub count: usize,
    pub first: Timestamp,
    pub last: Timestamp,
    /// Why it was so the last time.
    pub cause: Cause,
    /// Should it be so again, it is left alone until then.
    pub until: Option<Timestamp>,
}

/// That of a mailbox, if it is remembered.
pub fn unrest(
    sql: &mut dyn Sql,
    mailbox: &str,
    now: Timestamp,
) -> Result<Option<Unrest>, StoreError> {
    let known = renumbered::times(sql, mailbox, now - WITHIN, now)?;
    let times: Vec<Timestamp> = known.iter().map(|(time, _)| *time).collect();
    let (Some((first, _)), Some((last, cause))) = (known.first(), known.last()) else {
        return Ok(None);
    };
    let until = rests_until(&times, now);
    Ok(Some(Unrest { count: known.len(), first: *first, last: *last, cause: *cause, until }))
}

/// Until when a folder rests that was read again at these `times`, the oldest first.
pub(in crate::intake) fn rests_until(times: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    let mut rest: Option<SignedDuration> = None;
    for (before, time) in times.iter().enumerate() {
        rest = match rest {
            // It came to no rest since the last one.
            Some(rest) if *time < times[before - 1] + rest * 2 => {
                Some((rest * 2).min(LONGEST_REST))
            }
            _ => {
                let first = before.checked_sub(MOST - 1).map(|first| times[first]);
                first.is_some_and(|first| *time < first + HOUR).then_some(FIRST_REST)
            }
        };
    }
    let until = *times.last()? + rest?;
    (now < until && faults::stands("P-09-often")).then_some(until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).expect("in range")
    }

    fn until(minutes: &[i64]) -> Option<i64> {
        let times: Vec<Timestamp> = minutes.iter().copied().map(at).collect();
        let until = rests_until(&times, *times.last()?);
        until.map(|until| until.as_second() / 60)
    }

    #[test]
    fn p_09_a_folder_rests_after_three_times_in_an_hour_and_longer_each_time() {
        assert_eq!(until(&[]), None);
        assert_eq!(until(&[0, 10]), None);
        assert_eq!(until(&[0, 30, 60]), None, "not within an hour");
        assert_eq!(until(&[0, 10, 20]), Some(80));
        assert_eq!(until(&[0, 10, 20, 80]), Some(80 + 120));
        assert_eq!(until(&[0, 10, 20, 80, 200]), Some(200 + 240));
        assert_eq!(until(&[0, 10, 20, 80, 1_000]), None, "it had come to rest");
        assert_eq!(until(&[0, 10, 20, 80, 1_000, 1_010, 1_020]), Some(1_080));
        assert_eq!(rests_until(&[at(0), at(10), at(20)], at(80)), None);
    }

    #[test]
    fn p_09_a_folder_that_never_rests_is_read_again_about_once_a_day() {
        let mut times: Vec<Timestamp> = Vec::new();
        for minute in 0..30 * 24 * 60 {
            if rests_until(&times, at(minute)).is_none() {
                times.push(at(minute));
            }
        }
        assert!((30..40).contains(&times.len()), "{} times in 30 days", times.len());
    }
}
