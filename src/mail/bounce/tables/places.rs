//! Words around addresses, and lines that begin the returned message (M-63).

pub const CUES: [(&str, &str); 25] = [
    ("bg", "следни|получател"),
    ("cs", "následující|příjemc"),
    ("da", "følgende|modtager"),
    ("de", "folgende|empfänger|nicht zugestellt|zustellung an|zugestellt werden"),
    ("el", "ακόλουθ|παραλήπτ"),
    (
        "en",
        r"following|\bfailed|\berrors\b|(?:could|can) ?not be (?:reached|delivered|sent)|did not (?:reach|receive)|undeliverable|undelivered|(?:not|be) delivered|unable to (?:be )?deliver|able to deliver|had problems|recipients?(?: or groups?| or distribution lists?|\(s\))?:|addresse?e?s?(?:\(es\))?:|affected",
    ),
    ("es", r"siguiente|destinatario|entregar|entregado"),
    ("fi", "seuraav|vastaanottaj"),
    ("fr", "suivant|destinataire|remis|d[ée]livr"),
    ("hu", "következő|címzett"),
    ("it", "seguent|destinatar|recapitat|consegnat"),
    ("ja", "以下|次の|あて先|宛先|アドレス|送信に失敗|できません"),
    ("ko", "다음|수신자|받는 사람"),
    ("nb", "følgende|mottaker"),
    ("nl", "volgende|ontvanger|geadresseerde|bezorgd|afgeleverd"),
    ("pl", "następując|odbiorc|adresat|dostarczon"),
    ("pt", r"seguinte|destinat[áa]rio|entregue|entregar"),
    ("ro", "următor|destinatar"),
    ("ru", "следующ|получател|адрес|доставлен"),
    ("sk", "nasledujúc|príjemc"),
    ("sv", "följande|mottagare|levereras"),
    ("tr", "aşağıdaki|alıcı"),
    ("uk", "наступн|отримувач|одержувач|адрес"),
    ("vi", "người nhận|địa chỉ"),
    ("zh", "以下|收件人|地址|无法|無法|发送|傳送|退信"),
];

pub const DASHED_MARKERS: [(&str, &str); 14] = [
    ("de", "ursprüngliche|originalnachricht|original-nachricht|kopie der|zurückgesandte|header"),
    ("en", r"\boriginal\b|returned|\bcopy\b|unsent|undelivered (?:message|mail)|\bheaders?\b"),
    (
        "en",
        r"(?:^|bounced|rejected|your|the|this|failed|returned|first part of|start of|text of) ?message\b|\bmessage (?:follows|body|text|header|contents?|below|attached|included)",
    ),
    ("es", "mensaje original|copia del|devuelto"),
    ("fr", r"d(?:’|')origine|message original|copie du|initial"),
    ("it", "originale|copia del"),
    ("ja", "元の|オリジナル|原文|送信されたメール|送信内容|返送"),
    ("ko", "원본|원래"),
    ("nl", "oorspronkelijk|origineel|kopie van"),
    ("pl", "oryginaln|kopia"),
    ("pt", r"original|c[óo]pia d"),
    ("ru", "копия|исходн|оригинал"),
    ("sv", "ursprungligt|originalmeddelande"),
    ("zh", "原邮件|原始|原郵件|原信|副本|邮件原件"),
];

pub const HINT_WORDS: [(&str, &str); 9] = [
    ("de", "wenden sie sich|kontakt|absender|rückfragen|schreiben sie"),
    (
        "en",
        r"contact|\bsend\b[ -~]{0,40}mail|please (?:e-?)?mail|^\W*mail to <?$|e-?mail us|write to|assistance|\bhelp\b|question|support|forward(?:ed)? (?:this|it|to)|report(?:ed)? (?:this|it|to)|abuse|mail from|(?:mail|message|sent|received|is|delivered) from|^\W*from\b|\bfrom:|sender|^\W*id\b|message-id|reply[- ]to|return-path|originator|administrator|submitted by|sent by|on behalf of",
    ),
    ("es", "contacte|póngase en contacto|remitente|ayuda"),
    ("fr", "contacte[rz]|expéditeur|aide|assistance"),
    ("it", "contatta|mittente|assistenza"),
    ("ja", "差出人|送信者|お問い合わせ|ご連絡|発信者"),
    ("nl", "contact|afzender"),
    ("pt", "contat|remetente|ajuda"),
    ("zh", "发件人|寄件人|寄件者|联系|聯絡"),
];

pub const MARKERS: [(&str, &str); 4] = [
    (
        "en",
        r"^(?:below|above) this line is a copy|^below is (?:a|the) (?:copy|original)|^(?:here|included|enclosed|attached|this|following|the following) (?:below )?is (?:a|the) (?:copy|header|text|first|original)GAP(?:message|mail|headers?)",
    ),
    (
        "en",
        r"^(?:the )?original (?:message|mail)(?: headers?| text)?(?: (?:follows|is (?:as follows|attached|included|below)|as received|was as follows)| details)?(?: \(?as received\)?)?[:. ]*$",
    ),
    (
        "en",
        r"^(?:the )?(?:message |original )?headers? follows?[:. ]*$|^(?:the )?(?:text of )?(?:your |the )?(?:bounced|returned|undelivered|failed|rejected|old|unsent) (?:e-?mail|message|mail)(?: follows| text| below| is below)?[:. ]*$|^your message reads|^message headers?:?$|^(?:your )?message follows[:. ]*$|^(?:the )?first \d+ (?:lines|bytes)",
    ),
    ("ja", "^元のメール|^オリジナルメッセージ|^送信されたメール"),
];

pub const RECIPIENT_WORDS: [(&str, &str); 12] = [
    ("de", "empfänger|adresse|zustellung an|nachricht an|benutzer"),
    (
        "en",
        r"recipient|receiver|address(?:ed|ee)?\b|\buser|mailbox|account|deliver(?:ed|ing|y)?\b(?:GAP)\b(?:to|for|at)\b|\breach|\breject|rcpt to|^\W*to:|\bto:? ?<?$|undeliverable to|(?:your (?:e-?)?mail|message|sent|relay|destined) (?:sent )?(?:to|for)\b|generated from|expanded from|failedGAP:|for <?$",
    ),
    ("es", r"destinatario|direcci[óo]n|usuario|\bpara:"),
    ("fr", "destinataire|adresse|utilisateur|délivr|remis"),
    ("it", "destinatario|indirizzo|utente"),
    ("ja", "宛先|あて先|アドレス|受信者|ユーザ"),
    ("nl", "ontvanger|adres|gebruiker"),
    ("pl", "odbiorc|adres|użytkownik"),
    ("pt", r"destinat[áa]rio|endere[çc]o|usu[áa]rio"),
    ("ru", "получател|адрес|пользовател"),
    ("sv", "mottagare|adress"),
    ("zh", "收件人|地址|用户|用戶|邮箱|郵箱|信箱"),
];
