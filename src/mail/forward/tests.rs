//! E-125: what staff forwards, as the clients of each language write it.

mod deceit;

use super::*;

/// Who wrote it, by what, how sure; of the first found.
fn found(subject: &str, text: &str) -> Option<(String, FoundBy, Confidence)> {
    let message = message(subject, text);
    let first = originals(&message).into_iter().next()?;
    Some((first.from.address, first.found_by, first.confidence))
}

fn message(subject: &str, text: &str) -> InboundMessage {
    let raw = format!(
        "From: anna@helpdesk.example\nTo: support@helpdesk.example\nSubject: {subject}\n\
         Content-Type: text/plain; charset=utf-8\n\n{text}\n"
    );
    crate::mail::read(raw.as_bytes()).expect("it can be read")
}

/// Language, subject prefix, separator, labels of From, Date, Subject and To, a date.
const LANGUAGES: [(&str, &str, &str, [&str; 4], &str); 26] = [
    (
        "cs",
        "Fwd:",
        "Začátek přeposílané zprávy:",
        ["Od", "Datum", "Předmět", "Komu"],
        "5. ledna 2026 10:05",
    ),
    (
        "da",
        "VS:",
        "-------- Videresendt meddelelse --------",
        ["Fra", "Dato", "Emne", "Til"],
        "5. januar 2026 10.05",
    ),
    (
        "de",
        "WG:",
        "-----Ursprüngliche Nachricht-----",
        ["Von", "Gesendet", "Betreff", "An"],
        "Montag, 5. Januar 2026 10:05",
    ),
    (
        "de, Apple",
        "Fwd:",
        "Anfang der weitergeleiteten Nachricht:",
        ["Von", "Datum", "Betreff", "An"],
        "5. Januar 2026 um 10:05:00 MEZ",
    ),
    ("el", "Fwd:", "", ["Από", "Ημερομηνία", "Θέμα", "Προς"], "5 Ιανουαρίου 2026, 10:05"),
    (
        "en",
        "Fwd:",
        "---------- Forwarded message ---------",
        ["From", "Date", "Subject", "To"],
        "Mon, Jan 5, 2026 at 10:05 AM",
    ),
    (
        "en, Outlook",
        "FW:",
        "________________________________",
        ["From", "Sent", "Subject", "To"],
        "Monday, January 5, 2026 10:05 AM",
    ),
    (
        "es",
        "RV:",
        "-----Mensaje original-----",
        ["De", "Enviado el", "Asunto", "Para"],
        "lunes, 5 de enero de 2026 10:05",
    ),
    (
        "fi",
        "VL:",
        "Välitetty viesti alkaa:",
        ["Lähettäjä", "Päivämäärä", "Aihe", "Vastaanottaja"],
        "5. tammikuuta 2026 klo 10.05",
    ),
    (
        "fr",
        "TR :",
        "-----Message d'origine-----",
        ["De", "Envoyé", "Objet", "À"],
        "lundi 5 janvier 2026 10:05",
    ),
    (
        "hr",
        "Fwd:",
        "Započni proslijeđenu poruku:",
        ["Šalje", "Datum", "Predmet", "Prima"],
        "5. siječnja 2026. u 10:05",
    ),
    (
        "hu",
        "Fwd:",
        "Továbbított levél kezdete:",
        ["Feladó", "Dátum", "Tárgy", "Címzett"],
        "2026. január 5. 10:05",
    ),
    (
        "it",
        "I:",
        "Inizio messaggio inoltrato:",
        ["Da", "Data", "Oggetto", "A"],
        "5 gennaio 2026 alle ore 10:05",
    ),
    ("ja", "Fwd:", "", ["差出人", "日付", "件名", "宛先"], "2026年1月5日 10:05"),
    ("ko", "Fwd:", "", ["보낸 사람", "보낸 날짜", "제목", "받는 사람"], "2026년 1월 5일 10:05"),
    (
        "nl",
        "Doorst:",
        "Begin doorgestuurd bericht:",
        ["Van", "Datum", "Onderwerp", "Aan"],
        "5 januari 2026 om 10:05",
    ),
    (
        "no",
        "VS:",
        "---------- Videresendt melding ---------",
        ["Fra", "Dato", "Emne", "Til"],
        "man. 5. jan. 2026 kl. 10:05",
    ),
    (
        "pl",
        "PD:",
        "-------- Przekazana wiadomość --------",
        ["Od", "Data", "Temat", "Do"],
        "5 stycznia 2026 10:05",
    ),
    (
        "pt",
        "ENC:",
        "---------- Mensagem encaminhada ---------",
        ["De", "Data", "Assunto", "Para"],
        "seg., 5 de jan. de 2026 às 10:05",
    ),
    (
        "ro",
        "Fwd:",
        "Începe mesajul redirecționat:",
        ["De la", "Dată", "Subiect", "Către"],
        "5 ianuarie 2026 la 10:05",
    ),
    (
        "ru",
        "Fwd:",
        "-------- Перенаправленное сообщение --------",
        ["От", "Дата", "Тема", "Кому"],
        "5 января 2026 г. в 10:05",
    ),
    (
        "sk",
        "Fwd:",
        "Začiatok preposlanej správy:",
        ["Od", "Dátum", "Predmet", "Komu"],
        "5. januára 2026 10:05",
    ),
    (
        "sv",
        "VB:",
        "-----Ursprungligt meddelande-----",
        ["Från", "Skickat", "Ämne", "Till"],
        "den 5 januari 2026 10:05",
    ),
    (
        "tr",
        "İLT:",
        "-----Orijinal Mesaj-----",
        ["Kimden", "Gönderilen", "Konu", "Kime"],
        "5 Ocak 2026 Pazartesi 10:05",
    ),
    (
        "uk",
        "Fwd:",
        "-------- Переслане повідомлення --------",
        ["Від", "Дата", "Тема", "Кому"],
        "5 січня 2026 р. 10:05",
    ),
    ("zh", "Fwd:", "", ["发件人", "发送时间", "主题", "收件人"], "2026年1月5日 10:05"),
];

#[test]
fn e_125_m_104_the_writer_is_read_from_the_header_block_of_each_language() {
    let high =
        Some(("claire.johnson@myorg.example".to_owned(), FoundBy::HeaderBlock, Confidence::High));
    for (language, prefix, separator, [from, date, subject, to], day) in LANGUAGES {
        for (mark, quote) in [("", ""), ("", "> "), ("> ", "> ")] {
            let text = format!(
                "Can somebody look at this?\n\n{mark}{separator}\n{mark}\n\
                 {quote}{from}: Claire Johnson <claire.johnson@myorg.example>\n\
                 {quote}{date}: {day}\n{quote}{to}: anna@helpdesk.example\n\
                 {quote}{subject}: The printer\n{quote}\n{quote}It smokes.\n"
            );
            // Only a separator tells that a quoted header is a forward.
            if mark == quote || separator.ends_with(':') {
                let subject = format!("{prefix} The printer");
                assert_eq!(found(&subject, &text), high, "{language} {mark:?} {quote:?}\n{text}");
            }
        }
    }
}

#[test]
fn e_125_each_client_writes_the_writer_in_its_own_way() {
    for from in [
        "From: Claire Johnson <claire.johnson@myorg.example>",
        "From: claire.johnson@myorg.example",
        "From: \"Johnson, Claire\" <claire.johnson@myorg.example>",
        "From: Claire Johnson [mailto:claire.johnson@myorg.example]",
        "From: Claire Johnson <mailto:claire.johnson@myorg.example>",
        "From: Claire Johnson <claire.johnson@myorg.example <mailto:claire.johnson@myorg.example>>",
        "*From:* Claire Johnson <claire.johnson@myorg.example>",
        "From: \tClaire Johnson <claire.johnson@myorg.example>",
        "From: Claire Johnson of the accounts department\n <claire.johnson@myorg.example>",
    ] {
        for separator in ["-------- Forwarded Message --------", "Begin forwarded message:"] {
            let text = format!(
                "{separator}\nSubject: The printer\nDate: Mon, 5 Jan 2026 10:05:00 +0100\n{from}\n\
                 To: Anna <anna@helpdesk.example>\n\nIt smokes.\n"
            );
            let expected = "claire.johnson@myorg.example".to_owned();
            assert_eq!(
                found("Fwd: The printer", &text),
                Some((expected, FoundBy::HeaderBlock, Confidence::High)),
                "{from}"
            );
        }
    }
}

#[test]
fn e_125_the_writer_is_read_from_html_as_clients_write_it() {
    let outlook = "<div class=WordSection1><p class=MsoNormal>Please see below.</p>\
        <div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>\
        <p class=MsoNormal><b>From:</b> Claire Johnson &lt;claire@myorg.example&gt; <br>\
        <b>Sent:</b> Monday, January 5, 2026 10:05 AM<br><b>To:</b> Anna Weiss<br>\
        <b>Subject:</b> Printer</p></div><p class=MsoNormal>It smokes.</p></div>";
    let gmail = "<div dir=\"ltr\">Please see below.<br><div class=\"gmail_quote\">\
        <div dir=\"ltr\" class=\"gmail_attr\">---------- Forwarded message ---------<br>\
        From: <strong class=\"gmail_sendername\" dir=\"auto\">Claire Johnson</strong> \
        <span dir=\"auto\">&lt;<a href=\"mailto:claire@myorg.example\">claire@myorg.example</a>\
        &gt;</span><br>Date: Mon, Jan 5, 2026 at 10:05 AM<br>Subject: Printer<br>To: \
        &lt;<a href=\"mailto:anna@helpdesk.example\">anna@helpdesk.example</a>&gt;<br></div>\
        <br><br>It smokes.</div></div>";
    let thunderbird = "<p>Please see below.</p><div class=\"moz-forward-container\"><br><br>\
        -------- Forwarded Message --------<table class=\"moz-email-headers-table\"><tbody>\
        <tr><th align=\"RIGHT\">Subject: </th><td>Printer</td></tr>\
        <tr><th>Date: </th><td>Mon, 5 Jan 2026 10:05:00 +0100</td></tr>\
        <tr><th>From: </th><td>Claire Johnson <a class=\"moz-txt-link-rfc2396E\" \
        href=\"mailto:claire@myorg.example\">&lt;claire@myorg.example&gt;</a></td></tr>\
        <tr><th>To: </th><td>Anna Weiss</td></tr></tbody></table><br>It smokes.</div>";
    let apple = "<div>Please see below.<br><div><br><blockquote type=\"cite\"><div>Begin forwarded \
        message:</div><br><div><b>From: </b>Claire Johnson &lt;<a \
        href=\"mailto:claire@myorg.example\">claire@myorg.example</a>&gt;<br></div>\
        <div><b>Subject: </b><b>Printer</b><br></div><div><b>Date: </b>5 January 2026 at 10:05:00 \
        CET<br></div><div><b>To: </b>Anna Weiss<br></div><br><div>It smokes.</div></blockquote>\
        </div></div>";
    for (client, html) in
        [("Apple", apple), ("Gmail", gmail), ("Outlook", outlook), ("Thunderbird", thunderbird)]
    {
        let raw = format!(
            "From: anna@helpdesk.example\nSubject: Fwd: Printer\nContent-Type: text/html; \
             charset=utf-8\n\n{html}\n"
        );
        let message = crate::mail::read(raw.as_bytes()).expect("it can be read");
        let first = originals(&message).swap_remove(0);
        let found = (first.from.address.as_str(), first.from.name.as_deref());
        assert_eq!(
            found,
            ("claire@myorg.example", Some("Claire Johnson")),
            "{client}: {}",
            message.text
        );
        assert_eq!(first.confidence, Confidence::High, "{client}: {}", message.text);
    }
}

#[test]
fn m_104_the_first_source_that_names_somebody_wins_and_says_how_sure_it_is() {
    let claire =
        |found_by, confidence| Some(("claire@myorg.example".to_owned(), found_by, confidence));
    let block = "---------- Forwarded message ---------\nFrom: Claire <claire@myorg.example>\n";
    assert_eq!(
        found("Fwd: Printer", &format!("{block}To: anna@helpdesk.example\n\nIt smokes.")),
        claire(FoundBy::HeaderBlock, Confidence::Medium),
        "without date and subject"
    );
    let quoted = "On Mon, Jan 5, 2026 at 10:05 AM Claire Johnson <claire@myorg.example> wrote:\n\
                  > It smokes.\n";
    assert_eq!(found("Fwd: Printer", quoted), claire(FoundBy::Attribution, Confidence::Medium));
    assert_eq!(
        found("Fwd: Printer", "A customer told me: claire@myorg.example. It smokes."),
        claire(FoundBy::Mention, Confidence::Low)
    );
    // A name without an address is nobody.
    let exchange = "-----Original Message-----\nFrom: Claire Johnson\nSent: Monday, January 5, 2026\n\
                    To: Anna Weiss\nSubject: Printer\n\nIt smokes. claire@myorg.example\n";
    assert_eq!(found("FW: Printer", exchange), claire(FoundBy::Mention, Confidence::Low));
    assert_eq!(found("Fwd: Printer", "It smokes."), None);
}

#[test]
fn m_52_the_name_beside_the_address_is_kept() {
    let name = |text: &str| {
        originals(&message("Fwd: x", text)).into_iter().next().expect("somebody").from.name
    };
    let block = |from: &str| {
        name(&format!(
            "---------- Forwarded message ---------\nFrom: {from}\nDate: 5 Jan 2026\n\nHi"
        ))
    };
    let claire = Some("Claire Johnson".to_owned());
    assert_eq!(block("Claire Johnson <claire@myorg.example>"), claire);
    assert_eq!(block("\"Claire Johnson\" <claire@myorg.example>"), claire);
    assert_eq!(block("Claire Johnson [mailto:claire@myorg.example]"), claire);
    assert_eq!(block("claire@myorg.example"), None);
    for attribution in [
        "On Mon, Jan 5, 2026 at 10:05 AM Claire Johnson <claire@myorg.example> wrote:",
        "On 5 Jan 2026, at 10:05, Claire Johnson <claire@myorg.example> wrote:",
        "Am 05.01.2026 um 10:05 schrieb Claire Johnson <claire@myorg.example>:",
        "Am Mo., 5. Jan. 2026 um 10:05 Uhr schrieb Claire Johnson <claire@myorg.example>:",
        "Le lun. 5 janv. 2026 à 10:05, Claire Johnson <claire@myorg.example> a écrit :",
        "El lun, 5 ene 2026 a las 10:05, Claire Johnson (<claire@myorg.example>) escribió:",
    ] {
        assert_eq!(name(&format!("{attribution}\n> Hi\n")), claire, "{attribution}");
    }
}

/// A mail with these messages attached.
fn attaching(messages: &[&str]) -> InboundMessage {
    let parts: String = messages
        .iter()
        .map(|message| format!("--b\nContent-Type: message/rfc822\n\n{message}\n"))
        .collect();
    let raw = format!(
        "From: anna@helpdesk.example\nSubject: for you\nContent-Type: multipart/mixed; \
         boundary=b\n\n--b\n\nSee below\n{parts}--b--\n"
    );
    crate::mail::read(raw.as_bytes()).expect("it can be read")
}

const INNER: &str = "From: =?utf-8?q?Cl=C3=A4re?= <claire@myorg.example>\n\
    Date: Mon, 5 Jan 2026 10:05:00 +0100\nMessage-ID: <one@myorg.example>\n\
    References: <root@myorg.example>\n <one@myorg.example>\nIn-Reply-To: <root@myorg.example>\n\
    Subject: Printer\n\nIt smokes.";

#[test]
fn m_104_of_the_one_attached_message_the_writer_and_the_ids_are_read() {
    let message = attaching(&[INNER]);
    assert!(is_forward(&message));
    let first = originals(&message).swap_remove(0);
    assert_eq!((first.found_by, first.confidence), (FoundBy::Attached, Confidence::High));
    assert_eq!(first.from.address, "claire@myorg.example");
    assert_eq!(first.from.name.as_deref(), Some("Cläre"));
    assert_eq!(first.date.as_deref(), Some("Mon, 5 Jan 2026 10:05:00 +0100"));
    assert_eq!(first.message_id.expect("its id").as_str(), "one@myorg.example");
    let references: Vec<&str> = first.references.iter().map(MessageId::as_str).collect();
    assert_eq!(references, ["root@myorg.example", "one@myorg.example"]);

    let two = attaching(&[INNER, INNER]);
    assert_eq!(two.attached_message, None);
    assert!(!is_forward(&two));

    let encoded = "From: anna@helpdesk.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n\
        Hi\n--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n\
        RnJvbTogY2xhaXJlQG15b3JnLmV4YW1wbGUKCkhp\n--b--\n";
    let encoded = crate::mail::read(encoded.as_bytes()).expect("it can be read");
    let from = encoded.attached_message.and_then(|attached| attached.from);
    assert_eq!(from.map(|from| from.address).as_deref(), Some("claire@myorg.example"));
}

#[test]
fn m_103_what_only_answers_or_quotes_is_no_forward() {
    let forwarded = "---------- Forwarded message ---------\nFrom: Claire <claire@myorg.example>\n\
        Date: Mon, 5 Jan 2026\nSubject: x\n\nHi\n";
    for (subject, text, is) in [
        ("Printer", "It smokes.", false),
        ("Re: Printer", "On Mon, 5 Jan 2026 at 10:05 Claire <c@x.example> wrote:\n> Hi\n", false),
        ("Printer", forwarded, true),
        ("Fwd: Printer", "It smokes.", true),
        ("[EXTERNAL] WG: Printer", "It smokes.", true),
        ("I: Printer", "It smokes.", false),
        ("Printer", "Hello\n\n> Begin forwarded message:\n>\n> From: C <c@x.example>\n", false),
        ("I: Printer", forwarded, true),
        (
            "Re: Printer",
            "From: C <c@x.example>\nSent: Monday, 5 Jan 2026\nTo: a@y.example\n\
                         Subject: Printer\n\nHi\n",
            false,
        ),
    ] {
        assert_eq!(is_forward(&message(subject, text)), is, "{subject}: {text}");
    }
}

#[test]
fn m_102_any_text_is_searched_once() {
    for unit in ["@", "a@", "a@b ", "a@b.c", "From: ", "From: x\n", "> ", "Fwd.", "é@", "a@é."] {
        let text = unit.repeat(200_000 / unit.len());
        assert!(originals(&message("Fwd: x", &text)).len() <= MENTION_LIMIT + 1);
    }
}
