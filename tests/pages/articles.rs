//! The knowledge base: who reads what, in which language, and what it may do.

use guichet::triage::policy::Access;

use crate::browser::Browser;
use crate::desk::{CLAIRE, Desk, MALLORY};

const FILES: [(&str, &[u8]); 7] = [
    ("vpn.md", b"# Connect to the VPN\n\nStart **the** client. ![map](map.png) [Wi-Fi](Contoso/wifi.md)\n"),
    ("vpn.fr.md", b"# Se connecter au VPN\n\nLancez le client.\n"),
    ("x.md", b"# Odd <b>\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) ![t](https://e.example/t.png)\n"),
    ("map.png", b"\x89PNG\r\n\x1a\nrest"),
    ("fake.png", b"<html><script>alert(1)</script>"),
    ("Contoso/wifi.md", b"# Wi-Fi at Contoso\n\nThe password hangs on the wall.\n"),
    ("Contoso/plan.jpg", b"\xff\xd8\xff\xe0rest"),
];

#[test]
fn articles_are_public_or_of_one_site() {
    let desk = Desk::with_articles(&FILES);
    let claire = desk.user(CLAIRE, Access::Limited);
    let mallory = desk.user(MALLORY, Access::Full);
    let nobody = Browser::at(desk.at);
    #[rustfmt::skip]
    let rows = [
        // path                       nobody, Mallory, Claire of Contoso
        ("articles",                   200, 200, 200),
        ("articles/vpn",               200, 200, 200),
        ("articles/map.png",           200, 200, 200),
        ("articles/Contoso/wifi",      303, 404, 200),
        ("articles/Contoso/plan.jpg",  303, 404, 200),
        ("articles/contoso/wifi",      303, 404, 404),
        ("articles/Contoso/nothing",   303, 404, 404),
        ("articles/wifi",              404, 404, 404),
        ("articles/vpn.md",            404, 404, 404),
        ("articles/..%2fguichet.toml", 404, 404, 404),
        ("articles/%2e%2e/guichet.db", 303, 404, 404),
    ];
    for (path, none, other, own) in rows {
        let statuses = [&nobody, &mallory, &claire].map(|browser| browser.get(path).status);
        assert_eq!(statuses, [none, other, own], "{path}");
    }
    // Who may read it is known after the login; there is nothing to be learned before.
    for name in ["wifi", "nothing"] {
        let page = nobody.get(&format!("articles/Contoso/{name}"));
        let login = format!("/portal/login?next=articles/Contoso/{name}");
        assert_eq!(page.header("location"), Some(login.as_str()));
    }
    let ended = Browser { session: Some("x".repeat(43)), ..nobody.clone() };
    assert_eq!(ended.get("articles/Contoso/wifi").status, 303);
    assert!(!mallory.get("articles").holds("Contoso") && claire.get("articles").holds("Contoso"));
    assert!(!mallory.get("articles?q=password").holds("Wi-Fi"));
    assert!(claire.get("articles?q=PASSWORD%20wall").holds("Wi-Fi at Contoso"));
    assert!(claire.get("articles?q=%3Cscript").holds("Odd"), "what is shown is found");
    assert!(nobody.get("articles?q=nothing-such").holds("No article holds"));
    let french = Browser { language: "fr-CA, en;q=0.5", ..nobody.clone() };
    assert!(french.get("articles/vpn").holds("Se connecter au VPN"));
    assert!(nobody.get("articles/vpn").holds("Connect to the VPN"));
}

#[test]
fn t_29_t_30_an_article_runs_nothing_and_fetches_nothing() {
    let desk = Desk::with_articles(&FILES);
    let nobody = Browser::at(desk.at);
    for path in ["articles", "articles/x", "articles/vpn", "articles?q=%22%3E%3Cscript%3E"] {
        let page = nobody.get(path);
        assert_eq!(page.status, 200, "{path}");
        page.must_be_inert();
    }
    let page = nobody.get("articles/vpn");
    assert!(page.holds("<img src=\"./map.png\" alt=\"map\""), "{}", page.text());
    assert!(page.holds("<strong>the</strong>"));
    let picture = nobody.get("articles/map.png");
    assert_eq!(picture.header("content-type"), Some("image/png"));
    let fake = nobody.get("articles/fake.png");
    assert_eq!(fake.header("content-type"), Some("application/octet-stream"));
    assert!(fake.header("content-disposition").is_some_and(|how| how.starts_with("attachment")));
}

#[test]
fn articles_are_offered_to_whoever_writes() {
    let desk = Desk::with_articles(&FILES);
    let number = desk.ticket(CLAIRE, "I cannot connect today", "Help!");
    let claire = desk.text("SELECT id FROM person WHERE first_name = 'Claire'");
    let claire = desk.logged_in(&claire);
    let page = claire.get("tickets/new?q=connect");
    assert!(page.holds("Connect to the VPN") && page.holds("value=\"connect\""));
    assert!(!claire.get("tickets/new").holds("Connect to the VPN"));
    assert!(claire.get("tickets/new?q=zzzz").holds("No article matches"));
    assert!(claire.get(&format!("tickets/{number}")).holds("Connect to the VPN"));
}

#[test]
fn without_a_folder_there_are_no_articles() {
    let desk = Desk::open();
    let claire = desk.user(CLAIRE, Access::Limited);
    assert_eq!(claire.get("articles").status, 404);
    assert!(claire.get("tickets").links("articles").is_empty());
}
