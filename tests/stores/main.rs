//! What a store must do, whichever database is behind it. `conformance!` runs each test on every
//! backend; a new backend is one more line there and one more constructor of `Place`.

mod backend;
mod books;
mod people;
mod sites;
mod spool;
mod support;
mod threads;
mod walk;

macro_rules! conformance {
    ($($room:ident: $($test:ident)*;)*) => {
        mod on_sqlite {
            $(mod $room {
                $(#[test]
                fn $test() {
                    crate::$room::$test(&crate::support::Place::sqlite());
                })*
            })*
        }
    };
}

conformance! {
    backend:
        a_closed_store_is_one_file
        a_failed_piece_of_work_is_rolled_back_alone
        a_file_that_is_no_store_is_named
        a_lost_race_runs_again_with_fresh_facts
        a_migration_that_was_rewritten_is_refused
        a_newer_schema_is_refused
        a_panic_reaches_its_caller_alone
        a_second_daemon_is_refused_with_the_pid_of_the_first
        a_store_survives_being_dropped_and_opened_again
        every_caller_of_a_group_is_answered
        files_are_private
        no_nul_reaches_the_store
        the_last_handle_may_be_dropped_by_the_store_thread
        verify_finds_a_sound_store_sound_and_a_backup_reads;
    books:
        an_imbalance_is_named
        decisions_are_listed_and_counted
        the_books_balance_after_every_way_to_end;
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
}
