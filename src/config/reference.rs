//! What the types say about themselves: the file with every key, and the words about one key.

use serde_json::Value;

use super::schema;
use super::values::Misread;
use super::walk::nearest;

/// `config/reference.toml`: every key with its words and its default; where there is none, an
/// example that is commented out.
pub fn text() -> String {
    let mut out = String::from(HEAD);
    table(&mut out, schema::schema(), "");
    out
}

/// What there is to say about `key`, which is written with dots, as `users.names.split_on`.
pub fn explain(key: &str) -> Result<String, Misread> {
    let steps: Vec<&str> = key.split('.').filter(|step| step.parse::<usize>().is_err()).collect();
    let Some(at) = schema::of_key(steps.iter().copied()) else { return Err(unknown(&steps)) };
    let mut out = match schema::table(at) {
        Some(_) if at["type"] == "array" => format!("[[{}]]\n", steps.join(".")),
        Some(_) => format!("[{}]\n", steps.join(".")),
        None => format!("{}\n", steps.join(".")),
    };
    for line in wrapped(at["description"].as_str().unwrap_or_default(), "  ") {
        out.push_str(&line);
    }
    let mut fact = |name: &str, said: String| out.push_str(&format!("  {name}: {said}\n"));
    if let Some(kind) = kind(at) {
        fact("type", kind.to_owned());
    }
    let words = schema::words(at);
    if !words.is_empty() {
        fact("one of", words.join(", "));
    }
    if let Some(default) = at.get("default") {
        fact("default", value(default));
    }
    if let Some(example) = at.get("examples") {
        fact("example", value(&example[0]));
    }
    for (name, below) in schema::keys(at) {
        let description = below["description"].as_str().unwrap_or_default().replace('\n', " ");
        out.push_str(&format!("  {name:16}  {}\n", first_sentence(&description)));
    }
    Ok(out)
}

fn unknown(steps: &[&str]) -> Misread {
    let whole = steps.join(".");
    let known = all_keys();
    // As a whole first; else whoever has a key of that name.
    let near = nearest(&whole, known.iter().map(String::as_str)).map(str::to_owned);
    let last = steps.last().copied().unwrap_or_default();
    let alike = || known.iter().find(|key| key.rsplit('.').next() == Some(last)).cloned();
    let hint = match near.or_else(alike) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`guichet config schema` lists them all".to_owned(),
    };
    Misread::new(format!("there is no key `{whole}`"), hint)
}

/// Every key, with dots.
fn all_keys() -> Vec<String> {
    fn collect(at: &'static Value, prefix: &str, keys: &mut Vec<String>) {
        for (name, below) in schema::keys(at) {
            let key = format!("{prefix}{name}");
            collect(below, &format!("{key}."), keys);
            keys.push(key);
        }
    }
    let mut keys = Vec::new();
    collect(schema::schema(), "", &mut keys);
    keys
}

fn table(out: &mut String, at: &'static Value, path: &str) {
    let required = schema::table(at).map(|table| &table["required"]);
    let is_required = |key: &str| {
        let required = required.and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|name| name == key))
    };
    let (tables, leaves): (Vec<_>, Vec<_>) =
        schema::keys(at).partition(|(_, below)| schema::table(below).is_some());
    for (key, below) in leaves {
        out.push('\n');
        words(out, below);
        let whole = format!("{path}{key}");
        match (below.get("default"), below.get("examples")) {
            (Some(default), _) => out.push_str(&format!("{key} = {}\n", value(default))),
            (None, Some(examples)) => {
                let live = is_required(key) || LIVE.contains(&whole.as_str());
                let comment = if live { "" } else { "# " };
                out.push_str(&format!("{comment}{key} = {}\n", value(&examples[0])));
            }
            (None, None) => out.push_str(&format!("# {key} =\n")),
        }
    }
    for (key, below) in tables {
        out.push('\n');
        words(out, below);
        let whole = format!("{path}{key}");
        let header =
            if below["type"] == "array" { format!("[[{whole}]]") } else { format!("[{whole}]") };
        out.push_str(&format!("{header}\n"));
        table(out, below, &format!("{whole}."));
    }
}

fn words(out: &mut String, at: &Value) {
    for line in wrapped(at["description"].as_str().unwrap_or_default(), "# ") {
        out.push_str(&line);
    }
    let words = schema::words(at);
    if !words.is_empty() {
        out.push_str(&format!("# One of: {}.\n", words.join(", ")));
    }
}

/// The text in lines of at most 100 columns, each with `prefix` and a line break.
fn wrapped(text: &str, prefix: &str) -> Vec<String> {
    let mut lines = vec![prefix.trim_end().to_owned()];
    if prefix.trim().is_empty() {
        lines[0] = prefix[..prefix.len() - 1].to_owned();
    }
    for word in words_of(text) {
        let line = lines.last_mut().expect("there is a line to begin with");
        if line.chars().count() + 1 + word.chars().count() > 100 {
            lines.push(format!("{prefix}{word}"));
        } else {
            line.push(' ');
            line.push_str(&word);
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// The words of a text; what stands in backticks is one.
fn words_of(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if is_open => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
        is_open ^= word.matches('`').count() % 2 == 1;
    }
    words
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

fn kind(at: &Value) -> Option<&'static str> {
    let kind = match at["format"].as_str() {
        Some("guichet-duration") => "a duration, as \"90s\", \"5m\", \"24h\" or \"30d\"",
        Some("guichet-rate") => "a rate, as \"25/min\", or \"off\"",
        Some("guichet-rates") => "rates, as \"30/h\" or \"3/h, 10/d\", or \"off\"",
        Some("guichet-secret") => "a secret",
        Some("guichet-size") => "a size, as \"500kB\", \"25MB\" or \"1GiB\"",
        Some("guichet-public-domains") => "the word \"builtin\", or a list of domains",
        _ if !schema::words(at).is_empty() => return None,
        _ => match at["type"].as_str()? {
            "array" if schema::table(at).is_none() => "a list",
            "boolean" => "true or false",
            "integer" => "a number",
            "string" => "a string",
            _ => return None,
        },
    };
    Some(kind)
}

/// A JSON value as TOML writes it on one line.
pub fn value(json: &Value) -> String {
    match json {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(pairs) => {
            let pairs: Vec<String> =
                pairs.iter().map(|(key, inner)| format!("{key} = {}", value(inner))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        // The strings of JSON are strings of TOML, but for the one control above ASCII's first 32.
        Value::String(_) => json.to_string().replace('\u{7f}', "\\u007F"),
        _ => json.to_string(),
    }
}

const HEAD: &str = "\
#:schema ./guichet.schema.json
# Every key of guichet's configuration with its default; a key without one stands commented out
# with an example. Made from the types of the program: `REWRITE=1 cargo test --test config` writes
# it anew.
";

/// Without this the reference would not load: its mailbox has the default provider.
const LIVE: [&str; 1] = ["mailbox.host"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_words_and_a_default_or_an_example() {
        for key in all_keys() {
            let at = schema::of_key(key.split('.')).expect("a key");
            assert!(at["description"].as_str().is_some_and(|words| words.ends_with('.')), "{key}");
            let is_table = schema::table(at).is_some();
            assert!(
                is_table || at.get("default").is_some() || at.get("examples").is_some(),
                "{key}"
            );
        }
    }

    #[test]
    fn a_key_is_explained_or_the_nearest_is_named() {
        let words = explain("users.names.split_on").expect("a key");
        assert!(
            words.contains("split a local part") && words.contains("default: \".\""),
            "{words}"
        );
        assert!(explain("mailbox.0.sweep").expect("a key").contains("a duration"));
        assert!(explain("threading").expect("a table").contains("sender_check"));
        assert_eq!(explain("users.nmes").expect_err("none").hint, "did you mean `users.names`?");
        assert_eq!(
            explain("split_on").expect_err("none").hint,
            "did you mean `users.names.split_on`?"
        );
    }
}
