//! `creel replay`: run deliveries again.

use clap::Args;
use http::Method;
use serde_json::{Map, Value};

use super::args::http_url;
use super::console::Console;
use super::error::{CliError, Exit};
use super::{Place, fields};
use crate::client::{Client, ClientError};
use crate::domain::DeliveryId;

/// Run deliveries again: each becomes a new delivery that links to its original
///
/// They go to the targets of their endpoint, in the order given. One that cannot be replayed is reported and does not
/// keep the others back; the exit code is then 1.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReplayArgs {
    /// Ids of the deliveries
    #[arg(value_name = "ID", required = true)]
    ids: Vec<DeliveryId>,

    /// Send them to this URL instead of the endpoint's targets
    #[arg(long, value_name = "URL", value_parser = http_url)]
    to: Option<String>,

    /// Sign them anew with the endpoint's secret and a fresh timestamp
    #[arg(long)]
    resign: bool,

    /// Also those that were rejected, or whose path has `.` or `..` segments
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  creel replay 0198c0de-0000-7000-8000-000000000000
  creel replay 0198c0de-0000-7000-8000-000000000000 --to http://localhost:4000/debug --resign
  creel deliveries list --status failed --json | jq -r '.deliveries[].id' | xargs creel replay";

/// Runs the command.
pub(super) async fn run(args: ReplayArgs, place: Place, console: &Console) -> Result<Exit, CliError> {
    let client = Client::connect(&place.data_dir()?).await?;
    let body = args.body();
    let mut exit = Exit::Ok;
    for id in &args.ids {
        match client.call(Method::POST, &format!("/deliveries/{id}/replay"), &[], Some(&body)).await {
            Ok(delivery) if console.json() => console.object(&delivery)?,
            Ok(delivery) => console.lines([format!(
                "Replayed {id} as {} ({})",
                fields::text(&delivery, "id"),
                fields::text(&delivery, "status")
            )])?,
            Err(error @ ClientError::Api { .. }) if args.ids.len() > 1 => {
                if !console.json() {
                    console.note(&format!("{id} was not replayed"));
                }
                console.report(&CliError::Client(error));
                exit = Exit::Failure;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(exit)
}

impl ReplayArgs {
    fn body(&self) -> Value {
        let mut body = Map::new();
        if let Some(url) = &self.to {
            body.insert("target_url".to_owned(), Value::from(url.as_str()));
        }
        for (field, wanted) in [("resign", self.resign), ("force", self.force)] {
            if wanted {
                body.insert(field.to_owned(), Value::Bool(true));
            }
        }
        Value::Object(body)
    }
}
