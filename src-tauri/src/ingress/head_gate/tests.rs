//! What passes the gate and what does not, byte by byte and however the bytes are split.

use std::collections::VecDeque;

use proptest::prelude::*;
use tokio::io::AsyncReadExt as _;

use super::*;
use crate::ingress::body::{self, BodyError, Budget};
use crate::ingress::connections::Connections;
use crate::ingress::malformed::Malformed;

/// A sender whose bytes come in these pieces, and who then closes its half.
struct Pieces(VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let rest = piece.split_off(piece.len().min(out.remaining()));
            out.put_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What came through the gate.
#[derive(Debug, Default, PartialEq, Eq)]
struct Through {
    heads: Vec<Head>,
    /// The bodies of those heads; a broken one is empty.
    bodies: Vec<Bytes>,
    refused: Option<RefusedHead>,
    broken_body: Option<Broken>,
    /// What hyper was given.
    bytes: Vec<u8>,
}

impl Through {
    fn take(&mut self, head: Head, body: Bytes) {
        self.heads.push(head);
        self.bodies.push(body);
    }

    /// What comes without pause goes to hyper; in between, the gate reads what hyper must not wait for.
    async fn read(&mut self, gate: &mut HeadGate<Pieces>, exchange: &Exchange) {
        while gate.next_head().await {
            if let Some(head) = gate.take_awaiting() {
                let body = match body::read(gate, u64::MAX, Budget::new(u64::MAX).lease()).await {
                    Ok((body, _)) => body,
                    Err((BodyError::Broken(broken), _)) => {
                        self.broken_body = Some(broken);
                        Bytes::new()
                    }
                    Err((error, _)) => panic!("{error}"),
                };
                self.take(head, body);
            }
            gate.read_to_end(&mut self.bytes).await.unwrap();
            while let Some(arrived) = exchange.take() {
                match arrived {
                    Arrived::Request { head, body } => self.take(head, body),
                    Arrived::Refused(head) => self.refused = Some(head),
                    Arrived::Received(_) | Arrived::Answered(_) => panic!("{arrived:?}"),
                }
            }
            if !gate.is_resting() {
                return;
            }
        }
    }
}

fn through(pieces: impl IntoIterator<Item = Vec<u8>>) -> Through {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let place = Connections::new(1).admit(&tokio_util::sync::CancellationToken::new()).await.unwrap();
        let exchange = Arc::new(Exchange::default());
        let pieces = Pieces(pieces.into_iter().filter(|piece| !piece.is_empty()).collect());
        let mut gate = HeadGate::new(pieces, place, Arc::clone(&exchange), Arc::default());
        let mut through = Through::default();
        through.read(&mut gate, &exchange).await;
        through
    })
}

fn whole(bytes: &[u8]) -> Through {
    through([bytes.to_vec()])
}

fn byte_by_byte(bytes: &[u8]) -> Through {
    through(bytes.iter().map(|&byte| vec![byte]))
}

/// Why the bytes do not pass.
fn wrong_with(bytes: &[u8]) -> Option<Malformed> {
    let through = whole(bytes);
    match (through.refused.map(|refused| refused.cause), through.broken_body) {
        (Some(Broken::Malformed(malformed)), None) | (None, Some(Broken::Malformed(malformed))) => Some(malformed),
        _ => None,
    }
}

const GOOD: &[&[u8]] = &[
    b"GET /in/ep_a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /in/ep_a/b?c=d HTTP/1.1\r\nhOsT: a.example:8080\r\nContent-Length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\t007 \r\n\r\n1234567",
    b"purge /a%00|{}\"^`\\<> HTTP/1.1\r\nHost: xn--a_b.c\r\nX:\r\nX: \t \r\nx: \xff\xe9\r\n\r\n",
    "GET /ü HTTP/1.1\r\nHost: a\r\n\r\n".as_bytes(),
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\nab",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n\
      A;name=\"v\";b\r\n0123456789\r\n00a ;c\r\n0123456789\r\n000\r\nX-T: 1\r\nY: \r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
      POST /two HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\n\r\nxyzGET /three HTTP/1.1\r\nHost: c\r\n\r\n",
];

#[test]
fn good_requests_pass() {
    for bytes in GOOD {
        let through = whole(bytes);
        assert_eq!((through.refused, through.broken_body), (None, None), "{}", bytes.escape_ascii());
        assert!(!through.heads.is_empty());
    }
}

#[test]
fn a_head_is_kept_exactly_as_it_stood() {
    let head =
        &whole(b"POST /in/t/x?y HTTP/1.1\r\nhOST: a\r\nX-b:1\r\nX-B:  2 \xff\t\r\nContent-Length: 1\r\n\r\nz").heads[0];
    assert_eq!((head.method.as_str(), head.target.as_str()), ("POST", "/in/t/x?y"));
    assert_eq!(&head.headers.as_block()[..], b"hOST: a\r\nX-b:1\r\nX-B:  2 \xff\t\r\nContent-Length: 1\r\n");
    assert_eq!(head.body, BodyLength::Exactly(1));
}

#[test]
fn hyper_learns_no_more_than_the_method_and_whether_the_connection_ends() {
    let request = b"PUT /in/ep_secret?q HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade, Close\r\n\
        Expect: 100-continue\r\nContent-Length: 02\r\n\r\nab";
    for at in [0, request.len() - 1] {
        let through = through([request[..at].to_vec(), request[at..].to_vec()]);
        assert_eq!(through.bytes.escape_ascii().to_string(), r"PUT / HTTP/1.1\r\nconnection: close\r\n\r\n");
        assert_eq!(through.bodies, ["ab"]);
    }
}

#[test]
fn requests_behind_each_other_come_out_one_by_one() {
    let through = whole(GOOD[GOOD.len() - 1]);
    let targets: Vec<_> = through.heads.iter().map(|head| head.target.as_str()).collect();
    assert_eq!(
        (&targets[..], &through.bodies[..]),
        (&["/", "/two", "/three"][..], &["abc".into(), "xyz".into(), Bytes::new()][..])
    );
    assert_eq!(
        through.bytes.escape_ascii().to_string(),
        r"POST / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n"
    );
}

#[test]
fn a_head_that_does_not_pass_reaches_hyper_as_a_bare_request() {
    assert_eq!(whole(b"GET /in/x HTTP/1.0\r\n\r\n").bytes, REFUSED_HEAD);
}

#[test]
fn hostile_heads_do_not_pass() {
    use Malformed as M;
    let table: &[(&[u8], Malformed)] = &[
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            M::LengthAndEncoding,
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
            M::LengthAndEncoding,
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            M::TransferEncoding,
        ),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", M::TransferEncoding),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", M::TransferEncoding),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", M::TransferEncoding),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", M::TransferEncoding),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n", M::TransferEncoding),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", M::TransferEncoding),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", M::TransferEncoding),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", M::HeaderValue),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", M::HeaderName),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", M::ManyContentLengths),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", M::ManyContentLengths),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", M::ContentLength),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", M::ContentLength),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", M::ContentLength),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc", M::ContentLength),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3.0\r\n\r\nabc", M::ContentLength),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 0\r\n\r\nabc", M::ContentLength),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nabc", M::ContentLength),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\nabc", M::ContentLength),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\nabc", M::ContentLength),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc", M::HeaderName),
        (b"GET / HTTP/1.1\nHost: a\n\n", M::BareLf),
        (b"GET / HTTP/1.1\r\nHost: a\n\r\n", M::BareLf),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\n", M::BareLf),
        (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", M::BareLf),
        (b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", M::BareCr),
        (b"GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", M::BareCr),
        (b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", M::BareCr),
        (b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", M::BareCr),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", M::Folding),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\tX: b\r\n\r\n", M::Folding),
        (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", M::Folding),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n", M::HeaderName),
        (b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", M::HeaderName),
        (b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", M::HeaderName),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX(y): b\r\n\r\n", M::HeaderName),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX\x00: b\r\n\r\n", M::HeaderName),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\xc3\xa9: b\r\n\r\n", M::HeaderName),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\x00c\r\n\r\n", M::HeaderValue),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\x1b[31m\r\n\r\n", M::HeaderValue),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\x7f\r\n\r\n", M::HeaderValue),
        (b"GET / HTTP/1.1\r\n\r\n", M::NoHost),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", M::ManyHosts),
        (b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", M::ManyHosts),
        (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", M::Host),
        (b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", M::Host),
        (b"GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n", M::Host),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", M::Host),
        (b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", M::Host),
        (b"GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", M::Host),
        (b"GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n", M::Host),
        (b"GET / HTTP/1.1\r\nHost: :80\r\n\r\n", M::Host),
        (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", M::Host),
        (b"GET / HTTP/1.1\r\nHost: [a]\r\n\r\n", M::Host),
        (b"GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", M::Host),
        (b"GET / HTTP/1.1\r\nHost: a\\b\r\n\r\n", M::Host),
        (b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", M::Target),
        (b"GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", M::Target),
        (b"POST * HTTP/1.1\r\nHost: a\r\n\r\n", M::Target),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", M::Target),
        (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", M::Target),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", M::Connect),
        (b"CONNECT /in/x HTTP/1.1\r\nHost: a\r\n\r\n", M::Connect),
        (b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", M::TargetBytes),
        (b"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", M::TargetBytes),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", M::TargetBytes),
        (b"GET /\t HTTP/1.1\r\nHost: a\r\n\r\n", M::TargetBytes),
        (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", M::Version),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", M::Version),
        (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", M::Version),
        (b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", M::Version),
        (b"GET / http/1.1\r\nHost: a\r\n\r\n", M::Version),
        (b"GET / FTP/1.1\r\nHost: a\r\n\r\n", M::Version),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", M::Version),
        (b"GET /\r\n", M::RequestLine),
        (b"GET\r\nHost: a\r\n\r\n", M::RequestLine),
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", M::RequestLine),
        (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", M::RequestLine),
        (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", M::RequestLine),
        (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", M::Method),
        (b"GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", M::Method),
        (b"G\x00T / HTTP/1.1\r\nHost: a\r\n\r\n", M::Method),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", M::Method),
        (b"\x00\x00\x00\x00", M::Method),
        (b"\x80garbage", M::Method),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-maybe\r\n\r\n", M::Expectation),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect:\r\n\r\n", M::Expectation),
    ];
    assert!(table.len() >= 58);
    for (bytes, expected) in table {
        assert_eq!(wrong_with(bytes), Some(*expected), "{}", bytes.escape_ascii());
        assert_eq!(byte_by_byte(bytes), whole(bytes), "{}", bytes.escape_ascii());
    }
}

#[test]
fn hostile_chunks_do_not_pass() {
    use Malformed as M;
    let table: &[(&[u8], Malformed)] = &[
        (b"\r\n", M::ChunkSize),
        (b" 3\r\nabc\r\n0\r\n\r\n", M::ChunkSize),
        (b"3 \r\nabc\r\n0\r\n\r\n", M::ChunkSize),
        (b"g\r\n", M::ChunkSize),
        (b"0x3\r\nabc\r\n0\r\n\r\n", M::ChunkSize),
        (b"-3\r\nabc\r\n0\r\n\r\n", M::ChunkSize),
        (b"3\nabc\n0\n\n", M::ChunkSize),
        (b"1000000000000000\r\n", M::ChunkSize),
        (b"0000000000000003\r\nabc\r\n0\r\n\r\n", M::ChunkSize),
        (b"3\rabc\r\n0\r\n\r\n", M::BareCr),
        (b"3;a\x00b\r\nabc\r\n0\r\n\r\n", M::ChunkExtension),
        (b"3;a\nabc\r\n0\r\n\r\n", M::ChunkExtension),
        (b"3\r\nabcd\r\n0\r\n\r\n", M::ChunkEnd),
        (b"3\r\nabc0\r\n\r\n", M::ChunkEnd),
        (b"3\r\nabc\n0\r\n\r\n", M::ChunkEnd),
        (b"0\r\nX: a\nY: b\r\n\r\n", M::BareLf),
        (b"0\r\nX : a\r\n\r\n", M::Trailer),
        (b"0\r\nX: \x00\r\n\r\n", M::Trailer),
        (b"0\r\n folded\r\n\r\n", M::Trailer),
        (b"0\r\nGET / HTTP/1.1\r\n\r\n", M::Trailer),
    ];
    for (chunks, expected) in table {
        let bytes = [b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", *chunks].concat();
        assert_eq!(wrong_with(&bytes), Some(*expected), "{}", chunks.escape_ascii());
        assert_eq!(byte_by_byte(&bytes), whole(&bytes), "{}", chunks.escape_ascii());
    }
}

#[test]
fn what_is_too_large_does_not_pass_and_what_just_fits_does() {
    use crate::ingress::limits::{
        CHUNK_EXTENSION_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX, TRAILER_BYTES_MAX,
    };
    let head = |fill: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "b".repeat(fill - 32)).into_bytes();
    assert_eq!(head(HEAD_BYTES_MAX).len(), HEAD_BYTES_MAX);
    let headers = |count| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: b\r\n".repeat(count - 1)).into_bytes();
    let target = |length| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "b".repeat(length - 1)).into_bytes();
    let chunks =
        |rest: String| format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{rest}").into_bytes();
    let extension = |length| chunks(format!("0;{}\r\n\r\n", "x".repeat(length - 1)));
    let trailer = |length: usize| chunks(format!("0\r\nX: {}\r\n\r\n", "x".repeat(length - 7)));
    type Sized<'a> = &'a dyn Fn(usize) -> Vec<u8>;
    let table: [(Sized<'_>, usize, Malformed); 5] = [
        (&head, HEAD_BYTES_MAX, Malformed::HeadTooLarge),
        (&headers, HEADERS_MAX, Malformed::ManyHeaders),
        (&target, TARGET_BYTES_MAX, Malformed::TargetTooLong),
        (&extension, CHUNK_EXTENSION_BYTES_MAX, Malformed::ChunkExtension),
        (&trailer, TRAILER_BYTES_MAX, Malformed::Trailer),
    ];
    for (bytes_of, limit, expected) in table {
        assert_eq!(wrong_with(&bytes_of(limit)), None, "{expected:?}");
        assert_eq!(wrong_with(&bytes_of(limit + 1)), Some(expected));
    }
    // Without a line end, too, and without waiting for one.
    assert_eq!(wrong_with(&vec![b'A'; 70_000]), Some(Malformed::TargetTooLong));
    let endless = [b"GET / HTTP/1.1\r\nHost: a\r\nX: ".to_vec(), vec![b'x'; 500_000]].concat();
    assert_eq!(wrong_with(&endless), Some(Malformed::HeadTooLarge));
}

#[test]
fn a_sender_that_leaves_in_the_middle_is_told_apart_from_one_that_is_done() {
    assert_eq!(whole(b"GET / HTTP/1.1\r\nHost").refused.unwrap().cause, Broken::Aborted);
    assert_eq!(
        whole(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell").broken_body,
        Some(Broken::Aborted)
    );
    assert_eq!(
        whole(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n").broken_body,
        Some(Broken::Aborted)
    );
    let nothing = whole(b"");
    assert_eq!((nothing.heads.len(), nothing.refused), (0, None));
}

#[test]
fn an_empty_line_behind_a_body_is_no_request_that_broke_off() {
    let bytes = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab\r\n";
    for through in [whole(bytes), byte_by_byte(bytes)] {
        assert_eq!((through.heads.len(), through.refused), (1, None));
    }
    let one_more = whole(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab\r\nG");
    assert_eq!(one_more.refused.unwrap().cause, Broken::Aborted);
}

#[test]
fn a_refusal_says_what_could_be_read_of_the_request_line() {
    let refused = whole(b"POST /in/ep_a HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n").refused.unwrap();
    assert_eq!((refused.method.as_deref(), refused.target.as_deref()), (Some("POST"), Some("/in/ep_a")));
    let refused = whole(b"POST /in/ep_a HTTP/1.0\r\n\r\n").refused.unwrap();
    assert_eq!((refused.method, refused.target), (None, None));
}

#[test]
fn every_single_split_gives_the_same_result() {
    for bytes in GOOD {
        let expected = whole(bytes);
        for at in 0..=bytes.len() {
            let split = through([bytes[..at].to_vec(), bytes[at..].to_vec()]);
            assert_eq!(split, expected, "{} at {at}", bytes.escape_ascii());
        }
        assert_eq!(byte_by_byte(bytes), expected);
    }
}

/// Fragments of HTTP from which proptest makes requests that are nearly right.
fn http_like() -> impl Strategy<Value = Vec<u8>> {
    let fragments: Vec<&'static [u8]> = vec![
        b"GET / HTTP/1.1\r\n",
        b"POST /in/ep_a HTTP/1.1\r\n",
        b"Host: a\r\n",
        b"Content-Length: 5\r\n",
        b"hello",
        b"Transfer-Encoding: chunked\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"0\r\n",
        b"5;x=y\r\n",
        b"X: y\r\n",
        b"Expect: 100-continue\r\n",
        b"Connection: close\r\n",
        b"\x00",
        b"\xff",
        b":",
        b"1",
    ];
    let good = proptest::sample::select(GOOD).prop_map(<[u8]>::to_vec);
    let made = proptest::collection::vec(proptest::sample::select(fragments), 0..14).prop_map(|parts| parts.concat());
    let spoiled = (proptest::sample::select(GOOD), any::<proptest::sample::Index>(), any::<u8>()).prop_map(
        |(bytes, at, byte)| {
            let mut bytes = bytes.to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes
        },
    );
    prop_oneof![good, made, spoiled]
}

fn cut(bytes: &[u8], cuts: &[proptest::sample::Index]) -> Vec<Vec<u8>> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect()
}

proptest! {
    #[test]
    fn any_split_gives_the_same_result(
        bytes in http_like(),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
    ) {
        prop_assert_eq!(through(cut(&bytes, &cuts)), whole(&bytes));
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        whole(&bytes);
        let chunked = [b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(), bytes].concat();
        whole(&chunked);
    }

    #[test]
    fn a_chunked_body_of_any_chunks_comes_out_whole(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..6),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
    ) {
        let mut body = Vec::new();
        for chunk in &chunks {
            body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            body.extend_from_slice(chunk);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"0\r\n\r\n");
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let next = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
        let through = through(cut(&[&head[..], &body, next].concat(), &cuts));
        prop_assert_eq!(&through.bodies[..], &[Bytes::from(chunks.concat()), Bytes::new()][..]);
        prop_assert_eq!(through.bytes, b"POST / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    }
}
