//! What users write: an answer, a new ticket; and closing a ticket or opening it again. What is
//! written is safe before the browser hears of it, and walks like a mail; the page that follows shows
//! it when that took no longer than a moment.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use minijinja::context;

use super::body::Parts;
use super::upload::{self, Beyond, Written};
use super::{number, sheet, show};
use crate::counter::{Actor, CounterError, Outcome, TicketChange, Writing};
use crate::portal::form::{Asked, Named};
use crate::portal::lockouts::{Trial, Whom};
use crate::portal::{Answer, Limit, LoggedIn, Portal, PortalUser, Posted, Trouble, Visitor};
use crate::store::attempts::{Counts, Refusal, Tried};
use crate::store::tickets::portal::Found;
use crate::triage::facts::TicketStatus;
use crate::triage::policy::Rate;

// How long a browser waits for what becomes of a message.
const MOMENT: Duration = Duration::from_secs(2);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
const LONGEST_SUBJECT: usize = 200;
// What waits to be read is looked at again after this.
const A_WHILE: SignedDuration = SignedDuration::from_mins(5);

/// `POST /portal/tickets/NUMBER/reply`.
pub(super) async fn reply(
    State(portal): State<Arc<Portal>>,
    LoggedIn { visitor, user }: LoggedIn,
    Named(written): Named<String>,
    form: Result<Parts, Trouble>,
) -> Answer {
    let number = number(&written)?;
    let sheet = match sheet::find(&portal, &user, number).await? {
        Found::Merged(into) => return Ok(visitor.go(&format!("tickets/{into}"))),
        Found::Ticket(sheet) => sheet,
    };
    let written = Written::read(&portal, &visitor, form?).await?;
    let again = |text: String, wrong: Wrong| {
        let wrong = Some(wrong.said(&visitor, &portal));
        sheet::page(&portal, &visitor, &user, &sheet, &sheet::Draft { text, wrong })
    };
    if let Some(wrong) = Wrong::in_message(&written) {
        return again(written.text, wrong);
    }
    let text = written.text.clone();
    match hand_in(&portal, &user, Some(number), written).await? {
        Ok(message) => {
            let outcome = outcome(&portal, message).await?;
            Ok(answered(&visitor, number, outcome))
        }
        Err(wrong) => again(text, wrong),
    }
}

fn answered(visitor: &Visitor, number: i64, outcome: Option<Outcome>) -> axum::response::Response {
    match outcome {
        None => visitor.go_saying(&said_at(number), "received"),
        Some(Outcome { ticket: Some(ticket), .. }) if ticket == number => {
            visitor.go_saying(&said_at(number), "reply_sent")
        }
        // The old one was closed too long ago (M-86).
        Some(Outcome { ticket: Some(ticket), .. }) => {
            visitor.go_saying(&said_at(ticket), "follow_up")
        }
        Some(_) => visitor.go_saying(&said_at(number), "held"),
    }
}

// Where the page of a ticket says what was done.
fn said_at(number: i64) -> String {
    format!("tickets/{number}#said")
}

/// `GET /portal/tickets/new`.
pub(super) async fn form(
    State(portal): State<Arc<Portal>>,
    LoggedIn { visitor, user }: LoggedIn,
    query: Asked,
) -> Answer {
    let asked = line(&query.line("q", LONGEST_SUBJECT));
    let draft = Draft { subject: asked.clone(), asked, ..Draft::default() };
    form_page(&portal, &visitor, &user, &draft)
}

/// `POST /portal/tickets/new`.
pub(super) async fn open(
    State(portal): State<Arc<Portal>>,
    LoggedIn { visitor, user }: LoggedIn,
    form: Result<Parts, Trouble>,
) -> Answer {
    let mut written = Written::read(&portal, &visitor, form?).await?;
    written.subject = line(&written.subject);
    let mut draft =
        Draft { subject: written.subject.clone(), text: written.text.clone(), ..Draft::default() };
    let length = written.subject.chars().count();
    if length == 0 || length > LONGEST_SUBJECT {
        let wrong = if length == 0 { Wrong::NoSubject } else { Wrong::LongSubject };
        draft.wrong_subject = Some(wrong.said(&visitor, &portal));
    }
    // Of a ticket the text says what nobody reads out of files.
    if written.text.trim().is_empty() {
        draft.wrong = Some(Wrong::Empty.said(&visitor, &portal));
    } else if let Some(wrong) = Wrong::in_message(&written) {
        draft.wrong = Some(wrong.said(&visitor, &portal));
    }
    if draft.wrong.is_some() || draft.wrong_subject.is_some() {
        return form_page(&portal, &visitor, &user, &draft);
    }
    match hand_in(&portal, &user, None, written).await? {
        Ok(message) => Ok(match outcome(&portal, message).await? {
            None => visitor.go_saying("tickets", "received_new"),
            Some(Outcome { ticket: Some(number), .. }) => {
                visitor.go_saying(&said_at(number), "ticket_opened")
            }
            Some(_) => visitor.go_saying("tickets", "held"),
        }),
        Err(wrong) => {
            draft.wrong = Some(wrong.said(&visitor, &portal));
            form_page(&portal, &visitor, &user, &draft)
        }
    }
}

/// `POST /portal/tickets/NUMBER/close`.
pub(super) async fn close(
    State(portal): State<Arc<Portal>>,
    user: LoggedIn,
    Named(written): Named<String>,
    _: Posted,
) -> Answer {
    set(&portal, user, &written, TicketStatus::Closed, "ticket_closed").await
}

/// `POST /portal/tickets/NUMBER/reopen`.
pub(super) async fn reopen(
    State(portal): State<Arc<Portal>>,
    user: LoggedIn,
    Named(written): Named<String>,
    _: Posted,
) -> Answer {
    set(&portal, user, &written, TicketStatus::Open, "ticket_reopened").await
}

async fn set(
    portal: &Portal,
    LoggedIn { visitor, user }: LoggedIn,
    written: &str,
    status: TicketStatus,
    said: &str,
) -> Answer {
    let number = number(written)?;
    if let Found::Merged(into) = sheet::find(portal, &user, number).await? {
        return Ok(visitor.go(&format!("tickets/{into}")));
    }
    portal.try_once(Limit::Changes, changes_of(&user, number)).await?;
    let actor = Actor::User { id: user.id.clone() };
    let changed = portal
        .at_counter(move |counter| counter.change(number, &actor, &[TicketChange::Status(status)]))
        .await?;
    match changed {
        Ok(_) => Ok(visitor.go_saying(&said_at(number), said)),
        Err(error) => Err(trouble(error, portal, &user)),
    }
}

// Each change is a mail to the requester, whoever of the ticket's people makes it (T-47).
fn changes_of(user: &PortalUser, ticket: i64) -> Vec<Trial> {
    const OF_TICKET: Rate = Rate { count: 6, per: SignedDuration::from_hours(1) };
    const OF_USER: Rate = Rate { count: 20, per: SignedDuration::from_hours(1) };
    let trial = |whom, counted, rate| {
        let tried = Tried { counted, rates: vec![rate], counts: Counts::AtOnce };
        Trial { whom, tried }
    };
    vec![
        trial(Whom::Ticket(ticket), format!("status/ticket/{ticket}"), OF_TICKET),
        trial(user.whom(), format!("status/user/{}", user.id), OF_USER),
    ]
}

/// A new ticket that was not taken, and why.
#[derive(Default)]
struct Draft {
    /// What was looked for among the articles.
    asked: String,
    subject: String,
    text: String,
    wrong_subject: Option<String>,
    wrong: Option<String>,
}

fn form_page(portal: &Portal, visitor: &Visitor, user: &PortalUser, draft: &Draft) -> Answer {
    let status = match (&draft.wrong, &draft.wrong_subject) {
        (None, None) => StatusCode::OK,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let values = context! {
        asked => &draft.asked,
        has_articles => !portal.articles.is_empty(),
        offered => show::offered(portal, visitor, &user.site.1, &draft.subject),
        subject => &draft.subject,
        text => &draft.text,
        wrong_subject => &draft.wrong_subject,
        wrong => &draft.wrong,
        longest => LONGEST_SUBJECT,
        once => portal.ids.uuid(),
        upload => upload::limits(portal),
    };
    visitor.page_with(status, "new.html", &visitor.words("new.title"), values)
}

/// What is wrong with something that was written.
enum Wrong {
    Beyond(Beyond),
    Empty,
    LongSubject,
    NoSubject,
}

impl Wrong {
    fn in_message(written: &Written) -> Option<Wrong> {
        match written.beyond {
            Some(beyond) => Some(Wrong::Beyond(beyond)),
            None if written.text.trim().is_empty() && written.files.is_empty() => {
                Some(Wrong::Empty)
            }
            None => None,
        }
    }

    fn said(&self, visitor: &Visitor, portal: &Portal) -> String {
        let limits = upload::limits(portal);
        let limit =
            |name: &str| limits.get_attr(name).map(|limit| limit.to_string()).unwrap_or_default();
        match self {
            Wrong::Beyond(Beyond::Bytes) => {
                visitor.words_with("new.too_large", &[("size", limit("megabytes"))])
            }
            Wrong::Beyond(Beyond::Files) => {
                visitor.words_with("new.too_many", &[("count", limit("files"))])
            }
            Wrong::Beyond(Beyond::Text) => visitor.words("new.too_long"),
            Wrong::Empty => visitor.words("new.text_missing"),
            Wrong::LongSubject => visitor.words("new.subject_long"),
            Wrong::NoSubject => visitor.words("new.subject_missing"),
        }
    }
}

/// Brings what was written to the counter; answers the id of the message.
async fn hand_in(
    portal: &Portal,
    user: &PortalUser,
    ticket: Option<i64>,
    written: Written,
) -> Result<Result<String, Wrong>, Trouble> {
    let Written { subject, text, files, once, room, .. } = written;
    let actor = Actor::User { id: user.id.clone() };
    let writing = Writing {
        ticket,
        subject,
        text,
        attachments: files,
        token: Some(once),
        ..Writing::default()
    };
    let handed = portal.at_counter(move |counter| counter.write(&actor, writing)).await?;
    drop(room);
    match handed {
        Ok(message) => Ok(Ok(message)),
        Err(CounterError::Empty) => Ok(Err(Wrong::Empty)),
        Err(CounterError::TooLarge { .. }) => Ok(Err(Wrong::Beyond(Beyond::Bytes))),
        Err(CounterError::TooManyFiles { .. }) => Ok(Err(Wrong::Beyond(Beyond::Files))),
        Err(error) => Err(trouble(error, portal, user)),
    }
}

/// What became of a message, if that is known in a moment.
async fn outcome(portal: &Portal, message: String) -> Result<Option<Outcome>, Trouble> {
    let decided = async {
        loop {
            let asked = message.clone();
            match portal.at_counter(move |counter| counter.outcome(&asked)).await? {
                Ok(Some(outcome)) => return Ok(Some(outcome)),
                Ok(None) => tokio::time::sleep(BETWEEN_LOOKS).await,
                // It is safe in the store: that nobody can say more does not make it unsaid.
                Err(error) => {
                    tracing::warn!("portal: what became of a message is not known: {error}");
                    return Ok(None);
                }
            }
        }
    };
    tokio::time::timeout(MOMENT, decided).await.unwrap_or(Ok(None))
}

fn trouble(error: CounterError, portal: &Portal, user: &PortalUser) -> Trouble {
    match error {
        CounterError::Account => Trouble::Disabled,
        CounterError::Full => Trouble::Busy,
        CounterError::NoTicket(_) => Trouble::NotFound,
        CounterError::Store(error) => Trouble::Store(error),
        CounterError::Unread => {
            let until = portal.now().saturating_add(A_WHILE).unwrap_or(Timestamp::MAX);
            let counted = format!("messages/user/{}", user.id);
            let tried = Tried { counted: counted.clone(), rates: vec![], counts: Counts::AtOnce };
            let trial = Trial { whom: user.whom(), tried };
            portal.refuse(Limit::Messages, &[trial], &[Refusal { counted, until }])
        }
        error => Trouble::Broken(error.to_string()),
    }
}

fn line(written: &str) -> String {
    let plain: String = written.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
