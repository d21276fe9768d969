//! What the names in a template stand for in one mail. Values are plain text: they are escaped in
//! HTML and never read as a template (T-29, T-32).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use minijinja::value::{Object, ObjectRepr, Value};

use super::clean;
use super::secret::{REDACTED, Secret};
use super::snippets::VARIABLES;
use super::words;

// A value longer than this is a mistake or an attack; a quoted message is the longest there is.
const LONGEST_LINE: usize = 1_000;
const LONGEST_TEXT: usize = 20_000;

/// The values of one mail. A name that was not set stands for nothing; a secret that was not set
/// is an error of the template that asks for it.
#[derive(Clone, Debug)]
pub struct Values {
    zone: TimeZone,
    given: BTreeMap<&'static str, Given>,
}

#[derive(Clone, Debug)]
enum Given {
    Moment(Timestamp),
    Secret(Secret),
    Text(String),
}

impl Values {
    /// No values yet; times will be told in `zone`.
    pub fn new(zone: TimeZone) -> Values {
        Values { zone, given: BTreeMap::new() }
    }

    /// Sets a name to a text of one line.
    pub fn line(&mut self, name: &'static str, value: &str) {
        self.given.insert(name, Given::Text(clean::line(value, LONGEST_LINE)));
    }

    /// Sets a name to a text of several lines.
    pub fn text(&mut self, name: &'static str, value: &str) {
        self.given.insert(name, Given::Text(clean::text(value, LONGEST_TEXT)));
    }

    /// Sets a name to a time.
    pub fn moment(&mut self, name: &'static str, at: Timestamp) {
        self.given.insert(name, Given::Moment(at));
    }

    /// Sets a name to a secret.
    pub fn secret(&mut self, name: &'static str, secret: Secret) {
        self.given.insert(name, Given::Secret(secret));
    }

    /// The same values with every secret replaced by `[redacted]`: for the copy that is kept.
    pub fn redacted(&self) -> Values {
        let mut values = self.clone();
        for given in values.given.values_mut() {
            if matches!(given, Given::Secret(_)) {
                *given = Given::Text(REDACTED.to_owned());
            }
        }
        values
    }

    /// What the engine is handed: of each group only the names that the template uses.
    pub(super) fn context(&self, names: &BTreeSet<&'static str>, locale: &str) -> Value {
        let mut groups: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
        let mut roots: BTreeMap<&str, Value> = BTreeMap::new();
        for name in names {
            let value = match self.given.get(name) {
                Some(Given::Moment(at)) => Value::from_object(Moment {
                    at: *at,
                    zone: self.zone.clone(),
                    locale: locale.to_owned(),
                }),
                Some(Given::Secret(secret)) => Value::from(secret.reveal()),
                Some(Given::Text(text)) => Value::from(text.as_str()),
                None if is_secret(name) => continue,
                None => Value::from(""),
            };
            match name.split_once('.') {
                Some((group, field)) => {
                    groups.entry(group).or_default().insert(field, value);
                }
                None => {
                    roots.insert(name, value);
                }
            }
        }
        roots.extend(groups.into_iter().map(|(group, fields)| (group, Value::from(fields))));
        Value::from(roots)
    }
}

/// Values for `check`: every name has its sample, so that the filled half of each `if` is rendered.
pub fn samples(zone: TimeZone) -> Values {
    let mut values = Values::new(zone);
    for variable in VARIABLES {
        match variable.sample.parse::<Timestamp>() {
            Ok(at) => values.moment(variable.name, at),
            Err(_) => values.text(variable.name, variable.sample),
        }
    }
    values
}

/// Values for `check`: every name but the secrets is empty, so that the other half is rendered.
pub(super) fn bare_samples(zone: TimeZone) -> Values {
    let mut values = Values::new(zone);
    for variable in VARIABLES.iter().filter(|variable| is_secret(variable.name)) {
        values.line(variable.name, variable.sample);
    }
    values
}

/// Whether a name stands for something that opens an account, or changes whose it is.
pub(super) fn is_secret(name: &str) -> bool {
    matches!(name, "portal.activation_url" | "portal.confirm_url" | "portal.password")
}

/// A time in a template: shown in the reader's way, or as the filter `date` says.
#[derive(Debug)]
pub(super) struct Moment {
    at: Timestamp,
    zone: TimeZone,
    locale: String,
}

impl Moment {
    pub(super) fn format(&self, format: &str) -> Result<String, jiff::Error> {
        strtime::format(format, &self.at.to_zoned(self.zone.clone()))
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&words::moment(&self.locale, &self.at.to_zoned(self.zone.clone())))
    }
}
