//! The cases E-90…E-101 of mail.md, the words of 6.2 client by client in each language, and what
//! must hold of any text.

mod attributions;
mod blocks;
mod cases;
mod forms;
mod properties;
mod signatures;

use super::{Context, Prefix, Reply, Scope, Sender, trim};

pub(super) fn answer() -> Context {
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

/// What a table of texts got wrong; all of it is told, not only the first.
#[derive(Default)]
struct Misses(Vec<String>);

impl Misses {
    fn see(&mut self, text: &str, expected: &str) {
        let reply = cut(text).text;
        if reply != expected {
            self.0.push(format!("of\n{text}\nstays\n{reply}\n"));
        }
    }

    #[track_caller]
    fn none(self) {
        assert!(self.0.is_empty(), "{} wrong\n\n{}", self.0.len(), self.0.join("\n"));
    }
}
