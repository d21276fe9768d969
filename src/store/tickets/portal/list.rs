//! The tickets of a reader, a page at a time: the newest activity first.

use jiff::Timestamp;

use super::message::{SHOWN, TEXT};
use super::{Reader, requester};
use crate::store::search::Sought;
use crate::store::tickets::MAIN_ADDRESS;
use crate::store::{Dialect, Row, Sql, StoreError, Value};
use crate::triage::facts::TicketStatus;

// Nobody looks for more in earnest.
const WORDS: usize = 8;
const LETTERS: usize = 100;
// Characters of a text that are looked through: logs and dumps go on for megabytes.
const DEPTH: usize = 16 * 1024;

/// Which tickets are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub scope: Scope,
    pub status: StatusFilter,
    /// Each of its words stands in the subject, the number or the first 16,384 characters of a text.
    pub words: String,
    /// The last ticket of the page before this one.
    pub after: Option<Cursor>,
}

/// Whose tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Those that the reader wrote, or takes part in.
    #[default]
    Own,
    /// Those of the sites whose primary user they are.
    Sites,
}

/// Which of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusFilter {
    #[default]
    All,
    Closed,
    /// Those that are not closed.
    Open,
}

/// A place in a list that others write to meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub at: Timestamp,
    pub number: i64,
}

/// A ticket as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub number: i64,
    pub subject: String,
    pub status: TicketStatus,
    /// The name of the requester, or their address.
    pub requester: String,
    pub site: String,
    pub created_at: Timestamp,
    pub last_message_at: Timestamp,
    /// Messages that the reader may see.
    pub messages: i64,
}

impl Listed {
    /// Its place in the list.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.last_message_at, number: self.number }
    }
}

/// The tickets that `reader` asked for and may see, the newest activity first.
pub fn list(
    sql: &mut dyn Sql,
    reader: &Reader,
    asked: &Asked,
    limit: u32,
) -> Result<Vec<Listed>, StoreError> {
    let mut values = Values::default();
    let wanted = wanted(sql.dialect(), asked, &mut values);
    let limit = values.put(limit);
    let ways = match asked.scope {
        Scope::Own => own(reader, &mut values),
        Scope::Sites if reader.sites.is_empty() => return Ok(Vec::new()),
        Scope::Sites => {
            let sites = values.put_all(reader.sites.iter().map(|(id, _)| id));
            vec![format!("t.site IN ({sites})")]
        }
    };
    // Each way in the order of its index, and of each no more than is asked for.
    let listed = listed();
    let parts: Vec<String> = ways
        .iter()
        .enumerate()
        .map(|(at, way)| {
            format!(
                "SELECT * FROM ({listed} WHERE {way} AND {wanted} \
                 ORDER BY t.last_message_at DESC, t.number DESC LIMIT {limit}) AS w{at}"
            )
        })
        .collect();
    let statement = format!(
        "SELECT * FROM ({}) AS tickets ORDER BY last_message_at DESC, number DESC LIMIT {limit}",
        parts.join(" UNION ")
    );
    sql.query(&statement, &values.0)?.iter().map(read).collect()
}

// The ways in which a ticket is the reader's own, as in `standing`.
fn own(reader: &Reader, values: &mut Values) -> Vec<String> {
    let mut ways = vec![format!("t.person = {}", values.put(&reader.person))];
    if !reader.keys.is_empty() {
        let keys = values.put_all(&reader.keys);
        ways.push(format!("t.requester_key IN ({keys}) AND t.person IS NULL"));
        ways.push(format!(
            "t.number IN (SELECT r.ticket FROM ticket_role r \
               WHERE r.address_key IN ({keys}) AND r.role = 'participant')"
        ));
    }
    ways
}

fn wanted(dialect: Dialect, asked: &Asked, values: &mut Values) -> String {
    let mut wanted =
        vec!["t.deleted_at IS NULL AND t.staff_only = 0 AND t.merged_into IS NULL".to_owned()];
    match asked.status {
        StatusFilter::All => {}
        StatusFilter::Closed => wanted.push("t.status = 'closed'".to_owned()),
        StatusFilter::Open => wanted.push("t.status <> 'closed'".to_owned()),
    }
    if let Some(after) = asked.after {
        let (at, number) = (values.put(after.at), values.put(after.number));
        // The first half is what an index can go by.
        wanted.push(format!(
            "t.last_message_at <= {at} AND (t.last_message_at < {at} OR t.number < {number})"
        ));
    }
    let words = asked.words.get(..asked.words.floor_char_boundary(LETTERS)).unwrap_or_default();
    for word in words.split_whitespace().take(WORDS) {
        wanted.push(holds(dialect, word, values));
    }
    wanted.join(" AND ")
}

// T-50: a word is looked for as it stands, but for case and accents.
fn holds(dialect: Dialect, word: &str, values: &mut Values) -> String {
    let mut ways = Vec::new();
    if let Ok(number) = word.trim_start_matches('#').parse::<i64>() {
        ways.push(format!("t.number = {}", values.put(number)));
    }
    let sought = Sought::of(dialect, word);
    let places: Vec<String> = sought.patterns().iter().map(|pattern| values.put(pattern)).collect();
    ways.push(sought.stands_in("t.subject", &places));
    let text = sought.stands_in(&format!("SUBSTR({TEXT}, 1, {DEPTH})"), &places);
    ways.push(format!(
        "EXISTS (SELECT 1 FROM ticket_message m WHERE m.ticket = t.number AND {SHOWN} AND {text})"
    ));
    format!("({})", ways.join(" OR "))
}

/// The values of a statement that is put together; answers the placeholder of each.
#[derive(Default)]
struct Values(Vec<Value>);

impl Values {
    fn put(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("?{}", self.0.len())
    }

    fn put_all<T: Into<Value>>(&mut self, values: impl IntoIterator<Item = T>) -> String {
        values.into_iter().map(|value| self.put(value)).collect::<Vec<_>>().join(", ")
    }
}

fn listed() -> String {
    format!(
        "SELECT t.number, t.subject, t.status, {MAIN_ADDRESS} AS address, t.requester_name, \
           p.first_name, p.last_name, s.name AS site, t.created_at, t.last_message_at, \
           (SELECT COUNT(*) FROM ticket_message m \
             WHERE m.ticket = t.number AND m.author <> 'machine') AS messages \
         FROM ticket t JOIN site s ON s.id = t.site LEFT JOIN person p ON p.id = t.person"
    )
}

fn read(row: &Row) -> Result<Listed, StoreError> {
    Ok(Listed {
        number: row.int(0)?,
        subject: row.text(1)?,
        status: row.parsed(2, "a ticket's status", TicketStatus::parse)?,
        requester: requester(row, 3, 4, 5)?,
        site: row.text(7)?,
        created_at: row.time(8)?,
        last_message_at: row.time(9)?,
        messages: row.int(10)?,
    })
}
