//! The messages of a ticket as its people see them: never what a machine noted, nor what staff wrote
//! to one another.

use jiff::Timestamp;

use super::{Reader, name};
use crate::args;
use crate::mail::{Address, PlusTag};
use crate::store::spool::Origin;
use crate::store::tickets::StoredAttachment;
use crate::store::{Row, Sql, StoreError};

/// The text of a message `m` that its people may see. Above what staff forwards stands what is for
/// staff (M-105), and below what staff answers the notice it answers, whose ids are secret.
pub(super) const TEXT: &str = "CASE WHEN m.internal IS NULL AND m.author <> 'staff' \
    THEN m.body ELSE COALESCE(m.visible, m.body) END";

/// The messages `m` that people may see: what a machine said is a note for staff (M-55, T-07).
pub(super) const SHOWN: &str = "m.author <> 'machine'";

/// A message as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number on the ticket; some may be missing.
    pub n: i64,
    /// Its id in the ledger.
    pub id: String,
    pub author: Author,
    /// The name of the author, or their address.
    pub from: String,
    /// The address it came from.
    pub from_address: String,
    /// Whether staff entered it for its author.
    pub is_entered: bool,
    pub written_at: Timestamp,
    /// What is new in it.
    pub text: String,
    pub folded: Folded,
    /// Its attachments, each with its place among all of the message, those left out that an earlier
    /// message brought already.
    pub files: Vec<(usize, StoredAttachment)>,
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    Other,
    Reader,
    Staff,
}

/// What of a message is shown only on demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folded {
    Nothing,
    /// What follows the new text: quotes, the signature.
    Rest(String),
    /// The new text stands between what it answers.
    Whole(String),
}

pub(super) fn of_ticket(
    sql: &mut dyn Sql,
    reader: &Reader,
    number: i64,
) -> Result<Vec<Message>, StoreError> {
    let statement = format!(
        "SELECT m.n, m.message, m.author, m.from_address, m.from_name, m.person, p.first_name, \
           p.last_name, m.written_at, COALESCE(m.visible, m.body), {TEXT}, m.attachments, \
           o.origin, d.from_address \
         FROM ticket_message m LEFT JOIN person p ON p.id = m.person \
         LEFT JOIN message o ON o.id = m.message LEFT JOIN decision d ON d.message = m.message \
         WHERE m.ticket = ?1 AND {SHOWN} ORDER BY m.n"
    );
    let mut messages = Vec::new();
    for row in sql.query(&statement, args![number])? {
        let mut message = read(&row, reader)?;
        let is_entered = row.opt_text(12)?.is_some_and(|origin| Origin::is_entered(&origin));
        if let Some(asker) = row.opt_text(13)?.filter(|_| is_entered) {
            (message.author, message.from) = asked(sql, &asker, reader)?;
            message.is_entered = true;
        }
        messages.push(message);
    }
    Ok(messages)
}

/// Who asked what staff entered, by the address that was given.
fn asked(
    sql: &mut dyn Sql,
    address: &str,
    reader: &Reader,
) -> Result<(Author, String), StoreError> {
    let key = |tag| Address::parse(address).map_or(address.to_owned(), |parsed| parsed.key(tag).0);
    let row = sql.query_one(
        "SELECT p.id, p.first_name, p.last_name FROM person_address a \
         JOIN person p ON p.id = a.person WHERE a.address_key IN (?1, ?2) ORDER BY a.address_key",
        args![key(PlusTag::Keep), key(PlusTag::Strip)],
    )?;
    let Some(row) = row else { return Ok((Author::Other, address.to_owned())) };
    let is_reader = row.text(0)? == reader.person;
    let author = if is_reader { Author::Reader } else { Author::Other };
    Ok((author, name(&row, 1)?.unwrap_or_else(|| address.to_owned())))
}

fn read(row: &Row, reader: &Reader) -> Result<Message, StoreError> {
    let person = row.opt_text(5)?;
    let author = match row.text(2)?.as_str() {
        "staff" => Author::Staff,
        _ if person.as_ref() == Some(&reader.person) => Author::Reader,
        _ => Author::Other,
    };
    let from_address = row.text(3)?;
    let written = row.opt_text(4)?.filter(|name| !name.is_empty());
    let from = match (author, name(row, 6)?) {
        (Author::Other | Author::Reader, Some(name)) => name,
        _ => written.unwrap_or_else(|| from_address.clone()),
    };
    let (text, whole) = (row.text(9)?, row.text(10)?);
    let files: Vec<StoredAttachment> =
        row.parsed(11, "a list in JSON", |text| serde_json::from_str(text).ok())?;
    Ok(Message {
        n: row.int(0)?,
        id: row.text(1)?,
        author,
        from,
        from_address,
        is_entered: false,
        written_at: row.time(8)?,
        folded: folded(&text, &whole),
        text: text.trim_end().trim_start_matches(['\r', '\n']).to_owned(),
        files: files.into_iter().enumerate().filter(|(_, file)| !file.repeated).collect(),
    })
}

fn folded(text: &str, whole: &str) -> Folded {
    let (text, whole) = (text.trim(), whole.trim());
    if text == whole || whole.is_empty() {
        return Folded::Nothing;
    }
    match whole.strip_prefix(text) {
        // A word cut in two is no end of the new text.
        Some(rest) if text.is_empty() || rest.starts_with(char::is_whitespace) => {
            Folded::Rest(rest.trim_matches(['\r', '\n']).to_owned())
        }
        _ => Folded::Whole(whole.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Folded, folded};

    #[test]
    fn what_follows_the_new_text_is_folded() {
        let rest = |text: &str| Folded::Rest(text.to_owned());
        assert_eq!(folded("New.", "New.\n\n> Old.\n"), rest("> Old."));
        assert_eq!(folded("", "> Old.\n"), rest("> Old."));
        assert_eq!(folded("New.\n", "New."), Folded::Nothing);
        let between = "> One?\nYes.\n> Two?\nNo.";
        assert_eq!(folded("Yes.\nNo.", between), Folded::Whole(between.to_owned()));
        assert_eq!(folded("New", "Newer"), Folded::Whole("Newer".to_owned()));
    }
}
