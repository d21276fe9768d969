//! Says once that an address has had enough automatic mail (T-16, E-141): a loop is one line of the
//! log, not one for each of its mails.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::triage::plan::Story;

/// The addresses that get no automatic mail for now.
#[derive(Default)]
pub(super) struct Brake {
    held: Mutex<BTreeSet<String>>,
}

// So that a flood cannot fill the memory; beyond it an address may be named again.
const HELD: usize = 10_000;
const KEY: &str = "limits.auto_mails_per_address";

impl Brake {
    /// Notes what was decided; gives the address to which mail was withheld, when it is the first
    /// since one went out.
    pub(super) fn note(&self, story: &Story) -> Option<String> {
        let mut held = self.held.lock().expect("no holder of this lock panics");
        let is_held = story.steps.iter().any(|step| step.key.as_deref() == Some(KEY));
        for mail in &story.outgoing {
            let to = mail.to.to_lowercase();
            if mail.withheld.is_none() {
                held.remove(&to);
            } else if is_held && !held.contains(&to) {
                if held.len() == HELD {
                    held.clear();
                }
                held.insert(to);
                return Some(mail.to.clone());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::Step;
    use crate::triage::plan::OutgoingStory;

    fn story(withheld: Option<&str>, key: &str) -> Story {
        let mail = OutgoingStory {
            template: "ticket_received".to_owned(),
            to: "Claire@myorg.example".to_owned(),
            withheld: withheld.map(str::to_owned),
        };
        let step = Step { rule: "M-72".to_owned(), said: String::new(), key: Some(key.to_owned()) };
        Story { outgoing: vec![mail], steps: vec![step], ..Story::default() }
    }

    #[test]
    fn e_141_t_16_a_braked_address_is_named_once_until_mail_goes_out_again() {
        let brake = Brake::default();
        let braked = || brake.note(&story(Some("M-72"), KEY));
        assert_eq!(brake.note(&story(Some("M-72"), "mailbox.aliases")), None);
        assert_eq!(braked().as_deref(), Some("Claire@myorg.example"));
        assert_eq!((braked(), braked()), (None, None));
        assert_eq!(brake.note(&story(None, "credentials.send")), None);
        assert_eq!(braked().as_deref(), Some("Claire@myorg.example"));
    }
}
