//! A helpdesk at work: guichet with its portal open, a mailbox that people write to, and a mail
//! server that keeps what it sends.

use std::cell::Cell;
use std::fs;

use guichet::clock::Clock;
use guichet::mail::{self, InboundMessage};
use guichet::store::{Durability, Location, Options, Store};
use jiff::tz::TimeZone;

use crate::browser::{Browser, Setup};
use crate::support::guarded::{answers, free_port};
use crate::support::sink::{Sink, SinkOptions};
use crate::support::{Daemon, Desk, postgres, wait_for};

pub const ANNA: &str = "anna@helpdesk.example";
pub const CLAIRE: &str = "claire.johnson@contoso.example";
pub const PIERRE: &str = "pierre.martin@nordwind.example";
pub const SUPPORT: &str = "support@helpdesk.example";

/// Of these people: Claire, who writes English; Pierre, whose company speaks French; Anna of staff.
pub struct Helpdesk {
    pub desk: Desk,
    pub url: String,
    location: Location,
    sink: Sink,
    daemon: Daemon,
    delivered: Cell<u32>,
}

impl Helpdesk {
    pub fn open() -> Helpdesk {
        let desk = Desk::new("");
        let location = Location::Sqlite(desk.path().join("state/guichet.db"));
        Helpdesk::on(desk, location, "")
    }

    pub fn on_postgres() -> Helpdesk {
        let url = postgres::fresh_schema().url;
        let text = format!(
            "[store]\nurl = \"{url}\"\npassword = \"{}\"\ntls = \"none\"\n",
            postgres::PASSWORD
        );
        Helpdesk::on(Desk::new(""), Location::Postgres(postgres::options(&url)), &text)
    }

    fn on(desk: Desk, location: Location, store: &str) -> Helpdesk {
        let sink = Sink::start(SinkOptions::default());
        let port = free_port();
        fs::create_dir_all(desk.path().join("articles")).expect("a folder");
        for (name, text) in ARTICLES {
            fs::write(desk.path().join("articles").join(name), text).expect("an article");
        }
        let text = format!(
            r#"state = "state"
{store}[http]
listen = "127.0.0.1:{port}"
[portal]
url = "http://127.0.0.1:{port}"
name = "Example IT support"
articles = "articles"
[threading]
reply_address = "plus"
[smtp]
host = "127.0.0.1"
port = {}
tls = "none"
username = ""
rate = "off"
[[mailbox]]
name = "support"
provider = "maildir"
address = "{SUPPORT}"
path = "mail"
start = "all"
[[agent]]
name = "Anna Weiss"
email = "{ANNA}"
signature = "Anna Weiss, Example IT"
[[site]]
name = "Contoso"
domains = ["contoso.example"]
primary_users = ["{CLAIRE}"]
[[site]]
name = "Nordwind"
domains = ["nordwind.example"]
locale = "fr"
"#,
            sink.port()
        );
        fs::write(desk.config(), text).expect("the configuration is written");
        // What it tells down to the finest, and writes only for a while, is searched too (T-26).
        let temporary = desk.path().join("temporary");
        fs::create_dir(&temporary).expect("a folder");
        let mut command = desk.command(&["run", "-vv"]);
        command.env("TMPDIR", temporary);
        let daemon = desk.start_as(command, "daemon.log");
        let log = desk.path().join("daemon.log");
        wait_for(&format!("the portal (see {})", log.display()), 60, || answers(port));
        let url = format!("http://127.0.0.1:{port}");
        Helpdesk { desk, url, location, sink, daemon, delivered: Cell::new(0) }
    }

    /// The address of a page.
    pub fn page(&self, path: &str) -> String {
        format!("{}/portal/{path}", self.url)
    }

    pub fn deliver(&self, raw: &str) {
        let n = self.delivered.get() + 1;
        self.delivered.set(n);
        let name = format!("{}.M{n}P1.post", now().as_second());
        // As a mail server does it, so that nobody sees a half of it.
        let written = self.desk.maildir().join("tmp").join(&name);
        fs::write(&written, raw).expect("the message is delivered");
        let here = self.desk.maildir().join("new").join(&name);
        fs::rename(written, here).expect("the message is delivered");
    }

    /// What was sent to an address so far.
    pub fn mails_to(&self, address: &str) -> Vec<InboundMessage> {
        let mails = self.sink.mails();
        let to = format!("<{address}>");
        let theirs = mails.iter().filter(|mail| mail.to.iter().any(|one| one.starts_with(&to)));
        theirs.map(|mail| mail::read(&mail.raw).expect("our mail can be read")).collect()
    }

    /// The newest mail to an address that says this, once it has come.
    pub fn mail_to(&self, address: &str, words: &str) -> InboundMessage {
        let mut found = None;
        wait_for(&format!("a mail to {address} that says `{words}`"), 60, || {
            let mails = self.mails_to(address);
            found = mails.into_iter().rev().find(|mail| mail.text.contains(words));
            found.is_some()
        });
        found.expect("it was waited for")
    }

    /// The link that a mail gives somebody to choose a password with.
    pub fn link_for(&self, address: &str) -> String {
        let start = self.page("activate/");
        let mail = self.mail_to(address, &start);
        let at = mail.text.find(&start).expect("it was looked for");
        let link = mail.text[at..].split(char::is_whitespace).next().expect("a first part");
        link.to_owned()
    }

    /// Somebody who wrote to us, got their link and chose a password, in their browser.
    pub fn logged_in(&self, address: &str, password: &str, setup: Setup) -> Browser {
        let browser = Browser::start(setup);
        browser.open(&self.link_for(address));
        browser.write("#password", password);
        browser.write("#again", password);
        browser.click("main form button");
        browser.wait("a session", || browser.has(".who"));
        browser
    }

    /// Sees that the daemon ends well, that its books balance (P-17), and that it left nothing
    /// anywhere of what was secret (T-26): of each of these kinds there was something.
    pub fn close(self, browser: Browser, kinds: &[&str]) {
        let mut secrets = browser.secrets();
        drop(browser);
        for mail in self.sink.mails() {
            secrets.add_links(&mail::read(&mail.raw).expect("our mail can be read").text);
        }
        assert_eq!(secrets.kinds(), kinds, "what was secret");
        let log = fs::read(self.desk.path().join("daemon.log")).expect("the daemon keeps a log");
        assert!(String::from_utf8_lossy(&log).contains("DEBUG"), "it tells all it can");
        assert_eq!(secrets.in_folder(self.desk.path(), &[]), [""; 0], "while it runs");
        assert_eq!(self.daemon.stop(), Some(0), "SIGTERM is a clean stop (P-14)");
        self.desk.audit();
        assert_eq!(secrets.in_folder(self.desk.path(), &[]), [""; 0], "when it has ended");
        let options = Options { location: self.location, durability: Durability::None };
        let store = Store::open(&options, now()).expect("the store opens");
        assert_eq!(secrets.in_store(&store), [""; 0]);
    }
}

/// A mail of a person.
pub fn written(id: &str, from: &str, to: &str, subject: &str, more: &str, text: &str) -> String {
    let date = jiff::fmt::rfc2822::to_string(&now().to_zoned(TimeZone::UTC));
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {}\r\nMessage-ID: <{id}>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n{more}\r\n{}\r\n",
        date.expect("it can be written"),
        text.replace('\n', "\r\n")
    )
}

/// What a mail program makes of a click on "answer".
pub fn answer_to(mail: &InboundMessage, from: &str, text: &str) -> String {
    let to = mail.reply_to.first().or(mail.from.first()).expect("our mail has a sender");
    let id = &mail.message_id;
    let more = format!("In-Reply-To: <{id}>\r\nReferences: <{id}>\r\n");
    let quoted: String = mail.text.lines().map(|line| format!("> {line}\n")).collect();
    let text =
        format!("{text}\n\nOn Mon, 5 Jan 2026 at 12:00, Support <{SUPPORT}> wrote:\n{quoted}");
    let own = format!("answer.{}@mail.example", &id.as_str().replace('@', "."));
    written(&own, from, &to.address, &format!("Re: {}", mail.subject), &more, &text)
}

fn now() -> jiff::Timestamp {
    guichet::clock::SystemClock.now()
}

const ARTICLES: &[(&str, &str)] = &[
    (
        "vpn.md",
        "# Connect to the VPN\n\nThe VPN lets you reach the files of the office from home.\n\n\
         ## On Windows\n\n1. Open the start menu and write `GlobalProtect`.\n\
         2. Enter `vpn.example.com` as the portal.\n3. Log in with your usual name.\n\n\
         > If nothing happens, restart the computer once.\n\n\
         | System | Version |\n|---|---|\n| Windows | 10, 11 |\n| macOS | 13 and later |\n\n\
         ```\nping files.example.com\n```\n\nSee also [Print from home](print.md).\n",
    ),
    (
        "vpn.fr.md",
        "# Se connecter au VPN\n\nLe VPN permet d’atteindre les fichiers du bureau depuis chez soi.\n",
    ),
    (
        "print.md",
        "# Print from home\n\nHow to reach the printers of the office from home: connect to the VPN, \
         then choose the printer by its name.\n",
    ),
];
