//! Which template a command means: a name, and whom the mail is for.

use anyhow::Result;
use clap::Args;

use crate::cli::desk::Desk;
use crate::cli::exit::{Exit, failure};
use crate::cli::{Globals, replay, sites, users};
use crate::config::{self, Settings};
use crate::outbox::template::{Place, Reader, Template};
use crate::outbox::{Templates, template};

#[derive(Args, Clone)]
pub(in crate::cli) struct ReaderArgs {
    /// Its name, e.g. `ticket_received`
    pub(super) name: String,
    /// The reader's language, e.g. `fr` or `fr-CA`
    #[arg(long, value_parser = users::locale)]
    pub(super) locale: Option<String>,
    /// The site the mail is about
    #[arg(long, value_name = "NAME")]
    pub(super) site: Option<String>,
    /// The mailbox the mail comes from; else the first one
    #[arg(long, value_name = "NAME")]
    pub(super) mailbox: Option<String>,
}

/// Whom a mail is for, with all that the lookup asks.
pub(super) struct Meant {
    pub(super) name: String,
    pub(super) site: Option<String>,
    pub(super) mailbox: String,
    /// The reader's, the site's, the desk's; empty when there is none.
    locales: [String; 3],
}

impl Meant {
    pub(super) fn of(globals: &Globals, args: &ReaderArgs, settings: &Settings) -> Result<Meant> {
        let mut locales = [
            args.locale.clone().unwrap_or_default(),
            String::new(),
            settings.outbox.locale.clone(),
        ];
        let mut site = None;
        if let Some(name) = &args.site {
            let declared = settings.sites.iter().find(|declared| declared.site.name == *name);
            let (name, locale) = match declared {
                Some(declared) => (declared.site.name.clone(), declared.site.locale.clone()),
                None => {
                    let found = sites::named(&Desk::open(globals)?, name)?;
                    (found.name, found.locale)
                }
            };
            locales[1] = locale.unwrap_or_default();
            site = Some(name);
        }
        let mailbox = replay::mailbox(settings, args.mailbox.as_deref())?;
        Ok(Meant { name: args.name.clone(), site, mailbox, locales })
    }

    /// The language the mail is written in, when a template has it.
    pub(super) fn locale(&self) -> &str {
        let written = self.locales.iter().find(|locale| !locale.is_empty());
        written.map_or("en", String::as_str)
    }

    /// Whose language the locale of a place is.
    pub(super) fn whose(&self, locale: &str) -> &'static str {
        let [reader, site, desk] = &self.locales;
        let is = |wanted: &String| {
            let wanted = template::normal_locale(wanted);
            !wanted.is_empty() && (wanted == locale || wanted.starts_with(&format!("{locale}-")))
        };
        match locale {
            _ if is(reader) => "the reader's",
            _ if is(site) => "the site's",
            _ if is(desk) => "the desk's",
            _ => "fallback",
        }
    }

    pub(super) fn places<'a>(&self, templates: &'a Templates) -> Vec<Place<'a>> {
        let locales: Vec<&str> = self.locales.iter().map(String::as_str).collect();
        let site = self.site.as_deref();
        templates
            .places(&self.name, Reader { site, mailbox: Some(&self.mailbox), locales: &locales })
    }

    /// The template the mail would be written with.
    pub(super) fn template<'a>(&self, templates: &'a Templates) -> Result<&'a Template> {
        let found = self.places(templates).into_iter().find_map(|place| place.template);
        found.ok_or_else(|| unknown(&self.name, templates))
    }
}

/// There is no template of that name: the error names the nearest one.
pub(super) fn unknown(name: &str, templates: &Templates) -> anyhow::Error {
    let hint = match config::nearest(name, templates.all().map(|template| template.name())) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`guichet templates list` lists them".to_owned(),
    };
    failure(
        Exit::InputMissing,
        format!("there is no template `{}`\nhint: {hint}", name.escape_debug()),
    )
}
