//! The templates inside the program: what is sent where the administrator wrote nothing.

use std::sync::LazyLock;

use super::blocks::{self, Composed};
use super::source::{Format, Written};
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

// Each made once: a program loads its templates at every reload.
static COMPOSED: LazyLock<Vec<(&str, Vec<Composed>)>> = LazyLock::new(|| {
    LANGUAGES.iter().map(|(locale, written)| (*locale, blocks::composed(written))).collect()
});

/// The locales that guichet speaks by itself.
#[cfg(test)]
pub fn locales() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().map(|(locale, _)| *locale)
}

/// The built-in templates for a way of handing out credentials.
pub fn built_in(mode: CredentialsMode) -> Vec<Written> {
    let mut written = Vec::new();
    for (locale, templates) in COMPOSED.iter() {
        for template in templates {
            let Some(name) = used_as(&template.name, mode) else { continue };
            for (format, content) in
                [(Format::Text, &template.text), (Format::Html, &template.html)]
            {
                written.push(Written {
                    name: name.to_owned(),
                    locale: (*locale).to_owned(),
                    format,
                    file: format!("built-in {name}.{locale}.{}", format.extension()),
                    content: content.clone(),
                });
            }
        }
    }
    written
}

// Of the three ways to write `credentials`, the one for the mode; the others are not there.
fn used_as(name: &str, mode: CredentialsMode) -> Option<&str> {
    let credentials = match mode {
        CredentialsMode::Auto | CredentialsMode::Link => "credentials",
        CredentialsMode::None => "credentials_none",
        CredentialsMode::TemporaryPassword => "credentials_password",
    };
    match name {
        "credentials" | "credentials_none" | "credentials_password" => {
            (name == credentials).then_some("credentials")
        }
        name => Some(name),
    }
}
