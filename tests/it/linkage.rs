//! The headless binary starts where no webview library is installed, whatever features it was built with.

use std::process::Command;

use super::support::creel::BINARY;

/// What only a window needs.
const OF_A_WINDOW: [&str; 6] = ["webkit", "javascriptcore", "libgtk", "libgdk", "libsoup", "libwayland"];

/// The libraries that the loader would bring in, the libraries' own included.
fn libraries(binary: &str) -> String {
    let listed = Command::new("ldd").arg(binary).output().expect("run ldd");
    let text = String::from_utf8_lossy(&listed.stdout).to_lowercase();
    assert!(text.contains("libc.so"), "no list of libraries: {text}");
    text
}

#[test]
fn creel_links_no_webview_library() {
    let libraries = libraries(BINARY);
    for library in OF_A_WINDOW {
        assert!(!libraries.contains(library), "{library} is linked:\n{libraries}");
    }
}

/// Shows that the search would find them.
#[cfg(feature = "desktop")]
#[test]
fn the_desktop_binary_does_link_the_webview() {
    assert!(libraries(env!("CARGO_BIN_EXE_creel-desktop")).contains("webkit"));
}
