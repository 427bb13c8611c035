//! Retention and limits: kept in the database, overridden by the flags of a start.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::limits::BODY_BYTES_MAX_DEFAULT;
use crate::store::Retention;

/// Name under which the settings are kept.
pub const SETTINGS_NAME: &str = "settings";

/// Retention and limits; 0 means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(default)]
pub struct Settings {
    /// Deliveries kept.
    pub keep_rows: u64,
    /// Bytes of the database kept.
    pub keep_bytes: u64,
    /// Days that deliveries are kept.
    pub keep_days: u32,
    /// Largest body in bytes.
    pub max_body_bytes: u64,
    /// Requests a minute of one endpoint.
    pub rate_limit_endpoint: u32,
    /// Answers 404 and 401 a minute for one client address.
    pub rate_limit_ip: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            keep_rows: 100_000,
            keep_bytes: 5 * 1024 * 1024 * 1024,
            keep_days: 30,
            max_body_bytes: BODY_BYTES_MAX_DEFAULT,
            rate_limit_endpoint: 30_000,
            rate_limit_ip: 600,
        }
    }
}

/// Settings of which each may be given: flags of a start, or a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS), ts(optional_fields))]
#[serde(default, deny_unknown_fields)]
pub struct SettingsOverrides {
    /// Largest body in bytes.
    pub max_body_bytes: Option<u64>,
    /// Requests a minute of one endpoint.
    pub rate_limit_endpoint: Option<u32>,
    /// Answers 404 and 401 a minute for one client address.
    pub rate_limit_ip: Option<u32>,
    /// Deliveries kept.
    pub keep_rows: Option<u64>,
    /// Bytes of the database kept.
    pub keep_bytes: Option<u64>,
    /// Days that deliveries are kept.
    pub keep_days: Option<u32>,
}

impl SettingsOverrides {
    /// These without the ones that a change gives: what the user sets now counts more than a flag of the start.
    #[must_use]
    pub fn without(self, given: Self) -> Self {
        fn unless<T>(given: Option<T>, mine: Option<T>) -> Option<T> {
            if given.is_some() { None } else { mine }
        }
        Self {
            max_body_bytes: unless(given.max_body_bytes, self.max_body_bytes),
            rate_limit_endpoint: unless(given.rate_limit_endpoint, self.rate_limit_endpoint),
            rate_limit_ip: unless(given.rate_limit_ip, self.rate_limit_ip),
            keep_rows: unless(given.keep_rows, self.keep_rows),
            keep_bytes: unless(given.keep_bytes, self.keep_bytes),
            keep_days: unless(given.keep_days, self.keep_days),
        }
    }
}

/// The settings of this run, layer by layer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SettingsLayers {
    /// As kept in the database.
    pub saved: Settings,
    /// Flags of this start; never kept.
    pub overrides: SettingsOverrides,
}

impl SettingsLayers {
    /// What is in force.
    #[must_use]
    pub fn in_force(&self) -> Settings {
        self.saved.with(self.overrides)
    }

    /// These layers after a change.
    #[must_use]
    pub fn changed(self, given: SettingsOverrides) -> Self {
        Self { saved: self.saved.with(given), overrides: self.overrides.without(given) }
    }
}

impl Settings {
    /// These settings with what is given replaced.
    #[must_use]
    pub fn with(self, given: SettingsOverrides) -> Self {
        Self {
            keep_rows: given.keep_rows.unwrap_or(self.keep_rows),
            keep_bytes: given.keep_bytes.unwrap_or(self.keep_bytes),
            keep_days: given.keep_days.unwrap_or(self.keep_days),
            max_body_bytes: given.max_body_bytes.unwrap_or(self.max_body_bytes),
            rate_limit_endpoint: given.rate_limit_endpoint.unwrap_or(self.rate_limit_endpoint),
            rate_limit_ip: given.rate_limit_ip.unwrap_or(self.rate_limit_ip),
        }
    }

    /// What is kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        Retention { rows: self.keep_rows, bytes: self.keep_bytes, days: self.keep_days }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_of_a_start_is_never_kept_and_gives_way_to_a_change() {
        let flags = SettingsOverrides { keep_days: Some(1), keep_rows: Some(5), ..SettingsOverrides::default() };
        let layers = SettingsLayers { saved: Settings::default(), overrides: flags };
        assert_eq!(layers.in_force().keep_days, 1);
        let change = SettingsOverrides { rate_limit_ip: Some(7), keep_rows: Some(9), ..SettingsOverrides::default() };
        let layers = layers.changed(change);
        assert_eq!(layers.saved.keep_days, 30);
        assert_eq!((layers.in_force().keep_days, layers.in_force().keep_rows), (1, 9));
        assert_eq!(layers.in_force().rate_limit_ip, 7);
    }
}
