//! What holds of any HTML, and how the time grows with what is made to be slow (M-102).

use proptest::prelude::*;

use super::*;
use crate::mail::tests::growth::assert_linear;

/// Markup that clients write, to be put together in any order and left open anywhere.
const MARKUP: [&str; 27] = [
    "<br>",
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "</div>",
    "<div class=gmail_quote>",
    "<div class=gmail_signature>",
    "<div class=gmail_attr>",
    "<div id=divRplyFwdMsg>",
    "<div class=moz-cite-prefix>",
    "<div class=WordSection1>",
    "<div style='white-space:pre'>",
    "<blockquote type=cite>",
    "<blockquote>",
    "</blockquote>",
    "<hr>",
    "<span id=OLK_SRC_BODY_SECTION>",
    "</span>",
    "<table><tr><td>",
    "<td name=quote>",
    "</table>",
    "<ul><li>",
    "On Mon, 2 Mar 2026 at 10:05, Bob &lt;b@x.example&gt; wrote:",
    "---------- Forwarded message ---------",
    "From: Bob &lt;b@x.example&gt;<br>Date: 2 March 2026<br>To: Claire<br>",
    "<br>-----BEGIN PGP SIGNATURE-----<br>&#8203;",
];

fn html() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        5 => prop::sample::select(&MARKUP[..]).prop_map(str::to_owned),
        2 => "[a-z]{1,9}( [a-z]{1,9}){0,3}",
        1 => "\\PC{0,9}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn m_100_the_reply_is_made_of_lines_of_the_whole_in_their_order(html in html()) {
        for scope in [Scope::Answer, Scope::Standalone] {
            let reply = cut_as(&html, Context { scope, ..answer() });
            let mut whole = reply.normalised.split('\n');
            let mut is_next = |line: &str| whole.any(|other| other.trim_end() == line.trim_end());
            prop_assert!(reply.text.lines().all(&mut is_next), "{:?}", reply);
            let covered: usize = reply.segments.iter().map(|segment| segment.range.len()).sum();
            prop_assert_eq!(covered, reply.normalised.len());
        }
    }

    #[test]
    fn m_100_marks_are_whole_lines_of_the_text_in_their_order(html in html()) {
        let read = to_text(&html);
        let is_cut = |at: usize| {
            at == 0 || at == read.text.len() || read.text.as_bytes().get(at - 1) == Some(&b'\n')
        };
        for mark in &read.marks {
            prop_assert!(mark.range.start <= mark.range.end);
            prop_assert!(is_cut(mark.range.start) && is_cut(mark.range.end), "{:?}", read);
        }
        prop_assert!(read.marks.is_sorted_by_key(|mark| mark.range.start));
    }

    #[test]
    fn m_100_any_html_is_cut_without_panic(html in any::<String>()) {
        cut(&html);
    }
}

#[test]
fn e_95_m_102_the_time_grows_with_the_html_and_no_faster() {
    for (name, unit) in [
        ("attributes", "<a b c d e=f>"),
        ("attributions", "On Mon, 2 Mar 2026 at 10:05, Bob wrote:<blockquote>a</blockquote>"),
        ("cells", "<table><tr><td>a<td>b"),
        ("closed", "</div>"),
        ("comments", "<!--"),
        ("deep", "<div>"),
        ("deep indents", "<blockquote>a"),
        ("deep inline marks", "<span id=qt>a<span>"),
        ("deep marks", "<div class=gmail_quote>a"),
        ("deep quotes", "<blockquote type=cite>a"),
        ("dropped", "<style>"),
        ("entities", "&amp"),
        ("lists", "<ul><li>a"),
        ("opened", "<"),
        ("opened with a letter", "<a"),
        ("quotes", "<blockquote type=cite>a</blockquote>b"),
        ("rules", "a<hr>"),
        ("signatures", "a<div class=gmail_signature>b</div>"),
        ("unclosed values", "<a b=\""),
        ("wide", "<p>a</p>"),
    ] {
        assert_linear(name, 30_000 / unit.len(), |count| unit.repeat(count), |html| cut(html));
    }
    for (name, long) in [("class", "gmail "), ("style", "border-top:solid #E1E1E1 1.0pt;")] {
        let tag = |count| format!("<div {name}=\"{}\">a</div>", long.repeat(count));
        assert_linear(name, 50_000 / long.len(), tag, |html| cut(html));
    }
}
