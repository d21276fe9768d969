//! How the time of reading grows with what is read (T-38, M-102).

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Twice the size may take less than three times the time (design §11): `work` on what `input`
/// makes of a size. Other work on the machine disturbs a measurement, so the best of several counts.
#[track_caller]
pub fn assert_linear<T, R>(
    name: &str,
    size: usize,
    input: impl Fn(usize) -> T,
    work: impl Fn(&T) -> R,
) {
    let (small, large) = (input(size), input(2 * size));
    let mut best = f64::INFINITY;
    for _ in 0..10 {
        best = best.min(seconds(|| work(&large)) / seconds(|| work(&small)));
        if best < 3.0 {
            return;
        }
    }
    panic!("{name}: twice the size takes {best:.1} times the time");
}

/// The shortest of three runs.
#[expect(clippy::disallowed_methods, reason = "measures how the time grows, decides nothing")]
fn seconds<R>(work: impl Fn() -> R) -> f64 {
    // Long enough that a clock tick or an interruption is small beside it.
    const AT_LEAST: Duration = Duration::from_millis(3);
    let run = || {
        let start = Instant::now();
        let mut count = 0.0;
        while start.elapsed() < AT_LEAST {
            black_box(work());
            count += 1.0;
        }
        start.elapsed().as_secs_f64() / count
    };
    (0..3).map(|_| run()).fold(f64::INFINITY, f64::min)
}

#[test]
fn what_is_not_linear_is_found_out() {
    // Eight times for twice the size: far enough from three for the noise of any machine.
    let cube = |n: &usize| (0..n.pow(3)).fold(0, |sum: usize, next| sum ^ black_box(next));
    let found = std::panic::catch_unwind(|| assert_linear("cube", 40, |n| n, cube));
    assert!(found.is_err());
}
