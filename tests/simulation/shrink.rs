//! Makes a history that ends badly as short as it can be: whatever it ends as badly without is taken
//! out of it.

use super::history::History;
use super::outside::Log;
use super::run::play;

// How many histories are tried for that.
const MOST_TRIALS: usize = 600;

/// The shortest history found that ends as badly, by the first of what is wrong.
pub fn shrunk(history: &History, fault: &str) -> History {
    let mut best = history.clone();
    let mut trials = 0;
    let mut size = best.events.len().div_ceil(2);
    while size > 0 && trials < MOST_TRIALS {
        let mut from = 0;
        let mut is_shorter = false;
        while from < best.events.len() && trials < MOST_TRIALS {
            let mut candidate = best.clone();
            candidate.events.drain(from..(from + size).min(best.events.len()));
            trials += 1;
            let outcome = play(&candidate, Log::default());
            if outcome.faults.iter().any(|found| is_alike(found, fault)) {
                best = candidate;
                is_shorter = true;
            } else {
                from += size;
            }
        }
        // What could not go before may go once others have gone.
        if size > 1 || !is_shorter {
            size /= 2;
        }
    }
    best
}

// Numbers and names differ from history to history.
fn is_alike(one: &str, other: &str) -> bool {
    let words = |text: &str| -> String {
        let plain = text.chars().filter(|c| !c.is_ascii_digit());
        plain.take(40).collect()
    };
    words(one) == words(other)
}
