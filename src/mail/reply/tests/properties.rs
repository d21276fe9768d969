//! What holds of any text, and how the time grows with hostile ones (E-95, M-102).

use proptest::prelude::*;

use super::super::{Context, Scope, normalise, trim};
use super::{answer, cut};
use crate::mail::tests::growth::assert_linear;

/// Lines that stand in real threads, to be put together in any order.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        3 => "[a-zA-Z]{1,9}( [a-zA-Z,.?]{1,9}){0,5}",
        2 => "> {0,1}[a-z]{0,9}( [a-z]{1,9}){0,9}",
        1 => Just("On Mon, 2 Mar 2026 at 10:05, Bob <b@x.example> wrote:".to_owned()),
        1 => Just("reply On Mon, 2 Mar 2026 at 10:05, b@x.example wrote:".to_owned()),
        1 => Just("<b@x.example>".to_owned()),
        1 => Just("wrote:".to_owned()),
        1 => Just("Bob said:".to_owned()),
        1 => Just("> On Mon, 2 Mar 2026 at 10:05, Bob <b@x.example> wrote:".to_owned()),
        1 => Just("-----Original Message-----".to_owned()),
        1 => Just("---------- Forwarded message ---------".to_owned()),
        1 => Just("> Begin forwarded message:".to_owned()),
        1 => Just("From: Bob <b@x.example>".to_owned()),
        1 => Just("Date: 2 March 2026".to_owned()),
        1 => Just("To: Claire".to_owned()),
        1 => Just("Subject: Printer".to_owned()),
        1 => Just("-- ".to_owned()),
        1 => Just("________________________".to_owned()),
        1 => Just("-----".to_owned()),
        1 => Just("Sent from my iPhone".to_owned()),
        1 => Just("Claire".to_owned()),
        1 => Just("```".to_owned()),
        1 => Just("    indented".to_owned()),
        1 => Just(">>>>".to_owned()),
        1 => Just("<<<<".to_owned()),
        1 => Just("bj> quoted".to_owned()),
        1 => Just("| quoted".to_owned()),
        1 => Just(">>> Bob <b@x.example> 3/2/2026 10:05 AM >>>".to_owned()),
        1 => Just("    On Mon, 2 Mar 2026 at 10:05, Bob <b@x.example> wrote:".to_owned()),
        1 => Just("2026-03-02 10:05 GMT+01:00 Bob Lee".to_owned()),
        1 => Just("Posted by Bob on 03/02/2026".to_owned()),
        1 => Just("On Mon, 2 Mar 2026".to_owned()),
        1 => Just("To unsubscribe: https://lists.example/u".to_owned()),
        1 => Just("Outlook for iOS を入手".to_owned()),
        1 => Just("-----BEGIN PGP SIGNATURE-----".to_owned()),
        1 => "\\PC{0,20}",
    ]
}

fn message() -> impl Strategy<Value = String> {
    prop::collection::vec(line(), 0..30).prop_map(|lines| lines.join("\n"))
}

fn is_subsequence<'a>(part: &str, mut whole: impl Iterator<Item = &'a str>) -> bool {
    part.is_empty()
        || part.lines().all(|line| whole.any(|other| other.trim_end() == line.trim_end()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn m_88_the_reply_is_made_of_lines_of_the_text_in_their_order(text in message()) {
        let reply = cut(&text);
        prop_assert!(is_subsequence(&reply.text, reply.normalised.split('\n')));
        let mut at = 0;
        for segment in &reply.segments {
            prop_assert_eq!(segment.range.start, at);
            prop_assert!(reply.normalised.is_char_boundary(segment.range.end));
            at = segment.range.end;
        }
        prop_assert_eq!(at, reply.normalised.len());
    }

    #[test]
    fn m_95_cutting_twice_changes_nothing(text in message()) {
        let once = cut(&text).text;
        let twice = cut(&once).text;
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn m_89_normalising_twice_changes_nothing(text in message()) {
        let once = normalise(&text);
        prop_assert_eq!(normalise(&once), once);
    }

    #[test]
    fn m_88_an_unquoted_message_is_returned_whole(
        lines in prop::collection::vec("[A-Za-z]{2,9}( [a-z]{2,9}){1,9}[.,!?]", 1..20),
    ) {
        let text = lines.join("\n");
        prop_assert_eq!(&cut(&text).text, &text);
        let alone = Context { scope: Scope::Standalone, ..answer() };
        prop_assert_eq!(&trim(&text, &alone).text, &text);
    }

    #[test]
    fn m_102_any_text_is_cut_without_panic(text in any::<String>()) {
        let reply = cut(&text);
        prop_assert!(reply.visible.len() <= reply.normalised.len());
    }
}

#[test]
fn e_95_the_time_grows_with_the_text_and_no_faster() {
    let attribution = "On Mon, 2 Mar 2026 at 10:05, Bob <b@x.example> wrote:\n";
    let hostile = [
        ("on", "On "),
        ("wrote", "On Mon wrote "),
        ("lines", "On x\n"),
        ("marks", ">"),
        ("addresses", "a@b "),
        ("at signs", "@"),
        ("colons", ":"),
        ("colon lines", "wrote:\n"),
        ("labels", "From: a@x.example\n"),
        ("dashes", "-"),
        ("delimiters", "--\n"),
        ("fences", "```\n"),
        ("mobile", "Sent from my iPhone\n"),
        ("attributions", attribution),
        ("quoted attributions", "> On Mon, 2 Mar 2026 at 10:05, Bob <b@x.example> wrote:\n"),
        ("digits", "1/"),
        ("indented attributions", "\n    On 2 Mar 2026, Bob <b@x.example> wrote:\n\n x\n"),
        ("marked attributions", ">>> Bob 3/2/2026 10:05 >>>\nx\n"),
        ("frames", "--- forwarded by b@x.example ---\n"),
        ("framed dashes", "-- -"),
        ("prompts", "ab> x\ncd> x\n"),
        ("footers", "_______\n"),
        ("names", "Claire\n"),
        ("ways out", "unsubscribe: https://lists.example/u\n"),
        ("links", "[a](b"),
        ("empty lines", "wrote:\n\n\n\n\n\n\n\n"),
    ];
    for (name, unit) in hostile {
        let context = answer();
        let work = |text: &String| trim(text, &context);
        assert_linear(name, 24_000 / unit.len(), |count| unit.repeat(count), work);
    }
}
