//! The endpoints of the demo.

use anyhow::Result;
use creel_rig::engine::{Engine, MadeEndpoint};
use serde_json::json;

/// The secret of the endpoints that have one.
pub const SECRET: &str = "whsec-northwind-4f1b0c7d9e2a";
/// What a sender signs with that was not told of the rotation.
pub const OLD_SECRET: &str = "whsec-northwind-before-rotation";

/// Who receives.
pub struct Cast {
    pub github: MadeEndpoint,
    pub shop: MadeEndpoint,
    pub ledger: MadeEndpoint,
    /// Without secret and target
    pub inspect: MadeEndpoint,
    /// Takes everything, whatever its signature
    pub files: MadeEndpoint,
}

impl Cast {
    pub fn assemble(engine: &Engine, port: u16) -> Result<Cast> {
        let target = |path: &str| json!([{ "url": format!("http://127.0.0.1:{port}/hooks/{path}") }]);
        Ok(Cast {
            github: engine.endpoint(
                &json!({ "name": "GitHub: northwind/shop", "provider": "github", "targets": target("github") }),
                Some(SECRET),
            )?,
            shop: engine
                .endpoint(&json!({ "name": "Shop", "provider": "generic", "targets": target("shop") }), Some(SECRET))?,
            ledger: engine.endpoint(
                &json!({ "name": "Ledger", "provider": "generic", "targets": target("ledger") }),
                Some(SECRET),
            )?,
            inspect: engine.endpoint(&json!({ "name": "Inspect only", "provider": "github" }), None)?,
            files: engine.endpoint(
                &json!({ "name": "Forms and files", "provider": "generic", "targets": target("files"),
                         "signature_policy": "observe" }),
                None,
            )?,
        })
    }
}
