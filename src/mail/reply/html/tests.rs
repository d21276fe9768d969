//! What each client's HTML leaves of an answer (M-100), and what must never be lost.

mod clients;
mod kept;
mod properties;

use crate::mail::html::to_text;
use crate::mail::reply::tests::answer;
use crate::mail::reply::{Context, Prefix, Reply, Scope, trim};

fn cut_as(html: &str, context: Context) -> Reply {
    let read = to_text(html);
    trim(&read.text, &Context { html: read.marks, ..context })
}

fn cut(html: &str) -> Reply {
    cut_as(html, answer())
}
