//! Progress of long commands, on standard error: a bar on a terminal, else a line every ten seconds.

use std::io::IsTerminal;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use jiff::{SignedDuration, Timestamp};

use super::Globals;
use super::output::aside;
use crate::clock::{Clock, SystemClock};

/// How far a command is.
pub(super) struct Progress {
    shown: Shown,
    clock: Arc<dyn Clock>,
    started: Timestamp,
    done: u64,
    total: u64,
}

enum Shown {
    Bar(ProgressBar),
    Lines { next: Timestamp },
    Nothing,
}

const BETWEEN_LINES: SignedDuration = SignedDuration::from_secs(10);

impl Progress {
    pub(super) fn new(globals: &Globals, total: u64) -> Progress {
        let clock = Arc::new(SystemClock);
        let started = clock.now();
        let shown = if globals.quiet {
            Shown::Nothing
        } else if std::io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        {
            let style = ProgressStyle::with_template(
                "{wide_bar} {pos} of {len} messages, {rate}, {eta} left  {msg}",
            )
            .expect("the template of the bar is well-formed")
            .with_key(
                "rate",
                |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                    // A rate that cannot be drawn is no reason to stop.
                    let _ = write!(out, "{:.0}/s", state.per_sec());
                },
            );
            Shown::Bar(ProgressBar::new(total).with_style(style))
        } else {
            Shown::Lines { next: started + BETWEEN_LINES }
        };
        Progress { shown, clock, started, done: 0, total }
    }

    /// `count` more are done; `outcomes` says how they ended so far.
    pub(super) fn add(&mut self, count: u64, outcomes: impl FnOnce() -> String) {
        self.done += count;
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.set_message(outcomes());
                bar.inc(count);
            }
            Shown::Lines { next } => {
                let now = self.clock.now();
                if now >= *next {
                    *next = now + BETWEEN_LINES;
                    let seconds = now.duration_since(self.started).as_secs_f64();
                    let rate = self.done as f64 / seconds;
                    let left = (self.total.saturating_sub(self.done)) as f64 / rate.max(0.001);
                    aside(format_args!(
                        "{} of {} messages, {rate:.0}/s, about {left:.0} s left: {}",
                        self.done,
                        self.total,
                        outcomes()
                    ));
                }
            }
            Shown::Nothing => {}
        }
    }

    /// Clears the bar; answers the seconds it took.
    pub(super) fn finish(self) -> f64 {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
        self.clock.now().duration_since(self.started).as_secs_f64()
    }
}
