//! The gate of the credentials mail (threats §6), by whole messages: each code alone lets none out, all
//! clear lets one out, and what was withheld first goes out once when it is clear later.

use std::collections::BTreeSet;
use std::sync::Arc;

use guichet::args;
use guichet::clock::{Clock, Next, SetClock};
use guichet::ingest::{self, Ingest, TimeOfDecision};
use guichet::mail::Address;
use guichet::store::outbox::{self, QueuedFor};
use guichet::store::spool::{self, Acknowledge, Arrival, Origin, RawMessage};
use guichet::store::{Store, audit, users};
use guichet::triage::facts::Intake;
use guichet::triage::plan::{MailCause, OutgoingMail, UserRef};
use guichet::triage::policy::{Agent, Policy, TrustedServer};
use jiff::SignedDuration;

use crate::races::policy;
use crate::support::{Place, address, at, key, read, site, write};

/// One code, and what makes it the only one.
struct Row {
    code: &'static str,
    /// Whom the mail is from; each row has a sender of its own.
    from: &'static str,
    policy: fn(&mut Policy, &str),
    /// Of the user, who was made before and is due their credentials.
    spoil: Option<&'static str>,
    clear: Option<&'static str>,
    /// More fields of the header; `{from}` is the sender.
    header: &'static str,
    to: &'static str,
    intake: Intake,
    days_old: i64,
}

const CLEAR: Row = Row {
    code: "",
    from: "claire.00@raced.example",
    policy: |_, _| {},
    spoil: None,
    clear: None,
    header: "From: {from}\r\n",
    to: "support@desk.example",
    intake: Intake::Mailbox,
    days_old: 0,
};

const ROWS: &[Row] = &[
    Row {
        code: "C-01",
        from: "claire.01@raced.example",
        header: "From: {from}, other.01@raced.example\r\nSender: {from}\r\n",
        ..CLEAR
    },
    Row {
        code: "C-02",
        from: "claire.02@raced.example",
        policy: |policy, _| {
            for mailbox in policy.mailboxes.values_mut() {
                mailbox.server = TrustedServer::Named("mx.desk.example".to_owned());
            }
        },
        ..CLEAR
    },
    Row {
        code: "C-03",
        from: "claire.03@raced.example",
        header: "From: {from}\r\nAuto-Submitted: auto-generated\r\n",
        ..CLEAR
    },
    Row {
        code: "C-04",
        from: "claire.04@raced.example",
        header: "Return-Path: <>\r\nFrom: {from}\r\n",
        ..CLEAR
    },
    Row {
        code: "C-05",
        from: "claire.05@raced.example",
        header: "From: {from}\r\nReply-To: victim@elsewhere.example\r\n",
        ..CLEAR
    },
    Row {
        code: "C-06",
        from: "claire.06@raced.example",
        spoil: Some("UPDATE person SET credentials = 'not_due' WHERE id = ?1"),
        clear: Some("UPDATE person SET credentials = 'due' WHERE id = ?1"),
        ..CLEAR
    },
    Row {
        code: "C-07",
        from: "claire.07@raced.example",
        spoil: Some("UPDATE person SET status = 'disabled' WHERE id = ?1"),
        clear: Some("UPDATE person SET status = 'active' WHERE id = ?1"),
        ..CLEAR
    },
    Row {
        code: "C-08",
        from: "claire.08@raced.example",
        policy: |policy, from| {
            let address = address(from);
            let (sites, notify) = (Vec::new(), BTreeSet::new());
            let agent = Agent { name: "Claire".to_owned(), address, sites, notify };
            policy.agents.insert(key(from), agent);
        },
        ..CLEAR
    },
    Row {
        code: "C-09",
        from: "claire.09@nowhere.example",
        policy: |policy, _| policy.credentials.unassigned = false,
        ..CLEAR
    },
    Row { code: "C-10", from: "claire.10@budget.example", ..CLEAR },
    Row { code: "C-11", from: "claire.11@raced.example", days_old: 8, ..CLEAR },
    Row {
        code: "C-12",
        from: "claire.12@raced.example",
        spoil: Some("UPDATE person SET credentials_bounced = 1 WHERE id = ?1"),
        clear: Some("UPDATE person SET credentials_bounced = 0 WHERE id = ?1"),
        ..CLEAR
    },
    Row { code: "C-13", from: "claire.13@raced.example", to: "sales@elsewhere.example", ..CLEAR },
    Row { code: "C-14", from: "claire.14@raced.example", intake: Intake::Backfill, ..CLEAR },
];

pub fn each_code_alone_withholds_and_clear_later_sends_once(place: &Place) {
    let store = place.open_with(&[site("Raced", &["raced.example"])]);
    let mut gate = Gate { place, store, told: 0 };
    gate.fill_the_budget_of("budget.example");
    for row in ROWS {
        if let Some(spoil) = row.spoil {
            // They are due a mail that nothing but this keeps back.
            let mut silent = policy("");
            silent.credentials.send = false;
            gate.receive(&CLEAR, row.from, silent);
            gate.change(spoil, row.from);
        }
        let mut spoilt = policy("");
        (row.policy)(&mut spoilt, row.from);
        gate.receive(row, row.from, spoilt);
        assert_eq!(gate.mails(row.from), 0, "{} alone withholds", row.code);
        // A machine (C-03, and whoever writes with an empty return path) has no account to note it
        // at, C-06 and C-07 none that is due.
        if !["C-03", "C-04", "C-06", "C-07"].contains(&row.code) {
            let user = read(&gate.store, |sql| users::show(sql, key(row.from).as_str()));
            let user = user.unwrap_or_else(|| panic!("{}: no user", row.code));
            assert_eq!(user.credentials_withheld.as_deref(), Some(row.code), "alone");
        }
        if let Some(clear) = row.clear {
            gate.change(clear, row.from);
        }
        if row.code == "C-10" {
            gate.let_an_hour_pass();
        }
        for _ in 0..2 {
            gate.receive(&CLEAR, row.from, policy(""));
            assert_eq!(gate.mails(row.from), 1, "{}: clear later sends once", row.code);
        }
    }
    gate.receive(&CLEAR, CLEAR.from, policy(""));
    assert_eq!(gate.mails(CLEAR.from), 1, "all clear sends");
    let books = read(&gate.store, audit::audit);
    assert!(books.balance(), "{:?}", books.imbalances().collect::<Vec<_>>());
}

pub fn t_55_999_tags_of_one_address_are_no_999_mails(place: &Place) {
    let store = place.open_with(&[site("Raced", &["raced.example"])]);
    let mut gate = Gate { place, store, told: 0 };
    // M-32: nothing but the case differs, so it is one user.
    for from in ["Claire@raced.example", "claire@RACED.example", "CLAIRE@Raced.Example"] {
        gate.receive(&CLEAR, from, policy(""));
    }
    assert_eq!(gate.count("person"), 1);
    assert_eq!(gate.mails("claire@raced.example"), 1);
    // Each tag a user of its own, when the desk wishes so; the budgets count by mailbox.
    let mut kept = policy("");
    kept.users.strip_plus_tag = false;
    for n in 0..40 {
        gate.receive(&CLEAR, &format!("anna+{n}@raced.example"), kept.clone());
    }
    assert_eq!(gate.count("person"), 41);
    assert_eq!(
        gate.count("outbox WHERE template = 'credentials' AND to_key = 'anna@raced.example'"),
        1
    );
}

struct Gate<'a> {
    place: &'a Place,
    store: Store,
    /// Messages so far.
    told: u32,
}

impl Gate<'_> {
    fn receive(&mut self, row: &Row, from: &str, policy: Policy) {
        self.told += 1;
        let id = format!("gate-{}", self.told);
        let header = row.header.replace("{from}", from);
        let raw = format!(
            "{header}To: {}\r\nSubject: About {id}\r\nMessage-ID: <{id}@mail.example>\r\n\r\nHello from {id}\r\n",
            row.to
        );
        let arrived_at = at(-row.days_old * 24 * 3600);
        let message = RawMessage {
            mailbox: "support".to_owned(),
            origin: Origin::File { name: id },
            arrived_at,
            intake: row.intake,
            raw: raw.into_bytes(),
        };
        let arrival = Arrival::new(message, &self.place.ids);
        write(&self.store, move |sql| {
            spool::spool(sql, std::slice::from_ref(&arrival), at(0), Acknowledge::Never)
        });
        let clock: Arc<dyn Clock> = Arc::new(SetClock::at(at(0)));
        let options = ingest::Options {
            readers: 1,
            suspects: ingest::Suspects::ReadHere,
            time: TimeOfDecision::Clock,
            worker: "process/ingest".to_owned(),
        };
        let (store, ids) = (self.store.clone(), self.place.ids.clone());
        let mut worker = Ingest::new(store, Arc::new(policy), clock, ids, options);
        while worker.step().expect("it is decided").next == Next::Now {}
    }

    fn mails(&self, to: &str) -> i64 {
        self.count(&format!("outbox WHERE template = 'credentials' AND to_key = '{}'", key(to)))
    }

    fn count(&self, from: &str) -> i64 {
        crate::support::count(&self.store, from)
    }

    fn change(&self, statement: &'static str, from: &str) {
        let key = key(from);
        let user = read(&self.store, |sql| users::show(sql, key.as_str())).expect("a user");
        write(&self.store, move |sql| sql.execute(statement, args![&user.id]));
    }

    // C-10: twenty mails to one domain in an hour.
    fn fill_the_budget_of(&self, domain: &str) {
        for n in 0..20 {
            let to: Address = address(&format!("u{n}@{domain}"));
            let ids = self.place.ids.clone();
            write(&self.store, move |sql| {
                let mail = OutgoingMail {
                    template: "credentials".to_owned(),
                    to: to.clone(),
                    user: Some(UserRef::New),
                    ticket: None,
                    mailbox: "support".to_owned(),
                    message_id_domain: "desk.example".to_owned(),
                    locale: "en".to_owned(),
                    site: String::new(),
                    cause: MailCause::Notice,
                };
                sql.execute(
                    "INSERT INTO person (id, first_name, last_name, derived, status, access, \
                       site, made_by, credentials, created_at, updated_at) \
                     SELECT CAST(?1 AS TEXT), '', '', 0, 'active', 'limited', id, 'hand', 'sent', \
                       0, 0 FROM site WHERE name = 'Raced'",
                    args![to.to_string()],
                )?;
                sql.execute(
                    "INSERT INTO person_address (address_key, person, address, n) \
                     VALUES (?1, ?1, ?1, 0)",
                    args![to.to_string()],
                )?;
                let person = to.to_string();
                let about = QueuedFor { person: Some(&person), ..QueuedFor::default() };
                outbox::queue(sql, &mail, about, &ids, at(0))
            });
        }
    }

    fn let_an_hour_pass(&self) {
        let hour = SignedDuration::from_hours(1).as_millis();
        let hour = i64::try_from(hour).expect("an hour");
        write(&self.store, move |sql| {
            sql.execute("UPDATE outbox SET queued_at = queued_at - ?1", args![hour])?;
            sql.execute("UPDATE owed SET due_at = due_at - ?1", args![hour])
        });
    }
}
