//! `creel tunnel`: what could be started, start, stop, how it stands.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::console::Console;
use super::error::{CliError, Exit};
use super::table::{Align, Table};
use super::{Place, fields, input};
use crate::client::Client;

/// How long a start is waited for: the program's own time, and a restart.
const START_WAIT: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Make the ingress reachable from the internet, and see how that stands
///
/// Only endpoints become reachable: the admin API and everything else on this machine do not. Nothing starts by itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TunnelArgs {
    #[command(subcommand)]
    command: TunnelCommand,
}

const EXAMPLES: &str = "\
Examples:
  creel tunnel providers
  creel tunnel start cloudflared
  creel tunnel start ssh -o destination=me@server.example.com -o 'public_url=http://server.example.com:{port}'
  creel tunnel status
  creel tunnel stop";

#[derive(Debug, Subcommand)]
enum TunnelCommand {
    /// List the programs that make tunnels, which are installed, and how to get the others
    #[command(after_help = "Example:\n  creel tunnel providers")]
    Providers,
    Start(StartArgs),
    /// Stop the tunnel and wait until its program is gone
    #[command(after_help = "Example:\n  creel tunnel stop")]
    Stop,
    /// Show the tunnel's state and the end of its log
    #[command(after_help = "Example:\n  creel tunnel status --json | jq -r .public_url")]
    Status,
}

/// Start a tunnel and wait until it stands
#[derive(Debug, Args)]
#[command(after_help = START_EXAMPLES)]
struct StartArgs {
    /// Which program; `creel tunnel providers` lists them
    #[arg(value_name = "PROVIDER")]
    provider: String,

    #[command(flatten)]
    options: OptionArgs,
}

const START_EXAMPLES: &str = "\
Examples:
  creel tunnel start cloudflared
  creel tunnel start bore -o server=bore.example.com --secret-file secret.txt
  creel tunnel start custom -o 'command=[\"my-tunnel\",\"{ingress}\"]' -o 'url_pattern=https://\\S+'";

/// A tunnel's options.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct OptionArgs {
    /// Option of the tunnel's program; a list is written as JSON; repeatable
    #[arg(short = 'o', long = "option", value_name = "NAME=VALUE", value_parser = option)]
    pub(super) option: Vec<(String, String)>,

    /// File with the tunnel's secret or token, `-` for stdin; else $CREEL_TUNNEL_SECRET
    #[arg(long, value_name = "F")]
    pub(super) secret_file: Option<PathBuf>,
}

/// Names the secret in the environment.
const SECRET_VARIABLE: &str = "CREEL_TUNNEL_SECRET";

/// `NAME=VALUE`.
pub(super) fn option(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "write it as NAME=VALUE".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Runs the command.
pub(super) async fn run(args: TunnelArgs, place: Place, console: &Console) -> Result<Exit, CliError> {
    let client = Client::connect(&place.data_dir()?).await?;
    match args.command {
        TunnelCommand::Providers => providers(&client, console).await,
        TunnelCommand::Start(args) => {
            let state = start(&client, &args.provider, &args.options, console, &Cell::new(false)).await?;
            show(&state, console)?;
            Ok(if stands(&state) { Exit::Ok } else { Exit::Failure })
        }
        TunnelCommand::Stop => {
            client.call(Method::DELETE, "/tunnel", &[], None).await?;
            console.note("the tunnel is stopped");
            Ok(Exit::Ok)
        }
        TunnelCommand::Status => {
            let state = client.call(Method::GET, "/tunnel", &[], None).await?;
            show(&state, console)?;
            Ok(Exit::Ok)
        }
    }
}

/// Starts a tunnel and waits until it stands or is given up; says once what becomes reachable. `started` is set when it
/// is there to be stopped.
pub(super) async fn start(
    client: &Client,
    provider: &str,
    options: &OptionArgs,
    console: &Console,
    started: &Cell<bool>,
) -> Result<Value, CliError> {
    let known = client.call(Method::GET, "/tunnel/providers", &[], None).await?;
    let described = fields::items(&known, "providers");
    let described = described.iter().find(|one| fields::get(one, "slug").as_str() == Some(provider));
    let options = options_for(described, options, console)?;
    let body = json!({ "provider": provider, "options": options });
    let mut state = client.call(Method::POST, "/tunnel", &[], Some(&body)).await?;
    started.set(true);
    console.note(&fields::text(&known, "exposes"));
    let deadline = Instant::now() + START_WAIT;
    while !stands(&state) && fields::get(&state, "status") != "failed" && Instant::now() < deadline {
        sleep(PAUSE).await;
        state = client.call(Method::GET, "/tunnel", &[], None).await?;
    }
    Ok(state)
}

/// Stops the tunnel at the end of a command that started it.
pub(super) async fn stop(client: &Client, console: &Console) {
    if let Err(error) = client.call(Method::DELETE, "/tunnel", &[], None).await {
        console.note(&format!("the tunnel could not be stopped: {error}"));
    }
}

/// Whether the program says that the tunnel stands.
pub(super) fn stands(state: &Value) -> bool {
    matches!(fields::get(state, "status").as_str(), Some("ready" | "degraded"))
}

/// The options as the API takes them. A secret comes from a file, stdin or the environment, never from an argument.
fn options_for(provider: Option<&Value>, args: &OptionArgs, console: &Console) -> Result<Map<String, Value>, CliError> {
    let described = provider.map(|provider| fields::items(provider, "options")).unwrap_or_default();
    let kind_of = |name: &str| {
        let option = described.iter().find(|option| fields::get(option, "name").as_str() == Some(name));
        option.and_then(|option| fields::get(option, "kind").as_str())
    };
    let mut options = Map::new();
    for (name, value) in &args.option {
        if kind_of(name) == Some("secret") {
            return Err(CliError::Usage {
                message: format!("`{name}` is a secret: others can read arguments"),
                help: format!("Put it into a file and give --secret-file, or set {SECRET_VARIABLE}."),
            });
        }
        let value = match kind_of(name) {
            Some("list") => serde_json::from_str(value).map_err(|error| CliError::Usage {
                message: format!("`{name}` is no JSON list: {error}"),
                help: "Write it as [\"program\",\"argument\"].".to_owned(),
            })?,
            _ => Value::from(value.as_str()),
        };
        options.insert(name.clone(), value);
    }
    let secret_name = described.iter().find(|option| fields::get(option, "kind") == "secret");
    let given = match (&args.secret_file, std::env::var(SECRET_VARIABLE).ok().filter(|text| !text.is_empty())) {
        (Some(file), _) => input::secret_if_any(Some(file), console)?.map(|secret| secret.expose().to_owned()),
        (None, environment) => environment.filter(|_| secret_name.is_some()),
    };
    if let Some(secret) = given {
        let Some(name) = secret_name.and_then(|option| fields::get(option, "name").as_str()) else {
            return Err(CliError::Usage {
                message: "this tunnel takes no secret".to_owned(),
                help: "Leave --secret-file out.".to_owned(),
            });
        };
        options.insert(name.to_owned(), Value::from(secret));
    }
    Ok(options)
}

async fn providers(client: &Client, console: &Console) -> Result<Exit, CliError> {
    let list = client.call(Method::GET, "/tunnel/providers", &[], None).await?;
    if console.json() {
        console.object(&list)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&[
        ("PROVIDER", Align::Left),
        ("INSTALLED", Align::Left),
        ("KNOWN BY", Align::Left),
        ("WHAT IT GIVES", Align::Left),
    ]);
    for provider in fields::items(&list, "providers") {
        let installed = match (fields::get(provider, "installed").as_bool(), fields::get(provider, "version")) {
            (Some(true), version) if !version.is_null() => fields::shown(version),
            (Some(true), _) => "yes".to_owned(),
            _ => fields::text(provider, "install"),
        };
        table.push([
            fields::text(provider, "slug"),
            installed,
            fields::text(provider, "evidence"),
            fields::text(provider, "summary"),
        ]);
    }
    console.lines(table.lines())?;
    Ok(Exit::Ok)
}

fn show(state: &Value, console: &Console) -> Result<(), CliError> {
    if console.json() {
        return console.object(state);
    }
    let mut pairs = vec![("Status", fields::text(state, "status"))];
    for (label, field) in [("Provider", "provider_name"), ("Public", "public_url"), ("Why", "reason"), ("Hint", "hint")]
    {
        if !fields::get(state, field).is_null() {
            pairs.push((label, fields::text(state, field)));
        }
    }
    let probe = fields::get(state, "last_probe");
    if !probe.is_null() {
        pairs.push(("Proof", fields::text(probe, "message")));
    }
    console.lines(fields::pairs(&pairs))?;
    let log = fields::items(state, "log").iter();
    console.lines(log.map(|line| format!("  {}", fields::text(line, "text"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider() -> Value {
        json!({"options": [{"name": "secret", "kind": "secret"}, {"name": "command", "kind": "list"}]})
    }

    fn args(option: &[(&str, &str)]) -> OptionArgs {
        let option = option.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        OptionArgs { option, secret_file: None }
    }

    #[test]
    fn a_secret_is_no_argument_and_a_list_is_json() {
        let console = Console::new(true);
        let refused = options_for(Some(&provider()), &args(&[("secret", "x")]), &console).unwrap_err();
        assert_eq!(refused.exit().code(), 2);
        let made = options_for(Some(&provider()), &args(&[("command", "[\"a b\"]"), ("x", "1=2")]), &console).unwrap();
        assert_eq!(Value::Object(made), json!({"command": ["a b"], "x": "1=2"}));
        assert!(options_for(Some(&provider()), &args(&[("command", "a b")]), &console).is_err());
    }
}
