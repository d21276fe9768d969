//! The session, the folder in it, and where the mailbox stands there: known, new, or made anew (E-07).

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use super::looking::WINDOW;
use super::reused::Reused;
use super::{ImapWatch, Look, Open, Stage};
use crate::clock::is_due;
use crate::faults;
use crate::intake::imap::error::ImapError;
use crate::intake::imap::fetch::uids_of;
use crate::intake::imap::folder::{Access, Folder};
use crate::intake::imap::logins::closed_until;
use crate::intake::imap::position::{Beginning, Place, Position, Rewound, Standing, anew};
use crate::intake::imap::restless::rests_until;
use crate::intake::imap::session::Session;
use crate::intake::{After, IntakeError};
use crate::store::renumbered::Cause;
use crate::store::spool::{Origin, Series};

// E-07: so many messages nobody has seen are no restored folder.
const FLOOD: usize = 100;

impl ImapWatch {
    pub(super) async fn open(&mut self) -> Result<Stage, IntakeError> {
        let now = self.clock.now();
        let access = match self.options.after {
            After::Keep => Access::Read,
            After::Delete | After::Flag | After::Move { .. } => Access::Write,
        };
        let has_rested = self.session.is_some();
        if !has_rested {
            self.connect().await?;
        }
        let name = self.imap.folder.clone();
        let mut folder = match self.session().select(&name, access).await {
            // A server ends a session that rested for long: that is no trouble.
            Err(error) if has_rested && error.is_broken_off() => {
                self.session = None;
                return Ok(Stage::Open);
            }
            selected => selected.map_err(|cause| self.failed(cause))?,
        };
        faults::point("imap.selected");
        let is_thorough = !has_rested || is_due(self.next_sweep, self.options.sweep, now);
        let position = self.position(&mut folder, access, is_thorough).await?;
        self.open = Open { folder, position };
        self.owe_untold().await?;
        self.owed = self
            .ledger
            .owed_uids()
            .await?
            .into_iter()
            .map(|owed| (owed.uid, owed.attempts))
            .collect();
        self.next_poll = now + self.imap.poll_interval;
        let mut next = position.low.saturating_add(1);
        if is_due(self.next_sweep, self.options.sweep, now) {
            self.next_sweep = now + self.options.sweep;
            self.unsettled.clear();
            self.tried.clear();
            next = 1;
        }
        if folder.count == 0 {
            next = folder.next;
        }
        let pending = VecDeque::new();
        Ok(Stage::Look(Look { next, width: WINDOW, end: 0, pending, ready: None }))
    }

    // The time before which no login may be tried, which is said once (P-21).
    pub(super) async fn closed_until(&mut self) -> Result<Option<Timestamp>, IntakeError> {
        let refused = self.ledger.refused_logins(&self.imap.login).await?;
        let until = closed_until(&refused, self.clock.now());
        if self.closed != until
            && let Some(time) = until
        {
            let name = &self.options.name;
            tracing::warn!(
                mailbox.name = %name,
                "the mailbox `{name}` is left alone until {time:.0}: its server refused the login {} times within 15 minutes\nhint: correct `mailbox.username` or `mailbox.password`, another login is tried at once; `guichet mailbox test {name}` tries one now",
                refused.len()
            );
        }
        self.closed = until;
        Ok(until)
    }

    async fn connect(&mut self) -> Result<(), IntakeError> {
        match Session::open(&self.imap, &mut |_, _| ()).await {
            Ok(session) => {
                self.session = Some(session);
                Ok(())
            }
            Err(error) => {
                if error.is_login_refused() {
                    self.ledger.login_refused(&self.imap.login).await?;
                }
                Err(self.failed(error))
            }
        }
    }

    // Where the mailbox stands in the folder as it is now.
    async fn position(
        &mut self,
        folder: &mut Folder,
        access: Access,
        is_thorough: bool,
    ) -> Result<Position, IntakeError> {
        let Folder { validity, next: below, .. } = *folder;
        let standing = self.ledger.standing().await?;
        let started_at = standing.as_ref().map(|(started_at, _)| *started_at);
        let text = standing.and_then(|(_, text)| text);
        let here = Place::of(&self.imap);
        let place = Some(here);
        let mut cause = None;
        let position = match text.as_deref().and_then(Standing::parse) {
            Some(Standing::At(position)) if position.is_of_another(validity, here) => {
                let (mailbox, folder) = (self.options.name.clone(), self.imap.folder.clone());
                return Err(self.failed(ImapError::OtherFolder { mailbox, folder }));
            }
            Some(Standing::At(position))
                if position.series.validity == validity || !faults::stands("P-09") =>
            {
                let stood = (position.series, position.low);
                let Some(reused) = self.reused(folder, stood, access, is_thorough).await? else {
                    return Ok(Position { place, ..position });
                };
                let series = position.series.next();
                let (position, is_stored_again) =
                    self.renumbered(*folder, series, started_at, Some(reused)).await?;
                cause = is_stored_again.then_some(Cause::Reused);
                position
            }
            Some(Standing::At(position)) => {
                let series = Series { validity, ..position.series };
                let (position, is_stored_again) =
                    self.renumbered(*folder, series, started_at, None).await?;
                cause = is_stored_again.then_some(Cause::Validity);
                position
            }
            Some(Standing::Rewound(Rewound { since, from })) => {
                let series = match from {
                    Some((series, low)) if series.validity == validity => {
                        match self.reused(folder, (series, low), access, true).await? {
                            Some(_) => series.next(),
                            None => series,
                        }
                    }
                    Some((series, _)) => Series { validity, ..series },
                    None => Series::of(validity),
                };
                let beginning = Beginning::Before { below, time: since };
                Position { series, low: 0, beginning, place }
            }
            None => {
                self.skipped = Some(0);
                let (series, beginning) = (Series::of(validity), Beginning::Start { below });
                Position { series, low: 0, beginning, place }
            }
        };
        let others = self.others(position.series).await?;
        self.ledger.begin(position, others, cause).await?;
        // All of it is looked through.
        self.next_sweep = self.clock.now();
        Ok(position)
    }

    // The beginning of a series in which the UIDs mean other messages, and whether some of them are
    // stored again for it.
    async fn renumbered(
        &mut self,
        folder: Folder,
        series: Series,
        started_at: Option<Timestamp>,
        reused: Option<Reused>,
    ) -> Result<(Position, bool), IntakeError> {
        let now = self.clock.now();
        let times = self.ledger.renumbered().await?;
        if let (Some(since), Some(until)) = (times.first(), rests_until(&times, now)) {
            let (folder, since, count) = (self.imap.folder.clone(), *since, times.len());
            return Err(self.failed(ImapError::Restless { folder, count, since, until }));
        }
        let started_at = started_at.unwrap_or(now);
        let beginning = anew(self.options.start, started_at, folder.next);
        let place = Some(Place::of(&self.imap));
        let position = Position { series, low: 0, beginning, place };
        let is_stored_again = self.recognise(folder, position, reused).await?;
        Ok((position, is_stored_again))
    }

    // A UIDVALIDITY that comes again, after a garbled answer or from a server that was taken back, is
    // owed again what rested meanwhile; but for those of its UIDs that mean other messages by now.
    async fn others(&mut self, series: Series) -> Result<Vec<String>, IntakeError> {
        let mut owed = self.ledger.unacknowledged(series, usize::MAX).await?;
        if owed.is_empty() || !faults::stands("P-09-others") {
            return Ok(Vec::new());
        }
        let mut uids = uids_of(&owed);
        uids.retain(|uid| !self.untold.iter().any(|(untold, _)| untold == uid));
        let present = self.sight_around(&uids).await?;
        let arrivals: HashMap<Origin, Timestamp> = present
            .iter()
            .map(|message| (Origin::Uid { series, uid: message.uid }, message.arrived_at))
            .collect();
        owed.retain(|owed| arrivals.get(&owed.origin).is_some_and(|at| *at != owed.arrived_at));
        Ok(owed.into_iter().map(|owed| owed.id).collect())
    }

    // E-07: a folder made anew is read again, and the keys of their content tell what is known. One
    // that holds mostly what was never seen is another folder: it would open a flood of tickets.
    // Answers whether some of it is known, and enters the ledger again.
    async fn recognise(
        &mut self,
        folder: Folder,
        position: Position,
        reused: Option<Reused>,
    ) -> Result<bool, IntakeError> {
        let known = self.ledger.arrivals().await?;
        let start = self.options.start;
        let (mut unknown, mut count, mut left_alone) = (0, 0, 0);
        let mut look =
            Look { next: 1, width: WINDOW, end: 0, pending: VecDeque::new(), ready: None };
        while look.next < folder.next {
            let mut uids = self.window(&mut look, folder).await?;
            uids.retain(|uid| !self.untold.iter().any(|(untold, _)| untold == uid));
            for message in self.sight_around(&uids).await? {
                if position.leaves_alone(&message, start) {
                    left_alone += 1;
                } else if !message.is_deleted {
                    count += 1;
                    unknown += usize::from(!known.contains(&message.arrived_at.as_millisecond()));
                }
            }
        }
        let (mailbox, folder) = (self.options.name.clone(), self.imap.folder.clone());
        if unknown > FLOOD && unknown * 2 > count {
            return Err(self.failed(ImapError::Renumbered { mailbox, folder, unknown, count }));
        }
        // A server that cannot write gives an empty folder a new number each time it is asked.
        let is_stored_again = left_alone + count > unknown;
        if count == 0 {
            return Ok(is_stored_again);
        }
        match reused {
            Some(reused) => tracing::warn!(
                mailbox.name = %mailbox,
                "the server gives out UIDs of the folder `{folder}` again, under the same UIDVALIDITY: {reused}. It was restored from a backup, as it seems: {count} messages are read again, and those that are known change nothing\nhint: whoever restores a server should give its folders another UIDVALIDITY"
            ),
            None => tracing::warn!(
                mailbox.name = %mailbox,
                "the folder `{folder}` was made anew on the server: {count} messages are read again, and those that are known change nothing"
            ),
        }
        Ok(is_stored_again)
    }
}
