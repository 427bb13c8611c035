//! Signatures and what else the provider catalogue knows: bytes, secrets and time in; verdicts, names and keys out.
//!
//! [`Catalogue::embedded`] reads `providers/*.toml` once at start; each file is a recipe ([`Scheme`], event and dedupe
//! sources) that this module interprets, so that no provider is named in Rust. [`Provider::verify`] is the hot path,
//! [`Provider::explain`] the same judgement with its working shown, [`Provider::sign`] the reverse. [`BodyFacts`] reads
//! the few fields of a JSON body that names, filters and keys need; [`envelope()`] is the view of CONTRACT's full row.
//!
//! No I/O and no clock: the same input gives the same answer. Only [`Provider::test_secret`], ECDSA and RSA draw random
//! numbers.

mod action;
mod algorithm;
mod autopsy;
mod body_facts;
mod canonical;
mod catalogue;
mod certificate;
mod certificate_set;
mod check;
mod custom;
mod detection;
mod encoding;
mod envelope;
mod event_filter;
mod event_source;
mod explanation;
mod finding;
mod form;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
mod handshake;
mod json_edit;
mod json_fields;
mod json_path;
mod jwt;
mod key_pair;
mod options;
mod place;
mod provider;
mod public_key;
mod request;
mod rsa_key;
mod sample;
mod scheme;
mod secret_form;
mod settings;
mod signature_place;
mod signing;
mod summary;
mod template;
#[cfg(test)]
mod tests;
mod timestamp_place;
mod verification;

pub use action::Action;
pub use algorithm::Algorithm;
pub use body_facts::{BodyFacts, BodyField, JsonKind};
pub use catalogue::{Catalogue, CatalogueError};
pub use certificate::is_certificate;
pub use certificate_set::{certificate_in, options_with_certificate};
pub use detection::{Elsewhere, OtherSecret};
pub use encoding::Encoding;
pub use envelope::envelope;
pub use event_filter::matches_filters;
pub use event_source::{DedupeKey, EventName, EventSource};
pub use explanation::{Explanation, TriedSecret};
pub use finding::{Confidence, Finding, Mistake};
pub use handshake::{Charset, Handshake, HandshakeReply};
pub use key_pair::PublicKeyForm;
pub use key_pair::is_private_key;
pub use options::{OptionName, options_replacing, options_without_secrets};
pub use place::Place;
pub use provider::{Basis, Evidence, Example, Provider, ProviderView, Retry};
pub use request::{SignatureError, SignedRequest, Verdict};
pub use sample::{Sample, SampleRequest};
pub use scheme::{Scheme, SchemeView};
pub use secret_form::SecretForm;
pub use signature_place::SignaturePlace;
pub use signing::Signed;
pub use template::{Template, TemplateError};
pub use timestamp_place::TimeUnit;
