//! The door of the portal: opened before anything is taken in hand, and kept open while the
//! configuration is read again.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Result;

use crate::cli::exit::{Exit, failure};
use crate::config::Settings;
use crate::daemon::Furniture;
use crate::portal::open_door;

/// Opens the door that the settings name; none when there is no portal.
pub(super) fn opened(settings: &Settings) -> Result<Option<Arc<TcpListener>>> {
    let Some(portal) = &settings.portal else { return Ok(None) };
    match open_door(portal.listen) {
        Ok(door) => Ok(Some(Arc::new(door))),
        Err(error) => Err(shut(portal.listen, &error)),
    }
}

/// Refuses settings that name another door than the one that is open.
pub(super) fn must_stay(furniture: &Furniture, settings: &Settings) -> Result<()> {
    let listens = |settings: &Settings| settings.portal.as_ref().map(|portal| portal.listen);
    let (before, after) = (listens(&furniture.settings), listens(settings));
    match (before, after) {
        (Some(before), Some(after)) if before != after => Err(failure(
            Exit::Configuration,
            "`http.listen` can change at a restart only\nhint: restart guichet, or put it back",
        )),
        // Whether it can be opened is known before the rooms are emptied for it.
        (None, Some(_)) => opened(settings).map(drop),
        _ => Ok(()),
    }
}

/// The door after settings were read again: the same while there is a portal.
pub(super) fn after_reload(
    furniture: &Furniture,
    settings: &Settings,
) -> Result<Option<Arc<TcpListener>>> {
    match (&furniture.door, &settings.portal) {
        (Some(door), Some(_)) => Ok(Some(door.clone())),
        (None, Some(_)) => opened(settings),
        (_, None) => Ok(None),
    }
}

fn shut(listen: SocketAddr, error: &std::io::Error) -> anyhow::Error {
    let (exit, hint) = match error.kind() {
        ErrorKind::AddrInUse => (
            Exit::Unreachable,
            "another program listens there already (`ss -ltnp` names it), perhaps another guichet: \
             stop it, or set `http.listen` to another port",
        ),
        ErrorKind::AddrNotAvailable => (
            Exit::Configuration,
            "this machine has no such address: set `http.listen` to `127.0.0.1` or to one of its own",
        ),
        ErrorKind::PermissionDenied => (
            Exit::Refused,
            "ports below 1024 need a right of their own: set `http.listen` to a higher one, and put \
             a web server in front of it",
        ),
        _ => {
            (Exit::Unreachable, "set `http.listen` to another address, or see what the system says")
        }
    };
    failure(exit, format!("the portal cannot listen at `{listen}`: {error}\nhint: {hint}"))
}
