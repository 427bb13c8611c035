//! What `sign` and `send` sign with: the secret that is given, or one made up for the occasion.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Console;
use super::error::CliError;
use super::input::SECRET_VARIABLE;
use super::signing::Signing;
use crate::domain::Secret;
use crate::signature::SignedRequest;
use crate::store::private_file_options;

/// A secret made up on the spot.
#[derive(Debug, Default, Args)]
pub(super) struct ThrowawayArgs {
    /// Sign with a secret, or a key pair, made up now; the secret, or the pair's public half, is printed
    #[arg(long, conflicts_with = "secret_file")]
    throwaway: bool,

    /// New file to keep it in for the next --secret-file; nobody else may read it
    #[arg(long, value_name = "F", requires = "throwaway")]
    keep: Option<PathBuf>,
}

/// What is signed with.
pub(super) struct SigningKey {
    /// The secret, or a private key as PEM.
    pub(super) secret: Secret,
    /// Whether it was made up now.
    pub(super) is_throwaway: bool,
}

impl ThrowawayArgs {
    /// The secret to sign a request with.
    pub(super) fn key(&self, signing: &Signing<'_>, request: &SignedRequest<'_>) -> Result<SigningKey, CliError> {
        if !self.throwaway {
            let secret =
                signing.secret.clone().ok_or_else(|| CliError::NoSecret { slug: signing.provider.slug.clone() })?;
            return Ok(SigningKey { secret, is_throwaway: false });
        }
        let secret = signing.provider.test_secret(signing.scheme, &signing.options, request)?;
        if let Some(path) = &self.keep {
            write_new(path, secret.expose()).map_err(|source| CliError::File {
                action: "create",
                path: path.clone(),
                source,
            })?;
        }
        Ok(SigningKey { secret, is_throwaway: true })
    }
}

impl SigningKey {
    /// The secret to show: one that was made up and that the receiver has to know. A private key is never shown.
    pub(super) fn shown(&self, public_key: Option<&str>) -> Option<&str> {
        (self.is_throwaway && public_key.is_none()).then(|| self.secret.expose())
    }

    /// Tells people what the receiver needs to verify with.
    pub(super) fn tell(&self, public_key: Option<&str>, console: &Console) {
        if let Some(secret) = self.shown(public_key) {
            console.note(&format!("signed with the throwaway secret {secret}"));
        } else if let Some(public_key) = public_key {
            console.note(&format!("verifies with the public key {}", public_key.trim_end().replace('\n', "\\n")));
        }
    }
}

/// Never over a file that is there: that could be the only copy of a key.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    private_file_options(OpenOptions::new().write(true).create_new(true)).open(path)?.write_all(text.as_bytes())
}

/// What to do without a secret.
pub(super) fn no_secret_help() -> String {
    format!("Give --secret-file FILE (`-` for stdin), set `{SECRET_VARIABLE}`, or make one up with --throwaway.")
}
