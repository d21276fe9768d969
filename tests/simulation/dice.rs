//! Chance, and what it makes of a history: mostly mail and work, some trouble, and now and then a scene:
//! events that come to something only one after the other.

use guichet::clock::{Chance, SeededChance};

use super::desk::{After, Limits, Tags, Variant};
use super::history::{Event, LineEnds};
use super::outside::Standstill;
use super::people::{Automatic, DESKS, PEOPLE, Way};
use super::relay::Answer;
use super::server::Break;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
// How far the machine's clock is put wrong.
const JUMPS: [i64; 4] = [MINUTE, HOUR, 30 * HOUR, 365 * 24 * HOUR];

// Steps after which much is at stake.
const ENDS: [&str; 8] = [
    "imap.expunge",
    "imap.stored",
    "imap.taken",
    "ingest.claimed",
    "outbox.begun",
    "outbox.claimed",
    "smtp.taken",
    "spool.committed",
];

/// Chance, as a seed gives it.
pub struct Dice(SeededChance);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        // The sequences of two seeds must not be one another's, begun later.
        let mut mixed = [0; 8];
        SeededChance::new(seed).fill(&mut mixed);
        Dice(SeededChance::new(u64::from_le_bytes(mixed)))
    }

    pub fn below(&self, count: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        (u64::from_le_bytes(bytes) % count as u64) as usize
    }

    pub fn one_in(&self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn of<T: Copy>(&self, among: &[T]) -> T {
        among[self.below(among.len())]
    }

    fn number(&self, most: u32) -> u32 {
        self.below(most as usize) as u32
    }

    pub fn variant(&self, processes: usize) -> Variant {
        Variant {
            after: self.of(&[After::Delete, After::Flag, After::Keep, After::Move, After::Move]),
            limits: self.of(&[Limits::Narrow, Limits::Usual, Limits::Usual]),
            tags: self.of(&[Tags::Always, Tags::Auto]),
            workers: if processes > 1 { 1 + self.below(2) } else { 1 },
        }
    }

    fn desk(&self) -> usize {
        self.below(DESKS.len())
    }

    // Letters come, and some work is done between them: trouble is what is in between.
    pub fn events(&self, events: &mut Vec<Event>, processes: usize, variant: Variant) {
        match self.below(32) {
            0..=11 => events.push(self.letter()),
            12..=22 => events.push(self.work(processes)),
            23..=26 => events.push(self.trouble(processes)),
            27..=30 => events.push(self.turn(processes, variant)),
            _ => self.scene(events, processes),
        }
    }

    fn letter(&self) -> Event {
        let (desk, choice) = (self.desk(), self.below(64));
        match self.below(14) {
            0..=4 => {
                let copies = if self.one_in(4) { DESKS.len() } else { 1 };
                Event::Write { person: self.below(PEOPLE.len()), desk, copies }
            }
            5 | 6 => Event::Follow { letter: choice, desk },
            7 | 8 => Event::Answer {
                mail: choice,
                way: self.of(&[Way::Address, Way::Reference, Way::Token]),
            },
            9 | 10 => Event::Again {
                letter: choice,
                desk,
                line_ends: self.of(&[LineEnds::CrLf, LineEnds::Lf]),
            },
            11 if self.one_in(3) => Event::Forge { mail: choice },
            11 => Event::Late { person: self.below(PEOPLE.len()), desk },
            12 => Event::LateComes,
            _ => Event::Automatic {
                what: self.of(&[
                    Automatic::Alarm,
                    Automatic::Garbage,
                    Automatic::List,
                    Automatic::Own,
                    Automatic::Robot,
                ]),
                desk,
            },
        }
    }

    fn work(&self, processes: usize) -> Event {
        let process = self.below(processes);
        match self.below(3) {
            0 => Event::WorkOff { process },
            _ => Event::Work { process, room: self.below(12), steps: 1 + self.number(6) },
        }
    }

    fn trouble(&self, processes: usize) -> Event {
        let (desk, process) = (self.desk(), self.below(processes));
        match self.below(14) {
            9 => Event::Deny { desk, commands: 1 + self.number(6) },
            10 => Event::Full { millis: self.of(&[MINUTE, 10 * MINUTE]) },
            11 if self.one_in(2) => Event::Killer { desk },
            11 => Event::Rotate,
            12 => Event::Unfetchable { desk, message: self.below(64), times: 1 + self.number(4) },
            13 => Event::StandStill(self.standstill(process)),
            0..=2 => Event::Doom { process, steps: self.number(60) },
            3 => Event::Die { process, point: self.of(&ENDS) },
            4 => Event::Kill { process },
            5 => Event::Refuse { desk, connections: 1 + self.number(4) },
            6 => {
                let breaks = Break { commands: self.number(8), carried_out: self.one_in(2) };
                Event::Break { desk, breaks }
            }
            7 => Event::Busy { transactions: 1 + self.number(4) },
            _ => {
                let answer = self.of(&[
                    Answer::Away,
                    Answer::DroppedAfter,
                    Answer::DroppedAfter,
                    Answer::DroppedBefore,
                    Answer::DroppedEarly,
                    Answer::NotNow,
                    Answer::NotNowAtEnd,
                    Answer::Refused,
                    Answer::RefusedAtEnd,
                ]);
                Event::Relay { answer, mails: 1 + self.below(3) }
            }
        }
    }

    // What comes to something only together.
    fn scene(&self, events: &mut Vec<Event>, processes: usize) {
        let (process, desk) = (self.below(processes), self.desk());
        let work_off = Event::WorkOff { process };
        let write = Event::Write { person: self.below(PEOPLE.len()), desk, copies: 1 };
        let late = Event::Pass { millis: HOUR };
        match self.below(5) {
            // Again and again nobody knows what became of a mail.
            0 => {
                let lost = [
                    Event::Relay { answer: Answer::DroppedAfter, mails: 1 },
                    Event::Die { process, point: "smtp.taken" },
                ];
                events.push(write);
                for _ in 0..3 {
                    events.extend([self.of(&lost), work_off, late]);
                }
            }
            // Between two attempts another key signs.
            1 => events.extend([
                write,
                Event::Relay { answer: Answer::DroppedAfter, mails: 1 },
                work_off,
                Event::Rotate,
                late,
                work_off,
            ]),
            // It stands still with mail in its hands, for longer than anybody waits.
            2 => events.extend([write, Event::StandStill(self.standstill(process)), work_off]),
            // It comes too late, and whoever took over has died before it was done.
            3 if processes > 1 => events.extend([
                write,
                Event::Die { process: 1 - process, point: "ingest.claimed" },
                Event::StandStill(Standstill {
                    process,
                    point: "ingest.claimed",
                    millis: 3 * MINUTE,
                    renumbers: None,
                }),
                work_off,
            ]),
            // A message is not to be had, for some time.
            _ => events.extend([
                write,
                Event::Unfetchable { desk, message: self.below(4), times: 1 + self.number(4) },
                work_off,
                Event::Pass { millis: self.of(&[HOUR, 25 * HOUR]) },
                Event::Full { millis: 10 * MINUTE },
                work_off,
            ]),
        }
    }

    fn standstill(&self, process: usize) -> Standstill {
        // Where no transaction is open, and nobody speaks to a relay.
        const POINTS: [&str; 10] = [
            "imap.fetched",
            "imap.selected",
            "imap.store",
            "imap.take",
            "imap.taken",
            "ingest.claimed",
            "ingest.claimed",
            "mailbox.leased",
            "outbox.begun",
            "outbox.claimed",
        ];
        Standstill {
            process,
            point: self.of(&POINTS),
            millis: self.of(&[SECOND, 3 * MINUTE, 3 * MINUTE, HOUR]),
            renumbers: self.one_in(6).then(|| self.desk()),
        }
    }

    fn turn(&self, processes: usize, variant: Variant) -> Event {
        let process = self.below(processes);
        match self.below(12) {
            0..=4 => {
                let span = self.of(&[SECOND, MINUTE, 10 * MINUTE, HOUR]);
                Event::Pass { millis: span + i64::from(self.number(1_000)) }
            }
            5 => {
                let span = self.of(&JUMPS);
                Event::Jump { millis: if self.one_in(2) { span } else { -span } }
            }
            6 => Event::Renumber { desk: self.desk() },
            7 => Event::Vanish { desk: self.desk(), message: self.below(64) },
            8 => Event::Stop { process },
            9 => Event::Reload {
                variant: Variant { workers: variant.workers, ..self.variant(processes) },
            },
            _ if processes > 1 => Event::Stand { process },
            _ => Event::Pass { millis: MINUTE },
        }
    }
}
