//! `templates convert`: texts of another helpdesk, made into templates of ours.

use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

use crate::cli::exit::{Exit, failure};
use crate::cli::words::{counted, hint};
use crate::cli::{Format, Globals, desk, output};
use crate::outbox::convert::{Unknown, convert};
use crate::outbox::snippets::Snippets;
use crate::outbox::{OutboxError, Templates};

// As large as a template may be.
const LARGEST: u64 = 256 * 1024;

#[derive(Args)]
pub(in crate::cli) struct ConvertArgs {
    /// A text with `{[Name]}`, `#{name}`, `%{name}`, `${name}` or `{{name}}` in it; `-` is standard input
    file: PathBuf,
    /// Where the result goes, instead of standard output
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
}

pub(super) fn run(globals: &Globals, args: &ConvertArgs) -> Result<Exit> {
    let name = args.file.display().to_string();
    let text = read(&args.file)?;
    let converted = convert(&text, &snippets(globals)?);
    let exit = if converted.unknown.is_empty() { Exit::Done } else { Exit::Input };
    match globals.format() {
        Format::Table => {
            super::write(args.to.as_ref(), &converted.text)?;
            for Unknown { line, column, written, hint } in &converted.unknown {
                let written = output::escape(written);
                output::aside(format_args!(
                    "{name}:{line}:{column}: `{written}` is no placeholder that is known\nhint: {hint}"
                ));
            }
        }
        format => {
            if args.to.is_some() {
                super::write(args.to.as_ref(), &converted.text)?;
            }
            let unknown: Vec<Value> = converted
                .unknown
                .iter()
                .map(|Unknown { line, column, written, hint }| {
                    json!({ "line": line, "column": column, "written": written, "hint": hint })
                })
                .collect();
            let rewritten = converted.rewritten;
            output::object(
                format,
                &json!({ "file": name, "rewritten": rewritten, "unknown": unknown, "text": converted.text }),
            )?;
        }
    }
    let rewritten = counted(converted.rewritten, "placeholder");
    let left = match converted.unknown.len() {
        0 => String::new(),
        unknown => format!("; {unknown} left as they are"),
    };
    hint(globals, format_args!("{rewritten} rewritten{left}"));
    if !text.trim_start_matches('\u{feff}').to_ascii_lowercase().starts_with("subject:") {
        hint(globals, "a template begins with `Subject: …` and an empty line: put them in front");
    }
    Ok(exit)
}

/// What `{[…]}` may mean: with the aliases of the configuration, where there is one.
fn snippets(globals: &Globals) -> Result<Snippets> {
    match desk::settings(globals) {
        Ok(settings) => Ok(Templates::snippets(&settings.outbox).map_err(OutboxError::Templates)?),
        // Texts are brought along before there is a desk; a configuration that is named must be good.
        Err(error) if globals.config.is_some() => Err(error),
        Err(_) => Ok(Snippets::shipped()),
    }
}

fn read(file: &PathBuf) -> Result<String> {
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin()
            .take(LARGEST + 1)
            .read_to_end(&mut bytes)
            .context("standard input cannot be read")?;
    } else {
        let unreadable = |error: std::io::Error| {
            failure(Exit::InputMissing, format!("`{}` cannot be read: {error}", file.display()))
        };
        let opened = std::fs::File::open(file).map_err(unreadable)?;
        opened.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    let refuse = |why: &str| failure(Exit::Input, format!("`{}` {why}", file.display()));
    if bytes.len() as u64 > LARGEST {
        return Err(refuse("is larger than a template may be, which is 256 KB"));
    }
    String::from_utf8(bytes).map_err(|_| refuse("is not UTF-8\nhint: save it as UTF-8"))
}
