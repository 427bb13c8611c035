//! `creel verify`: judge a signature, offline, with the working shown.

use clap::Args;
use serde_json::Value;

use super::console::Console;
use super::error::{CliError, Exit};
use super::escape;
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
    let elsewhere = Elsewhere { catalogue: Some(&signing.catalogue), ..Elsewhere::default() };
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

/// Characters of a signature that stand on one line, so that the mark of the first difference stays below it.
const SIGNATURE_WIDTH: usize = 64;

/// The explanation of CONTRACT section 7 for people: the verdict, then the cause and its fix, then the working.
fn lines(console: &Console, explanation: &Value) -> Vec<String> {
    let status = fields::text(explanation, "status");
    let head = format!("{} ({})", fields::status_word(console, &status, &status), fields::text(explanation, "reason"));
    let mut lines = fields::pairs(&[("Signature", head)]);
    if !fields::get(explanation, "summary").is_null() {
        lines.push(fields::text(explanation, "summary"));
    }
    for finding in fields::items(explanation, "findings") {
        lines.push(String::new());
        lines.push(format!("{} ({})", fields::text(finding, "code"), fields::text(finding, "confidence")));
        lines.push(format!("  {}", fields::text(finding, "explanation")));
        lines.push(format!("  {}", fields::text(finding, "fix")));
    }
    for untried in fields::items(explanation, "not_tried") {
        lines.push(format!("  Not tried: {}", fields::shown(untried)));
    }
    let facts = facts(explanation);
    if !facts.is_empty() {
        lines.push(String::new());
        lines.extend(fields::pairs(&facts));
    }
    lines.extend(compared(explanation));
    lines.extend(signed(explanation));
    lines
}

/// What is known about the signature, a line each.
fn facts(explanation: &Value) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    for (label, field) in [
        ("Scheme", "scheme"),
        ("Header", "header"),
        ("Nearest header", "nearest_header"),
        ("Timestamp", "timestamp"),
        ("Skew seconds", "skew_seconds"),
        ("Tolerance seconds", "tolerance_seconds"),
        ("Secret ends with", "secret_hint"),
        ("Looks like", "suggested_provider"),
    ] {
        if !fields::get(explanation, field).is_null() {
            facts.push((label, fields::text(explanation, field)));
        }
    }
    facts
}

/// Both signatures, the one below the other, with a mark below the first difference.
fn compared(explanation: &Value) -> Vec<String> {
    let shown = |field: &str| fields::get(explanation, field).as_str().map(|text| escape::line(text).into_owned());
    let (received, expected) = (shown("received"), shown("expected"));
    let (Some(received), Some(expected)) = (&received, &expected) else {
        let one = |label: &str, text: Option<String>| text.map(|text| format!("{label}  {text}"));
        return one("Received", received).into_iter().chain(one("Expected", expected)).collect();
    };
    // Where they first differ as they are shown: an escape takes several columns.
    let same = received.chars().zip(expected.chars()).take_while(|(one, other)| one == other).count();
    let differ = fields::get(explanation, "first_difference").is_u64();
    let (received, expected): (Vec<char>, Vec<char>) = (received.chars().collect(), expected.chars().collect());
    let part = |text: &[char], at: usize| -> String { text.iter().skip(at).take(SIGNATURE_WIDTH).collect() };
    let mut lines = vec![String::new()];
    for at in (0..received.len().max(expected.len()).max(1)).step_by(SIGNATURE_WIDTH) {
        let label = |label: &'static str| if at == 0 { label } else { "" };
        lines.push(format!("{:8}  {}", label("Received"), part(&received, at)).trim_end().to_owned());
        lines.push(format!("{:8}  {}", label("Expected"), part(&expected, at)).trim_end().to_owned());
        if differ && (at..at + SIGNATURE_WIDTH).contains(&same) {
            lines.push(format!("{:8}  {}^ first difference", "", " ".repeat(same - at)));
        }
    }
    lines
}

/// The signed text with its line ends, tabs and hidden characters visible.
fn signed(explanation: &Value) -> Vec<String> {
    let Some(text) = fields::get(explanation, "signed_content_preview").as_str() else { return Vec::new() };
    let length = fields::text(explanation, "signed_content_length");
    let mut lines = vec![String::new(), format!("Signed text, {length} bytes:")];
    let mut rest = text.split('\n').peekable();
    while let Some(line) = rest.next() {
        let visible = line.replace('\r', "␍").replace('\t', "␉");
        let bare = visible.trim_end_matches(' ');
        let spaces = "·".repeat(visible.len() - bare.len());
        let end = if rest.peek().is_some() { "␊" } else { "" };
        lines.push(format!("  {}{spaces}{end}", escape::line(bare)));
    }
    if let Some(omitted) = fields::get(explanation, "signed_content_omitted").as_u64().filter(|omitted| *omitted > 0) {
        lines.push(format!("  … and {omitted} bytes more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(explanation: &Value) -> String {
        lines(&Console::new(true), explanation).join("\n")
    }

    #[test]
    fn an_explanation_shows_what_is_known_and_leaves_out_the_rest() {
        let explanation = json!({"status": "invalid", "reason": "wrong_secret_or_body", "timestamp": null,
            "summary": "It does not match.", "received": "sha256=\u{1b}[2J", "findings": [{"code": "trailing_newline",
            "confidence": "certain", "explanation": "e", "fix": "f"}], "not_tried": ["This and that."]});
        let text = shown(&explanation);
        assert!(text.starts_with("Signature  invalid (wrong_secret_or_body)\nIt does not match.\n"), "{text}");
        assert!(text.contains("sha256=\\x1b[2J"), "{text}");
        assert!(text.contains("trailing_newline (certain)\n  e\n  f\n  Not tried: This and that."), "{text}");
        assert!(!text.contains("Timestamp"), "{text}");
    }

    #[test]
    fn the_first_difference_is_marked_below_both_signatures_on_whichever_line_it_is() {
        let text = shown(&json!({"received": "v1=abXd", "expected": "v1=abcd", "first_difference": 5}));
        assert!(text.ends_with("Received  v1=abXd\nExpected  v1=abcd\n               ^ first difference"), "{text}");
        let (same, tail) = ("a".repeat(SIGNATURE_WIDTH), "b".repeat(4));
        let text = shown(&json!({"received": format!("{same}{tail}x"), "expected": format!("{same}{tail}y"),
            "first_difference": 68}));
        let last = "          bbbbx\n          bbbby\n              ^ first difference";
        assert!(text.ends_with(last), "{text}");
        let equal = shown(&json!({"received": "AB", "expected": "ab", "first_difference": null}));
        assert!(!equal.contains('^'), "{equal}");
    }

    #[test]
    fn the_signed_text_shows_what_cannot_be_seen() {
        let text = shown(&json!({"signed_content_preview": "1.{ \r\n\t}  \n\u{0}", "signed_content_length": 2000,
            "signed_content_omitted": 976}));
        let visible = "Signed text, 2000 bytes:\n  1.{ ␍␊\n  ␉}··␊\n  \\x00\n  … and 976 bytes more";
        assert!(text.ends_with(visible), "{text}");
    }
}
