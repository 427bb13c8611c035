//! The black-box suite: the real binary, real sockets, a data directory and free ports for each test.
//!
//! What is promised stands in the files: `ingress`, `replies`, `hostile_heads`, `slow_senders`, `dedupe`, `signatures`,
//! `signature_vectors`, `sdk_agreement`, `handshakes` (what senders meet), `explanations` (why a signature fails, and its
//! mending), `relay`, `hostile_targets`, `replay` (what the
//! developer's app meets), `api`, `guard`, `events`, `lists`, `bodies`, `endpoints`, `trying_out`, `cli` (what programs
//! meet), `lifecycle`, `kill`, `power_cuts`, `damage`, `disk_full`, `retention`, `secrets` (what must survive or stay hidden), `linkage`,
//! `desktop` (the two binaries), `tunnel` and `tunnel_*` (tunnels, by real programs and played ones), `tidy` (the architecture) and `negative_controls` (that the checks would notice).
//! `support` holds what they stand on. They signal processes and look at file modes, so they run on Unix alone.
//!
//! The tests of `sdk_agreement` and `desktop` that are ignored need what only `cargo xtask test` installs or starts.
//! `CREEL_REQUIRE=root,display` makes a skip for want of one of these a failure; `CREEL_KILL_CYCLES` and
//! `CREEL_KILL_SEED` prolong and repeat the kill test, `CREEL_POWER_CUTS` and `CREEL_POWER_SEED` that of power cuts.
//!
//! # Index
//!
//! The webhook layer that taught Creel its trade pins these facts by its own tests; here is the test that shows each of
//! them, or why there is none. `src:` marks a unit test beside the code.
//!
//! **autopilot_webhook_test.go**
//!
//! - token prefix and length: `endpoints::a_new_endpoint_has_every_field_with_its_default`
//! - 128 tokens, all different: `endpoints::every_token_is_its_own`
//! - no unsafe character in a token: `src: a_token_is_ep_and_43_characters_that_are_safe_in_a_url`
//! - event and eventPayload of the caller kept:
//!   `lists::the_full_row_adds_head_bodies_arrivals_and_what_the_sender_was_told`
//! - GitHub header with action; whole body is the payload:
//!   `endpoints::the_event_name_comes_from_the_first_source_that_has_one`,
//!   `lists::an_envelope_without_a_payload_of_its_own_holds_the_whole_body`
//! - GitLab header: `endpoints::the_event_name_comes_from_the_first_source_that_has_one`
//! - body.event: `endpoints::the_event_name_comes_from_the_first_source_that_has_one`
//! - body.type: `endpoints::the_event_name_comes_from_the_first_source_that_has_one`
//! - body.action: `endpoints::the_event_name_comes_from_the_first_source_that_has_one`
//! - default event, body kept: `endpoints::the_event_name_comes_from_the_first_source_that_has_one`,
//!   `lists::an_envelope_without_a_payload_of_its_own_holds_the_whole_body`
//! - arrays accepted and kept: `endpoints::the_event_name_comes_from_the_first_source_that_has_one`,
//!   `lists::an_envelope_without_a_payload_of_its_own_holds_the_whole_body`
//! - non-JSON is an error: `replies::body_policy_json_refuses_what_is_no_object_or_array_with_400_and_no_delivery`
//!   (by policy; by default every body is kept)
//! - a scalar body is an error: the same
//! - GitHub header without action: `endpoints::the_event_name_comes_from_the_first_source_that_has_one`
//! - X-Event-Type verbatim: `endpoints::the_event_name_comes_from_the_first_source_that_has_one`
//!
//! **autopilot_webhook_handler_test.go**
//!
//! - create returns a token and a path ending in it: `endpoints::a_new_endpoint_has_every_field_with_its_default`
//! - two endpoints, two tokens: `endpoints::every_token_is_its_own`
//! - public URL null without a setting, else base + path:
//!   `endpoints::the_public_url_comes_from_the_flag_and_an_endpoint_can_override_it`
//! - unknown token 404: `replies::an_unknown_token_is_404_and_a_refusal_with_its_token_masked`
//! - invalid JSON 400: `replies::body_policy_json_refuses_what_is_no_object_or_array_with_400_and_no_delivery`
//! - scalar body 400: the same
//! - over the cap 413: `ingress::a_body_of_exactly_the_cap_is_stored_and_relayed_and_one_byte_more_is_413`
//! - disabled: 200 ignored: `replies::ignored_when_the_endpoint_is_disabled`
//! - paused: 200 ignored: not applicable: an endpoint is enabled or not; there is nothing above it to pause
//! - accepted; run has source, payload; last_fired_at set:
//!   `replies::accepted_names_delivery_endpoint_and_attempts`, `endpoints::last_delivery_at_is_set_by_a_delivery`
//! - inferred name reaches the run: `relay::headers_go_out_as_they_came_but_for_those_of_the_connection` (the app
//!   gets the request itself)
//! - third request at limit 2 is 429: `replies::more_than_the_endpoints_rate_is_429_with_retry_after`
//! - rotation: old 404, new 200: `endpoints::rotating_the_token_makes_the_old_url_404_at_once`
//! - empty body 400: `replies::body_policy_json_refuses_what_is_no_object_or_array_with_400_and_no_delivery`
//! - archived: ignored: not applicable: endpoints are deleted, not archived:
//!   `endpoints::deleting_an_endpoint_removes_its_deliveries_and_its_url`
//! - unknown tokens from one address: 404, 404, 429:
//!   `replies::bad_credentials_are_limited_per_client_and_a_client_unknown_behind_loopback_never`
//! - X-Forwarded-For does not get round the limit:
//!   `ingress::a_client_address_comes_from_a_header_only_behind_a_configured_proxy`
//! - database error on lookup is not 404: not applicable: tokens are looked up in memory
//! - kind api refused: not applicable: there is one kind of endpoint; unknown fields:
//!   `endpoints::a_refused_value_is_422_names_its_field_and_changes_nothing`
//! - timezone, cron on webhooks refused (4 tests): the same: nothing is scheduled, unknown fields are 422
//! - enabled and label can be changed: `endpoints::patch_keeps_what_is_absent_and_replaces_lists`
//! - list omits the payload, detail has it: `lists::a_slim_row_has_every_field_and_neither_head_nor_body`
//!
//! **autopilot_webhook_iprl_test.go**
//!
//! - no trust list: the peer's address:
//!   `ingress::a_client_address_comes_from_a_header_only_behind_a_configured_proxy`
//! - a trusted proxy's header counts: the same
//! - an untrusted source's header does not: the same
//! - several hops, X-Real-IP, IPv6 (5 tests): unit tests of `ingress`, where addresses are made up at will
//!
//! **webhook_rate_limiter_test.go**
//!
//! - N pass, N+1 refused, keys independent: `replies::more_than_the_endpoints_rate_is_429_with_retry_after`
//! - passes again after the window: unit tests of `ingress`, where time is passed in
//! - 0 is unlimited: `retention::no_limit_keeps_everything` for retention; unit tests of `ingress` for rates
//! - Redis (3 tests): not applicable: one process, limits in memory
//!
//! **webhook_delivery_test.go**
//!
//! - one row, dispatched, linked, not_required: `replies::accepted_names_delivery_endpoint_and_attempts`,
//!   `signatures::without_a_secret_a_signature_is_not_required`
//! - dedupe by Idempotency-Key; attempt_count 2: `replies::duplicate_names_the_original_and_its_attempts`
//! - dedupe by X-GitHub-Delivery; source recorded: `dedupe::the_key_comes_from_the_providers_header_first`
//! - invalid signature 401, row rejected, no run: `replies::rejected_is_401_with_a_delivery_and_never_relayed`
//! - missing signature 401: the same
//! - valid signature dispatches: `signatures::the_verdict_names_what_is_wrong_with_the_header`
//! - secret absent from replies, hint = last 4:
//!   `signatures::a_secret_is_never_shown_and_hinted_at_only_when_long_enough`,
//!   `secrets::a_secret_is_in_no_answer_event_log_file_or_command_line`
//! - a short secret is 400: differs by contract: accepted with a warning, same test
//! - an empty secret clears: `signatures::setting_a_secret_replaces_all_and_an_empty_one_clears_them`
//! - replay: 201, new row, linked, new run: `replay::a_replay_is_a_new_linked_delivery_with_the_same_request`
//! - replay of an invalid signature refused: `replay::a_rejected_delivery_is_replayed_only_with_force`
//! - list lacks raw_body, detail has it intact: `lists::a_slim_row_has_every_field_and_neither_head_nor_body`,
//!   `ingress::a_body_is_stored_and_relayed_exactly_as_sent_whatever_its_framing`
//! - 404 through another autopilot:
//!   `lists::one_endpoints_list_is_its_own_and_a_delivery_is_404_through_another_endpoint`
//! - unknown provider refused: `endpoints::a_refused_value_is_422_names_its_field_and_changes_nothing`,
//!   `endpoints::what_is_not_built_yet_is_refused_as_not_available`
//! - provider github accepted and echoed: `cli::endpoints_are_made_listed_shown_and_removed`
//! - 3 sends, 1 run:
//!   `ingress::sixty_four_equal_deliveries_at_once_are_one_row_with_64_arrivals_and_one_request_to_the_target`
//! - forged signatures count against the limit:
//!   `replies::bad_credentials_are_limited_per_client_and_a_client_unknown_behind_loopback_never`
//! - paused still leaves an ignored row: `replies::ignored_when_the_endpoint_is_disabled`
//! - a failed row does not block the key: `dedupe::a_failed_delivery_frees_its_key`
//! - NULL can be written to the secret column:
//!   `signatures::setting_a_secret_replaces_all_and_an_empty_one_clears_them`
//!
//! **Others at the seed**
//!
//! - token never in a log line: `secrets::a_secret_is_in_no_answer_event_log_file_or_command_line`,
//!   `replies::an_unknown_token_is_404_and_a_refusal_with_its_token_masked`
//! - trigger id is logged: not applicable: refusals name their endpoint:
//!   `ingress::a_body_that_breaks_off_is_no_delivery_but_a_refusal`
//! - URL building (7 cases): `endpoints::the_public_url_comes_from_the_flag_and_an_endpoint_can_override_it`;
//!   masking: unit tests of the UI
//! - payload preview (3): unit tests of the UI; what it shows:
//!   `lists::a_body_that_is_no_text_is_base64_and_one_above_a_mebibyte_is_not_inlined`
//!
//! **LATER tests**
//!
//! - worker: limit defers, pool, leases, repair (6): not applicable: nothing is leased; pace:
//!   `relay::four_requests_are_in_flight_per_target_and_a_hanging_target_holds_up_no_other`, crash:
//!   `kill::an_attempt_that_had_started_is_never_repeated_and_one_that_had_not_is_made`
//! - a failed metadata write still answers 200: not applicable: an outcome known at insert needs no second write
//! - 200 skipped with its reason, row dispatched: `replies::skipped_when_no_target_is_there_enabled_or_matching`
//! - a valid burst is stored without 429: `events::a_listener_that_does_not_read_holds_up_nobody` (1,500 posts)
//! - absolute ceiling per address: 429 + Retry-After: unit tests of `ingress` (60,000 requests are none for a black
//!   box)
//! - attempt_count 3: `dedupe::the_same_key_with_another_body_keeps_both_bodies`
//! - replay queued, same key = same replay row: `replay::an_idempotency_key_makes_a_double_click_one_replay`
//! - event filters (14): `endpoints::event_filters_match_the_name_its_parts_and_the_bodys_action`,
//!   `endpoints::patch_keeps_what_is_absent_and_replaces_lists`,
//!   `endpoints::a_refused_value_is_422_names_its_field_and_changes_nothing`
//! - limiter: prunes, does not charge by looking, fails open: not applicable: no Redis; unit tests of `ingress`
//! - API client, URL field, mask, filter editor (UI): unit tests of the UI
//! - VCS (11): not applicable: no such ingress; unknown providers are 422
//!
//! **Pinned nowhere in the seed**
//!
//! - list limit clamp and total: `lists::a_bad_query_is_400`,
//!   `lists::filters_combine_and_totals_count_what_matches`
//! - 413 at the exact byte: `ingress::a_body_of_exactly_the_cap_is_stored_and_relayed_and_one_byte_more_is_413`
//! - byte order mark: `endpoints::the_event_name_comes_from_the_first_source_that_has_one`,
//!   `signatures::the_signature_covers_the_raw_bytes`
//! - body.event over header: `endpoints::the_event_name_comes_from_the_first_source_that_has_one`
//! - selected_headers content: `ingress::all_headers_are_stored_in_order_with_their_case_and_repeats` (all are
//!   kept)
//! - real concurrency:
//!   `ingress::sixty_four_equal_deliveries_at_once_are_one_row_with_64_arrivals_and_one_request_to_the_target`
//! - client hang-up: `ingress::a_sender_that_hangs_up_after_the_body_changes_nothing_about_storing_and_relaying`
//! - stuck queued rows: `kill::no_kill_loses_what_was_acknowledged_or_sends_anything_twice`
//! - failed dispatch through HTTP: `replies::passthrough_is_502_when_the_target_cannot_be_reached`,
//!   `relay::a_delivery_failed_when_every_target_failed`
//! - replay of ignored, failed, queued and replay rows:
//!   `replay::failed_ignored_and_interrupted_deliveries_can_be_replayed_also_while_the_endpoint_is_disabled`,
//!   `replay::a_queued_delivery_cannot_be_replayed_yet`,
//!   `replay::a_replay_of_a_replay_links_to_its_immediate_parent`
//! - replay while paused or disabled: allowed by contract:
//!   `replay::failed_ignored_and_interrupted_deliveries_can_be_replayed_also_while_the_endpoint_is_disabled`
//! - signature before dedupe: `dedupe::an_unsigned_request_never_learns_of_a_key_that_is_taken`,
//!   `dedupe::a_forged_key_does_not_take_the_genuine_ones_place`
//!
//! **Tunnels**
//!
//! - nothing starts by itself: `tunnel::no_tunnel_starts_by_itself_and_what_would_be_public_is_said_before`
//! - a delivery through the tunnel, byte-exact, with the public URL at arrival:
//!   `tunnel::a_delivery_that_comes_through_the_tunnel_is_stored_byte_exact_with_the_public_url_as_the_sender_saw_it`,
//!   `tunnel_ssh::the_server_gives_a_port_and_what_is_posted_there_is_stored_byte_exact`
//! - a repeat through another tunnel: `tunnel::each_repeat_keeps_the_tunnel_and_the_url_that_it_came_by`
//! - only the ingress is public:
//!   `tunnel::with_a_tunnel_up_only_the_ingress_is_reachable_and_the_admin_port_refuses_what_was_forwarded`
//! - a changed URL: `tunnel::a_changed_url_is_raised_with_the_endpoints_it_concerns_until_it_is_acknowledged`,
//!   `tunnel::from_its_first_event_to_its_acknowledgement_every_event_tells_of_a_changed_url_and_none_after_it`
//! - faults of the program: `tunnel_faults::the_headless_engine_gets_the_better_of_every_fault`
//! - the server dies and comes back: `tunnel_ssh::a_fixed_port_stays_over_the_death_of_the_server_and_its_return`
//! - kill -9 leaves nothing: `tunnel_orphans::a_killed_engine_leaves_no_tunnel_twenty_times_out_of_twenty`, which could
//!   fail: `tunnel_orphans::without_the_guards_watch_a_killed_engine_would_leave_its_tunnel`

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, missing_docs)]

mod api;
mod bodies;
mod cli;
mod damage;
mod dedupe;
mod desktop;
mod disk_full;
mod endpoints;
mod events;
mod explanations;
mod guard;
mod handshakes;
mod hostile_heads;
mod hostile_targets;
mod ingress;
mod kill;
mod lifecycle;
mod linkage;
mod lists;
mod negative_controls;
#[cfg(target_os = "linux")]
mod power_cuts;
mod relay;
mod replay;
mod replies;
mod retention;
mod sdk_agreement;
mod secrets;
mod signature_vectors;
mod signatures;
mod signing;
mod slow_senders;
mod support;
mod tidy;
mod trying_out;
mod tunnel;
mod tunnel_bore;
mod tunnel_faults;
mod tunnel_orphans;
mod tunnel_ssh;
mod tunnel_transcripts;
