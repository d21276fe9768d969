//! Says what must be known to decide about a message.

use std::collections::HashSet;

use super::facts::{Door, FoundIn, Questions, Reference, Signed, SignedTicket, TicketEvidence};
use super::keys::Keyring;
use super::policy::Policy;
use super::tag::Tag;
use super::{forwarded, known, sender, signed, sites, text, verified};
use crate::mail::reply::Scope;
use crate::mail::{Dmarc, InboundMessage, MessageId};

/// Ids looked up at most of In-Reply-To and References together (M-79).
const REFERENCES: usize = 50;

/// Ids whose left sides are looked up too (M-82): an answer names the mail that it answers last.
const RELAY_IDS: usize = 8;

/// What must be known to decide about `message`, which came in by `door`. What came in otherwise than
/// by mail was put together by ourselves: nothing in it but who and whom it names is looked at, as
/// its words are somebody's (T-46).
pub fn ask_at(
    door: &Door,
    message: &InboundMessage,
    mailbox: &str,
    policy: &Policy,
    keys: &Keyring,
) -> Questions {
    let evidence = match door {
        Door::Mail => return ask(message, mailbox, policy, keys),
        Door::Portal { .. } => TicketEvidence::Portal,
        Door::Staff { .. } => TicketEvidence::Staff,
    };
    let given = door.ticket().map(|number| SignedTicket { number, evidence });
    let signed = Signed { tickets: given.into_iter().collect(), ..Signed::default() };
    let mut questions = Questions {
        mailbox: mailbox.to_owned(),
        door: door.clone(),
        default_site: sites::default_site(mailbox, policy).to_owned(),
        content_hash: message.content_hash,
        message_id: message.message_id.clone(),
        sender: sender::written_by_us(message, policy),
        references: Vec::new(),
        tagged: Vec::new(),
        site_domains: Vec::new(),
        signed,
        is_of_staff: matches!(door, Door::Staff { .. }),
        dmarc: Dmarc::Unknown,
        forwarded: None,
        limits: policy.limits.clone(),
        reply: None,
        secrets: message.secret_hashes.clone(),
        known: Vec::new(),
    };
    questions.site_domains = site_domains(&questions, policy);
    questions.known = known::of(message, &text::whole(message));
    questions
}

/// What must be known to decide about `message`, which came to `mailbox`; `keys` verify what is
/// signed.
pub fn ask(message: &InboundMessage, mailbox: &str, policy: &Policy, keys: &Keyring) -> Questions {
    let sender = sender::resolve(message, policy);
    let signed = signed::read(message, &sender, policy, keys);
    let dmarc = verified::dmarc(message, mailbox, &sender, policy);
    let forwarded = forwarded::resolve(message, mailbox, &sender, &signed, &dmarc, policy);
    let is_of_staff = sender.known().is_some_and(|sender| policy.agents.contains_key(&sender.key));
    let mut questions = Questions {
        mailbox: mailbox.to_owned(),
        door: Door::Mail,
        default_site: sites::default_site(mailbox, policy).to_owned(),
        content_hash: message.content_hash,
        message_id: message.message_id.clone(),
        sender,
        references: references(message, policy),
        tagged: Tag::new(&policy.threading.subject_tag)
            .map(|tag| tag.numbers(&message.subject))
            .unwrap_or_default(),
        site_domains: Vec::new(),
        signed,
        is_of_staff,
        dmarc,
        forwarded,
        limits: policy.limits.clone(),
        reply: None,
        secrets: message.secret_hashes.clone(),
        known: Vec::new(),
    };
    questions.site_domains = site_domains(&questions, policy);
    let (scope, reply) = text::trimmed(message, &questions, Scope::Standalone, &HashSet::new());
    questions.known = known::of(message, &reply);
    questions.reply = Some((scope, reply));
    questions
}

fn site_domains(questions: &Questions, policy: &Policy) -> Vec<String> {
    let requester = questions.requester();
    requester
        .map(|requester| sites::site_domains(requester.address.domain(), policy))
        .unwrap_or_default()
}

/// M-79 V4, M-83b: the message's own id, what it answers, what it names from the newest back.
fn references(message: &InboundMessage, policy: &Policy) -> Vec<Reference> {
    let mut references: Vec<Reference> = Vec::new();
    let mut add = |id: &MessageId, found_in| {
        if references.len() <= REFERENCES && !references.iter().any(|known| known.id == *id) {
            references.push(Reference { id: id.clone(), found_in });
        }
    };
    add(&message.message_id, FoundIn::OwnId);
    for id in &message.in_reply_to {
        add(id, FoundIn::InReplyTo);
    }
    if policy.threading.use_references {
        for id in message.references.iter().rev() {
            add(id, FoundIn::References);
        }
    }
    let named = references.iter().filter(|reference| reference.found_in != FoundIn::OwnId);
    let relayed: Vec<MessageId> =
        named.take(RELAY_IDS).filter_map(|reference| signed::relay_id(&reference.id)).collect();
    let relayed = relayed.into_iter().map(|id| Reference { id, found_in: FoundIn::RelayId });
    references.extend(relayed);
    references
}

/// Whether an Action of RFC 3464 says that the mail went on (M-59).
pub fn was_delivered(action: Option<&str>) -> bool {
    action.is_some_and(|action| {
        ["deliverable", "delivered", "expanded", "relayed"]
            .iter()
            .any(|good| good.eq_ignore_ascii_case(action))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Bounce, BouncedRecipient, MachineReport};
    use crate::triage::facts::Bounced;
    use crate::triage::samples::*;

    fn ids(asked: &[Reference]) -> Vec<(&str, FoundIn)> {
        asked.iter().map(|reference| (reference.id.as_str(), reference.found_in)).collect()
    }

    #[test]
    fn m_79_own_id_then_answers_then_references_from_the_newest() {
        let message = InboundMessage {
            message_id: id("own@x"),
            in_reply_to: vec![id("parent@x"), id("other@x")],
            references: vec![id("root@x"), id("middle@x"), id("parent@x")],
            ..mail_from(CLAIRE)
        };
        assert_eq!(
            ids(&ask(&message, MAILBOX, &policy(), &keys()).references),
            [
                ("own@x", FoundIn::OwnId),
                ("parent@x", FoundIn::InReplyTo),
                ("other@x", FoundIn::InReplyTo),
                ("middle@x", FoundIn::References),
                ("root@x", FoundIn::References),
            ]
        );
        let mut policy = policy();
        policy.threading.use_references = false;
        assert_eq!(ask(&message, MAILBOX, &policy, &keys()).references.len(), 3);
    }

    #[test]
    fn e_107_of_a_hundred_references_fifty_are_asked_for() {
        let references = (0..100).map(|n| id(&format!("{n}@x"))).collect();
        let message = InboundMessage { references, ..mail_from(CLAIRE) };
        let asked = ask(&message, MAILBOX, &policy(), &keys()).references;
        assert_eq!(asked.len(), 51);
        assert_eq!(asked[1].id.as_str(), "99@x");
    }

    #[test]
    fn m_82_the_left_side_of_an_id_that_a_relay_may_have_made_is_asked_for() {
        let message = InboundMessage {
            in_reply_to: vec![id("0102018f2d3c4b5a-000000@relay.example")],
            references: vec![id("short@relay.example"), id("g1k.7.5.a@helpdesk.example")],
            ..mail_from(CLAIRE)
        };
        let asked = ask(&message, MAILBOX, &policy(), &keys()).references;
        let relayed = asked.iter().filter(|asked| asked.found_in == FoundIn::RelayId);
        let relayed: Vec<&str> = relayed.map(|asked| asked.id.as_str()).collect();
        assert_eq!(relayed, ["0102018f2d3c4b5a-000000"]);
    }

    #[test]
    fn m_64_m_82_e_150_a_bounce_asks_by_its_address_and_by_every_id_that_it_names() {
        let envelope = key_of_ours().bounce_address(42, &address(DESK)).expect("it is short");
        let bounce = Bounce {
            original_message_id: Some(id("0102018f2d3c4b5a-000000@relay.example")),
            given_message_id: Some(id("ours@helpdesk.example")),
            ..Bounce::default()
        };
        let message = InboundMessage {
            in_reply_to: vec![id("answered@helpdesk.example")],
            to: vec![named(&envelope.to_string())],
            headers: vec![header("Original-Message-ID", "<original@helpdesk.example>")],
            report: Some(MachineReport::Bounce(bounce)),
            ..mail_from("somebody@far.example")
        };
        let bounced = ask(&message, MAILBOX, &policy(), &keys()).signed.bounced;
        let bounced = bounced.expect("it names mail of ours");
        assert_eq!(bounced.mail, Some(42));
        let ids: Vec<&str> = bounced.ids.iter().map(|id| id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "0102018f2d3c4b5a-000000@relay.example",
                "ours@helpdesk.example",
                "answered@helpdesk.example",
                "original@helpdesk.example",
            ]
        );
        assert_eq!(bounced.relay_ids, [id("0102018f2d3c4b5a-000000")]);
    }

    #[test]
    fn m_79_v5_tags_of_the_subject_are_asked_for() {
        let message =
            InboundMessage { subject: "Re: [#7] Printer".to_owned(), ..mail_from(CLAIRE) };
        assert_eq!(ask(&message, MAILBOX, &policy(), &keys()).tagged, [7]);
    }

    #[test]
    fn m_107_the_domains_of_the_sender_are_asked_for() {
        let ask_for = |from: &str| ask(&mail_from(from), MAILBOX, &policy(), &keys()).site_domains;
        assert_eq!(ask_for("a@it.myorg.example"), ["it.myorg.example", "myorg.example"]);
        assert!(ask_for("a@gmail.com").is_empty());
        assert!(ask_for("nobody").is_empty());
    }

    #[test]
    fn m_64_a_bounce_asks_for_the_mail_it_returns_and_who_did_not_get_it() {
        let recipient = |address: &str, action: &str| BouncedRecipient {
            address: address.to_owned(),
            action: Some(action.to_owned()),
            ..BouncedRecipient::default()
        };
        let bounce = Bounce {
            recipients: vec![
                recipient("Claire.Johnson+x@myorg.example", "failed"),
                recipient("b@myorg.example", "Delivered"),
            ],
            original_message_id: Some(id("ours@helpdesk.example")),
            given_message_id: None,
            evidence: Vec::new(),
        };
        let bounced = |bounce: Bounce| {
            let report = Some(MachineReport::Bounce(bounce));
            let message = InboundMessage { report, ..mail_from("mailer-daemon@x.example") };
            ask(&message, MAILBOX, &policy(), &keys()).signed.bounced
        };
        let expected = Bounced {
            ids: vec![id("ours@helpdesk.example")],
            recipients: vec![key(CLAIRE)],
            ..Bounced::default()
        };
        assert_eq!(bounced(bounce.clone()), Some(expected));
        assert_eq!(bounced(Bounce { original_message_id: None, ..bounce }), None);
    }
}
