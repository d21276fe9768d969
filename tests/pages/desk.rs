//! A desk with its portal open: a store, ingest that walks, and users with sessions.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use guichet::args;
use guichet::clock::{Clock, Ids, SeededChance, SetClock};
use guichet::config::{self, Environment, Request, Settings};
use guichet::counter::{self, Counter};
use guichet::ingest::{self, Ingest, TimeOfDecision};
use guichet::portal::{Closed, Portal, open_door};
use guichet::store::sessions::{self, NewSession, SessionScope};
use guichet::store::spool::{self, Acknowledge, Arrival, Origin, RawMessage};
use guichet::store::users::{self, Addition};
use guichet::store::{Durability, Location, Options, Store, sites};
use guichet::triage::facts::Intake;
use guichet::triage::policy::Access;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::browser::Browser;
use crate::support::people::added;
use crate::support::postgres;

pub const CLAIRE: &str = "claire@contoso.example";
pub const PAUL: &str = "paul@contoso.example";
pub const MALLORY: &str = "mallory@evil.example";
pub const ANNA: &str = "anna@desk.example";

/// A desk; Contoso is a site of it, Paul its primary user, Anna its agent.
pub struct Desk {
    pub store: Store,
    pub ids: Ids,
    pub clock: Arc<SetClock>,
    pub counter: Counter,
    pub at: SocketAddr,
    walks: Arc<AtomicBool>,
    ends: Arc<AtomicBool>,
    closed: watch::Sender<Closed>,
    threads: Vec<JoinHandle<()>>,
    _folder: TempDir,
}

/// What a desk keeps everything in.
enum Place {
    Postgres,
    Sqlite,
}

impl Desk {
    pub fn open() -> Desk {
        Desk::sqlite()
    }

    pub fn postgres() -> Desk {
        Desk::with(Place::Postgres, &[])
    }

    pub fn sqlite() -> Desk {
        Desk::with(Place::Sqlite, &[])
    }

    /// A desk whose knowledge base has these files.
    pub fn with_articles(articles: &[(&str, &[u8])]) -> Desk {
        Desk::with(Place::Sqlite, articles)
    }

    fn with(place: Place, articles: &[(&str, &[u8])]) -> Desk {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, bytes) in articles {
            let path = folder.path().join("articles").join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
            std::fs::write(path, bytes).expect("it is written");
        }
        let settings = settings(&folder, articles);
        let clock = Arc::new(SetClock::at(start()));
        let ids = Ids::new(clock.clone(), Arc::new(SeededChance::new(7)));
        let location = match place {
            Place::Postgres => Location::Postgres(postgres::options(&postgres::fresh_schema().url)),
            Place::Sqlite => Location::Sqlite(folder.path().join("guichet.db")),
        };
        let options = Options { location, durability: Durability::None };
        let store = Store::open(&options, start()).expect("a store opens");
        let declared: Vec<_> = settings.sites.iter().map(|one| one.site.clone()).collect();
        let (default, minted) = (settings.policy.sites.default.clone(), ids.clone());
        let reconciled = store.transact(move |sql| {
            sites::reconcile(sql, &declared, &[&default], &minted, start()).map(drop)
        });
        reconciled.expect("the sites are made");
        let counter = Counter::new(
            store.clone(),
            ids.clone(),
            clock.clone(),
            counter::Options {
                policy: Arc::new(settings.policy.clone()),
                mailbox: "support".to_owned(),
                largest: 10_000_000,
                has_room: Arc::new(|| true),
                wake: Arc::new(|| {}),
            },
        );
        let (closed, stop) = watch::channel(Closed::No);
        let portal = settings.portal.clone().expect("there is a portal");
        let door = open_door("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let at = door.local_addr().expect("it has an address");
        let portal =
            Portal::new(store.clone(), clock.clone(), ids.clone(), portal, counter.clone());
        let serving = thread::spawn(move || portal.serve(door, stop).expect("it ends well"));
        let (walks, ends) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(false)));
        let ingest = walking(&store, &settings, &clock, &ids, walks.clone(), ends.clone());
        Desk {
            store,
            ids,
            clock,
            counter,
            at,
            walks,
            ends,
            closed,
            threads: vec![serving, ingest],
            _folder: folder,
        }
    }

    /// Whether what comes in is decided.
    pub fn walk(&self, walks: bool) {
        self.walks.store(walks, Ordering::SeqCst);
    }

    /// Somebody with an account; answers their browser, logged in.
    pub fn user(&self, address: &str, access: Access) -> Browser {
        let id = self.account(address, access);
        self.logged_in(&id)
    }

    pub fn account(&self, address: &str, access: Access) -> String {
        let name = address.split('@').next().expect("a local part").to_owned();
        let site = if address.ends_with("@contoso.example") { "Contoso" } else { "Unassigned" };
        let site = self.store.read_only(|sql| sites::show(sql, site)).expect("the store reads");
        let site = site.expect("the site is declared").id;
        let first_name = name[..1].to_uppercase() + &name[1..];
        let user = Addition { access, ..added(&[address], &first_name, &site) };
        let ids = self.ids.clone();
        let made = self.store.transact(move |sql| users::add(sql, &user, &ids, start()));
        made.expect("the address is free")
    }

    /// A browser with a session of this user.
    pub fn logged_in(&self, person: &str) -> Browser {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let token = URL_SAFE_NO_PAD.encode(self.ids.secret::<32>());
        let hash = Sha256::digest(token.as_bytes());
        let new = NewSession {
            hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            person: person.to_owned(),
            scope: SessionScope::All,
            browser: None,
        };
        let begun = self.store.transact(move |sql| sessions::begin(sql, &new, start()));
        begun.expect("a session begins");
        Browser { session: Some(token), ..Browser::at(self.at) }
    }

    /// Takes in a mail, and waits until it is decided; answers the number of its ticket.
    pub fn mail(&self, raw: &str) -> Option<i64> {
        let message = RawMessage {
            mailbox: "support".to_owned(),
            origin: Origin::MaildirFile { base: self.ids.uuid() },
            arrived_at: self.clock.now(),
            intake: Intake::Mailbox,
            raw: raw.replace('\n', "\r\n").into_bytes(),
        };
        let arrival = Arrival::new(message, &self.ids);
        let id = arrival.id().to_owned();
        let spooled = self.store.transact(move |sql| {
            let arrivals = std::slice::from_ref(&arrival);
            spool::spool(sql, arrivals, start(), Acknowledge::Never)
        });
        spooled.expect("it is spooled");
        self.decided(&id)
    }

    /// Waits until a message is decided; answers the number of its ticket.
    fn decided(&self, id: &str) -> Option<i64> {
        for _ in 0..1000 {
            if let Some(outcome) = self.counter.outcome(id).expect("the store reads") {
                return outcome.ticket;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("{id} was not decided");
    }

    /// Waits until nothing is left to be decided.
    pub fn settle(&self) {
        for _ in 0..1000 {
            if self.count("message WHERE state NOT IN ('done', 'held')") == 0 {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("something waits for ever");
    }

    /// A mail of `from`, short and plain.
    pub fn ticket(&self, from: &str, subject: &str, text: &str) -> i64 {
        let id = self.ids.uuid();
        self.mail(&format!(
            "From: {from}\nTo: support@desk.example\nSubject: {subject}\n\
             Message-ID: <{id}@x.example>\nDate: Fri, 15 Jan 2027 08:00:00 +0000\n\n{text}\n"
        ))
        .expect("it opens a ticket")
    }

    pub fn run(&self, statement: &str) {
        let statement = statement.to_owned();
        let ran = self.store.transact(move |sql| sql.execute(&statement, args![]).map(drop));
        ran.expect("the statement runs");
    }

    pub fn count(&self, of: &str) -> i64 {
        let statement = format!("SELECT COUNT(*) FROM {of}");
        let counted = self.store.read_only(|sql| sql.query(&statement, args![])?[0].int(0));
        counted.expect("the store reads")
    }

    pub fn text(&self, query: &str) -> String {
        let found = self.store.read_only(|sql| sql.query(query, args![])?[0].text(0));
        found.expect("the store reads")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        self.closed.send_replace(Closed::Yes);
        for thread in self.threads.drain(..) {
            // A test that fails already fails for its own reason.
            if thread.join().is_err() && !thread::panicking() {
                panic!("a room of the desk panicked");
            }
        }
    }
}

fn walking(
    store: &Store,
    settings: &Settings,
    clock: &Arc<SetClock>,
    ids: &Ids,
    walks: Arc<AtomicBool>,
    ends: Arc<AtomicBool>,
) -> JoinHandle<()> {
    let options = ingest::Options {
        readers: 0,
        suspects: ingest::Suspects::ReadHere,
        time: TimeOfDecision::Clock,
        worker: "worker".to_owned(),
    };
    let clock: Arc<dyn Clock> = clock.clone();
    let policy = Arc::new(settings.policy.clone());
    let mut ingest = Ingest::new(store.clone(), policy, clock, ids.clone(), options);
    // Messages are read on a stack of the size that the daemon gives them.
    let thread = thread::Builder::new().stack_size(64 << 20);
    let walk = move || {
        while !ends.load(Ordering::SeqCst) {
            if walks.load(Ordering::SeqCst) {
                ingest.step().expect("the store is there");
            }
            thread::sleep(Duration::from_millis(20));
        }
    };
    thread.spawn(walk).expect("a thread")
}

fn settings(folder: &TempDir, articles: &[(&str, &[u8])]) -> Settings {
    let file: PathBuf = folder.path().join("guichet.toml");
    let knows = if articles.is_empty() { "" } else { "articles = \"articles\"\n" };
    let text = format!(
        "[portal]\nurl = \"http://127.0.0.1:8480\"\nname = \"Example IT\"\n{knows}\
         [smtp]\ntransport = \"file\"\npath = \"outgoing\"\n\
         [[mailbox]]\nname = \"support\"\nprovider = \"maildir\"\n\
         address = \"support@desk.example\"\npath = \"support\"\nstart = \"all\"\n\
         [[agent]]\nname = \"Anna Weiss\"\nemail = \"{ANNA}\"\n\
         [[site]]\nname = \"Contoso\"\ndomains = [\"contoso.example\"]\n\
         primary_users = [\"{PAUL}\"]\n"
    );
    std::fs::write(&file, text).expect("it is written");
    let environment = Environment::of_process();
    let request = Request { path: Some(file), set: Vec::new(), environment };
    config::load(&request).expect("it is sound").settings
}

/// When the desk opened.
pub fn start() -> Timestamp {
    "2027-01-15T09:00:00Z".parse().expect("a time")
}
