//! What a template may say: everything about one mail that the store knows.

use jiff::Timestamp;

use crate::args;
use crate::mail::{AddressKey, MessageId};
use crate::store::mailboxes::Tags;
use crate::store::spool::Origin;
use crate::store::tickets::{MAIN_ADDRESS, StoredAttachment};
use crate::store::users::display;
use crate::store::{Row, Sql, StoreError, Value};
use crate::triage::facts::{TicketStatus, UserStatus};
use crate::triage::plan::{MailCause, Thread};
use crate::triage::policy::Access;

/// One mail to write, with those it concerns.
#[derive(Clone, Debug)]
pub struct Letter {
    pub id: i64,
    pub template: String,
    pub to: String,
    /// The mailbox whose address it comes from.
    pub mailbox: String,
    pub locale: String,
    /// Without angle brackets; until the first attempt only its domain is that of the mail.
    pub message_id: String,
    pub cause: MailCause,
    pub queued_at: Timestamp,
    /// How often it was tried before.
    pub attempts: i64,
    pub person: Option<LetterPerson>,
    pub ticket: Option<LetterTicket>,
    pub site: Option<LetterSite>,
    /// The message that caused it; its text is read by [`causing_message`].
    pub message: Option<String>,
    /// The change that caused it, by its number on the ticket.
    pub event: Option<i64>,
    /// Whether its mailbox accepts `+tags`.
    pub tags: Tags,
}

/// The user a mail goes to or is about.
#[derive(Clone, Debug)]
pub struct LetterPerson {
    pub id: String,
    pub first_name: String,
    pub last_name: String,
    /// What they log in with: their first address.
    pub username: Option<String>,
    pub phone: Option<String>,
    pub mobile: Option<String>,
    pub department: Option<String>,
    pub job_title: Option<String>,
    pub locale: Option<String>,
    pub access: Access,
    pub status: UserStatus,
}

/// The ticket a mail is about.
#[derive(Clone, Debug)]
pub struct LetterTicket {
    pub number: i64,
    pub subject: String,
    pub status: TicketStatus,
    pub department: Option<String>,
    /// The key of the agent who looks after it.
    pub assignee: Option<AddressKey>,
    pub priority: Option<String>,
    pub requester_address: String,
    /// As a user is known, else as it was written.
    pub requester_name: Option<String>,
    pub created_at: Timestamp,
}

/// The site a mail belongs to.
#[derive(Clone, Debug)]
pub struct LetterSite {
    pub id: String,
    pub name: String,
    pub phone: Option<String>,
    pub locale: Option<String>,
}

/// The words that caused a mail.
#[derive(Clone, Debug)]
pub struct CausingMessage {
    /// What a ticket shows of it.
    pub text: String,
    /// The whole of it.
    pub whole: String,
    pub written_at: Timestamp,
    /// The address and the name of whoever wrote them; the name as they are known when they gave none.
    pub from: (String, Option<String>),
    /// Whether staff entered them for the requester, whose request they are.
    pub is_entered: bool,
    pub attachments: Vec<StoredAttachment>,
}

/// Reads what there is to say in a mail, or `None` when there is no such mail.
pub fn letter(sql: &mut dyn Sql, id: i64) -> Result<Option<Letter>, StoreError> {
    one(sql, id, "outbox", args![id])
}

/// What there is to say in a mail of an agent's about a ticket that is not queued yet: for a draft of
/// it. `None` when there is no such ticket.
pub fn draft(
    sql: &mut dyn Sql,
    ticket: i64,
    template: &str,
    agent: Option<&AddressKey>,
) -> Result<Option<Letter>, StoreError> {
    let about = format!(
        "(SELECT CAST(0 AS BIGINT) AS id, CAST(?2 AS TEXT) AS template, \
           {MAIN_ADDRESS} AS to_address, t.mailbox, '' AS locale, '' AS message_id, \
           'words' AS cause, CAST(NULL AS TEXT) AS in_reply_to, \
           CAST(NULL AS TEXT) AS reply_references, t.updated_at AS queued_at, \
           CAST(NULL AS TEXT) AS message, t.person, t.number AS ticket, t.site, \
           CAST(0 AS BIGINT) AS attempts, CAST(?3 AS TEXT) AS agent, \
           CAST(NULL AS BIGINT) AS about_event \
         FROM ticket t WHERE t.number = ?4 AND t.deleted_at IS NULL)"
    );
    let mut letter = one(sql, 0, &about, args![0_i64, template, agent, ticket])?;
    if let Some(letter) = &mut letter {
        let of_person = letter.person.as_ref().and_then(|person| person.locale.clone());
        let of_site = letter.site.as_ref().and_then(|site| site.locale.clone());
        letter.locale = of_person.or(of_site).unwrap_or_default();
    }
    Ok(letter)
}

// `from` has the columns of the outbox, and the row ?1.
fn one(
    sql: &mut dyn Sql,
    id: i64,
    from: &str,
    values: &[Value],
) -> Result<Option<Letter>, StoreError> {
    let statement = format!(
        "SELECT o.template, o.to_address, o.mailbox, o.locale, o.message_id, o.cause, \
           o.in_reply_to, o.reply_references, o.queued_at, o.message, \
           p.id, p.first_name, p.last_name, p.phone, p.mobile, p.department, p.job_title, \
           p.locale, p.access, p.status, a.address, \
           t.number, t.subject, t.status, t.department, t.assignee, t.created_at, \
           s.id, s.name, s.phone, s.locale, o.attempts, COALESCE(m.tags, 'unknown'), o.agent, \
           o.about_event, t.priority, {MAIN_ADDRESS}, t.requester_name, \
           r.first_name, r.last_name \
         FROM {from} o \
         LEFT JOIN person p ON p.id = o.person \
         LEFT JOIN person_address a ON a.person = p.id AND a.n = 0 \
         LEFT JOIN ticket t ON t.number = o.ticket \
         LEFT JOIN person r ON r.id = t.person \
         LEFT JOIN site s ON s.id = o.site \
         LEFT JOIN mailbox m ON m.name = o.mailbox \
         WHERE o.id = ?1"
    );
    let Some(row) = sql.query_one(&statement, values)? else { return Ok(None) };
    Ok(Some(Letter {
        id,
        template: row.text(0)?,
        to: row.text(1)?,
        mailbox: row.text(2)?,
        locale: row.text(3)?,
        message_id: row.text(4)?,
        cause: cause(&row)?,
        queued_at: row.time(8)?,
        message: row.opt_text(9)?,
        attempts: row.int(31)?,
        event: row.opt_int(34)?,
        tags: row.parsed(32, "what is known of tags", Tags::parse)?,
        person: person(&row)?,
        ticket: ticket(&row)?,
        site: site(&row)?,
    }))
}

/// The words of the message that caused a mail, when it is on a ticket.
pub fn causing_message(
    sql: &mut dyn Sql,
    message: &str,
) -> Result<Option<CausingMessage>, StoreError> {
    let row = sql.query_one(
        "SELECT m.body, m.visible, m.internal, m.written_at, m.from_address, m.from_name, \
           m.attachments, p.first_name, p.last_name, o.origin \
         FROM ticket_message m LEFT JOIN person p ON p.id = m.person \
         LEFT JOIN message o ON o.id = m.message WHERE m.message = ?1",
        args![message],
    )?;
    let Some(row) = row else { return Ok(None) };
    let whole = row.text(0)?;
    let text = row.opt_text(1)?.unwrap_or_else(|| whole.clone());
    // M-105: what is internal goes into no mail.
    let whole = if row.opt_text(2)?.is_some() { text.clone() } else { whole };
    Ok(Some(CausingMessage {
        text,
        whole,
        written_at: row.time(3)?,
        from: (row.text(4)?, row.opt_text(5)?.or(known_name(&row, 7)?)),
        is_entered: row.opt_text(9)?.is_some_and(|origin| Origin::is_entered(&origin)),
        attachments: row.parsed(6, "a list in JSON", |text| serde_json::from_str(text).ok())?,
    }))
}

/// The last change of a ticket that mails before this one told its recipient of; 0 when none did.
pub fn told_before(sql: &mut dyn Sql, ticket: i64, mail: i64) -> Result<i64, StoreError> {
    let row = sql.query_one(
        "SELECT COALESCE(MAX(about_event), 0) FROM outbox \
         WHERE ticket = ?1 AND id < ?2 AND state <> 'cancelled' \
         AND to_address = (SELECT o.to_address FROM outbox o WHERE o.id = ?2)",
        args![ticket, mail],
    )?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// The primary users of a site: their names, or the address of one who has not written yet.
pub fn primary_users(sql: &mut dyn Sql, site: &str) -> Result<Vec<String>, StoreError> {
    sql.query(
        "SELECT s.address_key, p.first_name, p.last_name FROM site_primary s \
         LEFT JOIN person_address a ON a.address_key = s.address_key \
         LEFT JOIN person p ON p.id = a.person AND p.deleted_at IS NULL \
         WHERE s.site = ?1 ORDER BY s.address_key",
        args![site],
    )?
    .iter()
    .map(|row| {
        let names = [row.opt_text(1)?.unwrap_or_default(), row.opt_text(2)?.unwrap_or_default()];
        let name = names.join(" ").trim().to_owned();
        if name.is_empty() { row.text(0) } else { Ok(name) }
    })
    .collect()
}

fn cause(row: &Row) -> Result<MailCause, StoreError> {
    let kind = row.text(5)?;
    let parent = row.opt_text(6)?.as_deref().and_then(MessageId::parse);
    let references = row.opt_text(7)?.unwrap_or_default();
    let references = references.split(' ').filter_map(MessageId::parse).collect();
    let agent = row.opt_text(33)?.map(AddressKey);
    Ok(match (kind.as_str(), parent) {
        ("answer", Some(parent)) => MailCause::Answer { parent, parent_references: references },
        ("news", parent) => MailCause::News { agent, thread: Thread { parent, references } },
        ("words", parent) => MailCause::Words { agent, thread: Thread { parent, references } },
        _ => MailCause::Notice,
    })
}

fn person(row: &Row) -> Result<Option<LetterPerson>, StoreError> {
    let Some(id) = row.opt_text(10)? else { return Ok(None) };
    Ok(Some(LetterPerson {
        id,
        first_name: row.text(11)?,
        last_name: row.text(12)?,
        phone: row.opt_text(13)?,
        mobile: row.opt_text(14)?,
        department: row.opt_text(15)?,
        job_title: row.opt_text(16)?,
        locale: row.opt_text(17)?,
        access: row.parsed(18, "an access", Access::parse)?,
        status: row.parsed(19, "a user's status", UserStatus::parse)?,
        username: row.opt_text(20)?,
    }))
}

fn ticket(row: &Row) -> Result<Option<LetterTicket>, StoreError> {
    let Some(number) = row.opt_int(21)? else { return Ok(None) };
    Ok(Some(LetterTicket {
        number,
        subject: row.text(22)?,
        status: row.parsed(23, "a ticket's status", TicketStatus::parse)?,
        department: row.opt_text(24)?,
        assignee: row.opt_text(25)?.map(AddressKey),
        priority: row.opt_text(35)?,
        requester_address: row.text(36)?,
        requester_name: known_name(row, 38)?.or(row.opt_text(37)?),
        created_at: row.time(26)?,
    }))
}

/// The name in two columns, if it is one.
fn known_name(row: &Row, first: usize) -> Result<Option<String>, StoreError> {
    let (Some(first), Some(last)) = (row.opt_text(first)?, row.opt_text(first + 1)?) else {
        return Ok(None);
    };
    Ok(Some(display(&first, &last)).filter(|name| !name.is_empty()))
}

fn site(row: &Row) -> Result<Option<LetterSite>, StoreError> {
    let Some(id) = row.opt_text(27)? else { return Ok(None) };
    Ok(Some(LetterSite {
        id,
        name: row.text(28)?,
        phone: row.opt_text(29)?,
        locale: row.opt_text(30)?,
    }))
}
