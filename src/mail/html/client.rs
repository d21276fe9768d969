//! What mail clients call the parts of the HTML they write: the table of M-100. A name is compared
//! without case and without what Exchange (`x_`) and Gmail put before the names of others.

use super::style::Style;
use super::token::Tag;

/// What an element of a client's HTML holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// The line above a quote that says who wrote it.
    Attribution,
    /// A blockquote that says it quotes, or stands right below an attribution.
    Cite,
    /// A blockquote that says nothing: somebody indented words of their own (E-97).
    Indented,
    /// A quote with its attribution.
    Quote,
    /// The beginning of an older message; all that follows belongs to it.
    QuoteToEnd,
    /// What follows is an older message when the header of one comes first.
    Ruled,
    Signature,
}

use MarkKind::{Attribution, Quote, QuoteToEnd, Ruled, Signature};

/// Classes, each with the client that writes it.
const CLASSES: [(&str, MarkKind); 28] = [
    ("-x-evo-signature", Signature), // Evolution
    ("airmail_ext_on", Attribution),
    ("airmail_on", Attribution),
    ("alimail-quote", Quote),
    ("cm_signature", Signature), // Newton
    ("fmquote", Quote),          // Foxmail
    ("front-blockquote", Quote),
    ("front-signature", Signature),
    ("gmail_attr", Attribution),
    ("gmail_quote", Quote),
    ("gmail_quote_container", Quote),
    ("gmail_signature", Signature),
    ("gmail_signature_prefix", Signature),
    ("history_container", Quote),   // Mailbird
    ("hs_reply", QuoteToEnd),       // HubSpot
    ("io-ox-signature", Signature), // Open-Xchange
    ("k9mail-signature", Signature),
    ("mail-quote", Quote),          // Yandex
    ("mail-quote-collapse", Quote), // mail.ru
    ("mailru-blockquote", Quote),
    ("mb_sig", Signature), // Mailbird
    ("moz-forward-container", QuoteToEnd),
    ("ms-outlook-mobile-reference-message", QuoteToEnd),
    ("ntes-mailmaster-quote", Quote), // NetEase
    ("nylas-quote", Quote),           // Mailspring
    ("tutanota_quote", Quote),
    ("zmail_extra", Quote), // Zoho
    ("zmail_signature_below", Signature),
];

/// Ids, each with the client that writes it.
const IDS: [(&str, MarkKind); 24] = [
    ("_originalcontent", Quote),  // QQ
    ("_rc_sig", Signature),       // Roundcube
    ("appendonsend", QuoteToEnd), // Outlook on the web
    ("applemailsignature", Signature),
    ("blockquote_zmail", Quote),
    ("composer_signature", Signature), // Samsung
    // What Avast and AVG add below a mail.
    ("dab4fad8-2dd7-40bb-a1b8-4e2aa1f9fdf2", Signature),
    ("divrplyfwdmsg", QuoteToEnd), // Outlook on the web
    ("edo-original", QuoteToEnd),  // Edison
    ("edo-signature", Signature),
    ("guichet-mail", Quote),     // our own layout (M-90)
    ("isforwardcontent", Quote), // NetEase
    ("isreplycontent", Quote),
    ("mail-editor-reference-message-container", QuoteToEnd), // Outlook
    ("ms-outlook-mobile-signature", Signature),
    ("olk_src_body_section", QuoteToEnd), // Outlook for Mac
    ("original-content", Quote),          // QQ
    ("qt", Quote),                        // Fastmail
    ("reply-intro", Attribution),         // Roundcube
    ("signature", Signature),             // Outlook on the web
    ("stopspelling", QuoteToEnd),         // Hotmail
    ("tutanota_quote", Quote),
    ("ymail_android_signature", Signature),
    ("zwchr", QuoteToEnd), // Zimbra
];

/// Beginnings of classes and ids that end in a number or in what the client made of them.
const BEGINNINGS: [(&str, MarkKind); 9] = [
    ("bloop_sign", Signature), // Airmail
    ("cm_", Quote),            // Newton
    ("divrpf", QuoteToEnd),    // Exchange 2010
    ("moz-cite", Attribution),
    ("moz-signature", Signature),
    ("protonmail_quote", Quote),
    ("protonmail_signature", Signature),
    ("yahoo_quoted", Quote),
    ("zm-_id_-sgn", Signature), // Zoho
];

/// Values of the attribute `name`.
const NAMES: [(&str, MarkKind); 6] = [
    ("_____replyseparator", QuoteToEnd), // Outlook
    ("_mailoriginal", QuoteToEnd),       // Outlook
    ("messagereplysection", Quote),      // Spark
    ("messagesignaturesection", Signature),
    ("quote", Quote), // GMX, WEB.DE
    ("quoted-content", Quote),
];

/// Values of Zimbra's `data-marker`.
const MARKERS: [(&str, MarkKind); 5] = [
    ("__divider__", QuoteToEnd),
    ("__headers__", QuoteToEnd),
    ("__quoted_text__", Quote),
    ("__sig_post__", Signature),
    ("__sig_pre__", Signature),
];

/// What the element is by its names and its style, by the first that is known.
pub fn kind(tag: &Tag, style: Style) -> Option<MarkKind> {
    let by_id = || named(tag.id?.trim(), |id| exactly(&IDS, id).or_else(|| beginning(id)));
    let by_class = || {
        tag.class?.split_ascii_whitespace().take(MOST_CLASSES).find_map(|class| {
            named(class, |class| exactly(&CLASSES, class).or_else(|| beginning(class)))
        })
    };
    // Only Outlook names links; `quote` is a good name for one of a person's.
    let is_link = tag.name.eq_ignore_ascii_case("a");
    let by_name = || {
        named(tag.named?.trim(), |name| {
            exactly(&NAMES, name).filter(|_| name.starts_with('_') == is_link)
        })
    };
    let by_marker = || named(tag.data_marker?, |marker| exactly(&MARKERS, marker));
    let by_style = || style.is_header_box.then_some(QuoteToEnd);
    by_id()
        .or_else(by_class)
        .or_else(by_name)
        .or_else(by_marker)
        .or_else(by_style)
        .or_else(|| tag.name.eq_ignore_ascii_case("hr").then_some(Ruled))
}

/// Whether a blockquote says that it quotes.
pub fn is_cite(tag: &Tag) -> bool {
    let is_cite = |value: &str| value.trim().eq_ignore_ascii_case("cite");
    tag.cite.is_some() || tag.written_type.is_some_and(is_cite)
}

/// Whether the element holds the whole of what somebody wrote in Word (M-100).
pub fn is_word_section(tag: &Tag) -> bool {
    tag.class.is_some_and(|class| {
        ["section1", "wordsection1"]
            .iter()
            .any(|known| named(class, |name| (name == *known).then_some(())).is_some())
    })
}

/// No client gives an element more classes; beyond these they are not looked at.
const MOST_CLASSES: usize = 16;

/// The longest of all names above, and some room.
const LONGEST: usize = 64;

/// Looks a name up in lower case, without the marks before it that others have put there.
fn named<T>(name: &str, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let mut lower = [0; LONGEST];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    let mut name = std::str::from_utf8(lower).ok()?;
    while let Some(inner) = name.strip_prefix("x_").or_else(|| without_gmail_mark(name)) {
        name = inner;
    }
    find(name)
}

/// Gmail writes `m_`, a number and the name over the ids and classes of what it quotes.
fn without_gmail_mark(name: &str) -> Option<&str> {
    let marked = name.strip_prefix("m_")?;
    let marked = marked.strip_prefix('-').unwrap_or(marked);
    let inner = marked.trim_start_matches(|c: char| c.is_ascii_digit());
    (inner.len() < marked.len()).then_some(inner)
}

fn exactly(known: &[(&str, MarkKind)], name: &str) -> Option<MarkKind> {
    known.binary_search_by(|(known, _)| (*known).cmp(name)).ok().map(|at| known[at].1)
}

fn beginning(name: &str) -> Option<MarkKind> {
    // Yahoo writes `ydp`, some digits, and the name.
    if let Some(own) = name.strip_prefix("ydp") {
        return if own.contains("yahoo_quoted") {
            Some(Quote)
        } else {
            own.ends_with("signature").then_some(Signature)
        };
    }
    BEGINNINGS.iter().find(|(known, _)| name.starts_with(known)).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_100_the_tables_are_in_order() {
        for table in [&CLASSES[..], &IDS, &BEGINNINGS, &NAMES, &MARKERS] {
            assert!(table.is_sorted_by(|one, other| one.0 < other.0));
        }
    }

    #[test]
    fn m_100_names_are_known_in_every_spelling() {
        let class = |class| Tag { name: "div", class: Some(class), ..Tag::default() };
        let id = |id| Tag { name: "div", id: Some(id), ..Tag::default() };
        let styled = |style| Tag { name: "div", style: Some(style), ..Tag::default() };
        for (tag, expected) in [
            (class("gmail_quote gmail_quote_container"), Some(Quote)),
            (class("elided GMAIL_QUOTE"), Some(Quote)),
            (class("x_x_gmail_signature"), Some(Signature)),
            (class("ydp1a2b3cyahoo_quoted"), Some(Quote)),
            (class("ydp1a2b3csignature"), Some(Signature)),
            (class("protonmail_signature_block-empty"), Some(Signature)),
            (class("moz-cite-prefix"), Some(Attribution)),
            (class("gmail_default"), None),
            (class("quote"), None),
            (class(""), None),
            (id("divRplyFwdMsg"), Some(QuoteToEnd)),
            (id("x_divRplyFwdMsg"), Some(QuoteToEnd)),
            (id("divRpF123456"), Some(QuoteToEnd)),
            (id("yahoo_quoted_1234567890"), Some(Quote)),
            (id("Signature"), Some(Signature)),
            (id("signatures"), None),
            (id("guichet-mail"), Some(Quote)),
            (id("x_guichet-mail"), Some(Quote)),
            (id("m_-8012345678901234567guichet-mail"), Some(Quote)),
            (id("m_8012345678901234567x_guichet-mail"), Some(Quote)),
            (id("m_guichet-mail"), None),
            (id("main"), None),
            (
                styled("border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"),
                Some(QuoteToEnd),
            ),
            (
                styled(
                    "border-style: solid none none; border-width: 1pt medium medium; \
                        border-color: rgb(181, 196, 223) currentcolor; padding: 3pt 0in 0in",
                ),
                Some(QuoteToEnd),
            ),
            (styled("border-top:solid #E1E1E1 1.0pt"), None),
            (styled("border-top:solid red 1.0pt;padding:3.0pt 0cm 0cm 0cm"), None),
            (Tag { name: "a", named: Some("quote"), ..Tag::default() }, None),
            (Tag { name: "a", named: Some("_MailOriginal"), ..Tag::default() }, Some(QuoteToEnd)),
            (Tag { name: "HR", ..Tag::default() }, Some(Ruled)),
            (
                Tag { name: "div", named: Some("messageReplySection"), ..Tag::default() },
                Some(Quote),
            ),
            (
                Tag { name: "div", data_marker: Some("__QUOTED_TEXT__"), ..Tag::default() },
                Some(Quote),
            ),
        ] {
            assert_eq!(kind(&tag, Style::of(&tag)), expected, "{tag:?}");
        }
    }
}
