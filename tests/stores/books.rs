//! Decisions and the books.

use guichet::args;
use guichet::store::{apply, audit, decisions};
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
