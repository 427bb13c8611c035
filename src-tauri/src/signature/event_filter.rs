//! Which events an endpoint or a target lets through (CONTRACT section 3, `event_filters`).

use super::BodyFacts;
use crate::domain::EventFilter;

/// First segments that name the provider, not the event; the build script collects them from the catalogue.
const PROVIDER_PREFIXES: &[&str] = include!(concat!(env!("OUT_DIR"), "/event_prefixes.rs"));

/// Whether any filter matches; no filter lets everything through.
#[must_use]
pub fn matches_filters(filters: &[EventFilter], event: &str, facts: &BodyFacts) -> bool {
    let name = NameParts::of(event);
    filters.is_empty() || filters.iter().any(|filter| name.fits(&filter.event) && name.acts(filter, facts))
}

/// `github.workflow_run.requested`: whole, `workflow_run.requested`, `workflow_run` and `requested`.
struct NameParts<'a> {
    whole: &'a str,
    unprefixed: &'a str,
    first: &'a str,
    rest: &'a str,
}

impl<'a> NameParts<'a> {
    fn of(whole: &'a str) -> Self {
        let unprefixed = match whole.split_once('.') {
            Some((prefix, name)) if !name.is_empty() && PROVIDER_PREFIXES.contains(&prefix) => name,
            _ => whole,
        };
        let (first, rest) = unprefixed.split_once('.').unwrap_or((unprefixed, ""));
        Self { whole, unprefixed, first, rest }
    }

    fn fits(&self, event: &str) -> bool {
        !event.is_empty() && [self.whole, self.unprefixed, self.first].contains(&event)
    }

    fn acts(&self, filter: &EventFilter, facts: &BodyFacts) -> bool {
        let Some(actions) = filter.actions.as_deref().filter(|actions| !actions.is_empty()) else { return true };
        let candidates = [
            Some(self.rest).filter(|rest| !rest.is_empty()),
            facts.action.as_deref(),
            facts.state.as_deref(),
            facts.conclusion.as_deref(),
            facts.status.as_deref(),
        ];
        actions.iter().any(|action| candidates.contains(&Some(action.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Catalogue;

    fn filter(event: &str, actions: &[&str]) -> EventFilter {
        let actions = (!actions.is_empty()).then(|| actions.iter().map(|&action| action.to_owned()).collect());
        EventFilter { event: event.to_owned(), actions }
    }

    fn lets(filters: &[EventFilter], event: &str, body: &str) -> bool {
        matches_filters(filters, event, &BodyFacts::read(body.as_bytes()))
    }

    #[test]
    fn a_name_splits_into_provider_event_and_the_rest() {
        for (whole, unprefixed, first, rest) in [
            ("github.workflow_run.requested", "workflow_run.requested", "workflow_run", "requested"),
            ("github.push", "push", "push", ""),
            ("gitlab.Push Hook", "Push Hook", "Push Hook", ""),
            ("bitbucket.repo:push", "repo:push", "repo:push", ""),
            ("gitea.issues.opened.twice", "issues.opened.twice", "issues", "opened.twice"),
            ("order.paid", "order.paid", "order", "paid"),
            ("order.paid.in.full", "order.paid.in.full", "order", "paid.in.full"),
            ("GitHub.push", "GitHub.push", "GitHub", "push"),
            ("github", "github", "github", ""),
            ("github.", "github.", "github", ""),
            ("", "", "", ""),
        ] {
            let parts = NameParts::of(whole);
            assert_eq!((parts.unprefixed, parts.first, parts.rest), (unprefixed, first, rest), "{whole}");
        }
    }

    #[test]
    fn every_prefix_of_the_catalogue_is_known_to_filters() {
        let catalogue = Catalogue::embedded().unwrap();
        let mut prefixes: Vec<&str> = Vec::new();
        for provider in catalogue.iter() {
            prefixes.extend(provider.events.iter().map(|source| source.prefix()));
            prefixes.extend(provider.event_prefix.as_deref());
        }
        prefixes.retain(|prefix| !prefix.is_empty());
        prefixes.sort_unstable();
        prefixes.dedup();
        let known: Vec<String> = PROVIDER_PREFIXES.iter().map(|prefix| format!("{prefix}.")).collect();
        assert_eq!(known, prefixes);
    }

    #[test]
    fn no_filter_lets_everything_through() {
        assert!(lets(&[], "github.push", "{}"));
        assert!(lets(&[], "", "no json"));
    }

    #[test]
    fn an_event_that_no_filter_declares_is_held_back() {
        assert!(!lets(&[filter("push", &[])], "github.pull_request.opened", "{}"));
        assert!(!lets(&[filter("", &[])], "", "{}"));
    }

    #[test]
    fn a_filter_matches_the_whole_name_the_unprefixed_name_and_the_first_segment() {
        for event in ["github.workflow_run.requested", "workflow_run.requested", "workflow_run"] {
            assert!(lets(&[filter(event, &[])], "github.workflow_run.requested", "{}"), "{event}");
        }
        for event in ["github", "requested", "workflow", "github.workflow_run"] {
            assert!(!lets(&[filter(event, &[])], "github.workflow_run.requested", "{}"), "{event}");
        }
    }

    #[test]
    fn case_is_exact() {
        assert!(!lets(&[filter("Push", &[])], "github.push", "{}"));
        assert!(!lets(&[filter("push", &["Opened"])], "github.push", r#"{"action":"opened"}"#));
    }

    #[test]
    fn actions_match_the_rest_of_the_name_or_a_string_of_the_body() {
        let filters = [filter("workflow_run", &["requested", "success"])];
        assert!(lets(&filters, "github.workflow_run.requested", "{}"));
        assert!(!lets(&filters, "github.workflow_run.completed", "{}"));
        for field in ["action", "state", "conclusion", "status"] {
            let body = format!(r#"{{"{field}":"success"}}"#);
            assert!(lets(&filters, "github.workflow_run.completed", &body), "{field}");
        }
        assert!(!lets(&filters, "github.workflow_run.completed", r#"{"type":"success","action":["success"]}"#));
    }

    #[test]
    fn a_filter_without_actions_takes_any() {
        assert!(lets(&[filter("pull_request", &[])], "github.pull_request.closed", "{}"));
        let empty = EventFilter { event: "pull_request".into(), actions: Some(Vec::new()) };
        assert!(lets(&[empty], "github.pull_request.closed", "{}"));
    }

    #[test]
    fn any_filter_may_match_also_a_later_one_for_the_same_event() {
        let filters =
            [filter("issues", &["opened"]), filter("pull_request", &["opened"]), filter("issues", &["closed"])];
        assert!(lets(&filters, "github.issues.closed", "{}"));
        assert!(!lets(&filters, "github.pull_request.closed", "{}"));
    }
}
