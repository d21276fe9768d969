//! Watches one folder on a server: each `step()` is one bounded piece of work. It is opened, looked
//! through in windows of UIDs, fetched and spooled batch by batch (the next comes in while the last
//! is committed), and told of what is decided. After whatever fails the next step begins anew: the
//! ledger and the position know what is done.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::error::ImapError;
use super::folder::{Access, Folder, Sighted};
use super::ledger::{Entered, Entry, Ledger};
use super::logins::Logins;
use super::position::{Beginning, Position, Standing, anew};
use super::session::Session;
use crate::clock::{Clock, Ids, Next};
use crate::intake::error::IntakeError;
use crate::intake::space::Disk;
use crate::intake::tenure::Held;
use crate::intake::{After, House, ImapOptions, Options, SourceOptions, Wake};

// UIDs asked about in one search, at first, and at most where few of them are in use.
const WINDOW: u32 = 5_000;
const WIDEST: u32 = 65_536;
// A disk below its floor: when to look again.
const FULL_PAUSE: SignedDuration = SignedDuration::from_secs(30);
// E-07: so many messages nobody has seen are no restored folder.
const FLOOD: usize = 100;
// After so many refusals in a row the session is left, and the server tried again later.
const REFUSED: usize = 8;

/// One folder on a server, and how far the work on it is.
pub struct ImapWatch {
    pub(super) options: Options,
    imap: ImapOptions,
    pub(super) ledger: Ledger,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Ids,
    pub(super) wake: Arc<Wake>,
    disk: Disk,
    spooled: Box<dyn Fn(usize) + Send>,
    pub(super) session: Option<Session>,
    logins: Logins,
    pub(super) open: Open,
    stage: Stage,
    next_poll: Timestamp,
    next_sweep: Timestamp,
    /// Among these is the message that the server could not tell of.
    pub(super) doubted: Vec<u32>,
    /// Fetched one by one: a session ended over a batch they were in.
    pub(super) suspects: HashSet<u32>,
    /// UIDs below the low-water one that are not in the ledger, with the times they were tried.
    pub(super) owed: HashMap<u32, u32>,
    // Those of them that were tried since the last sweep.
    tried: HashSet<u32>,
    // Why messages cannot be fetched: each reason is named once.
    named: HashSet<String>,
    // Messages refused one after the other: when they are many it is not the messages.
    refused: usize,
    /// Ids of messages that refused to be settled since the last sweep.
    pub(super) unsettled: HashSet<String>,
    /// The refusals that were named in the log.
    pub(super) refusals: HashSet<String>,
    // Messages left alone since the first contact, while that lasts.
    skipped: Option<usize>,
}

/// The folder as it was opened last.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) folder: Folder,
    pub(super) position: Position,
}

enum Stage {
    Acknowledge,
    Look(Look),
    Open,
    Owed(VecDeque<u32>),
    Rest,
}

/// How far a look through the folder has come.
struct Look {
    /// The next UID to ask about.
    next: u32,
    width: u32,
    /// The end of the window whose messages are pending.
    end: u32,
    pending: VecDeque<Sighted>,
    /// Fetched, not stored yet; and the low-water UID once it is.
    ready: Option<(Entry, u32)>,
}

impl ImapWatch {
    pub fn new(options: Options, house: House) -> ImapWatch {
        let House { store, clock, ids, space, wake, spooled, tenure } = house;
        let SourceOptions::Imap(imap) = options.source.clone() else {
            unreachable!("a mailbox of another kind has a watch of its own")
        };
        let ledger = Ledger::new(&options, store, clock.clone(), ids.clone(), tenure);
        let folder = Folder { validity: 0, next: 0, count: 0, is_read_only: false };
        let position = Position { validity: 0, low: 0, beginning: Beginning::All };
        let now = clock.now();
        ImapWatch {
            options,
            imap,
            ledger,
            clock,
            ids,
            wake,
            disk: Disk::new(space),
            spooled,
            session: None,
            logins: Logins::default(),
            open: Open { folder, position },
            stage: Stage::Open,
            next_poll: now,
            next_sweep: now,
            suspects: HashSet::new(),
            doubted: Vec::new(),
            owed: HashMap::new(),
            tried: HashSet::new(),
            named: HashSet::new(),
            refused: 0,
            unsettled: HashSet::new(),
            refusals: HashSet::new(),
            skipped: None,
        }
    }

    /// Does the next bounded piece of work. `At`: all that was there is spooled, all that was owed is
    /// settled, or no login is due before that time (P-21); called before it works off what is owed
    /// meanwhile. After an error it may be called again at any time: it connects again, and nothing
    /// is lost. While another process watches the mailbox, nothing is done to it (P-10).
    pub async fn step(&mut self) -> Result<Next, IntakeError> {
        match self.ledger.hold().await? {
            Held::Elsewhere { until } => {
                (self.stage, self.session) = (Stage::Open, None);
                return Ok(Next::At(until));
            }
            Held::Kept => {}
            // What was known may be old: another process has watched the mailbox meanwhile.
            Held::Taken => self.stage = Stage::Open,
        }
        // An error leaves it at the beginning.
        let stage = std::mem::replace(&mut self.stage, Stage::Open);
        let worked = match stage {
            Stage::Acknowledge => self.acknowledge_all().await,
            Stage::Look(look) => self.look(look).await,
            Stage::Open => {
                if self.session.is_none()
                    && let Some(time) = self.logins.closed_until(self.clock.now())
                {
                    return Ok(Next::At(time));
                }
                self.open().await
            }
            Stage::Owed(uids) => self.try_again(uids).await,
            Stage::Rest => {
                let now = self.clock.now();
                let is_due = now >= self.next_poll.min(self.next_sweep);
                let is_announced = self.wake.take_mail();
                Ok(if is_announced || is_due { Stage::Open } else { Stage::Acknowledge })
            }
        };
        match worked {
            Ok(stage) => self.stage = stage,
            Err(error) => {
                self.session = None;
                return Err(error);
            }
        }
        Ok(match self.stage {
            Stage::Rest => {
                Next::At(self.next_poll.min(self.next_sweep).min(self.ledger.renew_at()))
            }
            _ => Next::Now,
        })
    }

    /// Why mail that is in the mailbox was left there, or was not marked, if any was; it was logged
    /// already.
    pub fn left_behind(&self) -> Option<&'static str> {
        if self.disk.is_full() {
            Some("the disk is nearly full")
        } else if !self.owed.is_empty() {
            Some("some messages cannot be fetched")
        } else if !self.unsettled.is_empty() {
            Some("some messages could not be marked in their mailbox")
        } else {
            None
        }
    }

    /// Whether a session goes on: what fails now breaks off, what failed before never began.
    pub fn is_at_work(&self) -> bool {
        self.session.is_some() && !matches!(self.stage, Stage::Open)
    }

    async fn open(&mut self) -> Result<Stage, IntakeError> {
        let now = self.clock.now();
        let access = match self.options.after {
            After::Keep => Access::Read,
            After::Delete | After::Flag | After::Move { .. } => Access::Write,
        };
        let has_rested = self.session.is_some();
        if !has_rested {
            self.connect(now).await?;
        }
        let name = self.imap.folder.clone();
        let folder = match self.session().select(&name, access).await {
            // A server ends a session that rested for long: that is no trouble.
            Err(error) if has_rested && error.is_broken_off() => {
                self.session = None;
                return Ok(Stage::Open);
            }
            selected => selected.map_err(|cause| self.failed(cause))?,
        };
        let position = self.position(folder).await?;
        self.open = Open { folder, position };
        self.owed = self
            .ledger
            .owed_uids()
            .await?
            .into_iter()
            .map(|owed| (owed.uid, owed.attempts))
            .collect();
        self.next_poll = now + self.imap.poll_interval;
        let mut next = position.low.saturating_add(1);
        if now >= self.next_sweep {
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

    async fn connect(&mut self, now: Timestamp) -> Result<(), IntakeError> {
        match Session::open(&self.imap, &mut |_, _| ()).await {
            Ok(session) => {
                self.logins.accepted();
                self.session = Some(session);
                Ok(())
            }
            Err(error) => {
                if error.is_login_refused() {
                    self.logins.refused(now);
                }
                Err(self.failed(error))
            }
        }
    }

    // Where the mailbox stands in the folder as it is now.
    async fn position(&mut self, folder: Folder) -> Result<Position, IntakeError> {
        let Folder { validity, next: below, .. } = folder;
        let standing = self.ledger.standing().await?;
        let started_at = standing.as_ref().map(|(started_at, _)| *started_at);
        let text = standing.and_then(|(_, text)| text);
        let position = match text.as_deref().and_then(Standing::parse) {
            Some(Standing::At(position)) if position.validity == validity => return Ok(position),
            Some(Standing::At(_)) => {
                let started_at = started_at.unwrap_or_else(|| self.clock.now());
                let beginning = anew(self.options.start, started_at, below);
                let position = Position { validity, low: 0, beginning };
                self.recognise(folder, position).await?;
                position
            }
            Some(Standing::Rewound(time)) => {
                Position { validity, low: 0, beginning: Beginning::Before { below, time } }
            }
            None => {
                self.skipped = Some(0);
                Position { validity, low: 0, beginning: Beginning::Start { below } }
            }
        };
        self.ledger.begin(position).await?;
        // All of it is looked through.
        self.next_sweep = self.clock.now();
        Ok(position)
    }

    // E-07: a folder made anew is read again, and the keys of their content tell what is known. One
    // that holds mostly what was never seen is another folder: it would open a flood of tickets.
    async fn recognise(&mut self, folder: Folder, position: Position) -> Result<(), IntakeError> {
        let known = self.ledger.arrivals().await?;
        let start = self.options.start;
        let (mut unknown, mut count) = (0, 0);
        let mut look =
            Look { next: 1, width: WINDOW, end: 0, pending: VecDeque::new(), ready: None };
        while look.next < folder.next {
            let uids = self.window(&mut look, folder.next).await?;
            for message in self.sight(&uids).await? {
                if !message.is_deleted && !position.leaves_alone(&message, start) {
                    count += 1;
                    unknown += usize::from(!known.contains(&message.arrived_at.as_millisecond()));
                }
            }
        }
        let (mailbox, folder) = (self.options.name.clone(), self.imap.folder.clone());
        if unknown > FLOOD && unknown * 2 > count {
            return Err(self.failed(ImapError::Renumbered { mailbox, folder, unknown, count }));
        }
        tracing::warn!(
            mailbox.name = %mailbox,
            "the folder `{folder}` was made anew on the server: {count} messages are read again, and those that are known change nothing"
        );
        Ok(())
    }

    // The UIDs that are there in the next window.
    async fn window(&mut self, look: &mut Look, below: u32) -> Result<Vec<u32>, IntakeError> {
        let last = look.next.saturating_add(look.width - 1).min(below.saturating_sub(1));
        let found = self.session().search(look.next, last).await;
        let uids = found.map_err(|cause| self.failed(cause))?;
        look.width = match u32::try_from(uids.len()).unwrap_or(u32::MAX) {
            few if few < WINDOW / 2 => (look.width * 2).min(WIDEST),
            _ => WINDOW,
        };
        look.end = last;
        look.next = last.saturating_add(1);
        Ok(uids)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) async fn sight(&mut self, uids: &[u32]) -> Result<Vec<Sighted>, IntakeError> {
        let now = self.now();
        let sighted = self.session().sight(uids, now).await;
        sighted.map_err(|cause| self.failed(cause))
    }

    async fn look(&mut self, mut look: Look) -> Result<Stage, IntakeError> {
        if !look.pending.is_empty() || look.ready.is_some() {
            return self.bring_in(look).await;
        }
        let Open { folder, position } = self.open;
        if look.next < folder.next {
            let mut uids = self.window(&mut look, folder.next).await?;
            let known = self.ledger.known(position.validity, &uids).await?;
            uids.retain(|uid| !known.contains(uid) && !self.owed.contains_key(uid));
            let mut skipped = Vec::new();
            for message in self.sight_around(&uids).await? {
                if position.leaves_alone(&message, self.options.start) {
                    skipped.push((self.origin(message.uid), message.arrived_at));
                } else if !message.is_deleted {
                    look.pending.push_back(message);
                }
            }
            if look.pending.is_empty() {
                let low = look.end;
                look.ready = Some((Entry { skipped, ..Entry::default() }, low));
            } else if !skipped.is_empty() {
                let entry = Entry { skipped, ..Entry::default() };
                self.enter(entry, position.low).await?;
            }
            return Ok(Stage::Look(look));
        }
        let low = folder.next.saturating_sub(1);
        if position.low < low {
            self.enter(Entry::default(), low).await?;
        }
        if let Some(skipped) = self.skipped.take() {
            let name = &self.options.name;
            tracing::info!(
                mailbox.name = %name,
                mailbox.before_start = skipped,
                "the mailbox `{name}` is new: {skipped} messages from before its start are left alone"
            );
        }
        let mut owed: Vec<u32> =
            self.owed.keys().copied().filter(|uid| !self.tried.contains(uid)).collect();
        owed.sort_unstable();
        Ok(Stage::Owed(owed.into()))
    }

    // Stores what was fetched while the next batch comes in.
    async fn bring_in(&mut self, mut look: Look) -> Result<Stage, IntakeError> {
        let entering = look.ready.take().map(|(entry, low)| self.begin_to_enter(entry, low));
        let has_room = look.pending.is_empty() || self.disk.has_room(&self.options.name);
        let batch = if has_room { self.next_batch(&mut look.pending) } else { Vec::new() };
        let fetched = if batch.is_empty() { Ok(None) } else { self.fetch(&batch).await.map(Some) };
        let mut is_current = true;
        if let Some(entering) = entering {
            is_current = self.entered(entering.await?);
        }
        match fetched {
            Ok(Some(entry)) => {
                self.refused = 0;
                self.name_owed(&entry.owed);
                let last = batch.last().map_or(0, |message| message.uid);
                let low = if look.pending.is_empty() { look.end } else { last };
                look.ready = Some((entry, low));
            }
            Ok(None) => {}
            Err(cause) => {
                if let Some(entry) = self.blame(&batch, &cause) {
                    self.name_owed(&entry.owed);
                    self.enter(entry, batch[0].uid).await?;
                }
                self.refused += 1;
                let goes_on = matches!(cause, ImapError::Refused { .. });
                if !goes_on || self.refused.is_multiple_of(REFUSED) {
                    return Err(self.failed(cause));
                }
                // The server refused and goes on: one by one it may give them.
                for message in batch.into_iter().rev() {
                    if !self.owed.contains_key(&message.uid) {
                        look.pending.push_front(message);
                    }
                }
            }
        }
        if !has_room {
            self.next_poll = self.next_poll.min(self.clock.now() + FULL_PAUSE);
            return Ok(Stage::Acknowledge);
        }
        if self.options.after != After::Keep {
            self.acknowledge().await?;
        }
        Ok(if is_current { Stage::Look(look) } else { Stage::Open })
    }

    // What could not be fetched so far is tried once a sweep, each alone.
    async fn try_again(&mut self, mut uids: VecDeque<u32>) -> Result<Stage, IntakeError> {
        let Some(uid) = uids.pop_front() else { return Ok(Stage::Acknowledge) };
        self.tried.insert(uid);
        let low = self.open.position.low;
        let entry = match self.sight(&[uid]).await?.first() {
            Some(message) if !message.is_deleted => match self.fetch(&[*message]).await {
                Ok(entry) => entry,
                Err(cause) => {
                    let owed = vec![(uid, cause.first_line())];
                    self.enter(Entry { owed, ..Entry::default() }, low).await?;
                    if matches!(cause, ImapError::Refused { .. }) {
                        return Ok(Stage::Owed(uids));
                    }
                    return Err(self.failed(cause));
                }
            },
            Some(_) => Entry { forgiven: vec![uid], ..Entry::default() },
            None => {
                let present = self.session().present(&[uid]).await;
                let is_gone = present.map_err(|cause| self.failed(cause))?.is_empty();
                let forgiven = if is_gone { vec![uid] } else { Vec::new() };
                Entry { forgiven, ..Entry::default() }
            }
        };
        self.enter(entry, low).await?;
        Ok(Stage::Owed(uids))
    }

    // E-01: over which message the session ended. A batch is tried one by one; one alone is owed, and
    // the others go on.
    fn blame(&mut self, batch: &[Sighted], cause: &ImapError) -> Option<Entry> {
        let is_refused = matches!(cause, ImapError::Refused { .. });
        match batch {
            [message] if is_refused || self.suspects.contains(&message.uid) => {
                self.suspects.remove(&message.uid);
                let owed = vec![(message.uid, cause.first_line())];
                Some(Entry { owed, ..Entry::default() })
            }
            _ => {
                self.suspects.extend(batch.iter().map(|message| message.uid));
                None
            }
        }
    }

    // Each reason is named once.
    pub(super) fn name_owed(&mut self, owed: &[(u32, String)]) {
        for (uid, said) in owed {
            if self.named.insert(said.clone()) {
                tracing::error!(
                    mailbox.name = %self.options.name,
                    "the message with the UID {uid} cannot be fetched, others go on: {said}\nhint: guichet tries again at each sweep; see whether another program can open it"
                );
            }
        }
    }

    pub(super) async fn enter(&mut self, entry: Entry, low: u32) -> Result<(), IntakeError> {
        let entering = self.begin_to_enter(entry, low);
        let entered = entering.await?;
        if !self.entered(entered) {
            // Somebody moved the position: it is read again at the next look.
            self.next_poll = self.clock.now();
        }
        Ok(())
    }

    // The position moves on at once for us; when the store refuses, it is read again.
    fn begin_to_enter(
        &mut self,
        entry: Entry,
        low: u32,
    ) -> impl Future<Output = Result<Entered, IntakeError>> + use<> {
        for (uid, _) in &entry.owed {
            *self.owed.entry(*uid).or_default() += 1;
        }
        for uid in &entry.forgiven {
            self.owed.remove(uid);
        }
        let from = self.open.position;
        self.open.position.low = from.low.max(low);
        self.ledger.enter(entry, from, self.open.position)
    }

    // Answers whether the position is still ours.
    fn entered(&mut self, entered: Entered) -> bool {
        if entered.spooled > 0 {
            (self.spooled)(entered.spooled);
        }
        if let Some(skipped) = &mut self.skipped {
            *skipped += entered.skipped;
        }
        entered.is_current
    }

    async fn acknowledge_all(&mut self) -> Result<Stage, IntakeError> {
        let is_more = self.acknowledge().await?;
        Ok(if is_more { Stage::Acknowledge } else { Stage::Rest })
    }

    pub(super) fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("every stage but the first has a session")
    }

    pub(super) fn folder_name(&self) -> &str {
        &self.imap.folder
    }

    pub(super) fn failed(&self, cause: ImapError) -> IntakeError {
        IntakeError::Imap { mailbox: self.options.name.clone(), cause }
    }
}
