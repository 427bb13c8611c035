//! `creel providers`: the catalogue of this program, offline.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::console::Console;
use super::error::{CliError, Exit};
use super::fields;
use super::signing;
use super::table::{Align, Table};
use crate::client::ClientError;
use crate::signature::{Catalogue, Provider};

/// List the providers that this version knows, or show how one signs
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ProvidersArgs {
    #[command(subcommand)]
    command: Option<ProvidersCommand>,
}

const EXAMPLES: &str = "\
Examples:
  creel providers
  creel providers show github
  creel providers --json | jq -r '.providers[].slug'";

#[derive(Debug, Subcommand)]
enum ProvidersCommand {
    /// List all providers
    #[command(after_help = "Example:\n  creel providers list")]
    List,
    /// Show how one provider signs, names and repeats its deliveries
    #[command(after_help = "Example:\n  creel providers show github")]
    Show {
        /// Slug of the provider
        #[arg(value_name = "PROVIDER")]
        provider: String,
    },
}

/// Runs the command.
pub(super) fn run(args: &ProvidersArgs, console: &Console) -> Result<Exit, CliError> {
    match &args.command {
        None | Some(ProvidersCommand::List) => list(console),
        Some(ProvidersCommand::Show { provider }) => show(&view(&*signing::provider(provider)?)?, console),
    }
}

fn view(provider: &Provider) -> Result<Value, CliError> {
    serde_json::to_value(provider.view())
        .map_err(|error| ClientError::BadAnswer { why: format!("the provider: {error}") }.into())
}

fn list(console: &Console) -> Result<Exit, CliError> {
    let catalogue = Catalogue::embedded()?;
    let views = catalogue.iter().map(|provider| view(provider)).collect::<Result<Vec<_>, _>>()?;
    if console.json() {
        console.object(&json!({ "providers": views }))?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&[
        ("SLUG", Align::Left),
        ("NAME", Align::Left),
        ("SCHEMES", Align::Left),
        ("DOCUMENTATION", Align::Left),
    ]);
    for view in &views {
        table.push([
            fields::text(view, "slug"),
            fields::text(view, "name"),
            schemes(view),
            fields::text(view, "docs_url"),
        ]);
    }
    console.lines(table.lines())?;
    Ok(Exit::Ok)
}

fn schemes(view: &Value) -> String {
    let names: Vec<String> = fields::items(view, "schemes").iter().map(|scheme| fields::text(scheme, "name")).collect();
    if names.is_empty() { "unsigned".to_owned() } else { names.join(", ") }
}

fn show(view: &Value, console: &Console) -> Result<Exit, CliError> {
    if console.json() {
        console.object(view)?;
        return Ok(Exit::Ok);
    }
    let words = |field: &str| fields::items(view, field).iter().map(fields::shown).collect::<Vec<_>>().join(", ");
    let mut pairs = vec![
        ("Slug", fields::text(view, "slug")),
        ("Name", fields::text(view, "name")),
        ("Documentation", fields::text(view, "docs_url")),
        ("Event from", words("event_sources")),
        ("Dedupe key from", words("dedupe_sources")),
        ("Sample events", words("sample_events")),
    ];
    pairs.retain(|(label, value)| *label != "Sample events" || !value.is_empty());
    if !fields::get(view, "retry").is_null() {
        pairs.push(("Repeats", fields::text(fields::get(view, "retry"), "says")));
    }
    for scheme in fields::items(view, "schemes") {
        pairs.push(("Scheme", fields::text(scheme, "name")));
        pairs.push(("  algorithm", fields::text(scheme, "algorithm")));
        pairs.push(("  signs", fields::text(scheme, "content")));
        pairs.push((
            "  signature",
            format!(
                "{}: {}<{}>",
                fields::text(scheme, "header"),
                fields::text(scheme, "prefix"),
                fields::text(scheme, "encoding")
            ),
        ));
        pairs.push(("  secret", fields::text(scheme, "secret")));
        if !fields::get(scheme, "timestamp_unit").is_null() {
            let tolerance = match fields::get(scheme, "tolerance_seconds") {
                Value::Null => "of any age".to_owned(),
                seconds => format!("at most {seconds} seconds old"),
            };
            pairs.push(("  timestamp", format!("{}, {tolerance}", fields::text(scheme, "timestamp_unit"))));
        }
        let options: Vec<String> = fields::items(scheme, "options").iter().map(fields::shown).collect();
        pairs.push(("  options", options.join(", ")));
    }
    console.lines(fields::pairs(&pairs))?;
    Ok(Exit::Ok)
}
