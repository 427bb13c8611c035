//! Tests that need more of the machine than most: skipped with a word, unless the run insists.

/// Whether to go on. `CREEL_REQUIRE` lists what may not be missing (`root,display,chromium`): there a skip is a failure.
#[track_caller]
pub fn have(requirement: &str, missing: Option<String>) -> bool {
    let Some(why) = missing else { return true };
    let required = std::env::var("CREEL_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|word| word.trim() == requirement), "{requirement} is required here, but {why}");
    eprintln!("skipped: {why}");
    false
}

/// Whether the test may mount file systems.
#[track_caller]
pub fn have_root() -> bool {
    // /proc/self belongs to the effective user.
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    have("root", (!is_root).then(|| "this test mounts a file system and needs root".to_owned()))
}
