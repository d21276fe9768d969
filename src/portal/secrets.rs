//! Passwords: which may be chosen, and how they are kept and checked. Hashing is slow on purpose, so
//! it has threads of its own, no more than there are processors, and a queue that ends (T-27).

use std::sync::Arc;

use argon2::Version;
use argon2::password_hash::phc::PasswordHash;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use super::Trouble;
use crate::clock::Ids;
use crate::outbox::password;
use crate::outbox::secret::{Secret, is_temporary_shaped};

/// What somebody typed as a password: whole, in one way to write each character. Shows itself to
/// nobody.
#[derive(Clone)]
pub(super) struct Typed(Secret);

impl Typed {
    /// What was typed; accents are the same whichever keyboard they come from.
    pub(super) fn new(text: &str) -> Typed {
        Typed(Secret::of(text.nfc().collect()))
    }

    pub(super) fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// Whether it could be a temporary password of ours.
    pub(super) fn is_temporary_shaped(&self) -> bool {
        is_temporary_shaped(self.reveal())
    }

    // What is longer is no password that anybody could have chosen.
    fn is_too_long(&self) -> bool {
        self.reveal().len() > 4 * super::rules::LONGEST
    }
}

/// Hashes and checks passwords.
#[derive(Clone)]
pub(super) struct Hasher {
    turns: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    ids: Ids,
    /// What a password is checked against where there is none: it takes as long (T-21).
    nobodys: Arc<str>,
}

// How many wait for a turn; who comes then is asked to come again.
const QUEUE: usize = 64;

/// Which of the hashes that were asked about a password belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) hash: String,
    /// Whether it was made with less than is asked for now.
    pub(super) is_outdated: bool,
}

impl Hasher {
    pub(super) fn new(ids: &Ids) -> Hasher {
        let turns = std::thread::available_parallelism().map_or(1, usize::from);
        let nobodys = hash(ids, "nobody has this one");
        Hasher {
            turns: Arc::new(Semaphore::new(turns)),
            queue: Arc::new(Semaphore::new(QUEUE)),
            ids: ids.clone(),
            nobodys: nobodys.into(),
        }
    }

    /// The Argon2id string of a password.
    pub(super) async fn hash(&self, typed: &Typed) -> Result<String, Trouble> {
        let (ids, typed) = (self.ids.clone(), typed.clone());
        self.in_turn(move || hash(&ids, typed.reveal())).await
    }

    /// The hash of `hashes` that a password belongs to. Takes as long as `times` checks, whether
    /// there is one or not, and however few there are.
    pub(super) async fn find(
        &self,
        typed: &Typed,
        hashes: Vec<String>,
        times: usize,
    ) -> Result<Option<Match>, Trouble> {
        let (typed, nobodys) = (typed.clone(), self.nobodys.clone());
        self.in_turn(move || {
            let mut found = None;
            for n in 0..times.max(hashes.len()) {
                let hash = hashes.get(n).map_or(&*nobodys, String::as_str);
                let is_it = verify(&typed, hash);
                if is_it && n < hashes.len() && found.is_none() {
                    let is_outdated = is_outdated(hash);
                    found = Some(Match { hash: hash.to_owned(), is_outdated });
                }
            }
            found
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Trouble> {
        let place = self.queue.clone().try_acquire_owned().map_err(|_| Trouble::Busy)?;
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.expect("nobody closes the semaphore");
        let worked = tokio::task::spawn_blocking(move || {
            let result = work();
            drop((turn, place));
            result
        });
        worked.await.map_err(|panic| Trouble::Broken(panic.to_string()))
    }
}

fn hash(ids: &Ids, password: &str) -> String {
    password::hash(password, &ids.secret::<16>())
}

// Of a hash that does not read nobody has the password; it takes as long all the same.
fn verify(typed: &Typed, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    let text = if typed.is_too_long() { "" } else { typed.reveal() };
    password::is_of(text, &hash) && !typed.is_too_long()
}

fn is_outdated(hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    let (hasher, least) = (password::hasher(), |name| hash.params.get_decimal(name).unwrap_or(0));
    let wanted = hasher.params();
    hash.algorithm.as_str() != "argon2id"
        || hash.version.unwrap_or(0) < Version::V0x13 as u32
        || least("m") < wanted.m_cost()
        || least("t") < wanted.t_cost()
        || least("p") < wanted.p_cost()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::clock::{SeededChance, SetClock};
    use crate::outbox::secret::temporary_password;

    fn ids() -> Ids {
        let clock = Arc::new(SetClock::at(Timestamp::UNIX_EPOCH));
        Ids::new(clock, Arc::new(SeededChance::new(1)))
    }

    fn on_runtime<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(work)
    }

    #[test]
    fn a_password_is_found_among_hashes_and_nobodys_is_not_one() {
        on_runtime(async {
            let hasher = Hasher::new(&ids());
            let typed = Typed::new("pâte à modeler verte");
            let hash = hasher.hash(&typed).await.expect("hashed");
            assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
            // The same accents by another keyboard.
            let other = Typed::new("pa\u{302}te a\u{300} modeler verte");
            let found = hasher.find(&other, vec!["$bad".to_owned(), hash.clone()], 1).await;
            let found = found.expect("checked").expect("found");
            assert_eq!(found, Match { hash, is_outdated: false });
            for typed in ["", "nobody has this one", "pâte"] {
                let found = hasher.find(&Typed::new(typed), Vec::new(), 1).await.expect("checked");
                assert_eq!(found, None, "{typed}");
            }
        });
    }

    #[test]
    fn what_was_hashed_with_less_is_known() {
        let weak = "$argon2id$v=19$m=4096,t=2,p=1$c2FsdHNhbHRzYWx0$\
                    Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm8";
        assert!(is_outdated(weak));
        assert!(!is_outdated(&hash(&ids(), "whatever")));
        let minted = temporary_password(&ids());
        assert!(Typed::new(minted.secret.reveal()).is_temporary_shaped());
        assert!(!Typed::new("a password of mine").is_temporary_shaped());
    }
}
