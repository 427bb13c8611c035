//! `creel send`: a signed sample event, posted to any URL; offline.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::Args;
use serde_json::{Value, json};
use url::Url;

use super::args::http_url;
use super::console::Console;
use super::error::{CliError, Exit};
use super::escape;
use super::signing::{Signing, SigningArgs};
use super::table::{Align, Table};
use super::throwaway::ThrowawayArgs;
use crate::app::post_directly;
use crate::domain::{DeliveryId, Headers};
use crate::signature::{Catalogue, Provider, Sample, SignedRequest};

/// Bytes of an answer's body that are shown to people.
const ANSWER_SHOWN_BYTES: usize = 16 * 1024;

/// Send a sample event of a provider to a URL, signed as the provider would
///
/// Needs no running engine. Exit code 0: it was answered with 2xx. With --json the request as sent and the answer; a
/// secret of yours that is sent as it is shows as `(secret)`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SendArgs {
    #[command(flatten)]
    signing: SigningArgs,

    #[command(flatten)]
    throwaway: ThrowawayArgs,

    /// Which of the provider's sample events [default: its first]; see --list
    #[arg(long, value_name = "E")]
    event: Option<String>,

    /// Where to
    #[arg(long, value_name = "URL", value_parser = http_url, required_unless_present = "list")]
    to: Option<String>,

    /// Send it without a signature
    #[arg(long, conflicts_with_all = ["throwaway", "secret_file"])]
    unsigned: bool,

    /// Allow a URL that is not on this machine
    #[arg(long)]
    allow_non_loopback: bool,

    /// List the provider's sample events, and send nothing
    #[arg(long, conflicts_with_all = ["to", "event"])]
    list: bool,
}

const EXAMPLES: &str = "\
Examples:
  creel send --provider stripe --event invoice.paid --to http://localhost:3000/webhooks --secret-file secret.txt
  creel send --provider github --list
  creel send --provider discord --throwaway --keep key.pem --to http://localhost:3000/interactions
  creel send --provider generic --unsigned --to http://localhost:3000 --body-file order.json -H 'X-Test: 1'

--header replaces the sample's header of that name, --body-file its body. --url is the URL that is signed [default: --to].";

/// What goes out, and what it was signed with.
struct Outgoing {
    event: Option<String>,
    headers: Headers,
    body: Vec<u8>,
    /// Headers and body as they may be shown.
    shown: (Vec<(String, String)>, Vec<u8>),
    signed: Option<Told>,
}

/// What is told of a signature.
struct Told {
    scheme: String,
    public_key: Option<String>,
    throwaway_secret: Option<String>,
}

/// Lists samples; everything else is [`run`].
pub(super) fn list(args: &SendArgs, console: &Console) -> Option<Result<Exit, CliError>> {
    args.list.then(|| {
        let catalogue = Catalogue::embedded()?;
        let provider = args.signing.provider(&catalogue)?;
        let events: Vec<&str> = provider.samples.iter().map(|sample| sample.event.as_str()).collect();
        if console.json() {
            console.object(&json!({ "provider": provider.slug, "sample_events": events }))?;
            return Ok(Exit::Ok);
        }
        if events.is_empty() {
            console.note(&format!("there are no samples of {}; --body-file sends a body of your own", provider.name));
            return Ok(Exit::Ok);
        }
        let mut table = Table::new(&[("EVENT", Align::Left)]);
        events.iter().for_each(|event| table.push([escape::line(event).into_owned()]));
        console.lines(table.lines())?;
        Ok(Exit::Ok)
    })
}

/// Runs the command.
pub(super) async fn run(args: SendArgs, console: &Console) -> Result<Exit, CliError> {
    // As it goes out: a bare host gets its `/`, a scheme's own port is left out. That is what is signed.
    let to = args.to.as_deref().and_then(|to| Url::parse(to).ok()).map(String::from).unwrap_or_default();
    let to = to.as_str();
    let signing = args.signing.read(console)?;
    let outgoing = outgoing(&args, &signing, to, console)?;
    let body = Bytes::from(outgoing.body.clone());
    let headers = outgoing.headers.clone();
    let result = post_directly(signing.method, to, headers, body, args.allow_non_loopback).await?;
    let response = result.response.as_ref();
    let answered = response.map(|response| response.status);
    if console.json() {
        let shown = response.map(|response| {
            json!({ "status": response.status, "headers": response.headers.to_text_pairs(),
                "body_base64": STANDARD.encode(&response.body), "truncated": response.truncated })
        });
        console.object(&json!({ "provider": signing.provider.slug, "event": outgoing.event, "request": request_of(&signing, to, &outgoing),
            "signed": outgoing.signed.is_some(),
            "scheme": outgoing.signed.as_ref().map(|told| &told.scheme),
            "public_key": outgoing.signed.as_ref().and_then(|told| told.public_key.as_ref()),
            "throwaway_secret": outgoing.signed.as_ref().and_then(|told| told.throwaway_secret.as_ref()),
            "response": shown, "outcome": result.outcome, "reason": result.reason,
            "duration_ms": result.timing.total_ms }))?;
    } else {
        console.lines(sent_lines(&signing, to, &outgoing))?;
        let took = result.timing.total_ms;
        match (response, answered) {
            (Some(response), Some(status)) => {
                console.lines([String::new(), format!("Answered {status} in {took} ms")])?;
                let shown = &response.body[..response.body.len().min(ANSWER_SHOWN_BYTES)];
                if !shown.is_empty() {
                    console.lines([escape::block(shown)])?;
                }
            }
            _ => {
                let reason = result.reason.unwrap_or_else(|| "no answer came".to_owned());
                console.lines([String::new(), format!("Not answered: {}", escape::line(&reason))])?;
            }
        }
    }
    Ok(if matches!(answered, Some(200..=299)) { Exit::Ok } else { Exit::Failure })
}

/// The sample with what replaces parts of it, signed.
fn outgoing(args: &SendArgs, signing: &Signing<'_>, to: &str, console: &Console) -> Result<Outgoing, CliError> {
    let sample = sample_of(&signing.provider, args.event.as_deref(), signing.body.is_some())?;
    let made = sample.map(|sample| sample.request(*DeliveryId::new().as_bytes(), signing.now)).transpose();
    let made = made.map_err(|error| CliError::Content {
        message: format!("the sample cannot be sent: {error}"),
        help: "This is a fault of Creel; please report it.".to_owned(),
    })?;
    let (headers, body) = made.map(|made| (made.headers, made.body)).unwrap_or_default();
    let headers = replaced(&headers, &signing.headers)?;
    let body = signing.body.clone().unwrap_or(body);
    let event = sample.map(|sample| sample.event.clone());
    if args.unsigned || !signing.provider.signs() {
        if !args.unsigned {
            console.note(&format!("{} signs nothing, so it is sent without a signature", signing.provider.name));
        }
        let shown = (headers.to_text_pairs(), body.clone());
        return Ok(Outgoing { event, headers, body, shown, signed: None });
    }
    let url = Some(signing.url.unwrap_or(to));
    let request = SignedRequest { method: signing.method, url, headers: &headers, body: &body };
    let key = args.throwaway.key(signing, &request)?;
    let signed = signing.provider.sign(signing.scheme, &signing.options, &key.secret, &request, signing.now)?;
    let headers = signed.headers_in(&headers).map_err(|error| bad_header(&error.to_string()))?;
    let body = signed.body.clone().unwrap_or(body);
    // A throwaway is told anyway; the user's own secret is not, also where a request carries it as it is.
    let shown =
        if key.is_throwaway { (headers.to_text_pairs(), body.clone()) } else { signed.without_secret(&headers, &body) };
    let throwaway_secret = key.shown(signed.public_key.as_deref()).map(str::to_owned);
    let told = Told { scheme: signed.scheme, public_key: signed.public_key, throwaway_secret };
    Ok(Outgoing { event, headers, body, shown, signed: Some(told) })
}

/// The sample of an event; none when the body is the user's own and no event was asked for.
fn sample_of<'a>(provider: &'a Provider, event: Option<&str>, own_body: bool) -> Result<Option<&'a Sample>, CliError> {
    let found = match event {
        None => provider.samples.first(),
        Some(event) => provider.samples.iter().find(|sample| sample.event == event),
    };
    if found.is_some() || (own_body && event.is_none()) {
        return Ok(found);
    }
    let known: Vec<&str> = provider.samples.iter().map(|sample| sample.event.as_str()).collect();
    Err(CliError::UnknownSample { slug: provider.slug.clone(), known: known.join(", ") })
}

/// The headers with others in place of those of the same name.
fn replaced(headers: &Headers, others: &Headers) -> Result<Headers, CliError> {
    let kept = headers.iter().filter(|(name, _)| others.get(name).is_none());
    Headers::from_pairs(kept.chain(others.iter())).map_err(|error| bad_header(&error.to_string()))
}

fn bad_header(message: &str) -> CliError {
    CliError::Usage { message: message.to_owned(), help: "Send fewer or shorter headers.".to_owned() }
}

fn request_of(signing: &Signing<'_>, to: &str, outgoing: &Outgoing) -> Value {
    json!({ "method": signing.method, "url": to, "headers": outgoing.shown.0,
        "body_base64": STANDARD.encode(&outgoing.shown.1) })
}

/// What was sent, for people: the headers are what one wants to look at.
fn sent_lines(signing: &Signing<'_>, to: &str, outgoing: &Outgoing) -> Vec<String> {
    let event = outgoing.event.as_deref().unwrap_or("your body");
    let mut lines = vec![
        format!("Sent {} of {} to {}", escape::line(event), signing.provider.name, escape::line(to)),
        format!("{} with {} bytes", escape::line(signing.method), outgoing.body.len()),
    ];
    for (name, value) in &outgoing.shown.0 {
        lines.push(format!("  {}", escape::line(&format!("{name}: {value}"))));
    }
    match &outgoing.signed {
        None => lines.push("Not signed".to_owned()),
        Some(told) => {
            lines.push(format!("Signed as {}", told.scheme));
            if let Some(secret) = &told.throwaway_secret {
                lines.push(format!("Throwaway secret: {}", escape::line(secret)));
            }
            if let Some(key) = &told.public_key {
                lines.push(format!("Public key: {}", key.trim_end()));
            }
        }
    }
    lines
}
