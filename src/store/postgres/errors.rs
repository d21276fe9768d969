//! What a failure means: told by its SQLSTATE, never by its text. What the server says of a value is
//! left out: it may be mail.

use std::error::Error;
use std::io;

use postgres::error::SqlState;

use crate::net::Server;
use crate::store::StoreError;

/// What a failure takes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The connection: whether a COMMIT on its way was carried out is not known.
    Connection,
    /// The statement, and what the savepoint around it holds.
    Statement,
    /// The whole transaction: it must begin again, and may succeed then.
    Transaction,
}

/// What a failure of a statement takes with it.
pub(super) fn reach(error: &postgres::Error) -> Reach {
    match error.code() {
        Some(code) if is_conflict(code) => Reach::Transaction,
        Some(code) if is_loss(code) => Reach::Connection,
        Some(_) => Reach::Statement,
        None if error.is_closed() || broken(error).is_some() => Reach::Connection,
        None => Reach::Statement,
    }
}

/// Why a statement failed.
pub(super) fn explain(error: &postgres::Error, place: &str, statement: &str) -> StoreError {
    let place = place.to_owned();
    let said = said(error);
    let Some(code) = error.code() else {
        return match reach(error) {
            Reach::Connection => StoreError::Unreachable { place, said },
            _ => StoreError::Refused { statement: shown(statement), said },
        };
    };
    match code {
        code if is_conflict(code) => StoreError::Raced(said),
        code if is_loss(code) => StoreError::Unreachable { place, said },
        &SqlState::UNIQUE_VIOLATION => StoreError::Raced(said),
        &SqlState::LOCK_NOT_AVAILABLE | &SqlState::OUT_OF_MEMORY | &SqlState::QUERY_CANCELED => {
            StoreError::Busy(place)
        }
        &SqlState::DISK_FULL => StoreError::Full(place),
        // Something is short, or the server's own disk or system fails it: not what we asked for.
        code if is_short(code) => StoreError::Busy(place),
        code if code.code().starts_with("58") => StoreError::Disk { path: place, said },
        &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => {
            StoreError::Damaged { path: place, said }
        }
        &SqlState::INSUFFICIENT_PRIVILEGE | &SqlState::INVALID_SCHEMA_NAME => {
            StoreError::Forbidden { place, said }
        }
        _ => StoreError::Refused { statement: shown(statement), said },
    }
}

/// Why the server was not reached, or does not let us in.
pub(super) fn unconnected(
    error: &postgres::Error,
    place: &str,
    user: &str,
    server: &Server,
) -> StoreError {
    let place = place.to_owned();
    match error.code() {
        Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
            StoreError::LoginRefused { place, user: user.to_owned(), said: said(error) }
        }
        Some(&SqlState::INVALID_CATALOG_NAME) => StoreError::NoDatabase { place },
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            StoreError::Forbidden { place, said: said(error) }
        }
        // Something is short, or the server is going or coming.
        Some(code) if is_loss(code) || is_short(code) => {
            StoreError::Unreachable { place, said: said(error) }
        }
        Some(_) => StoreError::NotAgreed { place, said: said(error) },
        None => match broken(error) {
            Some(io) if is_about_tls(io) => StoreError::Net(server.refused(io).to_string()),
            Some(_) => StoreError::Unreachable { place, said: said(error) },
            None if error.is_closed() => StoreError::Unreachable { place, said: said(error) },
            // No TLS on the other side, a way to log in that nobody here knows, no password.
            None => StoreError::NotAgreed { place, said: said(error) },
        },
    }
}

// Another transaction was in the way.
fn is_conflict(code: &SqlState) -> bool {
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code)
}

// The connection is gone, or leads to a server that is going, coming, or no longer the one to write
// to (25006, after a failover).
fn is_loss(code: &SqlState) -> bool {
    code.code().starts_with("08")
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::CRASH_SHUTDOWN,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::TOO_MANY_CONNECTIONS,
        ]
        .contains(code)
}

fn is_short(code: &SqlState) -> bool {
    code.code().starts_with("53")
}

// What went wrong with the connection; a value that cannot be sent is no such thing.
fn broken(error: &postgres::Error) -> Option<&io::Error> {
    let io = error.source()?.downcast_ref::<io::Error>()?;
    let is_value = matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported);
    (!is_value).then_some(io)
}

fn is_about_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

// Class 22 names the value it does not like.
fn said(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(told) if told.code().code().starts_with("22") => {
            format!("a value is not as it should be (SQLSTATE {})", told.code().code())
        }
        Some(told) => format!("{} (SQLSTATE {})", told.message(), told.code().code()),
        None => match error.source() {
            Some(source) => source.to_string(),
            None => error.to_string(),
        },
    }
}

fn shown(statement: &str) -> String {
    statement.split_whitespace().collect::<Vec<_>>().join(" ")
}
