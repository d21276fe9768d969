//! Subjects of bounces, S of M-61, and of notices that nothing failed.

use super::Weight::{self, Alone, Beside};

pub const SUBJECT_PHRASES: [(&str, Weight, &str); 58] = [
    ("ar", Alone, "تعذر (?:ال)?تسليم|لم يتم (?:ال)?تسليم"),
    ("bg", Alone, "недоставим|не може да (?:се|бъде) достав"),
    ("ca", Alone, "no es pot lliurar|no s[’']ha pogut lliurar"),
    ("cs", Alone, "nedoručiteln|nedoručen|nelze doručit|vrácená zpráva"),
    ("da", Alone, "kan ikke leveres|ikke leveret|returneret mail|fejl ved levering"),
    (
        "de",
        Alone,
        "unzustellbar|nicht zugestellt|nicht zustellbar|zustell(?:ung|ungs)?fehler|unzustellbarkeit",
    ),
    (
        "de",
        Alone,
        "fehler bei der (?:mail|e-mail|nachrichten)?-?zustellung|(?:mail|nachricht)-? ?zurückgesandt|nicht übermittelt|sendefehler",
    ),
    ("de", Beside, "zustellung"),
    (
        "el",
        Alone,
        "δεν (?:παραδόθηκε|ήταν δυνατή η παράδοση|είναι δυνατή η παράδοση)|μη παραδο|αδύνατη (?:η )?παράδοση",
    ),
    (
        "en",
        Alone,
        r"deliver(?:y|ed|ing)? (?:status notification|failure|failed)|mail delivery (?:problem|error|report|delay|warning|status)",
    ),
    (
        "en",
        Alone,
        r"(?:mail|message) delivery (?:system|subsystem)|delivery (?:has|attempts?) failed|(?:message|mail) delivery (?:has )?failed",
    ),
    (
        "en",
        Alone,
        r"failure notice|failure (?:of|in|to) deliver|fail(?:ed|ure)? (?:mail )?delivery|failed (?:mail|to deliver|recipient)|mail failure",
    ),
    ("en", Alone, r"undeliver|\bnon[- ]?deliver|\bndn:"),
    (
        "en",
        Alone,
        r"not (?:yet )?(?:been |be )?delivered|could ?n[o’']t be (?:sent|delivered)|can(?:not|’t|'t)? (?:be )?deliver|could not deliver",
    ),
    (
        "en",
        Alone,
        r"unable to (?:be )?deliver|returned (?:e-?)?mail|returned to sender|returning (?:message|mail|your)",
    ),
    (
        "en",
        Alone,
        r"mail (?:system error|transaction failed|could not be)|error (?:sending|delivering) (?:your )?(?:mail|message)",
    ),
    (
        "en",
        Alone,
        r"warning: could not send|postmaster notify|automatically rejected mail|recipient(?:s)? (?:unknown|rejected|not found)",
    ),
    (
        "en",
        Alone,
        r"user unknown|(?:unknown|invalid|wrong|bad) (?:user|recipient|address|mailbox)|(?:address|recipient|user|mailbox) not found|no such user|permanent delivery|permanent (?:failure|error)",
    ),
    ("en", Alone, r"\bbounced?\b (?:mail|message|e-?mail|notif|back)|\bndr\b|\bnon-?receipt"),
    (
        "en",
        Beside,
        r"deliver(?:y|ed|ing)? (?:problem|error|report|delay|warning|notification|incomplete)|delay(?:ed)? delivery",
    ),
    ("en", Beside, r"mail error|message (?:delayed|delivery)|mail delayed|error during delivery"),
    (
        "en",
        Beside,
        r"warning\b[ -~]{0,60}(?:delay|user unknown|could not send)|\bbounced?\b|\brejected\b|not accepted",
    ),
    (
        "es",
        Alone,
        r"no se (?:puede|pudo|ha podido) entregar|no entregad[oa]|no se ha entregado|imposible entregar",
    ),
    (
        "es",
        Alone,
        r"(?:error|fallo|falla) (?:en|de) (?:la )?entrega|(?:mensaje|correo) devuelto|devoluci[óo]n de(?:l)? (?:correo|mensaje)",
    ),
    ("et", Alone, "edastamatu|kohale ?toimetamatu|ei saa kohale toimetada"),
    (
        "fi",
        Alone,
        "ei voi(?:da|tu)? toimittaa|toimi(?:tus|ttaminen) (?:epäonnistui|ei onnistu)|palautettu viesti",
    ),
    (
        "fr",
        Alone,
        r"non remis|[ée]chec de (?:la )?(?:remise|livraison|distribution)|mail revenu en erreur|non distribu|non d[ée]livr",
    ),
    (
        "fr",
        Alone,
        r"(?:n’|n')a pas pu [êe]tre (?:remis|d[ée]livr|distribu)|non[- ]remise|message non distribu|retour à l(?:’|')exp[ée]diteur|impossible de remettre",
    ),
    ("he", Alone, "לא ניתן (?:למסור|למסירה|להעביר)"),
    ("hr", Alone, "nije (?:moguće )?isporuč|neisporuč"),
    ("hu", Alone, "kézbesíthetetlen|nem kézbesíthető|sikertelen kézbesítés"),
    ("id", Alone, "tidak (?:dapat|bisa) (?:di|ter)kirim|gagal (?:dikirim|terkirim)"),
    (
        "it",
        Alone,
        r"mancat[ao] (?:consegna|recapito)|impossibile (?:recapitare|consegnare)|non recapit(?:at|abil)|non consegn(?:at|abil)|consegna fallita",
    ),
    (
        "it",
        Alone,
        "(?:avviso|notifica) di manca|errore (?:di|nella) consegna|messaggio (?:respinto|non consegnabile)",
    ),
    (
        "ja",
        Alone,
        "配信(?:でき|され|不能|不可|エラー|失敗|に失敗)|届けできません|エラーメール|送信(?:できません|エラー|失敗|に失敗)",
    ),
    (
        "ja",
        Alone,
        "配送(?:でき|不能|エラー|失敗)|不達|未達|メールシステムエラー|宛先(?:不明|が見つかりません)|メールが届",
    ),
    ("ja", Beside, "配信|返送"),
    ("ko", Alone, "배달되지 않|배달 (?:실패|불가)|전송 (?:실패|오류)|반송"),
    ("lt", Alone, "nepristatyt|nepavyko pristatyti"),
    ("lv", Alone, "nepiegādāj|neizdevās piegādāt"),
    ("nb", Alone, "kunne ikke leveres|ikke levert|leveringsfeil|uleverbar"),
    (
        "nl",
        Alone,
        r"onbestelbaar|niet (?:worden )?(?:bezorgd|afgeleverd)|kan niet worden (?:bezorgd|afgeleverd)|bezorging mislukt",
    ),
    (
        "nl",
        Alone,
        "onbezorgbaar|bezorg(?:ings)?fout|afleverings?fout|fout bij (?:de |het )?(?:bezorg|aflever)|niet afgeleverde|aflevering mislukt|retour afzender",
    ),
    (
        "pl",
        Alone,
        "niedostarcz|nie (?:można|udało się) dostarczyć|nie został[ao]? dostarczon|zwrot (?:wiadomości|poczty|przesyłki)",
    ),
    (
        "pt",
        Alone,
        r"n[ãa]o (?:foi )?entregue|falha (?:na|de|no) (?:entrega|envio)|n[ãa]o (?:foi |[ée] )?poss[íi]vel entregar|mensagem devolvida",
    ),
    (
        "pt",
        Alone,
        "erro (?:na|de) entrega|devoluç[ãa]o de (?:mensagem|e-?mail)|impossível entregar",
    ),
    ("ro", Alone, "nelivrat|nu (?:a putut|poate) fi livrat|eșec la livrare"),
    (
        "ru",
        Alone,
        "не(?: может быть| было| удалось|возможно)? ?(?:доставлен|доставить)|недоставлен|ошибка доставки|возврат (?:письма|почты)",
    ),
    ("sk", Alone, "nedoručiteľn|nedoručen|nemožno doručiť"),
    ("sl", Alone, "nedostavljiv|ni (?:bilo )?mogoče dostaviti"),
    ("sr", Alone, "није могуће испоручити|неиспоруч"),
    (
        "sv",
        Alone,
        "kan inte levereras|kunde inte levereras|olevererbar|ej levererat|leveransfel|gick inte att leverera|obeställbar",
    ),
    ("th", Alone, "ไม่สามารถส่ง"),
    ("tr", Alone, "teslim edilemedi|iletilemedi|ileti(?:niz)? gönderilemedi|teslimat başarısız"),
    ("uk", Alone, "не (?:може бути )?доставлен|недоставлен|не вдалося доставити|помилка доставки"),
    ("vi", Alone, "không thể (?:gửi|chuyển|phân phối)|gửi (?:thư )?không thành công"),
    ("zh", Alone, "退信|退回|无法(?:投递|送达|递送)|未送达|投递失败|发送失败"),
    ("zh", Alone, "無法(?:投遞|送達|傳遞|傳送)|未送達|投遞失敗|傳送失敗|寄送失敗"),
];

pub const SUCCESS_PHRASES: [(&str, &str); 3] = [
    ("de", "^(?:zugestellt|weitergeleitet): |erfolgreich zugestellt"),
    (
        "en",
        r"success(?:ful(?:ly)?)? (?:mail )?deliver|status notification \((?:success|relay|expan)|^(?:delivered|relayed|expanded): |^return receipt|delivery (?:report|notification) ?\(?success",
    ),
    ("fr", "^remis : |^relay[ée] : "),
];
