//! Signatures and what else the provider catalogue knows: bytes, secrets and time in; verdicts, names and keys out.
//!
//! [`Catalogue::embedded`] reads `providers/*.toml` once at start; each file is a recipe ([`Scheme`], event and dedupe
//! sources) that this module interprets, so that no provider is named in Rust. [`Provider::verify`] is the hot path,
//! [`Provider::explain`] the same judgement with its working shown, [`Provider::sign`] the reverse. [`BodyFacts`] reads
//! the few fields of a JSON body that names, filters and keys need; [`envelope()`] is the view of CONTRACT's full row.
//!
//! No I/O and no clock: the same input gives the same answer.

mod body_facts;
mod catalogue;
mod digests;
mod envelope;
mod event_filter;
mod event_source;
mod explanation;
mod json_fields;
mod provider;
mod request;
mod sample;
mod scheme;
mod template;
#[cfg(test)]
mod tests;

pub use body_facts::{BodyFacts, BodyField, JsonKind};
pub use catalogue::{Catalogue, CatalogueError};
pub use envelope::envelope;
pub use event_filter::matches_filters;
pub use event_source::{DedupeKey, EventName, EventSource, Place};
pub use explanation::{Confidence, Explanation, Finding};
pub use provider::{Evidence, Example, Provider, ProviderView, Retry};
pub use request::{SignatureError, SignedRequest, Verdict};
pub use sample::{Sample, SampleRequest};
pub use scheme::{Algorithm, Encoding, Scheme, SchemeView, SecretForm, SignaturePlace};
pub use template::{Template, TemplateError};
