//! A test that could not fail is worth nothing: each durability and security check is run here against an engine with
//! one bug in it (`CREEL_SEEDED_BUG`, which debug builds alone honour) and must catch it, for the right reason.
#![cfg(debug_assertions)]

use std::panic::{AssertUnwindSafe, catch_unwind};

#[cfg(target_os = "linux")]
use super::power_cuts;
use super::signatures;
use super::support::{Creel, Home, Launch};
use super::{
    dedupe, disk_full, endpoints, guard, hostile_heads, hostile_targets, ingress, kill, lifecycle, replies, secrets,
    tunnel_faults,
};

/// Runs a check that must fail, and looks at why it failed.
#[track_caller]
fn must_be_caught(bug: &str, complaint: &str, check: impl FnOnce()) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(check)) else { panic!("{bug} goes unnoticed") };
    let said = panic.downcast_ref::<String>().cloned();
    let said = said.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned())).unwrap_or_default();
    assert!(said.contains(complaint), "{bug} was noticed for another reason: {said}");
}

fn with(bug: &str) -> Creel {
    Launch::new().seeded_bug(bug).start()
}

#[test]
fn an_acknowledgement_before_the_commit_is_caught() {
    must_be_caught("ack_before_commit", "acknowledged and lost", || {
        kill::what_was_acknowledged_is_there_after_a_kill(&Launch::new().seeded_bug("ack_before_commit"));
    });
}

#[test]
fn an_attempt_that_is_not_marked_as_started_is_caught() {
    must_be_caught("skip_started", "sent twice unasked", || {
        kill::what_was_being_sent_is_in_doubt_and_what_waited_is_sent(&Launch::new().seeded_bug("skip_started"));
    });
}

#[test]
fn a_start_without_recovery_is_caught() {
    must_be_caught("no_recovery", "left queued", || {
        kill::what_was_being_sent_is_in_doubt_and_what_waited_is_sent(&Launch::new().seeded_bug("no_recovery"));
    });
}

#[test]
fn a_dedupe_key_that_forgets_the_verdict_is_caught() {
    must_be_caught("dedupe_before_signature", "the verified one was suppressed", || {
        dedupe::an_unverified_request_never_suppresses_a_verified_one(&with("dedupe_before_signature"));
    });
}

#[test]
fn taking_any_signature_is_caught() {
    must_be_caught("accept_any_signature", "a forged signature was taken", || {
        signatures::a_forged_signature_is_rejected_and_never_relayed(&with("accept_any_signature"));
    });
}

/// A check of a running engine.
type Check = fn(&Creel);

#[test]
fn a_guard_that_leaves_out_one_check_is_caught() {
    let checks: [(&str, Check); 5] = [
        ("no_token_check", guard::no_token_no_entry),
        ("no_host_check", guard::no_foreign_host),
        ("no_origin_check", guard::no_foreign_origin),
        ("no_fetch_site_check", guard::no_foreign_site),
        ("no_forwarded_check", guard::nothing_forwarded),
    ];
    for (bug, check) in checks {
        must_be_caught(bug, "an intruder got in", || check(&with(bug)));
    }
}

#[test]
fn a_lenient_head_is_caught() {
    must_be_caught("lenient_head", "a hostile head was taken", || {
        hostile_heads::every_hostile_head_is_refused_and_leaves_no_row(&with("lenient_head"));
    });
}

#[test]
fn work_that_ends_with_the_connection_is_caught() {
    must_be_caught("tied_to_connection", "deliveries of senders that hung up are missing", || {
        let creel = with("tied_to_connection");
        ingress::what_was_sent_is_stored_and_relayed_though_nobody_waits_for_the_answer(&creel);
    });
}

#[test]
fn a_budget_that_is_held_until_the_answer_is_caught() {
    must_be_caught("budget_until_answer", "turned away though nothing was in flight", || {
        replies::what_waits_for_its_answer_is_no_longer_in_flight(&with("budget_until_answer"));
    });
}

#[test]
fn targets_that_nobody_looks_at_are_caught() {
    must_be_caught("no_loopback_check", "a target outside this machine was taken", || {
        endpoints::a_target_outside_this_machine_is_refused(&with("no_loopback_check"));
    });
}

#[test]
fn a_relay_that_follows_redirects_is_caught() {
    must_be_caught("follow_redirects", "a redirect was followed", || {
        hostile_targets::a_redirect_is_not_followed(&with("follow_redirects"));
    });
}

#[test]
fn a_secret_in_the_log_is_caught() {
    must_be_caught("log_secrets", "a secret is in the log", || {
        secrets::a_secret_shows_up_nowhere(Launch::new().seeded_bug("log_secrets"));
    });
}

#[test]
fn a_tunnels_secret_in_its_log_is_caught() {
    must_be_caught("show_tunnel_secrets", "a tunnel's secret is shown", || {
        tunnel_faults::a_secret_is_in_the_environment_alone(&with("show_tunnel_secrets"));
    });
}

#[test]
fn a_directory_without_an_owner_is_caught() {
    must_be_caught("no_owner_lock", "a second instance serves the same directory", || {
        let creel = with("no_owner_lock");
        let second = Launch::at(creel.home().clone()).seeded_bug("no_owner_lock");
        lifecycle::a_second_instance_exits_3_and_names_the_owner(&creel, &second);
    });
}

#[test]
fn opening_a_newer_database_is_caught() {
    must_be_caught("no_schema_check", "a newer database was opened", || {
        lifecycle::a_newer_database_is_left_untouched(&Launch::at(Home::new()).seeded_bug("no_schema_check"));
    });
}

#[test]
fn files_that_others_can_read_are_caught() {
    must_be_caught("umask_modes", "open to others", || {
        lifecycle::directory_and_files_are_private(&Launch::new().umask("000").seeded_bug("umask_modes"));
    });
}

#[test]
fn an_acknowledgement_on_a_full_disk_is_caught() {
    if super::support::requires::have_root() {
        must_be_caught("ack_when_full", "acknowledged and lost", || disk_full::with_bug("ack_when_full"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_acknowledgement_before_the_commit_is_lost_in_a_power_cut() {
    must_be_caught("ack_before_commit", "acknowledged and lost", || power_cuts::with_bug("ack_before_commit"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_is_not_synced_is_lost_in_a_power_cut() {
    must_be_caught("a disk that does not sync", "acknowledged and lost", power_cuts::on_a_disk_that_lies);
}
