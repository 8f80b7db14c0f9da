//! Views of the dashboard that an admin saved for the whole team: a name, and the address that it stands for.
//!
//! They are read only from JSON that was checked before (`http/api/settings_fields`) or that the hub itself stored.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most views that a team can have.
pub const VIEWS_MAX: usize = 50;
/// Longest name of a view, in characters.
pub const VIEW_NAME_CHARS_MAX: usize = 60;
/// Longest address of a view, in characters.
pub const VIEW_ADDRESS_CHARS_MAX: usize = 2_000;
/// The pages of the dashboard that can be saved as a view.
const PAGES: [&str; 3] = ["/live", "/chats", "/reports"];

/// A view that has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedView {
    /// What the view is called. No two views of a team have one name.
    #[schema(
        min_length = 1,
        max_length = 60,
        pattern = r"[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
    )]
    pub name: String,
    /// Path and query on the dashboard, which say what is shown: the page, its filters and its columns.
    #[schema(max_length = 2000, pattern = r"^/(live|chats|reports)(\?[!-~]*)?$")]
    pub address: String,
}

/// True for a page of the dashboard with or without a query. Anything else could lead a click to another site.
pub fn is_view_address(address: &str) -> bool {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    PAGES.contains(&path)
        && query.bytes().all(|byte| byte.is_ascii_graphic())
        && address.len() <= VIEW_ADDRESS_CHARS_MAX
}

/// True for an address that holds what somebody searched for. That may be a person, and settings stay for good.
pub fn holds_search(address: &str) -> bool {
    let (_, query) = address.split_once('?').unwrap_or((address, ""));
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "search")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_leads_to_a_page_of_the_dashboard_and_nowhere_else() {
        for right in ["/live", "/live?wall", "/chats?wait=late&sector=a%20b", "/reports?period=30"] {
            assert!(is_view_address(right), "{right}");
        }
        let long = format!("/chats?search={}", "x".repeat(VIEW_ADDRESS_CHARS_MAX));
        for wrong in [
            "",
            "live",
            "//live.example",
            "https://a.example/live",
            "/chats/1",
            "/settings",
            "/live? a",
            "/live?é",
            &long,
        ] {
            assert!(!is_view_address(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_search_is_found_however_its_name_is_written() {
        for with in ["/chats?search=Zulmira", "/chats?wait=late&s%65arch=Ana", "/chats?search"] {
            assert!(holds_search(with), "{with}");
        }
        for without in ["/chats", "/chats?in=messages", "/reports?tag=search"] {
            assert!(!holds_search(without), "{without}");
        }
    }
}
