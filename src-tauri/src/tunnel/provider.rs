//! A program that makes tunnels, as its file in `tunnels/` describes it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::output_rules::OutputRule;
use super::template;
use crate::domain::{TunnelEvidence, TunnelOption};

/// A program that makes tunnels.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunnelProvider {
    /// Name of its file.
    #[serde(skip)]
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What one gets.
    pub summary: String,
    /// Where it is documented.
    #[serde(default)]
    pub docs_url: Option<String>,
    /// Its place in the list of what is offered.
    pub order: u32,
    /// How it is known what it writes, taken as a whole.
    pub evidence: TunnelEvidence,
    /// Whether an account is needed.
    pub account: bool,
    /// Whether its public URL is https.
    #[serde(default)]
    pub https: Option<bool>,
    /// Whether the URL stays the same over restarts.
    #[serde(default)]
    pub stable_url: Option<bool>,
    /// What the user should know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The program; none: it comes from the option `command`.
    #[serde(default)]
    pub program: Option<String>,
    /// Makes it say its version.
    #[serde(default)]
    pub version_args: Vec<String>,
    /// Where it says who the sender is; none: it does not.
    #[serde(default)]
    pub client_ip: Option<ClientIpRule>,
    /// Lower-case names of headers that it adds.
    #[serde(default)]
    pub adds_headers: Vec<String>,
    /// Its command line.
    pub args: Vec<ArgTemplate>,
    /// Variables; one whose option is absent is left out.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How it is installed, by system.
    #[serde(default)]
    pub install: Install,
    /// What may be set.
    #[serde(default)]
    pub options: Vec<TunnelOption>,
    /// Files that are written for it, readable by the user alone.
    #[serde(default)]
    pub files: Vec<FileTemplate>,
    /// The public URL, when it is known before the program says anything or follows from a port.
    #[serde(default)]
    pub url: Option<String>,
    /// Lines that are not kept in the log.
    #[serde(default, with = "pattern::optional")]
    pub hide: Option<regex::Regex>,
    /// Answers 200 once the tunnel stands.
    #[serde(default)]
    pub ready_api: Option<ReadyApi>,
    /// Answers with the public URL.
    #[serde(default)]
    pub url_api: Option<UrlApi>,
    /// What lines of its output mean.
    #[serde(default)]
    pub rules: Vec<OutputRule>,
}

/// One argument, or several that depend on an option.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum ArgTemplate {
    /// Always there.
    Always(String),
    /// There when an option is given.
    When(ConditionalArgs),
}

/// Arguments that depend on an option.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionalArgs {
    /// Name of the option.
    pub when: String,
    /// When it is given.
    pub args: Vec<String>,
    /// When it is not.
    #[serde(default)]
    pub otherwise: Vec<String>,
}

/// A file that is written before the start.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileTemplate {
    /// Named by `{file:NAME}` in arguments.
    pub name: String,
    /// Its text. Options stand in it as the inside of a double-quoted string of TOML and YAML, where it has quotes.
    pub text: String,
    /// Some programs read the format off it.
    #[serde(default)]
    pub extension: Option<String>,
}

/// How a program is installed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    #[serde(default)]
    linux: Option<String>,
    #[serde(default)]
    macos: Option<String>,
    #[serde(default)]
    windows: Option<String>,
}

impl Install {
    /// On the system that this program was built for.
    #[must_use]
    pub fn here(&self) -> Option<&str> {
        let line = match std::env::consts::OS {
            "macos" => &self.macos,
            "windows" => &self.windows,
            _ => &self.linux,
        };
        line.as_deref()
    }
}

/// The program's own address that answers 200 when the tunnel stands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadyApi {
    /// On this machine.
    pub url: String,
}

/// The program's own address that tells the public URL.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrlApi {
    /// On this machine.
    pub url: String,
    /// Field of the JSON object: a text, or a list of texts of which one with https is preferred.
    pub field: String,
    /// Put in front of the text.
    #[serde(default)]
    pub prefix: String,
}

/// Which header says who the sender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientIpRule {
    /// The header.
    pub header: ClientIpHeader,
    /// Which part of its value counts.
    #[serde(default)]
    pub take: ClientIpPart,
    /// Whether it may have been written by the sender: shown as a claim, and counted by nothing.
    #[serde(default)]
    pub claimed: bool,
}

/// Headers in which tunnels say who the sender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientIpHeader {
    /// Cloudflare's; it replaces what the sender wrote.
    CfConnectingIp,
    /// Appended to by each proxy.
    XForwardedFor,
    /// One address.
    XRealIp,
}

/// Which part of a header's value counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientIpPart {
    /// All of it.
    #[default]
    Whole,
    /// What stands behind the last comma: what the tunnel itself appended.
    Last,
}

impl ClientIpRule {
    /// Lower-case name of the header.
    #[must_use]
    pub const fn header_name(self) -> &'static str {
        match self.header {
            ClientIpHeader::CfConnectingIp => "cf-connecting-ip",
            ClientIpHeader::XForwardedFor => "x-forwarded-for",
            ClientIpHeader::XRealIp => "x-real-ip",
        }
    }

    /// Whether only what stands behind the last comma counts.
    #[must_use]
    pub fn takes_last(self) -> bool {
        self.take == ClientIpPart::Last
    }

    /// What is stored as the address's source.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match (self.header, self.claimed) {
            (ClientIpHeader::CfConnectingIp, false) => "cf-connecting-ip",
            (ClientIpHeader::CfConnectingIp, true) => "cf-connecting-ip (claimed)",
            (ClientIpHeader::XForwardedFor, false) => "x-forwarded-for",
            (ClientIpHeader::XForwardedFor, true) => "x-forwarded-for (claimed)",
            (ClientIpHeader::XRealIp, false) => "x-real-ip",
            (ClientIpHeader::XRealIp, true) => "x-real-ip (claimed)",
        }
    }
}

impl TunnelProvider {
    /// Whether its program is told the ingress's port and not its address: it leads to this machine's own.
    #[must_use]
    pub fn takes_port_only(&self) -> bool {
        let args = self.args.iter().flat_map(|arg| match arg {
            ArgTemplate::Always(text) => std::slice::from_ref(text).iter().chain(&[]),
            ArgTemplate::When(conditional) => conditional.args.iter().chain(&conditional.otherwise),
        });
        let texts = args.chain(self.files.iter().map(|file| &file.text)).chain(self.env.values());
        let names: Vec<&str> = texts.flat_map(|text| template::names(text)).collect();
        names.contains(&"ingress_port") && !names.contains(&"ingress") && !names.contains(&"ingress_host")
    }

    /// Whether it is supported: watched, not only read about.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        self.evidence == TunnelEvidence::Observed
    }
}

pub(super) mod pattern {
    //! Regular expressions in files.

    use serde::{Deserialize, Deserializer, de};

    fn parse<E: de::Error>(text: &str) -> Result<regex::Regex, E> {
        regex::Regex::new(text).map_err(E::custom)
    }

    /// For a field that may be absent.
    pub(in crate::tunnel) mod optional {
        use super::{Deserialize, Deserializer, parse};

        /// Reads it.
        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<regex::Regex>, D::Error> {
            Option::<String>::deserialize(from)?.map(|text| parse(&text)).transpose()
        }
    }

    /// For a map of patterns.
    pub(in crate::tunnel) mod map {
        use std::collections::BTreeMap;

        use super::{Deserialize, Deserializer, parse};

        /// Reads them.
        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, regex::Regex>, D::Error> {
            let texts = BTreeMap::<String, String>::deserialize(from)?;
            texts.into_iter().map(|(name, text)| Ok((name, parse(&text)?))).collect()
        }
    }
}
