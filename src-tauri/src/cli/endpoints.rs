//! `creel endpoints`: list, create, show, delete.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Value, json};

use super::args::http_url;
use super::console::Console;
use super::error::{CliError, Exit};
use super::table::{Align, Table};
use super::{Place, fields, input};
use crate::client::{Client, ClientError};
use crate::domain::{EndpointId, Secret};

/// List, create, show and delete endpoints
///
/// An endpoint is one ingress URL with its provider, signing secret, policies and targets.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct EndpointsArgs {
    #[command(subcommand)]
    command: EndpointsCommand,
}

const EXAMPLES: &str = "\
Examples:
  creel endpoints list
  creel endpoints create shop --provider github --to http://localhost:3000/hooks --secret-file secret.txt
  creel endpoints show shop
  creel endpoints delete shop";

#[derive(Debug, Subcommand)]
enum EndpointsCommand {
    /// List all endpoints
    #[command(after_help = "Example:\n  creel endpoints list --json | jq -r '.endpoints[].ingress_url'")]
    List,
    Create(Box<CreateArgs>),
    /// Show one endpoint: its URL, policies, targets and warnings
    #[command(after_help = "Example:\n  creel endpoints show shop")]
    Show(EndpointArg),
    /// Delete one endpoint with all its deliveries; its URL is unknown at once
    #[command(after_help = "Example:\n  creel endpoints delete 0198c0de-0000-7000-8000-000000000000")]
    Delete(EndpointArg),
}

/// Which endpoint.
#[derive(Debug, Args)]
struct EndpointArg {
    /// Id or name of the endpoint
    #[arg(value_name = "ENDPOINT")]
    endpoint: String,
}

/// Create an endpoint and print its URL
#[derive(Debug, Args)]
#[command(after_help = CREATE_EXAMPLES)]
struct CreateArgs {
    /// Name for people
    #[arg(value_name = "NAME", required_unless_present = "name_option", conflicts_with = "name_option")]
    name: Option<String>,

    /// The same as NAME
    #[arg(long = "name", value_name = "NAME", hide = true)]
    name_option: Option<String>,

    /// How the sender signs and names its events; `creel providers` lists them [default: generic]
    #[arg(long, value_name = "P")]
    provider: Option<String>,

    /// Which of the provider's schemes [default: its first]
    #[arg(long, value_name = "S")]
    scheme: Option<String>,

    /// What the scheme needs beyond one secret: a JSON object
    #[arg(long, value_name = "F.json")]
    options_file: Option<PathBuf>,

    /// File with the signing secret, `-` for stdin; else $CREEL_SIGNING_SECRET; else none
    #[arg(long, value_name = "F")]
    secret_file: Option<PathBuf>,

    /// URL of your app that deliveries are relayed to; repeatable
    #[arg(long = "to", value_name = "URL", value_parser = http_url)]
    targets: Vec<String>,

    /// Allow targets that are not on this machine
    #[arg(long)]
    allow_non_loopback: bool,

    /// `json` refuses bodies that are no JSON object or array [default: any]
    #[arg(long, value_name = "any|json", value_parser = ["any", "json"])]
    body_policy: Option<String>,

    /// `observe` relays deliveries whose signature does not hold [default: enforce]
    #[arg(long, value_name = "enforce|observe", value_parser = ["enforce", "observe"])]
    signature_policy: Option<String>,

    /// `relay` stores and relays repeats as deliveries of their own [default: collapse]
    #[arg(long, value_name = "collapse|relay", value_parser = ["collapse", "relay"])]
    duplicate_policy: Option<String>,

    /// `passthrough` gives the sender your app's answer [default: ack]
    #[arg(long, value_name = "ack|passthrough", value_parser = ["ack", "passthrough"])]
    reply: Option<String>,

    /// Relay only this event; repeatable [default: all]
    #[arg(long = "event", value_name = "E")]
    events: Vec<String>,

    /// URL under which senders reach this endpoint's ingress, in place of the engine's
    #[arg(long, value_name = "URL", value_parser = http_url)]
    public_url: Option<String>,
}

const CREATE_EXAMPLES: &str = "\
Examples:
  creel endpoints create shop --to http://localhost:3000/hooks
  creel endpoints create repo --provider github --secret-file secret.txt --event push --event pull_request
  printf %s \"$SECRET\" | creel endpoints create repo --provider github --secret-file -";

/// Runs the command.
pub(super) async fn run(args: EndpointsArgs, place: Place, console: &Console) -> Result<Exit, CliError> {
    let client = Client::connect(&place.data_dir()?).await?;
    match args.command {
        EndpointsCommand::List => list(&client, console).await,
        EndpointsCommand::Create(args) => create(*args, &client, console).await,
        EndpointsCommand::Show(arg) => show(&find(&client, &arg.endpoint).await?, console),
        EndpointsCommand::Delete(arg) => {
            let endpoint = find(&client, &arg.endpoint).await?;
            client.call(Method::DELETE, &path_of(&endpoint)?, &[], None).await?;
            if !console.json() {
                console.lines([format!(
                    "Deleted {} {}",
                    fields::text(&endpoint, "id"),
                    fields::text(&endpoint, "name")
                )])?;
            }
            Ok(Exit::Ok)
        }
    }
}

async fn list(client: &Client, console: &Console) -> Result<Exit, CliError> {
    let answer = client.call(Method::GET, "/endpoints", &[], None).await?;
    if console.json() {
        console.object(&answer)?;
        return Ok(Exit::Ok);
    }
    let left = Align::Left;
    let mut table = Table::new(&[
        ("NAME", left),
        ("PROVIDER", left),
        ("STATE", left),
        ("SECRET", left),
        ("TARGETS", left),
        ("LAST DELIVERY", left),
        ("ID", left),
    ]);
    for endpoint in fields::items(&answer, "endpoints") {
        let targets: Vec<String> =
            fields::items(endpoint, "targets").iter().map(|target| fields::text(target, "url")).collect();
        let state = if fields::get(endpoint, "enabled") == &Value::Bool(false) { "paused" } else { "on" };
        table.push([
            fields::text(endpoint, "name"),
            fields::text(endpoint, "provider"),
            state.to_owned(),
            fields::text(endpoint, "has_signing_secret"),
            if targets.is_empty() { "-".to_owned() } else { targets.join(" ") },
            fields::time(endpoint, "last_delivery_at"),
            fields::text(endpoint, "id"),
        ]);
    }
    console.lines(table.lines())?;
    Ok(Exit::Ok)
}

fn show(endpoint: &Value, console: &Console) -> Result<Exit, CliError> {
    if console.json() {
        console.object(endpoint)?;
        return Ok(Exit::Ok);
    }
    let field = |name: &str| fields::text(endpoint, name);
    let reply = fields::text(fields::get(endpoint, "reply"), "mode");
    let mut pairs = vec![
        ("Name", field("name")),
        ("Id", field("id")),
        ("URL", field("ingress_url")),
        ("Public URL", field("public_url")),
        ("Provider", field("provider")),
        ("Scheme", field("scheme")),
        ("Secret", secret_line(endpoint)),
        ("Enabled", field("enabled")),
        ("Body policy", field("body_policy")),
        ("Signature policy", field("signature_policy")),
        ("Duplicate policy", field("duplicate_policy")),
        ("When target down", field("when_target_down")),
        ("Reply", reply),
        (
            "Event filters",
            fields::items(endpoint, "event_filters").iter().map(filter_text).collect::<Vec<_>>().join(", "),
        ),
    ];
    for target in fields::items(endpoint, "targets") {
        let paused = if fields::get(target, "enabled") == &Value::Bool(false) { " (off)" } else { "" };
        pairs.push(("Target", format!("{}{paused}", fields::text(target, "url"))));
    }
    for warning in fields::items(endpoint, "warnings") {
        pairs.push(("Warning", fields::text(warning, "message")));
    }
    pairs.push(("Last delivery", field("last_delivery_at")));
    pairs.push(("Created", field("created_at")));
    for (_, value) in &mut pairs {
        if value.is_empty() {
            "-".clone_into(value);
        }
    }
    console.lines(fields::pairs(&pairs))?;
    Ok(Exit::Ok)
}

fn filter_text(filter: &Value) -> String {
    let actions: Vec<String> = fields::items(filter, "actions").iter().map(fields::shown).collect();
    let event = fields::text(filter, "event");
    if actions.is_empty() { event } else { format!("{event} ({})", actions.join(", ")) }
}

fn secret_line(endpoint: &Value) -> String {
    if fields::get(endpoint, "has_signing_secret") != &Value::Bool(true) {
        return "none".to_owned();
    }
    match fields::get(endpoint, "signing_secret_hint").as_str() {
        Some(_) => format!("set, ends with {}", fields::text(endpoint, "signing_secret_hint")),
        None => "set".to_owned(),
    }
}

async fn create(args: CreateArgs, client: &Client, console: &Console) -> Result<Exit, CliError> {
    // Read before anything is made: a wrong path must leave nothing behind.
    let secret = input::secret(args.secret_file.as_deref(), console)?;
    let options = args.options_file.as_deref().map(|path| input::options(Some(path))).transpose()?;
    let made = client.call(Method::POST, "/endpoints", &[], Some(&args.into_body(options))).await?;
    let endpoint = match secret {
        Some(secret) => put_secret(client, &made, &secret).await?,
        None => made,
    };
    show(&endpoint, console)
}

impl CreateArgs {
    /// Only what was given: the engine knows the defaults.
    fn into_body(self, options: Option<Value>) -> Value {
        let mut body = Map::new();
        let mut put = |field: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(field.to_owned(), value);
            }
        };
        put("name", self.name.or(self.name_option).map(Value::from));
        put("provider", self.provider.map(Value::from));
        put("scheme", self.scheme.map(Value::from));
        put("provider_options", options);
        put("body_policy", self.body_policy.map(Value::from));
        put("signature_policy", self.signature_policy.map(Value::from));
        put("duplicate_policy", self.duplicate_policy.map(Value::from));
        put("reply", self.reply.map(|mode| json!({ "mode": mode })));
        put("public_url_override", self.public_url.map(Value::from));
        put("allow_non_loopback", self.allow_non_loopback.then_some(Value::Bool(true)));
        let filters: Vec<Value> = self.events.iter().map(|event| json!({ "event": event })).collect();
        put("event_filters", (!filters.is_empty()).then_some(Value::Array(filters)));
        let targets: Vec<Value> = self.targets.iter().map(|url| json!({ "url": url })).collect();
        put("targets", (!targets.is_empty()).then_some(Value::Array(targets)));
        Value::Object(body)
    }
}

/// Makes a secret the only one of an endpoint; gives the endpoint back.
pub(super) async fn put_secret(client: &Client, endpoint: &Value, secret: &Secret) -> Result<Value, CliError> {
    let path = format!("{}/signing-secret", path_of(endpoint)?);
    let body = json!({ "signing_secret": secret.expose() });
    Ok(client.call(Method::PUT, &path, &[], Some(&body)).await?)
}

/// The path of an endpoint's object.
pub(super) fn path_of(endpoint: &Value) -> Result<String, ClientError> {
    match fields::get(endpoint, "id").as_str().map(str::parse::<EndpointId>) {
        Some(Ok(id)) => Ok(format!("/endpoints/{id}")),
        _ => Err(ClientError::BadAnswer { why: "an endpoint has no id".to_owned() }),
    }
}

/// The endpoint of an id, or the only one of a name.
pub(super) async fn find(client: &Client, id_or_name: &str) -> Result<Value, CliError> {
    if let Ok(id) = id_or_name.parse::<EndpointId>() {
        return Ok(client.call(Method::GET, &format!("/endpoints/{id}"), &[], None).await?);
    }
    find_by_name(client, id_or_name).await?.ok_or_else(|| CliError::Endpoint {
        code: "endpoint_not_found",
        message: format!("there is no endpoint `{id_or_name}`"),
        help: "`creel endpoints list` shows what there is.".to_owned(),
    })
}

/// The only endpoint of a name; none when there is none.
pub(super) async fn find_by_name(client: &Client, name: &str) -> Result<Option<Value>, CliError> {
    let answer = client.call(Method::GET, "/endpoints", &[], None).await?;
    let named: Vec<&Value> = fields::items(&answer, "endpoints")
        .iter()
        .filter(|endpoint| fields::get(endpoint, "name").as_str() == Some(name))
        .collect();
    match named.as_slice() {
        [] => Ok(None),
        [endpoint] => Ok(Some((*endpoint).clone())),
        several => Err(CliError::Endpoint {
            code: "endpoint_ambiguous",
            message: format!("{} endpoints have the name `{name}`", several.len()),
            help: "Give the id instead; `creel endpoints list` shows it.".to_owned(),
        }),
    }
}
