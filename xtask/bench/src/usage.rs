//! What a process has used, read from proc(5); Linux alone keeps it so.

use std::path::Path;

/// Processor time and memory of another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes in memory now
    pub resident: u64,
    /// The most that ever were
    pub peak: u64,
}

/// Ticks of utime and stime a second; the kernel reports in this unit whatever its own is (sysconf(3), `_SC_CLK_TCK`).
const TICKS_PER_SECOND: f64 = 100.0;

impl Usage {
    /// `None` where there is no proc(5).
    pub fn of(pid: u32) -> Option<Usage> {
        Usage::parse(&std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).ok()?)
    }

    fn parse(status: &str) -> Option<Usage> {
        Some(Usage { resident: field(status, "VmRSS:")?, peak: field(status, "VmHWM:")? })
    }
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Seconds of processor time, in user space and in the kernel.
pub fn processor_seconds(pid: u32) -> Option<f64> {
    parse_stat(&std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?)
}

fn parse_stat(stat: &str) -> Option<f64> {
    // The second field is the program's name in parentheses and may hold anything, so count from its end: utime and stime
    // are fields 14 and 15.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let kernel: f64 = fields.next()?.parse().ok()?;
    Some((user + kernel) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tcreel\nVmPeak:\t  999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(Usage::parse(status), Some(Usage { resident: 1 << 20, peak: 2 << 20 }));
        assert_eq!(Usage::parse("Name:\tcreel\n"), None);
    }

    #[test]
    fn processor_time_is_found_behind_any_program_name() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 1 2 3";
        assert_eq!(parse_stat(stat), Some(3.0));
        assert_eq!(parse_stat("42"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_used_something() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.resident > 0 && usage.peak >= usage.resident);
        assert!(processor_seconds(std::process::id()).is_some());
    }
}
