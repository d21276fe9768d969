//! An IMAP account in memory: what a well-behaved server answers to the commands that guichet, or a
//! client like it, says. Small on purpose; what it cannot answer it refuses with `BAD`.

mod messages;

use std::collections::BTreeMap;

use base64::Engine;

/// The login of every account.
pub const USER: &str = "support";
pub const PASSWORD: &str = "s3cret-of-the-mailbox";

/// The folders behind a server.
#[derive(Clone, Debug)]
pub struct Account {
    pub folders: BTreeMap<String, Folder>,
    pub capability: String,
    /// Every `UID MOVE`, `UID COPY`, `UID STORE`, `UID EXPUNGE` and `EXPUNGE` that was carried out.
    pub changes: Vec<String>,
}

/// One folder.
#[derive(Clone, Debug)]
pub struct Folder {
    pub validity: u32,
    pub next: u32,
    pub messages: Vec<Message>,
}

/// One message in it.
#[derive(Clone, Debug)]
pub struct Message {
    pub uid: u32,
    pub flags: Vec<String>,
    /// As the server writes it, e.g. `05-Jan-2026 09:00:00 +0000`; or `NIL`.
    pub internal_date: String,
    pub raw: Vec<u8>,
}

impl Account {
    /// One with an empty INBOX and what a good server of today can do.
    pub fn new() -> Account {
        let inbox = Folder { validity: 1, next: 1, messages: Vec::new() };
        Account {
            folders: BTreeMap::from([("INBOX".to_owned(), inbox)]),
            capability: "IMAP4rev1 SASL-IR UIDPLUS MOVE AUTH=PLAIN".to_owned(),
            changes: Vec::new(),
        }
    }

    /// One with these messages in its INBOX, UIDs from 1.
    pub fn holding(raws: impl IntoIterator<Item = Vec<u8>>) -> Account {
        let mut account = Account::new();
        for raw in raws {
            account.inbox().add(raw);
        }
        account
    }

    pub fn inbox(&mut self) -> &mut Folder {
        self.folders.get_mut("INBOX").expect("every account has one")
    }

    pub fn session(&self) -> Session {
        Session { folder: None, is_starttls_offered: false, wants_login: None }
    }
}

impl Folder {
    /// Adds a message, arrived on the morning of 2026-01-05, and answers its UID.
    pub fn add(&mut self, raw: Vec<u8>) -> u32 {
        let uid = self.next;
        self.next += 1;
        let internal_date = "05-Jan-2026 09:00:00 +0000".to_owned();
        self.messages.push(Message { uid, flags: Vec::new(), internal_date, raw });
        uid
    }

    /// As a restored server: another UIDVALIDITY, all UIDs anew from `first`.
    pub fn renumber(&mut self, first: u32) {
        self.validity += 1_000;
        self.next = first;
        for message in &mut self.messages {
            message.uid = self.next;
            self.next += 1;
        }
    }

    /// Takes a message out, and answers what a server says to that.
    pub fn expunge(&mut self, uid: u32) -> Vec<u8> {
        let mut said = Vec::new();
        self.remove(&mut said, |message| message.uid == uid);
        said
    }

    pub fn uids(&self) -> Vec<u32> {
        self.messages.iter().map(|message| message.uid).collect()
    }
}

/// What one connection knows.
#[derive(Clone, Debug)]
pub struct Session {
    folder: Option<String>,
    is_starttls_offered: bool,
    // The tag of an AUTHENTICATE whose answer is to come.
    wants_login: Option<String>,
}

impl Session {
    pub fn offer_starttls(&mut self, offered: bool) {
        self.is_starttls_offered = offered;
    }

    /// Whether STARTTLS was offered and is taken now.
    pub fn takes_starttls(&mut self) -> bool {
        std::mem::take(&mut self.is_starttls_offered)
    }

    /// The answer to `command`, whole.
    pub fn answer(&mut self, account: &mut Account, command: &str) -> Vec<u8> {
        if let Some(tag) = self.wants_login.take() {
            return login(&tag, sasl(command));
        }
        let (tag, rest) = command.split_once(' ').unwrap_or((command, ""));
        let (verb, arguments) = rest.split_once(' ').unwrap_or((rest, ""));
        let verb = verb.to_ascii_uppercase();
        let mut said = Vec::new();
        let end = match verb.as_str() {
            "AUTHENTICATE" => match arguments.split_once(' ') {
                Some((_, response)) => return login(tag, sasl(response)),
                None => {
                    self.wants_login = Some(tag.to_owned());
                    return b"+ \r\n".to_vec();
                }
            },
            "CAPABILITY" => {
                let more = if self.is_starttls_offered { " STARTTLS" } else { "" };
                line(&mut said, &format!("* CAPABILITY {}{more}", account.capability));
                "OK done"
            }
            "CHECK" | "CREATE" | "ENABLE" | "ID" | "NOOP" | "SUBSCRIBE" | "UNSELECT" => {
                self.quiet(account, &verb, arguments)
            }
            "LIST" if arguments == "\"\" \"\"" => {
                line(&mut said, "* LIST (\\Noselect) \"/\" \"\"");
                "OK done"
            }
            "LIST" => {
                for name in account.folders.keys() {
                    line(&mut said, &format!("* LIST () \"/\" \"{name}\""));
                }
                "OK done"
            }
            "LOGIN" => return login(tag, words(arguments)),
            "LOGOUT" => {
                line(&mut said, "* BYE see you");
                "OK done"
            }
            "SELECT" | "EXAMINE" => self.select(account, &verb, arguments, &mut said),
            "STARTTLS" if self.is_starttls_offered => "OK begin",
            "EXPUNGE" | "UID" => self.in_folder(account, &verb, arguments, &mut said),
            _ => "BAD I do not know that",
        };
        line(&mut said, &format!("{tag} {end}"));
        said
    }

    fn quiet(&self, account: &mut Account, verb: &str, arguments: &str) -> &'static str {
        if verb == "CREATE" {
            let folder = Folder { validity: 7, next: 1, messages: Vec::new() };
            account.folders.entry(unquoted(arguments)).or_insert(folder);
        }
        "OK done"
    }

    fn select(
        &mut self,
        account: &Account,
        verb: &str,
        arguments: &str,
        said: &mut Vec<u8>,
    ) -> &'static str {
        let name = unquoted(arguments);
        let Some(folder) = account.folders.get(&name) else {
            return "NO [NONEXISTENT] there is no such folder";
        };
        line(said, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)");
        line(said, &format!("* {} EXISTS", folder.messages.len()));
        line(said, "* 0 RECENT");
        line(said, &format!("* OK [UIDVALIDITY {}] the folder's own", folder.validity));
        line(said, &format!("* OK [UIDNEXT {}] the next one", folder.next));
        self.folder = Some(name);
        if verb == "EXAMINE" { "OK [READ-ONLY] done" } else { "OK [READ-WRITE] done" }
    }

    fn in_folder(
        &self,
        account: &mut Account,
        verb: &str,
        arguments: &str,
        said: &mut Vec<u8>,
    ) -> &'static str {
        let Some(name) = self.folder.clone() else { return "BAD no folder is selected" };
        let (verb, arguments) = match verb {
            "UID" => arguments.split_once(' ').unwrap_or((arguments, "")),
            verb => (verb, "1:*"),
        };
        let verb = verb.to_ascii_uppercase();
        let can = |word: &str| account.capability.split(' ').any(|offered| offered == word);
        if verb == "MOVE" && !can("MOVE")
            || verb == "EXPUNGE" && arguments != "1:*" && !can("UIDPLUS")
        {
            return "BAD I do not know that";
        }
        if !["FETCH", "SEARCH"].contains(&verb.as_str()) {
            account.changes.push(format!("{verb} {arguments}"));
        }
        let folder = account.folders.get_mut(&name).expect("nothing removes a folder");
        let (set, rest) = arguments.split_once(' ').unwrap_or((arguments, ""));
        match verb.as_str() {
            "COPY" | "MOVE" => {
                let target = unquoted(rest);
                if !account.folders.contains_key(&target) {
                    return "NO [TRYCREATE] there is no such folder";
                }
                let folder = account.folders.get_mut(&name).expect("nothing removes a folder");
                let uids = folder.chosen(set);
                let chosen: Vec<Message> =
                    folder.messages.iter().filter(|m| uids.contains(&m.uid)).cloned().collect();
                if verb == "MOVE" {
                    folder.remove(said, |message| uids.contains(&message.uid));
                }
                let target = account.folders.get_mut(&target).expect("it was there");
                for message in chosen {
                    target.add(message.raw);
                }
            }
            "EXPUNGE" => {
                let uids = folder.chosen(set);
                folder.remove(said, |message| {
                    uids.contains(&message.uid) && message.is_flagged("\\Deleted")
                });
            }
            "FETCH" => folder.fetch(set, rest, said),
            "SEARCH" => {
                let set = arguments.split("UID ").nth(1).unwrap_or("1:*");
                let marked_only = arguments.ends_with(" DELETED");
                let found: Vec<String> = folder
                    .chosen(set)
                    .into_iter()
                    .filter(|uid| !marked_only || folder.is_marked(*uid))
                    .map(|uid| format!(" {uid}"))
                    .collect();
                line(said, &format!("* SEARCH{}", found.concat()));
            }
            "STORE" => folder.store(set, rest),
            _ => return "BAD I do not know that",
        }
        "OK done"
    }
}

fn login(tag: &str, (user, password): (String, String)) -> Vec<u8> {
    if user == USER && password == PASSWORD {
        format!("{tag} OK welcome\r\n").into_bytes()
    } else {
        format!("{tag} NO [AUTHENTICATIONFAILED] that is not the password\r\n").into_bytes()
    }
}

fn sasl(text: &str) -> (String, String) {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim()).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut parts = text.split('\0').skip(1).map(str::to_owned);
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

// Two words, quoted or not, or literals.
fn words(text: &str) -> (String, String) {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && words.len() < 2 {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (word, after) = quoted.split_once('"').unwrap_or((quoted, ""));
            words.push(word.to_owned());
            rest = after.trim_start();
        } else {
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            words.push(word.rsplit("}\r\n").next().unwrap_or_default().to_owned());
            rest = after;
        }
    }
    let mut words = words.into_iter();
    (words.next().unwrap_or_default(), words.next().unwrap_or_default())
}

fn unquoted(text: &str) -> String {
    let text = text.rsplit("}\r\n").next().unwrap_or_default();
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    inner.replace("\\\"", "\"").replace("\\\\", "\\")
}

fn line(said: &mut Vec<u8>, text: &str) {
    said.extend_from_slice(text.as_bytes());
    said.extend_from_slice(b"\r\n");
}
