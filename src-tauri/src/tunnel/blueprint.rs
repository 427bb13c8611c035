//! A provider with the user's options, checked: everything that each start of its program needs.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regex::Regex;
use serde_json::{Map, Value};

use super::output_rules::{Meaning, OutputRule};
use super::program::find_program;
use super::provider::{ArgTemplate, ClientIpRule, TunnelProvider};
use super::template;
use crate::domain::{Secret, TunnelEvidence, TunnelOption, TunnelOptionKind, reached_at};

/// Longest value of an option in bytes.
const OPTION_BYTES_MAX: usize = 8 * 1024;
/// Words of a command.
const COMMAND_WORDS_MAX: usize = 200;

/// Why a tunnel cannot be started with these options.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// The provider has no such option.
    #[error("there is no option `{name}`")]
    Unknown {
        /// As given.
        name: String,
    },
    /// It cannot do without.
    #[error("the option `{name}` is needed")]
    Missing {
        /// Of the option.
        name: String,
    },
    /// Its value will not do.
    #[error("the option `{name}` {why}")]
    Invalid {
        /// Of the option.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// The program can only be told a port, and leads to it on 127.0.0.1.
    #[error("{provider} leads to 127.0.0.1 only, and the ingress listens on {ingress}")]
    LoopbackOnly {
        /// The provider's name for people.
        provider: String,
        /// Where the ingress listens.
        ingress: SocketAddr,
    },
    /// The program was not found.
    #[error("`{program}` was not found on this machine")]
    NoProgram {
        /// What was looked for.
        program: String,
        /// How to install it.
        install: Option<String>,
    },
}

/// A tunnel that can be started, again and again.
pub struct Blueprint {
    provider: Arc<TunnelProvider>,
    program: PathBuf,
    /// What stands between the program and the provider's arguments: words of a command of one's own.
    leading: Vec<String>,
    values: BTreeMap<String, String>,
    secrets: Vec<Secret>,
    rules: Vec<OutputRule>,
    ingress: SocketAddr,
}

/// What one start of the program takes.
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) files: Vec<(PathBuf, String)>,
    /// Answers 200 once the tunnel stands.
    pub(super) ready_api: Option<String>,
    /// Address, field, and what is put in front of its text.
    pub(super) url_api: Option<(String, String, String)>,
}

impl fmt::Debug for Blueprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values and the words of a command may hold secrets.
        formatter
            .debug_struct("Blueprint")
            .field("provider", &self.provider.slug)
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

impl Blueprint {
    /// Checks the options, and looks for the program.
    ///
    /// # Errors
    /// With the option that will not do.
    pub fn new(
        provider: Arc<TunnelProvider>,
        options: &Map<String, Value>,
        ingress: SocketAddr,
    ) -> Result<Self, OptionError> {
        if let Some(name) = options.keys().find(|name| provider.options.iter().all(|option| option.name != **name)) {
            return Err(OptionError::Unknown { name: name.clone() });
        }
        // One on all addresses, by IPv4, is on that one, too.
        if provider.takes_port_only() && reached_at(ingress).ip() != Ipv4Addr::LOCALHOST {
            return Err(OptionError::LoopbackOnly { provider: provider.name.clone(), ingress });
        }
        let mut checked = Checked::default();
        for option in &provider.options {
            match options.get(&option.name).filter(|value| !is_blank(value)) {
                Some(value) => checked.take(option, value)?,
                None if option.required => return Err(OptionError::Missing { name: option.name.clone() }),
                None => {
                    if let Some(default) = &option.default {
                        checked.values.insert(option.name.clone(), default.clone());
                    }
                }
            }
        }
        let Checked { values, secrets, command, patterns } = checked;
        let (name, leading) = match &provider.program {
            Some(program) => (program.clone(), Vec::new()),
            None => {
                let mut words = command.into_iter();
                (words.next().unwrap_or_default(), words.collect())
            }
        };
        let no_program =
            || OptionError::NoProgram { program: name.clone(), install: provider.install.here().map(str::to_owned) };
        let program = find_program(&name).ok_or_else(no_program)?;
        let rules: Vec<OutputRule> = patterns.into_iter().chain(provider.rules.iter().cloned()).collect();
        let tells_url = rules.iter().any(|rule| matches!(rule.means, Meaning::Url)) || provider.url_api.is_some();
        let made = Self { program, leading, values, secrets, rules, ingress: reached_at(ingress), provider };
        if !tells_url && made.url_template().is_none() {
            return Err(OptionError::Missing { name: "public_url".to_owned() });
        }
        Ok(made)
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &TunnelProvider {
        &self.provider
    }

    /// Where its program says who the sender is.
    #[must_use]
    pub fn client_ip(&self) -> Option<ClientIpRule> {
        self.provider.client_ip
    }

    /// What must not be shown.
    pub(super) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    pub(super) fn rules(&self) -> Vec<OutputRule> {
        self.rules.clone()
    }

    /// Whether the program says by a line or by its own address when the tunnel stands.
    pub(super) fn tells_ready(&self) -> bool {
        self.provider.ready_api.is_some() || self.rules.iter().any(|rule| rule.means == Meaning::Ready)
    }

    /// The public URL as far as the options give it; `{port}` may stand in it.
    pub(super) fn url_template(&self) -> Option<String> {
        template::fill(self.provider.url.as_deref()?, |name| self.values.get(name).cloned())
    }

    /// The port on the server, when the user chose one: the program then has no reason to say it.
    pub(super) fn chosen_port(&self) -> Option<String> {
        self.values.get("remote_port").filter(|port| *port != "0").cloned()
    }

    /// What one start takes; files are written to `dir`.
    pub(super) fn launch(&self, metrics_port: u16, dir: &Path) -> Launch {
        let file_path = |name: &str| {
            let file = self.provider.files.iter().find(|file| file.name == name)?;
            let extension = file.extension.as_deref().map(|extension| format!(".{extension}")).unwrap_or_default();
            Some(dir.join(format!("{}-{name}{extension}", self.provider.slug)))
        };
        let built_in = |name: &str| match name {
            "ingress" => Some(self.ingress.to_string()),
            "ingress_host" => Some(self.ingress.ip().to_string()),
            "ingress_port" => Some(self.ingress.port().to_string()),
            "metrics_port" => Some(metrics_port.to_string()),
            _ => None,
        };
        let value = |name: &str| match name.strip_prefix("file:") {
            Some(file) => file_path(file).map(|path| path.to_string_lossy().into_owned()),
            None => built_in(name).or_else(|| self.values.get(name).cloned()),
        };
        let quoted = |name: &str| value(name).map(|text| text.replace('\\', "\\\\").replace('"', "\\\""));
        let fill = |text: &str| template::fill(text, value);
        let own = self.leading.iter().map(|word| template::fill(word, built_in).unwrap_or_else(|| word.clone()));
        let mut args: Vec<String> = own.collect();
        for arg in &self.provider.args {
            match arg {
                ArgTemplate::Always(text) => args.extend(fill(text)),
                ArgTemplate::When(conditional) if self.values.contains_key(&conditional.when) => {
                    args.extend(conditional.args.iter().filter_map(|text| fill(text)));
                }
                ArgTemplate::When(conditional) => {
                    args.extend(conditional.otherwise.iter().filter_map(|text| fill(text)));
                }
            }
        }
        let files = self.provider.files.iter();
        Launch {
            program: self.program.clone(),
            args,
            env: self.provider.env.iter().filter_map(|(name, text)| Some((name.clone(), fill(text)?))).collect(),
            files: files.filter_map(|file| Some((file_path(&file.name)?, file_text(&file.text, quoted)))).collect(),
            ready_api: self.provider.ready_api.as_ref().and_then(|api| fill(&api.url)),
            url_api: self
                .provider
                .url_api
                .as_ref()
                .and_then(|api| Some((fill(&api.url)?, api.field.clone(), api.prefix.clone()))),
        }
    }
}

/// A file's text; a line whose option is absent is left out.
fn file_text(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    text.split_inclusive('\n').filter_map(|line| template::fill(line, &value)).collect()
}

/// What the user gave, by what it is for.
#[derive(Default)]
struct Checked {
    values: BTreeMap<String, String>,
    secrets: Vec<Secret>,
    command: Vec<String>,
    patterns: Vec<OutputRule>,
}

impl Checked {
    fn take(&mut self, option: &TunnelOption, value: &Value) -> Result<(), OptionError> {
        let invalid = |why: String| OptionError::Invalid { name: option.name.clone(), why };
        if option.kind == TunnelOptionKind::List {
            self.command = words(value).map_err(invalid)?;
            return Ok(());
        }
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(invalid("must be a text or a number".to_owned())),
        };
        if text.len() > OPTION_BYTES_MAX {
            return Err(invalid(format!("is longer than {OPTION_BYTES_MAX} bytes")));
        }
        if text.chars().any(char::is_control) {
            return Err(invalid("holds a control character, such as a line end".to_owned()));
        }
        if !option.choices.is_empty() && !option.choices.contains(&text) {
            return Err(invalid(format!("is one of {}", option.choices.join(", "))));
        }
        match option.kind {
            TunnelOptionKind::Secret => self.secrets.push(Secret::new(text.clone())),
            TunnelOptionKind::Pattern => {
                self.patterns.push(pattern_rule(&option.name, &text).map_err(invalid)?);
                return Ok(());
            }
            TunnelOptionKind::Number if text.parse::<u16>().is_err() => {
                return Err(invalid("must be a whole number from 0 to 65535".to_owned()));
            }
            // A value that is taken for an option of the program could do anything: `-oProxyCommand=...`.
            _ if text.starts_with('-') => return Err(invalid("must not begin with -".to_owned())),
            _ => {}
        }
        let text = if option.kind == TunnelOptionKind::File { expanded(&text) } else { text };
        if option.name == "public_url" && !is_base_url(&text) {
            return Err(invalid(
                "must be an http or https URL without a path, such as https://hooks.example.com".to_owned(),
            ));
        }
        self.values.insert(option.name.clone(), text);
        Ok(())
    }
}

/// A pattern of the user's own as a row of the table.
fn pattern_rule(name: &str, text: &str) -> Result<OutputRule, String> {
    let pattern = Regex::new(text).map_err(|_| "is no regular expression".to_owned())?;
    Ok(OutputRule {
        means: if name == "ready_pattern" { Meaning::Ready } else { Meaning::Url },
        stream: None,
        pattern: Some(pattern),
        json: BTreeMap::new(),
        after: None,
        url: None,
        reason: None,
        hint: None,
        evidence: TunnelEvidence::Observed,
        lines: Vec::new(),
        not_lines: Vec::new(),
    })
}

fn words(value: &Value) -> Result<Vec<String>, String> {
    let list = value.as_array().filter(|words| !words.is_empty() && words.len() <= COMMAND_WORDS_MAX);
    let list = list.ok_or_else(|| format!("must be a list of 1 to {COMMAND_WORDS_MAX} words"))?;
    let word = |value: &Value| {
        let text = value.as_str().filter(|text| !text.contains('\0') && text.len() <= OPTION_BYTES_MAX);
        text.map(str::to_owned).ok_or_else(|| "must hold texts only".to_owned())
    };
    list.iter().map(word).collect()
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether a text is the beginning of URLs; `{port}` may stand for its port.
fn is_base_url(text: &str) -> bool {
    let Ok(url) = url::Url::parse(&text.replace("{port}", "1")) else { return false };
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path().trim_end_matches('/').is_empty()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

/// `~/` is what a shell makes of it, which is not there.
fn expanded(path: &str) -> String {
    let home = || etcetera::home_dir().ok();
    match path.strip_prefix("~/").zip(home()) {
        Some((rest, home)) => home.join(rest).to_string_lossy().into_owned(),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tunnel::TunnelCatalogue;

    fn provider(slug: &str, program: &str) -> Arc<TunnelProvider> {
        let catalogue = TunnelCatalogue::embedded().unwrap();
        let mut provider = Arc::clone(catalogue.get(slug).unwrap());
        drop(catalogue);
        if let Some(provider) = Arc::get_mut(&mut provider)
            && provider.program.is_some()
        {
            // What is on every machine: only the command line is looked at.
            provider.program = Some(program.to_owned());
        }
        provider
    }

    fn made(slug: &str, options: Value) -> Result<Blueprint, OptionError> {
        let Value::Object(options) = options else { panic!("an object") };
        let program = std::env::current_exe().unwrap().to_string_lossy().into_owned();
        Blueprint::new(provider(slug, &program), &options, "127.0.0.1:4100".parse().unwrap())
    }

    fn launch(slug: &str, options: Value) -> Launch {
        made(slug, options).unwrap().launch(4999, Path::new("/d"))
    }

    #[test]
    fn ssh_gets_its_words_one_by_one_and_its_url_from_the_user() {
        let blueprint =
            made("ssh", json!({"destination": "me@host", "public_url": "http://host:{port}", "ssh_port": 22})).unwrap();
        let args = blueprint.launch(1, Path::new("/d")).args;
        assert!(args.ends_with(&["-R", "0:127.0.0.1:4100", "--", "me@host"].map(str::to_owned)), "{args:?}");
        assert!(args.windows(2).any(|pair| pair == ["-p", "22"]), "{args:?}");
        assert_eq!(blueprint.url_template().as_deref(), Some("http://host:{port}"));
    }

    #[test]
    fn a_chosen_port_is_known_without_a_word_of_the_program() {
        let port = |port: &str| {
            let options = json!({"destination": "h", "public_url": "http://h:{port}", "remote_port": port});
            made("ssh", options).unwrap().chosen_port()
        };
        assert_eq!((port("2000").as_deref(), port("0")), (Some("2000"), None));
    }

    #[test]
    fn a_value_that_would_be_taken_for_an_option_of_the_program_is_refused() {
        let error = made("ssh", json!({"destination": "-oProxyCommand=x", "public_url": "http://h"})).unwrap_err();
        assert!(matches!(error, OptionError::Invalid { ref name, .. } if name == "destination"), "{error}");
        let error = made("bore", json!({"server": "a\nb"})).unwrap_err();
        assert!(matches!(error, OptionError::Invalid { .. }), "{error}");
    }

    #[test]
    fn a_secret_is_in_environment_or_file_and_never_in_the_command_line() {
        for (slug, options) in [
            ("bore", json!({"secret": "canary-1"})),
            ("ngrok", json!({"authtoken": "canary-1"})),
            ("frp", json!({"server": "h", "subdomain": "s", "public_url": "https://s.h", "token": "canary-1"})),
            ("cloudflared-named", json!({"token": "canary-1", "public_url": "https://s.h"})),
            ("custom", json!({"command": ["sh", "{secret}"], "secret": "canary-1", "public_url": "https://s.h"})),
        ] {
            let launch = launch(slug, options);
            assert!(!format!("{:?}", launch.args).contains("canary"), "{slug}");
            let elsewhere = format!("{:?}{:?}", launch.env, launch.files);
            assert!(elsewhere.contains("canary-1"), "{slug}: it must arrive");
        }
    }

    #[test]
    fn what_depends_on_an_absent_option_is_left_out() {
        let launch = launch("bore", json!({}));
        assert_eq!(launch.args, ["local", "4100", "--local-host", "127.0.0.1", "--to", "bore.pub"]);
        assert!(launch.env.iter().all(|(name, _)| name != "BORE_SECRET"));
        let frp = json!({"server": "a\"b\\", "subdomain": "s", "public_url": "https://s.h"});
        let file = super::Blueprint::launch(&made("frp", frp).unwrap(), 1, Path::new("/d")).files[0].1.clone();
        assert!(file.contains(r#"serverAddr = "a\"b\\""#) && !file.contains("auth.token"), "{file}");
        assert!(file.parse::<toml::Table>().is_ok(), "{file}");
    }

    #[test]
    fn unknown_missing_and_impossible_options_are_told_apart() {
        assert_eq!(made("bore", json!({"hots": "x"})).unwrap_err(), OptionError::Unknown { name: "hots".into() });
        let missing = made("ssh", json!({"destination": "h"})).unwrap_err();
        assert_eq!(missing, OptionError::Missing { name: "public_url".into() });
        for (name, value) in [("remote_port", json!("x")), ("server", json!([]).clone()), ("server", json!({}))] {
            let error = made("bore", json!({ name: value }));
            assert!(error.is_ok() == (name == "server" && value == json!([])), "{name} {value}");
        }
        let path = made("ssh", json!({"destination": "h", "public_url": "https://h/in"})).unwrap_err();
        assert!(matches!(path, OptionError::Invalid { .. }), "{path}");
        let silent = made("custom", json!({"command": ["sh"]})).unwrap_err();
        assert_eq!(silent, OptionError::Missing { name: "public_url".into() });
        let none =
            made("custom", json!({"command": ["creel-no-such-program"], "public_url": "https://h"})).unwrap_err();
        assert!(matches!(none, OptionError::NoProgram { .. }), "{none}");
        let pattern = made("custom", json!({"command": ["sh"], "url_pattern": "("})).unwrap_err();
        assert!(matches!(pattern, OptionError::Invalid { .. }), "{pattern}");
    }

    #[test]
    fn a_program_that_takes_a_port_only_is_not_started_for_an_ingress_elsewhere() {
        let program = std::env::current_exe().unwrap().to_string_lossy().into_owned();
        let made = |slug: &str, ingress: &str| {
            Blueprint::new(provider(slug, &program), &Map::new(), ingress.parse().unwrap()).map(drop)
        };
        for slug in ["tailscale", "localtunnel", "devtunnel"] {
            for ingress in ["127.0.0.1:4100", "0.0.0.0:4100"] {
                assert_eq!(made(slug, ingress), Ok(()), "{slug} {ingress}");
            }
            for ingress in ["[::1]:4100", "[::]:4100", "192.0.2.7:4100", "127.0.0.2:4100"] {
                let error = made(slug, ingress).unwrap_err();
                assert!(matches!(error, OptionError::LoopbackOnly { .. }), "{slug} {ingress}: {error}");
            }
        }
        for slug in ["bore", "cloudflared", "ngrok", "localhostrun"] {
            assert_eq!(made(slug, "[::1]:4100"), Ok(()), "{slug} is told where to");
        }
    }

    #[test]
    fn words_of_a_command_stay_as_they_are_but_for_where_it_must_lead() {
        let words = ["sh", "a b;\"c\"\n{x}", "{ingress}", "--port={ingress_port}"];
        let launch = launch("custom", json!({"command": words, "public_url": "https://h"}));
        assert_eq!(launch.args, ["a b;\"c\"\n{x}", "127.0.0.1:4100", "--port=4100"]);
    }
}
