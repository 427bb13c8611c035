//! JSON whose names or numbers a writer has changed: sorted names, numbers without the noughts behind their point.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// Names of one object from which on their sorted order is no accident.
const SORTED_NAMES_MIN: usize = 5;
/// Levels that are sorted; each is read once more for every level above it.
const DEPTH_MAX: usize = 32;
/// Numbers of which every choice is tried; of more all, and each alone.
const CHOSEN_MAX: usize = 6;
/// Numbers that are tried each alone.
const NUMBERS_MAX: usize = 32;

/// The text with the names of all objects in order and no white space; numbers and strings stay as they are written.
pub(super) fn sorted(text: &str) -> Option<String> {
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    let mut out = String::with_capacity(text.len());
    write_sorted(raw, 0, &mut out)?;
    Some(out)
}

fn write_sorted(raw: &RawValue, depth: usize, out: &mut String) -> Option<()> {
    let text = raw.get();
    match text.as_bytes().first()? {
        _ if depth > DEPTH_MAX => return None,
        b'{' => {
            // By their text as written: what needs escapes in a name is no letter.
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
            out.push('{');
            for (at, (name, value)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&serde_json::to_string(&name).ok()?);
                out.push(':');
                write_sorted(value, depth + 1, out)?;
            }
            out.push('}');
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            out.push('[');
            for (at, item) in items.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_sorted(item, depth + 1, out)?;
            }
            out.push(']');
        }
        _ => out.push_str(text),
    }
    Some(())
}

/// Whether the names of all objects stand in order, and there are enough of them for that to be no accident.
pub(super) fn is_sorted(body: &[u8]) -> bool {
    fn longest(value: &Value) -> Option<usize> {
        match value {
            Value::Object(members) => {
                if !members.keys().is_sorted() {
                    return None;
                }
                members.values().try_fold(members.len(), |most, value| Some(most.max(longest(value)?)))
            }
            Value::Array(items) => items.iter().try_fold(0, |most, item| Some(most.max(longest(item)?))),
            _ => Some(0),
        }
    }
    let value = serde_json::from_slice::<Value>(body);
    value.is_ok_and(|value| longest(&value).is_some_and(|most| most >= SORTED_NAMES_MIN))
}

/// The text with numbers written as they may have been: `1` as `1.0` or `1.00`, `1.5` as `1.50`, `1.0` as `1`.
pub(super) fn renumbered(text: &str) -> Vec<String> {
    let numbers = numbers(text);
    let of = |index: usize| &text[numbers[index].0..numbers[index].1];
    let is_whole = |index: &usize| !of(*index).contains(['.', 'e', 'E']);
    let whole: Vec<usize> = (0..numbers.len()).filter(is_whole).collect();
    let nought: Vec<usize> = (0..numbers.len()).filter(|&index| of(index).ends_with(".0")).collect();
    let with = |change: &dyn Fn(usize, &str) -> Option<String>| {
        let mut out = String::with_capacity(text.len() + numbers.len() * 3);
        let mut rest = 0;
        for (index, &(from, to)) in numbers.iter().enumerate() {
            out.push_str(&text[rest..from]);
            match change(index, &text[from..to]) {
                Some(other) => out.push_str(&other),
                None => out.push_str(&text[from..to]),
            }
            rest = to;
        }
        out.push_str(&text[rest..]);
        out
    };
    let mut others = Vec::new();
    for chosen in choices(&nought) {
        others.push(with(&|index, number| {
            chosen.contains(&index).then(|| number.strip_suffix(".0").unwrap_or(number).to_owned())
        }));
    }
    let padded = |number: &str| {
        let (_, decimals) = number.split_once('.')?;
        (decimals.len() == 1).then(|| format!("{number}0"))
    };
    for chosen in std::iter::once(Vec::new()).chain(choices(&whole)) {
        // Prices, with two decimals each.
        others.push(with(&|index, number| {
            if chosen.contains(&index) { Some(format!("{number}.00")) } else { padded(number) }
        }));
        others.push(with(&|index, number| chosen.contains(&index).then(|| format!("{number}.0"))));
    }
    others.retain(|other| other != text);
    others
}

/// Which of several to change: every choice of a few, all or each alone of more. None is no choice.
fn choices(of: &[usize]) -> Vec<Vec<usize>> {
    if of.len() <= CHOSEN_MAX {
        let chosen = |mask: usize| (0..of.len()).filter(|bit| mask >> bit & 1 == 1).map(|bit| of[bit]).collect();
        return (1..1_usize << of.len()).rev().map(chosen).collect();
    }
    std::iter::once(of.to_vec()).chain(of.iter().take(NUMBERS_MAX).map(|&one| vec![one])).collect()
}

/// Where the numbers of a JSON text stand.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let from = at;
                while bytes.get(at).is_some_and(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)) {
                    at += 1;
                }
                found.push((from, at));
            }
            _ => at += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_in_order_at_every_level_and_nothing_else_changes() {
        let text = r#"{"b": [{"d":1.50,"c":"\u00e9"}], "a": {}}"#;
        assert_eq!(sorted(text).unwrap(), r#"{"a":{},"b":[{"c":"\u00e9","d":1.50}]}"#);
        assert_eq!(sorted("{"), None);
        assert!(is_sorted(br#"{"a":1,"b":{"x":1,"y":2},"c":3,"d":4,"e":5}"#));
        assert!(!is_sorted(br#"{"a":1,"b":{"y":1,"x":2},"c":3,"d":4,"e":5}"#));
        assert!(!is_sorted(br#"{"a":1,"b":2}"#), "two may well be in order by accident");
    }

    #[test]
    fn numbers_get_back_the_noughts_that_a_writer_left_out() {
        let others = renumbered(r#"{"total":10.5,"tax":1,"n":2,"text":"3 \" 4"}"#);
        for former in [
            r#"{"total":10.50,"tax":1.00,"n":2,"text":"3 \" 4"}"#,
            r#"{"total":10.50,"tax":1,"n":2,"text":"3 \" 4"}"#,
            r#"{"total":10.5,"tax":1.0,"n":2.0,"text":"3 \" 4"}"#,
        ] {
            assert!(others.contains(&former.to_owned()), "{former}");
        }
        assert!(renumbered("[1.0,-2]").contains(&"[1,-2]".to_owned()));
        assert!(renumbered(r#"{"a":"1"}"#).is_empty());
        let many = format!("[{}]", vec!["1"; 1_000].join(","));
        assert!(renumbered(&many).len() <= 2 * (NUMBERS_MAX + 1));
    }
}
