//! Runs other programs. What is run is shown first, as it could be typed; its output is never held back.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a program with a time limit is asked whether it has ended.
const POLL: Duration = Duration::from_millis(50);

/// Prints one line and flushes, so that it stands before the output of the program started next.
pub fn say(line: &str) {
    println!("{line}");
    // A closed stdout is no reason to stop working.
    let _ = std::io::stdout().flush();
}

/// One program about to be run.
pub struct Program {
    command: Command,
    shown: String,
}

impl Program {
    pub fn new(program: impl AsRef<OsStr>) -> Program {
        Program { command: fresh(program.as_ref()), shown: quoted(program.as_ref()) }
    }

    /// The Cargo that started this program.
    pub fn cargo() -> Program {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        Program { command: fresh(&cargo), shown: "cargo".to_owned() }
    }

    /// npm, which is a script with another name on Windows.
    pub fn npm() -> Program {
        let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
        Program { command: fresh(name.as_ref()), shown: "npm".to_owned() }
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Program {
        self.shown.push(' ');
        self.shown.push_str(&quoted(argument.as_ref()));
        self.command.arg(argument);
        self
    }

    pub fn args<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Program {
        arguments.into_iter().fold(self, Program::arg)
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Program {
        self.shown = format!("{name}={} {}", quoted(value.as_ref()), self.shown);
        self.command.env(name, value);
        self
    }

    /// Looks for programs in `folder` first.
    pub fn with_tools(mut self, folder: &Path) -> Result<Program> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder.to_path_buf()).chain(std::env::split_paths(&path));
        self.command.env("PATH", std::env::join_paths(folders).context("PATH cannot be extended")?);
        Ok(self)
    }

    pub fn within(mut self, folder: &Path) -> Program {
        self.command.current_dir(folder);
        self
    }

    /// The command as it is shown.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Runs to the end with the terminal's own input and output; anything but success is an error.
    pub fn run(mut self) -> Result<()> {
        say(&format!("$ {}", self.shown));
        let status = self.command.status().with_context(|| format!("`{}` could not be started", self.shown))?;
        self.judge(status)
    }

    /// As [`Program::run`], but ended and reported as an error when it takes longer than `limit`.
    pub fn run_for_at_most(mut self, limit: Duration) -> Result<()> {
        say(&format!("$ {}", self.shown));
        let mut child = self.command.spawn().with_context(|| format!("`{}` could not be started", self.shown))?;
        let started = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return self.judge(status);
            }
            if started.elapsed() > limit {
                child.kill()?;
                child.wait()?;
                bail!("`{}` was ended after {} s", self.shown, limit.as_secs());
            }
            std::thread::sleep(POLL);
        }
    }

    /// What it prints on stdout; anything but success is an error.
    pub fn output(mut self) -> Result<String> {
        let output = self
            .command
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("`{}` could not be started", self.shown))?;
        if !output.status.success() {
            bail!("`{}` failed: {}", self.shown, String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Whether it starts and succeeds, in silence.
    pub fn succeeds(mut self) -> bool {
        let quiet = self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.status().is_ok_and(|status| status.success())
    }

    /// Becomes this program, where the system can do that: Ctrl-C then reaches it alone, and it stops in its own way.
    pub fn become_it(self) -> Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            let mut command = self.command;
            say(&format!("$ {}", self.shown));
            let error = command.exec();
            Err(error).with_context(|| format!("`{}` could not be started", self.shown))
        }
        #[cfg(not(unix))]
        self.run()
    }

    fn judge(&self, status: ExitStatus) -> Result<()> {
        if !status.success() {
            bail!("`{}` failed ({status})", self.shown);
        }
        Ok(())
    }
}

/// A command without what `cargo run` told this program about itself: build scripts that watch these variables (ring's
/// does) would otherwise run again each time Cargo is started from here and then from a shell.
fn fresh(program: &OsStr) -> Command {
    const TOLD: [&str; 6] =
        ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if TOLD.iter().any(|told| name.to_string_lossy().starts_with(told)) {
            command.env_remove(name);
        }
    }
    command
}

/// Where a program is on PATH, if it is.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|candidate| candidate.is_file())
}

/// As it could be typed into a shell.
fn quoted(text: &OsStr) -> String {
    let text = text.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_pasted_into_a_shell() {
        assert_eq!(quoted(OsStr::new("--root=target/tools")), "--root=target/tools");
        assert_eq!(quoted(OsStr::new("-D warnings")), "'-D warnings'");
        assert_eq!(quoted(OsStr::new("it's")), r"'it'\''s'");
        assert_eq!(quoted(OsStr::new("")), "''");
        let program = Program::new("cargo").args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(program.shown(), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn a_program_that_does_not_exist_is_named_in_the_error() {
        let error = Program::new("creel-no-such-program").run().unwrap_err();
        assert!(format!("{error:#}").contains("creel-no-such-program"));
        assert_eq!(find("creel-no-such-program"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_fails_or_hangs_is_an_error() {
        assert!(Program::new("false").run().is_err());
        assert!(Program::new("true").run().is_ok());
        let started = Instant::now();
        assert!(Program::new("sleep").arg("30").run_for_at_most(Duration::from_millis(100)).is_err());
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}
