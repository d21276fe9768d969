//! Users as people make, change and delete them.

use guichet::args;
use guichet::store::credentials::{self, CredentialKind, NewCredential};
use guichet::store::users::{self, Addition, Change, Filter};
use guichet::store::{Store, StoreError, sites};
use guichet::triage::facts::UserStatus;
use guichet::triage::policy::Access;

use crate::suites::people::added;
use crate::support::{DEFAULT_SITE, Place, address, at, key, read, write};

pub fn an_address_has_one_user_m_43_e_82(place: &Place) {
    let store = place.open();
    add(place, &store, "Claire", &["claire@contoso.example", "c@contoso.example"])
        .expect("the addresses are free");
    let error = add(place, &store, "Bob", &["bob@x.example", "C@contoso.example"])
        .expect_err("one is taken");
    let StoreError::Taken { address, by } = error else { panic!("{error}") };
    assert_eq!(address, "C@contoso.example");
    assert!(by.starts_with("the user `Claire Test` ("), "{by}");
    assert_eq!(read(&store, |sql| users::show(sql, "bob@x.example")), None, "E-82");
    assert!(add(place, &store, "Nobody", &[]).is_err());
}

pub fn a_deleted_user_keeps_the_address(place: &Place) {
    let store = place.open();
    let id = add(place, &store, "Claire", &["claire@contoso.example"]).expect("it is free");
    let deleted = id.clone();
    assert!(write(&store, move |sql| users::delete(sql, &deleted, at(5))));
    let user = read(&store, |sql| users::show(sql, "claire@contoso.example")).expect("a tombstone");
    assert_eq!((user.status, user.deleted_at), (UserStatus::Deleted, Some(at(5))));
    let error = add(place, &store, "Bob", &["claire@contoso.example"]).expect_err("T-54");
    assert!(error.to_string().contains("deleted user `Claire Test`"), "{error}");
    assert!(read(&store, |sql| users::list(sql, &Filter::default(), 10)).is_empty());
    assert!(!write(&store, move |sql| users::set(sql, &id, &[Change::Enable], at(6))));
}

pub fn whoever_is_disabled_or_deleted_has_no_live_link_t_22(place: &Place) {
    let store = place.open();
    for n in 0..2 {
        let id = add(place, &store, "Claire", &[&format!("claire{n}@contoso.example")]);
        let id = id.expect("it is free");
        let new = NewCredential {
            person: id.clone(),
            kind: CredentialKind::Link,
            hash: format!("hash {n}"),
            sha256: None,
            expires_at: at(1000),
        };
        let ids = place.ids.clone();
        write(&store, move |sql| credentials::keep(sql, &new, 1, &ids, at(1)));
        let live = || read(&store, |sql| credentials::live(sql, &id, at(5))).len();
        assert_eq!(live(), 1);
        let person = id.clone();
        let gone = match n {
            0 => write(&store, move |sql| users::set(sql, &person, &[Change::Disable], at(4))),
            _ => write(&store, move |sql| users::delete(sql, &person, at(4))),
        };
        assert!(gone);
        assert_eq!(live(), 0);
        let person = id.clone();
        write(&store, move |sql| users::set(sql, &person, &[Change::Enable], at(5)));
        assert_eq!(live(), 0, "what is enabled again needs a new one");
    }
}

pub fn what_went_to_the_old_address_opens_nothing_t_22_t_28(place: &Place) {
    let store = place.open();
    let all = ["claire@contoso.example", "claire@mail.example"];
    let id = add(place, &store, "Claire", &all).expect("they are free");
    let new = NewCredential {
        person: id.clone(),
        kind: CredentialKind::Link,
        hash: "hash".to_owned(),
        sha256: None,
        expires_at: at(1000),
    };
    let (ids, person) = (place.ids.clone(), id.clone());
    write(&store, move |sql| {
        credentials::keep(sql, &new, None, &ids, at(1))?;
        let mails = [
            ("claire@contoso.example", "notice"),
            ("claire@mail.example", "notice"),
            ("claire@contoso.example", "news"),
        ];
        for (n, (to, cause)) in mails.into_iter().enumerate() {
            sql.execute(
                "INSERT INTO outbox (template, to_address, to_key, to_domain, person, mailbox, \
                   locale, message_id, cause, automatic, state, attempts, due_at, queued_at) \
                 VALUES ('password_reset', ?1, ?1, 'x', ?2, 'support', 'en', ?3, ?4, 1, 'queued', \
                   0, 1, 1)",
                args![to, &person, format!("m{n}@desk.example"), cause],
            )?;
        }
        Ok(())
    });
    let live = || read(&store, |sql| credentials::live(sql, &id, at(5))).len();
    let states = || -> Vec<String> {
        read(&store, |sql| sql.query("SELECT state FROM outbox ORDER BY id", &[]))
            .iter()
            .map(|row| row.text(0).expect("a state"))
            .collect()
    };
    let set = |main: &str| {
        let (person, main) = (id.clone(), [Change::MainAddress(key(main))]);
        assert!(write(&store, move |sql| users::set(sql, &person, &main, at(4))));
    };
    set("claire@contoso.example");
    assert_eq!((live(), states()[0].as_str()), (1, "queued"), "nothing has changed");
    set("claire@mail.example");
    assert_eq!(live(), 0);
    assert_eq!(states(), ["cancelled", "queued", "queued"]);
}

pub fn changes_are_written_one_by_one(place: &Place) {
    let store = place.open();
    let id = add(place, &store, "Claire", &["claire@contoso.example"]).expect("it is free");
    let site = read(&store, |sql| sites::show(sql, DEFAULT_SITE)).expect("the default").id;
    let home = || address("claire@mail.example");
    let set = |changes: Vec<Change>| {
        let id = id.clone();
        store.transact(move |sql| users::set(sql, &id, &changes, at(9)))
    };
    set(vec![
        Change::FirstName("Clara".to_owned()),
        Change::Phone(Some("+49 1".to_owned())),
        Change::Access(Access::Full),
        Change::Site(site),
        Change::AddAddress(home(), key("claire@mail.example")),
        Change::MainAddress(key("claire@mail.example")),
        Change::Agent(Some("anna@desk.example".to_owned())),
        Change::NoTickets(true),
        Change::Disable,
    ])
    .expect("all of it can be written");
    let user = read(&store, |sql| users::show(sql, &id)).expect("she is there");
    assert_eq!(user.addresses[0].address, "claire@mail.example");
    assert_eq!(user.addresses.len(), 2);
    assert_eq!((user.first_name.as_str(), user.derived), ("Clara", false));
    assert_eq!((user.access, user.status), (Access::Full, UserStatus::Disabled));
    assert!(user.site_placed && user.no_tickets);
    set(vec![Change::Phone(None), Change::RemoveAddress(key("claire@mail.example"))])
        .expect("one address is left");
    let user = read(&store, |sql| users::show(sql, &id)).expect("she is there");
    assert_eq!((user.phone, user.addresses[0].key.as_str()), (None, "claire@contoso.example"));
    assert!(set(vec![Change::RemoveAddress(key("claire@contoso.example"))]).is_err());
    assert!(set(vec![Change::RemoveAddress(key("x@contoso.example"))]).is_err());
    assert!(set(vec![Change::MainAddress(key("x@contoso.example"))]).is_err());
}

pub fn users_are_listed_and_found(place: &Place) {
    let store = place.open();
    for name in ["Anna", "Bob", "Claire"] {
        let from = format!("{}@contoso.example", name.to_lowercase());
        add(place, &store, name, &[&from]).expect("it is free");
    }
    let list = |filter: Filter, limit| -> Vec<String> {
        read(&store, |sql| users::list(sql, &filter, limit))
            .into_iter()
            .map(|user| user.first_name)
            .collect()
    };
    let part = |part: &str| Filter { part: Some(part.to_owned()), ..Default::default() };
    assert_eq!(list(part("BOB@"), 10), ["Bob"]);
    assert_eq!(list(part("lair"), 10), ["Claire"]);
    assert!(list(part("%"), 10).is_empty(), "T-50");
    let page = list(Filter { site: Some(DEFAULT_SITE.to_owned()), ..Default::default() }, 2);
    assert_eq!(page, ["Anna", "Bob"]);
    let bob = read(&store, |sql| users::show(sql, "bob@contoso.example")).expect("he is there");
    assert_eq!(list(Filter { after: Some(bob.id), ..Default::default() }, 10), ["Claire"]);
    assert!(list(Filter { access: Some(Access::Full), ..Default::default() }, 10).is_empty());
    add(place, &store, "Élodie", &["e.lefevre@contoso.example"]).expect("it is free");
    for written in ["elodie", "ÉLODIE", "Élodie", "Ělodie", "E\u{301}lodie", "lodie"] {
        assert_eq!(list(part(written), 10), ["Élodie"], "neither case nor accents count");
    }
    for sign in ["*", "?", "[é]", ".", "^e", "\\", "_"] {
        let found = list(part(&format!("Élodie{sign}")), 10);
        assert!(found.is_empty(), "T-50: {sign}: {found:?}");
    }
}

fn add(place: &Place, store: &Store, name: &str, of: &[&str]) -> Result<String, StoreError> {
    let site = read(store, |sql| sites::show(sql, DEFAULT_SITE)).expect("the default").id;
    let user = Addition { derived: true, ..added(of, name, &site) };
    let ids = place.ids.clone();
    // Ids sort by the time they were made.
    let since = read(store, |sql| sql.query("SELECT COUNT(*) FROM person", &[])?[0].int(0));
    place.tick(since);
    store.transact(move |sql| users::add(sql, &user, &ids, at(1)))
}
