//! `creel sign`: the headers that make a request verify, offline.

use clap::Args;
use serde_json::json;

use super::console::Console;
use super::error::{CliError, Exit};
use super::escape;
use super::input::SECRET_VARIABLE;
use super::signing::SigningArgs;

/// Sign a request as a provider would, offline
///
/// Prints the headers to send along, one `Name: value` a line; with --json `{"headers":[[name,value],...]}`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SignArgs {
    #[command(flatten)]
    signing: SigningArgs,
}

const EXAMPLES: &str = "\
Examples:
  creel sign --provider github --secret-file secret.txt --body-file push.json
  curl --data-binary @push.json URL \\
    -H \"$(creel sign --provider github --secret-file secret.txt --body-file push.json)\"
  printf %s '{}' | CREEL_SIGNING_SECRET=example-only creel sign --provider generic --body-file -

An argument could be read by other users of this machine, so a secret comes from a file, stdin or the environment.";

/// Runs the command.
pub(super) fn run(args: &SignArgs, console: &Console) -> Result<Exit, CliError> {
    let signing = args.signing.read(console)?;
    let secret = signing.secret.as_ref().ok_or_else(|| CliError::Usage {
        message: "there is no secret to sign with".to_owned(),
        help: format!("Give --secret-file FILE (`-` for stdin) or set `{SECRET_VARIABLE}`."),
    })?;
    let headers = signing.provider.sign(signing.scheme, &signing.options, secret, &signing.request(), signing.now)?;
    if console.json() {
        console.object(&json!({ "headers": headers }))?;
    } else {
        console.lines(headers.iter().map(|(name, value)| escape::line(&format!("{name}: {value}")).into_owned()))?;
    }
    Ok(Exit::Ok)
}
