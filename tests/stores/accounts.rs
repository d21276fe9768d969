//! How accounts end, and how two become one: what is left of them, in every table.

use guichet::args;
use guichet::store::attempts::{self, Counts, Tried};
use guichet::store::copy::tables;
use guichet::store::credentials::{self, CredentialKind, NewCredential};
use guichet::store::sites::hand::{self, SiteEdit};
use guichet::store::tickets::{By, EventKind};
use guichet::store::users::{self, Addition, Change, Clearing};
use guichet::store::{Store, StoreError, apply, audit, sites, spool, tickets};
use guichet::triage::facts::{TicketRole, UserStatus};
use guichet::triage::policy::Rate;
use jiff::SignedDuration;

use crate::suites::people::added;
use crate::support::{
    DEFAULT_SITE, Place, address, at, count, first_contact, gather, key, message, questions, read,
    site, write,
};

pub fn of_two_who_add_one_address_at_once_one_has_it_m_43_e_82(place: &Place) {
    for round in 0..5 {
        let store = place.open();
        let wanted = format!("wanted{round}@contoso.example");
        let (one, other) = std::thread::scope(|scope| {
            let add = |name: &'static str| {
                let (store, wanted) = (store.clone(), wanted.clone());
                scope.spawn(move || {
                    let own = format!("{name}{round}@contoso.example");
                    add(place, &store, name, &[&own, &wanted])
                })
            };
            let (one, other) = (add("anna"), add("bob"));
            (one.join().expect("it ends"), other.join().expect("it ends"))
        });
        assert!(one.is_ok() != other.is_ok(), "one of {one:?} and {other:?}");
        let lost = one.err().or(other.err()).expect("one lost");
        assert!(matches!(lost, StoreError::Taken { .. }), "{lost}");
        let owners = read(&store, |sql| users::owners(sql, &[key(&wanted)]));
        assert_eq!(owners.len(), 1);
    }
    let store = place.open();
    assert_eq!(count(&store, "person"), 5, "E-82: who lost left nothing");
    balances(&store);
}

pub fn of_two_users_who_are_given_one_address_one_has_it_m_43(place: &Place) {
    let store = place.open();
    let anna = add(place, &store, "Anna", &["anna@contoso.example"]).expect("it is free");
    let bob = add(place, &store, "Bob", &["bob@contoso.example"]).expect("it is free");
    let outcomes = std::thread::scope(|scope| {
        let give = |id: &String| {
            let (store, id) = (store.clone(), id.clone());
            scope.spawn(move || {
                let change = Change::AddAddress(address("x@y.example"), key("x@y.example"));
                store
                    .transact(move |sql| users::set(sql, &id, std::slice::from_ref(&change), at(1)))
            })
        };
        let (one, other) = (give(&anna), give(&bob));
        [one.join().expect("it ends"), other.join().expect("it ends")]
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    balances(&store);
}

pub fn whoever_is_disabled_or_deleted_has_no_session(place: &Place) {
    let store = place.open();
    for (n, ending) in [Some(Change::Disable), None].into_iter().enumerate() {
        let id = add(place, &store, "Claire", &[&format!("claire{n}@contoso.example")]);
        let id = id.expect("it is free");
        log_in(&store, &id);
        let sessions = format!("session WHERE person = '{id}' AND scope <> 'closed'");
        let person = id.clone();
        assert_eq!(count(&store, &sessions), 1);
        match ending {
            Some(change) => {
                write(&store, move |sql| {
                    users::set(sql, &person, std::slice::from_ref(&change), at(2))
                });
            }
            None => {
                write(&store, move |sql| users::delete(sql, &person, at(2)));
            }
        }
        assert_eq!(count(&store, &sessions), 0);
        let user = read(&store, |sql| users::show(sql, &id)).expect("a row");
        // Who is let in again still knows their password; who was deleted has none.
        assert_eq!(user.password_set_at.is_some(), n == 0);
    }
    balances(&store);
}

pub fn a_link_sent_to_an_address_ends_with_it_t_28(place: &Place) {
    let store = place.open();
    let all = ["claire@contoso.example", "old@contoso.example", "c@mail.example", "d@mail.example"];
    let id = add(place, &store, "Claire", &all).expect("they are free");
    let (person, main) = (id.clone(), Change::MainAddress(key("c@mail.example")));
    write(&store, move |sql| users::set(sql, &person, std::slice::from_ref(&main), at(1)));
    keep(place, &store, &id);
    let live = |id: &str| read(&store, |sql| credentials::live(sql, id, at(2))).len();
    assert_eq!(live(&id), 1);
    let person = id.clone();
    let gone = Change::RemoveAddress(key("old@contoso.example"));
    write(&store, move |sql| users::set(sql, &person, std::slice::from_ref(&gone), at(2)));
    assert_eq!(live(&id), 0);
    let user = read(&store, |sql| users::show(sql, &id)).expect("she is there");
    let left: Vec<&str> = user.addresses.iter().map(|one| one.address.as_str()).collect();
    assert_eq!(left, ["c@mail.example", "d@mail.example", "claire@contoso.example"]);
    balances(&store);
}

pub fn two_users_become_one(place: &Place) {
    let store = place.open();
    contact(place, &store, "a", "claire@contoso.example");
    contact(place, &store, "b", "claire.private@mail.example");
    let id = |of: &str| read(&store, |sql| users::show(sql, of)).expect("a user").id;
    let into = id("claire@contoso.example");
    let from = id("claire.private@mail.example");
    let third = add(place, &store, "Third", &["third@mail.example"]).expect("it is free");
    let (person, phone) = (from.clone(), Change::Phone(Some("+49 1".to_owned())));
    write(&store, move |sql| users::set(sql, &person, std::slice::from_ref(&phone), at(3)));
    keep(place, &store, &from);
    log_in(&store, &from);
    let merge = |from: &str, into: &str| {
        let (from, into) = (from.to_owned(), into.to_owned());
        store.transact(move |sql| users::merge(sql, &from, &into, at(4)))
    };
    assert!(merge(&into, &into).is_err(), "nobody is merged with themselves");
    // A chain: who went to `from` is found at `into`.
    merge(&third, &from).expect("both are there");
    let merged = merge(&from, &into).expect("both are there");
    assert_eq!((merged.addresses, merged.tickets, merged.messages), (2, 1, 1));
    let user = read(&store, |sql| users::show(sql, &into)).expect("who stays");
    let addresses: Vec<&str> = user.addresses.iter().map(|one| one.address.as_str()).collect();
    assert_eq!(
        addresses,
        ["claire@contoso.example", "claire.private@mail.example", "third@mail.example"]
    );
    assert_eq!(user.phone.as_deref(), Some("+49 1"), "what was not known of them");
    for gone in [&from, &third] {
        let tombstone = read(&store, |sql| users::show(sql, gone)).expect("a row stays");
        assert_eq!(tombstone.status, UserStatus::Deleted);
        assert_eq!(tombstone.merged_into.as_ref(), Some(&into));
        assert_eq!((tombstone.addresses.len(), tombstone.phone), (0, None));
    }
    assert_eq!(read(&store, |sql| credentials::live(sql, &from, at(5))).len(), 0);
    assert_eq!(count(&store, "session"), 0);
    let theirs = tickets::Filter { user: Some(into.clone()), ..Default::default() };
    assert_eq!(read(&store, |sql| tickets::list(sql, &theirs, 10)).len(), 2);
    assert_eq!(count(&store, &format!("outbox WHERE person = '{from}'")), 0);
    // What is on its way to log in as somebody who is no more does not go.
    assert_eq!(count(&store, "outbox WHERE state = 'cancelled' AND template = 'credentials'"), 1);
    assert!(merge(&from, &into).is_err(), "a tombstone is nobody");
    let (gone, addition) = (from.clone(), person_of(&store, "X", &["x@mail.example"]));
    assert!(!write(&store, move |sql| users::revive(sql, &gone, &addition, at(6))));
    balances(&store);
}

pub fn a_tombstone_becomes_a_user_again_when_it_is_asked_for_t_54(place: &Place) {
    let store = place.open();
    contact(place, &store, "a", "claire@contoso.example");
    let id = read(&store, |sql| users::show(sql, "claire@contoso.example")).expect("a user").id;
    let person = id.clone();
    assert!(write(&store, move |sql| users::delete(sql, &person, at(2))));
    let back = person_of(&store, "Clara", &["c@contoso.example", "Claire@contoso.example"]);
    let person = id.clone();
    assert!(write(&store, move |sql| users::revive(sql, &person, &back, at(3))));
    let user = read(&store, |sql| users::show(sql, &id)).expect("she is there");
    assert_eq!((user.status, user.deleted_at), (UserStatus::Active, None));
    assert_eq!((user.first_name.as_str(), user.addresses.len()), ("Clara", 2));
    assert_eq!(user.addresses[0].address, "c@contoso.example");
    assert_eq!(user.addresses[1].address, "Claire@contoso.example", "as it is written now");
    let theirs = tickets::Filter { user: Some(id), ..Default::default() };
    assert_eq!(read(&store, |sql| tickets::list(sql, &theirs, 10)).len(), 1, "they were kept");
    balances(&store);
}

pub fn nothing_of_a_user_is_left_when_their_tickets_are_cleared(place: &Place) {
    for (n, clearing) in [Clearing::Anonymize, Clearing::Delete].into_iter().enumerate() {
        let store = place.open();
        let (from, secret) = (format!("zoe.quill{n}@contoso.example"), format!("my secret {n}"));
        contact(place, &store, &format!("z{n}"), &from);
        let user = read(&store, |sql| users::show(sql, &from)).expect("a user");
        let id = user.id.clone();
        let written = secret.clone();
        // As a mail program, a technician and a relay would have it: her name in text, story, answer.
        write(&store, move |sql| {
            let changes = [
                Change::FirstName("Zoe".to_owned()),
                Change::LastName("Quill".to_owned()),
                Change::Phone(Some("+49 170 1234567".to_owned())),
            ];
            users::set(sql, &id, &changes, at(2))?;
            let body = format!(
                "Zoe QUILL says {written}, call +49 170 1234567 or zoe.quill{n}@contoso.example"
            );
            sql.execute(
                "UPDATE ticket_message SET body = ?1, visible = ?1, internal = ?1, from_name = \
                   'Zoe Quill' WHERE person = ?2",
                args![&body, &id],
            )?;
            sql.execute(
                "UPDATE outbox SET subject = ?1, body = ?1, response = ?1 WHERE person = ?2",
                args![&body, &id],
            )?;
            let ticket = "(SELECT number FROM ticket WHERE person = ?1)";
            sql.execute(
                &format!(
                    "INSERT INTO ticket_event (ticket, n, at, by_kind, kind, before) \
                     SELECT number, 1, 0, 'operator', 'requester', 'Zoe Quill' FROM ticket \
                     WHERE number = {ticket}"
                ),
                args![&id],
            )?;
            sql.execute(
                &format!(
                    "UPDATE decision SET story = '{{\"steps\":[{{\"rule\":\"M-34\",\"said\":\"from \
                       zoe.quill{n}@contoso.example, Zoe\",\"key\":null}}]}}' \
                     WHERE ticket = {ticket}"
                ),
                args![&id],
            )
        });
        let (words, person) = (["zoe", "quill", "1234567"], user.id.clone());
        assert!(left(&store, &words).len() >= 6, "{:?}", left(&store, &words));
        let ids = place.ids.clone();
        let cleared = write(&store, move |sql| {
            users::delete(sql, &person, at(3))?;
            users::clear_tickets(sql, &person, clearing, &ids, at(3))
        });
        assert_eq!((cleared.tickets, cleared.messages, cleared.mails), (1, 1, 2));
        let left = left(&store, &words);
        // The key by which mail of hers is known, and what her own mail was called.
        let own = |found: &&String| {
            !found.starts_with("person_address ")
                && !found.contains(&format!("z{n}@sender.example"))
        };
        assert_eq!(left.iter().filter(own).collect::<Vec<_>>(), Vec::<&String>::new());
        let says = crate::accounts::left(&store, &[&secret]);
        match clearing {
            Clearing::Anonymize => assert!(!says.is_empty(), "what was said stays"),
            Clearing::Delete => assert!(says.is_empty(), "{says:?}"),
        }
        balances(&store);
        assert_eq!(store.verify().expect("it is looked at"), Vec::<String>::new());
        // T-54: she is known all the same.
        let tombstone = read(&store, |sql| users::show(sql, &from)).expect("a tombstone");
        assert_eq!(tombstone.status, UserStatus::Deleted);
        assert!(add(place, &store, "New", &[&from]).is_err());
    }
}

pub fn nothing_leads_back_to_whoever_was_anonymized(place: &Place) {
    let store = place.open();
    for (name, from) in [
        ("a", "claire@contoso.example"),
        ("b", "claire.private@mail.example"),
        ("c", "paul@contoso.example"),
    ] {
        contact(place, &store, name, from);
    }
    let id = |of: &str| read(&store, |sql| users::show(sql, of)).expect("a user").id;
    let (claire, private) = (id("claire@contoso.example"), id("claire.private@mail.example"));
    // She wrote in the portal, by both accounts, and on the ticket of another, that was hers before.
    let (main, other) = (claire.clone(), private.clone());
    let paul = id("paul@contoso.example");
    write(&store, move |sql| {
        for (person, ticket) in [(&main, "new"), (&other, "7")] {
            sql.execute(
                "UPDATE message SET acknowledgement = 'never', origin = 'portal/' || \
                   CAST(?1 AS TEXT) || '/' || CAST(?2 AS TEXT) || '/t' WHERE id = \
                   (SELECT message FROM ticket_message WHERE person = ?1)",
                args![person, ticket],
            )?;
        }
        let row = sql.query("SELECT number FROM ticket WHERE person = ?1", args![&paul])?;
        let of_paul = row[0].int(0)?;
        for (table, columns) in [
            ("person", "first_name = 'Paul', last_name = 'Martin' WHERE id = ?1"),
            ("ticket_message", "from_name = 'Paul Martin' WHERE person = ?1"),
            ("decision", "story = '{}' WHERE sender_key = 'paul@contoso.example' AND ?1 <> ''"),
        ] {
            sql.execute(&format!("UPDATE {table} SET {columns}"), args![&paul])?;
        }
        let her = By::User(Some(main.clone()));
        tickets::record(sql, of_paul, &her, EventKind::Closed, (None, None), at(2))?;
        let from = (Some("claire@contoso.example"), Some("paul@contoso.example"));
        tickets::record(sql, of_paul, &By::Operator, EventKind::Requester, from, at(2))?;
        let role = [(key("claire@contoso.example"), TicketRole::Participant)];
        tickets::add_people(sql, of_paul, &role)?;
        sql.execute(
            "UPDATE decision SET story = '{\"steps\":[{\"rule\":\"M-34\",\"said\":\"the user \
               ' || CAST(?1 AS TEXT) || '\",\"key\":null}]}' WHERE sender_key = ?2",
            args![&main, "claire@contoso.example"],
        )?;
        users::merge(sql, &other, &main, at(2)).map(drop)
    });
    // She mistyped her password, and so did Paul.
    let ids = place.ids.clone();
    write(&store, move |sql| {
        let rate = Rate { count: 5, per: SignedDuration::from_mins(15) };
        let tried = |of: &str| Tried {
            counted: attempts::of_account("login", of),
            rates: vec![rate],
            counts: Counts::AtOnce,
        };
        let who = ["claire@contoso.example", "claire.private@mail.example", "paul@contoso.example"];
        let tried = who.map(tried);
        attempts::attempt(sql, &tried, &ids, at(2)).map(drop)
    });
    assert_eq!(count(&store, "portal_attempt"), 3);
    keep(place, &store, &claire);
    log_in(&store, &claire);
    let tail = |id: &str| id.rsplit('-').next().expect("a UUID").to_owned();
    let words = [tail(&claire), tail(&private), "claire".to_owned()];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    assert!(left(&store, &words).len() > 12, "{:?}", left(&store, &words));
    let (person, ids) = (claire.clone(), place.ids.clone());
    write(&store, move |sql| {
        users::delete(sql, &person, at(3))?;
        users::clear_tickets(sql, &person, Clearing::Anonymize, &ids, at(3))
    });
    // Of the tombstones the ids, the keys by which mail of hers is known (T-54), and the session that
    // is told that the account is closed.
    let mut left = left(&store, &words);
    left.sort();
    left.dedup();
    let mut expected = vec![
        format!("person {claire}"),
        format!("person {private}"),
        format!("person_address {claire}"),
        format!("session {claire}"),
        "person_address claire.private@mail.example".to_owned(),
        "person_address claire@contoso.example".to_owned(),
    ];
    expected.sort();
    assert_eq!(left, expected);
    assert_eq!(count(&store, "session WHERE browser IS NOT NULL"), 0);
    balances(&store);
    assert_eq!(store.verify().expect("it is looked at"), Vec::<String>::new());
    assert!(add(place, &store, "New", &["claire@contoso.example"]).is_err(), "not made anew");
    // What others did stays theirs.
    assert_eq!(count(&store, "portal_attempt"), 1);
    let events = count(&store, "ticket_event WHERE by_kind = 'user' AND by_whom IS NULL");
    assert_eq!(events, 1);
}

pub fn sites_made_by_hand_stand_beside_the_declared_ones(place: &Place) {
    let store = place.open_with(&[site("Contoso", &["contoso.example"])]);
    let ids = place.ids.clone();
    let add = |name: &'static str, edits: Vec<SiteEdit>| {
        let ids = ids.clone();
        store.transact(move |sql| {
            let id = hand::add(sql, name, &ids, at(1))?;
            hand::set(sql, &id, &edits).map(|()| id)
        })
    };
    let domain = |name: &str| SiteEdit::AddDomain(name.to_owned());
    let nordwind = add("Nordwind", vec![domain("nordwind.example"), domain("nw.example")]);
    let nordwind = nordwind.expect("they are free");
    let error = add("Other", vec![domain("contoso.example")]).expect_err("M-108");
    assert!(error.to_string().contains("belongs to the site `Contoso`"), "{error}");
    assert!(add("Nordwind", vec![]).is_err(), "a name is one site's");
    assert!(read(&store, |sql| sites::show(sql, "Other")).is_none(), "all or nothing");
    // At the next load they stay, but for what the configuration gives to another.
    let shown = |name: &str| read(&store, |sql| sites::show(sql, name));
    place.open_with(&[site("Contoso", &["contoso.example"])]);
    assert_eq!(shown("Nordwind").expect("it stays").domains.len(), 2);
    place.open_with(&[site("Contoso", &["contoso.example", "nw.example"])]);
    assert_eq!(shown("Nordwind").expect("it stays").domains, ["nordwind.example"]);
    assert_eq!(shown("Contoso").expect("declared").domains.len(), 2);
    assert!(!shown("Nordwind").expect("it stays").retired);
    // One that has somebody goes only with a place for them.
    let user = person_at(&nordwind, "Nina", &["nina@nordwind.example"]);
    let ids = place.ids.clone();
    write(&store, move |sql| users::add(sql, &user, &ids, at(2)));
    let gone = nordwind.clone();
    let error = store.transact(move |sql| hand::delete(sql, &gone, None, at(3)));
    assert!(error.expect_err("it is in use").to_string().contains("1 user and 0 tickets"));
    let into = shown("Contoso").expect("declared").id;
    let moved = write(&store, move |sql| hand::delete(sql, &nordwind, Some(&into), at(3)));
    assert_eq!((moved.users, moved.tickets), (1, 0));
    assert!(shown("Nordwind").is_none());
    let nina = read(&store, |sql| users::show(sql, "nina@nordwind.example")).expect("she is there");
    assert_eq!(nina.site.1, "Contoso");
    balances(&store);
}

fn balances(store: &Store) {
    let books = read(store, audit::audit);
    assert!(books.balance(), "{:?}", books.imbalances().collect::<Vec<_>>());
}

/// Where any of `words` stands in any table, and in any message as it came.
fn left(store: &Store, words: &[&str]) -> Vec<String> {
    let holds = |text: &str| words.iter().any(|word| text.to_lowercase().contains(word));
    let mut found = Vec::new();
    for table in tables(at(0)).expect("there are tables") {
        let columns = table.columns.join(", ");
        let rows =
            read(store, |sql| sql.query(&format!("SELECT {columns} FROM {}", table.name), &[]));
        for row in rows {
            for column in 0..table.columns.len() {
                // What is a number or bytes says nothing in words.
                if let Ok(Some(text)) = row.opt_text(column)
                    && holds(&text)
                {
                    found.push(format!("{} {text}", table.name));
                }
            }
        }
    }
    let ids = read(store, |sql| sql.query("SELECT id FROM message", &[]));
    for row in ids {
        let id = row.text(0).expect("an id");
        let raw = read(store, |sql| spool::raw(sql, &id)).unwrap_or_default();
        if holds(&String::from_utf8_lossy(&raw)) {
            found.push(format!("raw {id}"));
        }
    }
    found
}

fn contact(place: &Place, store: &Store, name: &str, from: &str) {
    let claim = place.receive(store, name, 1);
    let (ids, name, from) = (place.ids.clone(), name.to_owned(), from.to_owned());
    write(store, move |sql| {
        let message = message(&name, &from);
        let facts = gather(sql, &questions(&message), &claim, 1);
        let plan = first_contact(&message, &facts);
        apply::apply(sql, &plan, Some(&message), &claim, &ids, at(1))
    });
}

fn keep(place: &Place, store: &Store, id: &str) {
    let new = NewCredential {
        person: id.to_owned(),
        kind: CredentialKind::Link,
        hash: format!("hash of {id}"),
        sha256: None,
        expires_at: at(1000),
    };
    let ids = place.ids.clone();
    write(store, move |sql| credentials::keep(sql, &new, None, &ids, at(1)));
}

// As the portal would.
fn log_in(store: &Store, id: &str) {
    let id = id.to_owned();
    write(store, move |sql| {
        sql.execute(
            "UPDATE person SET password = 'a hash', password_set_at = 1, last_login_at = 1 \
             WHERE id = ?1",
            args![&id],
        )?;
        sql.execute(
            "INSERT INTO session (hash, person, created_at, seen_at, expires_at, scope) \
             VALUES (?1, ?1, 1, 1, 2, 'all')",
            args![&id],
        )
    });
}

fn add(place: &Place, store: &Store, name: &str, of: &[&str]) -> Result<String, StoreError> {
    let (user, ids) = (person_of(store, name, of), place.ids.clone());
    store.transact(move |sql| users::add(sql, &user, &ids, at(1)))
}

fn person_of(store: &Store, name: &str, of: &[&str]) -> Addition {
    let site = read(store, |sql| sites::show(sql, DEFAULT_SITE)).expect("the default").id;
    person_at(&site, name, of)
}

fn person_at(site: &str, name: &str, of: &[&str]) -> Addition {
    Addition { derived: true, ..added(of, name, site) }
}
