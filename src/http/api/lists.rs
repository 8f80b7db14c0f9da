//! What all lists have in common: the numbers below the items.

use serde::Serialize;
use utoipa::ToSchema;

use super::params::Paging;
use crate::reads::Page;

/// A page's number, where pages are counted, and its length.
pub type Asked = (Option<u32>, u32);

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
    /// What is to be said below these items.
    pub fn new<T>(found: &Page<T>, (page, limit): Asked) -> Self {
        let per_page = i64::from(limit);
        Self {
            total: found.total,
            page,
            limit,
            total_pages: (found.total + per_page - 1) / per_page,
            next_cursor: found.next.as_ref().map(ToString::to_string),
        }
    }
}

impl Paging {
    /// What the answer repeats of the question.
    pub fn asked(&self) -> Asked {
        (self.page, self.limit)
    }
}
