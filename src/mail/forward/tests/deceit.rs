//! Forwards of mail whose writer wants another to pass for it (T-11).

use super::*;

#[test]
fn t_11_m_104_a_name_that_shows_another_address_names_nobody_else() {
    let block =
        |from: &str| format!("From: {from}\nSent: Monday, 5 Jan 2026\nTo: Anna\nSubject: x\n");
    for from in [
        "victim@good.example <eve@evil.example>",
        "victim@good.example [mailto:eve@evil.example]",
        "\"Victim <victim@good.example>\" <eve@evil.example>",
        "victim@good.example (<eve@evil.example>)",
        "victim@good.example On Behalf Of Eve <eve@evil.example>",
        "eve@evil.example (victim@good.example)",
        "eve@evil.example [mailto:eve@evil.example]",
    ] {
        let said = found("FW: x", &block(from)).map(|(address, ..)| address);
        assert_eq!(said.as_deref(), Some("eve@evil.example"), "{from}");
    }
    // Behind a list it may be true: staff is told of it, and decides.
    let via = block("'claire@myorg.example' via Desk <desk@lists.example>");
    let suggested = ("claire@myorg.example".to_owned(), FoundBy::HeaderBlock, Confidence::Low);
    assert_eq!(found("FW: x", &via), Some(suggested));
    let quoted = "On 5 Jan 2026, at 10:05, victim@good.example <eve@evil.example> wrote:\n> Hi\n";
    let said = found("Fwd: x", quoted).map(|(address, ..)| address);
    assert_eq!(said.as_deref(), Some("eve@evil.example"));
}

#[test]
fn m_104_what_a_forwarded_mail_brings_as_an_attachment_is_not_what_is_forwarded() {
    let reported = InboundMessage {
        subject: "FW: Is this a fraud?".to_owned(),
        text: "Please look.\n\nFrom: Claire <claire@myorg.example>\nSent: Monday, 5 Jan 2026\n\
               To: Anna\nSubject: Is this a fraud?\n\nSee the mail attached.\n"
            .to_owned(),
        ..attaching(&["From: eve@evil.example\nSubject: You won\n\nClick here"])
    };
    let who = |message: &InboundMessage| originals(message).swap_remove(0).from.address;
    assert_eq!(who(&reported), "claire@myorg.example");
    let answered = InboundMessage { subject: "Re: x".to_owned(), ..reported };
    assert_eq!(who(&answered), "eve@evil.example", "the block is what is answered");
}
