//! What can go wrong with a server that speaks IMAP, and what to do about it. What a server said is
//! shown, cut and cleaned; what it sent as mail never is.

use crate::net::NetError;

/// Why a mailbox on a server could not be worked on.
#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    /// no server may do that in the middle of a session.
    #[error(
        "`{host}` gave the folder another UIDVALIDITY while {doing}: its UIDs mean other messages now\nhint: guichet connects again by itself and recognises what it has read before"
    )]
    AnotherValidity { host: String, doing: &'static str },
    #[error("`{host}` closed the connection while {doing}{said}\nhint: guichet connects again by itself; when it does not stop, ask whoever runs the server", said = said_after(.said))]
    Closed { host: String, doing: &'static str, said: String },
    /// T-45.
    #[error("the {what} holds a line break or a NUL\nhint: correct `{key}`")]
    Forbidden { what: &'static str, key: &'static str },
    #[error(
        "`{host}` answered something guichet cannot read while {doing}\nhint: guichet connects again by itself; when it does not stop, see that the port is one for IMAP"
    )]
    Garbled { host: String, doing: &'static str },
    /// T-42.
    #[error(
        "`{host}` said more than it may before the connection was protected\nhint: somebody may be between this machine and the server; use `tls = \"implicit\"`, port 993"
    )]
    Injected { host: String },
    /// P-21.
    #[error(
        "`{host}` refused the login too often: none is tried before {until:.0}\nhint: correct `mailbox.username` or `mailbox.password`, another login is tried at once"
    )]
    LeftAlone { host: String, until: jiff::Timestamp },
    #[error("`{host}` refused the login of `{username}`{said}\nhint: see that username and password are right, and that the account may use IMAP; some providers want a password made for one program", said = said_after(.said))]
    Login { host: String, username: String, said: String },
    #[error(
        "`{host}` offers no login with a password on this connection\nhint: set `tls = \"implicit\"` or `tls = \"starttls\"`; some providers allow no passwords at all"
    )]
    LoginDisabled { host: String },
    #[error("`{host}` has no folder `{folder}`\nhint: {}", folders_hint(.like))]
    MissingFolder { host: String, folder: String, like: Vec<String> },
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(
        "`{host}` offers no STARTTLS\nhint: nothing was sent to it; set `tls = \"implicit\"`, port 993, or have the server's offer looked at"
    )]
    NoStarttls { host: String },
    /// P-01: by their numbers, its messages would be taken for those that are known.
    #[error(
        "the mailbox `{mailbox}` was another folder, or that of another account, when it was looked at last, and the messages of `{folder}` have the same numbers as those that are known: guichet leaves them alone\nhint: give it another `name`, the old one keeps what it brought; or set `folder` and `username` back"
    )]
    OtherFolder { mailbox: String, folder: String },
    /// F-12.
    #[error(
        "`{host}` says that guichet is logged in already\nhint: nothing was sent to it; somebody may be between this machine and the server"
    )]
    Preauthenticated { host: String },
    #[error(
        "the folder `{folder}` is read-only, so `after = \"{after}\"` cannot be done\nhint: give the account the right to write there, or set `after = \"keep\"`"
    )]
    ReadOnly { folder: String, after: &'static str },
    #[error("`{host}` refused while {doing}: {said}\nhint: {hint}")]
    Refused { host: String, doing: &'static str, said: String, hint: &'static str },
    /// E-07: reading all of it would open a flood of tickets.
    #[error(
        "the folder `{folder}` was made anew on the server, and {unknown} of its {count} messages were never seen: guichet waits\nhint: see that it is the right folder; `guichet mailbox rewind {mailbox} --since DATE` goes on with what arrived since then"
    )]
    Renumbered { mailbox: String, folder: String, unknown: usize, count: usize },
    /// P-05, P-09.
    #[error(
        "the UIDs of the folder `{folder}` came to mean other messages {count} times since {since:.0}: guichet leaves it alone until {until:.0}, or all of it would be stored again each time\nhint: its server does not keep its UIDVALIDITY, or is restored again and again: have it looked at; when the UIDs of the last time come back, guichet goes on at once"
    )]
    Restless { folder: String, count: usize, since: jiff::Timestamp, until: jiff::Timestamp },
    /// F-13, F-14, T-44.
    #[error(
        "`{host}` sent too much while {doing}: {what}\nhint: guichet connects again by itself; when it does not stop, have the server looked at"
    )]
    TooMuch { host: String, doing: &'static str, what: &'static str },
    #[error(
        "the folder `{folder}` has no UIDVALIDITY, so messages cannot be told from each other\nhint: guichet needs a server that gives out lasting UIDs"
    )]
    Unnumbered { folder: String },
}

impl ImapError {
    /// Whether the same may succeed later without anybody's help.
    pub fn is_temporary(&self) -> bool {
        match self {
            ImapError::AnotherValidity { .. }
            | ImapError::Closed { .. }
            | ImapError::Garbled { .. }
            | ImapError::LeftAlone { .. }
            | ImapError::Refused { .. }
            | ImapError::Restless { .. }
            | ImapError::TooMuch { .. } => true,
            ImapError::Net(cause) => cause.is_temporary(),
            ImapError::Forbidden { .. }
            | ImapError::Injected { .. }
            | ImapError::Login { .. }
            | ImapError::LoginDisabled { .. }
            | ImapError::MissingFolder { .. }
            | ImapError::NoStarttls { .. }
            | ImapError::OtherFolder { .. }
            | ImapError::Preauthenticated { .. }
            | ImapError::ReadOnly { .. }
            | ImapError::Renumbered { .. }
            | ImapError::Unnumbered { .. } => false,
        }
    }

    /// Whether the server did not let this account in.
    pub fn is_login_refused(&self) -> bool {
        matches!(self, ImapError::Login { .. } | ImapError::LoginDisabled { .. })
    }

    /// Whether no conversation came about at all.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            ImapError::Net(_)
                | ImapError::Injected { .. }
                | ImapError::NoStarttls { .. }
                | ImapError::Preauthenticated { .. }
        )
    }

    /// What went wrong, without the hint.
    pub(super) fn first_line(&self) -> String {
        self.to_string().lines().next().unwrap_or_default().to_owned()
    }

    /// Whether a conversation broke off in its middle, so that another may get further.
    pub(crate) fn is_broken_off(&self) -> bool {
        matches!(
            self,
            ImapError::AnotherValidity { .. }
                | ImapError::Closed { .. }
                | ImapError::Garbled { .. }
                | ImapError::TooMuch { .. }
                | ImapError::Net(NetError::Timeout { .. })
        )
    }
}

/// What a server said, on one line and of a bearable length.
pub(super) fn words(said: &str) -> String {
    const MOST: usize = 200;
    let clean: String =
        said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect();
    clean.trim().to_owned()
}

/// What to do about a refusal that carries a response code of RFC 5530.
pub(super) fn hint(said: &str) -> &'static str {
    match code(said).as_str() {
        "ALREADYEXISTS" => "see which folder has that name",
        "CANNOT" | "NOPERM" => "give the account the right to do that, or choose another folder",
        "INUSE" | "UNAVAILABLE" | "SERVERBUG" => "guichet tries again by itself",
        "LIMIT" => "guichet tries again by itself; the server allows no more at the moment",
        "OVERQUOTA" => "make room in the mailbox on the server; guichet tries again by itself",
        _ => "guichet tries again by itself; when it does not stop, ask whoever runs the server",
    }
}

/// The response code at the beginning of what a server said, e.g. `OVERQUOTA`.
pub(super) fn code(said: &str) -> String {
    let inside = said.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let word = inside.and_then(|(inside, _)| inside.split_whitespace().next());
    word.unwrap_or_default().to_ascii_uppercase()
}

fn said_after(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

fn folders_hint(like: &[String]) -> String {
    if like.is_empty() {
        return "`guichet mailbox folders NAME` lists those there are".to_owned();
    }
    let names: Vec<String> = like.iter().map(|name| format!("`{name}`")).collect();
    format!("there is {}; `guichet mailbox folders NAME` lists them all", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_by_its_code() {
        assert_eq!(code("[OVERQUOTA] Quota exceeded"), "OVERQUOTA");
        assert_eq!(code("[badcharset (utf-8)] no"), "BADCHARSET");
        assert_eq!(code("no [OVERQUOTA]"), "");
        assert!(hint("[OVERQUOTA] full").starts_with("make room"));
    }

    #[test]
    fn what_a_server_said_stays_on_one_line_of_a_bearable_length() {
        assert_eq!(words(" a\r\nb\u{1b}[31m "), "a  b [31m");
        assert_eq!(words(&"x".repeat(10_000)).len(), 200);
    }
}
