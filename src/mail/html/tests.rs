//! HTML as text, row by row (M-17), and the shapes that would take other readers quadratic time.

use super::*;

fn check(rows: &[(&str, &str)]) {
    for (html, text) in rows {
        assert_eq!(to_text(html).text, *text, "{html}");
    }
}

#[test]
fn m_17_blocks_and_breaks_are_lines() {
    check(&[
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("a<br><br><br><br>b", "a\n\nb"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<div>a</div><div>&nbsp;</div><div>b</div>", "a\n\nb"),
        ("<p>a</p>\n<p>&nbsp;</p>\n<p>b</p>", "a\n\nb"),
        ("a\n  b\tc&nbsp;&nbsp;d", "a b c d"),
        ("a <b>b</b> <i>c</i>", "a b c"),
        ("<b>a</b><i>b</i>", "ab"),
        ("<pre>a\n  b</pre>c", "a\n  b\nc"),
        ("a<hr>b", "a\n----------\nb"),
        ("<h1>T</h1>x", "T\n\nx"),
    ]);
}

#[test]
fn m_17_lists_tables_links_images_and_quotes() {
    check(&[
        ("<ul><li>a</li><li>b</ul>c", "- a\n- b\nc"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>", "a | b\nc | d"),
        ("<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a | b"),
        ("<table><tr><td></td><td>b</td></tr></table>", "b"),
        ("<a href=\"https://x.example/\">here</a>.", "here <https://x.example/>."),
        ("<a href=\"https://x.example/\">x.example</a>", "x.example"),
        ("<a href='mailto:a@b.example?subject=x'>a@b.example</a>", "a@b.example"),
        ("&lt;<a href=\"mailto:a@b.example\">a@b.example</a>&gt;", "<a@b.example>"),
        ("<a href=\"#top\">up</a> <a href=\"javascript:x()\">go</a>", "up go"),
        ("<a href=\"https://x.example\"><img src=x></a>y", "y"),
        ("<img src=\"http://127.0.0.1/\" alt=\"our logo\">", "[image: our logo]"),
        ("<img src=x>", ""),
        (
            "a<blockquote type=cite>b<br>c<blockquote>d</blockquote></blockquote>e",
            "a\n> b\n> c\n> > d\ne",
        ),
        ("<blockquote cite='mid:x'><p>a</p><p>b</p></blockquote>", "> a\n>\n> b"),
        (
            "On Mon, 2 Mar 2026 at 10:05, Bob &lt;b@x.example> wrote:<blockquote>a</blockquote>",
            "On Mon, 2 Mar 2026 at 10:05, Bob <b@x.example> wrote:\n> a",
        ),
        ("<ul><li>a<ul><li>b<ol><li>c</ol></ul><li>d</ul>", "- a\n  - b\n    - c\n- d"),
        ("<ul><li><p>a</p></li><li><p>b</p></li></ul>", "- a\n\n- b"),
    ]);
}

#[test]
fn e_97_m_100_a_blockquote_that_says_nothing_is_indented_words() {
    check(&[
        (
            "a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e",
            "a\n    b\n    c\n        d\ne",
        ),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "    a\n\n    b"),
        ("<blockquote>a<blockquote type=cite>b</blockquote></blockquote>", "    a\n    > b"),
        ("I wrote:<blockquote>a</blockquote>", "I wrote:\n    a"),
    ]);
}

#[test]
fn m_17_what_is_not_for_people_is_dropped() {
    check(&[
        ("<head><title>t</title><style>p { x }</style></head><body>a</body>", "a"),
        ("<script>if (a < b) alert('</p>')</script>a", "a"),
        ("a<!-- b > c -->d<!-->e", "ade"),
        ("<!DOCTYPE html><?xml version='1.0'?><![if !mso]>a<![endif]>", "a"),
        ("<div style=\"display: none\">x<div>y</div></div>a", "a"),
        ("<span hidden>x</span>a", "a"),
        ("<p style='visibility:hidden'>x<p>a", "a"),
        ("<template>x</template>a", "a"),
        ("<div style='max-height:0px; overflow:hidden'>preview</div>a", "a"),
        ("<div style='opacity: 0'>preview</div>a", "a"),
        ("<div style='max-height:0'>a</div>", "a"),
        ("<span style='display:none;mso-hide:all'>x</span>a", "a"),
        ("<a style='mso-hide:all' href='#'>a</a>", "a"),
        ("<div style='DISPLAY: none !important'>x</div>a", "a"),
        ("<style>x", ""),
    ]);
}

#[test]
fn m_17_words_own_markup_leaves_no_trace() {
    check(&[
        ("<!--[if gte mso 9]><xml><o:x>5</o:x></xml><![endif]-->a", "a"),
        ("<!--[if !mso]><!-->a<!--<![endif]-->", "a"),
        ("<p class=MsoNormal>a<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p>b", "a\n\nb"),
        ("<![if !supportLists]><span>1.</span><![endif]>a", "1.a"),
        (
            "<p style='mso-list:l0 level1 lfo1'><![if !supportLists]><span style='font-family:Symbol'>\
             <span style='mso-list:Ignore'>·<span>&nbsp;&nbsp; </span></span></span><![endif]>a</p>b",
            "- a\n\nb",
        ),
        ("<p><span style='mso-list:Ignore'>1.<span>&nbsp; </span></span>a</p>", "1. a"),
        ("<xml><w:WordDocument>x</w:WordDocument></xml>a", "a"),
    ]);
}

#[test]
fn m_17_white_space_counts_where_the_style_says_so() {
    check(&[
        ("<div style='white-space: pre-wrap'>a\n  b</div>c", "a\n  b\nc"),
        ("x <span style='white-space:pre'>a\n  <span>b</span>\n c</span> d\ne", "x a\n  b\n c d e"),
        ("<div style='white-space:normal'>a\n  b</div>", "a b"),
    ]);
}

#[test]
fn e_41_m_17_several_documents_in_one_part_are_all_read() {
    check(&[
        ("<html><body>a</body></html><html><body>b</body></html>", "a\nb"),
        ("quoted before<html><body>a</body></html>", "quoted before\na"),
    ]);
}

#[test]
fn m_17_broken_markup_loses_no_text() {
    check(&[
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
        ("a <b", "a <b"),
        ("a <b c=\"d>e</b>f", "a e\u{66}"),
        ("</p>a</div></div>b", "ab"),
        ("<a href=\"x>y</a>z", "y <x>z"),
        ("a</", "a</"),
        ("<é>x", "<é>x"),
        ("<p é=ü ö>x", "x"),
    ]);
}

#[test]
fn e_40_m_17_links_and_text_are_limited() {
    let links = |count: usize| "<a href=\"http://x.example\">y</a> ".repeat(count);
    assert_eq!(to_text(&links(LINK_LIMIT - 1)).limit, None);
    assert_eq!(to_text(&links(LINK_LIMIT)).limit, None);
    assert_eq!(to_text(&links(LINK_LIMIT + 1)).limit, Some(Limit::Links));
    let cut = to_text(&"word ".repeat(TEXT_LIMIT));
    assert_eq!(cut.limit, Some(Limit::Text));
    assert!(cut.text.len() <= TEXT_LIMIT);
}

#[test]
fn m_16_the_estimate_is_not_below_the_text() {
    for html in ["<p>a</p>", "<p title='>'>a</p>", "é<b>ü</b>", "plain", "<style>x</style>a"] {
        assert!(text_estimate(html) >= to_text(html).text.len(), "{html}");
    }
}

#[test]
fn m_101_what_stands_in_no_quote_is_counted() {
    for (html, unquoted) in [
        ("abc", 3),
        ("<blockquote type=cite>abc</blockquote>", 0),
        ("<p>ab</p><blockquote type=cite>abc</blockquote>", "ab\n\n".len()),
        (
            "<p>ab</p><div id=divRplyFwdMsg>abc</div>def<blockquote type=cite>a</blockquote>",
            "ab\n\n".len(),
        ),
        ("<blockquote>a<blockquote type=cite>b</blockquote></blockquote>", "    a\n".len()),
        ("<div class=gmail_signature>a</div>", 1),
    ] {
        assert_eq!(to_text(html).unquoted(), unquoted, "{html}");
    }
}
