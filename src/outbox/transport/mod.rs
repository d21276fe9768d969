//! The ways out. A transport is handed whole mails and says what became of each; it knows nothing of
//! the store.

mod file;
pub mod smtp;

use std::path::PathBuf;

use super::render::RenderedMail;

// Mails worked on together. Where a mail is written again under its own name after a crash, many
// can share a commit.
const TOGETHER: usize = 32;

/// A way out that has an answer at once, and where a mail handed over twice leaves one of it.
#[derive(Clone, Debug)]
pub enum Transport {
    /// Into a maildir.
    File(PathBuf),
    /// Nowhere: mail is rendered and recorded (shadow mode).
    None,
}

/// What became of a mail that no side refused, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Nobody got it.
    Recorded { said: String },
    /// The other side took it.
    Taken {
        said: String,
        /// What a relay that rewrites Message-IDs calls it (M-82).
        relay_id: Option<String>,
    },
}

/// Why a mail did not leave, with the other side's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The connection died after the data: it may have left.
    #[error("{said}")]
    Ambiguous { said: String },
    /// Refused for good.
    #[error("{said}")]
    Permanent { said: String },
    /// Refused for now.
    #[error("{said}")]
    Temporary { said: String },
    /// The way out cannot carry it, so nobody was asked.
    #[error("{said}")]
    Unable { said: String },
}

impl SendError {
    /// Whether the same may succeed later without anybody's help.
    pub fn is_temporary(&self) -> bool {
        matches!(self, SendError::Ambiguous { .. } | SendError::Temporary { .. })
    }
}

impl Transport {
    /// Hands mails over; answers for each, in their order.
    pub fn send(&self, mails: &[RenderedMail]) -> Vec<Result<Response, SendError>> {
        match self {
            Transport::File(maildir) => file::deliver_all(maildir, mails),
            Transport::None => {
                let said = "not sent: the transport is `none`";
                mails.iter().map(|_| Ok(Response::Recorded { said: said.to_owned() })).collect()
            }
        }
    }

    /// How many mails may be under way between two commits.
    pub fn together(&self) -> usize {
        TOGETHER
    }
}
