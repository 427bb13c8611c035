//! What commands read: secrets, bodies and option files. A secret is never taken from an argument: other users of the
//! machine can read those.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;
use zeroize::Zeroizing;

use super::console::Console;
use super::error::CliError;
use crate::domain::Secret;
use crate::domain::limits::SIGNING_SECRET_BYTES_MAX;

/// Environment variable that holds a secret.
pub(super) const SECRET_VARIABLE: &str = "CREEL_SIGNING_SECRET";
/// Names stdin in place of a file.
const STDIN: &str = "-";
/// Largest options file in bytes.
const OPTIONS_BYTES_MAX: u64 = 1024 * 1024;

/// Whether a file argument names stdin.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

/// The secret of `--secret-file`, else of the environment, else none.
pub(super) fn secret(file: Option<&Path>, console: &Console) -> Result<Option<Secret>, CliError> {
    let Some(path) = file else { return secret_of_variable(std::env::var_os(SECRET_VARIABLE)) };
    let bytes = read(path, Some(SIGNING_SECRET_BYTES_MAX as u64 + 3))?;
    let (secret, cut) = secret_of_file(bytes)?;
    if cut {
        console.note("the secret file ends with a line end; it is not taken as part of the secret");
    }
    Ok(Some(secret))
}

/// As [`secret`], but an empty file stands for no secret, as some providers need none to be verified.
pub(super) fn secret_if_any(file: Option<&Path>, console: &Console) -> Result<Option<Secret>, CliError> {
    let is_empty =
        |path: &Path| !is_stdin(path) && std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0);
    if file.is_some_and(is_empty) {
        console.note("the secret file is empty; there is no secret");
        return Ok(None);
    }
    secret(file, console)
}

/// An environment variable is taken as it stands; an empty one counts as absent.
fn secret_of_variable(value: Option<OsString>) -> Result<Option<Secret>, CliError> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
    let text = value.into_string().map_err(|_| CliError::Content {
        message: format!("`{SECRET_VARIABLE}` is no UTF-8 text"),
        help: "Give the secret as the provider shows it.".to_owned(),
    })?;
    checked(text).map(Some)
}

/// Drops one final line end, and says whether there was one. Any other white space stays: it may be the very mistake
/// that is looked for.
fn secret_of_file(mut bytes: Zeroizing<Vec<u8>>) -> Result<(Secret, bool), CliError> {
    let mut cut = false;
    if bytes.last() == Some(&b'\n') {
        cut = true;
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| CliError::Content {
        message: "the secret file is no UTF-8 text".to_owned(),
        help: "It should hold the secret as the provider shows it.".to_owned(),
    })?;
    Ok((checked(text.to_owned())?, cut))
}

fn checked(text: String) -> Result<Secret, CliError> {
    if text.is_empty() {
        return Err(CliError::Content {
            message: "the secret is empty".to_owned(),
            help: "Leave the secret out when there is none.".to_owned(),
        });
    }
    if text.len() > SIGNING_SECRET_BYTES_MAX {
        return Err(CliError::SecretTooLong);
    }
    Ok(Secret::new(text))
}

/// A body: the file's bytes, exactly.
pub(super) fn body(path: &Path) -> Result<Vec<u8>, CliError> {
    Ok(std::mem::take(&mut *read(path, None)?))
}

/// A JSON object from a file; an empty one without.
pub(super) fn options(file: Option<&Path>) -> Result<Value, CliError> {
    let Some(path) = file else { return Ok(Value::Object(serde_json::Map::new())) };
    let wrong = |why: String| CliError::Content {
        message: format!("`{}` is no provider_options object: {why}", path.display()),
        help: "It should hold a JSON object; `creel providers show PROVIDER` names its fields.".to_owned(),
    };
    let bytes = read(path, Some(OPTIONS_BYTES_MAX))?;
    match serde_json::from_slice(&bytes) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(wrong("it holds another kind of JSON value".to_owned())),
        Err(error) => Err(wrong(error.to_string())),
    }
}

fn read(path: &Path, bytes_max: Option<u64>) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let result = if is_stdin(path) {
        read_from(io::stdin().lock(), bytes_max)
    } else {
        File::open(path).and_then(|file| read_from(file, bytes_max))
    };
    result.map_err(|source| CliError::File { action: "read", path: path.to_owned(), source })
}

fn read_from(source: impl Read, bytes_max: Option<u64>) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    source.take(bytes_max.unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_file(bytes: &[u8]) -> Result<(Secret, bool), CliError> {
        secret_of_file(Zeroizing::new(bytes.to_vec()))
    }

    #[test]
    fn a_secret_file_loses_exactly_one_line_end_and_says_so() {
        let table: [(&[u8], &str, bool); 7] = [
            (b"s3cret", "s3cret", false),
            (b"s3cret\n", "s3cret", true),
            (b"s3cret\r\n", "s3cret", true),
            (b"s3cret\n\n", "s3cret\n", true),
            (b" s3cret \n", " s3cret ", true),
            (b"s3cret\r", "s3cret\r", false),
            (b"a\nb\n", "a\nb", true),
        ];
        for (bytes, secret, cut) in table {
            let (found, found_cut) = of_file(bytes).unwrap();
            assert_eq!((found.expose(), found_cut), (secret, cut), "{bytes:?}");
        }
    }

    #[test]
    fn an_empty_an_overlong_and_a_binary_secret_are_errors() {
        assert!(matches!(of_file(b""), Err(CliError::Content { .. })));
        assert!(matches!(of_file(b"\n"), Err(CliError::Content { .. })));
        assert!(matches!(of_file(b"\xff\xfe"), Err(CliError::Content { .. })));
        assert!(of_file(&[b'x'; SIGNING_SECRET_BYTES_MAX]).is_ok());
        assert!(matches!(of_file(&[b'x'; SIGNING_SECRET_BYTES_MAX + 1]), Err(CliError::SecretTooLong)));
    }

    #[test]
    fn the_environment_is_taken_as_it_stands_and_empty_means_none() {
        assert_eq!(secret_of_variable(None).unwrap(), None);
        assert_eq!(secret_of_variable(Some("".into())).unwrap(), None);
        assert_eq!(secret_of_variable(Some("x\n".into())).unwrap().unwrap().expose(), "x\n");
    }

    #[test]
    fn a_secret_file_that_is_not_there_names_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("absent");
        let error = secret(Some(&path), &Console::new(true)).unwrap_err();
        assert!(error.to_string().contains("absent"), "{error}");
    }

    #[test]
    fn an_options_file_holds_an_object() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("options.json");
        for (text, good) in [("{\"hash\":\"sha1\"}", true), ("[]", false), ("{", false), ("", false)] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(options(Some(&path)).is_ok(), good, "{text}");
        }
        assert_eq!(options(None).unwrap(), serde_json::json!({}));
    }
}
