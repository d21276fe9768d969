//! The signing keys and the marks that they vouch for (M-73…M-77): ids, addresses and tokens of ours
//! that lead an answer back to its ticket, whatever a mail program did to the rest. What a mark says
//! counts only with its MAC; without it, it is somebody's text.

mod form;
#[cfg(test)]
mod tests;

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::mail::address::PlusTag;
use crate::mail::{Address, AddressKey, MessageId};

/// The longest local part (RFC 5321 §4.5.3.1.1): a longer one carries no mark (M-76).
const LOCAL_PART_LIMIT: usize = 64;

/// One key: 32 random bytes, named by one character (M-73).
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    id: char,
    secret: [u8; 32],
}

/// All keys, the newest first: that one signs, all of them verify (M-73).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyring(Vec<SigningKey>);

/// What stands where a mark of ours would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark<T> {
    /// It has our form, and a MAC that no key of ours made.
    Forged,
    Valid(T),
}

/// What a Message-ID of ours says (M-74).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnId {
    /// 0 for a mail about no ticket.
    pub ticket: i64,
    /// The number in the outbox; 0 for the anchor of the ticket's thread.
    pub mail: i64,
}

/// An address of a mailbox of ours that carries a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedAddress {
    /// The mailbox, without the mark, in lower case.
    pub mailbox: AddressKey,
    pub tag: Tag,
}

/// What the mark of an address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tag {
    /// M-76b: answers of this agent, named by the hash of their address.
    Agent { ticket: i64, agent: String },
    /// M-76: bounces of this mail.
    Bounce { mail: i64 },
    /// M-75: answers about this ticket; 0 in a mail about none.
    Reply { ticket: i64 },
}

impl SigningKey {
    /// A key called `id`, one of a–z and 0–9.
    pub fn new(id: char, secret: [u8; 32]) -> Option<SigningKey> {
        form::is_key_id(id).then_some(SigningKey { id, secret })
    }

    /// The Message-ID of a mail (M-74), without brackets; `mail` 0 is the anchor of the ticket.
    pub fn message_id(&self, ticket: i64, mail: i64, domain: &str) -> String {
        let (domain, mail) = (domain.to_ascii_lowercase(), form::base36(mail));
        let mac = self.mac("id", &[&ticket.to_string(), &mail, &domain]);
        format!("g1{}.{ticket}.{mail}.{mac}@{domain}", self.id)
    }

    /// The address that answers about a ticket come to (M-75); `None` when it would be too long.
    pub fn reply_address(&self, ticket: i64, mailbox: &Address) -> Option<Address> {
        let mac = self.mac("reply", &[&ticket.to_string(), &canonical(mailbox)]);
        tagged(mailbox, &format!("r1{}-{ticket}-{mac}", self.id))
    }

    /// The address that an agent's answers about a ticket come to (M-76b); `None` when it would be too
    /// long.
    pub fn agent_address(
        &self,
        ticket: i64,
        agent: &AddressKey,
        mailbox: &Address,
    ) -> Option<Address> {
        let agent = agent_name(agent);
        let mac = self.mac("agent", &[&ticket.to_string(), &canonical(mailbox), &agent]);
        tagged(mailbox, &format!("a1{}-{ticket}-{agent}-{mac}", self.id))
    }

    /// The envelope sender of a mail (M-76); `None` when it would be too long.
    pub fn bounce_address(&self, mail: i64, mailbox: &Address) -> Option<Address> {
        let mail = form::base36(mail);
        let mac = self.mac("bounce", &[&mail, &canonical(mailbox)]);
        tagged(mailbox, &format!("b1{}-{mail}-{mac}", self.id))
    }

    /// The token in the text of mail about a ticket (M-77).
    pub fn body_token(&self, ticket: i64) -> String {
        format!("[g1{}-{ticket}-{}]", self.id, self.mac("body", &[&ticket.to_string()]))
    }

    /// What X-Guichet-Loop holds: nobody but this installation has the key (M-58).
    pub fn loop_mark(&self) -> String {
        format!("g1{}.{}", self.id, self.mac("loop", &[]))
    }

    /// What X-Guichet-Probe holds in a probe of a mailbox, sent at this unix second (M-57).
    pub fn probe_mark(&self, mailbox: &Address, second: i64) -> String {
        let mac = self.mac("probe", &[&second.to_string(), &canonical(mailbox)]);
        format!("g1{}.{second}.{mac}", self.id)
    }

    fn mac(&self, purpose: &str, fields: &[&str]) -> String {
        let full = self.hmac(purpose, fields).finalize().into_bytes();
        let first: [u8; form::MAC_BYTES] =
            full[..form::MAC_BYTES].try_into().expect("an HMAC-SHA-256 has 32 bytes");
        form::base32(&first)
    }

    /// In constant time.
    fn made(&self, mac: &[u8; form::MAC_BYTES], purpose: &str, fields: &[&str]) -> bool {
        self.hmac(purpose, fields).verify_truncated_left(mac).is_ok()
    }

    /// The purpose and the version are part of what is signed, so a mark of one kind is none of
    /// another (T-06). A field that may hold a `/` is the last one, or follows only fixed ones.
    fn hmac(&self, purpose: &str, fields: &[&str]) -> Hmac<Sha256> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("any length is a key");
        hmac.update(b"guichet/1/");
        hmac.update(purpose.as_bytes());
        for field in fields {
            hmac.update(b"/");
            hmac.update(field.as_bytes());
        }
        hmac
    }
}

/// Never shows the key itself.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

impl Keyring {
    /// The keys, newest first. Without any nothing is ever valid.
    pub fn new(keys: Vec<SigningKey>) -> Keyring {
        Keyring(keys)
    }

    /// The key that signs.
    pub fn newest(&self) -> Option<&SigningKey> {
        self.0.first()
    }

    /// Reads a Message-ID; `None` when it has not our form (M-74).
    pub fn message_id(&self, id: &MessageId) -> Option<Mark<OwnId>> {
        let id = id.as_str().to_ascii_lowercase();
        let (left, domain) = id.split_once('@')?;
        let (key, rest) = form::versioned(left, "g1", '.')?;
        let [ticket, mail, mac] = form::fields(rest, '.')?;
        let own = OwnId { ticket: form::decimal(ticket)?, mail: form::from_base36(mail)? };
        self.judge(key, form::mac(mac)?, "id", &[ticket, mail, domain], own)
    }

    /// Reads an address; `None` when its tag has not our form (M-75, M-76, M-76b).
    pub fn address(&self, address: &Address) -> Option<Mark<TaggedAddress>> {
        let local = address.local().to_lowercase();
        let (mailbox, tag) = local.rsplit_once('+')?;
        if mailbox.is_empty() {
            return None;
        }
        let mailbox = format!("{mailbox}@{}", address.domain());
        let found = |tag| TaggedAddress { mailbox: AddressKey(mailbox.clone()), tag };
        if let Some((key, rest)) = form::versioned(tag, "r1", '-') {
            let [ticket, mac] = form::fields(rest, '-')?;
            let tag = Tag::Reply { ticket: form::decimal(ticket)? };
            return self.judge(key, form::mac(mac)?, "reply", &[ticket, &mailbox], found(tag));
        }
        if let Some((key, rest)) = form::versioned(tag, "b1", '-') {
            let [mail, mac] = form::fields(rest, '-')?;
            let tag = Tag::Bounce { mail: form::from_base36(mail)? };
            return self.judge(key, form::mac(mac)?, "bounce", &[mail, &mailbox], found(tag));
        }
        let (key, rest) = form::versioned(tag, "a1", '-')?;
        let [ticket, agent, mac] = form::fields(rest, '-')?;
        let named = form::is_agent(agent).then(|| agent.to_owned())?;
        let tag = Tag::Agent { ticket: form::decimal(ticket)?, agent: named };
        self.judge(key, form::mac(mac)?, "agent", &[ticket, &mailbox, agent], found(tag))
    }

    /// Reads a body token, brackets and all, and answers its ticket (M-77).
    pub fn body_token(&self, token: &str) -> Option<Mark<i64>> {
        let token = token.to_ascii_lowercase();
        let inner = token.strip_prefix('[')?.strip_suffix(']')?;
        let (key, rest) = form::versioned(inner, "g1", '-')?;
        let [ticket, mac] = form::fields(rest, '-')?;
        self.judge(key, form::mac(mac)?, "body", &[ticket], form::decimal(ticket)?)
    }

    /// Whether X-Guichet-Loop names this installation (M-58).
    pub fn is_own_loop(&self, value: &str) -> bool {
        let value = value.trim().to_ascii_lowercase();
        let read = || {
            let (key, mac) = form::versioned(&value, "g1", '.')?;
            self.judge(key, form::mac(mac)?, "loop", &[], ())
        };
        read() == Some(Mark::Valid(()))
    }

    /// When a probe of this mailbox was sent, in unix seconds; `None` when the value is no mark of
    /// ours (M-57).
    pub fn probe(&self, value: &str, mailbox: &Address) -> Option<i64> {
        let value = value.trim().to_ascii_lowercase();
        let (key, rest) = form::versioned(&value, "g1", '.')?;
        let [second, mac] = form::fields(rest, '.')?;
        let sent_at = form::decimal(second)?;
        let fields = [second, &canonical(mailbox)];
        match self.judge(key, form::mac(mac)?, "probe", &fields, sent_at)? {
            Mark::Forged => None,
            Mark::Valid(sent_at) => Some(sent_at),
        }
    }

    /// Several keys may share a name: one of them made the MAC, or none did.
    fn judge<T>(
        &self,
        key: char,
        mac: [u8; form::MAC_BYTES],
        purpose: &str,
        fields: &[&str],
        said: T,
    ) -> Option<Mark<T>> {
        let mut named = self.0.iter().filter(|known| known.id == key);
        let is_ours = named.any(|known| known.made(&mac, purpose, fields));
        Some(if is_ours { Mark::Valid(said) } else { Mark::Forged })
    }
}

/// How the mark of an address names an agent: by a hash of theirs (M-76b).
pub fn agent_name(agent: &AddressKey) -> String {
    form::agent(&Sha256::digest(agent.as_str().as_bytes()).into())
}

/// The address as it is signed: with its own tag, in lower case.
fn canonical(mailbox: &Address) -> String {
    mailbox.key(PlusTag::Keep).0
}

fn tagged(mailbox: &Address, tag: &str) -> Option<Address> {
    let local = mailbox.local();
    if !local.is_ascii() || local.len() + 1 + tag.len() > LOCAL_PART_LIMIT {
        return None;
    }
    Address::parse(&format!("{local}+{tag}@{}", mailbox.domain())).ok()
}
