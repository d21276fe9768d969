//! What a ticket holds already, and what comes of it when a message repeats it (M-91, M-26).

use super::*;
use crate::mail::reply::{known_line, known_lines};
use crate::mail::{Attachment, AttachmentSource};

/// What nobody marked as a quote, below an answer.
const REPEATED: &str = "Please send us the number that is printed below the lid.\n\
                        The lid opens when the printer has cooled down.\n";

fn knowing(texts: &[&str]) -> Facts {
    let mut facts = about_ticket(Some(TicketRole::Requester));
    facts.tickets[0].known = texts.iter().flat_map(|text| known_lines(text)).collect();
    facts
}

#[test]
fn m_91_what_the_ticket_holds_already_is_folded_without_any_mark_of_a_quote() {
    let text = format!("It is 4711.\n\n{REPEATED}");
    let message = InboundMessage { text: text.clone(), ..reply() };
    let folded = plan(&message, &knowing(&[REPEATED]));
    assert_eq!(folded.reply.visible.trim_end(), "It is 4711.");
    let nothing_known = plan(&message, &knowing(&["Something else that was written before.\n"]));
    assert_eq!(nothing_known.reply.visible.trim_end(), text.trim_end());
    // By the reply address alone it is an answer too.
    let fresh = InboundMessage {
        text: text.clone(),
        subject: "Printer".to_owned(),
        in_reply_to: Vec::new(),
        references: Vec::new(),
        ..reply()
    };
    assert_eq!(plan(&fresh, &knowing(&[REPEATED])).reply.visible.trim_end(), "It is 4711.");
}

#[test]
fn m_91_a_ticket_that_the_message_is_not_on_folds_nothing() {
    let text = format!("It is 4711.\n\n{REPEATED}");
    let message = InboundMessage { from: vec![named(STRANGER)], text: text.clone(), ..reply() };
    let mut facts = Facts { user: None, sites: Vec::new(), ..about_ticket(None) };
    facts.tickets[0].known = known_lines(REPEATED).into_iter().collect();
    let plan = plan(&message, &facts);
    assert_eq!(ended(&plan), "accepted/follow_up_linked");
    assert_eq!(plan.reply.visible.trim_end(), text.trim_end());
}

#[test]
fn m_91_t_22_each_line_is_known_by_its_hash_and_none_that_holds_a_link() {
    let link = format!("https://help.example.com/portal/activate/{}", "x".repeat(43));
    let text = format!("{REPEATED}\nThis one opens everything: {link}\n");
    let message = InboundMessage { text: text.clone(), ..mail_from(CLAIRE) };
    let plan = plan(&message, &facts());
    let known = plan.effects.iter().find_map(|effect| match effect {
        Effect::AddMessage(message) => Some(message.known.clone()),
        _ => None,
    });
    let known = known.expect("the message is added");
    assert_eq!(known.len(), 3);
    let last = text.lines().last().and_then(known_line).expect("it is long enough");
    assert!(!known.contains(&last));
    assert!(known_lines(REPEATED).iter().all(|hash| known.contains(hash)));
}

#[test]
fn e_101_m_26_an_image_that_the_ticket_holds_is_a_repetition() {
    let logo = |byte: u8| Attachment {
        name: "logo.png".to_owned(),
        content_type: "image/png".to_owned(),
        size: 900,
        inline: true,
        sha256: [byte; 32],
        source: AttachmentSource::Whole,
    };
    let file = Attachment { inline: false, ..logo(1) };
    let message = InboundMessage { attachments: vec![logo(2), logo(1), file], ..reply() };
    let mut facts = about_ticket(Some(TicketRole::Requester));
    facts.tickets[0].known = ask(&message, MAILBOX, &policy(), &keys()).known.into_iter().collect();
    let repeats = |plan: Plan| match plan.effects.first() {
        Some(Effect::AddMessage(message)) => message.repeats.clone(),
        _ => panic!("the message is added"),
    };
    assert_eq!(repeats(plan(&message, &facts)), [0, 1], "a file is never one");
    facts.tickets[0].known.clear();
    assert!(repeats(plan(&message, &facts)).is_empty());
}
