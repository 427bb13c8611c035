//! GitHub's events, cut to the fields that say something (docs.github.com, "Webhook events and payloads").

use serde_json::{Value, json};

use super::Payload;
use crate::chance::{commit, drawn, one_of};

/// The repository's number.
pub const REPOSITORY_ID: u64 = 640_112_358;

/// `X-GitHub-Event` and what makes the payload.
pub const EVENTS: [(&str, Payload); 17] = [
    ("push", push),
    ("pull_request", |n| pull_request("opened", n)),
    ("pull_request", |n| pull_request("synchronize", n)),
    ("pull_request", |n| pull_request("closed", n)),
    ("pull_request_review", review),
    ("issues", |n| issue("opened", n)),
    ("issues", |n| issue("labeled", n)),
    ("issue_comment", comment),
    ("check_run", check_run),
    ("workflow_run", |n| workflow_run("requested", n)),
    ("workflow_run", |n| workflow_run("completed", n)),
    ("workflow_job", workflow_job),
    ("release", release),
    ("star", star),
    ("deployment_status", deployment_status),
    ("dependabot_alert", dependabot_alert),
    ("create", create),
];

const PEOPLE: [&str; 8] =
    ["ada-lindqvist", "mkonrad", "priya-n", "tobiasw", "yuki-s", "dependabot[bot]", "jmarti", "okafor"];
const BRANCHES: [&str; 6] =
    ["main", "fix/checkout-rounding", "feature/gift-cards", "chore/bump-deps", "feature/i18n-ü", "release/4.2"];
const TITLES: [&str; 8] = [
    "Round VAT per line, not per order",
    "Gift cards: redeem at checkout",
    "Bump hyper from 1.11 to 1.12",
    "Flaky test: order_is_paid_once",
    "Retry the carrier's label service",
    "Webhook handler answers 500 when `note` is null",
    "Cart is lost after switching the language",
    "Upload product pictures in the background",
];
const LABELS: [(&str, &str); 5] = [
    ("bug", "d73a4a"),
    ("enhancement", "a2eeef"),
    ("payments", "fbca04"),
    ("good first issue", "7057ff"),
    ("ci", "0e8a16"),
];

fn user(place: u64) -> Value {
    let login = one_of(&PEOPLE, place);
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    let id = 1_000_000 + drawn(login.len() as u64) % 9_000_000;
    json!({
        "login": login, "id": id, "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
        "html_url": format!("https://github.com/{login}"), "gravatar_id": "", "type": kind,
        "url": format!("https://api.github.com/users/{login}"), "repos_url": format!("https://api.github.com/users/{login}/repos"),
        "events_url": format!("https://api.github.com/users/{login}/events{{/privacy}}"), "site_admin": false,
    })
}

fn repository() -> Value {
    json!({
        "id": REPOSITORY_ID, "node_id": "R_kgDOJid1Vg", "name": "shop", "full_name": "northwind/shop", "private": true,
        "owner": { "login": "northwind", "id": 8_812_344, "type": "Organization" },
        "html_url": "https://github.com/northwind/shop", "description": "The shop: storefront, checkout, back office",
        "default_branch": "main", "language": "Rust", "stargazers_count": 214, "open_issues_count": 37,
        "url": "https://api.github.com/repos/northwind/shop",
        "hooks_url": "https://api.github.com/repos/northwind/shop/hooks",
        "branches_url": "https://api.github.com/repos/northwind/shop/branches{/branch}",
        "statuses_url": "https://api.github.com/repos/northwind/shop/statuses/{sha}",
        "contents_url": "https://api.github.com/repos/northwind/shop/contents/{+path}",
        "compare_url": "https://api.github.com/repos/northwind/shop/compare/{base}...{head}",
        "clone_url": "https://github.com/northwind/shop.git", "ssh_url": "git@github.com:northwind/shop.git",
        "created_at": "2023-05-14T09:12:44Z", "visibility": "private", "topics": ["ecommerce", "rust", "webhooks"],
    })
}

fn event(action: Option<&str>, number: u64, about: &[(&str, Value)]) -> Value {
    let mut payload = serde_json::Map::new();
    if let Some(action) = action {
        payload.insert("action".to_owned(), action.into());
    }
    for (name, value) in about {
        payload.insert((*name).to_owned(), value.clone());
    }
    payload.insert("repository".to_owned(), repository());
    payload.insert("organization".to_owned(), json!({ "login": "northwind", "id": 8_812_344 }));
    payload.insert("sender".to_owned(), user(number));
    Value::Object(payload)
}

/// A moment on a day of 2026, written as GitHub does.
fn moment(number: u64) -> String {
    let seconds = drawn(number ^ 0x77) % 86_400;
    let day = 1 + number % 28;
    format!("2026-06-{day:02}T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn push(number: u64) -> Value {
    let branch = one_of(&BRANCHES, number);
    let commits: Vec<Value> = (0..1 + drawn(number) % 3)
        .map(|nth| {
            let id = commit(number * 8 + nth);
            let author = one_of(&PEOPLE, number + nth);
            json!({
                "id": id, "tree_id": commit(number * 8 + nth + 4), "distinct": true,
                "message": format!("{}\n\nRefs #{}", one_of(&TITLES, number + nth), 100 + drawn(number) % 900),
                "timestamp": moment(number + nth), "url": format!("https://github.com/northwind/shop/commit/{id}"),
                "author": { "name": author, "email": format!("{author}@users.noreply.github.com"), "username": author },
                "added": [], "removed": [], "modified": ["crates/checkout/src/total.rs", "crates/checkout/tests/vat.rs"],
            })
        })
        .collect();
    event(
        None,
        number,
        &[
            ("ref", json!(format!("refs/heads/{branch}"))),
            ("before", json!(commit(number * 8 + 7))),
            ("after", commits.last().map_or(Value::Null, |last| last["id"].clone())),
            ("created", json!(false)),
            ("deleted", json!(false)),
            ("forced", json!(drawn(number).is_multiple_of(11))),
            ("commits", Value::Array(commits)),
            ("pusher", json!({ "name": one_of(&PEOPLE, number), "email": "push@northwind.example" })),
        ],
    )
}

fn pull_request(action: &str, number: u64) -> Value {
    let pull = 100 + drawn(number) % 900;
    let merged = action == "closed" && !drawn(number).is_multiple_of(4);
    let about = json!({
        "id": 1_900_000_000 + pull, "number": pull, "state": if action == "closed" { "closed" } else { "open" },
        "title": one_of(&TITLES, number), "user": user(number + 1), "draft": false, "merged": merged,
        "html_url": format!("https://github.com/northwind/shop/pull/{pull}"),
        "body": "## What\nTotals are rounded once per line, as the invoice shows them.\n\n## Why\nCustomers in \
                 🇨🇭 saw a cent too much. \n\n- [x] tests\n- [x] changelog\n",
        "created_at": moment(number), "updated_at": moment(number + 1),
        "head": { "ref": one_of(&BRANCHES[1..], number), "sha": commit(number) },
        "base": { "ref": "main", "sha": commit(number + 1) },
        "additions": drawn(number) % 400, "deletions": drawn(number + 1) % 200, "changed_files": 1 + drawn(number) % 14,
        "requested_reviewers": [user(number + 2), user(number + 3)],
    });
    event(Some(action), number, &[("number", json!(pull)), ("pull_request", about)])
}

fn review(number: u64) -> Value {
    let state = one_of(&["approved", "changes_requested", "commented"], number);
    let about = json!({
        "id": 2_000_000_000 + number, "user": user(number), "state": state, "commit_id": commit(number),
        "body": "One question about `round_half_even`: what happens with negative amounts (refunds)?",
        "submitted_at": moment(number),
    });
    let mut payload = pull_request("submitted", number);
    payload["review"] = about;
    payload
}

fn labels(number: u64) -> Value {
    let some = (0..1 + drawn(number) % 2).map(|nth| one_of(&LABELS, number + nth));
    some.map(|(name, color)| json!({ "name": name, "color": color, "default": false })).collect()
}

fn issue(action: &str, number: u64) -> Value {
    let about = issue_itself(number);
    event(Some(action), number, &[("issue", about)])
}

fn issue_itself(number: u64) -> Value {
    let issue = 100 + drawn(number) % 900;
    json!({
        "id": 2_100_000_000 + issue, "number": issue, "title": one_of(&TITLES, number + 3), "state": "open",
        "html_url": format!("https://github.com/northwind/shop/issues/{issue}"), "user": user(number),
        "labels": labels(number), "assignees": [user(number + 4)], "comments": drawn(number) % 9,
        "created_at": moment(number), "updated_at": moment(number + 2),
        "body": "Steps:\n1. put two articles at €0.105 into the cart\n2. check out\n\nExpected €0.21, got €0.22.\n\n\
                 ```\nthread 'tokio-runtime-worker' panicked at crates/checkout/src/total.rs:88:17\n```\n",
        "reactions": { "+1": drawn(number) % 7, "eyes": 1, "total_count": 1 + drawn(number) % 7 },
    })
}

fn comment(number: u64) -> Value {
    let about = json!({
        "id": 2_200_000_000 + number, "user": user(number + 5), "created_at": moment(number),
        "body": "Seen here too, with the Swiss price list. Rounding at the end gives the right sum.",
        "author_association": "MEMBER",
    });
    event(Some("created"), number, &[("issue", issue_itself(number)), ("comment", about)])
}

fn check_run(number: u64) -> Value {
    let conclusion = one_of(&["success", "success", "failure", "cancelled"], number);
    let about = json!({
        "id": 30_000_000_000_u64 + number, "name": one_of(&["test (stable)", "clippy", "e2e (chromium)"], number),
        "head_sha": commit(number), "status": "completed", "conclusion": conclusion, "started_at": moment(number),
        "completed_at": moment(number + 1), "details_url": format!("https://ci.northwind.example/runs/{number}"),
        "output": { "title": "1,204 tests", "summary": format!("{} failed", drawn(number) % 3), "annotations_count": 0 },
        "app": { "id": 15_368, "slug": "github-actions", "name": "GitHub Actions" },
    });
    event(Some("completed"), number, &[("check_run", about)])
}

fn workflow_run(action: &str, number: u64) -> Value {
    let done = action == "completed";
    let about = json!({
        "id": 9_000_000_000_u64 + number, "name": one_of(&["CI", "Release", "Nightly"], number),
        "head_branch": one_of(&BRANCHES, number), "head_sha": commit(number), "run_number": 2_000 + number % 5_000,
        "event": "push", "status": if done { "completed" } else { "queued" },
        "conclusion": if done { json!(one_of(&["success", "failure"], number)) } else { Value::Null },
        "run_attempt": 1, "created_at": moment(number), "actor": user(number), "triggering_actor": user(number),
        "head_commit": { "id": commit(number), "message": one_of(&TITLES, number), "timestamp": moment(number) },
    });
    event(Some(action), number, &[("workflow_run", about)])
}

fn workflow_job(number: u64) -> Value {
    let steps: Vec<Value> = ["Set up job", "Checkout", "Build", "Test", "Upload report"]
        .iter()
        .zip(1_u64..)
        .map(|(name, nth)| {
            json!({ "name": name, "status": "completed", "conclusion": "success", "number": nth,
                    "started_at": moment(number + nth), "completed_at": moment(number + nth + 1) })
        })
        .collect();
    let about = json!({
        "id": 25_000_000_000_u64 + number, "run_id": 9_000_000_000_u64 + number, "name": "test (stable)",
        "status": "in_progress", "conclusion": null, "head_sha": commit(number), "labels": ["ubuntu-24.04", "x64"],
        "runner_name": format!("runner-{}", number % 12), "steps": steps,
    });
    event(Some("in_progress"), number, &[("workflow_job", about)])
}

fn release(number: u64) -> Value {
    let tag = format!("v4.{}.{}", drawn(number) % 12, number % 20);
    let about = json!({
        "id": 150_000_000 + number, "tag_name": tag, "name": format!("Shop {tag}"), "draft": false, "prerelease": false,
        "target_commitish": "main", "author": user(number), "created_at": moment(number), "published_at": moment(number),
        "body": "### Fixed\n- totals are rounded once per line\n- a note of `null` is no fault any more\n\n### Added\n\
                 - gift cards\n- prices in CHF, SEK and 円\n",
        "assets": [{ "name": format!("shop-{tag}-x86_64.tar.zst"), "size": 18_400_211, "download_count": 0 }],
    });
    event(Some("published"), number, &[("release", about)])
}

fn star(number: u64) -> Value {
    event(Some("created"), number, &[("starred_at", json!(moment(number)))])
}

fn deployment_status(number: u64) -> Value {
    let state = one_of(&["success", "failure", "in_progress"], number);
    let status = json!({
        "id": 77_000_000 + number, "state": state, "environment": "production", "creator": user(number),
        "description": format!("Deployed to 3 of {} hosts", 3 + number % 3), "created_at": moment(number),
        "log_url": format!("https://deploy.northwind.example/logs/{number}"),
    });
    let deployment = json!({ "id": 66_000_000 + number, "ref": "main", "sha": commit(number), "task": "deploy" });
    event(Some("created"), number, &[("deployment_status", status), ("deployment", deployment)])
}

fn dependabot_alert(number: u64) -> Value {
    let about = json!({
        "number": 1 + number % 40, "state": "open", "created_at": moment(number),
        "dependency": { "package": { "ecosystem": "npm", "name": "tough-cookie" }, "manifest_path": "ui/package-lock.json" },
        "security_advisory": {
            "ghsa_id": "GHSA-72xf-g2v4-qvf3", "severity": "medium", "summary": "Prototype pollution in tough-cookie",
            "cvss": { "score": 6.5, "vector_string": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N" },
        },
    });
    event(Some("created"), number, &[("alert", about)])
}

fn create(number: u64) -> Value {
    event(
        None,
        number,
        &[
            ("ref", json!(one_of(&BRANCHES[1..], number))),
            ("ref_type", json!("branch")),
            ("master_branch", json!("main")),
            ("pusher_type", json!("user")),
        ],
    )
}
