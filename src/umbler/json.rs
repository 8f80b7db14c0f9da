//! A lenient view of a JSON object. Nothing is decoded before it is asked for, so that an oddity in one field
//! (a lone surrogate, `1e999`, a thousand levels) does not affect the others.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::Named;
use crate::domain::visible::has_visible;

/// Years that nanoseconds in 64 bits can hold. .NET's `0001-01-01`, which means "no time", is outside too.
const YEARS: std::ops::RangeInclusive<i16> = 1678..=2261;

/// Longest text that is decoded, in bytes of JSON. WhatsApp's longest has 65,536 characters. Anything much
/// longer would be copied into memory, rows, updates and the queues of every session.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;

/// One JSON object whose values are still text.
#[derive(Debug)]
pub struct Object<'a> {
    fields: Vec<(Cow<'a, [u8]>, &'a RawValue)>,
    /// A time in this object, or in an object inside it, that is later than this is read as this.
    latest: Timestamp,
}

/// What an object has under a key.
#[derive(Debug, Clone, Copy)]
pub enum JsonField<'a> {
    /// There is no such key.
    Absent,
    Null,
    Value(&'a RawValue),
}

impl<'a> Object<'a> {
    /// Reads bytes that must be one JSON object and nothing else, and that were received at `received_at`. A
    /// time after `received_at` is read as the time of receipt, because nothing in the object can have happened
    /// later.
    pub fn parse(bytes: &'a [u8], received_at: Timestamp) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        // Parsed once. Why it cannot be parsed is only found out where that is needed.
        let Fields(fields) =
            serde_json::from_str(text).map_err(|error| match serde_json::from_str::<&RawValue>(text) {
                Ok(raw) if !raw.get().starts_with('{') => "it is JSON, but not an object".to_owned(),
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

    /// The object in a value of this object, if it is one.
    fn within(&self, raw: &'a RawValue) -> Option<Self> {
        if !raw.get().starts_with('{') {
            return None;
        }
        let Fields(fields) = serde_json::from_str(raw.get()).ok()?;
        Some(Self { fields, latest: self.latest })
    }

    /// The value under `name`, which is given in PascalCase. That spelling wins over any other case.
    pub fn field(&self, name: &str) -> JsonField<'a> {
        let exact = self.fields.iter().find(|(key, _)| key.as_ref() == name.as_bytes());
        let any_case = || self.fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        match exact.or_else(any_case) {
            None => JsonField::Absent,
            Some((_, raw)) if raw.get() == "null" => JsonField::Null,
            Some((_, raw)) => JsonField::Value(raw),
        }
    }

    fn value(&self, name: &str) -> Option<&'a RawValue> {
        match self.field(name) {
            JsonField::Value(raw) => Some(raw),
            JsonField::Absent | JsonField::Null => None,
        }
    }

    /// A string; lone surrogates become U+FFFD.
    pub fn text(&self, name: &str) -> Option<String> {
        text(self.value(name)?)
    }

    /// True where a string is too long to be decoded, so that [`text`](Self::text) treats it as absent.
    pub fn is_too_long(&self, name: &str) -> bool {
        self.value(name).is_some_and(|raw| raw.get().starts_with('"') && raw.get().len() > TEXT_BYTES_MAX)
    }

    /// A string that is not empty.
    pub fn id(&self, name: &str) -> Option<String> {
        self.text(name).filter(|id| !id.is_empty())
    }

    /// A string with visible characters. One of white space and invisible marks counts as absent.
    pub fn visible(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| has_visible(text))
    }

    /// An `http` or `https` address. Anything else counts as absent: `data:` would carry media out of the hub,
    /// and `javascript:` a stranger's program into a page.
    pub fn url(&self, name: &str) -> Option<String> {
        self.text(name).filter(|url| is_web_address(url))
    }

    /// Like [`url`](Self::url), where `null` says that there is none.
    pub fn nullable_url(&self, name: &str) -> Option<Option<String>> {
        self.nullable_text(name).map(|url| url.filter(|url| is_web_address(url)))
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.value(name)?.get() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A number of things: whole, and not negative.
    pub fn count(&self, name: &str) -> Option<u64> {
        serde_json::from_str(self.value(name)?.get()).ok()
    }

    /// A number, or a number written as a string, as the provider writes coordinates.
    pub fn decimal(&self, name: &str) -> Option<f64> {
        let raw = self.value(name)?;
        let number = match text(raw) {
            Some(text) => text.trim().parse().ok(),
            None => serde_json::from_str(raw.get()).ok(),
        };
        number.filter(|number: &f64| number.is_finite())
    }

    /// A time, at the latest the time of receipt.
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        self.read_time(&self.text(name)?)
    }

    fn read_time(&self, text: &str) -> Option<Timestamp> {
        time(text).map(|at| at.min(self.latest))
    }

    /// A time as in [`time`](Self::time), or `null`.
    pub fn nullable_time(&self, name: &str) -> Option<Option<Timestamp>> {
        match self.field(name) {
            JsonField::Absent => None,
            JsonField::Null => Some(None),
            JsonField::Value(raw) => Some(Some(self.read_time(&text(raw)?)?)),
        }
    }

    pub fn nullable_text(&self, name: &str) -> Option<Option<String>> {
        match self.field(name) {
            JsonField::Absent => None,
            JsonField::Null => Some(None),
            JsonField::Value(raw) => Some(Some(text(raw)?)),
        }
    }

    pub fn object(&self, name: &str) -> Option<Self> {
        self.within(self.value(name)?)
    }

    pub fn nullable_object(&self, name: &str) -> Option<Option<Self>> {
        match self.field(name) {
            JsonField::Absent => None,
            JsonField::Null => Some(None),
            JsonField::Value(raw) => Some(Some(self.within(raw)?)),
        }
    }

    /// `{Id, Name}`. Members never have a name, but some consumers declare a `DisplayName`.
    pub fn named(&self) -> Option<Named> {
        let name = self.visible("Name").or_else(|| self.visible("DisplayName"));
        Some(Named { id: self.id("Id")?.into(), name })
    }

    /// The objects in a list. Other values in it are skipped.
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

    /// The strings in a list; empty where there is no list.
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

/// A JSON string. What UTF-8 cannot express becomes U+FFFD.
fn text(raw: &RawValue) -> Option<String> {
    if !raw.get().starts_with('"') || raw.get().len() > TEXT_BYTES_MAX {
        return None;
    }
    let Bytes(bytes) = serde_json::from_str(raw.get()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// RFC 3339, also without an offset, because the provider's fields are UTC by their names.
fn time(text: &str) -> Option<Timestamp> {
    let at = text.parse::<Timestamp>().ok().or_else(|| {
        text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    YEARS.contains(&at.to_zoned(TimeZone::UTC).year()).then_some(at)
}

/// The fields of an object, in their order.
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

/// A JSON string as bytes: the only form in which `serde_json` returns lone surrogates instead of failing.
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
