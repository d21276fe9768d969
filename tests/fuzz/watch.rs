//! Watches over a target: an input that takes too long ends the run, and says which it was.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Even while nothing is checked, odd while an input is.
type Turn = AtomicU64;

/// One target under watch.
pub struct Watch {
    turn: Arc<Turn>,
    /// The input in hand, for who comes to look why the run ended.
    input: Arc<Mutex<Vec<u8>>>,
    /// Where it is kept, so that it outlives an abort.
    kept: Option<PathBuf>,
}

impl Watch {
    /// Ends the process when an input of `target` takes longer than `longest`.
    pub fn new(target: &'static str, longest: Duration, folder: Option<PathBuf>) -> Watch {
        let kept = folder.map(|folder| {
            fs::create_dir_all(&folder).expect("a folder for inputs");
            folder.join(target)
        });
        let watch = Watch { turn: Arc::default(), input: Arc::default(), kept };
        let (turn, input) = (watch.turn.clone(), watch.input.clone());
        std::thread::spawn(move || {
            loop {
                let before = turn.load(Ordering::SeqCst);
                std::thread::sleep(longest);
                if before % 2 == 1 && turn.load(Ordering::SeqCst) == before {
                    let path = std::env::temp_dir().join(format!("hang-{target}"));
                    let input = input.lock().unwrap_or_else(PoisonError::into_inner);
                    let _ = fs::write(&path, &*input);
                    eprintln!("an input of `{target}` hangs: {}", path.display());
                    std::process::abort();
                }
            }
        });
        watch
    }

    /// Watches the check of `input` until what is returned is dropped, be it by a panic.
    pub fn begins(&self, input: &[u8]) -> Turning<'_> {
        let mut kept = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clear();
        kept.extend_from_slice(input);
        if let Some(path) = &self.kept {
            fs::write(path, input).expect("the input is kept");
        }
        self.turn.fetch_add(1, Ordering::SeqCst);
        Turning(&self.turn)
    }

    /// Inputs so far.
    pub fn count(&self) -> u64 {
        self.turn.load(Ordering::SeqCst) / 2
    }
}

/// An input that is being checked.
pub struct Turning<'a>(&'a Turn);

impl Drop for Turning<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
