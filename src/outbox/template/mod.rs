//! Templates of mail: the administrator's over the built-in ones, compiled and checked once. What
//! is wrong with them is said at the start, all at once; a send never finds an unknown name.

mod builtin;
mod check;
mod engine;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::tz::TimeZone;
use minijinja::Environment;

pub(super) use self::check::may_quote;
use self::engine::MADE_HTML;
use self::source::{Piece, Source};
use super::snippets::{Snippets, known, nearest};
use super::values::Values;
use super::{Options, Unwritable, clean, markup, words};

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
    /// By name and locale.
    templates: BTreeMap<(String, String), Template>,
    warnings: Vec<Problem>,
}

/// A template in one locale.
#[derive(Debug)]
pub struct Template {
    /// Its key in the engine, without the ending of the piece.
    key: String,
    /// The file to name when it fails.
    file: String,
    locale: String,
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
        read_aliases(options, &mut snippets, &mut problems);
        let mut sources: BTreeMap<(String, String), (Source, Origin)> = BTreeMap::new();
        for source in
            source::sources(builtin::built_in(options.credentials_mode), &snippets, &mut problems)
        {
            let key = (source.name.clone(), source.locale.clone());
            sources.insert(key, (source, Origin::BuiltIn));
        }
        if let Some(dir) = &options.templates.dir {
            let files = source::files(dir, &mut problems);
            for source in source::sources(files, &snippets, &mut problems) {
                let key = (source.name.clone(), source.locale.clone());
                sources.insert(key, (source, Origin::Dir));
            }
        }
        let mut templates = Templates {
            engine: engine::engine(),
            templates: BTreeMap::new(),
            warnings: Vec::new(),
        };
        let zone = TimeZone::get(&options.timezone).unwrap_or(TimeZone::UTC);
        for (key, (source, origin)) in sources {
            let before = problems.len();
            let Some(template) = templates.compile(&source, &mut problems) else { continue };
            if origin == Origin::Dir {
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

    /// What is odd, but no reason not to run.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The template `name` in the first of `locales` that has one (`fr` has those of `fr-CA`), or
    /// in English.
    pub fn find(&self, name: &str, locales: &[&str]) -> Option<&Template> {
        let get = |locale: String| self.templates.get(&(name.to_owned(), locale));
        locales
            .iter()
            .find_map(|locale| {
                let locale = normal_locale(locale);
                let language = words::language(&locale).to_owned();
                get(locale).or_else(|| get(language))
            })
            .or_else(|| get("en".to_owned()))
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
            key: format!("{}.{}", source.name, source.locale),
            file: source.subject.file.clone(),
            locale: source.locale.clone(),
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
    /// The locale it is written in.
    pub fn locale(&self) -> &str {
        &self.locale
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    BuiltIn,
    Dir,
}

fn has_error(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

// `fr_CA` and `FR-ca` are `fr-ca`.
fn normal_locale(locale: &str) -> String {
    locale.replace('_', "-").to_ascii_lowercase()
}

// `"Nom du client final" = "site.name"`, one a line.
fn read_aliases(options: &Options, snippets: &mut Snippets, problems: &mut Vec<Problem>) {
    let Some(path) = &options.templates.aliases else { return };
    let file = path.display().to_string();
    const SHAPE: &str = "write one `\"snippet\" = \"variable\"` a line, \
                         e.g. `\"Client final\" = \"site.name\"`";
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("the aliases `{file}` cannot be read: {error}");
            let hint = "make the file, or take `templates.aliases` out".to_owned();
            problems.push(Problem::error(&file, (1, 1), message, hint));
            return;
        }
    };
    let mut refuse = |at: usize, message: String, hint: String| {
        problems.push(Problem::error(&file, place_of(&text, at), message, hint));
    };
    let table = match toml::de::DeTable::parse(&text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            refuse(at, error.message().to_owned(), SHAPE.to_owned());
            return;
        }
    };
    for (alias, variable) in table.iter() {
        let at = alias.span().start;
        let Some(name) = variable.get_ref().as_str() else {
            refuse(
                at,
                format!("`{alias}` names no variable", alias = alias.get_ref()),
                SHAPE.to_owned(),
            );
            continue;
        };
        let Some(variable) = known(name) else {
            let names = super::snippets::VARIABLES.iter().map(|variable| variable.name);
            let hint = nearest(name, names)
                .map_or_else(|| SHAPE.to_owned(), |near| format!("did you mean `{near}`?"));
            refuse(at, format!("`{}` is no variable", name.escape_debug()), hint);
            continue;
        };
        if let Err(meant) = snippets.alias(alias.get_ref(), variable) {
            refuse(
                at,
                format!("`{{[{}]}}` means `{meant}` already", alias.get_ref()),
                "choose another name".to_owned(),
            );
        }
    }
}

fn place_of(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests;
