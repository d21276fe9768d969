//! The words of mail.md section 6.2, as data: one row a language, all tried at once. Everything is
//! in lower case. Words of Chinese, Japanese and Korean stand in no spaces and are looked for
//! anywhere in a line.

mod east;
mod west;

/// Every language, those first that are met most.
pub(super) fn locales() -> impl Iterator<Item = &'static Locale> {
    west::LOCALES.iter().chain(east::LOCALES)
}

/// What one language's mail clients write around a quote.
#[derive(Debug)]
pub(super) struct Locale {
    /// What an attribution begins with (`On …`).
    pub prefixes: &'static [&'static str],
    /// What only clients write in an attribution (`wrote`).
    pub verbs: &'static [&'static str],
    /// What people write too (`said`): counts beside an address or above a quote.
    pub loose_verbs: &'static [&'static str],
    pub from: &'static [&'static str],
    pub date: &'static [&'static str],
    pub to: &'static [&'static str],
    pub cc: &'static [&'static str],
    pub subject: &'static [&'static str],
    /// Labels that count as lines of a header block and nothing more.
    pub other: &'static [&'static str],
    /// Above a forwarded message: between dashes, or alone when it ends with a colon.
    pub forward: &'static [&'static str],
    /// Above an answered message, between dashes.
    pub original: &'static [&'static str],
    /// How the line of a mobile client begins, and how it ends where the verb comes last.
    pub mobile: &'static [(&'static str, &'static str)],
}

const EMPTY: Locale = Locale {
    prefixes: &[],
    verbs: &[],
    loose_verbs: &[],
    from: &[],
    date: &[],
    to: &[],
    cc: &[],
    subject: &[],
    other: &[],
    forward: &[],
    original: &[],
    mobile: &[],
};

/// Words of a person telling a story (`your agent wrote:`): no client writes them into an
/// attribution. Compared as written, since names are capitalised.
pub(super) const NARRATION: &[&str] = &[
    "I", "he", "her", "his", "my", "our", "she", "that", "the", "their", "they", "this", "we",
    "your", "ich", "wir", "ihr", "Ihr", "Ihre", "mein", "unser", "mon", "notre", "votre", "mi",
    "nuestro", "su", "ik", "mijn", "uw", "jag", "jeg", "min",
];

/// Devices and clients that sign mail by themselves (M-97), by their own names, of which
/// some languages inflect the end.
pub(super) const DEVICES: &[&str] = &[
    "airmail",
    "android",
    "aol",
    "aquamail",
    "blackberry",
    "bluemail",
    "fairphone",
    "galaxy",
    "gmail",
    "gmx",
    "hotmail",
    "htc",
    "huawei",
    "ios",
    "ipad",
    "iphon",
    "ipod",
    "k-9",
    "k9",
    "lumia",
    "motorola",
    "nokia",
    "oneplus",
    "outlook",
    "polymail",
    "proton",
    "protonmail",
    "redmi",
    "samsung",
    "sparrow",
    "superhuman",
    "thunderbird",
    "treo",
    "typeapp",
    "verizon",
    "wiko",
    "windows",
    "xiaomi",
    "xperia",
    "yahoo",
    "zoho",
];

/// The same by common nouns: they count behind a possessive, or written as a name.
pub(super) const DEVICE_NOUNS: &[&str] = &[
    "appareil",
    "celular",
    "cellulare",
    "device",
    "gsm",
    "handy",
    "mail",
    "mobiel",
    "mobil",
    "mobile",
    "mobilgerät",
    "mobiltelefon",
    "móvil",
    "phone",
    "portable",
    "smartphone",
    "smarttelefon",
    "tablet",
    "tablette",
    "telefon",
    "telefono",
    "telefoon",
    "telefonu",
    "telefonom",
    "telemóvel",
    "téléphone",
    "мобильного",
    "телефона",
    "телефону",
    "휴대폰",
];

/// What makes a noun the writer's own device.
pub(super) const POSSESSIVES: &[&str] = &[
    "ma",
    "mi",
    "mojego",
    "mého",
    "meinem",
    "meiner",
    "meu",
    "mijn",
    "min",
    "mio",
    "mon",
    "my",
    "minun",
    "mina",
    "моего",
    "мого",
    "môjho",
];

/// Words that go on from a device to its client (`iPad using Mail`).
pub(super) const DEVICE_JOINTS: &[&str] = &[
    "an",
    "app",
    "auf",
    "avec",
    "by",
    "con",
    "device",
    "en",
    "for",
    "från",
    "für",
    "gesendet",
    "mail",
    "met",
    "mit",
    "mobile",
    "na",
    "on",
    "op",
    "para",
    "per",
    "phone",
    "pour",
    "powered",
    "pro",
    "smartphone",
    "sur",
    "tablet",
    "til",
    "till",
    "using",
    "via",
    "voor",
    "with",
];

/// Prefixes of a forwarded subject, in lower case.
pub(super) const FORWARD_PREFIXES: &[&str] = &[
    "fw",
    "fwd",
    "wg",
    "tr",
    "rv",
    "enc",
    "vs",
    "vb",
    "vl",
    "pd",
    "redir.",
    "redir",
    "videresend",
    "i̇lt",
    "ilt",
];

/// Prefixes of an answered subject, in lower case.
pub(super) const REPLY_PREFIXES: &[&str] =
    &["re", "aw", "sv", "antw", "odp", "ang", "réf", "ref", "rif", "ynt"];
