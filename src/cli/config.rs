//! `guichet config …` and the configuration's half of `guichet check`. Each command writes its
//! result to `out`, all else to `err`, and answers with an exit code.

use std::io::{self, Write};

use clap::{Args, Subcommand, ValueEnum};

use crate::config::problem::sort;
use crate::config::show::{Scope, sections};
use crate::config::{Invalid, Loaded, Paint, Problem, Request, inspect, load, reference, schema};

/// The subcommands of `guichet config`.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say what one key does, e.g. `users.names.split_on`
    Explain {
        /// The key, with dots
        key: String,
    },
    /// Print a small configuration to begin with
    Init {
        /// What kind of mailbox it is to watch
        #[arg(long, value_enum, default_value_t = Sample::Imap)]
        provider: Sample,
    },
    /// Print the JSON Schema (draft 7) of the configuration, for editors
    Schema,
    /// Print the configuration as it stands, secrets masked
    Show(ShowArgs),
}

/// What `config init` makes a sample of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sample {
    /// Every key, with its default
    Full,
    Imap,
    Maildir,
}

/// How `config show` shows.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct ShowArgs {
    /// Also what nobody has set
    #[arg(long)]
    pub defaults: bool,
    /// Say of each value where it came from
    #[arg(long)]
    pub origin: bool,
    /// As JSON: the global `--json`
    #[arg(skip)]
    pub json: bool,
}

/// Done.
pub const DONE: u8 = 0;
/// Wrong usage.
pub const USAGE: u8 = 2;
/// The configuration is invalid.
pub const INVALID: u8 = 78;

/// Runs one subcommand.
pub fn run(
    command: &ConfigCommand,
    request: &Request,
    paint: Paint,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    match command {
        ConfigCommand::Explain { key } => explain(key, request, out, err),
        ConfigCommand::Init { provider } => init(*provider, out),
        ConfigCommand::Schema => {
            out.write_all(schema::text().as_bytes())?;
            Ok(DONE)
        }
        ConfigCommand::Show(args) => show(*args, request, paint, out, err),
    }
}

/// `config init`: a sample on standard output, so that it never overwrites a file.
pub fn init(sample: Sample, out: &mut dyn Write) -> io::Result<u8> {
    let text = match sample {
        Sample::Full => reference::text(),
        Sample::Imap => include_str!("../../config/guichet.toml").to_owned(),
        Sample::Maildir => MAILDIR_SAMPLE.to_owned(),
    };
    out.write_all(text.as_bytes())?;
    Ok(DONE)
}

/// `config explain KEY`: what it does, and what it is set to when there is a configuration.
pub fn explain(
    key: &str,
    request: &Request,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    let words = match reference::explain(key) {
        Ok(words) => words,
        Err(misread) => {
            writeln!(err, "error: {}\nhint: {}", misread.message, misread.hint)?;
            return Ok(USAGE);
        }
    };
    out.write_all(words.as_bytes())?;
    // A key can be explained whatever the state of the configuration.
    let Ok(loaded) = load(request) else { return Ok(DONE) };
    let of_key = |setting: &str| {
        let steps = setting.split('.').filter(|step| step.parse::<usize>().is_err());
        setting == key || steps.eq(key.split('.'))
    };
    for setting in
        sections(&loaded, Scope::Written).into_iter().flat_map(|section| section.settings)
    {
        if of_key(&setting.key) {
            let value = reference::value(&setting.value);
            writeln!(out, "  set to: {value}  ({})", setting.origin)?;
        }
    }
    Ok(DONE)
}

/// `config show`: the configuration after merging.
pub fn show(
    args: ShowArgs,
    request: &Request,
    paint: Paint,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    let loaded = match load(request) {
        Ok(loaded) => loaded,
        Err(invalid) => return refuse(&invalid, paint, err),
    };
    let scope = if args.defaults { Scope::All } else { Scope::Written };
    if args.json {
        show_json(args, &loaded, scope, out)?
    } else {
        show_toml(args, &loaded, scope, out)?
    }
    Ok(DONE)
}

fn show_toml(args: ShowArgs, loaded: &Loaded, scope: Scope, out: &mut dyn Write) -> io::Result<()> {
    for (i, section) in sections(loaded, scope).iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        if !section.header.is_empty() {
            writeln!(out, "{}", section.header)?;
        }
        for setting in &section.settings {
            let line = format!("{} = {}", setting.name, reference::value(&setting.value));
            if args.origin {
                writeln!(out, "{line:48}  # {}", setting.origin)?;
            } else {
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}

/// One object: keys with dots, each with its value, or with its value and its origin.
fn show_json(args: ShowArgs, loaded: &Loaded, scope: Scope, out: &mut dyn Write) -> io::Result<()> {
    let settings = sections(loaded, scope).into_iter().flat_map(|section| section.settings);
    let pairs = settings.map(|setting| {
        let value = if args.origin {
            serde_json::json!({ "value": setting.value, "origin": setting.origin })
        } else {
            setting.value
        };
        (setting.key, value)
    });
    let object = serde_json::Value::Object(pairs.collect());
    writeln!(out, "{object:#}")
}

/// The configuration's half of `check`: loads it and looks at what it points at. The problems of
/// other rooms are added by `check`.
pub fn problems(request: &Request) -> (Option<Loaded>, Vec<Problem>) {
    match load(request) {
        Ok(mut loaded) => {
            let mut problems = loaded.warnings.clone();
            // What is complained about here, by its place in the configuration, need not be again.
            let templates = &mut loaded.settings.outbox.templates;
            templates.dir = templates.dir.take().filter(|dir| dir.is_dir());
            templates.aliases = templates.aliases.take().filter(|aliases| aliases.is_file());
            problems.extend(inspect(&loaded.file, &loaded.tree, &request.environment));
            sort(&mut problems);
            (Some(loaded), problems)
        }
        Err(invalid) => (None, invalid.problems),
    }
}

/// Says what is wrong with a configuration that a command needs.
pub fn refuse(invalid: &Invalid, paint: Paint, err: &mut dyn Write) -> io::Result<u8> {
    write!(err, "{}", invalid.render(paint))?;
    Ok(INVALID)
}

const MAILDIR_SAMPLE: &str = r#"#:schema ./guichet.schema.json
# Mail that another program delivers into a maildir becomes tickets.
# `guichet config explain KEY` says what a key does, `guichet check` whether all is well.

[portal]
url = "https://help.example.com"      # where your users log in

[smtp]
transport = "none"                    # mail is rendered and recorded, not sent; or name a `host`

[[mailbox]]
provider = "maildir"
address  = "support@example.com"      # what people write to
path     = "/var/mail/support"        # the maildir: the folder with `new` and `cur` in it

# Whoever writes from one of the domains belongs to the site; everybody else to "Unassigned".
[[site]]
name    = "Example"
domains = ["example.com"]
"#;
