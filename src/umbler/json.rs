//! A lenient view of a JSON object: nothing is decoded before it is asked for, so that an oddity in one field
//! (a lone surrogate, `1e999`, a thousand levels) never costs the others.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::visible::has_visible;

/// Latest year that nanoseconds in 64 bits can hold; .NET's `0001-01-01` means "no time" and lies outside too.
const YEARS: std::ops::RangeInclusive<i16> = 1678..=2261;

/// Longest text that is decoded, as JSON. WhatsApp's longest has 65,536 characters; what is longer by far would be
/// copied into memory, rows, updates and the queues of every screen.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;

/// One JSON object, its values still text.
#[derive(Debug)]
pub struct Object<'a> {
    fields: Vec<(Cow<'a, [u8]>, &'a RawValue)>,
    /// No time in it, or in an object within it, is read as later than this.
    latest: Timestamp,
}

/// What an object says under a key.
#[derive(Debug, Clone, Copy)]
pub enum Field<'a> {
    /// Nothing.
    Absent,
    /// `null`.
    Null,
    /// Something.
    Value(&'a RawValue),
}

impl<'a> Object<'a> {
    /// Reads bytes that must be one JSON object and nothing else, and were received at `received_at`. Nothing in them
    /// can have happened later: a time from the future is read as the time of receipt.
    pub fn parse(bytes: &'a [u8], received_at: Timestamp) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        // Read once; why it cannot be read is asked only where that is so.
        let Fields(fields) =
            serde_json::from_str(text).map_err(|error| match serde_json::from_str::<&RawValue>(text) {
                Ok(raw) if !raw.get().starts_with('{') => "it is JSON, but no object".to_owned(),
                Ok(_) | Err(_) => error.to_string(),
            })?;
        Ok(Self { fields, latest: received_at })
    }

    /// Reads bytes that must be a JSON list and nothing else; what is no object in it is passed over.
    pub fn parse_list(bytes: &'a [u8], received_at: Timestamp) -> Result<Vec<Self>, String> {
        let items: Vec<&'a RawValue> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let list = Self { fields: Vec::new(), latest: received_at };
        Ok(items.into_iter().filter_map(|raw| list.within(raw)).collect())
    }

    /// The object in a value of this one, if it is one.
    fn within(&self, raw: &'a RawValue) -> Option<Self> {
        if !raw.get().starts_with('{') {
            return None;
        }
        let Fields(fields) = serde_json::from_str(raw.get()).ok()?;
        Some(Self { fields, latest: self.latest })
    }

    /// What is said under `name`, given in PascalCase: that spelling wins, else any case.
    pub fn field(&self, name: &str) -> Field<'a> {
        let exact = self.fields.iter().find(|(key, _)| key.as_ref() == name.as_bytes());
        let any_case = || self.fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        match exact.or_else(any_case) {
            None => Field::Absent,
            Some((_, raw)) if raw.get() == "null" => Field::Null,
            Some((_, raw)) => Field::Value(raw),
        }
    }

    fn value(&self, name: &str) -> Option<&'a RawValue> {
        match self.field(name) {
            Field::Value(raw) => Some(raw),
            Field::Absent | Field::Null => None,
        }
    }

    /// A string; lone surrogates become U+FFFD.
    pub fn text(&self, name: &str) -> Option<String> {
        text(self.value(name)?)
    }

    /// True where a string is too long to be decoded, so that [`text`](Self::text) does as if it were absent.
    pub fn is_too_long(&self, name: &str) -> bool {
        self.value(name).is_some_and(|raw| raw.get().starts_with('"') && raw.get().len() > TEXT_BYTES_MAX)
    }

    /// A string that is not empty.
    pub fn id(&self, name: &str) -> Option<String> {
        self.text(name).filter(|id| !id.is_empty())
    }

    /// A string that shows something; one of white space and invisible marks says nothing.
    pub fn visible(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| has_visible(text))
    }

    /// An address on the web. Anything else is no address: `data:` would carry media out of the hub, and `javascript:`
    /// a stranger's program into a page.
    pub fn url(&self, name: &str) -> Option<String> {
        self.text(name).filter(|url| is_web_address(url))
    }

    /// The same where `null` says that there is none.
    pub fn nullable_url(&self, name: &str) -> Option<Option<String>> {
        self.nullable_text(name).map(|url| url.filter(|url| is_web_address(url)))
    }

    /// `true` or `false`.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.value(name)?.get() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A number that is a count.
    pub fn count(&self, name: &str) -> Option<u64> {
        serde_json::from_str(self.value(name)?.get()).ok()
    }

    /// A number, also one written as a string, as the provider writes coordinates.
    pub fn decimal(&self, name: &str) -> Option<f64> {
        let raw = self.value(name)?;
        let number = match text(raw) {
            Some(text) => text.trim().parse().ok(),
            None => serde_json::from_str(raw.get()).ok(),
        };
        number.filter(|number: &f64| number.is_finite())
    }

    /// A time, which is never later than the delivery was received.
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        self.read_time(&self.text(name)?)
    }

    fn read_time(&self, text: &str) -> Option<Timestamp> {
        time(text).map(|at| at.min(self.latest))
    }

    /// A time, as in [`time`](Self::time), or `null`.
    pub fn nullable_time(&self, name: &str) -> Option<Option<Timestamp>> {
        match self.field(name) {
            Field::Absent => None,
            Field::Null => Some(None),
            Field::Value(raw) => Some(Some(self.read_time(&text(raw)?)?)),
        }
    }

    /// A string or `null`.
    pub fn nullable_text(&self, name: &str) -> Option<Option<String>> {
        match self.field(name) {
            Field::Absent => None,
            Field::Null => Some(None),
            Field::Value(raw) => Some(Some(text(raw)?)),
        }
    }

    /// An object.
    pub fn object(&self, name: &str) -> Option<Self> {
        self.within(self.value(name)?)
    }

    /// An object or `null`.
    pub fn nullable_object(&self, name: &str) -> Option<Option<Self>> {
        match self.field(name) {
            Field::Absent => None,
            Field::Null => Some(None),
            Field::Value(raw) => Some(Some(self.within(raw)?)),
        }
    }

    /// The objects of a list; what is no object in it is passed over.
    pub fn objects(&self, name: &str) -> Option<Vec<Self>> {
        let items: Vec<&'a RawValue> = serde_json::from_str(self.value(name)?.get()).ok()?;
        Some(items.into_iter().filter_map(|raw| self.within(raw)).collect())
    }

    /// The same, each with its text.
    pub fn items(&self, name: &str) -> Option<Vec<(&'a str, Self)>> {
        let items: Vec<&'a RawValue> = serde_json::from_str(self.value(name)?.get()).ok()?;
        Some(items.into_iter().filter_map(|raw| Some((raw.get(), self.within(raw)?))).collect())
    }

    /// Its text without these fields, whatever their case.
    pub fn without(&self, names: &[&str]) -> String {
        let is_wanted = |key: &[u8]| !names.iter().any(|name| key.eq_ignore_ascii_case(name.as_bytes()));
        let fields = self.fields.iter().filter(|(key, _)| is_wanted(key));
        let fields = fields.map(|(key, value)| {
            let key = serde_json::Value::from(String::from_utf8_lossy(key).into_owned());
            format!("{key}:{}", value.get())
        });
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }

    /// True where a list is said under `name`.
    pub fn field_is_list(&self, name: &str) -> bool {
        self.value(name).is_some_and(|raw| raw.get().starts_with('['))
    }

    /// The strings of a list; empty where there is none.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let items: Option<Vec<&'a RawValue>> =
            self.value(name).and_then(|raw| serde_json::from_str(raw.get()).ok());
        items.unwrap_or_default().into_iter().filter_map(text).collect()
    }
}

fn is_web_address(url: &str) -> bool {
    let begins =
        |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    begins("https://") || begins("http://")
}

/// A JSON string; what UTF-8 cannot hold becomes U+FFFD.
fn text(raw: &RawValue) -> Option<String> {
    if !raw.get().starts_with('"') || raw.get().len() > TEXT_BYTES_MAX {
        return None;
    }
    let Bytes(bytes) = serde_json::from_str(raw.get()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// RFC 3339, also without an offset: the provider's fields are UTC by name.
fn time(text: &str) -> Option<Timestamp> {
    let at = text.parse::<Timestamp>().ok().or_else(|| {
        text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    YEARS.contains(&at.to_zoned(TimeZone::UTC).year()).then_some(at)
}

/// The fields of an object, as they came.
struct Fields<'a>(Vec<(Cow<'a, [u8]>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(map.size_hint().unwrap_or(40));
                while let Some((Bytes(key), value)) = map.next_entry()? {
                    entries.push((key, value));
                }
                Ok(Fields(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// A JSON string as bytes: the one form in which `serde_json` hands out lone surrogates instead of failing.
struct Bytes<'a>(Cow<'a, [u8]>);

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;

        impl<'de> Visitor<'de> for Whole {
            type Value = Bytes<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Bytes(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Bytes(Cow::Owned(bytes.to_vec())))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Bytes(Cow::Borrowed(text.as_bytes())))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Bytes(Cow::Owned(text.as_bytes().to_vec())))
            }
        }

        deserializer.deserialize_bytes(Whole)
    }
}
