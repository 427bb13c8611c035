//! The journal's file: records one behind the other, integers in little endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | kind |
//! | 4 | thread |
//! | 8 | CLOCK_MONOTONIC in nanoseconds |
//! | 8 | offset of a write, length after a truncation, number of a sync |
//! | 2 | length of the name |
//! | 4 | length of the data |
//! | … | the file's name in the data directory (`.` for the directory itself), the data: what was written, the answer's |
//! | | beginning, or when a sync of the directory begins the names that it holds, one to a line |

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use libc::{c_char, c_int};

use crate::real;

/// Names of the database's files begin with this.
const DATABASE: &[u8] = b"creel.db";
/// The index of the log is made anew at every start: what is in it need not survive.
const INDEX: &[u8] = b"-shm";
/// Bytes of a path that is looked at.
const PATH_BYTES_MAX: usize = 4_096;

/// What happened.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Kind {
    Write = 1,
    Truncate = 2,
    SyncBegins = 3,
    SyncEnds = 4,
    Answer = 5,
    Remove = 6,
}

pub(crate) struct Record<'r> {
    pub(crate) kind: Kind,
    pub(crate) number: u64,
    pub(crate) name: &'r [u8],
    pub(crate) data: &'r [u8],
}

/// The open journal and the directory that it is about.
struct Journal {
    fd: c_int,
    dir: PathBuf,
}

/// Held while a file changes and its record is written.
static ORDER: Mutex<()> = Mutex::new(());

/// None when the environment names no journal: then nothing is recorded.
fn journal() -> Option<&'static Journal> {
    static JOURNAL: OnceLock<Option<Journal>> = OnceLock::new();
    let open = || {
        let dir = PathBuf::from(std::env::var_os("CREEL_POWER_DIR")?);
        let mut path = std::env::var_os("CREEL_POWER_JOURNAL")?.into_vec();
        path.push(0);
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND | libc::O_CLOEXEC;
        let fd = unsafe { libc::open(path.as_ptr().cast(), flags, 0o600) };
        (fd >= 0).then_some(Journal { fd, dir })
    };
    JOURNAL.get_or_init(open).as_ref()
}

/// A file of the database, or the directory that holds it.
pub(crate) struct Tracked(OsString);

impl Tracked {
    /// The file behind a descriptor, when it is one that power cuts are about.
    pub(crate) fn of(fd: c_int) -> Option<Self> {
        let journal = journal()?;
        let link = format!("/proc/self/fd/{fd}\0");
        let mut path = [0_u8; PATH_BYTES_MAX];
        let length = unsafe { libc::readlink(link.as_ptr().cast(), path.as_mut_ptr().cast(), path.len()) };
        let path = path.get(..usize::try_from(length).ok()?)?;
        Self::under(journal, Path::new(OsStr::from_bytes(path)))
    }

    /// The file at a path, likewise.
    pub(crate) unsafe fn at(path: *const c_char) -> Option<Self> {
        let path = if path.is_null() { return None } else { unsafe { CStr::from_ptr(path) } };
        Self::under(journal()?, Path::new(OsStr::from_bytes(path.to_bytes())))
    }

    fn under(journal: &Journal, path: &Path) -> Option<Self> {
        if path == journal.dir {
            return Some(Self(OsString::from(".")));
        }
        let name = path.strip_prefix(&journal.dir).ok()?.as_os_str();
        let (is_database, is_index) = (name.as_bytes().starts_with(DATABASE), name.as_bytes().ends_with(INDEX));
        (is_database && !is_index).then(|| Self(name.to_owned()))
    }

    pub(crate) fn name(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The database's files that the directory holds now, one to a line; nothing for a file.
    pub(crate) fn names_within(&self) -> Vec<u8> {
        let dir = journal().filter(|_| self.name() == b".").map(|journal| &journal.dir);
        let entries = dir.and_then(|dir| std::fs::read_dir(dir).ok()).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name()).filter(|name| name.as_bytes().starts_with(DATABASE));
        names.map(OsString::into_vec).collect::<Vec<_>>().join(&b'\n')
    }
}

/// Does something and lets it write records before anybody else can. The error number is as the work left it.
pub(crate) fn in_order<T>(work: impl FnOnce(&dyn Fn(&Record<'_>)) -> T) -> T {
    let order = ORDER.lock().unwrap_or_else(PoisonError::into_inner);
    let errno = unsafe { libc::__errno_location() };
    let done = work(&|record| {
        // What is recorded after the call must not change what the caller learns of it.
        let before = unsafe { *errno };
        put(record);
        unsafe { *errno = before };
    });
    let after = unsafe { *errno };
    drop(order);
    unsafe { *errno = after };
    done
}

/// Writes one record.
pub(crate) fn append(record: &Record<'_>) {
    in_order(|append| append(record));
}

fn put(record: &Record<'_>) {
    let Some(journal) = journal() else { return };
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    let nanos = now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs();
    let thread = unsafe { libc::gettid() }.unsigned_abs();
    let mut bytes = Vec::with_capacity(32 + record.name.len() + record.data.len());
    bytes.push(record.kind as u8);
    bytes.extend_from_slice(&thread.to_le_bytes());
    bytes.extend_from_slice(&nanos.to_le_bytes());
    bytes.extend_from_slice(&record.number.to_le_bytes());
    bytes.extend_from_slice(&(record.name.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&(record.data.len() as u32).to_le_bytes());
    bytes.extend_from_slice(record.name);
    bytes.extend_from_slice(record.data);
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let done = unsafe { real::write(journal.fd, rest.as_ptr().cast(), rest.len()) };
        // A journal with a gap would prove nothing: rather no engine than that.
        match usize::try_from(done) {
            Ok(done) if done > 0 => rest = &rest[done..],
            _ => std::process::abort(),
        }
    }
}
