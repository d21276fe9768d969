//! Template files as written: found by their names, split into header and body, their snippets
//! translated. Says where in which file a thing stands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::lookup::{Owner, folder_of, normal_locale};
use super::{Options, Problem};
use crate::outbox::snippets::{Snippets, Use, nearest};

// A mail of ours is a few KB.
const LARGEST: usize = 256 * 1024;

// The folders of templates that are not the desk's.
const MAILBOXES: &str = "mailboxes";
const SITES: &str = "sites";

/// What a template file makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    Html,
    Text,
}

impl Format {
    pub const ALL: [Format; 2] = [Format::Html, Format::Text];

    /// How the name of a file ends.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Html => "html",
            Format::Text => "txt",
        }
    }
}

/// A template file.
#[derive(Clone, Debug)]
pub struct Written {
    pub name: String,
    pub locale: String,
    pub format: Format,
    /// Its path, as people are told.
    pub file: String,
    pub content: String,
}

/// A piece of a template file that the engine compiles, and where it stands in the file.
#[derive(Clone, Debug)]
pub struct Piece {
    pub file: String,
    /// As written.
    pub source: String,
    /// With its snippets translated.
    pub code: String,
    pub uses: Vec<Use>,
    /// The line of the file that its first line is, from 1.
    line: usize,
    /// The column of the file that its first line begins at, from 1.
    column: usize,
}

/// A template in one locale: what its one or two files say.
#[derive(Clone, Debug)]
pub struct Source {
    pub owner: Owner,
    pub name: String,
    pub locale: String,
    pub subject: Piece,
    /// At least one of the two is there.
    pub html: Option<Piece>,
    pub text: Option<Piece>,
    /// Its files as they are.
    pub written: BTreeMap<Format, String>,
}

impl Piece {
    /// The place in the file of a place in this piece, both from 1.
    pub fn place(&self, line: usize, column: usize) -> (usize, usize) {
        let indent = if line <= 1 { self.column - 1 } else { 0 };
        (self.line + line.max(1) - 1, column + indent)
    }

    /// Where a name is used first: as a snippet, or as a word of the template.
    pub fn find(&self, name: &str) -> (usize, usize) {
        if let Some(used) = self.uses.iter().find(|used| used.name == name) {
            return self.place(used.line, used.column);
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        for (index, line) in self.source.lines().enumerate() {
            for (at, _) in line.match_indices(name) {
                let before = line[..at].chars().next_back().is_some_and(is_word);
                let after = line[at + name.len()..].chars().next().is_some_and(is_word);
                if !before && !after {
                    return self.place(index + 1, line[..at].chars().count() + 1);
                }
            }
        }
        self.place(1, 1)
    }
}

/// The folders of templates below `dir`, each with whose they are: `dir` itself is the desk's,
/// `sites/NAME` a site's and `mailboxes/NAME` a mailbox's.
pub fn folders(
    dir: &Path,
    options: &Options,
    problems: &mut Vec<Problem>,
) -> Vec<(Owner, PathBuf)> {
    let mut folders = vec![(Owner::Desk, dir.to_owned())];
    for kind in [MAILBOXES, SITES] {
        let of_kind = dir.join(kind);
        if !of_kind.is_dir() {
            continue;
        }
        for path in entries(&of_kind, problems) {
            let base = base_of(&path);
            if base.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                let owner = match kind {
                    SITES => Owner::Site(folder_of(&base)),
                    _ => Owner::Mailbox(folder_of(&base)),
                };
                problems.extend(nobodys(&owner, &path, options));
                folders.push((owner, path));
            } else if format_of(&path).is_some() {
                problems.push(Problem::warning(
                    &path.display().to_string(),
                    (1, 1),
                    format!("no mail is written with `{base}` as it stands here"),
                    format!("put it into a folder of the right name below `{kind}`"),
                ));
            }
        }
    }
    folders
}

// Sites come and go in the store; mailboxes are declared.
fn nobodys(owner: &Owner, path: &Path, options: &Options) -> Option<Problem> {
    let Owner::Mailbox(folder) = owner else { return None };
    let mailboxes = options.senders.keys();
    if mailboxes.clone().any(|mailbox| folder_of(mailbox) == *folder) {
        return None;
    }
    let hint = match nearest(folder, mailboxes.map(String::as_str)) {
        Some(mailbox) => format!("did you mean `{}`?", folder_of(mailbox)),
        None => "name the folder after the `name` of a mailbox, else after its address".to_owned(),
    };
    let message = format!("no mailbox is called `{}`", folder.escape_debug());
    Some(Problem::warning(&path.display().to_string(), (1, 1), message, hint))
}

/// The template files of a folder: `NAME.LOCALE.txt` and `NAME.LOCALE.html`.
pub fn files(dir: &Path, problems: &mut Vec<Problem>) -> Vec<Written> {
    let mut files = Vec::new();
    for path in entries(dir, problems) {
        let file = path.display().to_string();
        let base = base_of(&path);
        // Folders, hidden files, and what is no template by its extension: notes, the aliases.
        if path.is_dir() || base.starts_with('.') {
            continue;
        }
        let Some(format) = format_of(&path) else { continue };
        let stem = base.rsplit_once('.').map_or(base.as_str(), |(stem, _)| stem);
        let Some((name, locale)) = named(stem) else {
            problems.push(Problem::error(
                &file,
                (1, 1),
                format!("`{base}` is no name of a template"),
                "name it after the template and its locale, e.g. `credentials.en.txt`".to_owned(),
            ));
            continue;
        };
        if let Some(content) = read(&path, &file, problems) {
            files.push(Written { name, locale, format, file, content });
        }
    }
    files
}

// Sorted, so that problems come in the same order each time.
fn entries(dir: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let shown = dir.display().to_string();
    match std::fs::read_dir(dir) {
        Ok(entries) => {
            let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            paths.sort();
            paths
        }
        Err(error) => {
            problems.push(Problem::error(
                &shown,
                (1, 1),
                format!("the folder of templates `{shown}` cannot be read: {error}"),
                "make it readable, or take `templates.dir` out".to_owned(),
            ));
            Vec::new()
        }
    }
}

fn base_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn format_of(path: &Path) -> Option<Format> {
    let extension = path.extension().and_then(|extension| extension.to_str())?;
    Format::ALL.into_iter().find(|format| format.extension() == extension)
}

/// Puts the files of each template and locale together.
pub fn sources(
    owner: &Owner,
    files: Vec<Written>,
    snippets: &Snippets,
    problems: &mut Vec<Problem>,
) -> Vec<Source> {
    let mut together: BTreeMap<(String, String), Forms> = BTreeMap::new();
    for file in files {
        if let Some((subject, body)) = split(&file, snippets, problems) {
            let key = (file.name, file.locale);
            together.entry(key).or_default().insert(file.format, (subject, body, file.content));
        }
    }
    together
        .into_iter()
        .filter_map(|((name, locale), formats)| {
            // With two files, the text's subject is the one: it is what everybody can read.
            let first = formats.get(&Format::Text).or_else(|| formats.get(&Format::Html));
            let subject = first?.0.clone();
            let (mut html, mut text, mut written) = (None, None, BTreeMap::new());
            for (format, (_, body, content)) in formats {
                match format {
                    Format::Html => html = Some(body),
                    Format::Text => text = Some(body),
                }
                written.insert(format, content);
            }
            let owner = owner.clone();
            Some(Source { owner, name, locale, subject, html, text, written })
        })
        .collect()
}

// The subject, the body and the whole of each file of a template.
type Forms = BTreeMap<Format, (Piece, Piece, String)>;

fn named(stem: &str) -> Option<(String, String)> {
    let (name, locale) = stem.split_once('.')?;
    let is_name = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let (language, rest) = locale.split_at_checked(2)?;
    let is_locale = language.chars().all(|c| c.is_ascii_lowercase())
        && (rest.is_empty()
            || rest.strip_prefix(['-', '_']).is_some_and(|region| {
                !region.is_empty() && region.chars().all(|c| c.is_ascii_alphanumeric())
            }));
    (is_name && is_locale).then(|| (name.to_owned(), normal_locale(locale)))
}

fn read(path: &Path, file: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let mut refuse = |message: String, hint: &str| {
        problems.push(Problem::error(file, (1, 1), message, hint.to_owned()));
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            refuse(format!("the template cannot be read: {error}"), "see who owns it");
            return None;
        }
    };
    if bytes.len() > LARGEST {
        refuse(
            format!("the template is larger than {} KB", LARGEST / 1024),
            "mail of ours is a few KB; leave pictures out",
        );
        return None;
    }
    match String::from_utf8(bytes) {
        Ok(content) => Some(content),
        Err(_) => {
            refuse("the template is not UTF-8".to_owned(), "save it as UTF-8");
            None
        }
    }
}

// Headers, an empty line, the body.
fn split(
    file: &Written,
    snippets: &Snippets,
    problems: &mut Vec<Problem>,
) -> Option<(Piece, Piece)> {
    let content = file.content.strip_prefix('\u{feff}').unwrap_or(&file.content);
    let content = content.replace("\r\n", "\n");
    let mut refuse = |line: usize, message: String, hint: &str| {
        problems.push(Problem::error(&file.file, (line, 1), message, hint.to_owned()));
    };
    const SHAPE: &str = "begin the file with `Subject: …`, then an empty line, then the text";
    let mut subject = None;
    let mut lines = 0;
    let mut body = "";
    let mut rest = content.as_str();
    loop {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        lines += 1;
        if line.trim().is_empty() {
            body = after;
            break;
        }
        match line.split_once(':') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("subject") => {
                let indent = value.len() - value.trim_start().len();
                let column = line[..name.len() + 1 + indent].chars().count() + 1;
                subject = Some((lines, column, value.trim().to_owned()));
            }
            Some((name, _)) if !name.contains([' ', '{', '<']) => refuse(
                lines,
                format!("a template has no header `{}`", name.escape_debug()),
                "only `Subject` is known; sender and recipient are not the template's to choose",
            ),
            _ => {
                refuse(lines, "this is no header".to_owned(), SHAPE);
                return None;
            }
        }
        if after.is_empty() {
            break;
        }
        rest = after;
    }
    let Some((line, column, subject)) = subject.filter(|(_, _, subject)| !subject.is_empty())
    else {
        refuse(1, "the template has no subject".to_owned(), SHAPE);
        return None;
    };
    if body.trim().is_empty() {
        refuse(lines, "the template has no text".to_owned(), SHAPE);
        return None;
    }
    let mut piece = |source: &str, line: usize, column: usize| {
        let (code, uses, misuses) = snippets.translate(source);
        let piece =
            Piece { file: file.file.clone(), source: source.to_owned(), code, uses, line, column };
        for misuse in misuses {
            let place = piece.place(misuse.line, misuse.column);
            problems.push(Problem::error(&file.file, place, misuse.message, misuse.hint));
        }
        piece
    };
    Some((piece(&subject, line, column), piece(body, lines + 1, 1)))
}
