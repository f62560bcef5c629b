//! What every store must do, as a suite that each database runs.
//!
//! A backend hands in a [`Bench`] for each case (an empty store and a way to let time pass) and
//! writes `contract_suite!(postgres, crate::open);`, which makes one test of every function in
//! here. Cases are sorted by concern; their names are the sentences that must hold.
//!
//! What the traits leave open is fixed here and in [`expect`]: an end counts to the millisecond
//! (at `T` it still holds, at `T` + 1 ms it does not), and each change writes exactly the audit
//! lines that [`expect`] lists.
#![expect(missing_docs, reason = "the cases are sentences already")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this is test code that two test binaries share"
)]

pub mod accounts;
pub mod attempts;
pub mod audit;
pub mod claims;
pub mod device_tokens;
pub mod devices;
pub mod displays;
pub mod events;
pub mod expect;
pub mod families;
#[cfg(unix)]
pub mod faulty_link;
pub mod former_places;
pub mod health;
pub mod invites;
pub mod links;
pub mod members;
pub mod notes;
pub mod once;
pub mod people;
#[cfg(unix)]
pub mod postgres_server;
pub mod redemptions;
pub mod rotation;
pub mod web_sessions;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::Timestamp;

use crate::Store;

/// An empty store to try.
pub struct Bench {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Its time.
    pub time: Box<dyn TimeTravel>,
    /// What must live as long: a temporary folder, a server.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// The store's time, which stands still between calls.
#[async_trait]
pub trait TimeTravel: Send + Sync {
    /// What the store takes for now.
    async fn now(&self) -> Timestamp;

    /// Lets time pass.
    async fn advance(&self, by: Duration);
}

impl Bench {
    /// Lets a millisecond pass, so that what comes after sorts after.
    pub async fn tick(&self) {
        self.time.advance(Duration::from_millis(1)).await;
    }
}

/// Makes one test of every case; `$open` is the path of an `async fn() -> Bench`.
#[macro_export]
macro_rules! contract_suite {
    ($module:ident, $open:path) => {
        $crate::contract_suite! { @ $module, $open,
            accounts {
                the_first_arrival_makes_the_account_and_the_next_finds_it
                an_arrival_brings_name_and_email_up_to_date
                a_members_name_follows_until_the_family_gives_another
                people_of_two_directories_with_one_object_id_are_two
                of_a_hundred_first_arrivals_one_makes_the_account
                nobody_stands_anywhere_before_arriving
                a_change_of_place_holds_from_the_next_question_on
                a_change_of_place_holds_also_while_many_ask
                being_seen_shows_in_the_family_and_changes_nothing_else
                signing_out_everywhere_ends_sessions_and_dates_tokens
                signing_out_everywhere_leaves_others_alone
                an_export_holds_everything_of_one_person_and_nothing_of_others
                an_export_of_nobody_is_none
            }
            attempts {
                exactly_as_many_are_counted_as_may_be
                of_a_hundred_at_once_exactly_the_most_are_counted
                a_counted_try_is_forgotten_after_the_window_to_the_millisecond
                buckets_do_not_mix
                a_try_that_is_taken_back_leaves_room_for_another
            }
            audit {
                a_refusal_is_written_down_as_one
                the_log_comes_in_pages_the_newest_first
                each_filter_keeps_what_it_names
                a_filter_for_an_action_takes_whole_words
                every_kind_of_actor_and_network_comes_back
                one_family_does_not_see_the_log_of_another
                the_log_outlives_the_family
            }
            claims {
                the_same_person_claiming_again_gets_the_same_challenge_by_code_or_qr
                d8_of_a_hundred_claims_by_two_families_one_wins
                d8_of_a_hundred_confirmations_by_two_families_one_makes_the_device
                d10_a_claim_ends_to_the_millisecond_and_the_code_is_open_again
                d12_who_may_not_link_leaves_the_code_as_it_was
                d15_a_wrong_number_burns_the_code
                d18_a_code_that_three_families_typed_is_burned
                d18_a_confirmed_code_cannot_be_burned_any_more
                what_became_of_a_question_is_told_to_whoever_was_asked
                whoever_typed_the_code_declines_it_and_nobody_else
            }
            device_tokens {
                a_display_ends_without_renewal_to_the_millisecond
                a_display_that_is_silent_ends_to_the_millisecond
                a_token_is_used_once_and_using_it_again_changes_nothing
                introspection_knows_live_tokens_alone
                t22_a_display_that_gives_its_tokens_back_is_revoked
                tokens_are_forgotten_a_week_after_their_displays_time_was_over
            }
            devices {
                being_heard_of_shows_in_the_list_and_changes_nothing_else
                d19_a_revoked_display_is_outside_at_once
                d19_a_revoked_display_is_outside_also_while_many_ask
                d17_a_link_is_taken_back_within_the_window
                a_display_that_waits_is_undone_and_gets_no_tokens
                a_display_that_waits_is_changed_and_renewed
                each_thing_that_changes_of_a_display_is_a_line_of_its_own
                a_display_stays_longer_when_it_is_renewed
                only_who_may_now_changes_displays
                displays_are_scoped_to_the_family
                displays_are_listed_by_name
                a_display_outlives_who_linked_it_and_goes_with_its_family
            }
            events {
                what_a_family_does_to_itself_is_told
                what_happens_to_displays_is_told
                under_concurrent_writers_the_numbers_have_no_gap
                p4_events_come_in_pages_and_a_number_from_the_future_is_torn
                p4_events_are_forgotten_after_a_day_to_the_millisecond
                p4_a_family_keeps_its_newest_thousand
                p4_the_numbers_of_a_family_that_is_gone_are_forgotten_with_its_last_event
                a_wall_is_read_whole_and_as_of_its_number
                p4_a_wall_shows_exactly_what_its_number_says
                whoever_listens_is_told_of_every_family
                whoever_listens_is_told_of_every_wish_that_changes
                whoever_listens_is_told_of_sign_ins_that_ended
            }
            families {
                a_family_begins_with_its_owner
                creating_it_again_answers_what_is_there
                an_id_that_is_taken_is_nobody_elses
                who_is_in_a_family_cannot_found_another
                of_a_hundred_foundings_by_one_person_one_counts
                renaming_shows_at_once
                renaming_what_is_not_there_is_refused
                deleting_takes_everything_but_the_log
                only_an_active_owner_of_this_family_deletes_it
                who_was_in_it_may_found_another
                only_who_may_now_renames_it
            }
            former_places {
                f11_a_display_links_again_into_its_old_place
                f11_an_expired_display_keeps_its_place_and_is_not_doubled
                a_link_that_nobody_redeems_leaves_the_former_place_as_it_was
                a_display_that_moves_to_another_family_ends_in_the_first
                a_display_that_is_linked_again_is_revoked_altogether
                a_display_that_ends_while_it_is_linked_again_gets_no_tokens
                what_is_done_to_a_display_that_is_linked_again_is_done_to_its_former_place
                renewing_a_display_that_is_linked_again_does_not_bring_back_its_former_place
                a_display_that_is_linked_again_was_heard_of_before
            }
            health {
                a_healthy_store_answers_and_finds_nothing_wrong
                sweeping_forgets_what_has_ended_and_nothing_else
                a_closed_store_is_unavailable
            }
            invites {
                an_invitation_is_offered_and_listed_until_it_is_accepted
                of_a_hundred_who_accept_one_gets_in
                one_person_accepting_a_hundred_times_gets_in_once
                it_ends_to_the_millisecond
                a_withdrawn_one_is_as_unknown_as_any
                withdrawing_is_scoped_to_the_family
                only_owners_invite_owners_and_only_managers_invite
                nobody_is_invited_as_a_display
                it_counts_only_while_its_maker_may_give_the_role
                it_goes_with_its_maker
                who_is_in_a_family_cannot_accept_and_it_stays_open
                twenty_stand_open_at_most
                a_full_family_takes_nobody_in
                of_many_at_once_a_family_takes_no_more_than_fifty
                one_person_with_two_invitations_joins_one_family
                an_id_is_given_to_one_invitation_whatever_became_of_it
                who_may_no_longer_invite_withdraws_nothing_either
                nobody_invites_into_a_family_that_is_gone
            }
            links {
                d7_a_display_is_linked_from_the_code_to_the_tokens
                d10_a_code_ends_to_the_millisecond_and_nothing_prolongs_it
                a_display_shows_one_code
                who_only_names_a_key_ends_no_wish_of_it
                two_confirmed_wishes_of_a_named_key_are_one_display
                a_display_that_waits_in_two_wishes_is_ended_in_both
                no_code_comes_back_within_a_day
                of_a_hundred_displays_with_one_code_one_shows_it
                as_many_are_open_as_may_be
                a_family_has_fifty_displays_at_most
                wishes_are_forgotten_a_day_after_their_end
            }
            members {
                they_are_listed_by_the_time_they_came
                those_of_another_family_are_not_found
                a_child_without_an_account_joins
                a_family_has_fifty_members_at_most
                a_name_is_changed_by_oneself_or_by_who_manages_children
                every_pair_of_roles_may_do_what_the_table_says
                each_thing_that_changes_is_a_line_of_its_own
                a_childs_profile_stays_a_child
                a_deactivated_manager_manages_nothing
                the_last_owner_stays
                an_owner_without_account_or_activity_does_not_count
                under_concurrent_leaving_and_demoting_one_owner_stays
                a_removed_member_is_outside_at_once_and_their_notes_stay
                leaving_is_ones_own
                removal_follows_the_table
                only_who_may_now_adds_a_child_and_a_removed_one_stays_away
            }
            notes {
                notes_come_back_the_newest_first
                a_note_comes_down_at_its_end_to_the_millisecond
                fifty_stand_at_most
                of_many_at_once_fifty_stand
                only_an_active_member_posts
                the_author_or_a_moderator_takes_it_down
                notes_are_scoped_to_the_family
                a_note_that_was_taken_down_stays_down
            }
            once {
                of_a_hundred_who_use_it_one_has_it
                it_is_remembered_to_the_millisecond
            }
            redemptions {
                d7_a_device_code_is_good_for_its_own_key_alone
                d7_polls_that_come_too_soon_are_slowed_down_by_five_seconds_each
                d9_of_a_hundred_redemptions_one_token_family_is_left
                d9_d23_a_lost_answer_is_given_again_to_the_same_key_until_the_wish_ends
                d9_tokens_that_were_used_are_not_replaced
                d9_a_display_that_was_ended_gets_no_others
                d13_whoever_confirmed_must_still_be_allowed_to_when_tokens_are_had
                d13_whoever_confirmed_must_still_be_allowed_to_when_tokens_are_had_again
                d23_tokens_can_be_had_for_another_lifetime_after_the_confirmation
            }
            rotation {
                f5_a_lost_answer_is_given_again_and_one_branch_lives
                f6_a_parent_whose_child_was_seen_at_the_door_ends_the_display
                f6_the_family_is_told_of_the_reuse_for_as_long_as_it_asks_back
                f6_a_parent_whose_child_was_refreshed_ends_the_display
                f6_a_spent_token_is_recognised_for_a_week
                f7_fifty_parallel_refreshes_leave_one_live_branch
                a_token_is_good_for_its_own_key_alone
            }
            web_sessions {
                a_pending_sign_in_is_taken_once_by_its_browser
                of_a_hundred_takers_one_has_it
                a_pending_sign_in_ends_to_the_millisecond
                a_session_resumes_while_it_lasts
                a_session_ends_without_use
                a_session_ends_in_any_case
                use_is_noted_to_the_minute
                a_new_session_ends_the_one_it_replaces
                sessions_are_listed_the_latest_first_and_only_ones_own
                ending_is_scoped_to_the_account
                a_long_user_agent_is_cut
            }
        }
    };
    (@ $module:ident, $open:path, $($concern:ident { $($case:ident)* })*) => {
        mod $module {
            $(mod $concern {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $case() {
                        let bench = $open().await;
                        $crate::contract::$concern::$case(&bench).await;
                        bench.store.close().await;
                    }
                )*
            })*
        }
    };
}

#[cfg(test)]
mod tests {
    /// A case that is not in the list would silently never run.
    #[test]
    fn every_case_is_in_the_list() {
        let list = include_str!("contract.rs");
        for source in [
            include_str!("contract/accounts.rs"),
            include_str!("contract/attempts.rs"),
            include_str!("contract/audit.rs"),
            include_str!("contract/claims.rs"),
            include_str!("contract/device_tokens.rs"),
            include_str!("contract/devices.rs"),
            include_str!("contract/events.rs"),
            include_str!("contract/families.rs"),
            include_str!("contract/former_places.rs"),
            include_str!("contract/health.rs"),
            include_str!("contract/invites.rs"),
            include_str!("contract/links.rs"),
            include_str!("contract/members.rs"),
            include_str!("contract/notes.rs"),
            include_str!("contract/once.rs"),
            include_str!("contract/redemptions.rs"),
            include_str!("contract/rotation.rs"),
            include_str!("contract/web_sessions.rs"),
        ] {
            for case in source.split("pub async fn ").skip(1) {
                let name = case.split('(').next().unwrap();
                assert!(list.contains(&format!(" {name}\n")), "{name} is not in the list");
            }
        }
    }
}
