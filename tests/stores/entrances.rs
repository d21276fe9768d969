//! How users get in: sessions, links, attempts, passwords.

use guichet::store::attempts::{self, Attempt, Counts, Refusal, Tried};
use guichet::store::credentials::{self, CredentialKind, NewCredential};
use guichet::store::outbox::{self, QueuedFor};
use guichet::store::sessions::{self, NewSession, SessionScope};
use guichet::store::sites::DeclaredSite;
use guichet::store::users::{self, Addition, Change, account};
use guichet::store::{Store, sites};
use guichet::triage::facts::{CredentialsState, UserStatus};
use guichet::triage::plan::{MailCause, OutgoingMail, UserRef};
use guichet::triage::policy::{Access, Rate};
use jiff::SignedDuration;

use crate::suites::people::added;
use crate::support::{DEFAULT_SITE, Place, address, at, key, read, site, write};

const CLAIRE: &str = "claire@contoso.example";
const HOUR: i64 = 3_600;

pub fn a_session_is_of_one_user_and_ends_by_itself(place: &Place) {
    let (store, id) = house(place);
    begin(&store, &id, "one", SessionScope::All, 0);
    let holder =
        |hash: &'static str, seconds| read(&store, |sql| sessions::holder(sql, hash, at(seconds)));
    assert_eq!(holder("other", 1), None);
    let held = holder("one", 1).expect("a session");
    assert_eq!((held.person.as_str(), held.address.as_str()), (id.as_str(), CLAIRE));
    assert_eq!(
        (held.status, held.access, held.is_over),
        (UserStatus::Active, Access::Limited, false)
    );
    assert_eq!(held.primary_of.len(), 1, "the declared site's primary user");
    assert_eq!(held.primary_of[0].1, "Contoso");

    // Idle for a day.
    assert!(!holder("one", 24 * HOUR - 1).expect("there").is_over);
    assert!(holder("one", 24 * HOUR).expect("there").is_over);
    write(&store, |sql| sessions::seen(sql, "one", at(20 * HOUR)));
    assert!(!holder("one", 40 * HOUR).expect("there").is_over);
    // Two weeks, however busy.
    write(&store, |sql| sessions::seen(sql, "one", at(14 * 24 * HOUR - 1)));
    assert!(!holder("one", 14 * 24 * HOUR - 1).expect("there").is_over);
    assert!(holder("one", 14 * 24 * HOUR).expect("there").is_over);
    // After a temporary password there is half an hour.
    begin(&store, &id, "two", SessionScope::Password, 0);
    assert!(holder("two", HOUR / 2).expect("there").is_over);
    assert_eq!(holder("two", 1).expect("there").session.scope, SessionScope::Password);
}

pub fn sessions_end_one_by_one_and_all_together(place: &Place) {
    let (store, id) = house(place);
    let eve = user(place, &store, "eve@evil.example");
    for (hash, seconds) in [("a", 0), ("b", 10), ("c", 20)] {
        begin(&store, &id, &hash.repeat(20), SessionScope::All, seconds);
    }
    begin(&store, &eve, "e", SessionScope::All, 0);
    let of = |person: &str, seconds| -> Vec<String> {
        let sessions = read(&store, |sql| sessions::of_person(sql, person, at(seconds)));
        sessions.into_iter().map(|session| session.hash[..1].to_owned()).collect()
    };
    assert_eq!(of(&id, 30), ["c", "b", "a"], "the last one first");
    let (other, beginning) = (eve.clone(), "b".repeat(16));
    assert!(!write(&store, move |sql| sessions::end_of_person(sql, &other, &beginning)));
    let (own, beginning) = (id.clone(), "b".repeat(16));
    assert!(write(&store, move |sql| sessions::end_of_person(sql, &own, &beginning)));
    assert_eq!(of(&id, 30), ["c", "a"]);
    let (own, kept) = (id.clone(), "a".repeat(20));
    assert_eq!(write(&store, move |sql| sessions::end_others(sql, &own, &kept)), 1);
    assert_eq!(of(&id, 30), ["a"]);
    assert_eq!(of(&id, 25 * HOUR), Vec::<String>::new(), "what is over is not shown");
    let own = id.clone();
    assert_eq!(write(&store, move |sql| sessions::end_all(sql, &own)), 1);
    // What is over is forgotten, so that no clock brings it back (P-11).
    assert_eq!(write(&store, |sql| sessions::end_expired(sql, at(24 * HOUR - 1))), 0);
    assert_eq!(write(&store, |sql| sessions::end_expired(sql, at(24 * HOUR))), 1);
    assert_eq!(of(&eve, 1), Vec::<String>::new());
}

pub fn what_is_left_of_a_session_whose_account_is_closed_opens_nothing(place: &Place) {
    let (store, id) = house(place);
    begin(&store, &id, "one", SessionScope::All, 0);
    let set = |change: Change| {
        let id = id.clone();
        write(&store, move |sql| users::set(sql, &id, std::slice::from_ref(&change), at(1)))
    };
    let held = || read(&store, |sql| sessions::holder(sql, "one", at(2))).expect("it is left");
    set(Change::Disable);
    let left = held();
    assert_eq!((left.status, left.is_over), (UserStatus::Disabled, false), "it can be told");
    assert_eq!((left.session.scope, left.session.browser), (SessionScope::Closed, None));
    assert!(read(&store, |sql| sessions::of_person(sql, &id, at(2))).is_empty());
    // Whatever becomes of the account.
    set(Change::Enable);
    assert_eq!((held().status, held().session.scope), (UserStatus::Active, SessionScope::Closed));
    // It ends by itself as it would have.
    assert!(
        read(&store, |sql| sessions::holder(sql, "one", at(24 * HOUR))).expect("there").is_over
    );
    assert_eq!(write(&store, |sql| sessions::end_expired(sql, at(24 * HOUR))), 1);
}

pub fn attempts_count_before_they_are_known_to_fail_t_27(place: &Place) {
    let store = place.open();
    let five = Rate { count: 5, per: SignedDuration::from_mins(15) };
    let all = |names: &[&str]| -> Vec<Tried> {
        names.iter().map(|name| tried(name, vec![five], Counts::AtOnce)).collect()
    };
    let attempt = |names: &[&str], seconds: i64| {
        let (tried, ids) = (all(names), place.ids.clone());
        write(&store, move |sql| attempts::attempt(sql, &tried, &ids, at(seconds)))
    };
    for n in 0..5 {
        let Attempt::Counted(ids) = attempt(&["a", "x"], n * 60) else { panic!("the {n}th") };
        assert_eq!(ids.len(), 2);
    }
    assert_eq!(attempt(&["a", "y"], 300), refused("a", 15 * 60), "until the first is old");
    assert!(matches!(attempt(&["b", "y"], 300), Attempt::Counted(_)), "a refusal counts nowhere");
    assert_eq!(attempt(&["b", "x"], 301), refused("x", 15 * 60));
    let Attempt::Counted(ids) = attempt(&["a", "x"], 15 * 60 + 1) else { panic!("there is room") };
    assert!(matches!(attempt(&["a"], 15 * 60 + 2), Attempt::Refused(_)));
    // One that succeeded is no guess.
    write(&store, move |sql| attempts::forget(sql, &ids));
    assert!(matches!(attempt(&["a"], 15 * 60 + 3), Attempt::Counted(_)));
    // Whoever came a moment later may have been first in the store.
    for n in 0..5 {
        attempt(&["d"], 1_305 + n);
    }
    assert!(matches!(attempt(&["d"], 1_300), Attempt::Refused(_)));
    // P-11: a clock that was ahead closes nothing.
    for n in 0..5 {
        attempt(&["c"], 10_000_000 + n);
    }
    assert!(matches!(attempt(&["c"], 400), Attempt::Counted(_)));
    let off = vec![tried("a", Vec::new(), Counts::AtOnce)];
    let ids = place.ids.clone();
    let off = write(&store, move |sql| attempts::attempt(sql, &off, &ids, at(15 * 60 + 4)));
    assert!(matches!(off, Attempt::Counted(_)), "a limit that is off");
    assert!(write(&store, |sql| attempts::forget_until(sql, at(20_000_000))) > 10);
}

pub fn who_succeeds_is_in_nobodys_way_t_27(place: &Place) {
    let store = place.open();
    let five = Rate { count: 5, per: SignedDuration::from_mins(15) };
    let office = vec![tried("office", vec![five], Counts::OnceItFails)];
    let (attempts, ids) = (office.clone(), place.ids.clone());
    let attempt = move |seconds| {
        let (tried, ids) = (attempts.clone(), ids.clone());
        write(&store, move |sql| attempts::attempt(sql, &tried, &ids, at(seconds)))
    };
    for _ in 0..20 {
        assert_eq!(attempt(1), Attempt::Counted(Vec::new()), "all at once");
    }
    let store = place.open();
    for n in 0..5 {
        let (tried, ids) = (office.clone(), place.ids.clone());
        write(&store, move |sql| attempts::failed(sql, &tried, &ids, at(2 + n)));
    }
    assert_eq!(attempt(10), refused("office", 15 * 60 + 2));
    assert_eq!(attempt(15 * 60 + 3), Attempt::Counted(Vec::new()));
}

fn refused(counted: &str, seconds: i64) -> Attempt {
    Attempt::Refused(vec![Refusal { counted: counted.to_owned(), until: at(seconds) }])
}

fn tried(name: &str, rates: Vec<Rate>, counts: Counts) -> Tried {
    Tried { counted: name.to_owned(), rates, counts }
}

pub fn a_link_is_found_by_its_kind_and_used_once_t_22_t_24(place: &Place) {
    let (store, id) = house(place);
    keep(place, &store, &id, CredentialKind::Link, "hash", 1);
    let found = |kind, hash: &'static str, seconds| {
        read(&store, |sql| credentials::find_link(sql, kind, hash, at(seconds)))
    };
    let link = found(CredentialKind::Link, "hash", 5).expect("a link");
    assert_eq!((link.person.as_str(), link.main_address.as_deref()), (id.as_str(), Some(CLAIRE)));
    assert!(link.is_live && link.confirms.is_none() && link.status == UserStatus::Active);
    for (kind, hash) in [
        (CredentialKind::Address, "hash"),
        (CredentialKind::Password, "hash"),
        (CredentialKind::Link, ""),
        (CredentialKind::Link, "has"),
    ] {
        assert_eq!(found(kind, hash, 5), None, "{kind:?} {hash}");
    }
    assert!(!found(CredentialKind::Link, "hash", 1001).expect("there").is_live);
    let consume = |kind, seconds| {
        write(&store, move |sql| credentials::consume(sql, kind, "hash", at(seconds)))
    };
    assert!(!consume(CredentialKind::Password, 6));
    assert!(!consume(CredentialKind::Link, 1001));
    assert!(consume(CredentialKind::Link, 6));
    assert!(!consume(CredentialKind::Link, 7));
    assert!(!found(CredentialKind::Link, "hash", 8).expect("there").is_live);
}

pub fn a_link_confirms_the_address_that_its_mail_went_to(place: &Place) {
    let (store, id) = house(place);
    keep(place, &store, &id, CredentialKind::Link, "opens", 1);
    let mail = OutgoingMail {
        template: "address_change".to_owned(),
        to: address("claire@fabrikam.example"),
        user: Some(UserRef::Existing(id.clone())),
        ticket: None,
        mailbox: "support".to_owned(),
        message_id_domain: "desk.example".to_owned(),
        locale: "en".to_owned(),
        site: String::new(),
        cause: MailCause::Notice,
    };
    let (ids, person) = (place.ids.clone(), id.clone());
    let queued = write(&store, move |sql| {
        let about = QueuedFor { person: Some(&person), ..QueuedFor::default() };
        outbox::queue(sql, &mail, about, &ids, at(0))
    });
    for n in 0..3 {
        keep(place, &store, &id, CredentialKind::Address, &format!("confirms {n}"), queued.id);
    }
    let found = |kind, hash: &'static str| {
        read(&store, |sql| credentials::find_link(sql, kind, hash, at(5))).expect("a link")
    };
    let last = found(CredentialKind::Address, "confirms 2");
    assert_eq!(last.confirms.as_deref(), Some("claire@fabrikam.example"));
    assert!(!found(CredentialKind::Address, "confirms 0").is_live, "two at a time");
    assert!(found(CredentialKind::Link, "opens").is_live, "and none in the place of a login");
    // It becomes the first of theirs; one of somebody else's does not (M-43).
    let take = |person: &str, written: &'static str| {
        let person = person.to_owned();
        write(&store, move |sql| {
            account::take_address(sql, &person, &address(written), &key(written), at(6))
        })
    };
    assert!(take(&id, "claire@fabrikam.example"));
    let addresses = || {
        let user = read(&store, |sql| users::show(sql, &id)).expect("a user");
        user.addresses.into_iter().map(|one| one.address).collect::<Vec<_>>()
    };
    assert_eq!(addresses(), ["claire@fabrikam.example", CLAIRE]);
    assert!(take(&id, CLAIRE), "back again");
    assert_eq!(addresses(), [CLAIRE, "claire@fabrikam.example"]);
    user(place, &store, "eve@evil.example");
    assert!(!take(&id, "eve@evil.example"));
    assert_eq!(addresses().len(), 2);
}

pub fn a_password_that_is_chosen_ends_what_else_opens_the_account(place: &Place) {
    let (store, id) = house(place);
    keep(place, &store, &id, CredentialKind::Link, "link", 1);
    keep(place, &store, &id, CredentialKind::Password, "temporary", 2);
    begin(&store, &id, "one", SessionScope::All, 0);
    let of =
        |written: &'static str| read(&store, |sql| account::of_address(sql, &key(written), at(3)));
    let before = of(CLAIRE).expect("an account");
    assert_eq!((before.password, before.temporary), (None, vec!["temporary".to_owned()]));
    let choose = |hash: &'static str| {
        let id = id.clone();
        write(&store, move |sql| account::choose_password(sql, &id, hash, at(4)))
    };
    assert!(choose("chosen"));
    let after = of(CLAIRE).expect("an account");
    assert_eq!((after.password.as_deref(), after.temporary.len()), (Some("chosen"), 0));
    assert!(read(&store, |sql| sessions::of_person(sql, &id, at(5))).is_empty());
    assert!(read(&store, |sql| credentials::live(sql, &id, at(5))).is_empty());
    let before = read(&store, |sql| account::temporary_before(sql, &id));
    assert_eq!(before, ["temporary"], "known, so that it is not chosen");
    // Hashed anew, unless another was chosen meanwhile.
    for (was, now, stays) in [("other", "x", "chosen"), ("chosen", "stronger", "stronger")] {
        let id = id.clone();
        write(&store, move |sql| account::rehash(sql, &id, was, now));
        assert_eq!(of(CLAIRE).expect("there").password.as_deref(), Some(stays));
    }
    let (person, now) = (id.clone(), at(9));
    write(&store, move |sql| users::set(sql, &person, &[Change::Disable], now));
    assert!(!choose("too late"));
    assert_eq!(read(&store, |sql| account::active(sql, &key(CLAIRE))), None);
    assert_eq!(read(&store, |sql| account::owner(sql, &key(CLAIRE))), Some(id.clone()));
}

fn house(place: &Place) -> (Store, String) {
    let contoso = DeclaredSite { primary_users: vec![key(CLAIRE)], ..site("Contoso", &[]) };
    let store = place.open_with(&[contoso]);
    let id = user(place, &store, CLAIRE);
    (store, id)
}

fn user(place: &Place, store: &Store, written: &str) -> String {
    let site = read(store, |sql| sites::show(sql, DEFAULT_SITE)).expect("the default").id;
    let user =
        Addition { credentials: CredentialsState::Sent, ..added(&[written], "Claire", &site) };
    let ids = place.ids.clone();
    write(store, move |sql| users::add(sql, &user, &ids, at(0)))
}

fn begin(store: &Store, person: &str, hash: &str, scope: SessionScope, seconds: i64) {
    let new = NewSession {
        hash: hash.to_owned(),
        person: person.to_owned(),
        scope,
        browser: Some("a browser".to_owned()),
    };
    write(store, move |sql| sessions::begin(sql, &new, at(seconds)));
}

fn keep(place: &Place, store: &Store, person: &str, kind: CredentialKind, hash: &str, outbox: i64) {
    let new = NewCredential {
        person: person.to_owned(),
        kind,
        hash: hash.to_owned(),
        sha256: None,
        expires_at: at(1000),
    };
    let ids = place.ids.clone();
    write(store, move |sql| credentials::keep(sql, &new, outbox, &ids, at(1)));
}
