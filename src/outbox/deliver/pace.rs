//! How fast a relay may be used: never more than so many mails in so much time, wherever that time
//! begins. In memory: whoever starts again begins with an empty page.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::outbox::Rate;

/// The mails of the last while.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Option<Rate>,
    gone: VecDeque<Timestamp>,
}

impl Pace {
    pub fn new(rate: Option<Rate>) -> Pace {
        Pace { rate, gone: VecDeque::new() }
    }

    /// How many mails may go now.
    pub fn room(&mut self, now: Timestamp) -> usize {
        let Some(rate) = self.rate else { return usize::MAX };
        // What is ahead of the clock was counted before somebody set it back.
        self.gone.retain(|gone| {
            *gone <= now && gone.saturating_add(rate.per).unwrap_or(Timestamp::MAX) > now
        });
        usize::try_from(rate.mails).unwrap_or(usize::MAX).saturating_sub(self.gone.len())
    }

    /// Counts a mail that goes now.
    pub fn count(&mut self, now: Timestamp) {
        if self.rate.is_some() {
            self.gone.push_back(now);
        }
    }

    /// When the next mail may go, when none may now.
    pub fn opens_at(&self) -> Option<Timestamp> {
        let rate = self.rate?;
        self.gone.front().map(|gone| gone.saturating_add(rate.per).unwrap_or(Timestamp::MAX))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::outbox::testing::at;

    fn three_a_minute() -> Pace {
        Pace::new(Some(Rate { mails: 3, per: SignedDuration::from_mins(1) }))
    }

    #[test]
    fn no_minute_sees_more_than_its_mails() {
        let mut pace = three_a_minute();
        let mut gone = Vec::new();
        for second in 0..600 {
            while pace.room(at(second)) > 0 {
                pace.count(at(second));
                gone.push(second);
            }
        }
        assert_eq!(gone.len(), 30, "and no minute goes unused");
        assert!(gone.iter().zip(&gone[3..]).all(|(first, fourth)| fourth - first >= 60));
    }

    #[test]
    fn a_pause_saves_nothing_up() {
        let mut pace = three_a_minute();
        pace.count(at(0));
        assert_eq!(pace.room(at(86_400)), 3);
        for _ in 0..3 {
            pace.count(at(86_400));
        }
        assert_eq!((pace.room(at(86_401)), pace.opens_at()), (0, Some(at(86_460))));
    }

    #[test]
    fn a_clock_set_back_stops_nothing() {
        let mut pace = three_a_minute();
        for _ in 0..3 {
            pace.count(at(3_600));
        }
        assert_eq!(pace.room(at(0)), 3);
    }

    #[test]
    fn without_a_rate_everything_may_go() {
        let mut pace = Pace::new(None);
        pace.count(at(0));
        assert_eq!((pace.room(at(0)), pace.opens_at()), (usize::MAX, None));
    }
}
