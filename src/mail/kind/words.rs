//! What programs call an automatic answer in its subject (M-70), by language: what the page lists,
//! and what Exchange, Notes, GroupWise, cPanel and the webmails write besides.

/// The phrases of each language, in lower case; a space stands for a hyphen or an underscore too.
/// They are compared without accents. Only what names an answer of a machine belongs here, not what
/// people write about their day.
#[rustfmt::skip]
pub(super) const PHRASES: [(&str, &[&str]); 36] = [
    ("ar", &["الرد التلقائي", "رد تلقائي"]),
    ("bg", &["автоматичен отговор"]),
    ("ca", &["fora de l'oficina", "resposta automàtica"]),
    ("cs", &["automatická odpověď", "odpověď v nepřítomnosti"]),
    ("da", &["automatisk svar", "fraværsbesked", "fraværsmeddelelse"]),
    ("de", &["abwesend", "abwesenheitsbenachrichtigung", "abwesenheitsmeldung", "abwesenheitsnachricht", "abwesenheitsnotiz", "automatische abwesenheitsnotiz", "automatische antwort", "automatische rückantwort", "automatischer antworter"]),
    ("el", &["αυτόματη απάντηση", "εκτός γραφείου"]),
    ("en", &["auto", "auto reply", "auto response", "automated reply", "automated response", "automatic reply", "automatic response", "autoreply", "autoresponse", "out of office", "out of office auto reply", "out of office autoreply", "out of office message", "out of office notification", "out of office reply", "out of office response", "out of the office", "vacation", "vacation auto reply", "vacation autoreply", "vacation message", "vacation reply", "vacation response"]),
    ("es", &["ausencia de la oficina", "contestación automática", "fuera de la oficina", "fuera de oficina", "respuesta automática", "respuesta de fuera de la oficina"]),
    ("et", &["automaatvastus"]),
    ("fi", &["automaattinen vastaus", "automaattivastaus", "poissa", "poissa toimistosta", "poissaoloilmoitus"]),
    ("fr", &["absence du bureau", "absent du bureau", "message automatique d'absence", "message d'absence", "notification d'absence", "réponse automatique", "réponse automatique d'absence", "réponse automatique d'absence du bureau"]),
    ("he", &["מחוץ למשרד", "מענה אוטומטי", "תשובה אוטומטית"]),
    ("hr", &["automatski odgovor"]),
    ("hu", &["automatikus válasz", "házon kívül"]),
    ("id", &["balasan otomatis", "jawaban otomatis"]),
    ("it", &["assenza dall'ufficio", "fuori sede", "fuori ufficio", "messaggio di assenza", "risposta automatica", "risposta non al computer"]),
    ("ja", &["不在のお知らせ", "不在返信", "不在通知", "自動応答", "自動応答メール", "自動返信", "自動返信メール"]),
    ("ko", &["부재중 자동 응답", "자동 응답", "자동 회신", "자동응답", "자동회신"]),
    ("lt", &["automatinis atsakymas"]),
    ("lv", &["automātiska atbilde"]),
    ("nb", &["automatisk svar", "fraværsmelding"]),
    ("nl", &["afwezig", "afwezigheidsbericht", "afwezigheidsmelding", "automatisch antwoord", "automatische beantwoording", "niet op kantoor"]),
    ("pl", &["automatyczna odpowiedź", "autoodpowiedź", "odpowiedź automatyczna", "poza biurem"]),
    ("pt", &["ausente do escritório", "ausência temporária", "fora do escritório", "mensagem de ausência", "resposta automática"]),
    ("ro", &["absent de la birou", "răspuns automat"]),
    ("ru", &["автоматический ответ", "автоответ", "вне офиса"]),
    ("sk", &["automatická odpoveď", "odpoveď v neprítomnosti"]),
    ("sl", &["samodejni odgovor"]),
    ("sr", &["аутоматски одговор"]),
    ("sv", &["automatiskt svar", "autosvar", "frånvaro", "frånvaromeddelande"]),
    ("th", &["ตอบกลับอัตโนมัติ"]),
    ("tr", &["ofis dışında", "otomatik cevap", "otomatik yanıt"]),
    ("uk", &["автовідповідь", "автоматична відповідь"]),
    ("vi", &["thư trả lời tự động", "trả lời tự động"]),
    ("zh", &["自动回复", "自动应答", "自动答复", "自動回復", "自動回覆", "自動答覆"]),
];

/// Names of the thing itself, which people write when it is what they ask about: never a label, only
/// one of two marks.
#[rustfmt::skip]
pub(super) const TOPICS: [&str; 17] = [
    "abwesenheitsbenachrichtigung",
    "abwesenheitsmeldung",
    "abwesenheitsnachricht",
    "afwezigheidsbericht",
    "afwezigheidsmelding",
    "fraværsbesked",
    "fraværsmeddelelse",
    "frånvaromeddelande",
    "mensagem de ausência",
    "message d'absence",
    "messaggio di assenza",
    "notification d'absence",
    "out of office message",
    "out of office notification",
    "poissaoloilmoitus",
    "vacation message",
    "vacation response",
];

/// Words of everyday language among them: a label only right before a colon (M-70).
pub(super) const AMBIGUOUS: [&str; 5] = ["abwesend", "afwezig", "auto", "poissa", "vacation"];
