//! The verdict in one sentence, for people.

use super::{Explanation, Provider};
use crate::domain::{SignatureReason, SignatureStatus};

/// What a judgement comes to.
pub(super) fn of(explanation: &Explanation, provider: &Provider) -> String {
    let name = &provider.name;
    let header = explanation.header.as_deref().unwrap_or("signature");
    let secret = secret(explanation);
    match (explanation.status, explanation.reason) {
        (SignatureStatus::NotRequired, SignatureReason::NoSecret) => {
            "No signing secret is set, so nothing was checked: whoever knows the URL is believed.".to_owned()
        }
        (SignatureStatus::NotRequired, _) => {
            format!("{name} does not sign such requests, so there is nothing to check.")
        }
        (SignatureStatus::Valid, _) => {
            format!("The signature holds: it was made with {secret} over exactly these bytes.")
        }
        (SignatureStatus::Missing, _) if explanation.received.is_some() => {
            format!("The signature is there, but a part that is signed with it is missing: {name} always sends it.")
        }
        (SignatureStatus::Missing, _) => {
            format!("The request is not signed: {name} puts its signature into `{header}`.")
        }
        (_, SignatureReason::MalformedHeader) => {
            format!("`{header}` is there, but its value is not in the form that {name} documents.")
        }
        (_, SignatureReason::StaleTimestamp) => {
            match (explanation.skew_seconds, explanation.tolerance_seconds.map(i64::from)) {
                (Some(skew), Some(tolerance)) if skew > tolerance => format!(
                    "The signature is genuine, but its timestamp is {} old; {} are allowed.",
                    duration(skew),
                    duration(tolerance)
                ),
                _ => "The signature is genuine, but its time has run out.".to_owned(),
            }
        }
        (_, SignatureReason::FutureTimestamp) => match explanation.skew_seconds.map(i64::saturating_neg) {
            Some(ahead) if ahead > 0 => {
                format!("The signature is genuine, but its timestamp lies {} in the future.", duration(ahead))
            }
            _ => "The signature is genuine, but its time has not come yet.".to_owned(),
        },
        (_, SignatureReason::UnsupportedScheme) => {
            format!("`{header}` is of a version or kind that cannot be judged with the endpoint's settings.")
        }
        _ => match explanation.secrets_tried.len() {
            0 | 1 => format!("The signature does not match what {secret} makes of this request."),
            several => format!("The signature matches none of the {several} secrets that were tried."),
        },
    }
}

/// The secret that fits or was tried, by its last characters.
fn secret(explanation: &Explanation) -> String {
    match &explanation.secret_hint {
        Some(hint) => format!("the secret ending in …{hint}"),
        None if explanation.secrets_tried.is_empty() => "the key".to_owned(),
        None => "the secret".to_owned(),
    }
}

/// A time span in its two largest units.
pub(super) fn duration(seconds: i64) -> String {
    const UNITS: [(&str, i64); 4] = [("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)];
    let mut rest = seconds.max(0);
    let mut words = Vec::new();
    for (unit, size) in UNITS {
        let count = rest / size;
        if count > 0 && words.len() < 2 {
            words.push(format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
        } else if !words.is_empty() {
            break;
        }
        rest %= size;
    }
    if words.is_empty() { "0 seconds".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_time_span_is_said_in_its_two_largest_units() {
        let table = [
            (0, "0 seconds"),
            (1, "1 second"),
            (61, "1 minute 1 second"),
            (300, "5 minutes"),
            (7_200, "2 hours"),
            (90_061, "1 day 1 hour"),
            (86_405, "1 day"),
        ];
        for (seconds, text) in table {
            assert_eq!(duration(seconds), text);
        }
    }
}
