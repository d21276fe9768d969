//! What a store must do, whichever database is behind it. `conformance!` runs each test on both; what
//! is of one database alone stands below it. Takes about twenty seconds; one test has a server of
//! its own that crashes.

mod accounts;
mod backend;
mod books;
mod callers;
mod clocks;
mod conversations;
mod copying;
mod counter;
mod entrances;
mod files;
mod gate;
mod keys;
mod leaving;
mod outages;
mod parents;
mod people;
mod portal;
mod races;
mod server;
mod sites;
mod spool;
#[path = "../support/mod.rs"]
mod suites;
mod support;
mod talk;
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
    accounts:
        a_link_sent_to_an_address_ends_with_it_t_28
        a_tombstone_becomes_a_user_again_when_it_is_asked_for_t_54
        nothing_leads_back_to_whoever_was_anonymized
        nothing_of_a_user_is_left_when_their_tickets_are_cleared
        of_two_users_who_are_given_one_address_one_has_it_m_43
        of_two_who_add_one_address_at_once_one_has_it_m_43_e_82
        sites_made_by_hand_stand_beside_the_declared_ones
        two_users_become_one
        whoever_is_disabled_or_deleted_has_no_session;
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
        raw_bytes_that_were_changed_are_found
        the_last_handle_may_be_dropped_by_the_store_thread
        values_come_back_as_they_went;
    books:
        an_imbalance_is_named
        decisions_are_listed_and_counted
        p_17_whatever_is_tampered_with_an_equation_says_so
        the_books_balance_after_every_way_to_end;
    callers:
        a_ticket_for_an_address_that_nobody_reads_brings_no_user_and_no_mail_r_04
        a_ticket_for_staff_that_is_given_to_a_user_is_theirs_to_read
        a_ticket_of_somebody_who_was_disabled_is_given_to_them_t_54
        an_agent_is_told_of_what_somebody_else_gives_them
        an_agent_who_is_a_user_is_named_as_staff_and_gets_no_way_in_c_08;
    clocks:
        a_login_that_was_refused_by_a_wrong_clock_closes_no_mailbox_p_11
        limits_slide_over_every_turn_of_a_calendar_p_11
        nothing_waits_for_a_year_p_11
        what_has_expired_stays_expired_when_the_clock_goes_back_p_11;
    conversations:
        e_101_a_logo_is_stored_with_the_first_message_that_brings_it
        e_102_whoever_has_a_part_in_a_ticket_adds_to_it_and_e_103_a_stranger_does_not
        e_107_e_108_references_are_found_however_they_are_written
        e_109_mails_that_share_an_unseen_root_come_to_one_ticket_of_the_same_people
        e_110_customers_who_answer_one_bulk_mail_have_a_ticket_each
        e_111_a_reply_by_the_id_that_a_relay_gave_our_mail_is_found
        e_115_e_116_a_merged_ticket_is_answered_at_its_target_and_a_deleted_one_is_none
        e_117_e_131_a_closed_ticket_reopens_for_a_while_and_never_for_a_machine
        e_118_a_forward_of_a_known_mail_is_a_new_ticket_linked
        e_120_e_124_t_22_an_answer_to_credentials_opens_a_ticket_and_ends_their_link
        e_121_an_answer_that_reaches_another_mailbox_finds_its_ticket
        m_83b_a_parent_that_comes_late_joins_its_reply
        m_91_what_was_received_and_what_was_sent_is_folded_when_it_comes_back
        t_22_t_26_a_temporary_password_that_comes_back_opens_nothing_and_is_not_kept;
    counter:
        a_ticket_by_telephone_is_answered_closed_and_told_once_r_13
        an_agent_answers_by_replying_to_their_notice_m_81
        mail_in_the_name_of_an_agent_answers_nobody_t_04
        merged_tickets_are_one_m_86
        what_a_user_writes_in_the_portal_comes_onto_their_ticket_once_p_02
        what_a_user_may_not_see_they_write_nothing_to_t_02
        what_is_changed_stands_in_the_history;
    gate:
        each_code_alone_withholds_and_clear_later_sends_once
        t_55_999_tags_of_one_address_are_no_999_mails;
    entrances:
        a_link_confirms_the_address_that_its_mail_went_to
        a_link_is_found_by_its_kind_and_used_once_t_22_t_24
        a_password_that_is_chosen_ends_what_else_opens_the_account
        a_session_is_of_one_user_and_ends_by_itself
        attempts_count_before_they_are_known_to_fail_t_27
        sessions_end_one_by_one_and_all_together
        what_is_left_of_a_session_whose_account_is_closed_opens_nothing
        who_succeeds_is_in_nobodys_way_t_27;
    keys:
        a_bounce_is_known_by_its_envelope_address_e_150
        a_key_is_made_once_and_rotated_m_73
        a_relay_s_id_leads_to_the_mail_and_its_ticket_m_82
        signed_tickets_go_before_references_and_tags_m_83
        what_is_known_of_tags_is_of_one_address_m_79;
    leaving:
        a_merged_user_is_written_to_where_the_other_one_is_t_02
        an_address_that_was_taken_away_has_no_part_in_its_tickets_t_02
        mail_about_a_ticket_goes_to_the_main_address_of_its_requester_t_02
        what_is_queued_for_an_address_that_was_taken_away_goes_to_its_user_t_02
        whoever_has_the_address_by_now_takes_nothing_along_when_they_are_erased;
    people:
        a_deleted_user_keeps_the_address
        an_address_has_one_user_m_43_e_82
        changes_are_written_one_by_one
        users_are_listed_and_found
        what_went_to_the_old_address_opens_nothing_t_22_t_28
        whoever_is_disabled_or_deleted_has_no_live_link_t_22;
    portal:
        a_merged_ticket_leads_to_its_target_when_the_reader_may_see_it
        a_ticket_is_seen_by_its_people_and_nobody_else_t_02_t_05
        an_address_that_went_to_somebody_else_takes_no_tickets_along
        files_are_given_to_whoever_sees_the_message_t_07
        pages_follow_one_another_while_tickets_are_written_to
        what_is_for_staff_is_not_read_out_m_105_t_07
        what_is_new_is_shown_and_the_rest_is_folded_m_88
        words_are_found_as_they_stand_t_50;
    races:
        first_messages_into_two_mailboxes_make_one_user_p_10
        one_mail_in_two_mailboxes_is_one_ticket_p_02
        two_answers_to_one_closed_ticket_reopen_it_once_p_10
        two_of_one_name_at_one_new_site_are_two_users_of_it_p_10
        what_is_owed_is_given_once_whoever_comes_back_to_it_e_02;
    sites:
        a_renamed_default_takes_its_users_along
        declared_sites_are_made_updated_and_retired
        rematching_moves_only_whom_nobody_placed_m_110_e_88
        the_best_match_comes_first_m_107_m_109_e_83;
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
        a_merged_ticket_leads_to_its_target_m_86_e_115
        a_ticket_is_found_by_what_was_seen_there_m_80
        a_ticket_remembers_who_is_what_m_80
        a_user_who_had_to_wait_gets_the_messages_they_wrote_m_105
        deleted_tickets_are_no_evidence_e_116
        noise_pushes_no_ticket_out
        references_lead_to_tickets_in_their_order
        what_staff_writes_above_a_forward_is_internal_m_105;
    uids:
        a_maildir_that_is_rewound_keeps_its_position
        a_position_moves_on_only_from_where_it_was_left
        an_owed_uid_counts_its_attempts_until_it_is_forgiven_e_02
        the_highest_uid_is_that_of_its_series_p_09
        what_was_left_alone_is_read_after_a_rewind
        when_a_folder_was_read_again_is_remembered_for_a_while_p_09;
    walk:
        a_bounce_fails_the_mail_and_its_address_m_65
        a_complaint_leaves_the_mail_and_silences_its_address_e_145
        a_duplicate_is_recognised_m_09
        a_failing_plan_leaves_nothing_e_82
        a_message_takes_at_most_twenty_statements
        a_new_sender_becomes_a_user_with_ticket_and_mails
        an_existing_user_is_known_by_any_address_m_43
        budgets_of_credentials_are_counted_c_10
        limits_count_by_arrival_e_142
        limits_slide_across_midnight_and_a_clock_change_e_143
        what_was_told_of_a_large_mail_is_known_r_13
        what_is_owed_is_made_up_for_later;
    workers:
        a_mailbox_is_leased_to_one_worker_p_10
        a_process_leaves_no_trace_when_it_ends
        a_watcher_that_lost_its_lease_writes_nothing_p_10
        mail_of_a_dead_process_goes_before_what_was_queued_later_p_04
        messages_that_name_one_another_come_to_one_ticket_in_whatever_hands
        racing_first_messages_make_one_user_and_one_credentials_mail
        what_a_dead_process_had_is_free_and_a_living_ones_is_not_p_10;
}
