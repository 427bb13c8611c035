//! The functions of the C library that this library stands in front of, found by the loader behind it.

use std::ffi::CStr;
use std::sync::OnceLock;

use libc::{c_char, c_int, c_void, iovec, msghdr, off_t, size_t, ssize_t};

/// The address of a function of the next library in the loader's order. Without it nothing can go on: the process ends.
fn next(name: &CStr) -> usize {
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    if found.is_null() {
        std::process::abort();
    }
    found as usize
}

macro_rules! real {
    ($($name:ident: $symbol:literal ($($argument:ident: $type:ty),*) -> $result:ty;)*) => {$(
        pub(crate) unsafe fn $name($($argument: $type),*) -> $result {
            static FOUND: OnceLock<usize> = OnceLock::new();
            let found = *FOUND.get_or_init(|| next($symbol));
            // The C library declares it with exactly these types.
            let function: unsafe extern "C" fn($($type),*) -> $result = unsafe { std::mem::transmute(found) };
            unsafe { function($($argument),*) }
        }
    )*};
}

real! {
    write: c"write" (fd: c_int, at: *const c_void, count: size_t) -> ssize_t;
    pwrite: c"pwrite" (fd: c_int, at: *const c_void, count: size_t, offset: off_t) -> ssize_t;
    writev: c"writev" (fd: c_int, at: *const iovec, count: c_int) -> ssize_t;
    send: c"send" (fd: c_int, at: *const c_void, count: size_t, flags: c_int) -> ssize_t;
    sendmsg: c"sendmsg" (fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t;
    fsync: c"fsync" (fd: c_int) -> c_int;
    fdatasync: c"fdatasync" (fd: c_int) -> c_int;
    ftruncate: c"ftruncate" (fd: c_int, length: off_t) -> c_int;
    unlink: c"unlink" (path: *const c_char) -> c_int;
}
