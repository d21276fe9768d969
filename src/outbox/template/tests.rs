mod builtin;
mod owners;

use std::path::Path;

use super::*;
use crate::outbox::secret::activation_token;
use crate::outbox::testing::{ids, options};
use crate::outbox::values::samples;
use crate::outbox::{Quoting, TemplateOptions};
use crate::triage::policy::CredentialsMode;

struct Desk {
    dir: tempfile::TempDir,
    options: Options,
}

impl Desk {
    fn new(files: &[(&str, &str)]) -> Desk {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (name, content) in files {
            let path = dir.path().join(name);
            let folder = path.parent().expect("it is below the folder");
            std::fs::create_dir_all(folder).expect("a folder can be made");
            std::fs::write(path, content).expect("a file can be written");
        }
        let templates =
            TemplateOptions { dir: Some(dir.path().to_owned()), ..TemplateOptions::default() };
        Desk { dir, options: Options { templates, ..options() } }
    }

    fn load(&self) -> Templates {
        Templates::load(&self.options).unwrap_or_else(|problems| {
            panic!("{}", problems.iter().map(|problem| problem.to_string()).collect::<String>())
        })
    }

    // As `file:line:col: message`, without the folder; the hints apart.
    fn problems(&self) -> Vec<String> {
        Templates::load(&self.options)
            .expect_err("something is wrong with them")
            .iter()
            .map(|problem| self.short(problem))
            .collect()
    }

    fn short(&self, problem: &Problem) -> String {
        let dir = format!("{}/", self.dir.path().display());
        problem.to_string().replace(&dir, "").replace("\nhint: ", " | ")
    }
}

fn render(templates: &Templates, name: &str, locale: &str, values: &Values) -> Rendered {
    let template = templates.find(name, &[locale]).expect("the template is there");
    templates.render(template, values).expect("it renders")
}

fn sample() -> Values {
    samples(TimeZone::UTC)
}

#[test]
fn the_three_lines_of_a_french_admin_pass_and_render_with_a_temporary_password() {
    let desk = Desk::new(&[(
        "credentials.fr.txt",
        "Subject: Votre accès\n\nAdresse : https://help.example\n\
         Identifiant : {[Nom d'utilisateur du portail]}\n\
         Mot de passe : {[Mot de passe du portail]}\n",
    )]);
    let templates = desk.load();
    let template = templates.find("credentials", &["fr"]).expect("it is there");
    assert!(template.uses_password() && !template.uses_link());
    let rendered = render(&templates, "credentials", "fr", &sample());
    assert_eq!(
        rendered.text,
        "Adresse : https://help.example\nIdentifiant : claire.johnson@customer.example\n\
         Mot de passe : sample-password\n"
    );
    assert!(rendered.html.contains("<a href=\"https://help.example\">"), "{}", rendered.html);
    assert!(rendered.html.contains("Mot de passe : sample-password</p>"), "{}", rendered.html);
    assert!(templates.warnings().is_empty());
}

#[test]
fn a_password_in_link_mode_is_a_problem_that_names_the_link() {
    let mut desk =
        Desk::new(&[("credentials.en.txt", "Subject: x\n\nHi,\n it is {[portal password]}.\n")]);
    desk.options.credentials_mode = CredentialsMode::Link;
    assert_eq!(
        desk.problems(),
        ["credentials.en.txt:4:8: `credentials.mode` is `link`, so there is no password to write \
          | write `{[Set password link]}`, or set `credentials.mode` to `auto`"]
    );
    desk.options.credentials_mode = CredentialsMode::TemporaryPassword;
    assert!(desk.load().find("credentials", &["en"]).expect("it is there").uses_password());
    desk.options.credentials_mode = CredentialsMode::None;
    assert_eq!(desk.problems().len(), 1);
}

#[test]
fn t_22_credentials_go_out_in_a_mail_of_their_own() {
    for secret in ["{[Activation link]}", "{{ portal.password }}"] {
        let text = format!("Subject: We got your mail\n\n{secret}\n");
        let desk = Desk::new(&[("ticket_received.en.txt", &text)]);
        let problems = desk.problems();
        assert!(
            problems.len() == 1 && problems[0].contains("in a mail of their own"),
            "{problems:?}"
        );
        let desk = Desk::new(&[("welcome.en.txt", &text)]);
        let loaded = desk.load();
        assert!(loaded.find("welcome", &["en"]).is_some(), "`credentials.template` names it");
    }
}

#[test]
fn the_built_in_credentials_follow_the_mode() {
    for (mode, link, password) in [
        (CredentialsMode::Auto, true, false),
        (CredentialsMode::Link, true, false),
        (CredentialsMode::TemporaryPassword, false, true),
        (CredentialsMode::None, false, false),
    ] {
        let templates = Templates::load(&Options { credentials_mode: mode, ..options() })
            .expect("the built-in templates are sound");
        for locale in ["en", "fr"] {
            let template = templates.find("credentials", &[locale]).expect("it is there");
            assert_eq!((template.uses_link(), template.uses_password()), (link, password));
            render(&templates, "credentials", locale, &sample());
        }
    }
}

#[test]
fn all_problems_come_at_once_with_their_places() {
    let desk = Desk::new(&[
        (
            "credentials.en.txt",
            "Subject: Hi {{ user.frist_name }}\n\nA {[Portal adress]}\n{{ usr }}\n",
        ),
        (
            "ticket_received.de.html",
            "Subject: x\n\n<p>\n{% if ticket.numbr %}x{% endif %}\n{{ user }}</p>",
        ),
        ("no_subject.en.txt", "Hello\n\nworld\n"),
        ("no_body.en.txt", "Subject: x\n"),
        ("headers.en.txt", "Subject: x\nBcc: y@z.example\n\nx\n"),
        ("syntax.en.txt", "Subject: x\n\none\n{% if %}\n"),
        ("filter.en.txt", "Subject: x\n\n{{ user.name | safe }}\n"),
        ("date.en.txt", "Subject: x\n\n{{ user.name | date(\"%Y\") }}\n"),
        ("Wrong Name.txt", "x"),
        ("notes.md", "not a template"),
    ]);
    insta::assert_snapshot!(desk.problems().join("\n"));
}

#[test]
fn a_file_that_is_not_utf_8_is_a_problem() {
    let desk = Desk::new(&[]);
    std::fs::write(desk.dir.path().join("x.en.txt"), b"Subject: \xe9\n\nx").expect("written");
    assert_eq!(desk.problems().len(), 1);
    let missing = Options {
        templates: TemplateOptions {
            dir: Some(Path::new("/nowhere/at/all").to_owned()),
            ..TemplateOptions::default()
        },
        ..options()
    };
    let problems = Templates::load(&missing).expect_err("there is no such folder");
    assert!(problems[0].message.contains("`/nowhere/at/all` cannot be read"));
}

#[test]
fn t_32_a_value_is_text_whatever_it_looks_like() {
    let desk = Desk::new(&[(
        "credentials.en.txt",
        "Subject: {{ user.name }}\n\n{{ user.name }} {[User First Name]} {{ portal.url }}\n",
    )]);
    let mut values = sample();
    values.line("user.name", "{[portal password]} {{7*7}} {% if %}");
    values.line("user.first_name", "{{ portal.password }}");
    let rendered = render(&desk.load(), "credentials", "en", &values);
    assert_eq!(rendered.subject, "{[portal password]} {{7*7}} {% if %}");
    assert_eq!(
        rendered.text,
        "{[portal password]} {{7*7}} {% if %} {{ portal.password }} https://help.example\n"
    );
}

#[test]
fn t_29_values_are_escaped_in_html_and_never_become_links() {
    let files = [
        ("credentials.en.html", "Subject: x\n\n<p title=\"{{ user.name }}\">{{ user.name }}</p>"),
        ("other.en.txt", "Subject: x\n\n{{ user.name }} {{ message.date }}\n{{ site.name }}\n"),
    ];
    let templates = Desk::new(&files).load();
    let mut values = sample();
    values.line("user.name", "<script>\"'&");
    values.line("site.name", "www.evil.example https://evil.example");
    for name in ["credentials", "other"] {
        let rendered = render(&templates, name, "en", &values);
        assert!(rendered.html.contains("&lt;script&gt;&quot;&#39;&amp;"), "{}", rendered.html);
        assert!(!rendered.html.contains("<script") && !rendered.html.contains("href"));
        assert!(rendered.text.contains("<script>\"'&"), "{}", rendered.text);
    }
    for escape in
        ["{% autoescape false %}{{ user.name }}{% endautoescape %}", "{{ user.name|safe }}"]
    {
        let content = format!("Subject: x\n\n<p>{escape}</p>");
        let desk = Desk::new(&[("x.en.html", content.as_str())]);
        if let Ok(templates) = Templates::load(&desk.options) {
            assert!(!render(&templates, "x", "en", &values).html.contains("<script"));
        }
    }
}

#[test]
fn html_only_makes_text_and_text_only_makes_html() {
    let templates = Desk::new(&[
        ("a.en.html", "Subject: x\n\n<h1>Hi</h1><p>See <a href=\"{{ portal.url }}\">us</a></p>"),
        ("b.en.txt", "Subject: x\n\nHi\n\n{{ message.date }}:\n{{ agent.signature }}\n"),
    ])
    .load();
    let a = render(&templates, "a", "en", &sample());
    assert!(a.text.contains("Hi") && a.text.contains("https://help.example"), "{}", a.text);
    let mut values = sample();
    values.text("agent.signature", "one\ntwo");
    let b = render(&templates, "b", "en", &values);
    assert!(b.html.contains("one<br>\ntwo"), "{}", b.html);
    assert!(b.html.starts_with("<!DOCTYPE html>"));
}

#[test]
fn the_readers_language_then_the_next_then_english() {
    let desk = Desk::new(&[
        ("credentials.fr.txt", "Subject: à nous\n\nx {{ portal.activation_url }}\n"),
        ("credentials.fr-CA.txt", "Subject: québécois\n\nx {{ portal.activation_url }}\n"),
    ]);
    let templates = desk.load();
    let subject = |locales: &[&str]| {
        let template = templates.find("credentials", locales).expect("it is there");
        templates.render(template, &sample()).expect("it renders").subject
    };
    assert_eq!(subject(&["fr-CA"]), "québécois");
    assert_eq!(subject(&["fr_ca"]), "québécois");
    assert_eq!(subject(&["fr-BE"]), "à nous");
    assert_eq!(subject(&["ja", "fr"]), "à nous");
    assert_eq!(subject(&["ja", ""]), "Your access to Example IT support");
    assert!(templates.find("nothing", &["en"]).is_none());
}

#[test]
fn r_10_quoting_in_automatic_mail_warns_unless_allowed() {
    let mut desk = Desk::new(&[
        ("ticket_received.en.txt", "Subject: x\n\nYou wrote:\n{[Last Comment]}\n"),
        ("agent_notice.en.txt", "Subject: x\n\n{{ message.text }}\n"),
    ]);
    let warnings: Vec<String> =
        desk.load().warnings().iter().map(|problem| desk.short(problem)).collect();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("ticket_received.en.txt:4:1: `ticket_received` answers"));
    desk.options.templates.quoting = Quoting::Allowed;
    assert!(desk.load().warnings().is_empty());
}

#[test]
fn a_link_to_the_portal_needs_a_portal() {
    let mut desk = Desk::new(&[("x.en.txt", "Subject: x\n\n{[Portal address]}\n")]);
    desk.options.portal_url = None;
    assert_eq!(
        desk.problems(),
        [
            "x.en.txt:3:1: `portal.url` needs a portal, and there is none | set `portal.url`, or take \
          it out of the template"
        ]
    );
    assert!(Templates::load(&Options { portal_url: None, ..options() }).is_ok());
}

#[test]
fn aliases_add_snippets_and_their_mistakes_are_placed() {
    let mut desk = Desk::new(&[
        ("x.en.txt", "Subject: {[Client final]}\n\nx\n"),
        ("aliases.toml", "\"Client final\" = \"site.name\"\n"),
    ]);
    desk.options.templates.aliases = Some(desk.dir.path().join("aliases.toml"));
    assert_eq!(render(&desk.load(), "x", "en", &sample()).subject, "Contoso");
    let wrong =
        "\"Client final\" = \"site.name\"\n\"Prénom\" = \"site.name\"\nb = \"sit.name\"\nc = 1\n";
    std::fs::write(desk.dir.path().join("aliases.toml"), wrong).expect("written");
    insta::assert_snapshot!(desk.problems().join("\n"));
    std::fs::write(desk.dir.path().join("aliases.toml"), "a = \n").expect("written");
    assert!(desk.problems()[0].starts_with("aliases.toml:1:"), "{:?}", desk.problems());
}

#[test]
fn filters_default_date_upper_lower() {
    let templates = Desk::new(&[(
        "x.en.txt",
        "Subject: x\n\n{{ user.phone | default(\"none\") }} {{ user.name | upper }} \
         {{ user.name | lower }} {{ ticket.created_at | date(\"%d/%m/%Y\") }} \
         {{ ticket.created_at | date }} [{{ ticket.due_at | date(\"%d\") }}] {{ ticket.created_at }}\n",
    )])
    .load();
    let mut values = Values::new(TimeZone::fixed(jiff::tz::offset(1)));
    values.line("user.name", "Zoé");
    values.moment("ticket.created_at", "2026-11-21T23:30:00Z".parse().expect("a time"));
    let text = render(&templates, "x", "en", &values).text;
    assert_eq!(
        text,
        "none ZOÉ zoé 22/11/2026 22 November 2026, 00:30 +01 [] 22 November 2026, 00:30 +01\n"
    );
}

#[test]
fn a_template_cannot_work_for_ever() {
    let inner = "{% for a in [1, 2, 3, 4, 5, 6, 7, 8, 9] %}".repeat(6);
    let outer = "{% endfor %}".repeat(6);
    let content = format!("Subject: x\n\nx{inner}y{outer}\n");
    let desk = Desk::new(&[("x.en.txt", content.as_str())]);
    assert!(desk.problems()[0].contains("engine ran out of fuel"), "{:?}", desk.problems());
    let nested = format!("Subject: x\n\n{{{{ {}1{} }}}}\n", "(".repeat(20_000), ")".repeat(20_000));
    assert_eq!(Desk::new(&[("x.en.txt", nested.as_str())]).problems().len(), 1);
}

#[test]
fn t_26_an_error_at_send_time_quotes_no_value() {
    let templates =
        Desk::new(&[("x.en.txt", "Subject: x\n\n{{ portal.activation_url | upper }}\n")]).load();
    let template = templates.find("x", &["en"]).expect("it is there");
    let nothing = Values::new(TimeZone::UTC);
    let error = templates.render(template, &nothing).expect_err("the secret is missing");
    assert!(error.to_string().contains("undefined value in line 3"), "{error}");
    let mut values = Values::new(TimeZone::UTC);
    let minted = activation_token(&ids());
    values.secret("portal.activation_url", minted.secret.clone());
    let shown = templates.render(template, &values).expect("it renders");
    assert!(shown.text.contains(&minted.secret.reveal().to_uppercase()));
    assert!(!format!("{shown:?} {values:?}").contains(minted.secret.reveal()));
    let copy = templates.render(template, &values.redacted()).expect("it renders");
    assert_eq!(copy.text, "[REDACTED]\n");
}

#[test]
fn a_value_of_several_lines_keeps_them_and_their_indents_in_html() {
    let templates = Desk::new(&[("x.en.html", "Subject: x\n\n<p>{{ message.text }}</p>")]).load();
    let mut values = sample();
    values.text("message.text", "do:\n  a < b\n\nend");
    let html = render(&templates, "x", "en", &values).html;
    assert!(html.contains("do:<br>\n&nbsp; a &lt; b<br>\n<br>\nend"), "{html}");
}
