//! Programs that make tunnels, as they are offered to the user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words;

words! {
    /// How it is known what a program writes.
    TunnelEvidence {
        /// The program was run and watched: supported.
        Observed = "observed",
        /// Read in the program's own source.
        Source = "source",
        /// From documents and other people's transcripts.
        SecondHand = "second_hand",
    }
}

words! {
    /// What kind of value an option takes.
    TunnelOptionKind {
        /// A word or line.
        Text = "text",
        /// A whole number.
        Number = "number",
        /// A path of a file on this machine.
        File = "file",
        /// Never shown, never part of a command line; sent, not kept.
        Secret = "secret",
        /// Several words: a JSON list of strings.
        List = "list",
        /// A regular expression.
        Pattern = "pattern",
    }
}

/// Something that may be set when a tunnel starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct TunnelOption {
    /// Its name in `options`.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// What it takes.
    pub kind: TunnelOptionKind,
    /// Whether there is no start without it.
    #[serde(default)]
    pub required: bool,
    /// What holds when it is absent; null: nothing.
    #[serde(default)]
    pub default: Option<String>,
    /// One of these, when it is not empty.
    #[serde(default)]
    pub choices: Vec<String>,
    /// An example of a value.
    #[serde(default)]
    pub example: Option<String>,
    /// What it does, in one sentence.
    pub help: String,
}

/// A program that makes tunnels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TunnelProviderView {
    /// Its name for programs.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What one gets, in one sentence.
    pub summary: String,
    /// Where it is documented; null for a command of one's own.
    pub docs_url: Option<String>,
    /// The program that is started; null for a command of one's own.
    pub program: Option<String>,
    /// Whether the program was found; true for a command of one's own.
    pub installed: bool,
    /// Where it was found.
    pub path: Option<String>,
    /// What it says of its version.
    pub version: Option<String>,
    /// How to install it on this system; null when it is there or comes with the system.
    pub install: Option<String>,
    /// How it is known what the program writes.
    pub evidence: TunnelEvidence,
    /// Whether it is supported: watched in a test, not only read about.
    pub supported: bool,
    /// Whether an account is needed.
    pub account: bool,
    /// Whether its public URL is https; null: it depends.
    pub https: Option<bool>,
    /// Whether the URL stays the same over restarts; null: it depends.
    pub stable_url: Option<bool>,
    /// What the user should know before choosing it.
    pub notes: Vec<String>,
    /// Lower-case names of headers that it adds to requests.
    pub adds_headers: Vec<String>,
    /// What may be set.
    pub options: Vec<TunnelOption>,
}

/// All programs that make tunnels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TunnelProviderList {
    /// In the order in which they are offered.
    pub providers: Vec<TunnelProviderView>,
    /// What becomes reachable when any of them starts, in one sentence.
    pub exposes: String,
}
