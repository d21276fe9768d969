//! Values for tests: a desk, a message, what the store knows. Each test changes what it is about.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::facts::*;
use super::keys::{Keyring, SigningKey};
use super::policy::*;
use super::sites;
use crate::mail::address::PlusTag;
use crate::mail::authentication::{Findings, Trace};
use crate::mail::*;

pub const DESK: &str = "support@helpdesk.example";
pub const AGENT: &str = "anna@helpdesk.example";
pub const CLAIRE: &str = "claire.johnson@myorg.example";
pub const MAILBOX: &str = "support";

/// Noon of some day; every message of these samples arrives then.
pub fn noon() -> Timestamp {
    "2026-01-05T12:00:00Z".parse().expect("a time")
}

pub fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

pub fn address(written: &str) -> Address {
    Address::parse(written).expect("a good address")
}

pub fn key(written: &str) -> AddressKey {
    address(written).key(PlusTag::Strip)
}

pub fn id(written: &str) -> MessageId {
    MessageId::parse(written).expect("a usable id")
}

pub fn named(written: &str) -> NamedAddress {
    NamedAddress { address: written.to_owned(), name: None }
}

pub fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: value.to_owned() }
}

pub fn list(entries: &[&str]) -> AddressList {
    let mut list = AddressList::default();
    for entry in entries {
        match entry.strip_prefix('@') {
            Some(domain) => list.domains.insert(domain.to_owned()),
            None => list.keys.insert(key(entry)),
        };
    }
    list
}

/// A mail from a person to the desk, without any mark of a machine.
pub fn mail_from(from: &str) -> InboundMessage {
    InboundMessage {
        size: 2000,
        flags: BTreeSet::new(),
        content_hash: ContentHash([7; 32]),
        message_id: id("new@mail.example"),
        in_reply_to: Vec::new(),
        references: Vec::new(),
        date: WrittenDate { at: Some(noon()), written: None },
        subject: "Printer".to_owned(),
        from: vec![named(from)],
        sender: None,
        reply_to: Vec::new(),
        to: vec![named(DESK)],
        cc: Vec::new(),
        resent_from: None,
        return_path: ReturnPath::Address(from.to_owned()),
        delivered_to: vec![DESK.to_owned()],
        received: 3,
        authentication: Authentication::default(),
        spam: Vec::new(),
        headers: vec![header("From", from), header("To", DESK), header("Subject", "Printer")],
        marks: Marks::default(),
        text: "It stops after each page.\n".to_owned(),
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

/// The desk's own server, which it trusts.
pub const SERVER: &str = "mx.helpdesk.example";

/// `message`, with findings of [`SERVER`] about its sender.
pub fn verified_as(findings: &str, message: InboundMessage) -> InboundMessage {
    let field = format!("{SERVER}; {findings}");
    let findings = Trace::Findings(Findings::read(field.as_bytes()));
    InboundMessage { authentication: Authentication(vec![findings]), ..message }
}

/// A mark of a machine or a list.
pub fn signal(strength: Strength, rule: &'static str, said: &str) -> Signal {
    Signal { strength, rule, said: said.to_owned(), answers: said.contains("repl") }
}

/// The key that signs.
pub fn key_of_ours() -> SigningKey {
    SigningKey::new('k', [7; 32]).expect("a name of a key")
}

pub fn keys() -> Keyring {
    Keyring::new(vec![key_of_ours()])
}

/// What a desk with one mailbox, one agent and the defaults of interfaces §3 wishes.
pub fn policy() -> Policy {
    let mailbox = MailboxPolicy {
        name: MAILBOX.to_owned(),
        address: address(DESK),
        aliases: Vec::new(),
        department: Some("Helpdesk".to_owned()),
        default_site: None,
        message_id_domain: "helpdesk.example".to_owned(),
        server: TrustedServer::None,
    };
    let agent = Agent {
        name: "Anna Weiss".to_owned(),
        address: address(AGENT),
        sites: Vec::new(),
        // What staff hears is the matter of few tests.
        notify: BTreeSet::new(),
    };
    Policy {
        mailboxes: BTreeMap::from([(MAILBOX.to_owned(), mailbox)]),
        own: BTreeSet::from([key(DESK)]),
        users: UserPolicy {
            auto_create: true,
            name_from: NameFrom::Address,
            access: Access::Limited,
            strip_plus_tag: true,
            allow: AddressList::default(),
            deny: AddressList::default(),
            reply_to_senders: AddressList::default(),
            names: NamePolicy { split_on: ".".to_owned(), no_split: NoSplit::Repeat },
        },
        credentials: CredentialsPolicy {
            send: true,
            template: "credentials".to_owned(),
            max_age: hours(7 * 24),
            require: RequiredProof::PassIfKnown,
            unassigned: true,
            mode: CredentialsMode::Auto,
        },
        sites: SitePolicy {
            default: "Unassigned".to_owned(),
            match_subdomains: true,
            public_domains: sites::builtin_public_domains(),
        },
        threading: ThreadingPolicy {
            subject_tag: "[#{number}]".to_owned(),
            use_references: true,
            use_body_token: true,
            sender_check: SenderCheck::Site,
            reopen_within: hours(14 * 24),
        },
        filters: FilterPolicy {
            auto_reply: AutoReplyFilter::Attach,
            auto_generated: MachineFilter::Ticket,
            bounce: BounceFilter::Attach,
            list: MachineFilter::Ticket,
            spam_headers: SuspicionFilter::Flag,
            dmarc_fail: SuspicionFilter::Flag,
            blocked_attachments: [".exe", ".js", ".scr"].map(str::to_owned).to_vec(),
        },
        limits: LimitPolicy::default(),
        agents: BTreeMap::from([(key(AGENT), agent)]),
        announce: Announced::ALL.into_iter().collect(),
        locale: "en".to_owned(),
        portal: Portal::Present,
    }
}

/// The same, which trusts [`SERVER`].
pub fn trusting_policy() -> Policy {
    let mut policy = policy();
    let mailbox = policy.mailboxes.get_mut(MAILBOX).expect("the desk has a mailbox");
    mailbox.server = TrustedServer::Named(SERVER.to_owned());
    policy
}

pub fn default_site() -> SiteFacts {
    SiteFacts {
        id: "site-0".to_owned(),
        name: "Unassigned".to_owned(),
        locale: None,
        credentials: true,
        is_default: true,
        matched_by: SiteMatch::Default,
        sender_is_primary: false,
    }
}

/// The site `My Org`, found by its domain.
pub fn my_org() -> SiteFacts {
    SiteFacts {
        id: "site-1".to_owned(),
        name: "My Org".to_owned(),
        is_default: false,
        matched_by: SiteMatch::Domain("myorg.example".to_owned()),
        ..default_site()
    }
}

/// The store of a desk that nobody has written to yet.
pub fn facts() -> Facts {
    Facts {
        now: noon(),
        arrived_at: noon(),
        counted_at: noon(),
        intake: Intake::Mailbox,
        duplicate_of: None,
        message_id_known: false,
        user: None,
        tickets: Vec::new(),
        sites: vec![my_org()],
        default_site: default_site(),
        room: Room::default(),
        budget: CredentialsBudget::default(),
        bounced: None,
        told_too_large: Vec::new(),
        leaked: Vec::new(),
    }
}

/// Claire, who wrote before and has her credentials.
pub fn claire() -> UserFacts {
    UserFacts {
        id: "user-claire".to_owned(),
        status: UserStatus::Active,
        first_name: "Claire".to_owned(),
        last_name: "Johnson".to_owned(),
        address: address(CLAIRE),
        access: Access::Limited,
        site: SiteFacts { matched_by: SiteMatch::Kept, ..my_org() },
        site_placed: false,
        no_tickets: false,
        locale: None,
        credentials: CredentialsState::Sent,
        undeliverable: false,
        credentials_bounced: false,
    }
}

/// Ticket 7 of My Org, open, to which a reference in In-Reply-To leads.
pub fn ticket(sender_role: Option<TicketRole>) -> TicketFacts {
    TicketFacts {
        number: 7,
        evidence: TicketEvidence::Reference {
            id: id("root@mail.example"),
            found_in: FoundIn::InReplyTo,
            seen: true,
        },
        status: TicketStatus::Open,
        staff_only: false,
        closed_at: None,
        last_message_at: noon() - hours(5),
        subject: "Printer".to_owned(),
        site: SiteFacts { matched_by: SiteMatch::Kept, ..my_org() },
        assignee: None,
        requester: None,
        sender_role,
        known: HashSet::new(),
    }
}
