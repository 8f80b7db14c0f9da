//! From texts to values. Each parser says what it expects.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::values::Values;
use crate::auth::Secret;
use crate::sqlite::lock;

/// Longest name of an organization, in characters: a line above a form.
const ORGANIZATION_NAME_CHARS_MAX: usize = 100;

/// Reads settings, and collects what is wrong with them.
pub struct Reader<'a> {
    values: &'a Values,
    /// One sentence each, which begins with the variable.
    pub problems: Vec<String>,
}

impl<'a> Reader<'a> {
    pub fn new(values: &'a Values) -> Self {
        Self { values, problems: Vec::new() }
    }

    /// The text of a setting; `None` where it is unset.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The value of a setting; `None` where it is unset, or where it is wrong, which is noted.
    pub(super) fn parse<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name)?;
        parse(text).map_err(|error| self.problems.push(format!("{name}: {error}"))).ok()
    }
}

/// Reads a setting by a parser of its text.
pub(super) fn parsed<T, E: Display>(
    parse: impl Fn(&str) -> Result<T, E>,
) -> impl Fn(&mut Reader<'_>, &str) -> Option<T> {
    move |reader, name| reader.parse(name, &parse)
}

/// A whole number within bounds.
pub(super) fn number<T: FromStr + PartialOrd + Display>(
    bounds: RangeInclusive<T>,
) -> impl Fn(&mut Reader<'_>, &str) -> Option<T> {
    parsed(move |text| {
        let number = text.parse::<T>().ok().filter(|number| bounds.contains(number));
        let (least, most) = (bounds.start(), bounds.end());
        number.ok_or_else(|| format!("{text:?} is not a whole number from {least} to {most}"))
    })
}

/// Makes a setting one that may be unset.
pub(super) fn optional<T>(
    read: impl Fn(&mut Reader<'_>, &str) -> Option<T>,
) -> impl Fn(&mut Reader<'_>, &str) -> Option<Option<T>> {
    move |reader, name| Some(read(reader, name))
}

/// Makes a setting one that may be unset, and is then empty.
pub(super) fn or_default<T: Default>(
    read: impl Fn(&mut Reader<'_>, &str) -> Option<T>,
) -> impl Fn(&mut Reader<'_>, &str) -> Option<T> {
    move |reader, name| Some(read(reader, name).unwrap_or_default())
}

/// Reads a secret, which is taken literally.
pub(super) fn secret(reader: &mut Reader<'_>, name: &str) -> Option<Secret> {
    reader.text(name).map(Secret::new)
}

/// Reads the name of an IANA time zone.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, String> {
    // From the bundled rules, so that every hub of this release has the same ones whatever its machine has.
    TimeZoneDatabase::bundled()
        .get(name)
        .map_err(|_unknown| format!("{name:?} is not an IANA time zone like America/Sao_Paulo"))
}

/// An address that can be posted to.
pub(super) fn web_address(text: &str) -> Result<String, String> {
    let wrong = || "must be an address that begins with https:// or http://".to_owned();
    let address: actix_web::http::Uri = text.parse().map_err(|_no_address| wrong())?;
    let is_web = matches!(address.scheme_str(), Some("http" | "https")) && address.host().is_some();
    if is_web { Ok(text.to_owned()) } else { Err(wrong()) }
}

/// A name that fits into one line above a form.
pub(super) fn organization_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.chars().count() > ORGANIZATION_NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(format!("must have at most {ORGANIZATION_NAME_CHARS_MAX} characters, on one line"));
    }
    Ok(name.to_owned())
}

/// Reads a filter of `env_logger`, and checks it.
pub(super) fn log_filter(text: &str) -> Result<String, String> {
    env_filter::Builder::new()
        .try_parse(text)
        .map_err(|error| format!("is not a filter like info,access=warn: {error}"))?;
    Ok(text.to_owned())
}

/// A path at which a database can be: its folder exists or can be created. Links are followed, so that all
/// files of the database are in one folder.
pub(super) fn database_path(text: &str) -> Result<PathBuf, String> {
    let path = lock::locate(Path::new(text));
    if path.is_dir() || path.file_name().is_none() {
        return Err(format!("{text} is a folder; name the file"));
    }
    let known = path.ancestors().skip(1).find(|folder| folder.exists());
    if let Some(folder) = known.filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        return Err(format!("{} is not a folder", folder.display()));
    }
    Ok(path)
}

/// An address of this machine, or `localhost`.
pub(super) fn host(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    text.parse().map_err(|_no_address| format!("{text:?} is not an IP address like 127.0.0.1 or 0.0.0.0"))
}
