//! What the pages say, in the languages that guichet ships: one file each, every key in all of them.
//! A text may hold `{name}` for a value; values are put in as they are and escaped with the page.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A language that pages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Locale {
    De,
    En,
    Es,
    Fr,
    It,
    Nl,
    Pt,
}

impl Locale {
    pub const ALL: [Locale; 7] =
        [Locale::De, Locale::En, Locale::Es, Locale::Fr, Locale::It, Locale::Nl, Locale::Pt];

    /// Its tag, as in `lang`.
    pub fn as_str(self) -> &'static str {
        match self {
            Locale::De => "de",
            Locale::En => "en",
            Locale::Es => "es",
            Locale::Fr => "fr",
            Locale::It => "it",
            Locale::Nl => "nl",
            Locale::Pt => "pt",
        }
    }

    /// What its speakers call it.
    pub fn called(self) -> &'static str {
        match self {
            Locale::De => "Deutsch",
            Locale::En => "English",
            Locale::Es => "Español",
            Locale::Fr => "Français",
            Locale::It => "Italiano",
            Locale::Nl => "Nederlands",
            Locale::Pt => "Português",
        }
    }

    /// The language of a tag: `fr` of `fr-CA`.
    pub fn parse(tag: &str) -> Option<Locale> {
        let language = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Locale::ALL.into_iter().find(|locale| locale.as_str().eq_ignore_ascii_case(language))
    }

    fn text(self) -> &'static str {
        match self {
            Locale::De => include_str!("de.toml"),
            Locale::En => include_str!("en.toml"),
            Locale::Es => include_str!("es.toml"),
            Locale::Fr => include_str!("fr.toml"),
            Locale::It => include_str!("it.toml"),
            Locale::Nl => include_str!("nl.toml"),
            Locale::Pt => include_str!("pt.toml"),
        }
    }
}

type Words = BTreeMap<String, String>;

static WORDS: LazyLock<BTreeMap<Locale, Words>> =
    LazyLock::new(|| Locale::ALL.into_iter().map(|locale| (locale, read(locale))).collect());

/// What stands for `key`, written with dots; the key itself when there is no such thing.
pub fn of(locale: Locale, key: &str) -> &str {
    WORDS[&locale].get(key).map_or(key, String::as_str)
}

/// The same with each `{name}` replaced by its value, in one pass.
pub fn with(locale: Locale, key: &str, values: &[(&str, String)]) -> String {
    let mut rest = of(locale, key);
    let mut out = String::with_capacity(rest.len());
    while let Some((before, opened)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = opened.split_once('}') else {
            out.push('{');
            rest = opened;
            break;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => out.push_str(value),
            None => out.push_str(&format!("{{{name}}}")),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether a text is the key of something that may be said: `said.KEY`.
pub fn is_key(said: &str) -> bool {
    WORDS[&Locale::En].contains_key(&format!("said.{said}"))
}

/// The language of a page: the user's own, else the first that the browser asks for and that there
/// is, else the desk's, else English.
pub fn locale(users: Option<&str>, accept_language: Option<&str>, desks: &str) -> Locale {
    let asked = || preferred(accept_language.unwrap_or_default());
    users
        .and_then(Locale::parse)
        .or_else(asked)
        .or_else(|| Locale::parse(desks))
        .unwrap_or(Locale::En)
}

// RFC 9110 §12.5.4: what is wanted most goes first; of two alike, the one named first.
fn preferred(accept_language: &str) -> Option<Locale> {
    let mut best: Option<(u32, Locale)> = None;
    for range in accept_language.split(',').take(32) {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let weight = match parameters.trim().strip_prefix("q=") {
            Some(q) => q.trim().parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0),
            None => 1.0,
        };
        let weight = (weight * 1000.0) as u32;
        let Some(locale) = Locale::parse(tag).filter(|_| weight > 0) else { continue };
        if best.is_none_or(|(most, _)| weight > most) {
            best = Some((weight, locale));
        }
    }
    best.map(|(_, locale)| locale)
}

/// A time as people of that language write it.
pub fn moment(locale: Locale, at: Timestamp, zone: &TimeZone) -> String {
    let format = match locale {
        Locale::De => "%d.%m.%Y, %H:%M",
        Locale::En => "%-d %b %Y, %H:%M",
        Locale::Es | Locale::It | Locale::Pt => "%d/%m/%Y, %H:%M",
        Locale::Fr => "%d/%m/%Y à %H:%M",
        Locale::Nl => "%d-%m-%Y %H:%M",
    };
    at.to_zoned(zone.clone()).strftime(format).to_string()
}

fn read(locale: Locale) -> Words {
    let table: toml::Table =
        locale.text().parse().expect("a test reads the words of every language");
    let mut words = Words::new();
    flatten(&table, "", &mut words);
    words
}

fn flatten(table: &toml::Table, prefix: &str, words: &mut Words) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            toml::Value::Table(below) => flatten(below, &format!("{key}."), words),
            value => {
                let text = value.as_str().expect("a test reads the words of every language");
                words.insert(key, text.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests;
