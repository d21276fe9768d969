//! The words of mail.md section 6.2, as data: one row a language, all tried at once. Everything is
//! in lower case. Words of Chinese, Japanese, Korean and Thai stand in no spaces and are looked
//! for anywhere in a line.

mod asia;
mod devices;
mod east;
mod north;
mod west;

pub(super) use devices::{
    DEVICE_JOINTS, DEVICE_NOUNS, DEVICES, INFLECTED_DEVICES, POSSESSIVES, SPACELESS_DEVICES,
};

/// Every language, those first that are met most.
pub(super) fn locales() -> impl Iterator<Item = &'static Locale> {
    west::LOCALES.iter().chain(north::LOCALES).chain(east::LOCALES).chain(asia::LOCALES)
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
    /// How a line begins that tells how to leave a list.
    pub unsubscribe: &'static [&'static str],
}

// A set of languages is a number with a bit for each.
const _: () = assert!(
    west::LOCALES.len() + north::LOCALES.len() + east::LOCALES.len() + asia::LOCALES.len() <= 64
);

/// Whether a word is written in a script that puts no spaces around it.
pub(super) fn is_spaceless(word: &str) -> bool {
    word.starts_with(|c: char| c >= '\u{3000}' || matches!(c, '\u{e00}'..='\u{e7f}'))
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
    unsubscribe: &[],
};

/// Words of a person telling a story (`your agent wrote:`): no client writes them into an
/// attribution. Compared as written, since names are capitalised.
pub(super) const NARRATION: &[&str] = &[
    "Dein",
    "Deine",
    "Der",
    "Die",
    "Din",
    "Ditt",
    "Euer",
    "Eure",
    "Frau",
    "Herr",
    "I",
    "Ihr",
    "Ihre",
    "Kollege",
    "Kollegin",
    "Madame",
    "Mein",
    "Meine",
    "Mevrouw",
    "Mijn",
    "Monsieur",
    "Mr",
    "Mrs",
    "Ms",
    "Nostro",
    "Notre",
    "Nuestra",
    "Nuestro",
    "Onze",
    "Our",
    "The",
    "They",
    "This",
    "Unser",
    "Unsere",
    "Uw",
    "Vostro",
    "Votre",
    "Vuestro",
    "Vår",
    "We",
    "Your",
    "colega",
    "colleague",
    "colleagues",
    "collega",
    "collègue",
    "he",
    "her",
    "his",
    "ich",
    "ihr",
    "ik",
    "jag",
    "jeg",
    "mein",
    "meine",
    "meinem",
    "mi",
    "mijn",
    "min",
    "mon",
    "my",
    "nobody",
    "nostro",
    "nothing",
    "notre",
    "nuestra",
    "nuestro",
    "onze",
    "our",
    "she",
    "somebody",
    "someone",
    "su",
    "that",
    "the",
    "their",
    "they",
    "this",
    "unser",
    "unsere",
    "unserem",
    "uw",
    "vostro",
    "votre",
    "we",
    "wir",
    "your",
];

/// Words of the writer about himself: with them no line is a client's, whatever else it holds.
pub(super) const SELF: &[&str] = &[
    "I", "I've", "Ich", "Ik", "J'ai", "Je", "We", "Wir", "Yo", "ich", "ik", "j'ai", "jag", "jeg",
    "we", "wir", "yo",
];

/// Prefixes of a forwarded subject, in lower case.
pub(super) const FORWARD_PREFIXES: &[&str] = &[
    "doorst",
    "enc",
    "fw",
    "fwd",
    "ilt",
    "i̇lt",
    "pd",
    "redir",
    "redir.",
    "rv",
    "tov",
    "továbbítás",
    "tr",
    "vb",
    "videresend",
    "vl",
    "vs",
    "wg",
    "πρθ",
    "הועבר",
    "إعادة توجيه",
    "转发",
    "転送",
    "轉寄",
    "전달",
];

/// Prefixes of an answered subject, in lower case.
pub(super) const REPLY_PREFIXES: &[&str] = &[
    "ang",
    "antw",
    "aw",
    "bls",
    "odg",
    "odp",
    "re",
    "ref",
    "res",
    "rif",
    "réf",
    "sv",
    "vá",
    "ynt",
    "απ",
    "σχετ",
    "תגובה",
    "رد",
    "回复",
    "回覆",
    "答复",
    "返信",
    "답장",
];
