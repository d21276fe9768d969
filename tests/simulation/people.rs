//! Who writes to the desk, and what of it guichet must make: the letters of a history.

use jiff::Timestamp;

use super::relay::Mail;

/// The addresses of the mailboxes.
pub const DESKS: [&str; 2] = ["support@desk.example", "sales@desk.example"];
/// A member of the staff.
pub const AGENT: &str = "anna@desk.example";

/// Who is there to write. What somebody does with mail that comes to them is their nature.
pub const PEOPLE: [(&str, Nature); 8] = [
    ("claire.johnson@acme.example", Nature::Quiet),
    ("omar.haddad@acme.example", Nature::Quiet),
    ("li.wei@globex.example", Nature::Quiet),
    ("eva.novak@gmail.com", Nature::Quiet),
    ("away.today@acme.example", Nature::Away),
    ("robot.desk@initech.example", Nature::Echo),
    ("full.box@globex.example", Nature::Bounces),
    ("paul.martin@initech.example", Nature::Quiet),
];

/// What becomes of mail that somebody gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// An answering machine says that they are away, as it should be said.
    Away,
    /// Their mail server sends it back.
    Bounces,
    /// A machine answers everything as if a person did.
    Echo,
    /// They read it.
    Quiet,
}

/// What a letter is, and so what may come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What ends each process that reads it.
    Killer,
    /// Of a machine that says so: no ticket, or one for the staff.
    Machine,
    /// Of a person, or of a machine that passes for one.
    Person,
    /// What no program can read, or what has no sender.
    Unreadable,
}

/// A letter, in as many copies as it was sent in.
#[derive(Clone, Debug)]
pub struct Letter {
    pub kind: Kind,
    /// With brackets.
    pub id: String,
    pub writer: String,
    /// Letters with the same number belong to one ticket.
    pub conversation: usize,
    /// What whoever follows it repeats: its References, an address of ours with a tag, quoted text.
    references: String,
    tagged: Option<String>,
    quoted: String,
    pub raw: Vec<u8>,
}

/// How somebody answers a mail of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In-Reply-To, as programs do.
    Reference,
    /// The address of our Reply-To, with nothing else.
    Address,
    /// The token at the end of our text, quoted.
    Token,
}

/// All letters of a history.
#[derive(Default)]
pub struct Post {
    pub letters: Vec<Letter>,
    conversations: usize,
}

impl Post {
    /// A letter that begins a conversation; answers its number.
    pub fn write(&mut self, person: usize, desk: usize, at: Timestamp) -> usize {
        let (writer, _) = PEOPLE[person];
        let n = self.letters.len();
        let subject = format!("Matter {n} of {writer}");
        self.add(Draft::of(writer, DESKS[desk], &subject), Kind::Person, None, at)
    }

    /// A further letter to one that was written before.
    pub fn follow(&mut self, to: usize, desk: usize, at: Timestamp) -> usize {
        let parent = &self.letters[to];
        let address = parent.tagged.as_deref().unwrap_or(DESKS[desk]);
        let mut draft = Draft::of(&parent.writer, address, &format!("Re: matter {to}"));
        draft.text.clone_from(&parent.quoted);
        draft.fields.push(format!("In-Reply-To: {}", parent.id));
        draft.references = format!("{} {}", parent.references, parent.id).trim().to_owned();
        let conversation = parent.conversation;
        self.add(draft, Kind::Person, Some(conversation), at)
    }

    /// An answer of `writer` to a mail of ours.
    pub fn answer(&mut self, mail: &Mail, way: Way, at: Timestamp) -> Option<usize> {
        let conversation = self.conversation_of(mail)?;
        let to = mail.field("Reply-To").or(mail.field("From"))?;
        let to = match way {
            Way::Address => bare(&to).to_owned(),
            Way::Reference | Way::Token => bare(&mail.field("From")?).to_owned(),
        };
        let mut draft = Draft::of(&mail.to, &to, "Re: your mail");
        match way {
            Way::Address if to.contains('+') => {}
            Way::Address | Way::Reference => {
                draft.fields.push(format!("In-Reply-To: {}", mail.id));
                let before = mail.field("References").unwrap_or_default();
                draft.references = format!("{before} {}", mail.id).trim().to_owned();
            }
            Way::Token => {
                let token = token(mail)?;
                draft.text.push_str(&format!("\r\n\r\nOn Monday, Desk wrote:\r\n> {token}\r\n"));
            }
        }
        Some(self.add(draft, Kind::Person, Some(conversation), at))
    }

    /// What the answering machine of somebody who is away says to a mail of ours.
    pub fn excuse(&mut self, mail: &Mail, at: Timestamp) -> usize {
        let from = mail.field("From").unwrap_or_default();
        let mut draft = Draft::of(&mail.to, bare(&from), "Automatic reply: I am away");
        draft.fields.push("Auto-Submitted: auto-replied".to_owned());
        draft.fields.push(format!("In-Reply-To: {}", mail.id));
        let conversation = self.conversation_of(mail);
        self.add(draft, Kind::Machine, conversation, at)
    }

    /// What a machine says that does not know that it is one.
    pub fn echo(&mut self, mail: &Mail, at: Timestamp) -> usize {
        let from = mail.field("From").unwrap_or_default();
        let n = self.letters.len();
        let draft = Draft::of(&mail.to, bare(&from), &format!("Thank you {n}"));
        self.add(draft, Kind::Person, None, at)
    }

    /// What a mail server says of a mail of ours that it could not deliver.
    pub fn bounce(&mut self, mail: &Mail, at: Timestamp) -> usize {
        let from = mail.field("From").unwrap_or_default();
        let to = if mail.from.is_empty() { bare(&from).to_owned() } else { mail.from.clone() };
        let mut draft = Draft::of("mailer-daemon@globex.example", &to, "Undelivered Mail");
        draft.fields.push("Return-Path: <>".to_owned());
        draft.fields.push("Auto-Submitted: auto-replied".to_owned());
        draft.kind = "multipart/report; report-type=delivery-status; boundary=\"b\"".to_owned();
        let head = mail.raw.split_once("\r\n\r\n").map_or("", |(head, _)| head);
        draft.text = format!(
            "--b\r\n\r\nIt could not be delivered.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
             Reporting-MTA: dns; globex.example\r\n\r\nFinal-Recipient: rfc822; {}\r\n\
             Action: failed\r\nStatus: 5.2.2\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
             {head}\r\n\r\n--b--\r\n",
            mail.to
        );
        self.add(draft, Kind::Machine, None, at)
    }

    /// An answer to a mail of ours, in the name of the staff by somebody who is not.
    pub fn forge(&mut self, mail: &Mail, at: Timestamp) -> usize {
        let from = mail.field("From").unwrap_or_default();
        let mut draft = Draft::of(AGENT, bare(&from), "Re: your mail");
        draft.fields.push(format!("In-Reply-To: {}", mail.id));
        self.add(draft, Kind::Machine, None, at)
    }

    /// A message that finds a fault of the reader that nobody knows of.
    pub fn killer(&mut self, desk: usize, at: Timestamp) -> usize {
        let mut draft = Draft::of("somebody@elsewhere.example", DESKS[desk], "Read this");
        draft.fields.push("X-Guichet-Fault: abort".to_owned());
        self.add(draft, Kind::Killer, None, at)
    }

    /// Mail of a kind that nobody answers.
    pub fn automatic(&mut self, what: Automatic, desk: usize, at: Timestamp) -> usize {
        let n = self.letters.len();
        let (writer, kind) = match what {
            Automatic::Alarm => ("backup@acme.example", Kind::Machine),
            Automatic::Garbage => ("", Kind::Unreadable),
            Automatic::List => ("anybody@lists.example", Kind::Machine),
            Automatic::Own => (DESKS[desk], Kind::Machine),
            Automatic::Robot => ("noreply@shop.example", Kind::Machine),
        };
        let mut draft = Draft::of(writer, DESKS[desk], &format!("Notice {n}"));
        match what {
            Automatic::Alarm => draft.fields.push("Auto-Submitted: auto-generated".to_owned()),
            Automatic::List => draft.fields.push("List-Id: <all.lists.example>".to_owned()),
            Automatic::Garbage | Automatic::Own | Automatic::Robot => {}
        }
        self.add(draft, kind, None, at)
    }

    /// The conversation that a mail of ours is about, by the letter that it answers.
    pub fn conversation_of(&self, mail: &Mail) -> Option<usize> {
        let parent = mail.field("In-Reply-To")?;
        let letter = self.letters.iter().find(|letter| letter.id == parent)?;
        Some(letter.conversation)
    }

    fn add(
        &mut self,
        draft: Draft,
        kind: Kind,
        conversation: Option<usize>,
        at: Timestamp,
    ) -> usize {
        let n = self.letters.len();
        let id = format!("<letter-{n}@post.example>");
        let conversation = conversation.unwrap_or_else(|| {
            self.conversations += 1;
            self.conversations
        });
        let raw = draft.raw(n, &id, at);
        let Draft { from: writer, to, references, text: quoted, .. } = draft;
        let tagged = to.contains('+').then_some(to);
        self.letters.push(Letter {
            kind,
            id,
            writer,
            conversation,
            references,
            tagged,
            quoted,
            raw,
        });
        n
    }
}

/// Kinds of mail that nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Automatic {
    Alarm,
    /// Without a sender.
    Garbage,
    List,
    /// In our own name.
    Own,
    /// From an address that nobody reads.
    Robot,
}

struct Draft {
    from: String,
    to: String,
    subject: String,
    references: String,
    fields: Vec<String>,
    kind: String,
    text: String,
}

impl Draft {
    fn of(from: &str, to: &str, subject: &str) -> Draft {
        Draft {
            from: from.to_owned(),
            to: to.to_owned(),
            subject: subject.to_owned(),
            references: String::new(),
            fields: Vec::new(),
            kind: "text/plain; charset=utf-8".to_owned(),
            text: String::new(),
        }
    }

    fn raw(&self, n: usize, id: &str, at: Timestamp) -> Vec<u8> {
        let Draft { from, to, subject, references, fields, kind, text } = self;
        let references = match references.as_str() {
            "" => String::new(),
            named => format!("References: {}\r\n", named.replace(' ', "\r\n ")),
        };
        let from = if from.is_empty() { String::new() } else { format!("From: {from}\r\n") };
        let date = at.strftime("%a, %d %b %Y %H:%M:%S +0000");
        let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let own = format!("This is letter {n}, and nobody wrote it before.\r\n");
        let body = if kind.starts_with("multipart") { text.clone() } else { own + text };
        format!(
            "{from}To: {to}\r\nSubject: {subject}\r\nDate: {date}\r\nMessage-ID: {id}\r\n{references}{fields}\
             MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// An address without its name.
pub fn bare(field: &str) -> &str {
    field.rsplit_once('<').map_or(field, |(_, rest)| rest.trim_end_matches('>'))
}

// The token at the end of the text of our mail, as a program quotes it.
fn token(mail: &Mail) -> Option<String> {
    let (_, body) = mail.raw.split_once("\r\n\r\n")?;
    let marked = body.lines().map(str::trim).find(|line| line.starts_with("[g1"))?;
    Some(marked.to_owned())
}
