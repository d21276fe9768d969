//! What is new in a message, and whether it is forwarded, once it is known what it answers.

use std::collections::HashSet;

use crate::mail::InboundMessage;
use crate::mail::html::HtmlText;
use crate::mail::reply::{self, Confidence, Context, Prefix, Reply, Scope, Segment, SegmentKind};
use crate::triage::facts::{Door, Questions, SenderAnswer};

/// What is new in `message` (M-88…M-99): cut only when it answers something, be it that it carries
/// references, or that it came to a ticket. `known` is what that ticket knows of its messages.
pub fn reply(
    message: &InboundMessage,
    questions: &Questions,
    scope: Scope,
    known: &HashSet<u64>,
) -> Reply {
    if questions.door != Door::Mail {
        return whole(message);
    }
    let is_known = |hash: &u64| known.contains(hash);
    // What is cut off by other signs may be known as well: nothing comes of it.
    let is_new = |reply: &Reply| {
        known.is_empty() || !reply::known_lines(&reply.visible).iter().any(is_known)
    };
    match &questions.reply {
        Some((of, reply)) if *of == own_scope(message, scope) && is_new(reply) => reply.clone(),
        _ => trimmed(message, questions, scope, known).1,
    }
}

/// All of it is new: nobody's mail program has put anything into what was written for a ticket.
pub fn whole(message: &InboundMessage) -> Reply {
    let text = message.text.trim_end().to_owned();
    let normalised = reply::normalise(&text);
    let range = 0..normalised.len();
    let whole = Segment { kind: SegmentKind::Reply, range, rule: "M-88" };
    let (visible, segments) = (text.clone(), vec![whole]);
    Reply { text, signature: None, visible, confidence: Confidence::High, normalised, segments }
}

/// The same, made now, with the scope it is for.
pub fn trimmed(
    message: &InboundMessage,
    questions: &Questions,
    scope: Scope,
    known: &HashSet<u64>,
) -> (Scope, Reply) {
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
    // Of all that the ticket knows, only what stands here.
    let known = questions.known.iter().copied().filter(|hash| known.contains(hash)).collect();
    let html = message.text_marks.clone();
    let context = Context { scope, prefix, sender, known, marks, html };
    let plain = reply::trim(&message.text, &context);
    (scope, better(plain, message.html.as_ref(), context))
}

/// M-101: the plain text, unless it is empty or under 20 % of the HTML's. An HTML in which no client
/// has marked anything knows no more than the plain text: then only emptiness counts.
fn better(plain: Reply, html: Option<&HtmlText>, context: Context) -> Reply {
    let Some(html) = html else { return plain };
    let is_enough = |whole: usize| plain.text.len() * 5 >= whole;
    // Most answers say enough even beside all that stands outside the quotes.
    if !plain.text.is_empty() && (html.marks.is_empty() || is_enough(html.unquoted())) {
        return plain;
    }
    let other = reply::trim(&html.text, &Context { html: html.marks.clone(), ..context });
    let is_better =
        !other.text.is_empty() && (plain.text.is_empty() || !is_enough(other.text.len()));
    if is_better { other } else { plain }
}

/// Does the work of [`reply()`] for a message of nobody, as an answer and as none, and forgets what
/// comes of it: a trial of the message.
pub fn rehearse(message: &InboundMessage) {
    let prefix = reply::subject_prefix(&message.subject);
    for scope in [Scope::Answer, Scope::Standalone] {
        let html = message.text_marks.clone();
        let context = Context { scope, prefix, html, ..Context::default() };
        let plain = reply::trim(&message.text, &context);
        std::hint::black_box(better(plain, message.html.as_ref(), context));
    }
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
        Prefix::PerhapsForward => reply(message, questions, Scope::Answer, &HashSet::new())
            .segments
            .iter()
            .any(|segment| segment.kind == SegmentKind::Forward),
        Prefix::None | Prefix::Reply => false,
    }
}

#[cfg(test)]
mod tests;
