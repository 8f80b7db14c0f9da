//! Reads a query string: every parameter once, known and within its bounds, or an error that names it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;

use crate::domain::ChatKind;
use crate::http::error::ApiError;
use crate::reads::{Cursor, Order, PageAt, Sort, StatusFilter};
use crate::telemetry::clock;

/// Items on a page where nothing is asked for.
pub const LIMIT_DEFAULT: u32 = 50;
/// Items on a page at most.
pub const LIMIT_MAX: u32 = 200;
/// Highest page that is counted to; whoever wants more follows cursors.
pub const PAGE_MAX: u32 = 1_000_000;
/// Longest id, in characters.
pub const ID_CHARS_MAX: usize = 256;
/// Longest search, in characters.
pub const SEARCH_CHARS_MAX: usize = 200;

/// The words of `status`.
pub const CHAT_STATUSES: [(&str, StatusFilter); 3] =
    [("open", StatusFilter::Open), ("waiting", StatusFilter::Waiting), ("closed", StatusFilter::Closed)];
/// The words of `kind`, where it is a chat's.
pub const CHAT_KINDS: [(&str, ChatKind); 3] =
    [("direct", ChatKind::Direct), ("group", ChatKind::Group), ("internal", ChatKind::Internal)];
/// The words of `sort`.
pub const SORTS: [(&str, Sort); 3] =
    [("lastInteraction", Sort::LastInteraction), ("name", Sort::Name), ("createdAt", Sort::CreatedAt)];
/// The words of `order`.
pub const ORDERS: [(&str, Order); 2] = [("asc", Order::Asc), ("desc", Order::Desc)];
/// Yes and no.
pub const BOOLEANS: [(&str, bool); 2] = [("true", true), ("false", false)];

/// True for a text of one character to so many. Characters are counted and not bytes, as in the description: JSON Schema
/// knows no bytes, and a name does not get shorter by its accents.
pub fn fits(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().take(most + 1).count() <= most
}

/// What is left of a query string.
#[derive(Debug)]
pub struct Params(BTreeMap<String, String>);

/// Which page of a list, and how long it is.
#[derive(Debug)]
pub struct Paging {
    /// Where it begins.
    pub at: PageAt,
    /// Its number, where pages are counted.
    pub page: Option<u32>,
    /// Items on it.
    pub limit: u32,
}

impl Params {
    /// Splits a query string.
    pub fn read(query: &str) -> Result<Self, ApiError> {
        let mut params = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.contains(char::REPLACEMENT_CHARACTER) {
                return Err(ApiError::parameter(name, "must be UTF-8"));
            }
            if params.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(ApiError::parameter(name, "is given twice"));
            }
        }
        Ok(Self(params))
    }

    /// Takes a parameter out and parses it; the error's text says what it must be.
    pub fn take<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ApiError> {
        let parsed = self.0.remove(name).map(|text| parse(&text)).transpose();
        parsed.map_err(|error| ApiError::parameter(name, error.to_string()))
    }

    /// A whole number within bounds.
    pub fn number<T: FromStr + PartialOrd + Display + Copy>(
        &mut self,
        name: &str,
        least: T,
        most: T,
    ) -> Result<Option<T>, ApiError> {
        self.take(name, |text| {
            // `+5` parses as a number, and is a blank and a 5 in a query.
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse::<T>().ok().filter(|number| plain && (least..=most).contains(number));
            number.ok_or_else(|| format!("must be a whole number from {least} to {most}"))
        })
    }

    /// An id of the provider.
    pub fn id(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        self.take(name, |text| {
            let is_id = fits(text, ID_CHARS_MAX);
            if is_id { Ok(text.to_owned()) } else { Err(format!("must have 1 to {ID_CHARS_MAX} characters")) }
        })
    }

    /// What somebody typed into a search box; an empty one searches for nothing.
    pub fn search(&mut self) -> Result<Option<String>, ApiError> {
        let search = self.take("search", |text| {
            if text.is_empty() || fits(text, SEARCH_CHARS_MAX) {
                Ok(text.to_owned())
            } else {
                Err(format!("must have at most {SEARCH_CHARS_MAX} characters"))
            }
        })?;
        Ok(search.filter(|text| !text.trim().is_empty()))
    }

    /// A moment, RFC 3339.
    pub fn moment(&mut self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        self.take(name, |text| {
            text.parse::<Timestamp>()
                .map_err(|_no_moment| "must be a moment like 2026-03-02T13:00:00Z (RFC 3339)")
        })
    }

    /// A moment that is over: how things stood then.
    pub fn past_moment(&mut self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let moment = self.moment(name)?;
        match moment {
            Some(moment) if moment > clock::now() => Err(ApiError::parameter(name, "lies in the future")),
            moment => Ok(moment),
        }
    }

    /// Refuses what makes no sense beside another parameter.
    pub fn refuse(&self, names: &[&str], beside: &str) -> Result<(), ApiError> {
        match names.iter().find(|name| self.0.contains_key(**name)) {
            None => Ok(()),
            Some(name) => Err(ApiError::parameter(*name, format!("cannot be given together with {beside}"))),
        }
    }

    /// One of a few words.
    pub fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, ApiError> {
        self.take(name, |text| {
            let known = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
            known.ok_or_else(|| {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                format!("must be one of {}", words.join(", "))
            })
        })
    }

    /// `limit`, and `page` or `cursor`.
    pub fn paging(&mut self) -> Result<Paging, ApiError> {
        let limit = self.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
        let page = self.number("page", 1, PAGE_MAX)?;
        let cursor = self.take("cursor", str::parse::<Cursor>)?;
        match (page, cursor) {
            (Some(_), Some(_)) => Err(ApiError::parameter("cursor", "cannot be given together with page")),
            (None, Some(cursor)) => Ok(Paging { at: PageAt::After(cursor), page: None, limit }),
            (page, None) => {
                let page = page.unwrap_or(1);
                Ok(Paging { at: PageAt::Page(page), page: Some(page), limit })
            }
        }
    }

    /// `sort` and `order`.
    pub fn sorting(&mut self) -> Result<(Sort, Order), ApiError> {
        let sort = self.word("sort", &SORTS)?.unwrap_or_default();
        let order = self.word("order", &ORDERS)?;
        Ok((sort, order.unwrap_or_else(|| sort.default_order())))
    }

    /// Whatever is left is not known here.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(ApiError::parameter(name, "is not known here")),
        }
    }
}
