//! The configurations of the simulation, loaded as a user's is, each once.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use guichet::config::{self, Environment, Request, Settings};

use super::outside::{FIRST_SERVER, RELAY};
use super::people::{AGENT, DESKS};
use super::support::account::{PASSWORD, USER};

/// What differs between configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Variant {
    pub after: After,
    pub limits: Limits,
    pub tags: Tags,
    /// Workers of each process.
    pub workers: usize,
}

/// `mailbox.after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum After {
    Delete,
    Flag,
    Keep,
    Move,
}

/// How much is taken in at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limits {
    Narrow,
    Usual,
}

/// Whether addresses of ours carry tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tags {
    Always,
    Auto,
}

/// The settings of a configuration.
pub fn settings(variant: Variant) -> Arc<Settings> {
    static LOADED: LazyLock<Mutex<HashMap<Variant, Arc<Settings>>>> = LazyLock::new(Mutex::default);
    let mut loaded = LOADED.lock().expect("no holder of this lock panics");
    loaded.entry(variant).or_insert_with(|| Arc::new(load(variant))).clone()
}

fn load(variant: Variant) -> Settings {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("guichet.toml");
    std::fs::write(&path, text(variant)).expect("the configuration is written");
    let request = Request { path: Some(path), set: Vec::new(), environment: Environment::empty() };
    let loaded = config::load(&request).unwrap_or_else(|why| panic!("{why}"));
    // A store of its own is made for each history, whatever the configuration says.
    Settings { workers: variant.workers, ..loaded.settings }
}

fn text(variant: Variant) -> String {
    let after = match variant.after {
        After::Delete => "after = \"delete\"",
        After::Flag => "after = \"flag\"",
        After::Keep => "after = \"keep\"",
        After::Move => "after = \"move\"\nmove_to = \"done\"",
    };
    let limits = match variant.limits {
        Limits::Narrow => "[limits]\nper_sender = \"3/h\"\nnew_users = \"2/h\"\n",
        Limits::Usual => "",
    };
    let (envelope, reply_address) = match variant.tags {
        Tags::Always => ("plus", "plus"),
        Tags::Auto => ("auto", "auto"),
    };
    let mut text = format!(
        "state = \"state\"\n[http]\nlisten = \"127.0.0.1:0\"\n[portal]\nurl = \"https://help.desk.example\"\n{limits}\
         [smtp]\nhost = \"127.0.0.1\"\nport = {RELAY}\ntls = \"none\"\nrate = \"off\"\n\
         envelope = \"{envelope}\"\n[threading]\nreply_address = \"{reply_address}\"\n\
         [[agent]]\nemail = \"{AGENT}\"\nnotify = []\n\
         [[site]]\nname = \"Acme\"\ndomains = [\"acme.example\"]\n\
         [[site]]\nname = \"Globex\"\ndomains = [\"globex.example\"]\n"
    );
    for (n, address) in (0..).zip(DESKS) {
        text.push_str(&format!(
            "[[mailbox]]\nname = \"desk{n}\"\naddress = \"{address}\"\nhost = \"127.0.0.1\"\n\
             username = \"{USER}\"\npassword = \"{PASSWORD}\"\nstart = \"all\"\n{after}\n\
             [mailbox.imap]\nport = {}\ntls = \"none\"\n",
            FIRST_SERVER + n
        ));
    }
    text
}
