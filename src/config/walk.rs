//! Walks the merged tree against the schema: every unknown key, wrong type, bad word and missing
//! key is found in one pass, each with its place and a hint. On the way variables are expanded and
//! relative paths made to start from the file that names them.

use std::path::Path;

use serde_json::Value as Json;

use super::coming;
use super::environment::Environment;
use super::expand::expand;
use super::formats;
use super::problem::{Place, Problem, SourceKind};
use super::schema;
use super::secret::Secret;
use super::tree::{Entry, Node, Value};
use super::values::Misread;

/// Checks `root` and makes it ready to be read; what is wrong goes to `problems`. Answers with the
/// places of the keys and values that must not be read.
pub fn walk(root: &mut Node, environment: &Environment, problems: &mut Vec<Problem>) -> Vec<Place> {
    let mut walk = Walk { environment, problems, bad: Vec::new(), path: Vec::new() };
    walk.node(root, schema::schema(), None);
    walk.bad
}

struct Walk<'a> {
    environment: &'a Environment,
    problems: &'a mut Vec<Problem>,
    bad: Vec<Place>,
    path: Vec<String>,
}

impl Walk<'_> {
    fn node(&mut self, node: &mut Node, schema: &Json, outer_format: Option<&str>) {
        let format = schema["format"].as_str().or(outer_format);
        match format {
            Some("guichet-public-domains") => return self.public_domains(node),
            Some("guichet-secret") => return self.secret(node),
            _ => {}
        }
        let wanted = schema["type"].as_str().unwrap_or_default();
        match (wanted, &mut node.value) {
            ("array", Value::Array(items)) => {
                for item in items {
                    self.node(item, &schema["items"], format);
                }
            }
            ("boolean", Value::Boolean(_)) => {}
            ("integer", Value::Integer(number)) => {
                let number = *number;
                self.integer(number, &node.place, schema);
            }
            ("object", Value::Table(entries)) => self.table(entries, &node.place, schema),
            ("string", Value::String(text)) => {
                let text = std::mem::take(text);
                node.value = Value::String(self.string(text, &node.place, schema, format));
            }
            // A date may stand without quotes, as TOML allows.
            ("string", Value::Datetime(text)) if format == Some("guichet-start") => {
                let text = std::mem::take(text);
                node.value = Value::String(self.string(text, &node.place, schema, format));
            }
            _ => self.wrong_type(node, schema, format),
        }
    }

    fn table(&mut self, entries: &mut [Entry], place: &Place, schema: &Json) {
        let properties = &schema["properties"];
        for entry in entries.iter_mut() {
            self.path.push(entry.key.clone());
            match properties.get(&entry.key) {
                Some(inner) => self.node(&mut entry.node, inner, None),
                None => self.unknown(entry, properties),
            }
            self.path.pop();
        }
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            if !entries.iter().any(|entry| entry.key == key) {
                self.missing(key, place, &properties[key]);
            }
        }
    }

    fn unknown(&mut self, entry: &Entry, properties: &Json) {
        let known = properties.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        let whole = self.path.join(".");
        let hint = if coming::is_coming(&whole) {
            format!("this release does not know `{whole}` yet; leave it out")
        } else if let Some(nearest) = nearest(&entry.key, known.clone()) {
            format!("did you mean `{nearest}`?")
        } else if let Some(elsewhere) = elsewhere(&entry.key) {
            format!("did you mean `{elsewhere}`?")
        } else {
            format!("the keys here are {}", list(known))
        };
        let message = format!("unknown key `{whole}`");
        self.error(&entry.place, Misread::new(message, hint));
    }

    fn missing(&mut self, key: &str, place: &Place, schema: &Json) {
        let hint = match schema["examples"][0].as_str() {
            Some(example) => format!("add `{key} = \"{example}\"`, or whatever yours is"),
            None => format!(
                "add a table `[[{key}]]`; `guichet config explain {key}` says what is in it"
            ),
        };
        let message = format!("`{}` is missing", self.key_below(key));
        // The table it is missing from is good otherwise.
        self.problems.push(Problem::error(place, Misread::new(message, hint)));
    }

    fn integer(&mut self, number: i64, place: &Place, schema: &Json) {
        let least = schema["minimum"].as_i64().unwrap_or(0);
        let most = schema["maximum"].as_i64().unwrap_or(i64::from(u32::MAX));
        if !(least..=most).contains(&number) {
            let message = format!("`{number}` is no number `{}` can be", self.path.join("."));
            let hint = format!("write a whole number from {least} to {most}");
            self.error(place, Misread::new(message, hint));
        }
    }

    fn string(
        &mut self,
        text: String,
        place: &Place,
        schema: &Json,
        format: Option<&str>,
    ) -> String {
        let text = match expand(&text, self.environment) {
            Ok(text) => text,
            Err(misread) => {
                self.error(place, misread);
                return text;
            }
        };
        let words = schema::words(schema);
        if !words.is_empty() && !words.contains(&text.as_str()) {
            let misread = self.bad_word(&text, &words);
            self.error(place, misread);
        }
        let Some(format) = format else { return text };
        if let Err(misread) = formats::check(format, &text) {
            self.error(place, misread);
        } else if format == "guichet-path" {
            return from_folder(&text, &place.source.folder);
        }
        text
    }

    fn bad_word(&self, text: &str, words: &[&str]) -> Misread {
        let key = self.path.join(".");
        let message = format!("`{text}` is nothing `{key}` can be");
        match nearest(text, words.iter().copied()) {
            Some(nearest) => Misread::new(message, format!("did you mean `{nearest}`?")),
            None => Misread::new(message, format!("it is one of {}", list(words.iter().copied()))),
        }
    }

    /// `sites.public_domains`: the word `builtin`, or a list of domains.
    fn public_domains(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::String(text) if text == "builtin" => {}
            Value::Array(items) => {
                let schema = serde_json::json!({ "type": "string" });
                for item in items {
                    self.node(item, &schema, Some("guichet-domain"));
                }
            }
            _ => {
                let message = "`sites.public_domains` is neither `builtin` nor a list of domains";
                let hint = "write `\"builtin\"`, or a list such as `[\"gmail.com\"]`";
                self.error(&node.place, Misread::new(message, hint));
            }
        }
    }

    /// A string, or a table with one key; nothing in it is expanded.
    fn secret(&mut self, node: &mut Node) {
        const HINT: &str =
            "write `{ file = \"path\" }`, `{ credential = \"name\" }` or `{ env = \"NAME\" }`";
        let key = self.path.join(".");
        let place = node.place.clone();
        match &mut node.value {
            Value::String(text) if text.is_empty() => {
                self.error(&place, Misread::new(format!("the secret `{key}` is empty"), HINT));
            }
            Value::String(_) if place.source.kind == SourceKind::Flag => {
                let message = format!("the secret `{key}` does not belong on a command line");
                self.error(&place, Misread::new(message, HINT));
            }
            Value::String(_) => {
                let message = format!("the secret `{key}` stands in the configuration itself");
                self.problems.push(Problem::warning(&place, Misread::new(message, HINT)));
            }
            Value::Table(entries) => {
                if entries.len() != 1 {
                    let message =
                        format!("the secret `{key}` must have one key, not {}", entries.len());
                    return self.error(&place, Misread::new(message, HINT));
                }
                let before = self.bad.len();
                self.secret_table(&key, &mut entries[0], HINT);
                if self.bad.len() > before {
                    self.bad.push(place);
                }
            }
            _ => {
                let message = format!(
                    "the secret `{key}` should be a string or a table, not {}",
                    node.kind()
                );
                self.error(&place, Misread::new(message, HINT));
            }
        }
    }

    fn secret_table(&mut self, key: &str, entry: &mut Entry, hint: &str) {
        if !Secret::KEYS.contains(&entry.key.as_str()) {
            let message = format!("unknown key `{key}.{}`", entry.key);
            return self.error(&entry.place, Misread::new(message, hint));
        }
        let place = entry.node.place.clone();
        match &mut entry.node.value {
            // A credential is a file in one folder: its name may not lead out of there.
            Value::String(text)
                if text.is_empty()
                    || text.contains('\0')
                    || (entry.key == "credential"
                        && (text.contains('/') || text.starts_with('.'))) =>
            {
                let message = format!("`{key}.{}` names nothing that can be read", entry.key);
                self.error(&place, Misread::new(message, hint));
            }
            Value::String(text) if entry.key == "file" => {
                *text = from_folder(text, &place.source.folder);
            }
            Value::String(_) => {}
            _ => {
                let message = format!("`{key}.{}` should be a string", entry.key);
                self.error(&place, Misread::new(message, hint));
            }
        }
    }

    fn wrong_type(&mut self, node: &Node, schema: &Json, format: Option<&str>) {
        let key = self.path.join(".");
        let is_tables = schema["items"]["type"] == "object";
        let (wanted, hint) = match schema["type"].as_str().unwrap_or_default() {
            "array" if is_tables => {
                ("an array of tables", format!("write `[[{key}]]`, with double brackets"))
            }
            "array" => ("a list", "write it in brackets, as `[\"…\"]`".to_owned()),
            "boolean" => ("`true` or `false`", "write it without quotes".to_owned()),
            "integer" => ("a whole number", "write it without quotes".to_owned()),
            "object" => ("a table", format!("write `[{key}]`, with single brackets")),
            _ => string_hint(schema, format),
        };
        let message = format!("`{key}` should be {wanted}, not {}", node.kind());
        self.error(&node.place, Misread::new(message, hint));
    }

    fn key_below(&self, key: &str) -> String {
        let steps = self.path.iter().map(String::as_str).chain([key]);
        steps.collect::<Vec<_>>().join(".")
    }

    fn error(&mut self, place: &Place, misread: Misread) {
        self.bad.push(place.clone());
        self.problems.push(Problem::error(place, misread));
    }
}

fn string_hint(schema: &Json, format: Option<&str>) -> (&'static str, String) {
    let words = schema::words(schema);
    match format {
        Some("guichet-duration") => {
            ("a duration", "write a number and a unit in quotes, e.g. `\"5m\"`".to_owned())
        }
        Some("guichet-rate" | "guichet-rates") => {
            ("a rate", "write `\"30/h\"` or `\"off\"`, in quotes".to_owned())
        }
        Some("guichet-size") => {
            ("a size", "write a number and a unit in quotes, e.g. `\"25MB\"`".to_owned())
        }
        _ if !words.is_empty() => ("a word", format!("it is one of {}", list(words))),
        _ => ("a string", "write it in quotes".to_owned()),
    }
}

fn from_folder(path: &str, folder: &Path) -> String {
    // Both came from strings; joining them gives one again.
    folder.join(path).to_string_lossy().into_owned()
}

/// The word that was probably meant.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase().replace('-', "_");
    let distance =
        |known: &str| strsim::damerau_levenshtein(&folded, &known.to_lowercase().replace('-', "_"));
    let limit = (word.chars().count() / 3).clamp(1, 3);
    known
        .map(|known| (distance(known), known))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Where else a key of this name stands.
fn elsewhere(key: &str) -> Option<String> {
    schema::keys(schema::schema()).find_map(|(table, at)| {
        schema::keys(at).find_map(|(inner, below)| {
            if inner == key {
                return Some(format!("{table}.{inner}"));
            }
            let deeper = schema::keys(below).find(|(name, _)| *name == key);
            deeper.map(|(name, _)| format!("{table}.{inner}.{name}"))
        })
    })
}

fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
