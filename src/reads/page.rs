//! Pages of a list: a walk along an index finds the rows, then each row is loaded.
//!
//! The steps are separate so that a skipped row (`page=1000`) costs one index entry instead of two joins.
//! Clauses and columns are built from `&'static str`, so no input ever becomes SQL; values are always bound.

use std::borrow::Cow;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Row, Transaction, params_from_iter};
use serde::Serialize;

use super::ReadError;
use super::cursor::{Cursor, SortKey, fingerprint};
use crate::auth::Scope;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageAt {
    /// Number of the page, from 1. Rows that are inserted meanwhile shift later pages.
    Page(u32),
    /// After the row at which another page ended, whatever was inserted meanwhile.
    After(Cursor),
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// At most as many as were asked for.
    pub items: Vec<T>,
    /// Number of rows on all pages.
    pub total: i64,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<Cursor>,
}

/// What contacts and chats can be sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum Sort {
    /// Latest interaction of a contact, latest activity of a chat.
    #[default]
    LastInteraction,
    /// The contact's name, without case and accents, or the phone if there is no name.
    Name,
    CreatedAt,
}

impl Sort {
    /// Newest first for times, A to Z for names.
    pub fn default_order(self) -> Order {
        match self {
            Self::Name => Order::Asc,
            Self::LastInteraction | Self::CreatedAt => Order::Desc,
        }
    }
}

/// Direction of a list. Rows with equal keys run in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Order {
    Asc,
    Desc,
}

impl Order {
    /// The SQL word for this direction, and the operator for rows that come later in it.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Asc => ("ASC", ">"),
            Self::Desc => ("DESC", "<"),
        }
    }
}

/// Lists chats or contacts, a page at a time.
#[derive(Debug, Clone)]
pub struct List<F> {
    pub filter: F,
    pub sort: Sort,
    pub order: Order,
    /// Rows on a page, 1 to 200.
    pub limit: u32,
    pub at: PageAt,
    pub scope: Arc<Scope>,
}

impl<F: Serialize> List<F> {
    /// The first page, in the usual order of what it is sorted by.
    pub(super) fn first_page(filter: F, sort: Sort, limit: u32, scope: &Arc<Scope>) -> Self {
        let scope = Arc::clone(scope);
        Self { filter, sort, order: sort.default_order(), limit, at: PageAt::Page(1), scope }
    }

    /// How to find the rows of the page. `name` keeps cursors of different lists apart.
    pub(super) fn walk_table(
        &self,
        table: &'static str,
        last_interaction: &'static str,
        conditions: Conditions,
        name: &'static str,
    ) -> Result<Walk<'_>, ReadError> {
        let key = match self.sort {
            Sort::LastInteraction => last_interaction,
            Sort::Name => "name_key",
            Sort::CreatedAt => "created_at",
        };
        let fingerprint = fingerprint(&(name, self.sort, self.order, &self.filter, self.scope.hash()))?;
        let (order, at, limit) = (self.order, &self.at, self.limit);
        Ok(Walk { table, key, tie: "id", order, conditions, at, limit, fingerprint })
    }
}

/// Conditions on the rows of a list. All must hold.
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

    /// Lets nothing match if `scope` masks names and texts, because a search would reveal them.
    pub(crate) fn require_unmasked(&mut self, scope: &Scope) {
        if scope.is_masked() {
            self.require("FALSE", []);
        }
    }

    /// Adds a clause that was built from fixed parts, with as many `?` as values.
    pub(crate) fn require_dynamic(&mut self, clause: String, values: Vec<Value>) {
        debug_assert_eq!(clause.matches('?').count(), values.len(), "{clause}");
        self.clauses.push(clause.into());
        self.values.extend(values);
    }

    /// Adds a clause with one `?`, if there is a value for it.
    pub(crate) fn require_some<V: Clone + Into<Value>>(&mut self, clause: &'static str, value: Option<&V>) {
        if let Some(value) = value {
            self.require(clause, [value.clone().into()]);
        }
    }

    /// The values to bind, in the order of their `?`.
    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    pub(crate) fn to_sql(&self) -> String {
        if self.clauses.is_empty() { "TRUE".to_owned() } else { self.clauses.join(" AND ") }
    }

    /// Counts the rows of `table` that meet the conditions.
    pub(crate) fn count(&self, tx: &Transaction<'_>, table: &'static str) -> Result<i64, ReadError> {
        let [count] = self.select(tx, table, "count(*)")?;
        Ok(count)
    }

    /// Aggregates over the rows of `table` that meet the conditions. `columns` are `N` SQL aggregates.
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

/// How to find the rows of one page.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    /// The table, with `INDEXED BY` where the planner, which has no statistics, might choose badly.
    pub(crate) table: &'static str,
    /// The column that the list is sorted by.
    pub(crate) key: &'static str,
    /// The column that orders rows with equal keys. Together with the key it is unique.
    pub(crate) tie: &'static str,
    pub(crate) order: Order,
    pub(crate) conditions: Conditions,
    pub(crate) at: &'a PageAt,
    pub(crate) limit: u32,
    /// See [`fingerprint`].
    pub(crate) fingerprint: u64,
}

/// The loaded rows of a page.
#[derive(Debug)]
pub(crate) struct ListRows<T> {
    pub(crate) items: Vec<T>,
    pub(crate) more: bool,
    /// Where the next rows begin; `None` if none follow, or if no row was asked for.
    pub(crate) next: Option<Cursor>,
}

impl<T> ListRows<T> {
    pub(crate) fn none() -> Self {
        Self { items: Vec::new(), more: false, next: None }
    }

    pub(crate) fn into_page(self, total: i64) -> Page<T> {
        Page { items: self.items, total, next: self.next }
    }
}

/// A row that was found, but not loaded. Valid within its transaction.
#[derive(Debug, Clone)]
pub(crate) struct FoundRow {
    key: SortKey,
    pub(crate) tie: String,
    pub(crate) rowid: i64,
}

impl FoundRow {
    /// A row of a list that is sorted by time.
    pub(crate) fn at(nanos: i64, tie: String, rowid: i64) -> Self {
        Self { key: SortKey::Time(nanos), tie, rowid }
    }

    /// Reads key, tie-breaker and `rowid`, in this order.
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { key: row.get(0)?, tie: row.get(1)?, rowid: row.get(2)? })
    }

    /// Nanoseconds, in a list that is sorted by time; otherwise 0.
    pub(crate) fn time(&self) -> i64 {
        if let SortKey::Time(nanos) = self.key { nanos } else { 0 }
    }

    /// What the list is ordered by.
    pub(crate) fn place(&self) -> (&SortKey, &str) {
        (&self.key, &self.tie)
    }
}

impl Walk<'_> {
    /// Finds and loads the rows of the page.
    pub(crate) fn rows<T>(
        &self,
        tx: &Transaction<'_>,
        load: impl Fn(&Transaction<'_>, i64) -> Result<T, ReadError>,
    ) -> Result<ListRows<T>, ReadError> {
        self.load(tx, self.spots(tx)?, load)
    }

    /// Loads the rows of the page. One row more than the limit tells that more follow.
    pub(crate) fn load<T>(
        &self,
        tx: &Transaction<'_>,
        mut spots: Vec<FoundRow>,
        load: impl Fn(&Transaction<'_>, i64) -> Result<T, ReadError>,
    ) -> Result<ListRows<T>, ReadError> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = spots.len() > limit;
        spots.truncate(limit);
        let items = spots.iter().map(|spot| load(tx, spot.rowid)).collect::<Result<_, _>>()?;
        let last = spots.pop().filter(|_| more);
        let next = last.map(|spot| Cursor::new(self.fingerprint, spot.key, spot.tie));
        Ok(ListRows { items, more, next })
    }

    /// The SQL and its values. It asks for one row more than the limit, to tell whether more follow.
    pub(crate) fn statement(&self) -> Result<(String, Vec<Value>), ReadError> {
        let Self { table, key, tie, conditions, .. } = self;
        let (direction, beyond) = self.order.words();
        let mut clauses = conditions.to_sql();
        let mut values = conditions.values.clone();
        if let PageAt::After(cursor) = self.at {
            let (after, after_tie) = cursor.position(self.fingerprint)?;
            clauses = format!("{clauses} AND ({key}, {tie}) {beyond} (?, ?)");
            values.push(match after {
                SortKey::Time(nanos) => Value::Integer(*nanos),
                SortKey::Text(text) => Value::Text(text.clone()),
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

    /// Rows to skip before the page, if it is given by its number.
    pub(crate) fn offset(&self) -> usize {
        match self.at {
            PageAt::Page(page) => {
                let before = u64::from(page.saturating_sub(1)) * u64::from(self.limit);
                usize::try_from(before).unwrap_or(usize::MAX)
            }
            PageAt::After(_) => 0,
        }
    }

    /// True if the page is empty because it begins after the last of `total` rows.
    pub(crate) fn begins_behind(&self, total: i64) -> bool {
        i64::try_from(self.offset()).unwrap_or(i64::MAX) >= total.max(1)
    }

    /// Time and id of the row that the page follows; `None` if the page is given by its number.
    pub(crate) fn after(&self) -> Result<Option<(i64, String)>, ReadError> {
        let PageAt::After(cursor) = self.at else { return Ok(None) };
        let (nanos, id) = cursor.moment(self.fingerprint)?;
        Ok(Some((nanos, id.to_owned())))
    }

    fn spots(&self, tx: &Transaction<'_>) -> Result<Vec<FoundRow>, ReadError> {
        let (sql, values) = self.statement()?;
        let mut statement = tx.prepare_cached(&sql)?;
        let spots = statement.query_map(params_from_iter(values), FoundRow::read)?;
        Ok(spots.collect::<Result<_, _>>()?)
    }
}
