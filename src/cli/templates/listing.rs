//! `templates list`, `vars` and `which`: what there is, and where it comes from.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::reader::{Meant, ReaderArgs, unknown};
use crate::cli::exit::Exit;
use crate::cli::words::hint;
use crate::cli::{Format, Globals, desk, output, users};
use crate::outbox::snippets::VARIABLES;
use crate::outbox::template::{Origin, Template};
use crate::outbox::{OutboxError, Templates};

#[derive(Args)]
pub(in crate::cli) struct ListArgs {
    /// Only the templates of this name
    name: Option<String>,
    /// Only those in this language
    #[arg(long, value_parser = users::locale)]
    locale: Option<String>,
}

pub(super) fn list(globals: &Globals, args: &ListArgs) -> Result<Exit> {
    let (settings, templates) = super::load(globals)?;
    if let Some(name) = &args.name
        && !templates.all().any(|template| template.name() == name)
    {
        return Err(unknown(name, &templates));
    }
    let wanted = args.locale.as_ref().map(|locale| locale.to_ascii_lowercase());
    let mut found: Vec<&Template> = templates
        .all()
        .filter(|template| args.name.as_deref().is_none_or(|name| name == template.name()))
        .filter(|template| wanted.as_deref().is_none_or(|locale| locale == template.locale()))
        .collect();
    found.sort_by_key(|template| (template.name(), template.owner(), template.locale()));
    match globals.format() {
        Format::Table => {
            let folder = settings.main.parent().unwrap_or(Path::new(""));
            let rows = gathered(&found, folder);
            output::rows(Format::Table, &["name", "owner", "locale", "from"], &rows)?;
            match settings.outbox.templates.dir {
                Some(dir) => hint(
                    globals,
                    format_args!(
                        "`guichet templates show NAME > {}/NAME.LOCALE.txt` begins one of your own",
                        dir.display()
                    ),
                ),
                None => hint(
                    globals,
                    "set `templates.dir`, and put templates of your own there as `NAME.LOCALE.txt`",
                ),
            }
        }
        format => {
            let rows: Vec<Value> = found.iter().map(|template| row(template)).collect();
            output::rows(format, &["name", "owner", "locale", "origin", "from", "formats"], &rows)?;
        }
    }
    Ok(Exit::Done)
}

/// One row a file for what somebody wrote, as the configuration in `folder` would name it; the languages
/// of what is built in stand together.
fn gathered(found: &[&Template], folder: &Path) -> Vec<Value> {
    let mut rows: BTreeMap<(&str, String, String), Vec<&str>> = BTreeMap::new();
    for template in found {
        let from = match template.origin() {
            Origin::BuiltIn => "built-in".to_owned(),
            Origin::Dir => {
                let file = Path::new(template.file());
                file.strip_prefix(folder).unwrap_or(file).display().to_string()
            }
        };
        let key = (template.name(), template.owner().to_string(), from);
        rows.entry(key).or_default().push(template.locale());
    }
    rows.into_iter()
        .map(|((name, owner, from), locales)| {
            json!({ "name": name, "owner": owner, "locale": locales.join(" "), "from": from })
        })
        .collect()
}

fn row(template: &Template) -> Value {
    let formats: Vec<&str> = template.written().keys().map(|format| format.extension()).collect();
    json!({
        "name": template.name(),
        "owner": template.owner().to_string(),
        "locale": template.locale(),
        "origin": match template.origin() {
            Origin::BuiltIn => "built-in",
            Origin::Dir => "dir",
        },
        "from": template.file(),
        "formats": formats,
    })
}

/// The names, with those that the file of aliases adds.
pub(super) fn vars(globals: &Globals) -> Result<Exit> {
    let settings = desk::settings(globals)?;
    let snippets = Templates::snippets(&settings.outbox).map_err(OutboxError::Templates)?;
    let rows: Vec<Value> = VARIABLES
        .iter()
        .map(|variable| {
            let mut written: Vec<&str> = variable.snippets.to_vec();
            let added = snippets.meant_by(variable.name);
            written.extend(added.filter(|name| !variable.snippets.contains(name)));
            json!({ "name": variable.name, "sample": variable.sample, "snippets": written })
        })
        .collect();
    match globals.format() {
        Format::Table => {
            let lines: Vec<Value> = rows.iter().flat_map(in_lines).collect();
            output::rows(Format::Table, &["name", "snippets"], &lines)?;
        }
        format => output::rows(format, &["name", "sample", "snippets"], &rows)?,
    }
    hint(
        globals,
        "write `{{ name }}`, `{{ name | default(\"x\") }}`, `{% if name %}…{% endif %}`, or a snippet as `{[Snippet]}`; the filters are date, default, lower, upper",
    );
    Ok(Exit::Done)
}

/// A row for people: as many lines as its snippets take.
fn in_lines(row: &Value) -> Vec<Value> {
    let mut lines = vec![String::new()];
    for snippet in row["snippets"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let snippet = format!("{{[{snippet}]}}");
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = snippet,
            Some(line) if line.chars().count() + snippet.chars().count() < LINE => {
                line.push(' ');
                line.push_str(&snippet);
            }
            _ => lines.push(snippet),
        }
    }
    let name = |at| if at == 0 { row["name"].clone() } else { Value::from("") };
    let lines = lines.into_iter().enumerate();
    lines.map(|(at, line)| json!({ "name": name(at), "snippets": line })).collect()
}

// As much as a table shows of one value.
const LINE: usize = 60;

pub(super) fn which(globals: &Globals, args: &ReaderArgs) -> Result<Exit> {
    let (settings, templates) = super::load(globals)?;
    let meant = Meant::of(globals, args, &settings)?;
    let chosen = meant.template(&templates)?;
    let mut is_found = false;
    let rows: Vec<Value> = meant
        .places(&templates)
        .iter()
        .map(|place| {
            let wins = !is_found && place.template.is_some();
            is_found |= wins;
            json!({
                "owner": place.owner.to_string(),
                "locale": place.locale,
                "whose": meant.whose(&place.locale),
                "found": place.template.map(Template::file),
                "wins": wins,
            })
        })
        .collect();
    match globals.format() {
        Format::Table => {
            let shown: Vec<Value> = rows.into_iter().map(with_mark).collect();
            output::rows(Format::Table, &["", "owner", "locale", "whose", "found"], &shown)?;
            hint(globals, format_args!("the mail is written with `{}`", chosen.file()));
        }
        format => {
            output::rows(format, &["owner", "locale", "whose", "found", "wins"], &rows)?;
        }
    }
    Ok(Exit::Done)
}

fn with_mark(mut row: Value) -> Value {
    row[""] = json!(if row["wins"] == true { "*" } else { "" });
    row
}
