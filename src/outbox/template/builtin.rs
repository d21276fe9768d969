//! The templates inside the program: what is sent where the administrator wrote nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

use super::blocks::{self, Composed};
use super::{Format, Origin, Owner, Template};
use crate::triage::policy::CredentialsMode;

// One file a language, in which each built-in template has its section.
const LANGUAGES: [(&str, &str); 7] = [
    ("de", include_str!("../templates/de.txt")),
    ("en", include_str!("../templates/en.txt")),
    ("es", include_str!("../templates/es.txt")),
    ("fr", include_str!("../templates/fr.txt")),
    ("it", include_str!("../templates/it.txt")),
    ("nl", include_str!("../templates/nl.txt")),
    ("pt", include_str!("../templates/pt.txt")),
];

// The sections that are ways to write `credentials`, by the name of the first.
const CREDENTIALS: [&str; 3] = ["credentials", "credentials_none", "credentials_password"];

// By the names of their sections. Each is made once, and compiled once when it is first used: a
// program loads its templates at every reload.
static BUILT_IN: LazyLock<Vec<(String, Arc<Template>)>> = LazyLock::new(|| {
    let made = LANGUAGES.iter().flat_map(|(locale, written)| {
        blocks::composed(written).into_iter().map(|section| made(locale, section))
    });
    made.collect()
});

/// The locales that guichet speaks by itself.
#[cfg(test)]
pub fn locales() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().map(|(locale, _)| *locale)
}

/// The built-in templates for a way of handing out credentials.
pub fn built_in(mode: CredentialsMode) -> impl Iterator<Item = &'static Arc<Template>> {
    let used = BUILT_IN.iter().filter(move |(section, _)| is_used(section, mode));
    used.map(|(_, template)| template)
}

fn made(locale: &str, section: Composed) -> (String, Arc<Template>) {
    let Composed { name: section, text, html } = section;
    let name = if CREDENTIALS.contains(&&*section) { CREDENTIALS[0] } else { &*section };
    let template = Template {
        name: name.to_owned(),
        owner: Owner::Desk,
        locale: locale.to_owned(),
        file: format!("built-in {name}.{locale}.{}", Format::Text.extension()),
        origin: Origin::BuiltIn,
        written: BTreeMap::from([(Format::Text, text), (Format::Html, html)]),
        compiled: OnceLock::new(),
    };
    (section, Arc::new(template))
}

// Of the three ways to write `credentials`, the one for the mode; the others are not there.
fn is_used(section: &str, mode: CredentialsMode) -> bool {
    let [link, none, password] = CREDENTIALS;
    let credentials = match mode {
        CredentialsMode::Auto | CredentialsMode::Link => link,
        CredentialsMode::None => none,
        CredentialsMode::TemporaryPassword => password,
    };
    section == credentials || !CREDENTIALS.contains(&section)
}
