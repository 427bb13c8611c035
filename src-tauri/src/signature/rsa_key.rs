//! RSA keys of our own, and what `ring` does not do with any: it makes none, and signs nothing with SHA-1.
//!
//! Keys for tests alone: the arithmetic here is not hardened beyond what its crates promise. Making a key takes long
//! enough to be no work for an async worker.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd, U1024, U2048};
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime, sieve_and_find};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

use super::algorithm::sha1;
use super::key_pair::{RSA_ALGORITHM, der};
use super::public_key::{INTEGER, SEQUENCE, value};

/// Bits of each of the two primes of a key that is made here; the key has twice as many.
const PRIME_BITS: u32 = 1024;
/// The usual public exponent (RFC 8017 appendix A.1.1 leaves the choice).
const EXPONENT: u32 = 65_537;
/// DER tag of an OCTET STRING (X.690 section 8.7).
const OCTET_STRING: u8 = 0x04;
/// The DigestInfo of SHA-1 up to the digest itself (RFC 8017 section 9.2, note 1).
const SHA1_INFO: [u8; 15] = [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
/// Bytes of padding that stand around the digest at least (RFC 8017 section 9.2).
const PADDING_BYTES_MIN: usize = 11;

/// A key of 2048 bits as PKCS #8 (RFC 5958); none when the system gives no random numbers.
pub(super) fn make() -> Option<Vec<u8>> {
    // The generator below has no way to say so.
    getrandom::fill(&mut [0; 1]).ok()?;
    let (one, other) = (prime()?, prime()?);
    let (p, q) = if one > other { (one, other) } else { (other, one) };
    let n: U2048 = p.concatenating_mul(&q);
    let (p_less, q_less) = (p.wrapping_sub(&U1024::ONE), q.wrapping_sub(&U1024::ONE));
    let order: U2048 = p_less.concatenating_mul(&q_less);
    let e = U2048::from_u32(EXPONENT);
    let d = e.invert_mod(&order.to_nz().into_option()?).into_option()?;
    let part = |order: &U1024| Some(d.rem_vartime(&U2048::from(order).to_nz().into_option()?));
    let q_inverse = q.invert_mod(&p.to_nz().into_option()?).into_option()?;
    let long = [n, e, d].map(|number| integer(number.to_be_bytes().as_ref()));
    let primes = [p, q].map(|number| integer(number.to_be_bytes().as_ref()));
    let parts = [part(&p_less)?, part(&q_less)?].map(|number| integer(number.to_be_bytes().as_ref()));
    // RFC 8017 appendix A.1.2.
    let key =
        [integer(&[0]), long.concat(), primes.concat(), parts.concat(), integer(q_inverse.to_be_bytes().as_ref())];
    let key = der(OCTET_STRING, &der(SEQUENCE, &key.concat()));
    Some(der(SEQUENCE, &[&integer(&[0]), &RSA_ALGORITHM[..], &key].concat()))
}

/// A prime whose two highest bits are set, so that the product of two has all its bits, and to which the public exponent,
/// a prime too, has an inverse.
fn prime() -> Option<U1024> {
    let exponent = U1024::from_u32(EXPONENT).to_nz().into_option()?;
    let sieve = SmallFactorsSieveFactory::new(Flavor::Any, PRIME_BITS, SetBits::TwoMsb).ok()?;
    let has_inverse = |prime: &U1024| prime.wrapping_sub(&U1024::ONE).rem_vartime(&exponent) != U1024::ZERO;
    sieve_and_find(&mut UnwrapErr(SysRng), sieve, |_, candidate| {
        has_inverse(candidate) && is_prime(Flavor::Any, candidate)
    })
    .ok()?
}

/// RSASSA-PKCS1-v1_5 with SHA-1 (RFC 8017 section 8.2.1) by a key as PKCS #8 or PKCS #1.
pub(super) fn sign_sha1(key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let [n, d] = modulus_and_exponent(key)?;
    let digest = [&SHA1_INFO[..], &sha1(message)].concat();
    let padding = n.len().checked_sub(digest.len()).filter(|bytes| *bytes >= PADDING_BYTES_MIN)? - 3;
    let padded = [&[0, 1], &vec![0xff; padding][..], &[0], &digest].concat();
    power(&padded, d, n)
}

/// The modulus and the private exponent, without leading zeroes.
fn modulus_and_exponent(key: &[u8]) -> Option<[&[u8]; 2]> {
    let (SEQUENCE, content, _) = value(key)? else { return None };
    let (INTEGER, _version, rest) = value(content)? else { return None };
    let (tag, first, behind) = value(rest)?;
    if tag == SEQUENCE {
        // PKCS #8: the algorithm, then PKCS #1 in an OCTET STRING.
        let (OCTET_STRING, inner, _) = value(behind)? else { return None };
        return modulus_and_exponent(inner);
    }
    let (INTEGER, _public, behind) = value(behind)? else { return None };
    let (INTEGER, private, _) = value(behind)? else { return None };
    Some([without_zeroes(first), without_zeroes(private)])
}

fn without_zeroes(number: &[u8]) -> &[u8] {
    let zeroes = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeroes..]
}

fn power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Option<Vec<u8>> {
    let length = modulus.len();
    let modulus = BoxedUint::from_be_slice_vartime(modulus);
    let bits = modulus.bits_precision();
    let params = BoxedMontyParams::new(Odd::new(modulus).into_option()?);
    let [base, exponent] = [base, exponent].map(|bytes| BoxedUint::from_be_slice(bytes, bits).ok());
    let result = BoxedMontyForm::new(base?, &params).pow(&exponent?).retrieve().to_be_bytes();
    // As long as the modulus, which need not fill its words.
    Some(result[result.len() - length..].to_vec())
}

/// A DER INTEGER (X.690 section 8.3): signed, so that a high bit gets a zero before it.
fn integer(number: &[u8]) -> Vec<u8> {
    let number = without_zeroes(number);
    let sign: &[u8] = if number.first().is_none_or(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
    der(INTEGER, &[sign, number].concat())
}

#[cfg(test)]
mod tests {
    use ring::rsa::KeyPair;
    use ring::signature::{
        RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
    };

    use super::*;

    #[test]
    fn a_key_that_is_made_is_one_to_another_library_and_no_other_is_the_same() {
        let (one, other) = (make().unwrap(), make().unwrap());
        assert_ne!(one, other);
        let pair = KeyPair::from_pkcs8(&one).unwrap();
        assert_eq!(pair.public().modulus_len(), 256);
        let mut signature = vec![0; 256];
        pair.sign(&RSA_PKCS1_SHA256, &ring::rand::SystemRandom::new(), b"message", &mut signature).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public());
        public.verify(b"message", &signature).unwrap();
    }

    #[test]
    fn a_signature_with_sha1_is_verified_by_another_library_and_by_its_own_key_alone() {
        let (one, other) = (make().unwrap(), make().unwrap());
        let signature = sign_sha1(&one, b"message").unwrap();
        let verified = |key: &[u8], message: &[u8]| {
            let pair = KeyPair::from_pkcs8(key).unwrap();
            let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, pair.public());
            public.verify(message, &signature).is_ok()
        };
        assert!(verified(&one, b"message"));
        assert!(!verified(&one, b"massage") && !verified(&other, b"message"));
        for broken in [&b""[..], b"\x30\x00", &one[..40], &one[1..]] {
            assert_eq!(sign_sha1(broken, b"message"), None);
        }
    }
}
