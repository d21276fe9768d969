//! How an answer ends, and what a server says that it can do.

use std::collections::HashSet;

use async_imap::imap_proto::{Capability, Outcome, Response, ResponseCode, Status};

use super::error;

/// The tagged end of an answer.
pub(super) struct Reply {
    pub(super) status: Status,
    /// Its response code in capitals, e.g. `TRYCREATE`; empty without one.
    pub(super) code: String,
    pub(super) said: String,
}

impl Reply {
    pub(super) fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }
}

pub(super) fn reply(status: &Status, outcome: &Outcome<'_>) -> Reply {
    let text = outcome.information.as_deref().unwrap_or_default();
    let said = error::words(text);
    let code = match &outcome.code {
        Some(ResponseCode::ReadOnly) => "READ-ONLY".to_owned(),
        Some(ResponseCode::TryCreate) => "TRYCREATE".to_owned(),
        _ => error::code(&said),
    };
    let status = match status {
        Status::Ok => Status::Ok,
        Status::No => Status::No,
        Status::Bad => Status::Bad,
        Status::PreAuth => Status::PreAuth,
        Status::Bye => Status::Bye,
    };
    Reply { status, code, said }
}

pub(super) fn offers(outcome: &Outcome<'_>) -> Option<HashSet<String>> {
    match &outcome.code {
        Some(ResponseCode::Capabilities(list)) => Some(list.iter().map(word).collect()),
        _ => None,
    }
}

/// The UIDVALIDITY that a response tells, asked for or not.
pub(super) fn validity_in(response: &Response<'_>) -> Option<u32> {
    match response {
        Response::Data { outcome, .. } | Response::Done { outcome, .. } => match outcome.code {
            Some(ResponseCode::UidValidity(validity)) => Some(validity),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn word(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_ascii_uppercase()),
        Capability::Atom(word) => word.to_ascii_uppercase(),
    }
}
