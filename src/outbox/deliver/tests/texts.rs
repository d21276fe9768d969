//! Which text a mail is sent with, and mails that only try one out.

use super::*;

#[test]
fn the_sites_own_text_is_sent_before_the_mailboxs_and_that_before_the_desks() {
    let mut desk = Desk::new();
    let subject = |desk: &Desk, template: &str| {
        let id = desk.queue(template);
        drain(&desk.outbox());
        desk.entry(id).subject.expect("a subject")
    };
    desk.templates(&[("ticket_received.en.txt", "Subject: The desk\n\nx\n")]);
    assert_eq!(subject(&desk, "ticket_received"), "[#1] The desk");
    desk.templates(&[(
        "mailboxes/support/ticket_received.en.txt",
        "Subject: {{ mailbox.address }}\n\nx\n",
    )]);
    assert_eq!(subject(&desk, "ticket_received"), "[#1] support@help.example");
    desk.templates(&[("sites/contoso/ticket_received.en.txt", "Subject: {{ site.name }}\n\nx\n")]);
    assert_eq!(subject(&desk, "ticket_received"), "[#1] Contoso");
    assert_eq!(subject(&desk, "too_large"), "[#1] Your message was too large");
}

#[test]
fn t_26_a_mail_on_trial_mints_nothing_and_says_so() {
    let desk = Desk::new();
    let id = desk.queue(&crate::outbox::preview::on_trial("credentials"));
    drain(&desk.outbox());
    let entry = desk.entry(id);
    assert_eq!(entry.state, OutboxState::Sent);
    let subject = entry.subject.expect("a subject");
    assert_eq!(subject, "[#1] [Test] Your access to Example IT support");
    assert!(desk.text(&desk.mails()[0]).contains("https://help.example/portal/activate/sample"));
    assert!(desk.live().is_empty());
    // Nothing by that name: parked with the reason, like any other.
    let id = desk.queue(&crate::outbox::preview::on_trial("nothing"));
    drain(&desk.outbox());
    assert_eq!(desk.entry(id).state, OutboxState::Parked);
}
