//! `creel deliveries`: list, show, body.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;

use super::console::Console;
use super::error::{CliError, Exit};
use super::table::{Align, Table};
use super::{Place, endpoints, fields};
use crate::client::Client;
use crate::domain::{DeliveryId, DeliveryStatus, SignatureStatus};

/// List deliveries, show one, or give its exact body
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DeliveriesArgs {
    #[command(subcommand)]
    command: DeliveriesCommand,
}

const EXAMPLES: &str = "\
Examples:
  creel deliveries list --endpoint shop --status failed
  creel deliveries show 0198c0de-0000-7000-8000-000000000000
  creel deliveries body 0198c0de-0000-7000-8000-000000000000 > body.json";

#[derive(Debug, Subcommand)]
enum DeliveriesCommand {
    List(ListArgs),
    /// Show one delivery: what came, its signature, what your app answered
    #[command(after_help = "Example:\n  creel deliveries show 0198c0de-0000-7000-8000-000000000000")]
    Show {
        /// Id of the delivery
        #[arg(value_name = "ID")]
        id: DeliveryId,
    },
    Body(BodyArgs),
}

/// List deliveries, newest first
#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
struct ListArgs {
    /// Only of this endpoint: its id or name
    #[arg(long, value_name = "ENDPOINT")]
    endpoint: Option<String>,

    /// Only with this status
    #[arg(long, value_name = "STATUS", value_parser = words(DeliveryStatus::ALL, DeliveryStatus::as_str))]
    status: Option<String>,

    /// Only with this verdict on the signature
    #[arg(long, value_name = "STATUS", value_parser = words(SignatureStatus::ALL, SignatureStatus::as_str))]
    signature_status: Option<String>,

    /// Only of this provider
    #[arg(long, value_name = "P")]
    provider: Option<String>,

    /// Only of this event
    #[arg(long, value_name = "E")]
    event: Option<String>,

    /// Only those with this text in event, path, dedupe key or id
    #[arg(short, long = "query", visible_alias = "q", value_name = "TEXT")]
    query: Option<String>,

    /// At most this many, 1 to 500 [default: 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: Option<u32>,

    /// Only older ones than this `seq`: the next page
    #[arg(long, value_name = "SEQ")]
    before: Option<i64>,

    /// Only newer ones than this `seq`
    #[arg(long, value_name = "SEQ")]
    after: Option<i64>,
}

const LIST_EXAMPLES: &str = "\
Examples:
  creel deliveries list --limit 10
  creel deliveries list --signature-status invalid
  creel deliveries list --event github.push --json | jq -r '.deliveries[].id'";

/// Give the exact bytes of a delivery's body
///
/// To a file or a pipe the bytes are exact, also with --json; a terminal gets control characters in escaped form.
#[derive(Debug, Args)]
#[command(after_help = BODY_EXAMPLES)]
struct BodyArgs {
    /// Id of the delivery
    #[arg(value_name = "ID")]
    id: DeliveryId,

    /// The body of this arrival instead, where a repeat differed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    arrival: Option<u32>,

    /// Write it to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const BODY_EXAMPLES: &str = "\
Examples:
  creel deliveries body 0198c0de-0000-7000-8000-000000000000 | jq .
  creel deliveries body 0198c0de-0000-7000-8000-000000000000 --arrival 2 --output second.bin";

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> clap::builder::PossibleValuesParser {
    all.iter().map(|&value| word(value)).collect::<Vec<_>>().into()
}

/// Runs the command.
pub(super) async fn run(args: DeliveriesArgs, place: Place, console: &Console) -> Result<Exit, CliError> {
    let client = Client::connect(&place.data_dir()?).await?;
    match args.command {
        DeliveriesCommand::List(args) => list(args, &client, console).await,
        DeliveriesCommand::Show { id } => show(id, &client, console).await,
        DeliveriesCommand::Body(args) => body(args, &client, console).await,
    }
}

async fn list(args: ListArgs, client: &Client, console: &Console) -> Result<Exit, CliError> {
    let endpoint_id = match &args.endpoint {
        Some(endpoint) => Some(fields::text(&endpoints::find(client, endpoint).await?, "id")),
        None => None,
    };
    let answer = client.call(Method::GET, "/deliveries", &args.into_query(endpoint_id), None).await?;
    if console.json() {
        console.object(&answer)?;
        return Ok(Exit::Ok);
    }
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("RECEIVED", left),
        ("EVENT", left),
        ("REQUEST", left),
        ("SIGNATURE", left),
        ("STATUS", left),
        ("TIMES", right),
        ("RELAY", left),
        ("SIZE", right),
        ("ID", left),
    ]);
    let rows = fields::items(&answer, "deliveries");
    for row in rows {
        table.push([
            fields::time(row, "received_at"),
            fields::text(row, "event"),
            fields::request_line(row),
            fields::text(row, "signature_status"),
            fields::text(row, "status"),
            format!("×{}", fields::text(row, "attempt_count")),
            fields::relay(row),
            fields::size(row, "body_size"),
            fields::text(row, "id"),
        ]);
    }
    console.lines(table.lines())?;
    let at_least = if fields::get(&answer, "total_is_minimum") == &Value::Bool(true) { "at least " } else { "" };
    console.note(&format!("{} of {at_least}{}", rows.len(), fields::text(&answer, "total")));
    if let Some(seq) = fields::get(&answer, "next_before").as_i64() {
        console.note(&format!("older ones: --before {seq}"));
    }
    Ok(Exit::Ok)
}

impl ListArgs {
    fn into_query(self, endpoint_id: Option<String>) -> Vec<(&'static str, String)> {
        [
            ("endpoint_id", endpoint_id),
            ("status", self.status),
            ("signature_status", self.signature_status),
            ("provider", self.provider),
            ("event", self.event),
            ("q", self.query),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("before", self.before.map(|seq| seq.to_string())),
            ("after", self.after.map(|seq| seq.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect()
    }
}

async fn show(id: DeliveryId, client: &Client, console: &Console) -> Result<Exit, CliError> {
    let path = format!("/deliveries/{id}");
    let row = client.call(Method::GET, &path, &[], None).await?;
    if console.json() {
        console.object(&row)?;
        return Ok(Exit::Ok);
    }
    let attempts = client.call(Method::GET, &format!("{path}/attempts"), &[], None).await?;
    let mut lines = fields::pairs(&summary(&row));
    lines.push(String::new());
    lines.push("Headers".to_owned());
    for header in fields::items(&row, "headers") {
        let part = |n: usize| header.get(n).map(fields::shown).unwrap_or_default();
        lines.push(format!("  {}: {}", part(0), part(1)));
    }
    let arrivals = fields::items(&row, "arrivals");
    if arrivals.len() > 1 {
        lines.push(String::new());
        lines.push("Arrivals".to_owned());
        lines.extend(arrival_table(arrivals).lines().into_iter().map(|line| format!("  {line}")));
    }
    let attempts = fields::items(&attempts, "attempts");
    if !attempts.is_empty() {
        lines.push(String::new());
        lines.push("Attempts".to_owned());
        lines.extend(attempt_table(attempts).lines().into_iter().map(|line| format!("  {line}")));
    }
    console.lines(lines)?;
    console.note(&format!("its body: creel deliveries body {id}"));
    Ok(Exit::Ok)
}

fn summary(row: &Value) -> Vec<(&'static str, String)> {
    let field = |name: &str| fields::text(row, name);
    let with = |name: &str, source: &str| match fields::get(row, name) {
        Value::Null => "-".to_owned(),
        _ => format!("{} (from {})", field(name), field(source)),
    };
    let status = match fields::get(row, "reason") {
        Value::Null => field("status"),
        _ => format!("{} ({})", field("status"), field("reason")),
    };
    let mut pairs = vec![
        ("Id", field("id")),
        ("Endpoint", field("endpoint_id")),
        ("Received", field("received_at")),
        ("Request", fields::request_line(row)),
        ("From", with("client_ip", "client_ip_source")),
        ("Tunnel", fields::text(fields::get(row, "tunnel"), "name")),
        ("Event", with("event", "event_source")),
        ("Dedupe key", with("dedupe_key", "dedupe_source")),
        ("Signature", format!("{} ({})", field("signature_status"), field("signature_reason"))),
        ("Status", status),
        ("Sender was told", field("response_status")),
        ("Received times", field("attempt_count")),
        ("Sent times", field("relay_attempt_count")),
        ("Relay", fields::relay(row)),
        ("Body", format!("{}, {}", fields::size(row, "body_size"), field("content_type"))),
    ];
    for (label, name) in
        [("Replay of", "replayed_from_delivery_id"), ("Duplicate of", "duplicate_of"), ("Error", "error")]
    {
        if !fields::get(row, name).is_null() {
            pairs.push((label, field(name)));
        }
    }
    pairs
}

fn arrival_table(arrivals: &[Value]) -> Table {
    let left = Align::Left;
    let mut table = Table::new(&[
        ("N", Align::Right),
        ("RECEIVED", left),
        ("FROM", left),
        ("TUNNEL", left),
        ("SIGNATURE", left),
        ("SIZE", Align::Right),
        ("SAME BODY", left),
    ]);
    for arrival in arrivals {
        table.push([
            fields::text(arrival, "n"),
            fields::text(arrival, "received_at"),
            fields::text(arrival, "client_ip"),
            fields::text(fields::get(arrival, "tunnel"), "name"),
            fields::text(arrival, "signature_status"),
            fields::size(arrival, "body_size"),
            fields::text(arrival, "same_body"),
        ]);
    }
    table
}

fn attempt_table(attempts: &[Value]) -> Table {
    let left = Align::Left;
    let mut table = Table::new(&[
        ("N", Align::Right),
        ("TARGET", left),
        ("OUTCOME", left),
        ("ANSWER", left),
        ("MS", Align::Right),
        ("REASON", left),
    ]);
    for attempt in attempts {
        table.push([
            fields::text(attempt, "n"),
            fields::text(attempt, "target_url"),
            fields::text(attempt, "outcome"),
            fields::text(attempt, "response_status"),
            fields::text(attempt, "duration_ms"),
            fields::text(attempt, "reason"),
        ]);
    }
    table
}

async fn body(args: BodyArgs, client: &Client, console: &Console) -> Result<Exit, CliError> {
    let path = match args.arrival {
        Some(n) => format!("/deliveries/{}/arrivals/{n}/body", args.id),
        None => format!("/deliveries/{}/body", args.id),
    };
    let bytes = client.bytes(&path, &[]).await?;
    if let Some(path) = args.output {
        tokio::fs::write(&path, &bytes).await.map_err(|source| CliError::File { action: "write", path, source })?;
        return Ok(Exit::Ok);
    }
    if console.terminal() && super::escape::block(&bytes).as_bytes() != &bytes[..] {
        console.note("control characters are shown escaped; redirect the output for the exact bytes");
    }
    console.bytes(&bytes)?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_summary_shows_reasons_and_links_only_where_there_are_some() {
        let row = json!({"status": "rejected", "reason": "invalid_signature", "dedupe_key": null, "error": null,
            "duplicate_of": "0198", "event": "a", "event_source": "body:event"});
        let pairs = summary(&row);
        let value = |label: &str| pairs.iter().find(|(name, _)| *name == label).map(|(_, value)| value.as_str());
        assert_eq!(value("Status"), Some("rejected (invalid_signature)"));
        assert_eq!(value("Event"), Some("a (from body:event)"));
        assert_eq!(value("Dedupe key"), Some("-"));
        assert_eq!(value("Duplicate of"), Some("0198"));
        assert_eq!(value("Error"), None);
    }
}
