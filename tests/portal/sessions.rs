//! Sessions: how they begin, what they are bound to, how they end.

use guichet::store::users::{self, Change};
use guichet::triage::policy::Access;
use jiff::SignedDuration;

use crate::house::{Browser, ENCRYPTED, House, PASSWORD, USUAL, Unusual, beginning};

const CLAIRE: &str = "claire@contoso.example";

#[test]
fn over_https_the_cookie_is_of_this_host_alone_and_no_script_reads_it() {
    let house = House::with(&ENCRYPTED);
    house.user_with_password(CLAIRE, Access::Limited);
    let mut browser = house.browser();
    let answer = browser.log_in(CLAIRE, PASSWORD);
    let cookies: Vec<&str> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, line)| line.as_str())
        .collect();
    let session = cookies.iter().find(|line| line.starts_with("__Host-guichet="));
    let session = session.expect("a session");
    for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(session.contains(part), "{session}");
    }
    assert!(!session.contains("Domain"), "{session}");
}

#[test]
fn a_session_is_another_one_after_each_login_and_the_one_before_ends() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    let mut browser = house.browser_of(CLAIRE);
    let first = browser.cookies["guichet"].clone();
    // A form that was open in another tab.
    browser.page = browser.get("/portal/profile").body;
    let answer = browser.post("/portal/login", &[("address", CLAIRE), ("password", PASSWORD)]);
    assert_eq!(answer.status, 303);
    assert_ne!(browser.cookies["guichet"], first);
    let mut thief = house.browser();
    thief.cookies.insert("guichet".to_owned(), first);
    assert_eq!(thief.get("/portal/profile").location(), "/portal/login?next=profile");
}

#[test]
fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    let mut browser = house.browser_of(CLAIRE);
    house.wait(SignedDuration::from_hours(25));
    let answer = browser.get("/portal/profile");
    assert_eq!(answer.location(), "/portal/login?next=profile");
    assert!(browser.follow(&answer).says("Your session has ended"));
    // P-11: it stays so whatever becomes of the clock.
    let mut late = house.browser_of(CLAIRE);
    let token = late.cookies["guichet"].clone();
    house.wait(SignedDuration::from_hours(25));
    assert_eq!(late.get("/portal/profile").status, 303);
    house.clock.set(beginning().checked_add(SignedDuration::from_hours(26)).expect("in range"));
    crate::suites::wait_for("the end of the session", 10, || {
        let mut again = house.browser();
        again.cookies.insert("guichet".to_owned(), token.clone());
        again.get("/portal/profile").status == 303
    });

    let mut browser = house.browser_of(CLAIRE);
    for day in 0..13 {
        house.wait(SignedDuration::from_hours(23));
        assert_eq!(browser.get("/portal/profile").status, 200, "day {day}");
        // What was noted is noted before the next day.
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
    house.wait(SignedDuration::from_hours(47));
    assert_eq!(browser.get("/portal/profile").status, 303, "14 days");
}

#[test]
fn a_session_ends_with_its_account_and_whoever_holds_it_is_told() {
    for is_on_postgres in [false, true] {
        let house = House::with(&Unusual { is_on_postgres, ..USUAL });
        let id = house.user_with_password(CLAIRE, Access::Limited);
        let mut browser = house.browser_of(CLAIRE);
        browser.get("/portal/profile");
        let set = |change: Change| {
            let (person, now) = (id.clone(), house.now());
            house.write(move |sql| users::set(sql, &person, std::slice::from_ref(&change), now));
        };
        let must_be_told = |browser: &mut Browser| {
            for _ in 0..2 {
                let answer = browser.get("/portal/profile");
                assert_eq!(answer.status, 403, "{}", answer.body);
                assert!(answer.says("This account is closed"), "{}", answer.body);
                assert!(answer.says("mailto:support@desk.example"), "whom to turn to");
                assert!(!answer.says("Claire") && !answer.says("session"), "{}", answer.body);
            }
            let answer = browser.post("/portal/profile", &[("language", "fr")]);
            assert!(answer.status == 403 && answer.says("This account is closed"));
            assert_eq!(browser.get("/portal/login").status, 200, "another may log in here");
        };
        set(Change::Disable);
        must_be_told(&mut browser);
        // T-21: without a session or the password nobody hears of it.
        let wrong = house.browser().log_in(CLAIRE, "drei rote Gurken");
        let unknown = house.browser().log_in("nobody@contoso.example", "drei rote Gurken");
        assert_eq!((wrong.status, unknown.status), (422, 422));
        assert!(!wrong.says("closed"), "{}", wrong.body);

        // Enabled again, the account is not entered by what was there before.
        set(Change::Enable);
        let answer = browser.get("/portal/profile");
        assert_eq!(answer.location(), "/portal/login?next=profile", "{}", answer.body);
        assert!(browser.follow(&answer).says("Your session has ended"));

        let mut browser = house.browser_of(CLAIRE);
        browser.get("/portal/profile");
        let (person, now) = (id.clone(), house.now());
        house.write(move |sql| users::delete(sql, &person, now));
        must_be_told(&mut browser);
        assert_eq!(house.browser().log_in(CLAIRE, PASSWORD).status, 422, "nobody hears of it");
        house.wait(SignedDuration::from_hours(25));
        assert_eq!(browser.get("/portal/profile").status, 303, "not for ever");
    }
}

#[test]
fn logging_out_ends_the_session_in_the_store() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    let mut browser = house.browser_of(CLAIRE);
    let token = browser.cookies["guichet"].clone();
    browser.get("/portal/profile");
    let answer = browser.post("/portal/logout", &[]);
    assert_eq!(answer.location(), "/portal/login");
    assert!(browser.follow(&answer).says("You are logged out"));
    assert!(!browser.cookies.contains_key("guichet"));
    let mut thief = house.browser();
    thief.cookies.insert("guichet".to_owned(), token);
    assert_eq!(thief.get("/portal/profile").status, 303);
}

#[test]
fn no_form_is_taken_that_this_browser_was_not_given() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    house.user_with_password("eve@evil.example", Access::Limited);
    let mut browser = house.browser_of(CLAIRE);
    browser.get("/portal/profile");
    let mut eve = house.browser_of("eve@evil.example");
    eve.get("/portal/profile");
    let language = ("language", "fr");
    for token in ["", "null", eve.token().as_str(), &house.browser().token()] {
        let answer = browser.send("/portal/profile", &[("form", token), language]);
        assert!(answer.status == 403 && answer.says("This form is too old"), "`{token}` is taken");
    }
    assert_eq!(browser.send("/portal/profile", &[language]).status, 403);
    // With the right token, but from another site.
    browser.get("/portal/profile");
    let mut lured = browser.clone();
    lured.headers.push(("Sec-Fetch-Site", "cross-site".to_owned()));
    assert_eq!(lured.post("/portal/profile", &[language]).status, 403);
    let mut lured = browser.clone();
    lured.headers.push(("Origin", "https://evil.example".to_owned()));
    assert_eq!(lured.post("/portal/profile", &[language]).status, 403);
    assert_eq!(browser.post("/portal/profile", &[language]).status, 303);
    // Before a login: a form is bound to a cookie.
    let mut stranger = house.browser();
    stranger.get("/portal/login");
    stranger.cookies.clear();
    let fields = [("address", CLAIRE), ("password", PASSWORD)];
    assert_eq!(stranger.post("/portal/login", &fields).status, 403);
}

#[test]
fn whoever_sends_a_form_after_the_end_of_a_session_is_told() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    let mut browser = house.browser_of(CLAIRE);
    browser.get("/portal/profile");
    house.wait(SignedDuration::from_hours(25));
    let answer = browser.post("/portal/profile", &[("language", "fr")]);
    assert!(answer.status == 401 && answer.says("Your session has ended"), "{}", answer.body);
}
