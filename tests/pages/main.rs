//! The pages of tickets and articles, asked for over HTTP at a portal that listens on the loopback,
//! while ingest walks what is written on them. Takes about ten seconds.

mod articles;
mod browser;
mod desk;
mod files;
mod hostile;
mod reading;
mod writing;
