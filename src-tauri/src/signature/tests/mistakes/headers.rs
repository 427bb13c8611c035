//! Mistakes that the headers show: signatures and times that are absent, cut off or written in another way.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::{Case, Ground, NOW, Sent};
use crate::domain::Timestamp;
use crate::signature::algorithm::Kind;
use crate::signature::json_edit::Written;
use crate::signature::timestamp_place::{TimeUnit, TimestampAt};
use crate::signature::{Encoding, Scheme, SignaturePlace};

const TEXT: &str = r#"{"type":"order.paid","count":3}"#;

pub(super) fn cases(ground: &Ground) -> Vec<Case> {
    let sent = ground.sent(&ground.body(TEXT));
    let mut cases = signatures(ground, &sent);
    cases.extend(times(ground, &sent));
    if let Some(name) = ground.scheme.id.as_ref().and_then(|place| place.header_name()) {
        let codes = &["id_header_missing"];
        cases.push(Case { mistake: "id: its header missing", codes, sent: without(&sent, name) });
    }
    cases
}

fn without(sent: &Sent, name: &str) -> Sent {
    let mut sent = sent.clone();
    sent.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    sent
}

fn with(sent: &Sent, name: &str, value: &str) -> Sent {
    let mut sent = without(sent, name);
    sent.headers.push((name.to_owned(), value.to_owned()));
    sent
}

fn value(sent: &Sent, name: &str) -> String {
    sent.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).unwrap().1.clone()
}

fn signatures(ground: &Ground, sent: &Sent) -> Vec<Case> {
    let scheme = ground.scheme;
    let Some((place, name)) = scheme.places.first().and_then(|place| Some((place, place.header_to_write()?))) else {
        let blank = scheme.places.iter().find_map(|place| place.place.write(&sent.body, "", Written::Text));
        let codes = &["signature_field_missing", "signature_malformed"];
        let case = |body| Case { mistake: "signature: its field blank", codes, sent: Sent { body, ..sent.clone() } };
        return blank.map(case).into_iter().collect();
    };
    let old = value(sent, &name);
    let mut cases = Vec::new();
    let mut add = |mistake, codes, sent| cases.push(Case { mistake, codes, sent });
    let missing = &["signature_header_missing"][..];
    add("signature: its header missing", missing, without(sent, &name));
    let renamed = |new: &str| with(&without(sent, &name), new, &old);
    add("signature: its header with underscores", missing, renamed(&name.replace('-', "_")));
    add(
        "signature: its header as CGI names it",
        missing,
        renamed(&format!("HTTP_{}", name.replace('-', "_").to_uppercase())),
    );
    add("signature: its header with X-Original before", missing, renamed(&format!("X-Original-{name}")));
    add("signature: its header blank", &["signature_malformed"], with(sent, &name, ""));

    let is_token = scheme.algorithm.kind() == Kind::Token;
    // Nothing tells a token that was cut off from another.
    let malformed: &[_] = if is_token { &["signature_malformed", "wrong_secret"] } else { &["signature_malformed"] };
    add("signature: its last character cut off", malformed, with(sent, &name, &old[..old.len() - 1]));
    add("signature: its last half cut off", malformed, with(sent, &name, &old[..old.len() - old.len() / 3]));
    add("signature: two characters too many", malformed, with(sent, &name, &format!("{old}ab")));
    add("signature: in quotes", &["signature_malformed"], with(sent, &name, &format!("\"{old}\"")));
    add(
        "signature: its header folded with another like it",
        &["signature_malformed"],
        with(sent, &name, &format!("{old}, {old}")),
    );
    cases.extend(prefixes(scheme, place, sent, &name, &old));
    if matches!(scheme.algorithm.kind(), Kind::Digest | Kind::PublicKey) {
        cases.extend(encodings(place, sent, &name, &old));
    }
    cases
}

fn prefixes(scheme: &Scheme, place: &SignaturePlace, sent: &Sent, name: &str, old: &str) -> Vec<Case> {
    let prefix = place.prefix();
    let case = |mistake, codes, value: String| Case { mistake, codes, sent: with(sent, name, &value) };
    if prefix.is_empty() {
        let before = if scheme.algorithm.kind() == Kind::Token { "Bearer " } else { "sha256=" };
        return vec![case(
            "signature: a prefix where none belongs",
            &["signature_malformed"],
            format!("{before}{old}"),
        )];
    }
    if prefix.contains('{') || scheme.secret == crate::signature::SecretForm::Basic {
        return Vec::new();
    }
    let other = if prefix.contains('1') { prefix.replace('1', "9") } else { format!("x-{prefix}") };
    vec![
        case("signature: its prefix missing", &["signature_prefix_missing"], old.replacen(prefix, "", 1)),
        case(
            "signature: another prefix",
            &["signature_malformed", "unsupported_version"],
            old.replacen(prefix, &other, 1),
        ),
    ]
}

fn encodings(place: &SignaturePlace, sent: &Sent, name: &str, old: &str) -> Vec<Case> {
    // A prefix that an option completes ends where the digest begins.
    let prefix = if place.prefix().contains('{') { "," } else { place.prefix() };
    let from = if prefix.is_empty() { 0 } else { old.rfind(prefix).unwrap() + prefix.len() };
    let (head, text) = old.split_at(from);
    let bytes = place.encoding.decode(text.as_bytes()).unwrap();
    let case = |mistake, text: String| Case {
        mistake,
        codes: &["encoding_mismatch"],
        sent: with(sent, name, &format!("{head}{text}")),
    };
    match place.encoding {
        Encoding::Hex => vec![
            case("signature: base64 in place of hex", STANDARD.encode(&bytes)),
            case("signature: base64url in place of hex", URL_SAFE_NO_PAD.encode(&bytes)),
            case("signature: base64 of the hex digits", STANDARD.encode(text)),
            case("signature: hex in capitals", text.to_uppercase()),
            case(
                "signature: hex with colons",
                text.as_bytes().chunks(2).map(|two| str::from_utf8(two).unwrap()).collect::<Vec<_>>().join(":"),
            ),
        ],
        Encoding::Base64 | Encoding::Base64url => vec![
            case("signature: hex in place of base64", hex::encode(&bytes)),
            case("signature: hex of the base64 digits", hex::encode(text)),
            case("signature: base64 of the hex digits", STANDARD.encode(hex::encode(&bytes))),
            case(
                "signature: base64 escaped for a URL",
                text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"),
            ),
            case(
                "signature: the other alphabet of base64",
                if place.encoding == Encoding::Base64 {
                    URL_SAFE_NO_PAD.encode(&bytes)
                } else {
                    STANDARD.encode(&bytes)
                },
            ),
        ],
        Encoding::Text => Vec::new(),
    }
}

fn times(ground: &Ground, sent: &Sent) -> Vec<Case> {
    let mut cases = Vec::new();
    let body = ground.body(TEXT);
    let mut add = |mistake, codes, sent| cases.push(Case { mistake, codes, sent });
    let at = |seconds: i64| Timestamp::from_millis(NOW.as_millis() + seconds * 1000);
    let signed_at = |seconds: i64| ground.sent_by(ground.scheme, &ground.key, &body, at(seconds)).unwrap();
    if ground.scheme.algorithm.kind() == Kind::Jwt {
        let codes = &["token_expired", "timestamp_too_old"];
        add("time: a token of an hour ago", codes, signed_at(-3600));
        add("time: the receiver's clock is an hour fast", codes, Sent { now: at(3600), ..sent.clone() });
        return cases;
    }
    let Some(place) = &ground.scheme.timestamp else { return cases };
    let tolerance = place.tolerance.map_or(0, i64::from);
    let (old, ahead) = (&["timestamp_too_old"][..], &["timestamp_in_future"][..]);
    add("time: just too old", old, signed_at(-tolerance - 1));
    add("time: of last week", old, signed_at(-7 * 86_400));
    add("time: two days ahead", ahead, signed_at(2 * 86_400));
    add("time: the receiver's clock is half a day fast", old, Sent { now: at(43_200), ..sent.clone() });
    add("time: the receiver's clock is two days slow", ahead, Sent { now: at(-2 * 86_400), ..sent.clone() });
    for (unit, written, mistake, codes) in [
        (
            TimeUnit::Seconds,
            TimeUnit::Milliseconds,
            "time: milliseconds in place of seconds",
            &["timestamp_unit_ms"][..],
        ),
        (TimeUnit::Milliseconds, TimeUnit::Seconds, "time: seconds in place of milliseconds", &["timestamp_unit_s"]),
        (TimeUnit::Seconds, TimeUnit::Rfc3339, "time: a date in place of seconds", &["timestamp_malformed"]),
        (TimeUnit::Milliseconds, TimeUnit::Rfc3339, "time: a date in place of milliseconds", &["timestamp_malformed"]),
        (TimeUnit::Rfc3339, TimeUnit::Seconds, "time: seconds in place of a date", &["timestamp_malformed"]),
        (TimeUnit::HttpDate, TimeUnit::Rfc3339, "time: another date in place of HTTP's", &["timestamp_malformed"]),
    ] {
        if place.unit == unit {
            let mut scheme = ground.scheme.clone();
            scheme.timestamp.as_mut().unwrap().unit = written;
            cases.extend(ground.sent_by(&scheme, &ground.key, &body, NOW).map(|sent| Case { mistake, codes, sent }));
        }
    }
    cases.extend(changed_times(ground, sent));
    cases
}

/// A time that is lost, or is not the one that was signed.
fn changed_times(ground: &Ground, sent: &Sent) -> Vec<Case> {
    let place = ground.scheme.timestamp.as_ref().unwrap();
    if !ground.scheme.contents.iter().any(|content| content.has_timestamp()) {
        return Vec::new();
    }
    let moved = |seconds: i64| place.unit.write(Timestamp::from_millis(NOW.as_millis() + seconds * 1000));
    let written = |text: &str| -> Sent {
        let TimestampAt::Place(at) = &place.at else {
            let name = ground.scheme.places[0].header_to_write().unwrap();
            let field = place.field().unwrap();
            let (was, is) = (
                format!("{field}={}", moved(0)),
                if text.is_empty() { String::new() } else { format!("{field}={text}") },
            );
            return with(sent, &name, &value(sent, &name).replace(&was, &is));
        };
        match at.header_name() {
            Some(name) if text.is_empty() => without(sent, name),
            Some(name) => with(sent, name, text),
            None => Sent { body: at.write(&sent.body, text, Written::Text).unwrap(), ..sent.clone() },
        }
    };
    let missing = &["timestamp_header_missing", "timestamp_malformed"];
    vec![
        Case { mistake: "time: missing", codes: missing, sent: written("") },
        Case { mistake: "time: no time at all", codes: &["timestamp_malformed"], sent: written("soon") },
        Case {
            mistake: "time: three seconds later than signed",
            codes: &["timestamp_tampered"],
            sent: written(&moved(3)),
        },
    ]
}
