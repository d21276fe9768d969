//! What must hold after every history, once everything is at rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use guichet::store::audit::audit;
use guichet::store::{Durability, Location, Options, Row, Sql, Store, StoreError, spool};
use jiff::Timestamp;
use memchr::memmem;

use super::history::Event;
use super::people::{Kind, PEOPLE};
use super::relay::Mail;
use super::run::Run;

/// What is wrong, in words.
pub fn judge(run: &Run, events: &[Event]) -> Vec<String> {
    let read = run.store.read_only(|sql| {
        let (entries, secrets) = (entries(sql, run)?, BTreeSet::new());
        let mut judge = Judge { run, events, entries, secrets, faults: Vec::new() };
        judge.books(sql)?;
        judge.letters();
        judge.conversations();
        judge.people(sql)?;
        judge.outbox(sql)?;
        judge.mails(sql)?;
        judge.secrets(sql)?;
        judge.mailboxes();
        Ok(judge.faults)
    });
    read.unwrap_or_else(|error| vec![format!("the store does not read: {error}")])
}

/// A message in the ledger.
pub struct Entry {
    message: String,
    pub state: String,
    outcome: String,
    reason: String,
    ticket: Option<i64>,
    /// The letter that it is a copy of.
    pub letter: Option<usize>,
}

/// What is found wrong, one look after the other.
pub struct Judge<'a> {
    pub run: &'a Run,
    events: &'a [Event],
    pub entries: Vec<Entry>,
    /// What lets somebody in, as people got it.
    secrets: BTreeSet<String>,
    pub faults: Vec<String>,
}

impl Judge<'_> {
    pub fn wrong(&mut self, what: String) {
        self.faults.push(what);
    }

    // P-17.
    fn books(&mut self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        let books = audit(sql)?;
        for wrong in books.imbalances() {
            let (what, left, right) = (wrong.what, wrong.left, wrong.right);
            self.faults.push(format!("the books: {what}: {left}, {right}: {:?}", wrong.examples));
        }
        Ok(())
    }

    // P-01, P-02: every letter that came and stayed is decided once, and its copies are known.
    fn letters(&mut self) {
        let is_numbered = !self.events.iter().any(is_renumbering);
        let is_calm = !self.events.iter().any(is_deadly);
        for n in 0..self.run.post.letters.len() {
            let of_it = || self.entries.iter().filter(|entry| entry.letter == Some(n));
            let decided = of_it().filter(|entry| entry.reason != "duplicate").count();
            // What was in hand each time a process died is held unread (P-12), so its copy is not
            // known for one: that is all it did.
            let read = of_it()
                .filter(|entry| !matches!(&*entry.reason, "duplicate" | "internal_error"))
                .count();
            let is_expected = self.run.came.contains(&n) && !self.run.vanished.contains(&n);
            let kind = self.run.post.letters[n].kind;
            let is_read = !matches!(kind, Kind::Killer | Kind::Unreadable);
            let said: Vec<_> = of_it().map(|entry| (&entry.message, &entry.reason)).collect();
            if decided == 0 && is_expected {
                self.faults.push(format!("letter {n} was lost: {said:?}"));
            } else if read > 1 && is_read {
                self.faults.push(format!("letter {n} was decided {read} times: {said:?}"));
            }
            if kind == Kind::Killer && of_it().any(|entry| entry.state != "held") {
                self.faults.push(format!("letter {n} ends whoever reads it: {said:?}"));
            }
            let stored = of_it().count();
            let copies = self.run.copies.iter().filter(|copy| **copy == n).count();
            if is_numbered && is_expected && stored != copies {
                let what = if stored < copies { "was lost" } else { "came in again" };
                self.faults.push(format!("a copy of letter {n}, of {copies}, {what}: {said:?}"));
            }
            let is_unlucky =
                of_it().any(|entry| entry.reason != "duplicate" && entry.outcome != "accepted");
            if kind == Kind::Person && is_calm && is_unlucky {
                self.faults.push(format!("letter {n} is on no ticket: {said:?}"));
            }
        }
        for entry in &self.entries {
            if entry.letter.is_none() {
                self.faults.push(format!("message {} is no letter of anybody", entry.message));
            }
        }
    }

    fn conversations(&mut self) {
        let mut tickets: BTreeMap<usize, BTreeSet<i64>> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.outcome == "accepted") {
            let Some(letter) = entry.letter.map(|n| &self.run.post.letters[n]) else { continue };
            if let (Kind::Person, Some(ticket)) = (letter.kind, entry.ticket) {
                tickets.entry(letter.conversation).or_default().insert(ticket);
            }
        }
        let mut conversations: BTreeMap<i64, usize> = BTreeMap::new();
        for (conversation, tickets) in tickets {
            for ticket in &tickets {
                if let Some(other) = conversations.insert(*ticket, conversation) {
                    self.wrong(format!("ticket {ticket} has {other} and {conversation}"));
                }
            }
            if tickets.len() > 1 {
                self.wrong(format!("conversation {conversation} is on the tickets {tickets:?}"));
            }
        }
    }

    fn people(&mut self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        let rows = sql.query(
            "SELECT a.address, COUNT(DISTINCT p.id) FROM person p \
             LEFT JOIN person_address a ON a.person = p.id GROUP BY LOWER(a.address)",
            &[],
        )?;
        for row in rows {
            let (address, count) = (row.opt_text(0)?.unwrap_or_default(), row.int(1)?);
            if count != 1 || !is_person(&address) {
                self.wrong(format!("{count} users have the address `{address}`"));
            }
        }
        Ok(())
    }

    // Who is owed a mail, and how often.
    fn outbox(&mut self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        let rows = sql.query(
            "SELECT id, template, to_address, message, message_id, state, automatic, queued_at \
             FROM outbox ORDER BY queued_at, id",
            &[],
        )?;
        let mut causes = BTreeSet::new();
        let mut automatic: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
        for row in &rows {
            let (id, template, to) = (row.int(0)?, row.text(1)?, row.text(2)?);
            let Some(message) = row.opt_text(3)? else { continue };
            let cause = self.entries.iter().find(|entry| entry.message == message);
            let letter = cause.and_then(|entry| entry.letter).map(|n| &self.run.post.letters[n]);
            match letter {
                Some(letter) if letter.kind == Kind::Person && letter.writer == to => {}
                Some(letter) => {
                    let of = (&letter.id, letter.kind, &letter.writer);
                    self.faults.push(format!("mail {id} `{template}` to {to} answers {of:?}"));
                }
                None => self.faults.push(format!("mail {id} to {to} answers nothing")),
            }
            if !causes.insert((message, template.clone())) {
                self.wrong(format!("mail {id} `{template}` to {to} is the second for its cause"));
            }
            let id = format!("<{}>", row.text(4)?);
            let copies = self.run.delivered.iter().filter(|mail| mail.id == id).count();
            if row.text(5)? == "sent" && copies == 0 {
                self.wrong(format!("mail {id} to {to} was sent, and nobody got it"));
            }
            if row.int(6)? == 1 {
                automatic.entry(to).or_default().push((row.int(7)?, template));
            }
        }
        // Who moves the clock moves what is counted by it.
        if !self.events.iter().any(|event| matches!(event, Event::Jump { .. })) {
            for (to, mails) in automatic {
                self.brake(&to, &mails);
            }
        }
        Ok(())
    }

    // T-16, M-72: after three in an hour, or ten in a day, nothing is acknowledged. Credentials have
    // budgets of their own, and count here.
    fn brake(&mut self, to: &str, mails: &[(i64, String)]) {
        const HOUR: i64 = 3_600_000;
        for (most, span) in [(3, HOUR), (10, 24 * HOUR)] {
            let is_over = |some: &[(i64, String)]| {
                some[most].0 - some[0].0 < span && some[most].1 != "credentials"
            };
            if mails.windows(most + 1).any(is_over) {
                self.wrong(format!("{to} got more than {most} automatic mails in {span} ms"));
            }
        }
    }

    // P-03, T-01: what people got.
    fn mails(&mut self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        let mut copies: BTreeMap<String, usize> = BTreeMap::new();
        let mut credentials: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for mail in &self.run.delivered {
            *copies.entry(mail.id.clone()).or_default() += 1;
            if !is_person(&mail.to) {
                self.faults.push(format!("{} got a mail, and writes to nobody", mail.to));
            }
            let tokens = tokens(mail);
            if !tokens.is_empty() {
                credentials.entry(&mail.to).or_default().insert(mail.id.clone());
                self.secrets.extend(tokens);
            }
        }
        for (to, mails) in credentials {
            if mails.len() > 1 {
                self.faults.push(format!("{to} got {} credentials mails", mails.len()));
            }
        }
        let known = sql.query("SELECT message_id FROM outbox", &[])?;
        let known: BTreeSet<String> =
            known.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
        for (id, count) in copies {
            if count > 2 {
                self.wrong(format!("mail {id} went out more than twice: {count} times"));
            }
            let id = id.trim_matches(['<', '>']);
            if !known.contains(id) {
                self.wrong(format!("mail {id} went out, and the store does not know it"));
            }
        }
        Ok(())
    }

    // T-26.
    fn secrets(&mut self, sql: &mut dyn Sql) -> Result<(), StoreError> {
        if self.secrets.is_empty() {
            return Ok(());
        }
        let secrets = std::mem::take(&mut self.secrets);
        let everything = everything(sql)?;
        for row in sql.query(everything, &[])? {
            let (table, text) = (row.text(0)?, row.opt_text(1)?.unwrap_or_default());
            let is_in = |secret: &String| memmem::find(text.as_bytes(), secret.as_bytes());
            if secrets.iter().any(|secret| is_in(secret).is_some()) {
                self.wrong(format!("the table `{table}` holds a secret"));
            }
        }
        Ok(())
    }
}

// A statement that answers the name of each table, with all that it holds in one text. All stores have
// the same tables.
fn everything(sql: &mut dyn Sql) -> Result<&'static str, StoreError> {
    static STATEMENT: OnceLock<String> = OnceLock::new();
    if let Some(statement) = STATEMENT.get() {
        return Ok(statement);
    }
    let columns = sql.query(
        "SELECT t.name, group_concat('quote(' || c.name || ')', ' || ') \
         FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' GROUP BY t.name",
        &[],
    )?;
    let of_table = |row: &Row| {
        let (table, columns) = (row.text(0)?, row.text(1)?);
        Ok(format!("SELECT '{table}', group_concat({columns}) FROM {table}"))
    };
    let tables: Vec<String> = columns.iter().map(of_table).collect::<Result<_, StoreError>>()?;
    Ok(STATEMENT.get_or_init(|| tables.join(" UNION ALL ")))
}

fn entries(sql: &mut dyn Sql, run: &Run) -> Result<Vec<Entry>, StoreError> {
    let rows = sql.query(
        "SELECT m.id, m.state, COALESCE(d.outcome, ''), COALESCE(d.reason, ''), d.ticket \
         FROM message m LEFT JOIN decision d ON d.message = m.id ORDER BY m.id",
        &[],
    )?;
    let mut read = |row: &Row| {
        let message = row.text(0)?;
        let raw = spool::raw(sql, &message)?.unwrap_or_default();
        Ok(Entry {
            letter: run.letter_of(&raw),
            message,
            state: row.text(1)?,
            outcome: row.text(2)?,
            reason: row.text(3)?,
            ticket: row.opt_int(4)?,
        })
    };
    rows.iter().map(&mut read).collect()
}

// After it, the mailbox gives what it has once more.
fn is_renumbering(event: &Event) -> bool {
    match event {
        Event::Renumber { .. } => true,
        Event::StandStill(standstill) => standstill.renumbers.is_some(),
        _ => false,
    }
}

// After it, an attempt to decide counts that came to nothing.
fn is_deadly(event: &Event) -> bool {
    matches!(
        event,
        Event::Die { .. }
            | Event::Doom { .. }
            | Event::Jump { .. }
            | Event::Kill { .. }
            | Event::Killer { .. }
            | Event::Stand { .. }
            | Event::StandStill(_)
    )
}

fn is_person(address: &str) -> bool {
    PEOPLE.iter().any(|(person, _)| *person == address)
}

// What of a mail of ours lets somebody in.
fn tokens(mail: &Mail) -> Vec<String> {
    let text = mail.raw.replace("=\r\n", "");
    let after = text.split("/portal/activate/").skip(1);
    let token = |rest: &str| -> String {
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
    };
    after.map(token).collect()
}

#[test]
fn t_26_a_secret_is_found_in_whichever_table_it_stands() {
    let options = Options { location: Location::Memory, durability: Durability::None };
    let store = Store::open(&options, Timestamp::UNIX_EPOCH).expect("a store in memory opens");
    let found = store.transact(|sql| {
        sql.execute(
            "INSERT INTO site (id, name, declared, is_default, created_at) \
             VALUES ('s', 'of-a-token', 0, 0, 0)",
            &[],
        )?;
        let everything = everything(sql)?;
        let rows = sql.query(everything, &[])?;
        let is_found =
            |row: &&Row| matches!(row.opt_text(1), Ok(Some(text)) if text.contains("'of-a-token'"));
        let found = rows.iter().filter(is_found).map(|row| row.text(0));
        let tables = sql.query("SELECT 1 FROM sqlite_master WHERE type = 'table'", &[])?;
        Ok((found.collect::<Result<Vec<_>, _>>()?, rows.len(), tables.len()))
    });
    let (found, looked_at, tables) = found.expect("the store reads");
    assert_eq!((found, looked_at), (vec!["site".to_owned()], tables));
}
