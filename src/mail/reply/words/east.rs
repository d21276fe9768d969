//! The languages of central and eastern Europe (mail.md 6.2).

use super::{EMPTY, Locale};

pub(super) const LOCALES: &[Locale] = &[
    // pl
    Locale {
        prefixes: &["cytowanie", "dnia", "w dniu", "wiadomość napisana przez"],
        verbs: &["cytowanie", "nadesłał", "napisana", "napisał", "napisała", "pisze"],
        from: &["nadawca", "od"],
        date: &["data", "wysłane", "wysłano"],
        to: &["adresat", "do"],
        cc: &["dw", "kopia"],
        subject: &["temat"],
        other: &["odpowiedź-do", "priorytet", "ważność", "załączniki"],
        forward: &[
            "początek przekazanej wiadomości:",
            "początek przekazywanej wiadomości:",
            "przekazana wiadomość",
            "treść przekazanej wiadomości",
            "wiadomość przesłana dalej",
        ],
        original: &["oryginalna wiadomość", "wiadomość oryginalna"],
        mobile: &[
            ("pobierz aplikację outlook dla", ""),
            ("pobierz outlook dla", ""),
            ("pobierz program outlook dla", ""),
            ("wysłane z", ""),
            ("wysłano z", ""),
        ],
        ..EMPTY
    },
    // cs
    Locale {
        prefixes: &["cituji", "dne"],
        verbs: &["cituji", "napsal", "napsala"],
        from: &["od"],
        date: &["datum", "odesláno"],
        to: &["komu"],
        cc: &["kopie"],
        subject: &["předmět"],
        other: &["důležitost", "odpověď na", "přílohy"],
        forward: &[
            "přeposlaná zpráva",
            "začátek přeposlané zprávy:",
            "začátek přeposílané zprávy:",
        ],
        original: &["původní e-mail", "původní zpráva"],
        mobile: &[("odesláno z", ""), ("získat outlook pro", ""), ("získejte outlook pro", "")],
        ..EMPTY
    },
    // sk
    Locale {
        prefixes: &["dňa"],
        verbs: &["napísal", "napísala"],
        from: &["od"],
        date: &["dátum", "odoslané", "poslaná"],
        to: &["komu", "pre"],
        cc: &["kópia"],
        subject: &["predmet"],
        other: &["dôležitosť", "odpovedať-pre", "prílohy"],
        forward: &["preposlaná správa", "začiatok preposlanej správy:"],
        original: &["pôvodná správa", "pôvodný e-mail"],
        mobile: &[("odoslané z", ""), ("získajte outlook pre", "")],
        ..EMPTY
    },
    // hu
    Locale {
        prefixes: &["idézet"],
        verbs: &["idézet", "írta"],
        from: &["feladó"],
        date: &["dátum", "elküldve", "küldve"],
        to: &["címzett"],
        cc: &["másolat", "másolatot kap"],
        subject: &["tárgy"],
        other: &["fontosság", "mellékletek", "válaszcím"],
        forward: &["továbbított levél kezdete:", "továbbított üzenet"],
        original: &["eredeti levél", "eredeti üzenet"],
        mobile: &[("elküldve", ""), ("küldve az", "")],
        ..EMPTY
    },
    // ro
    Locale {
        prefixes: &["la", "pe", "pe data", "în"],
        verbs: &["scris"],
        from: &["de la", "expeditorul"],
        date: &["data", "dată", "trimis"],
        to: &["către", "destinatarul"],
        cc: &["cc"],
        subject: &["subiect", "subiectul"],
        other: &["atașări", "importanță", "răspuns către"],
        forward: &[
            "mesaj redirecționat",
            "începe mesajul redirecționat:",
            "începutul mesajului redirecționat:",
        ],
        original: &["mesaj original", "mesajul original"],
        mobile: &[("obțineți outlook pentru", ""), ("trimis de pe", ""), ("trimis din", "")],
        ..EMPTY
    },
    // tr
    Locale {
        verbs: &["yazdı"],
        from: &["gönderen", "kimden"],
        date: &["gönderilen", "gönderildi", "gönderilme tarihi", "gönderme tarihi", "tarih"],
        to: &["alıcı", "kime"],
        cc: &["bilgi"],
        subject: &["konu"],
        other: &["ekler", "yanıt adresi", "önem"],
        forward: &[
            "i̇leti başlangıcı:",
            "i̇letilen ileti",
            "i̇letilen ileti başlangıcı:",
            "i̇letilmiş mesaj",
            "ileti başlangıcı:",
            "iletilen ileti",
            "iletilmiş mesaj",
            "yönlendirilmiş ileti",
        ],
        original: &["orijinal ileti", "orijinal mesaj", "özgün i̇leti", "özgün ileti"],
        mobile: &[("", "imden gönderildi"), ("", "umdan gönderildi"), ("", "ımdan gönderildi")],
        ..EMPTY
    },
    // hr
    Locale {
        prefixes: &["dana"],
        verbs: &["napisala", "napisao"],
        from: &["od", "šalje"],
        date: &["datum", "poslano"],
        to: &["prima"],
        cc: &["cc", "kopija"],
        subject: &["naslov", "predmet"],
        other: &["privici", "važnost"],
        forward: &["proslijeđena poruka", "započni proslijeđenu poruku:"],
        original: &["izvorna poruka", "originalna poruka"],
        mobile: &[("poslano s", ""), ("poslano sa", "")],
        ..EMPTY
    },
    // sl
    Locale {
        prefixes: &["dne", "v"],
        verbs: &["napisal", "napisala"],
        from: &["od"],
        date: &["datum", "poslano"],
        to: &["komu", "za"],
        cc: &["kp"],
        subject: &["zadeva"],
        forward: &["posredovano sporočilo"],
        original: &["izvirno sporočilo"],
        mobile: &[("poslano iz", ""), ("poslano z", "")],
        ..EMPTY
    },
    // sr
    Locale {
        prefixes: &["dana", "дана"],
        verbs: &["napisala", "napisao", "написала", "написао"],
        from: &["od", "šalje", "од", "шаље"],
        date: &["datum", "poslato", "датум", "послато"],
        to: &["prima", "za", "коме", "прима"],
        cc: &["копија"],
        subject: &["naslov", "tema", "наслов", "тема"],
        original: &["originalna poruka", "оригинална порука"],
        ..EMPTY
    },
    // bg
    Locale {
        prefixes: &["на"],
        verbs: &["написа"],
        from: &["от"],
        date: &["дата", "изпратено"],
        to: &["до"],
        cc: &["копие"],
        subject: &["относно", "тема"],
        forward: &["препратено съобщение"],
        original: &["оригинално писмо", "оригинално съобщение"],
        mobile: &[("изпратено от", "")],
        ..EMPTY
    },
    // ru
    Locale {
        prefixes: &["цитирую"],
        verbs: &["написал", "написала", "пишет", "писал", "писала", "писали", "цитирую"],
        from: &["от", "от кого", "отправитель"],
        date: &["дата", "отправлено"],
        to: &["кому"],
        cc: &["копия"],
        subject: &["тема"],
        other: &["важность", "вложения", "ответ-кому"],
        forward: &[
            "начало переадресованного сообщения:",
            "начало пересылаемого сообщения:",
            "пересланное сообщение",
            "пересылаемое сообщение",
            "перенаправленное сообщение",
        ],
        original: &["исходное сообщение", "оригинальное сообщение"],
        mobile: &[
            ("отправлено из", ""),
            ("отправлено от", ""),
            ("отправлено с", ""),
            ("получить outlook для", ""),
            ("скачайте outlook для", ""),
        ],
        ..EMPTY
    },
    // uk
    Locale {
        verbs: &["написав", "написала", "пише"],
        from: &["від", "від кого"],
        date: &["відправлено", "дата", "надіслано"],
        to: &["кому"],
        cc: &["копія"],
        subject: &["тема"],
        other: &["важливість", "вкладення", "кому відповісти"],
        forward: &[
            "перенаправлене повідомлення",
            "переслане повідомлення",
            "початок листа, що пересилається:",
        ],
        original: &["вихідне повідомлення", "початкове повідомлення"],
        mobile: &[
            ("відправлено з", ""),
            ("надіслано з", ""),
            ("надіслано із", ""),
            ("отримати outlook для", ""),
        ],
        ..EMPTY
    },
    // el
    Locale {
        prefixes: &["στις"],
        verbs: &["έγραψε"],
        from: &["από"],
        date: &["αποστολή", "εστάλη", "ημερομηνία", "στάλθηκε"],
        to: &["προς"],
        cc: &["κοιν", "κοινοποίηση"],
        subject: &["θέμα"],
        forward: &["αρχή προωθημένου μηνύματος:", "προωθημένο μήνυμα"],
        original: &["αρχικό μήνυμα"],
        mobile: &[("εστάλη από", ""), ("λήψη του outlook για", ""), ("στάλθηκε από", "")],
        ..EMPTY
    },
];
