//! The line above a quote as each client writes it in each language (M-93), in every shape mail
//! gives it: wrapped, above a quote without marks, above answers below and between.

use super::Misses;
use super::forms::{ADDRESSED, DATED, FULL};

const NEW: &str = "It works again.\n\nThank you!";

const QUOTE: &str = "> Please restart it.\n>\n> Support";
const PLAIN: &str = "Please restart it.\n\nSupport";

#[test]
fn e_90_an_attribution_of_each_client_and_language_ends_the_reply() {
    let mut misses = Misses::default();
    for attribution in [FULL, DATED, ADDRESSED].into_iter().flatten() {
        for older in [QUOTE, PLAIN] {
            for gap in ["\n", "\n\n"] {
                let text = format!("{NEW}\n\n{attribution}{gap}{older}\n");
                misses.see(&text, NEW);
            }
        }
    }
    misses.none();
}

#[test]
fn e_90_an_attribution_wrapped_over_up_to_four_lines_ends_the_reply() {
    let mut misses = Misses::default();
    let counts = |most: usize| move |line: &'static &str| (2..=most).map(move |n| (line, n));
    let (full, dated) = (FULL.iter().flat_map(counts(4)), DATED.iter().flat_map(counts(2)));
    for (attribution, count) in full.chain(dated) {
        let wrapped = wrapped(attribution, count);
        if wrapped.lines().next().is_some_and(|line| line.chars().count() > 9) {
            misses.see(&format!("{NEW}\n\n{wrapped}\n{QUOTE}\n"), NEW);
        }
    }
    for attribution in FULL {
        let wrapped = attribution.replacen(" <support", "\n<support", 1);
        misses.see(&format!("{NEW}\n\n{wrapped}\n\n{PLAIN}\n"), NEW);
    }
    misses.none();
}

#[test]
fn e_90_an_attribution_of_each_client_and_language_goes_from_above_a_bottom_answer() {
    let mut misses = Misses::default();
    for attribution in [FULL, DATED, ADDRESSED].into_iter().flatten() {
        misses.see(&format!("{attribution}\n{QUOTE}\n\n{NEW}\n"), NEW);
        misses.see(
            &format!("Hello,\n\n{attribution}\n> It is off?\n\nYes.\n\n{QUOTE}\n"),
            "Hello,\n\n> It is off?\n\nYes.",
        );
    }
    misses.none();
}

/// Apple's phones put the attribution inside the quote.
#[test]
fn e_90_an_attribution_inside_the_quote_goes_with_it() {
    let mut misses = Misses::default();
    for attribution in [FULL, DATED, ADDRESSED].into_iter().flatten() {
        misses.see(&format!("{NEW}\n\n> {attribution}\n> \n> Please restart it.\n"), NEW);
    }
    misses.none();
}

/// Thunderbird of older days, and newsreaders: without date and address only a quote below proves
/// it.
#[test]
fn m_93_a_verb_alone_is_an_attribution_only_above_a_quote() {
    let mut misses = Misses::default();
    for attribution in [
        "Support wrote:",
        "Support Desk schrieb:",
        "Support a écrit :",
        "Support escribió:",
        "Support ha scritto:",
        "Support schreef:",
        "Support napisał(a):",
        "Support skrev:",
        "Support kirjoitti:",
        "Support пишет:",
        "Support さんは書きました:",
    ] {
        misses.see(&format!("{NEW}\n\n{attribution}\n{QUOTE}\n"), NEW);
        let unquoted = format!("{NEW}\n\n{attribution}\n\n{PLAIN}");
        misses.see(&unquoted, &unquoted);
    }
    misses.none();
}

/// GroupWise marks the attribution, not the quote.
#[test]
fn m_93_a_line_between_three_marks_ends_the_reply() {
    let mut misses = Misses::default();
    for attribution in [
        ">>> Support Desk <support@desk.example> 3/2/2026 10:05 AM >>>",
        ">>> \"Support Desk\" <support@desk.example> 02.03.26 10:05 >>>",
        ">>> Support Desk 02.03.2026 10:05 >>>",
        ">>> On 3/2/2026 at 10:05 AM, in message <49AB@desk.example>, Support <support@desk.example> wrote:",
    ] {
        misses.see(&format!("{NEW}\n\n{attribution}\n{PLAIN}\n"), NEW);
    }
    misses.none();
}

/// Yandex writes the recipients over the attribution; a person's labels have no rule above them.
#[test]
fn m_93_labels_below_a_rule_go_with_the_attribution() {
    let mut misses = Misses::default();
    let attribution = "02.03.2026, 10:05, \"Support Desk\" <support@desk.example>:";
    for labels in [
        "----------------\nКому: claire@customer.example;\nТема: Re: Printer;",
        "----------------\nTo: claire@customer.example;\nSubject: Re: Printer;",
        "_____\nКому: claire@customer.example;",
    ] {
        misses.see(&format!("{NEW}\n\n{labels}\n{attribution}\n{QUOTE}\n"), NEW);
        misses.see(&format!("{NEW}\n\n{labels}\n{attribution}\n\n{PLAIN}\n"), NEW);
    }
    let own = format!("{NEW}\n\nSubject: the printer");
    misses.see(&format!("{own}\n{attribution}\n{QUOTE}\n"), &own);
    misses.none();
}

/// Mutt as some set it: the date stands behind the address, whatever words the name has.
#[test]
fn m_93_a_name_an_address_and_a_date_end_the_reply() {
    let mut misses = Misses::default();
    for attribution in [
        "* The Desk Support Team <support@desk.example> [2026-03-02 10:05]:",
        "The Desk Support Team <support@desk.example> (2026-03-02 10:05):",
        "Ann Mary Sue Lee <ann@desk.example> 02.03.2026 10:05:",
    ] {
        misses.see(&format!("{NEW}\n\n{attribution}\n{QUOTE}\n"), NEW);
        misses.see(&format!("{attribution}\n{QUOTE}\n\n{NEW}\n"), NEW);
    }
    let kept = "Then came mail of ann@desk.example 2026-03-02 10:05:\n\nit was empty.";
    misses.see(kept, kept);
    misses.none();
}

/// Yahoo's plain text.
#[test]
fn e_90_an_indented_attribution_above_indented_text_ends_the_reply() {
    let mut misses = Misses::default();
    let begins = ["Am ", "El ", "Il ", "Le ", "On ", "Op "];
    let full = FULL.iter().filter(|line| line.contains("10:05:33"));
    for attribution in full.filter(|line| begins.iter().any(|begin| line.starts_with(begin))) {
        misses.see(
            &format!("{NEW}\n\n    {attribution}  \n \n Please restart it.\n \n Support\n"),
            NEW,
        );
    }
    for kept in [
        "See:\n\n    On 2 Mar 2026, Bob <b@x.example> wrote:\n    > quoted\n\nWhat is it?",
        "See:\n\n    sent 2026-03-02 10:05 to bob@x.example:\n\nWhat is it?",
    ] {
        misses.see(kept, kept);
    }
    misses.none();
}

/// Lists hide addresses, forums end without a colon.
#[test]
fn m_93_a_paragraph_with_a_date_and_a_name_only_ends_the_reply() {
    let mut misses = Misses::default();
    for line in ["2026-03-02 10:05 GMT+01:00 Ann Lee", "Posted by ann_lee on 03/02/2026"] {
        misses.see(&format!("{NEW}\n\n{line}\n\n{PLAIN}"), NEW);
        misses.see(&format!("{NEW}\n\n{line}\n{QUOTE}"), NEW);
    }
    for line in [
        "2026-03-02 10:05 GMT+01:00 worker started",
        "2026-03-02 10:05 GMT+01:00",
        "2026-03-02 10:05 Ann Lee",
        "Posted by hand on Monday",
    ] {
        let text = format!("{NEW}\n\n{line}\n\n{PLAIN}");
        misses.see(&text, &text);
    }
    misses.none();
}

/// The line in `count` lines of about the same length.
fn wrapped(line: &str, count: usize) -> String {
    let width = line.chars().count().div_ceil(count);
    let mut out = String::new();
    let mut room = width;
    let mut breaks = 1;
    for word in line.split(' ') {
        let length = word.chars().count();
        if !out.is_empty() {
            let full = length > room && breaks < count;
            out.push(if full { '\n' } else { ' ' });
            if full {
                room = width;
                breaks += 1;
            }
        }
        out.push_str(word);
        room = room.saturating_sub(length + 1);
    }
    out
}
