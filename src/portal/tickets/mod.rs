//! The pages of tickets: lists, a ticket, what users write. A ticket that the user may not see and
//! one that there is not are the same page (T-02, T-05); what a message says is text (T-29).

pub(super) mod body;
pub(super) mod files;
pub(super) mod list;
mod sheet;
mod show;
mod upload;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use super::{Portal, Trouble};
use crate::store::tickets::portal::Reader;
use crate::store::{Sql, StoreError};

/// The pages of tickets.
pub(super) fn pages() -> Router<Arc<Portal>> {
    // How much of it may be files is counted while it is read.
    let written = Router::new()
        .route("/tickets/new", get(write::form).post(write::open))
        .route("/tickets/{number}/reply", post(write::reply))
        .layer(DefaultBodyLimit::max(body::LARGEST));
    Router::new()
        .route("/tickets", get(list::own))
        .route("/site", get(list::sites))
        .route("/tickets/{number}", get(sheet::sheet))
        .route("/tickets/{number}/close", post(write::close))
        .route("/tickets/{number}/reopen", post(write::reopen))
        .route("/tickets/{number}/files/{message}/{file}", get(files::file))
        .merge(written)
}

/// What the user of this id may see; a user who is no more sees nothing.
fn reader(sql: &mut dyn Sql, person: &str) -> Result<Option<Reader>, StoreError> {
    Reader::of(sql, person)
}

/// A number in a path: one way to write each, so that nobody has two addresses for one page.
fn number(written: &str) -> Result<i64, Trouble> {
    let number: Option<i64> = written.parse().ok().filter(|number| *number > 0);
    number.filter(|number| number.to_string() == written).ok_or(Trouble::NotFound)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn t_05_a_ticket_has_one_address() {
        assert_eq!(number("4711").ok(), Some(4711));
        for no in ["0", "-1", "007", "+7", "1e3", " 7", "", "99999999999999999999"] {
            assert!(number(no).is_err(), "{no}");
        }
    }
}
