//! The templates inside the program: what is sent where the administrator wrote nothing.

use super::source::{Format, Written};
use crate::triage::policy::CredentialsMode;

struct BuiltIn {
    /// The name it is used by.
    name: &'static str,
    locale: &'static str,
    format: Format,
    /// The file it comes from, for messages.
    file: &'static str,
    content: &'static str,
}

macro_rules! built_in {
    ($name:literal, $file:literal, $locale:literal, $format:ident, $extension:literal) => {
        BuiltIn {
            name: $name,
            locale: $locale,
            format: Format::$format,
            file: concat!($file, ".", $locale, ".", $extension),
            content: include_str!(concat!("../templates/", $file, ".", $locale, ".", $extension)),
        }
    };
}

const ALWAYS: &[BuiltIn] = &[
    built_in!("ticket_received", "ticket_received", "en", Text, "txt"),
    built_in!("ticket_received", "ticket_received", "en", Html, "html"),
    built_in!("ticket_received", "ticket_received", "fr", Text, "txt"),
    built_in!("ticket_received", "ticket_received", "fr", Html, "html"),
    built_in!("too_large", "too_large", "en", Text, "txt"),
    built_in!("too_large", "too_large", "fr", Text, "txt"),
];

const WITH_LINK: &[BuiltIn] = &[
    built_in!("credentials", "credentials", "en", Text, "txt"),
    built_in!("credentials", "credentials", "en", Html, "html"),
    built_in!("credentials", "credentials", "fr", Text, "txt"),
    built_in!("credentials", "credentials", "fr", Html, "html"),
];

const WITH_PASSWORD: &[BuiltIn] = &[
    built_in!("credentials", "credentials_password", "en", Text, "txt"),
    built_in!("credentials", "credentials_password", "en", Html, "html"),
    built_in!("credentials", "credentials_password", "fr", Text, "txt"),
    built_in!("credentials", "credentials_password", "fr", Html, "html"),
];

const WITHOUT_SECRET: &[BuiltIn] = &[
    built_in!("credentials", "credentials_none", "en", Text, "txt"),
    built_in!("credentials", "credentials_none", "fr", Text, "txt"),
];

/// The built-in templates for a way of handing out credentials.
pub fn built_in(mode: CredentialsMode) -> Vec<Written> {
    let credentials = match mode {
        CredentialsMode::Auto | CredentialsMode::Link => WITH_LINK,
        CredentialsMode::None => WITHOUT_SECRET,
        CredentialsMode::TemporaryPassword => WITH_PASSWORD,
    };
    ALWAYS
        .iter()
        .chain(credentials)
        .map(|built_in| Written {
            name: built_in.name.to_owned(),
            locale: built_in.locale.to_owned(),
            format: built_in.format,
            file: format!("built-in {}", built_in.file),
            content: built_in.content.to_owned(),
        })
        .collect()
}
