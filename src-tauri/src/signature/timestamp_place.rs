//! The time at which a sender signed: where it stands, how it is written, how old it may be.

use jiff::fmt::{rfc2822, temporal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::place::{Place, PlaceTable};
use crate::domain::{SignatureReason, Timestamp, words};

/// How far ahead a timestamp may lie, in seconds, where a provider looks only at the past: more is no clock that runs
/// fast but another unit.
const AHEAD_SECONDS_MAX: u32 = 24 * 60 * 60;

words! {
    /// How a timestamp is written.
    TimeUnit {
        /// Unix seconds.
        Seconds = "seconds",
        /// Unix milliseconds.
        Milliseconds = "milliseconds",
        /// RFC 3339, with any number of decimals.
        Rfc3339 = "rfc3339",
        /// The date of HTTP and mail (RFC 9110 section 5.6.7, RFC 5322).
        HttpDate = "http-date",
    }
}

/// Where the timestamp stands and how old it may be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "TimestampTable")]
pub(super) struct TimestampPlace {
    pub(super) at: TimestampAt,
    pub(super) unit: TimeUnit,
    /// Seconds that it may lie in the past; none: any age will do.
    pub(super) tolerance: Option<u32>,
    /// Seconds that it may lie in the future.
    ahead: Option<u32>,
}

/// Where a timestamp stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimestampAt {
    /// On its own.
    Place(Place),
    /// Beside the signature, as `field=value`.
    Field(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimestampTable {
    header: Option<String>,
    body: Option<String>,
    form: Option<String>,
    field: Option<String>,
    unit: TimeUnit,
    tolerance_seconds: Option<u32>,
    ahead_seconds: Option<u32>,
    #[serde(default)]
    past_only: bool,
}

impl TryFrom<TimestampTable> for TimestampPlace {
    type Error = &'static str;

    fn try_from(table: TimestampTable) -> Result<Self, Self::Error> {
        let TimestampTable { header, body, form, field, unit, tolerance_seconds, ahead_seconds, past_only } = table;
        let at = match field {
            Some(field) => TimestampAt::Field(field),
            None => TimestampAt::Place(Place::try_from(PlaceTable { header, body, form, ..PlaceTable::default() })?),
        };
        let ahead = if past_only { Some(AHEAD_SECONDS_MAX) } else { ahead_seconds.or(tolerance_seconds) };
        Ok(Self { at, unit, tolerance: tolerance_seconds, ahead: tolerance_seconds.and(ahead) })
    }
}

impl TimestampPlace {
    /// The name of the field beside the signature.
    pub(super) fn field(&self) -> Option<&str> {
        match &self.at {
            TimestampAt::Field(field) => Some(field),
            TimestampAt::Place(_) => None,
        }
    }

    /// What is wrong with a time, judged now.
    pub(super) fn judge(&self, signed_at: Timestamp, now: Timestamp) -> Result<(), SignatureReason> {
        judge(signed_at, now, self.tolerance, self.ahead)
    }
}

/// What is wrong with a time: too far in the past, or ahead.
pub(super) fn judge(
    signed_at: Timestamp,
    now: Timestamp,
    tolerance: Option<u32>,
    ahead: Option<u32>,
) -> Result<(), SignatureReason> {
    let age = now.as_millis().saturating_sub(signed_at.as_millis());
    let over = |limit: Option<u32>, millis: i64| limit.is_some_and(|limit| millis > i64::from(limit) * 1000);
    if over(tolerance, age) {
        Err(SignatureReason::StaleTimestamp)
    } else if over(ahead, age.saturating_neg()) {
        Err(SignatureReason::FutureTimestamp)
    } else {
        Ok(())
    }
}

impl TimeUnit {
    /// Reads a timestamp.
    pub(super) fn read(self, text: &str) -> Option<Timestamp> {
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { text.parse::<i64>().ok() } else { None }
        };
        let millis = match self {
            Self::Seconds => number(text)?.saturating_mul(1000),
            Self::Milliseconds => number(text)?,
            Self::Rfc3339 => {
                static PARSER: temporal::DateTimeParser = temporal::DateTimeParser::new();
                PARSER.parse_timestamp(text).ok()?.as_millisecond()
            }
            Self::HttpDate => {
                static PARSER: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new();
                PARSER.parse_timestamp(text.replace("GMT", "+0000")).ok()?.as_millisecond()
            }
        };
        Some(Timestamp::from_millis(millis))
    }

    /// Writes a timestamp.
    pub(super) fn write(self, at: Timestamp) -> String {
        match self {
            Self::Seconds => at.as_unix_seconds().to_string(),
            Self::Milliseconds => at.as_millis().to_string(),
            Self::Rfc3339 => at.to_string(),
            Self::HttpDate => {
                let instant = jiff::Timestamp::from_second(at.as_unix_seconds()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
                instant.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_759_316_734_000);

    #[test]
    fn what_is_written_is_read_again() {
        for unit in TimeUnit::ALL {
            assert_eq!(unit.read(&unit.write(AT)), Some(AT), "{unit}");
        }
        assert_eq!(TimeUnit::HttpDate.write(AT), "Wed, 01 Oct 2025 11:05:34 GMT");
        let at = TimeUnit::Rfc3339.read("2025-10-05T10:11:19-07:00").unwrap();
        assert_eq!(at.to_string(), "2025-10-05T17:11:19.000Z");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "soon", "-1", "+1", "1.5", " 1", "99999999999999999999"] {
            assert_eq!(TimeUnit::Seconds.read(text), None, "{text}");
        }
        assert_eq!(TimeUnit::Seconds.read("9223372036854775807"), Some(Timestamp::from_millis(i64::MAX)));
        assert_eq!(TimeUnit::Rfc3339.read("yesterday"), None);
        assert_eq!(TimeUnit::HttpDate.read("yesterday"), None);
    }

    #[test]
    fn the_limit_itself_is_inside_the_tolerance_on_both_sides() {
        let later = |millis: i64| Timestamp::from_millis(AT.as_millis() + millis);
        assert_eq!(judge(AT, later(300_000), Some(300), Some(300)), Ok(()));
        assert_eq!(judge(AT, later(300_001), Some(300), Some(300)), Err(SignatureReason::StaleTimestamp));
        assert_eq!(judge(later(300_000), AT, Some(300), Some(300)), Ok(()));
        assert_eq!(judge(later(300_001), AT, Some(300), Some(300)), Err(SignatureReason::FutureTimestamp));
        assert_eq!(judge(Timestamp::from_millis(i64::MAX), AT, None, None), Ok(()));
        assert_eq!(judge(AT, later(i64::MAX - AT.as_millis()), None, None), Ok(()));
    }
}
