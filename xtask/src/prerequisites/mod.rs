//! What must be on the machine before anything can be built, run or tested, and how to get it.
//!
//! [`needs`] is the list. Each entry is looked for by what it is for (a program, a pkg-config module), never by package
//! name. On Debian and Ubuntu what is missing is installed when that needs no password; everywhere else it is said
//! exactly and nothing is touched.

mod needs;
mod node;
mod system;

use anyhow::{Result, bail};

use crate::layout::Layout;
use crate::program::say;

use needs::{Need, missing};
pub use needs::{find_browser, find_firefox};
use system::System;
pub use system::is_root;

/// What the machine is prepared for; each includes the ones before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// `creel` and the UI in a browser
    Headless,
    /// `creel-desktop`
    Window,
    /// The tests: a browser, a display without a screen, a driver for the window
    Test,
}

/// Installs what is missing for `purpose` or says what to install.
///
/// An error when something stays missing without which nothing can be built. What only tests need is said and left to the
/// step that needs it, which skips or fails by `CREEL_REQUIRE`.
pub fn install(layout: &Layout, purpose: Purpose) -> Result<()> {
    if cfg!(target_os = "linux") {
        let lacking = missing(purpose);
        if !lacking.is_empty() {
            provide(&System::of_this_machine(), &lacking);
        }
        let still = missing(purpose);
        if !still.is_empty() {
            say(&advice(&System::of_this_machine(), &still));
        }
        if still.iter().any(|need| need.purpose < Purpose::Test) {
            bail!("not everything that the build needs is installed; the list is above");
        }
    } else if purpose == Purpose::Test {
        if find_browser().is_none() {
            say("missing: Google Chrome or Chromium, for the UI's end-to-end tests; install with");
            say("  `brew install --cask google-chrome` (macOS) or `winget install Google.Chrome` (Windows)");
        }
        if find_firefox().is_none() {
            say("missing: Firefox, for the list's test in a second browser; install with");
            say("  `brew install --cask firefox` (macOS) or `winget install Mozilla.Firefox` (Windows)");
        }
    }
    node::check()?;
    if !layout.ui().join("package-lock.json").is_file() {
        bail!("ui/package-lock.json is missing; is this a complete clone?");
    }
    Ok(())
}

/// Installs with apt, where that can be done without asking for a password.
///
/// What that could not bring is found missing once more, and said with what to do, so a failure is only shown here.
fn provide(system: &System, lacking: &[&Need]) {
    let Some(apt) = system.apt() else { return };
    let packages: Vec<&str> = lacking.iter().map(|need| need.debian).collect();
    say(&format!("missing, and installed with apt now: {}", packages.join(" ")));
    if let Err(error) = apt.install(&packages) {
        say(&format!("apt did not install them: {error:#}"));
    }
}

/// Names each missing thing, what it is for and the one command that installs them all.
fn advice(system: &System, lacking: &[&Need]) -> String {
    let mut lines = vec!["missing:".to_owned()];
    lines.extend(lacking.iter().map(|need| format!("  {} ({})", need.probe, need.why)));
    lines.push(match system.install_line(lacking) {
        Some(line) => format!("install with:\n  {line}"),
        None => "install them with your system's package manager".to_owned(),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::needs::NEEDS;
    use super::*;

    #[test]
    fn the_advice_names_every_missing_thing_and_one_command() {
        let lacking: Vec<&Need> = NEEDS.iter().collect();
        for (system, command) in
            [(System::Debian, "apt-get install"), (System::Fedora, "dnf install"), (System::Arch, "pacman -S")]
        {
            let advice = advice(&system, &lacking);
            assert!(advice.contains(command), "{advice}");
            assert!(advice.contains("webkit2gtk-4.1"), "{advice}");
        }
        assert!(advice(&System::Other, &lacking).contains("package manager"));
    }
}
