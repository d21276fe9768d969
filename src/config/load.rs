//! Brings the configuration together: the main file, the drop-ins of `conf.d` beside it, the
//! `--set` flags; then checks it as a whole.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use regex::Regex;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::check::check;
use super::environment::Environment;
use super::file::File;
use super::problem::{Invalid, Place, Problem, Severity, Source, SourceKind, sort};
use super::secret::Secret;
use super::settings::Settings;
use super::tree::{Node, Value, merge, parse};
use super::values::Misread;
use super::walk::walk;

/// What to load.
#[derive(Clone, Debug)]
pub struct Request {
    /// `-c`; else `GUICHET_CONFIG`, else the first default file that exists.
    pub path: Option<PathBuf>,
    /// Each `--set KEY=VALUE`, in order.
    pub set: Vec<String>,
    pub environment: Environment,
}

/// A configuration that is in order.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub file: File,
    /// What `file` was read from, with the place of each value.
    pub tree: Node,
    pub settings: Settings,
    /// What is allowed but unwise; shown by `check`.
    pub warnings: Vec<Problem>,
}

/// Loads the configuration, or says all that is wrong with it.
pub fn load(request: &Request) -> Result<Loaded, Invalid> {
    let environment = &request.environment;
    let main = main_file(request).map_err(|problem| Invalid::new(vec![problem]))?;
    let mut problems = Vec::new();
    let mut tree = gather(&main, &request.set, &mut problems);
    let unreadable: Vec<Problem> = problems.clone();
    let mut found = Vec::new();
    let bad = walk(&mut tree, environment, &mut found);
    // What a broken file seems to say is noise, and so is what lacks when a file is not there at all.
    let is_one_absent = unreadable.iter().any(|problem| problem.place.is_none());
    let lacks =
        |problem: &Problem| problem.place.as_ref().is_some_and(|place| place.span == (0..0));
    let is_noise = |problem: &Problem| {
        is_in_same_source(problem, &unreadable) || is_one_absent && lacks(problem)
    };
    problems.extend(found.into_iter().filter(|problem| !is_noise(problem)));
    if !unreadable.is_empty() {
        return Err(Invalid::new(problems));
    }
    match read(&tree, &bad) {
        Ok(mut file) => {
            place_defaults(&mut file, &tree, &folder_of(&main));
            check(&file, &tree, &mut problems);
            sort(&mut problems);
            if problems.iter().all(|problem| problem.severity == Severity::Warning) {
                let settings = Settings::new(&file, &tree, &main, environment);
                return Ok(Loaded { file, tree, settings, warnings: problems });
            }
        }
        Err(misread) => problems.push(Problem::nowhere(misread)),
    }
    Err(Invalid::new(problems))
}

/// Reads the typed file from all of the tree that is in order, so that what is wrong with the
/// rest does not hide what is wrong with these.
fn read(tree: &Node, bad: &[Place]) -> Result<File, Misread> {
    let mut good = tree.clone();
    prune(&mut good, bad);
    serde_json::from_value(good.to_json()).map_err(|error| {
        Misread::new(
            format!("the configuration cannot be read: {error}"),
            "this is a mistake of guichet: the check before should have found the place",
        )
    })
}

/// What is written was placed by the walk; a default stands in the main file, so to speak, wherever
/// guichet is started.
fn place_defaults(file: &mut File, tree: &Node, folder: &Path) {
    let templates = &mut file.templates;
    for (key, path) in [("dir", &mut templates.dir), ("aliases", &mut templates.aliases)] {
        if tree.at(&["templates", key]).is_none() {
            *path = folder.join(&path);
        }
    }
}

/// Takes out each key whose value is bad; says whether the node itself is.
fn prune(node: &mut Node, bad: &[Place]) -> bool {
    if bad.contains(&node.place) {
        return true;
    }
    match &mut node.value {
        Value::Array(items) => items.iter_mut().any(|item| prune(item, bad)),
        Value::Table(entries) => {
            entries.retain_mut(|entry| !bad.contains(&entry.place) && !prune(&mut entry.node, bad));
            false
        }
        _ => false,
    }
}

fn is_in_same_source(problem: &Problem, others: &[Problem]) -> bool {
    let source = |problem: &Problem| problem.place.as_ref().map(|place| place.source.clone());
    let this = source(problem);
    others.iter().any(|other| source(other) == this)
}

fn main_file(request: &Request) -> Result<PathBuf, Problem> {
    let environment = &request.environment;
    let named = environment.var("GUICHET_CONFIG").filter(|path| !path.is_empty());
    if let Some(path) = request.path.clone().or(named.map(PathBuf::from)) {
        return Ok(path);
    }
    let defaults = environment.default_files();
    if let Some(path) = defaults.iter().find(|path| path.exists()) {
        return Ok(path.clone());
    }
    let looked: Vec<String> = defaults.iter().map(|path| format!("`{}`", path.display())).collect();
    Err(Problem::nowhere(Misread::new(
        format!("there is no configuration: looked for {}", looked.join(" and ")),
        "name one with `-c FILE`, or begin one with `guichet config init > guichet.toml`",
    )))
}

fn gather(main: &Path, set: &[String], problems: &mut Vec<Problem>) -> Node {
    let folder = folder_of(main);
    let mut tree = from_file(main, SourceKind::Main, problems);
    for path in drop_ins(&folder.join("conf.d"), problems) {
        let over = from_file(&path, SourceKind::DropIn, problems);
        merge(&mut tree, over, problems);
    }
    for flag in set {
        let over = from_flag(flag, &folder, problems);
        merge(&mut tree, over, problems);
    }
    tree
}

/// What the relative paths of a file start from.
fn folder_of(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).to_owned()
}

fn drop_ins(folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()
    });
    let mut paths = match listed {
        Ok(paths) => paths,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            problems.push(Problem::nowhere(unreadable(folder, &error)));
            return Vec::new();
        }
    };
    paths.retain(|path| {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        !hidden && path.extension().is_some_and(|extension| extension == "toml")
    });
    paths.sort();
    paths
}

fn from_file(path: &Path, kind: SourceKind, problems: &mut Vec<Problem>) -> Node {
    let name = path.display().to_string();
    let folder = folder_of(path);
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            problems.push(Problem::nowhere(unreadable(path, &error)));
            Vec::new()
        }
    };
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let start = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let source = Arc::new(Source { name, kind, folder, text: blot(&text) });
            let place = Place { source: source.clone(), span: start..start + 1 };
            let hint = "save the file as UTF-8";
            problems.push(Problem::error(&place, Misread::new("this is not UTF-8 text", hint)));
            return Node { value: Value::Table(Vec::new()), place: Place { source, span: 0..0 } };
        }
    };
    let source = Arc::new(Source { name, kind, folder, text: blot(&text) });
    parse(&text, &source, problems)
}

fn unreadable(path: &Path, error: &io::Error) -> Misread {
    let hint = match error.kind() {
        io::ErrorKind::NotFound => "correct the path, or begin one with `guichet config init`",
        io::ErrorKind::PermissionDenied => "let the user guichet runs as read it",
        _ => "see that it is a file that can be read",
    };
    Misread::new(format!("the configuration `{}` cannot be read: {error}", path.display()), hint)
}

/// `KEY=VALUE`, where the value is TOML, or else a bare string. It stands for a line of the main file,
/// so its paths start from the `folder` of that.
fn from_flag(flag: &str, folder: &Path, problems: &mut Vec<Problem>) -> Node {
    let source = |text: &str| {
        Arc::new(Source {
            name: "--set".to_owned(),
            kind: SourceKind::Flag,
            folder: folder.to_owned(),
            text: blot(text),
        })
    };
    let (key, value) = flag.split_once('=').unwrap_or((flag, ""));
    if key.trim().is_empty() || !flag.contains('=') {
        let place = Place { source: source(flag), span: 0..flag.len() };
        let hint = "write `--set threading.sender_check=site`";
        problems.push(Problem::error(&place, Misread::new("`--set` takes `KEY=VALUE`", hint)));
        return Node { value: Value::Table(Vec::new()), place };
    }
    // A line break would bring further keys.
    if !value.contains('\n') && DeTable::parse(flag).is_ok() {
        return parse(flag, &source(flag), problems);
    }
    // The strings of JSON are strings of TOML.
    let quoted = format!("{key}={}", serde_json::Value::from(value));
    parse(&quoted, &source(&quoted), problems)
}

/// The text with every secret in it replaced by stars, byte for byte: places stay true.
fn blot(text: &str) -> String {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut spans = Vec::new();
    secrets(table.get_ref(), &mut spans);
    // Where the text cannot be read, whatever might be a secret is taken for one.
    let mut patterns = vec![&*LOGIN, &*PASSWORD_PARAMETER];
    if !errors.is_empty() {
        patterns.push(&*SECRET_LINE);
    }
    for pattern in patterns {
        let found = pattern.captures_iter(text).filter_map(|found| found.get(1));
        spans.extend(found.map(|secret| secret.range()));
    }
    let is_secret = |at: usize| spans.iter().any(|span| span.contains(&at));
    let stars = |(at, c): (usize, char)| match c {
        '"' | '\'' | '\n' | '\r' => c.to_string(),
        _ if is_secret(at) => "*".repeat(c.len_utf8()),
        _ => c.to_string(),
    };
    text.char_indices().map(stars).collect()
}

fn secrets(table: &DeTable<'_>, spans: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        match value.get_ref() {
            DeValue::Table(below) if SECRET_KEYS.contains(&key.get_ref().as_ref()) => {
                // What stands under a key that says where a secret is, is none itself.
                let others =
                    below.iter().filter(|(key, _)| !Secret::KEYS.contains(&key.get_ref().as_ref()));
                spans.extend(others.map(|(_, value)| value.span()));
            }
            _ if SECRET_KEYS.contains(&key.get_ref().as_ref()) => spans.push(value.span()),
            _ => secrets_below(value, spans),
        }
    }
}

fn secrets_below(value: &Spanned<DeValue<'_>>, spans: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Array(items) => items.iter().for_each(|item| secrets_below(item, spans)),
        DeValue::Table(table) => secrets(table, spans),
        _ => {}
    }
}

/// Names of keys that hold secrets in this release or in a later one.
const SECRET_KEYS: [&str; 4] = ["client_secret", "password", "secret", "token"];

static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"://[^\s"'/@:]*:([^\s"'/@]*)@"#).expect("the pattern is well formed")
});

static PASSWORD_PARAMETER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)[?&]password=([^\s"'&]*)"#).expect("the pattern is well formed")
});

static SECRET_LINE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:password|secret|token)[^=\n]*=([^\n]*)")
        .expect("the pattern is well formed")
});
