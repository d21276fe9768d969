//! What clients write below an answer: one row each. The attributions are mostly in a language that
//! the rules for lines do not know, where the mark alone has to do.

use super::*;
use crate::mail::reply::{Confidence, SegmentKind};

const OLDER: &str = "<p>The printer on the second floor is yours.</p><p>Your desk</p>";

/// The client, what it writes below the answer, and the signature that is folded.
const TOP_REPLIES: [(&str, &str, Option<&str>); 45] = [
    (
        "Airmail",
        r#"<div id="bloop_sign_1" class="bloop_sign">Claire</div><p class="airmail_on">Desk rašė:</p>
           <blockquote type="cite" class="clean_bq">OLDER</blockquote>"#,
        Some("Claire"),
    ),
    (
        "Apple Mail",
        r#"<div><br><blockquote type="cite"><div>On 2 Mar 2026, at 10:05, Desk &lt;desk@x.example&gt;
           wrote:</div><br class="Apple-interchange-newline"><div>OLDER</div></blockquote></div>"#,
        None,
    ),
    (
        "Apple Mail, older",
        r#"<div><br><div><div>On Mar 2, 2026, at 10:05 AM, Desk &lt;desk@x.example&gt; wrote:</div><br>
           <blockquote type="cite">OLDER</blockquote></div></div>"#,
        None,
    ),
    (
        "Avast below a quote",
        r#"<blockquote type="cite">OLDER</blockquote><div id="DAB4FAD8-2DD7-40BB-A1B8-4E2AA1F9FDF2"><br>
           <table><tr><td>Virus-free</td></tr></table></div>"#,
        Some("Virus-free"),
    ),
    (
        "Edison",
        r#"<div id="edo-signature">Claire</div><div id="edo-original"><div>Desk rašė:</div>OLDER</div>"#,
        Some("Claire"),
    ),
    ("Exchange 2010", r#"<div id="divRpF654321"><b>Nuo:</b> Desk<br></div>OLDER"#, None),
    (
        "Fastmail",
        r#"<div>On Mon, 2 Mar 2026, at 10:05 AM, Desk wrote:</div>
           <blockquote type="cite" id="qt">OLDER</blockquote>"#,
        None,
    ),
    ("Foxmail", r#"<blockquote class="FMQuote"><div>Desk</div>OLDER</blockquote>"#, None),
    (
        "a client that quotes our own layout without saying so",
        r#"<div>Support &lt;s@desk.example&gt; rašė:</div><div><br></div>
           <div class="card" id="guichet-mail">OLDER</div>"#,
        None,
    ),
    (
        "the same, through Gmail",
        r#"<div>On 2 Mar 2026, at 10:05, Desk &lt;desk@x.example&gt; wrote:</div>
           <div id="m_-8012345678901234567guichet-mail">OLDER</div>"#,
        None,
    ),
    (
        "Front",
        r#"<div class="front-signature">Claire</div>
           <blockquote type="cite" class="front-blockquote">Desk rašė:<br>OLDER</blockquote>"#,
        Some("Claire"),
    ),
    (
        "GMX",
        r#"<div name="quote" style="margin:10px 5px 5px 10px"><div><b>Gesendet:</b> 2. März<br>
           <b>Von:</b> Desk</div><div name="quoted-content">OLDER</div></div>"#,
        None,
    ),
    (
        "Gmail",
        r#"<div><br></div><div class="gmail_quote"><div dir="ltr" class="gmail_attr">2026 m. kovo 2 d. Desk
           &lt;<a href="mailto:desk@x.example">desk@x.example</a>&gt; rašė:<br></div>
           <blockquote class="gmail_quote" style="margin:0 0 0 0.8ex">OLDER</blockquote></div>"#,
        None,
    ),
    (
        "Gmail, in a container",
        r#"<br><div class="gmail_quote gmail_quote_container"><div class="gmail_attr">Desk rašė:<br></div>
           <blockquote class="gmail_quote">OLDER</blockquote></div>"#,
        None,
    ),
    (
        "Gmail, with a signature",
        r#"<div><br></div><span class="gmail_signature_prefix">-- </span><br><div class="gmail_signature">
           <div>Claire Johnson</div><div>Example Ltd</div></div><br><div class="gmail_quote">
           <div class="gmail_attr">Desk rašė:</div><blockquote class="gmail_quote">OLDER</blockquote></div>"#,
        Some("--\nClaire Johnson\nExample Ltd"),
    ),
    (
        "HEY",
        "<p>On March 2, 2026, Desk &lt;desk@x.example&gt; wrote:</p><blockquote>OLDER</blockquote>",
        None,
    ),
    ("Hotmail", r#"<hr id="stopSpelling">Nuo: Desk<br>OLDER"#, None),
    ("HubSpot", r#"<div class="hs_reply"><div>Desk rašė:</div>OLDER</div>"#, None),
    (
        "K-9",
        r#"<br><div class='k9mail-signature'>Claire</div><br><div class="gmail_quote">Desk rašė:
           <blockquote class="gmail_quote">OLDER</blockquote></div>"#,
        Some("Claire"),
    ),
    (
        "Mailbird",
        r#"<blockquote class="history_container" type="cite">Desk rašė:<br>OLDER</blockquote>"#,
        None,
    ),
    (
        "NetEase",
        r#"<div class="ntes-mailmaster-quote"><div>Desk rašė:</div><div>OLDER</div></div>"#,
        None,
    ),
    (
        "NetEase on the web",
        r#"<p>At 2026-03-02 10:05:00, "Desk" &lt;desk@x.example&gt; wrote:</p>
           <blockquote id="isReplyContent">OLDER</blockquote>"#,
        None,
    ),
    ("Newton", r#"<div class="cm_quote"><div>Desk rašė:</div>OLDER</div>"#, None),
    (
        "Outlook",
        r#"<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>
           <p class=MsoNormal><b>Nuo:</b> Desk<br><b>Tema:</b> Printer<o:p></o:p></p></div></div>OLDER"#,
        None,
    ),
    (
        "Outlook 2003",
        r#"<div><div class=MsoNormal align=center><hr size=2 width="100%" align=center tabindex=-1></div>
           <p class=MsoNormal><b>From:</b> Desk [mailto:desk@x.example] <br><b>Sent:</b> Monday, March 2, 2026
           10:05 AM<br><b>To:</b> Claire<br><b>Subject:</b> Printer</p></div>OLDER"#,
        None,
    ),
    (
        "Outlook 2007",
        r#"<div style='border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0in 0in 0in'>
           <p class=MsoNormal><b>Nuo:</b> Desk<br><b>Tema:</b> Printer</p></div>OLDER"#,
        None,
    ),
    (
        "Outlook for Mac",
        r#"<div><br></div><span id="OLK_SRC_BODY_SECTION"><div><span>Nuo: </span>Desk</div>OLDER</span>"#,
        None,
    ),
    (
        "Outlook, new",
        r#"<div id="mail-editor-reference-message-container"><hr><b>Nuo:</b> Desk<br>OLDER</div>"#,
        None,
    ),
    (
        "Outlook on a phone",
        r#"<div id="ms-outlook-mobile-signature">Gauti programėlę</div><hr>
           <div class="ms-outlook-mobile-reference-message skipProofing"><b>Nuo:</b> Desk<br></div>OLDER"#,
        Some("Gauti programėlę"),
    ),
    (
        "Outlook on the web",
        r#"<div id="Signature"><p>Claire Johnson</p></div><div id="appendonsend"></div><hr tabindex="-1">
           <div id="divRplyFwdMsg" dir="ltr"><b>Nuo:</b> Desk<br><b>Tema:</b> Printer<div>&nbsp;</div></div>
           OLDER"#,
        Some("Claire Johnson"),
    ),
    (
        "Outlook on the web, passed on by Exchange",
        r#"<hr tabindex="-1"><div id="x_divRplyFwdMsg"><b>Nuo:</b> Desk<br></div>OLDER"#,
        None,
    ),
    (
        "Outlook with a bookmark",
        r#"<p class=MsoNormal><a name="_____replyseparator"></a><b>Nuo:</b> Desk</p>OLDER"#,
        None,
    ),
    (
        "Proton",
        r#"<div class="protonmail_signature_block"><div class="protonmail_signature_block-user">Claire</div>
           </div><div class="protonmail_quote">Desk rašė:<br>
           <blockquote class="protonmail_quote" type="cite">OLDER</blockquote><br></div>"#,
        Some("Claire"),
    ),
    ("QQ", r#"<div id="original-content"><div>Desk</div>OLDER</div>"#, None),
    (
        "Roundcube",
        r#"<p id="reply-intro">Desk rašė:</p><blockquote type="cite">OLDER</blockquote>
           <div id="_rc_sig">Claire</div>"#,
        Some("Claire"),
    ),
    (
        "Samsung",
        r#"<div id="composer_signature">Iš telefono</div><div>-------- Original message --------</div>
           <div>From: Desk &lt;desk@x.example&gt; </div><div>Date: 02/03/2026 10:05 (GMT+00:00) </div>
           <div>To: Claire </div><div>Subject: Printer </div>OLDER"#,
        Some("Iš telefono"),
    ),
    (
        "Spark",
        r#"<div name="messageSignatureSection"><br>Claire</div><div name="messageReplySection">Desk rašė:<br>
           <blockquote type="cite">OLDER</blockquote></div>"#,
        Some("Claire"),
    ),
    (
        "Thunderbird",
        r#"<div class="moz-cite-prefix">2026-03-02 10:05, Desk rašė:<br></div>
           <blockquote type="cite" cite="mid:a@x.example">OLDER</blockquote><br>"#,
        None,
    ),
    (
        "Thunderbird, with a signature",
        "<div class=\"moz-cite-prefix\">Desk rašė:<br></div><blockquote type=\"cite\">OLDER</blockquote>\
         <pre class=\"moz-signature\" cols=\"72\">-- \nClaire Johnson</pre>",
        Some("-- \nClaire Johnson"),
    ),
    (
        "Tuta",
        r#"2. kov. 2026, 10:05, Desk:<br><blockquote class="tutanota_quote">OLDER</blockquote>"#,
        None,
    ),
    (
        "Yahoo",
        r#"<div class="ydp12ab34signature">Claire</div><div id="ydp99yahoo_quoted_01" class="ydp99yahoo_quoted">
           <div><div>Desk rašė:</div><div><br></div>OLDER</div></div>"#,
        Some("Claire"),
    ),
    (
        "Yahoo on a phone",
        r#"<br><div id="ymail_android_signature">Iš telefono</div><br><blockquote style="margin: 0 0 20px 0;">
           <div>On Mon, 2 Mar 2026 at 10:05, Desk</div><div>&lt;desk@x.example&gt; wrote:</div>
           <div>OLDER</div></blockquote>"#,
        Some("Iš telefono"),
    ),
    (
        "Yandex",
        r#"<div><br></div><div>02.03.2026, 10:05, "Desk" &lt;desk@x.example&gt;:</div>
           <blockquote class="mail-quote">OLDER</blockquote>"#,
        None,
    ),
    (
        "Zimbra",
        r#"<div data-marker="__SIG_PRE__">Claire</div><hr id="zwchr" data-marker="__DIVIDER__">
           <div data-marker="__HEADERS__"><b>Nuo: </b>Desk<br></div>
           <div data-marker="__QUOTED_TEXT__">OLDER</div>"#,
        Some("Claire"),
    ),
    (
        "Zoho",
        r#"<div id="Zm-_Id_-Sgn">Claire</div><div class="zmail_extra"><div>---- Desk rašė ---</div>
           <blockquote id="blockquote_zmail">OLDER</blockquote></div>"#,
        Some("Claire"),
    ),
];

#[test]
fn m_100_above_a_quote_only_the_answer_stays() {
    for (client, below, signature) in TOP_REPLIES {
        let below = below.replace("OLDER", OLDER);
        let html = format!(
            "<body><div class=WordSection1><p>It prints again.</p><p>Thanks</p>{below}</div></body>"
        );
        let reply = cut(&html);
        assert_eq!(reply.text, "It prints again.\n\nThanks", "{client}: {}", reply.normalised);
        assert_eq!(reply.visible, reply.text, "{client}");
        assert_eq!(reply.signature.as_deref(), signature, "{client}");
        assert_eq!(reply.confidence, Confidence::High, "{client}");
        assert!(reply.segments.iter().any(|one| one.kind == SegmentKind::Quoted), "{client}");
    }
}

#[test]
fn e_90_m_95_m_100_below_and_between_quotes_the_answer_stays() {
    for (client, html, kept) in [
        (
            "Gmail, below",
            r#"<div class="gmail_quote"><div class="gmail_attr">Desk rašė:</div>
               <blockquote class="gmail_quote">OLDER</blockquote></div><div>It prints again.</div>"#,
            "It prints again.",
        ),
        (
            "Thunderbird, below",
            r#"<div class="moz-cite-prefix">Desk rašė:<br></div><blockquote type="cite">OLDER</blockquote>
               <p>It prints again.</p>"#,
            "It prints again.",
        ),
        (
            "Yahoo, below",
            r#"<div class="yahoo_quoted"><div>Desk rašė:</div>OLDER</div><div>It prints again.</div>"#,
            "It prints again.",
        ),
        (
            "Gmail, between",
            r#"<div class="gmail_quote"><div class="gmail_attr">On Mon, Mar 2, 2026 at 10:05 AM Desk
               &lt;desk@x.example&gt; wrote:<br></div><blockquote class="gmail_quote">Which one?</blockquote>
               <div>The blue one.</div><blockquote class="gmail_quote">Since when?</blockquote>
               <div>Monday.</div></div>"#,
            "> Which one?\nThe blue one.\n> Since when?\nMonday.",
        ),
        (
            "Apple Mail, between",
            r#"<div>Hello,</div><div><br></div><div>On 2 Mar 2026, at 10:05, Desk &lt;desk@x.example&gt;
               wrote:</div><blockquote type="cite">Which one?</blockquote><div>The blue one.</div>
               <blockquote type="cite">Since when?</blockquote><div>Monday.</div>"#,
            "Hello,\n\n> Which one?\nThe blue one.\n> Since when?\nMonday.",
        ),
        (
            "Thunderbird, between",
            r#"<div class="moz-cite-prefix">Desk rašė:<br></div><blockquote type="cite">Which one?
               </blockquote><p>The blue one.</p><blockquote type="cite">Since when?</blockquote>
               <p>Monday.</p>"#,
            "> Which one?\n\nThe blue one.\n\n> Since when?\n\nMonday.",
        ),
        (
            "Thunderbird, above and below",
            r#"<p>Hello,</p><div class="moz-cite-prefix">Desk rašė:<br></div>
               <blockquote type="cite">Which one?</blockquote><p>The blue one.</p>"#,
            "Hello,\n\n> Which one?\n\nThe blue one.",
        ),
    ] {
        let reply = cut(&html.replace("OLDER", OLDER));
        assert_eq!(reply.text, kept, "{client}: {}", reply.normalised);
    }
}

#[test]
fn e_96_m_95_m_100_a_forward_is_kept() {
    for (client, forward) in [
        (
            "Apple Mail",
            r#"<div>Begin forwarded message:</div><br><blockquote type="cite"><div>From: Bob
               &lt;bob@y.example&gt;</div><div>Subject: Printer</div><div>Date: 2 March 2026</div>
               <div>To: Claire</div>OLDER</blockquote>"#,
        ),
        (
            "Gmail",
            r#"<div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>
               Nuo: Bob &lt;bob@y.example&gt;<br>Date: Mon, Mar 2, 2026<br></div>OLDER</div>"#,
        ),
        (
            "Outlook",
            r#"<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><b>Nuo:</b>
               Bob</div>OLDER"#,
        ),
        (
            "Outlook on the web",
            r#"<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>Nuo:</b> Bob<br></div>OLDER"#,
        ),
        (
            "Thunderbird",
            r#"<div class="moz-forward-container"><br>-------- Forwarded Message --------<table><tr>
               <th>Subject: </th><td>Printer</td></tr></table>OLDER</div>"#,
        ),
    ] {
        let forward = forward.replace("OLDER", OLDER);
        let html = format!("<p>Please see below.</p>{forward}");
        for prefix in [Prefix::Forward, Prefix::PerhapsForward] {
            let reply = cut_as(&html, Context { prefix, ..answer() });
            assert_eq!(reply.visible, reply.normalised.trim_end(), "{client}");
            assert_eq!(reply.text, reply.visible, "{client}");
            assert_eq!(reply.confidence, Confidence::Medium, "{client}");
            assert!(reply.segments.iter().any(|one| one.kind == SegmentKind::Forward), "{client}");
        }
        let alone = cut_as(&forward, Context { prefix: Prefix::Forward, ..answer() });
        assert!(alone.visible.contains("second floor"), "{client}: {alone:#?}");
        if client != "Outlook" && client != "Outlook on the web" {
            // It calls itself a forward, whatever the subject says.
            let alone = cut(&forward);
            assert_eq!(alone.text, alone.normalised.trim(), "{client}");
        }
    }
}

#[test]
fn e_98_m_100_of_two_embedded_mails_the_first_boundary_counts() {
    let older = r#"<div>First.</div><hr><div id="x_divRplyFwdMsg"><b>From:</b> Bob &lt;bob@y.example&gt;<br>
        <b>Sent:</b> Monday, 2 March 2026<br><b>To:</b> Desk<br><b>Subject:</b> Printer</div>
        <div>Second.</div><div class="x_gmail_quote">Third.</div>"#;
    for html in [
        r#"<div>New.</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> X</div>OLDER"#,
        r#"<div>New.</div><blockquote type="cite">OLDER</blockquote>"#,
        r#"<div>New.</div><div class="gmail_quote"><blockquote class="gmail_quote">OLDER</blockquote></div>"#,
        r#"<div>New.</div><div class="gmail_quote"><div class="gmail_attr">Desk rašė:</div>
           <blockquote class="gmail_quote"><div>Begin forwarded message:</div>
           <blockquote type="cite">OLDER</blockquote></blockquote></div>"#,
    ] {
        assert_eq!(cut(&html.replace("OLDER", older)).text, "New.", "{html}");
    }
}
