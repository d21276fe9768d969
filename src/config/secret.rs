//! Secrets as the configuration names them: written out, or where to find them. Nothing here ever
//! prints one: `Debug` and `Serialize` give `***`, and only [`Secret::reveal`] gives the text.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::environment::Environment;
use super::values::Misread;
use crate::net::Password;

/// A secret: a string, or a table with the one key `file`, `credential` or `env`.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// A name below systemd's `$CREDENTIALS_DIRECTORY`.
    Credential(String),
    /// The name of an environment variable.
    Env(String),
    File(PathBuf),
    Literal(String),
}

impl Secret {
    /// What the one-key table with `key` says; the keys are [`Secret::KEYS`].
    pub fn from_table(key: &str, value: &str) -> Option<Secret> {
        match key {
            "credential" => Some(Secret::Credential(value.to_owned())),
            "env" => Some(Secret::Env(value.to_owned())),
            "file" => Some(Secret::File(PathBuf::from(value))),
            _ => None,
        }
    }

    /// The keys of the table form.
    pub const KEYS: [&str; 3] = ["credential", "env", "file"];

    /// Finds the secret. The trailing newline of a file is cut; a file that others may write is
    /// refused (T-48).
    pub fn reveal(&self, environment: &Environment) -> Result<Revealed, Misread> {
        match self {
            Secret::Credential(name) => match environment.var("CREDENTIALS_DIRECTORY") {
                Some(folder) => read(&Path::new(&folder).join(name)),
                None => Err(Misread::new(
                    format!(
                        "the credential `{name}` cannot be read: `$CREDENTIALS_DIRECTORY` is not set"
                    ),
                    "systemd sets it for a unit with `LoadCredential=`; \
                     elsewhere use `{ file = … }` or `{ env = … }`",
                )),
            },
            Secret::Env(name) => environment.var(name).map(Revealed::quiet).ok_or_else(|| {
                Misread::new(
                    format!("the environment variable `{name}` is not set"),
                    "set it for guichet, or use `{ file = … }`",
                )
            }),
            Secret::File(path) => read(path),
            Secret::Literal(text) => Ok(Revealed::quiet(text.clone())),
        }
    }
}

impl Secret {
    /// Finds the secret as a password for a login, which goes out on one line (T-45); answers it
    /// with what is unwise about where it was found.
    pub fn password(
        &self,
        environment: &Environment,
    ) -> Result<(Password, Option<Misread>), Misread> {
        let Revealed { text, warning } = self.reveal(environment)?;
        if text.is_empty() || text.contains(['\r', '\n', '\0']) {
            return Err(Misread::new(
                "the password is empty, or holds a line break or a NUL",
                "write the password alone, on one line",
            ));
        }
        Ok((Password::new(text), warning))
    }
}

/// A secret that was found.
pub struct Revealed {
    pub text: String,
    /// What is unwise about where it was found.
    pub warning: Option<Misread>,
}

impl Revealed {
    fn quiet(text: String) -> Revealed {
        Revealed { text, warning: None }
    }
}

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revealed").field("warning", &self.warning).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Revealed, Misread> {
    let shown = path.display();
    let unreadable = |error: io::Error| {
        Misread::new(
            format!("the secret file `{shown}` cannot be read: {error}"),
            "see that it exists and that the user guichet runs as may read it",
        )
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() > LONGEST_FILE {
        return Err(Misread::new(
            format!("the secret file `{shown}` is no file of at most {LONGEST_FILE} bytes"),
            "name a file that holds the secret and nothing else",
        ));
    }
    let mode = metadata.permissions().mode();
    if mode & 0o002 != 0 {
        return Err(Misread::new(
            format!("the secret file `{shown}` may be written by everybody"),
            format!("run `chmod 600 {shown}` and change the secret"),
        ));
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let mut text = String::from_utf8(bytes).map_err(|_| {
        Misread::new(
            format!("the secret file `{shown}` is not UTF-8 text"),
            "store the secret as text, without a byte order mark",
        )
    })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(Misread::new(
            format!("the secret file `{shown}` is empty"),
            "write the secret into it",
        ));
    }
    let warning = (mode & 0o004 != 0).then(|| {
        Misread::new(
            format!("the secret file `{shown}` may be read by everybody"),
            format!("run `chmod 600 {shown}`"),
        )
    });
    Ok(Revealed { text, warning })
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Credential(name) => write!(f, "Secret(credential `{name}`)"),
            Secret::Env(name) => write!(f, "Secret(env `{name}`)"),
            Secret::File(path) => write!(f, "Secret(file `{}`)", path.display()),
            Secret::Literal(_) => f.write_str("Secret(***)"),
        }
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

// By hand: an untagged enum would answer every mistake with `data did not match any variant`.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or a table with the one key `file`, `credential` or `env`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::Literal(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
        let (key, value) = map
            .next_entry::<String, String>()?
            .ok_or_else(|| A::Error::custom("a secret names one of `file`, `credential`, `env`"))?;
        if map.next_key::<String>()?.is_some() {
            return Err(A::Error::custom("a secret has one key, not two"));
        }
        Secret::from_table(&key, &value)
            .ok_or_else(|| A::Error::unknown_field(&key, &["credential", "env", "file"]))
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "format": "guichet-secret",
            "oneOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": {
                        "credential": { "type": "string" },
                        "env": { "type": "string" },
                        "file": { "type": "string" },
                    },
                    "additionalProperties": false,
                    "minProperties": 1,
                    "maxProperties": 1,
                },
            ],
        })
    }
}

/// Larger is a mistake: a disk, a log.
const LONGEST_FILE: u64 = 65_536;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file_with(text: &str, mode: u32) -> (tempfile::TempDir, Secret) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("secret");
        fs::write(&path, text).expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("ours");
        (folder, Secret::File(path))
    }

    #[test]
    fn the_trailing_newline_of_a_file_is_cut_and_only_that() {
        for (written, meant) in [("a b\n", "a b"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a ")]
        {
            let (_folder, secret) = file_with(written, 0o600);
            let revealed = secret.reveal(&Environment::empty()).expect("readable");
            assert_eq!((revealed.text.as_str(), revealed.warning.is_some()), (meant, false));
        }
    }

    #[test]
    fn t_48_a_file_open_to_others_warns_and_one_they_may_write_is_refused() {
        let (_folder, secret) = file_with("x", 0o644);
        assert!(secret.reveal(&Environment::empty()).expect("readable").warning.is_some());
        let (_folder, secret) = file_with("x", 0o666);
        let refused = secret.reveal(&Environment::empty()).expect_err("refused");
        assert!(refused.message.contains("written by everybody"), "{refused:?}");
    }

    #[test]
    fn t_45_a_password_is_one_line() {
        for (written, is_good) in [("a b\n", true), ("a\r\nb\n", false), ("a\0", false)] {
            let (_folder, secret) = file_with(written, 0o600);
            assert_eq!(secret.password(&Environment::empty()).is_ok(), is_good, "{written:?}");
        }
        let set = Environment::of([("PW", "")]);
        assert!(Secret::Env("PW".into()).password(&set).is_err());
    }

    #[test]
    fn t_48_no_secret_is_printed() {
        let secret = Secret::Literal("hunter2".to_owned());
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(serde_json::to_string(&secret).expect("plain"), "\"***\"");
        let revealed = secret.reveal(&Environment::empty()).expect("literal");
        assert!(!format!("{revealed:?}").contains("hunter2"));
    }

    #[test]
    fn env_and_credential_come_from_the_environment_handed_in() {
        let environment = Environment::of([("PW", "x")]);
        assert_eq!(Secret::Env("PW".into()).reveal(&environment).expect("set").text, "x");
        assert!(Secret::Env("QW".into()).reveal(&environment).is_err());
        assert!(Secret::Credential("imap".into()).reveal(&environment).is_err());
    }
}
