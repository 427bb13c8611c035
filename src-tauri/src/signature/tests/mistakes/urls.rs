//! Mistakes with the URL: proxies and settings show the receiver another one than the sender signed.

use super::{Case, Ground, NOW, Sent};
use crate::signature::algorithm::sha256;

const TEXT: &str = r#"{"type":"order.paid","count":3}"#;
const SIGNED: &str = "https://hooks.example.com/in/shop?a=1&b=x%20y";

pub(super) fn cases(ground: &Ground) -> Vec<Case> {
    let checks_url = ground.scheme.checks.iter().any(|check| check.is_of_url());
    if !ground.scheme.contents.iter().any(|content| content.has_url()) && !checks_url {
        return Vec::new();
    }
    let body = if ground.signs_fields() { b"From=%2B1&To=%2B2&Body=hello".to_vec() } else { ground.body(TEXT) };
    let mut cases = Vec::new();
    let mut add = |mistake, signed: &str, seen: &str, headers: &[(&str, &str)]| {
        // Some put a digest of the body there.
        let [signed, seen] =
            [signed, seen].map(|url| match ground.scheme.checks.iter().any(|check| check.query().is_some()) {
                true => format!(
                    "{url}{}bodySHA256={}",
                    if url.contains('?') { '&' } else { '?' },
                    hex::encode(sha256(&body))
                ),
                false => url.to_owned(),
            });
        let (signed, seen) = (&*signed, &*seen);
        let mut sent = ground.sent_to(ground.scheme, &ground.key, &body, NOW, signed).unwrap();
        sent.url = seen.to_owned();
        let is_new = |name: &str| headers.iter().any(|(new, _)| new.eq_ignore_ascii_case(name));
        sent.headers.retain(|(name, _)| !is_new(name));
        sent.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        cases.push(Case { mistake, codes: &["url_mismatch"], sent });
    };
    let local = "http://127.0.0.1:4100/in/shop?a=1&b=x%20y";
    let inner = "http://app.internal:8080/in/shop?a=1&b=x%20y";
    add("url: http in place of https", SIGNED, &SIGNED.replace("https", "http"), &[]);
    add("url: https in place of http", &SIGNED.replace("https", "http"), SIGNED, &[]);
    add("url: a slash too many", SIGNED, &SIGNED.replace("shop", "shop/"), &[]);
    add("url: a slash lost", &SIGNED.replace("shop", "shop/"), SIGNED, &[]);
    add("url: the query added", "https://hooks.example.com/in/shop", SIGNED, &[]);
    add("url: the query in another order", SIGNED, "https://hooks.example.com/in/shop?b=x%20y&a=1", &[]);
    add("url: the usual port written out", SIGNED, &SIGNED.replace(".com", ".com:443"), &[]);
    add("url: the usual port lost", &SIGNED.replace(".com", ".com:443"), SIGNED, &[]);
    add("url: a port of a proxy", SIGNED, &SIGNED.replace(".com", ".com:8443"), &[]);
    add("url: capitals in the host", SIGNED, &SIGNED.replace("hooks", "Hooks"), &[]);
    add("url: www. too many", SIGNED, &SIGNED.replace("hooks.", "www.hooks."), &[]);
    add("url: www. lost", &SIGNED.replace("hooks.", "www.hooks."), SIGNED, &[]);
    add("url: %20 made +", SIGNED, &SIGNED.replace("%20", "+"), &[]);
    add("url: escapes in small letters", &SIGNED.replace("%20", "%2F"), &SIGNED.replace("%20", "%2f"), &[]);
    add("url: a slip of one letter", SIGNED, &SIGNED.replace("shop", "shqp"), &[]);
    add("url: that of this machine, Host the sender's", SIGNED, local, &[("Host", "hooks.example.com")]);
    add(
        "url: of an inner host, X-Forwarded-Host",
        SIGNED,
        inner,
        &[("Host", "app.internal:8080"), ("X-Forwarded-Host", "hooks.example.com"), ("X-Forwarded-Proto", "https")],
    );
    add(
        "url: of an inner host, Forwarded",
        SIGNED,
        inner,
        &[("Host", "app.internal:8080"), ("Forwarded", "for=192.0.2.1;host=hooks.example.com;proto=https")],
    );
    add(
        "url: a prefix of the path lost, X-Forwarded-Prefix",
        &SIGNED.replace("/in", "/api/in"),
        SIGNED,
        &[("X-Forwarded-Prefix", "/api")],
    );
    add(
        "url: a path written anew, X-Original-URL",
        &SIGNED.replace("/in/", "/api/v1/"),
        SIGNED,
        &[("X-Original-URL", "/api/v1/shop?a=1&b=x%20y")],
    );
    add(
        "url: a port in X-Forwarded-Port",
        &SIGNED.replace(".com", ".com:9443"),
        SIGNED,
        &[("X-Forwarded-Port", "9443")],
    );
    add(
        "url: that of this machine, and no hint",
        "https://f00.tunnel.example/in/shop?a=1",
        "http://127.0.0.1:4100/in/shop?a=1",
        &[("Host", "127.0.0.1:4100")],
    );
    if ground.scheme.options().contains(&crate::signature::OptionName::PublicUrl) {
        let sent = ground.sent_to(ground.scheme, &ground.key, &body, NOW, SIGNED).unwrap();
        let mut options = sent.options.clone();
        options["public_url"] = "https://old.example.com/in/shop".into();
        cases.push(Case {
            mistake: "url: an old one is set",
            codes: &["url_mismatch"],
            sent: Sent { options, ..sent },
        });
    }
    cases
}
