//! What the configuration points at: maildirs, template folders, secrets, certificates. Looked at by `check` and
//! before `run`, not by commands that need none of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::check::nearest_place;
use super::environment::Environment;
use super::file::{File, Provider};
use super::problem::{Place, Problem};
use super::secret::Secret;
use super::settings::no_password;
use super::tree::Node;
use super::values::Misread;
use crate::net::{NetError, Trust};

/// Says what of the surroundings is not as `file` needs it.
pub fn inspect(file: &File, tree: &Node, environment: &Environment) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (i, mailbox) in file.mailbox.iter().enumerate() {
        let i = i.to_string();
        if mailbox.provider != Provider::Maildir && mailbox.password.is_none() {
            let place = nearest_place(tree, &["mailbox", &i, "address"]);
            problems.push(Problem::error(place, no_password(mailbox)));
        }
        if let (Provider::Maildir, Some(path)) = (mailbox.provider, &mailbox.path)
            && let Err(misread) = maildir(path)
        {
            let place = nearest_place(tree, &["mailbox", &i, "path"]);
            problems.push(Problem::error(place, misread));
        }
    }
    for (path, secret) in secrets(file) {
        let place = nearest_place(tree, &path.iter().map(String::as_str).collect::<Vec<_>>());
        problems.extend(of_secret(secret, place, environment));
    }
    for (path, ca_file) in ca_files(file) {
        if let Err(error) = Trust::load(Some(ca_file)) {
            let place = nearest_place(tree, &path.iter().map(String::as_str).collect::<Vec<_>>());
            problems.push(Problem::error(place, in_words(&error)));
        }
    }
    if let Some(node) = tree.at(&["templates", "dir"])
        && let Err(misread) = folder(&file.templates.dir, "the template folder")
    {
        problems.push(Problem::error(&node.place, misread));
    }
    if let Some(node) = tree.at(&["templates", "aliases"])
        && let Err(error) = fs::File::open(&file.templates.aliases)
    {
        let message =
            format!("the aliases `{}` cannot be read: {error}", file.templates.aliases.display());
        let hint = "write the file, or leave the key out";
        problems.push(Problem::error(&node.place, Misread::new(message, hint)));
    }
    problems
}

type At = Vec<String>;

fn at<const N: usize>(path: [&str; N]) -> At {
    path.map(str::to_owned).to_vec()
}

/// Every secret that is named, with its key.
fn secrets(file: &File) -> impl Iterator<Item = (At, &Secret)> {
    let general = [
        (at(["store", "password"]), &file.store.password),
        (at(["smtp", "password"]), &file.smtp.password),
    ];
    let of_mailboxes = file.mailbox.iter().enumerate().flat_map(|(i, mailbox)| {
        let i = i.to_string();
        [
            (at(["mailbox", &i, "password"]), &mailbox.password),
            (at(["mailbox", &i, "smtp", "password"]), &mailbox.smtp.password),
        ]
    });
    let all = general.into_iter().chain(of_mailboxes);
    all.filter_map(|(at, secret)| Some((at, secret.as_ref()?)))
}

/// Every file with certificates that is named, with its key.
fn ca_files(file: &File) -> impl Iterator<Item = (At, &PathBuf)> {
    let general = [
        (at(["store", "ca_file"]), &file.store.ca_file),
        (at(["smtp", "ca_file"]), &file.smtp.ca_file),
    ];
    let of_mailboxes = file.mailbox.iter().enumerate().flat_map(|(i, mailbox)| {
        let i = i.to_string();
        [
            (at(["mailbox", &i, "imap", "ca_file"]), &mailbox.imap.ca_file),
            (at(["mailbox", &i, "smtp", "ca_file"]), &mailbox.smtp.ca_file),
        ]
    });
    let all = general.into_iter().chain(of_mailboxes);
    all.filter_map(|(at, ca_file)| Some((at, ca_file.as_ref()?)))
}

fn of_secret(secret: &Secret, place: &Place, environment: &Environment) -> Option<Problem> {
    match secret.password(environment) {
        Ok((_, warning)) => warning.map(|misread| Problem::warning(place, misread)),
        // Only the service itself is given its credentials; an admin's shell is not.
        Err(misread)
            if matches!(secret, Secret::Credential(_))
                && environment.var("CREDENTIALS_DIRECTORY").is_none() =>
        {
            Some(Problem::warning(place, misread))
        }
        Err(misread) => Some(Problem::error(place, misread)),
    }
}

fn in_words(error: &NetError) -> Misread {
    let said = error.to_string();
    let (message, hint) = said.split_once("\nhint: ").unwrap_or((&said, "name another file"));
    Misread::new(message, hint)
}

fn maildir(path: &Path) -> Result<(), Misread> {
    folder(path, "the maildir")?;
    for inner in ["cur", "new"] {
        folder(&path.join(inner), "the maildir's folder")?;
    }
    Ok(())
}

fn folder(path: &Path, what: &str) -> Result<(), Misread> {
    let Err(error) = fs::read_dir(path) else { return Ok(()) };
    let hint = match error.kind() {
        io::ErrorKind::NotFound => {
            "make it, or correct the path; a relative one starts from the folder of the file \
             that names it"
        }
        io::ErrorKind::PermissionDenied => "let the user guichet runs as read it",
        io::ErrorKind::NotADirectory => "name the folder, not a file",
        _ => "see that it is a folder that can be read",
    };
    Err(Misread::new(format!("{what} `{}` cannot be read: {error}", path.display()), hint))
}
