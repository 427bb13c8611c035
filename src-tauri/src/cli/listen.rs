//! `creel listen`: an endpoint and its live log in one command.

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use http::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::args::{http_url, loopback_address};
use super::console::Console;
use super::error::{CliError, Exit};
use super::live_lines::{LiveLines, line};
use super::serve::StopSignal;
use super::{Place, endpoints, fields, input, tunnel};
use crate::client::{Client, ClientError, Event};
use crate::domain::Secret;
use crate::engine::{self, EngineConfig, Running};

/// Name of the endpoint unless one is given.
const NAME: &str = "listen";
/// How often it is looked whether a line has waited long enough.
const TICK: Duration = Duration::from_millis(250);
/// Rows fetched at once after a gap: the API's largest page.
const PAGE_ROWS: u32 = 500;

/// Catch webhooks, relay them to your app, and watch them arrive: one command
///
/// Uses the running engine of the data directory, or runs one itself until Ctrl-C. Creates the endpoint, or reuses the
/// one of that name, prints the URL to give to the sender, then one line for each delivery, with your app's answer.
/// Where that takes longer than 2 s, the delivery gets a line at once and another when it ends.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ListenArgs {
    /// URL of your app
    #[arg(long, value_name = "URL", value_parser = http_url)]
    to: String,

    /// How the sender signs and names its events; `creel providers` lists them [default: generic]
    #[arg(long, value_name = "P")]
    provider: Option<String>,

    /// File with the signing secret, `-` for stdin; else $CREEL_SIGNING_SECRET; else the endpoint's own, if any
    #[arg(long, value_name = "F")]
    secret_file: Option<PathBuf>,

    /// Name of the endpoint
    #[arg(long, value_name = "N", default_value = NAME)]
    name: String,

    /// Allow an app that is not on this machine
    #[arg(long)]
    allow_non_loopback: bool,

    /// Make the endpoint reachable from the internet with this tunnel; `creel tunnel providers` lists them
    #[arg(long, value_name = "TUNNEL")]
    tunnel: Option<String>,

    /// Option of the tunnel; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = tunnel::option, requires = "tunnel")]
    tunnel_option: Vec<(String, String)>,

    /// File with the tunnel's secret or token, `-` for stdin; else $CREEL_TUNNEL_SECRET
    #[arg(long, value_name = "F", requires = "tunnel")]
    tunnel_secret_file: Option<PathBuf>,

    /// Where senders deliver, if this command runs the engine itself [default: 127.0.0.1:4100]
    #[arg(long, value_name = "ADDR:PORT")]
    ingress: Option<SocketAddr>,

    /// Where API and UI are served, if this command runs the engine itself [default: 127.0.0.1:4101]
    #[arg(long, value_name = "ADDR:PORT", value_parser = loopback_address)]
    admin: Option<SocketAddr>,
}

const EXAMPLES: &str = "\
Examples:
  creel listen --to http://localhost:3000/webhooks
  creel listen --to http://localhost:3000/webhooks --provider github --secret-file secret.txt --name my-repo
  creel listen --to http://localhost:3000/webhooks --tunnel cloudflared
  creel listen --to http://localhost:3000/webhooks --json | jq .event

With --json the first line is the endpoint, each further line a delivery.";

/// Runs the command.
pub(super) async fn run(args: ListenArgs, place: Place, console: &Console) -> Result<Exit, CliError> {
    let secret = input::secret(args.secret_file.as_deref(), console)?;
    let data_dir = place.data_dir()?;
    let mut stop = StopSignal::new()?;
    let (client, own_engine) = engine_of(&args, &data_dir, console).await?;
    let mut live = LiveLines::after(0);
    let started_tunnel = Cell::new(false);
    let session = Session {
        args: &args,
        client: &client,
        own_engine: own_engine.as_ref(),
        console,
        started_tunnel: &started_tunnel,
    };
    let followed = tokio::select! {
        result = session.follow(secret, &mut live) => result,
        () = stop.wait() => session.print(live.rest()),
    };
    // A tunnel that this command started in another engine ends with it; one of its own engine does anyway.
    if started_tunnel.get() && own_engine.is_none() {
        tunnel::stop(&client, console).await;
    }
    // The engine is stopped whatever became of the session: it owns files and tasks.
    let stopped = match own_engine {
        Some(running) => running.stop().await,
        None => Ok(()),
    };
    followed?;
    stopped?;
    Ok(Exit::Ok)
}

async fn engine_of(
    args: &ListenArgs,
    data_dir: &Path,
    console: &Console,
) -> Result<(Client, Option<Running>), CliError> {
    match Client::connect(data_dir).await {
        Ok(client) => {
            if args.ingress.is_some() || args.admin.is_some() {
                console.note("an engine is running already; --ingress and --admin do not apply");
            }
            Ok((client, None))
        }
        Err(error) if error.means_not_running() => {
            let mut config = EngineConfig::new(data_dir.to_owned());
            config.ingress = args.ingress.unwrap_or(config.ingress);
            config.admin = args.admin.unwrap_or(config.admin);
            let running = engine::start(config).await?;
            match Client::connect(data_dir).await {
                Ok(client) => Ok((client, Some(running))),
                Err(error) => {
                    running.stop().await?;
                    Err(error.into())
                }
            }
        }
        Err(error) => Err(error.into()),
    }
}

struct Session<'a> {
    args: &'a ListenArgs,
    client: &'a Client,
    own_engine: Option<&'a Running>,
    console: &'a Console,
    /// Whether this command started a tunnel.
    started_tunnel: &'a Cell<bool>,
}

impl Session<'_> {
    /// Ends only with an error; dropped when the user has seen enough.
    async fn follow(&self, secret: Option<Secret>, live: &mut LiveLines) -> Result<(), CliError> {
        // Subscribed before the endpoint is announced: nothing that is sent to it can be missed.
        let mut events = self.client.events().await?;
        let mut endpoint = self.endpoint(secret).await?;
        if let Some(provider) = &self.args.tunnel {
            self.start_tunnel(provider).await?;
            // Its public URL is known now.
            endpoint = self.client.call(Method::GET, &endpoints::path_of(&endpoint)?, &[], None).await?;
        }
        *live = LiveLines::after(self.newest_seq(&endpoint).await?);
        self.announce(&endpoint)?;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = {
                let mut next = std::pin::pin!(events.next());
                // Kept over the ticks: a reconnect that takes longer than one must not begin anew with each.
                loop {
                    tokio::select! {
                        event = &mut next => break event?,
                        _ = tick.tick() => self.print(live.overdue(Instant::now()))?,
                    }
                }
            };
            match rows_of(&event, events.client(), &endpoint, live).await {
                Ok(rows) => self.print(rows)?,
                // The engine is going: what was to be fetched is fetched when it is back.
                Err(error) if error.means_engine_out_of_reach() => events.start_over(),
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn start_tunnel(&self, provider: &str) -> Result<(), CliError> {
        let options = tunnel::OptionArgs {
            option: self.args.tunnel_option.clone(),
            secret_file: self.args.tunnel_secret_file.clone(),
        };
        self.console.note(&format!("starting the tunnel {provider}"));
        let state = tunnel::start(self.client, provider, &options, self.console, self.started_tunnel).await?;
        if tunnel::stands(&state) {
            return Ok(());
        }
        let why = fields::get(&state, "reason").as_str().unwrap_or("it does not stand yet");
        let hint = fields::get(&state, "hint").as_str().unwrap_or("See `creel tunnel status`.");
        Err(CliError::Endpoint {
            code: "tunnel_failed",
            message: format!("the tunnel does not stand: {why}"),
            help: hint.to_owned(),
        })
    }

    async fn newest_seq(&self, endpoint: &Value) -> Result<i64, CliError> {
        let path = format!("{}/deliveries", endpoints::path_of(endpoint)?);
        let page = self.client.call(Method::GET, &path, &[("limit", "1".to_owned())], None).await?;
        Ok(fields::items(&page, "deliveries").first().and_then(|row| fields::get(row, "seq").as_i64()).unwrap_or(0))
    }

    /// The endpoint of this name, made or brought in line with the arguments.
    async fn endpoint(&self, secret: Option<Secret>) -> Result<Value, CliError> {
        let endpoint = match endpoints::find_by_name(self.client, &self.args.name).await? {
            Some(endpoint) => self.reuse(endpoint).await?,
            None => {
                let mut body = json!({ "name": self.args.name, "targets": [{ "url": self.args.to }] });
                if let Some(provider) = &self.args.provider {
                    body["provider"] = Value::from(provider.as_str());
                }
                if self.args.allow_non_loopback {
                    body["allow_non_loopback"] = Value::Bool(true);
                }
                self.client.call(Method::POST, "/endpoints", &[], Some(&body)).await?
            }
        };
        match secret {
            Some(secret) => endpoints::put_secret(self.client, &endpoint, &secret).await,
            None => Ok(endpoint),
        }
    }

    async fn reuse(&self, endpoint: Value) -> Result<Value, CliError> {
        let change = changes(&endpoint, self.args)?;
        if change.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(endpoint);
        }
        let path = endpoints::path_of(&endpoint)?;
        let changed = self.client.call(Method::PATCH, &path, &[], Some(&change)).await?;
        let name = &self.args.name;
        for (field, what) in [
            ("targets", format!("now relays to {}", self.args.to)),
            ("provider", format!("now has the provider {}", fields::text(&changed, "provider"))),
            ("enabled", "was paused and is on again".to_owned()),
        ] {
            if change.get(field).is_some() {
                self.console.note(&format!("endpoint `{name}` {what}"));
            }
        }
        Ok(changed)
    }

    fn announce(&self, endpoint: &Value) -> Result<(), CliError> {
        if self.console.json() {
            return self.console.object(endpoint);
        }
        let mut pairs = vec![("Ingress", fields::text(endpoint, "ingress_url"))];
        if !fields::get(endpoint, "public_url").is_null() {
            pairs.push(("Public", fields::text(endpoint, "public_url")));
        }
        pairs.push(("Relays", self.args.to.clone()));
        if let Some(running) = self.own_engine {
            pairs.push(("UI", running.ui_url()));
        }
        self.console.lines(fields::pairs(&pairs))?;
        self.console.note("waiting for deliveries; Ctrl-C ends");
        Ok(())
    }

    fn print(&self, rows: Vec<Value>) -> Result<(), CliError> {
        if self.console.json() {
            return rows.iter().try_for_each(|row| self.console.object(row));
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.console.lines(rows.iter().map(|row| line(self.console, row)))
    }
}

/// The rows that an event makes worth showing.
async fn rows_of(
    event: &Event,
    client: &Client,
    endpoint: &Value,
    live: &mut LiveLines,
) -> Result<Vec<Value>, ClientError> {
    match event.name.as_str() {
        "delivery" => {
            let row: Value = serde_json::from_str(&event.data)
                .map_err(|error| ClientError::BadAnswer { why: format!("an event: {error}") })?;
            let ours = fields::get(&row, "endpoint_id") == fields::get(endpoint, "id");
            Ok(if ours { live.take(row, Instant::now()) } else { None }.into_iter().collect())
        }
        "resync" => missed_rows(client, endpoint, live).await,
        _ => Ok(Vec::new()),
    }
}

/// Fetches what may have happened during a gap; gives the rows worth showing, oldest first.
async fn missed_rows(client: &Client, endpoint: &Value, live: &mut LiveLines) -> Result<Vec<Value>, ClientError> {
    let path = format!("{}/deliveries", endpoints::path_of(endpoint)?);
    let after = live.fetch_after();
    let mut missed = Vec::new();
    let mut before: Option<i64> = None;
    loop {
        let mut query = vec![("after", after.to_string()), ("limit", PAGE_ROWS.to_string())];
        query.extend(before.map(|seq| ("before", seq.to_string())));
        let page = client.call(Method::GET, &path, &query, None).await?;
        missed.extend_from_slice(fields::items(&page, "deliveries"));
        before = fields::get(&page, "next_before").as_i64();
        if before.is_none() || fields::items(&page, "deliveries").is_empty() {
            break;
        }
    }
    let now = Instant::now();
    Ok(missed.into_iter().rev().filter_map(|row| live.take(row, now)).collect())
}

/// What must change for an endpoint to relay as the arguments say; an empty object when nothing must.
///
/// A single other target is replaced: it is the app's address of yesterday. Several were configured with care: they are
/// left alone, and that is an error.
fn changes(endpoint: &Value, args: &ListenArgs) -> Result<Value, CliError> {
    let mut change = json!({});
    let targets = fields::items(endpoint, "targets");
    let has = |target: &Value| fields::get(target, "url").as_str() == Some(args.to.as_str());
    match targets.iter().position(has) {
        Some(n) if fields::get(&targets[n], "enabled") == &Value::Bool(false) => {
            let mut targets = targets.to_vec();
            targets[n]["enabled"] = Value::Bool(true);
            change["targets"] = Value::Array(targets);
        }
        Some(_) => {}
        None if targets.len() > 1 => {
            return Err(CliError::Endpoint {
                code: "endpoint_has_targets",
                message: format!("endpoint `{}` relays to {} other targets", args.name, targets.len()),
                help: "Take another --name, or add this target to the endpoint in the UI.".to_owned(),
            });
        }
        None => change["targets"] = json!([{ "url": args.to }]),
    }
    if fields::get(endpoint, "enabled") == &Value::Bool(false) {
        change["enabled"] = Value::Bool(true);
    }
    if let Some(provider) = &args.provider
        && fields::get(endpoint, "provider").as_str() != Some(provider)
    {
        change["provider"] = Value::from(provider.as_str());
    }
    if args.allow_non_loopback && fields::get(endpoint, "allow_non_loopback") != &Value::Bool(true) {
        change["allow_non_loopback"] = Value::Bool(true);
    }
    Ok(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(to: &str, provider: Option<&str>) -> ListenArgs {
        ListenArgs {
            to: to.into(),
            provider: provider.map(Into::into),
            secret_file: None,
            name: "shop".into(),
            allow_non_loopback: false,
            tunnel: None,
            tunnel_option: Vec::new(),
            tunnel_secret_file: None,
            ingress: None,
            admin: None,
        }
    }

    #[test]
    fn an_endpoint_that_relays_there_already_is_left_as_it_is() {
        let endpoint = json!({"enabled": true, "provider": "github",
            "targets": [{"url": "http://a/", "enabled": true}, {"url": "http://b/", "enabled": true}]});
        assert_eq!(changes(&endpoint, &args("http://b/", Some("github"))).unwrap(), json!({}));
        assert_eq!(changes(&endpoint, &args("http://a/", None)).unwrap(), json!({}));
    }

    #[test]
    fn a_single_other_target_is_replaced_and_several_are_not() {
        let one = json!({"enabled": true, "targets": [{"url": "http://a/", "enabled": true}]});
        let change = changes(&one, &args("http://b/", None)).unwrap();
        assert_eq!(change, json!({"targets": [{"url": "http://b/"}]}));
        let two = json!({"enabled": true, "targets": [{"url": "http://a/"}, {"url": "http://c/"}]});
        assert!(changes(&two, &args("http://b/", None)).is_err());
    }

    #[test]
    fn what_was_paused_is_switched_on_without_losing_its_settings() {
        let endpoint = json!({"enabled": false, "provider": "generic",
            "targets": [{"id": "t", "url": "http://a/", "enabled": false, "event_filters": [{"event": "x"}]}]});
        let change = changes(&endpoint, &args("http://a/", None)).unwrap();
        let target = json!({"id": "t", "url": "http://a/", "enabled": true, "event_filters": [{"event": "x"}]});
        assert_eq!(change, json!({"targets": [target], "enabled": true}));
    }

    #[test]
    fn another_provider_is_set() {
        let endpoint = json!({"enabled": true, "provider": "generic", "targets": [{"url": "http://a/"}]});
        assert_eq!(changes(&endpoint, &args("http://a/", Some("github"))).unwrap(), json!({"provider": "github"}));
    }
}
