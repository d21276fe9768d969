//! Why the counter does not do what it is asked, in words for whoever asks.

use crate::store::StoreError;

/// Why something was not done, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum CounterError {
    #[error(
        "the account may not be used: it was disabled or deleted\nhint: `guichet users show` says which; an administrator can enable it again"
    )]
    Account,
    #[error("there is nothing in it\nhint: write something, or attach a file")]
    Empty,
    /// P-05.
    #[error(
        "nothing more is taken in at this time: the disk of the store is nearly full\nhint: try again later; an administrator frees some space, or lowers `min_free_space`"
    )]
    Full,
    #[error("no mailbox is called `{0}`\nhint: `guichet mailbox list` lists them")]
    NoMailbox(String),
    /// Or none that the user may see: both are answered alike (T-02).
    #[error("there is no ticket {0}\nhint: `guichet tickets list` lists them")]
    NoTicket(i64),
    #[error(
        "a ticket needs somebody whose it is\nhint: say who asks, e.g. `--from claire@example.com`"
    )]
    Nobody,
    #[error("{what}\nhint: {hint}")]
    Refused { what: String, hint: &'static str },
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error(
        "it is too large: {size} bytes, and at most {largest} are taken\nhint: send less at a time, or say where it can be fetched"
    )]
    TooLarge { size: u64, largest: u64 },
    #[error(
        "{count} files are too many: at most {most} are taken with one message\nhint: put some of them into one archive"
    )]
    TooManyFiles { count: usize, most: usize },
    /// T-52.
    #[error(
        "nothing more is taken of this user until what they wrote before is read\nhint: try again later; `limits.per_sender` says how much of one user is read in what time"
    )]
    Unread,
    #[error("{what} `{name}` is not known\nhint: {hint}")]
    Unknown { what: &'static str, name: String, hint: &'static str },
}

impl CounterError {
    /// Whether the same may succeed later without anybody's help.
    pub fn is_temporary(&self) -> bool {
        match self {
            CounterError::Full | CounterError::Unread => true,
            CounterError::Store(error) => error.is_temporary(),
            CounterError::Account
            | CounterError::Empty
            | CounterError::NoMailbox(_)
            | CounterError::NoTicket(_)
            | CounterError::Nobody
            | CounterError::Refused { .. }
            | CounterError::TooLarge { .. }
            | CounterError::TooManyFiles { .. }
            | CounterError::Unknown { .. } => false,
        }
    }
}
