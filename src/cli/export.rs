//! `guichet export`: users, sites and tickets as CSV, JSON or JSON lines, a page at a time, so that a store
//! of any size fits. What `export users` and `export sites` write, `import` reads. Nothing that opens
//! an account is in it (T-26), and nothing that a spreadsheet would run (T-41).

use std::fs::OpenOptions;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::desk::Desk;
use super::exit::{Exit, failure};
use super::output::{inert, no_formula, plain};
use super::times::Times;
use super::words::hint;
use super::{Format, Globals, sites, tickets};
use crate::store::tickets::TicketMessage;
use crate::store::users::{self, User};
use crate::store::{sites as store_sites, tickets as store_tickets};
use crate::triage::facts::UserStatus;

#[derive(Subcommand)]
pub(super) enum ExportCommand {
    /// Everything, one JSON object a line, or with `--json` in one array; each with what it is
    All(Target),
    /// The sites, as `import sites` reads them
    Sites(Target),
    /// The tickets; as JSON with the texts of their messages
    Tickets(TicketsArgs),
    /// The users, as `import users` reads them
    Users(UsersArgs),
}

/// Where it goes.
#[derive(Args)]
pub(super) struct Target {
    /// Writes it to this new file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct UsersArgs {
    /// Only those of this site
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    #[command(flatten)]
    target: Target,
}

#[derive(Args)]
pub(super) struct TicketsArgs {
    /// Only those of this site
    #[arg(long, value_name = "NAME")]
    site: Option<String>,
    #[command(flatten)]
    target: Target,
}

// Rows read together.
const PAGE: u32 = 500;

pub(super) fn run(globals: &Globals, command: ExportCommand) -> Result<Exit> {
    let desk = Desk::open(globals)?;
    match command {
        ExportCommand::All(target) => all(globals, &desk, &target),
        ExportCommand::Sites(target) => {
            let mut out = Out::new(globals, &target, SITE_COLUMNS)?;
            each_site(&desk, &mut |site| out.row(site))?;
            out.finish(globals, "site")
        }
        ExportCommand::Tickets(args) => {
            let site = site(&desk, args.site.as_deref())?;
            let mut out = Out::new(globals, &args.target, TICKET_COLUMNS)?;
            let depth = if out.is_csv() { Depth::Tickets } else { Depth::Messages };
            each_ticket(globals, &desk, site, depth, &mut |row| out.row(row))?;
            out.finish(globals, "ticket")
        }
        ExportCommand::Users(args) => self::users(globals, &desk, &args),
    }
}

/// `export users`, and `users export`.
pub(super) fn users(globals: &Globals, desk: &Desk, args: &UsersArgs) -> Result<Exit> {
    let site = site(desk, args.site.as_deref())?;
    let mut out = Out::new(globals, &args.target, USER_COLUMNS)?;
    each_user(desk, site, &mut |row| out.row(row))?;
    out.finish(globals, "user")
}

/// The site asked for, by its own name. Before anything is written: what is refused leaves no header.
fn site(desk: &Desk, named: Option<&str>) -> Result<Option<String>> {
    let site = named.map(|name| sites::named(desk, name)).transpose()?;
    Ok(site.map(|site| site.name))
}

fn all(globals: &Globals, desk: &Desk, target: &Target) -> Result<Exit> {
    if globals.format() == Format::Csv {
        return Err(failure(
            Exit::Usage,
            "`export all` is no one table\nhint: leave `-o csv` out, or export `users`, `sites` and `tickets` one by one",
        ));
    }
    let mut out = Out::new(&Globals { output: as_json(globals), ..globals.clone() }, target, &[])?;
    let mut kind = |what: &'static str, row: Value| {
        let mut whole = json!({ "what": what });
        if let (Value::Object(whole), Value::Object(row)) = (&mut whole, row) {
            whole.extend(row);
        }
        out.row(whole)
    };
    each_site(desk, &mut |row| kind("site", row))?;
    each_user(desk, None, &mut |row| kind("user", row))?;
    each_ticket(globals, desk, None, Depth::Messages, &mut |row| kind("ticket", row))?;
    out.finish(globals, "row")
}

// Lines, unless one document is asked for.
fn as_json(globals: &Globals) -> Format {
    if globals.format() == Format::Json { Format::Json } else { Format::Jsonl }
}

const USER_COLUMNS: &[&str] = &[
    "email",
    "addresses",
    "first_name",
    "last_name",
    "site",
    "access",
    "status",
    "phone",
    "mobile",
    "department",
    "job_title",
    "agent",
    "locale",
    "tickets",
    "made_by",
    "created_at",
    "last_login_at",
    "id",
];

fn each_user(
    desk: &Desk,
    site: Option<String>,
    row: &mut dyn FnMut(Value) -> Result<()>,
) -> Result<()> {
    let mut filter = users::Filter { site, ..users::Filter::default() };
    loop {
        let page = desk.store.read_only(|sql| users::list(sql, &filter, PAGE))?;
        let Some(last) = page.last() else { return Ok(()) };
        filter.after = Some(last.id.clone());
        for user in &page {
            row(user_row(user))?;
        }
    }
}

fn user_row(user: &User) -> Value {
    let mut addresses = user.addresses.iter().map(|one| one.address.as_str());
    let main = addresses.next();
    json!({
        "email": main,
        "addresses": addresses.collect::<Vec<_>>(),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "site": user.site.1,
        "access": user.access.as_str(),
        "status": match user.status {
            UserStatus::Disabled => "disabled",
            UserStatus::Active | UserStatus::Deleted => "active",
        },
        "phone": user.phone,
        "mobile": user.mobile,
        "department": user.department,
        "job_title": user.job_title,
        "agent": user.agent,
        "locale": user.locale,
        "tickets": if user.no_tickets { "off" } else { "on" },
        "made_by": user.made_by,
        "created_at": user.created_at.to_string(),
        "last_login_at": user.last_login_at.map(|at| at.to_string()),
        "id": user.id,
    })
}

const SITE_COLUMNS: &[&str] = &[
    "name",
    "domains",
    "addresses",
    "primary_users",
    "locale",
    "phone",
    "credentials",
    "state",
    "users",
    "tickets",
    "id",
];

fn each_site(desk: &Desk, row: &mut dyn FnMut(Value) -> Result<()>) -> Result<()> {
    for site in desk.store.read_only(|sql| store_sites::list(sql, None))? {
        row(json!({
            "name": site.name,
            "domains": site.domains,
            "addresses": site.addresses,
            "primary_users": site.primary_users,
            "locale": site.locale,
            "phone": site.phone,
            "credentials": if site.credentials { "on" } else { "off" },
            "state": sites::state(&site),
            "users": site.users,
            "tickets": site.tickets,
            "id": site.id,
        }))?;
    }
    Ok(())
}

const TICKET_COLUMNS: &[&str] = tickets::COLUMNS;

/// How much of a ticket is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Messages,
    Tickets,
}

fn each_ticket(
    globals: &Globals,
    desk: &Desk,
    site: Option<String>,
    depth: Depth,
    row: &mut dyn FnMut(Value) -> Result<()>,
) -> Result<()> {
    let mut filter = store_tickets::Filter { site, ..store_tickets::Filter::default() };
    // As programs read them, whatever this run prints.
    let times = Times::new(&Globals { output: Format::Jsonl, ..globals.clone() }, &desk.settings);
    loop {
        let page = desk.store.read_only(|sql| store_tickets::list(sql, &filter, PAGE))?;
        let Some(last) = page.last() else { return Ok(()) };
        filter.before = Some(last.number);
        for ticket in &page {
            let mut fields = tickets::row(ticket, &times);
            if depth == Depth::Messages {
                let messages =
                    desk.store.read_only(|sql| store_tickets::messages(sql, ticket.number))?;
                // Their number is how many there are.
                fields["texts"] = messages.iter().map(message_row).collect();
            }
            row(fields)?;
        }
    }
}

fn message_row(message: &TicketMessage) -> Value {
    let attachments = message.attachments.iter().map(|attachment| {
        json!({
            "name": attachment.name,
            "content_type": attachment.content_type,
            "size": attachment.size,
            "sha256": attachment.sha256,
        })
    });
    json!({
        "n": message.n,
        "message": message.message,
        "author": message.author,
        "from_address": message.from_address,
        "from_name": message.from_name,
        "user": message.user,
        "written_at": message.written_at.to_string(),
        "subject": message.subject,
        "body": message.body,
        "internal": message.internal,
        "attachments": attachments.collect::<Vec<_>>(),
    })
}

/// Rows on their way out, one by one.
struct Out {
    writer: Writer,
    columns: &'static [&'static str],
    path: Option<PathBuf>,
    rows: u64,
}

enum Writer {
    Array(Box<dyn Write>),
    Csv(Box<csv::Writer<Box<dyn Write>>>),
    Lines(Box<dyn Write>),
}

impl Out {
    // A table, unless JSON is asked for.
    fn new(globals: &Globals, target: &Target, columns: &'static [&'static str]) -> Result<Out> {
        match globals.format() {
            Format::Json => Ok(Out::by(Writer::Array(open(target)?), target, columns)),
            Format::Jsonl => Ok(Out::by(Writer::Lines(open(target)?), target, columns)),
            Format::Csv | Format::Table => {
                let mut csv = csv::Writer::from_writer(open(target)?);
                csv.write_record(columns)?;
                Ok(Out::by(Writer::Csv(Box::new(csv)), target, columns))
            }
        }
    }

    fn by(writer: Writer, target: &Target, columns: &'static [&'static str]) -> Out {
        Out { writer, columns, path: target.out.clone(), rows: 0 }
    }

    fn is_csv(&self) -> bool {
        matches!(self.writer, Writer::Csv(_))
    }

    fn row(&mut self, row: Value) -> Result<()> {
        self.rows += 1;
        match &mut self.writer {
            Writer::Array(array) => {
                let before = if self.rows == 1 { "[" } else { "," };
                write!(array, "{before}\n{}", inert(&row.to_string()))?;
            }
            Writer::Csv(csv) => {
                let cells = self.columns.iter().map(|column| no_formula(plain(&row[*column])));
                csv.write_record(cells)?;
            }
            Writer::Lines(lines) => writeln!(lines, "{}", inert(&row.to_string()))?,
        }
        Ok(())
    }

    fn finish(self, globals: &Globals, what: &str) -> Result<Exit> {
        let flushed = match self.writer {
            Writer::Array(mut array) => {
                let end = if self.rows == 0 { "[]\n" } else { "\n]\n" };
                array.write_all(end.as_bytes()).and_then(|()| array.flush())
            }
            Writer::Csv(mut csv) => csv.flush(),
            Writer::Lines(mut lines) => lines.flush(),
        };
        let to = self.path.as_deref().map_or("standard output".to_owned(), shown);
        flushed.with_context(|| format!("{to} cannot be written"))?;
        let plural = if self.rows == 1 { "" } else { "s" };
        hint(globals, format_args!("{} {what}{plural} went to {to}", self.rows));
        Ok(Exit::Done)
    }
}

fn open(target: &Target) -> Result<Box<dyn Write>> {
    let Some(path) = target.out.as_deref().filter(|path| *path != Path::new("-")) else {
        return Ok(Box::new(BufWriter::new(io::stdout().lock())));
    };
    Ok(Box::new(BufWriter::new(make(path)?)))
}

/// Makes a file of people's data: nobody else's to read, and none that is there already.
pub(super) fn make(path: &Path) -> Result<std::fs::File> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => failure(
            Exit::CannotCreate,
            format!(
                "{} is there already, and is not overwritten\nhint: name another file",
                shown(path)
            ),
        ),
        _ => failure(
            Exit::CannotCreate,
            format!(
                "{} cannot be made: {error}\nhint: name a file in a folder you may write to",
                shown(path)
            ),
        ),
    })
}

fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}
