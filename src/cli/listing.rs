//! A list cut at `--limit`: its rows, and a word when there are more.

use anyhow::Result;
use serde_json::Value;

use super::words::{counted, hint};
use super::{Format, Globals, output};

/// What a list shows, and how much of it.
pub(super) struct Listing<'a> {
    /// What one row is, e.g. `ticket`.
    pub(super) what: &'a str,
    /// The columns of a table for people; programs get `all`.
    pub(super) shown: &'a [&'a str],
    pub(super) all: &'a [&'a str],
    pub(super) limit: u32,
}

/// Whether everything that was asked for was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Cut,
    Whole,
}

impl Listing<'_> {
    /// How many to ask the store for: one more than is shown tells whether there are more.
    pub(super) fn wanted(&self) -> u32 {
        self.limit.saturating_add(1)
    }

    /// Prints at most `limit` of `items`, each as `row` makes it.
    pub(super) fn print<T>(
        &self,
        globals: &Globals,
        items: &[T],
        row: impl Fn(&T) -> Value,
    ) -> Result<Extent> {
        let limit = self.limit as usize;
        let rows: Vec<Value> = items.iter().take(limit).map(row).collect();
        let columns = match globals.format() {
            Format::Table => self.shown,
            Format::Csv | Format::Json | Format::Jsonl => self.all,
        };
        output::rows(globals.format(), columns, &rows)?;
        if items.len() <= limit {
            return Ok(Extent::Whole);
        }
        let count = counted(rows.len(), self.what);
        hint(globals, format_args!("there are more than {count}; `--limit N` shows more"));
        Ok(Extent::Cut)
    }
}
