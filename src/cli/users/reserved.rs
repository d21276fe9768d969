//! Addresses that are no user's: they get no credentials by mail (C-08), and a user of such an address
//! would be a door that somebody else holds the key of.

use crate::mail::address::local_part;
use crate::mail::{Address, AddressKey};
use crate::triage::policy::Policy;
use crate::triage::recipients;

/// Why no user is made of this address; `None` when one may be.
pub(in crate::cli) fn reserved(
    address: &Address,
    key: &AddressKey,
    policy: &Policy,
) -> Option<String> {
    let (whose, hint) = if recipients::is_own(address, policy) {
        ("an address of one of our mailboxes", "who writes to it is a user, not the mailbox")
    } else if policy.agents.contains_key(key) {
        (
            "the address of an agent",
            "agents work from their mailbox; to make them a user, take out their `[[agent]]`",
        )
    } else if local_part::is_robot(address.local()) {
        ("an address that nobody reads", "write the address of a person")
    } else {
        return None;
    };
    Some(format!("`{address}` cannot be a user's: it is {whose}\nhint: {hint}"))
}
