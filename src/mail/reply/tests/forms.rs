//! The line above a quote as each client writes it in each language.

/// What stands there with address and date.
pub(super) const FULL: &[&str] = &[
    // af
    "Op Ma. 2 Mrt. 2026 om 10:05 het Support <support@desk.example> geskryf:",
    // ar
    "في الاثنين، 2 مارس 2026 في 10:05 ص تمت كتابة ما يلي بواسطة Support <support@desk.example>:",
    "في ٢ مارس ٢٠٢٦، الساعة ١٠:٠٥ ص، كتب/كتبت Support <support@desk.example>:",
    // bg
    "На пн, 2.03.2026 г. в 10:05 Support <support@desk.example> написа:",
    // ca
    "Missatge de Support <support@desk.example> del dia dl., 2 de març 2026 a les 10:05:",
    "El 2 març 2026, a les 10:05, Support <support@desk.example> va escriure:",
    // cs
    "po 2. 3. 2026 v 10:05 odesílatel Support <support@desk.example> napsal:",
    "2. 3. 2026 v 10:05, Support <support@desk.example>:",
    "Dne 2. 3. 2026 v 10:05, Support <support@desk.example> napsal(a):",
    // da
    "Den man. 2. mar. 2026 kl. 10.05 skrev Support <support@desk.example>:",
    "Den 2. mar. 2026 kl. 10.05 skrev Support <support@desk.example>:",
    // de
    "Am Mo., 2. März 2026 um 10:05 Uhr schrieb Support <support@desk.example>:",
    "Am 02.03.2026 um 10:05 schrieb Support <support@desk.example>:",
    "Am 2. März 2026 10:05:33 MEZ schrieb Support <support@desk.example>:",
    "Am Montag, 2. März 2026, 10:05:33 MEZ hat Support <support@desk.example> Folgendes geschrieben:",
    "Support <support@desk.example> schrieb am 10:05 Montag, 2.März 2026:",
    "Support <support@desk.example> hat am 02.03.2026 10:05 geschrieben:",
    "Am Montag, 02. März 2026 10:05 CET, schrieb \"Support\" <support@desk.example>:",
    "\"Support\" <support@desk.example> schrieb am 02.03.2026 10:05:33:",
    "In einer eMail vom 02.03.2026 10:05:33 Westeuropäische Normalzeit schreibt support@desk.example:",
    "2. März 2026, 10:05 von support@desk.example:",
    "----- Am 2. Mrz 2026 um 10:05 schrieb Support support@desk.example:",
    "Von: Support <support@desk.example> schrieb am 02.03.2026 um 10:05 Uhr:",
    // el
    "Στις Δευ 2 Μαρ 2026 στις 10:05 π.μ., ο χρήστης Support <support@desk.example> έγραψε:",
    "Στις 2 Μαρ 2026, στις 10:05, ο/η Support <support@desk.example> έγραψε:",
    // en
    "On Mon, Mar 2, 2026 at 10:05 AM Support <support@desk.example> wrote:",
    "On Mon, Mar 2, 2026 at 10:05\u{202f}AM Support <support@desk.example> wrote:",
    "On Mon, 2 Mar 2026 at 10:05, Support <support@desk.example> wrote:",
    "On Monday, March 2, 2026 10:05 AM, Support <support@desk.example> said:",
    "On Mon, 2 Mar 2026, 10:05 Support, <support@desk.example> wrote:",
    "On 2 Mar 2026, at 10:05, Support <support@desk.example> wrote:",
    "On Mar 2, 2026, at 10:05 AM, Support <support@desk.example> wrote:",
    "On Monday, March 2, 2026 at 10:05:33 AM GMT+1, Support <support@desk.example> wrote:",
    "On Monday, 2 March 2026 at 10:05:33 am GMT, Support <support@desk.example> wrote:",
    "On Mon, Mar 2, 2026 at 10:05 AM, Support<support@desk.example> wrote:",
    "On Monday, March 2nd, 2026 at 10:05 AM, Support <support@desk.example> wrote:",
    "On 2 Mar 2026, 10:05 +0100, Support <support@desk.example>, wrote:",
    "On March 2, 2026 10:05:33 AM GMT+01:00, Support <support@desk.example> wrote:",
    "On 2 Mar 2026 at 10:05:33, Support (support@desk.example) wrote:",
    "On 3/2/26, 10:05 AM, \"Support\" <support@desk.example> wrote:",
    "On March 2, 2026 at 10:05 AM GMT+1 support@desk.example wrote:",
    "On 02/03/2026 10:05 CET Support <support@desk.example> wrote:",
    "On Mon, 02 Mar 2026 10:05:33 +0100 Support <support@desk.example> wrote:",
    "On Mon, 02 Mar 2026 10:05:33 +0100 \"Support, Desk\" <support@desk.example> wrote:",
    "Mar 2, 2026, 10:05 by support@desk.example:",
    "At 2026-03-02 10:05:33, \"Support\" <support@desk.example> wrote:",
    "--- On Mon, 3/2/26, Support <support@desk.example> wrote:",
    "----- On 2 Mar, 2026, at 10:05, Support support@desk.example wrote:",
    "\"Support\" <support@desk.example> wrote on 03/02/2026 10:05:33 AM:",
    "support@desk.example wrote on 02/03/2026 10:05:33:",
    "In a message dated 3/2/2026 10:05:33 A.M. Eastern Standard Time, support@desk.example writes:",
    "* Support <support@desk.example> [2026-03-02 10:05]:",
    "On Mon, 2 Mar 2026 at 10:05, Support via Desk <support@desk.example> wrote:",
    "On Mon, 2 Mar 2026 at 10:05, Support <[support@desk.example](mailto:support@desk.example)> wrote:",
    "On Mon, 2 Mar 2026 at 10:05, Support <support@desk.example<mailto:support@desk.example>> wrote:",
    "On Mon, 2 Mar 2026 at 10:05, Support &lt;support@desk.example&gt; wrote:",
    // es
    "El lun, 2 mar 2026 a las 10:05, Support (<support@desk.example>) escribió:",
    "El lun, 2 mar 2026 a la(s) 10:05, Support (support@desk.example) escribió:",
    "El 2 mar 2026, a las 10:05, Support <support@desk.example> escribió:",
    "El lunes, 2 de marzo de 2026, 10:05:33 CET, Support <support@desk.example> escribió:",
    // et
    "Kuupäev E, 2. märts 2026 kell 10:05 kirjutas Support <support@desk.example>:",
    // eu
    "Support (<support@desk.example>) erabiltzaileak hau idatzi du (2026 mar. 2, al. (10:05)):",
    // fa
    "در تاریخ دوشنبه ۲ مارس ۲۰۲۶، ۱۰:۰۵ Support <support@desk.example> نوشت:",
    // fi
    "ma 2. maalisk. 2026 klo 10.05 Support (support@desk.example) kirjoitti:",
    "Support <support@desk.example> kirjoitti 2.3.2026 kello 10.05:",
    // fr
    "Le lun. 2 mars 2026 à 10:05, Support <support@desk.example> a écrit :",
    "Le 2 mars 2026 à 10:05, Support <support@desk.example> a écrit :",
    "Le lundi 2 mars 2026 à 10:05:33 UTC+1, Support <support@desk.example> a écrit :",
    "Le Lundi, Mars 02, 2026 10:05 CET, \"Support\" <support@desk.example> a écrit:",
    "Le 02/03/2026 10:05, « Support » <support@desk.example> a écrit :",
    "----- Le 2 Mar 26, à 10:05, Support support@desk.example a écrit :",
    "\"Support\" <support@desk.example> a écrit sur 02/03/2026 10:05:33 :",
    "2 mars 2026, 10:05 de support@desk.example:",
    // he
    "בתאריך יום ב׳, 2 במרץ 2026 ב-10:05 מאת Support <support@desk.example>:",
    // hr
    "pon, 2. ožu 2026. u 10:05 Support <support@desk.example> napisao je:",
    // hu
    "Support <support@desk.example> ezt írta (időpont: 2026. márc. 2., H, 10:05):",
    "2026. márc. 2. dátummal, 10:05 időpontban Support <support@desk.example> írta:",
    // id
    "Pada Sen, 2 Mar 2026 pukul 10.05 Support <support@desk.example> menulis:",
    // is
    "Þann mán., 2. mar. 2026 kl. 10:05 skrifaði Support <support@desk.example>:",
    // it
    "Il giorno lun 2 mar 2026 alle ore 10:05 Support <support@desk.example> ha scritto:",
    "Il giorno 2 mar 2026, alle ore 10:05, Support <support@desk.example> ha scritto:",
    "Il lunedì 2 marzo 2026 alle ore 10:05:33 CET, Support <support@desk.example> ha scritto:",
    "In data lunedì 2 marzo 2026 10:05:33 CET, Support <support@desk.example> ha scritto:",
    // ja
    "2026年3月2日(月) 10:05 Support <support@desk.example>:",
    "2026/03/02 10:05、Support <support@desk.example>のメール:",
    "2026年3月2日 10:05、Support <support@desk.example>のメッセージ:",
    // ko
    "2026년 3월 2일 (월) 오전 10:05, Support <support@desk.example>님이 작성:",
    "2026. 3. 2. 오전 10:05, Support <support@desk.example> 작성:",
    // lt
    "2026-03-02, pr, 10:05 Support <support@desk.example> rašė:",
    // lv
    "pirmd., 2026. g. 2. marts, plkst. 10:05 — lietotājs Support (<support@desk.example>) rakstīja:",
    // nl
    "Op ma 2 mrt 2026 om 10:05 schreef Support <support@desk.example>:",
    "Op 2 mrt 2026, om 10:05 heeft Support <support@desk.example> het volgende geschreven:",
    "Op maandag 2 maart 2026 om 10:05:33 CET schreef Support <support@desk.example>:",
    // no
    "man. 2. mar. 2026 kl. 10:05 skrev Support <support@desk.example>:",
    "2. mar. 2026 kl. 10:05 skrev Support <support@desk.example>:",
    "Support <support@desk.example> skrev følgende den 02.03.2026 10:05:",
    // pl
    "pon., 2 mar 2026 o 10:05 Support <support@desk.example> napisał(a):",
    "Wiadomość napisana przez Support <support@desk.example> w dniu 2 mar 2026, o godz. 10:05:",
    "Dnia 2 marca 2026 10:05 Support <support@desk.example> napisał(a):",
    "W dniu 2026-03-02 10:05:33 użytkownik Support <support@desk.example> napisał:",
    // pt
    "Em seg., 2 de mar. de 2026 às 10:05, Support <support@desk.example> escreveu:",
    "Em 2 de mar. de 2026, à(s) 10:05, Support <support@desk.example> escreveu:",
    "No dia 02/03/2026, às 10:05, Support <support@desk.example> escreveu:",
    "Support <support@desk.example> escreveu (segunda, 2/03/2026 à(s) 10:05):",
    // ro
    "În lun., 2 mar. 2026 la 10:05, Support <support@desk.example> a scris:",
    "Pe 2 mar. 2026, la 10:05, Support <support@desk.example> a scris:",
    // ru
    "пн, 2 мар. 2026 г. в 10:05, Support <support@desk.example>:",
    "2 марта 2026 г., в 10:05, Support <support@desk.example> написал(а):",
    "Понедельник, 2 марта 2026, 10:05 +03:00 от Support <support@desk.example>:",
    "02.03.2026, 10:05, \"Support\" <support@desk.example>:",
    // sk
    "po 2. 3. 2026 o 10:05 Support <support@desk.example> napísal(a):",
    "Dňa 2. 3. 2026 o 10:05, používateľ Support <support@desk.example> napísal:",
    // sl
    "V V pon., 2. mar. 2026 ob 10:05 je oseba Support <support@desk.example> napisala:",
    // sr
    "пон, 2. мар 2026. у 10:05 Support <support@desk.example> је написао/ла:",
    // sv
    "Den mån 2 mars 2026 kl 10:05 skrev Support <support@desk.example>:",
    "2 mars 2026 kl. 10:05 skrev Support <support@desk.example>:",
    "mån 2 mars 2026 kl. 10:05 skrev Support <support@desk.example>:",
    // th
    "ในวันที่ จ. 2 มี.ค. 2569 เวลา 10:05 Support <support@desk.example> เขียนว่า:",
    // tr
    "Support <support@desk.example>, 2 Mar 2026 Pzt, 10:05 tarihinde şunu yazdı:",
    "Support <support@desk.example> şunları yazdı (2 Mar 2026 10:05):",
    // uk
    "пн, 2 бер. 2026 р. о 10:05 Support <support@desk.example> пише:",
    "2 бер. 2026 р. о 10:05 Support <support@desk.example> написав(-ла):",
    // vi
    "Vào Th 2, 2 thg 3, 2026 vào lúc 10:05 Support <support@desk.example> đã viết:",
    // zh
    "Support <support@desk.example> 于2026年3月2日周一 10:05写道：",
    "Support <support@desk.example> 於 2026年3月2日 週一 上午10:05寫道：",
    "在 2026年3月2日，上午10:05，Support <support@desk.example> 写道：",
    "在 2026-03-02 10:05:33，\"Support\" <support@desk.example> 写道：",
    "2026年3月2日 10:05，Support <support@desk.example> 写道：",
    // any
    "2026-03-02 10:05 GMT+01:00 Support <support@desk.example>:",
    "---- On Mon, 02 Mar 2026 10:05:33 +0100 Support <support@desk.example> wrote ----",
    "---- Am Mo, 02 Mär 2026 10:05:33 +0100 Support <support@desk.example> schrieb ----",
];

/// What stands there with a date and no address: a verb or a prefix says what it is.
pub(super) const DATED: &[&str] = &[
    "Am 02.03.26 um 10:05 schrieb Support:",
    "Am 02.03.2026 10:05 hat Support Desk geschrieben:",
    "Am 2026-03-02 10:05, schrieb Support:",
    "Am Montag, 2. März 2026, 10:05:33 CET schrieb Support Desk:",
    "Am Montag, dem 02.03.2026 um 10:05 +0100 schrieb Support Desk:",
    "Am Montag, 2. März 2026 um 10:05 schrieben Sie:",
    "El 2/3/26 a las 10:05, Support escribió:",
    "El lun, 02-03-2026 a las 10:05 +0100, Support Desk escribió:",
    "El 2/3/26 a les 10:05, Support ha escrit:",
    "Support kirjoitti 2.3.2026 klo 10.05:",
    "Le 02/03/2026 à 10:05, Support a écrit :",
    "Le 2026-03-02 10:05, Support a écrit :",
    "Le lundi 02 mars 2026 à 10:05 +0100, Support Desk a écrit :",
    "Il 02/03/26 10:05, Support ha scritto:",
    "Il 2026-03-02 10:05 Support ha scritto:",
    "Il giorno lun, 02/03/2026 alle 10.05 +0100, Support Desk ha scritto:",
    "Op 02-03-2026 om 10:05 schreef Support:",
    "Support schreef op 2026-03-02 10:05:",
    "Support schreef op ma 02-03-2026 om 10:05 [+0100]:",
    "W dniu 2.03.2026 o 10:05, Support pisze:",
    "W dniu 2026-03-02 10:05, Support napisał(a):",
    "Em 02/03/2026 10:05, Support escreveu:",
    "Às 10:05 de 02/03/2026, Support escreveu:",
    "Den 2026-03-02 kl. 10:05, skrev Support:",
    "Den 02.03.2026 kl. 10.05 skrev Support:",
    "Den 02.03.2026 10:05, skrev Support:",
    "Support skrev den 2026-03-02 10:05:",
    "mån 2026-03-02 klockan 10:05 +0100 skrev Support:",
    "Dne 02. 03. 26 v 10:05 Support napsal(a):",
    "Dne 2026-03-02 10:05, Support napsal:",
    "Dňa 2. 3. 2026 o 10:05 Support napísal(a):",
    "2026. 03. 02. 10:05 keltezéssel, Support írta:",
    "2026-03-02 10:05 időpontban Support ezt írta:",
    "Pe 02.03.2026 10:05, Support a scris:",
    "02.03.2026 10:05, Support пишет:",
    "02.03.26 10:05, Support пише:",
    "Support писал 2026-03-02 10:05:",
    "2.03.2026 10:05 tarihinde Support yazdı:",
    "Στις 2/3/26 10:05, ο Support έγραψε:",
    "Dana 2.3.2026. u 10:05, Support je napisao/la:",
    "Dne 2. 3. 26 ob 10:05 je Support napisal(a):",
    "На 2.03.26 г. в 10:05 ч., Support написа:",
    "2026-03-02 10:05, Support rašė:",
    "Support kirjutas 02.03.2026 kell 10:05:",
    "O 02/03/26 ás 10:05, Support escribiu:",
    "On 3/2/26 10:05 AM, Support Desk wrote:",
    "On 02.03.2026 10:05, Support Desk wrote:",
    "On 2026-03-02 10:05, Support Desk wrote:",
    "On Mon, Mar 02, 2026 at 10:05:33AM +0100, Support Desk wrote:",
    "On Mon, 2026-03-02 at 10:05 +0100, Support Desk wrote:",
    "On Monday, 2 March 2026 10:05:33 CET Support Desk wrote:",
    "On Mon, Mar 2, 2026, at 10:05 AM, Support Desk wrote:",
    "On Mon, 2 Mar 2026, Support Desk wrote:",
    "On 2 Mar 2026 at 10:05, Support Desk wrote:",
    "At 10:05 AM 3/2/2026, Support Desk wrote:",
    "Monday, March 2, 2026, 10:05:33 AM, you wrote:",
    "2026/03/02 10:05、Support さんは書きました:",
    "2026-03-02 10:05 に Support さんは書きました:",
    "在 2026/3/2 10:05, Support 写道:",
    "Support 於 2026/3/2 上午 10:05 寫道:",
    "2026-03-02 오전 10:05에 Support 이(가) 쓴 글:",
    "Вы писали 2 марта 2026 г., 10:05:33:",
];

/// What stands there with an address and no date.
pub(super) const ADDRESSED: &[&str] = &[
    "Support <support@desk.example> wrote:",
    "\"Support\" <support@desk.example> writes:",
    "Support via Desk <support@desk.example> wrote:",
    "Support <support@desk.example> schrieb:",
    "Support <support@desk.example> a écrit :",
    "Support <support@desk.example> escribió:",
    "Quoting Support <support@desk.example>:",
    "Zitat von Support <support@desk.example>:",
    "Citando Support <support@desk.example>:",
    "Citation de Support <support@desk.example>:",
    "Citeren Support <support@desk.example>:",
    "Citerar Support <support@desk.example>:",
    "Cytowanie Support <support@desk.example>:",
    "Cituji Support <support@desk.example>:",
    "Idézet (Support <support@desk.example>):",
    "Цитирую Support <support@desk.example>:",
    "support@desk.example wrote:",
];
