//! The command line as a whole; each command's own arguments stand in its file.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use url::Url;

use super::{deliveries, doctor, endpoints, listen, providers, replay, send, serve, sign, tunnel, verify};

/// Catches every webhook sent to this machine, keeps it byte for byte, says whether its signature holds and why not,
/// relays it to your app, and replays it
#[derive(Debug, Parser)]
#[command(name = "creel", bin_name = "creel", version, after_help = EXAMPLES, max_term_width = 100)]
pub(super) struct Cli {
    /// Print JSON: the API's object on stdout (streams: one object a line), the error object on stderr
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(super) json: bool,

    /// Data directory of the engine [default: the platform's, or $CREEL_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR", help_heading = GLOBAL)]
    pub(super) data_dir: Option<PathBuf>,

    #[command(subcommand)]
    pub(super) command: Command,
}

const GLOBAL: &str = "Global options";

const EXAMPLES: &str = "\
Examples:
  creel listen --to http://localhost:3000/webhooks    catch webhooks and relay them to your app
  creel listen --tunnel cloudflared --to http://localhost:3000/webhooks    the same from the internet
  creel serve                                         run the engine without a window
  creel deliveries list --status failed               what your app did not take
  creel replay 0198c0de-0000-7000-8000-000000000000   run one again
  creel send --provider stripe --throwaway --to URL   send your app a signed sample event

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 data directory owned by another process,
4 database newer than this program, 5 address in use.";

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Serve(serve::ServeArgs),
    Listen(listen::ListenArgs),
    Endpoints(endpoints::EndpointsArgs),
    Deliveries(deliveries::DeliveriesArgs),
    Replay(replay::ReplayArgs),
    Send(send::SendArgs),
    Sign(sign::SignArgs),
    Verify(verify::VerifyArgs),
    Providers(providers::ProvidersArgs),
    Doctor(doctor::DoctorArgs),
    #[command(hide = true, disable_help_flag = true)]
    Export(LaterArgs),
    #[command(hide = true, disable_help_flag = true)]
    Import(LaterArgs),
    Tunnel(tunnel::TunnelArgs),
}

/// Whatever is given to a command of a later version, so that the answer is always the same.
#[derive(Debug, Args)]
pub(super) struct LaterArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    words: Vec<OsString>,
}

/// An admin address: loopback only, for whoever reaches it owns the data.
pub(super) fn loopback_address(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "write it as 127.0.0.1:4101".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("the admin address must be loopback: 127.0.0.1 or [::1]".to_owned())
    }
}

/// An `http` or `https` URL.
pub(super) fn http_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; write it as http://localhost:3000/path"))?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        Ok(text.to_owned())
    } else {
        Err("it must begin with http:// or https://".to_owned())
    }
}
