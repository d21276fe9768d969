//! E-90…E-101, and the rules that have no case of their own.

use std::collections::HashSet;

use super::super::{
    Confidence, Context, Prefix, Scope, SegmentKind, known_line, subject_prefix, trim,
    without_reply_prefixes,
};
use super::{answer, assert_whole, cut};

#[test]
fn e_90_a_bottom_answer_stays_without_its_quote() {
    let reply = cut("On Mon, 2 Mar 2026 at 10:05, Support <s@desk.example> wrote:\n\
                     > Did you restart it?\n\nYes, twice.\n");
    assert_eq!(reply.text, "Yes, twice.");
    assert_eq!(reply.visible, "Yes, twice.");
}

#[test]
fn e_90_inline_answers_stay_with_their_quotes() {
    let reply = cut("Hello,\n\nOn Mon, 2 Mar 2026 at 10:05, Support <s@desk.example> wrote:\n\
                     > Did you restart it?\n\nYes.\n\n> Which floor?\n\nThe third.\n\n\
                     > Regards\n> Support\n");
    assert_eq!(
        reply.text,
        "Hello,\n\n> Did you restart it?\n\nYes.\n\n> Which floor?\n\nThe third."
    );
    let kinds: Vec<&str> = reply.segments.iter().map(|s| s.kind.name()).collect();
    assert!(kinds.contains(&"inline-quote") && kinds.contains(&"quoted"), "{kinds:?}");
}

#[test]
fn e_90_m_96_a_notice_below_a_quote_answers_nothing() {
    let quote = "On Mon, 2 Mar 2026 at 10:05, Support <s@desk.example> wrote:\n> Is it on?";
    let notice = "This e-mail is confidential.\nIf you are not the intended recipient, delete it.";
    let above = cut(&format!("Yes.\n\n{quote}\n\n{notice}\n\n{notice}\n"));
    assert_eq!(above.text, "Yes.");
    assert_eq!(above.signature, Some(format!("{notice}\n\n{notice}")));
    let below = cut(&format!("{quote}\n\nYes.\n\n{notice}\n"));
    assert_eq!(below.text, "Yes.");
    // Without a quote above it is what the sender's own client wrote.
    assert_whole(&format!("Yes.\n\n{notice}\n"));
    let asked = format!("{quote}\n\nYes.\n\nWho is meant by \"if you are not the intended\"?");
    assert!(cut(&asked).text.ends_with("intended\"?"));
}

#[test]
fn e_90_answers_under_two_attributions_both_stay() {
    let reply = cut(
        "On Mon, 2 Mar 2026 at 10:05, Ann <a@desk.example> wrote:\n> One?\n\nFirst.\n\n\
                     On Tue, 3 Mar 2026 at 10:05, Bob <b@desk.example> wrote:\n> Two?\n\nSecond.\n",
    );
    assert!(reply.text.contains("First.") && reply.text.contains("Second."), "{}", reply.text);
}

#[test]
fn e_90_an_attribution_wrapped_over_one_to_four_lines_goes_whole() {
    for attribution in [
        "On Mon, 2 Mar 2026 at 10:05, Support <support@desk.example> wrote:",
        "On Mon, 2 Mar 2026 at 10:05, Support\n<support@desk.example> wrote:",
        "On Mon, 2 Mar 2026 at 10:05, Support <\nsupport@desk.example>\nwrote:",
        "On Mon, 2 Mar 2026\nat 10:05, Support\n<support@desk.example>\nwrote:",
        "On Mon, 2 Mar 2026 at 10:05, Support <support@desk.example\n> wrote:",
        " On Mon, 2 Mar 2026 at 10:05, Support\n <support@desk.example> wrote:",
    ] {
        for quote in ["> Restart it.\n> Please.", "\nRestart it.\n\nPlease."] {
            let reply = cut(&format!("Done.\n{attribution}\n{quote}\n"));
            assert_eq!(reply.text, "Done.", "{attribution}");
        }
    }
}

#[test]
fn e_91_what_looks_like_a_separator_is_kept() {
    assert_whole("First part\n\n---\n\nSecond part\n\n*****\n\nThird\n=====\n\nIts text\n");
    assert_whole("From my point of view: it is broken.\nTo be honest: always was.\n");
    assert_whole("Hello,\n\nyour agent wrote:\n\nPlease wait. I waited for a week.\n");
    assert_whole("Hello,\n\non 2 March 2026 at 10:05 your agent wrote:\n\nPlease wait. I did.\n");
}

#[test]
fn e_91_log_lines_are_kept() {
    assert_whole(
        "The log says\n\nDate: 2026-03-02 10:05:11\nFrom: queue 4\nTo: queue 5\n\
         Subject: none\nStatus: failed\n\nWhat now?\n",
    );
    assert_whole("2026-03-02 10:05:11 worker 4:\n2026-03-02 10:05:12 failed\n\nWhat now?\n");
}

#[test]
fn e_92_a_sentence_about_sending_is_kept() {
    for line in [
        "Sent from my desk, is much easier",
        "Sent from the warehouse",
        "Sent by mail yesterday",
        "Sent from the mail room this morning",
        "From my phone it works",
        "From my iPhone I cannot log in",
        "Sent from a magnificent torch of pixels",
        "Gesendet von der Buchhaltung",
        "Envoyé de mon bureau",
    ] {
        assert_whole(&format!("Hello,\n\n{line}\n"));
    }
}

#[test]
fn e_92_mobile_lines_at_the_end_are_folded_also_repeated() {
    let reply = cut("Yes.\n\nSent from my iPhone\n\nGet Outlook for iOS\n");
    assert_eq!(reply.text, "Yes.");
    assert_eq!(reply.signature.as_deref(), Some("Sent from my iPhone\n\nGet Outlook for iOS"));
}

#[test]
fn e_93_prompts_lists_and_code_are_kept() {
    assert_whole("I typed:\n\n> dir\n> cd temp\n");
    assert_whole("I typed\n> dir\n");
    assert_whole("I typed:\n\n> dir\n\nand it hung.\n");
    let typed = "I did, and typed:\n\n> dir\n> cd temp";
    let below = "On Mon, 2 Mar 2026 at 10:05, Support <s@desk.example> wrote:\n> Type it.\n\n";
    assert_eq!(cut(&format!("{below}{typed}\n")).text, format!("> Type it.\n\n{typed}"));
    assert_whole("Your questions\n\nA: yes\nB: no\nC: from Monday on\n");
    assert_whole("#!/bin/sh\n# start\n#### main ####\necho a > b\nsql> select 1\nsql> select 2\n");
    assert_whole("We need\n\n- paper\n- toner\n* staples\n1. a chair\n");
    assert_whole("Am Montag schrieb ich Ihnen:\n\nbitte den Drucker holen.\n");
    assert_whole("See:\n\n```\nOn 2 Mar 2026, Bob <b@x.example> wrote:\n> quoted\n```\n");
    assert_whole("See:\n\n    From: a@x.example\n    Date: 2 Mar\n    To: b@x.example\n");
    assert_whole("| name | size |\n| a    | 1    |\n| b    | 2    |\n");
}

#[test]
fn e_94_a_mail_of_quotes_only_is_shown_whole() {
    let text =
        "On Mon, 2 Mar 2026 at 10:05, Support <s@desk.example> wrote:\n> Restart it.\n> Now.";
    let reply = cut(text);
    assert_eq!(reply.text, "");
    assert_eq!(reply.visible, text);
    assert_eq!(reply.confidence, Confidence::Low);
}

const FORWARD: &str = "Please see below.\n\n---------- Forwarded message ---------\n\
     From: Bob <bob@vendor.example>\nDate: Mon, 2 Mar 2026 at 10:05\nSubject: Offer\n\
     To: Claire <c@customer.example>\n\n\nOur offer.\n\n-- \nBob";

#[test]
fn e_96_a_forward_with_a_note_above_is_kept_whole() {
    let reply = trim(FORWARD, &Context { prefix: Prefix::Forward, ..answer() });
    assert_eq!(reply.text, FORWARD);
    assert_eq!(reply.visible, FORWARD);
    assert_eq!(reply.confidence, Confidence::Medium);
    assert!(reply.segments.iter().any(|segment| segment.kind == SegmentKind::Forward));
}

/// Under `Re:` the note is what is new; the forwarded mail is shown, not folded.
#[test]
fn e_96_a_forward_inside_an_answer_is_shown_whole() {
    let reply = cut(FORWARD);
    assert_eq!(reply.text, "Please see below.");
    assert_eq!(reply.visible, FORWARD);
    assert_eq!(reply.confidence, Confidence::Medium);
}

#[test]
fn e_96_an_outlook_forward_is_known_by_its_subject() {
    let text = "FYI\n\nFrom: Bob <bob@vendor.example>\nSent: Monday, 2 March 2026 10:05\n\
                To: Claire\nSubject: Offer\n\nOur offer.";
    let forward = trim(text, &Context { prefix: Prefix::Forward, ..answer() });
    assert_eq!(forward.text, text);
    let italian = trim(text, &Context { prefix: Prefix::PerhapsForward, ..answer() });
    assert_eq!(italian.text, text);
    assert_eq!(cut(text).text, "FYI");
}

#[test]
fn e_97_a_quote_of_ones_own_between_texts_is_kept() {
    assert_whole("The manual says\n\n> press the red button\n> and wait\n\nbut there is none.\n");
}

#[test]
fn e_98_of_two_embedded_mails_the_first_boundary_counts() {
    let reply =
        cut("Thanks.\n\n-----Original Message-----\nFrom: Bob <b@x.example>\nSubject: RE: a\n\
                     \nFYI\n\n---------- Forwarded message ----------\nFrom: Ann <a@x.example>\n\
                     Date: Mon, 2 Mar 2026\nSubject: a\n\nText\n");
    assert_eq!(reply.text, "Thanks.");
}

#[test]
fn e_98_a_forward_in_quotes_is_shown_but_not_new() {
    let text = "Please see this.\n\n> Begin forwarded message:\n>\n> From: Bob <b@x.example>\n\
                > Subject: Offer\n> Date: 2 March 2026 at 10:05:00 CET\n> To: c@x.example\n>\n\
                > Our offer.";
    let reply = cut(text);
    assert_eq!(reply.text, "Please see this.");
    assert_eq!(reply.visible, text);
}

#[test]
fn e_99_a_list_footer_is_a_footer() {
    let footer = "_______________________________________________\nUsers mailing list\n\
                  users@lists.example\nhttps://lists.example/users";
    let reply = cut(&format!("It works.\n\n{footer}\n"));
    assert_eq!(reply.text, "It works.");
    assert_eq!(reply.signature.as_deref(), Some(footer));
    assert!(reply.segments.iter().any(|segment| segment.kind == SegmentKind::Footer));
    assert_whole("_______\n\nName\n\n_______\n\nStreet\n\n_______\n\nTown\n");
    assert_whole("How do I unsubscribe me@customer.example from this?\n");
}

#[test]
fn e_100_a_reply_of_one_word_is_that_word() {
    let quoted = "On Mon, 2 Mar 2026 at 10:05, Support <s@desk.example> wrote:\n> Restart it?\n";
    assert_eq!(cut(&format!("Yes\n\n{quoted}")).text, "Yes");
    assert_eq!(cut("Yes\n").text, "Yes");
    assert_eq!(cut("ok\n\n-- \nClaire\n").text, "ok");
}

/// The image's place stands in the folded segment, so that M-26 can fold the image too.
#[test]
fn e_101_a_logo_in_the_signature_is_folded_with_it() {
    let reply = cut("Yes.\n\n-- \nClaire\n[image: logo]\n");
    assert_eq!(reply.signature.as_deref(), Some("-- \nClaire\n[image: logo]"));
}

#[test]
fn m_88_a_message_that_answers_nothing_keeps_all_but_its_signature() {
    let text = "Please see\n\nOn Mon, 2 Mar 2026 at 10:05, Bob <b@x.example> wrote:\n> Restart it.";
    let alone = Context { scope: Scope::Standalone, prefix: Prefix::None, ..answer() };
    assert_eq!(trim(text, &alone).text, text);
    assert_eq!(trim("Hello\n\n-- \nClaire", &alone).text, "Hello");
}

#[test]
fn m_89_invisible_marks_and_armour_go() {
    let reply = cut(
        "\u{feff}-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nHello\u{a0}you\
                     \u{200b}\u{2063}\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\niQEzBAEBCAAdFiEE\r\n=abcd\r\n\
                     -----END PGP SIGNATURE-----\r\n",
    );
    assert_eq!(reply.text, "Hello you");
}

#[test]
fn m_89_other_quote_marks_are_quotes() {
    for mark in ["|", "CJ>", "b>"] {
        let text = format!(
            "Done.\n\nOn Mon, 2 Mar 2026 at 10:05, Bob Jones wrote:\n\n{mark} Restart it.\n\
             {mark} Please.\n"
        );
        assert_eq!(cut(&text).text, "Done.", "{mark}");
    }
}

#[test]
fn m_90_our_own_mark_ends_the_reply() {
    let context = Context { marks: vec!["##- reply above this line -##".to_owned()], ..answer() };
    let reply = trim(
        "Done.\n\nSupport <s@desk.example> wrote:\n##- reply above this line -##\n\nRestart it.\n",
        &context,
    );
    assert_eq!(reply.text, "Done.");
    let below = "> ##- reply above this line -##\n>\n> Restart it?\n\nDone.";
    assert!(trim(below, &context).text.ends_with("Done."), "an answer below it stays");
}

#[test]
fn m_91_known_lines_are_quoted_and_answers_between_them_stay() {
    let old = "Please restart the printer now.\nThen hold the button for ten seconds.";
    let known: HashSet<u64> = old.lines().filter_map(known_line).collect();
    assert_eq!(known.len(), 2);
    let context = Context { known, ..answer() };
    assert_eq!(trim(&format!("It works.\n\n{old}\n\nBye\n"), &context).text, "It works.");
    let answered = "Please restart the printer now.\n\nI did that three times already.\n\n\
                    Then hold the button for ten seconds.\n\nThis helped, many thanks to you.";
    assert_eq!(trim(answered, &context).text, answered);
    assert_eq!(
        known_line("> >  Please  RESTART the printer now."),
        known_line(old.lines().next().expect("a line"))
    );
    assert_eq!(known_line("too short"), None);
}

#[test]
fn m_97_a_name_alone_is_a_signature_only_when_it_is_the_senders() {
    assert_eq!(cut("It works.\n\nClaire\n").text, "It works.");
    assert_eq!(cut("It works.\n\n- Claire Johnson -\n").text, "It works.");
    assert_whole("Who did it?\n\nRoman\n");
    assert_whole("Claire\n");
}

#[test]
fn m_97_dividers_are_no_signature() {
    let part = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";
    assert_whole(&format!("Start\n--\n{part}--\n{part}"));
    assert_whole(&format!("Start\n-- \n{}\n", "a long line ".repeat(12)));
}

#[test]
fn m_98_rules_at_the_end_go_and_stay_elsewhere() {
    assert_eq!(cut("One\n\n-----\n\nTwo\n\n-----\n***\n").text, "One\n\n-----\n\nTwo");
}

#[test]
fn m_99_segments_cover_the_normalised_text() {
    let reply =
        cut("Hi\n\nOn Mon, 2 Mar 2026 at 10:05, Bob <b@x.example> wrote:\n> a\n\n-- \nClaire");
    let mut at = 0;
    for segment in &reply.segments {
        assert_eq!(segment.range.start, at);
        at = segment.range.end;
    }
    assert_eq!(at, reply.normalised.len());
    let kinds: Vec<&str> = reply.segments.iter().map(|s| s.kind.name()).collect();
    assert_eq!(kinds, ["reply", "quoted", "signature"]);
}

#[test]
fn prefixes_of_subjects_are_read_from_the_outside() {
    for (subject, prefix, bare) in [
        ("Printer", Prefix::None, "Printer"),
        ("Re: Printer", Prefix::Reply, "Printer"),
        ("AW: WG: Printer", Prefix::Reply, "WG: Printer"),
        ("Fwd: Re: Printer", Prefix::Forward, "Fwd: Re: Printer"),
        ("Re: AW: Sv: Printer", Prefix::Reply, "Printer"),
        ("RE[2]: Printer", Prefix::Reply, "Printer"),
        ("Re (3) : Printer", Prefix::Reply, "Printer"),
        ("回复", Prefix::None, "回复"),
        ("回复：Printer", Prefix::Reply, "Printer"),
        ("RES: ENC: Printer", Prefix::Reply, "ENC: Printer"),
        ("Vá: Printer", Prefix::Reply, "Printer"),
        ("ΑΠ: Printer", Prefix::Reply, "Printer"),
        ("转发: Printer", Prefix::Forward, "转发: Printer"),
        ("Re：Printer", Prefix::Reply, "Printer"),
        ("İLT: Printer", Prefix::Forward, "İLT: Printer"),
        ("RÉF : Printer", Prefix::Reply, "Printer"),
        ("I: Printer", Prefix::PerhapsForward, "I: Printer"),
        ("[EXTERNAL] Re: Printer", Prefix::Reply, "[EXTERNAL] Re: Printer"),
        ("Reset: Printer", Prefix::None, "Reset: Printer"),
        ("Re:", Prefix::Reply, ""),
        ("Redir.: Printer", Prefix::Forward, "Redir.: Printer"),
        ("Re x", Prefix::None, "Re x"),
        ("Regarding: x", Prefix::None, "Regarding: x"),
    ] {
        assert_eq!(subject_prefix(subject), prefix, "{subject}");
        assert_eq!(without_reply_prefixes(subject), bare, "{subject}");
    }
}
