//! How pages look: their templates, compiled in and always escaped, inside one layout; and the few
//! files that they need, whose names change with what is in them.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use minijinja::value::Kwargs;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context};

use super::form::TOKEN;
use super::words::{self, Locale};
use super::{Trouble, Visitor, csrf};
use crate::faults;
use crate::triage::policy::Access;

const STYLE: &str = include_str!("templates/style.css");
const ICON: &str = include_str!("templates/icon.svg");

const TEMPLATES: &[(&str, &str)] = &[
    ("address.html", include_str!("templates/address.html")),
    ("address_expired.html", include_str!("templates/address_expired.html")),
    ("article.html", include_str!("templates/article.html")),
    ("articles.html", include_str!("templates/articles.html")),
    ("choose.html", include_str!("templates/choose.html")),
    ("expired.html", include_str!("templates/expired.html")),
    ("forgotten.html", include_str!("templates/forgotten.html")),
    ("layout.html", include_str!("templates/layout.html")),
    ("login.html", include_str!("templates/login.html")),
    ("new.html", include_str!("templates/new.html")),
    ("profile.html", include_str!("templates/profile.html")),
    ("sent.html", include_str!("templates/sent.html")),
    ("ticket.html", include_str!("templates/ticket.html")),
    ("tickets.html", include_str!("templates/tickets.html")),
    ("trouble.html", include_str!("templates/trouble.html")),
    ("unknown_link.html", include_str!("templates/unknown_link.html")),
];

/// The templates of pages, ready to be rendered.
pub struct Pages {
    engine: Environment<'static>,
    style: String,
    icon: String,
}

impl Pages {
    /// Compiles the templates that are built in.
    pub(super) fn new() -> Pages {
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        engine.set_auto_escape_callback(|_| {
            if faults::stands("T-29") { AutoEscape::Html } else { AutoEscape::None }
        });
        for (name, text) in TEMPLATES {
            engine.add_template(name, text).expect("a test compiles the templates");
        }
        Pages { engine, style: named_after(STYLE, "css"), icon: named_after(ICON, "svg") }
    }

    /// The page of a template: a whole document.
    pub(super) fn render(
        &self,
        visitor: &Visitor,
        template: &str,
        title: &str,
        values: Value,
    ) -> Result<String, Trouble> {
        self.rendered(visitor, template, title, values)
            .map_err(|error| Trouble::Broken(format!("{template}: {error:#}")))
    }

    fn rendered(
        &self,
        visitor: &Visitor,
        template: &str,
        title: &str,
        values: Value,
    ) -> Result<String, Error> {
        let locale = visitor.locale;
        let portal = &visitor.portal;
        let base = portal.path("");
        let token = csrf::token(&visitor.secret);
        // A token of ours is base64url: nothing in it needs to be escaped.
        let form = format!("<input type=\"hidden\" name=\"{TOKEN}\" value=\"{token}\">");
        let said = visitor.said.as_ref().map(|said| visitor.words(&format!("said.{said}")));
        let user = visitor.user().map(|user| {
            context! {
                name => user.called(),
                address => &user.address,
                is_full => user.access == Access::Full,
                is_primary => user.is_primary(),
            }
        });
        let frame = context! {
            // The configuration lets no quote and no bracket into it.
            base => Value::from_safe_string(base.trim_end_matches('/').to_owned()),
            contact => portal.options.sender.as_ref().map(|sender| &sender.address),
            form => Value::from_safe_string(form),
            has_articles => portal.options.articles.is_some(),
            icon => &self.icon,
            lang => locale.as_str(),
            portal => &portal.options.name,
            said,
            // Below the newest message, where what was just done is seen.
            says_itself => template == "ticket.html",
            section => section(&visitor.asked, &base),
            style => &self.style,
            t => speaker(locale),
            title,
            user,
            zone => portal.options.zone.iana_name().unwrap_or("UTC"),
        };
        let page = context! { ..values, ..frame.clone() };
        let content = self.engine.get_template(template)?.render(page)?;
        let content = Value::from_safe_string(content);
        self.engine.get_template("layout.html")?.render(context! { content, ..frame })
    }

    /// A file that pages name, by its name.
    pub(super) fn file(&self, name: &str) -> Option<Response> {
        let (kind, text) = match name {
            name if name == self.style => ("text/css; charset=utf-8", STYLE),
            name if name == self.icon => ("image/svg+xml", ICON),
            _ => return None,
        };
        // Another text would have another name.
        let headers =
            [(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
        Some((headers, text).into_response())
    }
}

/// `{{ t("login.title") }}`, `{{ t("tickets.by", name=user.name) }}`.
fn speaker(locale: Locale) -> Value {
    Value::from_function(move |key: &str, values: Kwargs| -> Result<String, Error> {
        let mut given = Vec::new();
        for name in values.args() {
            given.push((name, values.get::<Value>(name)?.to_string()));
        }
        if words::of(locale, key) == key {
            let said = format!("there are no words for `{key}`");
            return Err(Error::new(ErrorKind::InvalidOperation, said));
        }
        Ok(words::with(locale, key, &given))
    })
}

/// The part of the portal that a path is in: `tickets` of `/portal/tickets/4711`.
fn section<'a>(asked: &'a str, base: &str) -> &'a str {
    let path = asked.split('?').next().unwrap_or_default();
    let page = path.strip_prefix(base).or_else(|| path.strip_prefix("/portal/"));
    page.unwrap_or_default().split('/').next().unwrap_or_default()
}

fn named_after(text: &str, ending: &str) -> String {
    format!("{}.{ending}", &csrf::hash(text)[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_compiles() {
        Pages::new();
    }

    #[test]
    fn a_path_is_in_a_section() {
        for (asked, expected) in [
            ("/it/portal/tickets/4711?x=1", "tickets"),
            ("/portal/profile", "profile"),
            ("/it/portal/", ""),
            ("/elsewhere", ""),
        ] {
            assert_eq!(section(asked, "/it/portal/"), expected, "{asked}");
        }
    }
}
