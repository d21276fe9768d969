//! `guichet templates`: what our mails say, where each text comes from, and how it will look.

mod convert;
mod listing;
mod preview;
mod reader;
mod send;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::exit::{Exit, failure};
use super::{Globals, check, desk};
use crate::config::Settings;
use crate::outbox::{OutboxError, Templates};

use self::reader::ReaderArgs;

#[derive(Subcommand)]
pub(super) enum TemplatesCommand {
    /// Validates the templates and the aliases alone
    Check {
        /// Warnings fail too
        #[arg(long)]
        strict: bool,
    },
    /// Rewrites the placeholders of another helpdesk to ours
    Convert(convert::ConvertArgs),
    /// Lists the templates, and where each comes from
    List(listing::ListArgs),
    /// Shows what a mail would say, with samples or with a ticket
    Preview(preview::PreviewArgs),
    /// Queues a mail with samples, marked `[Test]`
    SendTest(send::SendTestArgs),
    /// Prints a template as it is written, to begin one of your own with
    Show(ShowArgs),
    /// Lists the names a template can use, and how they may be written in `{[…]}`
    Vars,
    /// Tells where a template is looked for, in order, and what is found
    Which(ReaderArgs),
}

#[derive(Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    reader: ReaderArgs,
    /// The HTML, not the text
    #[arg(long)]
    html: bool,
}

pub(super) fn run(globals: &Globals, command: TemplatesCommand) -> Result<Exit> {
    match command {
        TemplatesCommand::Check { strict } => check::run_templates(globals, strict),
        TemplatesCommand::Convert(args) => convert::run(globals, &args),
        TemplatesCommand::List(args) => listing::list(globals, &args),
        TemplatesCommand::Preview(args) => preview::run(globals, &args),
        TemplatesCommand::SendTest(args) => send::run(globals, args),
        TemplatesCommand::Show(args) => preview::show(globals, &args),
        TemplatesCommand::Vars => listing::vars(globals),
        TemplatesCommand::Which(args) => listing::which(globals, &args),
    }
}

/// The settings, and the templates they lead to.
fn load(globals: &Globals) -> Result<(Settings, Templates)> {
    let settings = desk::settings(globals)?;
    let templates = Templates::load(&settings.outbox).map_err(OutboxError::Templates)?;
    Ok((settings, templates))
}

/// Writes `text` where `target` says, else to standard output.
fn write(target: Option<&PathBuf>, text: &str) -> Result<()> {
    use std::io::Write;
    match target {
        None => Ok(std::io::stdout().lock().write_all(text.as_bytes())?),
        Some(path) => std::fs::write(path, text).map_err(|error| {
            failure(Exit::CannotCreate, format!("`{}` cannot be written: {error}", path.display()))
        }),
    }
}
