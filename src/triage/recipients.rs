//! Whose addresses a message goes to: ours, or somebody else's (M-35, M-72, C-13).

use super::facts::Facts;
use super::policy::Policy;
use crate::mail::address::PlusTag;
use crate::mail::{Address, InboundMessage};

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
    let delivered = message.delivered_to.iter().map(String::as_str);
    let written = message.to.iter().chain(&message.cc).map(|to| to.address.as_str());
    delivered.chain(written).any(|written| is_own_written(written, policy))
}

/// Whether the message arrived too long ago to earn an automatic mail (C-11, M-72).
pub fn is_old(facts: &Facts, policy: &Policy) -> bool {
    facts.now.duration_since(facts.arrived_at) > policy.credentials.max_age
}
