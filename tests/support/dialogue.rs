//! A dialogue of `fixtures/dialogues`, as a scripted server plays it.
//!
//! A dialogue is read from the top:
//!
//! ```text
//! # What it shows, and the rule.
//! tls starttls               plain (also without this line) | implicit | starttls
//! capability IMAP4rev1 MOVE  what the account's own CAPABILITY says
//! greet                      what is done to a new connection; else `* OK ready`
//!   S: * PREAUTH welcome
//! once TAG UID FETCH ...     a command, and what is done the first time it comes (`twice`, `on`:
//!   play 100                 two times, each time). The first rule that fits is taken; `TAG` is the
//!   close                    client's tag, `...` any text. Without a rule the account answers.
//! ```
//!
//! What is done, one a line: `S: TEXT` sends a line (`TAG` is the client's); `raw TEXT` sends it
//! without an end (`\r\n` in it is one); `repeat N TEXT` sends that N times; `play` what the account
//! answers, `play N` its first N bytes, `play first N` its first N responses, `play rest N` all
//! after them; `expunge UID` takes a message out of the INBOX, and says so; `tls` protects the
//! connection; `stall` hears and says nothing any more; `close` ends it. What is sent up to `tls`,
//! `stall`, `close` or the next command goes out in one piece.

/// A dialogue as read.
#[derive(Default)]
pub struct Script {
    pub security: Security,
    pub greeting: Option<Vec<Action>>,
    pub capability: Option<String>,
    pub rules: Vec<Rule>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Security {
    Implicit,
    #[default]
    Plain,
    Starttls,
}

pub struct Rule {
    pub pattern: String,
    pub times: usize,
    pub actions: Vec<Action>,
}

pub enum Action {
    Close,
    Expunge(u32),
    Play(Played),
    Send(Vec<u8>),
    Stall,
    Tls,
}

pub enum Played {
    After(usize),
    All,
    Bytes(usize),
    First(usize),
}

impl Script {
    pub fn read(text: &str) -> Script {
        let mut script = Script::default();
        let mut open: Option<Rule> = None;
        for (number, line) in text.lines().enumerate() {
            let place = || format!("line {} of the dialogue: `{line}`", number + 1);
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(action) = line.strip_prefix("  ") {
                let rule = open.as_mut().unwrap_or_else(|| panic!("{}", place()));
                let action = Action::read(action).unwrap_or_else(|| panic!("{}", place()));
                rule.actions.push(action);
                continue;
            }
            script.take(open.take());
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let rule = |times| Some(Rule { pattern: rest.to_owned(), times, actions: Vec::new() });
            match (word, rest) {
                ("capability", _) => script.capability = Some(rest.to_owned()),
                ("greet", "") => open = rule(0),
                ("on", _) => open = rule(usize::MAX),
                ("once", _) => open = rule(1),
                ("tls", "implicit") => script.security = Security::Implicit,
                ("tls", "plain") => script.security = Security::Plain,
                ("tls", "starttls") => script.security = Security::Starttls,
                ("twice", _) => open = rule(2),
                _ => panic!("{}", place()),
            }
        }
        script.take(open);
        script
    }

    fn take(&mut self, rule: Option<Rule>) {
        match rule {
            Some(rule) if rule.times == 0 => self.greeting = Some(rule.actions),
            Some(rule) => self.rules.push(rule),
            None => {}
        }
    }
}

impl Action {
    fn read(line: &str) -> Option<Action> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match (word, rest) {
            ("S:", text) => Action::Send(format!("{text}\r\n").into_bytes()),
            ("close", "") => Action::Close,
            ("expunge", uid) => Action::Expunge(uid.parse().ok()?),
            ("play", "") => Action::Play(Played::All),
            ("play", count) => Action::Play(match count.split_once(' ') {
                Some(("first", count)) => Played::First(count.parse().ok()?),
                Some(("rest", count)) => Played::After(count.parse().ok()?),
                Some(_) => return None,
                None => Played::Bytes(count.parse().ok()?),
            }),
            ("raw", text) => Action::Send(unescaped(text).into_bytes()),
            ("repeat", rest) => {
                let (count, text) = rest.split_once(' ')?;
                Action::Send(unescaped(text).repeat(count.parse().ok()?).into_bytes())
            }
            ("stall", "") => Action::Stall,
            ("tls", "") => Action::Tls,
            _ => return None,
        })
    }
}

/// Whether a command is what a pattern says: `TAG` one word, `...` any text.
pub fn fits(pattern: &str, command: &str) -> bool {
    let (pattern, command) = match pattern.strip_prefix("TAG ") {
        Some(rest) => match command.split_once(' ') {
            Some((_, command)) => (rest, command),
            None => return false,
        },
        None => (pattern, command),
    };
    let mut parts = pattern.split("...");
    let Some(mut rest) = parts.next().and_then(|first| command.strip_prefix(first)) else {
        return false;
    };
    let mut is_open = false;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        is_open = part.is_empty();
    }
    is_open || rest.is_empty()
}

fn unescaped(text: &str) -> String {
    text.replace("\\r", "\r").replace("\\n", "\n")
}
