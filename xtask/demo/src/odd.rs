//! Webhooks that are no tidy JSON: forms, XML, bytes, very long ones, hostile ones.

/// Length of the long one in bytes: above what the API puts into a detail (CONTRACT section 5).
const LONG_BYTES: usize = 1_300_000;

/// A head and body that are rare but real.
pub struct Odd {
    pub path: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// How many kinds there are.
pub const KINDS: u64 = 8;

/// The kind of a number (any; it goes round).
pub fn odd(number: u64) -> Odd {
    match number % KINDS {
        0 => of("application/x-www-form-urlencoded", "call.completed", FORM),
        1 => of("application/xml; charset=utf-8", "parcel.scanned", XML),
        2 => of("application/octet-stream", "label.printed", PNG),
        3 => of("text/plain; charset=iso-8859-1", "contact.message", LATIN),
        4 => Odd { body: long(), ..of("application/json", "catalogue.exported", b"") },
        5 => of("application/json", "comment.created", HOSTILE.as_bytes()),
        6 => of("application/json", "ping", b""),
        _ => Odd { path: "/v2/orders?shop=göteborg&dry_run=1", ..of("application/json", "order.imported", BROKEN) },
    }
}

fn of(content_type: &str, event: &str, body: &[u8]) -> Odd {
    let headers = vec![
        ("Content-Type", content_type.to_owned()),
        ("User-Agent", "Carrier-Gateway/1.0".to_owned()),
        ("X-Event-Type", event.to_owned()),
    ];
    Odd { path: "", headers, body: body.to_vec() }
}

const FORM: &[u8] = b"CallSid=CA7f8e1c0b2d&From=%2B46701234567&To=%2B46317000000&CallStatus=completed&CallDuration=94&\
    Direction=inbound&FromCity=G%C3%B6teborg&RecordingUrl=https%3A%2F%2Fvoice.example%2Frec%2F7f8e&Tags=vip&Tags=returns";

const XML: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scan xmlns=\"urn:carrier:tracking:3\">\n  <parcel id=\"NW000123456SE\">\n    \
    <status code=\"OFD\">Out for delivery</status>\n    <depot city=\"Porto\" country=\"PT\"/>\n    \
    <weight unit=\"g\">1250</weight>\n  </parcel>\n</scan>\n";

/// The smallest picture there is, as a label printer sends one.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x62, 0, 1, 0, 0, 5, 0, 1,
    0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

/// `Grüße aus Göteborg` in ISO 8859-1, which is not UTF-8.
const LATIN: &[u8] = b"Gr\xfc\xdfe aus G\xf6teborg: wann kommt meine Bestellung?";

const HOSTILE: &str = "{\"comment\":\"<img src=x onerror=alert(1)><script>alert('xss')</script>\",\
    \"author\":\"\u{202e}gnp.exe\u{202c}\",\"note\":\"zero\u{200b}width and \\u0000 NUL\",\"link\":\"javascript:alert(1)\"}";

const BROKEN: &[u8] = br#"{"orders": [{"id": "ord_1", "total": 12.50}, {"id": "ord_2", "total": }]}"#;

fn long() -> Vec<u8> {
    let mut body = String::from("{\"products\":[");
    let mut number = 0_u64;
    while body.len() < LONG_BYTES {
        if number > 0 {
            body.push(',');
        }
        body.push_str(&format!(
            "\n  {{\"sku\":\"TEA-{number:05}\",\"title\":\"Assam, second flush, lot {number}\",\"stock\":{},\"price\":\"12.90\"}}",
            creel_rig::chance::drawn(number) % 900
        ));
        number += 1;
    }
    body.push_str("\n]}\n");
    body.into_bytes()
}
