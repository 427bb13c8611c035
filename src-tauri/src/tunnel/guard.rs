//! The guard: a process of ours between the engine and a tunnel's program, which outlives neither.
//!
//! It is this very program, started as `creel tunnel-guard --record FILE -- PROGRAM ARGS...`. It starts the program in a
//! process group of its own (on Windows: in a job object that ends with the guard), hands its output through untouched,
//! and reads its own standard input, whose other end only the engine holds: the word `stop` ends the program in good
//! order; the input's end, which the system brings about however the engine died, ends it quickly. On Linux the guard
//! also adopts what its descendants leave behind, so that a program that starts others and ends leaves none of them.

use std::ffi::OsString;
use std::io::{self, BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::private_file;
use super::process_identity::ProcessIdentity;
use super::record::Record;
use crate::domain::SeededBug;

/// The hidden command by which this program becomes a guard.
pub const GUARD_COMMAND: &str = "tunnel-guard";
/// The word that asks for an end in good order.
pub const STOP_WORD: &str = "stop";
/// How long a program may take to end when the engine asks for it.
#[cfg(unix)]
const STOP_GRACE: Duration = Duration::from_secs(3);
/// None where nothing can be asked: see [`ask_group_to_end`].
#[cfg(not(unix))]
const STOP_GRACE: Duration = Duration::ZERO;
/// How long it may take when the engine is gone: its public URL must not lead to whoever takes the port next.
const GONE_GRACE: Duration = Duration::from_millis(400);
/// How long what a program left behind is looked for.
const SWEEP_TIME: Duration = Duration::from_millis(500);
/// How long a guard may take that is told to end: its own grace and sweeps, and some for a busy machine. It is told by
/// a signal, which gives its program `STOP_GRACE`.
#[cfg(unix)]
const GUARD_GRACE: Duration = Duration::from_millis(6_000);
/// How long a process may take to be gone after SIGKILL.
#[cfg(unix)]
const KILLED_TIME: Duration = Duration::from_millis(500);
/// Pause between two looks.
#[cfg(unix)]
const SWEEP_PAUSE: Duration = Duration::from_millis(10);
/// Exit code when the program cannot be started, as a shell has it.
const NOT_STARTED: u8 = 127;
/// Exit code for wrong words.
const USAGE: u8 = 2;
/// Variables with this prefix are Creel's own and not the program's business.
const OWN_VARIABLES: &str = "CREEL_";

/// What the guard hears.
enum Heard {
    /// The engine asks for the end, or a signal does.
    Stop,
    /// The engine is gone.
    Gone,
    /// The program ended.
    Ended(io::Result<ExitStatus>),
}

/// What the guard was started with.
struct Arguments {
    record: PathBuf,
    program: OsString,
    args: Vec<OsString>,
}

/// Runs as the guard, from the words behind [`GUARD_COMMAND`] to the exit code. Blocks until all is over.
#[must_use]
pub fn run(words: impl IntoIterator<Item = OsString>) -> u8 {
    let Some(arguments) = Arguments::read(words) else {
        say("this command is Creel's own: it is started by the engine");
        return USAGE;
    };
    let _contained = match contain() {
        Ok(contained) => contained,
        Err(error) => {
            say(&format!("descendants cannot be kept together: {error}"));
            return NOT_STARTED;
        }
    };
    let (hear, heard) = channel();
    // Before any other thread: all of them must leave the signals to the one that waits for them.
    follow_signals(hear.clone());
    let mut child = match spawn(&arguments) {
        Ok(child) => child,
        Err(error) => {
            say(&format!("{} cannot be started: {error}", arguments.program.to_string_lossy()));
            return NOT_STARTED;
        }
    };
    let program = ProcessIdentity::of(child.id());
    let record = Record { guard: ProcessIdentity::of(std::process::id()), program: program.clone() };
    if let Err(error) = record.write(&arguments.record) {
        say(&format!("the record of this tunnel cannot be written: {error}"));
    }
    // Held, never written to: a program that ends with its input must not end now, and must when the guard is killed.
    let input = child.stdin.take();
    follow_engine(hear.clone());
    std::thread::spawn(move || hear.send(Heard::Ended(child.wait())));
    let code = watch(&heard, &program);
    drop(input);
    if let Err(error) = private_file::remove(&arguments.record) {
        say(&format!("the record of this tunnel cannot be removed: {error}"));
    }
    code
}

impl Arguments {
    fn read(words: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut words = words.into_iter();
        let flag = words.next()?;
        let record = PathBuf::from(words.next()?);
        let dashes = words.next()?;
        let program = words.next()?;
        (flag == "--record" && dashes == "--").then(|| Self { record, program, args: words.collect() })
    }
}

fn spawn(arguments: &Arguments) -> io::Result<Child> {
    let mut command = Command::new(&arguments.program);
    command.args(&arguments.args).stdin(Stdio::piped());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(OWN_VARIABLES) {
            command.env_remove(name);
        }
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(&mut command, CREATE_NO_WINDOW);
    command.spawn()
}

/// A program without a console window of its own (`CREATE_NO_WINDOW` of CreateProcess).
#[cfg(windows)]
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// From the start to the end of the program; the guard's exit code is the program's.
fn watch(heard: &Receiver<Heard>, program: &ProcessIdentity) -> u8 {
    let grace = match heard.recv() {
        Ok(Heard::Ended(status)) => {
            sweep(program);
            return code_of(status);
        }
        Ok(Heard::Stop) => STOP_GRACE,
        Ok(Heard::Gone) | Err(_) => GONE_GRACE,
    };
    ask_group_to_end(program);
    let mut deadline = Instant::now() + grace;
    loop {
        match heard.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Heard::Ended(status)) => {
                sweep(program);
                return code_of(status);
            }
            // The engine died while it waited for the end that it asked for.
            Ok(Heard::Gone) => deadline = deadline.min(Instant::now() + GONE_GRACE),
            Ok(Heard::Stop) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    sweep(program);
    match heard.recv_timeout(SWEEP_TIME) {
        Ok(Heard::Ended(status)) => code_of(status),
        _ => NOT_STARTED,
    }
}

/// The engine's end of our input: a line asks for something, its end says that the engine is gone.
fn follow_engine(hear: Sender<Heard>) {
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            match line {
                Ok(word) if word.trim() == STOP_WORD => {
                    let _nobody_listens = hear.send(Heard::Stop);
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        if SeededBug::GuardIgnoresEnd.is_on() {
            return;
        }
        let _nobody_listens = hear.send(Heard::Gone);
    });
}

/// A signal ends the program in good order instead of leaving it behind. The child's own mask is empty: the standard
/// library resets it.
#[cfg(unix)]
fn follow_signals(hear: Sender<Heard>) {
    use nix::sys::signal::{SigSet, Signal};
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        signals.add(signal);
    }
    if signals.thread_block().is_err() {
        return;
    }
    std::thread::spawn(move || {
        while signals.wait().is_ok() {
            if hear.send(Heard::Stop).is_err() {
                return;
            }
        }
    });
}

#[cfg(not(unix))]
fn follow_signals(_hear: Sender<Heard>) {}

/// What keeps descendants together for as long as it is held.
struct Containment {
    /// A job that ends with the last handle to it, which is ours: the system closes it however the guard dies.
    #[cfg(windows)]
    _job: win32job::Job,
}

/// On Linux, descendants whose parent ends become our children (`PR_SET_CHILD_SUBREAPER`, prctl(2)).
#[cfg(target_os = "linux")]
fn contain() -> io::Result<Containment> {
    nix::sys::prctl::set_child_subreaper(true)?;
    Ok(Containment {})
}

/// On Windows they are in a job with us.
#[cfg(windows)]
fn contain() -> io::Result<Containment> {
    let mut limits = win32job::ExtendedLimitInfo::new();
    limits.limit_kill_on_job_close();
    let job = win32job::Job::create_with_limit_info(&limits).map_err(io::Error::other)?;
    job.assign_current_process().map_err(io::Error::other)?;
    Ok(Containment { _job: job })
}

/// Elsewhere the process group is all there is.
#[cfg(not(any(target_os = "linux", windows)))]
#[expect(clippy::unnecessary_wraps, reason = "fails elsewhere")]
fn contain() -> io::Result<Containment> {
    Ok(Containment {})
}

#[cfg(unix)]
fn signal_group(pid: u32, signal: nix::sys::signal::Signal) {
    use nix::unistd::Pid;
    // 0 would be our own group.
    if let Some(pid) = i32::try_from(pid).ok().filter(|&pid| pid > 0) {
        let _gone_already = nix::sys::signal::killpg(Pid::from_raw(pid), signal);
    }
}

#[cfg(unix)]
fn ask_group_to_end(program: &ProcessIdentity) {
    signal_group(program.pid, nix::sys::signal::Signal::SIGTERM);
}

/// Windows has no way to ask that every program hears; the job ends it.
#[cfg(not(unix))]
fn ask_group_to_end(_program: &ProcessIdentity) {}

/// Ends whatever is left of the program's group, and on Linux of its descendants.
#[cfg(unix)]
fn sweep(program: &ProcessIdentity) {
    signal_group(program.pid, nix::sys::signal::Signal::SIGKILL);
    #[cfg(target_os = "linux")]
    end_adopted();
}

/// The end of the guard's process closes the job.
#[cfg(not(unix))]
fn sweep(_program: &ProcessIdentity) {}

/// Kills our children until there are none: each that dies leaves its own children to us. Two looks in a row must find
/// none, because a look is no single moment: a child may become ours behind the place where it is.
#[cfg(target_os = "linux")]
fn end_adopted() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let deadline = Instant::now() + SWEEP_TIME;
    let mut seen_none = false;
    while Instant::now() < deadline {
        let children = living_children();
        if children.is_empty() && std::mem::replace(&mut seen_none, true) {
            return;
        }
        seen_none = children.is_empty();
        for child in children {
            let _gone_already = kill(Pid::from_raw(child), Signal::SIGKILL);
        }
        std::thread::sleep(SWEEP_PAUSE);
    }
}

#[cfg(target_os = "linux")]
fn living_children() -> Vec<i32> {
    let own = std::process::id().to_string();
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let ours = pids.filter(|&pid| {
        let stat = super::process_identity::stat(pid);
        stat.is_some_and(|(state, fields)| state != 'Z' && fields.first() == Some(&own))
    });
    ours.filter_map(|pid| i32::try_from(pid).ok()).collect()
}

/// Ends a process that an earlier run left behind, with its group where it leads one. A guard, which leads none, gets
/// the time that it needs to end its program and what that left. Blocks until the process is gone, within bounds.
#[cfg(unix)]
pub(super) fn end_process(identity: &ProcessIdentity, leads_group: bool) {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let Some(pid) = i32::try_from(identity.pid).ok().filter(|&pid| pid > 0) else { return };
    let send = |signal| {
        if leads_group {
            signal_group(identity.pid, signal);
        } else {
            let _gone_already = kill(Pid::from_raw(pid), signal);
        }
    };
    send(Signal::SIGTERM);
    wait_until_gone(identity, if leads_group { GONE_GRACE } else { GUARD_GRACE });
    // A group goes on without its leader, and for as long nobody else gets its number. A lone process that is gone may
    // have left its number to somebody else by now.
    if leads_group || identity.is_alive() {
        send(Signal::SIGKILL);
    }
    wait_until_gone(identity, KILLED_TIME);
}

#[cfg(unix)]
fn wait_until_gone(identity: &ProcessIdentity, time: Duration) {
    let deadline = Instant::now() + time;
    while identity.is_alive() && Instant::now() < deadline {
        std::thread::sleep(SWEEP_PAUSE);
    }
}

/// A job object leaves nothing behind.
#[cfg(not(unix))]
pub(super) fn end_process(_identity: &ProcessIdentity, _leads_group: bool) {}

fn code_of(status: io::Result<ExitStatus>) -> u8 {
    let Ok(status) = status else { return NOT_STARTED };
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        // As a shell has it.
        return u8::try_from(128 + signal).unwrap_or(NOT_STARTED);
    }
    status.code().map_or(NOT_STARTED, |code| u8::try_from(code & 0xff).unwrap_or(NOT_STARTED))
}

/// The engine reads it as the tunnel's output. That nobody reads any more must not end the guard, which `eprintln!` would.
fn say(message: &str) {
    let _nobody_reads = writeln!(io::stderr(), "creel {GUARD_COMMAND}: {message}");
}
