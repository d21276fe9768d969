//! A place for a store, and values to fill it with.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use guichet::clock::{Ids, SeededChance, SetClock};
use guichet::mail::address::PlusTag;
use guichet::mail::reply::Reply;
use guichet::mail::{
    Address, AddressKey, Authentication, ContentHash, Dmarc, InboundMessage, Marks, MessageId,
    NamedAddress, ReturnPath, TextFrom, WrittenDate,
};
use guichet::store::outbox::{self, QueuedFor};
use guichet::store::sites::DeclaredSite;
use guichet::store::spool::{self, Acknowledge, Arrival, Claim, Origin, RawMessage};
use guichet::store::{Durability, Location, Options, Sql, Store, StoreError, facts, sites};
use guichet::triage::facts::{
    CredentialsState, Door, Facts, FoundIn, Intake, Questions, Reference, Sender, SenderAnswer,
    Signed, TicketRole,
};
use guichet::triage::plan::{
    Decision, Effect, MadeBy, MailCause, MessageAuthor, NewMessage, NewTicket, NewUser, Outcome,
    OutgoingMail, Plan, Reason, Story, TicketRef, UserRef, UserStory, Verdict,
};
use guichet::triage::policy::{Access, LimitPolicy};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::suites::postgres;

pub const DEFAULT_SITE: &str = "Unassigned";

/// Where a test's store is; gone with the test, or with the server of this binary.
pub struct Place {
    dir: TempDir,
    location: Location,
    clock: Arc<SetClock>,
    pub ids: Ids,
}

impl Place {
    /// A schema of the server that the tests share.
    pub fn postgres() -> Place {
        Place::at(|_| Location::Postgres(postgres::options(&postgres::fresh_schema().url)))
    }

    pub fn sqlite() -> Place {
        Place::at(|folder| Location::Sqlite(folder.join("guichet.db")))
    }

    fn at(location: impl FnOnce(&Path) -> Location) -> Place {
        let clock = Arc::new(SetClock::at(at(0)));
        let ids = Ids::new(clock.clone(), Arc::new(SeededChance::new(1)));
        let dir = tempfile::tempdir().expect("a temporary directory");
        Place { location: location(dir.path()), dir, clock, ids }
    }

    /// Ids minted from now on are of this second.
    pub fn tick(&self, seconds: i64) {
        self.clock.set(at(seconds));
    }

    /// The database of a SQLite store.
    pub fn file(&self) -> PathBuf {
        self.dir.path().join("guichet.db")
    }

    pub fn options(&self) -> Options {
        Options { location: self.location.clone(), durability: Durability::None }
    }

    pub fn try_open(&self) -> Result<Store, StoreError> {
        Store::open(&self.options(), at(0))
    }

    /// An open store with a default site.
    pub fn open(&self) -> Store {
        self.open_with(&[])
    }

    /// An open store with these sites and a default one.
    pub fn open_with(&self, declared: &[DeclaredSite]) -> Store {
        let store = self.try_open().expect("a store opens");
        let (declared, ids) = (declared.to_vec(), self.ids.clone());
        write(&store, move |sql| {
            sites::reconcile(sql, &declared, &[DEFAULT_SITE], &ids, at(0)).map(drop)
        });
        store
    }

    /// Spools a message that arrived at `arrived` and claims it.
    pub fn receive(&self, store: &Store, name: &str, arrived: i64) -> Claim {
        self.tick(arrived);
        let arrival = self.arrival(name, arrived, b"Subject: x\n\nx\n");
        write(store, move |sql| {
            spool::spool(
                sql,
                std::slice::from_ref(&arrival),
                at(arrived),
                Acknowledge::AfterDecision,
            )?;
            Ok(claim(sql, arrived, 1)?.pop().expect("the message is waiting"))
        })
    }

    /// Queues the `n`-th mail of ours.
    pub fn queue_mail(&self, store: &Store, n: usize) {
        let mail = OutgoingMail {
            template: "credentials".to_owned(),
            to: address(&format!("claire{n}@contoso.example")),
            user: None,
            ticket: None,
            mailbox: "support".to_owned(),
            message_id_domain: "desk.example".to_owned(),
            locale: "en".to_owned(),
            site: String::new(),
            cause: MailCause::Notice,
        };
        let ids = self.ids.clone();
        write(store, move |sql| outbox::queue(sql, &mail, QueuedFor::default(), &ids, at(0)));
    }

    pub fn arrival(&self, name: &str, arrived: i64, raw: &[u8]) -> Arrival {
        let message = RawMessage {
            mailbox: "support".to_owned(),
            origin: Origin::MaildirFile { base: name.to_owned() },
            arrived_at: at(arrived),
            intake: Intake::Mailbox,
            raw: raw.to_vec(),
        };
        Arrival::new(message, &self.ids)
    }
}

/// `seconds` after the beginning of the tests' time.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a time in range")
}

pub fn write<T: Send + 'static>(
    store: &Store,
    work: impl FnMut(&mut dyn Sql) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.transact(work).expect("the work succeeds")
}

pub fn read<T>(store: &Store, work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>) -> T {
    store.read_only(work).expect("reading succeeds")
}

pub fn count(store: &Store, table: &str) -> i64 {
    read(store, |sql| sql.query(&format!("SELECT COUNT(*) FROM {table}"), &[])?[0].int(0))
}

pub fn claim(sql: &mut dyn Sql, now: i64, limit: u32) -> Result<Vec<Claim>, StoreError> {
    spool::claim(sql, "worker", at(now), SignedDuration::from_mins(5), limit, 1 << 20)
}

pub fn address(text: &str) -> Address {
    Address::parse(text).expect("a good address")
}

pub fn key(text: &str) -> AddressKey {
    address(text).key(PlusTag::Strip)
}

pub fn id(text: &str) -> MessageId {
    MessageId::parse(text).expect("a usable id")
}

pub fn site(name: &str, domains: &[&str]) -> DeclaredSite {
    DeclaredSite {
        name: name.to_owned(),
        domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
        addresses: Vec::new(),
        primary_users: Vec::new(),
        locale: None,
        credentials: true,
    }
}

/// A message whose content and id follow from `name`.
pub fn message(name: &str, from: &str) -> InboundMessage {
    let mut hash = [0; 32];
    for (byte, of_name) in hash.iter_mut().zip(name.bytes()) {
        *byte = of_name;
    }
    InboundMessage {
        size: 100,
        flags: BTreeSet::new(),
        content_hash: ContentHash(hash),
        message_id: id(&format!("{name}@sender.example")),
        in_reply_to: Vec::new(),
        references: Vec::new(),
        date: WrittenDate::default(),
        subject: format!("About {name}"),
        from: vec![NamedAddress { address: from.to_owned(), name: Some("Claire".to_owned()) }],
        sender: None,
        reply_to: Vec::new(),
        to: Vec::new(),
        cc: Vec::new(),
        resent_from: None,
        return_path: ReturnPath::Absent,
        delivered_to: Vec::new(),
        received: 0,
        authentication: Authentication::default(),
        spam: Vec::new(),
        headers: Vec::new(),
        marks: Marks::default(),
        text: "Hello".to_owned(),
        secret_hashes: Vec::new(),
        text_from: TextFrom::Plain,
        text_marks: Vec::new(),
        html: None,
        attachments: Vec::new(),
        attached_message: None,
        signals: Vec::new(),
        report: None,
    }
}

pub fn questions(message: &InboundMessage) -> Questions {
    let from = address(&message.from[0].address);
    let own = Reference { id: message.message_id.clone(), found_in: FoundIn::OwnId };
    Questions {
        mailbox: "support".to_owned(),
        door: Door::Mail,
        is_of_staff: false,
        content_hash: message.content_hash,
        message_id: message.message_id.clone(),
        site_domains: vec![from.domain().to_owned()],
        sender: SenderAnswer::Known(Sender {
            key: from.key(PlusTag::Strip),
            address: from,
            name: None,
            evidence: "sender: from".to_owned(),
            fallback: false,
            relayed: false,
        }),
        references: vec![own],
        tagged: Vec::new(),
        default_site: DEFAULT_SITE.to_owned(),
        signed: Signed::default(),
        dmarc: Dmarc::default(),
        forwarded: None,
        limits: LimitPolicy::default(),
        reply: None,
        secrets: message.secret_hashes.clone(),
        known: Vec::new(),
    }
}

pub fn gather(sql: &mut dyn Sql, asked: &Questions, claim: &Claim, now: i64) -> Facts {
    facts::gather(sql, asked, &claim.arrived, at(now)).expect("facts are gathered")
}

pub fn plan(reason: Reason, outcome: Outcome, effects: Vec<Effect>) -> Plan {
    Plan {
        verdict: Verdict::Decided(Decision { outcome, reason }),
        effects,
        flags: Vec::new(),
        reply: Reply::default(),
        counts: None,
        story: Story::default(),
    }
}

/// The plan for a first contact: user, ticket, both mails.
pub fn first_contact(message: &InboundMessage, facts: &Facts) -> Plan {
    let from = address(&message.from[0].address);
    let sender = from.key(PlusTag::Strip);
    let place = facts.sites.first().unwrap_or(&facts.default_site).id.clone();
    let mail = |template: &str, ticket, cause| {
        Effect::Queue(OutgoingMail {
            template: template.to_owned(),
            to: from.clone(),
            user: Some(UserRef::New),
            ticket,
            mailbox: "support".to_owned(),
            message_id_domain: "desk.example".to_owned(),
            locale: "en".to_owned(),
            site: place.clone(),
            cause,
        })
    };
    let answer = MailCause::Answer {
        parent: message.message_id.clone(),
        parent_references: message.references.clone(),
    };
    let mut plan = plan(
        Reason::TicketCreated,
        Outcome::Accepted,
        vec![
            Effect::CreateUser(NewUser {
                address: from.clone(),
                key: sender.clone(),
                first_name: "Claire".to_owned(),
                last_name: "Johnson".to_owned(),
                derived: true,
                access: Access::Limited,
                site: place.clone(),
                is_primary: false,
                made_by: MadeBy::Mail,
                credentials: CredentialsState::Due,
            }),
            open_ticket(message, Some(UserRef::New), &place),
            Effect::AddMessage(NewMessage {
                ticket: TicketRef::New,
                author: MessageAuthor::Person(Some(UserRef::New)),
                people: vec![(sender.clone(), TicketRole::Requester)],
                ids: ids_of(message),
                known: Vec::new(),
                repeats: Vec::new(),
                note: None,
            }),
            mail("ticket_received", Some(TicketRef::New), answer),
            mail("credentials", None, MailCause::Notice),
        ],
    );
    plan.counts = Some(sender);
    plan.story.user = Some(UserStory {
        address: from.to_string(),
        first_name: "Claire".to_owned(),
        last_name: "Johnson".to_owned(),
        name: "Claire Johnson".to_owned(),
        is_new: true,
        name_from: Some("address".to_owned()),
    });
    plan
}

/// The plan for a ticket of its own, without user or mails.
pub fn ticket_only(message: &InboundMessage, facts: &Facts) -> Plan {
    let people = vec![(key(&message.from[0].address), TicketRole::Requester)];
    let author = MessageAuthor::Person(None);
    let new = NewMessage {
        ticket: TicketRef::New,
        author,
        people,
        ids: ids_of(message),
        known: Vec::new(),
        repeats: Vec::new(),
        note: None,
    };
    let open = open_ticket(message, None, &facts.default_site.id);
    plan(Reason::TicketCreated, Outcome::Accepted, vec![open, Effect::AddMessage(new)])
}

fn open_ticket(message: &InboundMessage, user: Option<UserRef>, site: &str) -> Effect {
    Effect::OpenTicket(NewTicket {
        subject: message.subject.clone(),
        requester_address: message.from[0].address.clone(),
        requester_key: key(&message.from[0].address),
        requester_name: None,
        user,
        site: site.to_owned(),
        mailbox: "support".to_owned(),
        department: None,
        staff_only: false,
    })
}

fn ids_of(message: &InboundMessage) -> Vec<MessageId> {
    let named = message.in_reply_to.iter().chain(&message.references).cloned();
    std::iter::once(message.message_id.clone()).chain(named).collect()
}
