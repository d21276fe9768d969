//! The configuration as it stands after merging, each value with where it came from; secrets are
//! masked.

use serde_json::Value as Json;

use super::load::Loaded;
use super::schema;
use super::tree::{Node, Value};

/// Which settings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those that were written, and the defaults of the others.
    All,
    Written,
}

/// One table of the configuration, with the settings that stand directly in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// As TOML writes it, e.g. `[[mailbox]]`; empty for the top.
    pub header: String,
    pub settings: Vec<Setting>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its own name.
    pub name: String,
    /// With dots from the top, e.g. `mailbox.0.start`.
    pub key: String,
    pub value: Json,
    /// `file:line`, `--set` or `default`.
    pub origin: String,
}

/// The sections, in the order of the reference.
pub fn sections(loaded: &Loaded, scope: Scope) -> Vec<Section> {
    let mut sections = Vec::new();
    let top = Table {
        at: schema::schema(),
        header: String::new(),
        name: String::new(),
        key: String::new(),
    };
    top.collect(Some(&loaded.tree), scope, &mut sections);
    sections
}

struct Table {
    at: &'static Json,
    header: String,
    /// With dots, without indices.
    name: String,
    /// With dots and indices.
    key: String,
}

impl Table {
    fn collect(self, node: Option<&Node>, scope: Scope, sections: &mut Vec<Section>) {
        let mut section = Section { header: self.header.clone(), settings: Vec::new() };
        let mut below = Vec::new();
        for (name, at) in schema::keys(self.at) {
            let inner = node.and_then(|node| node.at(&[name]));
            let key = join(&self.key, name);
            if schema::table(at).is_some() {
                below.push((name, at, inner, key));
            } else if let Some((value, origin)) = value_of(at, inner, scope) {
                section.settings.push(Setting { name: name.to_owned(), key, value, origin });
            }
        }
        if !section.settings.is_empty() || section.header.starts_with("[[") {
            sections.push(section);
        }
        for (name, at, inner, key) in below {
            let name = join(&self.name, name);
            match inner.map(|inner| &inner.value) {
                Some(Value::Array(items)) => {
                    for (i, item) in items.iter().enumerate() {
                        let (header, key) = (format!("[[{name}]]"), join(&key, &i.to_string()));
                        let table = Table { at, header, name: name.clone(), key };
                        table.collect(Some(item), scope, sections);
                    }
                }
                _ if at["type"] == "array" => {}
                _ => {
                    let table = Table { at, header: format!("[{name}]"), name, key };
                    table.collect(inner, scope, sections);
                }
            }
        }
    }
}

fn value_of(at: &Json, node: Option<&Node>, scope: Scope) -> Option<(Json, String)> {
    match (node, scope) {
        (Some(node), _) => {
            let is_literal_secret =
                at["format"] == "guichet-secret" && matches!(node.value, Value::String(_));
            let value = if is_literal_secret { "***".into() } else { node.to_json() };
            Some((value, node.place.to_string()))
        }
        (None, Scope::All) => Some((at.get("default")?.clone(), "default".to_owned())),
        (None, Scope::Written) => None,
    }
}

fn join(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}
