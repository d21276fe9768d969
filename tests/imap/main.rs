//! Mailboxes on IMAP servers: the cases of mail.md §9 and what threats.md says of servers, against
//! Dovecot where it can show them, else against a scripted server that plays `fixtures/dialogues`.
//! Takes about a minute on two cores.

#[path = "../support/mod.rs"]
mod support;

mod broken;
mod commands;
mod cuts;
mod desk;
mod house;
mod lies;
mod mutations;
mod neighbours;
mod pace;
mod positions;
mod renumbered;
mod restless;
mod restored;
mod safety;
mod settling;
mod stalls;
mod starts;
