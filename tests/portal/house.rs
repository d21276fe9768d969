//! A portal on a port of the loopback, and a browser without JavaScript to visit it with.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use guichet::clock::{Ids, SetClock, SystemChance};
use guichet::config::{self, Environment, Request};
use guichet::counter::{self, Counter};
use guichet::mail::Address;
use guichet::mail::address::PlusTag;
use guichet::outbox::password;
use guichet::outbox::secret::{activation_token, temporary_password};
use guichet::portal::{
    Closed, Limit, Lockout, Network, Options, PlainHttp, Portal, Sender, Whom, open_door,
};
use guichet::store::credentials::{self, CredentialKind, NewCredential};
use guichet::store::outbox::{self, Filter, Page};
use guichet::store::users::{self, Addition, account};
use guichet::store::{self, Durability, Location, Sql, Store, StoreError, sites};
use guichet::triage::Policy;
use guichet::triage::facts::CredentialsState;
use guichet::triage::policy::{Access, Rate};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::suites::people::added;
use crate::suites::postgres;

pub const PASSWORD: &str = "vier grüne Gurken";

/// A portal that runs until it is dropped.
pub struct House {
    pub folder: TempDir,
    pub store: Store,
    pub clock: Arc<SetClock>,
    pub ids: Ids,
    pub at: SocketAddr,
    lockouts: Arc<Mutex<Vec<Lockout>>>,
    stop: watch::Sender<Closed>,
    thread: Option<JoinHandle<Result<(), String>>>,
}

/// What about a portal is not as usual.
pub struct Unusual {
    pub url: Option<&'static str>,
    pub proxies: &'static [&'static str],
    pub is_on_postgres: bool,
}

pub const USUAL: Unusual = Unusual { url: None, proxies: &[], is_on_postgres: false };
/// Behind a web server on this machine, which speaks HTTPS.
pub const ENCRYPTED: Unusual = Unusual { url: Some("https://help.example"), ..USUAL };

/// What a desk with one mailbox goes by.
fn policy(folder: &TempDir) -> Policy {
    let file = folder.path().join("guichet.toml");
    let text = "[portal]\nurl = \"http://127.0.0.1:8480\"\n[smtp]\ntransport = \"none\"\n\
                [[mailbox]]\nname = \"support\"\nprovider = \"maildir\"\n\
                address = \"support@desk.example\"\npath = \"support\"\n";
    std::fs::write(&file, text).expect("it is written");
    let environment = Environment::of_process();
    let request = Request { path: Some(file), set: Vec::new(), environment };
    config::load(&request).expect("it is sound").settings.policy
}

pub fn beginning() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a time in range")
}

impl House {
    pub fn open() -> House {
        House::with(&USUAL)
    }

    pub fn with(unusual: &Unusual) -> House {
        crate::heard::listen();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let location = match unusual.is_on_postgres {
            true => Location::Postgres(postgres::options(&postgres::fresh_schema().url)),
            false => Location::Sqlite(folder.path().join("guichet.db")),
        };
        let options = store::Options { location, durability: Durability::None };
        let store = Store::open(&options, beginning()).expect("a store");
        let clock = Arc::new(SetClock::at(beginning()));
        let ids = Ids::new(clock.clone(), Arc::new(SystemChance));
        let minting = ids.clone();
        store
            .transact(move |sql| {
                sites::reconcile(sql, &[], &["Unassigned"], &minting, beginning()).map(drop)
            })
            .expect("a default site");
        let door = open_door("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let at = door.local_addr().expect("it is bound");
        let network = |text: &&str| Network::parse(text).expect("a network");
        let options = Options {
            url: unusual.url.map_or_else(|| format!("http://{at}"), str::to_owned),
            name: "Example IT".to_owned(),
            articles: None,
            listen: at,
            trusted_proxies: unusual.proxies.iter().map(network).collect(),
            plain_http: PlainHttp::Refused,
            locale: "en".to_owned(),
            zone: jiff::tz::TimeZone::UTC,
            reset_limit: vec![Rate { count: 3, per: SignedDuration::from_hours(1) }],
            plus_tag: PlusTag::Strip,
            sender: Some(Sender {
                mailbox: "support".to_owned(),
                address: "support@desk.example".to_owned(),
                message_id_domain: "desk.example".to_owned(),
            }),
            nobodys: [address("support@desk.example").key(PlusTag::Strip)].into(),
        };
        let counter = Counter::new(
            store.clone(),
            ids.clone(),
            clock.clone(),
            counter::Options {
                policy: Arc::new(policy(&folder)),
                mailbox: "support".to_owned(),
                largest: 10_000_000,
                has_room: Arc::new(|| true),
                wake: Arc::new(|| {}),
            },
        );
        let lockouts = Arc::new(Mutex::new(Vec::new()));
        let told: Arc<Mutex<Vec<Lockout>>> = lockouts.clone();
        let portal = Portal::new(store.clone(), clock.clone(), ids.clone(), options, counter)
            .on_lockout(Arc::new(move |lockout| {
                told.lock().expect("no holder of this lock panics").push(lockout.clone());
            }));
        let (stop, stopped) = watch::channel(Closed::No);
        let thread = std::thread::spawn(move || portal.serve(door, stopped));
        House { folder, store, clock, ids, at, lockouts, stop, thread: Some(thread) }
    }

    /// Of whom it was told that they are refused for a while.
    pub fn lockouts(&self) -> Vec<(Limit, Whom)> {
        let told = self.lockouts.lock().expect("no holder of this lock panics");
        told.iter().map(|lockout| (lockout.limit, lockout.whom.clone())).collect()
    }

    /// Lets time pass.
    pub fn wait(&self, span: SignedDuration) {
        self.clock.set(self.now().checked_add(span).expect("a time in range"));
    }

    pub fn now(&self) -> Timestamp {
        guichet::clock::Clock::now(self.clock.as_ref())
    }

    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.transact(work).expect("the store takes it")
    }

    /// A user without a password; answers the id.
    pub fn user(&self, written: &str, access: Access) -> String {
        let (ids, written) = (self.ids.clone(), written.to_owned());
        let now = self.now();
        self.write(move |sql| {
            let site = sites::show(sql, "Unassigned")?.expect("the default site").id;
            let user = Addition {
                last_name: "Johnson".to_owned(),
                derived: true,
                access,
                credentials: CredentialsState::Sent,
                ..added(&[&written], "Claire", &site)
            };
            users::add(sql, &user, &ids, now)
        })
    }

    /// A user who chose [`PASSWORD`]; answers the id.
    pub fn user_with_password(&self, written: &str, access: Access) -> String {
        let id = self.user(written, access);
        let hash = password::hash(PASSWORD, &self.ids.secret());
        let (person, now) = (id.clone(), self.now());
        assert!(self.write(move |sql| account::choose_password(sql, &person, &hash, now)));
        id
    }

    /// The token of a fresh activation link of theirs.
    pub fn link(&self, person: &str) -> String {
        let minted = activation_token(&self.ids);
        self.keep(person, CredentialKind::Link, minted.hash, 0);
        minted.secret.reveal().to_owned()
    }

    /// The token of a link that confirms the address that the mail of this number goes to.
    pub fn confirmation(&self, person: &str, outbox: i64) -> String {
        let minted = activation_token(&self.ids);
        self.keep(person, CredentialKind::Address, minted.hash, outbox);
        minted.secret.reveal().to_owned()
    }

    /// A fresh temporary password of theirs.
    pub fn temporary(&self, person: &str) -> String {
        let minted = temporary_password(&self.ids);
        self.keep(person, CredentialKind::Password, minted.hash, 0);
        minted.secret.reveal().to_owned()
    }

    fn keep(&self, person: &str, kind: CredentialKind, hash: String, outbox: i64) {
        let expires_at = self.now().checked_add(SignedDuration::from_hours(24)).expect("in range");
        let new = NewCredential { person: person.to_owned(), kind, hash, sha256: None, expires_at };
        let (ids, now) = (self.ids.clone(), self.now());
        self.write(move |sql| credentials::keep(sql, &new, outbox, &ids, now));
    }

    /// The mails that were queued, the oldest first: number, template, recipient.
    pub fn mails(&self) -> Vec<(i64, String, String)> {
        let page = Page { before: None, limit: 1000 };
        let mails = self.store.read_only(|sql| outbox::list(sql, &Filter::default(), page));
        let mut mails: Vec<_> = mails
            .expect("the store reads")
            .into_iter()
            .map(|mail| (mail.id, mail.template, mail.to))
            .collect();
        mails.reverse();
        mails
    }

    /// The template and recipient of the mails, once there are so many.
    pub fn mailed(&self, count: usize) -> Vec<(String, String)> {
        crate::suites::wait_for("the mails", 20, || self.mails().len() >= count);
        self.mails().into_iter().map(|(_, template, to)| (template, to)).collect()
    }

    pub fn browser(&self) -> Browser {
        Browser { at: self.at, cookies: BTreeMap::new(), headers: Vec::new(), page: String::new() }
    }

    /// A browser of somebody who is logged in.
    pub fn browser_of(&self, written: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.log_in(written, PASSWORD);
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.send_replace(Closed::Yes);
        let ended = self.thread.take().expect("it runs").join();
        if !std::thread::panicking() {
            assert_eq!(ended.expect("no panic"), Ok(()));
        }
    }
}

pub fn address(written: &str) -> Address {
    Address::parse(written).expect("an address")
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn location(&self) -> &str {
        self.header("location").unwrap_or("none")
    }

    pub fn says(&self, words: &str) -> bool {
        self.body.contains(words)
    }
}

/// A browser without JavaScript: it keeps cookies and the last page with a form.
#[derive(Clone)]
pub struct Browser {
    at: SocketAddr,
    pub cookies: BTreeMap<String, String>,
    /// Sent with each request.
    pub headers: Vec<(&'static str, String)>,
    pub page: String,
}

impl Browser {
    pub fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, None)
    }

    /// Sends a form, with the token of the page that it shows.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token();
        let fields: Vec<(&str, &str)> =
            [("form", token.as_str())].into_iter().chain(fields.iter().copied()).collect();
        self.send(path, &fields)
    }

    /// Sends these fields and no others.
    pub fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", coded(name), coded(value)))
            .collect();
        self.ask("POST", path, Some(&pairs.join("&")))
    }

    /// The token of the first form on that page.
    pub fn token(&self) -> String {
        let after = self.page.split_once("name=\"form\" value=\"").map_or("", |(_, after)| after);
        after.split('"').next().unwrap_or_default().to_owned()
    }

    /// Goes to where an answer leads.
    pub fn follow(&mut self, answer: &Answer) -> Answer {
        assert_eq!(answer.status, 303, "{}", answer.body);
        self.get(answer.location())
    }

    pub fn log_in(&mut self, address: &str, password: &str) -> Answer {
        self.get("/portal/login");
        self.post("/portal/login", &[("address", address), ("password", password)])
    }

    pub fn ask(&mut self, method: &str, path: &str, form: Option<&str>) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.at);
        request.push_str("Connection: close\r\n");
        for (name, value) in &self.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.push_str(&format!("Cookie: {}\r\n", pairs.join("; ")));
        }
        if let Some(form) = form {
            request.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
            request.push_str(&format!("Content-Length: {}\r\n", form.len()));
        }
        request.push_str("\r\n");
        request.push_str(form.unwrap_or_default());
        let mut stream = TcpStream::connect(self.at).expect("the door is open");
        // Who sends too much is answered before all of it is read.
        let _ = stream.write_all(request.as_bytes());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let answer = read(&String::from_utf8_lossy(&bytes));
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        for (_, line) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, rest) = line.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default();
            match line.contains("Max-Age=0") {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        if answer.says("name=\"form\"") {
            self.page = answer.body.clone();
        }
    }
}

fn read(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": "));
    Answer {
        status: status.unwrap_or(0),
        headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
        body: body.to_owned(),
    }
}

fn coded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
