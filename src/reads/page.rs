//! Pages of a list: a walk along an index finds the rows, a look-up per row loads them.
//!
//! The two steps are apart so that skipped rows (`page=1000`) cost an index entry each and not two joins.
//! Clauses and columns are put together of `&'static str`, so no input ever becomes SQL; values are always bound.

use std::borrow::Cow;

use rusqlite::types::Value;
use rusqlite::{Row, Transaction, params_from_iter};
use serde::Serialize;

use super::ReadError;
use super::cursor::{Cursor, Key};

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageAt {
    /// The n-th page, from 1. Rows that are inserted meanwhile move later pages.
    Page(u32),
    /// After the row that a [`Page::next`] stands for, whatever was inserted meanwhile.
    After(Cursor),
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// At most as many as asked for.
    pub items: Vec<T>,
    /// Rows on all pages together.
    pub total: i64,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Cursor>,
}

/// What contacts and chats may be sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum Sort {
    /// A contact's latest interaction, a chat's latest activity.
    #[default]
    LastInteraction,
    /// The contact's name without case and accents; the phone where there is none.
    Name,
    /// Creation.
    CreatedAt,
}

impl Sort {
    /// Times run from the newest, names from A.
    pub fn default_order(self) -> Order {
        match self {
            Self::Name => Order::Asc,
            Self::LastInteraction | Self::CreatedAt => Order::Desc,
        }
    }
}

/// Which way a list runs; rows with one key run the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Order {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

impl Order {
    /// The word that sorts so, and the sign of what comes after something.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Asc => ("ASC", ">"),
            Self::Desc => ("DESC", "<"),
        }
    }
}

/// Conditions on the rows of a list, all of which must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions {
    clauses: Vec<Cow<'static, str>>,
    values: Vec<Value>,
}

impl Conditions {
    /// Adds a clause with as many `?` as values.
    pub(crate) fn require<const N: usize>(&mut self, clause: &'static str, values: [Value; N]) {
        debug_assert_eq!(clause.matches('?').count(), N, "{clause}");
        self.clauses.push(clause.into());
        self.values.extend(values);
    }

    /// Adds a clause put together of fixed parts, with as many `?` as values.
    pub(crate) fn require_dynamic(&mut self, clause: String, values: Vec<Value>) {
        debug_assert_eq!(clause.matches('?').count(), values.len(), "{clause}");
        self.clauses.push(clause.into());
        self.values.extend(values);
    }

    /// Adds a clause with one `?` where there is a value for it.
    pub(crate) fn require_some<V: Clone + Into<Value>>(&mut self, clause: &'static str, value: Option<&V>) {
        if let Some(value) = value {
            self.require(clause, [value.clone().into()]);
        }
    }

    /// The bound values, in the order of their `?`.
    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    pub(crate) fn to_sql(&self) -> String {
        if self.clauses.is_empty() { "TRUE".to_owned() } else { self.clauses.join(" AND ") }
    }

    /// Counts the rows of `table` that fulfil them.
    pub(crate) fn count(&self, tx: &Transaction<'_>, table: &'static str) -> Result<i64, ReadError> {
        let [count] = self.select(tx, table, "count(*)")?;
        Ok(count)
    }

    /// Sums over the rows of `table` that fulfil them; `columns` are `N` aggregates.
    pub(crate) fn select<const N: usize>(
        &self,
        tx: &Transaction<'_>,
        table: &'static str,
        columns: &'static str,
    ) -> Result<[i64; N], ReadError> {
        let sql = format!("SELECT {columns} FROM {table} WHERE {}", self.to_sql());
        let sums = tx.prepare_cached(&sql)?.query_row(params_from_iter(&self.values), |row| {
            let mut sums = [0; N];
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum = row.get(at)?;
            }
            Ok(sums)
        })?;
        Ok(sums)
    }
}

/// A walk along one list.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    /// The table, with `INDEXED BY` where the planner, which knows no sizes, must not choose.
    pub(crate) table: &'static str,
    /// The column that it is sorted by.
    pub(crate) key: &'static str,
    /// The column that orders rows with one key; no two rows have the same.
    pub(crate) tie: &'static str,
    pub(crate) order: Order,
    pub(crate) conditions: Conditions,
    pub(crate) at: &'a PageAt,
    /// Rows on a page.
    pub(crate) limit: u32,
    /// What its cursors are bound to.
    pub(crate) fingerprint: u64,
}

/// What a walk found.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    pub(crate) items: Vec<T>,
    /// There are rows after these.
    pub(crate) more: bool,
    /// Where they begin; `None` where there are none, or where no row was asked for.
    pub(crate) next: Option<Cursor>,
}

impl<T> Rows<T> {
    /// None.
    pub(crate) fn none() -> Self {
        Self { items: Vec::new(), more: false, next: None }
    }

    /// The page that these rows are.
    pub(crate) fn into_page(self, total: i64) -> Page<T> {
        Page { items: self.items, total, next: self.next }
    }
}

/// Where a row stands, and how to load it within the same transaction.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    key: Key,
    pub(crate) tie: String,
    pub(crate) rowid: i64,
}

impl Spot {
    /// A row at a moment.
    pub(crate) fn at(nanos: i64, tie: String, rowid: i64) -> Self {
        Self { key: Key::Time(nanos), tie, rowid }
    }

    /// Reads sort key, tie and rowid, in this order.
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { key: row.get(0)?, tie: row.get(1)?, rowid: row.get(2)? })
    }

    /// The moment it stands at, in a list that is sorted by time.
    pub(crate) fn time(&self) -> i64 {
        if let Key::Time(nanos) = self.key { nanos } else { 0 }
    }

    /// Its place in the order of the list.
    pub(crate) fn place(&self) -> (&Key, &str) {
        (&self.key, &self.tie)
    }
}

impl Walk<'_> {
    /// Finds the page's rows and loads each of them by its rowid.
    pub(crate) fn rows<T>(
        &self,
        tx: &Transaction<'_>,
        load: impl Fn(&Transaction<'_>, i64) -> Result<T, ReadError>,
    ) -> Result<Rows<T>, ReadError> {
        self.load(tx, self.spots(tx)?, load)
    }

    /// Loads the page's rows; one more than asked for tells that there are more.
    pub(crate) fn load<T>(
        &self,
        tx: &Transaction<'_>,
        mut spots: Vec<Spot>,
        load: impl Fn(&Transaction<'_>, i64) -> Result<T, ReadError>,
    ) -> Result<Rows<T>, ReadError> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = spots.len() > limit;
        spots.truncate(limit);
        let items = spots.iter().map(|spot| load(tx, spot.rowid)).collect::<Result<_, _>>()?;
        let last = spots.pop().filter(|_| more);
        let next = last.map(|spot| Cursor::new(self.fingerprint, spot.key, spot.tie));
        Ok(Rows { items, more, next })
    }

    /// The SQL and its values; one row more than asked for tells whether there are more.
    pub(crate) fn statement(&self) -> Result<(String, Vec<Value>), ReadError> {
        let Self { table, key, tie, conditions, .. } = self;
        let (direction, beyond) = self.order.words();
        let mut clauses = conditions.to_sql();
        let mut values = conditions.values.clone();
        if let PageAt::After(cursor) = self.at {
            let (after, after_tie) = cursor.position(self.fingerprint)?;
            clauses = format!("{clauses} AND ({key}, {tie}) {beyond} (?, ?)");
            values.push(match after {
                Key::Time(nanos) => Value::Integer(*nanos),
                Key::Text(text) => Value::Text(text.clone()),
            });
            values.push(Value::Text(after_tie.to_owned()));
        }
        values.push(Value::Integer(i64::from(self.limit) + 1));
        values.push(Value::Integer(i64::try_from(self.offset()).unwrap_or(i64::MAX)));
        let sql = format!(
            "SELECT {key}, {tie}, rowid FROM {table} WHERE {clauses} \
             ORDER BY {key} {direction}, {tie} {direction} LIMIT ? OFFSET ?"
        );
        Ok((sql, values))
    }

    /// Rows before the page, where pages are counted.
    pub(crate) fn offset(&self) -> usize {
        match self.at {
            PageAt::Page(page) => {
                let before = u64::from(page.saturating_sub(1)) * u64::from(self.limit);
                usize::try_from(before).unwrap_or(usize::MAX)
            }
            PageAt::After(_) => 0,
        }
    }

    /// True where a page begins behind the last of `total` rows, and so is empty.
    pub(crate) fn begins_behind(&self, total: i64) -> bool {
        i64::try_from(self.offset()).unwrap_or(i64::MAX) >= total.max(1)
    }

    /// Time and id of the row that the page comes after; `None` where it is found by its number.
    pub(crate) fn after(&self) -> Result<Option<(i64, String)>, ReadError> {
        let PageAt::After(cursor) = self.at else { return Ok(None) };
        match cursor.position(self.fingerprint)? {
            (Key::Time(nanos), id) => Ok(Some((*nanos, id.to_owned()))),
            (Key::Text(_), _) => Err(ReadError::BadCursor),
        }
    }

    fn spots(&self, tx: &Transaction<'_>) -> Result<Vec<Spot>, ReadError> {
        let (sql, values) = self.statement()?;
        let mut statement = tx.prepare_cached(&sql)?;
        let spots = statement.query_map(params_from_iter(values), Spot::read)?;
        Ok(spots.collect::<Result<_, _>>()?)
    }
}
