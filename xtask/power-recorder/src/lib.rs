//! A library to preload (`LD_PRELOAD`) into `creel serve`: it keeps a journal of every write, truncation, sync and removal
//! of the database's files, and of every answer that leaves, in one order (`tests/it/power_cuts.rs` reads it).
//!
//! It stands in front of the C library's functions of the same names. Files are known by the path behind their
//! descriptor, so that it does not matter which thread or which descriptor writes and which one syncs. What changes a
//! file is done and recorded under one lock: the journal's order is the order in which the file changed. A sync is
//! recorded twice: what was written after it began may not be covered by it, and before it has ended nothing is. An
//! answer is recorded before its first byte leaves.
//!
//! `CREEL_POWER_DIR` names the data directory (canonical), `CREEL_POWER_JOURNAL` the journal's file. Linux with glibc only.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "functions that take the place of the C library's are unsafe by nature")]
#![allow(clippy::missing_safety_doc, reason = "each is as safe as the function of libc whose name it bears")]
#![allow(missing_docs, reason = "each is documented where libc documents it")]

mod journal;
mod real;

use std::sync::atomic::{AtomicU64, Ordering};

use libc::{c_char, c_int, c_void, iovec, msghdr, off_t, size_t, ssize_t};

use journal::{Kind, Record, Tracked};

/// Bytes of an answer that are kept: its head and the id of the delivery stand there.
const ANSWER_BYTES_MAX: usize = 2_048;
/// What an answer that promises something begins with.
const PROMISE: &[u8] = b"HTTP/1.1 2";

/// Which sync begins; tells the two records of one sync from those of another.
static SYNCS: AtomicU64 = AtomicU64::new(1);

/// The bytes of a buffer; none for a null pointer.
unsafe fn bytes<'a>(at: *const c_void, count: size_t) -> &'a [u8] {
    if at.is_null() { &[] } else { unsafe { std::slice::from_raw_parts(at.cast(), count) } }
}

/// Records an answer that is about to leave.
unsafe fn note_answer(at: *const iovec, count: usize) {
    if at.is_null() || count == 0 {
        return;
    }
    let parts = unsafe { std::slice::from_raw_parts(at, count) };
    let first = parts.iter().find(|part| part.iov_len > 0);
    if !first.is_some_and(|part| unsafe { bytes(part.iov_base, part.iov_len) }.starts_with(PROMISE)) {
        return;
    }
    let mut answer = Vec::with_capacity(ANSWER_BYTES_MAX);
    for part in parts {
        let room = ANSWER_BYTES_MAX - answer.len();
        answer.extend_from_slice(unsafe { bytes(part.iov_base, part.iov_len.min(room)) });
    }
    journal::append(&Record { kind: Kind::Answer, number: 0, name: b"", data: &answer });
}

unsafe fn note_answer_in(at: *const c_void, count: size_t) {
    let part = iovec { iov_base: at.cast_mut(), iov_len: count };
    unsafe { note_answer(&raw const part, 1) }
}

/// Writes and records under the journal's lock; `offset` is asked for after the write.
unsafe fn written(
    file: &Tracked,
    at: *const c_void,
    write: impl FnOnce() -> ssize_t,
    offset: impl FnOnce(off_t) -> off_t,
) -> ssize_t {
    journal::in_order(|append| {
        let done = write();
        if done > 0 {
            let place = offset(done as off_t);
            let data = unsafe { bytes(at, done.unsigned_abs()) };
            append(&Record { kind: Kind::Write, number: place.unsigned_abs(), name: file.name(), data });
        }
        done
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, at: *const c_void, count: size_t) -> ssize_t {
    let Some(file) = Tracked::of(fd) else {
        unsafe { note_answer_in(at, count) };
        return unsafe { real::write(fd, at, count) };
    };
    let write = || unsafe { real::write(fd, at, count) };
    unsafe { written(&file, at, write, |done| libc::lseek(fd, 0, libc::SEEK_CUR) - done) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(fd: c_int, at: *const c_void, count: size_t, offset: off_t) -> ssize_t {
    let Some(file) = Tracked::of(fd) else { return unsafe { real::pwrite(fd, at, count, offset) } };
    unsafe { written(&file, at, || real::pwrite(fd, at, count, offset), |_| offset) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(fd: c_int, at: *const c_void, count: size_t, offset: off_t) -> ssize_t {
    unsafe { pwrite(fd, at, count, offset) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn writev(fd: c_int, at: *const iovec, count: c_int) -> ssize_t {
    // No file of the database is written in this way; if one ever were, the journal would differ from the file in the
    // end, which its reader checks.
    unsafe { note_answer(at, usize::try_from(count).unwrap_or(0)) };
    unsafe { real::writev(fd, at, count) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn send(fd: c_int, at: *const c_void, count: size_t, flags: c_int) -> ssize_t {
    unsafe { note_answer_in(at, count) };
    unsafe { real::send(fd, at, count, flags) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t {
    if !message.is_null() {
        unsafe { note_answer((*message).msg_iov, (*message).msg_iovlen) };
    }
    unsafe { real::sendmsg(fd, message, flags) }
}

/// Syncs between its two records; only a sync that succeeded has the second.
fn synced(fd: c_int, sync: impl FnOnce() -> c_int) -> c_int {
    let Some(file) = Tracked::of(fd) else { return sync() };
    let number = SYNCS.fetch_add(1, Ordering::Relaxed);
    // A name is on the disk when its directory has been synced after the name was made.
    let names = file.names_within();
    journal::append(&Record { kind: Kind::SyncBegins, number, name: file.name(), data: &names });
    let done = sync();
    if done == 0 {
        journal::append(&Record { kind: Kind::SyncEnds, number, name: file.name(), data: b"" });
    }
    done
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    synced(fd, || unsafe { real::fsync(fd) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    synced(fd, || unsafe { real::fdatasync(fd) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate(fd: c_int, length: off_t) -> c_int {
    let Some(file) = Tracked::of(fd) else { return unsafe { real::ftruncate(fd, length) } };
    journal::in_order(|append| {
        let done = unsafe { real::ftruncate(fd, length) };
        if done == 0 {
            append(&Record { kind: Kind::Truncate, number: length.unsigned_abs(), name: file.name(), data: b"" });
        }
        done
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate64(fd: c_int, length: off_t) -> c_int {
    unsafe { ftruncate(fd, length) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    let Some(file) = (unsafe { Tracked::at(path) }) else { return unsafe { real::unlink(path) } };
    journal::in_order(|append| {
        let done = unsafe { real::unlink(path) };
        if done == 0 {
            append(&Record { kind: Kind::Remove, number: 0, name: file.name(), data: b"" });
        }
        done
    })
}
