//! Templates of mail: the administrator's over the built-in ones, compiled and checked once. What
//! is wrong with them is said at the start, all at once; a send never finds an unknown name.

mod aliases;
mod blocks;
mod builtin;
mod check;
mod engine;
mod lookup;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use jiff::tz::TimeZone;
use minijinja::Environment;

pub(super) use self::check::may_quote;
use self::engine::MADE_HTML;
pub use self::lookup::{Owner, Place, Reader, folder_of, normal_locale};
pub use self::source::Format;
use self::source::{Piece, Source, Written};
use super::snippets::Snippets;
use super::values::Values;
use super::{Options, Unwritable, clean, markup};

static SHIPPED: LazyLock<Snippets> = LazyLock::new(Snippets::shipped);

// A subject longer than this is cut (M-20).
const LONGEST_SUBJECT: usize = 500;

/// One thing wrong with a template, and what to do about it. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub severity: Severity,
    pub message: String,
    pub hint: String,
}

/// Whether guichet runs all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

impl Problem {
    fn error(file: &str, place: (usize, usize), message: String, hint: String) -> Problem {
        let (line, column) = place;
        let file = file.to_owned();
        Problem { file, line, column, severity: Severity::Error, message, hint }
    }

    fn warning(file: &str, place: (usize, usize), message: String, hint: String) -> Problem {
        Problem { severity: Severity::Warning, ..Problem::error(file, place, message, hint) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { file, line, column, message, hint, .. } = self;
        write!(f, "{file}:{line}:{column}: {message}\nhint: {hint}")
    }
}

/// The owner, the name and the locale of a template.
type Key = (Owner, String, String);

/// All templates, ready to be rendered.
#[derive(Debug)]
pub struct Templates {
    templates: BTreeMap<Key, Arc<Template>>,
    warnings: Vec<Problem>,
}

/// Who wrote a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    BuiltIn,
    /// Somebody who put it into `templates.dir`.
    Dir,
}

/// A template in one locale.
#[derive(Debug)]
pub struct Template {
    name: String,
    owner: Owner,
    locale: String,
    /// The file to name when it fails.
    file: String,
    origin: Origin,
    /// As written, header and all.
    written: BTreeMap<Format, String>,
    /// What is built in is compiled when it is first used: a desk uses few of all its languages.
    compiled: OnceLock<Compiled>,
}

/// What the engine made of a template.
#[derive(Debug)]
struct Compiled {
    /// Holds its pieces by their endings.
    engine: Environment<'static>,
    names: BTreeSet<&'static str>,
    /// The line of its file that a piece begins in, by the ending of the piece.
    begins: BTreeMap<&'static str, usize>,
}

/// A mail as the template says it.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    /// LF line ends.
    pub text: String,
    /// A whole document, LF line ends.
    pub html: String,
}

impl fmt::Debug for Rendered {
    // It may hold a secret (T-26).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rendered")
    }
}

impl Templates {
    /// Loads the built-in templates and those of `templates.dir` over them, and checks the latter:
    /// every problem at once, when there is an error among them.
    pub fn load(options: &Options) -> Result<Templates, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut snippets = SHIPPED.clone();
        aliases::read(options, &mut snippets, &mut problems);
        let mut sources: BTreeMap<Key, Source> = BTreeMap::new();
        if let Some(dir) = &options.templates.dir {
            for (owner, folder) in source::folders(dir, options, &mut problems) {
                let files = source::files(&folder, &mut problems);
                for source in source::sources(&owner, files, &snippets, &mut problems) {
                    let key = (owner.clone(), source.name.clone(), source.locale.clone());
                    sources.insert(key, source);
                }
            }
        }
        let mut templates = Templates {
            templates: builtin::built_in(options.credentials_mode)
                .map(|template| (template.key(), template.clone()))
                .collect(),
            warnings: Vec::new(),
        };
        let zone = TimeZone::get(&options.timezone).unwrap_or(TimeZone::UTC);
        for (key, source) in sources {
            let before = problems.len();
            let Some(compiled) = Compiled::of(&source, &mut problems) else { continue };
            problems.extend(check::against_settings(&source, &compiled, options));
            // What has been said already would only fail once more.
            if !has_error(&problems[before..]) {
                problems.extend(check::rendering(&source, &compiled, &zone));
            }
            let template = Template {
                name: source.name,
                owner: source.owner,
                locale: source.locale,
                file: source.subject.file,
                origin: Origin::Dir,
                written: source.written,
                compiled: OnceLock::from(compiled),
            };
            templates.templates.insert(key, Arc::new(template));
        }
        problems.sort_by(|one, other| {
            (&one.file, one.line, one.column).cmp(&(&other.file, other.line, other.column))
        });
        problems.dedup();
        if has_error(&problems) {
            return Err(problems);
        }
        templates.warnings = problems;
        Ok(templates)
    }

    /// What may stand in `{[…]}`: what is shipped, and what the file of aliases adds.
    pub fn snippets(options: &Options) -> Result<Snippets, Vec<Problem>> {
        let (mut snippets, mut problems) = (SHIPPED.clone(), Vec::new());
        aliases::read(options, &mut snippets, &mut problems);
        if problems.is_empty() { Ok(snippets) } else { Err(problems) }
    }

    /// What is odd, but no reason not to run.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Every template there is: by owner, name and locale.
    pub fn all(&self) -> impl Iterator<Item = &Template> {
        self.templates.values().map(Arc::as_ref)
    }

    /// Writes a mail. A missing value fails only when it is a secret.
    pub fn render(&self, template: &Template, values: &Values) -> Result<Rendered, Unwritable> {
        let compiled = template.compiled();
        let context = values.context(&compiled.names, &template.locale);
        // What the engine says of an error may quote a value, and a value may be a secret.
        let render = |ending: &str| {
            compiled
                .engine
                .get_template(ending)
                .and_then(|piece| piece.render(context.clone()))
                .map_err(|error| {
                    let begins = compiled.begins.get(ending).copied().unwrap_or(1);
                    let line = begins + error.line().unwrap_or(1).max(1) - 1;
                    let said = format!("{} in line {line}", error.kind());
                    Unwritable::Template { file: template.file.clone(), said }
                })
        };
        let subject = clean::line(&render(".subject")?, LONGEST_SUBJECT);
        let has = |format| template.written.contains_key(&format);
        let html = render(if has(Format::Html) { ".html" } else { MADE_HTML })?;
        let text = if has(Format::Text) {
            format!("{}\n", render(".txt")?.trim_end())
        } else {
            markup::text_of(&html)
        };
        Ok(Rendered { subject, text, html: markup::document(&html, &template.locale) })
    }
}

impl Compiled {
    // `None` when a piece does not compile.
    fn of(source: &Source, problems: &mut Vec<Problem>) -> Option<Compiled> {
        let mut compiled =
            Compiled { engine: engine::engine(), names: BTreeSet::new(), begins: BTreeMap::new() };
        let mut sound = true;
        for (ending, piece) in Template::pieces(source) {
            compiled.begins.insert(ending, piece.place(1, 1).0);
            let code = if ending == MADE_HTML {
                markup::html_template(&piece.code)
            } else {
                piece.code.clone()
            };
            let made = compiled
                .engine
                .add_template_owned(ending, code)
                .and_then(|()| compiled.engine.get_template(ending));
            match made {
                // HTML made from a text says nothing that the text has not said.
                _ if ending == MADE_HTML && !sound => {}
                Ok(_) if ending == MADE_HTML => {}
                Ok(made) => {
                    let undeclared = made.undeclared_variables(true);
                    compiled.names.extend(check::names(piece, undeclared, problems));
                }
                Err(error) => {
                    problems.push(check::engine_problem(piece, &error));
                    sound = false;
                }
            }
        }
        sound.then_some(compiled)
    }
}

impl Template {
    fn key(&self) -> Key {
        (self.owner.clone(), self.name.clone(), self.locale.clone())
    }

    fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| {
            let files = self.written.iter().map(|(format, content)| Written {
                name: self.name.clone(),
                locale: self.locale.clone(),
                format: *format,
                file: self.file.clone(),
                content: content.clone(),
            });
            let mut problems = Vec::new();
            let mut sources =
                source::sources(&self.owner, files.collect(), &SHIPPED, &mut problems);
            sources
                .pop()
                .and_then(|source| Compiled::of(&source, &mut problems))
                .expect("a test compiles what is built in")
        })
    }

    /// The name mail is queued by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose it is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The locale it is written in.
    pub fn locale(&self) -> &str {
        &self.locale
    }

    /// Who wrote it.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Where it comes from, for people: the path of its text, or of its HTML when it has no text.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What was written of it: as text, as HTML or as both, header and all.
    pub fn written(&self) -> &BTreeMap<Format, String> {
        &self.written
    }

    /// Whether it says `name`, so that the value must be found.
    pub fn uses(&self, name: &str) -> bool {
        self.compiled().names.contains(name)
    }

    /// Whether it brings a temporary password (C-modes: `auto` then draws one).
    pub fn uses_password(&self) -> bool {
        self.uses("portal.password")
    }

    /// Whether it brings an activation link.
    pub fn uses_link(&self) -> bool {
        self.uses("portal.activation_url")
    }

    // What the engine compiles of it, by the ending of its key.
    fn pieces(source: &Source) -> Vec<(&'static str, &Piece)> {
        let mut pieces = vec![(".subject", &source.subject)];
        match (&source.text, &source.html) {
            (Some(text), Some(html)) => pieces.extend([(".txt", text), (".html", html)]),
            (Some(text), None) => pieces.extend([(".txt", text), (MADE_HTML, text)]),
            (None, Some(html)) => pieces.push((".html", html)),
            (None, None) => {}
        }
        pieces
    }
}

fn has_error(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

#[cfg(test)]
mod tests;
