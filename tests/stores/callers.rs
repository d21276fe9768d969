//! For whom staff opens tickets, to whom they give them, and who hears of it.

use guichet::counter::{Actor, CounterError, Requester, TicketChange, Writing};
use guichet::store::audit;
use guichet::store::tickets::{self, EventKind, Filter};
use guichet::store::users::{self, Change, User};

use crate::support::{Place, address, at, count, key, read, write};
use crate::talk::{Talk, mail_of};

const CLAIRE: &str = "claire.johnson@contoso.example";
const ANNA: &str = "anna@desk.example";
const OTTO: &str = "otto@desk.example";

const STAFF: &str = "[[agent]]\nname = \"Anna Weiss\"\nemail = \"anna@desk.example\"\n\
    [[agent]]\nname = \"Otto Kern\"\nemail = \"otto@desk.example\"\nsites = [\"Fabrikam\"]\n\
    [[agent]]\nname = \"Deaf\"\nemail = \"deaf@desk.example\"\nnotify = [\"ticket.replied\"]\n";

fn anna() -> Actor {
    Actor::Agent(address(ANNA))
}

fn user(talk: &Talk, written: &str) -> User {
    read(&talk.store, |sql| users::show(sql, key(written).as_str())).expect("a user")
}

fn open_for(talk: &Talk, second: i64, from: &str) -> Result<String, CounterError> {
    let requester = Some(Requester { address: address(from), name: None });
    let text = "They say that it smokes.".to_owned();
    talk.counter(second).write(&anna(), Writing { requester, text, ..Writing::default() })
}

fn balance(talk: &Talk) {
    let books = read(&talk.store, audit::audit);
    assert!(books.balance(), "{:#?}", books.imbalances().collect::<Vec<_>>());
}

pub fn a_ticket_of_somebody_who_was_disabled_is_given_to_them_t_54(place: &Place) {
    let talk = Talk::with(place, STAFF);
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", "It smokes."));
    let id = user(&talk, CLAIRE).id;
    let switch = |to: Change| {
        let id = id.clone();
        write(&talk.store, move |sql| users::set(sql, &id, std::slice::from_ref(&to), at(2)));
    };
    switch(Change::Disable);
    talk.receive("support", 3, &mail_of("two", CLAIRE, "", "Again."));
    open_for(&talk, 4, CLAIRE).expect("it becomes a ticket as her mail does");
    assert_eq!(talk.decide(4).reason, "ticket_created");
    let give = [TicketChange::Requester(address(CLAIRE))];
    let refused = talk.counter(5).change(2, &anna(), &give);
    assert!(matches!(refused, Err(CounterError::Account)), "{refused:?}");
    switch(Change::Enable);
    let shown = |number| read(&talk.store, |sql| tickets::show(sql, number)).expect("it is there");
    assert_eq!((shown(2).ticket.user, shown(3).ticket.user), (None, None));
    let listed = Filter { user: Some(id.clone()), ..Filter::default() };
    let theirs = || read(&talk.store, |sql| tickets::list(sql, &listed, 10)).len();
    assert_eq!(theirs(), 1);
    let changed = talk.counter(6).change(2, &anna(), &give).expect("she is there again");
    assert_eq!((changed.events.len(), theirs()), (1, 2));
    assert_eq!(shown(2).ticket.user.map(|(id, _)| id), Some(id.clone()));
    assert_eq!(shown(2).messages[0].user.as_ref(), Some(&id), "she wrote it");
    let again = talk.counter(7).change(2, &anna(), &give).expect("it is so already");
    assert!(again.events.is_empty());
    balance(&talk);
}

pub fn a_ticket_for_staff_that_is_given_to_a_user_is_theirs_to_read(place: &Place) {
    let talk = Talk::with(place, STAFF);
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", "It smokes."));
    let robot = "Auto-Submitted: auto-generated\r\n";
    let end = talk.receive("support", 2, &mail_of("alarm", "ups@fabrikam.example", robot, "Low."));
    assert_eq!(end.reason, "staff_ticket_created");
    let id = user(&talk, CLAIRE).id;
    let may_write = || {
        let seat = read(&talk.store, |sql| tickets::seat(sql, 2, Some(&id)));
        seat.expect("it is there").may_write
    };
    assert!(!may_write());
    let give = [TicketChange::Requester(address(CLAIRE))];
    let changed = talk.counter(3).change(2, &anna(), &give).expect("staff may");
    let kinds: Vec<EventKind> = changed.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Requester, EventKind::Readers]);
    assert!(may_write());
    balance(&talk);
}

pub fn a_ticket_for_an_address_that_nobody_reads_brings_no_user_and_no_mail_r_04(place: &Place) {
    let talk = Talk::with(place, STAFF);
    open_for(&talk, 1, "noreply@y.example").expect("staff may");
    let end = talk.decide(1);
    assert_eq!((end.reason, end.ticket), ("staff_ticket_created", Some(1)));
    assert_eq!(count(&talk.store, "person"), 0);
    assert_eq!(count(&talk.store, "outbox WHERE to_key = 'noreply@y.example'"), 0);
    let close = [TicketChange::Status(guichet::triage::facts::TicketStatus::Closed)];
    assert_eq!(talk.counter(2).change(1, &anna(), &close).expect("staff may").mail, None);
    balance(&talk);
}

pub fn an_agent_who_is_a_user_is_named_as_staff_and_gets_no_way_in_c_08(place: &Place) {
    let talk = Talk::with(place, STAFF);
    talk.receive("support", 1, &mail_of("one", ANNA, "", "My own printer."));
    open_for(&talk, 2, OTTO).expect("staff may");
    talk.decide(2);
    for (written, first, last) in [(ANNA, "Anna", "Weiss"), (OTTO, "Otto", "Kern")] {
        let user = user(&talk, written);
        assert_eq!((user.first_name.as_str(), user.last_name.as_str()), (first, last));
        assert_eq!((user.derived, user.credentials_withheld.as_deref()), (false, Some("C-08")));
    }
    assert_eq!(count(&talk.store, "outbox WHERE template = 'credentials'"), 0);
    balance(&talk);
}

pub fn an_agent_is_told_of_what_somebody_else_gives_them(place: &Place) {
    let talk = Talk::with(place, STAFF);
    talk.receive("support", 1, &mail_of("one", CLAIRE, "", "It smokes."));
    let notices = |to: &str| {
        count(&talk.store, &format!("outbox WHERE template = 'agent_notice' AND to_key = '{to}'"))
    };
    let assign = |second, actor: &Actor, to: &str| {
        let changes = [TicketChange::Assignee(Some(address(to)))];
        talk.counter(second).change(1, actor, &changes).expect("staff may");
    };
    assert_eq!((notices(ANNA), notices(OTTO)), (1, 0), "the new ticket is of Anna's sites alone");
    assign(2, &anna(), OTTO);
    assert_eq!((notices(ANNA), notices(OTTO)), (1, 1), "whatever its site: it is his now");
    let told = talk.sent_to(OTTO).pop().expect("it goes out");
    assert!(told.text.contains("Otto Kern") && told.text.contains("About one"), "{}", told.text);
    assign(3, &anna(), ANNA);
    assert_eq!(notices(ANNA), 1, "she took it herself");
    assign(4, &Actor::Operator, OTTO);
    assert_eq!(notices(OTTO), 2);
    assign(5, &Actor::Operator, "deaf@desk.example");
    assert_eq!(notices("deaf@desk.example"), 0, "`notify` says what they hear of");
    balance(&talk);
}
