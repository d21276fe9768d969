//! Which template a mail is written with (interfaces §7). A template belongs to a site, to a mailbox
//! or to the whole desk, and the narrower one wins, whatever language it is in: what an administrator
//! wrote for a site says what no other text says. Among those of one owner the reader's language
//! comes first, then the site's, then the desk's; each as written (`fr-ca`), then without its region
//! (`fr`). English stands in where the desk has none of these: for a site or a mailbox it does not,
//! since then the desk's own text in the reader's language is the better one.

use std::fmt;
use std::sync::Arc;

use super::{Template, Templates};
use crate::outbox::words;

/// Whose a template is, the narrowest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// By the name of its folder (see [`folder_of`]).
    Site(String),
    /// By the name of its folder.
    Mailbox(String),
    Desk,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Site(folder) => write!(f, "site {folder}"),
            Owner::Mailbox(folder) => write!(f, "mailbox {folder}"),
            Owner::Desk => f.write_str("desk"),
        }
    }
}

/// Whom a mail is for, as far as that chooses its template.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader<'a> {
    /// The site's name.
    pub site: Option<&'a str>,
    /// The mailbox's name.
    pub mailbox: Option<&'a str>,
    /// The reader's, the site's, the desk's; an empty one is none.
    pub locales: &'a [&'a str],
}

/// One place where a template is looked for.
#[derive(Debug)]
pub struct Place<'a> {
    pub owner: Owner,
    pub locale: String,
    /// What is there.
    pub template: Option<&'a Template>,
}

impl Templates {
    /// The template `name` for a reader: what stands in the first of its [`Templates::places`].
    pub fn find_for(&self, name: &str, reader: Reader<'_>) -> Option<&Template> {
        self.places(name, reader).into_iter().find_map(|place| place.template)
    }

    /// The template `name` of the desk in the first of `locales` that has one (`fr` has those of
    /// `fr-CA`), or in English.
    pub fn find(&self, name: &str, locales: &[&str]) -> Option<&Template> {
        self.find_for(name, Reader { locales, ..Reader::default() })
    }

    /// Where the template `name` is looked for, in order.
    pub fn places(&self, name: &str, reader: Reader<'_>) -> Vec<Place<'_>> {
        let site = reader.site.map(|site| Owner::Site(folder_of(site)));
        let mailbox = reader.mailbox.map(|mailbox| Owner::Mailbox(folder_of(mailbox)));
        let mut locales: Vec<String> = Vec::new();
        let mut add = |locale: String| {
            if !locale.is_empty() && !locales.contains(&locale) {
                locales.push(locale);
            }
        };
        for locale in reader.locales {
            let locale = normal_locale(locale);
            let language = words::language(&locale).to_owned();
            add(locale);
            add(language);
        }
        let mut places = Vec::new();
        for owner in [site, mailbox, Some(Owner::Desk)].into_iter().flatten() {
            let english = (owner == Owner::Desk).then(|| "en".to_owned());
            let english = english.filter(|english| !locales.contains(english));
            for locale in locales.iter().cloned().chain(english) {
                let key = (owner.clone(), name.to_owned(), locale);
                let template = self.templates.get(&key).map(Arc::as_ref);
                places.push(Place { owner: key.0, locale: key.2, template });
            }
        }
        places
    }
}

/// The folder, below `sites` or `mailboxes`, of a site or a mailbox of that name: its name in small
/// letters, with `-` where a folder's name cannot have what the name has.
pub fn folder_of(name: &str) -> String {
    name.trim().to_lowercase().replace(['/', '\\', '\0'], "-")
}

/// `fr_CA` and `FR-ca` are `fr-ca`.
pub fn normal_locale(locale: &str) -> String {
    locale.trim().replace('_', "-").to_ascii_lowercase()
}
