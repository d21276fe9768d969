//! What the tests of this room share: settings, ids, a letter.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Options, SenderOptions, Tagging, TemplateOptions, TransportOptions};
use crate::clock::{Ids, SeededChance, SetClock};
use crate::store::mailboxes::Tags;
use crate::store::outbox::{Letter, LetterTicket};
use crate::triage::facts::TicketStatus;
use crate::triage::keys::SigningKey;
use crate::triage::plan::MailCause;
use crate::triage::policy::CredentialsMode;

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("in range")
}

pub fn ids() -> Ids {
    Ids::new(Arc::new(SetClock::at(at(0))), Arc::new(SeededChance::new(7)))
}

/// The key that signs.
pub fn key() -> SigningKey {
    SigningKey::new('k', [7; 32]).expect("a name of a key")
}

pub fn options() -> Options {
    let sender = SenderOptions {
        address: "support@help.example".to_owned(),
        name: Some("Example IT".to_owned()),
        mailbox_address: "support@help.example".to_owned(),
        relay: None,
        envelope: Tagging::Auto,
        reply_address: Tagging::Auto,
        proves_senders: false,
    };
    Options {
        transport: TransportOptions::None,
        senders: BTreeMap::from([("support".to_owned(), sender)]),
        agents: BTreeMap::new(),
        templates: TemplateOptions::default(),
        portal_url: Some("https://help.example".to_owned()),
        portal_name: "Example IT support".to_owned(),
        locale: "en".to_owned(),
        timezone: "UTC".to_owned(),
        subject_tag: "[#{number}]".to_owned(),
        use_body_token: true,
        credentials_mode: CredentialsMode::Auto,
        link_expires: SignedDuration::from_hours(7 * 24),
        password_expires: SignedDuration::from_hours(24),
        retry: vec![SignedDuration::from_mins(1), SignedDuration::from_mins(5)],
    }
}

pub fn letter() -> Letter {
    Letter {
        id: 1,
        template: "ticket_received".to_owned(),
        to: "claire@customer.example".to_owned(),
        mailbox: "support".to_owned(),
        locale: "en".to_owned(),
        message_id: key().message_id(4711, 1, "help.example"),
        cause: MailCause::Notice,
        queued_at: at(0),
        attempts: 0,
        person: None,
        ticket: Some(LetterTicket {
            number: 4711,
            subject: "Printer".to_owned(),
            status: TicketStatus::Open,
            department: None,
            assignee: None,
            priority: None,
            requester_address: "claire@customer.example".to_owned(),
            requester_name: None,
            created_at: at(0),
        }),
        site: None,
        message: None,
        event: None,
        tags: Tags::Unknown,
    }
}
