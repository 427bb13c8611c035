//! What a command can fail with, and the exit codes.

use std::io;
use std::path::PathBuf;

use super::throwaway;
use crate::app::error::{AppError, ErrorBody};
use crate::client::ClientError;
use crate::domain::limits::SIGNING_SECRET_BYTES_MAX;
use crate::engine::EngineError;
use crate::signature::{CatalogueError, SignatureError};

/// How a command ended (CONTRACT section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done; for `verify`: the signature holds.
    Ok,
    /// Not done; for `verify`: the signature does not hold.
    Failure,
    /// The command line is wrong.
    Usage,
    /// The engine's own code: 3 directory owned, 4 database newer, 5 address in use.
    Engine(u8),
}

impl Exit {
    /// The process's exit code.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Engine(code) => code,
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The command line is wrong in a way that only the command itself can see.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// How it is right.
        help: String,
    },
    /// It comes in a later version.
    #[error("{what} is not available in this version")]
    NotAvailable {
        /// The command.
        what: &'static str,
    },
    /// The catalogue has no such provider.
    #[error("there is no provider `{slug}` in the catalogue")]
    UnknownProvider {
        /// What was asked for.
        slug: String,
    },
    /// The catalogue cannot be read: the program was built wrongly.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// No signature can be judged or made with these settings.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A name that no endpoint has, or several have.
    #[error("{message}")]
    Endpoint {
        /// Stable word.
        code: &'static str,
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// The provider signs, and there is nothing to sign with.
    #[error("there is no secret to sign as `{slug}` with")]
    NoSecret {
        /// The provider.
        slug: String,
    },
    /// There is no such sample.
    #[error("there is no such sample event of `{slug}`")]
    UnknownSample {
        /// The provider.
        slug: String,
        /// The events that there are.
        known: String,
    },
    /// A use case refused it.
    #[error(transparent)]
    Refused(#[from] AppError),
    /// A file cannot be read or written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{message}")]
    Content {
        /// What is wrong with it.
        message: String,
        /// What it should hold.
        help: String,
    },
    /// A secret longer than any provider's.
    #[error("the signing secret is longer than {SIGNING_SECRET_BYTES_MAX} bytes")]
    SecretTooLong,
    /// Stdout cannot be written.
    #[error("cannot write the result: {0}")]
    Output(io::Error),
    /// Whoever read stdout has seen enough: no error.
    #[error("the reader of the output went away")]
    BrokenPipe,
    /// The operating system refuses something basic.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// `CREEL_LOG` cannot be read.
    #[error("`CREEL_LOG` cannot be read: {why}")]
    LogFilter {
        /// What is wrong with it.
        why: String,
    },
    /// The running engine could not be asked, or refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The engine in this process.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl CliError {
    /// Tells a reader that went away from a disk that is full.
    pub(super) fn output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::BrokenPipe } else { Self::Output(error) }
    }

    /// The exit code it leads to.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. }
            | Self::NotAvailable { .. }
            | Self::UnknownProvider { .. }
            | Self::UnknownSample { .. }
            | Self::NoSecret { .. }
            | Self::LogFilter { .. } => Exit::Usage,
            Self::Signature(
                SignatureError::UnknownScheme { .. }
                | SignatureError::OptionsNotObject
                | SignatureError::OptionNotTaken { .. },
            ) => Exit::Usage,
            Self::Engine(error) => Exit::Engine(error.exit_code()),
            Self::BrokenPipe => Exit::Ok,
            _ => Exit::Failure,
        }
    }

    fn code(&self) -> String {
        match self {
            Self::Usage { .. } => "usage",
            Self::NotAvailable { .. } => "not_available",
            Self::UnknownProvider { .. } => "unknown_provider",
            Self::Catalogue(_) => "internal",
            Self::Signature(_) => "signature_settings",
            Self::Endpoint { code, .. } => code,
            Self::NoSecret { .. } => "no_secret",
            Self::UnknownSample { .. } => "unknown_sample",
            Self::Refused(error) => error.code,
            Self::File { .. } => "file_error",
            Self::Content { .. } => "bad_file",
            Self::SecretTooLong => "secret_too_long",
            Self::Output(_) | Self::BrokenPipe => "output_error",
            Self::System { .. } => "system_error",
            Self::LogFilter { .. } => "bad_log_filter",
            Self::Client(error) => error.code(),
            Self::Engine(error) => error.code(),
        }
        .to_owned()
    }

    fn help(&self) -> String {
        match self {
            Self::Usage { help, .. } | Self::Endpoint { help, .. } | Self::Content { help, .. } => help.clone(),
            Self::NotAvailable { .. } => {
                "`creel --help` lists what there is; the changelog says when more arrives.".into()
            }
            Self::UnknownProvider { .. } => "`creel providers` lists them; `generic` fits most others.".into(),
            Self::Catalogue(_) => "This is a fault of Creel; please report it.".into(),
            Self::Signature(error) => error.hint().into(),
            Self::NoSecret { .. } => throwaway::no_secret_help(),
            Self::UnknownSample { known, .. } if known.is_empty() => {
                "There is none of this provider yet; --body-file sends a body of your own.".into()
            }
            Self::UnknownSample { known, .. } => format!("There is {known}."),
            Self::Refused(error) => error.help.clone(),
            Self::File { .. } => "Check the path and its permissions.".into(),
            Self::SecretTooLong => "Check that the file holds the secret and nothing else.".into(),
            Self::Output(_) | Self::BrokenPipe => "Check where the output goes.".into(),
            Self::System { .. } => "Check the limits of this system (`ulimit -a`).".into(),
            Self::LogFilter { .. } => "Use a level (`warn`, `info`, `debug`) or a filter such as `creel=debug`.".into(),
            Self::Client(error) => error.help().to_owned(),
            Self::Engine(error) => error.help(),
        }
    }

    /// The error object of CONTRACT section 5; the engine's own errors as they came.
    pub(super) fn body(&self) -> ErrorBody {
        if let Self::Client(ClientError::Api { error, .. }) = self {
            return error.clone();
        }
        if let Self::Refused(AppError { code, message, help, field, .. }) = self {
            let (code, message, help) = ((*code).to_owned(), message.clone(), help.clone());
            return ErrorBody { code, message, help, field: field.clone() };
        }
        ErrorBody { code: self.code(), message: self.to_string(), help: self.help(), field: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage() -> CliError {
        CliError::Usage { message: "m".into(), help: "h".into() }
    }

    #[test]
    fn what_the_user_got_wrong_exits_2_and_what_failed_exits_1() {
        let client = || ClientError::NotRunning { data_dir: PathBuf::from("/d") };
        let table = [
            (usage(), 2),
            (CliError::NotAvailable { what: "x" }, 2),
            (CliError::UnknownProvider { slug: "x".into() }, 2),
            (CliError::LogFilter { why: "x".into() }, 2),
            (CliError::Client(client()), 1),
            (CliError::SecretTooLong, 1),
            (CliError::Output(io::Error::other("full")), 1),
            (CliError::BrokenPipe, 0),
        ];
        for (error, code) in table {
            assert_eq!(error.exit().code(), code, "{error:?}");
        }
    }

    #[test]
    fn the_engines_exit_codes_pass_through() {
        for code in 1..=5 {
            assert_eq!(Exit::Engine(code).code(), code);
        }
    }

    #[test]
    fn a_reader_that_went_away_is_told_from_a_full_disk() {
        assert!(matches!(CliError::output(io::ErrorKind::BrokenPipe.into()), CliError::BrokenPipe));
        assert!(matches!(CliError::output(io::ErrorKind::StorageFull.into()), CliError::Output(_)));
    }

    #[test]
    fn every_error_has_a_code_a_sentence_and_a_hint() {
        let engine_says = ErrorBody {
            code: "not_replayable".into(),
            message: "It was rejected".into(),
            help: "Use force".into(),
            field: Some("force".into()),
        };
        let api = CliError::Client(ClientError::Api { status: 409, error: engine_says.clone() });
        assert_eq!(api.body(), engine_says);
        for error in [usage(), CliError::NotAvailable { what: "x" }, CliError::SecretTooLong] {
            let body = error.body();
            assert!(!body.code.is_empty() && !body.message.is_empty() && !body.help.is_empty(), "{body:?}");
        }
    }
}
