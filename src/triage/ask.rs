//! Says what must be known to decide about a message.

use super::facts::{FoundIn, Questions, Reference, SenderAnswer};
use super::policy::Policy;
use super::tag::Tag;
use super::{sender, sites};
use crate::mail::{Address, AddressKey, InboundMessage, MachineReport, MessageId, PlusTag};

/// Ids looked up at most of In-Reply-To and References together (M-79).
const REFERENCES: usize = 50;

/// What must be known to decide about `message`, which came to `mailbox`.
pub fn ask(message: &InboundMessage, mailbox: &str, policy: &Policy) -> Questions {
    let sender = sender::resolve(message, policy);
    let site_domains = match &sender {
        SenderAnswer::Known(sender) => sites::site_domains(sender.address.domain(), policy),
        SenderAnswer::None { .. } => Vec::new(),
    };
    Questions {
        mailbox: mailbox.to_owned(),
        default_site: sites::default_site(mailbox, policy).to_owned(),
        content_hash: message.content_hash,
        message_id: message.message_id.clone(),
        sender,
        references: references(message, policy),
        tagged: Tag::new(&policy.threading.subject_tag)
            .map(|tag| tag.numbers(&message.subject))
            .unwrap_or_default(),
        site_domains,
        bounced: bounced(message),
        limits: policy.limits.clone(),
    }
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
    references
}

/// M-64: the id that a bounce returns, and to whom it could not be delivered. A mail of ours has 74
/// random bits in its id, so knowing one is evidence.
fn bounced(message: &InboundMessage) -> Option<(MessageId, Vec<AddressKey>)> {
    let Some(MachineReport::Bounce(bounce)) = &message.report else { return None };
    let original = bounce.original_message_id.clone()?;
    let recipients = bounce
        .recipients
        .iter()
        .filter(|recipient| !was_delivered(recipient.action.as_deref()))
        .filter_map(|recipient| Address::parse(&recipient.address).ok())
        .map(|address| address.key(PlusTag::Strip))
        .collect();
    Some((original, recipients))
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
    use crate::mail::{Bounce, BouncedRecipient};
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
            ids(&ask(&message, MAILBOX, &policy()).references),
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
        assert_eq!(ask(&message, MAILBOX, &policy).references.len(), 3);
    }

    #[test]
    fn e_107_of_a_hundred_references_fifty_are_asked_for() {
        let references = (0..100).map(|n| id(&format!("{n}@x"))).collect();
        let message = InboundMessage { references, ..mail_from(CLAIRE) };
        let asked = ask(&message, MAILBOX, &policy()).references;
        assert_eq!(asked.len(), 51);
        assert_eq!(asked[1].id.as_str(), "99@x");
    }

    #[test]
    fn m_79_v5_tags_of_the_subject_are_asked_for() {
        let message =
            InboundMessage { subject: "Re: [#7] Printer".to_owned(), ..mail_from(CLAIRE) };
        assert_eq!(ask(&message, MAILBOX, &policy()).tagged, [7]);
    }

    #[test]
    fn m_107_the_domains_of_the_sender_are_asked_for() {
        let ask_for = |from: &str| ask(&mail_from(from), MAILBOX, &policy()).site_domains;
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
            evidence: Vec::new(),
        };
        let bounced = |bounce: Bounce| {
            let report = Some(MachineReport::Bounce(bounce));
            let message = InboundMessage { report, ..mail_from("mailer-daemon@x.example") };
            ask(&message, MAILBOX, &policy()).bounced
        };
        let expected = (id("ours@helpdesk.example"), vec![key(CLAIRE)]);
        assert_eq!(bounced(bounce.clone()), Some(expected));
        assert_eq!(bounced(Bounce { original_message_id: None, ..bounce }), None);
    }
}
