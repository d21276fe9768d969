//! Hands out stored bytes exactly as they came: to a file of the reader's choice that is not there
//! yet, or to a standard output that is no terminal. A name in a mail never names a file (T-33), and
//! no byte of a mail reaches a terminal unescaped (T-40).

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::exit::{Exit, failure};
use super::output;
use super::{Format, Globals};

/// Where bytes go.
#[derive(Args)]
pub(super) struct Target {
    /// Writes them to this new file; `-` is standard output, even a terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes `bytes`, which are `what`, where they were asked for.
pub(super) fn hand_out(globals: &Globals, bytes: &[u8], what: &str, target: &Target) -> Result<()> {
    match target.out.as_deref() {
        Some(path) if path != Path::new("-") => to_file(globals, bytes, what, path),
        None if io::stdout().is_terminal() => Err(failure(
            Exit::Usage,
            format!(
                "{what} is not shown on a terminal\nhint: name a file with `--out FILE`, or pipe it into a program"
            ),
        )),
        _ => {
            let mut out = io::stdout().lock();
            out.write_all(bytes)?;
            Ok(out.flush()?)
        }
    }
}

fn to_file(globals: &Globals, bytes: &[u8], what: &str, path: &Path) -> Result<()> {
    let shown = path.display();
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => failure(
            Exit::CannotCreate,
            format!("`{shown}` is there already, and is not overwritten\nhint: name another file"),
        ),
        _ => failure(
            Exit::CannotCreate,
            format!(
                "`{shown}` cannot be made: {error}\nhint: name a file in a folder you may write to"
            ),
        ),
    })?;
    if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_all()) {
        // Half of it would pass for the whole.
        let _ = std::fs::remove_file(path);
        return Err(error).with_context(|| format!("`{shown}` cannot be written"));
    }
    match globals.format() {
        Format::Table => {
            output::line(format_args!("wrote {what} to `{shown}`, {} bytes", bytes.len()))?;
        }
        format => {
            output::object(format, &json!({ "path": shown.to_string(), "size": bytes.len() }))?
        }
    }
    Ok(())
}
