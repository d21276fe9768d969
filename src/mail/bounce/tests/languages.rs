//! Notices in other languages than English (M-61, M-63).

use super::*;

/// Language, who writes, subject, text; each about `anna@x.example`.
const NOTICES: [(&str, &str, &str, &str); 34] = [
    (
        "bg",
        "postmaster@x.example",
        "Недоставимо: Вашата заявка",
        "Доставката до следните получатели е неуспешна:\n\nanna@x.example\n",
    ),
    (
        "cs",
        "postmaster@x.example",
        "Nedoručitelné: Váš požadavek",
        "Doručení následujícím příjemcům se nezdařilo, zprávu nelze doručit:\n\nanna@x.example\n",
    ),
    (
        "da",
        "postmaster@x.example",
        "Kan ikke leveres: Din sag",
        "Levering til følgende modtagere mislykkedes:\n\nanna@x.example\n",
    ),
    (
        "de",
        "postmaster@x.example",
        "Unzustellbar: Ihr Ticket",
        "Fehler bei der Zustellung der Nachricht an folgende Empfänger oder Gruppen:\n\nanna@x.example\nDie eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n",
    ),
    (
        "de",
        "MAILER-DAEMON@mx.example",
        "Mail konnte nicht zugestellt werden",
        "Ihre Nachricht konnte an folgende Adresse nicht zugestellt werden:\n\n<anna@x.example>: Postfach voll\n",
    ),
    (
        "de",
        "Mail Administrator <postmaster@x.example>",
        "Ihre E-Mail wurde nicht zugestellt",
        "Die Zustellung Ihrer Nachricht an anna@x.example ist fehlgeschlagen.\n",
    ),
    (
        "de",
        "postmaster@domino.example",
        "ZUSTELLUNGSFEHLER: Benutzer anna nicht gefunden",
        "Ihre Nachricht\n\n  Betreff: Ihr Ticket\n\nwurde nicht zugestellt an:\n\n  anna@x.example\n\nGrund:\n\n  Benutzer nicht gefunden\n",
    ),
    (
        "de",
        "Rechenzentrum <rz@x.example>\nReturn-Path: <>",
        "Ihre Mail",
        "Ihre Nachricht konnte an den folgenden Empfänger nicht zugestellt werden:\n\nanna@x.example\n",
    ),
    (
        "el",
        "postmaster@x.example",
        "Δεν ήταν δυνατή η παράδοση: Το αίτημά σας",
        "Η παράδοση στους ακόλουθους παραλήπτες ή ομάδες απέτυχε:\n\nanna@x.example\n",
    ),
    (
        "es",
        "postmaster@x.example",
        "No se puede entregar: Su consulta",
        "No se pudo entregar el mensaje a estos destinatarios o grupos:\n\nanna@x.example\nNo se encontró la dirección.\n",
    ),
    (
        "es",
        "MAILER-DAEMON@mx.example",
        "Correo devuelto: usuario desconocido",
        "Su mensaje no ha sido entregado al destinatario anna@x.example porque no existe.\n",
    ),
    (
        "fi",
        "postmaster@x.example",
        "Ei voitu toimittaa: Pyyntösi",
        "Viestiä ei voitu toimittaa vastaanottajille:\n\nanna@x.example\n",
    ),
    (
        "fi",
        "postmaster@x.example",
        "Ei voi toimittaa: Pyyntösi",
        "Toimitus seuraaville vastaanottajille tai ryhmille epäonnistui:\n\nanna@x.example\n",
    ),
    (
        "fr",
        "postmaster@x.example",
        "Non remis : Votre demande",
        "Échec de la remise pour ces destinataires ou groupes :\n\nanna@x.example\n",
    ),
    (
        "fr",
        "MAILER-DAEMON@mx.example",
        "Mail revenu en erreur",
        "Votre message n'a pas pu être délivré au destinataire suivant :\n\n<anna@x.example>: utilisateur inconnu\n",
    ),
    (
        "hu",
        "postmaster@x.example",
        "Kézbesíthetetlen: Kérése",
        "Az üzenetet nem sikerült kézbesíteni:\n\nanna@x.example\n",
    ),
    (
        "it",
        "postmaster@x.example",
        "Non recapitabile: Richiesta",
        "Impossibile recapitare il messaggio ai seguenti destinatari o gruppi:\n\nanna@x.example\n",
    ),
    (
        "it",
        "Mail Delivery System <mailer-daemon@mx.example>",
        "Avviso di mancata consegna",
        "Il messaggio non è stato consegnato al seguente indirizzo:\n\nanna@x.example\n",
    ),
    (
        "ja",
        "postmaster@x.example",
        "配信不能: お問い合わせ",
        "次の受信者またはグループへの配信に失敗しました:\n\nanna@x.example\n",
    ),
    (
        "ja",
        "MAILER-DAEMON@mobile.example",
        "エラーメール",
        "以下の宛先にメールを配送できませんでした。\n\n<anna@x.example>\n",
    ),
    (
        "ko",
        "postmaster@x.example",
        "배달되지 않음: 문의",
        "다음 받는 사람에게 메시지를 배달하지 못했습니다.\n\nanna@x.example\n",
    ),
    (
        "nb",
        "postmaster@x.example",
        "Kan ikke leveres: Din sak",
        "Meldingen kunne ikke leveres til følgende mottakere:\n\nanna@x.example\n",
    ),
    (
        "nl",
        "postmaster@x.example",
        "Onbestelbaar: Uw vraag",
        "Uw bericht kan niet worden bezorgd bij de volgende geadresseerden:\n\nanna@x.example\n",
    ),
    (
        "pl",
        "postmaster@x.example",
        "Niedostarczona: Twoje pytanie",
        "Nie można dostarczyć wiadomości do następujących odbiorców:\n\nanna@x.example\n",
    ),
    (
        "pt",
        "postmaster@x.example",
        "Não foi possível entregar: Seu pedido",
        "Sua mensagem não foi entregue aos seguintes destinatários:\n\nanna@x.example\n",
    ),
    (
        "pt",
        "postmaster@x.example",
        "Não é possível entregar: O seu pedido",
        "Falha na entrega a estes destinatários ou grupos:\n\nanna@x.example\n",
    ),
    (
        "ro",
        "postmaster@x.example",
        "Nelivrat: Cererea dvs.",
        "Livrarea către următorii destinatari nu a reușit:\n\nanna@x.example\n",
    ),
    (
        "ru",
        "mailer-daemon@mx.example",
        "Ваше сообщение не доставлено",
        "К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:\n\n  anna@x.example\n    нет такого\n",
    ),
    (
        "sv",
        "postmaster@x.example",
        "Kan inte levereras: Ditt ärende",
        "Meddelandet kunde inte levereras till följande mottagare:\n\nanna@x.example\n",
    ),
    (
        "tr",
        "postmaster@x.example",
        "Teslim edilemedi: Talebiniz",
        "İletiniz aşağıdaki alıcılara teslim edilemedi:\n\nanna@x.example\n",
    ),
    (
        "uk",
        "mailer-daemon@mx.example",
        "Ваше повідомлення не доставлено",
        "Не вдалося доставити повідомлення за адресою:\n\nanna@x.example\n",
    ),
    (
        "vi",
        "postmaster@x.example",
        "Không thể gửi: Yêu cầu của bạn",
        "Không thể chuyển thư đến những người nhận sau:\n\nanna@x.example\n",
    ),
    (
        "zh",
        "postmaster@x.example",
        "系统退信",
        "很抱歉，您的邮件无法投递到以下收件人：\n\nanna@x.example\n",
    ),
    (
        "zh",
        "postmaster@x.example",
        "無法傳遞: 您的問題",
        "無法傳遞給這些收件者或群組:\n\nanna@x.example\n",
    ),
];

#[test]
fn m_61_notices_in_other_languages_are_bounces() {
    let mut wrong = Vec::new();
    for (language, from, subject, text) in NOTICES {
        let raw = format!(
            "From: {from}\nTo: support@us.example\nSubject: {subject}\nContent-Type: text/plain; \
             charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}"
        );
        let read = message(&raw);
        let told = match &read.report {
            Some(MachineReport::Bounce(bounce)) => {
                bounce.recipients.iter().map(|recipient| recipient.address.as_str()).collect()
            }
            _ => Vec::new(),
        };
        if told != ["anna@x.example"] {
            wrong.push(format!("{language} {subject}: {:?}", read.report));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn m_63b_a_delay_is_told_in_other_languages() {
    for (subject, text) in [
        ("Delayed: your ticket", "Your message has not yet been delivered to anna@x.example."),
        (
            "Verzögert: Ihr Ticket",
            "Ihre Nachricht an anna@x.example konnte noch nicht zugestellt werden.",
        ),
        (
            "Remise différée",
            "Votre message n'a pas pu être remis à anna@x.example, il y a du retard.",
        ),
        ("Entrega retrasada", "Su mensaje no se ha podido entregar a anna@x.example."),
    ] {
        let raw = format!(
            "From: mailer-daemon@mx.example\nTo: support@us.example\nSubject: {subject}\n\
             Content-Type: text/plain; charset=utf-8\n\n{text}\n"
        );
        let bounce = bounce(&raw);
        assert_eq!(bounce.recipients[0].action.as_deref(), Some("delayed"), "{subject}");
        assert_eq!(bounce.recipients[0].status.as_deref(), Some("4.4.7"), "{subject}");
    }
}
