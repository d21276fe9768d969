//! How many of something one of many has at a time: the connections of an address, the searches and
//! downloads of a user, the logins of a source. Nobody takes all there is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

// Between two looks whether something was given back.
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

/// Who has how many.
#[derive(Clone)]
pub(super) struct Shares<K: Ord + Clone> {
    taken: Arc<Mutex<BTreeMap<K, usize>>>,
    most: usize,
}

/// One of them, until it is dropped.
pub(super) struct Share<K: Ord + Clone> {
    of: Shares<K>,
    key: K,
}

impl<K: Ord + Clone> Shares<K> {
    /// So many at most for each.
    pub(super) fn of(most: usize) -> Shares<K> {
        Shares { taken: Arc::new(Mutex::new(BTreeMap::new())), most }
    }

    /// One more for this one, unless they have all that they may.
    pub(super) fn take(&self, key: &K) -> Option<Share<K>> {
        let mut taken = self.taken();
        let count = taken.entry(key.clone()).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Share { of: self.clone(), key: key.clone() })
    }

    /// The same, as soon as there is one within this time.
    pub(super) async fn wait(&self, key: &K, patience: Duration) -> Option<Share<K>> {
        let waiting = async {
            loop {
                match self.take(key) {
                    Some(share) => return share,
                    None => tokio::time::sleep(BETWEEN_LOOKS).await,
                }
            }
        };
        tokio::time::timeout(patience, waiting).await.ok()
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<K, usize>> {
        self.taken.lock().expect("no holder of this lock panics")
    }
}

impl<K: Ord + Clone> Drop for Share<K> {
    fn drop(&mut self) {
        let mut taken = self.of.taken();
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shares;

    #[test]
    fn nobody_has_more_than_their_share_and_what_is_given_back_is_there_again() {
        let shares = Shares::of(2);
        let (one, other) = (shares.take(&"a"), shares.take(&"a"));
        assert!(one.is_some() && other.is_some());
        assert!(shares.take(&"a").is_none());
        assert!(shares.take(&"b").is_some(), "another has their own");
        drop(one);
        assert!(shares.take(&"a").is_some());
        drop(other);
        assert!(shares.taken().is_empty(), "nothing is kept of who has nothing");
    }
}
