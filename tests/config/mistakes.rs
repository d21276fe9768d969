//! Every mistake is shown where it stands, all of them at once, and no secret with it.

use std::fs;
use std::path::Path;

use guichet::cli::config::{self as command, ConfigCommand, ShowArgs};
use guichet::config::{Environment, Paint, Request, load, reference};

use crate::{Folder, MAILBOX, errors, load_text};

/// Snippet; line, column, and fragments of the message and of the hint of its one error.
type Broken = (&'static str, usize, usize, &'static str, &'static str);

#[rustfmt::skip]
const BROKEN: &[Broken] = &[
    // Unknown keys.
    ("lokale = \"en\"", 1, 1, "unknown key `lokale`", "did you mean `locale`?"),
    ("[user]\nauto_create = true", 1, 2, "unknown key `user`", "did you mean `users`?"),
    ("[users]\nauto-create = true", 2, 1, "unknown key `users.auto-create`", "did you mean `auto_create`?"),
    ("[users.names]\nsplit = \".\"", 2, 1, "unknown key `users.names.split`", "`split_on`, `no_split`"),
    ("sender_check = \"site\"", 1, 1, "unknown key `sender_check`", "`threading.sender_check`"),
    ("[portal]\nsplit_on = \".\"", 2, 1, "unknown key `portal.split_on`", "`users.names.split_on`"),
    ("[http]\nops_listen = \"127.0.0.1:9480\"", 2, 1, "unknown key `http.ops_listen`", "does not know `http.ops_listen` yet"),
    ("[http]\nlisten = \"8480\"", 2, 10, "`8480` is nothing to listen at", "127.0.0.1:8480"),
    ("[http]\ntrusted_proxies = [\"10.0.0.0/33\"]", 2, 20, "is no address and no network", "192.0.2.0/24"),
    ("[http]\nlisten = \"0.0.0.0:80\"\n[portal]\nurl = \"https://help.example.com\"", 2, 10, "from other machines over plain HTTP", "trusted_proxies"),
    ("[retention]\ndecisions = \"180d\"", 1, 2, "unknown key `retention`", "`retention` yet"),
    ("[[rule]]\nname = \"x\"", 1, 3, "unknown key `rule`", "yet"),
    ("users.names.no_splitt = \"blank\"", 1, 13, "unknown key `users.names.no_splitt`", "`no_split`"),
    ("[credentials]\nexpires = \"7d\"", 2, 1, "unknown key `credentials.expires`", "`link_expires`"),
    ("[log]\nzzz = 1", 2, 1, "unknown key `log.zzz`", "the keys here are `format`, `level`, `redact`"),
    // Wrong types.
    ("locale = 5", 1, 10, "`locale` should be a string, not a number", "in quotes"),
    ("[users]\nauto_create = \"yes\"", 2, 15, "should be `true` or `false`, not a string", "without quotes"),
    ("version = \"1\"", 1, 11, "`version` should be a whole number, not a string", "without quotes"),
    ("version = 1.0", 1, 11, "`version` should be a whole number", "without quotes"),
    ("[users]\nallow = \"@example.com\"", 2, 9, "`users.allow` should be a list, not a string", "in brackets"),
    ("[users]\ndeny = [\"@a.example\", 5]", 2, 23, "`users.deny` should be a string, not a number", "in quotes"),
    ("portal = \"https://help.example.com\"", 1, 10, "`portal` should be a table, not a string", "write `[portal]`"),
    ("[[sites]]\ndefault = \"x\"", 1, 1, "`sites` should be a table, not an array of tables", "single brackets"),
    ("[site]\nname = \"Contoso\"", 1, 1, "`site` should be an array of tables, not a table", "write `[[site]]`"),
    ("min_free_space = 500", 1, 18, "should be a size, not a number", "in quotes"),
    ("[outbox]\nretry = [60]", 2, 10, "should be a duration, not a number", "in quotes"),
    ("[limits]\nper_sender = 30", 2, 14, "should be a rate, not a number", "`\"30/h\"`"),
    ("[log]\nlevel = true", 2, 9, "should be a word, not a boolean", "`error`"),
    // Durations, sizes, rates.
    ("[credentials]\nmax_age = \"7\"", 2, 11, "the duration `7` has no unit", "`\"7d\"`"),
    ("[credentials]\nmax_age = \"7 days\"", 2, 11, "`days` is no unit of time", "`s`, `m`, `h`, `d`"),
    ("[credentials]\nmax_age = \"99999d\"", 2, 11, "too long", "36525d"),
    ("[credentials]\nlink_expires = \"0s\"", 2, 16, "`0s` is too little", "`\"1m\"`"),
    ("min_free_space = \"500\"", 1, 18, "the size `500` has no unit", "`\"500MB\"`"),
    ("min_free_space = \"500Mb\"", 1, 18, "`Mb` is no unit of size", "`MB`"),
    ("[limits]\nnew_users = \"200\"", 2, 13, "`200` is no rate", "`\"off\"`"),
    ("[limits]\nnew_users = \"0/h\"", 2, 13, "would let nothing through", "`\"off\"`"),
    ("[limits]\nper_domain = \"3/h, 9/year\"", 2, 14, "`year` is no unit of a rate", "`min`"),
    ("[outbox]\nretry = []", 2, 9, "`outbox.retry` is empty", "at least one"),
    // Words.
    ("[users]\naccess = \"limted\"", 2, 10, "`limted` is nothing `users.access` can be", "did you mean `limited`?"),
    ("[users]\nname_from = \"header_then_address\"", 2, 13, "nothing `users.name_from`", "`header-then-address`"),
    ("[smtp]\ntransport = \"smpt\"", 2, 13, "nothing `smtp.transport` can be", "did you mean `smtp`?"),
    ("[filters]\nbounce = \"ticket\"", 2, 10, "nothing `filters.bounce` can be", "one of `attach`, `ignore`"),
    ("[sites]\npublic_domains = \"none\"", 2, 18, "neither `builtin` nor a list", "`[\"gmail.com\"]`"),
    ("version = 2", 1, 11, "version 2 of the configuration", "`version = 1`"),
    // Strings with a meaning.
    ("locale = \"english\"", 1, 10, "`english` is no language", "`\"pt-BR\"`"),
    ("timezone = \"Paris\"", 1, 12, "`Paris` is no time zone", "Europe/Paris"),
    ("[portal]\nurl = \"help.example.com\"", 2, 7, "is no web address", "https://"),
    ("[portal]\nurl = \"http://help.example.com\"", 2, 7, "passwords over plain HTTP", "`https://`"),
    ("[store]\nurl = \"guichet.db\"", 2, 7, "no database guichet knows", "sqlite:guichet.db"),
    ("[threading]\nsubject_tag = \"[#]\"", 2, 15, "must contain `{number}` once", "[#{number}]"),
    ("[threading]\nsubject_tag = \"{number}\"", 2, 15, "nothing that sets the number apart", "[#{number}]"),
    ("[users.names]\nsplit_on = \"\"", 2, 12, "cannot separate names", "`\".\"`"),
    ("[users.names]\nsplit_on = \"a\"", 2, 12, "cannot separate names", "`\".\"`"),
    ("[users]\nallow = [\"example.com\"]", 2, 10, "it has no `@`", "`\"@example.com\"`"),
    ("[filters]\nblocked_attachments = [\"exe\"]", 2, 24, "`exe` is no file name ending", "`\".exe\"`"),
    ("[credentials]\ntemplate = \"../x\"", 2, 12, "no name of a template", "small letters"),
    ("[outbox]\nmessage_id_domain = \"a b\"", 2, 21, "`a b` is no domain", "contoso.com"),
    ("[sites]\ndefault = \"\"", 2, 11, "may not be empty", "leave the key out"),
    // Variables.
    ("locale = \"${NOT_SET}\"", 1, 10, "`NOT_SET` is not set", "`${NOT_SET:-default}`"),
    ("locale = \"${NOT_SET:?say which}\"", 1, 10, "`NOT_SET` is not set: say which", "set `NOT_SET`"),
    ("locale = \"${OOPS\"", 1, 10, "`${` is not closed", "`$$`"),
    // Agents and sites.
    ("[[agent]]\nname = \"Anna\"", 1, 1, "`agent.email` is missing", "add `email ="),
    ("[[agent]]\nemail = \"anna\"", 2, 9, "`anna` is no address", "name@example.com"),
    ("[[agent]]\nemail = \"a@example.com\"\n[[agent]]\nemail = \"A+x@example.com\"", 4, 9, "two agents have the address", ":2;"),
    ("[[agent]]\nemail = \"support@example.com\"", 2, 9, "has the address of a mailbox", "personal address"),
    ("[[site]]\ndomains = [\"contoso.com\"]", 1, 1, "`site.name` is missing", "add `name ="),
    ("[[site]]\nname = \"A\"\n[[site]]\nname = \"a\"", 4, 8, "two sites are named `a`", ":2;"),
    ("[[site]]\nname = \"A\"\ndomains = [\"a.com\", \"A.com.\"]", 3, 21, "`A.com.` is given twice", ":3;"),                                // M-108, E-87
    ("[[site]]\nname = \"A\"\ndomains = [\"bücher.com\"]\n[[site]]\nname = \"B\"\ndomains = [\"xn--bcher-kva.com\"]", 6, 12, "is given twice", ":3;"),
    ("[[site]]\nname = \"A\"\ndomains = [\"gmail.com\"]", 3, 12, "everybody can have an address there", "`addresses`"),                // E-86
    ("[[site]]\nname = \"A\"\ndomains = [\"co.uk\"]", 3, 12, "it is a public suffix", "whole domain"),
    ("[[site]]\nname = \"A\"\ndomains = [\"\"]", 3, 12, "may not be empty", "behind the `@`"),
    ("[[site]]\nname = \"A\"\ndomains = [\"@a.com\"]", 3, 12, "`@a.com` is no domain", "behind the `@`"),
    ("[[site]]\nname = \"A\"\naddresses = [\"x@a.com\", \"X@a.com\"]", 3, 25, "`X@a.com` is given twice", "one site"),
    ("[sites]\npublic_domains = [\"own.example\"]\n[[site]]\nname = \"A\"\ndomains = [\"x.own.example\"]", 5, 12, "everybody can have", "`addresses`"),
    // Mailboxes.
    ("[[mailbox]]\nhost = \"mail.example.com\"", 1, 1, "`mailbox.address` is missing", "add `address ="),
    ("[[mailbox]]\naddress = \"a@example.com\"", 2, 11, "needs `host`", "provider = \"maildir\""),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"h.example\"\nprovider = \"maildir\"", 4, 12, "needs `path`", "add `path ="),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"mail.example.com:993\"", 3, 8, "is no host name", "without a scheme or a port"),
    ("[[mailbox]]\naddress = \"Support@example.com\"\nname = \"x\"\nhost = \"h.example\"\n", 7, 11, "an address of two mailboxes", ":2;"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"h.example\"\naliases = [\"support@example.com\"]", 6, 11, "an address of two mailboxes", ":4;"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nname = \"support@example.com\"\nhost = \"h.example\"", 6, 11, "two mailboxes are named", "`name` of its own"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"h.example\"\nfolder = \"x\\\"\\r\\nA1 DELETE\"", 4, 10, "control character", "one line"),  // T-45
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"h.example\"\nstart = \"yesterday\"", 4, 9, "`yesterday` is no place to start", "2026-01-31"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"h.example\"\nmax_message_size = \"1B\"", 4, 20, "`1B` is too little", "`\"1kB\"`"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"h.example\"\nsweep = \"2d\"", 4, 9, "`2d` is too much", "`\"24h\"`"),               // E-22
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"h.example\"\nsmtp.from = \"A <a@example.com\"", 4, 13, "`<` is not closed", "Example IT"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"h.example\"\npassword = { file = \"x\", env = \"Y\" }", 4, 12, "must have one key, not 2", "{ file ="),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"h.example\"\npassword = { fiel = \"x\" }", 4, 14, "unknown key `mailbox.password.fiel`", "{ file ="),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"h.example\"\npassword = 5", 4, 12, "should be a string or a table", "{ file ="),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"h.example\"\npassword = { credential = \"../x\" }", 4, 27, "names nothing that can be read", "{ file ="),
    // TOML itself.
    ("locale = \"en", 1, 13, "expected `\"`", "in quotes"),
    ("[portal", 1, 8, "expected `]`", "`[name]`"),
    ("locale = en", 1, 10, "string values must be quoted", "in quotes"),
    ("locale = \"en\"\nlocale = \"fr\"", 2, 1, "duplicate key", "keep one"),
    ("[log]\n[log]", 2, 2, "duplicate key", "keep one"),
    ("= 5", 1, 1, "", "in quotes"),
    ("locale \"en\"", 1, 8, "", "in quotes"),
    ("version = 99999999999999999999", 1, 11, "too large", "no setting"),
];

#[test]
fn p_18_each_mistake_is_shown_where_it_stands() {
    assert!(BROKEN.len() >= 50);
    let mut wrong = String::new();
    for (snippet, line, column, message, hint) in BROKEN {
        let text = format!("{snippet}\n{MAILBOX}");
        let Err(invalid) = load_text(&text) else {
            wrong.push_str(&format!("accepted: {snippet}\n"));
            continue;
        };
        let found = errors(&invalid);
        let first = found[0];
        let said = first.hint.clone().unwrap_or_default();
        let good = (first.line(), first.column()) == (*line, *column)
            && first.message.contains(message)
            && said.contains(hint)
            && found.len() == 1;
        if !good {
            wrong.push_str(&format!("--- {snippet}\n{}\n", invalid.render(Paint::Plain)));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn e_86_e_87_m_108_a_site_claims_neither_public_mail_nor_what_another_site_has() {
    let refused = |sites: &str| {
        let invalid = load_text(&format!("{sites}\n{MAILBOX}")).expect_err("no site may");
        let found = errors(&invalid);
        assert_eq!(found.len(), 1, "{invalid}");
        found[0].message.clone()
    };
    let public = refused("[[site]]\nname = \"A\"\ndomains = [\"gmail.com\"]");
    assert!(public.starts_with("`gmail.com` cannot be a site's domain"), "{public}");
    let twice = refused(
        "[[site]]\nname = \"A\"\ndomains = [\"contoso.com\"]\n\
         [[site]]\nname = \"B\"\ndomains = [\"Contoso.COM.\"]",
    );
    assert_eq!(twice, "the domain `Contoso.COM.` is given twice");
}

#[test]
fn p_18_several_mistakes_are_reported_together() {
    let invalid = load_text(
        "lokale = \"en\"\n\
         [portal]\nurl = \"http://help.example.com\"\n\
         [credentials]\nmax_age = 7\n\
         [[mailbox]]\nadress = \"support@example.com\"\n\
         [[mailbox]]\naddress = \"help@example.com\"\nprovider = \"maildir\"\n\
         [[site]]\nname = \"A\"\ndomains = [\"a.com\"]\n\
         [[site]]\nname = \"B\"\ndomains = [\"a.com\"]\n",
    )
    .expect_err("full of mistakes");
    let places: Vec<_> = errors(&invalid).iter().map(|problem| problem.line()).collect();
    assert_eq!(places, [1, 3, 5, 6, 6, 7, 10, 10, 16], "{invalid}");
}

#[test]
fn a_mistake_is_shown_with_its_line_and_a_caret() {
    let folder = Folder::with(&[(
        "guichet.toml",
        "[users]\n\
         access = \"limted\"\n\
         [[mailbox]]\n\
         address = \"a@b.example\"\n\
         host = \"h.example\"\n",
    )]);
    let shown = folder.load().expect_err("a bad word").render(Paint::Plain);
    let file = folder.path("guichet.toml").display().to_string();
    assert_eq!(
        shown.replace(&file, "guichet.toml"),
        "error: `limted` is nothing `users.access` can be\n \
         --> guichet.toml:2:10\n  |\n\
         2 | access = \"limted\"\n  |          ^^^^^^^^\n  |\n  \
         = hint: did you mean `limited`?\n"
    );
}

#[test]
fn a_file_that_is_missing_or_no_text_is_named() {
    let folder = Folder::with(&[]);
    let shown = folder.load().expect_err("no file").to_string();
    assert!(
        shown.contains("guichet.toml` cannot be read") && shown.contains("\nhint: "),
        "{shown}"
    );
    assert!(!shown.contains("is missing"), "what an absent file lacks is noise: {shown}");
    fs::write(folder.path("guichet.toml"), b"locale = \"en\"\nx = \"\xff\"\n").expect("writable");
    let invalid = folder.load().expect_err("no text");
    let first = errors(&invalid)[0];
    assert_eq!((first.line(), first.column()), (2, 6), "{invalid}");
    let nobody = Request { path: None, set: Vec::new(), environment: Environment::empty() };
    if !Path::new("/etc/guichet/guichet.toml").exists() {
        let shown = load(&nobody).expect_err("no file").to_string();
        assert!(shown.contains("there is no configuration"), "{shown}");
    }
}

#[test]
fn t_48_no_secret_is_ever_shown() {
    let mailbox = |rest: &str| {
        format!("[[mailbox]]\naddress = \"a@b.example\"\nhost = \"h.example\"\n{rest}\n")
    };
    for rest in [
        "password = \"hunter2\"",
        "password = \"hunter2\"\npasword = 5",
        "password = { literal = \"hunter2\" }",
        "password = \"hunter2",
        "password = hunter2",
        "password = \"\"\"\nhunter2\"\"\"\nx = 1",
        "[store]\nurl = \"postgres://guichet:hunter2@db/guichet\"",
        "[store]\nurl = \"postgres://guichet@db/guichet?password=hunter2\"",
        "[store]\npassword = \"hunter2\"",
        "[smtp]\npassword = \"hunter2\"",
        "smtp.password = \"hunter2\"\nsmtp.port = \"x\"",
        "[portal]\nurl = \"https://guichet:hunter2@help.example\"",
    ] {
        let folder = Folder::with(&[("guichet.toml", &mailbox(rest))]);
        let mut shown = Vec::new();
        let (loaded, problems) = command::problems(&folder.request());
        assert!(!format!("{loaded:?}{problems:?}").contains("hunter2"), "{rest}");
        for problem in &problems {
            shown.extend(problem.render(Paint::Plain).into_bytes());
        }
        let args = ShowArgs { defaults: true, origin: true, json: false };
        let request = folder.request();
        command::run(
            &ConfigCommand::Show(args),
            &request,
            Paint::Plain,
            &mut shown,
            &mut Vec::new(),
        )
        .expect("memory");
        let shown = String::from_utf8(shown).expect("text");
        assert!(!shown.is_empty() && !shown.contains("hunter2"), "{rest}\n{shown}");
    }
}

#[test]
fn what_is_allowed_but_unwise_is_a_warning() {
    let text = "[smtp]\n\
     transport = \"none\"\n\
     path = \"out\"\n\
     [threading]\n\
     sender_check = \"anyone\"\n\
     [[agent]]\n\
     email = \"anna@example.com\"\n\
     sites = [\"Contosso\"]\n\
     [[site]]\n\
     name = \"Contoso\"\n\
     [[mailbox]]\n\
     address = \"a-very-long-name-for-one-helpdesk@example.com\"\n\
     host = \"h.example\"\n\
     path = \"x\"\n\
     password = \"x\"\n";
    let loaded = load_text(text).expect("in order");
    let warnings: Vec<_> =
        loaded.warnings.iter().map(|problem| (problem.line(), problem.message.as_str())).collect();
    let expected = [
        (1, "nobody will be told how to log in: `portal.url` is not set"),
        (3, "`smtp.path` has an effect with `transport = \"file\"` only"),
        (5, "anyone who knows or guesses a ticket's number can add to it"),
        (8, "the site `Contosso` is not declared here"),
        (
            12,
            "`a-very-long-name-for-one-helpdesk@example.com` leaves no room for the tag of a reply address",
        ),
        (14, "`mailbox.path` has no effect with `provider = \"imap\"`"),
        (15, "the secret `mailbox.password` stands in the configuration itself"),
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn t_27_a_web_server_on_this_machine_that_is_not_named_is_a_warning() {
    let warns = |text: &str| {
        let loaded = load_text(&format!("{text}\n{MAILBOX}")).expect("in order");
        loaded.warnings.iter().any(|problem| {
            let hint = problem.hint.as_deref().unwrap_or_default();
            problem.message.contains("everybody seems to come from this machine")
                && hint.contains("http.trusted_proxies")
        })
    };
    let plain = "[portal]\nallow_plain_http = true\nurl = \"http://help.example.com\"\n";
    assert!(warns(plain));
    assert!(warns("[portal]\nurl = \"http://localhost/it\"\n"));
    assert!(!warns(&format!("{plain}[http]\ntrusted_proxies = [\"127.0.0.1\"]\n")));
    assert!(!warns(&plain.replace("http:", "https:")));
    assert!(!warns("[portal]\nurl = \"http://127.0.0.1:8480\"\n"), "nothing is in front of it");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// Whatever is written, it is read or refused with a place, and the walk finds all that serde
    /// would choke on.
    #[test]
    fn p_18_any_text_is_read_or_refused(start in 0usize..12_000, len in 0usize..40, with in "[\\PC\n\
     ]{0,8}") {
        let mut text = reference::text();
        let boundary = |mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let from = boundary(start.min(text.len()));
        let to = boundary((from + len).min(text.len())).max(from);
        text.replace_range(from..to, &with);
        if let Err(invalid) = load_text(&text) {
            let shown = invalid.render(Paint::Plain);
            proptest::prop_assert!(!errors(&invalid).is_empty());
            proptest::prop_assert!(!shown.contains("mistake of guichet"), "{}", shown);
        }
    }
}

#[test]
fn p_18_no_depth_no_line_end_and_no_mark_is_too_much() {
    for deep in ["[".repeat(100_000), format!("x = {}", "[".repeat(100_000))] {
        assert!(load_text(&deep).is_err());
    }
    let dotted = format!("{} = 1", vec!["a"; 20_000].join("."));
    assert!(load_text(&dotted).is_err());
    for text in [format!("\u{feff}{MAILBOX}"), MAILBOX.replace('\n', "\r\n")] {
        let loaded = load_text(&text).unwrap_or_else(|invalid| panic!("{invalid}"));
        assert_eq!(loaded.file.mailbox.len(), 1);
    }
    let invalid = load_text("\u{feff}locale = \"en\"\r\nlokale = 5\r\n").expect_err("unknown");
    assert_eq!((errors(&invalid)[1].line(), errors(&invalid)[1].column()), (2, 1), "{invalid}");
}
