//! Folders whose UIDs came to mean other messages, in words and for programs.

use serde_json::{Value, json};

use crate::cli::times::Times;
use crate::intake::imap::Unrest;
use crate::store::renumbered::Cause;

/// For people.
pub(in crate::cli) fn sentence(unrest: &Unrest, times: &Times) -> String {
    let Unrest { count, first, last, cause, until } = unrest;
    let last = times.short(*last);
    let when = match count {
        1 => format!("on {last}"),
        count => format!("{count} times since {}, the last time on {last}", times.short(*first)),
    };
    let why = match cause {
        Cause::Reused => "its server gave out UIDs again that were in use before",
        Cause::Validity => "its folder has another UIDVALIDITY",
    };
    let rest = match until {
        Some(until) => {
            format!("; should they do so again before {}, it waits until then", times.short(*until))
        }
        None => String::new(),
    };
    format!("its UIDs came to mean other messages {when} ({why}), and all was read again{rest}")
}

/// For programs.
pub(in crate::cli) fn fields(unrest: Option<&Unrest>, times: &Times) -> Value {
    unrest.map_or(Value::Null, |unrest| {
        json!({
            "times": unrest.count,
            "first": times.value(unrest.first),
            "last": times.value(unrest.last),
            "cause": unrest.cause.as_str(),
            "waits_until": times.value_of(unrest.until),
        })
    })
}
