//! Texts with `{name}` in them.

/// The names that stand in a text, in order. A brace that is not the beginning of a name, as in JSON, stands for itself.
pub(super) fn names(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let _text = fill(text, |name| {
        found.push(name);
        Some(String::new())
    });
    found
}

/// The text with each name replaced; none when one has no value.
pub(super) fn fill<'a>(text: &'a str, mut value: impl FnMut(&'a str) -> Option<String>) -> Option<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, behind) = rest.split_at(open);
        filled.push_str(before);
        let name = behind[1..].split_once('}').map(|(name, _)| name).filter(|name| is_name(name));
        match name {
            Some(name) => {
                filled.push_str(&value(name)?);
                rest = &behind[name.len() + 2..];
            }
            None => {
                filled.push('{');
                rest = &behind[1..];
            }
        }
    }
    filled.push_str(rest);
    Some(filled)
}

fn is_name(text: &str) -> bool {
    let text = text.strip_prefix("file:").unwrap_or(text);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_other_braces_stand() {
        let value = |name: &str| (name == "a").then(|| "1".to_owned());
        assert_eq!(fill("{a}-{a}: {} {A} {\"x\":{a}}", value).as_deref(), Some("1-1: {} {A} {\"x\":1}"));
        assert_eq!(fill("{b}", value), None);
        assert_eq!(fill("{", value).as_deref(), Some("{"));
        assert_eq!(names("http://{ingress}/{file:x}"), ["ingress", "file:x"]);
    }

    #[test]
    fn what_a_value_holds_is_not_read_again() {
        assert_eq!(fill("{a}", |_| Some("{b}".to_owned())).as_deref(), Some("{b}"));
    }
}
