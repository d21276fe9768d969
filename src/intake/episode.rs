//! The trouble that a mailbox is in: said once while it stays the same, and so is its end.

use super::error::IntakeError;

// The same trouble is said again after so many failures in a row.
const SAY_AGAIN: u32 = 100;

/// Failures with no success between them.
#[derive(Default)]
pub(super) struct Episode {
    pub(super) failures: u32,
    said: String,
}

impl Episode {
    /// Notes that `mailbox` failed.
    pub(super) fn failed(&mut self, mailbox: &str, error: &IntakeError) {
        let said = error.to_string();
        if said != self.said || self.failures.is_multiple_of(SAY_AGAIN) {
            if error.is_temporary() {
                tracing::warn!(mailbox.name = %mailbox, "{said}");
            } else {
                tracing::error!(mailbox.name = %mailbox, "{said}");
            }
            self.said = said;
        }
        self.failures = self.failures.saturating_add(1);
    }

    /// Notes that `mailbox` works.
    pub(super) fn works(&mut self, mailbox: &str) {
        if self.failures > 0 {
            tracing::info!(
                mailbox.name = %mailbox,
                "the mailbox `{mailbox}` works again, after {} failed attempts", self.failures
            );
            *self = Episode::default();
        }
    }
}
