//! Recognises the notice that a company's gateway adds below a whole mail, its quote included: it
//! answers nothing there (M-95, M-96). Anywhere else it is part of what its sender wrote.

/// A notice has no more bytes.
const MOST_BYTES: usize = 6_000;

/// Whether the lines of a paragraph tell what to do when the mail came to the wrong person, in the
/// words only such notices have. Who asks about one writes a question.
pub(super) fn is_disclaimer(paragraph: &[&str]) -> bool {
    if paragraph.iter().map(|line| line.len()).sum::<usize>() > MOST_BYTES {
        return false;
    }
    let mut words = String::new();
    for word in paragraph.iter().flat_map(|line| line.split_whitespace()) {
        words.push_str(&word.to_lowercase().replace('’', "'"));
        words.push(' ');
    }
    !words.contains('?') && PHRASES.iter().any(|phrase| words.contains(phrase))
}

const PHRASES: [&str; 33] = [
    // cs
    "nejste-li zamýšleným příjemcem",
    "pokud nejste zamýšleným příjemcem",
    // da
    "hvis du ikke er den rette modtager",
    // de
    "falls sie diese e-mail irrtümlich erhalten",
    "sollten sie nicht der vorgesehene empfänger",
    "wenn sie diese e-mail irrtümlich erhalten",
    "wenn sie nicht der beabsichtigte empfänger",
    "wenn sie nicht der richtige adressat",
    // en
    "if you are not the addressee",
    "if you are not the intended",
    "if you are not the named addressee",
    "if you have received it in error",
    "if you have received this communication in error",
    "if you have received this e-mail in error",
    "if you have received this email in error",
    "if you have received this message in error",
    "if you received this in error",
    // es
    "si ha recibido este mensaje por error",
    "si no es usted el destinatario",
    "si usted no es el destinatario",
    // fr
    "si vous avez reçu ce message par erreur",
    "si vous n'êtes pas le destinataire",
    "si vous n'êtes pas destinataire",
    // it
    "se avete ricevuto questo messaggio per errore",
    "se non siete i destinatari",
    "se non siete il destinatario",
    // nl
    "als u niet de geadresseerde bent",
    "indien u niet de geadresseerde bent",
    // pl
    "jeśli nie są państwo adresatem",
    "jeżeli nie są państwo adresatem",
    // pt
    "se não é o destinatário",
    "se você não é o destinatário",
    // sv
    "om du inte är den avsedda mottagaren",
];

#[cfg(test)]
mod tests {
    use super::is_disclaimer;

    #[test]
    fn m_96_a_notice_is_known_by_what_only_notices_say() {
        for (paragraph, is) in [
            (
                &[
                    "This e-mail is confidential. If you are not the intended",
                    "recipient, delete it.",
                ][..],
                true,
            ),
            (&["Wenn Sie nicht der richtige Adressat sind, löschen Sie diese E-Mail."], true),
            (&["Si vous n’êtes pas  le destinataire, détruisez ce message."], true),
            (&["The mail is confidential. Bob is not the intended recipient."], false),
            (&["Why is \"if you are not the intended recipient\" below my mails?"], false),
            (&["It works."], false),
            (&[], false),
        ] {
            assert_eq!(is_disclaimer(paragraph), is, "{paragraph:?}");
        }
    }
}
