//! A browser without a screen: asks, keeps its session, fills in forms, and looks at what a page may do.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use regex::Regex;

/// One user's browser.
#[derive(Clone)]
pub struct Browser {
    pub at: SocketAddr,
    /// The token of its session.
    pub session: Option<String>,
    pub language: &'static str,
}

/// What came back.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    head: String,
    pub bytes: Vec<u8>,
}

/// A file to send.
pub struct Sent<'a> {
    pub name: &'a str,
    pub content_type: &'a str,
    pub bytes: &'a [u8],
}

impl Browser {
    pub fn at(at: SocketAddr) -> Browser {
        Browser { at, session: None, language: "en" }
    }

    pub fn get(&self, path: &str) -> Page {
        self.ask("GET", path, &[], &[])
    }

    pub fn head(&self, path: &str) -> Page {
        self.ask("HEAD", path, &[], &[])
    }

    /// Follows where a page sends it.
    pub fn follow(&self, page: &Page) -> Page {
        assert_eq!(page.status, 303, "{page:?}");
        let to = page.header("location").expect("it says where");
        let to = to.split('#').next().expect("a split has a first part");
        // What it said goes along.
        let said = page.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let said: Vec<_> = said.iter().map(|said| ("Cookie", *said)).collect();
        self.ask("GET", to, &said, &[])
    }

    /// Sends a form of `page` with no more fields than its token.
    pub fn post(&self, page: &Page, path: &str) -> Page {
        let body = format!("form={}", page.hidden("form"));
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        self.ask("POST", path, &[kind], body.as_bytes())
    }

    /// Fills in the form of `page`: text fields, and files.
    pub fn submit(
        &self,
        page: &Page,
        path: &str,
        fields: &[(&str, &str)],
        files: &[Sent<'_>],
    ) -> Page {
        let own = [("form", page.hidden("form")), ("once", page.hidden("once"))];
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        let fields: Vec<(&str, &str)> = own.chain(fields.iter().copied()).collect();
        self.send(path, &fields, files)
    }

    /// The same with these fields and no others.
    pub fn send(&self, path: &str, fields: &[(&str, &str)], files: &[Sent<'_>]) -> Page {
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(value.as_bytes());
            body.extend_from_slice(b"\r\n");
        }
        for Sent { name, content_type, bytes } in files {
            // As browsers write a name (HTML, multipart/form-data).
            let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
            let head = format!(
                "--XX\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\
                 Content-Type: {content_type}\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--XX--\r\n");
        let kind = ("Content-Type", "multipart/form-data; boundary=XX");
        self.ask("POST", path, &[kind], &body)
    }

    /// Asks for a path below the portal.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Page {
        let path = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/portal/{path}"),
        };
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Accept-Language: {}\r\nContent-Length: {}\r\n",
            self.at,
            self.language,
            body.len()
        );
        if let Some(session) = &self.session {
            request.push_str(&format!("Cookie: guichet={session}\r\n"));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let mut stream = TcpStream::connect(self.at).expect("the portal listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        stream.write_all(request.as_bytes()).expect("it is sent");
        stream.write_all(body).expect("it is sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it is answered");
        Page::read(&answer)
    }
}

impl Page {
    fn read(answer: &[u8]) -> Page {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a header ends");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        Page { status: status.expect("a status"), head, bytes: answer[end + 4..].to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).expect("a page is UTF-8")
    }

    pub fn holds(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let text = self.text();
        let before = format!("name=\"{name}\" value=\"");
        let (_, rest) =
            text.split_once(&before).unwrap_or_else(|| panic!("no field {name}: {text}"));
        rest.split('"').next().expect("a split has a first part").to_owned()
    }

    /// Where its links lead that hold this.
    pub fn links(&self, part: &str) -> Vec<String> {
        let text = self.text();
        let hrefs = text.split("href=\"").skip(1);
        let all = hrefs.filter_map(|rest| rest.split('"').next());
        all.map(unescaped).filter(|href| href.contains(part)).collect()
    }

    /// T-29: what the page is made of, however hostile its words: only elements and attributes of
    /// ours, links to where a link may lead, and nothing from elsewhere.
    pub fn must_be_inert(&self) {
        const ELEMENTS: &str = "a article blockquote body br button code del details div doctype em \
            footer form h1 h2 h3 h4 head header hr html img input label li link main meta nav ol p \
            pre section span strong summary table tbody td textarea th thead time title tr ul";
        const ATTRIBUTES: &str = "action alt aria-current aria-describedby aria-invalid aria-label \
            aria-labelledby charset class content datetime dir enctype for href html id lang loading \
            maxlength method multiple name placeholder rel required role rows src start tabindex \
            type value autocomplete";
        let tag =
            Regex::new(r#"<[/!]?([A-Za-z][^\s>/]*)((?:"[^"]*"|[^">])*)>"#).expect("a pattern");
        let attribute = Regex::new(r#"([^\s"=/]+)(?:="([^"]*)")?"#).expect("a pattern");
        let text = self.text();
        let mut found = 0;
        for captured in tag.captures_iter(&text) {
            found += 1;
            let name = captured[1].to_ascii_lowercase();
            assert!(ELEMENTS.split_whitespace().any(|known| known == name), "{}", &captured[0]);
            for pair in attribute.captures_iter(&captured[2]) {
                let key = pair[1].to_ascii_lowercase();
                let known = ATTRIBUTES.split_whitespace().any(|known| known == key);
                assert!(known, "`{key}` in {}", &captured[0]);
                let value = unescaped(pair.get(2).map_or("", |value| value.as_str()));
                if matches!(key.as_str(), "href" | "src" | "action") {
                    let is_inside =
                        value.starts_with(['/', '?', '#', '.']) && !value.starts_with("//");
                    let leads_out = ["https://", "http://", "mailto:"];
                    let is_link = name == "a"
                        && leads_out.iter().any(|out| value.to_ascii_lowercase().starts_with(out));
                    assert!(is_inside || is_link, "{}", &captured[0]);
                }
            }
        }
        assert_eq!(
            found,
            text.matches('<').count(),
            "a `<` that opens no element of ours:\n{text}"
        );
    }
}

fn unescaped(value: &str) -> String {
    let value = value.replace("&#x2f;", "/").replace("&#39;", "'").replace("&quot;", "\"");
    value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
