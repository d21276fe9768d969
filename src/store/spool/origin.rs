//! Where a message came from: what is unique for it within its mailbox, and what that proves.

use crate::mail::Address;
use crate::triage::facts::Door;

/// Where a message came from, enough to find it there again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Handed in as a file, by `ingest` or `replay`.
    File { name: String },
    /// A maildir file's name up to the `:`.
    MaildirFile { base: String },
    /// Written by a user in the portal.
    Portal {
        /// The id of the user.
        person: String,
        /// The ticket that it was written for; a new one when there is none.
        ticket: Option<i64>,
        /// One for each thing that was written, however often it is sent; without a `/`.
        id: String,
    },
    /// Written by staff.
    Staff {
        /// None: an operator at the command line.
        agent: Option<Address>,
        /// The ticket that it was written for; a new one when there is none.
        ticket: Option<i64>,
        /// One for each thing that was written, however often it is sent; without a `/`.
        id: String,
    },
    /// what identifies a message on a server.
    Uid { validity: u32, uid: u32 },
}

// Where the number of a ticket would stand.
const NEW: &str = "new";

impl Origin {
    /// What the keys of all files in a maildir begin with.
    pub const FILES: &str = "maildir/";
    /// What the keys of all that users write in the portal begin with.
    pub const PORTAL: &str = "portal/";
    /// What the keys of all that staff writes begin with.
    pub const STAFF: &str = "staff/";

    /// What is unique for the message within its mailbox.
    pub fn key(&self) -> String {
        match self {
            Origin::File { name } => format!("file/{name}"),
            Origin::MaildirFile { base } => format!("{}{base}", Origin::FILES),
            Origin::Portal { person, ticket, id } => {
                format!("{}{person}/{}/{id}", Origin::PORTAL, ticket_word(*ticket))
            }
            // The address last: it may hold a `/`.
            Origin::Staff { agent, ticket, id } => {
                let agent = agent.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{}{}/{id}/{agent}", Origin::STAFF, ticket_word(*ticket))
            }
            Origin::Uid { validity, uid } => format!("uid/{validity}/{uid}"),
        }
    }

    /// What the keys of all messages of one UIDVALIDITY begin with.
    pub fn numbered(validity: u32) -> String {
        format!("uid/{validity}/")
    }

    /// What the keys begin with that mean something in a mailbox whose source stands at `position`.
    pub fn numbering(position: &str) -> String {
        let mut words = position.split('/');
        match (words.next(), words.next().and_then(|validity| validity.parse().ok())) {
            (Some("uid"), Some(validity)) => Origin::numbered(validity),
            // Set back by hand: under which it goes on is known at the next look.
            (Some("since"), _) => "uid/".to_owned(),
            _ => Origin::FILES.to_owned(),
        }
    }

    /// Reads back what [`Origin::key`] wrote.
    pub fn parse(key: &str) -> Option<Origin> {
        let (kind, rest) = key.split_once('/')?;
        match kind {
            "file" => Some(Origin::File { name: rest.to_owned() }),
            "maildir" => Some(Origin::MaildirFile { base: rest.to_owned() }),
            "portal" => {
                let (person, rest) = rest.split_once('/')?;
                let (ticket, id) = rest.split_once('/')?;
                let (person, id) = (person.to_owned(), id.to_owned());
                Some(Origin::Portal { person, ticket: ticket_of(ticket)?, id })
            }
            "staff" => {
                let (ticket, rest) = rest.split_once('/')?;
                let (id, agent) = rest.split_once('/')?;
                let agent = match agent {
                    "" => None,
                    written => Some(Address::parse(written).ok()?),
                };
                Some(Origin::Staff { agent, ticket: ticket_of(ticket)?, id: id.to_owned() })
            }
            "uid" => {
                let (validity, uid) = rest.split_once('/')?;
                Some(Origin::Uid { validity: validity.parse().ok()?, uid: uid.parse().ok()? })
            }
            _ => None,
        }
    }

    /// Whether the key is that of a request that staff entered for somebody.
    pub fn is_entered(key: &str) -> bool {
        key.strip_prefix(Origin::STAFF).is_some_and(|rest| rest.split('/').next() == Some(NEW))
    }

    /// What it proves of who wrote the message, and for which ticket.
    pub fn door(&self) -> Door {
        match self {
            Origin::File { .. } | Origin::MaildirFile { .. } | Origin::Uid { .. } => Door::Mail,
            Origin::Portal { person, ticket, .. } => {
                Door::Portal { user: person.clone(), ticket: *ticket }
            }
            Origin::Staff { agent, ticket, .. } => {
                Door::Staff { agent: agent.clone(), ticket: *ticket }
            }
        }
    }
}

fn ticket_word(ticket: Option<i64>) -> String {
    ticket.map_or_else(|| NEW.to_owned(), |number| number.to_string())
}

fn ticket_of(word: &str) -> Option<Option<i64>> {
    if word == NEW { Some(None) } else { word.parse().ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_whatever_stands_in_it() {
        let agent = Address::parse("o/hara@helpdesk.example").expect("an address");
        let origins = [
            Origin::File { name: "a/b/../c".to_owned() },
            Origin::MaildirFile { base: "1/2".to_owned() },
            Origin::Portal { person: "p".to_owned(), ticket: Some(12), id: "x".to_owned() },
            Origin::Portal { person: "p".to_owned(), ticket: None, id: "x".to_owned() },
            Origin::Staff { agent: Some(agent), ticket: None, id: "x".to_owned() },
            Origin::Staff { agent: None, ticket: Some(7), id: "x".to_owned() },
            Origin::Uid { validity: 1, uid: 2 },
        ];
        for origin in origins {
            assert_eq!(Origin::parse(&origin.key()).as_ref(), Some(&origin));
        }
        for broken in ["portal/p/x", "portal/p/seven/x", "staff/new/x", "staff/1/x/nobody"] {
            assert_eq!(Origin::parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn what_staff_entered_for_somebody_is_known_by_its_key() {
        let staff = |ticket| Origin::Staff { agent: None, ticket, id: "x".to_owned() }.key();
        assert!(Origin::is_entered(&staff(None)) && !Origin::is_entered(&staff(Some(7))));
        assert!(!Origin::is_entered("file/staff/new/x"));
    }

    #[test]
    fn t_46_only_what_did_not_come_by_mail_proves_anything() {
        let door = |key: &str| Origin::parse(key).expect("an origin").door();
        for key in ["file/portal/p/7/x", "maildir/staff/7/x/", "uid/1/2"] {
            assert_eq!(door(key), Door::Mail, "{key}");
        }
        let user = "p".to_owned();
        assert_eq!(door("portal/p/7/x"), Door::Portal { user, ticket: Some(7) });
        assert_eq!(door("staff/new/x/"), Door::Staff { agent: None, ticket: None });
    }
}
