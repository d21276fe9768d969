//! The configuration from outside: every mistake is shown where it stands, all at once; the
//! generated files are what the types say; the shipped configurations load.

use std::fs;
use std::path::PathBuf;

use guichet::config::{Environment, Invalid, Loaded, Problem, Request, Severity, load};

mod commands;
mod generated;
mod merging;
mod mistakes;
mod servers;
mod settings;

/// A folder with configuration files in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Folder {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("writable");
            fs::write(path, text).expect("writable");
        }
        Folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn request(&self) -> Request {
        let path = Some(self.path("guichet.toml"));
        Request { path, set: Vec::new(), environment: Environment::empty() }
    }

    fn load(&self) -> Result<Loaded, Invalid> {
        load(&self.request())
    }
}

fn load_text(text: &str) -> Result<Loaded, Invalid> {
    Folder::with(&[("guichet.toml", text)]).load()
}

fn errors(invalid: &Invalid) -> Vec<&Problem> {
    let is_error = |problem: &&Problem| problem.severity == Severity::Error;
    invalid.problems.iter().filter(is_error).collect()
}

/// A mailbox that is in order, to stand after a snippet.
const MAILBOX: &str =
    "[[mailbox]]\naddress = \"support@example.com\"\nhost = \"mail.example.com\"\n";
