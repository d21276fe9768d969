//! One fixture for each behaviour.

use super::*;

pub fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/mail/{name}.eml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("`{path}`: {error}"))
}

pub fn names(message: &InboundMessage) -> Vec<&str> {
    message.attachments.iter().map(|attachment| attachment.name.as_str()).collect()
}

#[test]
fn e_48_a_body_inside_related_inside_alternative_inside_mixed() {
    let raw = fixture("a_body_inside_related_inside_alternative_inside_mixed");
    let read = message(&raw);
    assert_eq!(read.text, "The second screen stays dark, see the picture.\n");
    assert_eq!(read.text_from, TextFrom::Plain);
    assert_eq!(names(&read), ["screen.png", "order.pdf"]);
    assert_eq!([read.attachments[0].inline, read.attachments[1].inline], [true, false]);
    assert_eq!(cut(&raw, &read.attachments[1]).expect("the order"), b"%PDF-1.4 order");
    assert!(read.flags.is_empty() && read.signals.is_empty() && read.report.is_none());
}

#[test]
fn e_27_m_07_bare_cr_bare_lf_and_crlf_read_the_same() {
    let [cr, lf, crlf] =
        ["bare_cr_ends_the_lines", "bare_lf_ends_the_lines", "crlf_ends_the_lines"]
            .map(|name| message(&fixture(name)));
    assert_eq!(cr.text, "The printer is jammed.\nPlease help.\n");
    for other in [lf, crlf] {
        assert_eq!((&other.text, &other.subject), (&cr.text, &cr.subject));
        assert_eq!(
            (other.content_hash, other.message_id),
            (cr.content_hash, cr.message_id.clone())
        );
    }
}

#[test]
fn e_43_m_06_a_message_wrapped_in_a_message_is_the_inner_one() {
    let read = message(&fixture("a_message_wrapped_in_a_message"));
    assert_eq!((read.subject.as_str(), read.message_id.as_str()), ("inner", "inner@myorg.example"));
    assert_eq!(addresses(&read.from), ["claire.johnson@myorg.example"]);
    assert_eq!(read.text, "Only this counts.\n");
    assert_eq!(read.references.len(), 1);
    assert_eq!(read.return_path, ReturnPath::Address("forwarder@isp.example".to_owned()));
    assert_eq!(read.delivered_to, ["support@helpdesk.example"]);
    assert_eq!(flags(&read), ["unwrapped"]);
    assert!(read.attachments.is_empty());
}

#[test]
fn e_35_e_36_m_10_m_13_text_in_any_charset_is_readable() {
    for (name, subject, text) in [
        ("a_character_split_over_two_encoded_words", "Grüße aus München", "Hallo\n"),
        ("japanese_with_nec_letters", "プリンター", "①の方法\n"),
        ("gb18030_declared_as_gb2312", "gb", "打印机坏了 㐁 €\n"),
        (
            "koi8_r_header_and_body_without_encoding",
            "Принтер не работает",
            "Помогите, пожалуйста.\n",
        ),
    ] {
        let read = message(&fixture(name));
        assert_eq!((read.subject.as_str(), read.text.as_str()), (subject, text), "{name}");
    }
}

#[test]
fn e_55_t_33_attachment_names_are_labels() {
    let read = message(&fixture("an_attachment_name_in_numbered_pieces"));
    assert_eq!(names(&read), ["Bestellung für Marz.txt"]);
    let read = message(&fixture("a_path_as_attachment_name"));
    assert_eq!(names(&read), ["....x.sh", "....x (2).sh"]);
}

#[test]
fn e_61_e_68_m_41_a_doubtful_sender_comes_out_as_written() {
    let read = message(&fixture("two_different_from_fields"));
    assert_eq!(addresses(&read.from), ["victim@good.example", "claire.johnson@myorg.example"]);
    assert_eq!(flags(&read), ["several_from_fields"]);
    let read = message(&fixture("an_encoded_word_inside_the_address"));
    assert_eq!(addresses(&read.from), ["=?utf-8?q?victim=40good.example?=@evil.example"]);
    assert!(Address::repaired(&read.from[0].address).is_err());
    let read = message(&fixture("a_group_as_sender"));
    assert_eq!((read.from.len(), flags(&read)), (0, vec!["group_in_from".to_owned()]));
}

#[test]
fn e_49_a_text_attachment_is_never_recoded() {
    let raw = fixture("a_csv_in_utf_16");
    let read = message(&raw);
    let bytes = cut(&raw, &read.attachments[0]).expect("the list");
    assert_eq!(&bytes[..4], b"\xff\xfen\0");
    assert_eq!(bytes.len(), 26);
}

#[test]
fn e_28_e_29_m_20_without_text_there_is_still_a_message() {
    let read = message(&fixture("a_header_without_a_body"));
    assert_eq!((read.text.as_str(), read.text_from), ("", TextFrom::None));
    assert_eq!((read.subject.as_str(), flags(&read)), ("Call me back", vec!["no_text".to_owned()]));
    let read = message(&fixture("only_an_attachment"));
    assert_eq!((names(&read), flags(&read)), (vec!["scan.pdf"], vec!["no_text".to_owned()]));
}

#[test]
fn e_30_m_16_m_17_html_is_read_when_it_says_more() {
    let read = message(&fixture("html_says_more_than_the_plain_text"));
    assert_eq!(
        read.text,
        "Hello,\n\nthe VPN is down since 9:00.\nSee our status page <https://status.myorg.example/>."
    );
    assert_eq!(read.text_from, TextFrom::Html);
    assert!(read.attachments.is_empty());
}

#[test]
fn e_132_m_59_a_delivery_failure_names_recipient_and_status() {
    let read = message(&fixture("a_delivery_failure_by_structure"));
    let Some(MachineReport::Bounce(bounce)) = read.report else { panic!("no bounce") };
    assert_eq!(bounce.evidence, ["M-59 message/delivery-status"]);
    assert_eq!(
        bounce.original_message_id.as_ref().map(MessageId::as_str),
        Some("ours@helpdesk.example")
    );
    let [recipient] = &bounce.recipients[..] else { panic!("one recipient") };
    assert_eq!(recipient.address, "gone@myorg.example");
    assert_eq!(
        (recipient.action.as_deref(), recipient.status.as_deref()),
        (Some("failed"), Some("5.1.1"))
    );
}

#[test]
fn e_145_m_60_a_read_receipt_is_a_report() {
    let read = message(&fixture("a_read_receipt"));
    assert!(matches!(read.report, Some(MachineReport::Report { what: "mdn", .. })));
}

#[test]
fn m_66_m_70b_machines_that_answer_are_told_from_those_that_report() {
    let read = message(&fixture("an_out_of_office_reply"));
    let found = automatic(&read.signals).expect("automatic");
    assert!(found.answers);
    assert_eq!(
        found.evidence,
        [
            "M-66 Auto-Submitted=auto-replied",
            "M-70 subject automatische antwort",
            "M-69 X-Auto-Response-Suppress=All"
        ]
    );
    let found = automatic(&message(&fixture("a_backup_report")).signals).expect("automatic");
    assert!(!found.answers);
}
