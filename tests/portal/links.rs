//! Activation links, new ones, and forgotten passwords.

use guichet::mail::Address;
use guichet::portal::{Limit, Whom};
use guichet::store::users::{self, Change};
use guichet::triage::policy::Access;
use jiff::SignedDuration;

use crate::house::{ENCRYPTED, House, PASSWORD, USUAL, Unusual};

const CLAIRE: &str = "claire@contoso.example";
const CHOICE: [(&str, &str); 2] = [("password", PASSWORD), ("again", PASSWORD)];

fn activate(token: &str) -> String {
    format!("/portal/activate/{token}")
}

#[test]
fn t_23_looking_at_a_link_uses_nothing_up_and_choosing_a_password_does() {
    for is_on_postgres in [false, true] {
        let house = House::with(&Unusual { is_on_postgres, ..USUAL });
        let id = house.user(CLAIRE, Access::Limited);
        let path = activate(&house.link(&id));
        for _ in 0..5 {
            let mut scanner = house.browser();
            assert_eq!(scanner.get(&path).status, 200);
            assert_eq!(scanner.ask("HEAD", &path, None).status, 200);
            assert!(scanner.cookies.keys().all(|name| name != "guichet"), "nobody is logged in");
        }
        let mut browser = house.browser();
        assert!(browser.get(&path).says(CLAIRE));
        let answer = browser.post(&path, &CHOICE);
        assert_eq!(answer.location(), "/portal/");
        let home = browser.follow(&answer);
        assert!(home.status == 200 && home.says("Your password is saved"), "{}", home.body);
        let told = [("password_changed".to_owned(), CLAIRE.to_owned())];
        assert_eq!(house.mailed(1), told, "threats §6: of the first one too");
        assert_eq!(browser.get(&path).location(), "/portal/", "the mail is a bookmark");

        // Once.
        let mut other = house.browser();
        let answer = other.get(&path);
        assert!(answer.status == 410 && answer.says("does not work any more"), "{}", answer.body);
        let answer = other.post(&path, &CHOICE);
        assert_eq!(answer.status, 410);
        assert_eq!(house.browser().log_in(CLAIRE, PASSWORD).status, 303);
    }
}

#[test]
fn t_22_the_first_use_of_a_link_ends_all_others_and_every_session() {
    let house = House::open();
    let id = house.user_with_password(CLAIRE, Access::Limited);
    let mut before = house.browser_of(CLAIRE);
    let (one, other) = (house.link(&id), house.link(&id));
    let mut browser = house.browser();
    browser.get(&activate(&one));
    assert_eq!(browser.post(&activate(&one), &CHOICE).status, 303);
    assert_eq!(house.browser().get(&activate(&other)).status, 410);
    assert_eq!(before.get("/portal/").location(), "/portal/login");
}

#[test]
fn t_27_a_link_of_their_own_lets_in_whom_guesses_have_locked_out() {
    let house = House::with(&ENCRYPTED);
    let id = house.user_with_password(CLAIRE, Access::Limited);
    for _ in 0..6 {
        house.browser().log_in(CLAIRE, "wrong horse battery");
        house.wait(SignedDuration::from_secs(1));
    }
    let answer = house.browser().log_in(CLAIRE, PASSWORD);
    assert!(answer.status == 429 && answer.says("/portal/forgotten"), "{}", answer.body);
    let path = activate(&house.link(&id));
    let mut browser = house.browser();
    browser.get(&path);
    assert_eq!(browser.post(&path, &CHOICE).status, 303);
    assert_eq!(house.mailed(1), [("password_changed".to_owned(), CLAIRE.to_owned())]);
    // The guesses from this place still count against it.
    let mut elsewhere = house.browser();
    elsewhere.headers.push(("X-Forwarded-For", "203.0.113.9".to_owned()));
    assert_eq!(elsewhere.log_in(CLAIRE, PASSWORD).status, 303);
}

#[test]
fn t_22_of_two_who_use_a_link_at_once_one_gets_in() {
    let house = House::open();
    let id = house.user(CLAIRE, Access::Limited);
    let path = activate(&house.link(&id));
    let browsers: Vec<_> = (0..4)
        .map(|_| {
            let mut browser = house.browser();
            browser.get(&path);
            browser
        })
        .collect();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let posts: Vec<_> = browsers
            .into_iter()
            .map(|mut browser| {
                let path = &path;
                scope.spawn(move || browser.post(path, &CHOICE).status)
            })
            .collect();
        posts.into_iter().map(|post| post.join().expect("no panic")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
}

#[test]
fn t_24_what_is_no_token_opens_nothing() {
    let house = House::open();
    let id = house.user(CLAIRE, Access::Limited);
    let link = house.link(&id);
    let mut browser = house.browser();
    for token in ["", "%20", "NULL", &link[..42], &format!("{link}A")] {
        let answer = browser.get(&activate(token));
        assert_eq!(answer.status, 404, "{token}");
        house.wait(SignedDuration::from_mins(16));
    }
    // A token is of one kind.
    assert_eq!(browser.get(&format!("/portal/confirm/{link}")).status, 404);
    assert_eq!(browser.get(&activate(&link)).status, 200);
}

#[test]
fn t_27_whoever_guesses_tokens_is_told_nothing_for_a_while() {
    let house = House::open();
    let id = house.user(CLAIRE, Access::Limited);
    let link = house.link(&id);
    let mut browser = house.browser();
    let refused =
        (0..101).filter(|n| browser.get(&activate(&format!("{n:0>43}"))).status == 429).count();
    assert!(refused >= 95, "{refused} of 101 were refused");
    let answer = browser.get(&activate(&link));
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").is_some());
    assert!(answer.says("Too many links that do not work") && answer.says("in 16 minutes"));
    assert!(!answer.says("password"), "{}", answer.body);
    assert_eq!(house.lockouts(), [(Limit::Links, Whom::Source("127.0.0.1".to_owned()))]);
    house.wait(SignedDuration::from_mins(16));
    assert_eq!(browser.get(&activate(&link)).status, 200);
    for _ in 0..10 {
        assert_eq!(browser.get(&activate(&link)).status, 200, "a link that exists is no guess");
    }
}

#[test]
fn an_expired_link_has_a_new_one_mailed_to_the_address_of_the_account() {
    let house = House::open();
    let id = house.user(CLAIRE, Access::Limited);
    let path = activate(&house.link(&id));
    house.wait(SignedDuration::from_hours(25));
    let mut browser = house.browser();
    assert_eq!(browser.get(&path).status, 410);
    let answer = browser.post(&format!("{path}/again"), &[("address", "thief@evil.example")]);
    assert!(answer.status == 200 && answer.says("Please look into your mail"), "{}", answer.body);
    assert_eq!(house.mailed(1), [("password_reset".to_owned(), CLAIRE.to_owned())]);
}

#[test]
fn the_link_of_a_closed_account_says_so() {
    let house = House::open();
    let id = house.user(CLAIRE, Access::Limited);
    let path = activate(&house.link(&id));
    let person = id.clone();
    let now = house.now();
    house.write(move |sql| users::set(sql, &person, &[Change::Disable], now));
    let answer = house.browser().get(&path);
    assert!(answer.status == 403 && answer.says("This account is closed"), "{}", answer.body);
    assert!(answer.says("support@desk.example"));
}

#[test]
fn a_password_that_may_not_be_chosen_uses_nothing_up() {
    let house = House::open();
    let id = house.user(CLAIRE, Access::Limited);
    let path = activate(&house.link(&id));
    let mut browser = house.browser();
    browser.get(&path);
    for (password, again, said) in [
        ("short", "short", "too short"),
        ("password1", "password1", "among the first that are tried"),
        ("claire.johnson", "claire.johnson", "nearly your name"),
        (PASSWORD, "vier rote Gurken", "not the same"),
    ] {
        let answer = browser.post(&path, &[("password", password), ("again", again)]);
        assert!(answer.status == 422 && answer.says(said), "{password}: {}", answer.body);
        assert!(!answer.says(&format!("value=\"{password}\"")), "{password} is shown");
    }
    assert_eq!(browser.post(&path, &CHOICE).status, 303);
}

#[test]
fn t_21_a_forgotten_password_has_one_answer_for_every_address() {
    // C-08: an address of staff, or of ours, gets no way in.
    const OURS: &str = "support@desk.example";
    let house = House::open();
    house.user_with_password(OURS, Access::Limited);
    house.user_with_password(CLAIRE, Access::Limited);
    let mut answers = Vec::new();
    for address in [OURS, CLAIRE, "nobody@contoso.example", "no address", ""] {
        let mut browser = house.browser();
        browser.get("/portal/forgotten");
        let answer = browser.post("/portal/forgotten", &[("address", address)]);
        assert_eq!(answer.status, 200, "{address}");
        answers.push(answer.body);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(house.mailed(1), [("password_reset".to_owned(), CLAIRE.to_owned())]);
}

#[test]
fn t_28_a_mail_with_a_link_goes_to_the_stored_address_and_one_value_is_taken() {
    let house = House::open();
    let id = house.user_with_password(CLAIRE, Access::Limited);
    let mut browser = house.browser();
    browser.get("/portal/forgotten");
    let twice = [("address", CLAIRE), ("address", "thief@evil.example")];
    assert_eq!(browser.post("/portal/forgotten", &twice).status, 400);
    assert_eq!(house.mails(), []);
    // By another address of theirs: to the one that mail goes to.
    let second = crate::house::address("c.j@contoso.example");
    let key = second.key(guichet::mail::address::PlusTag::Strip);
    let now = house.now();
    house.write(move |sql| {
        users::set(sql, &id, &[Change::AddAddress(second.clone(), key.clone())], now)
    });
    browser.post("/portal/forgotten", &[("address", "C.J@contoso.example")]);
    assert_eq!(house.mailed(1), [("password_reset".to_owned(), CLAIRE.to_owned())]);
}

#[test]
fn an_address_asks_for_new_links_as_often_as_reset_limit_says() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    let ask = |source: &str| {
        let mut browser = house.browser();
        browser.headers.push(("X-Forwarded-For", source.to_owned()));
        browser.get("/portal/forgotten");
        browser.post("/portal/forgotten", &[("address", CLAIRE)])
    };
    for n in 0..5 {
        assert_eq!(ask("192.0.2.1").status, 200, "the {n}. answer is as the first");
    }
    let answer = ask("192.0.2.1");
    assert_eq!(answer.status, 429, "T-27: by source");
    assert!(answer.says("Too many links asked for") && !answer.says("password"), "{}", answer.body);
    let address = Whom::Account(Address::parse(CLAIRE).ok());
    let source = Whom::Source("127.0.0.1".to_owned());
    assert_eq!(house.lockouts(), [(Limit::Resets, address), (Limit::Resets, source)]);
    house.wait(SignedDuration::from_mins(16));
    assert_eq!(house.mailed(3).len(), 3);
    house.wait(SignedDuration::from_hours(1));
    assert_eq!(ask("192.0.2.1").status, 200);
    assert_eq!(house.mailed(4).len(), 4);
}
