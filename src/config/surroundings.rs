//! What the configuration points at: maildirs, template folders, secrets. Looked at by `check` and
//! before `run`, not by commands that need none of it.

use std::fs;
use std::io;
use std::path::Path;

use super::check::nearest_place;
use super::environment::Environment;
use super::file::{File, Provider};
use super::problem::Problem;
use super::secret::Secret;
use super::tree::Node;
use super::values::Misread;

/// Says what of the surroundings is not as `file` needs it.
pub fn inspect(file: &File, tree: &Node, environment: &Environment) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (i, mailbox) in file.mailbox.iter().enumerate() {
        let i = i.to_string();
        if let Some(secret) = &mailbox.password {
            let place = nearest_place(tree, &["mailbox", &i, "password"]);
            match secret.reveal(environment) {
                Ok(revealed) => {
                    problems
                        .extend(revealed.warning.map(|misread| Problem::warning(place, misread)));
                }
                // Only the service itself is given its credentials; an admin's shell is not.
                Err(misread)
                    if matches!(secret, Secret::Credential(_))
                        && environment.var("CREDENTIALS_DIRECTORY").is_none() =>
                {
                    problems.push(Problem::warning(place, misread));
                }
                Err(misread) => problems.push(Problem::error(place, misread)),
            }
        }
        // `replay` and `explain` read mail for it all the same, so it is no error; but `run` refuses.
        if mailbox.provider == Provider::Imap {
            let misread = Misread::new(
                "`run` cannot watch a mailbox on a mail server yet",
                "this release watches maildirs only: let a program such as getmail or mbsync \
                 deliver into one, and set `provider = \"maildir\"` and `path`",
            );
            let key = ["mailbox", &i, "provider"];
            let key = if tree.at(&key).is_some() { &key[..] } else { &key[..2] };
            problems.push(Problem::warning(nearest_place(tree, key), misread));
        }
        if let (Provider::Maildir, Some(path)) = (mailbox.provider, &mailbox.path)
            && let Err(misread) = maildir(path)
        {
            let place = nearest_place(tree, &["mailbox", &i, "path"]);
            problems.push(Problem::error(place, misread));
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
