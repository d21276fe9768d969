//! `guichet check`: the configuration, what it points at, and the templates; all problems at once,
//! each with its place. Starts nothing; opens no store unless it is asked to.

mod misspelt;
mod online;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::exit::Exit;
use super::output;
use super::words::counted;
use super::{Format, Globals, desk, logging};
use crate::config::problem::{Place, Source, SourceKind};
use crate::config::{self, Loaded, Misread, Problem, Severity};
use crate::outbox::Templates;
use crate::outbox::template::{self, Template};
use crate::portal;

#[derive(Args)]
pub(super) struct CheckArgs {
    /// Tries the servers too: mailboxes, relays, the store
    #[arg(long)]
    online: bool,
    /// Warnings fail too
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(globals: &Globals, args: &CheckArgs) -> Result<Exit> {
    let request = desk::request(globals);
    let (loaded, mut problems) = super::config::problems(&request);
    let mut exit = Exit::Done;
    if let Some(loaded) = &loaded {
        problems.extend(templates(loaded));
        problems.extend(articles(loaded));
        if args.online {
            let found = online::look(loaded);
            exit = match count_errors(&problems) {
                0 => found.exit,
                _ => Exit::Configuration,
            };
            problems.extend(found.problems);
        }
    }
    let main = loaded.map(|loaded| loaded.settings.main);
    let errors = count_errors(&problems);
    let fails = errors > 0 || (args.strict && !problems.is_empty());
    match globals.format() {
        Format::Table => tell(globals, main.as_deref(), &problems, errors, fails)?,
        format => output::rows(format, &COLUMNS, &problems.iter().map(row).collect::<Vec<_>>())?,
    }
    Ok(match exit {
        Exit::Done if fails => Exit::Configuration,
        exit => exit,
    })
}

/// `guichet templates check`: what of `check` is about templates.
pub(super) fn run_templates(globals: &Globals, strict: bool) -> Result<Exit> {
    let loaded = desk::load(globals)?;
    let problems = templates(&loaded);
    let errors = count_errors(&problems);
    let fails = errors > 0 || (strict && !problems.is_empty());
    match globals.format() {
        Format::Table => {
            tell(globals, None, &problems, errors, fails)?;
            if !fails && !globals.quiet {
                output::line(format_args!(
                    "the templates are in order{}",
                    with(&problems, errors)
                ))?;
            }
        }
        format => output::rows(format, &COLUMNS, &problems.iter().map(row).collect::<Vec<_>>())?,
    }
    Ok(if fails { Exit::Configuration } else { Exit::Done })
}

fn count_errors(problems: &[Problem]) -> usize {
    problems.iter().filter(|problem| problem.severity == Severity::Error).count()
}

/// What is wrong with the templates, in the form of the other problems.
fn templates(loaded: &Loaded) -> Vec<Problem> {
    let settings = &loaded.settings;
    let templates = match Templates::load(&settings.outbox) {
        Ok(templates) => templates,
        Err(problems) => return problems.into_iter().map(of_template).collect(),
    };
    let mut problems: Vec<Problem> =
        templates.warnings().iter().cloned().map(of_template).collect();
    let wanted = &settings.policy.credentials.template;
    if templates.find(wanted, &[&settings.outbox.locale]).is_none() {
        let misread = Misread::new(
            format!("there is no template `{wanted}`"),
            format!("put `{wanted}.en.txt` into the folder of templates, or take `credentials`"),
        );
        // Only a written name can be that of a missing one: there is a built-in `credentials`.
        problems.push(match loaded.tree.at(&["credentials", "template"]) {
            Some(node) => Problem::error(&node.place, misread),
            None => Problem::nowhere(misread),
        });
    }
    for (i, reply) in settings.quick_replies.iter().enumerate() {
        let wanted = &reply.template;
        // It may be that of a site or of a mailbox alone.
        if templates.all().any(|template| template.name() == wanted) {
            continue;
        }
        let names = templates.all().map(Template::name).filter(|name| name.starts_with("quick_"));
        let misread = Misread::new(
            format!("there is no template `{wanted}`"),
            match config::nearest(wanted, names) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("put `{wanted}.en.txt` into the folder of templates"),
            },
        );
        let node = loaded.tree.at(&["quick_reply", &i.to_string(), "template"]);
        problems.push(match node {
            Some(node) => Problem::error(&node.place, misread),
            None => Problem::nowhere(misread),
        });
    }
    problems.extend(misspelt::templates(&templates, settings));
    problems
}

/// What is wrong with the articles: the portal shows what is left of them, so none of it fails.
fn articles(loaded: &Loaded) -> Vec<Problem> {
    let Some(portal) = &loaded.settings.portal else { return Vec::new() };
    let key = loaded.tree.at(&["portal", "articles"]).map(|node| &node.place);
    let flaws = portal::flaws(portal).into_iter();
    let problems = flaws.map(|flaw| match key {
        // What is wrong with the folder is wrong with the key.
        Some(place) if portal.articles.as_deref() == Some(&*flaw.file) => {
            let message = format!("`{}`: {}", flaw.file.display(), flaw.said);
            Problem::warning(place, Misread::new(message, flaw.hint))
        }
        _ => of_file(Severity::Warning, &flaw.file, flaw.said, flaw.hint),
    });
    problems.chain(misspelt::articles(portal, &loaded.settings)).collect()
}

/// A problem of a whole file that the configuration only points at.
fn of_file(severity: Severity, file: &Path, message: String, hint: &str) -> Problem {
    let source = Source {
        name: file.display().to_string(),
        kind: SourceKind::Other,
        folder: file.parent().unwrap_or(Path::new("")).to_owned(),
        text: String::new(),
    };
    let place = Some(Place { source: Arc::new(source), span: 0..0 });
    Problem { severity, message, hint: Some(hint.to_owned()), place }
}

fn of_template(problem: template::Problem) -> Problem {
    let text = std::fs::read_to_string(&problem.file).unwrap_or_default();
    let span = span(&text, problem.line, problem.column);
    let file = PathBuf::from(&problem.file);
    let source = Source {
        folder: file.parent().unwrap_or(Path::new("")).to_owned(),
        name: problem.file,
        kind: SourceKind::Main,
        text,
    };
    Problem {
        severity: match problem.severity {
            template::Severity::Error => Severity::Error,
            template::Severity::Warning => Severity::Warning,
        },
        message: problem.message,
        hint: Some(problem.hint),
        place: Some(Place { source: Arc::new(source), span }),
    }
}

/// From a place to the end of what stands there: a placeholder, a name in one, else the line.
/// Nothing when there is no such place.
fn span(text: &str, line: usize, column: usize) -> Range<usize> {
    let mut start = 0;
    for (at, written) in text.split_inclusive('\n').enumerate() {
        if at + 1 == line {
            let written = written.trim_end();
            let skip: usize =
                written.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
            let rest = written.get(skip..).unwrap_or_default();
            return start + skip..start + skip + extent(&written[..skip], rest);
        }
        start += written.len();
    }
    0..0
}

/// How many bytes of `rest` belong to what begins there.
fn extent(before: &str, rest: &str) -> usize {
    let past = |end: &str| rest.find(end).map(|at| at + end.len());
    let closed = match rest.get(..2) {
        Some("{[") => past("]}"),
        Some("{{") => past("}}"),
        Some("{%") => past("%}"),
        _ => {
            let is_inside =
                ["{{", "{%"].iter().filter_map(|open| before.rfind(open)).max() > before.rfind('}');
            let end = rest.find(|c: char| !c.is_alphanumeric() && !"._".contains(c));
            end.filter(|end| is_inside && *end > 0)
        }
    };
    closed.unwrap_or(rest.len())
}

const COLUMNS: [&str; 6] = ["severity", "file", "line", "column", "message", "hint"];

fn row(problem: &Problem) -> Value {
    let place = problem.place.as_ref();
    json!({
        "severity": match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "file": place.map(|place| place.source.name.as_str()),
        "line": place.map(Place::line),
        "column": place.map(Place::column),
        "message": problem.message,
        "hint": problem.hint,
    })
}

fn tell(
    globals: &Globals,
    main: Option<&Path>,
    problems: &[Problem],
    errors: usize,
    fails: bool,
) -> Result<()> {
    let paint = logging::paint(globals);
    for problem in problems {
        // Whoever asked for quiet hears what fails.
        if !globals.quiet || fails {
            output::aside(format_args!("{}", problem.render(paint)));
        }
    }
    let warnings = counted(problems.len() - errors, "warning");
    match main {
        Some(main) if !fails && !globals.quiet => {
            let and = with(problems, errors);
            output::line(format_args!("`{}` is in order{and}", main.display()))?;
        }
        _ if fails => output::aside(format_args!("{}, {warnings}", counted(errors, "error"))),
        _ => {}
    }
    Ok(())
}

/// `, with 2 warnings`; nothing when there are none.
fn with(problems: &[Problem], errors: usize) -> String {
    match problems.len() - errors {
        0 => String::new(),
        warnings => format!(", with {}", counted(warnings, "warning")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_a_template_is_underlined_no_further_than_it_goes() {
        let text = "Subject: x\n\nA {[Été]} {{ portal.usr | upper }} {% if %} {{ x";
        let marked = |column| &text[span(text, 3, column)];
        assert_eq!(marked(3), "{[Été]}");
        assert_eq!(marked(11), "{{ portal.usr | upper }}");
        assert_eq!(marked(14), "portal.usr");
        assert_eq!(marked(36), "{% if %}");
        assert_eq!(marked(45), "{{ x");
        assert_eq!(&text[span(text, 1, 1)], "Subject: x");
        assert_eq!(span(text, 9, 1), 0..0);
    }
}
