//! Reading: who sees which page, lists, and what a ticket shows.

use guichet::counter::{Actor, Requester, TicketChange, Writing};
use guichet::mail::Address;
use guichet::triage::facts::TicketStatus;
use guichet::triage::policy::Access;

use crate::browser::Browser;
use crate::desk::{ANNA, CLAIRE, Desk, MALLORY, PAUL};

/// Who × which page: what is not theirs is not there. On both stores.
pub fn t_02_t_05_t_47_everybody_sees_what_is_theirs_and_nothing_else(desk: &Desk) {
    let limited = desk.user(CLAIRE, Access::Limited);
    let number = desk.ticket(CLAIRE, "Secret printer", "It smokes.");
    let other = desk.ticket("zoe@elsewhere.example", "Of Zoe", "Not theirs.");
    let full = desk.user("fred@contoso.example", Access::Full);
    let primary = desk.user(PAUL, Access::Limited);
    let stranger = desk.user(MALLORY, Access::Full);
    let participant = desk.user("pat@elsewhere.example", Access::Limited);
    desk.run(&format!(
        "INSERT INTO ticket_role (ticket, address_key, role) \
         VALUES ({number}, 'pat@elsewhere.example', 'participant')"
    ));
    let correspondent = desk.user("cc@elsewhere.example", Access::Full);
    desk.run(&format!(
        "INSERT INTO ticket_role (ticket, address_key, role) \
         VALUES ({number}, 'cc@elsewhere.example', 'correspondent')"
    ));
    let gone = desk.account("gone@contoso.example", Access::Full);
    let deleted = desk.logged_in(&gone);
    desk.run(&format!("UPDATE person SET status = 'deleted' WHERE id = '{gone}'"));
    let nobody = Browser::at(desk.at);
    let ticket = format!("tickets/{number}");
    let reply = format!("{ticket}/reply");
    let own = "tickets";
    #[rustfmt::skip]
    let rows: [(&str, &Browser, u16, u16, u16, bool); 8] = [
        // who           browser          the list, the ticket, the site's; whether the list names it
        ("limited",       &limited,        200, 200, 404, true),
        ("full",          &full,           200, 404, 404, false),
        ("primary",       &primary,        200, 200, 200, false),
        ("participant",   &participant,    200, 200, 404, true),
        ("correspondent", &correspondent,  200, 404, 404, false),
        ("stranger",      &stranger,       200, 404, 404, false),
        ("deleted",       &deleted,        403, 403, 403, false),
        ("nobody",        &nobody,         303, 303, 303, false),
    ];
    let unknown = stranger.get("tickets/4711");
    for (who, browser, list, sheet, site, named) in rows {
        let page = browser.get(own);
        assert_eq!((page.status, page.holds("Secret printer")), (list, named), "{who}");
        assert!(!page.holds("Of Zoe"), "{who}");
        let page = browser.get(&ticket);
        assert_eq!(page.status, sheet, "{who}");
        assert_eq!(page.holds("It smokes."), sheet == 200, "{who}");
        if sheet == 404 {
            assert_eq!(
                page.text(),
                stranger_page(&page, &unknown),
                "T-05: one page for both, {who}"
            );
        }
        let page = browser.get("site");
        assert_eq!((page.status, page.holds("Secret printer")), (site, site == 200), "{who}");
        assert!(!browser.get(&format!("tickets/{other}")).holds("Not theirs"), "{who}");
        assert_ne!(browser.get(&format!("{ticket}/files/1/0")).status, 200, "{who}: no such file");
        // Whoever may not see it may not write to it either, whatever token they have.
        let form = browser.get("tickets/new");
        if form.status == 200 {
            let sent = browser.submit(&form, &reply, &[("text", &format!("From {who}."))], &[]);
            let expected = if sheet == 200 { 303 } else { 404 };
            assert_eq!(sent.status, expected, "{who}");
            for change in ["close", "reopen"] {
                let sent = browser.post(&form, &format!("{ticket}/{change}"));
                assert_eq!(sent.status, expected, "{who}: {change}");
            }
        }
    }
    desk.settle();
    let page = limited.get(&ticket);
    for (who, _, _, sheet, _, _) in rows {
        assert_eq!(page.holds(&format!("From {who}.")), sheet == 200, "{who}");
    }
}

// But for what names the visitor, two pages are the same.
fn stranger_page(page: &crate::browser::Page, unknown: &crate::browser::Page) -> String {
    let name = |text: &str| {
        let (_, rest) = text.split_once("<span class=\"name\">").unwrap_or(("", ""));
        rest.split('<').next().unwrap_or_default().to_owned()
    };
    let (theirs, ours) = (page.text(), unknown.text());
    let text = ours.replace(&name(&ours), &name(&theirs));
    text.replace(&unknown.hidden("form"), &page.hidden("form"))
}

#[test]
fn t_05_a_guessed_number_tells_nothing() {
    let desk = Desk::open();
    desk.ticket(CLAIRE, "Secret", "Hidden words.");
    let staff_only = desk.ticket("zoe@elsewhere.example", "For staff", "Internal.");
    desk.run(&format!("UPDATE ticket SET staff_only = 1 WHERE number = {staff_only}"));
    let zoe = desk.text("SELECT id FROM person WHERE first_name = 'Zoe'");
    let zoe = desk.logged_in(&zoe);
    let mallory = desk.user(MALLORY, Access::Full);
    let mut pages = Vec::new();
    for number in 1..=20 {
        let page = mallory.get(&format!("tickets/{number}"));
        assert_eq!(page.status, 404, "{number} is shown to a stranger");
        pages.push(page.text());
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]), "every number looks alike");
    assert_eq!(zoe.get(&format!("tickets/{staff_only}")).status, 404, "T-07");
    for odd in ["tickets/01", "tickets/-1", "tickets/1e1", "tickets/%31%00", "tickets/1%2f2"] {
        assert!(matches!(mallory.get(odd).status, 400 | 404), "{odd}");
    }
}

#[test]
fn my_tickets_are_filtered_searched_and_paged() {
    let desk = Desk::open();
    let claire = desk.user(CLAIRE, Access::Limited);
    let page = claire.get("tickets");
    assert!(page.holds("You have no tickets yet"), "{}", page.text());
    for n in 0..28 {
        // Beyond 30 an hour they would wait.
        desk.ticket(CLAIRE, &format!("Number-{n}-here"), "The same text.");
    }
    desk.run("UPDATE ticket SET status = 'closed' WHERE number = 2");
    let first = claire.get("tickets");
    assert!(first.holds("Number-27-here") && !first.holds("Number-1-here"));
    let older = first.links("after=");
    assert_eq!(older.len(), 1, "{older:?}");
    let second = claire.get(&format!("tickets{}", older[0]));
    assert!(second.holds("Number-0-here") && !second.holds("Number-27-here"));
    assert!(second.links("after=").is_empty() && second.holds("Back to the newest"));
    let closed = claire.get("tickets?status=closed");
    assert!(closed.holds("Number-1-here") && !closed.holds("Number-2-here"));
    let open = claire.get("tickets?status=open&q=number-1");
    assert!(!open.holds("Number-1-here") && open.holds("Number-11-here"));
    let none = claire.get("tickets?q=%25%22%3E%3Cscript%3E");
    assert!(none.holds("No ticket holds all of these words"), "{}", none.text());
    none.must_be_inert();
    for (bad, what) in
        [("tickets?status=x", "T-28"), ("tickets?q=a&q=b", "T-28"), ("tickets?after=1", "a cursor")]
    {
        assert_eq!(claire.get(bad).status, 400, "{what}");
    }
}

#[test]
fn a_primary_user_sees_the_tickets_of_the_site_and_whose_they_are() {
    let desk = Desk::open();
    let number = desk.ticket(CLAIRE, "Printer", "It smokes.");
    desk.ticket("zoe@elsewhere.example", "Of Zoe", "Not theirs.");
    let paul = desk.user(PAUL, Access::Limited);
    let page = paul.get("site");
    assert!(page.holds("Printer") && page.holds("by Claire") && !page.holds("Of Zoe"));
    assert!(page.holds("Contoso") && !page.links("/portal/site").is_empty());
    let sheet = paul.get(&format!("tickets/{number}"));
    assert!(sheet.holds("It smokes.") && sheet.holds("Company tickets"));
    let claire = desk.text("SELECT id FROM person WHERE first_name = 'Claire'");
    assert!(desk.logged_in(&claire).get("tickets").links("/portal/site").is_empty());
}

#[test]
fn m_88_the_new_text_is_shown_and_the_quoted_text_folded() {
    let desk = Desk::open();
    let number =
        desk.ticket(CLAIRE, "Printer", "It smokes.\n\nSee https://docs.example/a?b=1&c=2.");
    desk.mail(&format!(
        "From: Claire <{CLAIRE}>\nTo: support@desk.example\nSubject: Re: Printer\n\
         Message-ID: <second@x.example>\nIn-Reply-To: <{}>\n\n\
         Now it burns.\n\nOn Fri, 15 Jan 2027 Claire wrote:\n> It smokes.\n",
        desk.text("SELECT id FROM thread_id LIMIT 1")
    ));
    let claire = desk.text("SELECT id FROM person WHERE first_name = 'Claire'");
    let page = desk.logged_in(&claire).get(&format!("tickets/{number}"));
    let text = page.text();
    let (before, folded) = text.split_once("<details>").expect("something is folded");
    assert!(before.contains("Now it burns.") && folded.contains("&gt; It smokes."), "{text}");
    let link =
        "<a href=\"https://docs.example/a?b=1&amp;c=2\" rel=\"noopener noreferrer nofollow\">";
    assert!(text.contains(link), "{text}");
}

#[test]
fn m_105_what_staff_writes_to_one_another_is_on_no_page() {
    let desk = Desk::open();
    let number = desk.ticket(CLAIRE, "Printer", "It smokes.");
    desk.run(&format!(
        "UPDATE ticket_message SET internal = 'She is difficult.', visible = 'It smokes.', \
           body = 'She is difficult. It smokes.' WHERE ticket = {number}"
    ));
    let claire = desk.text("SELECT id FROM person WHERE first_name = 'Claire'");
    let claire = desk.logged_in(&claire);
    let page = claire.get(&format!("tickets/{number}"));
    assert!(page.holds("It smokes.") && !page.holds("difficult"));
    assert!(!claire.get("tickets?q=difficult").holds("Printer"));
}

#[test]
fn the_history_is_for_full_access_and_the_answer_of_staff_for_everybody() {
    let desk = Desk::open();
    let claire = desk.account(CLAIRE, Access::Full);
    let number = desk.ticket(CLAIRE, "Printer", "It smokes.");
    let anna = Actor::Agent(guichet::mail::Address::parse(ANNA).expect("an address"));
    let answer =
        Writing { ticket: Some(number), text: "Pull the plug.".to_owned(), ..Writing::default() };
    desk.counter.write(&anna, answer).expect("it is taken");
    desk.settle();
    let closed = TicketChange::Status(TicketStatus::Closed);
    let tagged = TicketChange::Tag("difficult".to_owned());
    desk.counter.change(number, &anna, &[tagged, closed]).expect("it is changed");
    let browser = desk.logged_in(&claire);
    let page = browser.get(&format!("tickets/{number}"));
    for shown in ["Pull the plug.", "Anna Weiss", "History", "Closed"] {
        assert!(page.holds(shown), "{shown}: {}", page.text());
    }
    assert!(!page.holds("difficult"), "tags are how staff sorts its work");
    desk.run("UPDATE person SET access = 'limited'");
    let page = browser.get(&format!("tickets/{number}"));
    assert!(page.holds("Pull the plug.") && !page.holds("History"));
}

#[test]
fn a_merged_ticket_leads_on() {
    let desk = Desk::open();
    let (first, second) = (desk.ticket(CLAIRE, "One", "1"), desk.ticket(CLAIRE, "Two", "2"));
    let claire = desk.text("SELECT id FROM person WHERE first_name = 'Claire'");
    let claire = desk.logged_in(&claire);
    let form = claire.get(&format!("tickets/{first}"));
    desk.run(&format!("UPDATE ticket SET merged_into = {second} WHERE number = {first}"));
    let page = claire.get(&format!("tickets/{first}"));
    assert!(claire.follow(&page).holds("Two"));
    for path in ["reply", "close", "reopen"] {
        let path = format!("tickets/{first}/{path}");
        let page = match path.ends_with("reply") {
            true => claire.submit(&form, &path, &[("text", "x")], &[]),
            false => claire.post(&form, &path),
        };
        assert_eq!(page.header("location"), Some(&*format!("/portal/tickets/{second}")), "{path}");
    }
}

#[test]
fn what_staff_entered_reads_as_the_requesters() {
    let desk = Desk::open();
    let claire = desk.user(CLAIRE, Access::Full);
    let paul = desk.user(PAUL, Access::Full);
    let address = |written| Address::parse(written).expect("an address");
    let asker = Requester { address: address(CLAIRE), name: None };
    for by in [Actor::Operator, Actor::Agent(address(ANNA))] {
        let writing = Writing {
            subject: "Printer".to_owned(),
            text: "She says that it smokes.".to_owned(),
            requester: Some(asker.clone()),
            ..Writing::default()
        };
        desk.counter.write(&by, writing).expect("they may");
    }
    desk.settle();
    for number in 1..=2 {
        let page = claire.get(&format!("tickets/{number}"));
        assert!(page.holds("<strong dir=\"auto\">You</strong>"), "{}", page.text());
        assert!(page.holds("entered by staff") && !page.holds(">Support</span>"));
        // The primary user of her site.
        let page = paul.get(&format!("tickets/{number}"));
        assert!(page.holds("<strong dir=\"auto\">Claire Test</strong>"), "{}", page.text());
        assert!(page.holds("entered by staff"), "{}", page.text());
    }
    let answer = Writing { ticket: Some(1), text: "Off.".to_owned(), ..Writing::default() };
    desk.counter.write(&Actor::Operator, answer).expect("they may");
    desk.settle();
    assert!(claire.get("tickets/1").holds(">Support</span>"), "an answer is staff's");
}
