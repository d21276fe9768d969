//! A desk that takes in mail, decides it and answers it on a store, one message at a time.

use std::path::PathBuf;
use std::sync::Arc;

use guichet::args;
use guichet::clock::{Clock, Next, SetClock};
use guichet::config::{self, Environment, Request, Settings};
use guichet::counter::{self, Counter};
use guichet::ingest::{self, Ingest, TimeOfDecision};
use guichet::mail::{self, InboundMessage};
use guichet::outbox::Outbox;
use guichet::store::spool::{self, Acknowledge, Arrival, Origin, RawMessage};
use guichet::store::tickets::{self, TicketMessage};
use guichet::store::{Store, sites};
use guichet::triage::facts::Intake;
use guichet::triage::plan::{Outcome, Reason, Verdict};
use tempfile::TempDir;

use crate::support::{Place, at, count, read, write};

/// A desk with two mailboxes; Contoso is a site of it.
pub struct Talk {
    pub store: Store,
    settings: Settings,
    clock: Arc<SetClock>,
    ids: guichet::clock::Ids,
    folder: TempDir,
}

/// How a message ended.
pub struct End {
    pub outcome: &'static str,
    pub reason: &'static str,
    pub ticket: Option<i64>,
    pub matched_by: Option<String>,
    pub linked_to: Option<i64>,
    pub visible: String,
}

impl Talk {
    pub fn at(place: &Place) -> Talk {
        Talk::with(place, "")
    }

    /// The same, with `more` in its configuration.
    pub fn with(place: &Place, more: &str) -> Talk {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("guichet.toml");
        let mailbox = |name: &str| {
            format!(
                "[[mailbox]]\nname = \"{name}\"\nprovider = \"maildir\"\n\
                 address = \"{name}@desk.example\"\npath = \"{name}\"\nstart = \"all\"\n"
            )
        };
        let text = format!(
            "[http]\nlisten = \"127.0.0.1:0\"\n[portal]\nurl = \"https://help.example.com\"\n[smtp]\ntransport = \"file\"\n\
             path = \"outgoing\"\n[threading]\nreply_address = \"plus\"\n{}{}\
             [[site]]\nname = \"Contoso\"\ndomains = [\"contoso.example\"]\n{more}",
            mailbox("support"),
            mailbox("sales")
        );
        std::fs::write(&file, text).expect("it is written");
        let environment = Environment::of_process();
        let request = Request { path: Some(file), set: Vec::new(), environment };
        let settings = config::load(&request).expect("it is sound").settings;
        let store = place.open();
        let declared: Vec<_> = settings.sites.iter().map(|one| one.site.clone()).collect();
        let ids = place.ids.clone();
        let default = settings.policy.sites.default.clone();
        write(&store, move |sql| {
            sites::reconcile(sql, &declared, &[&default], &ids, at(0)).map(drop)
        });
        let clock = Arc::new(SetClock::at(at(0)));
        Talk { store, settings, clock, ids: place.ids.clone(), folder }
    }

    /// Takes in a message that came to a mailbox at this second, and decides it.
    pub fn receive(&self, mailbox: &str, second: i64, raw: &str) -> End {
        let base = format!("m{}", count(&self.store, "message"));
        let message = RawMessage {
            mailbox: mailbox.to_owned(),
            origin: Origin::MaildirFile { base },
            arrived_at: at(second),
            intake: Intake::Mailbox,
            raw: raw.as_bytes().to_vec(),
        };
        let arrival = Arrival::new(message, &self.ids);
        write(&self.store, move |sql| {
            spool::spool(sql, std::slice::from_ref(&arrival), at(second), Acknowledge::Never)
        });
        self.decide(second)
    }

    /// Decides what waits, at this second.
    pub fn decide(&self, second: i64) -> End {
        self.clock.set(at(second));
        let options = ingest::Options {
            readers: 1,
            suspects: ingest::Suspects::ReadHere,
            time: TimeOfDecision::Clock,
            worker: "worker".to_owned(),
        };
        let clock: Arc<dyn Clock> = self.clock.clone();
        let policy = Arc::new(self.settings.policy.clone());
        let mut ingest = Ingest::new(self.store.clone(), policy, clock, self.ids.clone(), options);
        let progress = ingest.step().expect("the store is there");
        let decided = progress.decided.into_iter().next().expect("it is decided");
        let Verdict::Decided(decision) = decided.plan.verdict else { panic!("it waits") };
        let story = decided.plan.story.ticket.clone();
        End {
            outcome: Outcome::as_str(decision.outcome),
            reason: Reason::as_str(decision.reason),
            ticket: decided.applied.ticket,
            matched_by: story.matched_by,
            linked_to: story.linked_to,
            visible: decided.plan.reply.visible.trim().to_owned(),
        }
    }

    /// The counter of the desk, at this second.
    pub fn counter(&self, second: i64) -> Counter {
        self.clock.set(at(second));
        let options = counter::Options {
            policy: Arc::new(self.settings.policy.clone()),
            mailbox: "support".to_owned(),
            largest: 10_000_000,
            has_room: Arc::new(|| true),
            wake: Arc::new(|| {}),
        };
        let clock: Arc<dyn Clock> = self.clock.clone();
        Counter::new(self.store.clone(), self.ids.clone(), clock, options)
    }

    /// Sends what is due, and answers what went to this address, as it is read there.
    pub fn sent_to(&self, address: &str) -> Vec<InboundMessage> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let options = self.settings.outbox.clone();
        let outbox =
            Outbox::new(self.store.clone(), clock, self.ids.clone(), options, "sender".to_owned())
                .expect("an outbox opens");
        while outbox.step().expect("the store is there") == Next::Now {}
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.path().join("outgoing/new"))
            .expect("a maildir")
            .map(|entry| entry.expect("a file").path())
            .collect();
        files.sort();
        let mails = files.iter().map(|file| {
            let raw = std::fs::read(file).expect("it can be read");
            mail::read(&raw).expect("our mail can be read")
        });
        mails.filter(|mail| mail.to.iter().any(|to| to.address == address)).collect()
    }

    pub fn messages(&self, ticket: i64) -> Vec<TicketMessage> {
        read(&self.store, |sql| tickets::messages(sql, ticket))
    }

    pub fn run(&self, statement: &'static str) {
        write(&self.store, move |sql| sql.execute(statement, args![]).map(drop));
    }

    pub fn tickets(&self) -> i64 {
        count(&self.store, "ticket")
    }
}

/// A mail to the support mailbox; `fields` end their lines.
pub fn mail_of(name: &str, from: &str, fields: &str, text: &str) -> String {
    mail_to("support@desk.example", name, from, fields, text)
}

pub fn mail_to(to: &str, name: &str, from: &str, fields: &str, text: &str) -> String {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: About {name}\r\n\
         Message-ID: <{name}@mail.example>\r\n{fields}\r\n{text}\r\n"
    )
}

pub fn in_reply_to(id: &str) -> String {
    format!("In-Reply-To: <{id}>\r\nReferences: <{id}>\r\n")
}
