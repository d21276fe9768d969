//! One attribution, header block and separator of each language of 6.2.

use super::cut;

const NEW: &str = "It works again.\n\nThank you!";

/// M-93: above text without quote marks, as Outlook and phones send it.
#[test]
fn m93_an_attribution_of_each_language_ends_the_reply() {
    for attribution in [
        "On Mon, 2 Mar 2026 at 10:05, Support <support@desk.example> wrote:",
        "On 2 Mar 2026, at 10:05, Support Desk wrote:",
        "On Monday, March 2, 2026 10:05 AM, Support <support@desk.example> said:",
        "At 10:05 02/03/2026, Support Desk wrote:",
        "Support via Desk <support@desk.example> wrote:",
        "Le lun. 2 mars 2026 à 10:05, Support <support@desk.example> a écrit :",
        "Le 02/03/2026 à 10:05, Support a écrit :",
        "Am 02.03.26 um 10:05 schrieb Support:",
        "Am Mo., 2. März 2026 um 10:05 Uhr schrieb Support <support@desk.example>:",
        "Support <support@desk.example> schrieb am Mo., 2. März 2026, 10:05:",
        "Am 02.03.2026 10:05 hat Support Desk geschrieben:",
        "El lun, 2 mar 2026 a las 10:05, Support (<support@desk.example>) escribió:",
        "El 02/03/2026 a las 10:05, Support escribió:",
        "Il giorno lun 2 mar 2026 alle ore 10:05 Support <support@desk.example> ha scritto:",
        "Il 02/03/2026 10:05, Support ha scritto:",
        "Em seg., 2 de mar. de 2026 às 10:05, Support <support@desk.example> escreveu:",
        "Support <support@desk.example> escreveu (segunda, 2/03/2026 à(s) 10:05):",
        "Op ma 2 mrt 2026 om 10:05 schreef Support <support@desk.example>:",
        "Op 2 mrt. 2026 om 10:05 heeft Support <support@desk.example> het volgende geschreven:",
        "pon., 2 mar 2026 o 10:05 Support <support@desk.example> napisał(a):",
        "W dniu 02.03.2026 o 10:05, Support pisze:",
        "Den mån 2 mars 2026 kl 10:05 skrev Support <support@desk.example>:",
        "Den 2026-03-02 kl. 10:05, skrev Support:",
        "Den man. 2. mar. 2026 kl. 10.05 skrev Support <support@desk.example>:",
        "man. 2. mar. 2026 kl. 10:05 skrev Support <support@desk.example>:",
        "På 2. mars 2026 kl. 10:05 skrev Support <support@desk.example>:",
        "ma 2. maalisk. 2026 klo 10.05 Support (support@desk.example) kirjoitti:",
        "Dne po 2. 3. 2026 10:05 uživatel Support <support@desk.example> napsal:",
        "po 2. 3. 2026 o 10:05 Support <support@desk.example> napísal(a):",
        "Support <support@desk.example> ezt írta (időpont: 2026. márc. 2., H, 10:05):",
        "În lun., 2 mar. 2026 la 10:05, Support <support@desk.example> a scris:",
        "Support <support@desk.example>, 2 Mar 2026 Pzt, 10:05 tarihinde şunu yazdı:",
        "Dana pon, 2. ožu 2026. u 10:05 Support <support@desk.example> napisao je:",
        "пн, 2 мар. 2026 г. в 10:05, Support <support@desk.example>:",
        "пн, 2 бер. 2026 р. о 10:05 Support <support@desk.example> пише:",
        "Στις Δευ 2 Μαρ 2026 στις 10:05 π.μ., ο χρήστης Support <support@desk.example> έγραψε:",
        "Support <support@desk.example> 于2026年3月2日周一 10:05写道：",
        "在 2026年3月2日，上午10:05，Support <support@desk.example> 写道：",
        "2026年3月2日(月) 10:05 Support <support@desk.example>:",
        "2026년 3월 2일 (월) 오전 10:05, Support <support@desk.example>님이 작성:",
        "Vào Th 2, 2 thg 3, 2026 lúc 10:05 Support <support@desk.example> đã viết:",
        "2026-03-02 10:05 GMT+01:00 Support <support@desk.example>:",
        "---- On Mon, 02 Mar 2026 10:05:00 +0100 Support <support@desk.example> wrote ----",
    ] {
        let reply = cut(&format!("{NEW}\n\n{attribution}\n\nPlease restart it.\n\nSupport\n"));
        assert_eq!(reply.text, NEW, "{attribution}");
        let wrapped = attribution.replacen(" <support", "\n<support", 1);
        let reply = cut(&format!("{NEW}\n\n{wrapped}\n> Please restart it.\n>\n> Support\n"));
        assert_eq!(reply.text, NEW, "{wrapped}");
    }
}

/// M-94: the block Outlook writes, without a line above it.
#[test]
fn m94_an_outlook_block_of_each_language_ends_the_reply() {
    for labels in [
        "From:|Sent:|To:|Subject:",
        "De :|Envoyé :|À :|Objet :",
        "Von:|Gesendet:|An:|Betreff:",
        "De:|Enviado el:|Para:|Asunto:",
        "Da:|Inviato:|A:|Oggetto:",
        "De:|Enviada em:|Para:|Assunto:",
        "Van:|Verzonden:|Aan:|Onderwerp:",
        "Od:|Wysłano:|Do:|Temat:",
        "Från:|Skickat:|Till:|Ämne:",
        "Fra:|Sendt:|Til:|Emne:",
        "Lähettäjä:|Lähetetty:|Vastaanottaja:|Aihe:",
        "Od:|Odesláno:|Komu:|Předmět:",
        "Od:|Odoslané:|Komu:|Predmet:",
        "Feladó:|Elküldve:|Címzett:|Tárgy:",
        "De la:|Trimis:|Către:|Subiect:",
        "Kimden:|Gönderilen:|Kime:|Konu:",
        "Šalje:|Datum:|Prima:|Predmet:",
        "От:|Отправлено:|Кому:|Тема:",
        "Від:|Відправлено:|Кому:|Тема:",
        "Από:|Στάλθηκε:|Προς:|Θέμα:",
        "发件人:|发送时间:|收件人:|主题:",
        "差出人:|送信日時:|宛先:|件名:",
        "보낸 사람:|보낸 날짜:|받는 사람:|제목:",
        "*From:*|*Sent:*|*To:*|*Subject:*",
        "From：|Sent：|To：|Subject：",
    ] {
        let mut block = String::new();
        let values =
            ["Support <support@desk.example>", "2 March 2026 10:05", "Claire Johnson", "Printer"];
        for (label, value) in labels.split('|').zip(values) {
            block.push_str(&format!("{label} {value}\n"));
        }
        let reply = cut(&format!("{NEW}\n\n{block}\nPlease restart it.\n"));
        assert_eq!(reply.text, NEW, "{labels}");
        let ruled = format!("{NEW}\n\n________________________________\n{block}\nRestart it.\n");
        assert_eq!(cut(&ruled).text, NEW, "{labels} below a rule");
    }
}

/// M-92: separators between dashes.
#[test]
fn m92_a_separator_of_each_language_ends_the_reply() {
    for phrase in [
        "Original Message",
        "original message",
        "Message d'origine",
        "Ursprüngliche Nachricht",
        "Mensaje original",
        "Messaggio originale",
        "Oorspronkelijk bericht",
        "Oprindelig meddelelse",
        "原始邮件",
    ] {
        let reply = cut(&format!("{NEW}\n\n-----{phrase}-----\n\nPlease restart it.\n"));
        assert_eq!(reply.text, NEW, "{phrase}");
        let reply = cut(&format!("{NEW}\n\n-------- {phrase} --------\nPlease restart it.\n"));
        assert_eq!(reply.text, NEW, "{phrase}");
    }
}

/// M-97: the line a phone adds.
#[test]
fn m97_a_mobile_line_of_each_language_is_a_signature() {
    for line in [
        "Sent from my iPhone",
        "Sent from my iPhone, please excuse typos",
        "Sent from Mail for Windows",
        "Sent from Yahoo Mail on Android",
        "Sent from Outlook Mobile<https://aka.example/x?y=1>",
        "Sent via the Samsung Galaxy S7, an AT&T 4G LTE smartphone",
        "Get Outlook for iOS<https://aka.example/ios>",
        "Envoyé de mon iPhone",
        "Envoyé depuis mon téléphone Android",
        "Von meinem iPhone gesendet",
        "Gesendet von Mail für Windows",
        "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Enviado do meu iPhone",
        "Verzonden vanaf mijn iPad",
        "Verstuurd vanaf mijn iPhone",
        "Wysłano z iPhone'a",
        "Skickat från min iPhone",
        "Sendt fra min iPhone",
        "Hent Outlook til Android",
        "Lähetetty iPhonesta",
        "Odesláno z mého iPhonu",
        "Отправлено с iPhone",
        "从我的 iPhone 发送",
        "內容 發自我的 iPhone",
        "iPhoneから送信",
        "내 iPhone에서 보냄",
    ] {
        let reply = cut(&format!("{NEW}\n\n{line}\n"));
        if line.starts_with('內') {
            assert_eq!(reply.signature, None, "a sentence before it: {line}");
            continue;
        }
        assert_eq!(reply.text, NEW, "{line}");
        assert_eq!(reply.signature.as_deref(), Some(line));
    }
}
