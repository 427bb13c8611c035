//! The strict reading of a chunked body (RFC 9112 section 7.1), as its bytes come.
//!
//! Whoever reads chunks differently than the proxy before it can be tricked into seeing a request in a body: what this
//! reader lets pass has one reading only.

use super::header_line;
use super::limits::{CHUNK_EXTENSION_BYTES_MAX, CHUNK_SIZE_DIGITS_MAX, TRAILER_BYTES_MAX};
use super::malformed::Malformed;

/// Where the reader stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    /// In a chunk's size, after this many digits.
    Size {
        digits: u32,
    },
    /// After white space behind a size, which only an extension may follow (RFC 9112 section 7.1.1).
    SpaceAfterSize,
    Extension,
    /// After the CR of a size line.
    SizeLf,
    Data,
    DataCr,
    DataLf,
    /// In the trailer section; the line under way stands in `trailer_line`.
    Trailer,
    /// The last LF has passed.
    End,
}

/// Reads one chunked body.
#[derive(Clone, Debug)]
pub struct ChunkReader {
    at: At,
    /// Of the chunk under way: its size as far as read, then what is left of its data.
    left: u64,
    extension_bytes: usize,
    trailer_bytes: usize,
    trailer_line: Vec<u8>,
}

impl Default for ChunkReader {
    fn default() -> Self {
        Self { at: At::Size { digits: 0 }, left: 0, extension_bytes: 0, trailer_bytes: 0, trailer_line: Vec::new() }
    }
}

impl ChunkReader {
    /// Takes bytes up to the body's end and puts the data among them behind `body`; returns how many of them belong to
    /// the body.
    ///
    /// # Errors
    /// When the framing is wrong.
    pub fn take(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> Result<usize, Malformed> {
        let mut at = 0;
        while at < bytes.len() && self.at != At::End {
            if self.at == At::Data {
                let run = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - at);
                self.left -= run as u64;
                body.extend_from_slice(&bytes[at..at + run]);
                at += run;
                if self.left == 0 {
                    self.at = At::DataCr;
                }
            } else {
                self.take_byte(bytes[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    /// Whether the body has ended.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.at == At::End
    }

    fn take_byte(&mut self, byte: u8) -> Result<(), Malformed> {
        self.at = match (&self.at, byte) {
            (At::Size { digits }, _) => self.take_size_byte(*digits, byte)?,
            (At::SpaceAfterSize, b' ' | b'\t') => self.take_extension_byte(At::SpaceAfterSize)?,
            (At::SpaceAfterSize, b';') => self.take_extension_byte(At::Extension)?,
            (At::SpaceAfterSize, _) => return Err(Malformed::ChunkSize),
            (At::Extension, b'\r') => At::SizeLf,
            (At::Extension, b'\t' | b' '..=b'~') => self.take_extension_byte(At::Extension)?,
            (At::Extension, _) => return Err(Malformed::ChunkExtension),
            (At::SizeLf, b'\n') if self.left == 0 => At::Trailer,
            (At::SizeLf, b'\n') => At::Data,
            (At::SizeLf, _) => return Err(Malformed::BareCr),
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::Size { digits: 0 },
            (At::DataCr | At::DataLf, _) => return Err(Malformed::ChunkEnd),
            (At::Trailer, _) => self.take_trailer_byte(byte)?,
            (At::Data | At::End, _) => return Err(Malformed::ChunkEnd),
        };
        Ok(())
    }

    fn take_size_byte(&mut self, digits: u32, byte: u8) -> Result<At, Malformed> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            b'\r' if digits > 0 => return Ok(At::SizeLf),
            b';' if digits > 0 => return self.take_extension_byte(At::Extension),
            b' ' | b'\t' if digits > 0 => return self.take_extension_byte(At::SpaceAfterSize),
            _ => return Err(Malformed::ChunkSize),
        };
        if digits == CHUNK_SIZE_DIGITS_MAX {
            return Err(Malformed::ChunkSize);
        }
        self.left = self.left * 16 + u64::from(digit);
        Ok(At::Size { digits: digits + 1 })
    }

    fn take_extension_byte(&mut self, next: At) -> Result<At, Malformed> {
        self.extension_bytes += 1;
        if self.extension_bytes > CHUNK_EXTENSION_BYTES_MAX { Err(Malformed::ChunkExtension) } else { Ok(next) }
    }

    /// Trailer lines are held to the rules of header lines. They are not kept: a trailer must not be taken for a header
    /// (RFC 9110 section 6.5.1).
    fn take_trailer_byte(&mut self, byte: u8) -> Result<At, Malformed> {
        self.trailer_bytes += 1;
        if self.trailer_bytes > TRAILER_BYTES_MAX {
            return Err(Malformed::Trailer);
        }
        if byte != b'\n' {
            self.trailer_line.push(byte);
            return Ok(At::Trailer);
        }
        let Some((b'\r', line)) = self.trailer_line.split_last() else { return Err(Malformed::BareLf) };
        if line.is_empty() {
            self.trailer_line = Vec::new();
            return Ok(At::End);
        }
        header_line::split(line).map_err(|_| Malformed::Trailer)?;
        self.trailer_line.clear();
        Ok(At::Trailer)
    }
}
