//! A tunnel program for tests: `fake-tunnel SCRIPT [INGRESS]` does what its script says, one JSON object a line.
//!
//! A script may have several parts, with `"next_start"` between them: the nth start plays the nth part, and every later
//! one the last. In texts `{port}` stands for the port that `"listen"` opened, which leads to INGRESS as a tunnel's public
//! side would; `{pid}` for this process.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// Where the script is from; for readers.
    About(#[allow(dead_code)] String),
    /// Text to stdout.
    Out(String),
    /// Text to stderr.
    Err(String),
    /// Bytes to stdout.
    Bytes(Vec<u8>),
    /// This many bytes to stdout without a line end.
    Flood(usize),
    /// Text to stdout, again and again for ever.
    Repeat(String),
    /// A pause in milliseconds.
    Wait(u64),
    /// Opens a port that leads to the ingress.
    Listen,
    /// Closes that port: the tunnel stays, and carries nothing.
    Deafen,
    /// Answers GETs on the port of this machine that stands behind an option of the command line, as the program's own
    /// address does: by path, and 404 elsewhere.
    Serve { option: String, answers: BTreeMap<String, String> },
    /// Says the arguments as a JSON list on stdout.
    Args,
    /// Says a variable on stdout.
    Env(String),
    /// Takes no notice of SIGTERM from now on.
    IgnoreTerm,
    /// Starts a program that holds our streams.
    Child(Vec<String>),
    /// Ends by a signal of its own.
    Crash,
    /// Ends with this code.
    Exit(u8),
    /// Does nothing for ever.
    Hang,
    /// Ends this start's part.
    NextStart,
}

struct Player {
    ingress: Option<String>,
    listener: Option<TcpListener>,
    port: u16,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(script) = words.next() else { return ExitCode::SUCCESS };
    let ingress = words.next();
    match play(&script, ingress) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _nobody_reads = writeln!(io::stderr(), "fake-tunnel: {error}");
            ExitCode::from(99)
        }
    }
}

fn play(script: &str, ingress: Option<String>) -> io::Result<u8> {
    let text = std::fs::read_to_string(script)?;
    let steps = text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str::<Step>);
    let steps: Vec<Step> = steps.collect::<Result<_, _>>()?;
    let parts: Vec<&[Step]> = steps.split(|step| matches!(step, Step::NextStart)).collect();
    let part = parts[this_start(script, parts.len())?.min(parts.len() - 1)];
    let mut player = Player { ingress, listener: None, port: 0 };
    for step in part {
        if let Some(code) = player.step(step)? {
            return Ok(code);
        }
    }
    Ok(0)
}

/// Which start this is, from 0: one byte more in a file beside the script.
fn this_start(script: &str, parts: usize) -> io::Result<usize> {
    if parts == 1 {
        return Ok(0);
    }
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(format!("{script}.starts"))?;
    file.write_all(b".")?;
    Ok(usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX) - 1)
}

impl Player {
    fn step(&mut self, step: &Step) -> io::Result<Option<u8>> {
        match step {
            Step::About(_) | Step::NextStart => {}
            Step::Out(text) => write_all(io::stdout(), self.filled(text).as_bytes())?,
            Step::Err(text) => write_all(io::stderr(), self.filled(text).as_bytes())?,
            Step::Bytes(bytes) => write_all(io::stdout(), bytes)?,
            Step::Flood(count) => write_all(io::stdout(), &vec![b'x'; *count])?,
            Step::Repeat(text) => loop {
                write_all(io::stdout(), self.filled(text).as_bytes())?;
            },
            Step::Wait(millis) => thread::sleep(Duration::from_millis(*millis)),
            Step::Listen => self.listen()?,
            Step::Deafen => self.deafen()?,
            Step::Serve { option, answers } => serve(option, answers)?,
            Step::Args => {
                let words: Vec<String> = std::env::args().skip(1).collect();
                write_all(io::stdout(), format!("{}\n", serde_json::to_string(&words)?).as_bytes())?;
            }
            Step::Env(name) => {
                let value = std::env::var(name).unwrap_or_else(|_| "absent".to_owned());
                write_all(io::stdout(), format!("{value}\n").as_bytes())?;
            }
            Step::IgnoreTerm => ignore_term()?,
            Step::Child(words) => {
                let mut command = Command::new(words.first().map_or("", String::as_str));
                command.args(&words[1..]).stdin(Stdio::null());
                let child = command.spawn()?;
                write_all(io::stdout(), format!("child {}\n", child.id()).as_bytes())?;
            }
            Step::Crash => std::process::abort(),
            Step::Exit(code) => return Ok(Some(*code)),
            Step::Hang => loop {
                thread::park();
            },
        }
        Ok(None)
    }

    fn filled(&self, text: &str) -> String {
        text.replace("{port}", &self.port.to_string()).replace("{pid}", &std::process::id().to_string())
    }

    fn listen(&mut self) -> io::Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        self.port = listener.local_addr()?.port();
        self.listener = Some(listener.try_clone()?);
        let ingress = self.ingress.clone().unwrap_or_default();
        thread::spawn(move || {
            for public in listener.incoming().flatten() {
                match TcpStream::connect(&ingress) {
                    Ok(private) => carry(public, private),
                    Err(_) => drop(public),
                }
            }
        });
        Ok(())
    }

    /// Takes connections no longer: those that come are closed.
    fn deafen(&mut self) -> io::Result<()> {
        self.ingress = None;
        if let Some(listener) = &self.listener {
            listener.set_nonblocking(true)?;
        }
        Ok(())
    }
}

/// The port is the first number above 1023 between the colons: `127.0.0.1:4999`, or ssh's `4999:localhost:4300`.
fn serve(option: &str, answers: &BTreeMap<String, String>) -> io::Result<()> {
    let value = std::env::args().skip_while(|word| word != option).nth(1).unwrap_or_default();
    let port = value.split(':').find_map(|part| part.parse::<u16>().ok().filter(|&port| port > 1023));
    let port = port.ok_or_else(|| io::Error::other(format!("no port behind {option}")))?;
    let (listener, answers) = (TcpListener::bind(("127.0.0.1", port))?, answers.clone());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = String::new();
            let _gone_already = BufReader::new(&stream).read_line(&mut asked);
            let found = asked.split(' ').nth(1).and_then(|path| answers.get(path));
            let (status, body) = found.map_or(("404 Not Found", ""), |body| ("200 OK", body.as_str()));
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _gone_already = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    Ok(())
}

/// Both ways, until either side has enough.
fn carry(public: TcpStream, private: TcpStream) {
    let Ok((from, to)) = public.try_clone().and_then(|from| Ok((from, private.try_clone()?))) else { return };
    thread::spawn(move || copy(from, to));
    thread::spawn(move || copy(private, public));
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut bytes) {
        if count == 0 || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _gone_already = to.shutdown(Shutdown::Write);
}

fn write_all(mut stream: impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

#[cfg(unix)]
fn ignore_term() -> io::Result<()> {
    // Blocked in this thread and all that come after it: as good as ignored, and no unsafe code.
    let mut signals = nix::sys::signal::SigSet::empty();
    signals.add(nix::sys::signal::Signal::SIGTERM);
    Ok(signals.thread_block()?)
}

#[cfg(not(unix))]
fn ignore_term() -> io::Result<()> {
    Ok(())
}
