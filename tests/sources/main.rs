//! Mailboxes as other programs leave them: what is brought in, in which order, and what is done to
//! a message in its mailbox once it is safe.

mod after;
mod arrivals;
mod desk;
mod files;
mod looks;
