//! Decisions and the books.

use std::collections::BTreeSet;
use std::sync::mpsc::channel;

use guichet::args;
use guichet::store::audit::Books;
use guichet::store::spool::{Origin, Series};
use guichet::store::{
    Dialect, Sql, Store, StoreError, apply, audit, decisions, mailboxes, outbox, spool,
};
use guichet::triage::plan::{Outcome, Reason};

use crate::support::{Place, at, first_contact, gather, message, plan, questions, read, write};

pub fn the_books_balance_after_every_way_to_end(place: &Place) {
    let store = place.open();
    fill(place);
    let books = read(&store, audit::audit);
    assert_eq!(
        (books.stored, books.accepted, books.ignored, books.held, books.pending),
        (5, 1, 2, 1, 1)
    );
    assert!(books.balance(), "{:?}", books.imbalances().collect::<Vec<_>>());
}

pub fn an_imbalance_is_named(place: &Place) {
    let store = place.open();
    fill(place);
    write(&store, |sql| sql.execute("DELETE FROM decision WHERE outcome = 'held'", args![]));
    write(&store, |sql| sql.execute("UPDATE outbox SET ticket = 4711", args![]));
    let books = read(&store, audit::audit);
    assert!(!books.balance());
    let named: Vec<_> = books.imbalances().map(|equation| equation.what).collect();
    assert_eq!(
        named,
        [
            "stored = accepted + ignored + held + pending",
            "messages held = decisions to hold",
            "messages done or held without a decision = 0",
            "outgoing mails about a ticket, a user or a message that is not there = 0",
        ]
    );
    assert!(books.imbalances().last().is_some_and(|equation| !equation.examples.is_empty()));
}

/// What is done to a sound store by hand, and which equation must say so. `{A}` is the accepted
/// message, `{B}` an ignored one, `{C}` the held one, `{D}` a pending one.
const TAMPERED: &[(&str, &str)] = &[
    ("DELETE FROM decision WHERE outcome = 'held'", "stored = accepted + ignored + held + pending"),
    ("UPDATE message SET state = 'incoming' WHERE id = {B}", "messages done = accepted + ignored"),
    ("UPDATE message SET state = 'held' WHERE id = {B}", "messages held = decisions to hold"),
    (
        "DELETE FROM ticket_message",
        "accepted = messages on tickets + bounces of mails about no ticket",
    ),
    (
        "DELETE FROM raw_chunk WHERE message = {D}; DELETE FROM message WHERE id = {D}; \
         UPDATE decision SET message = 'nobody' WHERE message = {C}",
        "decisions without a message = 0",
    ),
    ("DELETE FROM decision WHERE message = {B}", "messages done or held without a decision = 0"),
    (
        "UPDATE message SET state = 'deferred', due_at = 1 WHERE id = {B}",
        "messages pending that have a decision = 0",
    ),
    (
        "UPDATE message SET due_at = NULL WHERE id = {D}",
        "messages waiting that nobody would claim = 0",
    ),
    ("UPDATE message SET state = 'lost' WHERE id = {D}", "messages in an unknown state = 0"),
    (
        "DELETE FROM raw_chunk WHERE message = {A}",
        "messages whose bytes are missing, but for those from before the start = 0",
    ),
    (
        "UPDATE message SET acknowledgement = 'owed' WHERE id = {C}",
        "held messages that a mailbox is told of = 0",
    ),
    (
        "UPDATE decision SET duplicate_of = 'nobody' WHERE reason = 'duplicate'",
        "duplicates of a message that is not there = 0",
    ),
    ("UPDATE ticket_message SET message = {D}", "accepted messages on no ticket = 0"),
    ("UPDATE ticket_message SET message = {B}", "messages on tickets that were not accepted = 0"),
    (
        "DELETE FROM ticket_message",
        "tickets without a message, but for those merged into another = 0",
    ),
    ("DELETE FROM person_address", "users without an address = 0"),
    (
        "UPDATE person SET merged_into = 'nobody', status = 'deleted'",
        "users merged into one that is not there, or who kept something = 0",
    ),
    (
        "UPDATE person SET status = 'disabled'; \
         INSERT INTO session (hash, person, created_at, seen_at, expires_at, scope) \
         SELECT 'h', id, 0, 0, 0, 'all' FROM person",
        "open sessions of users who are disabled or deleted = 0",
    ),
    ("UPDATE person SET status = 'deleted', password = 'a hash'", "passwords of deleted users = 0"),
    (
        "UPDATE outbox SET message = 'nobody'",
        "outgoing mails about a ticket, a user or a message that is not there = 0",
    ),
    (
        "DELETE FROM outbox WHERE person IS NOT NULL",
        "users whose credentials are queued or sent without a mail = 0",
    ),
    (
        "INSERT INTO owed (message, due_at) VALUES ({D}, 1)",
        "messages owed a user or a mail that are not decided = 0",
    ),
    (
        "UPDATE decision SET outcome = 'eaten' WHERE message = {B}",
        "decisions of an unknown outcome = 0",
    ),
    (
        "UPDATE decision SET outcome = 'held' WHERE message = {B}",
        "decisions to hold of messages that are done, and the other way round = 0",
    ),
    (
        "UPDATE decision SET mailbox = 'sales' WHERE message = {B}",
        "decisions about another mailbox than their message's = 0",
    ),
    (
        "UPDATE decision SET ticket = 4711 WHERE message = {B}",
        "decisions about a ticket that is not there = 0",
    ),
    (
        "UPDATE message SET leased_by = 'worker', leased_until = 1 WHERE id = {B}",
        "messages leased that nobody works on = 0",
    ),
    (
        "UPDATE message SET acknowledgement = 'perhaps' WHERE id = {A}",
        "messages that a mailbox is told of in an unknown way = 0",
    ),
    (
        "UPDATE message SET acknowledgement = 'pending' WHERE id = {A}",
        "messages done that their mailbox will never be told of = 0",
    ),
    (
        "UPDATE message SET intake = 'stub', acknowledgement = 'owed' WHERE id = {A}",
        "stubs that a mailbox is told of = 0",
    ),
    (
        "INSERT INTO owed_uid (mailbox, uid, attempts, first_at, said) \
         VALUES ('server', 12, 1, 1, 'it was away')",
        "messages owed by a server that are here already = 0",
    ),
    (
        "UPDATE content_key SET message = 'nobody' WHERE message = {C}",
        "contents of a message that is not there = 0",
    ),
    (
        "DELETE FROM content_key WHERE message = {A}",
        "accepted messages whose content is not known = 0",
    ),
    (
        "UPDATE ticket_message SET n = 2",
        "tickets whose messages are not numbered from 1 without a gap = 0",
    ),
    (
        "UPDATE ticket SET linked_to = 4711",
        "tickets linked to or merged into one that is not there = 0",
    ),
    (
        "UPDATE person_address SET n = 1",
        "users whose addresses are not numbered from 0 without a gap = 0",
    ),
    (
        "UPDATE outbox SET state = 'lost' WHERE state = 'queued'",
        "outgoing mails in an unknown state = 0",
    ),
    (
        "UPDATE outbox SET state = 'sending' WHERE state = 'queued'",
        "outgoing mails being sent by nobody, or leased and not being sent = 0",
    ),
    (
        "UPDATE outbox SET unsure = 2 WHERE state = 'sent'",
        "outgoing mails with fewer attempts than ended unknown = 0",
    ),
    (
        "UPDATE outbox SET attempts = 0 WHERE state = 'sent'",
        "outgoing mails sent without an attempt or a time = 0",
    ),
    (
        "UPDATE outbox SET message_id = '0f1e@desk.example' WHERE state = 'sent'",
        "outgoing mails attempted without a Message-ID of ours = 0",
    ),
    (
        "INSERT INTO credential (id, person, kind, hash, outbox, created_at, expires_at) \
         SELECT 'c', id, 'link', 'h', 4711, 1, 2 FROM person",
        "credentials of a mail that is not there = 0",
    ),
    ("UPDATE ticket SET number = number + 1000", "tickets above the last number given out = 0"),
    (
        "UPDATE outbox SET id = id + 1000 WHERE state = 'queued'",
        "outgoing mails above the last number given out = 0",
    ),
    (
        "UPDATE raw_chunk SET n = 1 WHERE message = {A}",
        "messages whose frames are not in order from 0 without a gap = 0",
    ),
    (
        "UPDATE raw_chunk SET bytes = (SELECT secret FROM signing_key) WHERE message = {A}",
        "messages with a frame that does not begin like one = 0",
    ),
    (
        "UPDATE message SET size = size + 1 WHERE id = {A}",
        "messages of another size than the ledger says = 0",
    ),
    (
        "UPDATE ticket SET merged_into = number",
        "messages on a ticket that was merged into another = 0",
    ),
    ("UPDATE ticket_message SET author = 'robot'", "messages on tickets by an unknown author = 0"),
    (
        "UPDATE ticket SET status = 'lost'",
        "tickets in an unknown state or of an unknown priority = 0",
    ),
    (
        "UPDATE ticket SET priority = 'extreme'",
        "tickets in an unknown state or of an unknown priority = 0",
    ),
    (
        "INSERT INTO ticket_event (ticket, n, at, by_kind, kind) \
         SELECT number, 2, 1, 'operator', 'closed' FROM ticket",
        "tickets whose changes are not numbered from 1 without a gap = 0",
    ),
    (
        "INSERT INTO ticket_event (ticket, n, at, by_kind, kind) \
         SELECT number, 1, 1, 'operator', 'painted' FROM ticket",
        "changes of an unknown kind, or by nobody known = 0",
    ),
    (
        "INSERT INTO ticket_event (ticket, n, at, by_kind, kind) \
         SELECT number, 1, 1, 'agent', 'closed' FROM ticket",
        "changes of an unknown kind, or by nobody known = 0",
    ),
    (
        "INSERT INTO ticket_event (ticket, n, at, by_kind, kind) \
         VALUES (4711, 1, 1, 'operator', 'closed')",
        "changes, tags and people of a ticket that is not there = 0",
    ),
    (
        "UPDATE outbox SET about_message = {B}",
        "outgoing mails that tell of a message or a change that is not there = 0",
    ),
    (
        "UPDATE outbox SET about_event = 7",
        "outgoing mails that tell of a message or a change that is not there = 0",
    ),
    (
        "UPDATE message SET origin = 'portal/p/1/x', acknowledgement = 'owed' WHERE id = {A}",
        "what was written at the counter that a mailbox is told of = 0",
    ),
];

pub fn p_17_whatever_is_tampered_with_an_equation_says_so(place: &Place) {
    let store = place.open();
    fill(place);
    send_one(place, &store);
    let ids = ids(&store);
    let before = read(&store, audit::audit);
    assert!(before.balance(), "{:?}", before.imbalances().collect::<Vec<_>>());
    let mut shown: BTreeSet<&str> = BTreeSet::new();
    for (tampering, expected) in TAMPERED {
        let mut statements = (*tampering).to_owned();
        for (name, id) in ["{A}", "{B}", "{C}", "{D}"].iter().zip(&ids) {
            statements = statements.replace(name, &format!("'{id}'"));
        }
        let books = tampered(&store, &statements);
        let named: Vec<&str> = books.imbalances().map(|equation| equation.what).collect();
        assert!(named.contains(expected), "{statements}\nis seen as {named:?}");
        let equation = books.imbalances().find(|equation| equation.what == *expected);
        let is_named = equation.is_some_and(|equation| !equation.examples.is_empty());
        assert!(is_named || !expected.ends_with("= 0"), "{expected}: no id is named");
        shown.insert(expected);
    }
    let all: BTreeSet<&str> = before.equations.iter().map(|equation| equation.what).collect();
    assert_eq!(all.difference(&shown).collect::<Vec<_>>(), Vec::<&&str>::new(), "never shown");
    assert_eq!(read(&store, audit::audit), before, "all of it was taken back");
}

// The books after `statements`, which are taken back.
fn tampered(store: &Store, statements: &str) -> Books {
    let (told, heard) = channel();
    let statements = statements.to_owned();
    let refused: Result<(), _> = store.transact(move |sql| {
        without_references(sql)?;
        for statement in statements.split(';') {
            sql.execute(statement, args![])?;
        }
        let books = audit::audit(sql)?;
        told.send(books).map_err(|_| StoreError::Stopped)?;
        Err(StoreError::Stopped)
    });
    assert!(matches!(refused, Err(StoreError::Stopped)), "{refused:?}");
    heard.try_iter().last().expect("the books were read")
}

// Whoever tampers is not kept from it by references.
fn without_references(sql: &mut dyn Sql) -> Result<(), StoreError> {
    match sql.dialect() {
        Dialect::Postgres => sql.execute("SET LOCAL session_replication_role = replica", args![]),
        Dialect::Sqlite => sql.execute("PRAGMA defer_foreign_keys = ON", args![]),
    }
    .map(drop)
}

// The accepted message, an ignored one, the held one, the pending one.
fn ids(store: &Store) -> [String; 4] {
    read(store, |sql| {
        let mut one = |condition: &str| {
            let statement = format!(
                "SELECT m.id FROM message m LEFT JOIN decision d ON d.message = m.id \
                 WHERE {condition}"
            );
            sql.query(&statement, args![])?[0].text(0)
        };
        Ok([
            one("d.outcome = 'accepted'")?,
            one("d.reason = 'own_message'")?,
            one("d.outcome = 'held'")?,
            one("d.outcome IS NULL")?,
        ])
    })
}

// One mail of ours went out under its own id; one message came from a server; there is a key.
fn send_one(place: &Place, store: &Store) {
    let ids = place.ids.clone();
    write(store, move |sql| {
        let term = jiff::SignedDuration::from_mins(1);
        let claim = outbox::claim_due(sql, "w", &outbox::Whose::All, at(500), term, 1)?[0];
        let attempt = outbox::Attempt {
            claim,
            credentials: Vec::new(),
            // As the hundredth mail is called: the number is written in base 36.
            message_id: "g1a.0.2s.mac@desk.example".to_owned(),
            subject: "Hello".to_owned(),
            body: "Hello".to_owned(),
            known: Vec::new(),
        };
        outbox::begin_attempt(sql, &attempt, term, &ids, at(500))?;
        outbox::sent(sql, claim, "250 ok", None, at(501))?;
        sql.execute(
            "INSERT INTO signing_key (id, secret, made_at) VALUES ('a', ?1, 1)",
            args![&[1_u8; 32][..]],
        )?;
        mailboxes::begin(sql, "server", "server@desk.example", at(0))?;
        mailboxes::set_position(sql, "server", "uid/7/12")?;
        let old = (Origin::Uid { series: Series::of(7), uid: 12 }, at(1));
        spool::skip(sql, "server", &[old], at(2), &ids).map(drop)
    });
}

pub fn decisions_are_listed_and_counted(place: &Place) {
    let store = place.open();
    fill(place);
    let list = |filter: decisions::Filter| read(&store, |sql| decisions::list(sql, &filter, 10));
    let all = list(decisions::Filter::default());
    assert_eq!(all.len(), 4);
    assert!(all.windows(2).all(|two| two[0].decided_at >= two[1].decided_at));
    let rest = list(decisions::Filter {
        before: Some((all[1].decided_at, all[1].message.clone())),
        ..Default::default()
    });
    assert_eq!(rest, all[2..]);
    let from = decisions::Filter { from: Some("CLAIRE@".to_owned()), ..Default::default() };
    assert_eq!(list(from).len(), 2);
    let literal = decisions::Filter { from: Some("%' OR 1=1".to_owned()), ..Default::default() };
    assert!(list(literal).is_empty(), "T-50");
    let held = decisions::Filter { outcome: Some(Outcome::Held), ..Default::default() };
    assert_eq!(list(held)[0].reason, Reason::NoSender);
    let reason = decisions::Filter {
        reason: Some(Reason::TicketCreated),
        since: Some(at(0)),
        mailbox: Some("support".to_owned()),
        ..Default::default()
    };
    let accepted = &list(reason)[0];
    let told = read(&store, |sql| decisions::one(sql, &accepted.message)).expect("it is there");
    assert_eq!(told.1.ticket.number, accepted.ticket);
    assert_eq!(told.1.user.expect("a user").name, "Claire Johnson");
    let counts = read(&store, decisions::counts);
    assert_eq!(
        counts,
        [
            (Outcome::Accepted, Reason::TicketCreated, 1),
            (Outcome::Held, Reason::NoSender, 1),
            (Outcome::Ignored, Reason::Duplicate, 1),
            (Outcome::Ignored, Reason::OwnMessage, 1),
        ]
    );
    let copies = read(&store, |sql| decisions::copies(sql, &accepted.message));
    assert_eq!(copies.len(), 1, "M-09: the other arrival is noted");
}

// One accepted, its duplicate, one ignored, one held, one pending.
fn fill(place: &Place) {
    let store = place.open();
    let ends = [
        ("a", Reason::TicketCreated, Outcome::Accepted),
        ("a", Reason::Duplicate, Outcome::Ignored),
        ("b", Reason::OwnMessage, Outcome::Ignored),
        ("c", Reason::NoSender, Outcome::Held),
    ];
    for (n, (name, reason, outcome)) in (0..).zip(ends) {
        let claim = place.receive(&store, &format!("m{n}"), n);
        let ids = place.ids.clone();
        let from = if name == "a" { "claire@contoso.example" } else { "x@contoso.example" };
        write(&store, move |sql| {
            let message = message(name, from);
            let facts = gather(sql, &questions(&message), &claim, n);
            let plan = match reason {
                Reason::TicketCreated => first_contact(&message, &facts),
                _ => plan(reason, outcome, vec![]),
            };
            apply::apply(sql, &plan, Some(&message), &claim, &ids, at(n))
        });
    }
    place.receive(&store, "pending", 9);
}
