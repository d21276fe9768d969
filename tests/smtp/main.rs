//! Mail that leaves by SMTP: against a sink in this process that speaks TLS, wants a login and fails
//! on request, and the real binary killed while it sends. Takes about ten seconds.

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod cuts;
mod desk;
mod envelopes;
mod kills;
mod lies;
mod logins;
mod outages;
mod speed;
mod tls;
