//! Finding programs, and asking them for their version.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// How long a program may take to say its version.
const VERSION_TIME: Duration = Duration::from_secs(3);
/// Characters kept of a version.
const VERSION_CHARS_MAX: usize = 80;
/// Where programs are that a window, started without a shell, does not find on its PATH.
const MORE_PLACES: [&str; 4] = ["/usr/local/bin", "/opt/homebrew/bin", "/snap/bin", "/usr/bin"];
/// The same, below the user's home.
const MORE_PLACES_AT_HOME: [&str; 3] = [".cargo/bin", ".local/bin", "go/bin"];

/// The program of this name on PATH or in a usual place; a path names itself.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    let given = Path::new(name);
    if given.components().count() > 1 {
        return is_program(given).then(|| given.to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let home = etcetera::home_dir().ok();
    let at_home = home.iter().flat_map(|home| MORE_PLACES_AT_HOME.iter().map(move |place| home.join(place)));
    let places = std::env::split_paths(&path).chain(MORE_PLACES.iter().map(PathBuf::from)).chain(at_home);
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    places.filter(|place| place.is_absolute()).map(|place| place.join(&file)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    let Ok(metadata) = path.metadata() else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    metadata.is_file()
}

/// What a program says of its version: the first line with a digit in it.
pub async fn version_of(program: &Path, args: &[String]) -> Option<String> {
    if args.is_empty() {
        return None;
    }
    let asked = tokio::process::Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .env("NO_COLOR", "1")
        .kill_on_drop(true)
        .output();
    let said = tokio::time::timeout(VERSION_TIME, asked).await.ok()?.ok()?;
    let all = [said.stdout, said.stderr].concat();
    let text = String::from_utf8_lossy(&strip_ansi_escapes::strip(all)).into_owned();
    let line = text.lines().map(str::trim).find(|line| line.chars().any(|character| character.is_ascii_digit()))?;
    Some(line.chars().take(VERSION_CHARS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_name_or_path_and_nothing_else_is() {
        let own = std::env::current_exe().unwrap();
        assert_eq!(find_program(&own.to_string_lossy()), Some(own));
        assert_eq!(find_program("creel-no-such-program"), None);
        assert_eq!(find_program(""), None);
        assert_eq!(find_program("/"), None);
        #[cfg(unix)]
        assert!(find_program("sh").is_some_and(|path| path.is_absolute()));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_version_is_the_first_line_that_holds_a_digit_on_either_stream() {
        let sh = find_program("sh").unwrap();
        let args = |script: &str| vec!["-c".to_owned(), script.to_owned()];
        let said = version_of(&sh, &args("echo Tool; printf '\\033[1mv1.2\\033[0m\\n' >&2; exit 1")).await;
        assert_eq!(said.as_deref(), Some("v1.2"));
        assert_eq!(version_of(&sh, &args("echo none")).await, None);
    }
}
