//! Tells whether an answer to an invitation says anything but yes, no or perhaps (M-22, M-67).

use std::sync::LazyLock;

use regex::Regex;

/// The longest sentence that a calendar writes, in bytes: names and titles stand in it.
const LONGEST: usize = 400;

/// What calendars write in the name of the one who answers: in the third person, as no one writes of
/// themselves. By language: who did what to which invitation.
const SENTENCES: [&str; 7] = [
    // de
    r"hat (diese |die |ihre |deine )?(termin|ereignis|besprechungs)?(einladung|anfrage)\b.*\b(angenommen|zugesagt|abgelehnt|abgesagt)",
    // en
    r"has (tentatively )?(accepted|declined|replied|proposed|not accepted)\b.*\b(invitation|invite|event|meeting)",
    // es
    r"ha (aceptado|rechazado)\b.*\b(invitaci[oó]n|evento)",
    // fr
    r"a (provisoirement )?(accept[ée]|d[ée]clin[ée]|refus[ée])\b.*\b(invitation|[ée]v[ée]nement)",
    // it
    r"ha (accettato|rifiutato|declinato)\b.*\b(invito|evento)",
    // ja
    r"(招待|イベント).*(承諾|辞退|承認)",
    // nl
    r"heeft\b.*\b(uitnodiging|evenement)\b.*\b(geaccepteerd|afgewezen|geweigerd)",
];

static SENTENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!("(?i)(?:{})", SENTENCES.join("|"))).expect("a literal expression")
});

/// Whether `text`, the body of a calendar's answer, adds nothing to it: it is empty, or the one
/// sentence that a calendar writes.
pub(super) fn adds_nothing(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next()) {
        (None, _) => true,
        (Some(only), None) => only.len() <= LONGEST && SENTENCE.is_match(only),
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::adds_nothing;

    #[test]
    fn m_22_m_67_a_calendar_s_own_sentence_is_no_text() {
        for (text, expected) in [
            ("", true),
            (" \n\n", true),
            ("Claire Johnson has accepted this invitation.", true),
            (
                "\nClaire <claire@myorg.example> has tentatively accepted your event invitation.\n",
                true,
            ),
            ("Claire Johnson hat Ihre Termineinladung angenommen.", true),
            ("Claire Johnson a accepté votre invitation.", true),
            ("Claire Johnson ha rechazado esta invitación.", true),
            ("Claire Johnson ha accettato l'invito.", true),
            ("Claire Johnson heeft uw uitnodiging geaccepteerd.", true),
            ("Claire さんがこの招待を承諾しました", true),
            ("I come a little later, is that all right?", false),
            ("Claire has accepted this invitation.\n\nBut please bring the key.", false),
            ("I have accepted the invitation but cannot open the file.", false),
            ("Thanks", false),
        ] {
            assert_eq!(adds_nothing(text), expected, "{text}");
        }
        let long = format!("Claire has accepted {} invitation", "x ".repeat(300));
        assert!(!adds_nothing(&long));
    }
}
