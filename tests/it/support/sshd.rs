//! A private ssh server on loopback, with keys of its own.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::ports::free_port;
use super::requires::have;
use super::wait::until;

/// Where sshd is that no PATH names.
const PLACES: [&str; 3] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];

/// The server's program, when this machine has all that is needed.
#[track_caller]
pub fn sshd() -> Option<PathBuf> {
    let found = PLACES.iter().map(PathBuf::from).find(|path| path.is_file());
    let missing = found.is_none().then(|| "there is no sshd: install openssh-server".to_owned());
    if have("ssh", missing) { found } else { None }
}

/// A running server; ended on drop.
pub struct Sshd {
    dir: TempDir,
    program: PathBuf,
    pub port: u16,
    child: Option<Child>,
}

impl Sshd {
    #[track_caller]
    pub fn start(program: &Path) -> Self {
        let dir = TempDir::with_prefix("creel-sshd-").expect("temporary directory");
        for name in ["host_key", "user_key", "other_key"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(dir.path().join(name))
                .status();
            assert!(made.expect("ssh-keygen").success());
        }
        fs::copy(dir.path().join("user_key.pub"), dir.path().join("authorized_keys")).expect("authorize");
        let port = free_port();
        // As root it wants this directory for its unprivileged part.
        let _exists_or_not_root = fs::create_dir_all("/run/sshd");
        let mut sshd = Self { dir, program: program.to_owned(), port, child: None };
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {0}\nAuthorizedKeysFile {1}\nPidFile none\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\nGatewayPorts clientspecified\n\
             AllowTcpForwarding yes\nPermitRootLogin prohibit-password\n",
            sshd.file("host_key").display(),
            sshd.file("authorized_keys").display(),
        );
        fs::write(sshd.file("sshd_config"), config).expect("write the configuration");
        sshd.run();
        sshd
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts it, again after [`Sshd::kill`].
    #[track_caller]
    pub fn run(&mut self) {
        let child = Command::new(&self.program)
            .args(["-D", "-e", "-f"])
            .arg(self.file("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.file("log")).expect("a log"))
            .spawn();
        self.child = Some(child.expect("start sshd"));
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        until("sshd listens", || TcpStream::connect(address).ok());
    }

    /// Ends it with all its sessions.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        for pid in descendants(child.id()) {
            let _gone = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
        let _gone = child.kill();
        let _gone = child.wait();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn descendants(of: u32) -> Vec<i32> {
    let mut found: Vec<u32> = vec![of];
    let mut index = 0;
    while index < found.len() {
        let parent = found[index];
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        index += 1;
    }
    found.into_iter().skip(1).filter_map(|pid| i32::try_from(pid).ok()).collect()
}
