//! Stepping: a room's loop, the bell that wakes it, and what it does about trouble.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::clock::{Clock, Next};
use crate::store::StoreError;

/// Wakes a thread that waits for work or for a time.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

/// A step that failed.
pub(super) struct Trouble {
    pub(super) said: String,
    pub(super) lasting: Lasting,
}

/// Whether trouble may get better by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasting {
    Forever,
    ForNow,
}

// What a command puts into the store rings no bell: it waits no longer than this.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(2);
// The pauses after one failure, two, three, …
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(60),
];
// The same trouble is told again after so many failures in a row.
const TELL_AGAIN: u32 = 60;

/// Steps until nothing is due any more.
pub(super) fn until_idle<E>(
    clock: &dyn Clock,
    mut step: impl FnMut() -> Result<Next, E>,
) -> Result<(), E> {
    loop {
        match step()? {
            Next::Now => {}
            Next::At(time) if time <= clock.now() => {}
            Next::At(_) | Next::Idle => return Ok(()),
        }
    }
}

pub(super) fn of_store(failure: StoreError) -> Trouble {
    Trouble { lasting: lasting(failure.is_temporary()), said: failure.to_string() }
}

pub(super) fn lasting(is_temporary: bool) -> Lasting {
    if is_temporary { Lasting::ForNow } else { Lasting::Forever }
}

/// Steps until told to stop, or until something fails for good; answers what that was.
pub(super) fn keep_stepping(
    room: &str,
    bell: &Bell,
    stop: &AtomicBool,
    clock: &dyn Clock,
    mut step: impl FnMut() -> Result<Next, Trouble>,
) -> Result<(), String> {
    let mut failures = 0u32;
    let mut told = String::new();
    while !stop.load(Ordering::SeqCst) {
        match step() {
            Ok(next) => {
                if failures > 0 {
                    info!("{room}: works again after {failures} failed attempts");
                    (failures, told) = (0, String::new());
                }
                bell.wait(pause(next, clock.now()));
            }
            Err(Trouble { said, lasting: Lasting::Forever }) => return Err(said),
            Err(Trouble { said, lasting: Lasting::ForNow }) => {
                if said != told || failures.is_multiple_of(TELL_AGAIN) {
                    warn!("{room}: {said}");
                    told = said;
                }
                bell.wait(PAUSES[(failures as usize).min(PAUSES.len() - 1)]);
                failures = failures.saturating_add(1);
            }
        }
    }
    Ok(())
}

fn pause(next: Next, now: Timestamp) -> Duration {
    let wait = match next {
        Next::Now => SignedDuration::ZERO,
        Next::At(time) => time.duration_since(now).clamp(SignedDuration::ZERO, LONGEST_WAIT),
        Next::Idle => LONGEST_WAIT,
    };
    Duration::try_from(wait).unwrap_or(Duration::ZERO)
}

impl Bell {
    /// Wakes the thread that waits, or the next one that does.
    pub fn ring(&self) {
        *self.rung.lock().expect("no holder of this lock panics") = true;
        self.heard.notify_all();
    }

    /// Waits until the bell rings, at most this long.
    pub fn wait(&self, at_most: Duration) {
        let rung = self.rung.lock().expect("no holder of this lock panics");
        let (mut rung, _) = self
            .heard
            .wait_timeout_while(rung, at_most, |rung| !*rung)
            .expect("no holder of this lock panics");
        *rung = false;
    }
}
