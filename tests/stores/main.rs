//! What a store must do, whichever database is behind it. `conformance!` runs each test on both; what
//! is of one database alone stands below it. Takes about fifteen seconds; one test has a server of
//! its own that crashes.

mod backend;
mod books;
mod copying;
mod files;
mod keys;
mod outages;
mod people;
mod proxy;
mod server;
mod sites;
mod spool;
#[path = "../support/mod.rs"]
mod suites;
mod support;
mod threads;
mod uids;
mod walk;
mod workers;

macro_rules! conformance {
    ($($room:ident: $($test:ident)*;)*) => {
        conformance!(on_postgres, postgres, $($room: $($test)*;)*);
        conformance!(on_sqlite, sqlite, $($room: $($test)*;)*);
    };
    ($database:ident, $place:ident, $($room:ident: $($test:ident)*;)*) => {
        mod $database {
            $(mod $room {
                $(#[test]
                fn $test() {
                    crate::$room::$test(&crate::support::Place::$place());
                })*
            })*
        }
    };
}

conformance! {
    backend:
        a_failed_piece_of_work_is_rolled_back_alone
        a_lost_race_runs_again_with_fresh_facts
        a_migration_that_was_rewritten_is_refused
        a_newer_schema_is_refused
        a_panic_reaches_its_caller_alone
        a_store_survives_being_dropped_and_opened_again
        every_caller_of_a_group_is_answered
        no_nul_reaches_the_store
        a_sound_store_is_found_sound
        the_last_handle_may_be_dropped_by_the_store_thread
        values_come_back_as_they_went;
    books:
        an_imbalance_is_named
        decisions_are_listed_and_counted
        the_books_balance_after_every_way_to_end;
    keys:
        a_bounce_is_known_by_its_envelope_address_e_150
        a_key_is_made_once_and_rotated_m_73
        a_relay_s_id_leads_to_the_mail_and_its_ticket_m_82
        signed_tickets_go_before_references_and_tags_m_83
        what_is_known_of_tags_is_of_one_address_m_79;
    people:
        a_deleted_user_keeps_the_address
        an_address_has_one_user_m_43
        changes_are_written_one_by_one
        users_are_listed_and_found
        whoever_is_disabled_or_deleted_has_no_live_link_t_22;
    sites:
        a_renamed_default_takes_its_users_along
        declared_sites_are_made_updated_and_retired
        rematching_moves_only_whom_nobody_placed_m_110
        the_best_match_comes_first_m_107_m_109;
    spool:
        a_claim_that_lost_its_lease_cannot_finish_p_10
        a_deferred_message_waits_and_counts_as_arrived_later
        a_held_message_is_released_or_dropped_and_never_acknowledged
        a_message_tried_before_is_claimed_alone
        a_mailbox_is_never_told_of_a_stub_m_04
        a_message_is_spooled_once_p_02
        claims_are_bounded_in_count_and_bytes
        large_messages_come_back_as_they_were
        mailboxes_begin_once
        the_oldest_arrival_is_claimed_first
        what_came_before_the_start_has_no_bytes_e_09;
    threads:
        a_merged_ticket_leads_to_its_target_m_86
        a_ticket_remembers_who_is_what_m_80
        deleted_tickets_are_no_evidence
        noise_pushes_no_ticket_out
        references_lead_to_tickets_in_their_order;
    uids:
        a_maildir_that_is_rewound_keeps_its_position
        a_position_moves_on_only_from_where_it_was_left
        an_owed_uid_counts_its_attempts_until_it_is_forgiven_e_02
        what_was_left_alone_is_read_after_a_rewind;
    walk:
        a_bounce_fails_the_mail_and_its_address_m_65
        a_duplicate_is_recognised_m_09
        a_failing_plan_leaves_nothing_e_82
        a_message_takes_at_most_twenty_statements
        a_new_sender_becomes_a_user_with_ticket_and_mails
        an_existing_user_is_known_by_any_address
        budgets_of_credentials_are_counted_c_10
        limits_count_by_arrival_e_142
        what_is_owed_is_made_up_for_later;
    workers:
        a_mailbox_is_leased_to_one_worker_p_10
        a_process_leaves_no_trace_when_it_ends
        a_watcher_that_lost_its_lease_writes_nothing_p_10
        messages_that_name_one_another_come_to_one_ticket_in_whatever_hands
        racing_first_messages_make_one_user_and_one_credentials_mail
        what_a_dead_process_had_is_free_and_a_living_ones_is_not_p_10;
}
