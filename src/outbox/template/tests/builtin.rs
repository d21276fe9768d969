//! The built-in templates: all of them in all languages, whatever is known of those they go to.

use std::collections::BTreeSet;

use super::*;
use crate::outbox::template::builtin;
use crate::outbox::values::bare_samples;

const NAMES: [&str; 14] = [
    "address_change",
    "address_changed",
    "agent_notice",
    "credentials",
    "held_digest",
    "password_changed",
    "password_reset",
    "quick_portal_access",
    "site_digest",
    "ticket_closed",
    "ticket_received",
    "ticket_reply",
    "ticket_updated",
    "too_large",
];

fn in_mode(mode: CredentialsMode) -> Templates {
    Templates::load(&Options { credentials_mode: mode, ..options() })
        .expect("the built-in templates are sound")
}

fn names() -> BTreeSet<&'static str> {
    NAMES.into_iter().collect()
}

const MODES: [CredentialsMode; 4] = [
    CredentialsMode::Auto,
    CredentialsMode::Link,
    CredentialsMode::None,
    CredentialsMode::TemporaryPassword,
];

#[test]
fn every_template_is_there_in_every_language() {
    let templates = in_mode(CredentialsMode::Auto);
    for locale in ["de", "en", "es", "fr", "it", "nl", "pt"] {
        let there: BTreeSet<&str> = templates
            .all()
            .filter(|template| template.locale() == locale)
            .map(|template| template.name())
            .collect();
        assert_eq!(there, names(), "{locale}");
    }
    let locales: Vec<&str> = builtin::locales().collect();
    assert_eq!(locales, ["de", "en", "es", "fr", "it", "nl", "pt"]);
}

#[test]
fn every_template_renders_whatever_is_known_and_leaves_nothing_over() {
    for mode in MODES {
        let templates = in_mode(mode);
        for values in [sample(), bare_samples(TimeZone::UTC)] {
            for template in templates.all() {
                let rendered = templates.render(template, &values).expect("it renders");
                let Rendered { subject, text, html } = &rendered;
                let of = format!("{} of {mode:?}:\n{subject}\n{text}\n{html}", template.file());
                assert!(!subject.trim().is_empty() && !subject.contains('\n'), "{of}");
                for left in ["{{", "}}", "{%", "{[", "undefined", "## ", "\n\n\n"] {
                    assert!(!subject.contains(left) && !text.contains(left), "{left:?} in {of}");
                    assert!(left == "\n\n\n" || !html.contains(left), "{left:?} in {of}");
                }
                let lines = text.lines().chain(html.lines());
                assert!(lines.map(str::len).all(|length| length <= 998), "R-18: {of}");
                let lang = format!("<html lang=\"{}\"", template.locale());
                assert!(html.contains(&lang), "{of}");
                for (open, close) in [("<table", "</table>"), ("<div", "</div>"), ("<p", "</p>")] {
                    let tags = |tag: &str| html.matches(tag).count();
                    assert_eq!(tags(open), tags(close), "{open} in {of}");
                }
            }
        }
    }
}

#[test]
fn no_language_has_the_words_of_another() {
    let templates = in_mode(CredentialsMode::Auto);
    for name in names() {
        let mut texts = BTreeSet::new();
        for locale in builtin::locales() {
            let template = templates.find(name, &[locale]).expect("it is there");
            assert_eq!(template.locale(), locale);
            let rendered = templates.render(template, &sample()).expect("it renders");
            assert!(texts.insert(rendered.text), "{name} in {locale} is another language's");
        }
    }
}

#[test]
fn both_forms_say_what_a_mail_is_for() {
    let auto = in_mode(CredentialsMode::Auto);
    let password = in_mode(CredentialsMode::TemporaryPassword);
    let none = in_mode(CredentialsMode::None);
    let link = "https://help.example/portal/activate/sample";
    let ticket = "https://help.example/portal/tickets/4711";
    let words = "it is still on fire.";
    let told: [(&Templates, &str, &[&str]); 15] = [
        (&auto, "credentials", &[link, "claire.johnson@customer.example", "https://help.example"]),
        (&password, "credentials", &["sample-password", "https://help.example"]),
        (&none, "credentials", &["claire.johnson@customer.example", "https://help.example"]),
        (&auto, "password_reset", &[link]),
        (&auto, "password_changed", &["claire.johnson@customer.example"]),
        (&auto, "address_change", &["https://help.example/portal/confirm/sample"]),
        (&auto, "ticket_received", &["4711", ticket]),
        (&auto, "ticket_reply", &[words, "Anna Weiss, Example IT", "4711", ticket]),
        (&auto, "ticket_updated", &["The printer is on fire", "Anna Weiss", "4711", ticket]),
        (
            &auto,
            "quick_portal_access",
            &["https://help.example", "claire.johnson@customer.example"],
        ),
        (&auto, "ticket_closed", &["The printer is on fire", "4711", ticket]),
        (&auto, "too_large", &["4711"]),
        (
            &auto,
            "agent_notice",
            &[words, "claire.johnson@customer.example", "Contoso", "4711", "screen.png", ticket],
        ),
        (&auto, "held_digest", &["The printer is on fire", "guichet held list"]),
        (&auto, "site_digest", &["Contoso", "12", "New laptop for Paul"]),
    ];
    for (templates, name, wanted) in told {
        for locale in builtin::locales() {
            let rendered = render(templates, name, locale, &sample());
            for wanted in wanted {
                assert!(rendered.text.contains(wanted), "{wanted}: {}", rendered.text);
                assert!(rendered.html.contains(wanted), "{wanted}: {}", rendered.html);
            }
        }
    }
}

#[test]
fn an_answer_begins_with_its_words() {
    let templates = in_mode(CredentialsMode::Auto);
    for locale in builtin::locales() {
        let rendered = render(&templates, "ticket_reply", locale, &sample());
        assert!(rendered.text.starts_with("Good morning,\nit is still on fire.\n\nAnna Weiss"));
        assert!(rendered.subject == "Re: The printer is on fire", "{}", rendered.subject);
        let shown = markup::text_of(&rendered.html);
        assert!(shown.starts_with("Good morning,\nit is still on fire.\n"), "{shown}");
    }
}

// R-10, T-01: what answers anybody says nothing that anybody wrote.
#[test]
fn r_10_what_answers_anybody_repeats_nothing() {
    let templates = in_mode(CredentialsMode::Auto);
    for name in ["credentials", "password_reset", "ticket_received", "too_large"] {
        for locale in builtin::locales() {
            let template = templates.find(name, &[locale]).expect("it is there");
            for written in
                ["message.attachments", "message.quoted", "message.text", "ticket.subject"]
            {
                assert!(!template.uses(written), "{written} in {name} of {locale}");
            }
        }
    }
}

// T-22: one that an unconfirmed address gets opens no account.
#[test]
fn t_22_secrets_stand_only_where_they_belong() {
    for mode in MODES {
        let templates = in_mode(mode);
        for template in templates.all() {
            let confirms = template.name() == "address_change";
            assert_eq!(template.uses("portal.confirm_url"), confirms, "{}", template.file());
            let opens = template.uses_link() || template.uses_password();
            let may_open = ["credentials", "password_reset"].contains(&template.name());
            assert!(may_open || !opens, "{}", template.file());
        }
    }
}

#[test]
fn lines_of_text_are_short() {
    let templates = in_mode(CredentialsMode::Auto);
    for template in templates.all() {
        let text = templates.render(template, &sample()).expect("it renders").text;
        for line in text.lines().filter(|line| !line.contains("://") && !line.contains('`')) {
            assert!(line.chars().count() <= 78, "{}: {line}", template.file());
        }
    }
}

#[test]
fn a_person_of_no_known_name_site_or_portal_is_written_to_all_the_same() {
    let templates = in_mode(CredentialsMode::Auto);
    let mut values = bare_samples(TimeZone::UTC);
    values.line("ticket.number", "4711");
    let rendered = render(&templates, "ticket_updated", "en", &values);
    assert!(rendered.text.contains("Number: 4711\n\nTo add"), "{}", rendered.text);
    assert!(!rendered.html.contains("class=\"button\""), "{}", rendered.html);
    assert!(!rendered.html.contains("Handled by"), "{}", rendered.html);
}

#[test]
fn nothing_built_in_is_loaded_from_anywhere() {
    for mode in MODES {
        let templates = in_mode(mode);
        for template in templates.all() {
            let html = templates.render(template, &sample()).expect("it renders").html;
            for loading in ["<img", "src=", "url(", "@import", "<link", "<script"] {
                assert!(!html.contains(loading), "{loading} in {}", template.file());
            }
        }
    }
}

#[test]
fn the_built_in_templates() {
    let by_mode = [
        (CredentialsMode::Auto, names().into_iter().collect::<Vec<_>>(), ""),
        (CredentialsMode::None, vec!["credentials"], "_none"),
        (CredentialsMode::TemporaryPassword, vec!["credentials"], "_password"),
    ];
    for (mode, names, way) in by_mode {
        let templates = in_mode(mode);
        for name in names {
            for locale in ["en", "fr"] {
                let Rendered { subject, text, html } = render(&templates, name, locale, &sample());
                // The layout is the same everywhere, and stands in one snapshot.
                let inner = html
                    .split_once("<div id=\"guichet-mail\">\n")
                    .and_then(|(_, inner)| inner.rsplit_once("\n</div>\n</td>"))
                    .map_or(html.as_str(), |(inner, _)| inner);
                insta::assert_snapshot!(
                    format!("{name}{way}.{locale}"),
                    format!("Subject: {subject}\n\n{text}\n----\n{inner}")
                );
            }
        }
    }
    insta::assert_snapshot!("layout", markup::document("<p>x</p>", "en"));
}

#[test]
fn a_reload_makes_nothing_built_in_anew() {
    let (one, other) = (in_mode(CredentialsMode::Auto), in_mode(CredentialsMode::Auto));
    let find = |templates: &Templates| -> *const Template {
        templates.find("ticket_closed", &["fr"]).expect("it is there")
    };
    assert!(std::ptr::eq(find(&one), find(&other)));
}
