//! The mail by which a mailbox shows whether `+tags` of its address arrive (M-57): from the mailbox
//! to itself, at a tagged address. Whoever takes it in knows it by its mark.

use jiff::Timestamp;

use super::render::{self, RenderedMail};
use super::{SenderOptions, Unwritable};
use crate::clock::Ids;
use crate::mail::Address;
use crate::triage::keys::SigningKey;

/// The probe of the mailbox of this name, in whose name `sender` writes, sent now.
pub fn probe(
    mailbox: &str,
    sender: &SenderOptions,
    key: &SigningKey,
    ids: &Ids,
    now: Timestamp,
) -> Result<RenderedMail, Unwritable> {
    let unusable = |why: &str| Unwritable::Address {
        address: sender.mailbox_address.clone(),
        why: why.to_owned(),
    };
    let address = Address::parse(&sender.mailbox_address).map_err(|error| unusable(error.why))?;
    let to = key
        .reply_address(0, &address)
        .ok_or_else(|| unusable("its local part is too long for a tag, or not ASCII"))?;
    let probe = render::Probe {
        mailbox,
        from: sender,
        to: &to.to_string(),
        message_id: format!("{}@{}", ids.uuid(), address.domain()),
        mark: Some(key.probe_mark(&address, now.as_second())),
    };
    render::probe(&probe, now)
}

/// A few words from the mailbox of this name to somebody else, to see whether they arrive.
pub fn greeting(
    mailbox: &str,
    sender: &SenderOptions,
    to: &str,
    ids: &Ids,
    now: Timestamp,
) -> Result<RenderedMail, Unwritable> {
    let domain = sender.mailbox_address.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    let message_id = format!("{}@{domain}", ids.uuid());
    render::probe(&render::Probe { mailbox, from: sender, to, message_id, mark: None }, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail;
    use crate::outbox::testing::{at, ids, options};
    use crate::triage::keys::{Keyring, Mark, Tag};

    #[test]
    fn m_57_a_probe_goes_to_a_tagged_address_of_its_own_mailbox() {
        let key = SigningKey::new('k', [3; 32]).expect("a key");
        let sender = &options().senders["support"];
        let mail = probe("support", sender, &key, &ids(), at(0)).expect("it can be written");
        let keys = Keyring::new(vec![key]);
        let to = Address::parse(&mail.to).expect("an address");
        let Some(Mark::Valid(tagged)) = keys.address(&to) else { panic!("a mark") };
        assert_eq!(tagged.tag, Tag::Reply { ticket: 0 });
        assert_eq!(mail.envelope_from.as_deref(), Some("support@help.example"));
        let read = mail::read(&mail.bytes).expect("it can be read");
        let mailbox = Address::parse("support@help.example").expect("an address");
        let sent_at = read.marks.values("Probe").find_map(|value| keys.probe(value, &mailbox));
        assert_eq!(sent_at, Some(at(0).as_second()));
        assert_eq!(read.from[0].address, "support@help.example");
    }

    #[test]
    fn a_greeting_to_somebody_else_bears_no_mark() {
        let sender = &options().senders["support"];
        let mail =
            greeting("support", sender, "anna@elsewhere.example", &ids(), at(0)).expect("written");
        assert_eq!(mail.to, "anna@elsewhere.example");
        let read = mail::read(&mail.bytes).expect("it can be read");
        assert_eq!(read.marks.values("Probe").count(), 0);
    }

    #[test]
    fn m_76_a_mailbox_with_a_long_name_cannot_be_probed() {
        let key = SigningKey::new('k', [3; 32]).expect("a key");
        let address = format!("{}@help.example", "s".repeat(40));
        let sender =
            SenderOptions { mailbox_address: address, ..options().senders["support"].clone() };
        let refused = probe("support", &sender, &key, &ids(), at(0)).expect_err("it is too long");
        assert!(refused.to_string().contains("too long for a tag"), "{refused}");
    }
}
