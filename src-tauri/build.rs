//! Runs with the repository's root as its working directory (the package's root).

use std::{collections::BTreeSet, env, fs, io, path::Path};

/// Where the UI is built to, and embedded from.
const UI: &str = "ui/dist";

fn main() -> io::Result<()> {
    watch_ui();
    embed_providers()?;
    embed_tunnels()?;
    prepare_window()
}

/// The commands that the window's page may call; `tauri.conf.json` allows them one by one. Without this list every
/// command would be open to every page.
#[cfg(feature = "desktop")]
const COMMANDS: &[&str] = &[
    "call",
    "subscribe",
    "copy_text",
    "save_file",
    "engine_state",
    "retry_start",
    "window_settings",
    "set_window_settings",
];

/// Reads `tauri.conf.json`, and makes permissions of our commands.
#[cfg(feature = "desktop")]
fn prepare_window() -> io::Result<()> {
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)).map_err(io::Error::other)
}

/// A build without the window needs none of it.
#[cfg(not(feature = "desktop"))]
fn prepare_window() -> io::Result<()> {
    Ok(())
}

/// Has the UI embedded again when it was built again. A watched path that does not exist makes cargo run this script,
/// and compile everything, on every build; and the Tauri build wants the directory too. So it is made. That it cannot
/// be made is no reason to fail: it only costs time.
fn watch_ui() {
    if let Err(error) = fs::create_dir_all(UI) {
        println!("cargo:warning={UI} could not be made: {error}");
    }
    println!("cargo:rerun-if-changed={UI}");
}

/// Writes `providers.rs`: a sorted list of slug and text of each file in `providers/`, and `samples.rs`: the same of
/// `providers/samples/`. So a new provider is a new file
/// and no Rust, and debug builds carry the same bytes as release builds.
fn embed_providers() -> io::Result<()> {
    println!("cargo:rerun-if-changed=src-tauri/build.rs");
    println!("cargo:rerun-if-changed=providers");
    let (slugs, list) = list_of("providers")?;
    let (_, samples) = list_of("providers/samples")?;
    let prefixes = event_prefixes(&slugs)?;
    let out_dir = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR for build scripts"))?;
    fs::write(Path::new(&out_dir).join("event_prefixes.rs"), format!("&{:?}", prefixes.iter().collect::<Vec<_>>()))?;
    fs::write(Path::new(&out_dir).join("samples.rs"), samples)?;
    fs::write(Path::new(&out_dir).join("providers.rs"), list)
}

/// The names of the TOML files in a folder without their ending, and the list of these names and the files' texts.
fn list_of(folder: &str) -> io::Result<(Vec<String>, String)> {
    let mut slugs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if let Some(slug) = name.to_str().and_then(|name| name.strip_suffix(".toml")) {
            slugs.push(slug.to_owned());
        }
    }
    slugs.sort();
    let mut list = String::from("&[\n");
    for slug in &slugs {
        let path = format!("/{folder}/{slug}.toml");
        list.push_str(&format!("    ({slug:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),\n"));
    }
    list.push_str("]\n");
    Ok((slugs, list))
}

/// Writes `tunnels.rs`: the same of `tunnels/`, in the order of names.
fn embed_tunnels() -> io::Result<()> {
    println!("cargo:rerun-if-changed=tunnels");
    let mut slugs = BTreeSet::new();
    for entry in fs::read_dir("tunnels")? {
        let name = entry?.file_name();
        slugs.extend(name.to_str().and_then(|name| name.strip_suffix(".toml")).map(str::to_owned));
    }
    let mut list = String::from("&[\n");
    for slug in &slugs {
        let path = format!("/tunnels/{slug}.toml");
        list.push_str(&format!("    ({slug:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),\n"));
    }
    list.push_str("]\n");
    let out_dir = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR for build scripts"))?;
    fs::write(Path::new(&out_dir).join("tunnels.rs"), list)
}

/// The prefixes of event names, without their dot: every `prefix` of an `[[event]]` and every `event_prefix`. Read line
/// by line, which is enough for a key and a text; a test holds the result against the catalogue as it is parsed.
fn event_prefixes(slugs: &[String]) -> io::Result<BTreeSet<String>> {
    let mut prefixes = BTreeSet::new();
    for slug in slugs {
        let text = fs::read_to_string(format!("providers/{slug}.toml"))?;
        let mut table = "";
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                table = line;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            if key.trim() == "event_prefix" || (table == "[[event]]" && key.trim() == "prefix") {
                prefixes.insert(value.trim().trim_matches('"').trim_end_matches('.').to_owned());
            }
        }
    }
    Ok(prefixes)
}
