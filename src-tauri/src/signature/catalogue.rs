//! The provider catalogue: `providers/*.toml`, embedded when built and checked when read.
//!
//! The format is documented in `providers/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;

use super::{EventSource, Evidence, Example, Handshake, Place, Provider, Retry, Sample, Scheme};

/// Slug and text of each file, written by the build script.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/providers.rs"));

/// The same of the files in `providers/samples`.
const SAMPLE_FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/samples.rs"));

/// Where every provider's dedupe key is looked for last (CONTRACT section 3).
const DEDUPE_HEADER_LAST: &str = "Idempotency-Key";

/// All known providers.
#[derive(Clone, Debug)]
pub struct Catalogue {
    providers: BTreeMap<String, Arc<Provider>>,
}

/// Why a provider's file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The file is no TOML, or not of the documented form.
    #[error("providers/{slug}.toml cannot be read: {source}")]
    Unreadable {
        /// Name of the file without extension.
        slug: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// The file reads well but says something impossible.
    #[error("providers/{slug}.toml: {problem}")]
    Invalid {
        /// Name of the file without extension.
        slug: String,
        /// What is wrong.
        problem: String,
    },
}

/// A provider's file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderFile {
    name: String,
    docs_url: String,
    evidence: Vec<Evidence>,
    #[serde(default)]
    schemes: Vec<Scheme>,
    #[serde(default)]
    event: Vec<EventSource>,
    #[serde(default)]
    dedupe: Vec<Place>,
    #[serde(default)]
    retry: Option<Retry>,
    #[serde(default)]
    samples: Vec<Sample>,
    #[serde(default)]
    examples: Vec<Example>,
    #[serde(default)]
    handshakes: Vec<Handshake>,
    #[serde(default)]
    takes_custom: bool,
    #[serde(default)]
    is_family: bool,
    #[serde(default)]
    event_prefix: Option<String>,
}

/// A file of samples as written: for a provider with many.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SamplesFile {
    samples: Vec<Sample>,
}

impl Catalogue {
    /// The catalogue that this program was built with.
    ///
    /// # Errors
    /// When a file is not of the documented form; a test keeps such a program from being released.
    pub fn embedded() -> Result<Self, CatalogueError> {
        let mut catalogue = Self::read(FILES.iter().copied())?;
        for (slug, text) in SAMPLE_FILES {
            catalogue.add_samples(slug, text)?;
        }
        Ok(catalogue)
    }

    /// Adds a file of samples to its provider.
    ///
    /// # Errors
    /// When the file is not of the documented form, or there is no such provider.
    fn add_samples(&mut self, slug: &str, text: &str) -> Result<(), CatalogueError> {
        let name = format!("samples/{slug}");
        let file: SamplesFile = toml::from_str(text)
            .map_err(|error| CatalogueError::Unreadable { slug: name.clone(), source: Box::new(error) })?;
        let provider = self.providers.get_mut(slug).map(Arc::make_mut).ok_or_else(|| CatalogueError::Invalid {
            slug: name,
            problem: "there is no provider of that name".to_owned(),
        })?;
        provider.samples.extend(file.samples);
        Ok(())
    }

    /// Reads provider files, each with its slug.
    ///
    /// # Errors
    /// When a file is not of the documented form.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, CatalogueError> {
        let mut providers = BTreeMap::new();
        for (slug, text) in files {
            let file: ProviderFile = toml::from_str(text)
                .map_err(|error| CatalogueError::Unreadable { slug: slug.to_owned(), source: Box::new(error) })?;
            let provider = file
                .into_provider(slug)
                .map_err(|problem| CatalogueError::Invalid { slug: slug.to_owned(), problem })?;
            providers.insert(slug.to_owned(), Arc::new(provider));
        }
        Ok(Self { providers })
    }

    /// The provider of that slug.
    #[must_use]
    pub fn get(&self, slug: &str) -> Option<&Arc<Provider>> {
        self.providers.get(slug)
    }

    /// All providers in the order of their slugs.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.providers.values()
    }
}

impl ProviderFile {
    fn into_provider(self, slug: &str) -> Result<Provider, String> {
        check_slug(slug)?;
        self.check_texts()?;
        self.check_schemes()?;
        let mut dedupe = self.dedupe;
        if let Some(last) = Place::header(DEDUPE_HEADER_LAST)
            && !dedupe.iter().any(|place| place.word() == last.word())
        {
            dedupe.push(last);
        }
        Ok(Provider {
            slug: slug.to_owned(),
            name: self.name,
            docs_url: self.docs_url,
            evidence: self.evidence,
            schemes: self.schemes,
            events: self.event,
            dedupe,
            retry: self.retry,
            samples: self.samples,
            examples: self.examples,
            handshakes: self.handshakes,
            takes_custom: self.takes_custom,
            is_family: self.is_family,
            event_prefix: self.event_prefix,
        })
    }

    fn check_texts(&self) -> Result<(), String> {
        not_blank("name", &self.name)?;
        https("docs_url", &self.docs_url)?;
        if self.evidence.is_empty() {
            return Err("an entry needs evidence".to_owned());
        }
        for evidence in &self.evidence {
            https("evidence.url", &evidence.url)?;
            not_blank("evidence.says", &evidence.says)?;
        }
        if let Some(retry) = &self.retry {
            https("retry.source", &retry.source)?;
            not_blank("retry.says", &retry.says)?;
        }
        Ok(())
    }

    fn check_schemes(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for scheme in &self.schemes {
            check_slug(&scheme.name)?;
            if !names.insert(scheme.name.as_str()) {
                return Err(format!("two schemes are named {:?}", scheme.name));
            }
        }
        Ok(())
    }
}

fn check_slug(text: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !text.is_empty() && text.bytes().all(allowed) {
        Ok(())
    } else {
        Err(format!("{text:?} is no name of lower-case letters, digits and hyphens"))
    }
}

fn https(field: &str, url: &str) -> Result<(), String> {
    match url::Url::parse(url) {
        Ok(parsed) if parsed.scheme() == "https" => Ok(()),
        _ => Err(format!("{field} must be an https URL, not {url:?}")),
    }
}

fn not_blank(field: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() { Err(format!("{field} is blank")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_samples_that_is_wrong_or_of_nobody_is_refused_and_named() {
        let good = "[[samples]]\nevent = 'a'\nheaders = []\nbody = '{}'\n";
        let mut catalogue = Catalogue::embedded().unwrap();
        let before = catalogue.get("generic").unwrap().samples.len();
        catalogue.add_samples("generic", good).unwrap();
        assert_eq!(catalogue.get("generic").unwrap().samples.len(), before + 1);
        for (slug, text, says) in [
            ("generic", "[[samples]]\nevent = 'a'\n", "providers/samples/generic.toml cannot be read"),
            ("generic", "colour = 1\n", "unknown field `colour`"),
            ("nobody", good, "providers/samples/nobody.toml: there is no provider"),
        ] {
            let error = catalogue.add_samples(slug, text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
