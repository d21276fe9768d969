//! Lists of tickets: the user's own, and those of the sites whose primary user they are.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use minijinja::{Value, context};

use super::{reader, show};
use crate::portal::{Answer, LoggedIn, Portal, Trouble, Visitor, form, percent};
use crate::store::tickets::portal::{self, Asked, Cursor, Listed, Scope, StatusFilter};

// Tickets on a page.
const PAGE: usize = 25;
// Characters that are looked for.
const LONGEST: usize = 100;

/// `GET /portal/tickets`.
pub(in crate::portal) async fn own(
    State(portal): State<Arc<Portal>>,
    user: LoggedIn,
    query: form::Asked,
) -> Answer {
    page(&portal, user, Scope::Own, query).await
}

/// `GET /portal/site`: for primary users; to all others there is no such page.
pub(super) async fn sites(
    State(portal): State<Arc<Portal>>,
    user: LoggedIn,
    query: form::Asked,
) -> Answer {
    page(&portal, user, Scope::Sites, query).await
}

async fn page(
    portal: &Portal,
    LoggedIn { visitor, user }: LoggedIn,
    scope: Scope,
    query: form::Asked,
) -> Answer {
    let asked = asked(scope, query)?;
    let (person, looked_for) = (user.id.clone(), asked.clone());
    let turn = match asked.words.is_empty() {
        true => None,
        false => Some(portal.turn_to_search(&user).await?),
    };
    let found = portal
        .read(move |sql| {
            // Searched to its end, whether or not anybody waits for it.
            let _turn = turn;
            let Some(reader) = reader(sql, &person)? else { return Ok(None) };
            if scope == Scope::Sites && !reader.is_primary() {
                return Ok(None);
            }
            // One more says whether there is another page.
            let limit = u32::try_from(PAGE + 1).unwrap_or(u32::MAX);
            let tickets = portal::list(sql, &reader, &looked_for, limit)?;
            let sites: Vec<String> = reader.sites().map(str::to_owned).collect();
            Ok(Some((tickets, sites)))
        })
        .await?;
    let Some((mut tickets, sites)) = found else { return Err(Trouble::NotFound) };
    let has_more = tickets.len() > PAGE;
    tickets.truncate(PAGE);
    let older = tickets
        .last()
        .filter(|_| has_more)
        .map(|last| link(asked.status, &asked.words, Some(last.cursor())));
    let filters: Vec<Value> = [StatusFilter::All, StatusFilter::Open, StatusFilter::Closed]
        .into_iter()
        .map(|status| {
            let word = match status {
                StatusFilter::All => visitor.words("tickets.all"),
                StatusFilter::Closed => visitor.words("tickets.closed"),
                StatusFilter::Open => visitor.words("tickets.open"),
            };
            let is_current = status == asked.status;
            context! { word, link => link(status, &asked.words, None), is_current }
        })
        .collect();
    let title = match scope {
        Scope::Own => visitor.words("tickets.title"),
        Scope::Sites => visitor.words("tickets.site_title"),
    };
    let values = context! {
        tickets => tickets.iter().map(|ticket| row(&visitor, ticket)).collect::<Vec<_>>(),
        filters,
        older,
        newest => asked.after.map(|_| link(asked.status, &asked.words, None)),
        is_first => asked.after.is_none(),
        is_filtered => asked.status != StatusFilter::All,
        status => word(asked.status),
        words => &asked.words,
        of_sites => scope == Scope::Sites,
        several_sites => sites.len() > 1,
        sites,
    };
    visitor.page("tickets.html", &title, values)
}

fn row(visitor: &Visitor, ticket: &Listed) -> Value {
    context! {
        number => ticket.number,
        subject => show::subject(visitor, &ticket.subject),
        status => show::status(visitor, ticket.status),
        requester => &ticket.requester,
        site => &ticket.site,
        messages => ticket.messages,
        last => show::time(visitor, ticket.last_message_at),
    }
}

fn asked(scope: Scope, query: form::Asked) -> Result<Asked, Trouble> {
    let mut asked = Asked { scope, words: query.line("q", LONGEST), ..Asked::default() };
    for (name, value) in query.into_fields() {
        match name.as_str() {
            "after" => asked.after = Some(cursor(&value).ok_or(Trouble::Malformed)?),
            "status" => asked.status = filter(&value).ok_or(Trouble::Malformed)?,
            // A mail program's marks on a link, for one.
            _ => {}
        }
    }
    Ok(asked)
}

fn link(status: StatusFilter, words: &str, after: Option<Cursor>) -> String {
    let mut parts = Vec::new();
    if status != StatusFilter::All {
        parts.push(format!("status={}", word(status)));
    }
    if !words.is_empty() {
        parts.push(format!("q={}", percent::encoded(words)));
    }
    if let Some(Cursor { at, number }) = after {
        parts.push(format!("after={}.{number}", at.as_millisecond()));
    }
    format!("?{}", parts.join("&"))
}

fn cursor(written: &str) -> Option<Cursor> {
    let (at, number) = written.split_once('.')?;
    let at = Timestamp::from_millisecond(at.parse().ok()?).ok()?;
    Some(Cursor { at, number: number.parse().ok()? })
}

fn word(status: StatusFilter) -> &'static str {
    match status {
        StatusFilter::All => "all",
        StatusFilter::Closed => "closed",
        StatusFilter::Open => "open",
    }
}

fn filter(word: &str) -> Option<StatusFilter> {
    match word {
        "" | "all" => Some(StatusFilter::All),
        "closed" => Some(StatusFilter::Closed),
        "open" => Some(StatusFilter::Open),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_asks_for_what_it_was_made_of() {
        let at = Timestamp::from_millisecond(1_800_000_000_123).expect("a time");
        let after = Some(Cursor { at, number: 4711 });
        let link = link(StatusFilter::Open, "a&b 100%", after);
        assert_eq!(link, "?status=open&q=a%26b%20100%25&after=1800000000123.4711");
        assert_eq!(cursor("1800000000123.4711"), after);
        for broken in ["", ".", "1", "x.1", "1.x", "99999999999999999999.1"] {
            assert_eq!(cursor(broken), None, "{broken}");
        }
    }
}
