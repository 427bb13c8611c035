//! Why bytes are not the HTTP/1.1 that the ingress takes.
//!
//! RFC 9112 lets a server be lenient in places where two servers in a row then read the same bytes differently: that is
//! how requests are smuggled. The ingress stands behind tunnels and proxies, so it takes no ambiguous message at all.

/// What is wrong with a request. Each is answered and the connection closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// RFC 9112 section 2.2.
    #[error("a line ends with LF instead of CR LF")]
    BareLf,
    /// RFC 9112 section 2.2.
    #[error("a CR stands without its LF")]
    BareCr,
    /// Not `METHOD SP target SP version`: RFC 9112 section 3. Also HTTP/0.9.
    #[error("the request line is not 'METHOD target HTTP/1.1'")]
    RequestLine,
    /// RFC 9110 section 9.1. Also what is no HTTP at all, such as a TLS hello.
    #[error("the method is no HTTP token")]
    Method,
    /// The ingress is no proxy.
    #[error("CONNECT is not taken here")]
    Connect,
    /// RFC 9112 section 2.3: HTTP/1.0, HTTP/2 and everything unknown.
    #[error("only HTTP/1.1 is taken here")]
    Version,
    /// RFC 9112 section 3.2: absolute-form, authority-form, `*`, or a fragment.
    #[error("the request target is no path with an optional query")]
    Target,
    /// A target with control characters, spaces or bytes that are no UTF-8.
    #[error("the request target holds characters that are not allowed")]
    TargetBytes,
    /// RFC 9112 section 5.2.
    #[error("a header line is folded")]
    Folding,
    /// RFC 9112 section 5.1: no colon, an empty name, a character that is not allowed, or a space before the colon.
    #[error("a header name is not valid")]
    HeaderName,
    /// RFC 9110 section 5.5.
    #[error("a header value holds control characters")]
    HeaderValue,
    /// RFC 9112 section 3.2.
    #[error("there is no Host header")]
    NoHost,
    /// RFC 9112 section 3.2.
    #[error("there is more than one Host header")]
    ManyHosts,
    /// RFC 9110 section 7.2.
    #[error("the Host header is no host with an optional port")]
    Host,
    /// RFC 9112 section 6.3: not one decimal number that fits.
    #[error("the Content-Length is not one decimal number")]
    ContentLength,
    /// RFC 9112 section 6.3 lets equal ones pass; they serve no honest sender.
    #[error("there is more than one Content-Length header")]
    ManyContentLengths,
    /// RFC 9112 section 6.1: anything but exactly one `chunked`.
    #[error("the Transfer-Encoding is not exactly 'chunked'")]
    TransferEncoding,
    /// RFC 9112 section 6.1.
    #[error("Content-Length and Transfer-Encoding stand together")]
    LengthAndEncoding,
    /// RFC 9110 section 10.1.1.
    #[error("the expectation is not '100-continue'")]
    Expectation,
    /// Larger than [`super::limits::HEAD_BYTES_MAX`].
    #[error("the request head is too large")]
    HeadTooLarge,
    /// More than [`super::limits::HEADERS_MAX`].
    #[error("there are too many headers")]
    ManyHeaders,
    /// Longer than [`super::limits::TARGET_BYTES_MAX`].
    #[error("the request target is too long")]
    TargetTooLong,
    /// RFC 9112 section 7.1: no hexadecimal number, or one that does not fit.
    #[error("a chunk's size is not valid")]
    ChunkSize,
    /// RFC 9112 section 7.1.1; also too many of them.
    #[error("a chunk extension is not valid")]
    ChunkExtension,
    /// RFC 9112 section 7.1.
    #[error("a chunk does not end with CR LF")]
    ChunkEnd,
    /// RFC 9112 section 7.1.2: also a trailer section that is too large.
    #[error("the trailer section is not valid")]
    Trailer,
}

impl Malformed {
    /// The HTTP status that says so.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::HeadTooLarge | Self::ManyHeaders => 431,
            Self::TargetTooLong => 414,
            Self::Expectation => 417,
            _ => 400,
        }
    }
}
