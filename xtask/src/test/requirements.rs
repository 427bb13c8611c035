//! `CREEL_REQUIRE`: what the machine must offer, so that nothing is skipped for want of it.

use std::fmt;

use anyhow::{Result, bail};

/// The environment variable, a comma separated list; the tests themselves read it too.
const VARIABLE: &str = "CREEL_REQUIRE";

/// Something that not every machine offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requirement {
    /// Mounting the small file system on which the disk fills up
    Root,
    /// A display for the window, and a driver for it
    Display,
    /// A browser for the UI
    Chromium,
    /// A second browser for the list
    Firefox,
    /// The npm registry, or SDKs that were installed from it before
    Npm,
    /// The Python Package Index, likewise
    Pypi,
    /// An ssh server for the tunnels
    Ssh,
    /// The program bore for the tunnels
    Bore,
}

const ALL: [Requirement; 8] = [
    Requirement::Root,
    Requirement::Display,
    Requirement::Chromium,
    Requirement::Firefox,
    Requirement::Npm,
    Requirement::Pypi,
    Requirement::Ssh,
    Requirement::Bore,
];

/// What must not be skipped.
pub struct Requirements(Vec<Requirement>);

impl Requirements {
    pub fn from_environment() -> Result<Requirements> {
        Requirements::parse(&std::env::var(VARIABLE).unwrap_or_default())
    }

    pub fn parse(text: &str) -> Result<Requirements> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let known = words.map(|word| match ALL.iter().find(|requirement| requirement.to_string() == word) {
            Some(requirement) => Ok(*requirement),
            None => {
                bail!("{VARIABLE} names `{word}`; it knows root, display, chromium, firefox, npm, pypi, ssh and bore")
            }
        });
        known.collect::<Result<_>>().map(Requirements)
    }

    pub fn demand(&self, requirement: Requirement) -> bool {
        self.0.contains(&requirement)
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Requirement::Root => "root",
            Requirement::Display => "display",
            Requirement::Chromium => "chromium",
            Requirement::Firefox => "firefox",
            Requirement::Npm => "npm",
            Requirement::Pypi => "pypi",
            Requirement::Ssh => "ssh",
            Requirement::Bore => "bore",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_and_a_misspelt_word_is_refused() {
        for requirement in ALL {
            assert!(Requirements::parse(&requirement.to_string()).unwrap().demand(requirement), "{requirement}");
        }
        let some = Requirements::parse("root, chromium,").unwrap();
        assert!(some.demand(Requirement::Root));
        assert!(some.demand(Requirement::Chromium));
        assert!(!some.demand(Requirement::Display));
        assert!(!Requirements::parse("").unwrap().demand(Requirement::Root));
        assert!(Requirements::parse("root,screen").is_err());
    }
}
