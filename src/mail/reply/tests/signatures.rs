//! Signatures, mobile lines and footers (M-96, M-97), and what only looks like them (E-92).

use super::super::{Context, Prefix, Scope, SegmentKind, trim};
use super::{Misses, answer, assert_whole, cut};

const NEW: &str = "It works again.\n\nThank you!";

/// What phones and web mailers add by themselves.
const MOBILE: &[&str] = &[
    "Sent from my iPhone",
    "Sent from my iPhone.",
    "Sent from my iPad",
    "Sent from my mobile",
    "Sent from my mobile phone",
    "Sent from my mobile device",
    "Sent from my phone",
    "Sent from my phone. Please excuse brevity.",
    "Sent from my iPhone, please excuse typos",
    "Sent from my iPhone - please excuse brevity",
    "Sent from my Android device with K-9 Mail. Please excuse my brevity.",
    "Sent from my Android phone with Mail. Please excuse my brevity.",
    "Sent from my BlackBerry® wireless device",
    "Sent from my BlackBerry 10 smartphone on the Rogers network.",
    "Sent from my Verizon Wireless 4G LTE smartphone",
    "Sent from my T-Mobile 4G LTE Device",
    "Sent from my Samsung Galaxy smartphone.",
    "Sent from my Galaxy",
    "Sent from my Windows Phone",
    "Sent from my HTC",
    "Sent from my Pixel",
    "Sent from my Huawei Mobile",
    "Sent from Samsung Mobile",
    "Sent from Samsung tablet",
    "Sent from Mail for Windows",
    "Sent from Mail for Windows 10",
    "Sent from Outlook",
    "Sent from Outlook for iOS",
    "Sent from Outlook Mobile<https://aka.example/x?y=1>",
    "Sent from Yahoo Mail on Android",
    "Sent from Yahoo Mail for iPhone",
    "Sent from Yahoo Mail. Get the app",
    "Sent from AOL Mobile Mail",
    "Sent from Gmail Mobile",
    "Sent from Proton Mail for iOS",
    "Sent from ProtonMail Mobile",
    "Sent with Proton Mail secure email.",
    "Sent with [Proton Mail](https://proton.example/) secure email.",
    "Sent with ProtonMail Secure Email.",
    "Sent with Spark",
    "Sent with Airmail",
    "Sent via the Samsung Galaxy S7, an AT&T 4G LTE smartphone",
    "Sent via BlackBerry by AT&T",
    "Sent via Superhuman",
    "Sent by Outlook for Android",
    "Sent using Zoho Mail",
    "Sent from BlueMail for Android",
    "Get BlueMail for Android",
    "Get Outlook for iOS",
    "Get Outlook for iOS<https://aka.example/ios>",
    "Get [Outlook for Android](https://aka.example/android)",
    "Outlook für iOS<https://aka.example/ios> beziehen",
    "Az Outlook beszerzése iOS-hez<https://aka.ms/o0ukef>",
    "iOS için Outlook'u edinin<https://aka.ms/o0ukef>",
    "Preuzmite [Outlook za Android](https://aka.ms/AAb9ysg)",
    "Pobierz aplikację Outlook dla systemu iOS<https://aka.example/ios>",
    "Отримати Outlook для iOS<https://aka.example/ios>",
    "Λήψη του Outlook για Android<https://aka.example/android>",
    "Tải Outlook cho iOS",
    "Envoyé de mon iPhone",
    "Envoyé de mon iPad",
    "Envoyé depuis mon iPhone",
    "Envoyé depuis mon téléphone Android",
    "Envoyé depuis mon smartphone Samsung Galaxy.",
    "Envoyé depuis mon mobile",
    "Envoyé depuis l'application Mail Orange",
    "Envoyé à partir de Outlook pour Android",
    "Envoyé à partir de mon appareil Samsung",
    "Envoyé de mon appareil Android avec Courriel K-9 Mail. Veuillez excuser ma brièveté.",
    "Télécharger Outlook pour iOS",
    "Obtenir Outlook pour Android",
    "Von meinem iPhone gesendet",
    "Enviado con el correo electrónico seguro de Proton Mail.",
    "Envoyé avec la messagerie sécurisée Proton Mail.",
    "Inviato con l'email sicura Proton Mail.",
    "Gesendet mit sicherer E-Mail von Proton Mail.",
    "Scarica Outlook per iOS<https://aka.example/ios>",
    "Outlook voor Android downloaden<https://aka.example/android>",
    "Outlook for iOS を入手",
    "获取 Outlook for iOS",
    "Android용 Outlook 다운로드",
    "Von meinem Samsung Galaxy Smartphone gesendet.",
    "Von meinem Mobiltelefon gesendet",
    "Von meinem/meiner Galaxy gesendet",
    "Von Samsung-Tablet gesendet",
    "Gesendet von Mail für Windows",
    "Gesendet von Outlook für Android",
    "Gesendet mit der GMX Mail App",
    "Gesendet mit der Telekom Mail App",
    "Gesendet von meinem Android-Mobiltelefon mit WEB.DE Mail",
    "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
    "Diese Nachricht wurde von meinem Android Mobiltelefon mit GMX Mail gesendet.",
    "Holen Sie sich Outlook für iOS",
    "Enviado desde mi iPhone",
    "Enviado desde mi dispositivo Samsung",
    "Enviado desde mi smartphone Samsung Galaxy.",
    "Enviado desde Outlook",
    "Enviado desde Correo para Windows",
    "Obtener Outlook para iOS",
    "Inviato da iPhone",
    "Inviato dal mio iPhone",
    "Inviato dal mio smartphone Samsung Galaxy.",
    "Inviato da Outlook per Android",
    "Inviato da Posta per Windows",
    "Ottieni Outlook per iOS",
    "Enviado do meu iPhone",
    "Enviado do Outlook",
    "Enviado a partir do meu smartphone Samsung Galaxy.",
    "Enviado do Yahoo Mail no Android",
    "Obter o Outlook para iOS",
    "Verzonden vanaf mijn iPad",
    "Verstuurd vanaf mijn iPhone",
    "Verzonden vanaf mijn Galaxy",
    "Verzonden met Outlook voor iOS",
    "Verzonden vanuit Mail voor Windows",
    "Outlook voor iOS downloaden",
    "Wysłano z iPhone'a",
    "Wysłane z iPhone'a",
    "Wysłane z mojego smartfonu Samsung Galaxy.",
    "Pobierz Outlook dla systemu Android",
    "Skickat från min iPhone",
    "Skickat från min Samsung Galaxy-smartphone.",
    "Skickat från Outlook för iOS",
    "Hämta Outlook för Android",
    "Sendt fra min iPhone",
    "Sendt fra min Galaxy",
    "Sendt fra Outlook til Android",
    "Sendt fra Mail til Windows",
    "Hent Outlook til Android",
    "Skaff deg Outlook for iOS",
    "Lähetetty iPhonesta",
    "Lähetetty Samsung Galaxy -älypuhelimesta",
    "Lähetetty laitteesta Outlook Android",
    "Odesláno z mého iPhonu",
    "Odesláno z iPhonu",
    "Odesláno z mého zařízení Galaxy",
    "Odoslané z iPhonu",
    "Elküldve az iPhone-omról",
    "Trimis de pe iPhone-ul meu",
    "iPhone'umdan gönderildi",
    "Poslano z mojega iPhona",
    "Изпратено от моя iPhone",
    "Отправлено с iPhone",
    "Отправлено с моего iPhone",
    "Отправлено из мобильной Яндекс.Почты",
    "Отправлено из Outlook для Android",
    "Надіслано з iPhone",
    "Надіслано з мого iPhone",
    "Στάλθηκε από το iPhone μου",
    "נשלח מה-iPhone שלי",
    "从我的 iPhone 发送",
    "发自我的 iPhone",
    "发自我的小米手机",
    "從我的 iPhone 傳送",
    "iPhoneから送信",
    "iPadから送信",
    "私のiPhoneから送信",
    "내 iPhone에서 보냄",
    "나의 iPhone에서 보냄",
    "Được gửi từ iPhone của tôi",
    "Dikirim dari iPhone saya",
];

#[test]
fn e_92_a_mobile_line_of_each_client_and_language_is_a_signature() {
    let mut misses = Misses::default();
    for line in MOBILE {
        misses.see(&format!("{NEW}\n\n{line}\n"), NEW);
        misses.see(&format!("{NEW}\n\n{line}\n\n-----Original Message-----\nOld.\n"), NEW);
        misses.see(
            &format!(
                "{NEW}\n\n{line}\n\n> On 2 Mar 2026, at 10:05, Bob <b@x.example> wrote:\n> \n> Old."
            ),
            NEW,
        );
    }
    misses.none();
}

#[test]
fn e_92_sentences_about_sending_and_devices_are_kept() {
    let mut misses = Misses::default();
    for line in [
        "Sent from my desk, is much easier",
        "Sent from the warehouse",
        "Sent by mail yesterday",
        "Sent by post, should arrive on Monday",
        "Sent from the mail room this morning",
        "Sent via courier, arrives on Monday",
        "Sent via email too, did you get it",
        "Sent with love from the whole team",
        "Sent from my phone it looks fine, from the laptop it does not",
        "Sent from Samsung it fails, sent from Nokia it works",
        "Sent from Outlook the attachment is missing",
        "Sent from Gmail it works, from your server it does not",
        "From my phone it works",
        "From my iPhone I cannot log in",
        "From my Android tablet the portal is blank",
        "Get Outlook for me, please",
        "Outlook for iOS fails, see <https://aka.ms/o0ukef>",
        "How do I get Outlook for iOS from https://aka.ms/o0ukef on this tablet of mine",
        "Avast says your mail has a virus, see www.avast.example",
        "Gesendet von der Buchhaltung",
        "Gesendet mit der Post",
        "Von meinem iPhone aus geht es nicht",
        "Von meinem Handy wurde nichts gesendet",
        "Von meinem Kollegen gesendet",
        "Envoyé de mon bureau",
        "Envoyé par la poste hier",
        "Envoyé depuis Paris ce matin",
        "Enviado desde mi oficina",
        "Enviado con prisa",
        "Inviato da Roma questa mattina",
        "Enviado do escritório",
        "Verzonden met de post",
        "Verzonden vanaf kantoor",
        "Wysłano z magazynu w poniedziałek",
        "Skickat från kontoret",
        "Från min iPhone går det inte att logga in",
        "Sendt fra kontoret i dag",
        "Lähetetty maanantaina",
        "Odesláno z kanceláře",
        "Отправлено с вокзала утром",
        "Отправлено с ошибкой",
        "Samsung telefonum dün gönderildi",
        "昨日iPhoneから送信した写真です",
        "iPhoneから送信できません",
        "会社から送信",
        "从我的 iPhone 发送的邮件没有附件",
        "내 컴퓨터에서 보냄이 안 됩니다",
        "发自上海",
        "內容 發自我的 iPhone",
    ] {
        misses.see(&format!("Hello,\n\n{line}\n"), &format!("Hello,\n\n{line}"));
        misses.see(&format!("{line}\n"), line);
    }
    misses.none();
}

#[test]
fn e_92_mobile_lines_above_more_text_are_kept() {
    assert_whole(
        "Hello,\n\nSent from my iPhone\n\nOne more thing.\n\nAnd another.\n\nAnd a third.\n",
    );
}

#[test]
fn m_97_a_mobile_line_above_a_bottom_answer_goes_with_the_quote() {
    let reply = cut("On 2 Mar 2026, at 10:05, Support <s@desk.example> wrote:\n\
                     > It is off?\n> Sent from my iPhone\n\nYes.\n\nSent from my iPad\n");
    assert_eq!(reply.text, "Yes.");
}

#[test]
fn m_97_a_delimiter_begins_a_signature() {
    let mut misses = Misses::default();
    for delimiter in ["-- ", "--", "—", "–", "__", "--\u{a0}"] {
        misses.see(&format!("{NEW}\n{delimiter}\nClaire Johnson\nAccounts, room 12\n"), NEW);
        misses.see(
            &format!(
                "{NEW}\n\n{delimiter}\nClaire\n\nOn Mon, 2 Mar 2026 at 10:05, Bob \
                 <b@x.example> wrote:\n> Old.\n"
            ),
            NEW,
        );
    }
    misses.none();
}

/// Only the sender's own name is a signature (M-97); what stands behind a dash may be a list.
#[test]
fn e_93_names_and_things_behind_a_dash_are_kept() {
    let mut misses = Misses::default();
    for kept in [
        "We need\n\n-Toner\n",
        "We need these:\n\n-Toner Schwarz\n",
        "It prints.\n\n- Toner is low\n",
        "It prints.\n\n-f Datei\n",
        "Who is it?\n\n-Ann Lee\n",
    ] {
        misses.see(kept, kept.trim_end());
    }
    misses.none();
}

#[test]
fn m_97_a_phones_line_alone_is_a_signature() {
    let reply = cut("Sent from my iPhone\n");
    assert_eq!((reply.text.as_str(), reply.visible.as_str()), ("", "Sent from my iPhone"));
    assert_eq!(reply.signature.as_deref(), Some("Sent from my iPhone"));
}

#[test]
fn m_97_the_senders_name_ends_a_first_mail_whatever_is_pasted_above_it() {
    let alone = Context { scope: Scope::Standalone, prefix: Prefix::None, ..answer() };
    let text = "What is this?\n\nFrom: Bob <b@x.example>\nDate: 2 March 2026\n\
                Subject: Offer\nTo: c@customer.example\n\nBuy now.";
    assert_eq!(trim(&format!("{text}\n\nClaire Johnson\n"), &alone).text, text);
    let others = format!("{text}\n\n-- \nBob\n");
    assert_eq!(trim(&others, &alone).text, others.trim_end());
}

#[test]
fn m_96_lines_that_tell_how_to_unsubscribe_are_a_footer() {
    for line in [
        "Unsubscribe: https://lists.example/u/1",
        "To unsubscribe send an email to users-leave@lists.example",
        "To unsubscribe from these emails, visit https://lists.example/u/1",
        "Zum Abmelden: https://lists.example/u/1",
        "Pour vous désabonner : https://lists.example/u/1",
        "Para darse de baja: https://lists.example/u/1",
        "Uitschrijven: https://lists.example/u/1",
        "Avregistrera: https://lists.example/u/1",
    ] {
        let reply = cut(&format!("{NEW}\n\n{line}\n"));
        assert_eq!(reply.text, NEW, "{line}");
        assert_eq!(reply.segments.last().map(|s| s.kind), Some(SegmentKind::Footer), "{line}");
    }
    assert_whole("Unsubscribe me, please.\n");
    assert_whole("Hello,\n\nUnsubscribe claire@customer.example, please.\n");
    assert_whole("Hello,\n\nTo unsubscribe I clicked the link, and nothing happened.\n");
}

#[test]
fn m_96_what_a_scanner_adds_is_a_footer() {
    for notice in [
        "This email has been checked for viruses by Avast antivirus software.\nwww.avast.com",
        "---\nThis email has been checked for viruses by AVG.\nhttps://www.avg.com",
        "---\nL’absence de virus dans ce courrier électronique a été vérifiée par le logiciel \
         antivirus Avast.",
        "Virenfrei. www.avast.com",
    ] {
        let reply = cut(&format!("{NEW}\n\n{notice}\n"));
        assert_eq!(reply.text, NEW, "{notice}");
        assert_eq!(reply.segments.last().map(|s| s.kind), Some(SegmentKind::Footer), "{notice}");
    }
    assert_whole("Hello,\n\nThis email has been checked for viruses by nobody.\n");
}

#[test]
fn e_100_a_word_and_a_signature_are_told_apart() {
    for word in ["Yes", "ok", "👍", "OK!", "Merci", "Danke", "Ja.", "はい", "done", "+1", "12", "-"]
    {
        let text = format!("{word}\n\n-- \nClaire\n");
        let reply = trim(&text, &answer());
        assert_eq!(reply.visible, if word == "-" { text.trim_end() } else { word }, "{word}");
    }
}
