//! Histories: what befalls a desk, event by event, made from a seed. An event says all that there is
//! to it, so that any others may be taken out of a history and the rest still makes sense.

use std::fmt;

use super::desk::Variant;
use super::dice::Dice;
use super::outside::Standstill;
use super::people::{Automatic, Way};
use super::relay::Answer;
use super::server::Break;

/// What befalls a desk, from its beginning.
#[derive(Clone, Debug)]
pub struct History {
    pub seed: u64,
    pub variant: Variant,
    /// Processes that work on the store.
    pub processes: usize,
    pub events: Vec<Event>,
}

/// One thing that happens. A number that chooses among what there is counts around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A letter that is there already comes once more, perhaps to the other mailbox, perhaps with
    /// other line ends.
    Again {
        letter: usize,
        desk: usize,
        line_ends: LineEnds,
    },
    /// Somebody answers a mail of ours.
    Answer {
        mail: usize,
        way: Way,
    },
    Automatic {
        what: Automatic,
        desk: usize,
    },
    /// A mail server ends a connection in the middle.
    Break {
        desk: usize,
        breaks: Break,
    },
    /// So many transactions find the store held by others.
    Busy {
        transactions: u32,
    },
    /// A mail server says no to so many commands.
    Deny {
        desk: usize,
        commands: u32,
    },
    /// A process will die at this step; when it is to die at several, at one after the other.
    Die {
        process: usize,
        point: &'static str,
    },
    /// A process will die after so many steps.
    Doom {
        process: usize,
        steps: u32,
    },
    /// Somebody answers a mail of ours in the name of the staff.
    Forge {
        mail: usize,
    },
    /// Somebody writes once more about a matter of theirs.
    Follow {
        letter: usize,
        desk: usize,
    },
    /// The disk that holds the store is full for a time.
    Full {
        millis: i64,
    },
    /// The machine's clock is put wrong.
    Jump {
        millis: i64,
    },
    Kill {
        process: usize,
    },
    /// A message comes that ends each process that reads it.
    Killer {
        desk: usize,
    },
    /// A first letter is delayed, and what follows it comes first.
    Late {
        person: usize,
        desk: usize,
    },
    /// What was delayed comes.
    LateComes,
    Pass {
        millis: i64,
    },
    /// A mail server takes no connections.
    Refuse {
        desk: usize,
        connections: u32,
    },
    Relay {
        answer: Answer,
        mails: usize,
    },
    /// The configuration is changed, and read again.
    Reload {
        variant: Variant,
    },
    /// A mail server gives new UIDs and another UIDVALIDITY.
    Renumber {
        desk: usize,
    },
    /// The operator has another key sign.
    Rotate,
    /// A process stands still between two steps, or goes on.
    Stand {
        process: usize,
    },
    /// A process will stand still in the middle of a step.
    StandStill(Standstill),
    /// A process is asked to end, and does.
    Stop {
        process: usize,
    },
    /// A mail server does not give a message for so many times.
    Unfetchable {
        desk: usize,
        message: usize,
        times: u32,
    },
    /// A message goes from its mailbox.
    Vanish {
        desk: usize,
        message: usize,
    },
    /// A process works: so many steps of one of its rooms.
    Work {
        process: usize,
        room: usize,
        steps: u32,
    },
    /// A process does all there is to do.
    WorkOff {
        process: usize,
    },
    /// Somebody writes, to one mailbox or to both.
    Write {
        person: usize,
        desk: usize,
        copies: usize,
    },
}

/// How the lines of a message end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnds {
    CrLf,
    Lf,
}

impl History {
    /// The one that belongs to `seed`.
    pub fn of(seed: u64) -> History {
        let dice = Dice::new(seed);
        let processes = if dice.one_in(3) { 2 } else { 1 };
        let variant = dice.variant(processes);
        let count = 12 + dice.below(30);
        let mut events = Vec::new();
        while events.len() < count {
            dice.events(&mut events, processes, variant);
        }
        History { seed, variant, processes, events }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
