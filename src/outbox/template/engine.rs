//! The template engine, shut in: no filter, function or test but ours, strict names, bounded work,
//! HTML always escaped, nothing that could switch the escaping off.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use crate::outbox::markup::escaped;
use crate::outbox::values::Moment;

// Instructions; a mail of ours takes a few hundred.
const FUEL: u64 = 50_000;
const DEPTH: usize = 40;

/// The ending of a piece that is HTML made from a text template.
pub const MADE_HTML: &str = ".made.html";

/// An environment without templates.
pub fn engine() -> Environment<'static> {
    let mut engine = Environment::empty();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    engine.set_recursion_limit(DEPTH);
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        engine.set_syntax(syntax);
    }
    engine.set_formatter(|out, state, value| {
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        let text = value.to_string();
        let name = state.name();
        let written = if name.ends_with(".html") { html_of(&text) } else { text };
        out.write_str(&written).map_err(|_| Error::from(ErrorKind::WriteFailure))
    });
    engine.add_filter("date", date);
    engine.add_filter(
        "default",
        |value: Value, instead: Value| {
            if is_nothing(&value) { instead } else { value }
        },
    );
    engine.add_filter("lower", |value: Value| value.to_string().to_lowercase());
    engine.add_filter("upper", |value: Value| value.to_string().to_uppercase());
    engine
}

// A value of several lines keeps them, and how far each is indented.
fn html_of(text: &str) -> String {
    let escaped = escaped(text);
    match text.contains('\n') {
        true => escaped.replace("\n ", "\n&nbsp;").replace("  ", " &nbsp;").replace('\n', "<br>\n"),
        false => escaped,
    }
}

// `{{ ticket.created_at | date("%d/%m/%Y") }}`.
// Without a format a time is written as the language of the mail writes it.
fn date(value: Value, format: Option<&str>) -> Result<String, Error> {
    if is_nothing(&value) {
        return Ok(String::new());
    }
    let Some(moment) = value.downcast_object_ref::<Moment>() else {
        return Err(Error::new(ErrorKind::InvalidOperation, "`date` needs a time before it"));
    };
    let Some(format) = format else { return Ok(value.to_string()) };
    moment.format(format).map_err(|error| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("`{format}` is no format of times: {error}"),
        )
    })
}

fn is_nothing(value: &Value) -> bool {
    value.is_undefined() || value.is_none() || value.as_str().is_some_and(str::is_empty)
}
