//! Why a relay cannot be used, and why one mail did not get through it.

use super::reply::Reply;
use crate::net::NetError;
use crate::outbox::SendError;

/// Why a relay cannot be used by any mail.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Only when guichet stops, or when the mail has become another's.
    #[error("guichet stops, so no further mail is handed over")]
    Closed,
    #[error(
        "`{host}` sent more than its answer before the connection was protected, so nothing was sent to it\nhint: somebody may be on the line; set `tls = \"implicit\"`, and have the server looked at"
    )]
    Injected { host: String },
    #[error(
        "`{host}` refuses the login of `{username}`: {said}\nhint: see that the username and the password are right, and that this login may send mail (some providers want a password for programs)"
    )]
    Login { host: String, username: String, said: String },
    #[error("`{host}` broke off while {doing}: {said}\nhint: guichet tries again by itself")]
    Lost { host: String, doing: &'static str, said: String },
    #[error("{0}")]
    Net(#[from] NetError),
    #[error(
        "`{host}` offers no login that guichet can use, which are PLAIN and LOGIN; it offers {offered}\nhint: if it needs none set `smtp.username = \"\"`; otherwise use another port of it"
    )]
    NoLogin { host: String, offered: String },
    #[error(
        "`{host}` answers what no mail server says: {said}\nhint: see that host and port are those of a server that takes mail"
    )]
    NotSmtp { host: String, said: String },
    #[error(
        "`{host}` said {code} before it was asked, while {doing}\nhint: guichet connects again by itself; when it does not stop, have the server looked at"
    )]
    OutOfTurn { host: String, doing: &'static str, code: u16 },
    #[error("`{host}` refuses guichet while {doing}: {said}\nhint: {hint}", hint = hint(*.code))]
    Refused { host: String, doing: &'static str, code: u16, said: String },
    #[error(
        "`{host}` offers no STARTTLS, so nothing was sent to it\nhint: see that the port is right; if the server speaks TLS at once set `tls = \"implicit\"`; if it offered STARTTLS before, somebody may be on the line"
    )]
    Stripped { host: String },
}

/// Why a mail did not get through a relay.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The relay took or refused this mail, or lost it.
    #[error("{0}")]
    Mail(SendError),
    /// The relay was not reached, so the mail has not been tried.
    #[error("{0}")]
    Relay(RelayError),
}

/// What went wrong with one mail on an open connection.
#[derive(Debug)]
pub(super) enum Fault {
    Answered { stage: Stage, reply: Reply },
    Broken { stage: Stage, error: RelayError },
    Unable { said: String },
}

/// How far a mail had come. In the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Sender,
    Recipient,
    /// Up to, and not including, the dot that ends it.
    Content,
    End,
}

impl RelayError {
    /// Whether the same may succeed later without anybody's help.
    pub fn is_temporary(&self) -> bool {
        match self {
            RelayError::Closed | RelayError::Lost { .. } | RelayError::OutOfTurn { .. } => true,
            RelayError::Net(error) => error.is_temporary(),
            RelayError::Refused { code, .. } => (400..500).contains(code),
            RelayError::Injected { .. }
            | RelayError::Login { .. }
            | RelayError::NoLogin { .. }
            | RelayError::NotSmtp { .. }
            | RelayError::Stripped { .. } => false,
        }
    }

    // What is said of one mail: the hint is for whoever looks after the relay.
    fn first_line(&self) -> String {
        self.to_string().lines().next().unwrap_or_default().to_owned()
    }
}

impl Fault {
    /// Whether a connection that had been resting turns out to be closed: nothing was said of this
    /// mail then, and a new connection may take it.
    pub fn is_of_the_connection(&self) -> bool {
        match self {
            Fault::Answered { stage: Stage::Sender, reply } => reply.code == 421,
            Fault::Broken { stage: Stage::Sender, .. } => true,
            Fault::Answered { .. } | Fault::Broken { .. } | Fault::Unable { .. } => false,
        }
    }

    /// Whose trouble it is, the mail's or the relay's. Who breaks off at MAIL FROM breaks off for
    /// everybody; later it may be the recipient, or the words, that it stumbles over.
    pub fn judged(self, host: &str) -> Failure {
        let said = match &self {
            Fault::Answered { reply, .. } => reply.said(),
            Fault::Broken { error, .. } => error.first_line(),
            Fault::Unable { said } => said.clone(),
        };
        let refused_to_all = |code| RelayError::Refused {
            host: host.to_owned(),
            doing: "handing a mail over",
            code,
            said: said.clone(),
        };
        Failure::Mail(match self {
            // RFC 4954 §6: no login where one is wanted, or not over a connection like this.
            Fault::Answered { stage: Stage::Sender, reply }
                if matches!(reply.code, 421 | 530 | 538) =>
            {
                return Failure::Relay(refused_to_all(reply.code));
            }
            Fault::Answered { reply, .. } if reply.is_permanent() => SendError::Permanent { said },
            // Neither yes nor no to a whole mail: it may have been taken.
            Fault::Answered { stage: Stage::End, reply } if !reply.is_temporary() => {
                SendError::Ambiguous { said }
            }
            Fault::Answered { .. } => SendError::Temporary { said },
            Fault::Broken { error: RelayError::Closed, .. } => {
                return Failure::Relay(RelayError::Closed);
            }
            Fault::Broken { stage: Stage::Sender, error } => return Failure::Relay(error),
            Fault::Broken { stage: Stage::End, .. } => SendError::Ambiguous { said },
            Fault::Broken { .. } => SendError::Temporary { said },
            Fault::Unable { .. } => SendError::Unable { said },
        })
    }
}

fn hint(code: u16) -> &'static str {
    match code {
        530 | 538 => "it wants a login, or a protected connection: set `username` and `password`",
        400..500 => "guichet tries again by itself",
        _ => "ask whoever runs that server whether this machine may send mail by it",
    }
}
