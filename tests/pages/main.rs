//! The pages of tickets and articles, asked for over HTTP at a portal that listens on the loopback,
//! while ingest walks what is written on them. Takes about half a minute.

mod articles;
mod bounds;
mod browser;
mod desk;
mod files;
mod hostile;
mod reading;
#[path = "../support/mod.rs"]
mod support;
mod writing;

/// Tests that run on both stores.
macro_rules! conformance {
    ($($room:ident: $($test:ident)*;)*) => {
        conformance!(on_postgres, postgres, $($room: $($test)*;)*);
        conformance!(on_sqlite, sqlite, $($room: $($test)*;)*);
    };
    ($database:ident, $desk:ident, $($room:ident: $($test:ident)*;)*) => {
        mod $database {
            $(mod $room {
                $(#[test]
                fn $test() {
                    crate::$room::$test(&crate::desk::Desk::$desk());
                })*
            })*
        }
    };
}

conformance! {
    reading:
        t_02_t_05_t_47_everybody_sees_what_is_theirs_and_nothing_else;
    writing:
        an_answer_walks_like_a_mail_and_is_shown_at_once
        p_02_a_form_that_is_sent_twice_is_one_message
        a_new_ticket_is_opened_and_shown
        what_is_not_decided_in_a_moment_is_received
        a_ticket_is_closed_opened_again_and_reopened_by_an_answer
        an_answer_to_what_was_closed_long_ago_opens_another_ticket
        what_is_missing_or_too_much_is_told_and_the_text_is_kept
        a_form_that_is_not_ours_writes_nothing
        t_54_whoever_is_deleted_between_form_and_answer_writes_nothing
        a_primary_user_answers_for_a_colleague;
}
