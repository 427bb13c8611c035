//! The tunnel providers: `tunnels/*.toml`, embedded when built and checked when read.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::provider::{ArgTemplate, TunnelProvider};
use super::template;
use crate::domain::{TunnelEvidence, TunnelOptionKind};

/// Slug and text of each file, written by the build script.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/tunnels.rs"));

/// Placeholders that need no option.
const BUILT_IN: [&str; 4] = ["ingress", "ingress_host", "ingress_port", "metrics_port"];
/// Placeholders that a rule's line may fill.
const FOUND: [&str; 4] = ["host", "port", "url", "0"];

/// What every ssh must be told whatever the user's configuration says: to keep its connection to itself, because a
/// forwarding in a shared one (ControlMaster, ssh_config(5)) outlives it, and to forward neither agent nor display.
const SSH_ALONE: [&str; 6] = ["-o", "ControlMaster=no", "-o", "ControlPath=none", "-a", "-x"];

/// All known tunnel providers, in the order in which they are offered.
#[derive(Clone, Debug)]
pub struct TunnelCatalogue {
    providers: Vec<Arc<TunnelProvider>>,
}

/// Why a provider's file is not taken.
#[derive(Debug, thiserror::Error)]
#[error("tunnels/{slug}.toml: {problem}")]
pub struct TunnelCatalogueError {
    /// Name of the file without extension.
    pub slug: String,
    /// What is wrong.
    pub problem: String,
}

impl TunnelCatalogue {
    /// The providers that this program was built with.
    ///
    /// # Errors
    /// When a file is not of its form; a test keeps such a program from being released.
    pub fn embedded() -> Result<Self, TunnelCatalogueError> {
        Self::read(FILES)
    }

    fn read(files: &[(&str, &str)]) -> Result<Self, TunnelCatalogueError> {
        let mut providers = Vec::new();
        for (slug, text) in files {
            let wrong = |problem: String| TunnelCatalogueError { slug: (*slug).to_owned(), problem };
            let mut provider: TunnelProvider = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
            (*slug).clone_into(&mut provider.slug);
            check(&provider).map_err(wrong)?;
            providers.push(Arc::new(provider));
        }
        providers.sort_by_key(|provider| provider.order);
        Ok(Self { providers })
    }

    /// The provider of this slug.
    #[must_use]
    pub fn get(&self, slug: &str) -> Option<&Arc<TunnelProvider>> {
        self.providers.iter().find(|provider| provider.slug == slug)
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Arc<TunnelProvider>> {
        self.providers.iter()
    }
}

/// What could not work, or must not: above all a secret in a command line, which every user of the machine can read.
fn check(provider: &TunnelProvider) -> Result<(), String> {
    let options: BTreeSet<&str> = provider.options.iter().map(|option| option.name.as_str()).collect();
    let is_secret = |name: &str| {
        provider.options.iter().any(|option| option.name == name && option.kind == TunnelOptionKind::Secret)
    };
    let known = |name: &str, also: &[&str]| {
        let file = name.strip_prefix("file:").is_some_and(|file| provider.files.iter().any(|given| given.name == file));
        file || options.contains(name) || BUILT_IN.contains(&name) || also.contains(&name)
    };
    let check_text = |text: &str, also: &[&str], secrets: bool| {
        for name in template::names(text) {
            if !known(name, also) {
                return Err(format!("nothing is known as {{{name}}}"));
            }
            if !secrets && is_secret(name) {
                return Err(format!("the secret {{{name}}} may stand in a file or in the environment only"));
            }
        }
        Ok(())
    };
    for arg in &provider.args {
        match arg {
            ArgTemplate::Always(text) => check_text(text, &[], false)?,
            ArgTemplate::When(conditional) => {
                if !options.contains(conditional.when.as_str()) {
                    return Err(format!("there is no option {}", conditional.when));
                }
                conditional
                    .args
                    .iter()
                    .chain(&conditional.otherwise)
                    .try_for_each(|text| check_text(text, &[], false))?;
            }
        }
    }
    if provider.program.as_deref() == Some("ssh") && !is_ssh_alone(&provider.args) {
        return Err(format!("its ssh is not told {}", SSH_ALONE.join(" ")));
    }
    provider.env.values().try_for_each(|text| check_text(text, &[], true))?;
    provider.files.iter().try_for_each(|file| check_text(&file.text, &[], true))?;
    provider.url.iter().try_for_each(|text| check_text(text, &FOUND, false))?;
    for rule in &provider.rules {
        rule.url.iter().try_for_each(|text| check_text(text, &FOUND, false))?;
        if rule.lines.is_empty() {
            return Err("a rule has no line that it matches".to_owned());
        }
        // What ssh says of its connection was observed, whatever is known of the server.
        if rule.evidence == TunnelEvidence::Observed
            && provider.evidence != TunnelEvidence::Observed
            && provider.program.as_deref() != Some("ssh")
        {
            return Err("a rule claims to be observed in a program that nobody ran".to_owned());
        }
    }
    Ok(())
}

/// Whether those words stand together, and in every case.
fn is_ssh_alone(args: &[ArgTemplate]) -> bool {
    args.windows(SSH_ALONE.len()).any(|some| {
        some.iter().zip(SSH_ALONE).all(|(arg, word)| matches!(arg, ArgTemplate::Always(text) if text == word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TunnelStream;
    use crate::tunnel::output_rules::OutputReader;

    #[test]
    fn every_file_of_the_catalogue_can_be_read() {
        let catalogue = TunnelCatalogue::embedded().unwrap();
        let slugs: Vec<&str> = catalogue.iter().map(|provider| provider.slug.as_str()).collect();
        assert_eq!(slugs.len(), 14, "{slugs:?}");
        assert_eq!(slugs[0], "cloudflared");
        let supported: Vec<&str> = catalogue
            .iter()
            .filter(|provider| provider.is_supported())
            .map(|provider| provider.slug.as_str())
            .collect();
        assert_eq!(supported, ["ssh", "bore", "custom"]);
    }

    #[test]
    fn each_row_of_the_table_matches_its_lines_before_any_other_row_does_and_not_its_counterexamples() {
        for provider in TunnelCatalogue::embedded().unwrap().iter() {
            for (row, rule) in provider.rules.iter().enumerate() {
                for line in &rule.lines {
                    let rules = provider.rules.iter().cloned().map(|mut rule| {
                        rule.after = None;
                        rule
                    });
                    let found = OutputReader::new(rules).read(rule.stream.unwrap_or(TunnelStream::Stderr), line);
                    let found = found.unwrap_or_else(|| panic!("{} row {row}: {line}", provider.slug));
                    assert_eq!(found.means, rule.means, "{} row {row}: {line}", provider.slug);
                    assert_eq!(found.reason, rule.reason, "{} row {row}: another row took {line}", provider.slug);
                }
                for line in &rule.not_lines {
                    let found = OutputReader::new([rule.clone()]).read(TunnelStream::Stdout, line);
                    assert_eq!(found, None, "{} row {row}: {line}", provider.slug);
                }
            }
        }
    }

    #[test]
    fn no_provider_starts_localtunnel_with_a_local_host() {
        let catalogue = TunnelCatalogue::embedded().unwrap();
        let provider = catalogue.get("localtunnel").unwrap();
        assert!(!format!("{:?}", provider.args).contains("local-host"));
    }

    #[test]
    fn an_ssh_that_may_share_its_connection_is_refused() {
        let text =
            "name='x'\nsummary='x'\norder=1\nevidence='source'\naccount=false\nprogram='ssh'\nargs=['-N', WORDS]\n";
        let words = SSH_ALONE.map(|word| format!("'{word}'"));
        assert!(TunnelCatalogue::read(&[("x", &text.replace("WORDS", &words.join(", ")))]).is_ok());
        for left_out in [1, 3, 4, 5] {
            let mut fewer = words.to_vec();
            fewer.remove(left_out);
            let error = TunnelCatalogue::read(&[("x", &text.replace("WORDS", &fewer.join(", ")))]).unwrap_err();
            assert!(error.to_string().contains("ControlMaster=no"), "{error}");
        }
    }

    #[test]
    fn a_secret_in_a_command_line_is_refused() {
        let text = "name='x'\nsummary='x'\norder=1\nevidence='source'\naccount=false\nprogram='x'\nargs=['--token', '{token}']\n\
                    [[options]]\nname='token'\nlabel='t'\nkind='secret'\nhelp='h'\n";
        let error = TunnelCatalogue::read(&[("x", text)]).unwrap_err();
        assert!(error.to_string().contains("secret"), "{error}");
        let in_file = text.replace("'{token}'", "'{file:f}'") + "[[files]]\nname='f'\ntext='{token}'\n";
        assert!(TunnelCatalogue::read(&[("x", &in_file)]).is_ok());
    }
}
