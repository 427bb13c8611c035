//! The endpoints of a filled directory: of both providers, with and without secret, target and switch.

use std::sync::Arc;

use anyhow::{Context, Result};
use creel::domain::{
    BodyPolicy, DuplicatePolicy, Endpoint, EndpointId, Reply, Secret, SignaturePolicy, Target, TargetId, Timestamp,
    Token, WhenTargetDown,
};
use creel::signature::{Catalogue, Provider};

/// The secret of every endpoint that has one.
pub const SECRET: &str = "whsec-northwind-4f1b0c7d9e2a";

/// An endpoint and what its deliveries need.
#[derive(Clone)]
pub struct FilledEndpoint {
    /// Set when it is saved
    pub row: i64,
    pub endpoint: Endpoint,
    pub provider: Arc<Provider>,
    pub secrets: Vec<Secret>,
    /// Of a hundred deliveries, how many come here
    pub share: u64,
}

/// Name, provider, share of a hundred, whether it has a secret, whether it is on, paths of its targets.
type Plan = (&'static str, &'static str, u64, bool, bool, &'static [&'static str]);

const PLANS: [Plan; 5] = [
    ("GitHub: northwind/shop", "github", 38, true, true, &["/hooks/github"]),
    ("Shop: orders and invoices", "generic", 36, true, true, &["/hooks/shop"]),
    ("Ledger and mail", "generic", 14, true, true, &["/hooks/ledger", "/hooks/mail"]),
    ("GitHub: inspect only", "github", 8, false, true, &[]),
    ("Old back office", "generic", 4, false, false, &["/hooks/legacy"]),
];

pub fn all(at: Timestamp, catalogue: &Catalogue) -> Result<Vec<FilledEndpoint>> {
    (0..).zip(PLANS).map(|(place, plan)| endpoint(place, plan, at, catalogue)).collect()
}

fn endpoint(place: u8, plan: Plan, at: Timestamp, catalogue: &Catalogue) -> Result<FilledEndpoint> {
    let (name, provider, share, has_secret, enabled, paths) = plan;
    let target = |path: &&str| Target {
        id: TargetId::new(),
        url: format!("http://127.0.0.1:3000{path}"),
        enabled: true,
        event_filters: Vec::new(),
    };
    let endpoint = Endpoint {
        id: EndpointId::new(),
        name: name.to_owned(),
        // Known to everybody who reads this: the directory is for benchmarks, on loopback.
        token: Token::from_random([place + 1; Token::RANDOM_BYTES]),
        provider: provider.to_owned(),
        scheme: None,
        provider_options: serde_json::json!({}),
        body_policy: BodyPolicy::Any,
        signature_policy: SignaturePolicy::Enforce,
        enabled,
        duplicate_policy: DuplicatePolicy::Collapse,
        reply: Reply::Ack {},
        event_filters: Vec::new(),
        when_target_down: WhenTargetDown::Fail,
        targets: paths.iter().map(target).collect(),
        allow_non_loopback: false,
        public_url_override: None,
        created_at: at,
    };
    let provider = catalogue.get(provider).with_context(|| format!("the catalogue has no {provider}"))?;
    let secrets = if has_secret { vec![Secret::new(SECRET.to_owned())] } else { Vec::new() };
    Ok(FilledEndpoint { row: 0, endpoint, provider: Arc::clone(provider), secrets, share })
}
