//! Mistakes with the body: what parsers, writers and gateways between sender and receiver make of it.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde::Serialize as _;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use serde_json::{Value, json};

use super::{Case, Ground};

/// Letters of ISO 8859-1 and of no other.
const LATIN: &str = r#"{"type":"order.paid","city":"Zürich","note":"plain","id":7}"#;
/// Letters of Windows 1252 and of none, and all signs that some writers escape.
const RICH: &str = r#"{"type":"order.paid","city":"Zürich","note":"5 € – “ok”, it's","html":"<b>A & B</b> + \"c\"","url":"https://a.example/b?c=d","id":7,"items":[{"sku":"A-1","qty":2},{"sku":"B-2","qty":1}],"empty":{},"none":null}"#;
const PRICES: &str =
    r#"{"type":"order.paid","total":10.50,"tax":1.00,"lines":[{"price":3.20},{"price":7.30}],"count":2}"#;
const WEIGHT: &str = r#"{"type":"parcel.made","id":7,"weight":12.0,"height":3}"#;

/// A mistake: the body as it was signed, and what became of it.
struct Change {
    mistake: &'static str,
    codes: &'static [&'static str],
    signed: Vec<u8>,
    arrived: Vec<u8>,
}

fn change(
    mistake: &'static str,
    code: &'static [&'static str],
    signed: impl Into<Vec<u8>>,
    arrived: impl Into<Vec<u8>>,
) -> Change {
    Change { mistake, codes: code, signed: signed.into(), arrived: arrived.into() }
}

pub(super) fn cases(ground: &Ground) -> Vec<Case> {
    if ground.signs_fields() || !ground.takes_any_body() {
        return Vec::new();
    }
    let changes = plain().into_iter().chain(charsets()).chain(packed()).chain(written_again()).chain(damaged());
    let case = |change: Change| {
        let mut sent = ground.sent(&change.signed);
        sent.body = change.arrived;
        if change.mistake.ends_with("unpacked on the way") {
            sent.headers.push(("Content-Encoding".to_owned(), "gzip".to_owned()));
        }
        Case { mistake: change.mistake, codes: change.codes, sent }
    };
    changes.map(case).collect()
}

fn plain() -> Vec<Change> {
    let lines = indented(RICH, b"  ");
    let crlf = lines.replace('\n', "\r\n");
    let (end, ends, bom) = (&["trailing_newline"][..], &["line_endings"][..], &["body_bom"][..]);
    vec![
        change("body: a line end added", end, RICH, format!("{RICH}\n")),
        change("body: CRLF added", end, RICH, format!("{RICH}\r\n")),
        change("body: two line ends added", end, RICH, format!("{RICH}\n\n")),
        change("body: two CRLF added", end, RICH, format!("{RICH}\r\n\r\n")),
        change("body: its line end cut off", end, format!("{RICH}\n"), RICH),
        change("body: its CRLF cut off", end, format!("{RICH}\r\n"), RICH),
        change("body: LF made CRLF", ends, lines.clone(), crlf.clone()),
        change("body: CRLF made LF", ends, crlf.clone(), lines.clone()),
        change("body: LF made CRLF, and one added", ends, lines.clone(), format!("{crlf}\r\n")),
        change("body: CRLF made LF, and the last cut off", ends, format!("{crlf}\r\n"), lines),
        change("body: a byte order mark added", bom, RICH, format!("\u{feff}{RICH}")),
        change("body: its byte order mark cut off", bom, format!("\u{feff}{RICH}"), RICH),
    ]
}

fn charsets() -> Vec<Change> {
    let codes = &["charset"][..];
    let latin = |text: &str| text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect::<Vec<u8>>();
    let read_as_latin = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
    let utf16 = |text: &str, unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    // As decoders write what they cannot read.
    let lossy = String::from_utf8_lossy(&latin(LATIN)).into_owned();
    vec![
        change("body: UTF-8 made ISO 8859-1", codes, LATIN, latin(LATIN)),
        change("body: ISO 8859-1 made UTF-8", codes, latin(LATIN), LATIN),
        change("body: UTF-8 made Windows 1252", codes, RICH, windows_1252(RICH)),
        change("body: Windows 1252 made UTF-8", codes, windows_1252(RICH), RICH),
        change("body: UTF-8 read as ISO 8859-1", codes, RICH, read_as_latin(RICH.as_bytes())),
        change("body: UTF-8 read as Windows 1252", codes, RICH, read_as_windows_1252(RICH.as_bytes())),
        change("body: UTF-8 made UTF-16", codes, RICH, utf16(RICH, u16::to_be_bytes)),
        change("body: UTF-8 made UTF-16 with a mark", codes, RICH, utf16(&format!("\u{feff}{RICH}"), u16::to_le_bytes)),
        change("body: ISO 8859-1 read as UTF-8 with replacements", codes, latin(LATIN), lossy),
        change("body: composed letters taken apart", codes, LATIN, LATIN.replace('ü', "u\u{308}")),
    ]
}

fn windows_1252(text: &str) -> Vec<u8> {
    let byte = |letter: char| match letter {
        '€' => 0x80,
        '–' => 0x96,
        '“' => 0x93,
        '”' => 0x94,
        other => u8::try_from(u32::from(other)).unwrap(),
    };
    text.chars().map(byte).collect()
}

/// Bytes as text in Windows 1252, as far as [`RICH`] has them (<https://encoding.spec.whatwg.org/index-windows-1252.txt>).
fn read_as_windows_1252(bytes: &[u8]) -> String {
    let letter = |byte: &u8| match byte {
        0x80 => '€',
        0x82 => '‚',
        0x93 => '“',
        0x94 => '”',
        0x96 => '–',
        0x9c => 'œ',
        0x9d | 0xa0.. | ..=0x7f => char::from(*byte),
        other => panic!("{other:x}"),
    };
    bytes.iter().map(letter).collect()
}

fn packed() -> Vec<Change> {
    let base64 = STANDARD.encode(RICH);
    let wrapped =
        base64.as_bytes().chunks(76).map(|line| format!("{}\r\n", String::from_utf8_lossy(line))).collect::<String>();
    let gzip = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(RICH.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let zlib = {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(RICH.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let event = |body: &str, is_base64: bool| {
        json!({ "httpMethod": "POST", "path": "/in", "body": body, "isBase64Encoded": is_base64 }).to_string()
    };
    vec![
        change("body: given as base64", &["body_base64"], RICH, base64.clone()),
        change("body: given as base64 in lines", &["body_base64"], RICH, wrapped),
        change("body: packed as gzip on the way", &["body_compressed"], RICH, gzip.clone()),
        change("body: packed as zlib on the way", &["body_compressed"], RICH, zlib),
        change("body: unpacked on the way", &["body_unpacked"], gzip, RICH),
        change("body: written as a JSON string", &["body_wrapped"], RICH, Value::from(RICH).to_string()),
        change("body: inside a gateway's event", &["body_wrapped"], RICH, event(RICH, false)),
        change("body: as base64 inside a gateway's event", &["body_wrapped"], RICH, event(&base64, true)),
    ]
}

fn written_again() -> Vec<Change> {
    let codes = &["body_reserialised"][..];
    let ascii = escaped(RICH, |letter| !letter.is_ascii(), false);
    let ascii_upper = escaped(RICH, |letter| !letter.is_ascii(), true);
    let slashes = RICH.replace('/', "\\/");
    let php = escaped(&slashes, |letter| !letter.is_ascii(), false);
    // Go's encoding/json and Rails; System.Text.Json.
    let html = escaped(RICH, |letter| matches!(letter, '<' | '>' | '&'), false);
    let dotnet =
        escaped(&RICH.replace("\\\"", "\\u0022"), |letter| !letter.is_ascii() || "<>&'+`".contains(letter), true);
    let python = escaped(&spaced(RICH), |letter| !letter.is_ascii(), false);
    let sorted = sorted(RICH);
    let floats = WEIGHT.replace(":7", ":7.0").replace(":3", ":3.0");
    vec![
        change("JSON: spaces lost", codes, spaced(RICH), RICH),
        change("JSON: spaces added", codes, RICH, spaced(RICH)),
        change("JSON: indented by two", codes, RICH, indented(RICH, b"  ")),
        change("JSON: indented by four", codes, RICH, indented(RICH, b"    ")),
        change("JSON: indented by tabs", codes, RICH, indented(RICH, b"\t")),
        change("JSON: indentation by two lost", codes, indented(RICH, b"  "), RICH),
        change("JSON: indentation by four lost", codes, indented(RICH, b"    "), RICH),
        change("JSON: indentation by tabs lost", codes, indented(RICH, b"\t"), RICH),
        change("JSON: indentation by two and a line end lost", codes, format!("{}\n", indented(RICH, b"  ")), RICH),
        change("JSON: indentation by two made four", codes, indented(RICH, b"  "), indented(RICH, b"    ")),
        change("JSON: letters escaped", codes, RICH, ascii.clone()),
        change("JSON: escapes of letters lost", codes, ascii, RICH),
        change("JSON: escapes in capitals lost", codes, ascii_upper.clone(), RICH),
        change(
            "JSON: escapes in capitals made small",
            codes,
            ascii_upper,
            escaped(RICH, |letter| !letter.is_ascii(), false),
        ),
        change("JSON: slashes escaped", codes, RICH, slashes.clone()),
        change("JSON: escapes of slashes lost", codes, slashes, RICH),
        change("JSON: as PHP writes it", codes, RICH, php.clone()),
        change("JSON: PHP's escapes lost", codes, php, RICH),
        change("JSON: Python's spaces and escapes lost", codes, python.clone(), RICH),
        change("JSON: as Python writes it", codes, RICH, python),
        change("JSON: as Go writes it", codes, RICH, html.clone()),
        change("JSON: Go's escapes lost", codes, html, RICH),
        change("JSON: as .NET writes it", codes, RICH, dotnet.clone()),
        change("JSON: .NET's escapes lost", codes, dotnet, RICH),
        change("JSON: names sorted", codes, RICH, sorted.clone()),
        change("JSON: sorted names put otherwise", codes, sorted.clone(), RICH),
        change("JSON: sorted names and Python's spaces put otherwise", codes, spaced(&sorted), RICH),
        change("JSON: noughts behind prices lost", codes, PRICES, js_numbers(PRICES)),
        change("JSON: a nought behind the point lost", codes, WEIGHT, js_numbers(WEIGHT)),
        change("JSON: whole numbers made floats", codes, WEIGHT.replace("12.0", "12"), floats),
    ]
}

fn damaged() -> Vec<Change> {
    let unknown = &["wrong_secret", "body_tampered"][..];
    let chars = RICH.chars().count();
    vec![
        change("body: a byte changed", unknown, RICH, RICH.replace("order.paid", "order.said")),
        change("body: a field taken out", unknown, RICH, RICH.replace(r#","none":null"#, "")),
        change("body: as many bytes as there were letters", &["body_truncated"], RICH, &RICH.as_bytes()[..chars]),
        change("body: its second half lost", &["body_truncated"], RICH, &RICH.as_bytes()[..100]),
        change("body: lost", &["body_empty"], RICH, ""),
    ]
}

/// Python's `json.dumps`, but for its escapes.
struct Spaced;

impl Formatter for Spaced {
    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

fn written(text: &str, formatter: impl Formatter) -> String {
    let mut out = Vec::new();
    let value: Value = serde_json::from_str(text).unwrap();
    value.serialize(&mut Serializer::with_formatter(&mut out, formatter)).unwrap();
    String::from_utf8(out).unwrap()
}

fn spaced(text: &str) -> String {
    written(text, Spaced)
}

fn indented(text: &str, by: &[u8]) -> String {
    written(text, PrettyFormatter::with_indent(by))
}

fn sorted(text: &str) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    value.sort_all_objects();
    value.to_string()
}

/// Numbers as JavaScript writes them.
fn js_numbers(text: &str) -> String {
    ["10.50", "1.00", "3.20", "7.30", "12.0"].iter().fold(text.to_owned(), |text, number| {
        text.replace(&format!(":{number}"), &format!(":{}", number.parse::<f64>().unwrap()))
    })
}

fn escaped(text: &str, is_escaped: fn(char) -> bool, upper: bool) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if is_escaped(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                out += &if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
            }
        } else {
            out.push(letter);
        }
    }
    out
}
