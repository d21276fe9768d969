//! Mailboxes on mail servers, relays, databases: what they come to, and every mistake about them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use guichet::cli::config as command;
use guichet::config::settings::Need;
use guichet::config::{Environment, Paint, Request, Severity, load};
use guichet::intake::{ImapOptions, SourceOptions};
use guichet::net::{Login, Password, Security, Server};
use guichet::outbox::{Rate, RelayOptions, SenderOptions, Tagging, TransportOptions};
use guichet::store::{Location, PostgresOptions};
use guichet::{config, intake};
use jiff::SignedDuration;

use crate::{Folder, errors, load_text};

/// A mailbox at `h.example` with `rest` beside its address, of three lines.
fn mailbox(rest: &str) -> String {
    format!("[[mailbox]]\naddress = \"support@example.com\"\nhost = \"h.example\"\n{rest}\n")
}

const MAILDIR: &str =
    "[[mailbox]]\naddress = \"dir@example.com\"\nprovider = \"maildir\"\npath = \"/m\"\n";

fn imap(settings: &config::Settings) -> &ImapOptions {
    match settings.mailboxes[0].watched.as_ref().map(|options| &options.source) {
        Some(SourceOptions::Imap(imap)) => imap,
        other => panic!("no mailbox on a server: {other:?}"),
    }
}

fn relay(settings: &config::Settings) -> &RelayOptions {
    sender(settings).relay.as_ref().expect("there is a relay")
}

fn sender(settings: &config::Settings) -> &SenderOptions {
    settings.outbox.senders.values().next().expect("there is a mailbox")
}

fn login(username: &str, password: &str) -> Login {
    Login { username: username.to_owned(), password: Password::new(password) }
}

fn server(host: &str, port: u16, security: Security) -> Server {
    let timeout = Duration::from_secs(60);
    Server { host: host.to_owned(), port, security, ca_file: None, timeout }
}

#[test]
fn the_smallest_mailbox_is_fetched_and_answered_by_its_own_server() {
    let settings = load_text(&mailbox("password = \"x\"")).expect("in order").settings;
    let options = settings.mailboxes[0].watched.as_ref().expect("it can be watched");
    assert_eq!(options.start, intake::Start::Now);
    assert_eq!(options.after, intake::After::Keep);
    assert_eq!(options.sweep, SignedDuration::from_secs(300));
    assert_eq!(
        imap(&settings),
        &ImapOptions {
            server: server("h.example", 993, Security::Implicit),
            login: login("support@example.com", "x"),
            folder: "INBOX".to_owned(),
            poll_interval: SignedDuration::from_secs(60),
        }
    );
    assert_eq!(settings.outbox.transport, TransportOptions::Smtp);
    assert_eq!(
        relay(&settings),
        &RelayOptions {
            server: server("h.example", 587, Security::Starttls),
            login: Some(login("support@example.com", "x")),
            rate: Some(Rate { mails: 25, per: SignedDuration::from_secs(60) }),
            connections: 2,
        }
    );
    let sender = sender(&settings);
    assert_eq!((sender.envelope, sender.reply_address), (Tagging::Auto, Tagging::Auto));
    assert_eq!((settings.workers, &settings.missing[..]), (1, &[][..]));
}

#[test]
fn what_a_mailbox_says_of_sending_stands_before_the_rest() {
    let text = "[smtp]\n\
     host = \"relay.example\"\n\
     tls = \"implicit\"\n\
     username = \"all\"\n\
     password = \"secret\"\n\
     rate = \"off\"\n\
     connections = 4\n\
     envelope = \"plain\"\n\
     [threading]\n\
     reply_address = \"plus\"\n";
    let settings = load_text(&format!("{text}{}", mailbox("password = \"x\""))).expect("in order");
    let general = relay(&settings.settings);
    assert_eq!(general.server, server("relay.example", 465, Security::Implicit));
    assert_eq!(general.login, Some(login("all", "secret")));
    assert_eq!((general.rate, general.connections), (None, 4));
    let tags = sender(&settings.settings);
    assert_eq!((tags.envelope, tags.reply_address), (Tagging::Never, Tagging::Always));
    let own = mailbox(
        "password = \"x\"\n\
         [mailbox.smtp]\n\
         host = \"own.example\"\n\
         port = 2525\n\
         tls = \"starttls\"\n\
         username = \"me\"\n\
         password = \"mine\"\n\
         rate = \"1/s\"\n\
         connections = 1\n\
         timeout = \"5s\"\n\
         envelope = \"plus\"\n",
    );
    let settings = load_text(&format!("{text}{own}")).expect("in order").settings;
    let own = relay(&settings);
    let expected = server("own.example", 2525, Security::Starttls);
    assert_eq!(own.server, Server { timeout: Duration::from_secs(5), ..expected });
    assert_eq!(own.login, Some(login("me", "mine")));
    assert_eq!(own.rate, Some(Rate { mails: 1, per: SignedDuration::from_secs(1) }));
    assert_eq!((own.connections, sender(&settings).envelope), (1, Tagging::Always));
}

#[test]
fn t_43_a_password_goes_to_a_relay_in_the_clear_only_when_it_is_written_for_it() {
    let local = "smtp.host = \"127.0.0.1\"\nsmtp.tls = \"none\"\n";
    let relay_of = |text: &str| {
        let loaded = load_text(text).unwrap_or_else(|invalid| panic!("{invalid}"));
        relay(&loaded.settings).clone()
    };
    let plain = relay_of(&format!("{local}{}", mailbox("password = \"x\"")));
    assert_eq!(plain.server, server("127.0.0.1", 25, Security::None));
    assert_eq!(plain.login, None);
    let own = "password = \"x\"\nsmtp.password = \"mine\"";
    let written = relay_of(&format!("{local}{}", mailbox(own)));
    assert_eq!(written.login, Some(login("support@example.com", "mine")));
    // A server that takes our mail as it is, and is not on this machine.
    let open = relay_of(&format!("smtp.username = \"\"\n{}", mailbox("password = \"x\"")));
    assert_eq!(open.login, None);
}

#[test]
fn mail_of_a_maildir_leaves_by_the_server_that_is_named() {
    let relay_of = |text: &str| {
        let loaded = load_text(text).unwrap_or_else(|invalid| panic!("{invalid}"));
        assert!(!loaded.warnings.iter().any(|problem| problem.message.contains("no effect")));
        relay(&loaded.settings).clone()
    };
    let general = relay_of(&format!("smtp.host = \"relay.example\"\n{MAILDIR}"));
    assert_eq!(general.server, server("relay.example", 587, Security::Starttls));
    assert_eq!(general.login, None);
    let own = relay_of(&format!("{MAILDIR}host = \"h.example\"\npassword = \"x\"\n"));
    assert_eq!(own.login, Some(login("dir@example.com", "x")));
}

#[test]
fn the_keys_of_imap_come_to_a_server() {
    let text = mailbox(
        "username = \"anna\"\n\
         password = \"x\"\n\
         folder = \"Büro\"\n\
         [mailbox.imap]\n\
         host = \"bücher.example\"\n\
         tls = \"starttls\"\n\
         ca_file = \"ca.pem\"\n\
         poll_interval = \"5s\"\n\
         sweep = \"9m\"\n\
         timeout = \"7s\"\n",
    );
    let folder = Folder::with(&[("guichet.toml", &text)]);
    let settings = folder.load().expect("in order").settings;
    let expected = server("xn--bcher-kva.example", 143, Security::Starttls);
    let imap = imap(&settings);
    assert_eq!(
        imap.server,
        Server {
            ca_file: Some(folder.path("ca.pem")),
            timeout: Duration::from_secs(7),
            ..expected
        }
    );
    assert_eq!((imap.login.username.as_str(), imap.folder.as_str()), ("anna", "Büro"));
    assert_eq!(imap.poll_interval, SignedDuration::from_secs(5));
    let sweep = settings.mailboxes[0].watched.as_ref().map(|options| options.sweep);
    assert_eq!(sweep, Some(SignedDuration::from_secs(540)));
    // The certificate of the one server says nothing about another.
    let relay = relay(&settings);
    assert_eq!((relay.server.host.as_str(), &relay.server.ca_file), ("h.example", &None));
}

#[test]
fn one_server_for_both_ways_has_one_ca_file() {
    let text = mailbox("password = \"x\"\nimap.ca_file = \"ca.pem\"");
    let folder = Folder::with(&[("guichet.toml", &text)]);
    let settings = folder.load().expect("in order").settings;
    assert_eq!(relay(&settings).server.ca_file, Some(folder.path("ca.pem")));
}

#[test]
fn a_database_of_postgresql_is_protected_unless_it_is_on_this_machine() {
    let location = |text: &str| {
        let text = format!("[store]\n{text}\n{}", mailbox("password = \"x\""));
        let loaded = load_text(&text).unwrap_or_else(|invalid| panic!("{invalid}"));
        (loaded.settings.store.location, loaded.settings.workers)
    };
    let expected = |url: &str, security| PostgresOptions {
        url: url.to_owned(),
        password: None,
        security,
        ca_file: None,
    };
    let away = "postgres://g@db.example.com/g";
    assert_eq!(
        location(&format!("url = \"{away}\"\npassword = \"pw\"\nworkers = 4")),
        (
            Location::Postgres(PostgresOptions {
                password: Some(Password::new("pw")),
                ..expected(away, Security::Implicit)
            }),
            4
        )
    );
    let here = "postgres://g@127.0.0.1:5433/g";
    let plain = Location::Postgres(expected(here, Security::None));
    assert_eq!(location(&format!("url = \"{here}\"")), (plain, 1));
    let protected = Location::Postgres(expected(here, Security::Implicit));
    assert_eq!(location(&format!("url = \"{here}\"\ntls = \"require\"")), (protected, 1));
}

/// Snippet before a mailbox; line, column, and fragments of the message and of the hint of its one
/// error.
type Broken = (&'static str, usize, usize, &'static str, &'static str);

#[rustfmt::skip]
const BROKEN: &[Broken] = &[
    // Mailboxes.
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nimap.tls = \"none\"", 4, 12, "`a.example` is not on this machine", "`tls = \"implicit\"`"),         // T-43
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"127.0.0.1\"\nimap.host = \"a.example\"\nimap.tls = \"none\"", 5, 12, "`a.example` is not on this machine", "`tls = \"starttls\"`"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nimap.tls = \"ssl\"", 4, 12, "`ssl` is nothing `mailbox.imap.tls` can be", "one of `implicit`, `none`, `starttls`"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nimap.port = 0", 4, 13, "`0` is no number `mailbox.imap.port` can be", "from 1 to 65535"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nimap.port = 65536", 4, 13, "`65536` is no number", "from 1 to 65535"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nimap.port = \"993\"", 4, 13, "should be a whole number", "without quotes"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nimap.timeout = \"0s\"", 4, 16, "`0s` is too little", "`\"1s\"`"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nimap.timeout = \"1h\"", 4, 16, "`1h` is too much", "`\"10m\"`"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nimap.poll_interval = \"0s\"", 4, 22, "`0s` is too little", "`\"1s\"`"),                               // E-22
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nimap.poll_interval = 60", 4, 22, "should be a duration, not a number", "`\"5m\"`"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nimap.sweep = \"2d\"", 4, 14, "`2d` is too much", "`\"24h\"`"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nimap.idle = true", 4, 6, "unknown key `mailbox.imap.idle`", "does not know `mailbox.imap.idle` yet"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nusername = \"a\\r\\nA1 LOGOUT\"", 4, 12, "control character", "on one line"),                             // T-45
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nfolder = \"a\\u0000b\"", 4, 10, "control character", "on one line"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nmove_to = \"a\\nb\"", 4, 11, "control character", "on one line"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nafter = \"move\"\nmove_to = \"inbox\"", 5, 11, "the folder it is in, `INBOX`", "name another"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nafter = \"move\"\nfolder = \"guichet/done\"", 5, 10, "the folder it is in, `guichet/done`", "name another"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"imaps://a.example\"", 3, 8, "is no host name", "without a scheme"),
    // Relays.
    ("[smtp]\ntransport = \"file\"", 2, 13, "needs `path`", "path = \"outgoing\""),
    ("[[mailbox]]\naddress = \"a@example.com\"\nprovider = \"maildir\"\npath = \"/m\"", 3, 12, "mail of the mailbox `a@example.com` has no way out", "`transport = \"none\"`"),
    ("[smtp]\ntls = \"none\"", 2, 7, "`h.example` is not on this machine", "`tls = \"implicit\"`"),
    ("[smtp]\nhost = \"localhost\"\ntls = \"none\"\n[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nsmtp.host = \"r.example\"", 3, 7, "`r.example` is not on this machine", "starttls"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nsmtp.tls = \"none\"", 4, 12, "`a.example` is not on this machine", "starttls"),
    ("[smtp]\nport = 0", 2, 8, "`0` is no number `smtp.port` can be", "from 1 to 65535"),
    ("[smtp]\nconnections = 0", 2, 15, "`0` is no number", "from 1 to 50"),
    ("[smtp]\nconnections = 51", 2, 15, "`51` is no number", "from 1 to 50"),
    ("[smtp]\nrate = 25", 2, 8, "should be a rate, not a number", "`\"off\"`"),
    ("[smtp]\nrate = \"25\"", 2, 8, "`25` is no rate", "`\"off\"`"),
    ("[smtp]\nrate = \"3/h, 10/d\"", 2, 8, "is more than one rate", "`\"25/min\"`"),
    ("[smtp]\nrate = \"0/min\"", 2, 8, "would let nothing through", "`\"off\"`"),
    ("[smtp]\nenvelope = \"none\"", 2, 12, "`none` is nothing `smtp.envelope` can be", "`auto`, `plain`, `plus`"),
    ("[smtp]\ntimeout = \"1h\"", 2, 11, "`1h` is too much", "`\"10m\"`"),
    ("[smtp]\nhost = \"smtp.example.com:587\"", 2, 8, "is no host name", "or a port"),
    ("[smtp]\nusername = \"a\\nb\"", 2, 12, "control character", "on one line"),
    ("[smtp]\npassword = { file = \"x\", env = \"Y\" }", 2, 12, "must have one key, not 2", "{ file ="),
    ("[smtp]\nusername = \"relay\"\nhost = \"r.example\"\n[[mailbox]]\naddress = \"a@example.com\"\nprovider = \"maildir\"\npath = \"/m\"", 2, 12, "this login for sending has no password", "password = {"),
    ("[[mailbox]]\naddress = \"a@example.com\"\nhost = \"a.example\"\nsmtp.transport = \"none\"", 4, 6, "unknown key `mailbox.smtp.transport`", "`smtp.transport`"),
    // The thread.
    ("[threading]\nreply_address = \"plain\"", 2, 17, "nothing `threading.reply_address` can be", "`auto`, `none`, `plus`"),
    ("[threading]\nuse_body_token = \"yes\"", 2, 18, "should be `true` or `false`", "without quotes"),
    // Databases.
    ("[store]\nurl = \"postgres://u:p@db/x\"", 2, 7, "holds a password", "`store.password`"),
    ("[store]\nurl = \"postgres://u@db/x?password=p\"", 2, 7, "holds a password", "`store.password`"),
    ("[store]\nurl = \"postgres://u@db/x?sslmode=disable\"", 2, 7, "holds an `sslmode`", "`store.tls`"),
    ("[store]\nurl = \"postgres://u@db\"", 2, 7, "names no database", "postgres://guichet@"),
    ("[store]\nurl = \"postgres:x\"", 2, 7, "no address of a PostgreSQL database", "postgres://guichet@"),
    ("[store]\nurl = \"postgres://u@db/x\"\ntls = \"none\"", 3, 7, "the database is not on this machine", "`tls = \"require\"`"),
    ("[store]\nurl = \"postgres://u@db/x\"\ntls = \"implicit\"", 3, 7, "nothing `store.tls` can be", "`none`, `require`"),
    ("[store]\nworkers = 2", 2, 11, "more than one worker needs PostgreSQL", "postgres://"),
    ("[store]\nurl = \"postgres://u@db/x\"\nworkers = 0", 3, 11, "`0` is no number", "from 1 to 64"),
];

#[test]
fn p_18_each_mistake_about_a_server_is_shown_where_it_stands() {
    let mut wrong = String::new();
    for (snippet, line, column, message, hint) in BROKEN {
        let text = format!("{snippet}\n{}", mailbox("password = \"x\""));
        // The mailbox after it stays as it is, whatever the snippet says of the relay.
        let text = if snippet.starts_with("[smtp]\nusername = \"relay\"") {
            (*snippet).to_owned()
        } else {
            text
        };
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
fn t_48_a_secret_that_is_missing_stops_only_whoever_logs_in_with_it() {
    let text = format!(
        "[store]\nurl = \"postgres://g@db.example/g\"\npassword = {{ env = \"PG\" }}\n\
         [smtp]\npassword = {{ file = \"relay\" }}\n{}{}",
        mailbox("password = { credential = \"support\" }"),
        "[[mailbox]]\naddress = \"bare@example.com\"\nhost = \"h.example\"\n",
    );
    let folder = Folder::with(&[("guichet.toml", &text)]);
    let settings = folder.load().expect("what is written is in order").settings;
    let needed = |need: Need| settings.require(|one| *one == need).expect_err("missing").problems;
    let store = &needed(Need::Store)[0];
    assert_eq!((store.line(), store.column()), (3, 12));
    assert!(store.message.contains("`PG` is not set"), "{store:?}");
    let mailbox = &needed(Need::Mailbox("support@example.com".to_owned()))[0];
    assert_eq!(mailbox.line(), 9);
    assert!(mailbox.message.contains("`$CREDENTIALS_DIRECTORY` is not set"), "{mailbox:?}");
    let bare = &needed(Need::Mailbox("bare@example.com".to_owned()))[0];
    assert!(bare.line() == 11 && bare.message.contains("no `password`"), "{bare:?}");
    let relay = &needed(Need::Relay("bare@example.com".to_owned()))[0];
    assert!(relay.line() == 5 && relay.message.contains("relay` cannot be read"), "{relay:?}");
    // One password for two mailboxes is missing once.
    let all = settings.require(|_| true).expect_err("missing");
    assert_eq!(all.problems.len(), 4, "{all}");
    assert!(settings.mailboxes.iter().all(|mailbox| mailbox.watched.is_none()));
    let whoever_reads = settings.require(|_| false);
    assert!(whoever_reads.is_ok());
}

#[test]
fn t_48_a_secret_is_found_where_it_is_said_to_be() {
    let folder = Folder::with(&[
        ("guichet.toml", &mailbox("password = { credential = \"support\" }")),
        ("credentials/support", "hunter2\n"),
    ]);
    let path = folder.path("credentials").display().to_string();
    let environment = Environment::of([("CREDENTIALS_DIRECTORY", &path)]);
    let loaded = load(&Request { environment, ..folder.request() }).expect("in order");
    assert_eq!(imap(&loaded.settings).login.password.reveal(), "hunter2");
    assert!(!format!("{loaded:?}").contains("hunter2"), "a secret is never printed");
}

#[test]
fn check_looks_at_every_secret_and_every_certificate() {
    let text = format!(
        "[store]\nurl = \"postgres://g@db.example/g\"\npassword = {{ file = \"open\" }}\n\
         ca_file = \"empty.pem\"\n\
         [smtp]\npassword = {{ file = \"writable\" }}\nca_file = \"none.pem\"\n\
         [[mailbox]]\naddress = \"bare@example.com\"\nhost = \"h.example\"\n{}",
        mailbox("password = { file = \"lines\" }\nsmtp.password = { credential = \"x\" }"),
    );
    let folder = Folder::with(&[
        ("guichet.toml", &text),
        ("empty.pem", "nothing\n"),
        ("lines", "a\nb\n"),
        ("open", "x\n"),
        ("writable", "x\n"),
    ]);
    for (name, mode) in [("lines", 0o600), ("open", 0o644), ("writable", 0o666)] {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(folder.path(name), permissions).expect("ours");
    }
    let (loaded, problems) = command::problems(&folder.request());
    assert!(loaded.is_some());
    let found: Vec<_> = problems
        .iter()
        .filter(|problem| !problem.message.starts_with("nobody will be told"))
        .map(|problem| (problem.line(), problem.severity))
        .collect();
    use Severity::{Error, Warning};
    // Open to all, no certificate, writable by all, no such file, no password, two lines; a
    // credential that only the service is given.
    let expected =
        [(3, Warning), (4, Error), (6, Error), (7, Error), (9, Error), (14, Error), (15, Warning)];
    assert_eq!(found, expected, "{problems:#?}");
}
