//! Merging two tickets into one: for staff alone.

use super::{Actor, Counter, CounterError};
use crate::store::tickets::{self, Place};

/// Two tickets that are one now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    pub from: i64,
    pub into: i64,
}

impl Counter {
    /// Brings all that is on ticket `from` to ticket `into`, which answers for both from then on.
    /// Whoever asked in the one sees the other.
    pub fn merge(&self, from: i64, into: i64, actor: &Actor) -> Result<Merged, CounterError> {
        let Merged { from, into } = self.mergeable(from, into, actor)?;
        let (by, now) = (self.by(actor)?, self.clock.now());
        self.store.transact(move |sql| tickets::merge(sql, from, into, &by, now))?;
        Ok(Merged { from, into })
    }

    /// The tickets that [`Counter::merge`] would make one, or why it would not: to be asked before
    /// anybody is.
    pub fn mergeable(&self, from: i64, into: i64, actor: &Actor) -> Result<Merged, CounterError> {
        if let Actor::User { .. } = actor {
            return Err(CounterError::NoTicket(from));
        }
        self.by(actor)?;
        let (from, into) = self
            .store
            .read_only(|sql| {
                Ok([from, into].map(|number| (number, tickets::seat(sql, number, None))))
            })?
            .into();
        let number = |(number, seat): (i64, Result<Option<tickets::Seat>, _>)| {
            Ok::<_, CounterError>(seat?.ok_or(CounterError::NoTicket(number))?.number)
        };
        let (from, into) = (number(from)?, number(into)?);
        if from == into {
            let what = format!("ticket {into} cannot be merged into itself");
            return Err(CounterError::Refused { what, hint: "name another one" });
        }
        // T-07: a machine's mail is not to be read by whoever asks.
        let readers = |number| self.store.read_only(|sql| tickets::place(sql, number));
        let is_for_staff = |place: Option<Place>| place.is_some_and(|place| place.staff_only);
        if is_for_staff(readers(from)?) != is_for_staff(readers(into)?) {
            return Err(CounterError::Refused {
                what: format!("of the tickets {from} and {into} one is for staff alone"),
                hint: "answer on the one, and close the other",
            });
        }
        Ok(Merged { from, into })
    }
}
