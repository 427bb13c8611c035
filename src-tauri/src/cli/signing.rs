//! What `sign`, `send` and `verify` share: the request that a signature is about, and the provider's recipe.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::Value;

use super::console::Console;
use super::error::{CliError, Exit};
use super::input;
use crate::domain::{Headers, Secret, Timestamp};
use crate::signature::{Catalogue, Provider, SignedRequest};

/// A request, its provider and the secret.
#[derive(Debug, Args)]
pub(super) struct SigningArgs {
    /// Who signs; `creel providers` lists them
    #[arg(long, value_name = "P")]
    provider: String,

    /// Which of the provider's schemes [default: its first]
    #[arg(long, value_name = "S")]
    scheme: Option<String>,

    /// File with the signing secret, `-` for stdin; else $CREEL_SIGNING_SECRET
    #[arg(long, value_name = "F")]
    secret_file: Option<PathBuf>,

    /// Header of the request; repeatable
    #[arg(long = "header", short = 'H', value_name = "N: V", value_parser = header)]
    headers: Vec<(String, String)>,

    /// URL as signed, for providers that sign it
    #[arg(long, value_name = "U")]
    url: Option<String>,

    /// HTTP method of the request
    #[arg(long, value_name = "M", default_value = "POST")]
    method: String,

    /// Clock to judge timestamps by, in Unix seconds [default: now]
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    now: Option<i64>,

    /// File with the exact body, `-` for stdin [default: an empty body]
    #[arg(long, value_name = "F")]
    body_file: Option<PathBuf>,

    /// What the scheme needs beyond one secret: a JSON object
    #[arg(long, value_name = "F.json")]
    options_file: Option<PathBuf>,
}

/// All that a judgement needs, read.
pub(super) struct Signing<'a> {
    /// All recipes.
    pub(super) catalogue: Catalogue,
    /// Whose recipe.
    pub(super) provider: Arc<Provider>,
    /// Which scheme.
    pub(super) scheme: Option<&'a str>,
    /// What it needs beyond the secret.
    pub(super) options: Value,
    /// The secret, if one was given.
    pub(super) secret: Option<Secret>,
    /// The clock.
    pub(super) now: Timestamp,
    /// HTTP method.
    pub(super) method: &'a str,
    /// The URL as signed, if it was given.
    pub(super) url: Option<&'a str>,
    /// The headers that were given.
    pub(super) headers: Headers,
    /// The body, if one was given.
    pub(super) body: Option<Vec<u8>>,
}

impl SigningArgs {
    /// Reads the files.
    pub(super) fn read(&self, console: &Console) -> Result<Signing<'_>, CliError> {
        let catalogue = Catalogue::embedded()?;
        let provider = known(&catalogue, &self.provider)?;
        let from_stdin = [&self.secret_file, &self.body_file, &self.options_file];
        if from_stdin.into_iter().flatten().filter(|path| input::is_stdin(path)).count() > 1 {
            return Err(CliError::Usage {
                message: "only one file can come from stdin".to_owned(),
                help: "Name files for the others.".to_owned(),
            });
        }
        Ok(Signing {
            catalogue,
            provider,
            scheme: self.scheme.as_deref(),
            options: input::options(self.options_file.as_deref())?,
            secret: input::secret_if_any(self.secret_file.as_deref(), console)?,
            now: self.clock()?,
            method: &self.method,
            url: self.url.as_deref(),
            headers: Headers::from_pairs(self.headers.iter().map(|(name, value)| (name, value)))
                .map_err(|error| CliError::Usage { message: error.to_string(), help: HEADER_HELP.to_owned() })?,
            body: self.body_file.as_deref().map(input::body).transpose()?,
        })
    }

    /// Whose recipe.
    pub(super) fn provider(&self, catalogue: &Catalogue) -> Result<Arc<Provider>, CliError> {
        known(catalogue, &self.provider)
    }

    fn clock(&self) -> Result<Timestamp, CliError> {
        if let Some(seconds) = self.now {
            let millis = seconds.checked_mul(1000).ok_or_else(|| CliError::Usage {
                message: format!("{seconds} is no time"),
                help: "Give Unix seconds, such as 1767225600.".to_owned(),
            })?;
            return Ok(Timestamp::from_millis(millis));
        }
        // A clock before 1970 is judged as 1970: every timestamp then lies in the future, which is what it looks like.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Signing<'_> {
    /// The request as the recipe sees it.
    pub(super) fn request(&self) -> SignedRequest<'_> {
        SignedRequest {
            method: self.method,
            url: self.url,
            headers: &self.headers,
            body: self.body.as_deref().unwrap_or_default(),
        }
    }
}

/// The provider of a slug in the catalogue of this program.
pub(super) fn provider(slug: &str) -> Result<Arc<Provider>, CliError> {
    known(&Catalogue::embedded()?, slug)
}

fn known(catalogue: &Catalogue, slug: &str) -> Result<Arc<Provider>, CliError> {
    catalogue.get(slug).cloned().ok_or_else(|| CliError::UnknownProvider { slug: slug.to_owned() })
}

/// Whether a judgement counts as success.
pub(super) fn exit_of(valid: bool) -> Exit {
    if valid { Exit::Ok } else { Exit::Failure }
}

const HEADER_HELP: &str = "Write it as 'Name: value'.";

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or_else(|| "write it as 'Name: value'".to_owned())?;
    Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_split_at_its_first_colon() {
        assert_eq!(header("X-A: b:c ").unwrap(), ("X-A".to_owned(), "b:c".to_owned()));
        assert_eq!(header("X-A:").unwrap(), ("X-A".to_owned(), String::new()));
        assert!(header("X-A").is_err());
    }

    #[test]
    fn an_unknown_provider_is_told_from_all_other_errors() {
        assert!(matches!(provider("no-such"), Err(CliError::UnknownProvider { .. })));
        assert_eq!(provider("github").unwrap().slug, "github");
    }
}
