//! What lines of a program's output mean: one table for each provider, the first rule that matches counts.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::provider::pattern;
use crate::domain::{TunnelEvidence, TunnelStream};

/// One row of a provider's table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputRule {
    /// What a match means.
    pub means: Meaning,
    /// Only lines of this stream; none: of both.
    #[serde(default)]
    pub stream: Option<TunnelStream>,
    /// Must match the line.
    #[serde(default, with = "pattern::optional")]
    pub pattern: Option<Regex>,
    /// The line is a JSON object, and these patterns match its fields; `a.0` is the first item of the list `a`.
    #[serde(default, with = "pattern::map")]
    pub json: BTreeMap<String, Regex>,
    /// Counts only behind a line that this matches.
    #[serde(default, with = "pattern::optional")]
    pub after: Option<Regex>,
    /// The public URL, made of the groups that matched.
    #[serde(default)]
    pub url: Option<String>,
    /// What is said.
    #[serde(default)]
    pub reason: Option<String>,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
    /// How the line is known.
    pub evidence: TunnelEvidence,
    /// Lines that it matches; the catalogue's test holds it to them.
    pub lines: Vec<String>,
    /// Lines that it must not match.
    #[serde(default)]
    pub not_lines: Vec<String>,
}

/// What a line means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// It holds the public URL.
    Url,
    /// It holds the port that the server gave; the URL follows from the provider's template.
    Port,
    /// The tunnel stands.
    Ready,
    /// It does not carry requests at the moment; the program tries again by itself.
    Lost,
    /// It will not work before the user changes something.
    Fatal,
    /// As fatal, until the tunnel stood once; from then on it may well work again later.
    FatalAtFirst,
    /// Says why the program is about to end, or what is not well.
    Trouble,
}

/// What a line said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it means.
    pub means: Meaning,
    /// Named groups of the match.
    pub groups: BTreeMap<String, String>,
    /// The rule's template of a URL.
    pub url: Option<String>,
    /// What is said.
    pub reason: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

/// The table of one run, with what `after` has seen.
#[derive(Debug)]
pub struct OutputReader {
    rules: Vec<(OutputRule, bool)>,
}

impl OutputReader {
    /// At the beginning of a run.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = OutputRule>) -> Self {
        Self { rules: rules.into_iter().map(|rule| (rule, false)).collect() }
    }

    /// What a line means, if anything.
    pub fn read(&mut self, stream: TunnelStream, line: &str) -> Option<Finding> {
        let json = line.trim_start().starts_with('{').then(|| serde_json::from_str::<Value>(line).ok()).flatten();
        let found = self.rules.iter().find_map(|(rule, armed)| {
            let wanted = rule.stream.is_none_or(|only| only == stream) && (rule.after.is_none() || *armed);
            wanted.then(|| rule.matched(line, json.as_ref())).flatten()
        });
        for (rule, armed) in &mut self.rules {
            *armed |= rule.after.as_ref().is_some_and(|after| after.is_match(line));
        }
        found
    }
}

impl OutputRule {
    fn matched(&self, line: &str, json: Option<&Value>) -> Option<Finding> {
        let mut groups = BTreeMap::new();
        if let Some(pattern) = &self.pattern {
            collect(pattern, line, &mut groups)?;
        }
        for (path, pattern) in &self.json {
            collect(pattern, field(json?, path)?, &mut groups)?;
        }
        if self.pattern.is_none() && self.json.is_empty() {
            return None;
        }
        let (url, reason, hint) = (self.url.clone(), self.reason.clone(), self.hint.clone());
        Some(Finding { means: self.means, groups, url, reason, hint })
    }
}

fn collect(pattern: &Regex, text: &str, groups: &mut BTreeMap<String, String>) -> Option<()> {
    let captured = pattern.captures(text)?;
    for name in pattern.capture_names().flatten() {
        if let Some(group) = captured.name(name) {
            groups.insert(name.to_owned(), group.as_str().to_owned());
        }
    }
    groups.entry("0".to_owned()).or_insert_with(|| captured[0].to_owned());
    Some(())
}

fn field<'a>(json: &'a Value, path: &str) -> Option<&'a str> {
    let found = path.split('.').try_fold(json, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    });
    found?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(toml: &str) -> OutputRule {
        toml::from_str(&format!("evidence = \"source\"\nlines = []\n{toml}")).unwrap()
    }

    #[test]
    fn a_rule_that_waits_for_a_line_counts_only_behind_it() {
        let mut reader =
            OutputReader::new([rule("means = \"url\"\npattern = '^(?P<url>https://\\S+)$'\nafter = 'Available'")]);
        assert_eq!(reader.read(TunnelStream::Stdout, "https://early.example"), None);
        assert_eq!(reader.read(TunnelStream::Stdout, "Available on the internet:"), None);
        let found = reader.read(TunnelStream::Stdout, "https://late.example").unwrap();
        assert_eq!(found.groups["url"], "https://late.example");
    }

    #[test]
    fn a_rule_of_one_stream_does_not_read_the_other() {
        let mut reader = OutputReader::new([rule("means = \"ready\"\npattern = 'up'\nstream = \"stderr\"")]);
        assert_eq!(reader.read(TunnelStream::Stdout, "up"), None);
        assert_eq!(reader.read(TunnelStream::Stderr, "up").unwrap().means, Meaning::Ready);
    }

    #[test]
    fn fields_of_json_are_found_by_path_and_all_must_match() {
        let mut reader =
            OutputReader::new([rule("means = \"url\"\njson = { msg = '^boot$', \"urls.0\" = '^(?P<url>.+)$' }")]);
        assert_eq!(reader.read(TunnelStream::Stdout, r#"{"msg":"reboot","urls":["https://a"]}"#), None);
        assert_eq!(reader.read(TunnelStream::Stdout, r#"{"msg":"boot","urls":[]}"#), None);
        assert_eq!(reader.read(TunnelStream::Stdout, r#"{"msg":"boot","urls":["https://a""#), None);
        let found = reader.read(TunnelStream::Stdout, r#"{"urls":["https://a"],"msg":"boot"}"#).unwrap();
        assert_eq!(found.groups["url"], "https://a");
    }
}
