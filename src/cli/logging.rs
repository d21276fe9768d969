//! Sets up the log: text for people, JSON for programs, always on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{FormatFields, format};

use super::{Color, Globals};
use crate::config::Paint;
use crate::faults;

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogFormat {
    Json,
    /// Without times and levels: what a person at a terminal reads.
    Plain,
    Text,
}

/// Starts the log at `level` (`error`, `warn`, `info`, `debug`, `trace`); `-v` and `-q` go before it.
pub(super) fn start(globals: &Globals, format: LogFormat, level: &str) {
    let level = match (globals.quiet, globals.verbose) {
        (true, _) => "error",
        (false, 0) => level,
        (false, 1) => "debug",
        (false, _) => "trace",
    };
    // Libraries below us are heard only when they warn.
    let filter = EnvFilter::new(format!("warn,guichet={level}"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour(globals))
        .with_target(false)
        // What cannot be logged (the log's disk is full) is no reason to stop, and saying so on
        // standard error would panic there.
        .log_internal_errors(!faults::stands("P-05-log"));
    let started = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Plain => {
            builder.without_time().with_level(false).fmt_fields(sentence_only()).try_init()
        }
        // The sentence says it all; the fields are for whoever looks closer.
        LogFormat::Text if globals.verbose == 0 => builder.fmt_fields(sentence_only()).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    // A second start in one process (tests) keeps the first.
    let _ = started;
}

/// Leaves out all but the sentence of a log line.
fn sentence_only() -> impl for<'writer> FormatFields<'writer> {
    format::debug_fn(|writer, field, value| match field.name() {
        "message" => write!(writer, "{value:?}"),
        _ => Ok(()),
    })
}

/// Whether standard error is written in colour.
pub(super) fn colour(globals: &Globals) -> bool {
    match globals.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            std::io::stderr().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}

/// How problems are drawn on standard error.
pub(super) fn paint(globals: &Globals) -> Paint {
    if colour(globals) { Paint::Colour } else { Paint::Plain }
}
