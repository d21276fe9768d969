//! The first page: whoever comes in is shown their tickets.

use std::sync::Arc;

use axum::extract::State;

use super::form::Asked;
use super::tickets::list;
use super::{Answer, LoggedIn, Portal};

/// `GET /portal/`.
pub(super) async fn home(portal: State<Arc<Portal>>, user: LoggedIn, query: Asked) -> Answer {
    list::own(portal, user, query).await
}
