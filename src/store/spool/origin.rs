//! Where a message came from: what is unique for it within its mailbox, and what that proves.

use std::fmt;

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
    Uid { series: Series, uid: u32 },
}

/// What UIDs are counted in: a UIDVALIDITY, and how often servers of this mailbox were seen to give out
/// UIDs again without changing it (P-09).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Series {
    pub validity: u32,
    pub round: u32,
}

impl Series {
    /// That of a server which keeps to the rules.
    pub fn of(validity: u32) -> Series {
        Series { validity, round: 0 }
    }

    /// The one in which the same UIDs mean other messages.
    pub fn next(self) -> Series {
        Series { round: self.round.saturating_add(1), ..self }
    }

    /// Reads back what it is written as: `7`, or `7.1` in the second round.
    pub fn parse(text: &str) -> Option<Series> {
        match text.split_once('.') {
            Some((validity, round)) => {
                Some(Series { validity: validity.parse().ok()?, round: round.parse().ok()? })
            }
            None => Some(Series::of(text.parse().ok()?)),
        }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.round {
            0 => write!(f, "{}", self.validity),
            round => write!(f, "{}.{round}", self.validity),
        }
    }
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
            Origin::Uid { series, uid } => format!("uid/{series}/{uid}"),
        }
    }

    /// What the keys of all messages of one series begin with.
    pub fn numbered(series: Series) -> String {
        format!("uid/{series}/")
    }

    /// What the keys begin with that mean something in a mailbox whose source stands at `position`.
    pub fn numbering(position: &str) -> String {
        let mut words = position.split('/');
        match (words.next(), words.next().and_then(Series::parse)) {
            (Some("uid"), Some(series)) => Origin::numbered(series),
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
                let (series, uid) = rest.split_once('/')?;
                Some(Origin::Uid { series: Series::parse(series)?, uid: uid.parse().ok()? })
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
            Origin::Uid { series: Series::of(1), uid: 2 },
            Origin::Uid { series: Series::of(1).next(), uid: 2 },
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
