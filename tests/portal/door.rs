//! What every answer says about itself, and the pages of what goes wrong.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use guichet::triage::policy::Access;

use crate::house::{ENCRYPTED, House, PASSWORD, USUAL, Unusual};

const CLAIRE: &str = "claire@contoso.example";

#[test]
fn every_answer_says_what_may_run_on_it_and_who_may_keep_it() {
    let house = House::with(&ENCRYPTED);
    house.user_with_password(CLAIRE, Access::Full);
    let mut browser = house.browser_of(CLAIRE);
    for path in
        ["/", "/portal/", "/portal/profile", "/portal/login", "/nowhere", "/portal/activate/x"]
    {
        let answer = browser.get(path);
        let said = |name: &str| answer.header(name).unwrap_or("nothing").to_owned();
        let policy = said("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
        assert_eq!(said("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(said("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(said("cache-control"), "no-store", "{path}");
        assert_eq!(said("strict-transport-security"), "max-age=31536000", "{path}");
        assert!(!answer.says("<script") && !answer.says(" style=") && !answer.says("<style"));
    }
}

#[test]
fn the_stylesheet_is_kept_under_a_name_of_its_text() {
    let house = House::open();
    let page = house.browser().get("/portal/login").body;
    let (_, after) = page.split_once("rel=\"stylesheet\" href=\"").expect("a stylesheet");
    let path = after.split('"').next().expect("a path").to_owned();
    let answer = house.browser().get(&path);
    assert_eq!(answer.header("content-type"), Some("text/css; charset=utf-8"));
    assert!(answer.header("cache-control").is_some_and(|said| said.contains("immutable")));
    assert_eq!(house.browser().get("/portal/files/other.css").status, 404);
}

#[test]
fn what_is_not_there_has_a_page_that_says_what_to_do() {
    let house = House::open();
    for path in ["/nowhere", "/portal/nowhere", "/portal/tickets-/x", "/wp-login.php"] {
        let answer = house.browser().get(path);
        assert!(answer.status == 404 && answer.says("There is no such page"), "{path}");
        assert!(answer.says("href=\"/portal/\""), "{path}");
    }
    let mut browser = house.browser();
    browser.get("/portal/login");
    assert_eq!(browser.post("/portal/activate", &[]).status, 404);
    assert_eq!(browser.ask("DELETE", "/portal/login", None).status, 405);
}

#[test]
fn pages_are_in_the_language_of_the_browser() {
    let house = House::open();
    let mut browser = house.browser();
    for (asked, title) in [
        ("fr-CH, fr;q=0.9, en;q=0.8", "Se connecter"),
        ("de", "Anmelden"),
        ("nl-BE", "Inloggen"),
        ("sv, pt-BR;q=0.3", "Iniciar sessão"),
        ("*", "Log in"),
    ] {
        browser.headers = vec![("Accept-Language", asked.to_owned())];
        assert!(browser.get("/portal/login").says(&format!("<h1>{title}</h1>")), "{asked}");
    }
}

#[test]
fn a_store_that_is_gone_has_a_page_too() {
    let house = House::open();
    house.user_with_password(CLAIRE, Access::Limited);
    let mut browser = house.browser_of(CLAIRE);
    let database = house.folder.path().join("guichet.db");
    let aside = house.folder.path().join("aside.db");
    fs::rename(&database, &aside).expect("it can be moved");
    let answer = browser.get("/portal/profile");
    assert!(
        answer.status == 500 && answer.says("Something went wrong on our side"),
        "{}",
        answer.body
    );
    assert!(answer.says("support@desk.example"));
    let answer = browser.get("/portal/login");
    assert_eq!(answer.status, 200, "what needs no store is shown");
    fs::rename(&aside, &database).expect("it can be moved back");
    assert_eq!(browser.get("/portal/profile").status, 200, "and nobody is logged out by it");
}

#[test]
fn what_is_too_large_is_refused_and_what_is_malformed_too() {
    let house = House::open();
    let mut browser = house.browser();
    browser.get("/portal/login");
    let much = "x".repeat(70 * 1024);
    assert_eq!(browser.post("/portal/login", &[("address", &much)]).status, 413);
    let long = "x".repeat(500);
    assert_eq!(browser.post("/portal/login", &[("address", &long)]).status, 400);
    let answer = browser.ask("POST", "/portal/login", Some("form=%FF%FE&address=%"));
    assert_eq!(answer.status, 403, "{}", answer.body);
    let long = "x".repeat(20_000);
    let answer = browser.post("/portal/login", &[("address", CLAIRE), ("password", &long)]);
    assert_eq!(answer.status, 422, "nobody has such a password");
}

#[test]
fn a_web_server_in_front_that_was_asked_in_the_clear_is_sent_to_https() {
    let house = House::with(&ENCRYPTED);
    let mut browser = house.browser();
    browser.headers.push(("X-Forwarded-Proto", "http".to_owned()));
    let answer = browser.get("/portal/login");
    assert_eq!((answer.status, answer.location()), (308, "https://help.example/portal/login"));
    assert_eq!(browser.ask("POST", "/portal/login", Some("")).status, 403);
    browser.headers = vec![("X-Forwarded-Proto", "https".to_owned())];
    assert_eq!(browser.get("/portal/login").status, 200);
}

#[test]
fn a_portal_below_a_path_is_there_whether_the_web_server_keeps_it_or_not() {
    let house = House::with(&Unusual { url: Some("https://example.com/it"), ..USUAL });
    house.user_with_password(CLAIRE, Access::Limited);
    for prefix in ["", "/it"] {
        let mut browser = house.browser();
        let page = browser.get(&format!("{prefix}/portal/login"));
        assert!(page.says("action=\"/it/portal/login\""), "{}", page.body);
        let answer = browser.post(
            &format!("{prefix}/portal/login"),
            &[("address", CLAIRE), ("password", PASSWORD)],
        );
        assert_eq!(answer.location(), "/it/portal/");
        assert_eq!(browser.get(&format!("{prefix}/portal/")).status, 200);
        let asked = house.browser().get(&format!("{prefix}/portal/profile"));
        assert_eq!(asked.location(), "/it/portal/login?next=profile");
    }
    assert_eq!(house.browser().get("/").location(), "/it/portal/");
}

#[test]
fn a_browser_that_is_slow_to_ask_keeps_nobody_else_out() {
    let house = House::with(&Unusual { proxies: &["127.0.0.1"], ..USUAL });
    let slow: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(house.at).expect("the door is open");
            stream.write_all(b"GET /portal/login HTTP/1.1\r\nHost: x\r\n").expect("it is taken");
            stream
        })
        .collect();
    assert_eq!(house.browser().get("/portal/login").status, 200);
    drop(slow);
    let mut stream = TcpStream::connect(house.at).expect("the door is open");
    stream.write_all(b"nonsense\r\n\r\n").expect("it is taken");
    let mut said = String::new();
    stream.read_to_string(&mut said).expect("an answer");
    assert!(said.starts_with("HTTP/1.1 400"), "{said}");
}

#[test]
fn t_52_an_address_has_its_connections_and_no_more() {
    let house = House::open();
    let connect = || {
        let stream = TcpStream::connect(house.at).expect("the door is open");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        stream
    };
    let silent: Vec<TcpStream> = (0..32).map(|_| connect()).collect();
    let mut more = connect();
    assert!(is_closed(&mut more), "the thirty-third is let go at once");
    let answer = from_elsewhere(house.at);
    assert!(answer.starts_with("HTTP/1.1 200"), "whoever comes from elsewhere: {answer}");
    drop(silent);
    crate::suites::wait_for("a place", 20, || {
        let mut stream = connect();
        let _ = stream.write_all(b"GET /portal/login HTTP/1.1\r\nHost: x\r\n\r\n");
        let mut status = [0; 12];
        stream.read_exact(&mut status).is_ok() && status.ends_with(b"200")
    });
}

#[test]
fn t_52_who_does_not_say_what_they_want_is_not_waited_for() {
    let house = House::open();
    for said in ["", "GET /portal/login HTTP/1.1\r\nHost: x\r\nX: "] {
        let mut stream = TcpStream::connect(house.at).expect("the door is open");
        stream.set_read_timeout(Some(Duration::from_secs(40))).expect("a timeout");
        stream.write_all(said.as_bytes()).expect("it is taken");
        assert!(is_closed(&mut stream), "after ten seconds, not a minute: {said:?}");
    }
}

/// Whether the other end hangs up, rather than wait.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 64]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

fn from_elsewhere(at: SocketAddr) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.2:0".parse().expect("an address")).expect("it is of this machine");
        let mut stream = socket.connect(at).await.expect("the door is open");
        let asked = b"GET /portal/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(asked).await.expect("it is sent");
        let mut said = String::new();
        stream.read_to_string(&mut said).await.expect("it is answered");
        said
    })
}
