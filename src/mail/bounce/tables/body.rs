//! What the text of a bounce says (B of M-61), and what that amounts to (M-63b).

use super::Weight::{self, Alone, Beside};

pub const BODY_PHRASES: [(&str, Weight, &str); 52] = [
    ("bg", Alone, "не (?:може да|беше възможно да) (?:се|бъде) достав|доставката до "),
    (
        "cs",
        Alone,
        "(?:nelze|nebylo možné|se nepodařilo) doručit|nebyla? doručen|následující(?:m|ch)? příjemc",
    ),
    ("da", Alone, "kunne ikke leveres|blev ikke leveret|levering(?:en)? til (?:følgende|disse)"),
    (
        "de",
        Alone,
        r"(?:konnte|kann|konnten)GAP nicht (?:zugestellt|ausgeliefert|übermittelt|ausgeführt)|nicht zustellbar|unzustellbar",
    ),
    ("de", Alone, r"(?:wurde|wurden|ist) nicht (?:zugestellt|ausgeliefert|übermittelt)"),
    (
        "de",
        Alone,
        r"zustellung GAP(?:fehlgeschlagen|nicht möglich|gescheitert)|fehler bei der (?:zustellung|übermittlung)|zurückgewiesen",
    ),
    (
        "de",
        Beside,
        "(?:postfach|mailbox) (?:ist )?(?:voll|überfüllt)|empfänger (?:ist )?(?:unbekannt|existiert nicht)|unbekannter empfänger",
    ),
    (
        "el",
        Alone,
        "(?:παράδοση|αποστολή) [^.]{0,60}(?:απέτυχε|δεν)|δεν (?:παραδόθηκε|ήταν δυνατή η παράδοση)",
    ),
    (
        "en",
        Alone,
        r"this is (?:the |an? )?(?:[a-z0-9._-]{1,30} ){0,3}(?:qmail-send|mail system|(?:mail )?delivery|deliver|postfix|mail|mailer-daemon)[a-z -]{0,20}(?:program|system|agent|daemon)?(?: at|\.|,| v)",
    ),
    (
        "en",
        Alone,
        r"this is the [ -~]{0,40}program at|(?:created|generated|sent) automatically by (?:the )?(?:mail|smtp|e-?mail|a mail)",
    ),
    (
        "en",
        Alone,
        r"automatically generated delivery status|automatic(?:ally)? generated (?:by|from) (?:the )?(?:mail|smtp)|machine generated message from mail",
    ),
    (
        "en",
        Alone,
        r"permanent (?:fatal|delivery) errors?|transcript of (?:the )?session|had (?:permanent )?(?:fatal|delivery|transient) (?:non-fatal )?(?:errors|problems)",
    ),
    (
        "en",
        Alone,
        r"(?:could not|couldn[’']t|cannot|can[’']t|can not|was not|wasn[’']t|were not|has not|hasn[’']t|have not|not yet|did not|unable to|failed to|able to) (?:yet )?(?:be |been |get )?(?:successfully )?deliver",
    ),
    (
        "en",
        Alone,
        r"(?:error|problem)s? (?:occurred )?(?:while |when |in |with )?(?:trying to )?deliver(?:ing)? |unable to (?:successfully )?(?:deliver|send|relay|reach)",
    ),
    (
        "en",
        Alone,
        r"did not reach (?:the |its |all )?(?:following|intended|recipient|its)|did not receive this message|not reach(?:ed)? the following",
    ),
    (
        "en",
        Alone,
        r"delivery (?:to|of)GAP (?:following )?(?:recipients?|address(?:es)?|mail|message)[ -~]{0,30}(?:fail|delay|abort|unsuccess|suspend)",
    ),
    (
        "en",
        Alone,
        r"delivery has failed|delivery (?:failed|failure|attempts? (?:have |has )?failed)|has been (?:returned to (?:the )?sender|bounced)",
    ),
    (
        "en",
        Alone,
        r"unrouteable address|undelivered (?:mail|message)|mail delivery fail|rejected (?:by|your message)|non-?deliver(?:y|able|ed)",
    ),
    (
        "en",
        Alone,
        r"message (?:has |was |is |cannot )?(?:been |be )?(?:undeliverable|rejected|blocked by|refused|delayed)|failed (?:recipients|addresses)",
    ),
    (
        "en",
        Alone,
        r"(?:unknown|invalid|illegal) (?:or illegal )?(?:user|recipient|receiver|mailbox|address|local|final delivery|e-?mail address)|(?:user|recipient|address|mailbox|account|addressee) (?:is |was )?(?:unknown|not (?:found|known|recogni[sz]ed|listed))",
    ),
    (
        "en",
        Alone,
        r"(?:user|recipient|mailbox|address|account|addressee)(?: name)? (?:does not|doesn[’']t|did not) exist|recipient name is not recogni[sz]ed",
    ),
    (
        "en",
        Alone,
        r"\b5[0-9][0-9][ -]#?5\.[0-9]{1,3}\.[0-9]{1,3}\b|no such (?:user|mailbox|recipient|address|account)|(?:over|exceed(?:s|ed|ing)?) (?:its |the |their )?(?:disk |storage |mailbox )?quota|quota exceeded|mailbox exceeds",
    ),
    (
        "en",
        Beside,
        r"\b(?:following|your)\bGAP\b(?:message|mail|recipients?|address(?:es)?|recipient\(s\)|address\(es\))GAP(?:could not|cannot|was not|has not been|were not|failed|did not reach)",
    ),
    (
        "en",
        Beside,
        r"delivery (?:to|attempts?|has|failed|problem|error)|no such (?:person|domain|host)|undeliverable",
    ),
    (
        "en",
        Beside,
        r"(?:mailbox|quota|account|inbox) (?:is |has |was )?(?:full|exceed|over|quota|unavailable|disabled|inactive|closed|suspended)|not accepting (?:mail|messages)|not (?:an? )?(?:active|valid) (?:account|user|mailbox|address|e-?mail)|(?:account|user|mailbox|address) (?:is )?(?:not (?:active|valid|available)|no longer|disabled|closed)",
    ),
    (
        "en",
        Beside,
        r"not a member|automatically rejected|giving up|not been collected|is kept in the queue|host (?:unknown|not found)",
    ),
    (
        "en",
        Beside,
        r"\b55[0-4]\b|\b421\b|\b45[0-2]\b|\b[45]\.[0-7]\.[0-9]{1,3}\b|rcpt to:|<<< 5[0-9][0-9]|smtp error",
    ),
    (
        "es",
        Alone,
        r"no (?:se )?(?:pudo|puede|ha podido|ha sido posible|fue posible)GAP(?:entreg|enviar)|no (?:fue|ha sido|se ha) entregad|ha fallado la entrega",
    ),
    (
        "es",
        Beside,
        "siguientes? (?:destinatario|direcci)|buz[óo]n (?:est[áa] )?lleno|usuario desconocido|no existe (?:el|la|ning)",
    ),
    (
        "fi",
        Alone,
        "ei voi(?:da|tu)? toimittaa|toimi(?:tus|ttaminen) (?:GAP )?(?:epäonnistui|ei onnistu)",
    ),
    (
        "fr",
        Alone,
        r"n(?:’|')a pas (?:pu )?(?:[êe]tre|[ée]t[ée]) (?:remis|d[ée]livr|distribu|achemin|envoy)|[ée]chec de (?:la )?(?:remise|distribution|livraison)",
    ),
    (
        "fr",
        Beside,
        r"destinataires? (?:suivant|inconnu)|utilisateur inconnu|bo[îi]te (?:aux lettres |de r[ée]ception )?(?:est )?pleine|impossible de remettre",
    ),
    ("hu", Alone, "nem (?:sikerült |lehetett )?kézbesít|kézbesíthetetlen"),
    (
        "it",
        Alone,
        r"non (?:è stato |e' stato |è |può essere )?(?:possibile |stato )?(?:recapitat|consegnat|recapitare|consegnare|inoltrat)|impossibile (?:recapitare|consegnare)",
    ),
    (
        "it",
        Beside,
        "seguent[ei] (?:destinatar|indirizz)|utente sconosciuto|casella (?:di posta )?(?:è )?piena|destinatario (?:sconosciuto|inesistente)",
    ),
    (
        "ja",
        Alone,
        "(?:配信|送信|配送|お届け|届ける|伝送|転送)(?:が|は|を|することが|が行|に)?(?:でき|出来|失敗|されません)",
    ),
    (
        "ja",
        Alone,
        "次の(?:あて先|宛先)|以下の(?:メールアドレス|あて先|宛先)|宛先不明|ユーザーが(?:存在|見つかり)|メールアドレスが(?:見つ|存在)",
    ),
    ("ko", Alone, "(?:배달|전송|전달)(?:하지 못|되지 않|할 수 없|에 실패)|반송"),
    ("nb", Alone, "kunne ikke leveres|ble ikke levert|levering til (?:følgende|disse)"),
    (
        "nl",
        Alone,
        r"(?:kon|kan|konden|is) ?GAPniet (?:worden )?(?:bezorgd|afgeleverd|besteld)|bezorging (?:is )?mislukt|niet (?:bezorgd|afgeleverd) (?:worden|bij)",
    ),
    ("nl", Beside, "volgende (?:ontvanger|adres|geadresseerde)|onbekende gebruiker|mailbox is vol"),
    (
        "pl",
        Alone,
        "nie (?:można|udało się|mogła? (?:zostać|być)|został[ao]?) (?:było )?dostarcz|niedostarczon",
    ),
    (
        "pt",
        Alone,
        r"n[ãa]o (?:p[ôo]de|foi|pode|foi poss[íi]vel|conseguimos)GAPentreg|falha (?:na|de) entrega",
    ),
    (
        "pt",
        Beside,
        "seguintes? (?:destinat|endere)|usu[áa]rio (?:desconhecido|inexistente)|caixa (?:postal |de correio )?(?:est[áa] )?cheia",
    ),
    (
        "ro",
        Alone,
        "nu a(?: putut fi|u putut fi| fost) livrat|livrarea (?:GAP )?(?:nu a reușit|a eșuat)",
    ),
    (
        "ru",
        Alone,
        "не (?:может быть|могло быть|было|удалось|удаётся|удается|доставлено|доставлен)(?: быть)? ?(?:доставлен|доставить|отправить)?|невозможно доставить",
    ),
    ("sk", Alone, "(?:nepodarilo sa|nie je možné|nebolo možné) doručiť|nebola doručená"),
    (
        "sv",
        Alone,
        "(?:kunde|kan|gick) inte (?:levereras|att leverera|nå)|levererades inte|leveransen misslyckades",
    ),
    ("tr", Alone, "teslim edilemedi|iletilemedi|gönderilemedi|ulaştırılamadı"),
    ("uk", Alone, "не (?:може бути|вдалося|було) (?:доставлен|доставити)"),
    ("vi", Alone, "không thể (?:gửi|chuyển|phân phối)|gửi (?:thư )?không thành công"),
    (
        "zh",
        Alone,
        "退信|(?:无法|無法|未能|不能)(?:被)?(?:正常|成功)?(?:投递|投遞|送达|送達|递送|傳遞|传递|发送|傳送|到达|寄達)|投递失败|投遞失敗|不存在",
    ),
];

pub const CHALLENGE_PHRASES: [(&str, &str); 5] = [
    ("de", "nachricht freizugeben|bestätigen sie(?:, dass|GAPihre (?:nachricht|e-?mail))"),
    (
        "en",
        r"release your (?:message|e-?mail)|being held (?:until|because|pending|for (?:your |sender |the sender)?(?:confirm|verif|approv))",
    ),
    (
        "en",
        r"requires (?:that you )?(?:verif|confirm|authenticat)|(?:verify|confirm|prove) (?:that )?you(?: are|[’']re) (?:a |an )?(?:real|human|person|not)|not (?:yet )?(?:on|in) (?:my|his|her|their) (?:white ?list|(?:list of )?(?:approved|allowed|known) senders|address book|contacts?)|confirm (?:that )?(?:your|this) (?:message|e-?mail)\b",
    ),
    ("es", "confirm(?:e|ar) (?:su|este) (?:mensaje|correo)|confirmar que (?:usted )?(?:es|no es)"),
    (
        "fr",
        "authentifi(?:er|ez)[- ]|confirme[rz] (?:l[’']envoi de )?votre (?:message|e-?mail|envoi)",
    ),
];

pub const DELAY_PHRASES: [(&str, &str); 12] = [
    ("de", "verzögert|verzögerung|noch nicht zugestellt|weiterhin versucht"),
    (
        "en",
        r"\bdelay(?:ed)?\b|still being retried|not yet been delivered|not been delivered yet|could not (?:be sent|send (?:the |your )?(?:message|mail)?) ?for (?:the )?past|will (?:be retried|continue to (?:try|be (?:tried|retried))|keep trying|retry)|attempts will continue|temporary failure report|warning message only|do(?:es)? not need to (?:re-?send|resubmit)",
    ),
    ("es", r"retras(?:o|ad)|demora"),
    ("fr", "retard|pas encore [ée]t[ée]"),
    ("it", "ritardo|ritardat|non ancora"),
    ("ja", "遅延|遅れて|再送を試み|再送信を試み"),
    ("nl", "vertraagd|vertraging|nog niet"),
    ("pl", "opóźnion|opóźnieni"),
    ("pt", "atras(?:o|ad)"),
    ("ru", "задерж|пока не"),
    ("sv", "fördröj|försenad"),
    ("zh", "延迟|延遲|延误"),
];

pub const FULL_PHRASES: [(&str, &str); 10] = [
    ("de", "(?:postfach|mailbox) (?:ist )?(?:voll|überfüllt)|speicherplatz"),
    (
        "en",
        r"(?:mailbox|inbox|mail ?folder|account|storage)(?: is| has| was)? (?:full|exceed|over)|quota|exceeded storage|over (?:its |the )?(?:limit|allowed size)|mailbox (?:is )?full|insufficient (?:disk|storage|system storage)|allowed size|exceeded the local limit",
    ),
    ("es", r"buz[óo]n (?:est[áa] )?lleno|cuota"),
    ("fr", "bo[îi]te [ -~àé]{0,20}pleine|quota"),
    ("it", "casella [ -~è]{0,12}piena"),
    ("ja", "容量|一杯|いっぱい"),
    ("nl", "mailbox is vol|postvak is vol"),
    ("pt", "caixa [ -~á]{0,20}cheia"),
    ("ru", "переполнен|квот"),
    ("zh", "已满|已滿|容量|空间不足"),
];

pub const INTRODUCTIONS: [(&str, &str); 1] = [(
    "en",
    r"^(?:hi[.!] )?this (?:is the [ -~]{0,40}(?:program|system|server|daemon) (?:at|on) |(?:mail|e-?mail|message) (?:was|has been) (?:created|generated) automatically by )",
)];

pub const UNKNOWN_USER_PHRASES: [(&str, &str); 10] = [
    ("de", "unbekannter? (?:empfänger|benutzer)|empfänger (?:ist )?unbekannt|existiert nicht"),
    (
        "en",
        r"(?:unknown|no such|invalid|nonexistent|illegal) (?:or illegal )?(?:local )?(?:user|recipient|receiver|mailbox|address|account)|(?:user|recipient|mailbox|addressee|address)(?: name)? (?:is |was )?(?:unknown|not (?:found|known|recogni[sz]ed|listed))|not (?:listed|known|found|recogni[sz]ed) (?:at|by|here|in|on)\b|does(?: not|n[’']t) (?:exist|have an? GAPaccount)|no mailbox here",
    ),
    ("es", "usuario desconocido|no existe"),
    ("fr", "(?:utilisateur|destinataire) inconnu|n[’']existe pas"),
    ("it", "(?:utente|destinatario) (?:sconosciuto|inesistente)|non esiste"),
    ("ja", "見つから|存在しません|宛先不明|ユーザー不明"),
    ("nl", "onbekende gebruiker|bestaat niet"),
    ("pt", "(?:usuário|destinatário) (?:desconhecido|inexistente)|não existe"),
    ("ru", "не существует|не найден"),
    ("zh", "不存在|未找到|找不到"),
];
