//! An outbox on a store of its own, whose mailboxes send by the relays of a test.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use guichet::args;
use guichet::clock::{Clock, Ids, Next, SeededChance, SetClock};
use guichet::mail::Address;
use guichet::net::{Login, Password, Security, Server};
use guichet::outbox::{
    Options, Outbox, Rate, RelayOptions, SenderOptions, Tagging, TemplateOptions, TransportOptions,
};
use guichet::store::outbox::{self, Entry, OutboxState, QueuedFor};
use guichet::store::{self, Durability, Location, Store};
use guichet::triage::plan::{MailCause, OutgoingMail};
use guichet::triage::policy::CredentialsMode;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

pub const USER: &str = "support@helpdesk.example";
pub const PASSWORD: &str = "corr€ct horse+battery";

pub struct Desk {
    _folder: TempDir,
    pub store: Store,
    pub clock: Arc<SetClock>,
    pub options: Options,
    ids: Ids,
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("in range")
}

/// A relay in the clear, with no login, no rate and two connections.
pub fn relay(port: u16) -> RelayOptions {
    RelayOptions {
        server: Server {
            host: "localhost".to_owned(),
            port,
            security: Security::None,
            ca_file: None,
            timeout: Duration::from_secs(20),
        },
        login: None,
        rate: None,
        connections: 2,
    }
}

/// A relay that wants `security`, and trusts what the tests' authority signed.
pub fn protected(port: u16, security: Security, ca_file: PathBuf) -> RelayOptions {
    let mut relay = relay(port);
    relay.server.security = security;
    relay.server.ca_file = Some(ca_file);
    relay
}

pub fn with_login(relay: RelayOptions, password: &str) -> RelayOptions {
    let login = Login { username: USER.to_owned(), password: Password::new(password) };
    RelayOptions { login: Some(login), ..relay }
}

pub fn impatient(relay: RelayOptions) -> RelayOptions {
    let server = Server { timeout: Duration::from_millis(150), ..relay.server };
    RelayOptions { server, ..relay }
}

pub fn a_minute(mails: u32) -> Rate {
    Rate { mails, per: SignedDuration::from_mins(1) }
}

impl Desk {
    /// One mailbox, `support`.
    pub fn new(relay: RelayOptions) -> Desk {
        Desk::of(&[("support", relay)])
    }

    pub fn of(relays: &[(&str, RelayOptions)]) -> Desk {
        Desk::with(relays, Durability::None)
    }

    pub fn with(relays: &[(&str, RelayOptions)], durability: Durability) -> Desk {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let location = Location::Sqlite(folder.path().join("guichet.db"));
        let options = store::Options { location, durability };
        let store = Store::open(&options, at(0)).expect("a store opens");
        let clock = Arc::new(SetClock::at(at(0)));
        let ids = Ids::new(clock.clone(), Arc::new(SeededChance::new(11)));
        let senders = relays.iter().map(|(name, relay)| ((*name).to_owned(), sender(name, relay)));
        let options = options_of(senders.collect());
        Desk { _folder: folder, store, clock, options, ids }
    }

    pub fn ca_file(folder: &TempDir) -> PathBuf {
        crate::support::tls::ca_file(folder.path())
    }

    pub fn outbox(&self) -> Outbox {
        let clock = self.clock.clone();
        let (store, ids, options) = (self.store.clone(), self.ids.clone(), self.options.clone());
        Outbox::new(store, clock, ids, options, "test/outbox".to_owned()).expect("an outbox opens")
    }

    pub fn queue(&self, to: &str) -> i64 {
        self.queue_for("support", to)
    }

    pub fn queue_for(&self, mailbox: &str, to: &str) -> i64 {
        let mail = OutgoingMail {
            template: "ticket_received".to_owned(),
            to: Address::parse(to).expect("an address"),
            user: None,
            ticket: None,
            mailbox: mailbox.to_owned(),
            message_id_domain: "helpdesk.example".to_owned(),
            locale: "en".to_owned(),
            site: "s1".to_owned(),
            cause: MailCause::Notice,
        };
        let (ids, now) = (self.ids.clone(), self.clock.now());
        self.store
            .transact(move |sql| Ok(outbox::queue(sql, &mail, QueuedFor::default(), &ids, now)?.id))
            .expect("it is queued")
    }

    pub fn queue_many(&self, count: usize) -> Vec<i64> {
        (0..count).map(|n| self.queue(&format!("u{n}@customer.example"))).collect()
    }

    pub fn run(&self, statement: &'static str) {
        self.store.transact(move |sql| sql.execute(statement, args![])).expect("it runs");
    }

    pub fn entry(&self, id: i64) -> Entry {
        self.store
            .read_only(|sql| outbox::show(sql, id))
            .expect("the row reads")
            .expect("the row is there")
    }

    pub fn state(&self, id: i64) -> (OutboxState, i64) {
        let entry = self.entry(id);
        (entry.state, entry.attempts)
    }

    pub fn said(&self, id: i64) -> String {
        self.entry(id).response.unwrap_or_default()
    }
}

/// Steps until nothing is due.
pub fn drain(outbox: &Outbox) -> Next {
    for _ in 0..100_000 {
        let next = outbox.step().expect("a step succeeds");
        if next != Next::Now {
            return next;
        }
    }
    panic!("the outbox never comes to rest");
}

fn sender(mailbox: &str, relay: &RelayOptions) -> SenderOptions {
    let address = format!("{mailbox}@helpdesk.example");
    SenderOptions {
        address: address.clone(),
        name: Some("Example IT".to_owned()),
        mailbox_address: address,
        relay: Some(relay.clone()),
        envelope: Tagging::Auto,
        reply_address: Tagging::Never,
        proves_senders: false,
    }
}

fn options_of(senders: BTreeMap<String, SenderOptions>) -> Options {
    Options {
        transport: TransportOptions::Smtp,
        senders,
        agents: BTreeMap::new(),
        templates: TemplateOptions::default(),
        portal_url: Some("https://help.example".to_owned()),
        portal_name: "Example IT support".to_owned(),
        locale: "en".to_owned(),
        timezone: "UTC".to_owned(),
        use_body_token: true,
        subject_tag: "[#{number}]".to_owned(),
        credentials_mode: CredentialsMode::Auto,
        link_expires: SignedDuration::from_hours(7 * 24),
        password_expires: SignedDuration::from_hours(24),
        retry: vec![SignedDuration::from_mins(1), SignedDuration::from_mins(5)],
    }
}
