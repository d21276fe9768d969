//! `guichet import`: users and sites from a table (CSV with a header row), in transactions of some
//! hundred rows. Without `--apply` it only says what would be done, by doing it and taking it back; the
//! same file again changes nothing.

mod columns;
mod fields;
mod person;
mod rejects;
mod sites;
mod table;
mod users;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use jiff::SignedDuration;
use serde_json::json;

use self::columns::{Columns, plain};
use self::fields::Field;
use self::rejects::Rejects;
use self::table::{Row, Table};
use super::desk::Desk;
use super::exit::Exit;
use super::output::{self, aside};
use super::words::hint;
use super::{Format, Globals};
use crate::store::{Sql, StoreError};

#[derive(Subcommand)]
pub(super) enum ImportCommand {
    /// Customer companies
    Sites(FileArgs),
    /// End users; who is there already, by an address, is changed
    Users(Box<UsersArgs>),
}

/// A table, and how it is read.
#[derive(Args)]
pub(super) struct FileArgs {
    /// The table, with a header row; `-` is standard input
    file: PathBuf,
    /// Does it; else it is only said what would be done
    #[arg(long)]
    apply: bool,
    /// What a column is, e.g. `--map 'Company name=site'`; `COLUMN=-` leaves one out
    #[arg(long, value_name = "COLUMN=FIELD")]
    map: Vec<String>,
    /// Where the table comes from: its columns, and no others, are known by their names
    #[arg(long, value_enum)]
    profile: Option<Profile>,
    /// Writes the rows that were not taken to this new file, each with the reason
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Empties what an empty cell stands for; else that is left as it is
    #[arg(long)]
    clear: bool,
}

#[derive(Args)]
pub(super) struct UsersArgs {
    #[command(flatten)]
    file: FileArgs,
    /// Makes the sites that are named and not there
    #[arg(long)]
    create_sites: bool,
    /// Makes deleted users ones again
    #[arg(long)]
    revive: bool,
    /// Mails new users their credentials, within the budgets of C-10
    #[arg(long)]
    send_credentials: bool,
}

/// A program that tables come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Profile {
    Atera,
    Freshdesk,
    LogmeinResolve,
    Zammad,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Created,
    Rejected(String),
    Revived,
    Unchanged,
    Updated,
}

/// What became of all rows, and of the mails they were to cause.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    rows: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    revived: u64,
    rejected: u64,
    mails: u64,
    withheld: u64,
}

/// What a batch of rows came to.
#[derive(Clone, Debug, Default)]
struct Taken {
    outcomes: Vec<Outcome>,
    mails: u64,
    withheld: u64,
}

/// What takes some rows, in a transaction; it may run more than once.
type Work = Box<dyn FnMut(&mut dyn Sql) -> Result<Taken, StoreError> + Send>;

/// Takes rows over, a batch at a time.
trait Importer {
    /// A row as it was understood.
    type Parsed: Clone + Send + Sync + 'static;

    /// What a row says, or why it is refused.
    fn parse(&mut self, row: &Row, columns: &Columns) -> Result<Self::Parsed, String>;

    /// Notes what became of a row in a run that writes nothing, where later rows cannot find it.
    fn remember(&mut self, parsed: &Self::Parsed, outcome: &Outcome);

    /// The work that takes these rows.
    fn work(&self, rows: Vec<Self::Parsed>) -> Work;

    /// What the transaction runs alone by: [`crate::store::Store::transact_keyed`].
    fn keys(&self, rows: &[Self::Parsed]) -> Vec<String>;
}

// Rows of one transaction.
const BATCH: usize = 200;
const BETWEEN_LINES: SignedDuration = SignedDuration::from_secs(10);

pub(super) fn run(globals: &Globals, command: ImportCommand) -> Result<Exit> {
    let desk = Desk::open(globals)?;
    match command {
        ImportCommand::Sites(args) => {
            let importer = sites::Sites::new(&desk, &args);
            import(globals, &desk, &args, fields::SITES, importer)
        }
        ImportCommand::Users(args) => {
            let importer = users::Users::new(&desk, &args);
            import(globals, &desk, &args.file, fields::USERS, importer)
        }
    }
}

fn import<I: Importer>(
    globals: &Globals,
    desk: &Desk,
    args: &FileArgs,
    fields: &'static [Field],
    mut importer: I,
) -> Result<Exit> {
    let mut table = Table::open(&args.file)?;
    let columns = Columns::find(table.header(), fields, args.profile, &args.map)?;
    if !globals.quiet {
        aside(format_args!("read as {}; {}", table.said(), columns.said()));
    }
    let mut rejects = Rejects::new(args.rejects.clone(), table.header().to_vec());
    let mut tally = Tally::default();
    let mut next_line = desk.clock.now() + BETWEEN_LINES;
    loop {
        let Batch { parsed, rows, refused } = batch(&mut table, &columns, &mut importer)?;
        tally.rows += (rows.len() + refused.len()) as u64;
        tally.rejected += refused.len() as u64;
        for (row, why) in &refused {
            rejects.add(globals, row, why)?;
        }
        if rows.is_empty() && refused.is_empty() {
            break;
        }
        let taken = take(desk, &importer, &parsed, args)?;
        tally.mails += taken.mails;
        tally.withheld += taken.withheld;
        for ((parsed, row), outcome) in parsed.iter().zip(&rows).zip(&taken.outcomes) {
            if !args.apply {
                importer.remember(parsed, outcome);
            }
            match outcome {
                Outcome::Created => tally.created += 1,
                Outcome::Rejected(why) => {
                    tally.rejected += 1;
                    rejects.add(globals, row, why)?;
                }
                Outcome::Revived => tally.revived += 1,
                Outcome::Unchanged => tally.unchanged += 1,
                Outcome::Updated => tally.updated += 1,
            }
        }
        let now = desk.clock.now();
        if now >= next_line && !globals.quiet {
            next_line = now + BETWEEN_LINES;
            aside(format_args!("{} rows so far, {} rejected", tally.rows, tally.rejected));
        }
    }
    let path = rejects.finish()?;
    tell(globals, args, tally, path)?;
    Ok(if tally.rejected == 0 { Exit::Done } else { Exit::Negative })
}

/// Some rows of the table: those that say something, and those that cannot be taken.
struct Batch<P> {
    parsed: Vec<P>,
    /// The rows of `parsed`, in its order.
    rows: Vec<Row>,
    refused: Vec<(Row, String)>,
}

/// The next rows; none at the end of the table.
fn batch<I: Importer>(
    table: &mut Table,
    columns: &Columns,
    importer: &mut I,
) -> Result<Batch<I::Parsed>> {
    let mut batch = Batch { parsed: Vec::new(), rows: Vec::new(), refused: Vec::new() };
    while batch.rows.len() + batch.refused.len() < BATCH {
        let Some(row) = table.next()? else { break };
        let parsed = match row.cells.len() > columns.width() {
            true => Err(format!(
                "it has {} cells, the header row {}: perhaps a separator or a quote is missing",
                row.cells.len(),
                columns.width()
            )),
            false => importer.parse(&row, columns),
        };
        match parsed {
            Ok(parsed) => {
                batch.parsed.push(parsed);
                batch.rows.push(row);
            }
            Err(why) => batch.refused.push((row, why)),
        }
    }
    Ok(batch)
}

// What is not to be applied is done and taken back, so that what is said is what would be.
fn take<I: Importer>(
    desk: &Desk,
    importer: &I,
    rows: &[I::Parsed],
    args: &FileArgs,
) -> Result<Taken> {
    if rows.is_empty() {
        return Ok(Taken::default());
    }
    let keys = importer.keys(rows);
    let mut work = importer.work(rows.to_vec());
    if args.apply {
        return Ok(desk.store.transact_keyed(keys, move |sql| work(sql))?);
    }
    let seen = Arc::new(Mutex::new(None));
    let seen_inside = seen.clone();
    let taken_back = desk.store.transact_keyed(keys, move |sql| -> Result<(), StoreError> {
        let taken = work(sql)?;
        *seen_inside.lock().unwrap_or_else(PoisonError::into_inner) = Some(taken);
        Err(StoreError::Violated("a dry run writes nothing".to_owned()))
    });
    match (seen.lock().unwrap_or_else(PoisonError::into_inner).take(), taken_back) {
        (Some(taken), Err(StoreError::Violated(_))) => Ok(taken),
        (_, Err(error)) => Err(error.into()),
        (taken, Ok(())) => Ok(taken.unwrap_or_default()),
    }
}

fn tell(globals: &Globals, args: &FileArgs, tally: Tally, rejects: Option<PathBuf>) -> Result<()> {
    let Tally { rows, created, updated, unchanged, revived, rejected, mails, withheld } = tally;
    if globals.format() != Format::Table {
        return output::object(
            globals.format(),
            &json!({
                "applied": args.apply,
                "rows": rows,
                "created": created,
                "updated": updated,
                "unchanged": unchanged,
                "revived": revived,
                "rejected": rejected,
                "rejects": rejects.map(|path| path.display().to_string()),
                "credentials_queued": mails,
                "credentials_withheld": withheld,
            }),
        );
    }
    let would = if args.apply { "" } else { "would be " };
    let mut said = format!("{rows} rows: {created} {would}created, {updated} {would}updated");
    if revived > 0 {
        said.push_str(&format!(", {revived} {would}revived"));
    }
    said.push_str(&format!(", {unchanged} are so already, {rejected} rejected"));
    output::line(said)?;
    if mails + withheld > 0 {
        output::line(format_args!(
            "credentials: {mails} mails {would}queued, {withheld} wait (`guichet users send-credentials --due` sends them later)"
        ))?;
    }
    match (rejected, &rejects) {
        (0, _) => {}
        (_, Some(path)) => {
            hint(
                globals,
                format_args!(
                    "`{}` holds what was rejected, each row with the reason; correct it and import it",
                    path.display()
                ),
            );
        }
        (_, None) => hint(globals, "`--rejects FILE` writes down what was rejected"),
    }
    if !args.apply {
        hint(globals, "nothing was written; `--apply` does it");
    }
    Ok(())
}

/// What an empty cell means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clear {
    No,
    Yes,
}

impl Clear {
    fn of(args: &FileArgs) -> Clear {
        if args.clear { Clear::Yes } else { Clear::No }
    }
}

/// A cell as the row means it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cell {
    /// Empty, and empty cells empty.
    Clear,
    /// Empty, or no such column.
    Leave,
    Set(String),
}

/// What stands in the column of `field`, on one line.
fn cell(row: &Row, columns: &Columns, field: &str, clear: Clear) -> Result<Cell, String> {
    let Some(written) = columns.cell(row, field) else { return Ok(Cell::Leave) };
    let text = super::words::text(no_quote(written.trim()))
        .map_err(|problem| format!("the cell of `{field}` cannot be taken: {problem}"))?;
    Ok(match (text.is_empty(), clear) {
        (true, Clear::Yes) => Cell::Clear,
        (true, Clear::No) => Cell::Leave,
        (false, _) => Cell::Set(text),
    })
}

// What `export`, and other programs, put before what a spreadsheet would run (T-41).
fn no_quote(written: &str) -> &str {
    match written.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => written,
    }
}

/// The entries of a cell that holds several: `a@x, b@x`.
fn entries(written: &str) -> impl Iterator<Item = &str> {
    written.split([',', ';', ' ', '\n']).map(str::trim).filter(|entry| !entry.is_empty())
}

/// What a word for yes or no means.
fn switch(field: &str, written: &str) -> Result<bool, String> {
    match plain(written).as_str() {
        "1" | "active" | "actief" | "actif" | "activo" | "aktiv" | "ativo" | "attivo"
        | "enabled" | "ja" | "on" | "oui" | "si" | "sim" | "true" | "vrai" | "wahr" | "yes" => {
            Ok(true)
        }
        "0" | "disabled" | "falsch" | "false" | "faux" | "inactief" | "inactif" | "inactive"
        | "inactivo" | "inaktiv" | "inativo" | "inattivo" | "nao" | "nee" | "nein" | "no"
        | "non" | "off" => Ok(false),
        _ => Err(format!("`{}` is neither yes nor no for `{field}`", written.escape_debug())),
    }
}

/// The first line of what an error says: the rest is for somebody at a prompt.
fn first_line(error: &anyhow::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
