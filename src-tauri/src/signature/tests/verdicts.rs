//! Verdicts, explanations and signatures of `generic` and `github` (CONTRACT sections 4 and 7).

use serde_json::{Value, json};

use super::{NOW, headers, provider, request, secrets, signature, verify};
use crate::domain::{Headers, Secret, SignatureReason, SignatureStatus};
use crate::signature::explanation::SIGNED_CONTENT_PREVIEW_BYTES;
use crate::signature::signature_place::SIGNATURES_READ_MAX;
use crate::signature::{Elsewhere, Explanation, SignatureError};

const BODY: &[u8] = br#"{"a":1}"#;
const SECRET: &str = "sixteen bytes or more";

fn judged(secret_texts: &[&str], values: &[&str]) -> (SignatureStatus, SignatureReason, Option<usize>) {
    let pairs: Vec<_> = values.iter().map(|&value| ("X-Hub-Signature-256", value)).collect();
    let verdicts = ["generic", "github"].map(|slug| verify(slug, secret_texts, &headers(&pairs), BODY).unwrap());
    assert_eq!(verdicts[0], verdicts[1]);
    (verdicts[0].status, verdicts[0].reason, verdicts[0].matched_secret)
}

fn explained(secret_texts: &[&str], pairs: &[(&str, &str)], body: &[u8]) -> Explanation {
    let headers = headers(pairs);
    provider("github")
        .explain(None, &Value::Null, &secrets(secret_texts), &request(&headers, body), NOW, Elsewhere::default())
        .unwrap()
}

#[test]
fn hmac_sha256_agrees_with_rfc_4231() {
    // RFC 4231 section 4, the test cases whose keys are UTF-8: 1, 2, 4, and 5, of which only 16 bytes are printed.
    let key_4: Vec<u8> = (0x01..=0x19).collect();
    let cases: [(&[u8], &[u8], &str); 4] = [
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (&key_4, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (&[0x0c; 20], b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    ];
    for (key, body, digest) in cases {
        let key = std::str::from_utf8(key).unwrap();
        assert!(signature(key, body).starts_with(&format!("sha256={digest}")));
    }
}

#[test]
fn without_a_secret_nothing_is_required_whatever_the_header_says() {
    for values in [&[][..], &["sha256=00"], &["nonsense"]] {
        assert_eq!(judged(&[], values), (SignatureStatus::NotRequired, SignatureReason::NoSecret, None));
    }
}

#[test]
fn an_absent_or_blank_header_is_missing() {
    for values in [&[][..], &[""], &["  "], &["", "\t"]] {
        assert_eq!(judged(&[SECRET], values), (SignatureStatus::Missing, SignatureReason::MissingHeader, None));
    }
}

#[test]
fn a_header_not_in_the_documented_form_is_malformed() {
    let good = signature(SECRET, BODY);
    let digest = good.strip_prefix("sha256=").unwrap();
    for value in [
        digest.to_owned(),
        format!("SHA256={digest}"),
        format!("sha1={digest}"),
        format!("sha256= {digest}"),
        format!("sha256={}", &digest[1..]),
        format!("sha256={}", &digest[2..]),
        format!("sha256={digest}00"),
        format!("sha256={digest}, {good}"),
        format!("sha256={}g", &digest[1..]),
        "sha256=".to_owned(),
        "sha256".to_owned(),
        "é".to_owned(),
    ] {
        let verdict = judged(&[SECRET], &[&value]);
        assert_eq!(verdict, (SignatureStatus::Invalid, SignatureReason::MalformedHeader, None), "{value}");
    }
}

#[test]
fn hex_is_read_in_either_case() {
    let digest = signature(SECRET, BODY).replace("sha256=", "");
    let valid = (SignatureStatus::Valid, SignatureReason::Ok, Some(0));
    assert_eq!(judged(&[SECRET], &[&format!("sha256={digest}")]), valid);
    assert_eq!(judged(&[SECRET], &[&format!("sha256={}", digest.to_ascii_uppercase())]), valid);
}

#[test]
fn every_secret_is_tried_and_the_one_that_fits_is_named() {
    let value = signature(SECRET, BODY);
    assert_eq!(judged(&["another", SECRET], &[&value]), (SignatureStatus::Valid, SignatureReason::Ok, Some(1)));
    assert_eq!(judged(&[SECRET, "another"], &[&value]), (SignatureStatus::Valid, SignatureReason::Ok, Some(0)));
    let wrong = (SignatureStatus::Invalid, SignatureReason::WrongSecretOrBody, None);
    assert_eq!(judged(&["another", "third"], &[&value]), wrong);
}

#[test]
fn a_secret_is_never_trimmed() {
    let value = signature(SECRET, BODY);
    for padded in [format!("{SECRET}\n"), format!(" {SECRET}"), format!("\"{SECRET}\"")] {
        assert_eq!(judged(&[&padded], &[&value]).1, SignatureReason::WrongSecretOrBody);
        assert_eq!(judged(&[&padded], &[&signature(&padded, BODY)]).1, SignatureReason::Ok);
    }
}

#[test]
fn an_empty_secret_verifies_nothing_and_signs_nothing() {
    let headers = headers(&[("X-Hub-Signature-256", &signature("x", BODY))]);
    assert_eq!(verify("generic", &[""], &headers, BODY), Err(SignatureError::EmptySecret));
    let request = request(&headers, BODY);
    let signed = provider("generic").sign(None, &Value::Null, &Secret::new(String::new()), &request, NOW);
    assert_eq!(signed, Err(SignatureError::EmptySecret));
}

#[test]
fn of_a_repeated_header_any_of_the_first_sixteen_will_do() {
    let (good, bad) = (signature(SECRET, BODY), signature("another", BODY));
    let valid = (SignatureStatus::Valid, SignatureReason::Ok, Some(0));
    for at in 0..SIGNATURES_READ_MAX {
        let mut values = [bad.as_str(); SIGNATURES_READ_MAX];
        values[at] = &good;
        assert_eq!(judged(&[SECRET], &values), valid, "{at}");
    }
    let mut values = vec![bad.as_str(); SIGNATURES_READ_MAX];
    values.push(&good);
    assert_eq!(judged(&[SECRET], &values).1, SignatureReason::WrongSecretOrBody);
    assert_eq!(judged(&[SECRET], &["", "nonsense", &good]), valid);
    assert_eq!(judged(&[SECRET], &["nonsense", &bad]).1, SignatureReason::WrongSecretOrBody);
    assert_eq!(judged(&[SECRET], &["nonsense", ""]).1, SignatureReason::MalformedHeader);
}

#[test]
fn the_signature_covers_the_raw_bytes_with_their_byte_order_mark() {
    let with_mark = [b"\xef\xbb\xbf", BODY].concat();
    let headers = headers(&[("x-hub-signature-256", &signature(SECRET, &with_mark))]);
    assert_eq!(verify("github", &[SECRET], &headers, &with_mark).unwrap().reason, SignatureReason::Ok);
    assert_eq!(verify("github", &[SECRET], &headers, BODY).unwrap().reason, SignatureReason::WrongSecretOrBody);
}

#[test]
fn a_scheme_or_option_that_does_not_exist_is_a_typed_error() {
    let provider = provider("github");
    let empty = Headers::default();
    let request = request(&empty, BODY);
    let verify = |scheme, options: Value| provider.verify(scheme, &options, &secrets(&[SECRET]), &request, NOW);
    assert!(verify(Some("hub-signature-256"), json!({})).is_ok());
    let error = verify(Some("v9"), Value::Null).unwrap_err();
    assert_eq!(error.to_string(), "github has no signature scheme \"v9\"; it has: hub-signature-256");
    let not_taken = verify(None, json!({"hash": "md5"})).unwrap_err();
    assert!(matches!(not_taken, SignatureError::OptionNotTaken { option, .. } if option == "hash"));
    assert_eq!(verify(None, json!([])), Err(SignatureError::OptionsNotObject));
    assert_eq!(provider.check_settings(Some("v9"), &Value::Null), Err(error));
    assert_eq!(provider.check_settings(None, &Value::Null), Ok(()));
}

#[test]
fn an_explanation_shows_expected_beside_received() {
    let received = signature("another secret of mine", BODY);
    let explanation = explained(&[SECRET, "b"], &[("X-HUB-signature-256", &received)], BODY);
    assert_eq!(
        (explanation.status, explanation.reason),
        (SignatureStatus::Invalid, SignatureReason::WrongSecretOrBody)
    );
    assert_eq!(explanation.scheme.as_deref(), Some("hub-signature-256"));
    assert_eq!(explanation.header.as_deref(), Some("X-Hub-Signature-256"));
    assert_eq!(explanation.expected, Some(signature(SECRET, BODY)));
    assert_eq!(explanation.received, Some(received));
    assert_eq!(explanation.signed_content_preview.as_deref(), Some(r#"{"a":1}"#));
    assert_eq!((explanation.timestamp, explanation.skew_seconds), (None, None));
    assert_eq!(explanation.secret_hint.as_deref(), Some("more"));
    let codes: Vec<&str> = explanation.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["wrong_secret", "body_tampered"]);
}

#[test]
fn an_explanation_of_a_valid_signature_is_about_the_secret_that_fits() {
    let value = signature("the newer secret: next", BODY);
    let explanation = explained(&[SECRET, "the newer secret: next"], &[("X-Hub-Signature-256", &value)], BODY);
    assert_eq!(explanation.reason, SignatureReason::Ok);
    assert_eq!((explanation.expected.as_ref(), explanation.secret_hint.as_deref()), (Some(&value), Some("next")));
}

#[test]
fn an_explanation_without_secret_or_header_says_so() {
    let explanation = explained(&[], &[("X-Hub-Signature-256", "sha256=00")], BODY);
    assert_eq!(explanation.reason, SignatureReason::NoSecret);
    assert_eq!((explanation.expected, explanation.secret_hint), (None, None));
    assert_eq!(explanation.received.as_deref(), Some("sha256=00"));
    let explanation = explained(&[SECRET], &[("X-Hub-Signature-256", " ")], BODY);
    assert_eq!((explanation.reason, explanation.received), (SignatureReason::MissingHeader, None));
    assert_eq!(explanation.expected, Some(signature(SECRET, BODY)));
}

#[test]
fn a_preview_is_bounded_and_never_cuts_a_character() {
    let long = "é".repeat(SIGNED_CONTENT_PREVIEW_BYTES);
    let preview = |body: &[u8]| explained(&[SECRET], &[], body).signed_content_preview.unwrap();
    assert_eq!(preview(long.as_bytes()), "é".repeat(SIGNED_CONTENT_PREVIEW_BYTES / 2));
    let shifted = format!("a{long}");
    assert_eq!(preview(shifted.as_bytes()), format!("a{}", "é".repeat(SIGNED_CONTENT_PREVIEW_BYTES / 2 - 1)));
    assert_eq!(preview(b"a\xffb"), "a\u{fffd}b");
    assert_eq!(preview(b""), "");
}

#[test]
fn an_explanation_has_the_fields_of_the_contract() {
    let json = serde_json::to_value(explained(&[SECRET], &[], BODY)).unwrap();
    let names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "status",
            "reason",
            "summary",
            "provider",
            "scheme",
            "header",
            "nearest_header",
            "expected",
            "received",
            "first_difference",
            "signed_content_preview",
            "signed_content_length",
            "signed_content_omitted",
            "timestamp",
            "skew_seconds",
            "tolerance_seconds",
            "secret_hint",
            "secrets_tried",
            "findings",
            "not_tried",
            "suggested_provider"
        ]
    );
    assert_eq!((&json["status"], &json["reason"]), (&json!("missing"), &json!("missing_header")));
}

#[test]
fn a_byte_order_mark_that_came_or_went_is_named() {
    let with_mark = [b"\xef\xbb\xbf", BODY].concat();
    for (signed, received) in [(BODY, &with_mark[..]), (&with_mark[..], BODY)] {
        let explanation = explained(&[SECRET], &[("X-Hub-Signature-256", &signature(SECRET, signed))], received);
        assert_eq!(explanation.findings[0].code, "body_bom");
    }
}

#[test]
fn a_token_that_leaves_the_bodys_digest_out_holds_for_no_body_but_the_empty_one() {
    let url = "https://hooks.example.com/in";
    let claims = json!({ "url_hash": hex::encode(crate::signature::algorithm::sha256(url.as_bytes())) });
    let token =
        crate::signature::jwt::Token::sign(&claims, crate::signature::Algorithm::JwtHs256, SECRET.as_bytes()).unwrap();
    let headers = headers(&[("MessageBird-Signature-JWT", &token)]);
    let judged = |body: &[u8]| {
        let request = crate::signature::SignedRequest { method: "POST", url: Some(url), headers: &headers, body };
        provider("messagebird").verify(None, &Value::Null, &secrets(&[SECRET]), &request, NOW).unwrap().status
    };
    assert_eq!(judged(b""), SignatureStatus::Valid);
    assert_eq!(judged(b"{}"), SignatureStatus::Invalid);
}
