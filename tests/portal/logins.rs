//! Logging in, by a password of one's own and by a temporary one.

use std::time::Duration;

use guichet::clock::Stopwatch;
use guichet::mail::Address;
use guichet::portal::{Limit, Whom};
use guichet::store::users::{self, Change, account};
use guichet::triage::policy::Access;
use jiff::SignedDuration;

use crate::house::{ENCRYPTED, House, PASSWORD, USUAL, Unusual};

const CLAIRE: &str = "claire@contoso.example";
const WRONG: &str = "drei rote Gurken";

#[test]
fn whoever_knows_the_password_gets_in_by_any_spelling_of_the_address() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    for address in [CLAIRE, " CLAIRE@Contoso.example ", "claire+x@contoso.example"] {
        let answer = house.browser().log_in(address, PASSWORD);
        assert_eq!((answer.status, answer.location()), (303, "/portal/"), "{address}");
    }
    let answer = house.browser().log_in(CLAIRE, &format!("{PASSWORD} "));
    assert_eq!(answer.status, 422, "a password is taken whole");
}

#[test]
fn a_login_leads_to_the_page_that_was_asked_for_and_nowhere_else() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    let mut browser = house.browser();
    let answer = browser.get("/portal/profile");
    assert_eq!(answer.location(), "/portal/login?next=profile");
    browser.follow(&answer);
    let fields = [("address", CLAIRE), ("password", PASSWORD), ("next", "profile")];
    assert_eq!(browser.post("/portal/login", &fields).location(), "/portal/profile");
    for next in ["//evil.example", "https://evil.example", "../../x", "\\\\evil.example"] {
        let mut browser = house.browser();
        browser.get("/portal/login");
        let fields = [("address", CLAIRE), ("password", PASSWORD), ("next", next)];
        assert_eq!(browser.post("/portal/login", &fields).location(), "/portal/", "{next}");
    }
}

#[test]
fn t_21_an_unknown_address_hears_the_same_and_waits_as_long() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    house.user("without@contoso.example", Access::Limited);
    let one_by_one =
        ["claire@contoso.example", "nobody@contoso.example", "without@contoso.example"];
    let (mut bodies, mut fastest) = (Vec::new(), [Duration::MAX; 3]);
    // Noise only ever adds: the fastest of many is the work itself. A machine with more to do takes
    // more rounds.
    let is_alike = |fastest: &[Duration; 3]| {
        let [known, others @ ..] = fastest.map(|time| time.as_secs_f64());
        others.iter().all(|other| (0.6..1.6).contains(&(other / known)))
    };
    for round in 0..40 {
        for (n, address) in one_by_one.into_iter().enumerate() {
            let mut browser = house.browser();
            browser.get("/portal/login");
            let token = browser.token();
            let watch = Stopwatch::start();
            let answer =
                browser.post("/portal/login", &[("address", address), ("password", WRONG)]);
            fastest[n] = fastest[n].min(watch.elapsed());
            assert_eq!(answer.status, 422);
            if round == 0 {
                bodies.push(answer.body.replace(&token, "").replace(address, ""));
            }
            house.wait(SignedDuration::from_mins(16));
        }
        if round >= 8 && is_alike(&fastest) {
            break;
        }
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    assert!(is_alike(&fastest), "known, unknown, without a password: {fastest:?}");
}

#[test]
fn t_27_after_five_wrong_passwords_an_account_is_left_alone_for_a_while() {
    let house = House::with(&ENCRYPTED);
    house.user_with_password(CLAIRE, Access::Limited);
    let log_in = |source: &str, address: &str, password: &str| {
        let mut browser = house.browser();
        browser.headers.push(("X-Forwarded-For", source.to_owned()));
        browser.log_in(address, password)
    };
    let refused =
        (0..101).filter(|n| log_in(&format!("192.0.2.{n}"), CLAIRE, WRONG).status == 429).count();
    assert_eq!(refused, 96, "five are tried");
    let answer = log_in("198.51.100.1", CLAIRE, PASSWORD);
    assert_eq!(answer.status, 429, "the right one too: nobody learns which it is");
    assert!(answer.says("Too many tries") && answer.header("retry-after").is_some());
    // An account that is not there is left alone as well (T-21).
    let refused = (0..7)
        .filter(|n| log_in(&format!("198.51.100.{n}"), "no@contoso.example", WRONG).status == 429)
        .count();
    assert_eq!(refused, 2);
    house.wait(SignedDuration::from_mins(16));
    assert_eq!(log_in("198.51.100.1", CLAIRE, PASSWORD).status, 303, "no lock is for good");
}

#[test]
fn t_27_a_lockout_is_told_of_once_and_again_when_it_was_over() {
    let house = House::with(&ENCRYPTED);
    let log_in = |source: &str, address: &str| {
        let mut browser = house.browser();
        browser.headers.push(("X-Forwarded-For", source.to_owned()));
        browser.log_in(address, WRONG).status
    };
    let account = |written| (Limit::Guesses, Whom::Account(Address::parse(written).ok()));
    for n in 0..5 {
        assert_eq!(log_in(&format!("192.0.2.{n}"), CLAIRE), 422);
    }
    assert_eq!(house.lockouts(), [], "nobody was refused yet");
    for n in 10..20 {
        assert_eq!(log_in(&format!("192.0.2.{n}"), "Claire+x@contoso.example"), 429);
    }
    assert_eq!(house.lockouts(), [account("Claire+x@contoso.example")], "as it was typed");
    // From one place, at accounts that need not exist; what is no address may be a password (T-26).
    for n in 0..7 {
        log_in("198.51.100.1", &format!("typed by mistake {n}"));
    }
    let source = (Limit::Guesses, Whom::Source("198.51.100.1".to_owned()));
    assert_eq!(house.lockouts()[1..], [source]);
    for n in 20..27 {
        log_in(&format!("192.0.2.{n}"), "typed by mistake");
    }
    assert_eq!(house.lockouts()[2..], [(Limit::Guesses, Whom::Account(None))]);
    house.wait(SignedDuration::from_mins(16));
    for n in 0..7 {
        log_in(&format!("192.0.2.{n}"), CLAIRE);
    }
    assert_eq!(house.lockouts()[3..], [account(CLAIRE)]);
}

#[test]
fn t_27_a_source_has_five_tries_whatever_it_tries_and_who_gets_in_uses_none_up() {
    let house = House::with(&ENCRYPTED);
    for n in 0..8 {
        house.user_with_password(&format!("claire{n}@contoso.example"), Access::Limited);
    }
    let log_in = |source: &str, n: usize, password: &str| {
        let mut browser = house.browser();
        browser.headers.push(("X-Forwarded-For", source.to_owned()));
        browser.log_in(&format!("claire{n}@contoso.example"), password).status
    };
    // A whole office behind one address.
    for n in 0..8 {
        assert_eq!(log_in("192.0.2.1", n, PASSWORD), 303);
    }
    for n in 0..5 {
        assert_eq!(log_in(&format!("2001:db8:1:2::{n}"), n, WRONG), 422);
    }
    assert_eq!(log_in("2001:db8:1:2:ffff::1", 6, PASSWORD), 429, "one customer of IPv6");
    assert_eq!(log_in("2001:db8:1:3::1", 6, PASSWORD), 303, "the next one");
    // What a stranger puts before the proxy's word is not heard.
    for n in 0..5 {
        assert_eq!(log_in(&format!("10.9.8.{n}, 203.0.113.7"), n, WRONG), 422);
    }
    assert_eq!(log_in("10.9.8.99, 203.0.113.7", 7, PASSWORD), 429);
}

#[test]
fn t_27_many_at_once_get_no_further_than_one_after_the_other() {
    for is_on_postgres in [false, true] {
        let house = House::with(&Unusual { is_on_postgres, ..ENCRYPTED });
        house.user_with_password(CLAIRE, Access::Limited);
        // Each from somewhere else: what counts is the account.
        let try_from = |n: u32| {
            let mut browser = house.browser();
            browser.headers.push(("X-Forwarded-For", format!("203.0.113.{n}")));
            browser.log_in(CLAIRE, WRONG).status
        };
        let try_from = &try_from;
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let tries: Vec<_> = (1..=12).map(|n| scope.spawn(move || try_from(n))).collect();
            tries.into_iter().map(|one| one.join().expect("no panic")).collect()
        });
        let tried = statuses.iter().filter(|status| **status == 422).count();
        assert_eq!(tried, 5, "so many get an answer: {statuses:?}");
    }
}

/// Each check of a password takes 19 MB; kept, they are all of the machine after a busy morning.
#[test]
fn t_27_the_memory_that_logins_take_is_given_back() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    let log_in = || assert_eq!(house.browser().log_in(CLAIRE, PASSWORD).status, 303);
    log_in();
    let before = resident_megabytes();
    for _ in 0..24 {
        log_in();
    }
    // The other tests of this process hash passwords meanwhile, a few at a time.
    let grown = resident_megabytes().saturating_sub(before);
    assert!(grown < 200, "{grown} MB more");
}

fn resident_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its line");
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes / 1024
}

#[test]
fn t_27_many_accounts_at_once_are_no_more_tries_than_one() {
    for is_on_postgres in [false, true] {
        let house = House::with(&Unusual { is_on_postgres, ..USUAL });
        let statuses = at_once(&house, 12, WRONG);
        let tried = statuses.iter().filter(|status| **status == 422).count();
        let refused = statuses.iter().filter(|status| **status == 429).count();
        assert_eq!((tried, refused), (5, 7), "{statuses:?}");
    }
}

#[test]
fn t_27_an_office_that_comes_at_once_gets_in() {
    let house = House::open();
    for n in 0..8 {
        house.user_with_password(&format!("claire{n}@contoso.example"), Access::Limited);
    }
    assert_eq!(at_once(&house, 8, PASSWORD), [303; 8]);
    assert_eq!(house.browser().log_in("claire0@contoso.example", PASSWORD).status, 303);
}

/// What so many people hear who log in from one address at the same time.
fn at_once(house: &House, people: usize, password: &str) -> Vec<u16> {
    std::thread::scope(|scope| {
        let log_in = |n| house.browser().log_in(&format!("claire{n}@contoso.example"), password);
        let tries: Vec<_> = (0..people).map(|n| scope.spawn(move || log_in(n).status)).collect();
        tries.into_iter().map(|one| one.join().expect("no panic")).collect()
    })
}

#[test]
fn a_closed_account_is_told_of_to_whoever_knows_its_password_alone() {
    let house = House::open();
    let id = house.user_with_password(CLAIRE, Access::Limited);
    let now = house.now();
    house.write(move |sql| users::set(sql, &id, &[Change::Disable], now));
    let answer = house.browser().log_in(CLAIRE, PASSWORD);
    assert!(answer.status == 403 && answer.says("This account is closed"), "{}", answer.body);
    assert_eq!(house.browser().log_in(CLAIRE, WRONG).status, 422);
}

#[test]
fn a_temporary_password_opens_once_and_only_to_choose_another() {
    for is_on_postgres in [false, true] {
        let house = House::with(&Unusual { is_on_postgres, ..USUAL });
        let id = house.user(CLAIRE, Access::Full);
        let temporary = house.temporary(&id);
        let mut browser = house.browser();
        let answer = browser.log_in(CLAIRE, &temporary);
        assert_eq!(answer.location(), "/portal/choose");
        for page in ["/portal/", "/portal/profile"] {
            assert_eq!(browser.get(page).location(), "/portal/choose", "{page}");
        }
        assert_eq!(house.browser().log_in(CLAIRE, &temporary).status, 422, "it is used up");
        browser.get("/portal/choose");
        let same = [("password", temporary.as_str()), ("again", temporary.as_str())];
        assert!(browser.post("/portal/choose", &same).says("choose another"));
        let answer = browser.post("/portal/choose", &[("password", PASSWORD), ("again", PASSWORD)]);
        assert_eq!(answer.location(), "/portal/");
        assert_eq!(browser.get("/portal/profile").status, 200);
        assert_eq!(house.browser().log_in(CLAIRE, PASSWORD).location(), "/portal/");
        let told = [("password_changed".to_owned(), CLAIRE.to_owned())];
        assert_eq!(house.mailed(1), told, "threats §6: of the first one too");
    }
}

#[test]
fn a_temporary_password_expires_and_so_does_the_time_to_choose_another() {
    let house = House::open();
    let id = house.user(CLAIRE, Access::Limited);
    let temporary = house.temporary(&id);
    let mut browser = house.browser();
    browser.log_in(CLAIRE, &temporary);
    house.wait(SignedDuration::from_mins(31));
    assert_eq!(browser.get("/portal/choose").location(), "/portal/login?next=choose");
    let temporary = house.temporary(&id);
    house.wait(SignedDuration::from_hours(25));
    assert_eq!(house.browser().log_in(CLAIRE, &temporary).status, 422);
}

#[test]
fn a_password_hashed_with_less_is_hashed_anew_at_the_next_login() {
    let house = House::open();
    let id = house.user(CLAIRE, Access::Limited);
    let weak = argon2::Params::new(8_192, 1, 1, None).expect("parameters");
    let weak = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, weak);
    let hash = argon2::password_hash::PasswordHasher::hash_password_with_salt(
        &weak,
        PASSWORD.as_bytes(),
        b"sixteen bytes!!!",
    );
    let hash = hash.expect("it can be hashed").to_string();
    let (person, now) = (id.clone(), house.now());
    house.write(move |sql| account::choose_password(sql, &person, &hash, now));
    assert_eq!(house.browser().log_in(CLAIRE, PASSWORD).status, 303);
    let person = house.store.read_only(|sql| account::person(sql, &id)).expect("it reads");
    let hash = person.expect("a user").password.expect("a password");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_eq!(house.browser().log_in(CLAIRE, PASSWORD).status, 303);
}
