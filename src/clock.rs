//! The only source of time and chance. Everything else is handed a [`Clock`] or an [`Ids`], so that
//! a test or a replay decides what time it is and which random bytes come next.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::faults;

/// Tells the time of day.
pub trait Clock: Send + Sync {
    /// The time now, in whole milliseconds.
    fn now(&self) -> Timestamp;

    /// Lets some time pass on this thread.
    fn pause(&self, pause: Duration);
}

/// The clock of the machine.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(faults::clock_ahead());
        whole_millis(
            Timestamp::now().saturating_add(ahead).expect("a span of time has no calendar"),
        )
    }

    fn pause(&self, pause: Duration) {
        std::thread::sleep(pause);
    }
}

/// Whether what was put off until a time, for no longer than `longest`, is due. A time further away
/// than that was reckoned by a clock that was set back since, and nobody waits for it (P-11).
pub fn is_due(until: Timestamp, longest: SignedDuration, now: Timestamp) -> bool {
    until <= now || (until.duration_since(now) > longest && faults::stands("P-11"))
}

/// Measures how long something takes, whatever anybody does to the clock.
#[derive(Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A clock that stands where it was put: for tests, and for replays, where the time is the arrival
/// of each message.
#[derive(Debug)]
pub struct SetClock(AtomicI64);

impl SetClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> SetClock {
        SetClock(AtomicI64::new(now.as_millisecond()))
    }

    /// Puts the clock to `now`, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millisecond(), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst))
            .expect("only values of a Timestamp are stored")
    }

    // Whoever waits does not wait for ever.
    fn pause(&self, pause: Duration) {
        let millis = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

/// Draws random bytes.
pub trait Chance: Send + Sync {
    /// Fills `bytes` with unpredictable ones.
    fn fill(&self, bytes: &mut [u8]);
}

/// The random numbers of the operating system.
#[derive(Debug, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    #[expect(clippy::disallowed_methods, reason = "the one place that draws random bytes")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system hands out random bytes");
    }
}

/// Random numbers that come out the same for the same seed: for tests and replays only.
#[derive(Debug)]
pub struct SeededChance(AtomicU64);

impl SeededChance {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> SeededChance {
        SeededChance(AtomicU64::new(seed))
    }
}

impl Chance for SeededChance {
    // SplitMix64: one addition and a mix for each eight bytes.
    fn fill(&self, bytes: &mut [u8]) {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Mints identifiers and secrets from a clock and chance.
#[derive(Clone)]
pub struct Ids {
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    last: Arc<Mutex<Minted>>,
}

/// The millisecond of the last id, and how many were minted in it before.
#[derive(Clone, Copy, Debug, Default)]
struct Minted {
    millis: u64,
    before: u16,
}

// What the 12 bits beside the time of a UUIDv7 count to.
const IN_A_MILLISECOND: u16 = 1 << 12;
// Milliseconds that ids may be ahead of the clock.
const MOST_AHEAD: u64 = 10;

impl Ids {
    /// Identifiers whose time part comes from `clock` and whose rest comes from `chance`.
    pub fn new(clock: Arc<dyn Clock>, chance: Arc<dyn Chance>) -> Ids {
        Ids { clock, chance, last: Arc::default() }
    }

    /// A new UUIDv7 (RFC 9562 §5.7) in its hyphenated form; later ones sort after earlier ones,
    /// unless the clock was set back. Messages that arrive together are decided in this order.
    pub fn uuid(&self) -> String {
        let mut random = [0u8; 10];
        self.chance.fill(&mut random);
        let now = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        let Minted { millis, before } = self.mint(now);
        random[..2].copy_from_slice(&before.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
    }

    fn mint(&self, now: u64) -> Minted {
        let mut last = self.last.lock().expect("no holder of this lock panics");
        // What more than a millisecond holds is of the next one, and the clock is soon past it; a
        // clock that is behind by more was set back.
        let is_same = now <= last.millis && last.millis - now <= MOST_AHEAD;
        *last = match *last {
            Minted { millis, before } if is_same && before + 1 < IN_A_MILLISECOND => {
                Minted { millis, before: before + 1 }
            }
            Minted { millis, .. } if is_same => Minted { millis: millis + 1, before: 0 },
            _ => Minted { millis: now, before: 0 },
        };
        *last
    }

    /// `N` random bytes, for a secret.
    pub fn secret<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0u8; N];
        self.chance.fill(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ids")
    }
}

/// What a loop's `step()` says of its next one. Every loop of the daemon does one bounded piece of
/// work at a time, so that a simulation can run them all on one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing is due before this time, unless somebody brings work.
    At(Timestamp),
    /// Nothing is due until somebody brings work.
    Idle,
    /// There is more to do at once.
    Now,
}

fn whole_millis(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).expect("a Timestamp's own milliseconds fit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_millisecond_sort_as_they_were_minted() {
        let clock =
            Arc::new(SetClock::at(Timestamp::from_second(1_800_000_000).expect("in range")));
        let ids = Ids::new(clock.clone(), Arc::new(SeededChance::new(7)));
        let minted: Vec<String> = (0..10_000).map(|_| ids.clone().uuid()).collect();
        assert!(minted.is_sorted_by(|earlier, later| earlier < later));
        clock.set(Timestamp::from_second(1_799_999_999).expect("in range"));
        assert!(ids.uuid() < minted[0], "a clock that was set back is believed");
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let clock =
            Arc::new(SetClock::at(Timestamp::from_second(1_800_000_000).expect("in range")));
        let ids = Ids::new(clock.clone(), Arc::new(SeededChance::new(7)));
        let first = ids.uuid();
        clock.set(Timestamp::from_second(1_800_000_001).expect("in range"));
        assert!(first < ids.uuid());
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let draw = |seed| {
            let mut bytes = [0u8; 13];
            SeededChance::new(seed).fill(&mut bytes);
            bytes
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
