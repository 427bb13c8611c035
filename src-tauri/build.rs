//! Runs with the repository's root as its working directory (the package's root).

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    embed_providers()
}

/// Writes `providers.rs`: a sorted list of slug and text of each file in `providers/`. So a new provider is a new file
/// and no Rust, and debug builds carry the same bytes as release builds.
fn embed_providers() -> io::Result<()> {
    println!("cargo:rerun-if-changed=src-tauri/build.rs");
    println!("cargo:rerun-if-changed=providers");
    let mut slugs = Vec::new();
    for entry in fs::read_dir("providers")? {
        let name = entry?.file_name();
        if let Some(slug) = name.to_str().and_then(|name| name.strip_suffix(".toml")) {
            slugs.push(slug.to_owned());
        }
    }
    slugs.sort();
    let mut list = String::from("&[\n");
    for slug in &slugs {
        let path = format!("/providers/{slug}.toml");
        list.push_str(&format!("    ({slug:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),\n"));
    }
    list.push_str("]\n");
    let out_dir = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR for build scripts"))?;
    fs::write(Path::new(&out_dir).join("providers.rs"), list)
}
