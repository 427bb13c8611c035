//! The TypeScript types in `ui/src/generated`: written from the Rust ones, and a test that fails when they drift.
//!
//! `cargo xtask types` runs the test with [`WRITE`] set, and it writes instead of comparing.

#![allow(clippy::unwrap_used, reason = "the whole module is a test; clippy does not see that behind two conditions")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ts_rs::{Config, TS};

use super::ReplayRequest;
use super::error::ErrorBody;
use super::events::EventKind;
use super::jobs::Job;
use super::operations::{
    AttemptList, BodyLines, BodyMatch, DeleteRequest, DeliveryQuery, EndpointCountsList, EndpointDraft, EndpointPatch,
    ProbeRequest, ProviderList, RefusalList, SentTestEvent, TargetProbeList, TestEventRequest, TestKey, TunnelStart,
    operations,
};
use super::settings::{Settings, SettingsOverrides};
use super::views::{DeliveryDetail, DeliveryList, EndpointList, Health, Stats};
use crate::domain::{TunnelDetail, TunnelProviderList, TunnelState};
use crate::signature::Explanation;

/// Asks for writing.
const WRITE: &str = "CREEL_WRITE_TYPES";
/// Name of the table of operations.
const OPERATIONS_FILE: &str = "operations.ts";

fn write_all(dir: &Path) {
    let config = Config::new().with_large_int("number").with_out_dir(dir);
    macro_rules! export {
        ($($name:ty),+ $(,)?) => { $(<$name as TS>::export_all(&config).unwrap();)+ };
    }
    export!(
        AttemptList,
        BodyLines,
        BodyMatch,
        DeleteRequest,
        DeliveryDetail,
        DeliveryList,
        DeliveryQuery,
        EndpointCountsList,
        EndpointDraft,
        EndpointList,
        EndpointPatch,
        ErrorBody,
        EventKind,
        Explanation,
        Health,
        Job,
        ProbeRequest,
        ProviderList,
        RefusalList,
        ReplayRequest,
        SentTestEvent,
        Settings,
        SettingsOverrides,
        Stats,
        TargetProbeList,
        TestEventRequest,
        TunnelDetail,
        TunnelProviderList,
        TunnelStart,
        TunnelState,
        TestKey,
    );
    std::fs::write(dir.join(OPERATIONS_FILE), operations().typescript()).unwrap();
}

fn texts(dir: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    entries.map(|path| (name(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn the_committed_types_are_those_of_the_code() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/generated");
    let fresh = tempfile::tempdir().unwrap();
    write_all(fresh.path());
    let fresh = texts(fresh.path());
    if std::env::var_os(WRITE).is_some() {
        std::fs::remove_dir_all(&committed).unwrap();
        std::fs::create_dir_all(&committed).unwrap();
        for (name, text) in &fresh {
            std::fs::write(committed.join(name), text).unwrap();
        }
    }
    let committed = texts(&committed);
    assert_eq!(
        committed.keys().collect::<Vec<_>>(),
        fresh.keys().collect::<Vec<_>>(),
        "the files differ; run `cargo xtask types`"
    );
    for (name, text) in &fresh {
        assert_eq!(&committed[name], text, "{name} has drifted; run `cargo xtask types`");
    }
}
