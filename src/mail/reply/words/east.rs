//! The languages of Finland, central and eastern Europe and Asia (mail.md 6.2).

use super::{EMPTY, Locale};

pub(super) const LOCALES: &[Locale] = &[
    // pl
    Locale {
        prefixes: &["dnia", "w dniu"],
        verbs: &["napisał", "napisała", "nadesłał", "pisze"],
        from: &["od", "nadawca"],
        date: &["wysłano", "data"],
        to: &["do", "adresat"],
        cc: &["dw", "kopia"],
        subject: &["temat"],
        other: &["odpowiedź-do"],
        forward: &[
            "początek przekazywanej wiadomości:",
            "przekazana wiadomość",
            "treść przekazanej wiadomości",
            "wiadomość przesłana dalej",
        ],
        original: &["oryginalna wiadomość", "wiadomość oryginalna"],
        mobile: &[("wysłano z", ""), ("wysłane z", ""), ("pobierz outlook dla", "")],
        ..EMPTY
    },
    // fi
    Locale {
        verbs: &["kirjoitti"],
        from: &["lähettäjä"],
        date: &["lähetetty", "päivämäärä", "päiväys"],
        to: &["vastaanottaja"],
        cc: &["kopio"],
        subject: &["aihe"],
        other: &["vastaus"],
        forward: &[
            "välitetty viesti alkaa:",
            "edelleenlähetetty viesti",
            "välitetty viesti",
            "fwd.msg",
        ],
        original: &["alkuperäinen viesti"],
        mobile: &[("lähetetty", "")],
        ..EMPTY
    },
    // cs
    Locale {
        prefixes: &["dne"],
        verbs: &["napsal", "napsala"],
        from: &["od"],
        date: &["odesláno", "datum"],
        to: &["komu"],
        cc: &["kopie"],
        subject: &["předmět"],
        other: &["odpověď na"],
        forward: &["začátek přeposílané zprávy:", "přeposlaná zpráva"],
        original: &["původní zpráva"],
        mobile: &[("odesláno z", "")],
        ..EMPTY
    },
    // sk
    Locale {
        prefixes: &["dňa"],
        verbs: &["napísal", "napísala"],
        from: &["od"],
        date: &["odoslané", "dátum"],
        to: &["komu", "pre"],
        cc: &["kópia"],
        subject: &["predmet"],
        other: &["odpovedať-pre"],
        forward: &["začiatok preposlanej správy:", "preposlaná správa"],
        original: &["pôvodná správa"],
        mobile: &[("odoslané z", "")],
        ..EMPTY
    },
    // hu
    Locale {
        verbs: &["írta"],
        from: &["feladó"],
        date: &["elküldve", "dátum"],
        to: &["címzett"],
        cc: &["másolat", "másolatot kap"],
        subject: &["tárgy"],
        other: &["válaszcím"],
        forward: &["továbbított levél kezdete:", "továbbított üzenet"],
        original: &["eredeti üzenet"],
        ..EMPTY
    },
    // ro
    Locale {
        prefixes: &["în", "pe", "pe data", "la"],
        verbs: &["scris"],
        from: &["de la", "expeditorul"],
        date: &["trimis", "dată", "data"],
        to: &["către", "destinatarul"],
        cc: &["cc"],
        subject: &["subiect", "subiectul"],
        other: &["răspuns către"],
        forward: &["începe mesajul redirecționat:", "mesaj redirecționat"],
        original: &["mesaj original"],
        mobile: &[("trimis de pe", "")],
        ..EMPTY
    },
    // tr
    Locale {
        verbs: &["yazdı"],
        from: &["kimden", "gönderen"],
        date: &["gönderilen", "tarih"],
        to: &["kime"],
        cc: &["bilgi"],
        subject: &["konu"],
        other: &["yanıt adresi"],
        forward: &["i̇leti başlangıcı:", "ileti başlangıcı:", "i̇letilmiş mesaj", "iletilmiş mesaj"],
        original: &["orijinal mesaj", "özgün ileti"],
        ..EMPTY
    },
    // hr
    Locale {
        prefixes: &["dana"],
        verbs: &["napisao", "napisala"],
        from: &["šalje"],
        date: &["datum"],
        to: &["prima"],
        cc: &["cc"],
        subject: &["naslov", "predmet"],
        forward: &["započni proslijeđenu poruku:", "proslijeđena poruka"],
        original: &["izvorna poruka"],
        ..EMPTY
    },
    // ru
    Locale {
        verbs: &["написал", "написала", "пишет"],
        from: &["от", "отправитель", "от кого"],
        date: &["отправлено", "дата"],
        to: &["кому"],
        cc: &["копия"],
        subject: &["тема"],
        other: &["ответ-кому"],
        forward: &[
            "начало переадресованного сообщения:",
            "пересылаемое сообщение",
            "перенаправленное сообщение",
        ],
        original: &["исходное сообщение"],
        mobile: &[("отправлено с", ""), ("отправлено из", "")],
        ..EMPTY
    },
    // uk
    Locale {
        verbs: &["пише", "написав", "написала"],
        from: &["від", "від кого"],
        date: &["відправлено", "надіслано", "дата"],
        to: &["кому"],
        cc: &["копія"],
        subject: &["тема"],
        other: &["кому відповісти"],
        forward: &[
            "початок листа, що пересилається:",
            "перенаправлене повідомлення",
            "переслане повідомлення",
        ],
        original: &["початкове повідомлення"],
        mobile: &[("надіслано з", ""), ("відправлено з", "")],
        ..EMPTY
    },
    // el
    Locale {
        prefixes: &["στις"],
        verbs: &["έγραψε"],
        from: &["από"],
        date: &["στάλθηκε", "ημερομηνία"],
        to: &["προς"],
        subject: &["θέμα"],
        original: &["αρχικό μήνυμα"],
        mobile: &[("στάλθηκε από", "")],
        ..EMPTY
    },
    // zh
    Locale {
        prefixes: &["在", "于"],
        verbs: &["写道", "寫道"],
        from: &["发件人", "寄件者"],
        date: &["发送时间", "日期", "寄件日期"],
        to: &["收件人", "收件者"],
        cc: &["抄送", "副本"],
        subject: &["主题", "主旨"],
        forward: &["转发的邮件"],
        original: &["原始邮件", "原始郵件"],
        mobile: &[("從我的", "傳送"), ("从我的", "发送"), ("发自我的", "")],
        ..EMPTY
    },
    // ja
    Locale {
        verbs: &["のメッセージ", "書きました"],
        from: &["送信元", "差出人"],
        date: &["日付", "送信日時", "日時"],
        to: &["送信先", "宛先"],
        cc: &["cc"],
        subject: &["件名"],
        forward: &["メッセージを転送", "転送メッセージ"],
        original: &["元のメッセージ"],
        mobile: &[("", "から送信")],
        ..EMPTY
    },
    // ko
    Locale {
        verbs: &["님이 작성"],
        from: &["보낸 사람"],
        date: &["보낸 날짜"],
        to: &["받는 사람"],
        cc: &["참조"],
        subject: &["제목"],
        original: &["원본 메시지"],
        mobile: &[("내", "보냄"), ("나의", "보냄")],
        ..EMPTY
    },
    // vi
    Locale {
        prefixes: &["vào"],
        verbs: &["viết"],
        from: &["từ"],
        date: &["ngày"],
        to: &["đến"],
        subject: &["chủ đề"],
        mobile: &[("được gửi từ", "")],
        ..EMPTY
    },
];
