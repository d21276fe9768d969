//! `${VAR}` in string values, expanded after parsing: a value can never break out of its string.

use super::environment::Environment;
use super::values::Misread;

/// Replaces `${VAR}`, `${VAR:-default}`, `${VAR:?message}` and `$$`; any other `$` stands for
/// itself. What a variable brings is not looked at again.
pub fn expand(text: &str, environment: &Environment) -> Result<String, Misread> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let end = after.find('}').ok_or_else(|| {
                Misread::new("`${` is not closed", "write `${NAME}`, or `$$` for a dollar sign")
            })?;
            out.push_str(&variable(&after[..end], environment)?);
            rest = &after[end + 1..];
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn variable(inside: &str, environment: &Environment) -> Result<String, Misread> {
    let (name, otherwise) = match inside.split_once(':') {
        Some((name, otherwise)) => (name, Some(otherwise)),
        None => (inside, None),
    };
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(good) || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(Misread::new(
            format!("`${{{inside}}}` names no variable"),
            "write `${NAME}`, `${NAME:-default}` or `${NAME:?message}`, or `$$` for a dollar sign",
        ));
    }
    let set = environment.var(name);
    match otherwise.map(|otherwise| (otherwise.chars().next(), otherwise)) {
        None => set.ok_or_else(|| {
            Misread::new(
                format!("the environment variable `{name}` is not set"),
                format!("set it, or give a default as `${{{name}:-default}}`"),
            )
        }),
        // As in a shell, `:` makes an empty variable count as unset.
        Some((Some('-'), default)) => {
            Ok(set.filter(|value| !value.is_empty()).unwrap_or_else(|| default[1..].to_owned()))
        }
        Some((Some('?'), message)) => set.filter(|value| !value.is_empty()).ok_or_else(|| {
            Misread::new(
                format!("the environment variable `{name}` is not set: {}", &message[1..]),
                format!("set `{name}` for guichet"),
            )
        }),
        Some(_) => Err(Misread::new(
            format!("`${{{inside}}}` is not understood"),
            "after the name comes `:-default` or `:?message`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_defaults_and_dollar_signs() {
        let environment = Environment::of([("HOST", "mail"), ("EMPTY", ""), ("SLY", "${HOST}")]);
        for (text, expected) in [
            ("${HOST}.example", "mail.example"),
            ("${EMPTY}", ""),
            ("${EMPTY:-x}${NONE:-y}${HOST:-z}", "xymail"),
            ("${NONE:-}", ""),
            ("$$HOST $5 $", "$HOST $5 $"),
            ("$${HOST}", "${HOST}"),
            ("${HOST:?must be set}", "mail"),
            ("${SLY}", "${HOST}"),
        ] {
            assert_eq!(expand(text, &environment).as_deref(), Ok(expected), "{text}");
        }
        for text in ["${NONE}", "${HOST", "${}", "${A B}", "${HOST:+x}", "${1}", "${EMPTY:?say}"] {
            assert!(expand(text, &environment).is_err(), "{text}");
        }
    }
}
