//! TOML with a place on every key and value, so that each mistake can be shown where it stands and
//! each setting can say where it comes from. Merges drop-ins and flags over the main file.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Place, Problem, Source, SourceKind};
use super::values::Misread;

/// A value and where it stands.
#[derive(Clone)]
pub struct Node {
    pub value: Value,
    pub place: Place,
}

/// A TOML value; a date or time is kept as its text.
#[derive(Clone)]
pub enum Value {
    Array(Vec<Node>),
    Boolean(bool),
    Datetime(String),
    Float(f64),
    Integer(i64),
    String(String),
    Table(Vec<Entry>),
}

/// One key of a table.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub place: Place,
    pub node: Node,
}

impl Node {
    /// The value below `path`; a number picks from an array.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        let Some((step, rest)) = path.split_first() else { return Some(self) };
        match &self.value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?.at(rest),
            Value::Table(entries) => entries.iter().find(|entry| entry.key == *step)?.node.at(rest),
            _ => None,
        }
    }

    /// What the value is, with an article, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Array(_) if self.is_array_of_tables() => "an array of tables",
            Value::Array(_) => "an array",
            Value::Boolean(_) => "a boolean",
            Value::Datetime(_) => "a date",
            Value::Float(_) | Value::Integer(_) => "a number",
            Value::String(_) => "a string",
            Value::Table(_) => "a table",
        }
    }

    /// Whether it is written with `[[…]]`, or might as well be.
    pub fn is_array_of_tables(&self) -> bool {
        match &self.value {
            Value::Array(items) => {
                !items.is_empty() && items.iter().all(|item| matches!(item.value, Value::Table(_)))
            }
            _ => false,
        }
    }

    /// The value as JSON, for serde.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Array(items) => items.iter().map(Node::to_json).collect(),
            Value::Boolean(value) => (*value).into(),
            Value::Datetime(text) | Value::String(text) => text.as_str().into(),
            Value::Float(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Table(entries) => {
                let pairs = entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json()));
                serde_json::Value::Object(pairs.collect())
            }
        }
    }
}

// Without the value: it may be a secret (T-48).
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({} at {})", self.kind(), self.place)
    }
}

/// Reads `text`, which `source` shows with its secrets blotted out; what cannot be read goes to
/// `problems`, and the rest is the answer.
pub fn parse(text: &str, source: &Arc<Source>, problems: &mut Vec<Problem>) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let place = Place { source: source.clone(), span };
        let message = error.message().trim().replace('\n', ", ");
        let hint = syntax_hint(&message);
        problems.push(Problem::error(&place, Misread::new(message, hint)));
    }
    let mut reader = Reader { source, problems };
    let place = Place { source: source.clone(), span: 0..0 };
    Node { value: Value::Table(reader.table(table.into_inner())), place }
}

fn syntax_hint(message: &str) -> &'static str {
    if message.contains("duplicate") {
        "keep one of the two"
    } else {
        "a string stands in quotes, a table begins with `[name]`, an array of tables with `[[name]]`"
    }
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn table(&mut self, table: DeTable<'_>) -> Vec<Entry> {
        let entries = table.into_iter().map(|(key, value)| Entry {
            place: self.place(key.span()),
            key: key.into_inner().into_owned(),
            node: self.node(value),
        });
        entries.collect()
    }

    fn node(&mut self, value: Spanned<DeValue<'_>>) -> Node {
        let place = self.place(value.span());
        let value = match value.into_inner() {
            DeValue::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.node(item)).collect())
            }
            DeValue::Boolean(value) => Value::Boolean(value),
            DeValue::Datetime(value) => Value::Datetime(value.to_string()),
            DeValue::Float(value) => Value::Float(value.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Integer(value) => {
                let number = i64::from_str_radix(value.as_str(), value.radix());
                if number.is_err() {
                    let misread = Misread::new(
                        format!("the number `{}` is too large", value.as_str()),
                        "no setting takes one this large",
                    );
                    self.problems.push(Problem::error(&place, misread));
                }
                Value::Integer(number.unwrap_or(0))
            }
            DeValue::String(text) => Value::String(text.into_owned()),
            DeValue::Table(table) => Value::Table(self.table(table)),
        };
        Node { value, place }
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place { source: self.source.clone(), span }
    }
}

/// Lays `over` over `base`: tables merge, arrays of tables append, anything else is replaced. The
/// same setting in two drop-ins is a problem, for which of them wins would hang on a file's name.
pub fn merge(base: &mut Node, over: Node, problems: &mut Vec<Problem>) {
    let is_flag = over.place.source.kind == SourceKind::Flag;
    if is_flag && let Some(index) = picks_from(base, &over) {
        return merge_item(base, index, over, problems);
    }
    let append = base.is_array_of_tables() && over.is_array_of_tables() && !is_flag;
    match (&mut base.value, over.value) {
        (Value::Table(entries), Value::Table(more)) => {
            for entry in more {
                match entries.iter_mut().find(|there| there.key == entry.key) {
                    Some(there) => merge(&mut there.node, entry.node, problems),
                    None => entries.push(entry),
                }
            }
        }
        (Value::Array(items), Value::Array(more)) if append => items.extend(more),
        (_, value) => {
            let both_drop_ins = base.place.source.kind == SourceKind::DropIn
                && over.place.source.kind == SourceKind::DropIn;
            if both_drop_ins {
                let misread = Misread::new(
                    "this setting stands in two files of `conf.d`",
                    format!("the other one is at {}; keep one of the two", base.place),
                );
                problems.push(Problem::error(&over.place, misread));
            }
            *base = Node { value, place: over.place };
        }
    }
}

/// `--set mailbox.0.start=all` reads as a table with the key `0` where an array is.
fn picks_from(base: &Node, over: &Node) -> Option<usize> {
    match (&base.value, &over.value) {
        (Value::Array(_), Value::Table(entries)) if entries.len() == 1 => {
            entries[0].key.parse().ok()
        }
        _ => None,
    }
}

fn merge_item(base: &mut Node, index: usize, over: Node, problems: &mut Vec<Problem>) {
    let (Value::Array(items), Value::Table(mut entries)) = (&mut base.value, over.value) else {
        return;
    };
    let Some(entry) = entries.pop() else { return };
    match items.get_mut(index) {
        Some(item) => merge(item, entry.node, problems),
        None => {
            let misread = Misread::new(
                format!("there is no entry {index} to set"),
                format!("the entries count from 0, and there are {}", items.len()),
            );
            problems.push(Problem::error(&entry.place, misread));
        }
    }
}
