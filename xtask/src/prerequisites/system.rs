//! Which Linux this is, and how software is installed on it.

use anyhow::Result;

use super::needs::Need;
use crate::program::{Program, find, say};

/// The families whose package names are known.
#[derive(Debug, PartialEq, Eq)]
pub enum System {
    Debian,
    Fedora,
    Arch,
    Other,
}

/// apt, in a way that needs no password.
pub struct Apt {
    with_sudo: bool,
}

impl System {
    /// By os-release(5): the distribution itself and what it is like.
    pub fn of_this_machine() -> System {
        let text =
            std::fs::read_to_string("/etc/os-release").or_else(|_| std::fs::read_to_string("/usr/lib/os-release"));
        text.map_or(System::Other, |text| System::from_os_release(&text))
    }

    fn from_os_release(text: &str) -> System {
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
        };
        let names = format!("{} {}", value("ID"), value("ID_LIKE"));
        for name in names.split_whitespace() {
            match name {
                "debian" | "ubuntu" => return System::Debian,
                "fedora" | "rhel" => return System::Fedora,
                "arch" => return System::Arch,
                _ => {}
            }
        }
        System::Other
    }

    /// apt, when this is its system and it may be used: as root, or with a sudo that does not ask.
    pub fn apt(&self) -> Option<Apt> {
        if *self != System::Debian || find("apt-get").is_none() {
            return None;
        }
        if is_root() {
            return Some(Apt { with_sudo: false });
        }
        Program::new("sudo").args(["-n", "true"]).succeeds().then_some(Apt { with_sudo: true })
    }

    /// The command that installs all of `needs` here.
    pub fn install_line(&self, needs: &[&Need]) -> Option<String> {
        let (command, package): (_, fn(&Need) -> &'static str) = match self {
            System::Debian => ("sudo apt-get install", |need| need.debian),
            System::Fedora => ("sudo dnf install", |need| need.fedora),
            System::Arch => ("sudo pacman -S --needed", |need| need.arch),
            System::Other => return None,
        };
        let mut packages: Vec<&str> = needs.iter().map(|need| package(need)).collect();
        packages.sort_unstable();
        packages.dedup();
        Some(format!("{command} {}", packages.join(" ")))
    }
}

impl Apt {
    /// Refreshes the package lists and installs.
    pub fn install(&self, packages: &[&str]) -> Result<()> {
        if let Err(error) = self.program("update").run() {
            // One mirror that is down is no reason to stop: the lists that are here may do.
            say(&format!("the package lists could not be refreshed: {error:#}"));
        }
        self.program("install").args(["--yes", "--no-install-recommends"]).args(packages).run()
    }

    fn program(&self, verb: &str) -> Program {
        // Through env(1), because sudo hands on no variable of its caller.
        let program = if self.with_sudo { Program::new("sudo").args(["-n", "env"]) } else { Program::new("env") };
        program.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", verb, "--quiet"])
    }
}

/// Whether this process may do what only root may.
pub fn is_root() -> bool {
    Program::new("id").arg("-u").output().is_ok_and(|uid| uid.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_read_from_its_own_name_and_then_from_what_it_is_like() {
        let debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n";
        let mint = "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n";
        let rocky = "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n";
        let manjaro = "ID=manjaro\nID_LIKE=arch\n";
        let void = "ID=\"void\"\n";
        assert_eq!(System::from_os_release(debian), System::Debian);
        assert_eq!(System::from_os_release(mint), System::Debian);
        assert_eq!(System::from_os_release(rocky), System::Fedora);
        assert_eq!(System::from_os_release(manjaro), System::Arch);
        assert_eq!(System::from_os_release(void), System::Other);
        assert_eq!(System::from_os_release(""), System::Other);
    }

    #[test]
    fn apt_belongs_to_debian_alone() {
        assert!(System::Arch.apt().is_none());
        assert!(System::Other.apt().is_none());
    }

    #[test]
    fn apt_is_never_asked_a_question() {
        let apt = Apt { with_sudo: true };
        assert!(apt.program("install").shown().contains("DEBIAN_FRONTEND=noninteractive"));
        assert!(apt.program("install").shown().starts_with("sudo -n "));
    }
}
