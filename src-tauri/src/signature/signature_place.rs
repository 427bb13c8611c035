//! Where a request carries signatures, and the signatures that it carries.

use std::borrow::Cow;

use serde::Deserialize;

use super::algorithm::Algorithm;
use super::encoding::Encoding;
use super::options::{OptionName, Options};
use super::place::{Place, PlaceTable, Sources};

/// Values of a repeated header, and signatures of a list, that are read; the rest is ignored. A sender has no reason to
/// send more than a few, and each one costs a comparison.
pub(super) const SIGNATURES_READ_MAX: usize = 16;

/// Where a signature stands and how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SignatureTable")]
pub struct SignaturePlace {
    pub(super) place: Place,
    /// A header whose name is followed by `-1`, `-2` and so on.
    numbered: bool,
    prefix: String,
    pub(super) encoding: Encoding,
    /// What stands between the items of a list.
    separator: Option<String>,
    /// What stands between lists that each bring their own timestamp.
    groups: Option<char>,
    /// The option that holds this signature's key, where it is not the secret.
    pub(super) key: Option<OptionName>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureTable {
    header: Option<String>,
    body: Option<String>,
    form: Option<String>,
    #[serde(default)]
    numbered: bool,
    #[serde(default)]
    prefix: String,
    encoding: Encoding,
    separator: Option<String>,
    groups: Option<char>,
    key: Option<OptionName>,
}

/// One signature as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// The timestamp that stands beside it, where the scheme puts it there.
    pub(super) timestamp: Option<String>,
    /// The option that holds its key.
    pub(super) key: Option<OptionName>,
}

/// Why a request brings no signature that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It brings none.
    Missing,
    /// What it brings is not in the documented form.
    Malformed,
    /// It is in the form of another version.
    OtherVersion,
}

impl TryFrom<SignatureTable> for SignaturePlace {
    type Error = &'static str;

    fn try_from(table: SignatureTable) -> Result<Self, Self::Error> {
        let SignatureTable { header, body, form, numbered, prefix, encoding, separator, groups, key } = table;
        if numbered && header.is_none() {
            return Err("only headers are numbered");
        }
        let place = Place::try_from(PlaceTable { header, body, form, ..PlaceTable::default() })?;
        Ok(Self { place, numbered, prefix, encoding, separator, groups, key })
    }
}

impl SignaturePlace {
    /// The whole value of a header; none when it is no header name.
    pub(super) fn of_header(name: &str, prefix: &str, encoding: Encoding) -> Option<Self> {
        let place = Place::header(name)?;
        let prefix = prefix.to_owned();
        Some(Self { place, numbered: false, prefix, encoding, separator: None, groups: None, key: None })
    }

    /// What stands before the signature, as shown.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The header's name, or what else the place is.
    pub(super) fn name(&self) -> &str {
        self.place.header_name().unwrap_or(self.place.word())
    }

    /// The signature as it stands in the request, beside its timestamp where it has one.
    pub(super) fn write(&self, bytes: &[u8], timestamp: Option<(&str, &str)>, options: &Options) -> String {
        let prefix = self.prefix_with(options).unwrap_or_default();
        let signature = format!("{prefix}{}", self.encoding.encode(bytes));
        match (timestamp, &self.separator) {
            (Some((field, text)), Some(separator)) => format!("{field}={text}{separator}{signature}"),
            _ => signature,
        }
    }

    /// Whether it is the header of that name.
    pub(super) fn is_header(&self, name: Option<&str>) -> bool {
        self.place.header_name().zip(name).is_some_and(|(own, name)| own.eq_ignore_ascii_case(name))
    }

    /// The name of the header that is written.
    pub(super) fn header_to_write(&self) -> Option<String> {
        let name = self.place.header_name()?;
        Some(if self.numbered { format!("{name}-1") } else { name.to_owned() })
    }

    /// The values as they stand in the request; blank ones count as absent.
    pub(super) fn values<'s>(&'s self, sources: &Sources<'s>) -> Vec<Cow<'s, [u8]>> {
        let not_blank = |value: &&[u8]| !value.is_empty();
        match self.place.header_name() {
            Some(name) if self.numbered => (1..=SIGNATURES_READ_MAX)
                .filter_map(|n| sources.headers.get(&format!("{name}-{n}")))
                .filter(not_blank)
                .map(Cow::Borrowed)
                .collect(),
            Some(name) => {
                let values = sources.headers.get_all(name).take(SIGNATURES_READ_MAX);
                values.filter(not_blank).map(Cow::Borrowed).collect()
            }
            None => self.place.read(sources).map(bytes_of).into_iter().collect(),
        }
    }

    /// Whether a value begins as the signature does, whatever follows.
    pub(super) fn is_begun(&self, sources: &Sources<'_>) -> bool {
        let prefix = self.prefix.as_bytes();
        let begins = |value: &Cow<'_, [u8]>| self.items(value).iter().any(|item| item.starts_with(prefix));
        !prefix.is_empty() && self.values(sources).iter().any(begins)
    }

    /// Whether its header is there, be it blank.
    pub(super) fn has_header(&self, sources: &Sources<'_>) -> bool {
        let written = self.header_to_write();
        let names = self.place.header_name().into_iter().chain(written.as_deref());
        names.into_iter().any(|name| sources.headers.get(name).is_some())
    }

    /// Reads the signatures into a list; what cannot be read is passed over for what can.
    pub(super) fn read(
        &self,
        algorithm: Algorithm,
        timestamp_field: Option<&str>,
        options: &Options,
        sources: &Sources<'_>,
        found: &mut Vec<Signature>,
    ) -> Option<Unread> {
        let prefix = self.prefix_with(options);
        let mut unread = Some(Unread::Missing);
        for value in self.values(sources) {
            if unread == Some(Unread::Missing) {
                unread = Some(Unread::Malformed);
            }
            for group in split(&value, self.groups) {
                let items = split(group, self.split_at());
                let timestamp = timestamp_field.and_then(|field| field_of(&items, field));
                for item in items {
                    match self.decode(item, prefix.as_deref()).filter(|bytes| algorithm.could_be(bytes)) {
                        Some(bytes) if found.len() < SIGNATURES_READ_MAX => {
                            found.push(Signature { bytes, timestamp: timestamp.clone(), key: self.key });
                        }
                        Some(_) => {}
                        None if self.is_other_version(item) => unread = Some(Unread::OtherVersion),
                        None => {}
                    }
                }
            }
        }
        if found.is_empty() { unread } else { None }
    }

    fn decode(&self, item: &[u8], prefix: Option<&str>) -> Option<Vec<u8>> {
        let text = match prefix {
            Some(prefix) => item.strip_prefix(prefix.as_bytes())?,
            // A prefix that depends on an option which is not set: anything up to its last character.
            None => {
                let end = self.prefix.bytes().last()?;
                &item[memchr::memchr(end, item)? + 1..]
            }
        };
        self.encoding.decode(text)
    }

    /// The prefix with the option that it names; none when that option is not set.
    fn prefix_with(&self, options: &Options) -> Option<String> {
        let Some((before, rest)) = self.prefix.split_once('{') else { return Some(self.prefix.clone()) };
        let (name, behind) = rest.split_once('}')?;
        Some(format!("{before}{}{behind}", options.get(OptionName::parse(name)?)?))
    }

    /// The items of a value, whatever they are.
    pub(super) fn items<'v>(&self, value: &'v [u8]) -> Vec<&'v [u8]> {
        split(value, self.groups).into_iter().flat_map(|group| split(group, self.split_at())).collect()
    }

    /// What splits the list: white space behind it is only written.
    fn split_at(&self) -> Option<char> {
        self.separator.as_deref()?.chars().next()
    }

    /// The option that the prefix names.
    pub(super) fn prefix_option(&self) -> Option<OptionName> {
        OptionName::parse(self.prefix.split_once('{')?.1.split_once('}')?.0)
    }

    /// Whether an item has the form of this prefix with another version: `v1a,` or `v2=` where `v1,` is known.
    fn is_other_version(&self, item: &[u8]) -> bool {
        let version = |text: &[u8]| {
            let end = text.iter().position(|byte| matches!(byte, b'=' | b','))?;
            let mut letters = text[..end].iter();
            let is_version = letters.next().is_some_and(u8::is_ascii_lowercase)
                && letters.next().is_some_and(u8::is_ascii_digit)
                && letters.all(u8::is_ascii_alphanumeric);
            is_version.then(|| text[..=end].to_vec())
        };
        match (version(self.prefix.as_bytes()), version(item)) {
            (Some(known), Some(other)) => known != other,
            _ => false,
        }
    }
}

fn bytes_of(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// The items of a list, without the white space and separators around them.
fn split(value: &[u8], separator: Option<char>) -> Vec<&[u8]> {
    let Some(separator) = separator.and_then(|separator| u8::try_from(separator).ok()) else { return vec![value] };
    let trimmed = |mut item: &'_ [u8]| -> Option<(usize, usize)> {
        let start = item.iter().position(|byte| !matches!(byte, b' ' | b'\t'))?;
        item = &item[start..];
        let end = item.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b',' | b';'))?;
        Some((start, start + end + 1))
    };
    value.split(|byte| *byte == separator).filter_map(|item| trimmed(item).map(|(from, to)| &item[from..to])).collect()
}

/// The value of `field=value` among the items.
fn field_of(items: &[&[u8]], field: &str) -> Option<String> {
    let value = items.iter().find_map(|item| item.strip_prefix(field.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}
