//! Hostile words in every field that a stranger can fill, on every page that shows it.

use std::net::TcpListener;

use guichet::triage::policy::Access;

use crate::browser::Sent;
use crate::desk::{CLAIRE, Desk, PAUL};

const HOSTILE: [&str; 14] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<!--<script>",
    "javascript:alert(1)",
    "http://x\" onmouseover=\"alert(1)",
    "https://x'onfocus=alert(1)//<b>",
    "{{ 7*7 }} {% include 'layout.html' %} {[portal password]}",
    "&lt;script&gt; &#60;script&#62; %3Cscript%3E",
    "<a href=javascript:alert(1)>x</a>",
    "\u{202e}<iframe srcdoc=x>\u{0}\u{1b}]0;x",
    "<math><mtext></p><style><img src=x onerror=alert(1)>",
];

#[test]
fn t_29_t_32_t_40_hostile_words_in_every_field_stay_words() {
    let desk = Desk::open();
    let claire = desk.user(CLAIRE, Access::Full);
    let paul = desk.user(PAUL, Access::Full);
    for (n, words) in HOSTILE.iter().enumerate() {
        let encoded = {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.encode(words)
        };
        let number = desk
            .mail(&format!(
                "From: =?utf-8?B?{encoded}?= <{CLAIRE}>\nTo: support@desk.example\n\
                 Subject: =?utf-8?B?{encoded}?=\nMessage-ID: <h{n}@x.example>\n\
                 MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\
                 Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n\
                 {encoded}\n--b\nContent-Type: text/plain; name=\"=?utf-8?B?{encoded}?=\"\n\
                 Content-Disposition: attachment\n\nx\n--b--\n"
            ))
            .expect("it opens a ticket");
        for browser in [&claire, &paul] {
            let page = browser.get(&format!("tickets/{number}"));
            assert_eq!(page.status, 200, "{words}");
            page.must_be_inert();
        }
        // And written in the portal itself.
        let page = claire.get(&format!("tickets/{number}"));
        let file = Sent { name: words, content_type: words, bytes: words.as_bytes() };
        let reply = format!("tickets/{number}/reply");
        let sent = claire.submit(&page, &reply, &[("text", words)], &[file]);
        if sent.status == 303 {
            claire.follow(&sent).must_be_inert();
        }
        let new = claire.get("tickets/new");
        let refused = claire.submit(&new, "tickets/new", &[("subject", words), ("text", "")], &[]);
        refused.must_be_inert();
        // T-32: not worked out, wherever it stands.
        assert_eq!(refused.holds("7*7"), words.contains("7*7"), "{words}");
    }
    desk.run(&format!(
        "UPDATE person SET first_name = '{0}', last_name = '{0}'",
        HOSTILE[1].replace('\'', "''")
    ));
    for page in
        ["tickets", "tickets?q=%3Cscript%3E%22%3E", "tickets/new", "tickets/new?q=%22%3E%3Cb%3E"]
    {
        claire.get(page).must_be_inert();
        paul.get(page).must_be_inert();
    }
    paul.get("site").must_be_inert();
    claire.get("tickets/1").must_be_inert();
}

#[test]
fn t_30_nothing_that_a_mail_names_is_fetched() {
    let desk = Desk::open();
    let claire = desk.user(CLAIRE, Access::Full);
    let trap = TcpListener::bind("127.0.0.1:0").expect("a free port");
    trap.set_nonblocking(true).expect("it can be asked without waiting");
    let url = format!("http://{}/p.png", trap.local_addr().expect("an address"));
    let number = desk
        .mail(&format!(
            "From: {CLAIRE}\nTo: support@desk.example\nSubject: {url}\nMessage-ID: <t@x.example>\n\
             MIME-Version: 1.0\nContent-Type: text/html\n\n\
             <p>See <img src=\"{url}\"> <link rel=stylesheet href=\"{url}\"> {url}</p>\n"
        ))
        .expect("it opens a ticket");
    let page = claire.get(&format!("tickets/{number}"));
    assert_eq!(page.status, 200);
    page.must_be_inert();
    let text = page.text();
    let sources: Vec<&str> = text.split("src=\"").skip(1).collect();
    assert!(sources.iter().all(|source| !source.starts_with("http")), "{text}");
    assert!(trap.accept().is_err(), "somebody came");
    let policy = page.header("content-security-policy").expect("it has one");
    assert!(policy.contains("default-src 'none'") && policy.contains("img-src 'self'"), "{policy}");
}
