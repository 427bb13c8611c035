//! The list of what Linux must bring, and how each entry is looked for.
//!
//! macOS and Windows bring their webview and, with the linker that compiled this program, everything else but Node.js.

use std::fmt;
use std::path::PathBuf;

use super::Purpose;
use crate::program::{Program, find};

/// One thing that must be there.
pub struct Need {
    pub probe: Probe,
    pub why: &'static str,
    pub purpose: Purpose,
    /// Its package on Debian and Ubuntu
    pub debian: &'static str,
    /// Its package on Fedora; dnf also takes the path of a file
    pub fedora: &'static str,
    /// Its package on Arch
    pub arch: &'static str,
}

/// How to see whether it is there.
pub enum Probe {
    /// A program on PATH
    Program(&'static str),
    /// A library's headers, by their pkg-config module
    Module(&'static str),
    /// Chromium or Chrome, by any of their names
    Browser,
    /// Firefox, by any of its names
    Firefox,
    /// pip, as a module of Python
    Pip,
    /// The ssh server, which stands where only root's PATH looks
    Sshd,
}

/// What Chromium is called, by who packages it.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// What Firefox is called; Debian has the one with extended support.
const FIREFOXES: [&str; 2] = ["firefox-esr", "firefox"];

/// Where Firefox is on the systems that keep programs out of PATH.
const FIREFOX_PLACES: [&str; 2] =
    ["/Applications/Firefox.app/Contents/MacOS/firefox", r"C:\Program Files\Mozilla Firefox\firefox.exe"];

/// Where the ssh server is; tests/it/support/sshd.rs looks in the same places.
const SSHD_PLACES: [&str; 3] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];

/// Where Chromium is on the systems that keep programs out of PATH.
const BROWSER_PLACES: [&str; 3] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
];

/// In the order in which they are reported.
pub const NEEDS: [Need; 13] = [
    Need {
        probe: Probe::Program("cc"),
        why: "a C compiler and linker: SQLite is compiled in",
        purpose: Purpose::Headless,
        debian: "build-essential",
        fedora: "gcc",
        arch: "base-devel",
    },
    Need {
        probe: Probe::Program("pkg-config"),
        why: "finds the webview's library",
        purpose: Purpose::Window,
        debian: "pkg-config",
        fedora: "pkgconf-pkg-config",
        arch: "pkgconf",
    },
    Need {
        probe: Probe::Module("webkit2gtk-4.1"),
        why: "the webview of the window; brings GTK 3 along",
        purpose: Purpose::Window,
        debian: "libwebkit2gtk-4.1-dev",
        fedora: "webkit2gtk4.1-devel",
        arch: "webkit2gtk-4.1",
    },
    Need {
        probe: Probe::Program("WebKitWebDriver"),
        why: "drives the real window in its smoke test",
        purpose: Purpose::Test,
        debian: "webkit2gtk-driver",
        fedora: "/usr/bin/WebKitWebDriver",
        arch: "webkit2gtk-4.1",
    },
    Need {
        probe: Probe::Program("xvfb-run"),
        why: "a display without a screen, for the window's smoke test",
        purpose: Purpose::Test,
        debian: "xvfb",
        fedora: "xorg-x11-server-Xvfb",
        arch: "xorg-server-xvfb",
    },
    Need {
        probe: Probe::Program("xauth"),
        why: "xvfb-run needs it",
        purpose: Purpose::Test,
        debian: "xauth",
        fedora: "xorg-x11-xauth",
        arch: "xorg-xauth",
    },
    Need {
        probe: Probe::Program("dbus-run-session"),
        why: "the session bus by which a second window finds the first",
        purpose: Purpose::Test,
        debian: "dbus",
        fedora: "dbus-daemon",
        arch: "dbus",
    },
    Need {
        // Loaded when the window opens; without it there is no tray, and nothing else is missing.
        probe: Probe::Module("ayatana-appindicator3-0.1"),
        why: "the tray icon",
        purpose: Purpose::Test,
        debian: "libayatana-appindicator3-dev",
        fedora: "libayatana-appindicator-gtk3-devel",
        arch: "libayatana-appindicator",
    },
    Need {
        probe: Probe::Program("ssh"),
        why: "the client of the tunnels' end-to-end tests",
        purpose: Purpose::Test,
        debian: "openssh-client",
        fedora: "openssh-clients",
        arch: "openssh",
    },
    Need {
        probe: Probe::Sshd,
        why: "a private server on loopback for the tunnels' end-to-end tests",
        purpose: Purpose::Test,
        debian: "openssh-server",
        fedora: "openssh-server",
        arch: "openssh",
    },
    Need {
        probe: Probe::Browser,
        why: "the browser of the UI's end-to-end tests",
        purpose: Purpose::Test,
        debian: "chromium",
        fedora: "chromium",
        arch: "chromium",
    },
    Need {
        probe: Probe::Firefox,
        why: "the second browser: the list's heights and scrolling differ there",
        purpose: Purpose::Test,
        debian: "firefox-esr",
        fedora: "firefox",
        arch: "firefox",
    },
    Need {
        probe: Probe::Pip,
        why: "installs the official Python SDKs that signatures are compared with",
        purpose: Purpose::Test,
        debian: "python3-pip",
        fedora: "python3-pip",
        arch: "python-pip",
    },
];

/// What is not there, of all that `purpose` takes.
pub fn missing(purpose: Purpose) -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| need.purpose <= purpose && !need.probe.finds_it()).collect()
}

/// The browser of the end-to-end tests: `CREEL_CHROMIUM`, or the first one on PATH, or one in its usual place.
pub fn find_browser() -> Option<PathBuf> {
    found("CREEL_CHROMIUM", &BROWSERS, &BROWSER_PLACES)
}

/// Firefox, as [`find_browser`]: `CREEL_FIREFOX` first.
pub fn find_firefox() -> Option<PathBuf> {
    found("CREEL_FIREFOX", &FIREFOXES, &FIREFOX_PLACES)
}

fn found(variable: &str, names: &[&str], places: &[&str]) -> Option<PathBuf> {
    let chosen = std::env::var_os(variable).map(PathBuf::from);
    let placed = || places.iter().map(PathBuf::from).find(|path| path.is_file());
    chosen.filter(|path| path.is_file()).or_else(|| names.iter().find_map(|name| find(name))).or_else(placed)
}

impl Probe {
    fn finds_it(&self) -> bool {
        match self {
            Probe::Program(name) => find(name).is_some(),
            Probe::Module(name) => Program::new("pkg-config").args(["--exists", name]).succeeds(),
            Probe::Browser => find_browser().is_some(),
            Probe::Firefox => find_firefox().is_some(),
            Probe::Pip => Program::new("python3").args(["-m", "pip", "--version"]).succeeds(),
            Probe::Sshd => SSHD_PLACES.iter().any(|place| PathBuf::from(place).is_file()),
        }
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Probe::Program(name) => f.write_str(name),
            Probe::Module(name) => write!(f, "the headers of {name}"),
            Probe::Browser => f.write_str("Chromium (or CREEL_CHROMIUM with its path)"),
            Probe::Firefox => f.write_str("Firefox (or CREEL_FIREFOX with its path)"),
            Probe::Pip => f.write_str("python3 with pip"),
            Probe::Sshd => f.write_str("sshd"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_takes_what_the_smaller_ones_take() {
        let count = |purpose| NEEDS.iter().filter(|need| need.purpose <= purpose).count();
        assert!(count(Purpose::Headless) < count(Purpose::Window));
        assert!(count(Purpose::Window) < count(Purpose::Test));
        assert_eq!(count(Purpose::Test), NEEDS.len());
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        assert!(!Probe::Program("creel-no-such-program").finds_it());
        assert!(!Probe::Module("creel-no-such-module").finds_it());
    }
}
