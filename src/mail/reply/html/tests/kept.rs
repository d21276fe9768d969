//! What a person wrote, and no mark may take.

use super::*;
use crate::mail::reply::Confidence;

#[test]
fn e_97_m_100_an_own_blockquote_is_kept() {
    for html in [
        "<p>The log says</p><blockquote>error 5<br>error 6<br>error 7</blockquote>",
        "<p>The manual says:</p><blockquote style=\"margin:0 0 0 40px;border:none\">Turn it off.<br>\
         Wait.</blockquote><p>I did.</p>",
        "<blockquote>All of it is indented.<br>Every line.</blockquote>",
        "<p>Your agent wrote:</p><blockquote>Turn it off.<br>And on.</blockquote>",
    ] {
        let reply = cut(html);
        assert_eq!(reply.text, reply.normalised.trim_end(), "{html}");
        assert_eq!(reply.visible, reply.text);
    }
}

#[test]
fn m_88_without_an_answer_only_the_signature_is_folded() {
    let html = r#"<p>Hello</p><div class="gmail_signature">Claire<br>Example Ltd</div>
        <div class="gmail_quote"><blockquote class="gmail_quote">Pasted.</blockquote></div>"#;
    let reply = cut_as(html, Context { scope: Scope::Standalone, ..answer() });
    assert_eq!(reply.text, "Hello\n\n> Pasted.");
    assert_eq!(reply.signature.as_deref(), Some("Claire\nExample Ltd"));
}

#[test]
fn m_97_m_100_a_signature_is_folded_only_below_words_of_its_sender() {
    let only = cut(r#"<div id="AppleMailSignature">The printer is broken.</div>"#);
    assert_eq!(only.text, "The printer is broken.");
    // It belongs to the quoted person.
    let quoted = cut(
        r#"<p>Yes.</p><p>From: Desk &lt;desk@x.example&gt;<br>Sent: 2 March 2026<br>To: Claire<br>Subject:
           Printer</p><p>Is it on?</p><div class="x_gmail_signature">Desk</div>"#,
    );
    assert_eq!((quoted.text.as_str(), quoted.signature), ("Yes.", None));
}

#[test]
fn e_94_m_99_a_mail_of_nothing_but_a_quote_is_shown_whole() {
    for html in [
        r#"<div class="gmail_quote"><div class="gmail_attr">Desk rašė:</div>
           <blockquote>Is it on?</blockquote></div>"#,
        r#"<blockquote type="cite">Is it on?</blockquote>"#,
        r#"<div class="yahoo_quoted">Is it on?</div>"#,
    ] {
        let reply = cut(html);
        assert_eq!((reply.text.as_str(), reply.confidence), ("", Confidence::Low), "{html}");
        assert!(reply.visible.contains("Is it on?"), "{html}");
    }
}

#[test]
fn m_95_m_100_words_below_a_header_with_nothing_above_stay() {
    let html = r#"<div id="divRplyFwdMsg"><b>From:</b> Desk &lt;desk@x.example&gt;<br><b>Sent:</b> 2 March
        2026<br><b>To:</b> Claire<br><b>Subject:</b> Printer</div><div>Is it on?</div><div>Yes.</div>"#;
    assert_eq!(cut(html).text, "Is it on?\nYes.");
}

#[test]
fn m_100_a_rule_counts_only_above_a_header() {
    for html in [
        "<p>One</p><hr><p>Two</p><hr><p>Three</p>",
        "<div class=WordSection1><p>One</p><table><tr><td>a</td></tr></table><p>Two</p></div>",
        "<div class=WordSection1><p>One</p><div>From: the cellar.</div><p>Two</p></div>",
        "<p>One</p><hr><p>From: the manual</p><p>Two</p>",
    ] {
        let reply = cut(html);
        assert_eq!(reply.text, reply.normalised.trim_end(), "{html}");
    }
    let ruled = "<p>One</p><hr><b>From: desk@x.example</b> <b>Date: Mon, 2 Mar 2026</b><p>Two</p>";
    assert_eq!(cut(ruled).text, "One");
}
