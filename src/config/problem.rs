//! One thing wrong with the configuration as written, and how it is shown: the file, the line, a
//! caret below the words meant, and what to do.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::values::Misread;

/// A text that settings were read from.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path of the file as it was named, or `--set`.
    pub name: String,
    pub kind: SourceKind,
    /// What relative paths in it start from.
    pub folder: PathBuf,
    /// Its text, with every secret blotted out once they are known.
    pub text: String,
}

/// What kind of text settings were read from; the later wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A file of `conf.d`.
    DropIn,
    /// A `--set KEY=VALUE`.
    Flag,
    Main,
    /// A file that the configuration only points at.
    Other,
}

/// Some bytes of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub source: Arc<Source>,
    pub span: Range<usize>,
}

impl Place {
    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.before().matches('\n').count() + 1
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        self.before().chars().rev().take_while(|c| *c != '\n').count() + 1
    }

    fn before(&self) -> &str {
        let text = &self.source.text;
        let mut end = self.span.start.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        &text[..end]
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source.kind {
            SourceKind::Flag => f.write_str("--set"),
            SourceKind::DropIn | SourceKind::Main | SourceKind::Other => {
                write!(f, "{}:{}", self.source.name, self.line())
            }
        }
    }
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    /// Only `check` shows it; only `check --strict` fails because of it.
    Warning,
}

/// One thing wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    pub message: String,
    pub hint: Option<String>,
    /// `None` when it is about no place in a file: there is no file.
    pub place: Option<Place>,
}

impl Problem {
    /// An error at a place.
    pub fn error(place: &Place, misread: Misread) -> Problem {
        Problem {
            severity: Severity::Error,
            message: misread.message,
            hint: Some(misread.hint),
            place: Some(place.clone()),
        }
    }

    /// A warning at a place.
    pub fn warning(place: &Place, misread: Misread) -> Problem {
        Problem { severity: Severity::Warning, ..Problem::error(place, misread) }
    }

    /// An error about no place in a file.
    pub fn nowhere(misread: Misread) -> Problem {
        Problem {
            severity: Severity::Error,
            message: misread.message,
            hint: Some(misread.hint),
            place: None,
        }
    }

    /// The line, from 1; 0 without a place.
    pub fn line(&self) -> usize {
        self.place.as_ref().map_or(0, Place::line)
    }

    /// The column, from 1; 0 without a place.
    pub fn column(&self) -> usize {
        self.place.as_ref().map_or(0, Place::column)
    }

    /// The problem with its line and a caret, ending in a newline.
    pub fn render(&self, paint: Paint) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let group = match &self.place {
            // About the whole of a file, so no line of it is to blame.
            Some(place) if place.span == (0..0) => {
                level.primary_title(&self.message).element(Origin::path(&place.source.name))
            }
            Some(place) => {
                let text = &place.source.text;
                let end = place.span.end.min(text.len());
                let start = place.span.start.min(end);
                let caret = AnnotationKind::Primary.span(start..end);
                let snippet =
                    Snippet::source(text.as_str()).path(&place.source.name).annotation(caret);
                level.primary_title(&self.message).element(snippet)
            }
            None => Group::with_title(level.primary_title(&self.message)),
        };
        let (group, after) = match &self.hint {
            Some(hint) if self.place.is_some() => {
                (group.element(Level::HELP.with_name("hint").message(hint)), String::new())
            }
            // Without an excerpt there is no margin for the hint to hang from.
            Some(hint) => (group, format!("hint: {hint}\n")),
            None => (group, String::new()),
        };
        let renderer = match paint {
            Paint::Colour => Renderer::styled(),
            Paint::Plain => Renderer::plain(),
        };
        format!("{}\n{after}", renderer.render(&[group]))
    }
}

/// Whether what is shown may carry colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Colour,
    Plain,
}

/// All that is wrong with a configuration; at least one of the problems is an error.
#[derive(Clone, Debug)]
pub struct Invalid {
    pub problems: Vec<Problem>,
}

impl Invalid {
    /// The problems, in the order of the files.
    pub fn new(mut problems: Vec<Problem>) -> Invalid {
        sort(&mut problems);
        Invalid { problems }
    }

    /// Every error, an empty line between two; the warnings are for `check`.
    pub fn render(&self, paint: Paint) -> String {
        let errors = self.problems.iter().filter(|problem| problem.severity == Severity::Error);
        let shown: Vec<String> = errors.map(|problem| problem.render(paint)).collect();
        shown.join("\n")
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(Paint::Plain).trim_end())
    }
}

impl std::error::Error for Invalid {}

/// Puts problems in the order in which a reader meets them, each once: the main file, the drop-ins
/// by name, the flags.
pub fn sort(problems: &mut Vec<Problem>) {
    fn order(problem: &Problem) -> Option<(usize, &str, usize)> {
        let place = problem.place.as_ref()?;
        let rank = match place.source.kind {
            SourceKind::Main => 0,
            SourceKind::DropIn => 1,
            SourceKind::Flag => 2,
            SourceKind::Other => 3,
        };
        Some((rank, &place.source.name, place.span.start))
    }
    problems.sort_by(|a, b| order(a).cmp(&order(b)));
    problems.dedup();
}
