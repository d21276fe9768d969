//! Where a mailbox on a server stands: the low-water UID, below which every message is in the
//! ledger, owed, or gone; and which of the messages that were there at the beginning are left alone.

use jiff::Timestamp;

use super::attributes::Sighted;
use crate::intake::Start;

/// What the store remembers of a mailbox, read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    At(Position),
    /// What arrived since then is to be read again (`mailbox rewind`).
    Rewound(Timestamp),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) validity: u32,
    /// The low-water UID.
    pub(super) low: u32,
    pub(super) beginning: Beginning,
}

/// What is done about the messages that were there when this UIDVALIDITY was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// They are read.
    All,
    /// Those below this UID are left alone if they arrived before that time.
    Before { below: u32, time: Timestamp },
    /// Those below this UID are left alone if they arrived by that time and were read by somebody.
    Seen { below: u32, time: Timestamp },
    /// Those below this UID are judged by `mailbox.start`.
    Start { below: u32 },
}

impl Standing {
    /// As the store keeps it.
    pub(super) fn text(&self) -> String {
        match self {
            Standing::At(position) => position.text(),
            Standing::Rewound(since) => format!("since/{}", since.as_millisecond()),
        }
    }

    /// Reads back what [`Standing::text`] wrote; `None` for what another kind of source wrote.
    pub(super) fn parse(text: &str) -> Option<Standing> {
        let mut words = text.split('/');
        let standing = match words.next()? {
            "since" => Standing::Rewound(time(words.next()?)?),
            "uid" => {
                let (validity, low) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
                let beginning = match words.next() {
                    None => Beginning::All,
                    Some(below) => {
                        let below = below.parse().ok()?;
                        match words.next()? {
                            "before" => Beginning::Before { below, time: time(words.next()?)? },
                            "seen" => Beginning::Seen { below, time: time(words.next()?)? },
                            "start" => Beginning::Start { below },
                            _ => return None,
                        }
                    }
                };
                Standing::At(Position { validity, low, beginning })
            }
            _ => return None,
        };
        words.next().is_none().then_some(standing)
    }
}

impl Position {
    pub(super) fn text(&self) -> String {
        let Position { validity, low, beginning } = self;
        let start = format!("uid/{validity}/{low}");
        match beginning {
            Beginning::All => start,
            Beginning::Before { below, time } => {
                format!("{start}/{below}/before/{}", time.as_millisecond())
            }
            Beginning::Seen { below, time } => {
                format!("{start}/{below}/seen/{}", time.as_millisecond())
            }
            Beginning::Start { below } => format!("{start}/{below}/start"),
        }
    }

    /// Whether `mailbox.start`, or a rewind, leaves this message alone (E-09).
    pub(super) fn leaves_alone(&self, message: &Sighted, start: Start) -> bool {
        match self.beginning {
            Beginning::All => false,
            Beginning::Before { below, time } => message.uid < below && message.arrived_at < time,
            Beginning::Seen { below, time } => {
                message.uid < below && message.arrived_at < time && message.is_seen
            }
            Beginning::Start { below } => {
                message.uid < below
                    && match start {
                        Start::All => false,
                        Start::Now => true,
                        Start::Since(time) => message.arrived_at < time,
                        Start::Unseen => message.is_seen,
                    }
            }
        }
    }
}

/// E-07: what was from before the start stays so in a folder made anew. INTERNALDATE counts in
/// seconds; what came within the second of the first contact was there before, or is known.
pub(super) fn anew(start: Start, started_at: Timestamp, below: u32) -> Beginning {
    let contact =
        Timestamp::from_second(started_at.as_second().saturating_add(1)).unwrap_or(started_at);
    match start {
        Start::All => Beginning::All,
        Start::Now => Beginning::Before { below, time: contact },
        Start::Since(time) => Beginning::Before { below, time },
        Start::Unseen => Beginning::Seen { below, time: contact },
    }
}

fn time(millis: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back() {
        let time = Timestamp::from_millisecond(1_767_600_000_123).expect("in range");
        for beginning in [
            Beginning::All,
            Beginning::Before { below: 9, time },
            Beginning::Seen { below: 9, time },
            Beginning::Start { below: u32::MAX },
        ] {
            let standing = Standing::At(Position { validity: 7, low: 3, beginning });
            assert_eq!(Standing::parse(&standing.text()), Some(standing));
        }
        let rewound = Standing::Rewound(time);
        assert_eq!(Standing::parse(&rewound.text()), Some(rewound));
        for other in ["started", "uid/1", "uid/1/x", "uid/1/2/3", "uid/1/2/3/start/4", "since/x"] {
            assert_eq!(Standing::parse(other), None, "{other}");
        }
    }

    #[test]
    fn e_09_the_start_is_asked_about_what_was_there_at_the_first_contact() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let position = Position { validity: 1, low: 0, beginning: Beginning::Start { below: 10 } };
        let message = |uid, second, is_seen| Sighted {
            uid,
            size: 1,
            arrived_at: at(second),
            is_seen,
            is_deleted: false,
        };
        for (start, old_read, old_unread, new) in [
            (Start::All, false, false, false),
            (Start::Now, true, true, true),
            (Start::Since(at(50)), true, true, false),
            (Start::Unseen, true, false, false),
        ] {
            assert_eq!(position.leaves_alone(&message(9, 20, true), start), old_read);
            assert_eq!(position.leaves_alone(&message(9, 20, false), start), old_unread);
            assert_eq!(position.leaves_alone(&message(9, 80, false), start), new);
            assert!(!position.leaves_alone(&message(10, 20, true), start), "it came later");
        }
    }
}
