//! Node.js, which builds the UI. It is never installed from here: people keep their own versions of it.

use anyhow::{Context, Result, bail};

use crate::program::Program;

/// What Vite 8 asks for (`engines` in its package.json); ui/package.json says the same.
const OLDEST: (u32, u32) = (20, 19);

/// An error that says what to do when Node.js or npm is missing or too old.
pub fn check() -> Result<()> {
    let help = "Node.js 20.19 or newer builds the UI. Install it from https://nodejs.org or with your version manager \
                (nvm, fnm, mise, Homebrew, winget). Debian 12 packages version 18, which is too old.";
    let printed = Program::new("node").arg("--version").output().context(help)?;
    let Some(version) = parse(&printed) else { bail!("`node --version` printed {printed:?}. {help}") };
    if version < OLDEST {
        bail!("Node.js {} is installed. {help}", printed.trim());
    }
    Program::npm().arg("--version").output().context("npm is missing; it comes with Node.js. ").context(help)?;
    Ok(())
}

/// `v20.20.2` → (20, 20)
fn parse(printed: &str) -> Option<(u32, u32)> {
    let mut parts = printed.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(parse("v20.20.2\n"), Some((20, 20)));
        assert_eq!(parse("v9.1.0"), Some((9, 1)));
        assert!(parse("v9.1.0") < Some(OLDEST));
        assert!(parse("v20.9.0") < Some(OLDEST));
        assert!(parse("v20.19.0") >= Some(OLDEST));
        assert!(parse("v100.0.0") > Some(OLDEST));
        assert_eq!(parse("20.1.0"), None);
        assert_eq!(parse("v20"), None);
        assert_eq!(parse("vnext.1"), None);
    }
}
