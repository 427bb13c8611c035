//! Guards as tokio's child processes: for the headless binary.

use std::future::Future;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::Instant;

use super::guard::STOP_WORD;
use super::spawner::{
    DRAIN_TIME, GuardProgram, GuardedCommand, NextEvent, ProcessEvent, SpawnError, TunnelProcess, TunnelSpawner, until,
};
use crate::domain::TunnelStream;

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;

/// Starts guards with tokio.
#[derive(Clone, Debug)]
pub struct TokioSpawner {
    guard: GuardProgram,
}

impl TokioSpawner {
    /// With this program as the guard.
    #[must_use]
    pub fn new(guard: GuardProgram) -> Self {
        Self { guard }
    }
}

impl TunnelSpawner for TokioSpawner {
    fn spawn(&self, command: &GuardedCommand) -> Result<Box<dyn TunnelProcess>, SpawnError> {
        let mut guard = Command::new(&self.guard.path);
        guard
            .args(command.guard_args())
            .envs(command.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Not `kill_on_drop`: a dropped child closes the guard's input, upon which it ends its program first.
        // Ctrl-C in the terminal is for the engine, which then ends the tunnel in good order.
        #[cfg(unix)]
        guard.process_group(0);
        let mut child = guard.spawn().map_err(|error| SpawnError(error.to_string()))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        Ok(Box::new(TokioProcess { child, stdin, stdout, stderr, ended: None }))
    }
}

struct TokioProcess {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    ended: Option<(Option<ExitStatus>, Instant)>,
}

impl TokioProcess {
    async fn next_event(&mut self) -> ProcessEvent {
        loop {
            let drained = self.stdout.is_none() && self.stderr.is_none();
            if let (Some((status, _)), true) = (self.ended, drained) {
                return ProcessEvent::Ended { code: status.and_then(|status| status.code()) };
            }
            let drain_end = self.ended.map(|(_, at)| at + DRAIN_TIME);
            tokio::select! {
                // The end comes before the output: that of a process which writes without end would hide it.
                biased;
                () = until(drain_end) => {
                    self.stdout = None;
                    self.stderr = None;
                }
                status = self.child.wait(), if self.ended.is_none() => {
                    self.ended = Some((status.ok(), Instant::now()));
                }
                read = read(&mut self.stdout) => match read {
                    Some(bytes) => return ProcessEvent::Output { stream: TunnelStream::Stdout, bytes },
                    None => self.stdout = None,
                },
                read = read(&mut self.stderr) => match read {
                    Some(bytes) => return ProcessEvent::Output { stream: TunnelStream::Stderr, bytes },
                    None => self.stderr = None,
                },
            }
        }
    }
}

/// Some bytes, or none at the stream's end; for ever when it has ended before.
async fn read<R: AsyncRead + Unpin>(stream: &mut Option<R>) -> Option<Vec<u8>> {
    let Some(stream) = stream else { return std::future::pending().await };
    let mut bytes = vec![0; READ_BYTES];
    match stream.read(&mut bytes).await {
        Ok(count) if count > 0 => {
            bytes.truncate(count);
            Some(bytes)
        }
        _ => None,
    }
}

impl TunnelProcess for TokioProcess {
    fn next(&mut self) -> NextEvent<'_> {
        Box::pin(self.next_event())
    }

    fn ask_to_stop(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            if let Some(stdin) = &mut self.stdin {
                let _ended_already = stdin.write_all(format!("{STOP_WORD}\n").as_bytes()).await;
                let _ended_already = stdin.flush().await;
            }
        })
    }

    fn kill(&mut self) {
        let _ended_already = self.child.start_kill();
    }
}
