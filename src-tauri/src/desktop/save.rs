//! Saving bytes as a file: a page cannot, because its links lead nowhere (see `window`).

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use creel::app::error::ErrorBody;
use serde::Deserialize as _;
use tauri::ipc::{InvokeBody, Request};
use tauri::{AppHandle, Manager as _};

/// Header of the call that names the file; its body is the bytes.
const FILE_NAME_HEADER: &str = "creel-file-name";
/// Longest name in bytes.
const FILE_NAME_BYTES_MAX: usize = 200;
/// Files of one name that are tried before giving up.
const SAME_NAME_MAX: u32 = 1_000;

/// Writes bytes as a new file into the user's download folder, else the home folder; says where it is.
#[tauri::command]
pub async fn save_file(app: AppHandle, request: Request<'_>) -> Result<String, ErrorBody> {
    let name = request.headers().get(FILE_NAME_HEADER).and_then(|name| name.to_str().ok());
    let name =
        name.filter(|name| is_plain_name(name)).ok_or_else(|| not_saved("its name is not a plain one"))?.to_owned();
    let bytes = match request.body() {
        InvokeBody::Raw(bytes) => bytes.clone(),
        // What Tauri falls back to where its own protocol fails: an array of numbers.
        InvokeBody::Json(json) => Vec::<u8>::deserialize(json).map_err(not_saved)?,
    };
    let folder = app.path().download_dir().or_else(|_| app.path().home_dir()).map_err(not_saved)?;
    let written = tauri::async_runtime::spawn_blocking(move || write_new(&folder, &name, &bytes));
    let path = written.await.map_err(not_saved)?.map_err(not_saved)?;
    Ok(path.display().to_string())
}

fn is_plain_name(name: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    (1..=FILE_NAME_BYTES_MAX).contains(&name.len()) && !name.starts_with('.') && name.chars().all(plain)
}

/// Never overwrites: `a.body`, then `a (1).body`, and so on.
fn write_new(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let (stem, ending) = name.rsplit_once('.').map_or((name, String::new()), |(stem, end)| (stem, format!(".{end}")));
    for n in 0..SAME_NAME_MAX {
        let path = folder.join(if n == 0 { name.to_owned() } else { format!("{stem} ({n}){ending}") });
        match private_and_new(&path) {
            Ok(mut file) => {
                if let Err(error) = file.write_all(bytes) {
                    let _half_a_file = std::fs::remove_file(&path);
                    return Err(error);
                }
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn private_and_new(path: &Path) -> io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn not_saved(why: impl std::fmt::Display) -> ErrorBody {
    ErrorBody {
        code: "not_saved".to_owned(),
        message: format!("The file was not saved: {why}"),
        help: "Check your download folder, or use `creel deliveries body ID --output FILE`.".to_owned(),
        field: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_never_overwritten_and_is_the_users_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = write_new(folder.path(), "a.body", b"one").unwrap();
        let second = write_new(folder.path(), "a.body", b"two").unwrap();
        assert_eq!(std::fs::read(&first).unwrap(), b"one");
        assert_eq!(second.file_name().unwrap(), "a (1).body");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&second).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        assert!(is_plain_name("01a208c5-e78a.body"));
        for name in ["", ".", "..", "../x", "/etc/passwd", "a/b", "a\\b", ".bashrc", "a b", "a\0"] {
            assert!(!is_plain_name(name), "{name}");
        }
    }
}
