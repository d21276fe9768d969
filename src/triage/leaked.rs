//! Takes secrets of ours out of a message that brings them back, before anything is decided or kept
//! of it (T-22, T-26). What was not known when the message was read, the store knows now.

use std::collections::HashSet;

use super::facts::Questions;
use super::{known, text};
use crate::mail::reply::Scope;
use crate::mail::{InboundMessage, links};

/// The message and its questions without the secrets that have these hashes; `None` when there are
/// none.
pub fn without_leaked(
    message: &InboundMessage,
    questions: &Questions,
    leaked: &[String],
) -> Option<(InboundMessage, Questions)> {
    if leaked.is_empty() {
        return None;
    }
    let mut message = message.clone();
    message.subject = links::without(&message.subject, leaked, &mut []);
    message.text = links::without(&message.text, leaked, &mut message.text_marks);
    if let Some(html) = &mut message.html {
        html.text = links::without(&html.text, leaked, &mut html.marks);
    }
    for field in &mut message.headers {
        field.value = links::without(&field.value, leaked, &mut []);
    }
    for name in message.from.iter_mut().filter_map(|from| from.name.as_mut()) {
        *name = links::without(name, leaked, &mut []);
    }
    // What was made of its text before is made again.
    let mut questions = Questions { reply: None, ..questions.clone() };
    let (_, reply) = text::trimmed(&message, &questions, Scope::Standalone, &HashSet::new());
    questions.known = known::of(&message, &reply);
    Some((message, questions))
}
