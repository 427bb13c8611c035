//! `creel verify`: judge a signature, offline, with the working shown.

use clap::Args;
use serde_json::Value;

use super::console::Console;
use super::error::{CliError, Exit};
use super::fields;
use super::signing::{SigningArgs, exit_of};
use crate::client::ClientError;
use crate::domain::SignatureStatus;
use crate::signature::Elsewhere;

/// Judge the signature of a request, offline, and say why it holds or not
///
/// Exit code 0: it holds. 1: it does not, or there is nothing to check. 2: unknown provider, or wrong usage.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    signing: SigningArgs,
}

const EXAMPLES: &str = "\
Examples:
  creel verify --provider github --secret-file secret.txt --body-file push.json \\
    --header 'X-Hub-Signature-256: sha256=0123...'
  creel deliveries body ID | creel verify --provider generic --secret-file secret.txt --body-file - \\
    --header 'X-Hub-Signature-256: sha256=0123...' --json

It prints the signature that would be right: who holds the secret may see it.";

/// Runs the command.
pub(super) fn run(args: &VerifyArgs, console: &Console) -> Result<Exit, CliError> {
    let signing = args.signing.read(console)?;
    let secrets: Vec<_> = signing.secret.iter().cloned().collect();
    let elsewhere = Elsewhere { other_secrets: &[], catalogue: Some(&signing.catalogue) };
    let (options, request) = (&signing.options, signing.request());
    let explanation = signing.provider.explain(signing.scheme, options, &secrets, &request, signing.now, elsewhere)?;
    let valid = explanation.status == SignatureStatus::Valid;
    let object = serde_json::to_value(explanation)
        .map_err(|error| ClientError::BadAnswer { why: format!("the explanation: {error}") })?;
    if console.json() {
        console.object(&object)?;
    } else {
        console.lines(lines(console, &object))?;
    }
    Ok(exit_of(valid))
}

/// The explanation of CONTRACT section 7 for people.
fn lines(console: &Console, explanation: &Value) -> Vec<String> {
    let status = fields::text(explanation, "status");
    let head = format!("{} ({})", fields::status_word(console, &status, &status), fields::text(explanation, "reason"));
    let mut pairs = vec![("Signature", head)];
    for (label, field) in [
        ("Scheme", "scheme"),
        ("Header", "header"),
        ("Received", "received"),
        ("Expected", "expected"),
        ("Timestamp", "timestamp"),
        ("Skew seconds", "skew_seconds"),
        ("Secret ends with", "secret_hint"),
        ("Signed content", "signed_content_preview"),
    ] {
        if !fields::get(explanation, field).is_null() {
            pairs.push((label, fields::text(explanation, field)));
        }
    }
    if !fields::get(explanation, "suggested_provider").is_null() {
        pairs.push(("Looks like", fields::text(explanation, "suggested_provider")));
    }
    let mut lines = fields::pairs(&pairs);
    for finding in fields::items(explanation, "findings") {
        lines.push(String::new());
        lines.push(format!("{} ({})", fields::text(finding, "code"), fields::text(finding, "confidence")));
        lines.push(format!("  {}", fields::text(finding, "explanation")));
        lines.push(format!("  {}", fields::text(finding, "fix")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_explanation_shows_what_is_known_and_leaves_out_the_rest() {
        let explanation = json!({"status": "invalid", "reason": "wrong_secret_or_body", "timestamp": null,
            "received": "sha256=\u{1b}[2J", "findings": [{"code": "trailing_newline", "confidence": "certain",
            "explanation": "e", "fix": "f"}]});
        let text = lines(&Console::new(true), &explanation).join("\n");
        assert!(text.starts_with("Signature  invalid (wrong_secret_or_body)"), "{text}");
        assert!(text.contains("sha256=\\x1b[2J"), "{text}");
        assert!(text.contains("trailing_newline (certain)\n  e\n  f"), "{text}");
        assert!(!text.contains("Timestamp"), "{text}");
    }
}
