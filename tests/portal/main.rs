//! The portal over HTTP, in process: a real door on the loopback, and a browser without JavaScript.
//! Takes about a minute: passwords are hashed as they are in earnest.

mod door;
mod house;
mod links;
mod logins;
mod profile;
mod sessions;
#[path = "../support/mod.rs"]
mod suites;
