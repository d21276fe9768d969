//! What the daemon does for its portal besides pages: texts and articles are read again when it is
//! told to, and whoever is refused for a while is told of in the log.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::CONTOSO;
use crate::support::{Daemon, Desk, message, signal, wait_for};

/// A desk with texts and articles of its own, and its daemon.
struct Open {
    desk: Desk,
    daemon: Daemon,
    port: String,
}

impl Open {
    fn new() -> Open {
        let desk = Desk::new(&format!("{CONTOSO}[templates]\ndir = \"templates\"\n"));
        let text = fs::read_to_string(desk.config()).expect("it is there");
        let text = text.replace("[portal]\n", "[portal]\narticles = \"articles\"\n");
        fs::write(desk.config(), text).expect("it is written");
        for folder in ["articles", "templates"] {
            fs::create_dir(desk.path().join(folder)).expect("a folder");
        }
        fs::write(desk.path().join("articles/wifi.md"), "# Wi-Fi\n\nEverywhere.\n")
            .expect("a file");
        write_article(&desk, b"The first article.");
        write_template(&desk, "The first text.");
        let daemon = desk.start();
        let mut port = None;
        wait_for("the portal to listen", 20, || {
            port = logged(&desk).split_once("listens at 127.0.0.1:").map(|(_, after)| {
                after.chars().take_while(char::is_ascii_digit).collect::<String>()
            });
            port.is_some()
        });
        Open { desk, daemon, port: port.expect("it was waited for") }
    }

    /// The answer to a GET, header and all.
    fn get(&self, path: &str) -> String {
        let address = format!("127.0.0.1:{}", self.port);
        let mut stream = TcpStream::connect(address).expect("the door is open");
        let asked = format!("GET /portal/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(asked.as_bytes()).expect("it is sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it is answered");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Has everything read again; `said` is what the log says then, so many times in all.
    fn read_again(&self, said: &str, times: usize) {
        signal(self.daemon.pid(), "HUP");
        wait_for(said, 20, || logged(&self.desk).matches(said).count() == times);
    }

    /// Has a new user write, and waits for the answer with this text.
    fn answers(&self, name: &str, text: &str) {
        let from = format!("{name}@contoso.example");
        let raw = message(&from, "Printer", &format!("{name}@x"), "", "It is jammed.");
        self.desk.deliver(&format!("1767600000.{name}"), &raw);
        let holds = |mail: &Vec<u8>| {
            let mail = String::from_utf8_lossy(mail);
            mail.contains(&from) && mail.contains(text)
        };
        wait_for(text, 20, || self.desk.sent().iter().any(holds));
    }
}

fn logged(desk: &Desk) -> String {
    fs::read_to_string(desk.path().join("daemon.log")).unwrap_or_default()
}

fn write_article(desk: &Desk, text: &[u8]) {
    let article = [b"# VPN\n\n", text].concat();
    fs::write(desk.path().join("articles/vpn.md"), article).expect("it is written");
}

fn write_template(desk: &Desk, text: &str) {
    let template = format!("Subject: {{{{ ticket.subject }}}}\n\n{text}\n");
    let file = desk.path().join("templates/ticket_received.en.txt");
    fs::write(file, template).expect("it is written");
}

#[test]
fn p_18_texts_and_articles_are_read_again_and_a_broken_text_leaves_all_as_it_was() {
    const AGAIN: &str = "the configuration was read again";
    let open = Open::new();
    assert!(open.get("articles/vpn").contains("The first article."));
    open.answers("claire", "The first text.");

    write_article(&open.desk, b"The second article.");
    write_template(&open.desk, "The second text.");
    assert!(open.get("articles/vpn").contains("The first article."), "not before it is told to");
    open.read_again(AGAIN, 1);
    assert!(open.get("articles/vpn").contains("The second article."));
    open.answers("paul", "The second text.");

    write_article(&open.desk, b"The third article.");
    write_template(&open.desk, "The third text, {{ no.such.name }}.");
    open.read_again("the configuration stays as it was", 1);
    let log = logged(&open.desk);
    let why = log.lines().find(|line| line.contains("stays as it was")).expect("a line");
    assert!(why.contains("ticket_received.en.txt") && why.contains("no.such.name"), "{why}");
    assert!(open.get("articles/vpn").contains("The second article."), "the old one");
    open.answers("zoe", "The second text.");

    // An article is a page: one that cannot be read is missing, and no other with it.
    write_article(&open.desk, b"\xff\xfe");
    write_template(&open.desk, "The fourth text.");
    open.read_again(AGAIN, 2);
    let log = logged(&open.desk);
    let why = log.lines().find(|line| line.contains("it is not written in UTF-8")).expect("a line");
    assert!(why.contains("vpn.md"), "{why}");
    assert!(open.get("articles/vpn").starts_with("HTTP/1.1 404 "));
    assert!(open.get("articles/wifi").contains("Everywhere."));
    open.answers("omar", "The fourth text.");
    assert_eq!(open.daemon.stop(), Some(0));
    open.desk.audit();
}

#[test]
fn t_27_the_log_says_once_whom_the_portal_refuses() {
    let open = Open::new();
    let guess = format!("activate/{}", "g".repeat(43));
    let refused = (0..9).filter(|_| open.get(&guess).starts_with("HTTP/1.1 429 ")).count();
    assert_eq!(refused, 4);
    let log = logged(&open.desk);
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told: Vec<Value> = lines.filter(|line| line["portal.limit"] == "links").collect();
    assert_eq!(told.len(), 1, "{log}");
    assert_eq!(
        (&told[0]["level"], &told[0]["portal.source"]),
        (&"WARN".into(), &"127.0.0.1".into())
    );
    let said = told[0]["message"].as_str().expect("a sentence");
    assert!(said.starts_with("portal: links are refused from 127.0.0.1 until "), "{said}");
}
