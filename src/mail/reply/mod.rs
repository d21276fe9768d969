//! Finds what is new in a message: no quote, no signature (mail.md section 6). Nothing is deleted:
//! the full text is kept beside it, and in doubt the whole is shown. Plain text only; a text made
//! from HTML has its client's quote removed before it comes here (M-100).

mod attribution;
mod cut;
mod dates;
mod disclaimer;
mod headers;
mod html;
mod introduction;
mod known;
mod lines;
mod mobile;
mod normalise;
mod separators;
mod signature;
mod subject;
#[cfg(test)]
mod tests;
mod words;

use std::collections::HashSet;
use std::ops::Range;

pub(in crate::mail) use html::introduces_quote;
pub use introduction::{Introduction, introduction, parted};
pub use known::{known_line, known_lines};
pub use normalise::normalise;
pub use subject::{Prefix, subject_prefix, without_forward_prefixes, without_reply_prefixes};

use super::html as html_text;

/// What is new in a message, and what was set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// What the steps of M-88…M-98 leave.
    pub text: String,
    /// The lines of signatures and footers.
    pub signature: Option<String>,
    /// What a ticket shows unfolded: `text`, or the whole after the guards of M-99.
    pub visible: String,
    pub confidence: Confidence,
    /// What `segments` count in: the text after M-89.
    pub normalised: String,
    /// What each part of `normalised` is, in order and without gaps.
    pub segments: Vec<Segment>,
}

/// How sure the cut is (M-99).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Confidence {
    #[default]
    High,
    Low,
    Medium,
}

impl Confidence {
    /// The confidence's name in JSON and in mail.md.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::High => "high",
            Confidence::Low => "low",
            Confidence::Medium => "medium",
        }
    }
}

/// Lines of one kind that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub kind: SegmentKind,
    /// Bytes of the normalised text, line ends included.
    pub range: Range<usize>,
    /// The rule that decided, `M-95`.
    pub rule: &'static str,
}

/// What a part of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    Footer,
    Forward,
    /// Quoted, but answered: it stays.
    InlineQuote,
    Quoted,
    Reply,
    Signature,
}

impl SegmentKind {
    /// The kind's name in JSON and in mail.md.
    pub fn name(self) -> &'static str {
        match self {
            SegmentKind::Footer => "footer",
            SegmentKind::Forward => "forward",
            SegmentKind::InlineQuote => "inline-quote",
            SegmentKind::Quoted => "quoted",
            SegmentKind::Reply => "reply",
            SegmentKind::Signature => "signature",
        }
    }
}

/// What the cut needs to know besides the text.
#[derive(Clone, Debug, Default)]
pub struct Context {
    pub scope: Scope,
    /// The outermost prefix of the subject ([`subject_prefix`]).
    pub prefix: Prefix,
    pub sender: Sender,
    /// [`known_line`]s of the ticket's last 20 messages (M-91).
    pub known: HashSet<u64>,
    /// Our own marks that end what is new: "reply above this line" of every locale, the body token
    /// (M-90).
    pub marks: Vec<String>,
    /// What the client says of a text made from HTML, as bytes of the text (M-100).
    pub html: Vec<html_text::Mark>,
}

/// Whether the message answers something (M-88).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// It threads, or carries In-Reply-To, References or a reply prefix.
    Answer,
    /// Any other: all of it is new, only its signature is folded.
    #[default]
    Standalone,
}

/// Whose name alone on the last line is a signature (M-97).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// The display name; may be empty.
    pub name: String,
    pub address: String,
}

/// Cuts a text into what is new and what is not (M-88…M-99), in linear time (M-102).
pub fn trim(text: &str, context: &Context) -> Reply {
    if context.html.is_empty() {
        return cut::cut(normalise(text), &[], context);
    }
    let (normalised, marks) = html::normalised(text, &context.html);
    cut::cut(normalised, &marks, context)
}
