//! Where the configuration comes from, and what lies over what.

use std::path::{Path, PathBuf};

use guichet::config::{Environment, Request, load};

use crate::{Folder, MAILBOX, errors};

#[test]
fn the_file_is_found_by_flag_then_variable_then_home() {
    let folder = Folder::with(&[("a.toml", MAILBOX), ("guichet/guichet.toml", MAILBOX)]);
    let (a, home) = (folder.path("a.toml"), folder.path("guichet/guichet.toml"));
    let (a_text, root) = (a.display().to_string(), folder.path("").display().to_string());
    let environment = Environment::of([("GUICHET_CONFIG", &a_text), ("XDG_CONFIG_HOME", &root)]);
    let main = |path: Option<&PathBuf>, environment| {
        let request = Request { path: path.cloned(), set: Vec::new(), environment };
        load(&request).expect("in order").settings.main
    };
    assert_eq!(main(Some(&home), environment.clone()), home);
    assert_eq!(main(None, environment), a);
    if !Path::new("/etc/guichet/guichet.toml").exists() {
        assert_eq!(main(None, Environment::of([("XDG_CONFIG_HOME", &root)])), home);
    }
}

#[test]
fn drop_ins_lie_over_the_main_file_in_the_order_of_their_names() {
    let main = format!(
        "locale = \"en\"\nsmtp.transport = \"none\"\ntimezone = \"UTC\"\n[users]\ndeny = [\"@a.example\"]\n{MAILBOX}"
    );
    let folder = Folder::with(&[
        ("guichet.toml", &main),
        (
            "conf.d/20-b.toml",
            "[[mailbox]]\naddress = \"b@example.com\"\nprovider = \"maildir\"\npath = \"b\"\n",
        ),
        (
            "conf.d/10-a.toml",
            "locale = \"fr\"\n\
             [users]\n\
             deny = [\"@b.example\"]\n\
             [[mailbox]]\n\
             address = \"a@example.com\"\n\
             host = \"h.example\"\n",
        ),
        ("conf.d/README", "not TOML"),
        ("conf.d/.10-a.toml.swp.toml", "not TOML"),
    ]);
    let loaded = folder.load().expect("in order");
    let names: Vec<_> =
        loaded.settings.mailboxes.iter().map(|mailbox| mailbox.name.as_str()).collect();
    assert_eq!(names, ["support@example.com", "a@example.com", "b@example.com"]);
    assert_eq!((loaded.file.locale.as_str(), loaded.file.timezone.as_str()), ("fr", "UTC"));
    assert_eq!(loaded.file.users.deny, ["@b.example"]);
    // A relative path starts from the file that names it.
    assert_eq!(loaded.file.mailbox[2].path, Some(folder.path("conf.d/b")));
}

#[test]
fn the_same_setting_in_two_drop_ins_is_an_error() {
    let folder = Folder::with(&[
        ("guichet.toml", MAILBOX),
        ("conf.d/a.toml", "[log]\nlevel = \"debug\"\n"),
        ("conf.d/b.toml", "[log]\nformat = \"json\"\nlevel = \"warn\"\n"),
    ]);
    let invalid = folder.load().expect_err("two levels");
    let found = errors(&invalid);
    assert_eq!((found.len(), found[0].line()), (1, 3), "{invalid}");
    assert!(
        found[0].hint.as_ref().is_some_and(|hint| hint.contains("conf.d/a.toml:2")),
        "{invalid}"
    );
}

#[test]
fn set_wins_over_every_file() {
    let folder = Folder::with(&[("guichet.toml", MAILBOX), ("conf.d/a.toml", "locale = \"fr\"\n")]);
    let with = |set: &[&str]| {
        let set = set.iter().map(|flag| flag.to_string()).collect();
        load(&Request { set, ..folder.request() })
    };
    let loaded = with(&[
        "locale=de",
        "locale=ja",
        "users.auto_create=false",
        "credentials.max_age=36500d",
        "outbox.retry=[\"1m\"]",
        "mailbox.0.start=2026-01-05",
        "mailbox.0.name=Say \"hi\"",
    ])
    .expect("in order");
    assert_eq!((loaded.file.locale.as_str(), loaded.file.users.auto_create), ("ja", false));
    assert_eq!(loaded.file.mailbox[0].name.as_deref(), Some("Say \"hi\""));
    assert_eq!(loaded.file.outbox.retry.len(), 1);
    for bad in [
        "locale",
        "=x",
        "locale=5",
        "mailbox.7.name=x",
        "nothing.at_all=1",
        "mailbox.0.password=hunter2",
    ] {
        let shown = with(&[bad]).expect_err(bad).to_string();
        assert!(shown.contains("--set") && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn variables_are_expanded_but_never_in_secrets() {
    let text = "[portal]\n\
     url = \"https://${HOST:-help.example.com}/it\"\n\
     name = \"$$5\"\n\
     [[mailbox]]\n\
     address = \"support@${DOMAIN}\"\n\
     host = \"mail.${DOMAIN}\"\n\
     password = \"${DOMAIN}\"\n";
    let folder = Folder::with(&[("guichet.toml", text)]);
    let environment = Environment::of([("DOMAIN", "example.com")]);
    let loaded =
        load(&Request { environment: environment.clone(), ..folder.request() }).expect("in order");
    assert_eq!(loaded.settings.outbox.portal_url.as_deref(), Some("https://help.example.com/it"));
    assert_eq!(loaded.settings.outbox.portal_name, "$5");
    let password = loaded.file.mailbox[0].password.as_ref().expect("written");
    assert_eq!(password.reveal(&environment).expect("literal").text, "${DOMAIN}");
}
