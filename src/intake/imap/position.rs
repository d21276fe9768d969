//! Where a mailbox on a server stands: the low-water UID, below which every message is in the
//! ledger, owed, or gone; and which of the messages that were there at the beginning are left alone.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::attributes::Sighted;
use crate::faults;
use crate::intake::{ImapOptions, Start};
use crate::store::spool::Series;

/// What the store remembers of a mailbox, read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    At(Position),
    Rewound(Rewound),
}

/// Set back by hand (`mailbox rewind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rewound {
    /// What arrived since then is to be read again.
    pub(super) since: Timestamp,
    /// The series it stood in, and its low-water UID there. Absent in what an older guichet wrote.
    pub(super) from: Option<(Series, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) series: Series,
    /// The low-water UID.
    pub(super) low: u32,
    pub(super) beginning: Beginning,
    /// Absent in what an older guichet wrote.
    pub(super) place: Option<Place>,
}

/// Tells one folder of one account from another: the numbers of their messages may be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u64);

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
            Standing::Rewound(Rewound { since, from }) => {
                let from = from.map(|(series, low)| format!("/{series}/{low}")).unwrap_or_default();
                format!("since/{}{from}", since.as_millisecond())
            }
        }
    }

    /// Reads back what [`Standing::text`] wrote; `None` for what another kind of source wrote.
    pub(super) fn parse(text: &str) -> Option<Standing> {
        let (text, place) = match text.split_once('#') {
            Some((text, place)) => (text, Some(Place(u64::from_str_radix(place, 16).ok()?))),
            None => (text, None),
        };
        let mut words = text.split('/');
        let standing = match words.next()? {
            "since" => {
                let since = time(words.next()?)?;
                let from = match words.next() {
                    None => None,
                    Some(series) => Some((Series::parse(series)?, words.next()?.parse().ok()?)),
                };
                Standing::Rewound(Rewound { since, from })
            }
            "uid" => {
                let (series, low) = (Series::parse(words.next()?)?, words.next()?.parse().ok()?);
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
                Standing::At(Position { series, low, beginning, place })
            }
            _ => return None,
        };
        words.next().is_none().then_some(standing)
    }
}

impl Position {
    pub(super) fn text(&self) -> String {
        let Position { series, low, beginning, place } = self;
        let beginning = match beginning {
            Beginning::All => String::new(),
            Beginning::Before { below, time } => {
                format!("/{below}/before/{}", time.as_millisecond())
            }
            Beginning::Seen { below, time } => format!("/{below}/seen/{}", time.as_millisecond()),
            Beginning::Start { below } => format!("/{below}/start"),
        };
        let place = place.map(|Place(place)| format!("#{place:016x}")).unwrap_or_default();
        format!("uid/{series}/{low}{beginning}{place}")
    }

    /// Whether it is that of another folder, or of another account, whose messages have the same
    /// numbers as those here (P-01).
    pub(super) fn is_of_another(&self, validity: u32, here: Place) -> bool {
        self.series.validity == validity
            && self.place.is_some_and(|place| place != here)
            && faults::stands("P-01-place")
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

impl Place {
    /// That of the folder which is watched. A server may get another name and be the same.
    pub(super) fn of(imap: &ImapOptions) -> Place {
        // RFC 9051 §5.1: INBOX is one in any case.
        let folder = match imap.folder.eq_ignore_ascii_case("INBOX") {
            true => "INBOX",
            false => &imap.folder,
        };
        let hash = Sha256::new()
            .chain_update(&imap.login.username)
            .chain_update([0])
            .chain_update(folder)
            .finalize();
        Place(hash.iter().take(8).fold(0, |place, byte| place << 8 | u64::from(*byte)))
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
            for place in [None, Some(Place(7)), Some(Place(u64::MAX))] {
                for series in [Series::of(7), Series::of(7).next()] {
                    let standing = Standing::At(Position { series, low: 3, beginning, place });
                    assert_eq!(Standing::parse(&standing.text()), Some(standing));
                }
            }
        }
        for from in [None, Some((Series::of(7), 3)), Some((Series::of(7).next(), 3))] {
            let rewound = Standing::Rewound(Rewound { since: time, from });
            assert_eq!(Standing::parse(&rewound.text()), Some(rewound));
        }
        for other in ["started", "uid/1", "uid/1/x", "uid/1/2/3", "uid/1/2/3/start/4", "since/x"] {
            assert_eq!(Standing::parse(other), None, "{other}");
        }
    }

    #[test]
    fn e_09_the_start_is_asked_about_what_was_there_at_the_first_contact() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let beginning = Beginning::Start { below: 10 };
        let position = Position { series: Series::of(1), low: 0, beginning, place: None };
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
