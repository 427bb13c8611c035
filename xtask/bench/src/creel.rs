//! A real `creel serve` as the benchmarks start it, and an endpoint of it that checks signatures.

use std::path::Path;

use anyhow::Result;
use creel_rig::engine::{Engine, Face, MadeEndpoint, UNLIMITED};
use serde_json::{Value, json};

use crate::Setting;
use crate::webhook::{self, SECRET, Shape};

/// An engine on a new directory.
pub fn start(setting: &Setting) -> Result<Engine> {
    start_on(setting, |_| Ok(()))
}

/// An engine on a new directory that is prepared first.
pub fn start_on(setting: &Setting, prepare: impl FnOnce(&Path) -> Result<()>) -> Result<Engine> {
    std::fs::create_dir_all(&setting.work)?;
    let data = tempfile::Builder::new().prefix("creel-").tempdir_in(&setting.work)?;
    prepare(data.path())?;
    Engine::start(&setting.creel, Face::Headless, data, &UNLIMITED)
}

/// Makes an endpoint with a signing secret and these targets.
pub fn endpoint(engine: &Engine, name: &str, targets: &[String]) -> Result<MadeEndpoint> {
    let targets: Vec<Value> = targets.iter().map(|url| json!({ "url": url })).collect();
    engine.endpoint(&json!({ "name": name, "provider": "generic", "targets": targets }), Some(SECRET))
}

/// Signed requests to it.
pub fn requests(endpoint: &MadeEndpoint, shape: Shape) -> Result<Vec<String>> {
    webhook::requests(&endpoint.host, &endpoint.path, shape)
}
