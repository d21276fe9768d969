//! What is new in a message, and whether it is forwarded, once it is known what it answers.

use crate::mail::InboundMessage;
use crate::mail::reply::{self, Context, Prefix, Reply, Scope, SegmentKind};
use crate::triage::facts::{Questions, SenderAnswer};

/// What is new in `message` (M-88…M-99): cut only when it answers something, be it that it carries
/// references, or that it came to a ticket.
pub fn reply(message: &InboundMessage, questions: &Questions, scope: Scope) -> Reply {
    match &questions.reply {
        Some((known, reply)) if *known == own_scope(message, scope) => reply.clone(),
        _ => trimmed(message, questions, scope).1,
    }
}

/// The same, made now, with the scope it is for.
pub fn trimmed(message: &InboundMessage, questions: &Questions, scope: Scope) -> (Scope, Reply) {
    let scope = own_scope(message, scope);
    let prefix = reply::subject_prefix(&message.subject);
    let sender = match &questions.sender {
        SenderAnswer::Known(sender) => reply::Sender {
            name: sender.name.clone().unwrap_or_default(),
            address: sender.address.to_string(),
        },
        SenderAnswer::None { .. } => reply::Sender::default(),
    };
    let marks = questions.signed.tokens.clone();
    let context = Context { scope, prefix, sender, marks, ..Context::default() };
    (scope, reply::trim(&message.text, &context))
}

// What a message says of itself goes before what its ticket says.
fn own_scope(message: &InboundMessage, scope: Scope) -> Scope {
    let carries_ids = !message.in_reply_to.is_empty() || !message.references.is_empty();
    if carries_ids || reply::subject_prefix(&message.subject) == Prefix::Reply {
        Scope::Answer
    } else {
        scope
    }
}

/// M-85: the outermost prefix is a forward's. `I:` alone may be a plain letter: it counts only
/// before a text that holds a forwarded message.
pub fn is_forward(message: &InboundMessage, questions: &Questions) -> bool {
    match reply::subject_prefix(&message.subject) {
        Prefix::Forward => true,
        Prefix::PerhapsForward => reply(message, questions, Scope::Answer)
            .segments
            .iter()
            .any(|segment| segment.kind == SegmentKind::Forward),
        Prefix::None | Prefix::Reply => false,
    }
}
