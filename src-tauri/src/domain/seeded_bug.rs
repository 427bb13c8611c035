//! Bugs that can be switched on in debug builds, so that each durability and security test can show that it would fail.
//!
//! `CREEL_SEEDED_BUG=<word>` switches one on. Release builds hold none of it: [`SeededBug::is_on`] is then a constant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words;

words! {
    /// A bug that tests must notice (`tests/it/negative_controls.rs`).
    SeededBug {
        /// The writer answers before its commit.
        AckBeforeCommit = "ack_before_commit",
        /// Attempts connect without being marked as started.
        SkipStarted = "skip_started",
        /// A start leaves what the last run left behind.
        NoRecovery = "no_recovery",
        /// Dedupe does not tell verified from unverified.
        DedupeBeforeSignature = "dedupe_before_signature",
        /// Every signature holds.
        AcceptAnySignature = "accept_any_signature",
        /// The admin guard does not look at the token.
        NoTokenCheck = "no_token_check",
        /// The admin guard does not look at `Host`.
        NoHostCheck = "no_host_check",
        /// The admin guard does not look at `Origin`.
        NoOriginCheck = "no_origin_check",
        /// The admin guard does not look at `Sec-Fetch-Site`.
        NoFetchSiteCheck = "no_fetch_site_check",
        /// The admin guard does not look at forwarding headers.
        NoForwardedCheck = "no_forwarded_check",
        /// The ingress takes a second `Host`.
        LenientHead = "lenient_head",
        /// A capture ends with its connection.
        TiedToConnection = "tied_to_connection",
        /// A body's share of the budget of bytes in flight is given back only with the answer.
        BudgetUntilAnswer = "budget_until_answer",
        /// Targets may be anywhere.
        NoLoopbackCheck = "no_loopback_check",
        /// The relay follows a redirect.
        FollowRedirects = "follow_redirects",
        /// A signing secret is written to the log.
        LogSecrets = "log_secrets",
        /// Two processes may own one data directory.
        NoOwnerLock = "no_owner_lock",
        /// A newer database is opened.
        NoSchemaCheck = "no_schema_check",
        /// Files get the modes that the umask leaves.
        UmaskModes = "umask_modes",
        /// What could not be written is acknowledged.
        AckWhenFull = "ack_when_full",
        /// A tunnel's guard does not notice that the engine is gone.
        GuardIgnoresEnd = "guard_ignores_end",
        /// A secret of a tunnel is shown in its log.
        ShowTunnelSecrets = "show_tunnel_secrets",
    }
}

impl SeededBug {
    /// Whether this bug is switched on.
    #[must_use]
    pub fn is_on(self) -> bool {
        cfg!(debug_assertions) && std::env::var_os("CREEL_SEEDED_BUG").is_some_and(|word| word == self.as_str())
    }
}
