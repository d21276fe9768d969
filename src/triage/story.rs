//! What is told of a decision: kept with it, so that `explain` tells the past as it was.

use serde::{Deserialize, Serialize};

use super::plan::Kind;

/// What is told of a decision, then and later. The part of interfaces §4 that is not the message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Story {
    pub kind: Option<Kind>,
    pub kind_evidence: Vec<String>,
    /// The names of the plan's flags.
    pub flags: Vec<String>,
    pub user: Option<UserStory>,
    pub site: Option<SiteStory>,
    pub ticket: TicketStory,
    pub outgoing: Vec<OutgoingStory>,
    pub steps: Vec<Step>,
}

/// One rule that applied, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub rule: String,
    pub said: String,
    /// The configuration key that decided, if one did.
    pub key: Option<String>,
}

/// The user a message belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserStory {
    pub address: String,
    pub first_name: String,
    pub last_name: String,
    pub name: String,
    pub is_new: bool,
    /// `address`, `header`, or null for a user who had a name.
    pub name_from: Option<String>,
}

/// The site a ticket belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteStory {
    pub name: String,
    /// e.g. `domain myorg.org`, `address`, `default`.
    pub matched_by: String,
}

/// The ticket a message went to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketStory {
    /// Null for a ticket not opened yet.
    pub number: Option<i64>,
    /// `reference`, `subject_tag`, …
    pub matched_by: Option<String>,
    pub linked_to: Option<i64>,
}

/// A mail that goes out, or why it does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingStory {
    pub template: String,
    pub to: String,
    /// The rule that withheld it, e.g. `C-02`; null when it is queued.
    pub withheld: Option<String>,
}
