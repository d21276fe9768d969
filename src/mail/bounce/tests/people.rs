//! What people write about bounces is theirs (E-137), and so are other machines' mails.

use super::*;

/// Who writes, subject, text: none of it a bounce.
const MAILS: [(&str, &str, &str); 25] = [
    (
        "Anna Berg <anna@x.example>",
        "Undeliverable mail",
        "Hello,\n\nsince Monday I get \"550 5.1.1 user unknown\" when I write to ben@y.example.\nWhat can I do?\n",
    ),
    (
        "Anna Berg <anna@x.example>",
        "Re: Undelivered Mail Returned to Sender",
        "I got this from you:\n\n> <ben@y.example>: host said: 550 5.1.1 unknown\n",
    ),
    (
        "Anna Berg <anna@x.example>",
        "Fwd: failure notice",
        "See below.\n\n---------- Forwarded message ----------\nFrom: MAILER-DAEMON@mx.example\n\nHi. This is the qmail-send program at mx.example.\n\n<ben@y.example>:\nuser unknown (#5.1.1)\n",
    ),
    (
        "Anna Berg <anna@x.example>",
        "WG: Unzustellbar: Rechnung",
        "Was bedeutet das?\n\nFehler bei der Zustellung an folgende Empfänger:\nben@y.example\n",
    ),
    (
        "Anna Berg <anna@x.example>",
        "Unzustellbare Nachricht",
        "Guten Tag,\n\nmeine Mail konnte nicht zugestellt werden, das Postfach ist voll.\n",
    ),
    (
        "Anne Dubois <anne@x.example>",
        "Mail non remis",
        "Bonjour,\n\nmon message à ben@y.example n'a pas pu être remis, utilisateur inconnu.\n",
    ),
    ("Anne Dubois <anne@x.example>", "TR: Échec de la remise", "Bonjour, voici le message.\n"),
    (
        "Ana Ruiz <ana@x.example>",
        "No se puede entregar mi correo",
        "Hola, no se pudo entregar mi mensaje a ben@y.example.\n",
    ),
    (
        "Anna Rossi <anna@x.example>",
        "Mancata consegna",
        "Buongiorno, ricevo un avviso di mancata consegna per ben@y.example.\n",
    ),
    (
        "Ana Silva <ana@x.example>",
        "Mensagem não entregue",
        "Bom dia, a mensagem não foi entregue.\n",
    ),
    (
        "Anna de Vries <anna@x.example>",
        "Onbestelbaar",
        "Goedemiddag, mijn mail kon niet worden bezorgd.\n",
    ),
    (
        "Anna Nowak <anna@x.example>",
        "Niedostarczona wiadomość",
        "Dzień dobry, nie można dostarczyć mojej wiadomości.\n",
    ),
    (
        "田中 <tanaka@x.example>",
        "エラーメールについて",
        "メールが配信できません。どうすればよいですか。\n",
    ),
    ("王 <wang@x.example>", "退信问题", "您好，我的邮件被退信，无法投递。\n"),
    (
        "postmaster@x.example",
        "Question about our contract",
        "Hello,\n\ncould you send us the new price list?\n",
    ),
    (
        "postmaster@x.example",
        "Re: Undeliverable: Your ticket",
        "Thanks, the mailbox is full, I have emptied it. It failed because of the quota.\n",
    ),
    (
        "postmaster@x.example",
        "Your users",
        "Your message to ben@y.example could not be delivered last week. Is he still with you?\n\nThe postmaster\n",
    ),
    (
        "no-reply@shop.example",
        "Delivery failed: we could not deliver your parcel",
        "Your parcel could not be delivered. The recipient was not at home.\n",
    ),
    ("noreply@bank.example", "Payment returned", "Your payment was returned to sender.\n"),
    (
        "Anna Berg <anna@x.example>",
        "Delivery problem",
        "Our order 550 was delivered to the wrong address.\n\n-----Original Message-----\nFrom: shop\n",
    ),
    (
        "mail administrators <info@x.example>",
        "Mail system",
        "We plan to move our mail system on Sunday.\n",
    ),
    (
        "Mario Daemon <m.daemon@x.example>",
        "Undelivered invoices",
        "Hello,\n\nthree invoices were not delivered to us.\n",
    ),
    ("I. M. Ssler <im.ss@x.example>", "Delivery failed", "The parcel could not be delivered.\n"),
    (
        "Kim Lee <sysadmin@x.example>",
        "Mails to you are rejected",
        "Hello,\n\nsince yesterday our mails to ben@y.example get \"user unknown\". Is the address right?\n",
    ),
    (
        "Daemon Targaryen <daemon.t@x.example>",
        "Failure notice for the printer",
        "The printer shows a failure notice.\n",
    ),
];

fn raw(from: &str, subject: &str, text: &str) -> String {
    format!(
        "From: {from}\nTo: support@us.example\nSubject: {subject}\nContent-Type: text/plain; \
         charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}"
    )
}

#[test]
fn e_137_people_write_about_bounces_in_every_language() {
    for (from, subject, text) in MAILS {
        assert_eq!(what(&raw(from, subject, text)), None, "{from}: {subject}");
    }
}

#[test]
fn e_137_a_mail_without_from_is_no_bounce() {
    for path in ["", "Return-Path: <>\n"] {
        let raw = format!(
            "{path}To: support@us.example\nSubject: Ticket by unknown user\n\nThe user is unknown.\n"
        );
        assert_eq!(what(&raw), None, "{path}");
    }
}

#[test]
fn m_61_a_vacation_notice_with_a_null_path_is_no_bounce() {
    for (subject, text) in [
        (
            "Automatic reply: Your ticket",
            "I am out. Your message was not delivered to me: the mailbox is full.",
        ),
        ("Out of office", "I am out, delivery to my deputy has failed before."),
        ("Abwesenheitsnotiz: Unzustellbar", "Ich bin nicht da."),
        ("Your order", "Your order is on its way, delivery to your address is planned for Friday."),
    ] {
        let raw = format!(
            "Return-Path: <>\nFrom: Anna <anna@x.example>\nTo: support@us.example\nSubject: {subject}\n\n{text}\n"
        );
        assert_eq!(what(&raw), None, "{subject}");
    }
}

#[test]
fn m_61_a_persons_forward_with_the_bounce_attached_is_theirs() {
    for subject in ["Undeliverable: my mail", "Fwd: failure notice"] {
        let raw = format!(
            "From: Anna <anna@x.example>\nTo: support@us.example\nSubject: {subject}\nContent-Type: \
             multipart/mixed; boundary=b\n\n--b\n\nMail delivery failed, please help.\n--b\n\
             Content-Type: message/rfc822\n\nFrom: MAILER-DAEMON@mx.example\nSubject: failure \
             notice\n\n<ben@y.example>:\nuser unknown\n--b--\n"
        );
        assert_eq!(what(&raw), None, "{subject}");
    }
}
