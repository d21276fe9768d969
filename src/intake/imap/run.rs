//! The life of a mailbox on a server: step after step until the house stops, with a pause after each
//! failure. Trouble is said once an episode, and its end too.

use std::time::Duration;

use jiff::SignedDuration;

use super::logins::pause;
use super::watch::ImapWatch;
use crate::clock::Next;
use crate::intake::IntakeError;

// After a refused login; nobody corrects a password sooner.
const LOGIN_PAUSE: SignedDuration = SignedDuration::from_mins(5);
// A house that stops does not wait for a server that does not.
const FAREWELL: Duration = Duration::from_secs(1);
// The same trouble is said again after so many failures in a row.
const SAY_AGAIN: u32 = 100;

/// The trouble a mailbox is in.
#[derive(Default)]
struct Episode {
    failures: u32,
    said: String,
}

impl ImapWatch {
    /// Steps until the house stops. What is in hand then is dropped where it is: the next start goes
    /// on from there.
    pub async fn run(&mut self) {
        let wake = self.wake.clone();
        tokio::select! {
            biased;
            () = wake.stopped() => {}
            () = self.keep_stepping() => {}
        }
        if let Some(session) = self.session.take() {
            let _ = tokio::time::timeout(FAREWELL, session.log_out()).await;
        }
    }

    async fn keep_stepping(&mut self) {
        let mut episode = Episode::default();
        loop {
            let pause = match self.step().await {
                Ok(next) => {
                    if self.is_at_work() {
                        self.recovered(&mut episode);
                    }
                    match next {
                        Next::At(time) => {
                            let left = time.duration_since(self.clock.now());
                            Some(Duration::try_from(left).unwrap_or(Duration::ZERO))
                        }
                        Next::Idle => None,
                        Next::Now => continue,
                    }
                }
                Err(error) => {
                    self.say(&mut episode, &error);
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

    fn say(&self, episode: &mut Episode, error: &IntakeError) {
        let said = error.to_string();
        if said != episode.said || episode.failures.is_multiple_of(SAY_AGAIN) {
            let name = &self.options.name;
            if error.is_temporary() {
                tracing::warn!(mailbox.name = %name, "{said}");
            } else {
                tracing::error!(mailbox.name = %name, "{said}");
            }
            episode.said = said;
        }
        episode.failures = episode.failures.saturating_add(1);
    }

    fn recovered(&self, episode: &mut Episode) {
        if episode.failures > 0 {
            let name = &self.options.name;
            tracing::info!(
                mailbox.name = %name,
                "the mailbox `{name}` works again, after {} failed attempts", episode.failures
            );
            *episode = Episode::default();
        }
    }
}
