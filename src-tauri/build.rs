//! Runs with the repository's root as its working directory (the package's root).

/// Where the UI is built to, and embedded from.
const UI: &str = "ui/dist";

fn main() {
    // A watched path that does not exist makes cargo run this script, and compile everything, on every build; and the
    // Tauri build wants the directory too. A directory that cannot be made is no reason to fail: it only costs time.
    if let Err(error) = std::fs::create_dir_all(UI) {
        println!("cargo::warning={UI} could not be made: {error}");
    }
    println!("cargo::rerun-if-changed={UI}");
    println!("cargo::rerun-if-changed=src-tauri/build.rs");
}
