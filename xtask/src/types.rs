//! `cargo xtask types`: the TypeScript types in `ui/src/generated`, written from the Rust ones.
//!
//! The test that fails when the two differ writes the files when it is asked to, so there is one list of types and one
//! way to print them.

use anyhow::Result;

use crate::layout::Layout;
use crate::program::Program;

/// Asks the drift test to write what it would otherwise compare.
const WRITE_TYPES: &str = "CREEL_WRITE_TYPES";
/// The drift test, by a part of its path that no other test has.
const DRIFT_TEST: &str = "typescript_types";

pub fn types(layout: &Layout) -> Result<()> {
    Program::cargo()
        .args(["test", "--locked", "--package", "creel", "--lib", "--features", "types", DRIFT_TEST])
        .env(WRITE_TYPES, "1")
        .within(layout.root())
        .run()
}
