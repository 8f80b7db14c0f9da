//! The fields of a query string or JSON object: texts that are taken out one by one, and a list of what was
//! wrong with them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::error::{ApiError, NAMED_MAX};

/// Texts by their names, and what was found wrong with them.
#[derive(Debug, Default)]
pub struct Fields {
    /// The texts; `None` once one was taken out.
    texts: BTreeMap<String, Option<String>>,
    wrong: Vec<(String, String)>,
    missing: Vec<String>,
}

impl Fields {
    /// The fields of a query string.
    pub fn in_query(query: &str) -> Self {
        let mut fields = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.contains(char::REPLACEMENT_CHARACTER) {
                fields.refuse(name.as_ref(), "must be UTF-8");
            }
            if fields.texts.insert(name.to_string(), Some(value.into_owned())).is_some() {
                fields.refuse(name, "is given twice");
            }
        }
        fields
    }

    /// The fields of a JSON object. A field that is `null` counts as left out.
    pub fn in_object(object: Map<String, Value>) -> Self {
        let mut fields = Self::default();
        for (name, value) in object {
            match value {
                Value::Null => {}
                Value::String(text) => drop(fields.texts.insert(name, Some(text))),
                Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    fields.refuse(name, "must be a string");
                }
            }
        }
        fields
    }

    /// Notes that a field is wrong. Of several faults of one field the first is reported. No more fields are
    /// kept than are named, because a query may have thousands.
    pub fn refuse(&mut self, name: impl Into<String>, what: impl Into<String>) {
        let name = name.into();
        if self.wrong.len() < NAMED_MAX && self.wrong.iter().all(|(wrong, _)| *wrong != name) {
            self.wrong.push((name, what.into()));
        }
    }

    /// Notes that a required field is missing. It is reported after the wrong fields.
    pub fn miss(&mut self, name: &str) {
        self.missing.push(name.to_owned());
    }

    /// Notes each of these fields that was given, because it makes no sense beside another one.
    pub fn refuse_given(&mut self, names: &[&str], what: &str) {
        for name in names {
            if self.texts.contains_key(*name) {
                self.refuse(*name, what);
            }
        }
    }

    /// Takes a field out and reads it. `None`: it is wrong, which is noted. `Some(None)`: it is not there.
    pub fn read<T, E: Display>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        let text = self.texts.get_mut(name).and_then(Option::take);
        match text.map(|text| read(&text)).transpose() {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(name, error.to_string());
                None
            }
        }
    }

    /// A whole number within bounds.
    pub fn number<T: FromStr + PartialOrd + Display>(
        &mut self,
        name: &str,
        bounds: &RangeInclusive<T>,
    ) -> Option<Option<T>> {
        self.read(name, |text| {
            // `+5` parses as a number, but in a query it means a space and a 5.
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse::<T>().ok().filter(|number| is_plain && bounds.contains(number));
            number
                .ok_or_else(|| format!("must be a whole number from {} to {}", bounds.start(), bounds.end()))
        })
    }

    /// The value that was read, unless something was wrong. Fields that nobody took out are unknown.
    pub fn finish<T>(mut self, read: Option<T>) -> Result<T, ApiError> {
        let unknown = std::mem::take(&mut self.texts).into_iter().filter(|(_, text)| text.is_some());
        for (name, _) in unknown {
            self.refuse(name, "is not known here");
        }
        for name in std::mem::take(&mut self.missing) {
            self.refuse(name, "is missing");
        }
        match (read, &self.wrong[..]) {
            (Some(read), []) => Ok(read),
            (_, [(name, what)]) => Err(ApiError::parameter(name, what)),
            (_, wrong) => Err(ApiError::parameters(wrong)),
        }
    }
}
