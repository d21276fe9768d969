//! A ticket with its messages: the new text of each, what it quotes folded, pictures and files below.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use minijinja::{Value, context};

use super::{number, reader, show, upload};
use crate::portal::form::Named;
use crate::portal::{Answer, LoggedIn, Portal, PortalUser, Trouble, Visitor, plain};
use crate::store::tickets::EventKind;
use crate::store::tickets::portal::{
    self, Author, Doer, Folded, Found, Happened, Message, Sheet, Standing,
};
use crate::triage::facts::TicketStatus;
use crate::triage::policy::Access;

/// `GET /portal/tickets/NUMBER`.
pub(super) async fn sheet(
    State(portal): State<Arc<Portal>>,
    LoggedIn { visitor, user }: LoggedIn,
    Named(written): Named<String>,
) -> Answer {
    let number = number(&written)?;
    match find(&portal, &user, number).await? {
        Found::Merged(into) => Ok(visitor.go(&format!("tickets/{into}"))),
        Found::Ticket(sheet) => page(&portal, &visitor, &user, &sheet, &Draft::default()),
    }
}

/// An answer that was not taken, and why.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) text: String,
    /// What is wrong with it, in the user's words.
    pub(super) wrong: Option<String>,
}

/// What a number leads this user to.
pub(super) async fn find(
    portal: &Portal,
    user: &PortalUser,
    number: i64,
) -> Result<Found, Trouble> {
    let person = user.id.clone();
    let found = portal
        .read(move |sql| match reader(sql, &person)? {
            Some(reader) => portal::find(sql, &reader, number),
            None => Ok(None),
        })
        .await?;
    found.ok_or(Trouble::NotFound)
}

/// The page of a ticket, with an answer that is to be written again.
pub(super) fn page(
    portal: &Portal,
    visitor: &Visitor,
    user: &PortalUser,
    sheet: &Sheet,
    draft: &Draft,
) -> Answer {
    let subject = show::subject(visitor, &sheet.subject);
    let history = match user.access {
        Access::Full => {
            sheet.history.iter().filter_map(|event| told(portal, visitor, event)).collect()
        }
        Access::Limited => Vec::new(),
    };
    let status = match draft.wrong {
        None => StatusCode::OK,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let values = context! {
        number => sheet.number,
        subject => &subject,
        status => show::status(visitor, sheet.status),
        is_closed => sheet.status == TicketStatus::Closed,
        is_own => sheet.standing == Standing::Requester,
        of_site => sheet.standing == Standing::PrimaryUser,
        requester => &sheet.requester,
        site => &sheet.site,
        opened => show::time(visitor, sheet.created_at),
        messages => sheet.messages.iter()
            .map(|message| shown(portal, visitor, sheet.number, message))
            .collect::<Vec<_>>(),
        history,
        offered => show::offered(portal, visitor, &user.site.1, &sheet.subject),
        text => &draft.text,
        wrong => &draft.wrong,
        once => portal.ids.uuid(),
        upload => upload::limits(portal),
    };
    visitor.page_with(status, "ticket.html", &subject, values)
}

fn shown(portal: &Portal, visitor: &Visitor, ticket: i64, message: &Message) -> Value {
    let (author, name) = match message.author {
        Author::Reader => ("reader", visitor.words("ticket.you")),
        Author::Staff => ("staff", message.from.clone()),
        Author::Other => ("other", message.from.clone()),
    };
    // What staff quotes may hold what was for staff alone.
    let folded = if is_agent(portal, message) { &Folded::Nothing } else { &message.folded };
    let folded = match folded {
        Folded::Nothing => None,
        Folded::Rest(text) => Some(context! {
            label => visitor.words("ticket.rest"),
            text => Value::from_safe_string(plain::html(text)),
        }),
        Folded::Whole(text) => Some(context! {
            label => visitor.words("ticket.whole"),
            text => Value::from_safe_string(plain::html(text)),
        }),
    };
    let mut pictures = Vec::new();
    let mut files = Vec::new();
    for (index, file) in &message.files {
        let is_locked = file.is_locked(&portal.counter.policy().filters);
        let value = context! {
            name => &file.name,
            size => show::size(visitor.locale, file.size),
            link => format!("{}/files/{}/{index}", portal.path(&format!("tickets/{ticket}")), message.n),
            is_locked,
        };
        match show::says_picture(&file.content_type) && !is_locked {
            true => pictures.push(value),
            false => files.push(value),
        }
    }
    context! {
        n => message.n,
        author,
        name,
        is_entered => message.is_entered,
        at => show::time(visitor, message.written_at),
        text => Value::from_safe_string(plain::html(&message.text)),
        is_empty => message.text.is_empty(),
        folded,
        pictures,
        files,
    }
}

fn is_agent(portal: &Portal, message: &Message) -> bool {
    let mut agents = portal.counter.policy().agents.values();
    agents.any(|agent| agent.address.to_string().eq_ignore_ascii_case(&message.from_address))
}

/// A change in words; what only staff knows what to make of is left out.
fn told(portal: &Portal, visitor: &Visitor, event: &Happened) -> Option<Value> {
    let what = match (event.kind, &event.after) {
        (EventKind::Assignee, Some(to)) => {
            let to = agent(portal, to).unwrap_or_else(|| visitor.words("ticket.staff"));
            visitor.words_with("ticket.assigned", &[("to", to)])
        }
        (EventKind::Assignee, None) => visitor.words("ticket.unassigned"),
        (EventKind::Closed, _) => visitor.words("ticket.was_closed"),
        (EventKind::Merged, _) => visitor.words("ticket.merged"),
        (EventKind::Opened, _) => visitor.words("ticket.was_opened"),
        (EventKind::Reopened, _) => visitor.words("ticket.was_reopened"),
        (EventKind::Site, Some(to)) => visitor.words_with("ticket.moved", &[("to", to.clone())]),
        (EventKind::Status, Some(to)) => {
            let to = show::status_word(visitor, TicketStatus::parse(to)?);
            visitor.words_with("ticket.status_changed", &[("to", to)])
        }
        _ => return None,
    };
    let by = match &event.by {
        Doer::Desk => Some(visitor.words("ticket.staff")),
        Doer::Reader => Some(visitor.words("ticket.you")),
        Doer::User(name) => name.clone(),
    };
    Some(context! { what, by, at => show::time(visitor, event.at) })
}

fn agent(portal: &Portal, key: &str) -> Option<String> {
    let mut agents = portal.counter.policy().agents.iter();
    agents.find(|(known, _)| known.as_str() == key).map(|(_, agent)| agent.name.clone())
}
