//! Disks that are full, slow to come back, read-only or broken, and stores that others hold: nothing
//! is lost, nothing is there twice, somebody is told once, and guichet goes on by itself (P-05, P-06).
//! Mounts small file systems of its own, for which it must be root. Takes about a minute.

#[path = "../support/mod.rs"]
mod support;

mod books;
mod calls;
mod database;
mod floor;
mod full;
mod house;
mod mount;
mod trouble;
