//! From the first mail to the answer: somebody writes, gets a link, chooses a password, logs in, finds
//! their ticket, answers there; staff hears of it and answers by mail; and both the portal and the
//! person's mail have that answer.

use guichet::mail::InboundMessage;

use crate::browser::{Browser, ENTER, Scripts, Setup, TAB, Width};
use crate::desk::{ANNA, CLAIRE, Helpdesk, PIERRE, SUPPORT, answer_to, written};
use crate::look::look;

/// Somebody with a question.
struct Person {
    /// What the pictures of their pages are called.
    name: &'static str,
    address: &'static str,
    from: &'static str,
    setup: Setup,
    password: &'static str,
    subject: &'static str,
    question: &'static str,
    more: &'static str,
    /// How their pages begin: the language, and headings in it.
    lang: &'static str,
    choose: &'static str,
    tickets: &'static str,
    /// How the subject of their credentials mail begins.
    invitation: &'static str,
}

const IN_ENGLISH: Person = Person {
    name: "claire",
    address: CLAIRE,
    from: "Claire Johnson <claire.johnson@contoso.example>",
    setup: Setup { languages: "en-GB,en", scripts: Scripts::On, width: Width::Desk },
    password: "correct horse in the rain",
    subject: "The printer smokes",
    question: "Good morning,\n\nsince eight o'clock the printer smokes. What shall I do?\n\nClaire",
    more: "Now it is on fire. I switched it off.",
    lang: "en",
    choose: "Choose your password",
    tickets: "My tickets",
    invitation: "Your access to",
};

const IN_FRENCH: Person = Person {
    name: "pierre",
    address: PIERRE,
    from: "Pierre Martin <pierre.martin@nordwind.example>",
    setup: Setup { languages: "fr-FR,fr", scripts: Scripts::On, width: Width::Phone },
    password: "le soleil brille à midi",
    subject: "L’imprimante fume",
    question: "Bonjour,\n\ndepuis huit heures l’imprimante fume. Que faire ?\n\nPierre",
    more: "Elle brûle à présent. Je l’ai éteinte.",
    lang: "fr",
    choose: "Choisissez votre mot de passe",
    tickets: "Mes tickets",
    invitation: "Votre accès",
};

const WRONG: &str = "not my password";
const ANSWER: &str = "Take it outside. A new one comes today: no. 42.";

#[test]
fn from_a_mail_to_its_answer_and_back() {
    go(&IN_ENGLISH);
}

#[test]
fn from_a_mail_to_its_answer_in_french_on_a_telephone() {
    go(&IN_FRENCH);
}

#[test]
fn from_a_mail_to_its_answer_without_javascript() {
    let setup = Setup { scripts: Scripts::Off, ..IN_ENGLISH.setup };
    go(&Person { name: "plain", setup, ..IN_ENGLISH });
}

#[test]
fn from_a_mail_to_its_answer_on_postgres() {
    go_through(Helpdesk::on_postgres(), &Person { name: "postgres", ..IN_ENGLISH });
}

fn go(person: &Person) {
    go_through(Helpdesk::open(), person);
}

/// The whole way of one person.
fn go_through(helpdesk: Helpdesk, person: &Person) {
    let first = format!("first@{}.example", person.name);
    helpdesk.deliver(&written(&first, person.from, SUPPORT, person.subject, "", person.question));
    let link = helpdesk.link_for(person.address);
    let invitation = helpdesk.mail_to(person.address, &link);
    assert!(invitation.subject.starts_with(person.invitation), "{}", invitation.subject);

    let mut browser = Browser::start(person.setup);
    scripts_are(&browser, person.setup.scripts);
    choose_a_password(&mut browser, person, &link);
    log_in_again(&mut browser, person);
    find_the_ticket(&mut browser, person);
    answer_there(&mut browser, person, &helpdesk);

    let notice = helpdesk.mail_to(ANNA, person.more);
    assert!(notice.text.contains("screen.png"), "the files are named: {}", notice.text);
    helpdesk.deliver(&answer_to(&notice, &format!("Anna Weiss <{ANNA}>"), ANSWER));
    browser.wait_reloading(ANSWER);
    look(&mut browser, &format!("{}-6-answered", person.name));
    let answer = helpdesk.mail_to(person.address, ANSWER);
    must_be_the_answer(&answer, &notice, &first);
    thank_by_mail(&browser, person, &helpdesk, &answer);

    // The link's work is done (T-22).
    browser.open(&link);
    assert!(!browser.has("#password"), "the link works no more");
    let mails = helpdesk.mails_to(person.address);
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    let expected = "the receipt, the invitation, the notice of a password, the answer";
    assert_eq!(mails.len(), 4, "{expected}: {subjects:?}");
    helpdesk.close(browser, &["a form", "a link", "a password", "a session", "a wrong password"]);
}

/// Whether the pages' own scripts would run is as the test wants it.
fn scripts_are(browser: &Browser, expected: Scripts) {
    browser.open("data:text/html,<title>off</title><script>document.title='on'</script>");
    let title = if expected == Scripts::On { "on" } else { "off" };
    assert_eq!(browser.title(), title);
}

fn choose_a_password(browser: &mut Browser, person: &Person, link: &str) {
    browser.open(link);
    assert_eq!(browser.text("h1"), person.choose);
    assert_eq!(browser.property("html", "lang"), person.lang);
    assert!(browser.says(person.address), "it says whose account this is");
    look(browser, &format!("{}-1-activate", person.name));
    // One that everybody tries first is refused, and the page says why.
    browser.write("#password", "password1");
    browser.write("#again", "password1");
    browser.click("main form button");
    browser.wait("a refusal", || browser.has("main [role=alert]"));
    look(browser, &format!("{}-1-activate-refused", person.name));
    browser.write("#password", person.password);
    browser.write("#again", &format!("{}{ENTER}", person.password));
    browser.wait("to be logged in", || browser.has(".who"));
}

/// Logs out and in, without a mouse.
fn log_in_again(browser: &mut Browser, person: &Person) {
    browser.click(".who form button");
    browser.wait_to_be_at("/login");
    look(browser, &format!("{}-2-login", person.name));
    browser.keep_secret("a wrong password", WRONG);
    browser.press(&format!("{}{TAB}{WRONG}{ENTER}", person.address));
    browser.wait("a refusal", || browser.has("main [role=alert]"));
    look(browser, &format!("{}-2-login-refused", person.name));
    // The address stands there still, and the field after it has the focus.
    browser.press(&format!("{}{ENTER}", person.password));
    browser.wait("to be logged in", || browser.has(".who"));
}

fn find_the_ticket(browser: &mut Browser, person: &Person) {
    browser.wait("their tickets", || browser.text("h1") == person.tickets);
    look(browser, &format!("{}-3-tickets", person.name));
    browser.follow(person.subject);
    browser.wait_to_be_at("/tickets/1");
    assert_eq!(browser.text("h1"), person.subject);
    let asked = person.question.lines().nth(2).expect("the question has three parts");
    assert!(browser.says(asked), "{}", browser.text("main"));
    look(browser, &format!("{}-4-ticket", person.name));
}

fn answer_there(browser: &mut Browser, person: &Person, helpdesk: &Helpdesk) {
    let picture = helpdesk.desk.path().join("screen.png");
    std::fs::write(&picture, browser.picture()).expect("the picture is written");
    browser.write("#text", person.more);
    browser.attach("#files", &picture);
    browser.click("#answer ~ form button");
    browser.wait_reloading(person.more);
    assert_eq!(browser.property("html", "lang"), person.lang);
    let shown = ".pictures img[alt*='screen.png']";
    browser.wait("the picture", || browser.has(shown));
    if person.setup.scripts == Scripts::On {
        let width = format!("return document.querySelector(\"{shown}\").naturalWidth > 0");
        browser.wait("the picture to be shown", || browser.script(&width) == true);
        look_at_the_picture_alone(browser);
        browser.go_back();
    }
    look(browser, &format!("{}-5-replied", person.name));
}

/// By itself a picture is on a page of the browser's own making, with its style.
fn look_at_the_picture_alone(browser: &Browser) {
    browser.click(".pictures a");
    browser.wait("the picture alone", || browser.url().contains("/files/"));
    assert_eq!(browser.complaints(), [""; 0], "T-29 lets the browser's own style be");
    let looks = "const style = getComputedStyle(document.body);
                 return [style.margin, document.images[0].naturalWidth > 0, document.scripts.length]";
    assert_eq!(browser.script(looks), serde_json::json!(["0px", true, 0]));
}

/// What the person gets is what Anna wrote, not the notice that she answered, and it belongs to the
/// mail that they sent first.
fn must_be_the_answer(answer: &InboundMessage, notice: &InboundMessage, first: &str) {
    assert!(answer.text.starts_with(ANSWER), "{}", answer.text);
    assert!(answer.text.contains("Anna Weiss, Example IT"), "{}", answer.text);
    assert!(!answer.text.contains("> "), "no quoted notice: {}", answer.text);
    let token = notice.reply_to.first().expect("a notice has a reply address");
    assert!(!answer.text.contains(&token.address), "Anna's reply address is hers alone");
    // Not the message of the portal: no mail program knows that one.
    assert_eq!(answer.in_reply_to[0].as_str(), first, "{:?}", answer.references);
}

/// And back once more, by mail.
fn thank_by_mail(browser: &Browser, person: &Person, helpdesk: &Helpdesk, answer: &InboundMessage) {
    let thanks = "Merci / thank you!";
    helpdesk.deliver(&answer_to(answer, person.from, thanks));
    browser.wait_reloading(thanks);
    browser.wait_to_be_at("/tickets/1");
    helpdesk.mail_to(ANNA, thanks);
}
