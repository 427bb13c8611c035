//! `creel serve`: the engine without a window, until a signal.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use serde_json::json;

use super::args::{http_url, loopback_address};
use super::console::Console;
use super::error::{CliError, Exit};
use super::{Place, escape};
use crate::engine::{self, EngineConfig, SettingsOverrides};

/// Run the engine without a window, until Ctrl-C or SIGTERM
///
/// Binds two ports: the ingress, which senders reach (through a tunnel), and the admin port with the API and the UI,
/// which only this machine reaches. When both accept, the addresses are printed and `run.json` stands in the data
/// directory, so that the other commands find this engine.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ServeArgs {
    /// Where senders deliver; port 0 takes any free one [default: 127.0.0.1:4100]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(super) ingress: Option<SocketAddr>,

    /// Where API and UI are served; must be loopback; port 0 takes any free one [default: 127.0.0.1:4101]
    #[arg(long, value_name = "ADDR:PORT", value_parser = loopback_address)]
    pub(super) admin: Option<SocketAddr>,

    /// URL under which senders reach the ingress, such as a tunnel's
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(super) public_url: Option<String>,

    /// Proxy whose forwarding headers are believed; repeatable
    #[arg(long, value_name = "CIDR", value_parser = cidr)]
    pub(super) trusted_proxy: Vec<String>,

    /// Largest body in bytes; 0: no limit [default: 27262976, 26 MiB]
    #[arg(long, value_name = "N")]
    pub(super) max_body_bytes: Option<u64>,

    /// Requests a minute to one endpoint; 0: no limit [default: 30000]
    #[arg(long, value_name = "N")]
    pub(super) rate_limit_endpoint: Option<u32>,

    /// Requests a minute with an unknown token or a bad signature from one address; 0: no limit [default: 600]
    #[arg(long, value_name = "N")]
    pub(super) rate_limit_ip: Option<u32>,

    /// Deliveries kept; 0: no limit [default: 100000]
    #[arg(long, value_name = "N")]
    pub(super) keep_rows: Option<u64>,

    /// Bytes kept; 0: no limit [default: 5368709120, 5 GiB]
    #[arg(long, value_name = "N")]
    pub(super) keep_bytes: Option<u64>,

    /// Days kept; 0: no limit [default: 30]
    #[arg(long, value_name = "N")]
    pub(super) keep_days: Option<u32>,
}

const EXAMPLES: &str = "\
Examples:
  creel serve
  creel serve --ingress 127.0.0.1:0 --admin 127.0.0.1:0 --data-dir /tmp/try --json
  creel serve --public-url https://hooks.example.com --trusted-proxy 127.0.0.1/32

The log goes to stderr; CREEL_LOG=info (or debug, or a filter such as creel=debug) shows more of it.";

/// Runs the engine until it is told to stop.
pub(super) async fn run(args: ServeArgs, place: Place, console: &Console) -> Result<Exit, CliError> {
    let data_dir = place.data_dir()?;
    let shown_dir = data_dir.clone();
    let mut stop = StopSignal::new()?;
    let running = engine::start(args.into_config(data_dir)).await?;
    let ui_url = running.ui_url();
    let announced = if console.json() {
        console.object(&json!({
            "pid": std::process::id(),
            "version": env!("CARGO_PKG_VERSION"),
            "ingress_url": running.ingress_url,
            "admin_url": running.admin_url,
            "admin_token": running.admin_token,
            "ui_url": ui_url,
            "data_dir": shown_dir.display().to_string(),
        }))
    } else {
        console.lines([
            format!("Ingress  {}", running.ingress_url),
            format!("UI       {ui_url}"),
            format!("Data     {}", escape::line(&shown_dir.display().to_string())),
        ])
    };
    match announced {
        // `creel serve | head -1` wants the first line and a running engine.
        Ok(()) | Err(CliError::BrokenPipe) => {}
        Err(error) => {
            running.stop().await?;
            return Err(error);
        }
    }
    stop.wait().await;
    running.stop().await?;
    Ok(Exit::Ok)
}

impl ServeArgs {
    fn into_config(self, data_dir: std::path::PathBuf) -> EngineConfig {
        let mut config = EngineConfig::new(data_dir);
        config.ingress = self.ingress.unwrap_or(config.ingress);
        config.admin = self.admin.unwrap_or(config.admin);
        config.public_url = self.public_url;
        config.trusted_proxies = self.trusted_proxy;
        config.overrides = SettingsOverrides {
            max_body_bytes: self.max_body_bytes,
            rate_limit_endpoint: self.rate_limit_endpoint,
            rate_limit_ip: self.rate_limit_ip,
            keep_rows: self.keep_rows,
            keep_bytes: self.keep_bytes,
            keep_days: self.keep_days,
        };
        config
    }
}

/// An address, or a range of them as `ADDRESS/BITS`.
fn cidr(text: &str) -> Result<String, String> {
    let wrong = || "write it as 10.0.0.0/8, 127.0.0.1 or fd00::/8".to_owned();
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    if bits.is_some_and(|bits| bits > bits_max) {
        return Err(format!("an address of this kind has {bits_max} bits"));
    }
    Ok(text.to_owned())
}

/// Ctrl-C or SIGTERM. Made before the engine starts, so that no signal in between kills it unasked.
pub(super) struct StopSignal {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl StopSignal {
    /// Begins to listen for the signals.
    pub(super) fn new() -> Result<Self, CliError> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let system = |source| CliError::System { what: "listen for signals", source };
            Ok(Self {
                interrupt: signal(SignalKind::interrupt()).map_err(system)?,
                terminate: signal(SignalKind::terminate()).map_err(system)?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for one. May be dropped and called again.
    pub(super) async fn wait(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a signal handler only the system can end this process.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trusted_proxy_is_an_address_or_a_range() {
        for good in ["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8", "0.0.0.0/0"] {
            assert!(cidr(good).is_ok(), "{good}");
        }
        for bad in ["", "localhost", "10.0.0.0/33", "::1/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8"] {
            assert!(cidr(bad).is_err(), "{bad}");
        }
    }
}
