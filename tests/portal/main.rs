//! The portal over HTTP, in process: a real door on the loopback, and a browser without JavaScript.
//! Takes about a minute: passwords are hashed as they are in earnest, and slow browsers are waited for.

mod crowds;
mod door;
mod heard;
mod house;
mod links;
mod logins;
mod profile;
mod secrets;
mod sessions;
#[path = "../support/mod.rs"]
mod suites;
