//! The Tauri window over the same engine that `creel serve` runs: the only place that names tauri.
//!
//! [`run`] opens the window at once and starts the engine beside it, so that a data directory that is taken, or a port
//! that is in use, is said in the window with what to do. The page talks to the engine by IPC alone; it has no
//! permission but our own [`commands`].

mod commands;
mod engine_slot;
mod geometry;
mod live;
mod notification;
mod save;
mod shell_plugin;
mod shell_spawner;
mod stop;
mod tray;
mod tray_state;
mod troubles;
mod watch;
mod window;
mod window_file;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use creel::engine::{EngineConfig, default_data_dir};
use creel::tunnel::GuardProgram;
use sha2::{Digest as _, Sha256};
use tauri::{Manager as _, RunEvent};

use self::engine_slot::EngineSlot;
use self::live::LiveStream;
use self::shell_plugin::ShellWithoutPage;
use self::shell_spawner::ShellSpawner;
use self::stop::{Signals, Stop};
use self::tray::Tray;
use self::watch::Watch;
use self::window_file::WindowFile;

/// What the D-Bus name of every instance begins with.
const INSTANCE_NAME: &str = "dev.creel.app";

/// Catch, inspect and replay webhooks in a window.
#[derive(Clone, Debug, Parser)]
#[command(name = "creel-desktop", version)]
pub struct Arguments {
    /// Where everything is kept [default: CREEL_DATA_DIR, else the platform's data directory for `creel`]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where senders post [default: 127.0.0.1:4100]
    #[arg(long, value_name = "ADDR:PORT")]
    ingress: Option<SocketAddr>,
    /// Where the admin API listens; a loopback address [default: 127.0.0.1:4101]
    #[arg(long, value_name = "ADDR:PORT")]
    admin: Option<SocketAddr>,
    /// Public base URL under which senders reach the ingress
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

impl Arguments {
    fn into_config(self) -> Result<EngineConfig, creel::engine::EngineError> {
        let data_dir = self.data_dir.map_or_else(default_data_dir, Ok)?;
        let mut config = EngineConfig::new(data_dir);
        config.ingress = self.ingress.unwrap_or(config.ingress);
        config.admin = self.admin.unwrap_or(config.admin);
        config.public_url = self.public_url;
        Ok(config)
    }
}

/// Opens the window and runs until it is closed.
pub fn run(arguments: Arguments) -> ExitCode {
    start_log();
    let config = match arguments.into_config() {
        Ok(config) => config,
        Err(error) => return failed(&format!("{error}\n\nhint: {}", error.help()), error.exit_code()),
    };
    let guard = match GuardProgram::this_program() {
        Ok(guard) => guard,
        Err(error) => return failed(&format!("this program's own file is not known: {error}"), 1),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("no async runtime: {error}"), 1),
    };
    let signals = {
        // Before anything is started, so that no signal finds nobody listening.
        let _within = runtime.enter();
        match Signals::register() {
            Ok(signals) => signals,
            Err(error) => return failed(&format!("signals cannot be followed: {error}"), 1),
        }
    };
    // Tauri's own tasks and ours share one runtime, which outlives the event loop below.
    tauri::async_runtime::set(runtime.handle().clone());
    let slot = Arc::new(EngineSlot::new(config.clone()));
    let built = tauri::Builder::default()
        .plugin(single_instance(&config))
        .plugin(tauri_plugin_clipboard_manager::init())
        .plugin(ShellWithoutPage::new())
        .manage(Arc::clone(&slot))
        .manage(LiveStream::default())
        .manage(Stop::default())
        .manage(WindowFile::read(&config.data_dir))
        .manage(Tray::<tauri::Wry>::default())
        .manage(Watch::default())
        .invoke_handler(tauri::generate_handler![
            commands::call,
            commands::subscribe,
            commands::copy_text,
            save::save_file,
            commands::engine_state,
            commands::retry_start,
            commands::window_settings,
            commands::set_window_settings
        ])
        .setup(move |app| {
            window::open(app.handle())?;
            slot.start_tunnels_with(ShellSpawner::new(app.handle().clone(), guard.clone()));
            slot.begin_start();
            tray::begin(app.handle());
            watch::begin(app.handle());
            stop::follow(signals, app.handle().clone());
            Ok(())
        })
        .build(context());
    let app = match built {
        Ok(app) => app,
        Err(error) => return failed(&format!("the window could not be opened: {error}"), 1),
    };
    let code = app.run_return(|app, event| {
        if let RunEvent::ExitRequested { api, .. } = event
            && !app.state::<Stop>().is_complete()
        {
            // The engine ends first; it asks for the exit again when it has.
            api.prevent_exit();
            stop::begin(app.clone());
        }
    });
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// What `tauri.conf.json` says, with the UI inside.
#[expect(clippy::exit, reason = "in the code that the macro makes")]
fn context<R: tauri::Runtime>() -> tauri::Context<R> {
    tauri::generate_context!()
}

/// One window for each data directory: a second start brings the first one to the front.
fn single_instance<R: tauri::Runtime>(config: &EngineConfig) -> tauri::plugin::TauriPlugin<R> {
    let dir = std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
    let digest = Sha256::digest(dir.as_os_str().as_encoded_bytes());
    tauri_plugin_single_instance::Builder::new()
        .dbus_id(format!("{INSTANCE_NAME}.d{}", hex::encode(&digest[..8])))
        .callback(|app, _arguments, _directory| window::bring_to_front(app))
        .build()
}

fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("CREEL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

#[expect(clippy::print_stderr, reason = "before there is a window, stderr is the only place to say it")]
fn failed(message: &str, code: u8) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}
