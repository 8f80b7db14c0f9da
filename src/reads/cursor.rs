//! Cursors: where a page of a list ended. Clients do not look inside.
//!
//! A cursor holds the sort key of the page's last row, and what orders rows with the same key (mostly their
//! id), so the next page continues there whatever was inserted meanwhile. A fingerprint binds it to its list,
//! sort, order and filters. With any other list it is refused, because its position would mean nothing there.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use serde::{Deserialize, Serialize};

use super::ReadError;

/// Version of a cursor's content. Other versions are refused.
const VERSION: u8 = 1;
/// The longest cursor that is parsed, in characters. A sort key and an id are far shorter.
pub const CURSOR_CHARS_MAX: usize = 4_096;

/// The end of a page in one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    fingerprint: u64,
    key: SortKey,
    id: String,
}

/// The text is not a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this hub")]
pub struct CursorError;

/// A row's value in the column that a list is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum SortKey {
    /// A moment, in nanoseconds since 1970.
    Time(i64),
    /// A name, folded for sorting.
    Text(String),
}

impl Cursor {
    pub(crate) fn new(fingerprint: u64, key: SortKey, id: String) -> Self {
        Self { fingerprint, key, id }
    }

    /// Key and id of the row that the cursor stands after. Fails if it belongs to another list.
    pub(crate) fn position(&self, fingerprint: u64) -> Result<(&SortKey, &str), ReadError> {
        if self.fingerprint != fingerprint {
            return Err(ReadError::BadCursor);
        }
        Ok((&self.key, &self.id))
    }

    /// The same in a list that is sorted by time: nanoseconds and id.
    pub(crate) fn moment(&self, fingerprint: u64) -> Result<(i64, &str), ReadError> {
        match self.position(fingerprint)? {
            (SortKey::Time(nanos), id) => Ok((*nanos, id)),
            (SortKey::Text(_), _) => Err(ReadError::BadCursor),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = serde_json::to_vec(&(VERSION, self.fingerprint, &self.key, &self.id));
        f.write_str(&URL_SAFE_NO_PAD.encode(content.map_err(|_unwritable| fmt::Error)?))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > CURSOR_CHARS_MAX {
            return Err(CursorError);
        }
        let content = URL_SAFE_NO_PAD.decode(text).map_err(|_not_base64| CursorError)?;
        let (version, fingerprint, key, id): (u8, u64, SortKey, String) =
            serde_json::from_slice(&content).map_err(|_another_form| CursorError)?;
        if version == VERSION { Ok(Self { fingerprint, key, id }) } else { Err(CursorError) }
    }
}

/// Hash of what a cursor is bound to: the list's name, sort, order and filters.
///
/// FNV-1a over JSON, because the standard hasher may change between compilers and a cursor survives restarts.
pub(crate) fn fingerprint<T: Serialize>(list: &T) -> Result<u64, ReadError> {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let content = serde_json::to_vec(list)?;
    Ok(content.iter().fold(OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME)))
}

impl FromSql for SortKey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        if let ValueRef::Integer(nanos) = value {
            return Ok(Self::Time(nanos));
        }
        value.as_str().map(|text| Self::Text(text.to_owned())).map_err(|_no_text| FromSqlError::InvalidType)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cursor_reads_back_as_it_was_written() {
        for key in [
            SortKey::Time(i64::MIN),
            SortKey::Time(1_772_000_000_123_456_700),
            SortKey::Text("joão \"é\"".into()),
        ] {
            let cursor = Cursor::new(u64::MAX, key, "a/b=&+ç".into());
            let text = cursor.to_string();
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
            assert_eq!(text.parse(), Ok(cursor));
        }
    }

    #[test]
    fn a_cursor_fits_its_own_list_only() {
        let here = fingerprint(&("contacts", "name")).unwrap();
        let there = fingerprint(&("contacts", "createdAt")).unwrap();
        let cursor = Cursor::new(here, SortKey::Time(1), "a".into());
        assert!(cursor.position(here).is_ok());
        assert!(matches!(cursor.position(there), Err(ReadError::BadCursor)));
    }

    #[test]
    fn a_cursor_of_another_version_is_refused() {
        let text = URL_SAFE_NO_PAD.encode(br#"[2,1,1,"a"]"#);
        assert_eq!(text.parse::<Cursor>(), Err(CursorError));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,80}") {
            drop(text.parse::<Cursor>());
        }
    }
}
