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

/// All templates, ready to be rendered.
#[derive(Debug)]
pub struct Templates {
    engine: Environment<'static>,
    /// By owner, name and locale.
    templates: BTreeMap<(Owner, String, String), Template>,
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
    /// Its key in the engine, without the ending of the piece.
    key: String,
    name: String,
    owner: Owner,
    locale: String,
    /// The file to name when it fails.
    file: String,
    origin: Origin,
    /// As written, header and all.
    written: BTreeMap<Format, String>,
    names: BTreeSet<&'static str>,
    /// The line of its file that a piece begins in, by the ending of the piece.
    begins: BTreeMap<&'static str, usize>,
    has_text: bool,
    has_html: bool,
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
        let mut snippets = Snippets::shipped();
        aliases::read(options, &mut snippets, &mut problems);
        let mut sources: BTreeMap<(Owner, String, String), Source> = BTreeMap::new();
        let built_in = builtin::built_in(options.credentials_mode);
        let mut take = |owner: Owner, origin, files: Vec<Written>, problems: &mut Vec<Problem>| {
            for source in source::sources(&owner, origin, files, &snippets, problems) {
                let key = (owner.clone(), source.name.clone(), source.locale.clone());
                sources.insert(key, source);
            }
        };
        take(Owner::Desk, Origin::BuiltIn, built_in, &mut problems);
        if let Some(dir) = &options.templates.dir {
            for (owner, folder) in source::folders(dir, options, &mut problems) {
                let files = source::files(&folder, &mut problems);
                take(owner, Origin::Dir, files, &mut problems);
            }
        }
        let mut templates = Templates {
            engine: engine::engine(),
            templates: BTreeMap::new(),
            warnings: Vec::new(),
        };
        let zone = TimeZone::get(&options.timezone).unwrap_or(TimeZone::UTC);
        for (key, source) in sources {
            let before = problems.len();
            let Some(template) = templates.compile(&source, &mut problems) else { continue };
            if source.origin == Origin::Dir {
                problems.extend(check::against_settings(&source, &template, options));
                // What has been said already would only fail once more.
                if !has_error(&problems[before..]) {
                    problems.extend(check::rendering(&templates, &source, &template, &zone));
                }
            }
            templates.templates.insert(key, template);
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
        let (mut snippets, mut problems) = (Snippets::shipped(), Vec::new());
        aliases::read(options, &mut snippets, &mut problems);
        if problems.is_empty() { Ok(snippets) } else { Err(problems) }
    }

    /// What is odd, but no reason not to run.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Every template there is: by owner, name and locale.
    pub fn all(&self) -> impl Iterator<Item = &Template> {
        self.templates.values()
    }

    /// Writes a mail. A missing value fails only when it is a secret.
    pub fn render(&self, template: &Template, values: &Values) -> Result<Rendered, Unwritable> {
        let context = values.context(&template.names, &template.locale);
        // What the engine says of an error may quote a value, and a value may be a secret.
        let render = |ending: &str| {
            self.engine
                .get_template(&format!("{}{ending}", template.key))
                .and_then(|compiled| compiled.render(context.clone()))
                .map_err(|error| {
                    let begins = template.begins.get(ending).copied().unwrap_or(1);
                    let line = begins + error.line().unwrap_or(1).max(1) - 1;
                    let said = format!("{} in line {line}", error.kind());
                    Unwritable::Template { file: template.file.clone(), said }
                })
        };
        let subject = clean::line(&render(".subject")?, LONGEST_SUBJECT);
        let html = render(if template.has_html { ".html" } else { MADE_HTML })?;
        let text = if template.has_text {
            format!("{}\n", render(".txt")?.trim_end())
        } else {
            markup::text_of(&html)
        };
        Ok(Rendered { subject, text, html: markup::document(&html, &template.locale) })
    }

    // Into the engine; `None` when a piece does not compile.
    fn compile(&mut self, source: &Source, problems: &mut Vec<Problem>) -> Option<Template> {
        let mut template = Template {
            key: format!("{} {}.{}", source.owner, source.name, source.locale),
            name: source.name.clone(),
            owner: source.owner.clone(),
            locale: source.locale.clone(),
            file: source.subject.file.clone(),
            origin: source.origin,
            written: source.written.clone(),
            names: BTreeSet::new(),
            begins: BTreeMap::new(),
            has_text: source.text.is_some(),
            has_html: source.html.is_some(),
        };
        let mut sound = true;
        for (ending, piece) in Template::pieces(source) {
            let key = format!("{}{ending}", template.key);
            template.begins.insert(ending, piece.place(1, 1).0);
            let code = if ending == MADE_HTML {
                markup::html_template(&piece.code)
            } else {
                piece.code.clone()
            };
            let compiled = self
                .engine
                .add_template_owned(key.clone(), code)
                .and_then(|()| self.engine.get_template(&key));
            match compiled {
                // HTML made from a text says nothing that the text has not said.
                _ if ending == MADE_HTML && !sound => {}
                Ok(_) if ending == MADE_HTML => {}
                Ok(compiled) => {
                    let undeclared = compiled.undeclared_variables(true);
                    template.names.extend(check::names(piece, undeclared, problems));
                }
                Err(error) => {
                    problems.push(check::engine_problem(piece, &error));
                    sound = false;
                }
            }
        }
        sound.then_some(template)
    }
}

impl Template {
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
        self.names.contains(name)
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
