//! An address that is no longer its user's: what was asked from it stays with the user (T-02).

use guichet::counter::{Actor, Mails, TicketChange, Writing};
use guichet::mail::Address;
use guichet::store::users::{self, Change, Clearing};
use guichet::store::{audit, outbox, sites, tickets};
use guichet::triage::facts::{TicketRole, TicketStatus};

use crate::suites::people::added;
use crate::support::{Place, address, at, count, key, read, write};
use crate::talk::{Talk, in_reply_to, mail_of};

const OLD: &str = "c.johnson@old.example";
const NEW: &str = "claire@new.example";
const PAT: &str = "pat@partner.example";

fn id_of(talk: &Talk, written: &str) -> String {
    let user = read(&talk.store, |sql| users::show(sql, key(written).as_str()));
    user.expect("a user").id
}

fn set(talk: &Talk, id: &str, changes: Vec<Change>) {
    let id = id.to_owned();
    assert!(write(&talk.store, move |sql| users::set(sql, &id, &changes, at(5))));
}

fn moved(talk: &Talk) -> String {
    talk.receive("support", 1, &mail_of("one", OLD, "", "It smokes."));
    let id = id_of(talk, OLD);
    let added = Change::AddAddress(address(NEW), key(NEW));
    set(talk, &id, vec![added, Change::MainAddress(key(NEW))]);
    id
}

fn answer(talk: &Talk, second: i64, text: &str) {
    let counter = talk.counter(second);
    let writing = Writing {
        ticket: Some(1),
        text: text.to_owned(),
        mails: Mails::Sent,
        ..Writing::default()
    };
    counter.write(&Actor::Operator, writing).expect("staff may");
    talk.decide(second);
}

fn requester(talk: &Talk) -> Address {
    read(&talk.store, |sql| tickets::requester(sql, 1)).expect("somebody").address
}

fn balance(talk: &Talk) {
    let books = read(&talk.store, audit::audit);
    assert!(books.balance(), "{:#?}", books.imbalances().collect::<Vec<_>>());
}

pub fn mail_about_a_ticket_goes_to_the_main_address_of_its_requester_t_02(place: &Place) {
    let talk = Talk::at(place);
    moved(&talk);
    let before = talk.sent_to(OLD).len();
    answer(&talk, 6, "Switch it off.");
    let close = [TicketChange::Status(TicketStatus::Closed)];
    talk.counter(7).change(1, &Actor::Operator, &close).expect("staff may");
    assert_eq!((talk.sent_to(NEW).len(), talk.sent_to(OLD).len()), (2, before));
    let shown = read(&talk.store, |sql| tickets::show(sql, 1)).expect("it is there");
    assert_eq!(shown.ticket.requester_address, NEW);
    assert_eq!(shown.messages[0].from_address, OLD, "what was written stays");
    // Both are hers.
    for (second, from) in [(8, OLD), (9, NEW)] {
        let raw = mail_of(&format!("m{second}"), from, &in_reply_to("one@mail.example"), "Thanks.");
        let end = talk.receive("support", second, &raw);
        assert_eq!(end.ticket, Some(1), "{from}");
        let role = read(&talk.store, |sql| tickets::messages(sql, 1)).pop().expect("hers").user;
        assert!(role.is_some());
    }
    balance(&talk);
}

pub fn an_address_that_was_taken_away_has_no_part_in_its_tickets_t_02(place: &Place) {
    let talk = Talk::at(place);
    let claire = moved(&talk);
    talk.receive("support", 2, &mail_of("two", PAT, "", "Mine too."));
    write(&talk.store, |sql| tickets::add_people(sql, 2, &[(key(OLD), TicketRole::Participant)]));
    set(&talk, &claire, vec![Change::RemoveAddress(key(OLD))]);
    let close = [TicketChange::Status(TicketStatus::Closed)];
    talk.counter(6).change(1, &Actor::Operator, &close).expect("staff may");
    for (n, number) in [(1, "one"), (2, "two")] {
        let fields = in_reply_to(&format!("{number}@mail.example"));
        let end = talk.receive("support", 10 + n, &mail_of(&format!("o{n}"), OLD, &fields, "Ha."));
        assert_eq!((end.reason, end.linked_to), ("follow_up_linked", Some(n)), "{number}");
        let end = talk.receive("support", 20 + n, &mail_of(&format!("n{n}"), NEW, &fields, "Hi."));
        assert_eq!(end.ticket, Some(n), "{number}");
    }
    assert_ne!(id_of(&talk, OLD), claire, "whoever has it by now is somebody else");
    let parts = |number| read(&talk.store, |sql| tickets::show(sql, number)).expect("it").people;
    assert!(parts(1).contains(&(NEW.to_owned(), TicketRole::Requester)), "{:?}", parts(1));
    assert!(parts(2).contains(&(NEW.to_owned(), TicketRole::Participant)), "{:?}", parts(2));
    assert!(parts(1).iter().chain(&parts(2)).all(|(key, _)| key != OLD));
    balance(&talk);
}

pub fn what_is_queued_for_an_address_that_was_taken_away_goes_to_its_user_t_02(place: &Place) {
    let talk = Talk::at(place);
    let claire = moved(&talk);
    set(&talk, &claire, vec![Change::MainAddress(key(OLD))]);
    answer(&talk, 6, "Switch it off.");
    assert_eq!(requester(&talk), address(OLD));
    set(&talk, &claire, vec![Change::MainAddress(key(NEW))]);
    let waiting = |to: &str| {
        count(
            &talk.store,
            &format!(
                "outbox WHERE state = 'queued' AND template = 'ticket_reply' AND to_address = '{to}'"
            ),
        )
    };
    assert_eq!((waiting(OLD), waiting(NEW)), (1, 0), "it is hers: it goes where it was written to");
    set(&talk, &claire, vec![Change::RemoveAddress(key(OLD))]);
    assert_eq!((waiting(OLD), waiting(NEW)), (0, 1));
    assert_eq!(count(&talk.store, "outbox WHERE state = 'queued' AND template = 'credentials'"), 0);
    assert_eq!((talk.sent_to(OLD).len(), talk.sent_to(NEW).len()), (0, 2));
    balance(&talk);
}

pub fn a_merged_user_is_written_to_where_the_other_one_is_t_02(place: &Place) {
    let talk = Talk::at(place);
    talk.receive("support", 1, &mail_of("one", OLD, "", "It smokes."));
    talk.receive("support", 2, &mail_of("two", NEW, "", "Mine too."));
    let (from, into) = (id_of(&talk, OLD), id_of(&talk, NEW));
    write(&talk.store, move |sql| users::merge(sql, &from, &into, at(3)));
    assert_eq!(requester(&talk), address(NEW));
    for (second, from) in [(4, OLD), (5, NEW)] {
        let raw = mail_of(&format!("m{second}"), from, &in_reply_to("one@mail.example"), "Thanks.");
        assert_eq!(talk.receive("support", second, &raw).reason, "reply_added", "{from}");
    }
    balance(&talk);
}

pub fn whoever_has_the_address_by_now_takes_nothing_along_when_they_are_erased(place: &Place) {
    let talk = Talk::at(place);
    let claire = moved(&talk);
    set(&talk, &claire, vec![Change::RemoveAddress(key(OLD))]);
    let eve = add(&talk, place, OLD);
    let listed = |user: &str| {
        let filter = tickets::Filter { user: Some(user.to_owned()), ..Default::default() };
        read(&talk.store, |sql| tickets::list(sql, &filter, 10)).len()
    };
    assert_eq!((listed(&claire), listed(&eve), listed(OLD)), (1, 0, 0));
    let clear = |id: &str, clearing| {
        let (id, ids) = (id.to_owned(), place.ids.clone());
        write(&talk.store, move |sql| {
            users::delete(sql, &id, at(8))?;
            users::clear_tickets(sql, &id, clearing, &ids, at(8))
        })
    };
    assert_eq!(clear(&eve, Clearing::Delete).tickets, 0);
    let shown = read(&talk.store, |sql| tickets::show(sql, 1)).expect("Claire's is there");
    assert_eq!(shown.messages[0].body.trim(), "It smokes.");
    assert_eq!(clear(&claire, Clearing::Anonymize).tickets, 1);
    let shown = read(&talk.store, |sql| tickets::show(sql, 1)).expect("it was kept");
    assert!(shown.ticket.requester_address.ends_with("@deleted.invalid"));
    assert!(shown.messages[0].from_address.ends_with("@deleted.invalid"));
    for column in ["to_address", "to_key"] {
        let left = format!("outbox WHERE ticket = 1 AND {column} = '{OLD}'");
        assert_eq!(count(&talk.store, &left), 0);
    }
    assert_eq!(count(&talk.store, &format!("decision WHERE from_address = '{OLD}'")), 0);
    let mails = read(&talk.store, |sql| {
        outbox::list(sql, &outbox::Filter::default(), outbox::Page { before: None, limit: 50 })
    });
    assert!(mails.iter().all(|mail| mail.to != OLD), "{mails:?}");
    balance(&talk);
}

fn add(talk: &Talk, place: &Place, written: &str) -> String {
    let site = read(&talk.store, |sql| sites::show(sql, "Contoso")).expect("a site").id;
    let addition = added(&[written], "Eve", &site);
    let ids = place.ids.clone();
    write(&talk.store, move |sql| users::add(sql, &addition, &ids, at(7)))
}
