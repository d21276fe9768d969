//! The rows that were not taken: each in its own words, with its line and the reason, so that they can
//! be corrected and imported.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Result;
use csv::Writer;

use super::table::Row;
use crate::cli::output::{aside, escape, no_formula};
use crate::cli::{Globals, export};

// So many are said as they come.
const SAID: u64 = 10;

/// Collects them: to a file, when one was named, made with the first of them.
pub(super) struct Rejects {
    path: Option<PathBuf>,
    header: Vec<String>,
    writer: Option<Writer<File>>,
    count: u64,
}

impl Rejects {
    pub fn new(path: Option<PathBuf>, header: Vec<String>) -> Rejects {
        Rejects { path, header, writer: None, count: 0 }
    }

    /// Notes a row, and says so of the first few.
    pub fn add(&mut self, globals: &Globals, row: &Row, why: &str) -> Result<()> {
        self.count += 1;
        if self.count <= SAID && !globals.quiet {
            aside(format_args!("line {}: {}", row.line, escape(why)));
        }
        let Some(path) = &self.path else { return Ok(()) };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let mut writer = Writer::from_writer(export::make(path)?);
                let own = ["rejected_line", "rejected_because"];
                writer.write_record(self.header.iter().map(String::as_str).chain(own))?;
                self.writer.insert(writer)
            }
        };
        let mut cells = row.cells.clone();
        cells.resize(self.header.len(), String::new());
        cells.extend([row.line.to_string(), why.to_owned()]);
        writer.write_record(cells.into_iter().map(no_formula))?;
        Ok(())
    }

    /// The file, if it was made.
    pub fn finish(self) -> Result<Option<PathBuf>> {
        let Some(mut writer) = self.writer else { return Ok(None) };
        writer.flush()?;
        writer.get_ref().sync_all()?;
        Ok(self.path)
    }
}
