//! The commands: each acts on the store directly, whether the daemon runs or not. Results go to
//! standard output, everything else to standard error; errors become the exit codes of interfaces §1.

mod audit;
mod bytes;
mod check;
pub mod config;
mod db;
mod desk;
mod exit;
mod explain;
mod export;
mod held;
mod import;
mod ingest;
mod keys;
mod listing;
mod log;
mod logging;
mod mailbox;
mod outbox;
mod output;
mod progress;
mod replay;
mod run;
mod sites;
mod story;
mod templates;
mod tickets;
mod times;
mod users;
mod ways;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use exit::Exit;

use crate::faults;
use crate::ingest::trial;

/// Turns the mail of support mailboxes into tickets of the right user at the right site.
#[derive(Parser)]
#[command(name = "guichet", version, disable_version_flag = true, propagate_version = false)]
struct Cli {
    /// Prints the version
    #[arg(long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Globals {
    /// The configuration file; else `GUICHET_CONFIG`, else /etc/guichet/guichet.toml
    #[arg(short, long, global = true, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Overrides one key, e.g. `--set users.auto_create=false`; a path starts from the folder of the
    /// configuration file
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Says only what went wrong
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Says more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    color: Color,
    /// Never asks; what needs an answer fails
    #[arg(long, global = true)]
    no_input: bool,
    /// Answers yes to every question
    #[arg(long, global = true)]
    yes: bool,
    /// How results are printed
    #[arg(short, long, global = true, value_enum, default_value = "table", value_name = "FORMAT")]
    output: Format,
    /// The same as `-o json`
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Always,
    Auto,
    Never,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Csv,
    Json,
    Jsonl,
    Table,
}

impl Globals {
    fn format(&self) -> Format {
        if self.json { Format::Json } else { self.output }
    }
}

#[derive(Subcommand)]
enum Command {
    /// Compares the books: every message that came in is accounted for once
    Audit(audit::AuditArgs),
    /// Validates the configuration and the templates; tells all errors at once
    Check(check::CheckArgs),
    /// Shows, samples and explains the configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Looks after the database
    #[command(subcommand)]
    Db(db::DbCommand),
    /// Tells what guichet makes, or made, of a message, and why; writes nothing
    Explain(explain::ExplainArgs),
    /// Writes out users, sites and tickets
    #[command(subcommand)]
    Export(export::ExportCommand),
    /// Messages set aside, with the reason
    #[command(subcommand)]
    Held(held::HeldCommand),
    /// Takes over users and sites from a table
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Takes messages from files or standard input through the live pipeline
    Ingest(ingest::IngestArgs),
    /// The keys that sign the ids of our mail
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Decisions, newest first
    Log(log::LogArgs),
    /// Mailboxes: where mail comes from, by which server answers leave
    #[command(subcommand)]
    Mailbox(mailbox::MailboxCommand),
    /// Mail of ours: queued, sent, failed
    #[command(subcommand)]
    Outbox(outbox::OutboxCommand),
    /// Takes fixture mailboxes through the pipeline and tells what would happen; sends nothing
    Replay(replay::ReplayArgs),
    /// Runs the daemon in the foreground
    Run(run::RunArgs),
    /// Customer companies, found by domain
    #[command(subcommand)]
    Sites(sites::SitesCommand),
    /// What our mails say
    #[command(subcommand)]
    Templates(templates::TemplatesCommand),
    /// Tickets and their messages
    #[command(subcommand)]
    Tickets(tickets::TicketsCommand),
    /// Reads the message on standard input, of so many bytes, under limits: guichet itself runs it
    #[command(name = trial::COMMAND, hide = true)]
    Trial { size: u64 },
    /// End users
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// Prints the version
    Version,
}

/// Runs the command line `args` and answers its exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failure; a closed terminal is nobody's.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    faults::point("start");
    match dispatch(&cli.globals, cli.command) {
        Ok(exit) => exit.into(),
        Err(error) => exit::report(&error).into(),
    }
}

fn dispatch(globals: &Globals, command: Command) -> anyhow::Result<Exit> {
    if !matches!(command, Command::Run(_) | Command::Trial { .. }) {
        logging::start(globals, logging::LogFormat::Plain, "warn");
    }
    match command {
        Command::Audit(args) => audit::run(globals, &args),
        Command::Check(args) => check::run(globals, &args),
        Command::Config(command) => configuration(globals, command),
        Command::Db(command) => db::run(globals, command),
        Command::Explain(args) => explain::run(globals, &args),
        Command::Export(command) => export::run(globals, command),
        Command::Held(command) => held::run(globals, command),
        Command::Import(command) => import::run(globals, command),
        Command::Ingest(args) => ingest::run(globals, &args),
        Command::Keys(command) => keys::run(globals, command),
        Command::Log(args) => log::run(globals, &args),
        Command::Mailbox(command) => mailbox::run(globals, command),
        Command::Outbox(command) => outbox::run(globals, command),
        Command::Replay(args) => replay::run(globals, &args),
        Command::Run(args) => run::run(globals, &args),
        Command::Sites(command) => sites::run(globals, command),
        Command::Templates(command) => templates::run(globals, command),
        Command::Tickets(command) => tickets::run(globals, command),
        Command::Trial { size } => Ok(stand_trial(size)),
        Command::Users(command) => users::run(globals, command),
        Command::Version => version(globals),
    }
}

fn configuration(globals: &Globals, mut command: config::ConfigCommand) -> anyhow::Result<Exit> {
    if let config::ConfigCommand::Show(args) = &mut command {
        args.json = globals.format() != Format::Table;
    }
    let request = desk::request(globals);
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    Ok(match config::run(&command, &request, logging::paint(globals), &mut out, &mut err)? {
        config::DONE => Exit::Done,
        config::USAGE => Exit::Usage,
        _ => Exit::Configuration,
    })
}

// What it says goes to the guichet that runs it.
fn stand_trial(size: u64) -> Exit {
    match trial::read_under_limits(size) {
        Ok(()) => Exit::Done,
        Err(said) => {
            eprintln!("{said}");
            Exit::Negative
        }
    }
}

fn version(globals: &Globals) -> anyhow::Result<Exit> {
    let facts = serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"),
        "sqlite": crate::store::sqlite_version(),
    });
    match globals.format() {
        Format::Table => output::line(format_args!(
            "guichet {} (SQLite {})",
            env!("CARGO_PKG_VERSION"),
            crate::store::sqlite_version()
        ))?,
        _ => output::line(facts)?,
    }
    Ok(Exit::Done)
}
