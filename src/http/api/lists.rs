//! What all lists share: the page that is asked for, the order, and the counts beside the items.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::fields::Fields;
use crate::http::question::question;
use crate::reads::{Cursor, Order, Page, PageAt, Sort};

/// Items on a page where no limit is given.
pub const LIMIT_DEFAULT: u32 = 50;
/// Most items on a page.
pub const LIMIT_MAX: u32 = 200;
/// The highest page number that is counted to. A caller who wants more follows cursors.
pub const PAGE_MAX: u32 = 1_000_000;

question! {
    /// Which page of a list, and how many items it has.
    pub struct Paging {
        /// Most items on a page.
        pub limit: u32 [1..=LIMIT_MAX] = LIMIT_DEFAULT,
        /// Number of the page, from 1. Cannot be given together with `cursor`.
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
    pub fn at(&self) -> PageAt {
        self.cursor.clone().map_or_else(|| PageAt::Page(self.page.unwrap_or(1)), PageAt::After)
    }
}

question! {
    /// The order of a list.
    pub struct Sorting {
        /// `lastInteraction` where it is left out. Viewers cannot sort by name, because they see names masked.
        pub sort: Sort = Sort::default(),
        /// Where it is left out, names are sorted from A, and times from the newest.
        order: Option<Order>,
    }
}

impl Sorting {
    pub fn order(&self) -> Order {
        self.order.unwrap_or_else(|| self.sort.default_order())
    }
}

/// Where a page is in its list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    /// Items on all pages together.
    total: i64,
    /// Number of the page; `null` where a cursor was followed.
    page: Option<u32>,
    /// Most items on a page.
    limit: u32,
    /// Number of pages of this length.
    total_pages: i64,
    /// The cursor of the next page; `null` on the last page.
    next_cursor: Option<String>,
}

impl PageInfo {
    /// The counts beside the items that were found on this page.
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
