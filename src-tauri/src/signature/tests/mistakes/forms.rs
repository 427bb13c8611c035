//! Mistakes with forms: read and written again, every writer with rules of its own.

use super::{Case, Ground};

/// The same form as it is written by browsers and Java, by Python, by PHP with both its settings, by JavaScript, and by
/// JavaScript's libraries for forms.
const FORMS: [(&str, &str); 5] = [
    ("browsers'", "team=T1&user=Zo%C3%AB&command=%2Fgo&text=9+now%21&at=a*b%7Ec-d_e.f&list%5B0%5D=%28x%29&empty="),
    ("Python's", "team=T1&user=Zo%C3%AB&command=%2Fgo&text=9+now%21&at=a%2Ab~c-d_e.f&list%5B0%5D=%28x%29&empty="),
    ("PHP's", "team=T1&user=Zo%C3%AB&command=%2Fgo&text=9+now%21&at=a%2Ab%7Ec-d_e.f&list%5B0%5D=%28x%29&empty="),
    ("RFC 3986's", "team=T1&user=Zo%C3%AB&command=%2Fgo&text=9%20now%21&at=a%2Ab~c-d_e.f&list%5B0%5D=%28x%29&empty="),
    ("encodeURIComponent's", "team=T1&user=Zo%C3%AB&command=%2Fgo&text=9%20now!&at=a*b~c-d_e.f&list%5B0%5D=(x)&empty="),
];
const CODES: &[&str] = &["body_reserialised"];

pub(super) fn cases(ground: &Ground) -> Vec<Case> {
    if !ground.takes_any_body() || ground.signs_fields() {
        return Vec::new();
    }
    let case = |mistake, codes, signed: &str, arrived: &str| {
        let mut sent = ground.sent(signed.as_bytes());
        sent.body = arrived.as_bytes().to_vec();
        Case { mistake, codes, sent }
    };
    let mut cases = Vec::new();
    for (from, (_, signed)) in FORMS.iter().enumerate() {
        for (to, (writer, arrived)) in FORMS.iter().enumerate() {
            if from != to {
                let mistake = match *writer {
                    "browsers'" => "form: written again as browsers do",
                    "Python's" => "form: written again as Python does",
                    "PHP's" => "form: written again as PHP does",
                    "RFC 3986's" => "form: written again by RFC 3986",
                    _ => "form: written again by encodeURIComponent",
                };
                cases.push(case(mistake, CODES, signed, arrived));
            }
        }
    }
    let form = FORMS[0].1;
    let lower = form
        .replace("%C3%AB", "%c3%ab")
        .replace("%2F", "%2f")
        .replace("%5B", "%5b")
        .replace("%5D", "%5d")
        .replace("%7E", "%7e");
    let brackets = form.replace("%5B", "[").replace("%5D", "]");
    let mut fields: Vec<&str> = form.split('&').collect();
    fields.sort_unstable();
    let sorted = fields.join("&");
    let (rest, last) = form.rsplit_once('&').unwrap();
    cases.extend([
        case("form: escapes made capitals", CODES, &lower, form),
        case("form: escapes made small", CODES, form, &lower),
        case("form: escapes of brackets resolved", CODES, form, &brackets),
        case("form: brackets escaped", CODES, &brackets, form),
        case("form: sorted", CODES, form, &sorted),
        case("form: the order of its names lost", CODES, &sorted, form),
        case("form: its last field put first", CODES, form, &format!("{last}&{rest}")),
        case("form: a line end added", &["trailing_newline"], form, &format!("{form}\n")),
        case("form: a value changed", &["wrong_secret", "body_tampered"], form, &form.replace("T1", "T2")),
    ]);
    cases
}
