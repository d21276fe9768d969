//! The languages of western and northern Europe, and what came of them elsewhere (mail.md 6.2).

use super::{EMPTY, Locale};

pub(super) const LOCALES: &[Locale] = &[
    // en
    Locale {
        prefixes: &["on", "at", "in message", "posted by"],
        verbs: &["wrote"],
        loose_verbs: &["writes", "said", "says", "sent", "posted"],
        from: &["from"],
        date: &["date", "sent"],
        to: &["to"],
        cc: &["cc", "bcc"],
        subject: &["subject"],
        other: &["reply-to", "organization", "importance", "attachments"],
        forward: &["begin forwarded message:", "forwarded message", "forwarded by", "forwarded"],
        original: &["original message", "reply message", "original email", "original appointment"],
        mobile: &[
            ("sent from", ""),
            ("sent via", ""),
            ("sent with", ""),
            ("sent by", ""),
            ("sent using", ""),
            ("get outlook for", ""),
            ("from my", ""),
        ],
    },
    // fr
    Locale {
        prefixes: &["le"],
        verbs: &["écrit"],
        loose_verbs: &["dit"],
        from: &["de", "expéditeur"],
        date: &["envoyé", "date", "envoyé le", "message du"],
        to: &["à", "a", "pour", "destinataire"],
        cc: &["cc", "copie à", "copie"],
        subject: &["objet", "sujet"],
        other: &["répondre à"],
        forward: &[
            "début du message transféré :",
            "début du message réexpédié :",
            "message transféré",
            "message transmis",
        ],
        original: &["message d'origine", "message d’origine", "message original"],
        mobile: &[
            ("envoyé depuis", ""),
            ("envoyé de mon", ""),
            ("envoyé de ma", ""),
            ("envoyé à partir de", ""),
            ("télécharger outlook pour", ""),
            ("obtenez outlook pour", ""),
        ],
    },
    // de
    Locale {
        prefixes: &["am", "gesendet am"],
        verbs: &["schrieb", "schrieben", "geschrieben"],
        from: &["von"],
        date: &["gesendet", "datum"],
        to: &["an"],
        cc: &["cc", "kopie"],
        subject: &["betreff"],
        other: &["antwort an", "wichtigkeit", "anlagen"],
        forward: &["anfang der weitergeleiteten nachricht:", "weitergeleitete nachricht"],
        original: &[
            "ursprüngliche nachricht",
            "originalnachricht",
            "original-nachricht",
            "antwort nachricht",
        ],
        mobile: &[
            ("von meinem", "gesendet"),
            ("gesendet von", ""),
            ("gesendet mit", ""),
            ("diese nachricht wurde von", "gesendet"),
            ("holen sie sich outlook für", ""),
        ],
        ..EMPTY
    },
    // es
    Locale {
        prefixes: &["el"],
        verbs: &["escribió"],
        from: &["de"],
        date: &["enviado", "enviado el", "fecha"],
        to: &["para"],
        cc: &["cc"],
        subject: &["asunto"],
        other: &["responder a"],
        forward: &["inicio del mensaje reenviado:", "mensaje reenviado"],
        original: &["mensaje original"],
        mobile: &[("enviado desde", ""), ("obtener outlook para", "")],
        ..EMPTY
    },
    // it
    Locale {
        prefixes: &["il", "il giorno", "in data"],
        verbs: &["scritto"],
        from: &["da", "mittente"],
        date: &["inviato", "data"],
        to: &["a"],
        cc: &["cc"],
        subject: &["oggetto"],
        other: &["rispondi a", "risposta"],
        forward: &["inizio messaggio inoltrato:", "messaggio inoltrato"],
        original: &["messaggio originale"],
        mobile: &[("inviato da", ""), ("inviato dal", ""), ("ottieni outlook per", "")],
        ..EMPTY
    },
    // pt
    Locale {
        prefixes: &["em"],
        verbs: &["escreveu"],
        from: &["de"],
        date: &["enviado", "enviada em", "data"],
        to: &["para"],
        cc: &["cc"],
        subject: &["assunto"],
        other: &["responder a"],
        forward: &[
            "início da mensagem reencaminhada:",
            "início da mensagem encaminhada:",
            "mensagem reencaminhada",
            "mensagem encaminhada",
        ],
        original: &["mensagem original"],
        mobile: &[("enviado do meu", ""), ("enviado a partir", ""), ("obter o outlook para", "")],
        ..EMPTY
    },
    // nl
    Locale {
        prefixes: &["op"],
        verbs: &["schreef", "geschreven"],
        loose_verbs: &["verzond"],
        from: &["van"],
        date: &["verzonden", "datum"],
        to: &["aan"],
        cc: &["cc"],
        subject: &["onderwerp"],
        other: &["antwoord aan", "beantwoorden - aan"],
        forward: &["begin doorgestuurd bericht:", "doorgestuurd bericht"],
        original: &["oorspronkelijk bericht", "origineel bericht"],
        mobile: &[
            ("verzonden met", ""),
            ("verzonden vanaf", ""),
            ("verstuurd vanaf", ""),
            ("download outlook voor", ""),
        ],
    },
    // sv
    Locale {
        prefixes: &["den"],
        verbs: &["skrev"],
        from: &["från"],
        date: &["skickat", "datum"],
        to: &["till"],
        cc: &["kopia", "cc"],
        subject: &["ämne"],
        other: &["svara till"],
        forward: &["vidarebefordrat mejl:", "vidarebefordrat meddelande"],
        original: &["ursprungligt meddelande", "originalmeddelande"],
        mobile: &[("skickat från", ""), ("från min", ""), ("hämta outlook för", "")],
        ..EMPTY
    },
    // da, no
    Locale {
        prefixes: &["den", "på"],
        verbs: &["skrev"],
        from: &["fra"],
        date: &["sendt", "dato"],
        to: &["til"],
        cc: &["cc", "kopi"],
        subject: &["emne"],
        other: &["svar til", "vedhæftet"],
        forward: &[
            "start på videresendt besked:",
            "videresendt meddelelse",
            "videresendt melding",
            "videresendt besked",
        ],
        original: &[
            "oprindelig meddelelse",
            "oprindelig besked",
            "opprinnelig melding",
            "original melding",
        ],
        mobile: &[("sendt fra", ""), ("hent outlook til", ""), ("skaff deg outlook for", "")],
        ..EMPTY
    },
];
