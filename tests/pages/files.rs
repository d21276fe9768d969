//! Files: what is attached, under which name, and what a browser may do with it.

use guichet::counter::{Actor, TicketChange};
use guichet::mail::Address;
use guichet::store::tickets::EventKind;
use guichet::triage::policy::Access;

use crate::browser::{Browser, Page, Sent};
use crate::desk::{ANNA, CLAIRE, Desk, MALLORY};

const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
    \0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

/// A ticket of Claire's with these files: its number, and her browser.
fn with(desk: &Desk, files: &[Sent<'_>]) -> (Browser, String, Page) {
    let claire = desk.user(CLAIRE, Access::Limited);
    let fields = [("subject", "Files"), ("text", "See below.")];
    let sent = claire.submit(&claire.get("tickets/new"), "tickets/new", &fields, files);
    let ticket =
        sent.header("location").expect("it was opened").trim_end_matches("#said").to_owned();
    let page = claire.follow(&sent);
    (claire, ticket, page)
}

#[test]
fn t_29_only_pictures_are_shown_and_nothing_runs() {
    let desk = Desk::open();
    let script = b"<html><script>alert(1)</script>";
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let (claire, ticket, page) = with(
        &desk,
        &[
            Sent { name: "a.png", content_type: "image/png", bytes: PNG },
            Sent { name: "b.png", content_type: "image/png", bytes: script },
            Sent { name: "c.svg", content_type: "image/svg+xml", bytes: svg },
            Sent { name: "d.html", content_type: "text/html", bytes: script },
            Sent { name: "e.pdf", content_type: "application/pdf", bytes: b"%PDF-1.7" },
        ],
    );
    page.must_be_inert();
    let text = page.text();
    assert_eq!(text.matches("<img").count(), 2, "{text}");
    for (at, kind, shown) in [
        (0, "image/png", "inline"),
        (1, "application/octet-stream", "attachment"),
        (2, "application/octet-stream", "attachment"),
        (3, "application/octet-stream", "attachment"),
        (4, "application/octet-stream", "attachment"),
    ] {
        let file = claire.get(&format!("{ticket}/files/1/{at}"));
        assert_eq!(file.status, 200, "{at}");
        assert_eq!(file.header("content-type"), Some(kind), "{at}");
        let disposition = file.header("content-disposition").expect("it says how");
        assert!(disposition.starts_with(&format!("{shown};")), "{at}: {disposition}");
        let policy = file.header("content-security-policy").expect("it has one");
        assert!(policy.starts_with("sandbox; default-src 'none'"), "{at}: {policy}");
        // The style is that of the browser's own page around a picture.
        assert!(!policy.contains("script-src"), "{at}: {policy}");
        assert_eq!(policy.contains("style-src 'unsafe-inline'"), shown == "inline", "{at}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"), "{at}");
        assert_eq!(file.header("cache-control"), Some("no-store"), "{at}");
    }
    assert_eq!(claire.get(&format!("{ticket}/files/1/0")).bytes, PNG);
    assert_eq!(claire.head(&format!("{ticket}/files/1/0")).status, 200);
    let mallory = desk.user(MALLORY, Access::Full);
    assert_eq!(mallory.get(&format!("{ticket}/files/1/0")).status, 404, "T-05");
    for none in ["1/5", "1/-1", "2/0", "0/0", "1/x", "1/0/..", "1/99999999999999999999"] {
        assert_eq!(claire.get(&format!("{ticket}/files/{none}")).status, 404, "{none}");
    }
}

#[test]
fn t_33_a_name_is_a_label() {
    let desk = Desk::open();
    let text = |name| Sent { name, content_type: "text/plain", bytes: b"x" };
    let long = format!("{}.txt", "n".repeat(4000));
    let (claire, ticket, page) = with(
        &desk,
        &[
            text("../../x.sh"),
            text("\u{200b}.htaccess"),
            text("C:\\a"),
            text("jpg\u{202e}gpj.bin.txt"),
            text("a\"b\r\nX-Evil: 1.txt"),
            text(&long),
            text("Übung & <b>.txt"),
        ],
    );
    page.must_be_inert();
    for at in 0..7 {
        let file = claire.get(&format!("{ticket}/files/1/{at}"));
        assert_eq!(file.bytes, b"x", "{at}");
        let name = file.header("content-disposition").expect("it has one").to_owned();
        assert_eq!(name.matches('"').count(), 2, "{name}");
        assert!(name.len() < 2000 && !name.contains(['/', '\\', '\u{202e}']), "{name}");
        assert!(file.header("x-evil").is_none());
    }
    let last = claire.get(&format!("{ticket}/files/1/6"));
    let name = last.header("content-disposition").expect("it has one").to_owned();
    assert!(name.ends_with("filename*=UTF-8''%C3%9Cbung%20%26%20%3Cb%3E.txt"), "{name}");
}

#[test]
fn e_147_what_is_locked_is_listed_and_not_given_out() {
    let desk = Desk::open();
    let (claire, ticket, page) = with(
        &desk,
        &[
            Sent { name: "x.exe", content_type: "image/png", bytes: PNG },
            Sent { name: "x.pdf.js", content_type: "text/plain", bytes: b"x" },
        ],
    );
    assert!(page.holds("x.exe") && page.holds("x.pdf.js") && page.holds("locked"));
    assert!(!page.holds("<img") && page.links("/files/1/").is_empty());
    for at in 0..2 {
        assert_eq!(claire.get(&format!("{ticket}/files/1/{at}")).status, 404);
    }
}

#[test]
fn m_25_what_staff_releases_is_given_out() {
    let desk = Desk::open();
    let (claire, ticket, _) = with(
        &desk,
        &[
            Sent { name: "notes.txt", content_type: "text/plain", bytes: b"n" },
            Sent { name: "x.exe", content_type: "image/png", bytes: PNG },
            Sent { name: "y.exe", content_type: "text/plain", bytes: b"y" },
        ],
    );
    let number: i64 = ticket.rsplit('/').next().and_then(|n| n.parse().ok()).expect("a number");
    let anna = Actor::Agent(Address::parse(ANNA).expect("an address"));
    let release = |actor: &Actor, file| {
        desk.counter.change(number, actor, &[TicketChange::Release { message: 1, file }])
    };
    let id = desk.account("claire.other@contoso.example", Access::Full);
    assert!(release(&Actor::User { id }, 1).is_err(), "whoever sent it may not");
    let key = format!("SELECT person FROM person_address WHERE address_key = '{CLAIRE}'");
    let claires = desk.text(&key);
    assert!(release(&Actor::User { id: claires }, 1).is_err(), "nor whose ticket it is");
    assert!(release(&anna, 0).expect_err("it is not locked").to_string().contains("not locked"));
    assert!(release(&anna, 3).is_err(), "there is none");
    assert_eq!(claire.get(&format!("{ticket}/files/1/1")).status, 404);
    let changed = release(&anna, 1).expect("it is released");
    let event = &changed.events[0];
    assert_eq!((event.kind, event.after.as_deref()), (EventKind::Released, Some("x.exe")));
    assert_eq!(changed.mail, None, "nobody is told");
    assert!(release(&anna, 1).expect("it is so already").events.is_empty());
    let page = claire.get(&ticket);
    page.must_be_inert();
    assert!(page.holds("y.exe") && page.holds("locked"), "the other one stays locked");
    let file = claire.get(&format!("{ticket}/files/1/1"));
    assert_eq!((file.status, file.bytes.as_slice()), (200, PNG));
    assert_eq!(claire.get(&format!("{ticket}/files/1/2")).status, 404);
}
