//! What opens an account: minted for one attempt to send one mail, never stored, never shown. The
//! store gets the hash; everything else gets `[redacted]` (T-22, T-25, T-26).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::password;
use crate::clock::Ids;

/// What stands in the place of a secret wherever people or programs may look.
pub const REDACTED: &str = "[redacted]";

// Five bits a character; without `l` and `o`, `0` and `1`, which people mistake for each other.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const PASSWORD_LENGTH: usize = 16;

/// A text that shows as `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// What somebody typed who keeps it to themselves.
    pub fn of(text: String) -> Secret {
        Secret(text)
    }

    /// The secret itself: for the mail it is minted for, and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The same secret as part of a longer text, such as a link.
    pub fn after(&self, prefix: &str) -> Secret {
        Secret(format!("{prefix}{}", self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// A secret just minted, and what the store may keep of it.
#[derive(Debug)]
pub struct Minted {
    pub secret: Secret,
    pub hash: String,
    /// By which it is found when it comes back, where `hash` does not do (T-22).
    pub sha256: Option<String>,
}

/// The token of an activation link: 32 random bytes in base64url. Its hash is the SHA-256 of the
/// token as written in the link, in hex.
pub fn activation_token(ids: &Ids) -> Minted {
    let token = URL_SAFE_NO_PAD.encode(ids.secret::<32>());
    let hash = sha256(&token);
    Minted { secret: Secret(token), hash, sha256: None }
}

/// A temporary password: 80 random bits in 16 characters. Its hash is an Argon2id string; its
/// SHA-256 is safe beside it, as nobody tries 80 random bits.
pub fn temporary_password(ids: &Ids) -> Minted {
    let password: String = ids
        .secret::<PASSWORD_LENGTH>()
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect();
    let hash = password::hash(&password, &ids.secret::<16>());
    let sha256 = Some(sha256(&password));
    Minted { secret: Secret(password), hash, sha256 }
}

fn sha256(secret: &str) -> String {
    Sha256::digest(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text could be a temporary password of ours.
pub fn is_temporary_shaped(text: &str) -> bool {
    text.len() == PASSWORD_LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use argon2::password_hash::phc::PasswordHash;
    use jiff::Timestamp;

    use super::*;
    use crate::clock::{SetClock, SystemChance};

    fn ids() -> Ids {
        Ids::new(Arc::new(SetClock::at(Timestamp::UNIX_EPOCH)), Arc::new(SystemChance))
    }

    #[test]
    fn t_25_a_token_is_32_bytes_of_chance_and_its_hash_finds_it() {
        let (one, other) = (activation_token(&ids()), activation_token(&ids()));
        assert_ne!(one.secret, other.secret);
        assert_eq!(URL_SAFE_NO_PAD.decode(one.secret.reveal()).expect("base64url").len(), 32);
        assert_eq!(one.hash.len(), 64);
    }

    #[test]
    fn a_temporary_password_is_16_plain_characters_and_verifies() {
        let minted = temporary_password(&ids());
        let password = minted.secret.reveal();
        assert_eq!(password.len(), 16);
        assert!(password.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert!(minted.hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", minted.hash);
        let hash = PasswordHash::new(&minted.hash).expect("a PHC string");
        assert!(password::is_of(minted.secret.reveal(), &hash));
        assert!(!password::is_of("another", &hash));
    }

    #[test]
    fn t_26_a_secret_shows_itself_to_nobody() {
        let minted = activation_token(&ids());
        let link = minted.secret.after("https://help.example/portal/activate/");
        for shown in [format!("{minted:?}"), format!("{link}"), format!("{link:?}")] {
            assert!(!shown.contains(minted.secret.reveal()), "{shown}");
        }
        assert_eq!(link.to_string(), REDACTED);
    }
}
