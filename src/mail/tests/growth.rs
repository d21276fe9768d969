//! How the time of reading grows with what is read (T-38, M-102).

use std::hint::black_box;
use std::panic::catch_unwind;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

// Twice the size may take less than so many times the time (design §11).
const LIMIT: f64 = 3.0;
// Rounds that are measured at least, and when it looks bad until then, at most.
const ROUNDS: std::ops::RangeInclusive<u32> = 3..=40;
// Long enough that an interruption is small beside it.
const AT_LEAST: Duration = Duration::from_millis(3);

/// Twice the size may take less than three times the time: `work` on what `input` makes of a size.
#[track_caller]
pub fn assert_linear<T, R>(
    name: &str,
    size: usize,
    input: impl Fn(usize) -> T,
    work: impl Fn(&T) -> R,
) {
    let growth = growth(size, input, work);
    assert!(growth < LIMIT, "{name}: twice the size takes {growth:.1} times the time");
}

/// How many times as long twice the size takes. Whatever else the machine does can only make a run
/// longer: so the processor's time counts and not the clock's, both sizes are run in turn, and the
/// shortest run of each is compared. One that was lengthened all the same is run more often.
fn growth<T, R>(size: usize, input: impl Fn(usize) -> T, work: impl Fn(&T) -> R) -> f64 {
    let (small, large) = (input(size), input(2 * size));
    let (mut least_small, mut least_large) = (f64::INFINITY, f64::INFINITY);
    for round in 1..=*ROUNDS.end() {
        least_small = least_small.min(seconds(|| work(&small)));
        least_large = least_large.min(seconds(|| work(&large)));
        if round >= *ROUNDS.start() && least_large / least_small < LIMIT {
            break;
        }
    }
    least_large / least_small
}

/// What one run of `work` takes of the processor.
fn seconds<R>(work: impl Fn() -> R) -> f64 {
    let start = processor_time();
    let mut count = 0;
    loop {
        black_box(work());
        count += 1;
        let taken = processor_time() - start;
        if taken >= AT_LEAST {
            return taken.as_secs_f64() / f64::from(count);
        }
    }
}

/// How long this thread has run.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a thread has not run for less than no time")
}

#[test]
fn what_is_not_linear_is_found_out() {
    let power = |exponent| {
        move |n: &usize| (0..n.pow(exponent)).fold(0, |sum: usize, next| sum ^ black_box(next))
    };
    assert_linear("line", 90_000, |n| n, power(1));
    for (name, size, exponent) in [("square", 300, 2), ("cube", 40, 3)] {
        let found = catch_unwind(|| assert_linear(name, size, |n| n, power(exponent)));
        assert!(found.is_err(), "{name}");
    }
}
