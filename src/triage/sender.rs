//! Finds who wrote a message, as far as the message itself can say (mail.md section 2). Nothing is
//! guessed: what is no good address is nobody's.

use super::credentials::is_listed_form;
use super::facts::{Sender, SenderAnswer};
use super::policy::Policy;
use super::{names, recipients};
use crate::mail::{Address, AddressKey, Flag, InboundMessage, NamedAddress, ReturnPath};

/// Resolves the sender (M-34…M-42).
pub fn resolve(message: &InboundMessage, policy: &Policy) -> SenderAnswer {
    if has_different_from_fields(message) {
        return nobody("the message has several From fields, and they name different senders");
    }
    if message.flags.contains(&Flag::GroupInFrom) {
        return nobody("From names a group, which is nobody's address");
    }
    let resolution = Resolution { message, policy };
    resolution
        .behind_form()
        .or_else(|| resolution.behind_list())
        .or_else(|| resolution.in_from())
        .or_else(|| resolution.fallback())
        .map_or_else(
            || nobody("no field of the message names a usable sender"),
            SenderAnswer::Known,
        )
}

/// Resolves the sender of what was not mailed, but put together by ourselves: who stands in From.
pub fn written_by_us(message: &InboundMessage, policy: &Policy) -> SenderAnswer {
    match (Resolution { message, policy }).in_from() {
        Some(sender) => SenderAnswer::Known(sender),
        None => nobody("whoever it is from has no address that mail can go to"),
    }
}

/// Whether From fields contradict one another (M-41, T-09).
pub fn has_different_from_fields(message: &InboundMessage) -> bool {
    values(message, "From").nth(1).is_some() && names_several(message)
}

/// Whether From names more than one address (M-41).
pub fn names_several(message: &InboundMessage) -> bool {
    let (first, others) = match message.from.split_first() {
        Some(split) if !split.1.is_empty() => split,
        _ => return false,
    };
    let spelling = |written: &NamedAddress| match good(&written.address) {
        Some(address) => address.to_string().to_lowercase(),
        None => written.address.trim().to_lowercase(),
    };
    let first = spelling(first);
    others.iter().any(|other| spelling(other) != first)
}

/// The values of every field called `name`, in the order written.
pub fn values<'a>(
    message: &'a InboundMessage,
    name: &'static str,
) -> impl Iterator<Item = &'a str> {
    let named = message.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    named.map(|header| header.value.as_str())
}

/// A usable address, if need be after the repairs of M-29.
pub fn good(written: &str) -> Option<Address> {
    Address::repaired(written).ok().map(|(address, _)| address)
}

/// What rewrote a message on its way through a list.
#[derive(Clone, Copy)]
enum ListSoftware {
    Google,
    Mailman,
}

struct Resolution<'a> {
    message: &'a InboundMessage,
    policy: &'a Policy,
}

impl Resolution<'_> {
    /// M-36: a web form that we trust names its writer in Reply-To.
    fn behind_form(&self) -> Option<Sender> {
        let from = self.message.from.first()?;
        let [reply_to] = self.message.reply_to.as_slice() else { return None };
        if !is_listed_form(&from.address, self.policy) {
            return None;
        }
        let address = self.not_ours(&reply_to.address)?;
        (!self.is_list(&address)).then(|| self.sender(address, reply_to.name.clone(), "reply-to"))
    }

    /// M-37…M-39: the person behind a list, when our mailbox sits behind that list. Whether an
    /// address that is not ours leads to us cannot be known, so only own addresses count.
    fn behind_list(&self) -> Option<Sender> {
        let message = self.message;
        let from = message.from.first()?;
        let software = self.list_software(from)?;
        let is_own = |address: &Address| recipients::is_own(address, self.policy);
        // Google names a group of ours nowhere but in From; Mailman names its list in fields.
        let group = match software {
            ListSoftware::Google => good(&from.address).filter(is_own),
            ListSoftware::Mailman => None,
        };
        if group.is_none() && !self.list_addresses().any(|list| is_own(&list)) {
            return None;
        }
        let written = |name| values(message, name).next().map(|value| (split_name(value), name));
        let from_field = Some((from.clone(), "From"));
        let candidates = match software {
            ListSoftware::Google => {
                [from_field, written("X-Original-From"), written("X-Original-Sender"), None]
            }
            ListSoftware::Mailman => {
                let reply_to = message.reply_to.first().map(|field| (field.clone(), "Reply-To"));
                [from_field, reply_to, written("X-Mailfrom"), written("X-Original-From")]
            }
        };
        let (address, name, field) =
            // An own address that is not the list's is taken too: our own mail came back (M-57).
            candidates.into_iter().flatten().find_map(|(named, field)| {
                let address = good(&named.address)?;
                let is_list = group.as_ref() == Some(&address) || self.is_list(&address);
                (!is_list).then_some((address, named.name, field))
            })?;
        let is_sender =
            |cc: &NamedAddress| good(&cc.address).is_some_and(|cc| self.are_one(&cc, &address));
        let in_cc = message.cc.iter().find(|cc| is_sender(cc)).and_then(|cc| cc.name.clone());
        let name = in_cc.or(name).or_else(|| from.name.clone());
        let name = name.map(|name| without_via(&name).to_owned());
        Some(Sender { relayed: true, ..self.sender(address, name, &field.to_ascii_lowercase()) })
    }

    fn list_software(&self, from: &NamedAddress) -> Option<ListSoftware> {
        let is_marked = |name| values(self.message, name).next().is_some();
        // Google writes X-BeenThere too, so its own mark goes first.
        if is_marked("X-Google-Group-Id") {
            return Some(ListSoftware::Google);
        }
        if is_marked("X-Mailman-Version")
            || good(&from.address).is_some_and(|from| self.is_list(&from))
        {
            return Some(ListSoftware::Mailman);
        }
        let name = from.name.as_deref()?;
        (without_via(name).len() < name.len()).then_some(ListSoftware::Google)
    }

    /// M-34, M-41: the first good address of From.
    fn in_from(&self) -> Option<Sender> {
        self.message
            .from
            .iter()
            .find_map(|from| Some(self.sender(good(&from.address)?, from.name.clone(), "from")))
    }

    /// M-42: From is of no use.
    fn fallback(&self) -> Option<Sender> {
        let message = self.message;
        let reply_to = message.reply_to.iter().map(|named| (named, "reply-to"));
        let sender = message.sender.iter().map(|named| (named, "sender"));
        let sender = reply_to.chain(sender).find_map(|(named, field)| {
            Some(self.sender(self.not_ours(&named.address)?, named.name.clone(), field))
        });
        let sender = sender.or_else(|| match &message.return_path {
            ReturnPath::Address(written) => {
                Some(self.sender(self.not_ours(written)?, None, "return-path"))
            }
            ReturnPath::Absent | ReturnPath::Null => None,
        })?;
        Some(Sender { fallback: true, ..sender })
    }

    fn not_ours(&self, written: &str) -> Option<Address> {
        good(written).filter(|address| !recipients::is_own(address, self.policy))
    }

    /// The addresses that the list, if one sent this, is written to.
    fn list_addresses(&self) -> impl Iterator<Item = Address> {
        let post = values(self.message, "List-Post").filter_map(|value| {
            let (_, mailto) = value.split_once("mailto:")?;
            good(mailto.split(['>', '?', ',']).next()?)
        });
        post.chain(values(self.message, "X-BeenThere").filter_map(good))
    }

    fn is_list(&self, address: &Address) -> bool {
        self.list_addresses().any(|list| self.are_one(&list, address))
    }

    fn are_one(&self, one: &Address, other: &Address) -> bool {
        self.key(one) == self.key(other)
    }

    fn key(&self, address: &Address) -> AddressKey {
        address.key(names::plus_tag(&self.policy.users))
    }

    fn sender(&self, address: Address, name: Option<String>, field: &str) -> Sender {
        Sender {
            key: self.key(&address),
            address,
            name,
            evidence: format!("sender: {field}"),
            fallback: false,
            relayed: false,
        }
    }
}

fn nobody(why: &str) -> SenderAnswer {
    SenderAnswer::None { why: why.to_owned() }
}

/// The address and the name of a decoded field that holds one address.
fn split_name(value: &str) -> NamedAddress {
    match value.rsplit_once('<') {
        Some((name, address)) => {
            let name = name.trim().trim_matches('"').trim();
            NamedAddress {
                address: address.trim_end().trim_end_matches('>').to_owned(),
                name: (!name.is_empty()).then(|| name.to_owned()),
            }
        }
        None => NamedAddress { address: value.trim().to_owned(), name: None },
    }
}

/// M-38: the name without ` via X` and its quotes; unchanged when there is none.
fn without_via(name: &str) -> &str {
    match name.rfind(" via ") {
        Some(at) if at > 0 => name[..at].trim().trim_matches(['"', '\'']),
        _ => name,
    }
}

#[cfg(test)]
mod tests;
