#![forbid(unsafe_code)]
//! guichet turns the mail of support mailboxes into tickets: the right one, of the right user, at the
//! right site, exactly once.
//!
//! What guichet does about a message is decided by pure functions; around them stands a plain shell
//! that fetches, remembers and sends.
//!
//! ```text
//!  mailbox ──► intake ──► spool ══► mail::read ──► triage::ask ──► Facts ──► triage::decide ──► apply ══► acknowledge
//!  (imap,                 (raw,      InboundMessage  Questions     (store)   Plan               │        (mailbox)
//!   maildir)               durable)  pure            pure                    pure               ▼
//!                                                                            users, tickets, outgoing mails, decision
//!                                                                                               │
//!                                                                  outbox ◄─────────────────────┘ ──► render ──► transport
//!                                                                                                     (smtp, file, none)
//!  portal, cli ──► counter ──► spool: what people write there walks the same way
//! ```
//!
//! | room | | |
//! |---|---|---|
//! | [`mail`] | pure | turns bytes into an [`mail::InboundMessage`] |
//! | [`triage`] | pure | turns a message and facts into a [`triage::Plan`]; signs ids, and knows its own again |
//! | [`intake`] | shell | brings raw messages in from IMAP servers, maildirs and files, tells a mailbox which are safe |
//! | [`ingest`] | shell | walks messages from claim to decision |
//! | [`counter`] | shell | what people do at the counter: staff, users, an operator; one function each |
//! | [`store`] | shell | remembers, one transaction at a time, in SQLite or PostgreSQL; shares the work among workers |
//! | [`outbox`] | shell | renders outgoing mail and gets it away, by SMTP or into a maildir |
//! | [`portal`] | shell | the web pages of end users |
//! | [`cli`] | shell | the commands, one file a noun |
//! | [`config`] | edge | the file as written, the settings as used |
//! | [`daemon`] | edge | starts the rooms, watches them, stops them |
//! | [`clock`] | edge | the only sources of time and chance |
//! | [`faults`] | edge | where tests break the program; nothing in a program for users |
//! | [`net`] | edge | reaches servers for `intake`, `outbox` and `store`: TCP, TLS, timeouts |
//!
//! Who may use whom is written down, and checked, in `tests/rooms.rs`.

pub mod cli;
pub mod clock;
pub mod config;
pub mod counter;
pub mod daemon;
pub mod faults;
pub mod ingest;
pub mod intake;
pub mod mail;
pub mod net;
pub mod outbox;
pub mod portal;
pub mod store;
pub mod triage;
