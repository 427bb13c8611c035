//! `creel sign`: the headers that make a request verify, and the body where the signature stands inside it; offline.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::json;

use super::console::Console;
use super::error::{CliError, Exit};
use super::escape;
use super::signing::SigningArgs;
use super::throwaway::ThrowawayArgs;

/// Sign a request as a provider would, offline
///
/// Prints the headers to send along, one `Name: value` a line. Some providers sign inside the body: --body-out writes
/// the body to send then. A scheme with a public key is signed with a private key of your own (PEM) as the secret. With
/// --json `{"headers":[[name,value],...],"scheme","body_base64","public_key","throwaway_secret"}`; null where there is none.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SignArgs {
    #[command(flatten)]
    signing: SigningArgs,

    #[command(flatten)]
    throwaway: ThrowawayArgs,

    /// File to write the body to send to
    #[arg(long, value_name = "F")]
    body_out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  creel sign --provider github --secret-file secret.txt --body-file push.json
  curl --data-binary @push.json URL \\
    -H \"$(creel sign --provider github --secret-file secret.txt --body-file push.json)\"
  creel sign --provider mailgun --secret-file secret.txt --body-file event.json --body-out signed.json
  creel sign --provider discord --throwaway --keep key.pem --body-file ping.json
  printf %s '{}' | CREEL_SIGNING_SECRET=example-only creel sign --provider generic --body-file -

An argument could be read by other users of this machine, so a secret comes from a file, stdin or the environment.";

/// Runs the command.
pub(super) fn run(args: &SignArgs, console: &Console) -> Result<Exit, CliError> {
    let signing = args.signing.read(console)?;
    let request = signing.request();
    let key = args.throwaway.key(&signing, &request)?;
    let signed = signing.provider.sign(signing.scheme, &signing.options, &key.secret, &request, signing.now)?;
    if signed.body.is_some() && args.body_out.is_none() && !console.json() {
        return Err(CliError::Usage {
            message: format!(
                "the scheme `{}` signs inside the body, so the body to send is another one",
                signed.scheme
            ),
            help: "Give --body-out FILE and send that file, or use --json.".to_owned(),
        });
    }
    if let Some(path) = &args.body_out {
        let body = signed.body.as_deref().unwrap_or(request.body);
        std::fs::write(path, body).map_err(|source| CliError::File { action: "write", path: path.clone(), source })?;
    }
    let public_key = signed.public_key.as_deref();
    if console.json() {
        let body = signed.body.as_ref().map(|body| STANDARD.encode(body));
        console.object(&json!({ "headers": signed.headers, "scheme": signed.scheme, "body_base64": body,
            "public_key": public_key, "throwaway_secret": key.shown(public_key) }))?;
    } else {
        key.tell(public_key, console);
        let line = |(name, value): &(String, String)| escape::line(&format!("{name}: {value}")).into_owned();
        console.lines(signed.headers.iter().map(line))?;
    }
    Ok(Exit::Ok)
}
