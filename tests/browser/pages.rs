//! Every page that the journeys do not pass, looked at as closely as theirs.

use crate::browser::{Browser, ENTER, Setup, TAB};
use crate::desk::{CLAIRE, Helpdesk, SUPPORT, written};
use crate::look::look;

const PASSWORD: &str = "a quiet evening at sea";

#[test]
fn nobody_is_shut_out_before_the_login() {
    let helpdesk = Helpdesk::open();
    let mut browser = Browser::start(Setup::default());
    for (path, name) in [
        ("forgotten", "forgotten"),
        ("activate/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "unknown-link"),
        ("confirm/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "unknown-address-link"),
        ("no-such-page", "not-found"),
        ("articles", "articles-public"),
        ("articles/vpn", "article-public"),
    ] {
        browser.open(&helpdesk.page(path));
        look(&mut browser, &format!("door-{name}"));
    }
    browser.open(&helpdesk.page("forgotten"));
    browser.write("#address", "nobody@contoso.example");
    browser.click("main form button");
    browser.wait("an answer", || !browser.has("#address"));
    look(&mut browser, "door-forgotten-sent");
    browser.open(&helpdesk.page("tickets/1"));
    browser.wait_to_be_at("/login");
    helpdesk.close(browser, &["a form"]);
}

#[test]
fn nobody_is_shut_out_behind_the_login() {
    let helpdesk = Helpdesk::open();
    let from = format!("Claire Johnson <{CLAIRE}>");
    let quoting = "It does not work at home either.\n\nOn Mon, 5 Jan 2026 Paul wrote:\n\
                   > Did you try it at home?\n> It works here.\n\nSee http://www.example.com/vpn";
    helpdesk.deliver(&written("vpn@c.example", &from, SUPPORT, "VPN: error 809", "", quoting));
    let mut browser = helpdesk.logged_in(CLAIRE, PASSWORD, Setup::default());
    browser.open(&helpdesk.page("tickets"));
    skip_to_the_content(&browser);

    open_a_ticket(&mut browser);
    close_and_reopen(&mut browser);

    for (path, name) in [
        ("tickets", "tickets"),
        ("tickets?status=closed", "tickets-none"),
        ("tickets?q=elephant", "tickets-not-found"),
        ("tickets/1", "ticket-quoting"),
        ("tickets/4711", "ticket-unknown"),
        ("site", "site"),
        ("articles", "articles"),
        ("articles?q=elephant", "articles-not-found"),
        ("articles/vpn", "article"),
        ("profile", "profile-limited"),
    ] {
        browser.open(&helpdesk.page(path));
        look(&mut browser, &format!("inside-{name}"));
    }

    helpdesk.desk.ok(&["users", "set", CLAIRE, "--access", "full"]);
    change_the_profile(&mut browser, &helpdesk);
    choose_after_a_temporary_password(&mut browser, &helpdesk);

    browser.open(&helpdesk.page("tickets/1"));
    helpdesk.desk.ok(&["users", "disable", CLAIRE]);
    browser.write("#text", "Hello?");
    browser.click("#answer ~ form button");
    for _ in 0..2 {
        browser.wait("to be told", || browser.text("h1") == "This account is closed");
        assert!(browser.text("main").contains(SUPPORT), "whom to turn to");
        browser.reload();
    }
    look(&mut browser, "inside-closed-account");
    let kinds = [
        "a form",
        "a link",
        "a link of an address",
        "a password",
        "a session",
        "a temporary password",
    ];
    helpdesk.close(browser, &kinds);
}

/// Whoever has no mouse gets past the navigation with two keys.
fn skip_to_the_content(browser: &Browser) {
    browser.press(TAB);
    let focus = "return document.activeElement.className";
    assert_eq!(browser.script(focus), "skip");
    browser.press(ENTER);
    browser.wait("the content to have the focus", || {
        browser.script("return document.activeElement.id") == "content"
    });
}

fn open_a_ticket(browser: &mut Browser) {
    browser.click("main .button");
    browser.wait_to_be_at("/tickets/new");
    look(browser, "inside-new");
    // Blanks are no subject; what else was written stays.
    browser.write("#subject", "  ");
    browser.write("#text", "It says:\n\n    paper jam\n\nThere is none.");
    browser.click("form[enctype] button");
    browser.wait("a refusal", || browser.has("#wrong-subject"));
    assert!(browser.property("#text", "value").contains("paper jam"));
    look(browser, "inside-new-refused");
    browser.write("#subject", "Printer on the second floor");
    browser.click("form[enctype] button");
    browser.wait("the new ticket", || browser.has("#answer"));
    assert_eq!(browser.text("h1"), "Printer on the second floor");
    look(browser, "inside-new-opened");
}

fn close_and_reopen(browser: &mut Browser) {
    browser.click("form[action$=close] button");
    browser.wait("it to be closed", || browser.has("form[action$=reopen]"));
    look(browser, "inside-closed");
    browser.click("form[action$=reopen] button");
    browser.wait("it to be open", || browser.has("form[action$=close]"));
}

/// As somebody does who was told a password by telephone.
fn choose_after_a_temporary_password(browser: &mut Browser, helpdesk: &Helpdesk) {
    let told = helpdesk.desk.ok(&["users", "reset-password", CLAIRE, "--show=password"]);
    let temporary = told.trim();
    browser.keep_secret("a temporary password", temporary);
    browser.open(&helpdesk.page("tickets"));
    browser.click(".who form button");
    browser.wait_to_be_at("/login");
    browser.press(&format!("{CLAIRE}{TAB}{temporary}{ENTER}"));
    browser.wait_to_be_at("/choose");
    look(browser, "inside-choose");
    browser.write("#password", temporary);
    browser.write("#again", &format!("{temporary}{ENTER}"));
    browser.wait("a refusal", || browser.has("main [role=alert]"));
    look(browser, "inside-choose-refused");
    browser.write("#password", "a calm morning at sea");
    browser.write("#again", &format!("a calm morning at sea{ENTER}"));
    browser.wait("to be logged in", || browser.has(".who"));
}

fn change_the_profile(browser: &mut Browser, helpdesk: &Helpdesk) {
    browser.open(&helpdesk.page("profile"));
    look(browser, "inside-profile-full");
    browser.write("#phone", "not a number");
    browser.click("form[action$=profile] button");
    browser.wait("a refusal", || browser.has("#wrong_phone"));
    look(browser, "inside-profile-refused");
    browser.write("#phone", "+49 30 1234567");
    browser.click("form[action$=profile] button");
    browser.wait("it to be saved", || browser.has("main [role=status]"));
    look(browser, "inside-profile-saved");
    browser.write("#new_address", "claire@contoso.example");
    browser.write("#address_old", PASSWORD);
    browser.click("form[action$=address] button");
    browser.wait("it to be mailed", || browser.has("main [role=status]"));
    let start = helpdesk.page("confirm/");
    let mail = helpdesk.mail_to("claire@contoso.example", &start);
    let at = mail.text.find(&start).expect("it was looked for");
    let link = mail.text[at..].split(char::is_whitespace).next().expect("a first part");
    browser.open(link);
    look(browser, "inside-confirm");
}
