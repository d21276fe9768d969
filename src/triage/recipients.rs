//! Whose addresses a message goes to: ours, or somebody else's (M-35, M-72, C-13).

use std::collections::BTreeSet;

use super::facts::Facts;
use super::policy::Policy;
use super::sender;
use crate::mail::address::PlusTag;
use crate::mail::{Address, AddressKey, InboundMessage};

/// The configuration key behind which addresses are ours: a step that names it says that no
/// recipient of the message was (M-72).
pub const UNKNOWN_KEY: &str = "mailbox.aliases";

/// Fields that name whom somebody sent a message on to, unchanged.
const RESENT: [&str; 3] = ["Resent-To", "Resent-Cc", "Resent-Bcc"];

/// Whether `address`, with any `+tag`, is one of ours (M-35).
pub fn is_own(address: &Address, policy: &Policy) -> bool {
    policy.own.contains(&address.key(PlusTag::Strip))
}

/// As [`is_own`], for what stands where an address should be.
pub fn is_own_written(written: &str, policy: &Policy) -> bool {
    Address::parse(written).is_ok_and(|address| is_own(&address, policy))
}

/// Whether we are in To, Cc or a field of the delivery (M-72, C-13).
pub fn is_addressed_to_us(message: &InboundMessage, policy: &Policy) -> bool {
    written(message).any(|written| is_own_written(written, policy))
}

/// The keys of the addresses that a message says it was sent to, each once (M-72).
pub fn keys_of(message: &InboundMessage) -> BTreeSet<AddressKey> {
    written(message).filter_map(sender::good).map(|good| good.key(PlusTag::Strip)).collect()
}

/// Whether the message arrived too long ago to earn an automatic mail (C-11, M-72).
pub fn is_old(facts: &Facts, policy: &Policy) -> bool {
    facts.now.duration_since(facts.arrived_at) > policy.credentials.max_age
}

/// Everything that stands where a recipient's address should.
fn written(message: &InboundMessage) -> impl Iterator<Item = &str> {
    let delivered = message.delivered_to.iter().map(String::as_str);
    let named = message.to.iter().chain(&message.cc).map(|to| to.address.as_str());
    let resent = RESENT.into_iter().flat_map(|name| sender::values(message, name));
    delivered.chain(named).chain(resent.flat_map(addresses))
}

/// The words of a field's value that may be addresses.
pub(super) fn addresses(value: &str) -> impl Iterator<Item = &str> {
    let words = value.split(|c: char| c.is_whitespace() || ",;<>\"".contains(c));
    words.filter(|word| word.contains('@'))
}
