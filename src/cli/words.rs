//! Words that several commands take and give: arguments that are one of a list, arguments that are
//! one line of text, what is left out of a result and what is said beside it.

use std::fmt::Display;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::Value;

use super::Globals;
use super::output::aside;

/// An argument that is one of `words`; `parse` knows them all.
pub(super) fn one_of<T: Clone + Send + Sync + 'static>(
    words: impl IntoIterator<Item = &'static str>,
    parse: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words).try_map(move |word| parse(&word).ok_or("it is not known"))
}

/// An argument that is one line of text: trimmed, without control characters, not endless.
pub(super) fn text(written: &str) -> Result<String, String> {
    let text = written.trim();
    if text.chars().any(char::is_control) {
        return Err("it holds a control character".to_owned());
    }
    if text.chars().count() > LONGEST {
        return Err(format!("it has more than {LONGEST} characters"));
    }
    Ok(text.to_owned())
}

/// The fields of a row that say something: what people are shown of one thing.
pub(super) fn said(fields: Value) -> Value {
    let is_nothing = |value: &Value| match value {
        Value::Array(items) => items.is_empty(),
        other => other.is_null(),
    };
    match fields {
        Value::Object(fields) => {
            fields.into_iter().filter(|(_, value)| !is_nothing(value)).collect()
        }
        other => other,
    }
}

/// What to do next, on standard error; its commands can be pasted: they name this program as it was
/// called, and its configuration.
pub(super) fn hint(globals: &Globals, text: impl Display) {
    if !globals.quiet {
        let called = format!("`{} ", called(globals));
        aside(format_args!("hint: {}", text.to_string().replace("`guichet ", &called)));
    }
}

/// How this program was called, with the configuration it was given: `guichet -c desk.toml`.
pub(super) fn called(globals: &Globals) -> String {
    let name = std::env::args().next().filter(|name| name.contains('/'));
    let name = name.unwrap_or_else(|| "guichet".to_owned());
    match &globals.config {
        Some(path) => format!("{name} -c {}", path.display()),
        None => name,
    }
}

/// `1 user`, `2 users`, `2 addresses`.
pub(super) fn counted(count: usize, what: &str) -> String {
    let plural = match what.ends_with('s') {
        _ if count == 1 => "",
        true => "es",
        false => "s",
    };
    format!("{count} {what}{plural}")
}

const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_counted_as_one() {
        assert_eq!(counted(1, "address"), "1 address");
        assert_eq!(counted(0, "address"), "0 addresses");
        assert_eq!(counted(2, "user"), "2 users");
    }

    #[test]
    fn a_text_is_one_line_without_controls() {
        assert_eq!(text(" Claire  Johnson "), Ok("Claire  Johnson".to_owned()));
        assert_eq!(text(""), Ok(String::new()));
        assert!(text("a\u{1b}[31m").is_err());
        assert!(text("a\nb").is_err());
        assert!(text(&"a".repeat(LONGEST + 1)).is_err());
    }
}
