//! The JSON Schema (draft 7) of the configuration, made from its types: what editors complete by,
//! and what the file is walked against before it is read.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::Value;

use super::file::File;

/// The schema; every type stands where it is used.
pub fn schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(generate);
    &SCHEMA
}

/// The schema as it is published.
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(schema()).expect("JSON values serialise");
    text.push('\n');
    text
}

/// What the schema says of the key at `path`: of an array of tables, of its tables.
pub fn of_key<'a>(path: impl IntoIterator<Item = &'a str>) -> Option<&'static Value> {
    path.into_iter().try_fold(schema(), |at, step| table(at)?.get("properties")?.get(step))
}

/// The table that `at` describes, also when it is the table of an array of tables.
pub fn table(at: &Value) -> Option<&Value> {
    let table = if at["type"] == "array" { at.get("items")? } else { at };
    (table["type"] == "object").then_some(table)
}

/// The keys of the table that `at` describes, in the order of the types.
pub fn keys(at: &'static Value) -> impl Iterator<Item = (&'static str, &'static Value)> {
    let properties = table(at).and_then(|table| table["properties"].as_object());
    properties.into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

/// The words that a key with a closed choice takes.
pub fn words(at: &Value) -> Vec<&str> {
    let words = at["enum"].as_array().map(Vec::as_slice).unwrap_or_default();
    words.iter().filter_map(Value::as_str).collect()
}

fn generate() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let settings = settings.with_transform(RecursiveTransform(Tidy));
    let schema = settings.into_generator().into_root_schema_for::<File>();
    schema.into()
}

/// TOML has no null: an optional key is one that may be left out. A table's default is that of its
/// keys, and a required key has none.
#[derive(Clone, Debug)]
struct Tidy;

impl Transform for Tidy {
    fn transform(&mut self, schema: &mut schemars::Schema) {
        let Some(object) = schema.as_object_mut() else { return };
        let is_table = object.get("type").is_some_and(|name| name == "object");
        if is_table || object.get("default").is_some_and(Value::is_null) {
            object.shift_remove("default");
        }
        let required = object.get("required").and_then(Value::as_array).cloned();
        for key in required.iter().flatten().filter_map(Value::as_str) {
            if let Some(Value::Object(required)) = object["properties"].get_mut(key) {
                required.shift_remove("default");
            }
        }
        let single = match object.get_mut("type") {
            Some(Value::Array(types)) => {
                types.retain(|name| name != "null");
                (types.len() == 1).then(|| types.remove(0))
            }
            _ => None,
        };
        if let Some(single) = single {
            object.insert("type".to_owned(), single);
        }
        let inner = match object.get_mut("anyOf") {
            Some(Value::Array(choices)) => {
                let before = choices.len();
                choices.retain(|choice| choice["type"] != "null");
                (choices.len() == 1 && before == 2).then(|| choices.remove(0))
            }
            _ => None,
        };
        if let Some(Value::Object(inner)) = inner {
            object.shift_remove("anyOf");
            for (key, value) in inner {
                object.entry(key).or_insert(value);
            }
        }
    }
}
