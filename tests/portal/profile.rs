//! A user's own account: what they may change, and how.

use guichet::store::users::{self, User};
use guichet::triage::policy::Access;

use crate::house::{Browser, House, PASSWORD, USUAL, Unusual};

const CLAIRE: &str = "claire@contoso.example";
const NEW: &str = "claire@fabrikam.example";

fn shown(house: &House, id: &str) -> User {
    let user = house.store.read_only(|sql| users::show(sql, id)).expect("it reads");
    user.expect("a user")
}

#[test]
fn full_access_changes_name_telephones_and_language() {
    let house = House::open();
    let id = house.user_with_password(CLAIRE, Access::Full);
    let mut browser = house.browser_of(CLAIRE);
    browser.get("/portal/profile");
    let fields = [
        ("first_name", "Clara"),
        ("last_name", "Johnson & \"Sons\" <b>"),
        ("phone", "+33 1 23"),
        ("mobile", ""),
        ("language", "fr"),
    ];
    let answer = browser.post("/portal/profile", &fields);
    let page = browser.follow(&answer);
    assert!(page.says("Vos modifications sont enregistrées"), "{}", page.body);
    assert!(page.says("Clara Johnson &amp; &quot;Sons&quot; &lt;b&gt;"), "T-29: {}", page.body);
    let user = shown(&house, &id);
    assert_eq!((user.first_name.as_str(), user.phone.as_deref()), ("Clara", Some("+33 1 23")));
    assert!(!user.derived && user.mobile.is_none() && user.locale.as_deref() == Some("fr"));
    for (field, wrong) in [("phone", "call me"), ("mobile", "<script>")] {
        let answer = browser.post("/portal/profile", &[("first_name", "C"), (field, wrong)]);
        assert!(answer.status == 422 && answer.says("numéro de téléphone"), "{wrong}");
    }
    let answer = browser.post("/portal/profile", &[("first_name", " "), ("last_name", "")]);
    assert!(answer.status == 422 && answer.says("au moins un prénom"));
    assert_eq!(shown(&house, &id).first_name, "Clara");
}

#[test]
fn t_47_an_account_made_by_mail_changes_its_language_and_password_alone() {
    let house = House::open();
    let id = house.user_with_password(CLAIRE, Access::Limited);
    let mut browser = house.browser_of(CLAIRE);
    let page = browser.get("/portal/profile");
    assert!(page.says("Claire Johnson") && !page.says("name=\"first_name\""));
    assert!(!page.says("/profile/address") && page.says("/profile/password"));
    let fields = [("first_name", "Root"), ("phone", "1"), ("language", "de")];
    assert_eq!(browser.post("/portal/profile", &fields).status, 303);
    let user = shown(&house, &id);
    assert_eq!(
        (user.first_name.as_str(), user.phone, user.locale.as_deref()),
        ("Claire", None, Some("de"))
    );
    browser.get("/portal/profile");
    let fields = [("new_address", NEW), ("old", PASSWORD)];
    assert_eq!(browser.post("/portal/profile/address", &fields).status, 404);
    assert_eq!(house.mails(), []);
}

#[test]
fn a_password_is_changed_by_whoever_knows_the_old_one_and_other_sessions_end() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    let (mut browser, mut elsewhere) = (house.browser_of(CLAIRE), house.browser_of(CLAIRE));
    browser.get("/portal/profile");
    let change = |browser: &mut Browser, old: &str, new: &str| {
        let fields = [("old", old), ("password", new), ("again", new)];
        browser.post("/portal/profile/password", &fields)
    };
    assert!(change(&mut browser, "wrong one", "fünf rote Rüben").says("not your current password"));
    assert!(change(&mut browser, PASSWORD, PASSWORD).says("Please choose another"));
    assert!(change(&mut browser, PASSWORD, "12345678").says("among the first that are tried"));
    let before = browser.cookies["guichet"].clone();
    let answer = change(&mut browser, PASSWORD, "fünf rote Rüben");
    assert!(browser.follow(&answer).says("Your password is saved"));
    assert_ne!(browser.cookies["guichet"], before, "a fresh session");
    assert_eq!(elsewhere.get("/portal/profile").status, 303);
    assert_eq!(house.browser().log_in(CLAIRE, PASSWORD).status, 422);
    assert_eq!(house.browser().log_in(CLAIRE, "fünf rote Rüben").status, 303);
    assert_eq!(house.mailed(1), [("password_changed".to_owned(), CLAIRE.to_owned())]);
}

#[test]
fn t_27_the_old_password_is_not_guessed_by_whoever_sits_down_at_a_desk() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    let mut browser = house.browser_of(CLAIRE);
    browser.get("/portal/profile");
    let fields =
        [("old", "wrong one"), ("password", "fünf rote Rüben"), ("again", "fünf rote Rüben")];
    let refused =
        (0..7).filter(|_| browser.post("/portal/profile/password", &fields).status == 429).count();
    assert_eq!(refused, 2);
}

#[test]
fn an_address_is_changed_once_a_link_that_went_there_is_opened() {
    for is_on_postgres in [false, true] {
        let house = House::with(&Unusual { is_on_postgres, ..USUAL });
        let id = house.user_with_password(CLAIRE, Access::Full);
        let mut browser = house.browser_of(CLAIRE);
        browser.get("/portal/profile");
        let fields = [("new_address", NEW), ("old", "not it")];
        assert!(browser.post("/portal/profile/address", &fields).says("not your current password"));
        let fields = [("new_address", "not an address"), ("old", PASSWORD)];
        assert!(browser.post("/portal/profile/address", &fields).says("no mail address"));
        let answer =
            browser.post("/portal/profile/address", &[("new_address", NEW), ("old", PASSWORD)]);
        assert!(browser.follow(&answer).says("on its way to the new address"));
        assert_eq!(house.mailed(1), [("address_change".to_owned(), NEW.to_owned())]);
        assert_eq!(shown(&house, &id).addresses[0].address, CLAIRE);

        // On a telephone, where nobody is logged in; looking at it changes nothing (T-23).
        let path = format!("/portal/confirm/{}", house.confirmation(&id, house.mails()[0].0));
        let mut phone = house.browser();
        for _ in 0..3 {
            assert!(phone.get(&path).says(NEW));
        }
        assert_eq!(shown(&house, &id).addresses[0].address, CLAIRE);
        assert!(phone.post(&path, &[]).says("Your address is changed"));
        assert_eq!(house.mailed(2)[1], ("address_changed".to_owned(), CLAIRE.to_owned()));
        let addresses: Vec<_> =
            shown(&house, &id).addresses.into_iter().map(|one| one.address).collect();
        assert_eq!(addresses, [NEW, CLAIRE], "what they sent before stays theirs");
        assert_eq!(house.browser().log_in(NEW, PASSWORD).status, 303);
        assert_eq!(phone.get(&path).status, 410, "once");
    }
}

#[test]
fn t_21_nobody_learns_whose_an_address_is() {
    let house = House::open();
    let id = house.user_with_password(CLAIRE, Access::Full);
    house.user("taken@contoso.example", Access::Limited);
    let mut browser = house.browser_of(CLAIRE);
    for address in ["taken@contoso.example", "support@desk.example"] {
        browser.get("/portal/profile");
        let fields = [("new_address", address), ("old", PASSWORD)];
        let answer = browser.post("/portal/profile/address", &fields);
        assert!(browser.follow(&answer).says("on its way to the new address"), "{address}");
    }
    browser.get("/portal/profile");
    browser.post("/portal/profile/address", &[("new_address", NEW), ("old", PASSWORD)]);
    assert_eq!(house.mailed(1), [("address_change".to_owned(), NEW.to_owned())]);
    // Taken between the mail and the click (M-43).
    let path = format!("/portal/confirm/{}", house.confirmation(&id, house.mails()[0].0));
    house.user(NEW, Access::Limited);
    let mut phone = house.browser();
    phone.get(&path);
    assert_eq!(phone.post(&path, &[]).status, 410);
    assert_eq!(shown(&house, &id).addresses.len(), 1);
}

#[test]
fn an_address_that_is_changed_too_often_hears_of_that_and_of_no_password() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Full);
    let mut browser = house.browser_of(CLAIRE);
    browser.headers.push(("Accept-Language", "fr".to_owned()));
    browser.get("/portal/profile");
    let mut change = |n: i32| {
        let address = format!("claire{n}@fabrikam.example");
        let fields = [("new_address", address.as_str()), ("old", PASSWORD)];
        browser.post("/portal/profile/address", &fields)
    };
    for n in 0..3 {
        assert_eq!(change(n).status, 303);
    }
    let answer = change(3);
    assert!(answer.status == 429 && answer.says("Trop de changements d’adresse"));
    assert!(answer.says("dans 61 minutes") && !answer.says("mot de passe"), "{}", answer.body);
}

#[test]
fn a_user_sees_where_they_are_logged_in_and_ends_what_they_do_not_know() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    house.user_with_password("eve@evil.example", Access::Limited);
    let mut browser = house.browser_of(CLAIRE);
    let mut phone = house.browser();
    let agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1";
    phone.headers.push(("User-Agent", agent.to_owned()));
    phone.log_in(CLAIRE, PASSWORD);
    let page = browser.get("/portal/profile");
    assert!(page.says("Safari on iPhone") && page.says("this one"), "{}", page.body);
    let (_, after) = page.body.split_once("name=\"session\" value=\"").expect("a session to end");
    let handle = after.split('"').next().expect("a handle").to_owned();
    // Nobody else's.
    let mut eve = house.browser_of("eve@evil.example");
    eve.get("/portal/profile");
    eve.post("/portal/profile/sessions", &[("session", &handle)]);
    assert_eq!(phone.get("/portal/profile").status, 200);
    let answer = browser.post("/portal/profile/sessions", &[("session", &handle)]);
    assert!(browser.follow(&answer).says("That session has ended"));
    assert_eq!(phone.get("/portal/profile").status, 303);
    let mut third = house.browser_of(CLAIRE);
    browser.get("/portal/profile");
    browser.post("/portal/profile/sessions", &[]);
    assert_eq!((third.get("/portal/").status, browser.get("/portal/").status), (303, 200));
}
