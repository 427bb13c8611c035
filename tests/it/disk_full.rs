//! A full disk: nothing acknowledged is lost, the rest is 503, reading goes on, and it heals when space returns.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::support::requires::have_root;
use super::support::sign::fingerprint;
use super::support::{Creel, Home, Launch, text, until};

/// A small file system of its own, unmounted on drop.
struct SmallDisk {
    dir: TempDir,
}

impl SmallDisk {
    fn mount(size: &str) -> Self {
        let dir = TempDir::with_prefix("creel-disk-").unwrap();
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size},mode=0700"), "creel-test"], dir.path());
        Self { dir }
    }

    fn grow(&self, size: &str) {
        run("mount", &["-o", &format!("remount,size={size}")], self.dir.path());
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whatever still has a file open there loses nothing that matters.
        let _ = Command::new("umount").arg("-l").arg(self.dir.path()).status();
    }
}

fn run(program: &str, args: &[&str], path: &Path) {
    let status = Command::new(program).args(args).arg(path).status().unwrap();
    assert!(status.success(), "{program} {args:?}: {status}");
}

/// A thousand posts against 16 MiB. Also run against an engine that acknowledges what it could not store.
fn no_acknowledged_post_is_lost_on_a_full_disk(launch_for: impl Fn(std::sync::Arc<Home>) -> Launch) {
    const POSTS: usize = 1_000;
    const BODY_BYTES: usize = 65_536;
    let disk = SmallDisk::mount("16m");
    let mut creel = launch_for(Home::with_data(disk.data())).start();
    let endpoint = creel.endpoint(json!({}));
    let (mut acked, mut refused) = (Vec::new(), 0);
    for n in 0..POSTS {
        let mut body = vec![b'.'; BODY_BYTES];
        body[..8].copy_from_slice(format!("{n:08}").as_bytes());
        let answer = creel.send(&endpoint.post(&body));
        match answer.status {
            200 => acked.push((text(&answer.json(), "delivery_id").to_owned(), fingerprint(&body))),
            503 => {
                assert!(answer.header("retry-after").is_some(), "503 without Retry-After");
                refused += 1;
            }
            other => panic!("a full disk was answered {other}: {}", answer.text()),
        }
    }
    let check = |creel: &Creel, acked: &[(String, String)]| {
        for (id, print) in acked {
            let stored = creel.api("GET", &format!("/deliveries/{id}/body"), None);
            assert!(stored.status == 200 && &fingerprint(&stored.body) == print, "acknowledged and lost: {id}");
        }
    };
    check(&creel, &acked);
    assert!(creel.is_running());
    assert!(refused > 0 && !acked.is_empty(), "acknowledged and lost, or never full: {} of {POSTS}", acked.len());
    let refusals = creel.refusals();
    assert!(refusals.iter().any(|refusal| refusal["reason"] == "store_unavailable"));

    disk.grow("256m");
    let healed = until("posts are taken again", || {
        Some(creel.send(&endpoint.post("healed"))).filter(|answer| answer.status == 200)
    });
    acked.push((text(&healed.json(), "delivery_id").to_owned(), fingerprint(b"healed")));
    let creel = creel.kill_and_restart();
    check(&creel, &acked);
    drop(creel);
}

#[test]
fn a_full_disk_answers_503_loses_nothing_and_heals() {
    if have_root() {
        no_acknowledged_post_is_lost_on_a_full_disk(Launch::at);
    }
}

/// The same with a seeded bug.
pub fn with_bug(bug: &str) {
    no_acknowledged_post_is_lost_on_a_full_disk(|home| Launch::at(home).seeded_bug(bug));
}

#[test]
fn room_can_be_made_by_removing_deliveries_on_a_full_disk() {
    if !have_root() {
        return;
    }
    // Large enough for the ballast, which is what makes room for the removal itself.
    let disk = SmallDisk::mount("160m");
    let creel = Launch::at(Home::with_data(disk.data())).start();
    let endpoint = creel.endpoint(json!({}));
    let body = vec![b'.'; 1_048_576];
    until("the disk is full", || (creel.send(&endpoint.post(&body)).status == 503).then_some(()));
    until("all can be removed", || {
        let removed = creel.api("DELETE", "/deliveries", Some(&json!({ "filter": { "endpoint_id": endpoint.id } })));
        (removed.status == 204).then_some(())
    });
    until("posts are taken again", || (creel.send(&endpoint.post(&body)).status == 200).then_some(()));
}
