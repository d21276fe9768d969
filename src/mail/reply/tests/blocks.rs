//! Header blocks and separators above an older message as each client writes them in each
//! language (M-92, M-94).

use super::super::{Confidence, Context, Prefix, trim};
use super::{Misses, answer, cut};

const NEW: &str = "It works again.\n\nThank you!";
const OLD: &str = "Please restart it.\n\nSupport";

/// Outlook's labels for sender, date, recipient, copy, subject and importance.
const LABELS: &[&str] = &[
    "From|Sent|To|Cc|Subject|Importance",
    "De |Envoyé |À |Cc |Objet |Importance ",
    "Von|Gesendet|An|Cc|Betreff|Wichtigkeit",
    "Von|Gesendet|An|Cc|Betreff|Priorität",
    "De|Enviado el|Para|CC|Asunto|Importancia",
    "De|Enviado|Para|Cc|Asunto|Prioridad",
    "Da|Inviato|A|Cc|Oggetto|Priorità",
    "De|Enviada em|Para|Cc|Assunto|Prioridade",
    "De|Enviado|Para|Cc|Assunto|Importância",
    "Van|Verzonden|Aan|CC|Onderwerp|Urgentie",
    "De|Enviat el|Per a|A/c|Assumpte|Prioritat",
    "Od|Wysłano|Do|DW|Temat|Ważność",
    "Od|Wysłane|Do|DW|Temat|Priorytet",
    "Från|Skickat|Till|Kopia|Ämne|Prioritet",
    "Fra|Sendt|Til|Cc|Emne|Vigtighed",
    "Fra|Sendt|Til|Kopi|Emne|Viktighet",
    "Lähettäjä|Lähetetty|Vastaanottaja|Kopio|Aihe|Tärkeys",
    "Saatja|Saadetud|Adressaat|Koopia|Teema|Tähtsus",
    "Nuo|Išsiųsta|Kam|Kopija|Tema|Svarba",
    "Od|Odesláno|Komu|Kopie|Předmět|Důležitost",
    "Od|Odoslané|Komu|Kópia|Predmet|Dôležitosť",
    "Feladó|Elküldve|Címzett|Másolatot kap|Tárgy|Fontosság",
    "De la|Trimis|Către|Cc|Subiect|Importanță",
    "Kimden|Gönderildi|Kime|Bilgi|Konu|Önem",
    "Šalje|Poslano|Prima|Kopija|Predmet|Važnost",
    "Od|Poslano|Za|Kp|Zadeva|Pomembnost",
    "Од|Послато|Коме|Копија|Тема|Важност",
    "От|Изпратено|До|Копие|Относно|Важност",
    "От|Отправлено|Кому|Копия|Тема|Важность",
    "Від|Надіслано|Кому|Копія|Тема|Важливість",
    "Από|Εστάλη|Προς|Κοιν.|Θέμα|Σπουδαιότητα",
    "من|تاريخ الإرسال|إلى|نسخة|الموضوع|الأهمية",
    "מאת|נשלח|אל|עותק|נושא|חשיבות",
    "发件人|发送时间|收件人|抄送|主题|重要性",
    "寄件者|寄件日期|收件者|副本|主旨|重要性",
    "差出人|送信日時|宛先|CC|件名|重要度",
    "보낸 사람|보낸 날짜|받는 사람|참조|제목|중요도",
    "Từ|Đã gửi|Tới|Cc|Chủ đề|Tầm quan trọng",
    "Dari|Dikirim|Kepada|Cc|Perihal|Kepentingan",
    "จาก|ส่ง|ถึง|สำเนา|เรื่อง|ความสำคัญ",
];

const VALUES: [&str; 6] = [
    "Support <support@desk.example>",
    "Monday, 2 March 2026 10:05",
    "Claire Johnson",
    "Ann Lee",
    "RE: Printer",
    "High",
];

/// The block with the chosen labels, in that order.
fn block(labels: &str, order: &[usize], colon: &str) -> String {
    let labels: Vec<&str> = labels.split('|').collect();
    order.iter().map(|&n| format!("{}{colon} {}\n", labels[n], VALUES[n])).collect()
}

#[test]
fn e_90_an_outlook_block_of_each_language_ends_the_reply() {
    let mut misses = Misses::default();
    for labels in LABELS {
        for order in [
            &[0, 1, 2, 4][..],
            &[0, 1, 2, 3, 4, 5],
            // Outlook for the Mac, Samsung, Thunderbird.
            &[0, 2, 3, 4, 1],
            &[4, 1, 0, 2],
            // GMX.
            &[1, 0, 2, 4],
            // Without recipients.
            &[0, 1, 4],
        ] {
            let block = block(labels, order, ":");
            misses.see(&format!("{NEW}\n\n{block}\n{OLD}\n"), NEW);
            misses.see(&format!("{NEW}\n{block}{OLD}\n"), NEW);
        }
        for colon in ["：", "\u{a0}:"] {
            let block = block(labels, &[0, 1, 2, 4], colon);
            misses.see(&format!("{NEW}\n\n{block}\n{OLD}\n"), NEW);
        }
    }
    misses.none();
}

#[test]
fn e_90_a_block_below_a_rule_or_in_bold_ends_the_reply() {
    let mut misses = Misses::default();
    for labels in LABELS {
        let plain = block(labels, &[0, 1, 2, 4], ":").replace("<support@desk.example>", "");
        for rule in ["________________________________", "-----", "==============="] {
            misses.see(&format!("{NEW}\n\n{rule}\n{plain}\n{OLD}\n"), NEW);
        }
        let bold: String = plain
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(label, value)| format!("*{}:*{value}\n", label.trim_end()))
            .collect();
        misses.see(&format!("{NEW}\n\n{bold}\n{OLD}\n"), NEW);
        misses.see(&format!("{NEW}\n\n{}\n{OLD}\n", bold.replace('*', "**")), NEW);
    }
    misses.none();
}

#[test]
fn m_94_folds_gaps_and_tables_belong_to_a_block() {
    let mut misses = Misses::default();
    for block in [
        "From: Support <support@desk.example>\nSent: 2 March 2026 10:05\n\
         To: Claire Johnson <c@customer.example>; Ann Lee\n <ann@customer.example>\n\
         Subject: RE: Printer\n",
        "From: Support\n<support@desk.example>\nSent: 2 March 2026\nTo: Claire\nSubject: Printer\n",
        "From: Support <support@desk.example>\n\nSent: 2 March 2026\nTo: Claire\nSubject: Printer\n",
        "From: \"Support\" <support@desk.example>\nTo: Claire\nCc: \nDate: 02.03.2026 10:05\n\
         Subject: Re: Printer\nSent by: Ann\n",
        "From: Support\nDate: 2026-03-02 10:05\nTo: claire\nCC: ann\nSubject: Re: Printer\n",
        "From: | Support <support@desk.example>\nTo: | Claire\nDate: | 02.03.2026 10:05\n\
         Subject: | Printer\n",
        "发件人: \"Support\" <support@desk.example>;\n发送时间: 2026年3月2日(星期一) 上午10:05\n\
         收件人: \"claire\"<c@customer.example>;\n主题: Re: Printer\n",
        "发件人：Support <support@desk.example>\n日　期：2026年03月02日 10:05:33\n\
         收件人：claire<c@customer.example>\n主　题：Re: Printer\n",
        "보낸사람 : Support <support@desk.example>\n받는사람 : Claire\n날짜 : 2026-03-02 10:05\n\
         제목 : Printer\n",
        "Da: support@desk.example\nData: 2-mar-2026 10.05\nA: <c@customer.example>\nOgg: Printer\n",
        "Od: Support <support@desk.example>\nKomu: c@customer.example\nPoslaná: 02.03.2026 10:05\n\
         Predmet: Printer\n",
        "Subject: \tPrinter\nDate: \tMon, 2 Mar 2026 10:05:33 +0100\nFrom: \tSupport \
         <support@desk.example>\nTo: \tClaire\n",
    ] {
        misses.see(&format!("{NEW}\n\n{block}\n{OLD}\n"), NEW);
        misses.see(&format!("{NEW}\n\n{block}\n\n\n{OLD}\n"), NEW);
    }
    misses.none();
}

/// Of a language whose phrase nobody has told: the header below shows what the frame is.
#[test]
fn m_94_a_framed_line_goes_with_the_block_below_it() {
    let mut misses = Misses::default();
    for labels in LABELS {
        let plain = block(labels, &[0, 1, 2, 4], ":");
        for frame in ["----- Neznana beseda -----", "========== Ujumbe ==========", "-- Posta --"] {
            misses.see(&format!("{NEW}\n\n{frame}\n{plain}\n{OLD}\n"), NEW);
        }
    }
    misses.none();
}

#[test]
fn e_90_a_separator_of_each_language_ends_the_reply() {
    let mut misses = Misses::default();
    for phrase in [
        "Original Message",
        "original message",
        "Original message",
        "Reply Message",
        "Replied Message",
        "Original Appointment",
        "Original-Nachricht",
        "Ursprüngliche Nachricht",
        "Ursprüngliche Mail",
        "Ursprüngliche E-Mail",
        "Originalnachricht",
        "Message d'origine",
        "Message d’origine",
        "Message original",
        "Mail d'origine",
        "Mail original",
        "E-mail d’origine",
        "Mensaje original",
        "Mensaje Original",
        "Messaggio originale",
        "Messaggio Originale",
        "Mensagem original",
        "Oorspronkelijk bericht",
        "Oorspronkelijke bericht",
        "Oryginalna wiadomość",
        "Wiadomość oryginalna",
        "Originalmeddelande",
        "Ursprungligt meddelande",
        "Oprindelig meddelelse",
        "Oprindelig besked",
        "Opprinnelig melding",
        "Alkuperäinen viesti",
        "Původní zpráva",
        "Původní e-mail",
        "Pôvodná správa",
        "Eredeti üzenet",
        "Mesaj original",
        "Orijinal mesaj",
        "Özgün İleti",
        "Izvorna poruka",
        "Originalna poruka",
        "Izvirno sporočilo",
        "Оригинално съобщение",
        "Исходное сообщение",
        "Оригинальное сообщение",
        "Вихідне повідомлення",
        "Αρχικό μήνυμα",
        "原始邮件",
        "原始郵件",
        "元のメッセージ",
        "원본 메시지",
        "원본 이메일",
        "Tin nhắn gốc",
        "Missatge original",
    ] {
        for (left, right) in [
            ("-----", "-----"),
            ("-------- ", " --------"),
            ("----- ", " -----"),
            ("------- ", " -------"),
            ("‐‐‐‐‐‐‐ ", " ‐‐‐‐‐‐‐"),
            ("—— ", " ——"),
            ("--- ", " ---"),
            ("------------------&nbsp;", "&nbsp;------------------"),
        ] {
            misses.see(&format!("{NEW}\n\n{left}{phrase}{right}\n{OLD}\n"), NEW);
            misses.see(&format!("{NEW}\n{left}{phrase}{right}\n\n{OLD}\n"), NEW);
        }
    }
    misses.none();
}

/// What forwards say above the older message; under a reply's subject the note is what is new.
const FORWARDS: &[&str] = &[
    "---------- Forwarded message ---------",
    "---------- Forwarded message ----------",
    "-------- Forwarded Message --------",
    "============ Forwarded message ============",
    "----- Forwarded message from Support <support@desk.example> -----",
    "----- Forwarded by Ann Lee/Desk on 02/03/2026 10:05 -----",
    "----- Weitergeleitet von Ann Lee/Desk am 02.03.2026 10:05 -----",
    "----- Transféré par Ann Lee/Desk le 02/03/2026 10:05 -----",
    "-------- Weitergeleitete Nachricht --------",
    "-------- Message transféré --------",
    "-------- Mensaje reenviado --------",
    "-------- Messaggio Inoltrato --------",
    "-------- Mensagem encaminhada --------",
    "-------- Doorgestuurd bericht --------",
    "-------- Treść przekazanej wiadomości --------",
    "---------- Wiadomość przesłana dalej ----------",
    "-------- Vidarebefordrat meddelande --------",
    "-------- Videresendt meddelelse --------",
    "-------- Videresendt melding --------",
    "-------- Välitetty viesti --------",
    "-------- Přeposlaná zpráva --------",
    "-------- Preposlaná správa --------",
    "-------- Továbbított üzenet --------",
    "-------- Mesaj redirecționat --------",
    "-------- İletilmiş Mesaj --------",
    "-------- Proslijeđena poruka --------",
    "-------- Перенаправленное сообщение --------",
    "-------- Пересылаемое сообщение --------",
    "-------- Перенаправлене повідомлення --------",
    "-------- 转发的邮件 --------",
    "---------- 转发邮件 ----------",
    "Begin forwarded message:",
    "Anfang der weitergeleiteten Nachricht:",
    "Début du message réexpédié :",
    "Début du message transféré :",
    "Inicio del mensaje reenviado:",
    "Inizio messaggio inoltrato:",
    "Início da mensagem encaminhada:",
    "Início da mensagem reencaminhada:",
    "Begin doorgestuurd bericht:",
    "Początek przekazywanej wiadomości:",
    "Vidarebefordrat mejl:",
    "Start på videresendt besked:",
    "Videresendt melding:",
    "Välitetty viesti alkaa:",
    "Začátek přeposílané zprávy:",
    "Začiatok preposlanej správy:",
    "Továbbított levél kezdete:",
    "Începe mesajul redirecționat:",
    "İleti başlangıcı:",
    "Započni proslijeđenu poruku:",
    "Начало переадресованного сообщения:",
    "Початок листа, що пересилається:",
    "下面是被转发的邮件：",
    "開始轉寄郵件：",
    "転送されたメッセージ:",
];

#[test]
fn e_96_a_forward_of_each_client_is_shown_whole_and_its_note_is_what_is_new() {
    let forwarded = "\nFrom: Bob <bob@vendor.example>\nDate: Mon, 2 Mar 2026 at 10:05\n\
                     Subject: Offer\nTo: Claire <c@customer.example>\n\nOur offer.";
    for separator in FORWARDS {
        let text = format!("Please see below.\n\n{separator}\n{forwarded}");
        let forward = trim(&text, &Context { prefix: Prefix::Forward, ..answer() });
        assert_eq!((&forward.text, forward.confidence), (&text, Confidence::Medium), "{separator}");
        let answered = cut(&text);
        assert_eq!(answered.text, "Please see below.", "{separator}");
        assert_eq!((answered.visible, answered.confidence), (text, Confidence::Medium));
    }
}

/// Words of a person between dashes, and lists of labels that are no letter's head.
#[test]
fn e_91_a_persons_own_headings_and_forms_are_kept() {
    let mut misses = Misses::default();
    for text in [
        "--- Problem ---\n\nIt is off.\n\n--- What I tried ---\n\nOn and off.",
        "-- Original parts only, please --\n\nThank you.",
        "Original message: the one I sent on Monday was empty.\n\nHere it is again.",
        "Name: Claire\nRoom: 12\nDate: 2 March 2026\n\nThe lamp is broken.",
        "From: 2 March 2026\nTo: 9 March 2026\nPlease book a car.",
        "Von: Büro 12\nNach: Büro 14\nDatum: 2. März 2026\n\nBitte den Drucker umstellen.",
        "Subject: Maths\nDate: 3 March\n\nThe room has no light.",
        "The mail server says\n\nMon Mar  2 10:05:33 to=<a@x.example> from=<b@x.example>\n\nWhy?",
        "2026-03-02 10:05:11 ERROR mail: from=<b@x.example>:\nrefused\n\nWhat now?",
        "[2026-03-02 10:05] Ann wrote to the log\n[2026-03-02 10:06] failed\n\nWhat now?",
        "At 10:05 it worked, at 10:06 it said:\n\nerror 5",
        "On Monday, March 2, 2026 I wrote:\n\nplease fix it. Nothing happened.",
        "Le 2 mars, votre collègue a écrit :\n\nAttendez. J'ai attendu.",
        "Am 2.3.2026 habe ich Ihnen geschrieben:\n\nbitte den Drucker holen.",
        "Ihr Kollege schrieb am 02.03.2026 um 10:05 Uhr:\n\nBitte warten.\n\nIch warte noch.",
        "Herr Lang schrieb am 02.03.2026 um 10:05:\n\nbitte warten.",
        "The technician wrote on 2 March 2026 at 10:05:\n\nwait for me. I did.",
        "Your agent Ann wrote on 02/03/2026 10:05:\n\nwait for me. I did.",
        "Hello,\n\nI wrote to Ann Lee <ann@desk.example>:\n\nplease fix it. Nothing came.",
        "Am 2. März 2026 um 10:05 schrieb ich an Ann Lee <ann@desk.example>:\n\nbitte kommen.",
        "Hello,\n\nI wrote to s@desk.example on 2 March 2026:\n\nplease fix it. Nothing came.",
        "Votre collègue a écrit le 2 mars 2026 à 10:05 :\n\nattendez. J'attends.",
        "Su colega escribió el 2/3/2026 a las 10:05:\n\nespere. Espero.",
        "Onze collega schreef op 2 maart 2026 om 10:05:\n\nwacht even.",
        "The calendar of Ann:\n\n2 March 2026, 10:05: printer\n3 March 2026, 11:05: phone",
        "Bitte liefern an:\n\nAnn Lee\nHauptstr. 1\n2 Hamburg\nTel: 040 12345",
        "I changed it to:\n\nhost: mail.x.example\nfrom: noreply@x.example\nport: 25\n\nRight?",
        "He mailed bob@x.example and ann@x.example:\n\nnone answered.",
        "At 2026-03-02 10:05 the display says:\n\nE 45",
        "Meeting on Monday, 2 March 2026, 10:05:\n\nplease bring a beamer.",
        "[10:04] Bob: is it on?\n[10:05] Ann wrote:\nit is\n\nSo much for the chat.",
        "10:04 the job starts\n10:05 the job wrote 5 files:\n\nthen it stopped.",
        "We are on a list. Its headers:\n\nReceived: from a.x.example by b.x.example;\n\
         \tMon, 2 Mar 2026 10:05:33 +0100\nFrom: ann@x.example\nTo: bob@x.example\n\
         Subject: Offer\nDate: Mon, 2 Mar 2026 10:05:33 +0100\n\nWhy?",
        "The source says\n\nFrom: ann@x.example\nTo: bob@x.example\nSubject: Offer\n\
         Message-ID: <1@x.example>\n\nIs it real?",
        "[report]\nfrom: ann@x.example\nto: bob@x.example\nsubject: daily\n\nIs this right?",
        "Each day comes\n\nSubject: Your mailbox is full\nFrom: Desk <d@x.example>\n\
         To: ann@x.example\n\nIs it real?",
    ] {
        misses.see(text, text);
    }
    misses.none();
}
