//! What all lists have in common: which page is asked for, in which order, and the numbers below the items.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::fields::Fields;
use crate::http::question::question;
use crate::reads::{Cursor, Order, Page, PageAt, Sort};

/// Items on a page where nothing is asked for.
pub const LIMIT_DEFAULT: u32 = 50;
/// Items on a page at most.
pub const LIMIT_MAX: u32 = 200;
/// Highest page that is counted to; whoever wants more follows cursors.
pub const PAGE_MAX: u32 = 1_000_000;

question! {
    /// Which page of a list, and how long it is.
    pub struct Paging {
        /// Items on a page.
        pub limit: u32 [1..=LIMIT_MAX] = LIMIT_DEFAULT,
        /// Which page, from 1. Not together with `cursor`.
        page: Option<u32> [1..=PAGE_MAX],
        /// `nextCursor` of the page before.
        pub cursor: Option<Cursor>,
    }
    checked by page_or_cursor
}

fn page_or_cursor(paging: &Paging, fields: &mut Fields) {
    if paging.page.is_some() && paging.cursor.is_some() {
        fields.refuse("cursor", "cannot be given together with page");
    }
}

impl Paging {
    /// Where the page begins.
    pub fn at(&self) -> PageAt {
        self.cursor.clone().map_or_else(|| PageAt::Page(self.page.unwrap_or(1)), PageAt::After)
    }
}

question! {
    /// In which order.
    pub struct Sorting {
        /// `lastInteraction` where it is left out. Names are no order for viewers, who see them masked.
        pub sort: Sort = Sort::default(),
        /// Where it is left out, names run from A, times from the newest.
        order: Option<Order>,
    }
}

impl Sorting {
    /// From which end.
    pub fn order(&self) -> Order {
        self.order.unwrap_or_else(|| self.sort.default_order())
    }
}

/// Where a page stands in its list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    /// Items on all pages together.
    total: i64,
    /// The page's number; `null` where a cursor was followed.
    page: Option<u32>,
    /// Items on a page at most.
    limit: u32,
    /// Pages of this length.
    total_pages: i64,
    /// Where the next page begins; `null` on the last one.
    next_cursor: Option<String>,
}

impl PageInfo {
    /// The numbers below the items that were found on this page.
    pub fn new<T>(found: &Page<T>, paging: &Paging) -> Self {
        let per_page = i64::from(paging.limit);
        Self {
            total: found.total,
            page: paging.cursor.is_none().then_some(paging.page.unwrap_or(1)),
            limit: paging.limit,
            total_pages: (found.total + per_page - 1) / per_page,
            next_cursor: found.next.as_ref().map(ToString::to_string),
        }
    }
}
