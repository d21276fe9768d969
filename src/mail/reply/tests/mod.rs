//! The cases E-90…E-101 of mail.md, the words of 6.2 language by language, and what must hold of
//! any text.

mod cases;
mod languages;
mod properties;

use super::{Context, Prefix, Reply, Scope, Sender, trim};

fn answer() -> Context {
    Context {
        scope: Scope::Answer,
        prefix: Prefix::Reply,
        sender: Sender {
            name: "Claire Johnson".to_owned(),
            address: "claire.johnson@customer.example".to_owned(),
        },
        ..Context::default()
    }
}

fn cut(text: &str) -> Reply {
    trim(text, &answer())
}

#[track_caller]
fn assert_whole(text: &str) {
    let reply = cut(text);
    assert_eq!(reply.text, text.trim_end(), "something was folded: {:#?}", reply.segments);
    assert_eq!(reply.visible, text.trim_end());
}
