//! `guichet config …` and the half of `check` that looks at the configuration.

use guichet::cli::config::{self as command, Sample, ShowArgs};
use guichet::config::{Paint, Request, Severity};

use crate::{Folder, MAILBOX, load_text};

#[test]
fn check_looks_at_what_the_configuration_points_at() {
    let folder = Folder::with(&[
        (
            "guichet.toml",
            "[templates]\n\
             dir = \"none\"\n\
             [smtp]\n\
             transport = \"none\"\n\
             [[mailbox]]\n\
             address = \"a@b.example\"\n\
             provider = \"maildir\"\n\
             path = \"mail\"\n\
             [[mailbox]]\n\
             address = \"b@b.example\"\n\
             host = \"h.example\"\n\
             password = { file = \"pw\" }\n\
             [[mailbox]]\n\
             address = \"c@b.example\"\n\
             host = \"h.example\"\n\
             password = { credential = \"pw\" }\n",
        ),
        ("mail/new/.keep", ""),
    ]);
    let (loaded, problems) = command::problems(&folder.request());
    assert!(loaded.is_some());
    let found: Vec<_> = problems
        .iter()
        .filter(|problem| !problem.message.starts_with("nobody will be told"))
        .map(|problem| (problem.line(), problem.severity))
        .collect();
    use Severity::{Error, Warning};
    // In the order of the file: the template folder, the maildir without `cur`, the password file.
    assert_eq!(found, [(2, Error), (8, Error), (12, Error), (16, Warning)], "{problems:#?}");
}

#[test]
fn the_samples_are_in_order() {
    for sample in [Sample::Full, Sample::Imap, Sample::Maildir] {
        let mut out = Vec::new();
        command::init(sample, &mut out).expect("memory");
        let text = String::from_utf8(out).expect("text");
        load_text(&text).unwrap_or_else(|invalid| panic!("{sample:?}: {invalid}"));
    }
}

#[test]
fn show_says_what_holds_and_where_it_came_from() {
    let folder = Folder::with(&[
        ("guichet.toml", &format!("{MAILBOX}password = \"hunter2\"\n")),
        ("conf.d/a.toml", "[log]\nlevel = \"debug\"\n"),
    ]);
    let request = Request { set: vec!["locale=fr".to_owned()], ..folder.request() };
    let show = |args| {
        let mut out = Vec::new();
        let code = command::show(args, &request, Paint::Plain, &mut out, &mut Vec::new());
        assert_eq!(code.expect("memory"), 0);
        let root = folder.path("").display().to_string();
        String::from_utf8(out).expect("text").replace(&root, "")
    };
    let written = show(ShowArgs { origin: true, ..ShowArgs::default() });
    let lines: Vec<String> =
        written.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        [
            "locale = \"fr\" # --set",
            "",
            "[[mailbox]]",
            "address = \"support@example.com\" # guichet.toml:2",
            "host = \"mail.example.com\" # guichet.toml:3",
            "password = \"***\" # guichet.toml:4",
            "",
            "[log]",
            "level = \"debug\" # conf.d/a.toml:2",
        ]
    );
    let all = show(ShowArgs { defaults: true, ..ShowArgs::default() });
    assert!(all.contains("per_sender = \"30/h\"") && all.contains("level = \"debug\""), "{all}");
    // What is shown is a configuration again, but for the secret.
    assert_eq!(load_text(&all).expect("in order").file.locale, "fr");
    let json = show(ShowArgs { origin: true, json: true, ..ShowArgs::default() });
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["mailbox.0.password"]["value"], "***");
    assert_eq!(json["log.level"]["origin"], "conf.d/a.toml:2");
}

#[test]
fn explain_says_what_a_key_does_and_what_it_is_set_to() {
    let folder = Folder::with(&[("guichet.toml", MAILBOX)]);
    let explain = |key: &str| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = command::explain(key, &folder.request(), &mut out, &mut err).expect("memory");
        (code, String::from_utf8(out).expect("text") + &String::from_utf8(err).expect("text"))
    };
    let (code, said) = explain("mailbox.address");
    assert!(code == 0 && said.contains("set to: \"support@example.com\""), "{said}");
    let (code, said) = explain("credentials.max_age");
    assert!(code == 0 && said.contains("default: \"7d\"") && !said.contains("set to"), "{said}");
    let (code, said) = explain("credentials.maxage");
    assert!(code == 2 && said.contains("hint: did you mean `credentials.max_age`?"), "{said}");
}
