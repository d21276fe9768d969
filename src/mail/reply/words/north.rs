//! The languages of northern Europe and the Baltic (mail.md 6.2).

use super::{EMPTY, Locale};

pub(super) const LOCALES: &[Locale] = &[
    // sv
    Locale {
        prefixes: &["citerar", "den"],
        verbs: &["citerar", "skrev"],
        from: &["avsändare", "från"],
        date: &["datum", "skickat"],
        to: &["till"],
        cc: &["cc", "kopia"],
        subject: &["ämne"],
        other: &["bifogade filer", "prioritet", "svara till"],
        forward: &[
            "vidarebefordrat brev:",
            "vidarebefordrat mejl:",
            "vidarebefordrat meddelande",
            "vidarebefordrat meddelande:",
        ],
        original: &["originalmeddelande", "ursprungligt meddelande"],
        mobile: &[
            ("från min", ""),
            ("hämta outlook för", ""),
            ("skaffa outlook för", ""),
            ("skickat från", ""),
            ("skickat med", ""),
        ],
        unsubscribe: &["avregistrera", "avsluta prenumeration", "för att avregistrera"],
        ..EMPTY
    },
    // da, no
    Locale {
        prefixes: &["citat", "den", "på"],
        verbs: &["citat", "skrev"],
        from: &["fra"],
        date: &["dato", "sendt"],
        to: &["til"],
        cc: &["cc", "kopi"],
        subject: &["emne"],
        other: &[
            "prioritet",
            "svar til",
            "vedhæftede filer",
            "vedhæftet",
            "vedlegg",
            "vigtighed",
            "viktighet",
        ],
        forward: &[
            "start på videresendt besked:",
            "start på videresendt melding:",
            "videresendt besked",
            "videresendt besked:",
            "videresendt meddelelse",
            "videresendt melding",
            "videresendt melding:",
        ],
        original: &[
            "oprindelig besked",
            "oprindelig meddelelse",
            "opprinnelig e-post",
            "opprinnelig melding",
            "original melding",
        ],
        mobile: &[
            ("hent outlook for", ""),
            ("hent outlook til", ""),
            ("sendt fra", ""),
            ("sendt med", ""),
            ("skaff deg outlook for", ""),
        ],
        unsubscribe: &["afmeld", "avmeld", "for at afmelde", "for å melde deg av"],
        ..EMPTY
    },
    // fi
    Locale {
        prefixes: &["lainaus"],
        verbs: &["kirjoitti", "lainaus"],
        from: &["lähettäjä"],
        date: &["lähetetty", "päivämäärä", "päiväys"],
        to: &["vastaanottaja"],
        cc: &["kopio"],
        subject: &["aihe"],
        other: &["liitteet", "prioriteetti", "tärkeys", "vastaus"],
        forward: &[
            "edelleenlähetetty viesti",
            "fwd.msg",
            "välitetty viesti",
            "välitetty viesti alkaa:",
        ],
        original: &["alkuperäinen viesti"],
        mobile: &[("hanki outlook", ""), ("lähetetty", "")],
        ..EMPTY
    },
    // is
    Locale {
        prefixes: &["þann"],
        verbs: &["skrifaði"],
        from: &["frá"],
        to: &["til"],
        subject: &["efni"],
        original: &["upprunaleg skilaboð"],
        mobile: &[("sent úr", "")],
        ..EMPTY
    },
    // et
    Locale {
        prefixes: &["kuupäev"],
        verbs: &["kirjutas"],
        from: &["saatja"],
        date: &["kuupäev", "saadetud"],
        to: &["adressaat", "kellele", "saaja"],
        cc: &["koopia"],
        subject: &["teema"],
        forward: &["edastatud kiri", "edastatud sõnum"],
        original: &["algne kiri", "algne sõnum", "originaalsõnum"],
        ..EMPTY
    },
    // lv: its label for the sender is the English `no`, which a form may have.
    Locale {
        verbs: &["rakstīja"],
        date: &["datums", "nosūtīts"],
        to: &["kam"],
        cc: &["kopija"],
        subject: &["temats", "tēma"],
        original: &["sākotnējais ziņojums"],
        ..EMPTY
    },
    // lt
    Locale {
        verbs: &["rašė"],
        from: &["nuo"],
        date: &["išsiųsta"],
        to: &["kam"],
        cc: &["kopija"],
        subject: &["tema"],
        forward: &["persiųstas laiškas"],
        original: &["originalus laiškas", "pradinis laiškas"],
        ..EMPTY
    },
];
