//! The life of a mailbox on a server: step after step until the house stops, with a pause after each
//! failure. Trouble is said once an episode, and its end too.

use std::time::Duration;

use jiff::SignedDuration;

use super::logins::pause;
use super::watch::ImapWatch;
use crate::clock::Next;
use crate::intake::IntakeError;
use crate::intake::episode::Episode;

// After a refused login; nobody corrects a password sooner.
const LOGIN_PAUSE: SignedDuration = SignedDuration::from_mins(5);
// A house that stops does not wait for a server that does not.
const FAREWELL: Duration = Duration::from_secs(1);

impl ImapWatch {
    /// Steps until the house stops, or the store is broken. What is in hand then is dropped where it
    /// is: the next start goes on from there.
    pub async fn run(&mut self) -> Result<(), IntakeError> {
        let wake = self.wake.clone();
        let ended = tokio::select! {
            biased;
            () = wake.stopped() => Ok(()),
            broken = self.keep_stepping() => Err(broken),
        };
        if let Some(session) = self.session.take() {
            let _ = tokio::time::timeout(FAREWELL, session.log_out()).await;
        }
        ended
    }

    // Ends with a broken store alone.
    async fn keep_stepping(&mut self) -> IntakeError {
        let mut episode = Episode::default();
        loop {
            let stepped = self.step().await;
            if self.take_progress() {
                episode.works(&self.options.name);
            }
            let pause = match stepped {
                Ok(Next::At(time)) => {
                    let left = time.duration_since(self.clock.now());
                    let left = left.min(self.longest_rest());
                    Some(Duration::try_from(left).unwrap_or(Duration::ZERO))
                }
                Ok(Next::Idle) => None,
                Ok(Next::Now) => continue,
                Err(error) if error.is_of_a_broken_store() => return error,
                Err(error) => {
                    episode.failed(&self.options.name, &error);
                    // A bell is no reason to hurry.
                    let pause = match &error {
                        IntakeError::Imap { cause, .. } if cause.is_login_refused() => LOGIN_PAUSE,
                        _ => pause(episode.failures, &self.ids),
                    };
                    tokio::time::sleep(pause.unsigned_abs()).await;
                    continue;
                }
            };
            match pause {
                Some(pause) => {
                    // Whoever rings the bell ends the pause.
                    let _ = tokio::time::timeout(pause, self.wake.heard()).await;
                }
                None => self.wake.heard().await,
            }
        }
    }
}
