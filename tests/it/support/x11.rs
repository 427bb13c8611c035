//! As much of the X11 protocol as it takes to press a window's close button: the message that a window manager sends
//! (X11 protocol, and ICCCM section 4.2.8).

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

const GET_WINDOW_ATTRIBUTES: u8 = 3;
const INTERN_ATOM: u8 = 16;
const QUERY_TREE: u8 = 15;
const GET_PROPERTY: u8 = 20;
const SEND_EVENT: u8 = 25;
const CLIENT_MESSAGE: u8 = 33;

/// A connection to the display.
pub struct Display {
    stream: UnixStream,
    root: u32,
    atoms: HashMap<String, u32>,
}

impl Display {
    /// Connects to the display that the environment names; it must be one of this machine.
    pub fn open() -> Self {
        let display = std::env::var("DISPLAY").expect("DISPLAY");
        let number = display.trim_start_matches(':').split('.').next().unwrap_or_default();
        let mut stream = UnixStream::connect(format!("/tmp/.X11-unix/X{number}")).expect("connect to the display");
        let (name, data) = cookie(number).unwrap_or_default();
        let mut setup = vec![b'l', 0, 11, 0, 0, 0];
        setup.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
        setup.extend_from_slice(&u16::try_from(data.len()).unwrap().to_le_bytes());
        setup.extend_from_slice(&[0, 0]);
        setup.extend_from_slice(&padded(&name));
        setup.extend_from_slice(&padded(&data));
        stream.write_all(&setup).expect("greet the display");
        let mut head = [0; 8];
        stream.read_exact(&mut head).expect("the display's greeting");
        let mut body = vec![0; usize::from(u16_at(&head, 6)) * 4];
        stream.read_exact(&mut body).expect("the display's greeting");
        assert_eq!(head[0], 1, "the display refuses: {}", String::from_utf8_lossy(&body));
        let vendor = usize::from(u16_at(&body, 16)).next_multiple_of(4);
        let root = u32_at(&body, 32 + vendor + usize::from(body[21]) * 8);
        Self { stream, root, atoms: HashMap::new() }
    }

    /// Asks the windows of a process to close; how many there were. The toolkit keeps a hidden window beside the one that
    /// is seen; it does not mind being asked.
    pub fn close_windows_of(&mut self, pid: u32) -> usize {
        let [protocols, delete] = ["WM_PROTOCOLS", "WM_DELETE_WINDOW"].map(|name| self.atom(name));
        let windows = self.windows_of(pid);
        for &window in &windows {
            self.send_client_message(window, protocols, delete);
        }
        let closed = windows.len();
        // An answered request means that what went before it has been taken.
        self.ask(&request(QUERY_TREE, 0, &[self.root]));
        closed
    }

    /// How many windows of a process can be seen.
    pub fn visible_windows_of(&mut self, pid: u32) -> usize {
        const VIEWABLE: u8 = 2;
        let windows = self.windows_of(pid);
        let shown = |window: &u32| self.ask(&request(GET_WINDOW_ATTRIBUTES, 0, &[*window]))[26] == VIEWABLE;
        windows.iter().map(shown).filter(|shown| *shown).count()
    }

    /// The windows of a process that can be closed.
    fn windows_of(&mut self, pid: u32) -> Vec<u32> {
        let [protocols, delete, of_pid] =
            ["WM_PROTOCOLS", "WM_DELETE_WINDOW", "_NET_WM_PID"].map(|name| self.atom(name));
        let mut windows = self.windows_below(self.root);
        windows.retain(|&window| {
            self.property(window, of_pid).contains(&pid) && self.property(window, protocols).contains(&delete)
        });
        windows
    }

    fn windows_below(&mut self, window: u32) -> Vec<u32> {
        let answer = self.ask(&request(QUERY_TREE, 0, &[window]));
        let count = usize::from(u16_at(&answer, 16));
        let children: Vec<u32> = (0..count).map(|nth| u32_at(&answer, 32 + nth * 4)).collect();
        let below: Vec<u32> = children.iter().flat_map(|&child| self.windows_below(child)).collect();
        [children, below].concat()
    }

    fn property(&mut self, window: u32, atom: u32) -> Vec<u32> {
        let answer = self.ask(&request(GET_PROPERTY, 0, &[window, atom, 0, 0, 64]));
        let count = if answer[1] == 32 { u32_at(&answer, 16) as usize } else { 0 };
        (0..count).map(|nth| u32_at(&answer, 32 + nth * 4)).collect()
    }

    fn atom(&mut self, name: &str) -> u32 {
        if let Some(&known) = self.atoms.get(name) {
            return known;
        }
        let mut bytes = vec![INTERN_ATOM, 0, 0, 0];
        bytes.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&padded(name.as_bytes()));
        let answer = self.ask(&with_length(bytes));
        let atom = u32_at(&answer, 8);
        self.atoms.insert(name.to_owned(), atom);
        atom
    }

    fn send_client_message(&mut self, window: u32, kind: u32, word: u32) {
        let mut event = vec![CLIENT_MESSAGE, 32, 0, 0];
        for part in [window, kind, word, 0, 0, 0, 0] {
            event.extend_from_slice(&part.to_le_bytes());
        }
        let mut bytes = request(SEND_EVENT, 0, &[window, 0]);
        bytes.extend_from_slice(&event);
        self.stream.write_all(&with_length(bytes)).expect("send an event");
    }

    fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        self.stream.write_all(request).expect("ask the display");
        loop {
            let mut answer = vec![0; 32];
            self.stream.read_exact(&mut answer).expect("the display's answer");
            match answer[0] {
                1 => {
                    let mut more = vec![0; u32_at(&answer, 4) as usize * 4];
                    self.stream.read_exact(&mut more).expect("the display's answer");
                    answer.extend_from_slice(&more);
                    return answer;
                }
                // The window is gone meanwhile: nothing is known of it.
                0 => return vec![0; 32],
                _ => {}
            }
        }
    }
}

fn request(opcode: u8, detail: u8, words: &[u32]) -> Vec<u8> {
    let mut bytes = vec![opcode, detail, 0, 0];
    words.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    with_length(bytes)
}

fn with_length(mut bytes: Vec<u8>) -> Vec<u8> {
    let words = u16::try_from(bytes.len() / 4).unwrap();
    bytes[2..4].copy_from_slice(&words.to_le_bytes());
    bytes
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(4), 0);
    padded
}

/// What the display wants to see of its visitors, from the file that xauth keeps.
fn cookie(display: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let path = std::env::var_os("XAUTHORITY")?;
    let file = fs::read(path).ok()?;
    let mut rest = &file[..];
    // Each entry: a family of two bytes, then address, display number, name and data, each behind its length.
    while let Some(entry) = rest.get(2..) {
        rest = entry;
        let [_, number, name, data] = [field(&mut rest)?, field(&mut rest)?, field(&mut rest)?, field(&mut rest)?];
        if number.is_empty() || number == display.as_bytes() {
            return Some((name, data));
        }
    }
    None
}

fn field(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::from(u16::from_be_bytes(rest.get(..2)?.try_into().ok()?));
    let value = rest.get(2..2 + length)?.to_vec();
    *rest = &rest[2 + length..];
    Some(value)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}
